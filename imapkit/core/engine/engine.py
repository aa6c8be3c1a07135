"""The engine: one connection's protocol in both directions, without a thread, a lock, a socket or a clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import inf
from typing import TYPE_CHECKING

from imapkit.core.contract.session import Session, State
from imapkit.core.engine.defects import DefectLog
from imapkit.core.engine.flight import Flight
from imapkit.core.engine.inbound import Inbound
from imapkit.core.engine.outbound import Outbound
from imapkit.core.engine.phases import DONE, IN_FLIGHT, LISTENING, QUEUED, SENDING, SWITCHING
from imapkit.core.engine.store import Store
from imapkit.core.engine.strays import Strays
from imapkit.core.support.limits import Limits
from imapkit.core.support.secrets import Hidden
from imapkit.errors import ConnectionClosed, DeadlineExceeded, error

if TYPE_CHECKING:
    from imapkit.core.contract.command import Command
    from imapkit.core.contract.tables import Tables
    from imapkit.core.engine.effects import Effects, Out
    from imapkit.core.engine.request import Request
    from imapkit.core.wire.response import Continuation, Run, Tagged, Untagged

__all__ = ["Engine"]

LAST_WORDS = 1.0
"""Seconds for which responses are still received after a failure to send: the server may have sent the reason."""


class Engine:
    """``submit`` takes commands in, ``outgoing`` returns bytes to send, ``receive`` takes responses in. ``effects`` holds what
    the caller is to do, until the caller calls ``delivered``.

    Where there are threads, the caller of every method holds the state lock. ``now`` is the time of a monotonic clock, in
    seconds; ``window`` is how long a command may make no progress. With ``high`` commands in flight no other is sent; with
    ``low`` or more, queued commands wait and are sent together. ``make_lock`` makes the reentrant locks of ``store`` and
    ``defects``, which other threads read.
    """

    def __init__(
        self,
        tables: Tables,
        limits: Limits | None = None,
        session: Session | None = None,
        *,
        window: float = 300.0,
        high: int = 1000,
        low: int = 128,
        make_lock: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.limits = limits or Limits()
        self.session = session or Session(tables.enables, self.limits, tables.implied)
        self.store = Store(self.limits, make_lock())
        self.secrets = Hidden()
        self.defects = DefectLog(self.limits.defects, self.secrets, make_lock())
        self.tables = tables
        self.strays = Strays(self.limits, self.secrets)
        self.closed: error | None = None
        self.frozen = False
        """Whether sending has stopped because the connection is about to end."""
        tagged = frozenset(name for name, known in tables.responses.items() if known.tag is not None)
        self.flight = Flight(self.session, self.store, self.secrets, window, tagged)
        """The commands under way."""
        self.outbound = Outbound(self.flight, high=high, low=low)
        """The bytes to be sent, in order."""
        self._inbound = Inbound(self.flight, self.outbound, tables, self.limits, self.defects, self.strays)
        self.effects: Effects = self.flight.effects
        """What the caller is to do now."""
        self._send_error: tuple[error, float] | None = None

    # what the caller reads

    def delivered(self) -> None:
        """Forget ``effects``: the caller has done them."""
        self.effects.clear()

    @property
    def welcome(self) -> bytes | None:
        """The greeting, once it has come."""
        return self._inbound.welcome

    @property
    def has_ready(self) -> bool:
        """Whether ``outgoing`` may return bytes."""
        return bool(self.outbound.out or self.flight.gate.ready)

    @property
    def halted(self) -> bool:
        """Whether a command waits for "+". Readable without the lock."""
        owner = self.outbound.owner
        return owner is not None and owner.awaits == "+"

    def add_alert(self, exc: error) -> None:
        """Add the text of the last ALERT to the error that ends the connection: it is most often the reason."""
        alert = self._inbound.alert
        if alert and len(exc.args) == 1 and isinstance(exc.args[0], str):
            exc.args = (f"{exc.args[0]} (the server's last ALERT: {alert})",)

    def is_in_flight(self, tag: bytes) -> bool:
        """Whether a command with this tag is in flight. Callable without the lock."""
        return tag in self.flight.pending

    @property
    def switching(self) -> Command | None:
        """The command in flight that switches a layer on or off, once the server has agreed; None if there is none."""
        pending = self.flight.pending.values() if self.flight.layer_pending else ()
        commands = (request.call.command for request in pending)
        return next((command for command in commands if command.layer is not None or command.ends_layers), None)

    @property
    def in_flight(self) -> int:
        """How many commands have been sent, in part at least, and not been answered."""
        return len(self.flight.pending)

    @property
    def queued(self) -> int:
        """How many commands have been submitted and not been sent."""
        return self.flight.gate.queued

    @property
    def owed(self) -> bool:
        """Whether the server owes an answer to a command other than a listening one (IDLE). Readable without the lock."""
        listener = self.flight.listener
        return len(self.flight.pending) != (listener is not None and listener.call.command.interrupt is not None)

    @property
    def listens(self) -> bool:
        """Whether a command listens (IDLE)."""
        listener = self.flight.listener
        return listener is not None and listener.phase is LISTENING

    @property
    def has_secret_in_flight(self) -> bool:
        """Whether a command with a secret has been sent and not been answered."""
        return any(request.call.command.secret for request in self.flight.pending.values())

    @property
    def window(self) -> float:
        """Seconds for which a command may make no progress. It may be changed at any time."""
        return self.flight.window

    @window.setter
    def window(self, seconds: float) -> None:
        self.flight.window = seconds

    @property
    def wanted(self) -> frozenset[str]:
        """The names of responses, and of codes as "[ALERT]", that go to ``effects.unasked`` if no command asked for them."""
        return self.flight.wanted

    @wanted.setter
    def wanted(self, names: frozenset[str]) -> None:
        self.flight.wanted = names

    @property
    def idle(self) -> bool:
        """Whether no command is under way."""
        return not self.flight.live

    # commands

    def submit(self, request: Request, now: float) -> None:
        """Queue a command. Never blocks, and never raises: an error is stored in the request."""
        flight = self.flight
        flight.now = now
        if self.closed is not None:
            flight.fail(request, self.closed)
            return
        flight.live[request] = None
        if request.limit < inf or request.until < inf:
            flight.look_at(min(request.limit, request.until), request)
        flight.gate.add(request)
        listener = flight.listener
        if listener is not None and listener is not request:
            self.outbound.interrupt(listener, "turn")

    def abandon(self, request: Request, now: float, why: error | None = None) -> None:
        """Give a command up for its caller. A command that is half sent ends the connection."""
        flight, phase = self.flight, request.phase
        flight.now = now
        if phase is DONE or phase is SWITCHING or request.abandoned or request not in flight.live:
            # (A command that is not live was never submitted: its caller was interrupted before.)
            return
        name = request.call.name
        if phase is QUEUED:
            flight.drop(request, why or ConnectionClosed(f"{name} was given up before it was sent"))
        elif phase is SENDING and not request.sent:
            self.close(why or ConnectionClosed(f"{name} was interrupted while it was being sent"))
        else:
            self._orphan(request, why or ConnectionClosed(f"{name} was given up"))

    def _orphan(self, request: Request, why: error) -> None:
        request.abandoned, request.aborted = True, why
        if request.phase is IN_FLIGHT:
            request.move("abandon")
        elif request.phase is LISTENING:
            self.outbound.interrupt(request, "abandoned")
        elif request.awaits == "ask":
            # No thread will answer the challenge, so the exchange is cancelled.
            self._answer(request, None)
        self.flight.release(request)

    def interrupt(self, request: Request, now: float) -> None:
        """End a listening command (IDLE), as soon as the server has accepted it."""
        self.flight.now = now
        if request.phase is not DONE:
            self.outbound.interrupt(request, "turn")

    def answer(self, request: Request, value: bytes | None, defect: Exception | None, now: float) -> None:
        """Send the program's answer to ``request.question``; None, or an exception in ``defect``, cancels the exchange."""
        self.flight.now = now
        if request.awaits != "ask":
            return
        if value is not None and (b"\r" in value or b"\n" in value):
            value, defect = None, ValueError("CR or LF in the answer to a continuation request")
        if isinstance(defect, error) and request.call.command.secret:
            # The error and its frames may hold the challenge, in which the server may repeat a secret.
            self.secrets.clean(defect)
            defect.__traceback__ = defect.__context__ = defect.__cause__ = None
        request.defect = request.defect or defect
        self._answer(request, None if request.defect is not None else value)

    def _answer(self, request: Request, value: bytes | None) -> None:
        # RFC 3501 section 6.2.2: "*" cancels; the caller gets its exception once the server has answered the command.
        sent = b"*" if value is None else value
        request.question = None
        self.flight.note(request)
        if request.call.command.secret:
            self.secrets.add_response(sent)
        self.outbound.step(request, sent)

    # out

    def outgoing(self, now: float) -> Out | None:
        """The bytes to send next, or None. They count as sent: the caller sends them, or calls ``send_failed``."""
        flight, wire = self.flight, self.outbound
        if not (flight.gate.ready or wire.out):
            return None
        flight.now = now
        return wire.next(self.closed is None and not self.frozen and self._send_error is None)

    def written(self, order: int, now: float) -> None:
        """Note progress: bytes of the command of this order have been sent."""
        self.flight.now = now
        self.flight.note_order(order)

    def send_failed(self, exc: error, now: float) -> None:
        """Note that sending has failed. The connection ends after ``LAST_WORDS``, or earlier by what the server sent before."""
        if self._send_error is None:
            self._send_error = exc, now + LAST_WORDS

    # in

    def receive(self, batch: Sequence[Continuation | Tagged | Untagged | Run], now: float) -> None:
        """Take responses in. Raises what ends the connection."""
        self.flight.now = now
        if self.closed is None:
            self._inbound.receive(batch)

    def sole_owner(self, name: str) -> Request | None:
        """The only command that responses of that name can answer, or None; many of them can then be given to it at once."""
        return self._inbound.sole_owner(name)

    @property
    def has_sinks(self) -> bool:
        """Whether a command that is not over has a sink for literals of its answer."""
        return any(request.call.sink is not None for request in self.flight.live)

    def owner_of(self, response: Untagged) -> Request | None:
        """The command that a response answers, judged by the part of the response that has arrived; None if there is none."""
        return self._inbound.owner_of(response)

    def held_up(self, now: float) -> None:
        """Note progress of all commands: the program itself holds up the receiving, so no command is late because of it."""
        flight = self.flight
        flight.now = now
        for request in flight.pending.values():
            flight.note(request)
            return

    def literal_progress(self, size: int, now: float) -> None:
        """Note ``size`` bytes of a literal. They count for the oldest command in flight, since the owner is not known yet."""
        flight = self.flight
        flight.now = now
        for request in flight.pending.values():
            flight.note_answer(request, size)
            return

    def switched(self, request: Request, now: float) -> None:
        """End a command whose layer has been switched on, or off."""
        flight = self.flight
        flight.now = now
        if self.closed is not None or request.phase is not SWITCHING:
            return
        if request.call.command.tail == "reject":
            self.distrust()
        request.move("switched")
        flight.land(request)

    def distrust(self) -> None:
        """Forget what was received so far: it came without TLS, and an attacker may have sent it (RFC 3501 section 6.2.1)."""
        self.session.distrust()
        self.store.clear()

    # time

    def deadline(self) -> float:
        """The moment at which ``tick`` has something to do."""
        flight = self.flight
        moment = min(flight.moments.nearest(), flight.stalls_at()[0])
        return moment if self._send_error is None else min(moment, self._send_error[1])

    def tick(self, now: float) -> None:
        """Interrupt, give up or fail the commands whose moment has come."""
        flight = self.flight
        flight.now = now
        if self._send_error is not None and self._send_error[1] <= now:
            self._lose(self._send_error[0])
        for request in list(flight.moments.due(now)) if self.closed is None else ():
            self._look_at(request, now)
        moment, stalled = flight.stalls_at()
        if stalled is not None and moment <= now:
            self._lose(flight.late(stalled))

    def _look_at(self, request: Request, now: float) -> None:
        if request.phase is DONE or request.abandoned:
            return
        flight = self.flight
        if request.limit <= now:
            late, half_sent = flight.late(request), request.phase is SENDING and not request.sent
            if half_sent or (request.hard and request.phase is not QUEUED):
                self._lose(late)
            else:
                self.abandon(request, now, late if request.hard else DeadlineExceeded(str(late)))
            return
        if request.phase is LISTENING:
            why = "patience" if request.until <= now else "refresh" if request.refresh_at <= now else ""
            if why:
                self.outbound.interrupt(request, why)
        elif request.until <= now:
            # The command ends as soon as the server has accepted it.
            request.wants_interrupt("patience")
        if request.until <= now:
            flight.look_at(request.limit, request)

    # the end

    def _lose(self, exc: error) -> None:
        """End the connection because the server did not respond; its last ALERT may be the reason."""
        if self.closed is None and self.session.state is not State.LOGOUT:
            self.add_alert(exc)
        self.close(exc)

    def close(self, exc: error) -> None:
        """End every command because of ``exc``. It may be called twice, and in a state that an interruption left half changed;
        the first reason counts."""
        if self.closed is None:
            self.closed = self.effects.closed = self.strays.with_last_line(exc)
            self.effects.due = True
        self.flight.fail_all(self.closed)
        self.outbound.clear()
