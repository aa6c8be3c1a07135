"""A command as a ``concurrent.futures.Future``, which can be cancelled."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from imapkit.errors import NestedCommandError

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request
    from imapkit.core.threads.worker import Worker

__all__ = ["CommandFuture", "FutureWaiter"]

_Result = TypeVar("_Result")


class CommandFuture(Future[_Result]):
    """The future result of a command. ``cancel`` gives the command up.

    A queued command is never sent. The answer of a command in flight is dropped when it comes; the server may have executed it.
    A command that is half sent (a literal, an exchange) ends the connection, because half a command cannot be taken back.
    """

    def __init__(self, name: str, worker: Worker) -> None:
        super().__init__()
        self._name, self._worker = name, worker
        self._give_up: Callable[[], object] | None = None

    def result(self, timeout: float | None = None) -> _Result:
        """See ``Future.result``. Raises ``NestedCommandError`` on the callback thread, unless the future is done."""
        self._check_thread()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """See ``Future.exception``. Raises ``NestedCommandError`` on the callback thread, unless the future is done."""
        self._check_thread()
        return super().exception(timeout)

    def _check_thread(self) -> None:
        if self._worker.is_here and not self.done():
            raise NestedCommandError(f"the callback thread completes the future of {self._name}: it would wait for itself")

    def cancel(self) -> bool:
        """Give the command up; False if its result is there already."""
        if not super().cancel():
            return False
        give_up, self._give_up = self._give_up, None
        if give_up is not None:
            give_up()
        return True

    def bind(self, give_up: Callable[[], object]) -> None:
        """``cancel`` calls ``give_up`` from now on."""
        self._give_up = give_up


class FutureWaiter(Generic[_Result]):
    """A waiter that has the worker complete a future."""

    def __init__(
        self,
        worker: Worker,
        future: CommandFuture[_Result],
        finish: Callable[[Request], _Result],
        answer: Callable[[Request], object],
        look: Callable[[Request], object],
    ) -> None:
        self._worker, self._finish, self._answer, self._look = worker, finish, answer, look
        self._future: CommandFuture[_Result] | None = future

    def done(self, request: Request) -> None:
        """Have the worker complete the future."""
        self._worker.put(partial(self._complete, request))
        request.waiter = None

    def ask(self, request: Request) -> None:
        """Have the worker answer the question, or request a moment from the clock."""
        if request.question is not None:
            self._worker.put(partial(self._answer, request))
        else:
            self._look(request)

    def _complete(self, request: Request) -> None:
        # An interrupted delivery is repeated: the second time the future is done already.
        future, self._future = self._future, None
        if future is None or not future.set_running_or_notify_cancel():
            return
        try:
            result = self._finish(request)
        except BaseException as exc:
            future.set_exception(exc)
        else:
            future.set_result(result)
