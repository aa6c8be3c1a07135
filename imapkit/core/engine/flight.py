"""The commands under way: how each goes on from phase to phase, and what is left for its waiter."""

from __future__ import annotations

import os
from math import inf
from typing import TYPE_CHECKING

from imapkit.core.engine.attribution import Attribution
from imapkit.core.engine.effects import Effects
from imapkit.core.engine.gate import Gate
from imapkit.core.engine.phases import DONE, LISTENING, QUEUED, SWITCHING
from imapkit.core.engine.times import Moments, Progress
from imapkit.core.support.secrets import secret_arguments
from imapkit.errors import CommandTimeout, StateError, error, readonly

if TYPE_CHECKING:
    from imapkit.core.contract.session import Session
    from imapkit.core.engine.request import Request
    from imapkit.core.engine.store import Store
    from imapkit.core.support.secrets import Hidden

__all__ = ["Flight"]

SHARED = 1024
"""Bytes of one command's answer that count as progress of the commands behind it: a server that drips less serves nobody."""


def _tag_prefix() -> bytes:
    # Nobody on the way can answer a command before it is sent: the tag cannot be guessed.
    # (``secrets`` would load ``hmac`` for six letters.)
    number = int.from_bytes(os.urandom(8))
    return bytes(65 + number // 26**place % 26 for place in range(6))


class Flight:
    """Every command from ``submit`` to its end. ``now`` is the moment that the engine's caller gave last."""

    def __init__(self, session: Session, store: Store, secrets: Hidden, window: float) -> None:
        self.session, self.store, self.secrets, self.window = session, store, secrets, window
        self.now = 0.0
        self.gate = Gate()
        self.effects = Effects()
        self.live: dict[Request, None] = {}
        """Submitted and not over, in order; an orphan is among them until its answer comes."""
        self.pending: dict[bytes, Request] = {}
        """In flight, by tag, in the order in which they were sent."""
        self.attribution = Attribution()
        self.listener: Request | None = None
        """The command in flight that goes on until there is a reason to end it."""
        self.layer_pending = False
        """A command that switches a layer on is in flight: a batch of responses must end behind each tagged response. It may be
        read without the lock."""
        self.progress = Progress()
        self.moments = Moments()
        self.tag_prefix = _tag_prefix()
        self.sent = 0
        """How many commands have got a tag."""

    def look_at(self, moment: float, request: Request) -> None:
        """Have ``tick`` look at a command at ``moment``."""
        self.moments.add(moment, request, self.live.__len__)

    def admit(self, request: Request) -> bool:
        """Give a command its tag; False, and it is over, if it may not be sent any more."""
        command, session = request.call.command, self.session
        try:
            # (Without the enum's own operator, which is slow.)
            if not command.states._value_ & session.state._value_:
                raise StateError(f"command {request.call.name} illegal in state {session.state.name}")
            if command.secret:
                _check_tls(request, session)
            if session.readonly_news is not None and not command.ends:
                news, session.readonly_news = session.readonly_news, None
                raise readonly(news)
            if command.before is not None:
                command.before(session, request.args)
        except Exception as exc:
            # It is not sent: what is kept for ``response()`` stays.
            self.session.flush = False
            request.defect = exc
            request.move("fail")
            self.gate.withdraw(request)
            self.tell(request)
            return False
        if session.flush:
            session.flush = False
            request.aside = self.store.set_aside()
        if command.secret:
            self.secrets.begin(*secret_arguments(request.args))
        self.tag(request)
        if command.result:
            self.attribution.expect(request)
        if command.news is not None or command.interrupt is not None:
            self.listener = request
        if command.layer is not None:
            self.layer_pending = True
        return True

    def tag(self, request: Request) -> None:
        """Give a command a tag that has not been used."""
        pending = self.pending
        if request.tag:
            del pending[request.tag]
        self.sent = order = self.sent + 1
        request.order, request.tag = order, b"%b%d" % (self.tag_prefix, order)
        if pending:
            # It has a window of its own, however long ago the server did something for those before it.
            self.note_order(order)
        else:
            self.progress.restart(order, self.now)
        pending[request.tag] = request

    def land(self, request: Request) -> None:
        """A command is no longer in flight, and over."""
        self.pending.pop(request.tag, None)
        command = request.call.command
        if command.result:
            self.attribution.forget(request)
        if self.listener is request:
            self.listener = None
        if command.layer is not None:
            self.layer_pending = False
        self.gate.land(request)
        self.tell(request)

    def tell(self, request: Request) -> None:
        """Have its waiter told, unless it has been."""
        if not request.released:
            # In this order: interrupted in between it is told twice, which a waiter must bear; never not at all.
            effects = self.effects
            effects.done.append(request)
            effects.due = True
            request.released = True
        if request.phase is DONE:
            self.live.pop(request, None)

    def fail(self, request: Request, exc: error) -> None:
        """A command ends without an answer."""
        request.aborted = request.aborted or exc
        if request.aside:
            self.store.put_back(request.aside)
            request.aside = ()
        if request.phase is not DONE:
            request.move("fail")
        # Its frame holds what was last sent, which may be a secret.
        request.end_exchange()
        self.tell(request)

    def drop(self, request: Request, exc: error) -> None:
        """A queued command is never sent."""
        request.aborted = exc
        request.move("abandon")
        self.gate.withdraw(request)
        self.tell(request)

    def fail_all(self, exc: error) -> None:
        """The connection has ended: every command ends, with its answer if that is all there."""
        for request in list(self.live):
            if request.call.command.ends and request.received and not request.typ:
                # The server said BYE and went, without the tagged OK that should be between.
                request.typ = "OK"
            if request.typ and request.phase is not SWITCHING:
                request.phase = DONE
                self.tell(request)
            else:
                for piece in request.came if request.tag else ():
                    self.store.add(piece.name, piece, piece.memory)
                self.fail(request, exc)
        self.pending.clear()
        self.attribution.clear()
        self.moments.clear()
        self.gate.ready.clear()
        self.listener, self.layer_pending = None, False

    # progress

    def note(self, request: Request) -> None:
        """The server, or the socket, did something for a command: that is progress of all behind it, too."""
        self.note_order(request.order)

    def note_order(self, order: int) -> None:
        """The same for the command of this order."""
        self.progress.note(order, self.now, self._oldest)

    def _oldest(self) -> int:
        """The lowest order in flight."""
        return next((request.order for request in self.pending.values()), self.sent)

    def note_answer(self, request: Request, size: int) -> None:
        """``size`` bytes of a command's answer have come: progress of its own, and with enough of them of all behind it."""
        request.progress = self.now
        request.unshared += size
        if request.unshared >= SHARED:
            request.unshared = 0
            self.note_order(request.order)

    def stalls_at(self) -> tuple[float, Request | None]:
        """The moment at which the first command in flight has made no progress for the whole window, and that command."""
        earliest, first = inf, None
        for request in self.pending.values():
            if request.phase is LISTENING or request.awaits == "ask":
                # The server owes nothing.
                continue
            shared = self.progress.of(request.order)
            moment = max(shared, request.progress) + self.window
            if moment < earliest:
                earliest, first = moment, request
            if request.progress <= shared:
                # Those behind it have made progress no earlier.
                break
        return earliest, first

    def late(self, request: Request) -> CommandTimeout:
        """The error for a command's being late."""
        waited = request.phase is QUEUED
        return CommandTimeout(
            f"command: {request.call.name} => "
            + ("waited too long for the commands before it" if waited else "no answer in time")
        )


def _check_tls(request: Request, session: Session) -> None:
    """Raise ``StateError`` if a secret would leave without the TLS that was asked for."""
    if session.awaits_tls and not session.secure:
        raise StateError(
            f"{request.call.name} would send a secret without TLS, which was asked for and is not there; nothing was sent"
        )
