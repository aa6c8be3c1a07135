"""Decoding of a body as it arrives, piece by piece: base64 and quoted-printable, RFC 2045 section 6.

The author of a message chooses what is there, so nothing here raises: bytes outside the alphabet are passed over.
"""

from __future__ import annotations

import binascii
from typing import Protocol

__all__ = ["Decoder", "decoder_for"]

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_OTHERS = bytes(set(range(256)) - set(_ALPHABET))


class Decoder(Protocol):
    """Decodes one body."""

    def feed(self, data: bytes) -> bytes:
        """The bytes that ``data`` stands for, as far as that is settled."""

    def end(self) -> bytes:
        """The rest."""


class _AsItIs:
    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> bytes:
        return b""


class _Base64:
    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        clean = self._held + data.translate(None, _OTHERS)
        cut = len(clean) - len(clean) % 4
        self._held = clean[cut:]
        return _base64(clean[:cut])

    def end(self) -> bytes:
        # One character is less than a byte.
        held, self._held = self._held.rstrip(b"="), b""
        return _base64(held + b"=" * (-len(held) % 4)) if len(held) > 1 else b""


def _base64(clean: bytes) -> bytes:
    at = clean.find(b"=")
    if 0 <= at < len(clean) - 2:
        # Two encoded texts, one behind the other: each quad is decoded by itself from there.
        at -= at % 4
        return _whole(clean[:at]) + b"".join(_whole(clean[start : start + 4]) for start in range(at, len(clean), 4))
    return _whole(clean)


def _whole(quads: bytes) -> bytes:
    try:
        return binascii.a2b_base64(quads)
    except binascii.Error:
        return b""


class _QuotedPrintable:
    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        data = self._held + data
        # "=3", or "=" and CR: what it means is not there yet.
        at = data.rfind(b"=", -2)
        self._held = b"" if at < 0 else data[at:]
        return binascii.a2b_qp(data if at < 0 else data[:at])

    def end(self) -> bytes:
        held, self._held = self._held, b""
        return binascii.a2b_qp(held)


def decoder_for(encoding: bytes | None) -> Decoder:
    """The decoder for a Content-Transfer-Encoding; what has none, or an unknown one, stays as it is."""
    name = (encoding or b"").strip().lower()
    if name == b"base64":
        return _Base64()
    return _QuotedPrintable() if name == b"quoted-printable" else _AsItIs()
