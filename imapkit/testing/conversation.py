"""One connection of a ``ScriptedServer``: the commands that come, and what the server says to them."""

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
"""What a server does with one connection, in a thread of its own."""
Handler = Callable[["Conversation", "ReceivedCommand"], None]
"""What a server does with one command."""


@dataclass(frozen=True)
class ReceivedCommand:
    """One command as it came in.

    ``name`` is upper case, "UID FETCH" for the UID forms. ``args`` is what follows the name, without the last CRLF: a
    literal appears there as ``{n}`` or ``{n+}``, its octets are in ``literals``. ``raw`` is every octet. ``awaiting`` is
    the size of the synchronizing literal at which ``read_command(auto_continue=False)`` stopped, else None.
    """

    tag: bytes
    name: str
    args: bytes = b""
    literals: list[bytes] = field(default_factory=list)
    raw: bytes = b""
    awaiting: int | None = None


class Server(Protocol):
    """A ``ScriptedServer``, as its conversations know it."""

    host: str
    port: int
    capabilities: bytes
    messages: int
    patience: float

    @property
    def tls(self) -> Tls | None:
        """What ``Conversation.start_tls`` takes by default."""
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
    """One connection, seen from the server; belongs to the thread that runs its script.

    ``number`` counts the connections of the server from 0. Whatever waits for the client raises ``ClientSilent`` after
    the server's ``patience`` and ``ClientGone`` when the connection is over.
    """

    def __init__(
        self, server: Server, sock: socket.socket, number: int, stopping: socket.socket, record: Callable[[Any], None]
    ) -> None:
        super().__init__(sock, stopping, record, server.patience)
        self.server = server
        self.number = number

    def read_command(self, *, auto_continue: bool = True) -> ReceivedCommand:
        """Read a command with its literals, answering each synchronizing one with "+ go".

        Without ``auto_continue`` the first of those is not answered: what came until then is returned, ``awaiting`` is its
        size, and ``no``, ``send`` and ``read_literal`` go on from there. Raises ``AssertionError`` for what is no command.
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
        """Read the next command, which must be ``name``, with exactly these ``args`` unless they are None.

        Raises ``AssertionError`` for another.
        """
        command = self.read_command()
        assert command.name == name.upper(), f"expected {name}, got {command.raw!r}"
        assert args in (None, command.args), f"expected {name} with {args!r}, got {command.raw!r}"
        return command

    def wait_for(self, name: str, handlers: Mapping[str, Handler] | None = None) -> ReceivedCommand:
        """Answer commands as ``serve`` does, until ``name`` comes; return that one, unanswered."""
        known = _all_handlers(handlers)
        while (command := self.read_command()).name != name.upper():
            known.get(command.name, _unknown)(self, command)
        return command

    def ok(self, command: ReceivedCommand, text: bytes = b"done", untagged: bytes = b"", *, chunks: Chunks = None) -> None:
        """Complete ``command`` with OK; ``untagged``, whole lines with their CRLF, goes before it in the same ``send``.

        ``chunks`` as ``send`` has it.
        """
        self.send(b"%s%s OK %s\r\n" % (untagged, command.tag, text), chunks=chunks)

    def no(self, command: ReceivedCommand, text: bytes = b"failed", untagged: bytes = b"", *, chunks: Chunks = None) -> None:
        """Complete ``command`` with NO, as ``ok`` does."""
        self.send(b"%s%s NO %s\r\n" % (untagged, command.tag, text), chunks=chunks)

    def bad(self, command: ReceivedCommand, text: bytes = b"rejected", untagged: bytes = b"", *, chunks: Chunks = None) -> None:
        """Complete ``command`` with BAD, as ``ok`` does."""
        self.send(b"%s%s BAD %s\r\n" % (untagged, command.tag, text), chunks=chunks)

    def serve(self, handlers: Mapping[str, Handler] | None = None) -> None:
        """Answer commands until the client goes: by ``handlers`` first, then by the default ones, else with BAD."""
        known = _all_handlers(handlers)
        while True:
            command = self.read_command()
            known.get(command.name, _unknown)(self, command)

    def start_tls(self, tls: Tls | None = None) -> None:
        """Begin TLS as the server's side, with ``tls`` or else with what the server was given.

        For STARTTLS, call it after ``ok``. After ``start_compression`` it goes beneath that, as RFC 4978 section 3 has it. Raises
        ``AssertionError`` when the client already sent something in the clear, ``ClientGone`` when it refuses the certificate.
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


# What a ``ScriptedServer`` answers unless a test has it answer otherwise.


def _all_handlers(handlers: Mapping[str, Handler] | None) -> Mapping[str, Handler]:
    """A test's own handlers before the usual ones. Raises ``ValueError`` as ``checked`` does."""
    return {**default_handlers(), **checked(handlers or {})}


def default_handlers() -> dict[str, Handler]:
    """The usual handlers, by the command's name."""
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
    """Say BAD to a command that nobody handles."""
    conversation.bad(command, b"no handler for %s" % command.name.encode("ascii", "backslashreplace"))


def checked(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """The handlers. Raises ``ValueError`` for a name in lower case, which would never be asked for."""
    if wrong := [name for name in handlers if name != name.upper()]:
        raise ValueError(f"command names are upper case here: {wrong}")
    return handlers
