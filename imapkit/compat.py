"""The module-level names of imaplib2: dates, flags, tags and constants.

``Commands`` and the client classes are exported by `imapkit` itself. What differs from imaplib2, and why:

- a date that does not exist (``00-Jan-0000``, ``31-Feb-2026``) gives None, where imaplib2 raises or invents another;
- `Time2Internaldate` takes numbers, never asks the locale, never prints an offset that the grammar has no room for,
  and checks the string it is given, so that CR or LF cannot get into APPEND;
- `Internaldate2Time` and `ParseFlags` also take str, ignore case and read any input in linear time;
- text inside a quoted string is not taken for flags: a Subject in an ENVELOPE cannot forge them.
"""

from __future__ import annotations

import calendar
import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal, SupportsAbs, SupportsInt, TypeAlias, overload

__all__ = [
    "AUTH",
    "CMD_VAL_ASYNC",
    "CMD_VAL_STATES",
    "CRLF",
    "DFLT_DEBUG_BUF_LVL",
    "IDLE_TIMEOUT",
    "IDLE_TIMEOUT_RESPONSE",
    "IMAP4_PORT",
    "IMAP4_SSL_PORT",
    "LOGOUT",
    "NONAUTH",
    "READ_POLL_TIMEOUT",
    "READ_SIZE",
    "SELECTED",
    "TLS_COMPAT",
    "TLS_NO_SSL",
    "TLS_SECURE",
    "AllowedVersions",
    "FLAGS_cre",
    "Int2AP",
    "InternalDate",
    "Internaldate2Time",
    "Internaldate2tuple",
    "Mon2num",
    "MonthNames",
    "ParseFlags",
    "Time2Internaldate",
    "UID_direct",
    "version",
]

_Line: TypeAlias = bytes | bytearray | memoryview | str

# The release of imaplib2 whose interface this is, for programs that test for it; imapkit's own is imapkit.__version__.
__version__ = "3.06"
__release__, __revision__ = __version__.split(".")

CRLF = b"\r\n"
IMAP4_PORT = 143
IMAP4_SSL_PORT = 993

NONAUTH, AUTH, SELECTED, LOGOUT = "NONAUTH", "AUTH", "SELECTED", "LOGOUT"  # the values of IMAP4.state
CMD_VAL_STATES, CMD_VAL_ASYNC = 0, 1  # what the two places of an entry in Commands mean
UID_direct = ("SEARCH", "SORT", "THREAD")  # untagged under their own name when they are asked for with UID

IDLE_TIMEOUT = 29 * 60  # seconds; RFC 2177: a server may log out a client that was idle for 30 minutes
IDLE_TIMEOUT_RESPONSE = b"* IDLE TIMEOUT\r\n"
READ_POLL_TIMEOUT = 30  # seconds
READ_SIZE = 32768  # octets
DFLT_DEBUG_BUF_LVL = 3  # debug output above this level is printed at once, the rest is kept for the next error

TLS_SECURE = "tls_secure"
TLS_NO_SSL = "tls_no_ssl"
TLS_COMPAT = "tls_compat"

# By preference: a server that offers both speaks IMAP4rev1 until ENABLE IMAP4rev2 (RFC 9051 section 6.3.1).
AllowedVersions = ("IMAP4REV1", "IMAP4REV2", "IMAP4")

