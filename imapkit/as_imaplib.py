"""imapkit behind the names and arguments of the standard library's imaplib, for programs written for imaplib.

``import imapkit.as_imaplib as imaplib``; or, for a library that imports imaplib itself, first
``sys.modules["imaplib"] = imapkit.as_imaplib``. IMAPClient and imap_tools run on it. docs/differences.md lists the remaining
differences. imaplib's private functions (``_command``, ``_get_response``) are in ``imapkit.core.raw.oldnames``.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from typing import Any

import imapkit
from imapkit import IMAP4_stream as _IMAP4_stream
from imapkit.compat import _MAXLINE as _MAXLINE
from imapkit.compat import (
    AUTH,
    CRLF,
    IMAP4_PORT,
    IMAP4_SSL_PORT,
    LOGOUT,
    NONAUTH,
    SELECTED,
    AllowedVersions,
    Int2AP,
    InternalDate,
    Internaldate2tuple,
    Mon2num,
    ParseFlags,
    Time2Internaldate,
)
from imapkit.compat import FLAGS_cre as Flags
from imapkit.core.raw.oldcommand import PollSocket
from imapkit.core.support.limits import Limits
from imapkit.core.threads.connection import Connection
from imapkit.core.transport.opening import open_tcp
from imapkit.core.transport.sockets import is_ssl_socket

__all__ = [
    "AUTH",
    "CRLF",
    "IMAP4",
    "IMAP4_PORT",
    "IMAP4_SSL",
    "IMAP4_SSL_PORT",
    "LOGOUT",
    "NONAUTH",
    "SELECTED",
    "AllowedVersions",
    "Commands",
    "Debug",
    "Flags",
    "IMAP4_stream",
    "Int2AP",
    "InternalDate",
    "Internaldate2tuple",
    "Mon2num",
    "ParseFlags",
    "Time2Internaldate",
]

# imaplib's own version, for programs that test it, and imapkit's, for readers of logs.
__version__ = f"2.60 (imapkit {imapkit.__version__})"

Debug = 0
HAVE_SSL = True

# Programs add commands to it, as imaplib requires. imapkit does not read it.
Commands: dict[str, tuple[str, ...]] = {name: states for name, (states, _parallel) in imapkit.Commands.items()}


class Leftovers(MutableMapping[str, list[Any]]):
    """``IMAP4.untagged_responses``: the store's responses, and those of the thread's last ``_command``, by name."""

    def __init__(self, imap: _Imaplib) -> None:
        self._imap = imap

    def __getitem__(self, name: str) -> list[Any]:
        found = self._imap._left_over(name)
        if found is None:
            raise KeyError(name)
        return found

    def __setitem__(self, name: str, data: list[Any]) -> None:
        self._imap._take_left_over(name)
        for item in data:
            self._imap._keep(name, item)

    def __delitem__(self, name: str) -> None:
        if self._imap._take_left_over(name) is None:
            raise KeyError(name)

    def pop(self, name: str, *default: Any) -> Any:
        """Take the responses called ``name``, in one step, so that no other thread takes them too."""
        found = self._imap._take_left_over(name)
        if found is not None:
            return found
        if default:
            return default[0]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._imap._names_left_over())

    def __len__(self) -> int:
        return len(self._imap._names_left_over())

    def __repr__(self) -> str:
        return repr(dict(self))


class _Imaplib(imapkit.IMAP4):
    """The parts of imaplib that imaplib2 lacks, or has in another form; the base of the three classes."""

    _open_timeout: float | None = None
    _asked: float | None = None
    """The time-out that the program last set on the socket."""

    def _create_socket(self, timeout: float | None = None) -> Any:
        """Return a connected socket; for a subclass to override, which may return an ``ssl.SSLSocket``."""
        return open_tcp(self.host, self.port, self._timeouts.connect if timeout is None else timeout)

    def _connect(self, identifier: str | None, limits: Limits | None) -> None:
        super()._connect(identifier, limits)
        # Capabilities of the greeting answer no command; a program would take them for those after login.
        self._take("CAPABILITY")

    @property
    def _live(self) -> Connection:
        """The connection; its commands have the time-out that the program has set on the socket."""
        connection = super()._live
        sock, transport = self.sock, connection.layers.transport
        seconds = getattr(transport, "asked", None) or getattr(sock, "gettimeout", lambda: None)()
        if seconds and seconds != self._asked and not isinstance(sock, PollSocket):
            self._asked = seconds
            connection.timeouts = replace(connection.timeouts, progress=seconds)
        return connection

    def open_socket(self) -> Any:
        """See ``_create_socket``."""
        return self._create_socket(self._open_timeout)

    @property
    def untagged_responses(self) -> Any:
        """A mapping of names to data, as imaplib has it; see ``Leftovers``."""
        return Leftovers(self)

    @untagged_responses.setter
    def untagged_responses(self, value: object) -> None:
        if value:
            raise ValueError("untagged_responses can only be emptied")
        self._live.engine.store.clear()

    @property
    def utf8_enabled(self) -> bool:
        """Whether UTF8=ACCEPT is on (RFC 6855)."""
        return self._names_are_utf8

    def select(self, mailbox: Any = "INBOX", readonly: bool = False, **options: Any) -> Any:
        """Select a mailbox; its EXISTS stays in ``untagged_responses`` and for ``response``, as in imaplib."""
        result = super().select(mailbox, readonly, **options)
        if result[0] == "OK" and result[1][0] is not None:
            self._keep("EXISTS", result[1][-1])
        return result

    def unselect(self) -> Any:  # type: ignore[override]
        """Close the mailbox without expunging (RFC 3691)."""
        result = self._simple_command("UNSELECT")
        if result[0] == "OK":
            self.state = "AUTH"
        return result

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:  # type: ignore[override]
        """Put TLS on the connection. Unlike imaplib's it verifies the server, unless ``ssl_context`` does not."""
        return super().starttls(ssl_context=ssl_context)

    def print_log(self) -> None:
        """Print the last lines of debug output, and discard them."""
        self._print_log()

    def _emit(self, text: str, thread: str, seconds: float) -> None:
        self._mesg(text)

    def _left_over(self, name: str) -> list[Any] | None:
        return [*self._olds.thread.answers.get(name, ()), *self._live.engine.store.peek(name)] or None

    def _take_left_over(self, name: str) -> list[Any] | None:
        return [*self._olds.thread.answers.pop(name, ()), *self._live.engine.store.take(name)] or None

    def _names_left_over(self) -> dict[str, None]:
        return dict.fromkeys([*self._olds.thread.answers, *(name for name, _ in self._live.engine.store.runs())])


