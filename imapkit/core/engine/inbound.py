"""What comes in: each response changes the phase of a command, the session, or the store; RFC 3501 section 7."""

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
    """Takes responses in. Every method raises what ends the connection."""

    def __init__(self, flight: Flight, wire: Wire, tables: Tables, limits: Limits, defects: DefectLog, strays: Strays) -> None:
        self._flight, self._wire, self._tables, self._limits, self._defects = flight, wire, tables, limits, defects
        self._strays = strays
        self.alert = ""
        """The text of the last ALERT, without secrets."""
        self.welcome: bytes | None = None
        self._interrupts = {command.interrupt for command in tables.commands.values() if command.interrupt is not None}

    def receive(self, batch: Iterable[Continuation | Tagged | Untagged | Run]) -> None:
        """Take responses in, in their order."""
        for response in batch:
            if self._flight.effects.switch is not None:
                raise RemoteProtocolError("the server went on behind an OK that it said before the command was sent")
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
        """The only command whose answer a response of that name can be; None if there are more, or it changes the state too."""
        owner = self._flight.attribution.sole(name)
        if owner is None or self._flight.listener is not None or name in CONDITIONS or name == "BYE":
            return None
        known = self._tables.responses.get(name)
        if known is not None and known.apply is not None:
            return None
        return owner if owner.sent else None

    def owner_of(self, response: Untagged) -> Request | None:
        """The command whose answer a response is that has begun to come, as far as can be told by now."""
        return self._flight.attribution.find(response, _judged)[0]

    def _takes_run(self, run: Run) -> bool:
        """Give many responses to one command at once; False, and nothing done, unless it is plain that all are its answer."""
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
        """An exchange that does not end takes time and memory for each answer, which is hidden from then on."""
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
                raise RemoteProtocolError(f"the server said OK to {request.call.name} before it was all sent")
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
        """Decide whose the responses are that are perhaps its answer: they are if there is no better one.

        (A server that has said OK has answered.)
        """
        doubtful, request.doubtful = request.doubtful, ()
        if request.received or request.typ != "OK":
            self._release(response for response, _ in doubtful)
            return
        for response, odd in doubtful:
            self._defects.add(odd, response.parts[0])
            request.received.append(response)

    def _give_back(self, request: Request) -> None:
        """The command is refused: what came before that, and what a BAD leaves as it was, is kept for ``response()``."""
        if request.typ == "BAD" and request.aside:
            self._flight.store.put_back(request.aside)
        self._release(request.received)

    def _release(self, pieces: Iterable[Untagged | Run]) -> None:
        """Keep responses that are no command's answer after all, as those that no command asked for are."""
        for piece in pieces:
            self._keep(piece.name, piece, piece.memory)

    def _end_session(self) -> None:
        """What is queued must not be sent any more: the server would not answer it."""
        flight = self._flight
        flight.session.enter(State.LOGOUT)
        for waiting in [request for request in flight.live if request.phase is QUEUED]:
            flight.drop(waiting, ConnectionClosed(f"{waiting.call.name} was not sent: the session has ended"))

    def _renews(self, request: Request, text: bytes) -> bool:
        """Whether a command that was ended to be sent anew is: any other reason to end it has taken the place of this one."""
        if request.phase is not IN_FLIGHT:
            # (The server may have ended it by itself as its interrupt lay ready.)
            return False
        self._code(text, request)
        request.text = text
        self._flight.tag(request)
        self._wire.renew(request)
        return True

    def _stray(self, response: Tagged) -> None:
        """A tag that is not in flight. Raises ``RemoteProtocolError``, unless it can be explained."""
        if response.tag not in self._interrupts or response.typ not in ("NO", "BAD"):
            raise RemoteProtocolError(f"the server answered a tag that was not sent: {response.tag[:40]!r} {response.typ}")
        # The command had ended by itself as its interrupt line left, and the server took that line for a command.
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
        owner, odd, gives_way = flight.attribution.find(response, self._guard)
        if name == "BYE" and owner is None and not any(each.call.command.ends for each in flight.pending.values()):
            raise ServerBye(_farewell(response.text))
        known = self._tables.responses.get(name)
        if known is not None and known.apply is not None:
            self._change(owner, known, known.apply, response)
        if flight.listener is not None:
            self._listen(flight.listener, response)
        self._give(owner, response, odd, gives_way)
        if name in CONDITIONS:
            self._code(response.text, owner)

    def _give(self, owner: Request | None, response: Untagged, odd: str, gives_way: bool) -> None:
        """Give a response to the command that it answers, or keep it; ``gives_way``: to a more certain answer."""
        if owner is None:
            self._keep(response.name, response, response.memory)
        elif gives_way:
            self._doubt(owner, response, odd)
            return
        else:
            self._collect(owner, response)
        if odd:
            self._defects.add(odd, response.parts[0])

    def _collect(self, owner: Request, piece: Untagged | Run) -> None:
        """Add a response to a command's answer. Raises ``LimitExceeded``."""
        if not owner.abandoned:
            owner.received.append(piece)
        self._count(owner, piece)

    def _doubt(self, owner: Request, response: Untagged, odd: str) -> None:
        """A response that is the command's answer if no better one comes (``_settle``)."""
        if not owner.doubtful:
            owner.doubtful = []
        if not owner.abandoned:
            owner.doubtful.append((response, odd))
        self._count(owner, response)

    def _count(self, owner: Request, piece: Untagged | Run) -> None:
        memory = piece.memory
        # (The bytes alone: a server that drips short responses must not seem to do much.)
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
        """Tell the command that goes on until there is news, if this is such."""
        news = request.call.command.news
        if request.news or news is None or not (request.sent or request.accepted):
            return
        if not self._guard(request, _holds, news, response):
            return
        request.news = True
        if request.interrupted_by or request.phase is LISTENING:
            # What comes between the interrupt and its answer is news all the same.
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
            # Cut behind what is hidden: a piece of a secret must not be left.
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
        """Call a plugin's function; what it raises reaches the caller whose command this is, and never the reader thread."""
        try:
            return function(*args)
        except Exception as exc:
            self._blame(owner, exc, args[-1])
            return False

    def _change(self, owner: Request | None, known: Response | Code, apply: Callable[..., Any], came: Any) -> None:
        """Let a family change the session as something has come. What it raises reaches no command of another family's."""
        try:
            apply(self._flight.session, came)
        except Exception as exc:
            own = owner is not None and self._tables.are_of_one_family(owner.call.command, known)
            self._blame(owner if own else None, exc, came)

    def _blame(self, owner: Request | None, exc: Exception, came: Any) -> None:
        """Keep what a family's function raised for the caller of its command, or note it."""
        if owner is not None:
            owner.defect = owner.defect or exc
            return
        raw = getattr(came, "text", came)
        self._defects.add(f"the family's function raised {exc!r}", raw if isinstance(raw, bytes) else b"")


def _holds(function: Callable[..., Any], *args: Any) -> bool:
    """Whether a plugin's function says so: what it returns may raise when it is asked for its truth."""
    return bool(function(*args))


def _judged(request: Request, function: Callable[..., Any], *args: Any) -> Any:
    """Ask a plugin's function about half a response; that it fails is no command's mistake, and the whole one comes later."""
    try:
        return function(*args)
    except Exception:
        return False


def _farewell(text: bytes) -> str:
    return shown(text, 500) or "BYE"
