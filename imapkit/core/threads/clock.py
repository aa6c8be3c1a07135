"""The clock: one thread for the whole process, which tells connections that a moment has come.

It runs no code of the program's, writes to no socket and waits for nobody: whoever is told looks at what is late, and has that
seen to on a thread of its own. The thread is started when the first moment is asked for, and ends when there is none to wait for.
Those who ask are held weakly.
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
    """Who asks to be told."""

    def look(self, now: float) -> None:
        """The moment has come. On the clock's thread: it must not block."""


class Clock:
    """Tells each watcher at the earliest of the moments that it has asked for since it was told last."""

    def __init__(self) -> None:
        # Neither of them is ever waited for by those who ask, so that a signal handler or a finalizer may ask, too.
        self._asked: queue.SimpleQueue[tuple[float, ref[Watcher]]] = queue.SimpleQueue()
        self._runs = threading.Lock()
        """Held by the thread."""

    def at(self, moment: float, watcher: Watcher) -> None:
        """Have ``watcher`` look at ``moment`` (of ``time.monotonic``), or before that."""
        self._asked.put((moment, ref(watcher)))
        if not self._runs.locked():
            # Several threads may find this at once: of those that they start one goes on.
            threading.Thread(target=self._run, name="imapkit clock", daemon=True).start()

    def forget(self, watcher: Watcher) -> None:
        """It need not look any more."""
        if self._runs.locked():
            self._asked.put((inf, ref(watcher)))

    def _run(self) -> None:
        while not self._asked.empty() and self._runs.acquire(blocking=False):
            # Who asks before the lock is released starts no thread: so the queue is looked at after it has been.
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
                    logger().exception("the clock told somebody who could not look")
                # While the thread waits it must keep nobody alive.
                del watcher

    def forked(self) -> None:
        """In a child of ``fork`` there is no thread, and nobody of the parent's to be told."""
        Clock.__init__(self)


class _Agenda:
    """The moments asked for, the earliest first; known to the clock's thread only."""

    def __init__(self) -> None:
        self.moments: dict[int, float] = {}
        """When each is to be told, by the ``id`` of its reference, which the heap keeps."""
        self._heap: list[tuple[float, int, ref[Watcher]]] = []

    def note(self, moment: float, watcher: ref[Watcher]) -> None:
        """Take in what was asked for; ``inf``: nothing any more."""
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
        """Those whose moment has come."""
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
        """What is not waited for any more may be far off, and goes once it is more than what is."""
        if len(self._heap) > 2 * len(self.moments) + 16:
            self._heap = [entry for entry in self._heap if self.moments.get(entry[1]) == entry[0]]
            heapq.heapify(self._heap)


CLOCK = Clock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CLOCK.forked)
