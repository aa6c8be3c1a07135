"""imapkit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import imapkit
from bench.clients.common import Threaded
from bench.worker import Run
from imapkit.ext.rev1 import Address, BasicPart, BodyStructure, Envelope, FetchData

__all__ = ["Client", "look"]


def _addresses(envelope: Envelope) -> Iterator[Address]:
    for some in (envelope.from_, envelope.sender, envelope.reply_to, envelope.to, envelope.cc, envelope.bcc):
        yield from some


def look(message: FetchData) -> int:
    """Every field of what has been parsed, whether it is made early or late; returns how many parts there are."""
    envelope, structure, parts = message.envelope, message.structure, 0
    assert envelope is not None
    assert structure is not None
    _ = envelope.sent, envelope.subject, envelope.in_reply_to, envelope.message_id
    for address in _addresses(envelope):
        _ = address.name, address.route, address.mailbox, address.host
    for part in structure.walk():
        _fields(part)
        parts += 1
    return parts


def _fields(part: BodyStructure) -> None:
    _ = part.section, part.type, part.subtype, part.raw_parameters, part.language, part.location, part.extensions
    if part.disposition is not None:
        _ = part.disposition.type, part.disposition.raw_parameters
    if isinstance(part, BasicPart):
        _ = part.id, part.description, part.encoding, part.size, part.md5


def _decode(message: FetchData) -> int:
    """Beyond that, what is decoded when it is asked for."""
    envelope, structure = message.envelope, message.structure
    assert envelope is not None
    assert structure is not None
    _ = envelope.subject_text
    for address in _addresses(envelope):
        _ = address.display_name, address.email
    for part in structure.walk():
        _ = part.content_type, part.parameters
        if part.disposition is not None:
            _ = part.disposition.parameters
    return look(message)


class Client(Threaded):
    """Adds what is parsed."""

    module = "imapkit"

    def open(self, run: Run) -> Any:
        """A client."""
        if run.cafile is not None:
            return imapkit.IMAP4_SSL(run.host, run.port, ca_certs=run.cafile)
        return imapkit.IMAP4(run.host, run.port)

    def flags_parsed(self, run: Run) -> None:
        """FETCH of flags, as records, each looked at."""
        client = self.connect(run)
        with run.timed():
            typ, data = client.fetch(f"1:{run.size}", "(FLAGS)")
            seen = [len(message.flags) for message in data.parsed()]
        run.check(typ == "OK" and len(seen) == run.size)
        client.logout()

    def structures_parsed(self, run: Run) -> None:
        """FETCH of envelopes and structures, as records, every field looked at, and the date understood as IMAPClient does."""
        self._structures(run, look)

    def structures_decoded(self, run: Run) -> None:
        """The same with all words and parameters decoded, as imapflow does."""
        self._structures(run, _decode)

    def _structures(self, run: Run, look: Callable[[FetchData], int]) -> None:
        client = self.connect(run)
        with run.timed():
            typ, data = client.fetch(f"1:{run.size}", "(ENVELOPE BODYSTRUCTURE)")
            parts = [look(message) for message in data.parsed()]
        run.check(typ == "OK" and len(parts) == run.size and min(parts) > 0)
        client.logout()
