"""One connection with its threads: callers submit commands, the engine decides what is sent, the courier sends it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from imapkit.core.contract.session import State
from imapkit.core.engine.engine import Engine
from imapkit.core.engine.request import Request
from imapkit.core.support import process
from imapkit.core.support.limits import Limits, Timeouts
from imapkit.core.threads.callers import Callers
from imapkit.core.threads.challenges import Challenges
from imapkit.core.threads.courier import Courier
from imapkit.core.threads.deadlines import Deadlines
from imapkit.core.threads.inline import Inline
from imapkit.core.threads.intake import Intake
from imapkit.core.threads.reader import Reader
from imapkit.core.threads.steps import Steps
from imapkit.core.threads.trace import Trace
from imapkit.core.threads.waiters import open_latch
from imapkit.core.threads.worker import Job, Worker
from imapkit.errors import CommandTimeout, ConnectError, ConnectionClosed, NestedCommandError, error

if TYPE_CHECKING:
    from imapkit.core.contract.session import Session
    from imapkit.core.contract.tables import Tables
    from imapkit.core.threads.subscribers import Subscribers, Subscription
    from imapkit.core.threads.taking import Taking
    from imapkit.core.transport.layers import Layers
    from imapkit.core.wire.sinks import Streams

__all__ = ["Connection"]

_COURIER = 1.0
"""Seconds for which ``close`` waits for the courier thread: by then its write has failed, or cannot be stopped."""


class Connection:
    """One connection to a server. Every method may be called from any thread."""

    def __init__(
        self,
        layers: Layers,
        tables: Tables,
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        trace: Trace | None = None,
        name: str = "imapkit",
        session: Session | None = None,
    ) -> None:
        self.limits, self._timeouts, self.trace = limits or Limits(), timeouts or Timeouts(), trace or Trace()
        self.layers = layers
        self.engine = Engine(tables, self.limits, session, window=self._timeouts.progress, make_lock=threading.RLock)
        self._steps = Steps(self.engine, self._after_step)
        self._callbacks = Worker(f"{name} callbacks")
        self._futures = Worker(f"{name} futures")
        self._courier = Courier(
            self._steps,
            layers,
            self.trace,
            name,
            fail=self.fail,
            last_words=self._await_last_words,
        )
        self._challenges = Challenges(self._courier, self.engine)
        self._intake = Intake(self._steps, self._courier, layers, tables, self.trace, self.timeouts.connect)
        self._reader = Reader(self._steps, self._courier, self._intake, layers, self.fail, name)
        self._inline = self._reader.inline = Inline(self._steps, self._reader, layers)
        self._deadlines = Deadlines(self._steps, self._courier, name)
        self.callers = Callers(
            self._steps,
            self._courier,
            self._inline,
            self._reader,
            self._deadlines,
            self._challenges,
            self._callbacks,
            self._futures,
        )
        """The methods that send commands."""
        self._subscribers: Subscribers | None = None
        self._at_end: Callable[[], object] | None = None
        self._ended = self._ends = False
        self._process = process.current

    @property
    def timeouts(self) -> Timeouts:
        """The time-outs. New ones apply to the commands under way, too."""
        return self._timeouts

    @timeouts.setter
    def timeouts(self, timeouts: Timeouts) -> None:
        self._timeouts, self.engine.window = timeouts, timeouts.progress

    # opening

    def start(self, patience: float = inf) -> bytes:
        """Start the reader thread, and return the greeting, waiting ``patience`` seconds at most. Raises ``abort``."""
        try:
            self._reader.thread.start()
        except RuntimeError as exc:
            raise ConnectError(f"the reader thread cannot be started: {exc}") from exc
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
        """Whether the server has sent no byte yet."""
        return not self._intake.begun

    # for callers

    def taking(self, to: Any, streams: Streams | None, name: str) -> Taking:
        """The ``Taking`` that passes a body to ``to`` while it arrives. Raises ``ArgumentError`` if ``to`` cannot take one."""
        # (Few programs need it.)
        from imapkit.core.threads.taking import Taking

        taking = Taking(to, streams, name, self._callbacks, self._intake.disclaim)
        self._intake.claim_literals()
        return taking

    def claim_literals(self) -> Callable[[], object]:
        """Have literals offered to a command with a sink, which is about to be queued; call what is returned when it is over."""
        self._intake.claim_literals()
        return self._intake.disclaim

    @property
    def callbacks(self) -> Worker:
        """The callback thread."""
        return self._callbacks

    def interrupt(self, request: Request) -> None:
        """End a listening command (IDLE)."""
        if self._process == process.current:
            self._courier.run(self.engine.interrupt, request)

    def subscribe(self, function: Callable[[Any], object], *kinds: type) -> Subscription:
        """Have ``function(event)`` called for each event (``Family.events``), in order, on the callback thread, until the
        subscription is closed; with ``kinds`` for events of these classes only, and for ``Overflow``."""
        # (Few programs need it.)
        from imapkit.core.threads.subscribers import Subscribers

        with self._steps.lock:
            if self._subscribers is None:
                self._subscribers = Subscribers(self.engine, self._callbacks, self._steps.lock)
                self._steps.on_unasked = self._subscribers.put
        return self._subscribers.add(function, kinds)

    def at_end(self, function: Callable[[], object]) -> None:
        """Have ``function`` called once the connection has ended, on any thread, perhaps twice; it may not wait."""
        self._at_end = function
        if self.engine.closed is not None:
            function()

    def call_back(self, job: Job) -> None:
        """Have ``job`` run on the callback thread."""
        self._callbacks.post(job)

    @property
    def sends_here(self) -> bool:
        """Whether the calling thread is the courier thread, within a subclass's ``send``."""
        return self._courier.is_here

    def _await_last_words(self) -> None:
        self._deadlines.look_again()
        self._inline.wake_reader()

    # the end

    def fail(self, exc: error) -> None:
        """End the connection because of ``exc``: each waiter gets a copy of it. Returns at once."""
        self._steps.step(self._close, exc)

    def _close(self, exc: error, now: float) -> None:
        self.engine.close(self._steps.reason(exc))

    def _after_step(self) -> None:
        """Do what follows each step, without the lock."""
        steps = self._steps
        try:
            # In this order: another thread may put jobs meanwhile.
            steps.owes = False
            if self.engine.closed is not None and not self._ended:
                self._end()
            self.engine.defects.settle()
            self._deadlines.ask()
            self._callbacks.wake()
            self._futures.wake()
        except BaseException:
            steps.owes = True
            raise

    def _end(self) -> None:
        """Stop the threads once the engine has closed. It is called again if it is interrupted."""
        if self._ends:
            return
        self._ends = True
        try:
            self.trace.log(1, f"connection ends: {self.engine.closed}")
            if self._steps.ending is None and self.state is not State.LOGOUT:
                self.trace.dump()
            if self._process == process.current:
                self.layers.transport.interrupt()
            open_latch(self._steps.welcome)
            self._inline.wake_reader()
            if self._at_end is not None:
                self._at_end()
            self._deadlines.stop(None)
            self._futures.stop(None)
            self._callbacks.stop(None)
            self._courier.worker.stop(None)
            self._ended = True
        finally:
            self._ends = False

    def drop(self) -> None:
        """Shut the socket down; the reader thread does the rest. For a finalizer, on any thread."""
        if self._process == process.current:
            self.layers.transport.interrupt()

    def shut_down(self, exc: ConnectionClosed) -> None:
        """End the connection because of ``exc``, from any thread, or within a plugin's function. Returns at once."""
        if self._process == process.current:
            self._steps.ending = self._steps.ending or exc
            self.fail(exc)

    def close(self, reason: str) -> None:
        """End the connection, and wait until its threads have ended. It may be called twice.

        Raises ``NestedCommandError`` on the thread that reads.
        """
        if self._process != process.current:
            # A child of ``fork``: the connection is its parent's, and goes on.
            self.layers.transport.leave()
            return
        if threading.get_ident() == self._reader.ident or self._steps.is_here:
            raise NestedCommandError(f"{reason}: the thread that reads the answers cannot wait for its own end")
        self._inline.hand_back()
        end = monotonic() + self.timeouts.logout

        def patience() -> float:
            # A subclass's read, or a callback, may take long; the caller waits for it until ``end`` only.
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
        self._futures.stop(patience())
        self._callbacks.stop(patience())
        self._deadlines.stop(patience())
        self._courier.worker.stop(min(patience(), _COURIER))

    def _farewell(self, why: ConnectionClosed) -> None:
        steps = self._steps
        with steps.lock:
            self.engine.frozen = True
            # The server may close the connection first, in answer to close_notify.
            steps.ending = steps.ending or why
            quiet = self.engine.closed is None and steps.role is None
            # If this thread is interrupted from here on, the next step ends the connection.
            steps.role, steps.broken = self, True
        if quiet:
            self.layers.finish()

    @property
    def open(self) -> bool:
        """Whether this process may still send commands."""
        return self.engine.closed is None and self._process == process.current

    @property
    def polled(self) -> bool:
        """Whether another thread may wait for the socket: closing the socket would leave that thread waiting for ever."""
        return self._reader.thread.is_alive() and self._reader.thread is not threading.current_thread()

    @property
    def state(self) -> State:
        """The state of the session."""
        return self.engine.session.state

    def enter(self, state: State) -> None:
        """Change the state of the session."""
        with self._steps.lock:
            self.engine.session.enter(state)
