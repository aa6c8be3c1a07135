"""The module-level names of imaplib2: dates, flags, tags and constants.

The client classes are exported by `imapkit` itself. Differences from imaplib2:

- for a date that does not exist (``00-Jan-0000``, ``31-Feb-2026``) the result is None, where imaplib2 raises or returns another;
- `Time2Internaldate` takes numbers, does not depend on the locale, never writes an offset that the grammar does not allow,
  and checks a string argument, so that it cannot bring CR or LF into APPEND;
- `Internaldate2Time` and `ParseFlags` also take str, ignore case and read any input in linear time;
- text in a quoted string does not count as flags: a Subject in an ENVELOPE cannot forge them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, MutableMapping
from typing import Literal, SupportsAbs, SupportsInt, TypeAlias, overload

from imapkit.core.contract.session import State
from imapkit.core.raw.families import registry
from imapkit.core.raw.secure import IMAP4_PORT, IMAP4_SSL_PORT, TLS_COMPAT, TLS_NO_SSL, TLS_SECURE
from imapkit.core.wire.dates import DATE_TIME, Mon2num, MonthNames, Time2Internaldate, moment

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
    "Commands",
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

# The release of imaplib2 with this interface, for programs that test it; imapkit's own is imapkit.__version__.
__version__ = "3.06"
__release__, __revision__ = __version__.split(".")

CRLF = b"\r\n"
"""The end of a line."""

NONAUTH = "NONAUTH"
"""A value of ``IMAP4.state``: not authenticated (RFC 3501 section 3.1)."""
AUTH = "AUTH"
"""A value of ``IMAP4.state``: authenticated (RFC 3501 section 3.2)."""
SELECTED = "SELECTED"
"""A value of ``IMAP4.state``: a mailbox is selected (RFC 3501 section 3.3)."""
LOGOUT = "LOGOUT"
"""A value of ``IMAP4.state``: the connection is being ended (RFC 3501 section 3.4)."""
CMD_VAL_STATES, CMD_VAL_ASYNC = 0, 1  # the two indexes of an entry in Commands
UID_direct = ("SEARCH", "SORT", "THREAD")  # with UID, their untagged responses still have these names

IDLE_TIMEOUT = 29 * 60
"""Seconds; a server may log out a client that has been idle for 30 minutes (RFC 2177 section 3)."""
IDLE_TIMEOUT_RESPONSE = b"* IDLE TIMEOUT\r\n"
READ_POLL_TIMEOUT = 30  # seconds
READ_SIZE = 32768  # bytes
_MAXLINE = 1_000_000  # imaplib's, which programs set; imapkit does not read it, and has ``Limits`` instead
DFLT_DEBUG_BUF_LVL = 3  # debug output above this level is printed at once, the rest is kept for the next error

# By preference: a server with both uses IMAP4rev1 until ENABLE IMAP4rev2 (RFC 9051 section 6.3.1).
AllowedVersions = ("IMAP4REV1", "IMAP4REV2", "IMAP4")
"""The versions of IMAP that a server may announce: see ``PROTOCOL_VERSION``."""

# For match(), with imaplib2's groups. The anchor keeps search() linear too: ".*" is tried at one position only.
InternalDate = re.compile(rb"(?:\A.*)?INTERNALDATE " + DATE_TIME)
"""The pattern of an INTERNALDATE item, with imaplib2's groups; ``Internaldate2Time`` reads it."""
FLAGS_cre = re.compile(rb"(?:\A.*)?FLAGS \((?P<flags>[^()]*)\)")
"""The pattern of a FLAGS item, with imaplib2's group ``flags``; ``ParseFlags`` reads it."""

_internaldate = re.compile(rb"INTERNALDATE " + DATE_TIME, re.IGNORECASE)
# Quoted strings are consumed whole, an unterminated one to the end of its line; possessively, hence in linear time.
_flags = re.compile(rb'"(?:[^"\\\r\n]|\\[^\r\n])*+"?|FLAGS \((?P<flags>[^()]*)\)', re.IGNORECASE)

_AP = bytes.maketrans(b"0123456789abcdef", b"ABCDEFGHIJKLMNOP")


def Internaldate2Time(resp: _Line) -> time.struct_time | None:
    """Return the local time of the INTERNALDATE in a FETCH response (RFC 3501 section 7.4.2).

    `resp` is a response line that holds ``INTERNALDATE "DD-Mmm-YYYY HH:MM:SS +HHMM"``. The result is a
    `time.struct_time` with its zone; None if there is no such item, if there is no such date, or if the platform has no local
    time for it. Raises TypeError if `resp` is not bytes-like or str (such as the None of an empty answer).
    """
    found = _internaldate.search(_to_bytes(resp))
    when = found and moment(found)
    if when is None:
        return None
    try:
        return time.localtime(int(when.timestamp()))
    except (OverflowError, OSError, ValueError):  # before 1970 on Windows
        return None


Internaldate2tuple = Internaldate2Time
"""imaplib's name for ``Internaldate2Time``."""


def ParseFlags(resp: _Line) -> tuple[bytes, ...]:
    r"""Return the flags in a response line as a tuple of bytes (RFC 3501 section 2.3.2).

    `resp` is a line that holds ``FLAGS (\Seen \Answered)``, from FETCH, FLAGS or PERMANENTFLAGS. The result is empty if there is
    no such list. Raises TypeError if `resp` is not bytes-like or str.

        flag-list = "(" [flag *(SP flag)] ")"
    """
    lists = (found["flags"] for found in _flags.finditer(_to_bytes(resp)))
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
"""The version of imaplib2 with this interface, as text; it may also be called, like imaplib2's function: ``version(True)``."""


def _to_bytes(resp: _Line) -> bytes:
    """Return a response line as bytes. Raises TypeError for other types (bytes(5) would be five NULs)."""
    if isinstance(resp, str):
        return resp.encode("utf-8", "replace")
    if isinstance(resp, bytes | bytearray | memoryview):
        return bytes(resp)
    raise TypeError(f"a response line is bytes or str, not {type(resp).__name__}")


_Entry = tuple[tuple[str, ...], bool]


class _Commands(MutableMapping[str, _Entry]):
    """The commands of all families: ``{name: ((state, ...), parallel)}``.

    Programs written for imaplib add the commands that they send with ``xatom`` or ``uid``. imapkit keeps such an entry, but needs
    none.
    """

    def __init__(self) -> None:
        self._added: dict[str, _Entry] = {}

    def __setitem__(self, name: str, entry: _Entry) -> None:
        self._added[name] = entry

    def __delitem__(self, name: str) -> None:
        del self._added[name]

    def __getitem__(self, name: str) -> _Entry:
        if name in self._added:
            return self._added[name]
        command = registry().commands[name]
        return tuple(str(state.name) for state in State if state & command.states), not command.exclusive

    def __iter__(self) -> Iterator[str]:
        return iter({**registry().commands, **self._added})

    def __len__(self) -> int:
        return len({**registry().commands, **self._added})


Commands: MutableMapping[str, _Entry] = _Commands()
"""The commands of all families, as in imaplib2: ``{name: ((state, ...), parallel)}``. Added entries have no effect."""
