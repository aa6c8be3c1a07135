"""Content-Transfer-Encodings, decoded piece by piece: the pieces make no difference, and nothing raises."""

from __future__ import annotations

import base64
import os
import quopri
from random import Random

import pytest

from imapkit.core.grammar.transfer import decoder_for


def decoded(encoding: str | None, *pieces: bytes) -> bytes:
    decoder = decoder_for(encoding)
    return b"".join([*map(decoder.feed, pieces), decoder.end()])


def cut(data: bytes, rng: Random) -> list[bytes]:
    places = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(1, 40)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 57, 58, 1000])
def test_base64_in_any_pieces(size: int, rng: Random) -> None:
    data = os.urandom(size)
    for _ in range(20):
        assert decoded("base64", *cut(base64.encodebytes(data).replace(b"\n", b"\r\n"), rng)) == data
        assert decoded("Base64 ", *cut(base64.b64encode(data).rstrip(b"="), rng)) == data


def test_quoted_printable_in_any_pieces(rng: Random) -> None:
    data = "Grüße = 100 % \t\r\n".encode("latin-1") * 20 + os.urandom(500).replace(b"\r", b"").replace(b"\n", b"")
    text = quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    for _ in range(50):
        assert decoded("QUOTED-PRINTABLE", *cut(text, rng)) == data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"YQ==YmM=ZGVm", b"abcdef"),
        (b"YWJj\x00\xff-- \tZGVm", b"abcdef"),
        (b"YWJjZ", b"abc"),
        (b"====", b""),
        (b"=", b""),
        (b"YWJj====", b"abc"),
    ],
)
def test_base64_that_is_not_as_it_should_be(text: bytes, expected: bytes) -> None:
    assert decoded("base64", text) == expected


def test_nothing_raises(rng: Random) -> None:
    for encoding in ("base64", "quoted-printable", "x-unknown", None):
        for _ in range(300):
            text = bytes(rng.choices(b"=Aa4+\r\n \xff" if encoding else bytes(range(256)), k=rng.randrange(60)))
            whole, parts = decoded(encoding, text), decoded(encoding, *cut(text, rng))
            assert encoding == "base64" or whole == parts
