"""What the engine tells of a command: a caller that waits, or a function to be called back. Both only hand over."""

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
    """Release a lock that another thread waits for; it may be open already."""
    try:
        latch.release()
    except RuntimeError:
        pass


class Latch:
    """A caller that waits for its command."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        # (Most callers read their own answer, and never wait for another thread.)
        self._lock: threading.Lock | None = None

    @property
    def is_open(self) -> bool:
        """Whether ``shut`` is needed before ``wait``."""
        return self._lock is None

    def shut(self, request: Request) -> None:
        """From now on ``wait`` waits, unless there is something to do. Once submitted, the caller needs the state lock."""
        self._lock = lock = threading.Lock()
        if not request.released and request.question is None:
            lock.acquire()

    def wait(self, seconds: float) -> bool:
        """Wait until there is something to do, for so many seconds at most; whether there is."""
        assert self._lock is not None
        return self._lock.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))

    def done(self, request: Request) -> None:
        """Wake the caller."""
        if self._lock is not None:
            open_latch(self._lock)

    def ask(self, request: Request) -> None:
        """Wake the caller, if it is to answer, or to wait for a nearer moment. (One whose command is being ended just waits.)"""
        if self._lock is not None and (request.question is not None or request.phase is LISTENING):
            open_latch(self._lock)


class CallBack:
    """``on_done(request)`` is called on the worker, and so is ``answer(request)`` for a question of the command's exchange."""

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
        """Where it is given, both functions only hand over, and are called at once, under the state lock."""
        self._worker, self._on_done, self._answer, self._look = worker, on_done, answer, look
        self.fresh = True
        """``submit`` has not returned: a command that is refused at once raises there."""

    def done(self, request: Request) -> None:
        """Have the function called."""
        if self.fresh:
            return
        # In this order: an interruption in between has it called twice, which the function notices; never not at all.
        if self._on_accepted is not None:
            self._on_done(request)
        else:
            self._worker.put(partial(self._on_done, request))
        request.waiter = None

    def ask(self, request: Request) -> None:
        """Have the question answered, or the clock told."""
        if request.question is not None:
            self._worker.put(partial(self._answer, request))
            return
        if request.accepted and self._on_accepted is not None:
            self._on_accepted()
        self._look(request)
