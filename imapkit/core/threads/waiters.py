"""Waiters of commands: a caller that waits, or a callback. Both only open a latch or fill a queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from imapkit.core.engine.phases import LISTENING

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request
    from imapkit.core.threads.worker import Worker

__all__ = ["CallBack", "Latch", "open_latch"]


def open_latch(latch: threading.Lock) -> None:
    """Release a lock that another thread waits for; it may be released already."""
    try:
        latch.release()
    except RuntimeError:
        pass


class Latch:
    """A caller that waits for its command."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        # (Most callers read their own answer, and need no lock.)
        self._lock: threading.Lock | None = None

    @property
    def is_open(self) -> bool:
        """Whether ``shut`` is needed before ``wait``."""
        return self._lock is None

    def shut(self, request: Request) -> None:
        """Make ``wait`` wait, unless the command is over or has a question. After ``submit`` the caller holds the state lock."""
        self._lock = lock = threading.Lock()
        if not request.released and request.question is None:
            lock.acquire()

    def wait(self, seconds: float) -> bool:
        """Wait for ``done`` or ``ask``, for ``seconds`` at most; returns whether one was called."""
        assert self._lock is not None
        return self._lock.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))

    def done(self, request: Request) -> None:
        """Wake the caller."""
        if self._lock is not None:
            open_latch(self._lock)

    def ask(self, request: Request) -> None:
        """Wake the caller, if it is to answer, or to wait for an earlier moment; not while its command is being ended."""
        if self._lock is not None and (request.question is not None or request.phase is LISTENING):
            open_latch(self._lock)


class CallBack:
    """Has the worker call ``on_done(request)``, and ``answer(request)`` for a question of the command's exchange."""

    __slots__ = ("_answer", "_look", "_on_accepted", "_on_done", "_worker", "fresh")

    def __init__(
        self,
        worker: Worker,
        on_done: Callable[[Request], object],
        answer: Callable[[Request], object],
        look: Callable[[Request], object],
        on_accepted: Callable[[], object] | None = None,
    ) -> None:
        self._on_accepted = on_accepted
        """If it is given, it and ``on_done`` are called at once, under the state lock."""
        self._worker, self._on_done, self._answer, self._look = worker, on_done, answer, look
        self.fresh = True
        """Whether ``submit`` has not returned, and raises the error if the command is refused."""

    def done(self, request: Request) -> None:
        """Have ``on_done`` called."""
        if self.fresh:
            return
        # In this order: an interruption in between calls the function twice, which it notices, and never leaves it out.
        if self._on_accepted is not None:
            self._on_done(request)
        else:
            self._worker.put(partial(self._on_done, request))
        request.waiter = None

    def ask(self, request: Request) -> None:
        """Have the worker answer the question, or request a moment from the clock."""
        if request.question is not None:
            self._worker.put(partial(self._answer, request))
            return
        if request.accepted and self._on_accepted is not None:
            self._on_accepted()
        self._look(request)
