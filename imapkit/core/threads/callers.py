"""The ways in which callers send commands: to wait for the end, to be called back, or to get a future."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from imapkit.core.engine.outcome import check
from imapkit.core.engine.phases import LISTENING
from imapkit.core.engine.request import Request
from imapkit.core.support import process
from imapkit.core.threads.waiters import CallBack, Latch
from imapkit.errors import ConnectionClosed, NestedCommandError

if TYPE_CHECKING:
    from imapkit.core.contract.call import Call
    from imapkit.core.threads.challenges import Challenges
    from imapkit.core.threads.courier import Courier
    from imapkit.core.threads.deadlines import Deadlines
    from imapkit.core.threads.futures import CommandFuture
    from imapkit.core.threads.inline import Inline
    from imapkit.core.threads.reader import Reader
    from imapkit.core.threads.steps import Steps
    from imapkit.core.threads.taking import Taking
    from imapkit.core.threads.worker import Worker

__all__ = ["Callers"]

_Result = TypeVar("_Result")


class Callers:
    """Sends commands for the threads of the program. Every method may be called from any thread."""

    def __init__(
        self,
        steps: Steps,
        courier: Courier,
        inline: Inline,
        reader: Reader,
        deadlines: Deadlines,
        challenges: Challenges,
        callbacks: Worker,
    ) -> None:
        self._steps, self._courier, self._inline, self._reader = steps, courier, inline, reader
        self._deadlines, self._challenges, self._callbacks = deadlines, challenges, callbacks
        self._engine, self._process = steps.engine, process.current

    def perform(
        self, call: Call, timeout: float | None = None, patience: float | None = None, renew: float | None = None
    ) -> Request:
        """Send a command, and wait for its end. Raises ``abort``, or what a plugin raised for it."""
        self._check_process()
        self.check_not_nested(call.name)
        latch = Latch()
        request = Request(call, latch)
        if not self._inline.is_open:
            # (It is not submitted yet: no lock is needed.)
            latch.shut(request)
        if not (timeout is patience is renew is None):
            self._set_times(request, timeout, patience, renew)
        self._inline.abdicate()
        try:
            self._courier.run(self._engine.submit, request)
            again = monotonic() + self._engine.window / 2
            while not request.released:
                again = self._wait(request, latch, again)
        except BaseException as exc:
            self._courier.run(self._engine.abandon, request)
            _forget_frames(request, exc)
            raise
        check(request, self._engine)
        return request

    def _wait(self, request: Request, latch: Latch, again: float) -> float:
        """Wait until there is something to do; the moment at which to look again."""
        if request.question is not None:
            self._challenges.answer(request)
            return again
        self._inline.lead(request, again)
        if request.released or request.question is not None:
            return again
        if latch.is_open:
            with self._steps.lock:
                latch.shut(request)
        moment = min(request.limit, request.until, request.refresh_at, again)
        if latch.wait(moment - monotonic()):
            return again
        self._deadlines.tick()
        with self._steps.lock:
            return max(self._engine.deadline(), monotonic() + 0.01)

    def submit(
        self,
        call: Call,
        on_done: Callable[[Request], object],
        on_accepted: Callable[[], object] | None = None,
        *,
        timeout: float | None = None,
        patience: float | None = None,
        renew: float | None = None,
    ) -> Request:
        """Queue a command; never waits. ``on_done`` is called when it is over; what is refused at once raises.

        ``on_accepted`` is called when the server has accepted a command that goes on until it is ended. With it, both are called
        under the state lock, and only hand over.
        """
        called = CallBack(self._callbacks, on_done, self._challenges.answer, self._look_again, on_accepted)
        request = Request(call, called)
        if not (timeout is patience is renew is None):
            self._set_times(request, timeout, patience, renew)
        self._inline.abdicate()
        self._queue(request, partial(self._leave, request, called))
        return request

    def _queue(self, request: Request, leave: Callable[[], None] | None) -> None:
        """Have the engine queue the command, then ``leave``; the command is given up if an exception comes in between.

        The clock and the reader thread look after it, since no caller waits.
        """
        self._check_process()
        moment = self._first_look(request)
        # Before anything is queued: without a clock it would not be known that the command is late.
        self._deadlines.promise(moment)
        try:
            self._courier.run(self._engine.submit, request)
            if leave is not None:
                leave()
            # Once more: the clock may have looked before the command was there.
            self._deadlines.want(moment)
            self._deadlines.ask()
            self._inline.call()
        except BaseException as exc:
            if not request.released:
                self._courier.run(self._engine.abandon, request)
            _forget_frames(request, exc)
            raise

    def _look_again(self, request: Request) -> None:
        listens = request.phase is LISTENING
        self._deadlines.want(min(request.refresh_at if listens else inf, self._first_look(request)))

    def _first_look(self, request: Request) -> float:
        # (In half the window: see ``Uplink.look``.)
        return min(request.limit, request.until, monotonic() + self._engine.window / 2)

    @staticmethod
    def _set_times(request: Request, timeout: float | None, patience: float | None, renew: float | None) -> None:
        now = monotonic()
        if timeout is not None:
            request.limit = now + timeout
        if patience is not None:
            request.until = now + patience
        if renew is not None:
            request.renew = renew

    def _check_process(self) -> None:
        if self._process != process.current:
            raise ConnectionClosed("the connection is that of the process that opened it, and this one is its child")

    def check_not_nested(self, name: str) -> None:
        """Raise ``NestedCommandError`` if the calling thread must not wait for an answer."""
        self._challenges.check(name)
        reads = self._reader.ident
        if (reads and get_ident() == reads) or (self._steps.inside and self._steps.is_here):
            raise NestedCommandError(f"{name} was issued on the thread that reads the answers")
        if self._courier.worker.is_here:
            raise NestedCommandError(f"{name} was issued on the thread that sends the commands")

    def _leave(self, request: Request, called: CallBack) -> None:
        """The caller goes; from now on the command's waiter is called back."""
        with self._steps.lock:
            released = request.released
            refused = released and not request.tag
            called.fresh = False
            if released and not refused:
                called.done(request)
        if refused:
            request.waiter = None
            check(request, self._engine)
        self._callbacks.wake()

    def give_up(self, request: Request) -> None:
        """The caller of a command does not want its answer any more."""
        self._courier.run(self._engine.abandon, request)

    def submit_future(
        self,
        call: Call,
        finish: Callable[[Request], _Result],
        *,
        timeout: float | None = None,
        taking: Taking | None = None,
    ) -> CommandFuture[_Result]:
        """Queue a command, and return its future: ``finish`` makes the result on the callback thread. A late one is given up.

        With ``taking`` the result is there once the body is, too.
        """
        # (It loads ``logging``.)
        from imapkit.core.threads.futures import CommandFuture, FutureWaiter

        future: CommandFuture[_Result] = CommandFuture()
        waiter = FutureWaiter(self._callbacks, future, finish, self._challenges.answer, self._look_again)
        request = Request(call, waiter if taking is None else taking.before(waiter))
        request.hard = False
        if timeout is not None:
            self._set_times(request, timeout, None, None)
        future.bind(partial(self.give_up, request))
        self._queue(request, None)
        return future


def _forget_frames(request: Request, exc: BaseException) -> None:
    """If ``request`` is secret: the frames below hold what was being sent, and so do those of what ``exc`` came from."""
    if request.call.command.secret:
        exc.__traceback__ = exc.__context__ = exc.__cause__ = None
