"""Which lock is taken while which is held: a possible deadlock is found although it does not happen.

::

    with watched_locks("imapkit.") as locks:
        ...                                  # every lock that these modules make meanwhile is watched
    assert locks.problems() == []

A lock used by ``with`` is a mutex: those held and the one wanted make an edge, from the line that made the one to the line that
made the other, and a cycle of edges is a deadlock that waits for its moment. One used by ``acquire()`` is a latch, which another
thread opens: a thread that waits for it, or for the end of a thread, must hold no mutex.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

__all__ = ["Locks", "watched_locks"]


class Locks:
    """What has been seen of the locks."""

    def __init__(self) -> None:
        self.made = self.taken = 0
        self.edges: dict[str, set[str]] = {}
        self._wrong: set[str] = set()
        self._own = threading.local()

    @property
    def held(self) -> list[WatchedLock]:
        """The mutexes that this thread holds."""
        if not hasattr(self._own, "held"):
            self._own.held = []
        found: list[WatchedLock] = self._own.held
        return found

    def wanted(self, lock: WatchedLock) -> None:
        """This thread is about to take a mutex."""
        self.taken += 1
        for other in self.held:
            if other is lock:
                self._wrong.add(f"{lock.site} is taken again by the thread that holds it")
            self.edges.setdefault(other.site, set()).add(lock.site)

    def waits(self, what: str) -> None:
        """This thread is about to wait for another one."""
        if self.held:
            self._wrong.add(f"{what} is waited for with {', '.join(lock.site for lock in self.held)} held")

    def problems(self) -> list[str]:
        """What was wrong, and the cycles."""
        return sorted(self._wrong) + [" -> ".join(cycle) for cycle in self._cycles()]

    def _cycles(self) -> Iterator[list[str]]:
        done: set[str] = set()

        def walk(path: list[str]) -> Iterator[list[str]]:
            for following in sorted(self.edges.get(path[-1], ())):
                if following in path:
                    yield [*path[path.index(following) :], following]
                elif following not in done:
                    yield from walk([*path, following])
            done.add(path[-1])

        for site in sorted(self.edges):
            if site not in done:
                yield from walk([site])


class WatchedLock:
    """A ``threading.Lock`` that reports its use to ``Locks``."""

    def __init__(self, locks: Locks, site: str) -> None:
        self._lock: Any = _thread.allocate_lock()
        self._locks, self.site = locks, site
        self._closed_once = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Close the latch, or wait until it is open."""
        if self._closed_once and blocking and timeout != 0:
            self._locks.waits(self.site)
        self._closed_once = True
        return bool(self._lock.acquire(blocking, timeout))

    def release(self) -> None:
        """Open the latch."""
        self._lock.release()

    def locked(self) -> bool:
        """Whether it is closed."""
        return bool(self._lock.locked())

    def _wanted(self) -> None:
        self._locks.wanted(self)

    def __enter__(self) -> bool:
        self._wanted()
        self._lock.acquire()
        self._locks.held.append(self)
        return True

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None) -> None:
        self._locks.held.remove(self)
        self._lock.release()


class WatchedRLock(WatchedLock):
    """A ``threading.RLock``, which the thread that holds it may take again."""

    def __init__(self, locks: Locks, site: str) -> None:
        super().__init__(locks, site)
        self._lock = _thread.RLock()

    def _is_owned(self) -> bool:
        """Whether the calling thread holds it."""
        return bool(self._lock._is_owned())

    def _wanted(self) -> None:
        if self not in self._locks.held:
            super()._wanted()


@contextmanager
def watched_locks(prefix: str) -> Iterator[Locks]:
    """Watch every lock that modules make whose names begin like this, and every ``join`` of a thread."""
    locks, join, makers = Locks(), threading.Thread.join, (threading.Lock, threading.RLock)

    def watching(make: Callable[[], Any], kind: type[WatchedLock]) -> Callable[[], Any]:
        def lock() -> Any:
            frame = sys._getframe(1)
            if not frame.f_globals.get("__name__", "").startswith(prefix):
                return make()
            locks.made += 1
            return kind(locks, f"{frame.f_globals['__name__']}:{frame.f_lineno}")

        return lock

    def waiting_join(thread: threading.Thread, timeout: float | None = None) -> None:
        locks.waits(f"the end of a thread ({thread.name.split()[-1]})")
        join(thread, timeout)

    threading.Thread.join = waiting_join  # type: ignore[assignment, method-assign]
    threading.Lock, threading.RLock = watching(makers[0], WatchedLock), watching(makers[1], WatchedRLock)  # type: ignore[assignment]
    try:
        yield locks
    finally:
        threading.Thread.join = join  # type: ignore[method-assign]
        threading.Lock, threading.RLock = makers
