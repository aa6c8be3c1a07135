"""Decoding of a body as it arrives, piece by piece: base64 and quoted-printable, RFC 2045 section 6.

The author of a message chooses what is there, so nothing here raises: bytes outside the alphabet are passed over.
"""

from __future__ import annotations

import binascii
from typing import Protocol

from imapkit.core.support.patterns import late_pattern

__all__ = ["Decoder", "decoder_for"]

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_OTHERS = bytes(set(range(256)) - set(_ALPHABET))
#   A soft line break (two "=" are one character) whose line end is a CR alone.
_LONE_CR = late_pattern(rb"(?<!=)((?:==)*+)=\r(?!\n)")


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
        at = data.rfind(b"=", max(0, len(data) - 2))
        if at < 0 or _ends_a_pair(data, at):
            at = len(data)
        self._held = data[at:]
        return _quoted_printable(data[:at])

    def end(self) -> bytes:
        held, self._held = self._held, b""
        return _quoted_printable(held)


def _ends_a_pair(data: bytes, at: int) -> bool:
    """Whether the "=" there is the second of two, which mean one."""
    run = data[: at + 1]
    return (len(run) - len(run.rstrip(b"="))) % 2 == 0


def _quoted_printable(text: bytes) -> bytes:
    if text.count(b"=\r") != text.count(b"=\r\n"):
        # (Behind "=" and a CR alone, ``a2b_qp`` would pass over all up to the next LF.)
        text = _LONE_CR.sub(rb"\1=\n", text)
    return binascii.a2b_qp(text)


def decoder_for(encoding: str | None) -> Decoder:
    """The decoder for a Content-Transfer-Encoding; what has none, or an unknown one, stays as it is."""
    name = (encoding or "").strip().lower()
    if name == "base64":
        return _Base64()
    return _QuotedPrintable() if name == "quoted-printable" else _AsItIs()
