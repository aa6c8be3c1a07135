"""The bytes to be sent: those of the exchange that owns the wire, and lines of many commands together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from imapkit.core.engine.effects import Out
from imapkit.core.engine.exchange import Ask, Continue, Send, exchange_of, whole
from imapkit.core.engine.phases import QUEUED, SENDING
from imapkit.core.support.secrets import Secret

if TYPE_CHECKING:
    from imapkit.core.engine.flight import Flight
    from imapkit.core.engine.request import Request

__all__ = ["Outbound"]

TOGETHER = 1 << 16
"""Bytes at which no further command is added to a piece."""


class Outbound:
    """Puts the bytes of all commands in order. One exchange owns the wire until all of its command has been taken."""

    def __init__(self, flight: Flight, *, high: int, low: int) -> None:
        self.flight, self.high = flight, high
        self._pause = min(low, high)
        """With this many commands in flight, queued ones wait until there are fewer, and are sent together."""
        self.owner: Request | None = None
        self.out: deque[Out] | tuple[()] = ()
        """Bytes of the owner's, ready to be taken; no deque while it is empty, which takes 0.7 KiB on every idle connection."""

    @property
    def empty(self) -> bool:
        """Whether no bytes are ready, and no exchange is under way."""
        return self.owner is None and not self.out

    def next(self, may_begin: bool) -> Out | None:
        """The bytes to send next, or None; ``may_begin``: whether further commands may begin."""
        if self.out:
            return self._take()
        flight = self.flight
        if not flight.gate.ready or not may_begin or self.owner is not None or len(flight.pending) >= self._pause:
            return None
        return self._lone_line() or self._lines() or (self._take() if self.out else None)

    def _lone_line(self) -> Out | None:
        """The only ready command, if it is a single line; else None. A caller that waits for each command mostly sends such."""
        flight = self.flight
        ready: Any = flight.gate.ready
        request: Request = ready[0]
        line = request.call.line
        if line is None or len(ready) > 1 or request.phase is not QUEUED:
            return None
        ready.pop()
        if not flight.admit(request):
            return None
        return Out(self._leaves(request, line), request.order, None, False, (request,))

    def _leaves(self, request: Request, text: bytes) -> bytes:
        """Note that a command is sent whole, and return its bytes."""
        request.sent = True
        request.move("line")
        self.flight.gate.sent(request)
        return b"%b %b\r\n" % (request.tag, text)

    def _lines(self) -> Out | None:
        """Several commands that are sent whole, or None; after None the exchange of the next command may have begun."""
        flight, size = self.flight, 0
        ready: Any = flight.gate.ready
        # (Those taken are removed together: to remove the first of a long list moves all others.)
        taken = 0
        lines: list[bytes] = []
        sent: list[Request] = []
        while size < TOGETHER and len(flight.pending) < self.high and (taken := _skip_withdrawn(ready, taken)) < len(ready):
            request: Request = ready[taken]
            text = whole(request.call, flight.session)
            if text is None and lines:
                break
            taken += 1
            if not flight.admit(request):
                continue
            if text is None:
                del ready[:taken]
                self._begin(request)
                return None
            sent.append(request)
            lines.append(self._leaves(request, text))
            forget_secret(request)
            size += len(lines[-1])
            if request.call.command.secret:
                break
        del ready[:taken]
        if not sent:
            return None
        data = lines[0] if len(lines) == 1 else b"".join(lines)
        return Out(data, sent[0].order, None, sent[-1].call.command.secret, sent)

    def _begin(self, request: Request) -> None:
        request.move("admit")
        self.owner = request
        request.exchange = exchange_of(request, self.flight.session)
        self._lay(Out(b"", request.order, None, False, (request,)))
        self.step(request, None)

    def _lay(self, out: Out) -> None:
        if isinstance(self.out, deque):
            self.out.append(out)
        else:
            self.out = deque((out,))

    def _take(self) -> Out:
        assert isinstance(self.out, deque)
        out = self.out.popleft()
        self.out = self.out or ()
        if out.completes is not None:
            out.completes.sent = True
        if not self.out:
            self._release()
        return out

    def _release(self) -> None:
        """Let the next command begin, if all of the owner's bytes have been handed over."""
        request = self.owner
        if request is None or request.exchange is not None or self.out:
            return
        self.owner = None
        if request.phase is SENDING:
            request.move("orphan" if request.abandoned else "sent")
            if not request.accepted:
                self.flight.gate.sent(request)

    def step(self, request: Request, value: Any) -> None:
        """Resume an exchange with ``value``, until it waits or ends."""
        exchange = request.exchange
        assert exchange is not None
        request.awaits = ""
        try:
            wanted = exchange.send(value)
            while isinstance(wanted, Send):
                completes = request if wanted.complete else None
                self._lay(Out(wanted.data, request.order, completes, wanted.secret, (), wanted.answers, wanted.source))
                wanted = exchange.send(None)
        except StopIteration:
            request.exchange = None
            forget_secret(request)
            self._release()
            return
        if isinstance(wanted, Continue):
            request.awaits = "+"
        elif isinstance(wanted, Ask):
            self._ask(request, wanted)
        else:
            self._accept(request)

    def _ask(self, request: Request, question: Ask) -> None:
        if request.abandoned:
            # No thread would call the function. "*" cancels, RFC 3501 section 6.2.2.
            self.step(request, b"*")
            return
        request.awaits, request.question = "ask", question
        self.flight.effects.ask(request)

    def _accept(self, request: Request) -> None:
        """Note that the server has accepted a listening command: others may be sent, and end it."""
        flight = self.flight
        request.move("accept")
        self.owner = None
        if not request.accepted:
            request.accepted = True
            flight.gate.sent(request)
        request.refresh_at = flight.now + request.renew
        flight.look_at(request.refresh_at, request)
        flight.effects.ask(request)
        why = "news" if request.news else "abandoned" if request.abandoned else "turn" if flight.gate.queued else ""
        if why or request.interrupted_by:
            self.interrupt(request, why or request.interrupted_by)

    def interrupt(self, request: Request, why: str) -> None:
        """End a command that listens, or note the reason for which it is to end once it listens."""
        if not request.wants_interrupt(why):
            return
        request.move("interrupt")
        # From here on the command can be late, so its waiter must wait for an earlier moment.
        self.flight.effects.ask(request)
        self.owner = request
        self.flight.note(request)
        self.step(request, why)

    def proceed(self, text: bytes, count: Callable[[Request], None]) -> bool:
        """Resume the exchange that waits for "+"; False if none does."""
        request = self.owner
        if request is None or request.awaits != "+" or self.out:
            # The server cannot have answered bytes of the exchange that have not been taken yet.
            return False
        if request.call.reply is not None:
            count(request)
        request.continuation = text
        self.flight.note(request)
        self.step(request, text)
        return True

    def renew(self, request: Request) -> None:
        """Send a listening command again, which was ended to be renewed."""
        request.move("renew")
        request.sent, request.interrupted_by = False, ""
        self.owner = request
        request.exchange = exchange_of(request, self.flight.session)
        self.flight.note(request)
        self.step(request, None)

    def stop(self, request: Request) -> None:
        """End the exchange of an answered command. Bytes that are ready are still sent, since they were announced."""
        if request.exchange is not None:
            request.end_exchange()
            forget_secret(request)
        request.awaits, request.question = "", None
        if request.phase is SENDING and not request.accepted:
            self.flight.gate.sent(request)
        if request is self.owner and not self.out:
            self.owner = None

    def clear(self) -> None:
        """Send nothing more."""
        self.out = ()
        self.owner = None


def _skip_withdrawn(ready: Sequence[Request], at: int) -> int:
    """The place of the first command from ``at`` on that is still queued."""
    while at < len(ready) and ready[at].phase is not QUEUED:
        at += 1
    return at


def forget_secret(request: Request) -> None:
    """Forget the pieces of a secret command, which have been handed out."""
    if isinstance(request.call.pieces, Secret):
        request.call.pieces = Secret([])
