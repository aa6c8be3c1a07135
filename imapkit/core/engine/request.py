"""A command under way. Only the engine writes it; its waiter reads it once the engine has called the waiter."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, cast

from imapkit.core.engine.lanes import Queued
from imapkit.core.engine.phases import DONE, LISTENING, QUEUED, Phase

if TYPE_CHECKING:
    from imapkit.core.contract.call import Call
    from imapkit.core.engine.exchange import Ask, Exchange
    from imapkit.core.wire.response import ResponseCode, Run, Untagged
    from imapkit.errors import error

__all__ = ["Request", "Waiter"]


class Waiter(Protocol):
    """Gets the end and the questions of a command. Under the state lock: both methods only open a latch or fill a queue."""

    def done(self, request: Request, /) -> object:
        """The command has been answered, has failed, or was given up."""

    def ask(self, request: Request, /) -> object:
        """The command has a question (``request.question``), or an earlier moment to look at it (``refresh_at``)."""


class Request(Queued):
    """One ``Call`` under way."""

    __slots__ = (
        "__weakref__",
        "abandoned",
        "aborted",
        "accepted",
        "aside",
        "awaits",
        "called_back",
        "challenges",
        "codes",
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
        "stays",
        "tag",
        "text",
        "typ",
        "unshared",
        "until",
        "waiter",
    )

    def __init__(self, call: Call, waiter: Waiter | None = None) -> None:
        # (No ``super`` and no class attributes: there is one request for each command, and both are slower.)
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
        """The untagged responses of its answer; runs are not split yet."""
        self.aborted: error | None = None
        """Why it has no answer."""
        self.defect: Exception | None = None
        """What a plugin's function raised while this command was handled; its caller gets it."""
        self.sent = False
        """Whether its last bytes have been handed out: from then on the server may say OK."""
        self.accepted = False
        """Whether the server has accepted it once: from then on responses may be news."""
        self.news = self.stays = False
        """Whether news has come; whether it goes on listening then, since subscribers get the news."""
        self.abandoned = False
        self.released = False
        """Whether its waiter has been called; the waiter of an orphan is called before the answer comes."""
        self.aside: Sequence[Any] = ()
        """What the store held for ``response()`` when it was sent; put back if the server does not understand the command."""
        self.doubtful: list[tuple[Untagged, str]] | tuple[()] = ()
        """Responses that are its answer unless a certain one comes, each with the text of its defect."""
        self.codes: list[ResponseCode] | tuple[()] = ()
        """The response codes of untagged status responses that belong to its answer."""
        self.called_back = False
        """Whether its callback has been called."""
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
        """The moment at which it is interrupted, if it listens."""
        self.renew = inf
        """Seconds after which it is ended and sent again, if it listens."""
        self.refresh_at = inf
        self.hard = True
        """Whether the connection ends when it is late, as with imaplib2; else it is given up."""
        self.count = self.memory = 0
        """How many responses have come for it, and how many bytes of memory they take up."""
        self.progress = -inf
        """The moment of the last progress of this command itself."""
        self.unshared = 0
        """Bytes of its answer that have not yet counted as progress of the commands behind it."""

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
        """The responses received for it so far, the doubtful ones included."""
        return [*self.received, *(response for response, _ in self.doubtful)]

    @property
    def complete(self) -> bool:
        """Whether its answer has come, or never will. An orphan still waits for its answer, and is not complete."""
        return self.phase is DONE

    def end_exchange(self) -> None:
        """Close its exchange. (A generator that the interpreter closes swallows a ``KeyboardInterrupt``.)"""
        if self.exchange is not None:
            self.exchange.close()
            self.exchange = None

    def move(self, event: str) -> None:
        """Go on to the phase that follows ``event``."""
        self.phase = self.phase.after[event]

    def wants_interrupt(self, why: str) -> bool:
        """Note a reason to end it, unless a weightier one is noted; returns whether it listens, and can be ended now."""
        before = self.interrupted_by
        if not before or before == "refresh" or (before == "patience" and why == "news"):
            self.interrupted_by = why
        return self.phase is LISTENING

    def __repr__(self) -> str:
        return f"<Request {self.tag.decode()} {self.call.name} {self.phase}>"
