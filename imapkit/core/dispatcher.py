"""The callback thread: results of commands that nobody waits for are made, and handed over, here.

It also keeps their time: a callback command that is late is found by this thread. Started at the first callback.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from math import inf

from imapkit.core.request import Request

__all__ = ["Dispatcher"]

logger = logging.getLogger("imapkit")

Job = Callable[[], object]


class Dispatcher:
    """Runs jobs one after the other on one thread."""

    def __init__(self, name: str, late: Callable[[Request], None], watched: Callable[[], Iterable[Request]]) -> None:
        self._name, self._late, self._watched = name, late, watched
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._next_check = inf
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._ended = False
        """The thread has taken its last job; it may be alive for a moment yet."""

    def watch(self, request: Request) -> None:
        """Keep the time of ``request``, which is in flight, until it is over."""
        request.watched = True
        deadline = request.deadline()
        if self._thread is not None and deadline >= self._next_check:
            # It will be looked at in time, with those before it.
            return
        with self._lock:
            if not self._stopped:
                self._start()
                self._next_check = min(self._next_check, deadline)
                self._jobs.put(_nothing)

    def post(self, job: Job) -> None:
        """Have ``job`` run; what it raises is logged. After the end, too, it runs on a thread of its own.

        Whoever posts it may be the reader, which a callback must not hold up.
        """
        with self._lock:
            self._start()
            self._jobs.put(job)
            if self._stopped:
                self._jobs.put(None)
                if self._ended or self._thread is None:
                    self._begin()

    def stop(self, patience: float | None) -> None:
        """End the thread once it has run what is left; wait so many seconds for that, unless called on it."""
        with self._lock:
            thread = self._thread
            if not self._stopped:
                self._stopped = True
                self._jobs.put(None)
        if patience is not None and thread is not None and thread is not threading.current_thread():
            thread.join(patience)
            if thread.is_alive():
                logger.warning("a callback is still running after the connection has ended")

    def _start(self) -> None:
        if self._thread is None and not self._stopped:
            self._begin()

    def _begin(self) -> None:
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def _is_the_end(self) -> bool:
        with self._lock:
            self._ended = self._jobs.empty()
            return self._ended

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=self._patience())
            except queue.Empty:
                self._check()
                continue
            if job is None:
                if self._is_the_end():
                    return
                continue
            _run(job)
            # While this thread waits it must not keep alive what the job did: a client that nobody holds must go.
            del job
            if time.monotonic() >= self._next_check:
                self._check()

    def _patience(self) -> float | None:
        rest = self._next_check - time.monotonic()
        return None if rest == inf else min(max(rest, 0.0), threading.TIMEOUT_MAX)

    def _check(self) -> None:
        """Find who is late; the others are looked at again when the first of them may be."""
        with self._lock:
            # From here on whoever is watched sees to it that it is looked at in time.
            self._next_check = inf
        now, late = time.monotonic(), []
        for request in self._watched():
            deadline = request.deadline()
            if deadline <= now:
                request.watched = False
                late.append(request)
            else:
                with self._lock:
                    self._next_check = min(self._next_check, deadline)
        for request in late:
            _run(partial(self._late, request))


def _run(job: Job) -> None:
    try:
        job()
    except Exception:
        # Not even a handler of the program's that breaks may end this thread.
        with contextlib.suppress(Exception):
            logger.exception("a callback raised")


def _nothing() -> None:
    """A job that only makes the thread look at the clock."""
