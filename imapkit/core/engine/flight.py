"""The commands under way: moves each from phase to phase, and notes when its waiter is to be called."""

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
from imapkit.errors import CommandTimeout, MailboxClosed, StateError, error, readonly

if TYPE_CHECKING:
    from imapkit.core.contract.session import Session
    from imapkit.core.engine.request import Request
    from imapkit.core.engine.store import Store
    from imapkit.core.support.secrets import Hidden

__all__ = ["Flight"]

SHARED = 1024
"""Bytes of one command's answer that count as progress of the commands behind it. Fewer count for that command alone."""


def _tag_prefix() -> bytes:
    # An attacker who cannot guess the tag cannot answer a command before it is sent.
    # (``secrets`` would load ``hmac`` for six letters.)
    number = int.from_bytes(os.urandom(8))
    return bytes(65 + number // 26**place % 26 for place in range(6))


class Flight:
    """Every command from ``submit`` to its end. ``now`` is the last moment that the engine's caller passed.

    ``tagged``: see ``Gate``.
    """

    def __init__(self, session: Session, store: Store, secrets: Hidden, window: float, tagged: frozenset[str]) -> None:
        self.session, self.store, self.secrets, self.window = session, store, secrets, window
        self.now = 0.0
        self.gate = Gate(tagged)
        self.effects = Effects()
        self.live: dict[Request, None] = {}
        """The commands submitted and not over, in order; an orphan stays until its answer comes."""
        self.pending: dict[bytes, Request] = {}
        """The commands in flight, by tag, in the order in which they were sent."""
        self.attribution = Attribution()
        self.listener: Request | None = None
        """The command in flight that listens, or that will."""
        self.wanted: frozenset[str] = frozenset()
        """The responses, and codes in brackets, that go to ``effects.unasked`` if no command asked for them."""
        self.layer_pending = False
        """Whether a command that switches a layer on or off is in flight: a batch of responses then ends behind each tagged
        response. Readable without the lock."""
        self.progress = Progress()
        self.moments = Moments()
        self.tag_prefix = _tag_prefix()
        self.sent = 0
        """How many tags have been used."""

    def look_at(self, moment: float, request: Request) -> None:
        """Have ``tick`` look at a command at ``moment``."""
        self.moments.add(moment, request, self.live.__len__)

    def admit(self, request: Request) -> bool:
        """Give a command its tag; False if the command may not be sent now, and has failed."""
        command, session = request.call.command, self.session
        try:
            # (Without the enum's own operator, which is slow.)
            if not command.states._value_ & session.state._value_:
                raise StateError(f"command {request.call.name} illegal in state {session.state.name}")
            if request.call.seqnums:
                session.check_numbers(request.call.name)
            selection = request.call.selection
            if selection is not None and selection != session.selections:
                raise MailboxClosed(f"another mailbox was selected before it was its turn: {request.call.name} was not sent")
            if command.secret:
                _check_tls(request, session)
            if session.readonly_news is not None and not command.ends:
                news, session.readonly_news = session.readonly_news, None
                raise readonly(news)
            if command.before is not None:
                command.before(session, request.args)
        except Exception as exc:
            # The command is not sent, so the store keeps what it has for ``response()``.
            self.session.flush = False
            request.defect = exc
            request.move("fail")
            self.gate.withdraw(request)
            self.release(request)
            return False
        if session.flush:
            session.flush = False
            request.aside = self.store.set_aside()
        if command.secret:
            self.secrets.begin(*secret_arguments(request.args))
        self.tag(request)
        if request.call.awaits:
            self.attribution.expect(request)
        if command.news is not None or command.interrupt is not None:
            self.listener = request
        if command.layer is not None or command.ends_layers:
            self.layer_pending = True
        return True

    def tag(self, request: Request) -> None:
        """Give a command a new tag."""
        pending = self.pending
        if request.tag:
            del pending[request.tag]
        self.sent = order = self.sent + 1
        request.order, request.tag = order, b"%b%d" % (self.tag_prefix, order)
        if pending:
            # The command gets a whole window, even if the commands before it have made no progress for long.
            self.note_order(order)
        else:
            self.progress.restart(order, self.now)
        pending[request.tag] = request

    def land(self, request: Request) -> None:
        """End a command that was in flight."""
        self.pending.pop(request.tag, None)
        command = request.call.command
        if request.call.awaits:
            self.attribution.forget(request)
        if self.listener is request:
            self.listener = None
        if command.layer is not None or command.ends_layers:
            self.layer_pending = False
        self.gate.land(request)
        self.release(request)

    def release(self, request: Request) -> None:
        """Have the command's waiter called, once."""
        if not request.released:
            # In this order: an interruption in between calls the waiter twice, which is harmless, and never leaves it out.
            effects = self.effects
            effects.done.append(request)
            effects.due = True
            request.released = True
        if request.phase is DONE:
            self.live.pop(request, None)

    def fail(self, request: Request, exc: error) -> None:
        """End a command without an answer."""
        request.aborted = request.aborted or exc
        if request.aside:
            self.store.put_back(request.aside)
            request.aside = ()
        if request.phase is not DONE:
            request.move("fail")
        # The frame of the exchange holds the bytes sent last, which may be a secret.
        request.end_exchange()
        self.release(request)

    def drop(self, request: Request, exc: error) -> None:
        """Take a command out of the queue; it is never sent."""
        request.aborted = exc
        request.move("abandon")
        self.gate.withdraw(request)
        self.release(request)

    def fail_all(self, exc: error) -> None:
        """End every command at the end of the connection, with its answer if that is complete."""
        for request in list(self.live):
            if request.call.command.ends and request.received and not request.typ:
                # The server sent BYE and closed the connection, without the tagged OK that belongs between them.
                request.typ = "OK"
            if request.typ and request.phase is not SWITCHING:
                request.phase = DONE
                self.release(request)
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
        """Note progress of a command, and with it of all commands behind it."""
        self.note_order(request.order)

    def note_order(self, order: int) -> None:
        """Note progress of the command of this order, and with it of all commands behind it."""
        self.progress.note(order, self.now, self._oldest)

    def _oldest(self) -> int:
        """The lowest order in flight."""
        return next((request.order for request in self.pending.values()), self.sent)

    def note_answer(self, request: Request, size: int) -> None:
        """Note ``size`` bytes of a command's answer: progress of that command; from ``SHARED`` bytes on, of all behind it."""
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
                # The commands behind it have made progress later, or at the same moment.
                break
        return earliest, first

    def late(self, request: Request) -> CommandTimeout:
        """The error for a command that is late."""
        waited = request.phase is QUEUED
        return CommandTimeout(
            f"command: {request.call.name} => "
            + ("waited too long for the commands before it" if waited else "no answer in time")
        )


def _check_tls(request: Request, session: Session) -> None:
    """Raise ``StateError`` if a secret would be sent without the TLS that the program asked for."""
    if session.awaits_tls and not session.secure:
        raise StateError(f"{request.call.name} would send a secret without TLS, which the program asked for; nothing was sent")