MonthNames = [None, "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
Mon2num = {name.encode("ascii"): number for number, name in enumerate(MonthNames) if name}

_DATE_TIME = (
    rb'"(?P<day>[ 0-3][0-9])-(?P<mon>' + b"|".join(Mon2num) + rb")-(?P<year>[0-9]{4})"
    rb" (?P<hour>[0-9]{2}):(?P<min>[0-9]{2}):(?P<sec>[0-9]{2})"
    rb' (?P<zonen>[-+])(?P<zoneh>[0-9]{2})(?P<zonem>[0-9]{2})"'
)
# For match() as in imaplib2, with its groups. The anchor keeps search() linear too: ".*" is tried at one place only.
InternalDate = re.compile(rb"(?:\A.*)?INTERNALDATE " + _DATE_TIME)
FLAGS_cre = re.compile(rb"(?:\A.*)?FLAGS \((?P<flags>[^()]*)\)")

_date_time = re.compile(_DATE_TIME, re.IGNORECASE)
_internaldate = re.compile(rb"INTERNALDATE " + _DATE_TIME, re.IGNORECASE)
# Quoted strings are consumed whole, an unterminated one to the end of its line: possessively, so in linear time.
_flags = re.compile(rb'"(?:[^"\\\r\n]|\\[^\r\n])*+"?|FLAGS \((?P<flags>[^()]*)\)', re.IGNORECASE)

_AP = bytes.maketrans(b"0123456789abcdef", b"ABCDEFGHIJKLMNOP")


def Internaldate2Time(resp: _Line) -> time.struct_time | None:
    """Return the local time of the INTERNALDATE in a FETCH response (RFC 3501 section 7.4.2).

    `resp` is a response line that holds ``INTERNALDATE "DD-Mmm-YYYY HH:MM:SS +HHMM"``. The result is a
    `time.struct_time` with its zone; None if there is no such item, if there is no such date, or if the platform
    cannot tell its local time. Raises TypeError if `resp` is not bytes-like or str (as the None of an empty answer).
    """
    found = _internaldate.search(_octets(resp))
    moment = found and _moment(found)
    if moment is None:
        return None
    try:
        return time.localtime(calendar.timegm(moment.utctimetuple()))
    except (OverflowError, OSError, ValueError):  # before 1970 on Windows
        return None


Internaldate2tuple = Internaldate2Time  # imaplib's name


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


def ParseFlags(resp: _Line) -> tuple[bytes, ...]:
    r"""Return the flags in a response line as a tuple of bytes (RFC 3501 section 2.3.2).

    `resp` is a line that holds ``FLAGS (\Seen \Answered)``, from FETCH, FLAGS or PERMANENTFLAGS. Empty if there is no
    such list. Raises TypeError if `resp` is not bytes-like or str.

        flag-list = "(" [flag *(SP flag)] ")"
    """
    lists = (found["flags"] for found in _flags.finditer(_octets(resp)))
    return tuple(next((flags for flags in lists if flags is not None), b"").split())


def Int2AP(num: SupportsAbs[SupportsInt]) -> bytes:
    """Return the absolute value of `num` in base 16 with the digits "A" to "P"; zero is empty."""
    value = int(abs(num))
    return (b"%x" % value).translate(_AP) if value else b""


class _Version(str):
    """A str that may also be called, because imaplib2's `version` is a function."""

    __slots__ = ()

    @overload
    def __call__(self, use_tuple: Literal[False] = False) -> str: ...

    @overload
    def __call__(self, use_tuple: Literal[True]) -> tuple[int, int]: ...

    @overload
    def __call__(self, use_tuple: bool) -> str | tuple[int, int]: ...

    def __call__(self, use_tuple: bool = False) -> str | tuple[int, int]:
        """Return the version of imaplib2's interface, as a str or as (release, revision)."""
        return (int(__release__), int(__revision__)) if use_tuple else __version__


version = _Version(__version__)


def _octets(resp: _Line) -> bytes:
    """Return a response line as bytes; raise TypeError for what is none (bytes(5) would be five NULs)."""
    if isinstance(resp, str):
        return resp.encode("utf-8", "replace")
    if isinstance(resp, bytes | bytearray | memoryview):
        return bytes(resp)
    raise TypeError(f"a response line is bytes or str, not {type(resp).__name__}")


def _moment(found: re.Match[bytes]) -> datetime | None:
    """Return the moment that a matched date-time names; None if no calendar or clock has it."""
    year, day = int(found["year"]), int(found["day"])
    hour, minute, second, zoneh, zonem = map(int, found.group("hour", "min", "sec", "zoneh", "zonem"))
    if second > 60 or zoneh > 23 or zonem > 59:
        return None
    offset = timedelta(hours=zoneh, minutes=zonem)
    zone = timezone(-offset if found["zonen"] == b"-" else offset)
    try:
        start = datetime(year, Mon2num[found["mon"].title()], day, hour, minute, tzinfo=zone)
        return (start + timedelta(seconds=second)).astimezone(UTC)  # 60 is a leap second
    except (ValueError, OverflowError):
        return None


def _checked(quoted: str) -> str:
    """Return a quoted date-time as it is, or raise ValueError."""
    found = _date_time.fullmatch(quoted.encode("ascii", "replace"))
    if found is None or _moment(found) is None:
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
        gmtoff = calendar.timegm(fields) - round(time.mktime((*fields[:8], dst)))
    return wall.replace(tzinfo=timezone(timedelta(seconds=gmtoff)))


def _date_time_of(moment: datetime) -> str:
    """Write an aware datetime as a date-time; by hand, since strftime follows LC_TIME and does not pad the year."""
    offset = moment.utcoffset() or timedelta()
    minutes = int(offset.total_seconds() / 60)  # towards zero
    if offset != timedelta(minutes=minutes):  # local mean time: Amsterdam was +00:19:32 until 1937
        moment = moment.astimezone(timezone(timedelta(minutes=minutes)))
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    date = f"{moment.day:02}-{MonthNames[moment.month]}-{moment.year:04}"
    return f'"{date} {moment.hour:02}:{moment.minute:02}:{moment.second:02} {zone}"'
