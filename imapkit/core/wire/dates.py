"""Dates and times as IMAP writes them; RFC 3501 section 9, ``date-time``."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from imapkit.core.support.patterns import late_pattern
from imapkit.errors import ArgumentError

__all__ = ["DATE_TIME", "Mon2num", "MonthNames", "Time2Internaldate", "date_time", "moment", "parse_date_time"]

MonthNames = [None, "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
"""The names of the months in dates (RFC 3501 section 9), by their number; the first is None."""
Mon2num = {name.encode("ascii"): number for number, name in enumerate(MonthNames) if name}
"""The numbers of the months by their names, as bytes."""

DATE_TIME = (
    rb'"(?P<day>[ 0-3][0-9])-(?P<mon>' + b"|".join(Mon2num) + rb")-(?P<year>[0-9]{4})"
    rb" (?P<hour>[0-9]{2}):(?P<min>[0-9]{2}):(?P<sec>[0-9]{2})"
    rb' (?P<zonen>[-+])(?P<zoneh>[0-9]{2})(?P<zonem>[0-9]{2})"'
)

_TOLERANT = late_pattern(rb" *+(\d{1,2})-([A-Za-z]{3})-(\d{4}) ++(\d\d):(\d\d):(\d\d) ++([+-])(\d\d)([0-5]\d) *+")
_EPOCH = datetime(1970, 1, 1)
_MONTHS = {name: at for at, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


def Time2Internaldate(date_time: float | time.struct_time | tuple[Any, ...] | datetime | str) -> str:
    """Return a time as a quoted date-time for APPEND (RFC 3501 sections 6.3.11 and 9).

    `date_time` is seconds since the epoch, a `time.struct_time`, a 9-tuple of local time, an aware `datetime`, or a
    str that is a double-quoted date-time already (returned as it is). A number or 9-tuple comes out in local time, the
    others in their own zone; an offset with seconds is cut to minutes, the moment stays the same.

        date-time      = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
        date-day-fixed = (SP DIGIT) / 2DIGIT
        zone           = ("+" / "-") 4DIGIT

    Raises ValueError for a naive datetime, a malformed string, a time out of range, and any other type.
    """
    if isinstance(date_time, str):
        return _checked(date_time)
    try:
        return _date_time_of(_aware(date_time))
    except (OverflowError, OSError) as exc:
        raise ValueError(f"date_time is out of range: {date_time!r}") from exc


def date_time(value: Any) -> bytes:
    """An argument that is a moment, as ``Time2Internaldate`` takes it. Raises ``ArgumentError``."""
    try:
        return Time2Internaldate(value.decode("ascii") if isinstance(value, bytes) else value).encode("ascii")
    except ValueError as exc:
        raise ArgumentError(str(exc)) from None


def parse_date_time(sent: bytes) -> datetime | None:
    """``date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE``, without its quotes.

    ``date-day-fixed = (SP DIGIT) / 2DIGIT``, ``zone = ("+" / "-") 4DIGIT``. None if ``sent`` is no date.
    """
    match = _TOLERANT.fullmatch(sent)
    month = match and _MONTHS.get(match.group(2).lower())
    if match is None or not month:
        return None
    day, year, hour, minute, second, ahead, across = map(int, match.group(1, 3, 4, 5, 6, 8, 9))
    offset = timedelta(hours=ahead, minutes=across)
    try:
        zone = timezone(-offset if match.group(7) == b"-" else offset)
        # datetime has no second 60.
        return datetime(year, month, day, hour, minute, 59 if second == 60 else second, tzinfo=zone)
    except ValueError:
        return None


def moment(found: re.Match[bytes]) -> datetime | None:
    """Return the moment that a matched date-time names; None if there is no such day or time."""
    year, day = int(found["year"]), int(found["day"])
    hour, minute, second, zoneh, zonem = map(int, found.group("hour", "min", "sec", "zoneh", "zonem"))
    if second > 60 or zoneh > 23 or zonem > 59:
        return None
    offset = timedelta(hours=zoneh, minutes=zonem)
    zone = timezone(-offset if found["zonen"] == b"-" else offset)
    try:
        # datetime has no second 60.
        return datetime(year, Mon2num[found["mon"].title()], day, hour, minute, min(second, 59), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _checked(quoted: str) -> str:
    """Return a quoted date-time as it is, or raise ValueError."""
    found = re.fullmatch(DATE_TIME, quoted.encode("ascii", "replace"), re.IGNORECASE)
    if found is None or moment(found) is None:
        raise ValueError(f'date_time must be "DD-Mmm-YYYY HH:MM:SS +HHMM" in double quotes: {quoted!r}')
    return quoted


def _aware(date_time: object) -> datetime:
    """Return any kind of time that is not a str as an aware datetime."""
    if isinstance(date_time, int | float):
        return datetime.fromtimestamp(date_time, UTC).astimezone()
    if isinstance(date_time, tuple):
        return _from_tuple(date_time)
    if not isinstance(date_time, datetime):
        raise ValueError(f"date_time is not of a known type: {type(date_time).__name__}")
    if date_time.utcoffset() is None:
        raise ValueError("date_time must be aware: a naive datetime names no moment (try .astimezone())")
    return date_time


def _from_tuple(fields: tuple[Any, ...]) -> datetime:
    """Return the aware datetime of a struct_time or a 9-tuple of local time."""
    if len(fields) != 9 or not all(isinstance(field, int) for field in fields):
        raise ValueError(f"date_time must have 9 integers: {fields!r}")
    year, month, day, hour, minute, second = fields[:6]
    if not 0 <= second <= 61:  # 60 and 61 are leap seconds, which time.struct_time allows
        raise ValueError(f"second must be in 0..61: {second}")
    wall = datetime(year, month, day, hour, minute) + timedelta(seconds=second)
    gmtoff = getattr(fields, "tm_gmtoff", None)  # None too in a struct_time made from a bare 9-tuple
    if gmtoff is None:
        dst = fields[8] if time.daylight else -1  # where summer time is unknown the flag has no meaning
        gmtoff = (wall - _EPOCH) // timedelta(seconds=1) - round(time.mktime((*fields[:8], dst)))
    return wall.replace(tzinfo=timezone(timedelta(seconds=gmtoff)))


def _date_time_of(when: datetime) -> str:
    """Write an aware datetime as a date-time; by hand, since strftime follows LC_TIME and does not pad the year."""
    offset = when.utcoffset() or timedelta()
    minutes = int(offset.total_seconds() / 60)  # towards zero
    if offset != timedelta(minutes=minutes):  # local mean time: Amsterdam was +00:19:32 until 1937
        when = when.astimezone(timezone(timedelta(minutes=minutes)))
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    date = f"{when.day:02}-{MonthNames[when.month]}-{when.year:04}"
    return f'"{date} {when.hour:02}:{when.minute:02}:{when.second:02} {zone}"'
