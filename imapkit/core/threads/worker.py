"""A thread on demand: it starts for a job, runs one job after the other, and ends when there has been none for a while."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeAlias

from imapkit.core.support.log import logger
from imapkit.core.threads.clock import CLOCK

__all__ = ["Job", "Worker"]

Job: TypeAlias = Callable[[], object]

_LINGER = 5.0
"""Seconds that the thread waits for another job; to start it anew takes some 100 us."""
_RETRY = 1.0
"""Seconds to the next try, where no thread can be had."""

_waiting: set[Worker] = set()
"""Workers with jobs and without a thread: the clock holds them weakly, and their jobs must not be lost."""


class Worker:
    """Runs jobs one after the other. ``put`` only hands over, so that it may be called under a lock; ``wake`` starts a thread.

    Where no thread can be had, the jobs wait: each ``wake`` tries again, and so does the clock. There is no lock in it that one
    thread waits for as another one holds it: a signal handler may call everything.
    """

    def __init__(self, name: str, linger: float = _LINGER) -> None:
        self._name, self._linger = name, linger
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._runs = threading.Lock()
        """Held by the thread that serves; it is only ever tried."""
        self._stopped = False
        self._threads: list[threading.Thread] = []
        """Those that have been started and have not ended: one that serves, and for a moment some that find that it does."""

    def post(self, job: Job) -> None:
        """Have ``job`` run. What it raises is logged."""
        self._jobs.put(job)
        self.wake()

    def put(self, job: Job) -> None:
        """The same, once ``wake`` is called."""
        self._jobs.put(job)

    def wake(self) -> None:
        """Start the thread if there are jobs and none serves. Never raises."""
        if self._jobs.empty() or self._runs.locked():
            return
        # Several threads may find this at once: of those that they start one serves.
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._threads.append(thread)
        try:
            thread.start()
        except RuntimeError as exc:
            self._forget(thread)
            self._try_later(exc)
        except BaseException:
            # This thread was interrupted; the new one may have been started all the same, and ends by itself.
            if thread.ident is None:
                self._forget(thread)
            raise

    def _try_later(self, exc: RuntimeError) -> None:
        if self not in _waiting:
            _waiting.add(self)
            logger().warning("%s: no thread can be had, the jobs wait: %s", self._name, exc)
        with contextlib.suppress(RuntimeError):
            CLOCK.at(monotonic() + _RETRY, self)

    def look(self, now: float) -> None:
        """The clock says that it is time to try again."""
        self.wake()

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is this worker's."""
        return bool(self._threads) and threading.current_thread() in self._threads

    def stop(self, patience: float | None) -> None:
        """End the thread once it has run what is left; wait ``patience`` seconds for that, unless called on it."""
        self._stopped = True
        if self._runs.locked():
            self._jobs.put(None)
        self.wake()
        if patience is not None and not self.is_here:
            self._join(monotonic() + patience)

    def _join(self, end: float) -> None:
        for thread in tuple(self._threads):
            if thread.ident is None:
                # Another thread is about to start it, and has its own reasons to.
                continue
            thread.join(min(max(end - monotonic(), 0.0), threading.TIMEOUT_MAX))
            if thread.is_alive():
                logger().warning("%s: a job is still running after the connection has ended", self._name)

    def _run(self) -> None:
        # A job that is put as the thread lets go finds either the lock held, and is served below, or free, and starts another.
        while not self._jobs.empty() and self._runs.acquire(blocking=False):
            try:
                self._serve()
            finally:
                self._runs.release()
        self._forget(threading.current_thread())

    def _forget(self, thread: threading.Thread) -> None:
        # (A thread whose start was interrupted may run all the same, and forgets itself.)
        with contextlib.suppress(ValueError):
            self._threads.remove(thread)

    def _serve(self) -> None:
        _waiting.discard(self)
        while True:
            try:
                job = self._jobs.get(timeout=0.0 if self._stopped else self._linger)
            except queue.Empty:
                return
            if job is not None:
                _run(job)
            # While the thread waits it must not keep alive what the job did: a client that no variable holds must go.
            del job


def _run(job: Job) -> None:
    try:
        job()
    except BaseException:
        # Neither sys.exit() in a callback nor a handler of the program's that breaks may end this thread: others need it.
        with contextlib.suppress(Exception):
            logger().exception("a callback raised")
