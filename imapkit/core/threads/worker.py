"""A thread on demand: it starts for a job, runs one job after the other, and ends when there has been none for a while."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TypeAlias

from imapkit.core.log import logger

__all__ = ["Job", "Worker"]

Job: TypeAlias = Callable[[], object]

_LINGER = 5.0
"""Seconds that the thread waits for another job; to start it anew takes some 100 us."""


class Worker:
    """Runs jobs one after the other. ``put`` only hands over, so that it may be called under a lock; ``wake`` starts a thread."""

    def __init__(self, name: str, linger: float = _LINGER) -> None:
        self._name, self._linger = name, linger
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._runs = threading.Lock()
        """Held by the thread while it serves."""
        self._stopped = False
        self._thread: threading.Thread | None = None

    def post(self, job: Job) -> None:
        """Have ``job`` run. What it raises is logged."""
        self._jobs.put(job)
        self.wake()

    def put(self, job: Job) -> None:
        """The same, once ``wake`` is called."""
        self._jobs.put(job)

    def wake(self) -> None:
        """Start the thread if there are jobs and none serves."""
        if not self._jobs.empty() and not self._runs.locked():
            # Several threads may find this at once: of those that they start one serves.
            threading.Thread(target=self._run, name=self._name, daemon=True).start()

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is this worker's."""
        return self._thread is threading.current_thread()

    def stop(self, patience: float | None) -> None:
        """End the thread once it has run what is left; wait ``patience`` seconds for that, unless called on it."""
        self._stopped = True
        thread = self._thread
        if self._runs.locked():
            self._jobs.put(None)
        if patience is not None and thread is not None and thread is not threading.current_thread():
            thread.join(patience)
            if thread.is_alive():
                logger().warning("%s: a job is still running after the connection has ended", self._name)

    def _run(self) -> None:
        # A job that is put as the thread lets go finds either the lock held, and is served below, or free, and starts another.
        while not self._jobs.empty() and self._runs.acquire(blocking=False):
            self._thread = threading.current_thread()
            try:
                self._serve()
            finally:
                self._thread = None
                self._runs.release()

    def _serve(self) -> None:
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
