"""The callback thread: results of commands that nobody waits for are made, and handed over, here.

What such a command needs done in time (an end to its patience, or to a connection on which it is late) is done here, too, once
the clock has found it. The thread is started for the first job, and ends when there has been none for a while.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable
from functools import partial
from math import inf

from imapkit.core.clock import CLOCK, Clock
from imapkit.core.log import logger
from imapkit.core.request import Request

__all__ = ["Dispatcher"]

Job = Callable[[], object]

_LINGER = 5.0
"""Seconds without a job after which the thread ends; to start it anew takes some 100 us."""
_RETRY = 1.0
"""When there can be no more threads: seconds until the next try."""


class Dispatcher:
    """Runs jobs one after the other on one thread."""

    def __init__(
        self,
        name: str,
        late: Callable[[Request], None],
        watched: Callable[[], Iterable[Request]],
        clock: Clock = CLOCK,
        linger: float = _LINGER,
    ) -> None:
        self._name, self._late, self._watched, self._clock, self._linger = name, late, watched, clock, linger
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._next_look = inf
        """The clock has been asked for a look at this moment, or before it."""
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._ended = True
        """The thread has taken its last job; it may be alive for a moment yet."""

    def watch(self, request: Request) -> None:
        """Keep the time of ``request``, which is in flight, until it is over."""
        request.watched = True
        self._ask(request.deadline())

    def _ask(self, moment: float) -> None:
        if moment >= self._next_look:
            # It will be looked at in time, with those before it.
            return
        with self._lock:
            if not self._stopped and moment < self._next_look:
                # In this order: an interruption between the two must not leave a moment that nobody waits for.
                self._clock.at(moment, self)
                self._next_look = moment

    def look(self, now: float) -> None:
        """Have those seen to who are late; the others are looked at again when the first of them may be."""
        with self._lock:
            # From here on whoever is watched sees to it that it is looked at in time.
            self._next_look = inf
        earliest, late = inf, []
        for request in self._watched():
            deadline = request.deadline()
            if deadline <= now:
                request.watched = False
                late.append(request)
            else:
                earliest = min(earliest, deadline)
        if late and not self._has_posted(partial(self._see_to, late)):
            for request in late:
                request.watched = True
            earliest = now + _RETRY
        self._ask(earliest)

    def _has_posted(self, job: Job) -> bool:
        try:
            self.post(job)
        except RuntimeError as exc:
            logger().warning("a command is late, and nobody can see to it yet: %s", exc)
            return False
        return True

    def _see_to(self, late: list[Request]) -> None:
        for request in late:
            _run(partial(self._late, request))
            if not request.complete and not request.watched:
                self.watch(request)

    def post(self, job: Job) -> None:
        """Have ``job`` run; what it raises is logged. After the end, too, it runs on a thread of its own.

        Whoever posts it may be the reader, which a callback must not hold up.
        """
        with self._lock:
            if self._ended:
                self._begin()
            self._jobs.put(job)
            if self._stopped:
                self._jobs.put(None)

    def stop(self, patience: float | None) -> None:
        """End the thread once it has run what is left; wait so many seconds for that, unless called on it."""
        with self._lock:
            thread = self._thread
            if not self._stopped:
                self._stopped = True
                self._jobs.put(None)
        if self._next_look < inf:
            self._clock.forget(self)
        if patience is not None and thread is not None and thread is not threading.current_thread():
            thread.join(patience)
            if thread.is_alive():
                logger().warning("a callback is still running after the connection has ended")

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        thread.start()
        self._thread, self._ended = thread, False

    def _is_the_end(self) -> bool:
        with self._lock:
            self._ended = self._jobs.empty()
            if self._ended and not self._stopped:
                # Nobody need wait for it, and its stack can go.
                self._thread = None
            return self._ended

    def _run(self) -> None:
        while True:
            job = self._next()
            if job is not None:
                _run(job)
                # While this thread waits it must not keep alive what the job did: a client that nobody holds must go.
                del job
            elif self._is_the_end():
                return

    def _next(self) -> Job | None:
        try:
            return self._jobs.get(timeout=self._linger)
        except queue.Empty:
            return None


def _run(job: Job) -> None:
    try:
        job()
    except BaseException:
        # Neither sys.exit() in a callback nor a handler of the program's that breaks may end this thread: others wait for it.
        with contextlib.suppress(Exception):
            logger().exception("a callback raised")
