"""Looks at every field of what imapkit has parsed, so that nothing is left for later."""

from __future__ import annotations

from collections.abc import Iterator

from imapkit.ext.rev1 import Address, BasicPart, BodyStructure, Envelope, FetchData

__all__ = ["decode", "look", "look_at_envelope", "look_at_structure"]


def look(message: FetchData) -> int:
    """Look at every parsed field, whether it is made early or late; returns how many parts there are."""
    envelope, structure = message.envelope, message.structure
    assert envelope is not None
    assert structure is not None
    look_at_envelope(envelope)
    return look_at_structure(structure)


def look_at_envelope(envelope: Envelope) -> int:
    """Look at every field; returns how many addresses there are."""
    _, count = (envelope.date, envelope.raw_subject, envelope.raw_in_reply_to, envelope.raw_message_id), 0
    for address in _addresses(envelope):
        _ = address.raw_name, address.raw_route, address.raw_mailbox, address.raw_host
        count += 1
    return count


def look_at_structure(structure: BodyStructure) -> int:
    """Look at every field of every part; returns how many parts there are."""
    parts = 0
    for part in structure.walk():
        _fields(part)
        parts += 1
    return parts


def decode(message: FetchData) -> int:
    """Look at the fields that are decoded when they are asked for, too."""
    envelope, structure = message.envelope, message.structure
    assert envelope is not None
    assert structure is not None
    _ = envelope.subject
    for address in _addresses(envelope):
        _ = address.name, address.email
    for part in structure.walk():
        _ = part.content_type, part.parameters
        if part.disposition is not None:
            _ = part.disposition.parameters
    return look(message)


def _addresses(envelope: Envelope) -> Iterator[Address]:
    for some in (envelope.from_, envelope.sender, envelope.reply_to, envelope.to, envelope.cc, envelope.bcc):
        yield from some


def _fields(part: BodyStructure) -> None:
    _ = part.section, part.raw_type, part.raw_subtype, part.raw_parameters, part.raw_language, part.raw_location, part.extensions
    if part.disposition is not None:
        _ = part.disposition.raw_type, part.disposition.raw_parameters
    if isinstance(part, BasicPart):
        _ = part.raw_id, part.raw_description, part.raw_encoding, part.size, part.raw_md5
