"""The readable form of what ENVELOPE and BODYSTRUCTURE hold: dates (RFC 5322), encoded words (RFC 2047), parameters (RFC 2231).

All of it comes from whoever wrote the message, so nothing here raises: what cannot be decoded stays readable, with U+FFFD for
what is no text. Every function runs in linear time.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

__all__ = ["decode_octets", "decode_parameters", "decode_words", "parse_date"]

#   encoded-word = "=?" charset "?" encoding "?" encoded-text "?="; spaces pass, as many senders leave them in.
_WORD = re.compile(rb"=\?([^?\x00-\x20]{1,60}+)\?([QqBb])\?([^?]*+)\?=")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_PIECE = re.compile(r"(\d{1,4})?(\*)?")
# Those that are no charsets of messages, some of them slow or noisy.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})

_DATE = re.compile(
    rb"""\s*+ (?: [A-Za-z]{3,9}+ \.?+ \s*+ ,?+ \s*+ )?+                 # day of the week
    (\d{1,2}) [\s-]++ ([A-Za-z]{3}) [A-Za-z]*+ \.?+ [\s-]++ (\d{2,4})   # day, month, year
    [\s,]++ (\d{1,2}) \s*+ : \s*+ (\d{2}) (?: \s*+ : \s*+ (\d{2}) (?: \.\d++ )?+ )?+
    (?: \s*+ (?: (?: GMT | UTC?+ )?+ ([+-]) (\d{2}) :?+ (\d{2}) | ([A-Za-z]{1,5}) ) )?+
    (?! \s*+ [+-] | [^\s(] )""",
    re.VERBOSE,
)
_COMMENT = re.compile(rb"\([^()]*+\)")
_MONTHS = {name: at for at, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_ZONES = {b"EDT": -4, b"EST": -5, b"CDT": -5, b"CST": -6, b"MDT": -6, b"MST": -7, b"PDT": -7, b"PST": -8}


def decode_octets(octets: bytes, charset: str = "utf-8") -> str:
    """Octets in ``charset``, with U+FFFD for what it does not have; as UTF-8 if it is unknown."""
    try:
        if codecs.lookup(charset).name not in _NO_CHARSETS:
            return octets.decode(charset, "replace")
    except (LookupError, ValueError):
        pass
    return octets.decode("utf-8", "replace")


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
    return "".join(decode_octets(b"".join(pieces), charset or "utf-8") for charset, pieces in runs)


def _payload(word: re.Match[bytes]) -> bytes | None:
    try:
        if word.group(2) in b"Qq":
            return binascii.a2b_qp(word.group(3), header=True)
        return binascii.a2b_base64(word.group(3) + b"==")
    except binascii.Error:
        return None


def decode_parameters(pairs: Iterable[tuple[bytes, bytes | None]]) -> dict[str, str]:
    """Parameters by name in lower case; what comes in pieces or in a charset (RFC 2231) is put together.

    What is encoded goes before what is plain; otherwise the first of a name counts.
    """
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, bytes]]] = {}
    for raw_name, value in pairs:
        if value is None:
            continue
        name, star, rest = raw_name.decode("utf-8", "replace").lower().partition("*")
        piece = _PIECE.fullmatch(rest) if star else None
        if piece is not None:
            encoded = piece.group(2) is not None or not rest
            pieces.setdefault(name, {}).setdefault(int(piece.group(1) or 0), (encoded, value))
        else:
            plain.setdefault(name + star + rest, decode_words(value))
    return plain | {name: _join(numbered) for name, numbered in pieces.items()}


def _join(numbered: dict[int, tuple[bool, bytes]]) -> str:
    (encoded, first), *others = (numbered[at] for at in sorted(numbered))
    charset, quote, rest = first.partition(b"'")
    _language, again, text = rest.partition(b"'")
    if not (encoded and quote and again):
        # In pieces only; or a server has decoded it, as RFC 9051 section 7.5.2 asks for.
        return decode_words(b"".join((first, *(value for _, value in others))))
    octets = [_unquoted(text), *(_unquoted(value) if percent else value for percent, value in others)]
    return decode_octets(b"".join(octets), charset.decode("ascii", "replace") or "utf-8")


def _unquoted(text: bytes) -> bytes:
    return _PERCENT.sub(lambda octet: bytes((int(octet.group(1), 16),)), text)


def parse_date(sent: bytes) -> datetime | None:
    """``date-time`` of RFC 5322 section 3.3 with the obsolete forms of section 4.3; None if that is no date.

    A zone of ``-0000``, an unknown one and none at all are taken as UTC.
    """
    match = _DATE.match(_COMMENT.sub(b" ", sent) if b"(" in sent else sent)
    month = match and _MONTHS.get(match.group(2).lower())
    if match is None or not month:
        return None
    day, hour, minute, second = (int(digits or 0) for digits in match.group(1, 4, 5, 6))
    sign, ahead, across, name = match.group(7, 8, 9, 10)
    if sign is None:
        offset = timedelta(hours=_ZONES.get((name or b"").upper(), 0))
    else:
        offset = timedelta(hours=int(ahead), minutes=int(across)) * (-1 if sign == b"-" else 1)
    try:
        # A leap second is one too many for datetime.
        return datetime(_year(match.group(3)), month, day, hour, minute, 59 if second == 60 else second, tzinfo=timezone(offset))
    except ValueError:
        return None


def _year(digits: bytes) -> int:
    """``obs-year``: two digits up to 49 are of this century, all others without a century of the last one."""
    year = int(digits)
    if len(digits) > 3:
        return year
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)
