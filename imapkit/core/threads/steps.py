"""The one critical section: a step changes the engine under the state lock, and delivers the effects there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from imapkit.core.contract.session import State
from imapkit.core.threads.waiters import Latch, open_latch
from imapkit.errors import ConnectionClosed, RemoteProtocolError, error, lost_error

if TYPE_CHECKING:
    from imapkit.core.contract.events import Unasked
    from imapkit.core.engine.effects import Out
    from imapkit.core.engine.engine import Engine
    from imapkit.core.engine.request import Request

__all__ = ["Steps", "Work", "reason_for"]

Work: TypeAlias = Callable[[Any, float], object]
"""The function of a step, ``work(subject, now)``."""


class Steps:
    """Runs the steps of one engine. ``after`` is called after a step, without the lock, and again if it is interrupted.

    Two flags make interruptions safe. ``torn`` is set while a step changes the engine: the next thread that finds it set closes
    the connection. ``broken`` is set by a thread that was interrupted while it moved bytes, without the lock.
    """

    def __init__(self, engine: Engine, after: Callable[[], object]) -> None:
        self.engine = engine
        self.lock = threading.RLock()
        self.inside = False
        """Whether a step is under way. It may be on this thread, if a signal handler or a finalizer has interrupted it."""
        self.torn = self.broken = False
        self.role: object | None = None
        """The token of the thread that sends. It is made before it is set, so that no interruption can lose it."""
        self.ending: error | None = None
        """The client's own reason for the end of the connection; it replaces the errors that the end causes."""
        self.welcome = threading.Lock()
        """A latch that opens at the greeting, or at the end of the connection."""
        self.welcome.acquire()
        self.switching: Request | None = None
        """A command whose layer the reading thread is to switch on."""
        self.owes = False
        """Whether jobs were put for which a worker thread may have to be started."""
        self.served = 0
        """How many commands in a row ended for a waiting caller, since the reader thread last set it to 0."""
        self.on_unasked: Callable[[list[Unasked]], object] | None = None
        """Takes ``effects.unasked``, under the lock."""
        self._after = after
        # (A list: a deque takes 0.7 KiB on every idle connection, and this is nearly always empty.)
        self.inbox: list[tuple[Work, Any]] = []

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is inside a step."""
        return self.inside and self.lock._is_owned()  # type: ignore[attr-defined]

    def step(self, work: Work | None, subject: Any, role: object | None = None) -> Out | None:
        """Call ``work(subject, now)`` under the lock, and deliver the effects to the waiters.

        With a ``role`` the calling thread becomes the one that sends, if none does; the step then returns what it is to send.
        """
        out, engine = None, self.engine
        with self.lock:
            if self.inside:
                # The thread inside the step does the work at its end.
                if work is not None:
                    self.inbox.append((work, subject))
                return None
            self.inside = True
            try:
                if self.torn or self.broken:
                    engine.close(self.reason(ConnectionClosed("a thread was interrupted in the middle of a command")))
                self.torn = True
                now = monotonic()
                try:
                    if work is not None:
                        work(subject, now)
                    if self.inbox:
                        self._empty_inbox(now)
                    if role is not None and (self.role is None or self.role is role):
                        self.role = role
                        out = engine.outgoing(now)
                        if out is None:
                            self.role = None
                except (Exception, SystemExit) as exc:
                    # A plugin's function may raise anything.
                    engine.close(self.reason(reason_for(exc)))
                if engine.effects.due:
                    self._deliver()
                self.torn = False
            finally:
                self.inside = False
        if self.owes or engine.closed is not None or engine.defects.fresh:
            self._after()
        if self.inbox and out is None:
            return self.step(None, None, role)
        return out

    def _empty_inbox(self, now: float) -> None:
        inbox = self.inbox
        while inbox:
            # In this order: an interruption must not lose the work of another thread.
            self._do(*inbox[0], now)
            del inbox[0]

    def _do(self, work: Work, subject: Any, now: float) -> None:
        try:
            work(subject, now)
        except (Exception, SystemExit) as exc:
            # A plugin's function may raise anything.
            self.engine.close(self.reason(reason_for(exc)))

    def reason(self, exc: error) -> error:
        """The reason for the end of the connection: the client's own if there is one, else ``exc`` with the last ALERT."""
        reason = self.ending or self._without_secrets(exc)
        if self.ending is None and self.engine.session.state is not State.LOGOUT and self.engine.closed is None:
            self.engine.add_alert(reason)
        return reason

    def _without_secrets(self, exc: error) -> error:
        """``exc`` without secrets in its text, and without the frames that hold sent and received bytes."""
        secret = self.engine.has_secret_in_flight
        if secret:
            exc.__cause__ = None
        if secret or self.engine.secrets:
            self.engine.secrets.clean(exc)
            exc.__traceback__ = exc.__context__ = None
        return exc

    def _deliver(self) -> None:
        """Call the waiters. An interrupted delivery is repeated: the effects are forgotten at the end only."""
        effects = self.engine.effects
        if effects.greeted or effects.closed is not None:
            open_latch(self.welcome)
        for request in effects.done:
            waiter = request.waiter
            if type(waiter) is Latch:
                self.served += 1
            else:
                self.served, self.owes = 0, True
            if waiter is not None:
                waiter.done(request)
        for request in effects.asks:
            if request.waiter is not None:
                self.owes = True
                request.waiter.ask(request)
        if effects.unasked and self.on_unasked is not None:
            self.owes = True
            self.on_unasked(effects.unasked)
        if effects.switch is not None:
            self.switching = effects.switch
        effects.clear()


def reason_for(caught: BaseException) -> error:
    """The error with which ``caught`` ends a connection."""
    if isinstance(caught, error):
        return caught
    if isinstance(caught, OSError):
        return lost_error(caught, "connection lost")
    reason = RemoteProtocolError(f"internal error while reading: {caught!r}")
    reason.__cause__ = caught
    return reason
