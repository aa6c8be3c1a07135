"""Subscribers: functions of the program that get events, in order, on the callback thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from threading import Lock
from typing import TYPE_CHECKING, Any

from imapkit.core.contract.events import Overflow, Unasked
from imapkit.core.contract.result import parse, parse_shape
from imapkit.core.support.log import logger
from imapkit.core.wire.memory import SINGLE
from imapkit.core.wire.response import CodeData, Untagged

if TYPE_CHECKING:
    from imapkit.core.contract.tables import Tables
    from imapkit.core.engine.engine import Engine
    from imapkit.core.threads.worker import Worker

__all__ = ["Subscribers", "Subscription"]


class Subscription:
    """What ``subscribe`` returns: a subscriber gets events until ``close``, or until the end of the ``with`` block."""

    __slots__ = ("function", "kinds", "subscribers")

    def __init__(self, subscribers: Subscribers, function: Callable[[Any], object], kinds: tuple[type, ...]) -> None:
        self.subscribers, self.function, self.kinds = subscribers, function, kinds

    def close(self) -> None:
        """End it. A call that has begun on the callback thread goes on."""
        self.subscribers.remove(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Subscribers:
    """The subscribers of one connection, and the queue of what they have not been given.

    The thread that holds the state lock puts responses in (``put``). The callback thread makes the events and calls the
    functions, without a lock. The queue has the bounds of the store (``Limits.stored``, ``stored_bytes``); beyond them
    responses are dropped, and an ``Overflow`` stands in their place.
    """

    def __init__(self, engine: Engine, worker: Worker, state_lock: AbstractContextManager[object]) -> None:
        self._engine, self._worker, self._state_lock = engine, worker, state_lock
        self._all: tuple[Subscription, ...] = ()
        self._lock = Lock()
        """Held for what follows only, and not while anything else is called."""
        self._queue: deque[Unasked | Overflow] = deque()
        self._memory = 0
        self._runs = False
        """Whether the worker has been asked to run ``_run``, and has not ended it."""

    def add(self, function: Callable[[Any], object], kinds: tuple[type, ...]) -> Subscription:
        """Have ``function`` called with each event of these classes, or with every event."""
        subscription = Subscription(self, function, (*kinds, Overflow) if kinds else ())
        with self._state_lock:
            self._all = (*self._all, subscription)
            self._engine.wanted = frozenset(self._engine.tables.events)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """End a subscription."""
        with self._state_lock:
            self._all = tuple(each for each in self._all if each is not subscription)
            if not self._all:
                self._engine.wanted = frozenset()

    def put(self, unasked: Iterable[Unasked]) -> None:
        """Queue what came; the caller holds the state lock, and wakes the worker later."""
        limits, queue = self._engine.limits, self._queue
        with self._lock:
            for each in unasked:
                size = each.memory + SINGLE
                if len(queue) < limits.stored and self._memory + size <= limits.stored_bytes:
                    queue.append(each)
                    self._memory += size
                elif queue and isinstance(queue[-1], Overflow):
                    queue[-1] = Overflow(queue[-1].lost + 1)
                else:
                    queue.append(Overflow(1))
            runs, self._runs = self._runs, True
        if not runs:
            self._worker.put(self._run)

    def _next(self) -> Unasked | Overflow | None:
        with self._lock:
            if not self._queue:
                self._runs = False
                return None
            came = self._queue.popleft()
            if isinstance(came, Unasked):
                self._memory -= came.memory + SINGLE
            return came

    def _run(self) -> None:
        """Give the subscribers all that is queued; on the callback thread."""
        while (came := self._next()) is not None:
            if isinstance(came, Overflow):
                self._tell(came)
                continue
            for value in _values(came, self._engine.tables, self._engine):
                for make in self._engine.tables.events.get(came.name, ()):
                    event = self._made(make, value, came)
                    if event is not None:
                        self._tell(event)

    def _made(self, make: Callable[[Any, Any], object], value: Any, came: Unasked) -> object:
        try:
            return make(value, came.mailbox)
        except Exception as exc:
            raw = came.came.text if isinstance(came.came, Untagged) else came.came.data or b""
            self._engine.defects.add(f"the family's function raised {exc!r}", raw)
            return None

    def _tell(self, event: object) -> None:
        for each in self._all:
            if not each.kinds or isinstance(event, each.kinds):
                try:
                    each.function(event)
                except BaseException:
                    # ``sys.exit()`` may not end the callback thread either.
                    logger().exception("a subscriber raised")


def _values(unasked: Unasked, tables: Tables, engine: Engine) -> Iterable[Any]:
    """What the response, or the code, says by its family's grammar; what cannot be read is noted."""
    nesting, came = engine.limits.nesting, unasked.came
    if isinstance(came, Untagged):
        found = parse((came,), tables, nesting)
    elif came.name in tables.codes:
        found = parse_shape(came.name, [CodeData(came.data or b"")], tables, nesting=nesting)
    else:
        return (came.data,)
    engine.defects.extend(found.defects)
    return found
