"""The dates of messages: RFC 5322 section 3.3, and what mail programs write in place of it.

The sender of the message chose these bytes, so nothing here raises, and the work is linear in their number.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from imapkit.plugin import late_pattern

__all__ = ["USUAL_DATE", "parse_date", "read_date"]

USUAL_DATE = rb"(?:[A-Z][a-z][a-z], )?+\d{1,2} [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}|[A-Z]{1,5})(?![^\" ])"
"""The beginning of nearly every date: one that matches follows RFC 5322."""

_DATE = late_pattern(
    rb"""\s*+ (?: [A-Za-z]{3,9}+ \.?+ \s*+ ,?+ \s*+ )?+                 # day of the week
    (\d{1,2}) [\s-]++ ([A-Za-z]{3}) [A-Za-z]*+ \.?+ [\s-]++ (\d{2,4})   # day, month, year
    [\s,]++ (\d{1,2}) \s*+ : \s*+ (\d{2}) (?: \s*+ : \s*+ (\d{2}) (?: \.\d++ )?+ )?+
    (?: \s*+ (?: (?: GMT | UTC?+ )?+ ([+-]) (\d{2}) :?+ (\d{2}) | ([A-Za-z]{1,5}) ) )?+
    (?! \s*+ [+-] | [^\s(] )""",
    re.VERBOSE,
)
_COMMENT = late_pattern(rb"\\.|[()]", re.DOTALL)
_MONTHS = {name: at for at, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_ZONES = {b"EDT": -4, b"EST": -5, b"CDT": -5, b"CST": -6, b"MDT": -6, b"MST": -7, b"PDT": -7, b"PST": -8}

_LONGEST_GUESS = 200
"""A date longer than this, without spaces, is not guessed."""
_MONTH_WORD = late_pattern(r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*+\.?", re.IGNORECASE)
_FRACTION = late_pattern(r"(:\d\d?)\.\d++")
#   "GMT+0800", "UTC+8", "+08:00": sign, hours, minutes.
_ZONE_WORDS = late_pattern(r"(?:\b(?:GMT|UTC?) ?)?([+-])(\d{1,2}):?(\d\d)?(?!\d)", re.IGNORECASE)


def read_date(sent: bytes) -> tuple[datetime | None, bool]:
    """The date, or None if there is none; and whether it was guessed, since it does not follow RFC 5322.

    Read without a guess are ``date-time`` of section 3.3, the obsolete forms of section 4.3, and a few more unambiguous forms.
    ``-0000``, an unknown zone and a missing one count as UTC. A guess is what ``email.utils`` reads beyond that, such as
    ``16.03.09`` for a time, ``Apr 09 2005`` or the form of asctime, also with a zone such as ``GMT+0800``.
    """
    text = _without_comments(sent) if b"(" in sent else sent
    found = _date_time(text)
    if found is not None:
        return found, False
    found = _guess(text)
    return found, found is not None


def parse_date(sent: bytes) -> datetime | None:
    """The date alone, as ``read_date`` returns it."""
    return read_date(sent)[0]


def _date_time(text: bytes) -> datetime | None:
    """``date-time``, without comments."""
    match = _DATE.match(text)
    month = match and _MONTHS.get(match.group(2).lower())
    if match is None or not month:
        return None
    day, _month, year, hour, minute, second, *zone = match.groups()
    try:
        return datetime(_year(year), month, int(day), int(hour), int(minute), _second(int(second or 0)), tzinfo=_zone(*zone))
    except ValueError:
        return None


def _guess(text: bytes) -> datetime | None:
    """The date that ``email.utils`` reads, after months and zone are rewritten in a form that it can read."""
    # Imported here: it loads much, and few dates need it.
    from email.utils import parsedate_tz

    words = b" ".join(text.split()).decode("latin-1")
    if len(words) > _LONGEST_GUESS:
        return None
    words = _FRACTION.sub(r"\1", _MONTH_WORD.sub(r"\1", words))
    try:
        fields = parsedate_tz(_ZONE_WORDS.sub(_written_zone, words))
        if fields is None:
            return None
        year, month, day, hour, minute, second, *_, offset = fields
        return datetime(year, month, day, hour, minute, _second(second), tzinfo=timezone(timedelta(seconds=offset or 0)))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None


def _written_zone(zone: re.Match[str]) -> str:
    """``zone`` with four digits if it has a name or a colon; any other unchanged."""
    sign, hours, minutes = zone.groups()
    plain = zone.group() == f"{sign}{hours}{minutes or ''}"
    return zone.group() if plain else f" {sign}{hours:0>2}{minutes or '00'}"


def _second(second: int) -> int:
    """The second; 59 for a leap second, which ``datetime`` refuses."""
    return 59 if second == 60 else second


def _zone(sign: bytes | None, ahead: bytes, across: bytes, name: bytes | None) -> timezone:
    """``zone = ("+" / "-") 4DIGIT / obs-zone``. Raises ``ValueError`` if it is a day or more."""
    if sign is None:
        return _offset(60 * _ZONES.get((name or b"").upper(), 0))
    minutes = 60 * int(ahead) + int(across)
    return _offset(-minutes if sign == b"-" else minutes)


@lru_cache(256)
def _offset(minutes: int) -> timezone:
    """The zone ``minutes`` ahead of UTC. Only such zones are cached, never a server's bytes: those go with their connection."""
    return timezone(timedelta(minutes=minutes))


def _without_comments(sent: bytes) -> bytes:
    """The date with a space for each comment.

    ``comment = "(" *([FWS] ccontent) [FWS] ")"``, ``ccontent = ctext / quoted-pair / comment``.
    """
    kept: list[bytes] = []
    depth = end = 0
    for mark in _COMMENT.finditer(sent):
        if mark.group() == b"(":
            if not depth:
                kept.append(sent[end : mark.start()])
            depth += 1
        elif mark.group() == b")" and depth:
            depth -= 1
            end = mark.end()
    return b" ".join((*kept, b"" if depth else sent[end:]))


def _year(digits: bytes) -> int:
    """``obs-year``: two digits up to 49 mean 2000 to 2049; all other years without a century mean 1900 and later."""
    year = int(digits)
    if len(digits) > 3:
        return year
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)
