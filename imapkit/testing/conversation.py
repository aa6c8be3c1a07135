"""One connection of a ``ScriptedServer``: the commands that the client sends, and the server's answers."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from imapkit.testing.certificate import Tls, server_context
from imapkit.testing.peer import Chunks, Peer

__all__ = ["Conversation", "Handler", "ReceivedCommand", "Script", "checked", "default_handlers"]

_LITERAL = re.compile(rb"\{([0-9]+)(\+?)\}\r\n\Z")
_COMMAND = re.compile(rb"([^ ]+) ((?:UID )?[^ ]+)(?: (.*))?", re.DOTALL | re.IGNORECASE)

_FLAGS = rb"\Answered \Flagged \Deleted \Seen \Draft"

Script = Callable[["Conversation"], None]
"""A function that plays the server for one connection, on its own thread."""
Handler = Callable[["Conversation", "ReceivedCommand"], None]
"""A function that plays the server for one command."""


@dataclass(frozen=True)
class ReceivedCommand:
    """One command as received.

    ``name`` is upper case, "UID FETCH" for the UID forms. ``args`` is the text after the name, without the last CRLF: a literal
    appears there as ``{n}`` or ``{n+}``, and ``literals`` has its bytes. ``raw`` is all bytes of the command. ``awaiting`` is the
    size of the synchronizing literal at which ``read_command(auto_continue=False)`` stopped, else None.
    """

    tag: bytes
    name: str
    args: bytes = b""
    literals: list[bytes] = field(default_factory=list)
    raw: bytes = b""
    awaiting: int | None = None


class Server(Protocol):
    """The parts of a ``ScriptedServer`` that its conversations use."""

    host: str
    port: int
    capabilities: bytes
    messages: int
    patience: float

    @property
    def tls(self) -> Tls | None:
        """The default of ``Conversation.start_tls``."""
        ...

    @property
    def received(self) -> list[ReceivedCommand | bytes]:
        """See ``ScriptedServer.received``."""
        ...

    @property
    def commands(self) -> list[ReceivedCommand]:
        """See ``ScriptedServer.commands``."""
        ...

    @property
    def names(self) -> list[str]:
        """See ``ScriptedServer.names``."""
        ...


class Conversation(Peer):
    """The server's side of one connection; only the thread that runs its script may use it.

    Methods that wait for the client raise ``ClientSilent`` after the server's ``patience``, and ``ClientGone`` when the
    connection is over. ``number`` counts the connections of the server from 0.
    """

    def __init__(
        self, server: Server, sock: socket.socket, number: int, stopping: socket.socket, record: Callable[[Any], None]
    ) -> None:
        super().__init__(sock, stopping, record, server.patience)
        self.server = server
        self.number = number

    def read_command(self, *, auto_continue: bool = True) -> ReceivedCommand:
        """Read and return a command with its literals, and answer each synchronizing one with "+ go".

        Raises ``AssertionError`` if the line is no command. Without ``auto_continue`` it stops at the first synchronizing
        literal and returns the command up to there, with the literal's size in ``awaiting``; go on with ``no``, ``send`` or
        ``read_literal``.
        """
        raw = line = self._line("a command")
        text, awaiting = line[:-2], None
        literals: list[bytes] = []
        while found := _LITERAL.search(line):
            if not found[2] and not auto_continue:
                awaiting = int(found[1])
                break
            if not found[2]:
                self.send(b"+ go\r\n")
            literals.append(self._exactly(int(found[1])))
            line = self._line("the rest of a command")
            raw, text = b"".join((raw, literals[-1], line)), text + line[:-2]
        return self._command(text, literals, raw, awaiting)

    def expect(self, name: str, args: bytes | None = None) -> ReceivedCommand:
        """Read and return the next command. Raises ``AssertionError`` unless it is ``name``, with these ``args`` if given."""
        command = self.read_command()
        assert command.name == name.upper(), f"expected {name}, got {command.raw!r}"
        assert args in (None, command.args), f"expected {name} with {args!r}, got {command.raw!r}"
        return command

    def wait_for(self, name: str, handlers: Mapping[str, Handler] | None = None) -> ReceivedCommand:
        """Answer commands as ``serve`` does until the client sends ``name``; return that one, unanswered."""
        known = _all_handlers(handlers)
        while (command := self.read_command()).name != name.upper():
            known.get(command.name, _unknown)(self, command)
        return command

    def ok(self, command: ReceivedCommand, text: bytes = b"done", untagged: bytes = b"", *, chunks: Chunks = None) -> None:
        """Complete ``command`` with OK; ``untagged``, whole lines with their CRLF, precedes it in the same ``send``.

        ``chunks``: as for ``send``.
        """
        self.send(b"%s%s OK %s\r\n" % (untagged, command.tag, text), chunks=chunks)

    def no(self, command: ReceivedCommand, text: bytes = b"failed", untagged: bytes = b"", *, chunks: Chunks = None) -> None:
        """Complete ``command`` with NO, as ``ok`` does."""
        self.send(b"%s%s NO %s\r\n" % (untagged, command.tag, text), chunks=chunks)

    def bad(self, command: ReceivedCommand, text: bytes = b"rejected", untagged: bytes = b"", *, chunks: Chunks = None) -> None:
        """Complete ``command`` with BAD, as ``ok`` does."""
        self.send(b"%s%s BAD %s\r\n" % (untagged, command.tag, text), chunks=chunks)

    def serve(self, handlers: Mapping[str, Handler] | None = None) -> None:
        """Answer commands until the connection ends: by ``handlers``, else by the default handlers, else with BAD."""
        known = _all_handlers(handlers)
        while True:
            command = self.read_command()
            known.get(command.name, _unknown)(self, command)

    def start_tls(self, tls: Tls | None = None) -> None:
        """Start TLS as the server, with ``tls``, else with the server's own.

        For STARTTLS, call it after ``ok``. After ``start_compression`` TLS goes below the compression, as RFC 4978 section 3
        requires. Raises ``AssertionError`` if the client has sent more in the clear, and ``ClientGone`` if it refuses the
        certificate.
        """
        chosen = tls or self.server.tls
        if chosen is None:
            raise ValueError("no certificate: start_tls(tls=...) or ScriptedServer(tls=...)")
        self._secure(server_context(chosen))

    def _command(self, text: bytes, literals: list[bytes], raw: bytes, awaiting: int | None) -> ReceivedCommand:
        found = _COMMAND.fullmatch(text)
        if not found:
            self._record(raw)
            raise AssertionError(f"not a command: {raw!r}")
        command = ReceivedCommand(found[1], found[2].decode("latin-1").upper(), found[3] or b"", literals, raw, awaiting)
        self._record(command)
        return command


# The default handlers of a ``ScriptedServer``.


def _all_handlers(handlers: Mapping[str, Handler] | None) -> Mapping[str, Handler]:
    """The default handlers, replaced by the test's own. Raises ``ValueError`` as ``checked`` does."""
    return {**default_handlers(), **checked(handlers or {})}


