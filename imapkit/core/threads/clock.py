"""The clock: one thread for the whole process, which calls watchers when their moments come.

The clock thread runs no code of the program, writes to no socket and never blocks: a watcher does its work on another thread.
The thread starts when the first moment is requested, and ends when no moment is left. Watchers are held weakly.
"""

from __future__ import annotations

import heapq
import os
import queue
import threading
import time
from collections.abc import Iterator
from math import inf
from typing import Protocol
from weakref import ref

from imapkit.core.support.log import logger

__all__ = ["CLOCK", "Clock", "Watcher"]


class Watcher(Protocol):
    """An object that the clock calls."""

    def look(self, now: float) -> None:
        """A requested moment has come. Called on the clock thread: it must not block."""


class Clock:
    """Calls each watcher at the earliest of the moments requested for it since its last call."""

    def __init__(self) -> None:
        # ``at`` and ``forget`` never wait for either of them, so a signal handler or a finalizer may call them, too.
        self._asked: queue.SimpleQueue[tuple[float, ref[Watcher]]] = queue.SimpleQueue()
        self._runs = threading.Lock()
        """Held by the clock thread while it runs."""

    def at(self, moment: float, watcher: Watcher) -> None:
        """Call ``watcher.look`` at ``moment`` (of ``time.monotonic``), or earlier."""
        self._asked.put((moment, ref(watcher)))
        if not self._runs.locked():
            # Several threads may start one at the same time: one of those keeps running.
            threading.Thread(target=self._run, name="imapkit clock", daemon=True).start()

    def forget(self, watcher: Watcher) -> None:
        """Drop the moments of ``watcher``."""
        # (A thread that has been started may not hold the lock yet; one that was interrupted in ``at`` may have started none.)
        if self._runs.locked() or not self._asked.empty():
            self._asked.put((inf, ref(watcher)))

    def _run(self) -> None:
        while not self._asked.empty() and self._runs.acquire(blocking=False):
            # A request made before the lock is released starts no thread: the loop looks at the queue again afterwards.
            try:
                self._keep(_Agenda())
            finally:
                self._runs.release()

    def _keep(self, agenda: _Agenda) -> None:
        while agenda.moments or not self._asked.empty():
            try:
                agenda.note(*self._asked.get(timeout=agenda.rest()))
            except queue.Empty:
                pass
            for watcher in agenda.due():
                try:
                    watcher.look(time.monotonic())
                except Exception:
                    logger().exception("a watcher of the clock raised")
                # The waiting thread must not keep the watcher alive.
                del watcher

    def forked(self) -> None:
        """Reset in a child of ``fork``, which has neither the thread nor the parent's watchers."""
        Clock.__init__(self)


class _Agenda:
    """The requested moments, the earliest first; only the clock thread uses it."""

    def __init__(self) -> None:
        self.moments: dict[int, float] = {}
        """The moment of each watcher, by the ``id`` of its reference, which the heap keeps."""
        self._heap: list[tuple[float, int, ref[Watcher]]] = []

    def note(self, moment: float, watcher: ref[Watcher]) -> None:
        """Take in a request; ``inf``: forget the watcher."""
        key = id(watcher)
        if moment == inf:
            self.moments.pop(key, None)
            self._tidy()
        elif moment < self.moments.get(key, inf):
            self.moments[key] = moment
            heapq.heappush(self._heap, (moment, key, watcher))

    def rest(self) -> float:
        """Seconds to the next moment."""
        self._skip()
        return min(max(self._heap[0][0] - time.monotonic(), 0.0), threading.TIMEOUT_MAX) if self._heap else 0.0

    def due(self) -> Iterator[Watcher]:
        """Remove and return the watchers whose moment has come."""
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            moment, key, reference = heapq.heappop(self._heap)
            if self.moments.get(key) == moment:
                del self.moments[key]
                watcher = reference()
                if watcher is not None:
                    yield watcher
                    del watcher

    def _skip(self) -> None:
        while self._heap and self.moments.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)

    def _tidy(self) -> None:
        """Drop outdated heap entries, once there are more of them than of others."""
        if len(self._heap) > 2 * len(self.moments) + 16:
            self._heap = [entry for entry in self._heap if self.moments.get(entry[1]) == entry[0]]
            heapq.heapify(self._heap)


CLOCK = Clock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CLOCK.forked)
