"""A thread on demand: it starts for a job, runs one job after the other, and ends when no job has come for a while."""

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
"""Seconds for which the thread waits for another job; to start one takes about 100 us."""
_RETRY = 1.0
"""Seconds to the next try, if a thread cannot be started."""

_waiting: set[Worker] = set()
"""Workers with jobs and without a thread. The clock holds them weakly; this keeps them, and their jobs, alive."""


class _Crew:
    """The jobs of a worker, and its threads."""

    __slots__ = ("jobs", "runs", "threads")

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.runs = threading.Lock()
        """Held by the thread that runs the jobs; it is only acquired without waiting."""
        self.threads: list[threading.Thread] = []
        """The threads that have been started and have not ended: one runs the jobs, others end at once."""


class Worker:
    """Runs jobs one after the other. ``put`` only fills a queue, so it may be called under a lock; ``wake`` starts a thread.

    If a thread cannot be started, the jobs wait: each ``wake`` tries again, and so does the clock. No method but ``stop`` blocks,
    so a signal handler may call them.
    """

    _crew: _Crew | None = None

    def __init__(self, name: str, linger: float = _LINGER) -> None:
        self._name, self._linger = name, linger
        self._stopped = False

    def _made(self) -> _Crew:
        """The crew, made for the first job: an idle connection has three workers without one."""
        # (One step: another thread, or a signal handler, may do the same meanwhile.)
        made: _Crew = vars(self).setdefault("_crew", _Crew())
        return made

    def post(self, job: Job) -> None:
        """Have ``job`` run. An exception that it raises is logged."""
        self.put(job)
        self.wake()

    def put(self, job: Job) -> None:
        """Have ``job`` run once ``wake`` is called."""
        (self._crew or self._made()).jobs.put(job)

    def wake(self) -> None:
        """Start the thread if there are jobs and no thread runs them. A failure to start it is retried, not raised."""
        crew = self._crew
        if crew is None or crew.jobs.empty() or crew.runs.locked():
            return
        # Several callers may start a thread at the same time: one of those runs the jobs.
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        crew.threads.append(thread)
        try:
            thread.start()
        except RuntimeError as exc:
            self._forget(thread)
            self._try_later(exc)
        except BaseException:
            # This thread was interrupted. The new one may have been started, and ends by itself.
            if thread.ident is None:
                self._forget(thread)
            raise

    def _try_later(self, exc: RuntimeError) -> None:
        if self not in _waiting:
            _waiting.add(self)
            logger().warning("%s: a thread cannot be started, the jobs wait: %s", self._name, exc)
        with contextlib.suppress(RuntimeError):
            CLOCK.at(monotonic() + _RETRY, self)

    def look(self, now: float) -> None:
        """See ``Watcher.look``: try again to start the thread."""
        self.wake()

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is this worker's."""
        crew = self._crew
        return crew is not None and bool(crew.threads) and threading.current_thread() in crew.threads

    def stop(self, patience: float | None) -> None:
        """End the thread once it has run the jobs that are left; wait ``patience`` seconds for that, unless called on it."""
        self._stopped = True
        crew = self._crew
        if crew is None:
            return
        if crew.runs.locked():
            crew.jobs.put(None)
        self.wake()
        if patience is not None and not self.is_here:
            self._join(crew, monotonic() + patience)

    def _join(self, crew: _Crew, end: float) -> None:
        for thread in tuple(crew.threads):
            if thread.ident is None:
                # Another caller is about to start it.
                continue
            thread.join(min(max(end - monotonic(), 0.0), threading.TIMEOUT_MAX))
            if thread.is_alive():
                logger().warning("%s: a job is still running after the connection has ended", self._name)

    def _run(self) -> None:
        crew = self._made()
        # The lock is released before the queue is looked at: a job put meanwhile is run by this loop, or starts another thread.
        while not crew.jobs.empty() and crew.runs.acquire(blocking=False):
            try:
                self._serve(crew)
            finally:
                crew.runs.release()
        self._forget(threading.current_thread())

    def _forget(self, thread: threading.Thread) -> None:
        # (A thread whose start was interrupted may run, and has then removed itself.)
        with contextlib.suppress(ValueError):
            self._made().threads.remove(thread)

    def _serve(self, crew: _Crew) -> None:
        _waiting.discard(self)
        while True:
            try:
                job = crew.jobs.get(timeout=0.0 if self._stopped else self._linger)
            except queue.Empty:
                return
            if job is not None:
                _run(job)
            # The waiting thread must not keep the job alive: it may hold the last reference to a client.
            del job


def _run(job: Job) -> None:
    try:
        job()
    except BaseException:
        # Neither sys.exit() in a callback nor an exception in the program's log handler may end this thread.
        with contextlib.suppress(Exception):
            logger().exception("a callback raised")