def default_handlers() -> dict[str, Handler]:
    """The default handlers, by the command's name."""
    return {
        "CAPABILITY": _capability,
        "LOGIN": _done,
        "NOOP": _done,
        "SELECT": _select,
        "EXAMINE": _select,
        "LOGOUT": _logout,
    }


def _capability(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, untagged=b"* CAPABILITY %s\r\n" % conversation.server.capabilities)


def _done(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command)


def _select(conversation: Conversation, command: ReceivedCommand) -> None:
    count = conversation.server.messages
    writable = command.name == "SELECT"
    lines = [
        b"FLAGS (%s)" % _FLAGS,
        b"%d EXISTS" % count,
        b"0 RECENT",
        b"OK [PERMANENTFLAGS (%s)] flags" % (_FLAGS if writable else b""),
        b"OK [UIDVALIDITY 1] valid",
        b"OK [UIDNEXT %d] next" % (count + 1),
    ]
    untagged = b"".join(b"* %s\r\n" % line for line in lines)
    conversation.ok(command, b"[READ-WRITE] done" if writable else b"[READ-ONLY] done", untagged)


def _logout(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, untagged=b"* BYE good day\r\n")
    conversation.close()


def _unknown(conversation: Conversation, command: ReceivedCommand) -> None:
    """Answer BAD to a command without a handler."""
    conversation.bad(command, b"no handler for %s" % command.name.encode("ascii", "backslashreplace"))


def checked(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """The handlers. Raises ``ValueError`` for a name in lower case, which would match no command."""
    if wrong := [name for name in handlers if name != name.upper()]:
        raise ValueError(f"command names are upper case here: {wrong}")
    return handlers
