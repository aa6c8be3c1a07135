"""Responses: each changes the phase of a command, the session, or the store; RFC 3501 section 7."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from imapkit.core.contract.events import Unasked
from imapkit.core.contract.session import State
from imapkit.core.engine.guarded import Guarded, holds, judged
from imapkit.core.engine.phases import IN_FLIGHT, LISTENING, QUEUED
from imapkit.core.support.shown import shown
from imapkit.core.wire.memory import SINGLE, memory_of
from imapkit.core.wire.response import (
    CodeData,
    Continuation,
    ResponseCode,
    Run,
    Stray,
    Tagged,
    Untagged,
    response_code,
    split_code,
)
from imapkit.errors import ConnectionClosed, LimitExceeded, RemoteProtocolError, ServerBye

if TYPE_CHECKING:
    from imapkit.core.contract.extension import Response
    from imapkit.core.contract.tables import Tables
    from imapkit.core.engine.attribution import Finding, Judge
    from imapkit.core.engine.defects import DefectLog
    from imapkit.core.engine.flight import Flight
    from imapkit.core.engine.outbound import Outbound
    from imapkit.core.engine.request import Request
    from imapkit.core.engine.strays import Strays
    from imapkit.core.support.limits import Limits

__all__ = ["Inbound"]

CONDITIONS = frozenset(("OK", "NO", "BAD"))
_GREETINGS = {"OK": State.NONAUTH, "PREAUTH": State.AUTH}


class Inbound:
    """Takes responses in. An error that a method raises ends the connection."""

    def __init__(
        self, flight: Flight, outbound: Outbound, tables: Tables, limits: Limits, defects: DefectLog, strays: Strays
    ) -> None:
        self._flight, self._outbound, self._tables, self._limits, self._defects = flight, outbound, tables, limits, defects
        self._strays = strays
        self._plugins = Guarded(flight.session, tables, defects)
        self.alert = ""
        """The text of the last ALERT, without secrets."""
        self.welcome: bytes | None = None

    def receive(self, batch: Iterable[Continuation | Tagged | Untagged | Run]) -> None:
        """Take responses in, in order."""
        for response in batch:
            if self._flight.effects.switch is not None:
                raise RemoteProtocolError("the server sent more after an OK to a command that had not been sent")
            kind = type(response)
            if self._strays.count and not isinstance(response, Stray):
                self._strays.count = 0
            if kind is Tagged:
                self._tagged(response)  # type: ignore[arg-type]
            elif kind is Continuation:
                self._continuation(response)  # type: ignore[arg-type]
            elif isinstance(response, Run):
                self._run(response)
            else:
                self._untagged(response)  # type: ignore[arg-type]

    def _run(self, run: Run) -> None:
        run.utf8 = self._flight.session.utf8
        if not self._takes_run(run):
            for each in run.responses():
                self._untagged(each)

    def sole_owner(self, name: str) -> Request | None:
        """The only command that responses of that name can answer; None if there are more, or if they change the session too."""
        owner = self._flight.attribution.sole(name)
        if owner is None or self._flight.listener is not None or name in CONDITIONS or name == "BYE":
            return None
        known = self._tables.responses.get(name)
        if known is not None and not (known.apply is None and known.tag is None):
            return None
        return owner if owner.sent else None

    def owner_of(self, response: Untagged) -> Request | None:
        """The command that a response answers, judged by the part of it that has arrived; None if there is none."""
        return self._find(response, self._tables.responses.get(response.name), judged)[0]

    def _find(self, response: Untagged, known: Response | None, judge: Judge) -> Finding:
        """The command that a response answers: by the tag that it names, or by what it is about."""
        attribution = self._flight.attribution
        if known is None or known.tag is None:
            return attribution.find(response, judge)
        tag = self._plugins.ask(None, known.tag, response)
        return attribution.find_tagged(response.name, self._flight.pending.get(tag) if tag else None, named=bool(tag))

    def _takes_run(self, run: Run) -> bool:
        """Give a run of responses to one command at once; False, and nothing is done, unless all certainly answer it."""
        owner = self.sole_owner(run.name)
        if owner is None:
            return False
        call = owner.call
        if call.about is not None and call.command.matches is not None and run.name not in call.added:
            claims = call.command.matches_all
            if claims is None or not self._plugins.ask(owner, holds, claims, call.about, run):
                return False
        self._collect(owner, run)
        return True

    # continuations

    def _continuation(self, response: Continuation) -> None:
        if not self._outbound.proceed(response.text, self._count_challenge):
            self._defects.add("a continuation request that no command waits for", response.text)

    def _count_challenge(self, request: Request) -> None:
        """Raise ``LimitExceeded`` for an endless exchange: each answer takes time, and memory to hide it."""
        request.challenges += 1
        most = self._limits.challenges
        if request.challenges > most:
            raise LimitExceeded(f"{request.call.name} brings more than {most} continuation requests (Limits.challenges)")

    # tagged responses

    def _tagged(self, response: Tagged) -> None:
        tag, typ, text = response
        request = self._flight.pending.get(tag)
        if request is None:
            self._stray(response)
            return
        if typ == "BYE":
            raise ServerBye(_farewell(text))
        if typ == "OK":
            if not request.sent:
                raise RemoteProtocolError(f"the server said OK to {request.call.name} before all of it was sent")
            if request.interrupted_by == "refresh" and self._renews(request, text):
                return
        if request.interrupted_by == "refresh":
            request.interrupted_by = "news" if request.news else "turn"
        self._flight.note_order(request.order)
        self._outbound.stop(request)
        self._answered(request, typ, text)

    def _answered(self, request: Request, typ: str, text: bytes) -> None:
        flight, command = self._flight, request.call.command
        request.text, request.typ = flight.secrets.hide(text) if command.secret or typ != "OK" else text, typ
        if request.doubtful:
            self._settle(request)
        if command.done is not None:
            self._plugins.ask(request, command.done, flight.session, request)
        if command.ends and typ == "OK":
            self._end_session()
        if typ != "OK":
            self._give_back(request)
        if b"[" in text:
            self._code(text, request)
        if typ == "OK" and (command.layer is not None or command.ends_layers):
            request.move("switch")
            flight.effects.switch, flight.effects.due = request, True
            return
        request.move("answer")
        flight.land(request)

    def _settle(self, request: Request) -> None:
        """Decide about the doubtful responses: they answer the command if it got no certain ones.

        (A server that has said OK has answered.)
        """
        doubtful, request.doubtful = request.doubtful, ()
        if request.received or request.typ != "OK":
            for response, _ in doubtful:
                self._keep(response.name, response, response.memory)
                if request.typ == "OK":
                    self._add_unasked(response.name, response)
            return
        for response, defect in doubtful:
            self._defects.add(defect, response.parts[0])
            request.received.append(response)

    def _give_back(self, request: Request) -> None:
        """After NO or BAD: keep the responses received for ``response()``, and after BAD also those that were set aside."""
        if request.typ == "BAD" and request.aside:
            self._flight.store.put_back(request.aside)
        self._release(request.received)

    def _release(self, pieces: Iterable[Untagged | Run]) -> None:
        """Keep responses that turned out to answer no command."""
        for piece in pieces:
            self._keep(piece.name, piece, piece.memory)

    def _end_session(self) -> None:
        """End the session: drop the queued commands, which the server would not answer."""
        flight = self._flight
        flight.session.enter(State.LOGOUT)
        for waiting in [request for request in flight.live if request.phase is QUEUED]:
            flight.drop(waiting, ConnectionClosed(f"{waiting.call.name} was not sent: the session has ended"))

    def _renews(self, request: Request, text: bytes) -> bool:
        """Send a listening command again, which was ended to be renewed; False if the server had ended it by itself."""
        if request.phase is not IN_FLIGHT:
            # (The server ended it before the interrupt was sent.)
            return False
        self._code(text, request)
        request.text = text
        self._flight.tag(request)
        self._outbound.renew(request)
        return True

    def _stray(self, response: Tagged) -> None:
        """Note an answer to a tag that is not in flight. Raises ``RemoteProtocolError`` unless the answer is to an interrupt."""
        interrupts = (command.interrupt for command in self._tables.commands.values())
        if response.typ not in ("NO", "BAD") or response.tag not in interrupts:
            raise RemoteProtocolError(f"the server answered a tag that was not sent: {response.tag[:40]!r} {response.typ}")
        # The server had ended the command by itself, and took the interrupt line for a command.
        self._defects.add("an answer to the end of a command that had ended", b"%b %b" % (response.tag, response.text))

    # untagged responses

    def _untagged(self, response: Untagged) -> None:
        flight, name = self._flight, response.name
        if self.welcome is None:
            self._greeting(response)
        if response.defect:
            self._defects.add(response.defect, response.text)
        if isinstance(response, Stray):
            self._strays.add(response)
        response.utf8 = flight.session.utf8
        known = self._tables.responses.get(name)
        owner, defect, gives_way = self._find(response, known, self._plugins.ask)
        if name == "BYE" and owner is None and not any(each.call.command.ends for each in flight.pending.values()):
            raise ServerBye(_farewell(response.text))
        if known is not None and known.apply is not None:
            self._plugins.change(owner, known, known.apply, response)
        if flight.listener is not None:
            self._listen(flight.listener, response)
        self._give(owner, response, defect, gives_way)
        if name in CONDITIONS:
            self._code(response.text, owner, response)

    def _give(self, owner: Request | None, response: Untagged, defect: str, gives_way: bool) -> None:
        """Give a response to the command that it answers, or keep it. One that ``gives_way`` waits for a more certain one."""
        if owner is None:
            self._keep(response.name, response, response.memory)
            self._add_unasked(response.name, response)
        elif gives_way:
            self._doubt(owner, response, defect)
            return
        else:
            self._collect(owner, response)
        if defect:
            self._defects.add(defect, response.parts[0])

    def _add_unasked(self, name: str, came: Untagged | ResponseCode) -> None:
        """Leave what no command asked for to the subscribers, if there are any."""
        flight = self._flight
        if name in flight.wanted:
            flight.effects.unasked.append(Unasked(name, came, flight.session.mailbox))
            flight.effects.due = True

    def _collect(self, owner: Request, piece: Untagged | Run) -> None:
        """Add a response to a command's answer. Raises ``LimitExceeded``."""
        if not owner.abandoned:
            owner.received.append(piece)
        self._count(owner, piece)

    def _collect_code(self, owner: Request, code: ResponseCode, response: Untagged) -> None:
        """Add a response code to a command's answer."""
        if not owner.codes:
            owner.codes = []
        if not owner.abandoned:
            owner.codes.append(code)
        # (By its memory alone: ``Limits.answers`` is for the rows that a program reads.)
        self._count_memory(owner, response)

    def _part(self, owner: Request) -> None:
        """Keep what has come for a command: a code has said that the answer only begins here."""
        before, owner.received, owner.doubtful, owner.codes = owner.came, [], (), ()
        self._release(before)
        for piece in before:
            for response in piece.responses():
                self._add_unasked(response.name, response)

    def _doubt(self, owner: Request, response: Untagged, defect: str) -> None:
        """Add a response that answers the command if no more certain one comes (``_settle``)."""
        if not owner.doubtful:
            owner.doubtful = []
        if not owner.abandoned:
            owner.doubtful.append((response, defect))
        self._count(owner, response)

    def _count(self, owner: Request, piece: Untagged | Run) -> None:
        owner.count += len(piece)
        most = self._limits.answers
        if owner.count > most:
            raise LimitExceeded(f"{owner.call.name} is answered by more than {most} responses (Limits.answers)")
        self._count_memory(owner, piece)

    def _count_memory(self, owner: Request, piece: Untagged | Run) -> None:
        memory, most = piece.memory, self._limits.answers_bytes
        # (The bytes alone: a server that drips short responses makes little progress.)
        self._flight.note_answer(owner, memory - SINGLE * len(piece))
        owner.memory += memory
        if owner.memory > most:
            raise LimitExceeded(f"{owner.call.name} is answered by more than {most} bytes of memory (Limits.answers_bytes)")

    def _listen(self, request: Request, response: Untagged) -> None:
        """Interrupt the listening command if the response is news for it."""
        news = request.call.command.news
        if request.news or request.stays or news is None or not (request.sent or request.accepted):
            return
        if not self._plugins.ask(request, holds, news, response):
            return
        request.news = True
        if request.interrupted_by or request.phase is LISTENING:
            # A response between the interrupt and its answer is news, too.
            self._outbound.interrupt(request, "news")

    def _greeting(self, response: Untagged) -> None:
        """``greeting = "*" SP (resp-cond-auth / resp-cond-bye) CRLF``, RFC 3501 section 7.1."""
        if response.name == "BYE":
            raise ServerBye(_farewell(response.text))
        if response.name not in _GREETINGS:
            raise RemoteProtocolError(f"unrecognised server welcome: {response!r}")
        self.welcome = b" ".join(filter(None, (b"*", response.name.encode("ascii"), response.text)))
        self._flight.session.enter(_GREETINGS[response.name])
        self._flight.effects.greeted = self._flight.effects.due = True
        if response.name == "PREAUTH":
            self._code(response.text, None)

    def _code(self, text: bytes, owner: Request | None, untagged: Untagged | None = None) -> None:
        code = response_code(text)
        if code is None:
            return
        if owner is None and untagged is not None:
            owner = self._flight.attribution.find_code(code, self._plugins.ask)
            if owner is not None:
                known = self._tables.codes.get(code.name)
                if known is not None and known.boundary:
                    self._part(owner)
                self._collect_code(owner, code, untagged)
            else:
                self._add_unasked(f"[{code.name}]", code)
        if code.name == "ALERT":
            # Secrets are hidden before the text is cut, so that no part of one is left.
            self.alert = shown(self._flight.secrets.hide(split_code(text)[:4096]), 500)
        data = CodeData(code.data or b"")
        self._keep(code.name, [data], memory_of(code.name, (data,)))
        known = self._tables.codes.get(code.name)
        if known is not None and known.apply is not None:
            self._plugins.change(owner, known, known.apply, code.data)

    def _keep(self, name: str, data: list[Any] | Untagged | Run, memory: int) -> None:
        if self._flight.store.add(name, data, memory):
            self._defects.add(
                "responses that no command asked for are dropped, the oldest first (Limits.stored, stored_bytes)", b""
            )


def _farewell(text: bytes) -> str:
    return shown(text, 500) or "BYE"
