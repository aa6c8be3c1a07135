"""Sends commands for callers: a caller waits for the end, gives a callback, or gets a future."""

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
    from imapkit.core.contract.wires import Listening
    from imapkit.core.engine.request import Waiter
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
        futures: Worker,
    ) -> None:
        self._steps, self._courier, self._inline, self._reader = steps, courier, inline, reader
        self._deadlines, self._challenges, self._callbacks = deadlines, challenges, callbacks
        self.futures = futures
        """Completes futures, and runs what a family does between two commands of one future."""
        self._engine, self._process = steps.engine, process.current
        # (Bound once: each would be an object with each command.)
        self._answer, self._look, self._give_up = challenges.answer, self._look_again, self.give_up

    def perform(
        self,
        call: Call,
        timeout: float | None = None,
        patience: float | None = None,
        renew: float | None = None,
        hard: bool = True,
    ) -> Request:
        """Send a command, and wait for its end. Raises ``abort``, or the exception of a plugin's function.

        ``hard``: the connection ends if the command is late; else the command is given up, and ``DeadlineExceeded`` raised.
        """
        self._check_process()
        self.check_not_nested(call.name)
        latch = Latch()
        request = Request(call, latch)
        if not hard:
            request.hard = False
        if not self._inline.is_open:
            # (The request is not submitted yet, so no lock is needed.)
            latch.shut(request)
        if not (timeout is patience is renew is None):
            self._set_times(request, timeout, patience, renew)
        self._inline.hand_back()
        try:
            self._courier.run(self._engine.submit, request)
            again = monotonic() + self._engine.window / 2
            while not request.released:
                again = self._wait(request, latch, again)
        except BaseException as exc:
            self.give_up(request)
            _forget_frames(request, exc)
            raise
        check(request, self._engine)
        return request

    def _wait(self, request: Request, latch: Latch, again: float) -> float:
        """Wait until the command is over or has a question; returns the moment at which to look again."""
        if request.question is not None:
            self._challenges.answer(request)
            return again
        self._inline.read_inline(request, again)
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
        """Queue a command, and return at once. Raises the error of a command that is refused at once.

        ``on_done`` is called when the command is over, ``on_accepted`` when the server has accepted a listening command. With
        ``on_accepted`` both are called under the state lock: they may only open a latch or fill a queue.
        """
        called = CallBack(self._callbacks, on_done, self._answer, self._look, on_accepted)
        request = Request(call, called)
        if not (timeout is patience is renew is None):
            self._set_times(request, timeout, patience, renew)
        self._queue(request, partial(self._leave, request, called))
        return request

    def _queue(self, request: Request, leave: Callable[[], None] | None) -> None:
        """Queue the command, and call ``leave``. If an exception comes in between, the command is given up.

        No caller waits for it: the clock watches its moments, and the reader thread reads its answer.
        """
        self._check_process()
        self._inline.hand_back(waits=False)
        moment, deadlines = self._first_look(request), self._deadlines
        if moment < deadlines.asked:
            # Before the command is queued: without a clock no thread would notice that it is late.
            deadlines.promise(moment)
        try:
            self._courier.run(self._engine.submit, request)
            if leave is not None:
                leave()
            if moment < deadlines.asked:
                # Once more: the clock has looked before the command was queued.
                deadlines.want(moment)
                deadlines.ask()
            self._inline.wake_reader()
        except BaseException as exc:
            if not request.released:
                self.give_up(request)
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
            raise ConnectionClosed("the connection belongs to the process that opened it, and this is a child of that process")

    def check_not_nested(self, name: str) -> None:
        """Raise ``NestedCommandError`` if the calling thread must not wait for an answer."""
        self._challenges.check(name)
        reads = self._reader.ident
        if (reads and get_ident() == reads) or (self._steps.inside and self._steps.is_here):
            raise NestedCommandError(f"{name} was issued on the thread that reads the answers")
        if self._courier.worker.is_here:
            raise NestedCommandError(f"{name} was issued on the thread that sends the commands")

    def _leave(self, request: Request, called: CallBack) -> None:
        """End ``submit``: raise the error of a refused command; from now on the waiter calls back."""
        with self._steps.lock:
            released = request.released
            refused = released and not request.tag
            called.fresh = False
            if released and not refused:
                called.done(request)
        if refused:
            request.waiter = None
            check(request, self._engine)
        if released:
            self._callbacks.wake()

    def give_up(self, request: Request) -> None:
        """Give a command up; in a child of ``fork`` nothing is done, because the command is the parent's."""
        if self._process == process.current:
            self._courier.run(self._engine.abandon, request)

    def enqueue(self, call: Call, waiter: Waiter, *, timeout: float | None = None) -> Request:
        """Queue a command for a waiter of the caller's own, and return at once. A late command is given up.

        ``waiter.done`` also gets a command that is refused at once.
        """
        request = Request(call, waiter)
        request.hard = False
        if timeout is not None:
            self._set_times(request, timeout, None, None)
        self._queue(request, None)
        return request

    def listen(self, call: Call, waiter: Waiter, listening: Listening) -> Request:
        """Queue a command that listens and is not ended by news, for a waiter of the caller's own, and return at once."""
        request = Request(call, waiter)
        request.hard, request.stays = False, True
        self._set_times(request, None, listening.patience, listening.renew)
        self._queue(request, None)
        return request

    def ask(self, request: Request) -> None:
        """Have the futures thread answer the command's question, or request a moment from the clock.

        (Not the callback thread, where a callback may wait for this command.)
        """
        if request.question is not None:
            self.futures.put(partial(self._answer, request))
        else:
            self._look_again(request)

    def submit_future(
        self,
        call: Call,
        finish: Callable[[Request], _Result],
        *,
        timeout: float | None = None,
        taking: Taking | None = None,
    ) -> CommandFuture[_Result]:
        """Queue a command, and return its future, whose result ``finish`` makes. A late command is given up.

        With ``taking`` the future is done once the body has been written, too.
        """
        # (It loads ``logging``.)
        from imapkit.core.threads.futures import CommandFuture, FutureWaiter

        future: CommandFuture[_Result] = CommandFuture(finish, self._callbacks)
        waiter: Waiter = FutureWaiter(self.futures, future, self.ask)
        request = self.enqueue(call, waiter if taking is None else taking.after_body(waiter, self.futures), timeout=timeout)
        future.bind(self._give_up, request)
        return future


def _forget_frames(request: Request, exc: BaseException) -> None:
    """Drop the traceback, cause and context of ``exc`` if the command is secret: their frames hold what was being sent."""
    if request.call.command.secret:
        exc.__traceback__ = exc.__context__ = exc.__cause__ = None
