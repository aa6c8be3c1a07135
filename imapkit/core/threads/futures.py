"""A command as a ``concurrent.futures.Future``, which can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from imapkit.errors import error

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request
    from imapkit.core.threads.worker import Worker

__all__ = ["CalledBack", "CommandFuture", "FutureWaiter", "without_frames"]

_Result = TypeVar("_Result")
_UNMADE: Any = object()


class CalledBack(Future[_Result]):
    """A future whose callbacks run on the connection's callback thread, one after the other."""

    def __init__(self, callbacks: Worker) -> None:
        super().__init__()
        self._callbacks = callbacks

    def add_done_callback(self, fn: Callable[[Future[_Result]], object]) -> None:
        """Have ``fn(future)`` called on the callback thread once the future is done."""
        super().add_done_callback(lambda future: self._callbacks.post(partial(fn, future)))

    def cancel(self) -> bool:
        """Cancel the future, unless it is done; ``wait`` and ``as_completed`` notice it at once. It may be called twice."""
        if not super().cancel():
            return False
        with self._condition:
            if self._state == "CANCELLED":
                self.set_running_or_notify_cancel()
        return True

    def claim(self) -> bool:
        """Whether the calling thread is the one that sets the result: it is neither set nor cancelled, and no longer can be."""
        with self._condition:
            return self._state == "PENDING" and self.set_running_or_notify_cancel()


class CommandFuture(CalledBack[_Result]):
    """The future result of a command. ``cancel`` gives the command up.

    A queued command is never sent. The answer of a command in flight is dropped when it comes; the server may have executed it.
    A command that is half sent (a literal, an exchange) ends the connection, because half a command cannot be taken back.

    The result is parsed once, on the thread that first asks for it.
    """

    def __init__(self, finish: Callable[[Request], _Result], callbacks: Worker) -> None:
        super().__init__(callbacks)
        self._finish = finish
        self._request: Request | None = None
        self._value: _Result = _UNMADE
        self._failure: BaseException | None = None
        self._making = threading.Lock()
        self._bound: tuple[Callable[[Request], object], Request] | None = None

    def result(self, timeout: float | None = None) -> _Result:
        """The result; see ``Future.result``. Raises the error of the command."""
        super().result(timeout)
        self._make()
        failure = self._failure
        if failure is None:
            return self._value
        try:
            raise failure
        finally:
            # (The error's traceback has this frame: future and error would keep one another alive.)
            del self, failure

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The error of the command, or None; see ``Future.exception``."""
        super().exception(timeout)
        self._make()
        return self._failure

    def _get_snapshot(self) -> tuple[bool, bool, _Result | None, BaseException | None]:
        """What ``asyncio.wrap_future`` reads from Python 3.14 on, in place of ``result``."""
        if not self.done() or self.cancelled():
            return self.done(), self.cancelled(), None, None
        self._make()
        return True, False, None if self._failure is not None else self._value, self._failure

    def _make(self) -> None:
        with self._making:
            request = self._request
            if request is None:
                return
            # In this order: if this thread is interrupted, the next call makes the result.
            try:
                self._value = self._finish(request)
            except Exception as exc:
                self._failure = without_frames(exc)
            self._request = None
            del self._finish

    def arrived(self, request: Request) -> None:
        """The command is over; on a thread of the connection. A second call does nothing."""
        if self.claim():
            self._request = request
            self.set_result(_UNMADE)
            self._bound = None

    def cancel(self) -> bool:
        """Give the command up; False if its result is there already."""
        if not super().cancel():
            return False
        bound, self._bound = self._bound, None
        if bound is not None:
            give_up, request = bound
            give_up(request)
        return True

    def bind(self, give_up: Callable[[Request], object], request: Request) -> None:
        """``cancel`` calls ``give_up(request)`` from now on."""
        self._bound = give_up, request
        if self.done():
            # It has arrived meanwhile. (The request would keep the command and its answer alive.)
            self._bound = None


def without_frames(exc: BaseException) -> BaseException:
    """An error to be kept: one of imapkit's without its traceback, whose frames would keep the command and its answer alive."""
    return exc.with_traceback(None) if isinstance(exc, error) else exc


class FutureWaiter(Generic[_Result]):
    """A waiter that has the worker complete a future."""

    __slots__ = ("_ask", "_future", "_worker")

    def __init__(self, worker: Worker, future: CommandFuture[_Result], ask: Callable[[Request], object]) -> None:
        self._worker, self._ask = worker, ask
        self._future: CommandFuture[_Result] | None = future

    def done(self, request: Request) -> None:
        """Have the worker complete the future."""
        self._worker.put(partial(self._complete, request))
        request.waiter = None

    def ask(self, request: Request) -> None:
        """Have a thread answer the question, or request a moment from the clock."""
        self._ask(request)

    def _complete(self, request: Request) -> None:
        # An interrupted delivery is repeated: the second time the future is done already.
        future, self._future = self._future, None
        if future is not None:
            future.arrived(request)
