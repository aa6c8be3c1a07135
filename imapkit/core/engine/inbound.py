"""Responses: each changes the phase of a command, the session, or the store; RFC 3501 section 7."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from imapkit.core.contract.session import State
from imapkit.core.engine.phases import IN_FLIGHT, LISTENING, QUEUED
from imapkit.core.support.shown import shown
from imapkit.core.wire.memory import SINGLE, memory_of
from imapkit.core.wire.response import CodeData, Continuation, Run, Stray, Tagged, Untagged, response_code, split_code
from imapkit.errors import ConnectionClosed, LimitExceeded, RemoteProtocolError, ServerBye

if TYPE_CHECKING:
    from imapkit.core.contract.extension import Code, Response
    from imapkit.core.contract.tables import Tables
    from imapkit.core.engine.defects import DefectLog
    from imapkit.core.engine.flight import Flight
    from imapkit.core.engine.request import Request
    from imapkit.core.engine.strays import Strays
    from imapkit.core.engine.wire import Wire
    from imapkit.core.support.limits import Limits

__all__ = ["Inbound"]

CONDITIONS = frozenset(("OK", "NO", "BAD"))
_GREETINGS = {"OK": State.NONAUTH, "PREAUTH": State.AUTH}


class Inbound:
    """Takes responses in. An error that a method raises ends the connection."""

    def __init__(self, flight: Flight, wire: Wire, tables: Tables, limits: Limits, defects: DefectLog, strays: Strays) -> None:
        self._flight, self._wire, self._tables, self._limits, self._defects = flight, wire, tables, limits, defects
        self._strays = strays
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
        run.utf8 = "UTF8=ACCEPT" in self._flight.session.enabled
        if not self._takes_run(run):
            for each in run.responses():
                self._untagged(each)

    def sole_owner(self, name: str) -> Request | None:
        """The only command that responses of that name can answer; None if there are more, or if they change the session too."""
        owner = self._flight.attribution.sole(name)
        if owner is None or self._flight.listener is not None or name in CONDITIONS or name == "BYE":
            return None
        known = self._tables.responses.get(name)
        if known is not None and known.apply is not None:
            return None
        return owner if owner.sent else None

    def owner_of(self, response: Untagged) -> Request | None:
        """The command that a response answers, judged by the part of it that has arrived; None if there is none."""
        return self._flight.attribution.find(response, _judged)[0]

    def _takes_run(self, run: Run) -> bool:
        """Give a run of responses to one command at once; False, and nothing is done, unless all certainly answer it."""
        owner = self.sole_owner(run.name)
        if owner is None:
            return False
        call = owner.call
        if call.about is not None and call.command.matches is not None:
            claims = call.command.matches_all
            if claims is None or not self._guard(owner, _holds, claims, call.about, run):
                return False
        self._collect(owner, run)
        return True

    # continuations

    def _continuation(self, response: Continuation) -> None:
        if not self._wire.proceed(response.text, self._count_challenge):
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
        self._wire.stop(request)
        self._answered(request, typ, text)

    def _answered(self, request: Request, typ: str, text: bytes) -> None:
        flight, command = self._flight, request.call.command
        request.text, request.typ = flight.secrets.hide(text) if command.secret or typ != "OK" else text, typ
        if request.doubtful:
            self._settle(request)
        if command.done is not None:
            self._guard(request, command.done, flight.session, request)
        if command.ends and typ == "OK":
            self._end_session()
        if typ != "OK":
            self._give_back(request)
        if b"[" in text:
            self._code(text, request)
        if typ == "OK" and command.layer is not None:
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
            self._release(response for response, _ in doubtful)
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
        self._wire.renew(request)
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
        if response.odd:
            self._defects.add(response.odd, response.text)
        if isinstance(response, Stray):
            self._strays.add(response)
        response.utf8 = "UTF8=ACCEPT" in flight.session.enabled
        owner, defect, gives_way = flight.attribution.find(response, self._guard)
        if name == "BYE" and owner is None and not any(each.call.command.ends for each in flight.pending.values()):
            raise ServerBye(_farewell(response.text))
        known = self._tables.responses.get(name)
        if known is not None and known.apply is not None:
            self._change(owner, known, known.apply, response)
        if flight.listener is not None:
            self._listen(flight.listener, response)
        self._give(owner, response, defect, gives_way)
        if name in CONDITIONS:
            self._code(response.text, owner)

    def _give(self, owner: Request | None, response: Untagged, defect: str, gives_way: bool) -> None:
        """Give a response to the command that it answers, or keep it. One that ``gives_way`` waits for a more certain one."""
        if owner is None:
            self._keep(response.name, response, response.memory)
        elif gives_way:
            self._doubt(owner, response, defect)
            return
        else:
            self._collect(owner, response)
        if defect:
            self._defects.add(defect, response.parts[0])

    def _collect(self, owner: Request, piece: Untagged | Run) -> None:
        """Add a response to a command's answer. Raises ``LimitExceeded``."""
        if not owner.abandoned:
            owner.received.append(piece)
        self._count(owner, piece)

    def _doubt(self, owner: Request, response: Untagged, defect: str) -> None:
        """Add a response that answers the command if no more certain one comes (``_settle``)."""
        if not owner.doubtful:
            owner.doubtful = []
        if not owner.abandoned:
            owner.doubtful.append((response, defect))
        self._count(owner, response)

    def _count(self, owner: Request, piece: Untagged | Run) -> None:
        memory = piece.memory
        # (The bytes alone: a server that drips short responses makes little progress.)
        self._flight.note_answer(owner, memory - SINGLE * len(piece))
        owner.count += len(piece)
        owner.memory += memory
        limits = self._limits
        if owner.count > limits.answers:
            raise LimitExceeded(f"{owner.call.name} is answered by more than {limits.answers} responses (Limits.answers)")
        if owner.memory > limits.answers_octets:
            most = limits.answers_octets
            raise LimitExceeded(f"{owner.call.name} is answered by more than {most} bytes of memory (Limits.answers_octets)")

    def _listen(self, request: Request, response: Untagged) -> None:
        """Interrupt the listening command if the response is news for it."""
        news = request.call.command.news
        if request.news or news is None or not (request.sent or request.accepted):
            return
        if not self._guard(request, _holds, news, response):
            return
        request.news = True
        if request.interrupted_by or request.phase is LISTENING:
            # A response between the interrupt and its answer is news, too.
            self._wire.interrupt(request, "news")

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

    def _code(self, text: bytes, owner: Request | None) -> None:
        code = response_code(text)
        if code is None:
            return
        if code.name == "ALERT":
            # Secrets are hidden before the text is cut, so that no part of one is left.
            self.alert = shown(self._flight.secrets.hide(split_code(text)[:4096]), 500)
        data = CodeData(code.data or b"")
        self._keep(code.name, [data], memory_of(code.name, (data,)))
        known = self._tables.codes.get(code.name)
        if known is not None and known.apply is not None:
            self._change(owner, known, known.apply, code.data)

    def _keep(self, name: str, data: list[Any] | Untagged | Run, memory: int) -> None:
        if self._flight.store.add(name, data, memory):
            self._defects.add(
                "responses that no command asked for are dropped, the oldest first (Limits.stored, stored_octets)", b""
            )

    def _guard(self, owner: Request | None, function: Callable[..., Any], *args: Any) -> Any:
        """Call a plugin's function; False if it raises. The owner's caller gets the exception; the reader thread goes on."""
        try:
            return function(*args)
        except Exception as exc:
            self._blame(owner, exc, args[-1])
            return False

    def _change(self, owner: Request | None, known: Response | Code, apply: Callable[..., Any], came: Any) -> None:
        """Call a family's function that changes the session. An exception fails a command of the same family only."""
        try:
            apply(self._flight.session, came)
        except Exception as exc:
            own = owner is not None and self._tables.are_of_one_family(owner.call.command, known)
            self._blame(owner if own else None, exc, came)

    def _blame(self, owner: Request | None, exc: Exception, came: Any) -> None:
        """Keep an exception of a family's function for the caller of ``owner``, or note it as a defect."""
        if owner is not None:
            owner.defect = owner.defect or exc
            return
        raw = getattr(came, "text", came)
        self._defects.add(f"the family's function raised {exc!r}", raw if isinstance(raw, bytes) else b"")


def _holds(function: Callable[..., Any], *args: Any) -> bool:
    """The truth of what a plugin's function returns; ``bool`` itself may raise, so ``_guard`` calls this."""
    return bool(function(*args))


def _judged(request: Request, function: Callable[..., Any], *args: Any) -> Any:
    """Ask a plugin's function about part of a response; False if it raises: it is asked again about the whole response."""
    try:
        return function(*args)
    except Exception:
        return False


def _farewell(text: bytes) -> str:
    return shown(text, 500) or "BYE"
