"""One connection with its threads: callers submit and wait, or are called back; the engine decides, the courier sends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from imapkit.core.engine.engine import Engine
from imapkit.core.engine.phases import LISTENING
from imapkit.core.engine.request import Request
from imapkit.core.limits import Limits, Timeouts
from imapkit.core.outcome import check
from imapkit.core.threads.challenges import Challenges
from imapkit.core.threads.courier import Courier
from imapkit.core.threads.deadlines import Deadlines
from imapkit.core.threads.inline import Inline
from imapkit.core.threads.intake import Intake
from imapkit.core.threads.reader import Reader
from imapkit.core.threads.steps import Steps
from imapkit.core.threads.waiters import CallBack, Latch, open_latch
from imapkit.core.threads.worker import Job, Worker
from imapkit.core.trace import Trace
from imapkit.errors import CommandTimeout, ConnectError, ConnectionClosed, NestedCommandError, error
from imapkit.family import State

if TYPE_CHECKING:
    from imapkit.core.layers import Layers
    from imapkit.core.registry import Registry
    from imapkit.core.request import Call
    from imapkit.core.session import Session
    from imapkit.core.sinks import Streams
    from imapkit.core.threads.futures import CommandFuture
    from imapkit.core.threads.taking import Taking

__all__ = ["Connection"]

_Result = TypeVar("_Result")

_COURIER = 1.0
"""Seconds that the end of a connection waits for the courier thread: by then its write has failed, or cannot be stopped."""


class Connection:
    """One connection to a server. Every method may be called from any thread."""

    def __init__(
        self,
        layers: Layers,
        registry: Registry,
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        trace: Trace | None = None,
        name: str = "imapkit",
        session: Session | None = None,
    ) -> None:
        self.limits, self._timeouts, self.trace = limits or Limits(), timeouts or Timeouts(), trace or Trace()
        self.layers = layers
        self.engine = Engine(registry, self.limits, session, window=self._timeouts.progress)
        self._steps = Steps(self.engine, self._after_step)
        self._callbacks = Worker(f"{name} callbacks")
        self._courier = Courier(
            self._steps,
            layers,
            self.trace,
            name,
            fail=self.fail,
            last_words=self._await_last_words,
        )
        self._challenges = Challenges(self._courier, self.engine)
        self._intake = Intake(self._steps, self._courier, layers, registry, self.trace, self.timeouts.connect)
        self._reader = Reader(self._steps, self._courier, self._intake, layers, self.fail, name)
        self._inline = self._reader.inline = Inline(self._steps, self._reader, layers)
        self._deadlines = Deadlines(self._steps, self._courier, name)
        self._ended = self._ends = False
        self._process = os.getpid()

    @property
    def timeouts(self) -> Timeouts:
        """The time-outs. When they are replaced, the new ones hold for the commands under way, too."""
        return self._timeouts

    @timeouts.setter
    def timeouts(self, timeouts: Timeouts) -> None:
        self._timeouts, self.engine.window = timeouts, timeouts.progress

    # opening

    def start(self, patience: float = inf) -> bytes:
        """Start the reader and wait for the greeting, for ``patience`` seconds at most. Raises ``abort``."""
        try:
            self._reader.thread.start()
        except RuntimeError as exc:
            raise ConnectError(f"no thread can be had to read the connection: {exc}") from exc
        if not self._steps.welcome.acquire(timeout=min(self.timeouts.greeting, patience, threading.TIMEOUT_MAX)):
            seen = self._intake.unfinished
            self.fail(CommandTimeout("no greeting from the server in time" + (f"; it sent {seen!r}" if seen else "")))
        if self.engine.closed is not None:
            self.close("no greeting")
            raise self.engine.closed.fresh()
        assert self.engine.welcome is not None
        return self.engine.welcome

    @property
    def silent(self) -> bool:
        """Whether the server has not sent a single byte yet."""
        return not self._intake.begun

    # a caller's way

    def submit(
        self,
        call: Call,
        *,
        timeout: float | None = None,
        patience: float | None = None,
        renew: float | None = None,
        on_done: Callable[[Request], object] | None = None,
        on_accepted: Callable[[], object] | None = None,
    ) -> Request:
        """Queue a command; never waits. With ``on_done`` that is called when it is over, and what is refused at once raises.

        ``on_accepted`` is called when the server has accepted a command that goes on until it is ended. With it, both are called
        under the state lock, and only hand over.
        """
        self._check_process()
        if on_done is None:
            self.check_not_nested(call.name)
        called = None if on_done is None else self._called_back(on_done, on_accepted)
        request = Request(call, called or Latch())
        self._set_times(request, timeout, patience, renew)
        self._inline.abdicate()
        if called is not None:
            # Before anything is queued: without a clock it would not be known that the command is late.
            self._deadlines.promise(self._first_look(request))
        self._queue(request, None if called is None else partial(self._leave, request, called))
        return request

    def _queue(self, request: Request, leave: Callable[[], None] | None) -> None:
        """Have the engine queue the command, then ``leave``; the command is given up if an exception comes in between."""
        try:
            self._courier.run(self.engine.submit, request)
            if leave is not None:
                leave()
        except BaseException as exc:
            if not request.released:
                self._courier.run(self.engine.abandon, request)
            _forget_frames(request, exc)
            raise

    def _called_back(self, on_done: Callable[[Request], object], on_accepted: Callable[[], object] | None) -> CallBack:
        return CallBack(self._callbacks, on_done, self._challenges.answer, self._look_again, on_accepted)

    def _look_again(self, request: Request) -> None:
        listens = request.phase is LISTENING
        self._deadlines.want(min(request.refresh_at if listens else inf, self._first_look(request)))

    def _first_look(self, request: Request) -> float:
        # (In half the window: see ``Uplink.look``.)
        return min(request.limit, request.until, monotonic() + self.timeouts.progress / 2)

    @staticmethod
    def _set_times(request: Request, timeout: float | None, patience: float | None, renew: float | None) -> None:
        if timeout is None and patience is None and renew is None:
            return
        now = monotonic()
        if timeout is not None:
            request.limit = now + timeout
        if patience is not None:
            request.until = now + patience
        if renew is not None:
            request.renew = renew

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise ConnectionClosed("the connection is that of the process that opened it, and this one is its child")

    def check_not_nested(self, name: str) -> None:
        """Raise ``NestedCommandError`` if the calling thread must not wait for an answer."""
        self._challenges.check(name)
        if self._steps.is_here or threading.get_ident() == self._reader.ident:
            raise NestedCommandError(f"{name} was issued on the thread that reads the answers")
        if self._courier.is_here:
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
            check(request, self.engine)
        self._callbacks.wake()
        self._watch(request)

    def _watch(self, request: Request) -> None:
        """The clock and the reader thread look after a command that no caller waits for."""
        # Once more: the clock may have looked before the command was there.
        self._deadlines.want(self._first_look(request))
        self._deadlines.ask()
        self._inline.call()

    def taking(self, to: Any, streams: Streams | None, name: str) -> Taking:
        """Where a body of a command's answer goes as it comes. Raises ``ArgumentError`` for what cannot take it."""
        # (Few programs need it.)
        from imapkit.core.threads.taking import Taking

        taking = Taking(to, streams, name, self._callbacks, self._intake.disclaim)
        self._intake.claim_literals()
        return taking

    def give_up(self, request: Request) -> None:
        """The caller of a command does not want its answer any more."""
        self._courier.run(self.engine.abandon, request)

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

        self._check_process()
        future: CommandFuture[_Result] = CommandFuture()
        waiter = FutureWaiter(self._callbacks, future, finish, self._challenges.answer, self._look_again)
        request = Request(call, waiter if taking is None else taking.before(waiter))
        request.hard = False
        self._set_times(request, timeout, None, None)
        future.bind(partial(self.give_up, request))
        self._deadlines.promise(self._first_look(request))
        self._queue(request, partial(self._watch, request))
        return future

    def wait(self, request: Request) -> Request:
        """Wait for the end of a command. Raises ``abort``, or what a plugin raised for it."""
        latch = request.waiter
        assert isinstance(latch, Latch)
        again = monotonic() + self.timeouts.progress / 2
        try:
            while not request.released:
                again = self._wait_once(request, latch.lock, again)
        except BaseException as exc:
            self._courier.run(self.engine.abandon, request)
            _forget_frames(request, exc)
            raise
        check(request, self.engine)
        return request

    def _wait_once(self, request: Request, latch: threading.Lock, again: float) -> float:
        """Wait until there is something to do; the moment at which to look again."""
        if request.question is not None:
            self._challenges.answer(request)
            return again
        self._inline.lead(request, again)
        if request.released or request.question is not None:
            return again
        moment = min(request.limit, request.until, request.refresh_at, again)
        if latch.acquire(timeout=min(max(moment - monotonic(), 0.0), threading.TIMEOUT_MAX)):
            return again
        self._deadlines.tick()
        with self._steps.lock:
            return max(self.engine.deadline(), monotonic() + 0.01)

    def interrupt(self, request: Request) -> None:
        """End a command that goes on until it is ended (IDLE)."""
        self._courier.run(self.engine.interrupt, request)

    def call_back(self, job: Job) -> None:
        """Have ``job`` run on the callback thread."""
        self._callbacks.post(job)

    @property
    def sends_here(self) -> bool:
        """Whether the calling thread sends for the connection: through a subclass's ``send``."""
        return self._courier.is_here

    def _await_last_words(self) -> None:
        self._deadlines.look_again()
        self._inline.call()

    # the end

    def fail(self, exc: error) -> None:
        """End the connection because of ``exc``: each waiter gets a copy of it. Returns at once."""
        self._steps.step(self._close, exc)

    def _close(self, exc: error, now: float) -> None:
        self.engine.close(self._steps.reason(exc))

    def _after_step(self) -> None:
        """Behind each step, without the lock."""
        steps = self._steps
        try:
            # In this order: another thread may put jobs meanwhile.
            steps.owes = False
            if self.engine.closed is not None and not self._ended:
                self._end()
            self.engine.defects.settle()
            self._deadlines.ask()
            self._callbacks.wake()
        except BaseException:
            steps.owes = True
            raise

    def _end(self) -> None:
        """What is left to do once the engine has closed; again, if that is interrupted."""
        if self._ends:
            return
        self._ends = True
        try:
            self.trace.log(1, f"connection ends: {self.engine.closed}")
            if self._steps.ending is None and self.state is not State.LOGOUT:
                self.trace.dump()
            if self._process == os.getpid():
                self.layers.transport.interrupt()
            open_latch(self._steps.welcome)
            self._inline.call()
            self._deadlines.stop(None)
            self._callbacks.stop(None)
            self._courier.worker.stop(None)
            self._ended = True
        finally:
            self._ends = False

    def drop(self) -> None:
        """The client is dropped, by a finalizer on any thread: the reader sees the end."""
        if self._process == os.getpid():
            self.layers.transport.interrupt()

    def shut_down(self, exc: ConnectionClosed) -> None:
        """End the connection because of ``exc``, from any thread and from within a plugin's function. Returns at once."""
        self._steps.ending = self._steps.ending or exc
        self.fail(exc)

    def close(self, reason: str) -> None:
        """End the connection and wait until its threads are gone. May be called twice, and from any thread but the reader."""
        if self._process != os.getpid():
            # A child of ``fork``: the connection is its parent's, and goes on.
            self.layers.transport.leave()
            return
        if threading.get_ident() == self._reader.ident or self._steps.is_here:
            raise NestedCommandError(f"{reason}: the thread that reads the answers cannot hang up")
        self._inline.abdicate()
        end = monotonic() + self.timeouts.logout

        def patience() -> float:
            # A subclass's read, or a callback, may take as long as it likes; the caller that hangs up need not wait for it.
            return min(max(end - monotonic(), 0.0), threading.TIMEOUT_MAX)

        try:
            self._farewell(ConnectionClosed(reason))
        finally:
            self.fail(ConnectionClosed(reason))
        self.enter(State.LOGOUT)
        reader = self._reader.thread
        if reader.ident is None:
            self.layers.transport.close()
        elif reader is not threading.current_thread():
            reader.join(patience())
        self._callbacks.stop(patience())
        self._deadlines.stop(patience())
        self._courier.worker.stop(min(patience(), _COURIER))

    def _farewell(self, why: ConnectionClosed) -> None:
        steps = self._steps
        with steps.lock:
            self.engine.frozen = True
            # The server may answer the farewell by going before we have gone ourselves.
            steps.ending = steps.ending or why
            quiet = self.engine.closed is None and steps.role is None
            # From here on the next step closes, should this thread be interrupted.
            steps.role, steps.broken = self, True
        if quiet:
            self.layers.finish()

    @property
    def open(self) -> bool:
        """Whether commands may still be sent, by this process."""
        return self.engine.closed is None and self._process == os.getpid()

    @property
    def polled(self) -> bool:
        """Whether another thread waits for the socket, or may: if it is closed beneath, that wait has no end."""
        return self._reader.thread.is_alive() and self._reader.thread is not threading.current_thread()

    @property
    def state(self) -> State:
        """The state of the session."""
        return self.engine.session.state

    def enter(self, state: State) -> None:
        """Change the state of the session, for a program that knows better."""
        with self._steps.lock:
            self.engine.session.enter(state)


def _forget_frames(request: Request, exc: BaseException) -> None:
    """If ``request`` is secret: the frames below hold what was being sent, and so do those of what ``exc`` came from."""
    if request.call.command.secret:
        exc.__traceback__ = exc.__context__ = exc.__cause__ = None