class IMAP4(_Imaplib):
    """``imapkit.IMAP4`` with imaplib's arguments."""

    def __init__(self, host: str = "", port: int = IMAP4_PORT, timeout: float | None = None) -> None:
        super().__init__(host, port, debug=Debug, timeout=timeout)

    def open(self, host: str = "", port: int | None = IMAP4_PORT, timeout: float | None = None) -> None:  # type: ignore[override]
        """Connect; for a subclass to override."""
        self._open_timeout = timeout
        super().open(host, port)


class IMAP4_SSL(_Imaplib, imapkit.IMAP4_SSL):  # pyright: ignore[reportIncompatibleMethodOverride]
    """``imapkit.IMAP4_SSL`` with imaplib's arguments. By default it verifies the server, unlike imaplib's."""

    def __init__(
        self,
        host: str = "",
        port: int = IMAP4_SSL_PORT,
        keyfile: str | None = None,
        certfile: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float | None = None,
    ) -> None:
        # imaplib has no such attributes, so a subclass may define them for its own open().
        own: dict[str, Any] = {name: getattr(self, name, None) for name in ("ca_certs", "ssl_version")}
        super().__init__(host, port, keyfile, certfile, **own, debug=Debug, timeout=timeout, ssl_context=ssl_context)

    def open(self, host: str = "", port: int | None = IMAP4_SSL_PORT, timeout: float | None = None) -> None:  # type: ignore[override]
        """Connect, and do the TLS handshake unless ``_create_socket`` has; for a subclass to override."""
        self._open_timeout = timeout
        imapkit.IMAP4.open(self, host, port)
        if not is_ssl_socket(self.sock):
            self.ssl_wrap_socket()


class IMAP4_stream(_Imaplib, _IMAP4_stream):  # pyright: ignore[reportIncompatibleMethodOverride]
    """``imapkit.IMAP4_stream`` with imaplib's arguments."""

    def __init__(self, command: str) -> None:
        super().__init__(command, debug=Debug)
