"""The error tree.

::

    Exception
    └── error                          IMAP4.error: the request could not be fulfilled
        ├── ArgumentError              (ValueError) an argument was refused; nothing was sent
        ├── Missing                    the server lacks a capability that the call needs; nothing was sent
        ├── StateError                 the command is not valid in this state; nothing was sent
        ├── NestedCommandError         a command was called inside another one's exchange, or on the reader thread
        ├── BadResponse                the server answered BAD
        ├── MailboxBusy                this thread or task has a mailbox selected, and would wait for itself
        ├── MailboxClosed              the mailbox was left: its UIDs may be those of another one now
        ├── NoAnswer                   the server said OK, and left out the response that a typed call is for
        ├── NotFetched                 (KeyError) the message has no such item: it was not requested, or not sent
        ├── DeadlineExceeded           (TimeoutError) no answer in time; the command was abandoned, the connection goes on
        ├── CommandNo                  the server answered NO, and the program wants an error (strict=True, data.check())
        │   └── NoResponse             the server answered NO to a command that must succeed (login), or to a typed one;
        │                              ``imapkit.refusals`` has the classes below it, by response code
        ├── ParseError                 (ValueError) a response does not follow its grammar
        ├── FamilyDisabledError        (AttributeError) the command's family is absent or switched off
        ├── PluginError                a family could not be registered
        │   ├── PluginLoadError        its module could not be imported or offers no family
        │   └── PluginConflictError    two families claim the same key, or one is missing
        └── abort                      IMAP4.abort: the connection cannot be used any more
            ├── readonly               IMAP4.readonly: the mailbox changed to READ-ONLY
            ├── CommandTimeout         (TimeoutError) no answer in time
            ├── RemoteProtocolError    the server broke the protocol
            │   └── LimitExceeded      the server sent more than the configured limits allow
            └── ConnectionClosed       (ConnectionError) the connection is gone
                ├── ServerBye          the server sent BYE
                └── ConnectError       the connection could not be opened
                    └── ResolveError   (socket.gaierror) the host name could not be resolved

``BadResponse``, ``CommandNo`` and every ``abort`` keep the untagged responses received for the command before the error: ``data``
in imaplib's shape (with ``data.parsed()``), ``responses`` as received.

``error``, ``abort`` and ``readonly`` have the names and the order of imaplib and imaplib2. A failed TLS handshake raises
``imapkit.TLSError`` (a ``ConnectError`` and ``ssl.SSLError``), an unusable file for TLS ``imapkit.TLSFileError`` (an
``ArgumentError`` and ``OSError``). All errors can be pickled.

An error that ends a connection ends every pending command. Each caller gets its own copy (see ``fresh``), so that one caller's
traceback never shows another's frames.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from imapkit.core.wire.data import Data
from imapkit.core.wire.response import Untagged, response_code

__all__ = [
    "ArgumentError",
    "BadResponse",
    "CommandNo",
    "CommandTimeout",
    "ConnectError",
    "ConnectionClosed",
    "DeadlineExceeded",
    "FamilyDisabledError",
    "LimitExceeded",
    "MailboxBusy",
    "MailboxClosed",
    "Missing",
    "NestedCommandError",
    "NoAnswer",
    "NoResponse",
    "NotFetched",
    "ParseError",
    "PluginConflictError",
    "PluginError",
    "PluginLoadError",
    "RemoteProtocolError",
    "ResolveError",
    "ServerBye",
    "StateError",
    "abort",
    "error",
    "readonly",
]


class error(Exception):
    """The base of all errors that imapkit raises on purpose."""

    def fresh(self) -> Self:
        """A copy of this error, without a traceback, with this error as its cause."""
        make, arguments, state = self.__reduce__()
        twin: Self = make(*arguments)
        twin.__setstate__(state)
        twin.__cause__ = self
        return twin

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        # By ``args``, which differ from the parameters of ``__init__``: so every error can be pickled and copied.
        return _unfinished, (type(self), self.args), self._state()

    def _state(self) -> dict[str, Any]:
        """The attributes; also those of an ``OSError``, which are not in ``vars``."""
        system = {"errno": self.errno, "filename": self.filename} if isinstance(self, OSError) else {}
        return {**vars(self), **{name: value for name, value in system.items() if value is not None}}


def _unfinished(kind: type[error], args: tuple[Any, ...]) -> error:
    """An error without its attributes; ``__init__`` is not called."""
    made = kind.__new__(kind, *args)
    made.args = args
    return made


class ArgumentError(error, ValueError):
    """An argument cannot be sent; nothing was sent, and the connection has not changed."""


class Missing(error):
    """The server lacks a capability that the call needs; nothing was sent.

    ``command`` is the command, ``what`` the part of it that needs the capability ("" for the whole), ``needs`` what is
    needed, and ``has`` what the server has of it.
    """

    def __init__(self, message: str, *, command: str = "", needs: str = "", has: Sequence[str] = (), what: str = "") -> None:
        super().__init__(message)
        self.command, self.needs, self.has, self.what = command, needs, tuple(has), what


class StateError(error):
    """The command is not valid in the present state; nothing was sent."""


class NestedCommandError(error):
    """A command was called inside the exchange of another one on the same thread, or on a thread that is reading."""


class MailboxBusy(error):
    """The thread or task has a mailbox selected already: waiting for the mailbox would never end."""


class MailboxClosed(error):
    """The mailbox was left, or another one was selected: the UIDs may be those of other messages now. Nothing was sent."""


class NoAnswer(error):
    """The server said OK, but the response that the call is for did not come, or could not be read."""


class NotFetched(error, KeyError):
    """The message has no such item: it was not requested, or the server did not send it."""

    __str__ = Exception.__str__


class _Answered(error):
    """An error that can occur after a part of the answer has arrived."""

    _came: Data | None = None

    @property
    def data(self) -> Data:
        """The data received for the command before the error, in imaplib's shape, perhaps empty.

        ``data.parsed()`` parses it by the families' grammar.
        """
        return Data() if self._came is None else self._came

    @property
    def responses(self) -> tuple[Untagged, ...]:
        """The untagged responses of ``data``."""
        return self.data.responses

    def with_data(self, data: Data | None) -> Self:
        """Set ``data``, and return this error."""
        self._came = data
        return self

    def fresh(self) -> Self:
        """See ``error.fresh``; the copy has no ``data``, which belongs to one command."""
        twin = super().fresh()
        twin.__dict__.pop("_came", None)
        return twin


class _Refused(_Answered):
    """The server refused ``command``; ``typ``, ``code`` and ``text`` are those of its tagged response."""

    def __init__(self, message: str, *, typ: str = "", text: bytes = b"", command: str = "") -> None:
        super().__init__(message)
        self.typ, self.text, self.command = typ, text, command

    @property
    def code(self) -> str | None:
        """The name of the response code in ``text``, in upper case ("TRYCREATE"); None if there is none. RFC 3501 section 7.1."""
        found = response_code(self.text)
        return None if found is None else found.name


class DeadlineExceeded(_Answered, TimeoutError):
    """No answer came in time, and the command was abandoned; the connection goes on, and a late answer is dropped.

    A command that was sent may still take effect on the server.
    """


class BadResponse(_Refused):
    """The server answered BAD (RFC 3501 section 7.1.3): it did not understand the command, and nothing has changed."""


class CommandNo(_Refused):
    """The server answered NO (RFC 3501 section 7.1.2): raised by ``data.check()``, and by a client made with ``strict=True``."""


class NoResponse(CommandNo):
    """The server answered NO (RFC 3501 section 7.1.2) to a command that must succeed.

    ``value`` is what the family that declares the response code has read of its data; None if there is nothing.
    """

    value: Any = None


class ParseError(error, ValueError):
    """Some bytes do not follow the grammar.

    ``data`` is the text, ``position`` the offset of the error in it, ``expected`` what the grammar expects there.
    """

    def __init__(self, expected: str, data: bytes = b"", position: int = 0) -> None:
        start = max(0, position - 20)
        here = data[start : position + 20]
        super().__init__(f"expected {expected} at byte {position}, near {here!r}")
        self.expected, self.data, self.position = expected, data, position


class FamilyDisabledError(error, AttributeError):
    """The method belongs to a command family that is absent or switched off; ``hasattr`` is False."""


class PluginError(error):
    """A command family could not be registered; ``families`` names those concerned, as far as known."""

    def __init__(self, *args: object, families: Iterable[str] = ()) -> None:
        super().__init__(*args)
        self.families = tuple(families)
        self._parts: tuple[PluginError, ...] = ()

    @property
    def parts(self) -> tuple[PluginError, ...]:
        """The errors that this one combines; else itself alone."""
        return self._parts or (self,)

    @staticmethod
    def together(problems: Sequence[PluginError]) -> PluginError:
        """One error with the texts of all ``problems`` (at least one), each on its own line."""
        if len(problems) == 1:
            return problems[0]
        kinds = {type(problem) for problem in problems}
        kind = kinds.pop() if len(kinds) == 1 else PluginError
        names = sorted({name for problem in problems for name in problem.families})
        whole = kind("\n".join(map(str, problems)), families=names)
        whole._parts = tuple(problems)
        whole.__cause__ = problems[0]
        return whole


class PluginLoadError(PluginError):
    """A plugin could not be imported, offers no family, or offers one for another version of imapkit."""


class PluginConflictError(PluginError):
    """Two families claim the same key, or one requires a family that is missing, or that requires it in turn."""


class abort(_Answered):
    """The connection cannot be used any more: open a new one and try again."""


class readonly(abort):
    """The mailbox is READ-ONLY although it was selected for writing; the connection is usable."""


class CommandTimeout(abort, TimeoutError):
    """The server did not answer in time."""


class RemoteProtocolError(abort):
    """The server sent data that the protocol does not allow, and nothing after it can be trusted."""


class LimitExceeded(RemoteProtocolError):
    """The server sent a line, literal, response or nesting beyond the configured limit."""


class ConnectionClosed(abort, ConnectionError):
    """The connection is closed; the text has the side that closed it and the reason.

    ``str()`` is that text alone, with or without the operating system's ``errno``.
    """

    def __str__(self) -> str:
        return str(self.args[-1]) if self.args else ""


class ServerBye(ConnectionClosed):
    """The server ended the session with BYE (RFC 3501 section 7.1.5)."""


class ConnectError(ConnectionClosed):
    """The connection could not be opened; ``errno`` is the operating system's, if there is one."""


class ResolveError(ConnectError, socket.gaierror):
    """The host name could not be resolved."""


def lost_error(exc: OSError, where: str) -> ConnectionClosed:
    """The error for an ``OSError`` on a connection; its only argument is the text, which programs show and compare."""
    lost = ConnectionClosed(f"{where}: {exc.strerror or exc}")
    lost.errno = exc.errno
    return lost


def connect_error(exc: OSError, where: str) -> ConnectError:
    """The error for an ``OSError`` while connecting to ``where``."""
    kind: type[ConnectError] = ResolveError if isinstance(exc, socket.gaierror) else ConnectError
    args: tuple[Any, ...] = (exc.errno, f"{where}: {exc.strerror or exc}") if exc.errno is not None else (f"{where}: {exc}",)
    return kind(*args)
