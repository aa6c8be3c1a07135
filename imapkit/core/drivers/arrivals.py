"""Events on their way from a subscription to a stream of a family, which waits for them while a command listens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from imapkit.core.contract.events import Overflow
from imapkit.core.contract.wires import Flight

if TYPE_CHECKING:
    from imapkit.core.threads.connection import Connection

__all__ = ["EventQueue"]


class EventQueue:
    """The events of one stream, in order; see ``Arrivals``. Beyond ``Limits.stored`` an ``Overflow`` stands for what is lost."""

    def __init__(self, live: Connection, kinds: tuple[type, ...]) -> None:
        self._most = live.limits.stored
        self._events: deque[Any] = deque()
        self._lock = Lock()
        """Held for ``_events`` and ``_tell`` only; nothing else is called meanwhile."""
        self._tell: Callable[[], object] | None = None
        self._flight: Flight[Any] | None = None
        self._subscription = live.subscribe(self._put, *kinds)

    def _put(self, event: Any) -> None:
        """Add an event; on the callback thread."""
        events = self._events
        with self._lock:
            lost = event.lost if isinstance(event, Overflow) else 1
            if len(events) < self._most:
                events.append(event)
            elif isinstance(events[-1], Overflow):
                events[-1] = Overflow(events[-1].lost + lost)
            else:
                events.append(Overflow(lost))
        self.wake()

    def take(self) -> Any:
        """See ``Arrivals.take``."""
        with self._lock:
            return self._events.popleft() if self._events else None

    def next_during(self, flight: Flight[Any]) -> Flight[None]:
        """See ``Arrivals.next_during``."""
        if flight is not self._flight:
            self._flight = flight
            flight.when_over(self.wake)
        return _Arrival(self, flight)

    def close(self) -> None:
        """See ``Arrivals.close``."""
        self._subscription.close()

    @property
    def has_events(self) -> bool:
        """Whether there is an event to take."""
        return bool(self._events)

    def expect(self, tell: Callable[[], object]) -> None:
        """Have ``tell`` called once, at the next event or at the end of the command."""
        with self._lock:
            self._tell = tell

    def wake(self) -> None:
        """Call the function that ``expect`` got, unless it has been called."""
        # (It may be under the state lock: the functions of the drivers only hand over.)
        with self._lock:
            tell, self._tell = self._tell, None
        if tell is not None:
            tell()


class _Arrival(Flight[None]):
    """The next event, or the end of the command that listens."""

    __slots__ = ("_command", "_queue")

    def __init__(self, queue: EventQueue, command: Flight[Any]) -> None:
        self._queue, self._command = queue, command

    @property
    def over(self) -> bool:
        """See ``Flight.over``."""
        return self._queue.has_events or self._command.over

    def drop(self) -> None:
        """See ``Flight.drop``."""
        self._command.drop()

    def when_over(self, tell: Callable[[], object]) -> None:
        """See ``Flight.when_over``."""
        self._queue.expect(tell)
        if self.over:
            self._queue.wake()

    def take(self) -> None:
        """See ``Flight.take``."""
