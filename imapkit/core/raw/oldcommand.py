"""A command that an old program sends by imaplib's private names, its lines, and the socket to poll: see ``oldnames``."""

from __future__ import annotations

import contextlib
import queue
import re
import socket
import threading
import weakref
from typing import Any

from imapkit.core.engine.engine import Engine
from imapkit.core.engine.outcome import check as check_outcome
from imapkit.core.engine.request import Request
from imapkit.core.grammar.strings import atom, unquote
from imapkit.core.support.secrets import Secret, plain
from imapkit.core.threads.waiters import open_latch
from imapkit.core.wire.pieces import Literal, Piece, check
from imapkit.core.wire.response import Untagged
from imapkit.errors import ArgumentError

__all__ = ["Draft", "OldCommand", "PollSocket", "inner_values"]

_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\Z")


class PollSocket:
    """Replaces ``sock`` during an IDLE that was sent by ``_command``: it is readable when ``_get_line`` has a line.

    Programs poll it, and set its time-out, which ``_get_line`` uses. All other attributes are those of the real socket.
    """

    def __init__(self, sock: Any) -> None:
        self._sock, self._timeout = sock, None
        self._inner, self._outer = socket.socketpair()
        self._inner.setblocking(False)
        self._outer.setblocking(False)
        self.release = weakref.finalize(self, _close, self._inner, self._outer)

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._inner.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """Set the seconds for which ``_get_line`` waits; None: for ever, 0: not at all."""
        self._timeout = seconds  # type: ignore[assignment]

    def setblocking(self, flag: bool) -> None:
        """Set the time-out to None or 0."""
        self.settimeout(None if flag else 0.0)

    def gettimeout(self) -> float | None:
        """The time-out that was set."""
        return self._timeout

    def close(self) -> None:
        """Close the real socket, and make this one readable: a program that polls it then reads the end."""
        self._sock.close()
        self.make_readable()

    def make_readable(self) -> None:
        """Make the socket readable."""
        with contextlib.suppress(OSError):
            self._outer.send(b"x")

    def make_unreadable(self) -> None:
        """Make the socket unreadable, until the next ``make_readable``."""
        with contextlib.suppress(OSError):
            while self._inner.recv(4096):
                pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _close(*socks: socket.socket) -> None:
    for sock in socks:
        sock.close()


class OldCommand:
    """A command that was sent by imaplib's private names, and the lines that the server has sent since.

    ``received``, ``accepted`` and ``ended`` run under the state lock, and only fill a queue or open a latch; ``ended`` may be
    called twice.
    """

    def __init__(self, tag: bytes) -> None:
        self.tag = tag
        self.request: Request | None = None
        self.names: tuple[str, ...] = ()
        self.continues = False
        """Whether the server has sent "+", and ``_get_response`` has not returned it."""
        self.over = False
        """Whether the end has been taken from ``lines``."""
        self.poll: PollSocket | None = None
        self._settled = threading.Lock()
        self._settled.acquire()
        self.lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        """The first line of each untagged response; None for the end."""

    def received(self, response: Untagged) -> bool:
        """Keep the line of a response. Returns False: it is no news (``Command.news``)."""
        self.put(first_line(response))
        return False

    def ended(self, request: Request) -> None:
        """Note that the command has been answered, or has failed."""
        self.put(None)
        open_latch(self._settled)

    def accepted(self) -> None:
        """Note that the server has accepted the command."""
        open_latch(self._settled)

    def await_acceptance(self) -> None:
        """Wait until the server has accepted the command, or answered it."""
        self._settled.acquire()

    def put(self, line: bytes | None) -> None:
        """Add a line, and make the polled socket readable."""
        self.lines.put(line)
        if self.poll is not None:
            self.poll.make_readable()

    def take(self, timeout: float | None) -> bytes | None:
        """The next line; None at the end, and at every call behind it. Raises ``TimeoutError``, or ``BlockingIOError`` for 0."""
        if self.over:
            return None
        try:
            line = self._next(timeout)
        except queue.Empty:
            raise (BlockingIOError if timeout == 0 else TimeoutError)("the server has sent nothing more") from None
        self.over = line is None
        return line

    def _next(self, timeout: float | None) -> bytes | None:
        if self.poll is None or timeout != 0:
            return self.lines.get(timeout != 0, timeout or None)
        try:
            return self.lines.get_nowait()
        except queue.Empty:
            # In this order: a line that comes between the two makes the socket readable again.
            self.poll.make_unreadable()
            return self.lines.get_nowait()

    def outcome(self, engine: Engine) -> tuple[str, list[Any]]:
        """The result in imaplib's shape, once the command is over. Raises its error."""
        assert self.request is not None
        check_outcome(self.request, engine)
        return self.request.typ, [self.request.text]


def first_line(response: Untagged) -> bytes:
    """The line of a response up to the first literal, as imaplib's ``_get_response`` returns it."""
    number = b"" if response.number is None else b"%d" % response.number
    return b" ".join(filter(None, (b"*", number, response.name.encode("ascii"), response.parts[0])))


class Draft:
    """A command that a program writes with ``send``, piece by piece, after ``_new_tag``."""

    def __init__(self, command: OldCommand) -> None:
        self.command = command
        self.pieces: list[bytes | Literal] = []
        self.asks = False
        """Whether a literal was announced, and the program expects "+" before it."""
        self._rest = bytearray()
        self._size: int | None = None

    def feed(self, data: bytes) -> bool:
        """Add bytes; returns whether the command is whole. Raises ``ArgumentError`` if bytes follow its end."""
        self._rest += data
        while True:
            if self._size is not None:
                if len(self._rest) < self._size:
                    return False
                self.pieces.append(Literal(bytes(self._rest[: self._size])))
                del self._rest[: self._size]
                self._size, self.asks = None, False
            end = self._rest.find(b"\r\n")
            if end < 0:
                return False
            line = bytes(self._rest[:end])
            del self._rest[: end + 2]
            announced = _LITERAL.search(line)
            if announced is None:
                self.pieces.append(line)
                break
            self.pieces.append(line[: announced.start()])
            self._size, self.asks = int(announced[1]), not line.endswith(b"+}")
        if self._rest:
            raise ArgumentError(f"send: {bytes(self._rest[:40])!r} stands behind the end of a command")
        return True

    def words(self) -> tuple[Any, ...]:
        """The words of the command behind its tag, with its literals."""
        return tuple(
            word
            for piece in self.pieces
            for word in ((piece.data,) if isinstance(piece, Literal) else piece.decode("utf-8", "replace").split())
        )[1:]

    def parsed(self) -> tuple[str, bool, list[Piece]]:
        """The command's name, whether UID stands before it, and its pieces. Raises ``ArgumentError``."""
        head = self.pieces[0]
        assert isinstance(head, bytes)
        tag, _, rest = head.partition(b" ")
        if tag != self.command.tag:
            raise ArgumentError(f"send: {tag[:40]!r} is not the tag of _new_tag")
        words = rest.split(b" ", 2)
        uid = len(words) > 1 and words[0].upper() == b"UID"
        name = atom(words[uid]).decode("ascii").upper()
        for piece in self.pieces:
            if isinstance(piece, bytes):
                # (With a blank behind it, since ``feed`` has handled every literal.)
                check(piece + b" ", "command")
        return name, uid, [rest, *self.pieces[1:]]


def inner_values(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The texts within the quotes of secret arguments, which a server may repeat without quotes."""
    return tuple(Secret(inner) for value in args if type(value) is Secret and (inner := _inner(plain(value))) is not None)


def _inner(value: Any) -> str | None:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return unquote(text) if isinstance(text, str) else None
