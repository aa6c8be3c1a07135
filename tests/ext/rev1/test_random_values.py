"""Random envelopes and body structures: parsing returns a value and defects, and every property can be read."""

from __future__ import annotations

import random

import pytest

from imapkit.ext.rev1.bodystructure import BodyStructure, MessagePart
from imapkit.ext.rev1.envelope import Address, Envelope, groups
from imapkit.ext.rev1.fetch import FetchData, fetch
from imapkit.plugin import Cursor

WORDS = [b"NIL"] * 6 + [
    b'"text"',
    b'"plain"',
    b'"message"',
    b'"rfc822"',
    b'"multipart"',
    b'"7bit"',
    b"0",
    b"5",
    b"-1",
    b"x",
    b"()",
    b'""',
]
WORDS += [
    b'"=?utf-8?Q?=C3=A9?="',
    b'"=?\xff?B?\xff?="',
    b'"name*"',
    b"\"utf-8''%C3\"",
    b'"charset"',
    b'"1 Jan 2026 00:00 +9999"',
    b"9" * 30,
]


def expression(chance: random.Random, depth: int) -> bytes:
    """A random list."""
    members = (
        expression(chance, depth - 1) if depth and chance.random() < 0.3 else chance.choice(WORDS)
        for _ in range(chance.randint(0, 12))
    )
    return b"(" + b" ".join(members) + b")"


def read_all(value: Address | Envelope | BodyStructure | FetchData) -> None:
    """Read every property."""
    for name in dir(type(value)):
        if isinstance(getattr(type(value), name), property):
            getattr(value, name)
    hash(value)
    assert value == value


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(8))
def test_random_input_is_read(seed: int) -> None:
    chance = random.Random(seed)
    envelopes = structures = 0
    for _ in range(150):
        sent = b"(ENVELOPE %b BODYSTRUCTURE %b UID 1)" % (expression(chance, 3), expression(chance, 5))
        data = fetch(Cursor((sent,), 1))
        assert data.uid == 1
        read_all(data)
        found = [data.envelope] if data.envelope else []
        for part in data.structure.walk() if data.structure else ():
            structures += 1
            read_all(part)
            if isinstance(part, MessagePart) and part.envelope:
                found.append(part.envelope)
        for envelope in found:
            envelopes += 1
            read_all(envelope)
            for address in (*envelope.from_, *envelope.sender, *envelope.to, *envelope.cc):
                read_all(address)
            groups(envelope.to)
    assert envelopes >= 100
    assert structures >= 100
