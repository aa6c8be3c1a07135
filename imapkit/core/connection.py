"""The threads around the protocol: callers that write in turn and wait, what is done in time; and the end of it all.

The state lock guards ``protocol`` and is held for moments only, never while octets move, parsers or callbacks run. Who has the
turn (``protocol.gate``) may write, and who has the right (``reading``) reads. Who reads never waits for a write to be taken.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from math import inf
from types import FrameType
from typing import TYPE_CHECKING

from imapkit.core.dispatcher import Dispatcher
from imapkit.core.intake import Intake
from imapkit.core.layers import Layers
from imapkit.core.limits import Limits, Timeouts
from imapkit.core.outcome import check
from imapkit.core.protocol import Protocol
from imapkit.core.reading import Reading, silences
from imapkit.core.request import Call, Request
from imapkit.core.secrets import Secret, plain
from imapkit.core.trace import Trace
from imapkit.core.transport import within
from imapkit.core.wire import Late, Literal, Piece
from imapkit.errors import (
    CommandTimeout,
    ConnectError,
    ConnectionClosed,
    NestedCommandError,
    abort,
    error,
    lost_error,
)
from imapkit.family import State

if TYPE_CHECKING:
    from imapkit.core.registry import Registry
    from imapkit.core.session import Session

__all__ = ["Connection"]

_ONE_SEND = 1 << 18
_NON_SYNC_MAX = 4096
_LAST_WORDS = 1.0
"""Seconds at most to read to the end for, once nothing can be sent any more: a pipe can take long, or who holds up the reader."""

_MOMENT = 10.0
"""Seconds that a lock may be held for by another thread, where it may be the very one that asks for it."""


class Connection:
    """One connection to a server."""

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
        self.limits, self.timeouts, self.trace = limits or Limits(), timeouts or Timeouts(), trace or Trace()
        self.layers = layers
        self.protocol = Protocol(registry, self.limits, session)
        self.dispatcher = Dispatcher(f"{name} callbacks", self._overdue, self._unattended)
        self._ending: ConnectionClosed | None = None
        self._handed_over: list[bytes] = []
        """Lines that whoever has the turn is to send."""
        self._lock = threading.Lock()
        self._welcome = threading.Lock()
        """The latch that the greeting opens, and the end again. (An ``Event`` would take 1 KiB all the time.)"""
        self._welcome.acquire()
        self._intake = Intake(
            layers,
            self.protocol,
            self._lock,
            registry,
            self.trace,
            greeted=partial(Request.open, self._welcome),
            nudge=self._nudge,
        )
        self._reading = Reading(layers, self.protocol, self._intake, self.dispatcher, self.fail, self._prod, name)

    # opening

    def start(self, patience: float = inf) -> bytes:
        """Start the reader and wait for the greeting, for ``patience`` seconds at most. Raises ``abort``."""
        try:
            self._reading.thread.start()
        except RuntimeError as exc:
            raise ConnectError(f"no thread can be had to read the connection: {exc}") from exc
        if not self._welcome.acquire(timeout=min(self.timeouts.greeting, patience, threading.TIMEOUT_MAX)):
            seen = self._intake.unfinished
            self.fail(CommandTimeout("no greeting from the server in time" + (f"; it sent {seen!r}" if seen else "")))
        if self.protocol.closed is not None:
            self.close("no greeting")
            raise self.protocol.closed.fresh()
        assert self.protocol.welcome is not None
        return self.protocol.welcome

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
        on_done: Callable[[Request], None] | None = None,
    ) -> Request:
        """Send a command as soon as it may be sent. Raises what kept it from being sent."""
        request = Request(call, timeout=timeout, window=self.timeouts.progress, patience=patience, renew=renew)
        if on_done is not None:
            request.on_done = on_done
        if request.thread == self._reading.taker:
            # It may hold the state lock, and nobody else would read the answer.
            raise NestedCommandError(f"{call.name} was issued on the thread that reads the answers")
        self._reach(call.name)
        self._reading.abdicate()
        try:
            with self._lock:
                latch = self._line_up(request)
                idler = self.protocol.gate.interruptible() if latch else None
            if latch is not None:
                self._take_turn(request, latch, idler)
            if on_done is not None:
                self.dispatcher.watch(request)
                self._reading.call()
            if not request.joined:
                self._write_out(request)
        except BaseException:
            # A KeyboardInterrupt, too, must not leave somebody in the line who never goes; nor one on the way out.
            try:
                self._step_out(request)
            except BaseException:
                self._step_out(request)
                raise
            raise
        return request

    def _reach(self, what: str) -> None:
        """Refuse what a signal handler asks for as its own thread holds one of the locks that it needs: that would never end."""
        if not (self._lock.locked() or self.dispatcher.held) or not self._is_inside(sys._getframe(2)):
            return
        # It is not taken to find out: whoever is interrupted as he has taken it would keep it.
        end, rest = time.monotonic() + _MOMENT, 0.0
        while self._lock.locked() or self.dispatcher.held:
            if time.monotonic() > end:
                raise NestedCommandError(f"{what}: asked for in a moment in which the same thread held the state")
            time.sleep(rest)
            rest = min(rest + 1e-6, 1e-3)

    def _is_inside(self, frame: FrameType | None) -> bool:
        """Whether this thread is doing something for this connection already, further out."""
        here = Connection._is_inside.__code__.co_filename
        while frame is not None:
            if frame.f_code.co_filename == here and frame.f_locals.get("self") is self:
                return True
            frame = frame.f_back
        return False

    def _write_out(self, request: Request) -> None:
        request.begun = True
        try:
            self._transmit(request, self._send)
        except BaseException:
            if self.protocol.gate.writer is request and not request.idling:
                # Interrupted where nobody saw it: the turn must not be kept for ever.
                self._interrupted(request)
            raise

    def _interrupted(self, request: Request) -> None:
        """Half a command is on the wire: nothing that follows could be understood."""
        self._break_off(request, ConnectionClosed(f"{request.call.name} was interrupted while it was being sent"))

    def _transmit(self, request: Request, send: Callable[[Request], None]) -> None:
        """Send a command that has the turn, and what has been handed to it meanwhile, and give the turn back."""
        try:
            send(request)
            while more := self._leave(request):
                self.layers.write(more, within(self.timeouts.progress))
        except error as exc:
            self._break_off(request, exc if isinstance(exc, abort) else ConnectionClosed(str(exc)))
        except OSError as exc:
            self._hear_out(exc, request)
            self._break_off(request, lost_error(exc, "sending"))
        except BaseException as exc:
            self._interrupted(request)
            self._forget_frames(request, exc)
            raise
        finally:
            if isinstance(request.call.pieces, Secret):
                request.call.pieces = Secret([])

    def _leave(self, request: Request) -> bytes:
        """Give the turn back, unless there is more to be sent."""
        gate = self.protocol.gate
        with self._lock:
            if request.idling or gate.writer is not request:
                # It has given the turn back already, and somebody else writes.
                return b""
            if self._handed_over:
                more = b"".join(self._handed_over)
                self._handed_over.clear()
                gate.rounds += 1
                return more
            gate.leave(request)
        return b""

    def _break_off(self, request: Request, exc: error) -> None:
        self.fail(exc)
        with self._lock:
            self.protocol.gate.leave(request)

    def _hear_out(self, exc: OSError, request: Request) -> None:
        """A server that is gone has perhaps said why, in BYE or in its answer: that is read before the connection ends."""
        if isinstance(exc, ConnectionError):
            self._reading.call()
            if self._welcome.acquire(timeout=min(_LAST_WORDS, request.rest())):
                Request.open(self._welcome)

    def _renew(self, request: Request) -> None:
        """Send a command anew that has been ended for that, unless there is a reason by now to end it."""
        try:
            with self._lock:
                if self.protocol.closed is not None or request.complete or not request.again:
                    return
                going = self.protocol.renew(request)
                # From now on it is this thread's.
                request.thread = threading.get_ident()
                woken, self.protocol.woken = self.protocol.woken, []
            for woke in woken:
                woke.wake()
            if going:
                self._write_out(request)
        except BaseException:
            if request.complete:
                request.wake()
            elif not (request.again or request.sent):
                # It has the turn, perhaps, and nobody would send it.
                self._interrupted(request)
            raise

    def wait(self, request: Request) -> Request:
        """Wait for the end of a command. Raises ``abort``, or what a plugin raised for it."""
        try:
            while not request.complete:
                self._await(request, request.latch)
                self._overdue(request)
        except BaseException as exc:
            # A KeyboardInterrupt: the command is still in flight, and somebody must keep its time.
            self.dispatcher.watch(request)
            if request.again:
                self._nudge(request)
            self._forget_frames(request, exc)
            raise
        check(request, self.protocol)
        return request

    @staticmethod
    def _forget_frames(request: Request, exc: BaseException) -> None:
        """If ``request`` is secret: the frames below hold what was being sent, and so do those of what ``exc`` came from."""
        if request.call.command.secret:
            exc.__traceback__ = exc.__context__ = exc.__cause__ = None

    def _await(self, request: Request, latch: threading.Lock, most: float = inf) -> bool:
        """Wait for ``latch``, and read meanwhile if nobody else does; False if the command is late or due before it opens.

        ``most``: so many seconds, at most, are waited for others to read.
        """
        self._reading.lead(request, latch)
        return request.complete or request.wait(latch, most)

    def _overdue(self, request: Request) -> None:
        """Its time is over, perhaps: then it is interrupted if it can be, or else the connection ends."""
        if request.complete:
            return
        if request.again:
            self._renew(request)
            return
        why = request.due()
        if why:
            self.interrupt(request, why)
        elif request.is_late():
            self.fail(request.late(), request)

    def _unattended(self) -> list[Request]:
        """The commands in flight whose time nobody else keeps."""
        # Without the state lock, for which the clock must not wait: a plugin's function may be running under it. The list is made
        # in one step, and who is being put in asks to be watched only afterwards.
        return [request for request in list(self.protocol.pending.values()) if request.watched and not request.complete]

    def _check_open(self) -> None:
        if self.protocol.closed is not None:
            raise self.protocol.closed.fresh()

    def _line_up(self, request: Request) -> threading.Lock | None:
        """Take the turn, or join who has it, or a place in the line: then the latch is returned that opens with the turn.

        Under the state lock.
        """
        self._check_open()
        gate, writer = self.protocol.gate, self.protocol.gate.writer
        if writer is not None:
            if writer.thread == request.thread and not writer.idling:
                raise NestedCommandError(f"{request.call.name} was issued from inside the exchange of {writer.call.name}")
            # (What is to be shown is shown by its own thread, before it is sent.)
            if not self.trace.wants(1) and gate.join(request):
                self.protocol.register(request)
                line = request.line
                request.joined = True
                self._handed_over.append(line)
                return None
        latch = gate.enter(request)
        if latch is None:
            self.protocol.register(request)
        return latch

    def _take_turn(self, request: Request, latch: threading.Lock, idler: Request | None) -> None:
        """Wait for the turn."""
        if idler is not None:
            self.interrupt(idler)
        self._await_turn(request, latch)
        check(request, self.protocol)
        with self._lock:
            self._check_open()
            self.protocol.register(request)

    def _await_turn(self, request: Request, latch: threading.Lock) -> None:
        """Wait, and keep the time of those in flight meanwhile: perhaps nobody else does."""
        while not request.complete:
            now = time.monotonic()
            with self._lock:
                late, earliest = self.protocol.gate.overdue(now)
            if late is not None:
                self._overdue(late)
                continue
            if request.limit <= now:
                raise CommandTimeout(f"command: {request.call.name} => waited too long for the commands before it")
            if latch.acquire(timeout=min(earliest - now, request.limit - now, request.window, threading.TIMEOUT_MAX)):
                return

    def _step_out(self, request: Request) -> None:
        if request.joined or request.begun:
            # It is sent, by somebody else perhaps, and answered; or the connection has ended.
            self.dispatcher.watch(request)
            return
        with self._lock:
            self.protocol.gate.withdraw(request)
            self.protocol.forget(request)
            self.protocol.gate.recount()
        if self.protocol.gate.writer is request:
            # It was its turn already, and others may have handed their lines over.
            self._transmit(request, lambda _: None)

    def interrupt(self, request: Request, why: str = "turn") -> None:
        """End a command early, if it can be and has not ended yet (IDLE's DONE)."""
        ready = False
        try:
            with self._lock:
                if request.complete:
                    return
                ready = request.idling and not request.interrupted
                request.interrupt(why)
                if ready:
                    # Nobody may write while the line goes out, even if the command ends by itself meanwhile.
                    self.protocol.gate.writer = request
            if ready:
                self._send_interrupt(request)
                with self._lock:
                    self.protocol.gate.leave(request)
        except BaseException:
            if ready:
                # The turn must not be kept for ever, nor the line be sent by nobody.
                self.fail(ConnectionClosed("the interrupt was interrupted while it was being sent"))
            raise
        if request.on_done is not None:
            # Its patience has ended.
            self.dispatcher.watch(request)

    def _send_interrupt(self, request: Request) -> None:
        line = request.call.command.interrupt
        assert line is not None
        try:
            self.layers.write(line + b"\r\n", request.deadline)
        except OSError as exc:
            self._hear_out(exc, request)
            self.fail(lost_error(exc, "sending"))
        except Exception as exc:
            # What a subclass's send raises is not for whoever happens to interrupt.
            self.fail(ConnectionClosed(f"sending: {exc!r}"))

    def _prod(self) -> None:
        """Send what means nothing, unless somebody writes anyway: a server may have more than it has looked at (``Layer``).

        The one thing that who reads writes: only what the system takes at once.
        """
        with self._lock:
            if self.protocol.closed is not None or not self.protocol.gate.hold():
                return
        try:
            # (Whether it is gone is what the next read says.)
            with contextlib.suppress(ConnectionError):
                self.layers.fill()
        finally:
            with self._lock:
                self.protocol.gate.release()

    # writing: whoever has the turn

    def _send(self, request: Request) -> None:
        call = request.call
        if self.trace.wants(1):
            self._show(request)
        if call.line is not None:
            self._write(request, request.line)
            return
        out = bytearray(request.tag + b" ")
        for piece in self._settled(plain(call.pieces)):
            if isinstance(piece, Literal):
                out = self._send_literal(request, out, piece)
                if request.complete:
                    return
            else:
                out += piece
        out += b"\r\n"
        listens = call.reply is not None or call.command.interrupt is not None
        if listens:
            self._expect(request)
        with self._lock:
            request.sent = True
        self._write(request, out)
        if listens:
            self._converse(request)

    def _show(self, request: Request) -> None:
        """From the command, not from what is written: no literal is shown, and no secret."""
        self.trace.log(1, f"{request.tag.decode()} {request.call!r}")
        if self.trace.wants(4):
            self.trace.log(4, f"> {request.tag + b' ' + request.call.shown(200)!r}")

    def _settled(self, pieces: list[Piece]) -> Iterator[bytes | Literal]:
        for piece in pieces:
            if isinstance(piece, Late):
                yield from piece.on if "UTF8=ACCEPT" in self.protocol.session.enabled else piece.off
            else:
                yield piece

    def _send_literal(self, request: Request, out: bytearray, literal: Literal) -> bytearray:
        """Announce a literal and send it, RFC 3501 section 4.3 and RFC 7888; returns what is still to be sent after it."""
        size = len(literal.data)
        out += b"~{%d" % size if literal.binary else b"{%d" % size
        if self._may_go_unasked(literal):
            out += b"+}\r\n"
        else:
            out += b"}\r\n"
            self._expect(request)
            self._write(request, out)
            self._await_go(request, prods=self.layers.filler is not None)
            if request.complete:
                return out
            out = bytearray()
        if size <= _ONE_SEND:
            out += literal.data
            return out
        self._write(request, out)
        self._write(request, literal.data)
        return bytearray()

    def _may_go_unasked(self, literal: Literal) -> bool:
        # RFC 7888 section 6: "~{n+}" needs BINARY; another server takes the lines behind it for commands.
        has = self.protocol.session.has
        at_once = has("LITERAL+") or (len(literal.data) <= _NON_SYNC_MAX and (has("LITERAL-") or has("IMAP4REV2")))
        return at_once and (not literal.binary or has("BINARY"))

    def _write(self, request: Request, data: bytes | bytearray) -> None:
        self.layers.write(data if isinstance(data, bytes) else memoryview(data), request.deadline)
        request.progress = time.monotonic()

    def _expect(self, request: Request) -> None:
        with self._lock:
            latch = threading.Lock()
            latch.acquire()
            request.go = latch
            if request.complete:
                Request.open(latch)

    def _await_go(self, request: Request, *, prods: bool = False) -> None:
        """Wait for "+", or for the command to be answered instead; ``prods``: and for what is before it, perhaps (``_prod``)."""
        assert request.go is not None
        for silence in silences() if prods else repeat(inf):
            if self._await(request, request.go, silence):
                return
            if request.is_late():
                raise request.late()
            if prods:
                self.layers.fill()

    def _converse(self, request: Request) -> None:
        """Answer each continuation request, until the command is answered (or idles)."""
        reply = request.call.reply
        while True:
            self._await_go(request)
            if request.complete:
                return
            if reply is None:
                self._idle(request)
                return
            answer = self._answer(request, reply)
            if request.call.command.secret:
                self.protocol.secrets.add_response(answer)
                if isinstance(request.defect, error):
                    with self._lock:
                        self._hush(request.defect)
            self._expect(request)
            if self.trace.wants(4):
                self.trace.log(4, "> ***" if request.call.command.secret else f"> {answer[:200]!r}")
            self._write(request, answer + b"\r\n")

    def _idle(self, request: Request) -> None:
        """It has been accepted: give the turn back, unless it is to end at once."""
        with self._lock:
            if request.complete:
                return
            if request.news or self.protocol.gate.waiting:
                # Who waits came before it went out, and could not interrupt it then.
                request.interrupt("news" if request.news else "turn")
            if not request.interrupted:
                request.accept()
                self.protocol.gate.leave(request)
        if not request.idling:
            self._send_interrupt(request)
        elif request.on_done is not None:
            # Its patience ends earlier, perhaps, than the time it was given to be accepted.
            self.dispatcher.watch(request)

    @staticmethod
    def _answer(request: Request, reply: Callable[[bytes], bytes | None]) -> bytes:
        if request.defect is not None:
            return b"*"
        try:
            answer = reply(request.challenge)
        except Exception as exc:
            # RFC 3501 section 6.2.2: "*" cancels; the caller gets its exception once the server has said so too.
            request.defect, answer = exc, None
        if answer is not None and (b"\r" in answer or b"\n" in answer):
            request.defect, answer = ValueError("CR or LF in the answer to a continuation request"), None
        return b"*" if answer is None else answer

    def _nudge(self, request: Request) -> None:
        """Have a command interrupted, or sent anew, by whoever waits for it: who reads does not write."""
        if request.on_done is None and not request.watched:
            request.nudge()
        else:
            self.dispatcher.post(lambda: self._overdue(request))

    # the end

    def fail(self, exc: error, late: Request | None = None) -> None:
        """End the connection because of ``exc``: whoever waits gets a copy of it; the reader ends. Returns at once.

        ``late``: the command that is the reason, unless it has been answered, or has got on, by now.
        """
        first, reason = False, exc
        try:
            with self._lock:
                self._hush(exc)
                reason, wanted = self._ending or exc, self._ending is not None or self.state is State.LOGOUT
                first = self.protocol.closed is None and (late is None or late.is_late())
                if not first:
                    return
                if not wanted:
                    self.protocol.tell_alert(reason)
                self.protocol.close(reason)
                self._handed_over.clear()
            self.trace.log(1, f"connection ends: {exc}")
            if not wanted:
                self.trace.dump()
            self._tell_all()
        except BaseException:
            if first:
                # Interrupted: everybody is told all the same.
                with self._lock:
                    self.protocol.close(reason)
                self._tell_all()
            raise

    def _tell_all(self) -> None:
        """Wake everybody, now that the connection has ended. May be done twice."""
        woken = list(self.protocol.woken)
        self.layers.transport.interrupt()
        self._reading.call()
        Request.open(self._welcome)
        for request in woken:
            request.wake()
        self.dispatcher.stop(None)
        # Nobody must be kept alive by it.
        self.protocol.woken = []

    def shut_down(self, exc: ConnectionClosed) -> None:
        """End the connection because of ``exc``, from any thread and from within a plugin's function. Returns at once."""
        if threading.get_ident() == self._reading.taker and self._lock.locked():
            # Perhaps this thread holds the state lock. It comes to the end of the stream next, and finds the reason here.
            self._ending = self._ending or exc
            self.layers.transport.interrupt()
        else:
            self._reach(str(exc))
            self.fail(exc)

    def _hush(self, exc: error) -> None:
        """Take the secrets out of an error's text, and the frames that hold what was sent and received. Under the state lock."""
        secret = any(request.call.command.secret for request in list(self.protocol.pending.values()))
        if secret:
            exc.__cause__ = None
        if secret or self.protocol.secrets:
            self.protocol.secrets.clean(exc)
            exc.__traceback__ = exc.__context__ = None

    def close(self, reason: str) -> None:
        """End the connection and wait until its threads are gone. May be called twice, and from any thread but the reader."""
        if threading.get_ident() == self._reading.taker:
            # It may hold the state lock, and cannot wait for itself.
            raise NestedCommandError(f"{reason}: the thread that reads the answers cannot hang up")
        self._reach(reason)
        self._reading.abdicate()
        end = time.monotonic() + self.timeouts.logout

        def patience() -> float:
            # A subclass's read, or a callback, may take as long as it likes; whoever hangs up need not.
            return min(max(end - time.monotonic(), 0.0), threading.TIMEOUT_MAX)

        try:
            self._farewell(ConnectionClosed(reason))
        finally:
            # Interrupted, too: from its beginning on nobody is let out any more.
            self.fail(ConnectionClosed(reason))
        with self._lock:
            self.protocol.session.enter(State.LOGOUT)
        reader = self._reading.thread
        if reader.ident is None:
            self.layers.transport.close()
        elif reader is not threading.current_thread():
            reader.join(patience())
        self.dispatcher.stop(patience())

    def _farewell(self, why: ConnectionClosed) -> None:
        with self._lock:
            busy = self.protocol.closed is not None or self.protocol.gate.busy
            self.protocol.gate.frozen = True
            # The server may answer the farewell by going before we have gone ourselves.
            self._ending = self._ending or why
        if not busy:
            self.layers.finish()

    @property
    def open(self) -> bool:
        """Whether commands may still be sent."""
        return self.protocol.closed is None

    @property
    def polled(self) -> bool:
        """Whether another thread waits for the socket, or may: if it is closed beneath, that wait has no end."""
        reader = self._reading
        return reader.thread.is_alive() and reader.taker != threading.get_ident()

    @property
    def state(self) -> State:
        """The state of the session."""
        return self.protocol.session.state

    def enter(self, state: State) -> None:
        """Change the state of the session, for a program that knows better."""
        with self._lock:
            self.protocol.session.enter(state)
