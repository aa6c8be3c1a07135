"""A pending command: what was asked, what came back, and the one who waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, cast

from imapkit.core.secrets import Secret
from imapkit.errors import CommandTimeout, error

if TYPE_CHECKING:
    from imapkit.core.response import Run, Untagged
    from imapkit.core.wire import Piece
    from imapkit.family import Command

__all__ = ["Call", "Request"]


class Call:
    """A command and its arguments, encoded; an immutable value in all but name, made before anything is locked."""

    __slots__ = ("about", "args", "command", "expunges", "line", "name", "options", "pieces", "reply", "seqnums", "uid")

    def __init__(
        self,
        command: Command,
        args: tuple[Any, ...],
        pieces: list[Piece] | Secret,
        *,
        uid: bool = False,
        reply: Callable[[bytes], bytes | None] | None = None,
        options: Any = None,
    ) -> None:
        self.command, self.args, self.uid, self.reply = command, args, uid, reply
        self.pieces = Secret(pieces) if command.secret and isinstance(pieces, list) else pieces
        """What goes over the wire; wrapped if it is secret, and gone once that has been sent."""
        self.name = f"UID {command.name}" if uid else command.name
        self.options = options
        self.seqnums = command.seqnums and not uid
        self.expunges = uid or command.expunges
        """Whether EXPUNGE responses may come while it is in flight."""
        self.about = command.about(args, uid) if command.about else None
        sole = self.pieces[0] if isinstance(self.pieces, list) and len(self.pieces) == 1 else None
        only = sole if reply is None and command.interrupt is None else None
        self.line = only if isinstance(only, bytes) else None
        """All of it, if it is a single line without secrets whose writer need not wait for anything the server says."""

    def shown(self, most: int) -> bytes:
        """What goes over the wire, for people: of a literal only its size, of a secret nothing."""
        if isinstance(self.pieces, Secret):
            return b"***"
        return b"".join(piece if isinstance(piece, bytes) else repr(piece).encode() for piece in self.pieces)[:most]

    def __repr__(self) -> str:
        shown = "***" if isinstance(self.pieces, Secret) else self.shown(100)
        return f"{self.name} {shown!r}"


class Request:
    """One ``Call`` under way. The reader completes it once, by ``finish`` or ``fail``; then its waiter wakes, once."""

    # Most of it never changes for most commands, and thousands of them may be in flight: what is the class's need not be set.
    tag = b""
    typ = ""
    text = b""
    complete = False
    """Its tagged response has come, and the layer that it switches on is there; or it has failed."""
    aborted: error | None = None
    defect: Exception | None = None
    """What a plugin's function raised while this command was handled: it reaches this caller."""
    begun = False
    """Some of it has been sent, perhaps."""
    sent = False
    """Its last octets are on their way: from then on an answer is possible."""
    switching = False
    """Its OK has come, and the layer that it switches on is being agreed on: it may fail yet."""
    interrupted = False
    interrupted_by = ""
    news = False
    """Something has come for whose sake it is to be interrupted."""
    idling = False
    """It has been accepted, and goes on until it is interrupted or ends by itself."""
    refresh_at = inf
    """When it is to be ended and sent anew."""
    accepted = False
    """It has been accepted once: from then on what comes may be news."""
    again = False
    """It has been ended in order to be sent anew."""
    joined = False
    """Whoever was writing as it came sends it."""
    told = False
    """Its callback has been called."""
    go: threading.Lock | None = None
    """While its writer waits for a continuation: the latch that "+" opens."""
    challenge = b""
    challenges = 0
    """How many continuation requests have come."""
    watched = False
    """Nobody waits for it: its time is kept by the clock."""
    on_done: Callable[[Request], None] | None = None
    aside: Sequence[Any] = ()
    """What was kept for ``response()`` until it was sent: it counts again if the server does not understand the command."""
    doubtful: list[tuple[Untagged, str]] | tuple[()] = ()
    """Responses that are its answer unless one comes that is so for certain, each with what is odd about that."""
    count = memory = 0
    """How many responses have come, and how many bytes of memory they take up."""

    def __init__(
        self, call: Call, *, timeout: float | None, window: float, patience: float | None = None, renew: float | None = None
    ) -> None:
        now = time.monotonic()
        self.call = call
        self.received: list[Untagged | Run] = []
        """The untagged responses that are its answer; those that came in a run are not taken apart yet."""
        self.limit = inf if timeout is None else now + timeout
        self.window = window
        self.progress = now
        self.until = inf if patience is None else now + patience
        """When it is to be interrupted."""
        self.renew = inf if renew is None else renew
        self.thread = threading.get_ident()
        self.latch = threading.Lock()
        self.latch.acquire()

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments as the caller gave them."""
        return self.call.args

    @property
    def untagged(self) -> list[Untagged]:
        """The untagged responses that are its answer; ``done`` may leave some out."""
        received = self.received
        received[:] = [response for piece in received for response in piece.responses()]
        return cast("list[Untagged]", received)

    @property
    def came(self) -> list[Untagged | Run]:
        """All that has come of its answer, whether or not it is plain by now that it is."""
        return [*self.received, *(response for response, _ in self.doubtful)]

    @property
    def line(self) -> bytes:
        """What is sent, if that is a single line."""
        assert self.call.line is not None
        return b"%b %b\r\n" % (self.tag, self.call.line)

    @property
    def goes_on(self) -> bool:
        """The server has said that it goes on, whether or not its writer knows so by now."""
        return self.idling or (self.go is not None and not self.go.locked())

    def finish(self, typ: str, text: bytes) -> None:
        """The tagged response has come: nobody wakes for it before ``Protocol.complete``. Under the state lock."""
        self.text, self.typ = text, typ

    def fail(self, exc: error) -> None:
        """It will never be answered. Under the state lock."""
        if not self.complete:
            self.aborted, self.complete = exc, True

    def wake(self) -> None:
        """Wake its waiter, or hand it to whoever calls back. No lock is held."""
        if self.on_done is not None:
            self.on_done(self)
        self.open(self.latch)
        if self.go is not None:
            self.open(self.go)

    @staticmethod
    def open(latch: threading.Lock) -> None:
        """Open a latch, which may be open."""
        try:
            latch.release()
        except RuntimeError:
            pass

    def deadline(self) -> float:
        """The moment at which it is late, or ``due``: its own time-out, or no progress for the whole window."""
        if self.idling and not self.interrupted:
            return min(self.limit, self.until, self.refresh_at)
        return min(self.limit, self.progress + self.window)

    def due(self) -> str:
        """Why it is to be interrupted now, as ``interrupted_by`` has it; "" if it is not."""
        if self.interrupted:
            return ""
        if self.news or not self.idling:
            return "news" if self.news else ""
        now = time.monotonic()
        return "patience" if self.until <= now else "refresh" if self.refresh_at <= now else ""

    def interrupt(self, why: str) -> None:
        """It is to end, or to be sent anew ("refresh"); of two reasons the one that says more counts. Under the state lock."""
        if not self.interrupted or self.interrupted_by == "refresh" or (self.interrupted_by == "patience" and why == "news"):
            self.interrupted_by = why
        self.interrupted, self.progress = True, time.monotonic()

    def accept(self) -> None:
        """The server goes along with it. Under the state lock."""
        self.idling = self.accepted = True
        self.refresh_at = time.monotonic() + self.renew

    def begin_again(self, tag: bytes) -> None:
        """It has ended and is to be sent anew. Under the state lock."""
        self.tag, self.again, self.progress = tag, True, time.monotonic()
        self.sent = self.idling = self.interrupted = False
        self.interrupted_by = ""

    def nudge(self) -> None:
        """Wake its waiter, to see that it is ``due``."""
        self.open(self.latch)

    def rest(self) -> float:
        """Seconds that one may wait for it before one looks again; 0: it is late or due.

        Once interrupted a patient command has a deadline after all, so that is before long.
        """
        return min(max(self.deadline() - time.monotonic(), 0.0), self.window, threading.TIMEOUT_MAX)

    def wait(self, latch: threading.Lock, most: float = inf) -> bool:
        """Wait for ``latch`` to open; False if it is late or due, or after ``most`` seconds."""
        while True:
            rest = self.rest()
            if latch.acquire(timeout=min(rest, most)) or self.complete:
                return True
            if not rest or most < rest:
                return False

    def is_late(self) -> bool:
        """Whether its time is over, or its patience."""
        return not (self.complete or self.again) and self.deadline() <= time.monotonic()

    def late(self) -> CommandTimeout:
        """The error for its being late."""
        return CommandTimeout(f"command: {self.call.name} => no answer in time")
