"""The readable form of what ENVELOPE and BODYSTRUCTURE hold: encoded words (RFC 2047), parameters (RFC 2231).

The author of a message chooses all of it, so nothing here raises: what cannot be decoded stays readable, with U+FFFD for bytes
that are no text. Every function runs in linear time.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from encodings.aliases import aliases

from imapkit.core.support.patterns import late_pattern

__all__ = ["decode_bytes", "decode_parameters", "decode_words"]

#   encoded-word = "=?" charset "?" encoding "?" encoded-text "?="; spaces pass, as many senders leave them in.
_WORD = late_pattern(rb"=\?([^?\x00-\x20]{1,60}+)\?([QqBb])\?([^?]*+)\?=")
_FOLD = late_pattern(rb"\r?\n(?=[ \t])")
_PERCENT = late_pattern(rb"%([0-9A-Fa-f]{2})")
_PIECE = late_pattern(r"(\d{1,4})?(\*)?")
# Python caches for ever each name that it looks up, known or not: a server's names are looked up here first. Codecs that are no
# charsets of messages are left out: some are slow, or warn.
_NO_CHARSETS = {
    *("base64_codec", "bz2_codec", "hex_codec", "idna", "mbcs", "oem", "punycode", "quopri_codec"),
    *("raw_unicode_escape", "rot_13", "undefined", "unicode_escape", "uu_codec", "zlib_codec"),
}
_MORE_CHARSETS = ("cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_r", "koi8_t", "koi8_u", "mac_arabic", "utf_8_sig")
_CHARSETS = {alias.replace(".", "_"): name for alias, name in aliases.items() if name not in _NO_CHARSETS}
_CHARSETS |= {name: name for name in (*_CHARSETS.values(), *_MORE_CHARSETS)}
#   Those that Python does not know by that name: RFC 1556, Microsoft, old programs, MySQL.
_CHARSETS |= {
    "iso_8859_6_e": "iso8859_6",
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_8_i": "iso8859_8",
    "ks_c_5601_1987": "cp949",
    "sjis_win": "cp932",
    "utf8mb4": "utf_8",
    "windows_31j": "cp932",
    "unicode_1_1_utf_7": "utf_7",
    "unicode_1_1_utf_8": "utf_8",
}
_NOT_IN_NAMES = late_pattern(r"[^a-z0-9]++")
_NUMBERED = late_pattern(r"(?:x_)?+(?:cp|windows|microsoft|ms|ibm)_?+(?:cp_?+)?+(\d{3,5})")
_LONGEST_NAME = 60


def decode_bytes(data: bytes, charset: str = "utf-8") -> str:
    """The text of bytes in ``charset``, with U+FFFD for those that are no text; as UTF-8 if the charset is unknown."""
    try:
        return data.decode("utf-8" if charset == "utf-8" else _codec(charset), "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def _codec(charset: str) -> str:
    """Python's name of a charset; UTF-8 if it is unknown."""
    if len(charset) > _LONGEST_NAME:
        return "utf-8"
    name = _NOT_IN_NAMES.sub("_", charset.lower()).strip("_")
    found = _CHARSETS.get(name) or _CHARSETS.get(name.removeprefix("x_"))
    if found is None and (numbered := _NUMBERED.fullmatch(name)):
        found = _CHARSETS.get(f"cp{numbered.group(1)}")
    return found or "utf-8"


def decode_words(raw: bytes) -> str:
    """The text of a header field: encoded words decoded (RFC 2047), 8-bit taken as UTF-8, lines unfolded.

    Neighbours with the same charset are put together before they are decoded: many senders cut characters in two.
    """
    if b"\n" in raw:
        raw = _FOLD.sub(b"", raw)
    if b"=?" not in raw:
        return raw.decode("utf-8", "replace")
    runs: list[tuple[str, list[bytes]]] = []
    end = 0
    for word in _WORD.finditer(raw):
        data = _payload(word)
        if data is None:
            continue
        gap = raw[end : word.start()]
        if gap and (not runs or not gap.isspace()):
            runs.append(("", [gap]))
        charset = word.group(1).partition(b"*")[0].decode("ascii", "replace").lower()
        if runs and runs[-1][0] == charset:
            runs[-1][1].append(data)
        else:
            runs.append((charset, [data]))
        end = word.end()
    runs.append(("", [raw[end:]]))
    return "".join(decode_bytes(b"".join(pieces), charset or "utf-8") for charset, pieces in runs)


def _payload(word: re.Match[bytes]) -> bytes | None:
    try:
        if word.group(2) in b"Qq":
            return binascii.a2b_qp(word.group(3), header=True)
        return binascii.a2b_base64(word.group(3) + b"==")
    except binascii.Error:
        return None


def decode_parameters(pairs: Iterable[tuple[bytes, bytes | None]]) -> dict[str, str]:
    """Parameters by name in lower case; what comes in pieces or in a charset (RFC 2231) is put together.

    An encoded value goes before a plain one; otherwise the first of a name counts. An empty value gives way to any other.
    """
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, bytes]]] = {}
    for raw_name, value in pairs:
        if value is None:
            continue
        whole = raw_name.decode("utf-8", "replace").lower()
        name, star, rest = whole.partition("*")
        piece = _PIECE.fullmatch(rest) if star else None
        if piece is not None:
            encoded = piece.group(2) is not None or not rest
            pieces.setdefault(name, {}).setdefault(int(piece.group(1) or 0), (encoded, value))
        elif not plain.get(whole, "").strip():
            said = decode_words(value)
            if said.strip() or whole not in plain:
                plain[whole] = said
    for name, numbered in pieces.items():
        said = _join(numbered)
        if said.strip() or name not in plain:
            plain[name] = said
    return plain


def _join(numbered: dict[int, tuple[bool, bytes]]) -> str:
    (encoded, first), *others = (numbered[at] for at in sorted(numbered))
    charset, quote, rest = first.partition(b"'")
    _language, again, text = rest.partition(b"'")
    if not (encoded and quote and again):
        # In pieces only; or a server has decoded it, as RFC 9051 section 7.5.2 asks for.
        return decode_words(b"".join((first, *(value for _, value in others))))
    values = [_unquoted(text), *(_unquoted(value) if percent else value for percent, value in others)]
    return decode_bytes(b"".join(values), charset.decode("ascii", "replace") or "utf-8")


def _unquoted(text: bytes) -> bytes:
    return _PERCENT.sub(lambda found: bytes((int(found.group(1), 16),)), text)
