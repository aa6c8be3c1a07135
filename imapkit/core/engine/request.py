"""A command under way. The engine alone writes it; its waiter reads it once the engine has told it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, cast

from imapkit.core.engine.lanes import Queued
from imapkit.core.engine.phases import DONE, LISTENING, QUEUED, Phase

if TYPE_CHECKING:
    from imapkit.core.contract.call import Call
    from imapkit.core.engine.exchange import Ask, Exchange
    from imapkit.core.wire.response import Run, Untagged
    from imapkit.errors import error

__all__ = ["Request", "Waiter"]


class Waiter(Protocol):
    """What is told of a command. Both run under the state lock: they may only hand over (open a latch, put into a queue)."""

    def done(self, request: Request, /) -> object:
        """The command has been answered, has failed, or was given up."""

    def ask(self, request: Request, /) -> object:
        """The command has a question (``request.question``), or a nearer moment at which to look (``request.refresh_at``)."""


class Request(Queued):
    """One ``Call`` under way."""

    __slots__ = (
        "abandoned",
        "aborted",
        "accepted",
        "aside",
        "awaits",
        "challenges",
        "continuation",
        "count",
        "defect",
        "doubtful",
        "exchange",
        "hard",
        "interrupted_by",
        "limit",
        "memory",
        "news",
        "order",
        "phase",
        "progress",
        "question",
        "received",
        "refresh_at",
        "released",
        "renew",
        "sent",
        "tag",
        "text",
        "told",
        "typ",
        "unshared",
        "until",
        "waiter",
    )

    def __init__(self, call: Call, waiter: Waiter | None = None) -> None:
        # (All of it here, and no ``super``: there is one for each command, and what a class holds is read slowly.)
        self.call = call
        self.opened = self.withdrawn = False
        self.blocks = 0
        self.waiter = waiter
        self.phase: Phase = QUEUED
        self.tag = b""
        self.order = 0
        """The number in its tag: commands are sent in this order."""
        self.typ = ""
        self.text = b""
        self.received: list[Untagged | Run] = []
        """The untagged responses that are its answer; those that came in a run are not taken apart yet."""
        self.aborted: error | None = None
        """Why it has no answer."""
        self.defect: Exception | None = None
        """What a plugin's function raised while this command was handled: it reaches this caller."""
        self.sent = False
        """Its last bytes have been handed out: from then on the server may say OK."""
        self.accepted = False
        """The server has accepted it once: from then on what comes may be news."""
        self.news = False
        """Something has come that it waits for."""
        self.abandoned = False
        self.released = False
        """Its waiter has been told; an orphan's is told before its answer comes."""
        self.aside: Sequence[Any] = ()
        """What was kept for ``response()`` until it was sent: it counts again if the server does not understand the command."""
        self.doubtful: list[tuple[Untagged, str]] | tuple[()] = ()
        """Responses that are its answer unless one comes that is so for certain, each with what is odd about that."""
        self.told = False
        """Its callback has been called, however often it is woken."""
        self.interrupted_by = ""
        """Why it is to end: "turn", "news", "patience", "refresh" or "abandoned"."""
        self.exchange: Exchange | None = None
        self.awaits = ""
        """What its exchange waits for: "+", "ask", or nothing."""
        self.question: Ask | None = None
        self.continuation = b""
        """The text of the last continuation request."""
        self.challenges = 0
        """How many continuation requests have come."""
        self.limit = inf
        """The moment at which it is late."""
        self.until = inf
        """The moment at which it is to be interrupted, if it listens."""
        self.renew = inf
        """Seconds after which it is ended and sent anew, if it listens."""
        self.refresh_at = inf
        self.hard = True
        """A late one ends the connection, as imaplib2's users expect; else it is given up."""
        self.count = self.memory = 0
        """How many responses have come for it, and how many bytes of memory they take up."""
        self.progress = -inf
        """The moment at which the server, or the socket, last did something for this command itself."""
        self.unshared = 0
        """Bytes of its answer that have not counted as progress of the commands behind it."""

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
    def complete(self) -> bool:
        """Whether nothing more comes for it; an orphan is not complete: its answer is still on its way."""
        return self.phase is DONE

    def end_exchange(self) -> None:
        """Its exchange goes no further. (The end of one that is left to the interpreter swallows a ``KeyboardInterrupt``.)"""
        if self.exchange is not None:
            self.exchange.close()
            self.exchange = None

    def move(self, event: str) -> None:
        """Go on to the phase that follows ``event``."""
        self.phase = self.phase.after[event]

    def wants_interrupt(self, why: str) -> bool:
        """Note a reason to end it; of two reasons the one that says more counts. Whether it is to be ended now."""
        before = self.interrupted_by
        if not before or before == "refresh" or (before == "patience" and why == "news"):
            self.interrupted_by = why
        return self.phase is LISTENING

    def __repr__(self) -> str:
        return f"<Request {self.tag.decode()} {self.call.name} {self.phase}>"
