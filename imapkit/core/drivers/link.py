"""What all faces of one connection share: it sends the commands of families' typed calls, and makes their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from imapkit.core.contract.streamed import StreamedCall
from imapkit.core.contract.wires import Flight, Reply, Wire
from imapkit.core.engine import outcome
from imapkit.core.threads.channel import Channel
from imapkit.core.threads.target import Target
from imapkit.errors import DeadlineExceeded

if TYPE_CHECKING:
    import ssl

    from imapkit.core.contract.call import Call
    from imapkit.core.contract.option import Chosen
    from imapkit.core.contract.result import Log
    from imapkit.core.contract.session import Session
    from imapkit.core.contract.tables import Tables
    from imapkit.core.contract.typed import Box
    from imapkit.core.drivers.arrivals import EventQueue
    from imapkit.core.engine.request import Request
    from imapkit.core.plugins.registry import Registry
    from imapkit.core.threads.connection import Connection

__all__ = ["Link", "Making", "Raw", "Sent", "deadline_of", "seconds_left"]

T = TypeVar("T")


class Raw(Protocol):
    """The client with imaplib2's methods, as far as typed calls use it."""

    _registry: Registry

    @property
    def _live(self) -> Connection: ...

    def _known_capabilities(self) -> tuple[str, ...]: ...

    def _use_tls(self, **settings: Any) -> Callable[[], None]: ...

    def _encode(
        self,
        name: str,
        args: tuple[Any, ...],
        uid: bool = ...,
        reply: Any = ...,
        layer: Any = ...,
        generic: bool = ...,
        force: bool = ...,
        results: tuple[str, ...] | None = ...,
        writes: tuple[str, ...] = ...,
        additions: Sequence[Chosen] = ...,
    ) -> Call: ...


class Link:
    """Sends ``Wire`` values over the connection of ``raw``."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    @property
    def session(self) -> Session:
        """The state of the session."""
        return self.raw._live.engine.session

    @property
    def tables(self) -> Tables:
        """What the families of the client read."""
        return self.raw._registry

    @property
    def log(self) -> Log:
        """Where defects are noted."""
        return self.raw._live.engine.defects

    @property
    def nesting(self) -> int:
        """``Limits.nesting``."""
        return self.raw._live.limits.nesting

    def check_view(self, commands: type, box: Box | None) -> None:
        """Raise for typed commands that no family of the client has, or that need a mailbox."""
        self.raw._registry.check_typed(commands, box is not None)

    @property
    def knows_capabilities(self) -> bool:
        """Whether the server's capabilities are known; a login makes them unknown, unless the server announces them."""
        live = self.raw._live
        return live.engine.session.capabilities is not None or not live.open

    def ask_capabilities(self) -> None:
        """Ask for the server's capabilities if they are not known. It waits for the answer."""
        self.raw._known_capabilities()

    def offers(self, registry: str) -> Mapping[str, Any]:
        """What the families add to an open registry (``Family.offers``)."""
        return self.raw._registry.offers(registry)

    def arrivals(self, *kinds: type) -> EventQueue:
        """What no command asks for, from now on, as events of these classes, and ``Overflow``."""
        # (Few programs need it.)
        from imapkit.core.drivers.arrivals import EventQueue

        return EventQueue(self.raw._live, kinds)

    def use_tls(self, ssl_context: ssl.SSLContext | None) -> Callable[[], None]:
        """The function that puts TLS on the connection (``Commands._use_tls``); None stands for the client's own context."""
        return self.raw._use_tls(ssl_context=ssl_context)

    def passage(self) -> Channel:
        """A channel for one literal of an answer."""
        return Channel()

    def destination(self, to: Any, resume: bool) -> Target:
        """A file, or the path of one, to which a body is written. Raises ``ArgumentError``."""
        return Target(to, resume=resume)

    def prepared(self, wire: Wire[Any], box: Box | None, deadline: float | None) -> tuple[Call, float | None]:
        """The command, encoded, and the seconds that it has.

        Raises ``ArgumentError`` for what cannot be sent, ``MailboxClosed`` and ``DeadlineExceeded``.
        """
        call = self.raw._encode(
            wire.name,
            wire.args,
            wire.uid,
            wire.reply,
            wire.layer,
            results=wire.result,
            writes=wire.writes,
            additions=wire.options,
        )
        if box is not None:
            call.selection = box.check(call.name)
        return call, None if deadline is None else seconds_left(deadline, call.name)

    def perform(self, wire: Wire[T], box: Box | None, deadline: float | None) -> T:
        """Send a command, wait for its answer, and return its result. Raises the error of the command."""
        call, left = self.prepared(wire, box, deadline)
        return self.made(wire, self.raw._live.callers.perform(call, left, hard=False))

    def begin(self, wire: Wire[T], box: Box | None, deadline: float | None) -> Sent[T]:
        """Queue a command, and return at once."""
        call, left = self.prepared(wire, box, deadline)
        sent, live = Sent(self, wire), self.raw._live
        if wire.listening is not None:
            sent.request = live.callers.listen(call, sent, wire.listening)
            return sent
        if wire.sink is None:
            sent.request = live.callers.enqueue(call, sent, timeout=left)
            return sent
        disclaim = live.claim_literals()
        claims = [disclaim]
        sent.when_over(lambda: claims and claims.pop()())
        try:
            sent.request = live.callers.enqueue(StreamedCall(call, wire.sink), sent, timeout=left)
        except BaseException:
            if claims:
                claims.pop()()
            raise
        return sent

    def made(self, wire: Wire[T], request: Request) -> T:
        """The result of a command that is over. Raises its error: for NO and BAD, too."""
        engine = self.raw._live.engine
        outcome.check(request, engine)
        if request.typ != "OK":
            raise outcome.refusal_by_code(request, engine)
        return wire.parse(Reply(request, self))


class Making(Generic[T]):
    """Makes the result of a command that is over, when it is called. (A partial would be three objects for each future.)"""

    __slots__ = ("_link", "_wire")

    def __init__(self, link: Link, wire: Wire[T]) -> None:
        self._link, self._wire = link, wire

    def __call__(self, request: Request) -> T:
        return self._link.made(self._wire, request)


class Sent(Flight[T]):
    """A command that was queued by ``Begin``. It is the command's waiter."""

    __slots__ = ("_link", "_request", "_tells", "_wire", "request")

    def __init__(self, link: Link, wire: Wire[T]) -> None:
        self._link, self._wire = link, wire
        self.request: Request | None = None
        self._request: Request | None = None
        self._tells: list[Callable[[], object]] = []

    @property
    def over(self) -> bool:
        """See ``Flight.over``."""
        return self._request is not None

    def done(self, request: Request) -> None:
        """See ``Waiter.done``."""
        # In this order: ``when_over`` looks at ``over`` after it has added its function, and an interrupted delivery is repeated.
        self._request = request
        self._tell()
        request.waiter = None

    def ask(self, request: Request) -> None:
        """See ``Waiter.ask``."""
        self._link.raw._live.callers.ask(request)

    def when_over(self, tell: Callable[[], object]) -> None:
        """See ``Flight.when_over``."""
        self._tells.append(tell)
        if self.over:
            self._tell()

    def _tell(self) -> None:
        # (Two threads may be here at the same time, or this one may be interrupted: then a function is called twice.)
        for tell in tuple(self._tells):
            tell()
            with suppress(ValueError):
                self._tells.remove(tell)

    def drop(self) -> None:
        """See ``Flight.drop``."""
        if not self.over and self.request is not None:
            self._link.raw._live.callers.give_up(self.request)

    def take(self) -> T:
        """See ``Flight.take``."""
        assert self._request is not None
        return self._link.made(self._wire, self._request)


def deadline_of(obj: Any) -> float | None:
    """The moment at which a call of a typed object that begins now is late; None if it has no limit."""
    timeout: float | None = obj._timeout
    return None if timeout is None else monotonic() + timeout


def seconds_left(deadline: float, name: str) -> float:
    """The seconds to a deadline. Raises ``DeadlineExceeded`` if there are none."""
    left = deadline - monotonic()
    if left <= 0:
        raise DeadlineExceeded(f"{name}: the time was over before it could be sent")
    return left
