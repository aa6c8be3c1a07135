"""What comes in: each response changes the phase of a command, the session, or the store; RFC 3501 section 7."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from imapkit.core.engine.attribution import CONDITIONS, Attribution, guarded
from imapkit.core.engine.phases import IN_FLIGHT, LISTENING, QUEUED
from imapkit.core.response import Continuation, Run, Tagged, Untagged, response_code
from imapkit.errors import ConnectionClosed, LimitExceeded, RemoteProtocolError, ServerBye
from imapkit.family import State

if TYPE_CHECKING:
    from imapkit.core.defects import DefectLog
    from imapkit.core.engine.flight import Flight
    from imapkit.core.engine.request import Request
    from imapkit.core.engine.wire import Wire
    from imapkit.core.limits import Limits
    from imapkit.core.registry import Registry

__all__ = ["Inbound"]

_GREETINGS = {"OK": State.NONAUTH, "PREAUTH": State.AUTH}


class Inbound:
    """Takes responses in. Every method raises what ends the connection."""

    def __init__(self, flight: Flight, wire: Wire, registry: Registry, limits: Limits, defects: DefectLog) -> None:
        self._flight, self._wire, self._registry, self._limits, self._defects = flight, wire, registry, limits, defects
        self.attribution = Attribution(flight, registry, limits, defects)
        self.welcome: bytes | None = None
        self._interrupts = {command.interrupt for command in registry.commands.values() if command.interrupt is not None}

    def receive(self, batch: Iterable[Continuation | Tagged | Untagged | Run]) -> None:
        """Take responses in, in their order."""
        for response in batch:
            if self._flight.effects.switch is not None:
                raise RemoteProtocolError("the server went on behind an OK that it said before the command was sent")
            kind = type(response)
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
        if not self.attribution.takes_run(run):
            for each in run.responses():
                self._untagged(each)

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
            raise ServerBye(_shown(text))
        if typ == "OK":
            if not request.sent:
                raise RemoteProtocolError(f"the server said OK to {request.call.name} before it was all sent")
            if self._renews(request, text):
                return
        if request.interrupted_by == "refresh":
            request.interrupted_by = "news" if request.news else "turn"
        self._flight.note(request)
        self._wire.stop(request)
        self._answered(request, typ, text)

    def _answered(self, request: Request, typ: str, text: bytes) -> None:
        flight, command = self._flight, request.call.command
        request.text, request.typ = flight.secrets.hide(text) if command.secret or typ == "BAD" else text, typ
        if command.done is not None:
            self._guard(request, command.done, flight.session, request)
        if command.ends and typ == "OK":
            self._end_session()
        self._code(text, request)
        if typ == "OK" and command.layer is not None:
            request.move("switch")
            flight.effects.switch = request
            return
        request.move("answer")
        flight.land(request)

    def _end_session(self) -> None:
        """What is queued must not be sent any more: the server would not answer it."""
        flight = self._flight
        flight.session.enter(State.LOGOUT)
        for waiting in [request for request in flight.live if request.phase is QUEUED]:
            flight.drop(waiting, ConnectionClosed(f"{waiting.call.name} was not sent: the session has ended"))

    def _renews(self, request: Request, text: bytes) -> bool:
        """Whether a command that was ended to be sent anew is: any other reason to end it has taken the place of this one."""
        if request.interrupted_by != "refresh" or request.phase is not IN_FLIGHT:
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
        response.utf8 = "UTF8=ACCEPT" in flight.session.enabled
        owner = self.attribution.owner(response)
        if name == "BYE" and owner is None and not any(each.call.command.ends for each in flight.pending.values()):
            raise ServerBye(_shown(response.text))
        known = self._registry.responses.get(name)
        if known is not None and known.apply is not None:
            self._guard(owner, known.apply, flight.session, response)
        if flight.listener is not None:
            self._listen(flight.listener, response)
        if owner is not None:
            self.attribution.collect(owner, response)
        else:
            self._keep(name, response.data(), response.octets)
        if name in CONDITIONS:
            self._code(response.text, owner)

    def _listen(self, request: Request, response: Untagged) -> None:
        """Tell the command that goes on until there is news, if this is such."""
        news = request.call.command.news
        if request.news or news is None or not (request.sent or request.accepted) or not self._guard(request, news, response):
            return
        request.news = True
        if request.interrupted_by or request.phase is LISTENING:
            # What comes between the interrupt and its answer is news all the same.
            self._wire.interrupt(request, "news")

    def _greeting(self, response: Untagged) -> None:
        """``greeting = "*" SP (resp-cond-auth / resp-cond-bye) CRLF``, RFC 3501 section 7.1."""
        if response.name == "BYE":
            raise ServerBye(_shown(response.text))
        if response.name not in _GREETINGS:
            raise RemoteProtocolError(f"unrecognised server welcome: {response!r}")
        self.welcome = b" ".join(filter(None, (b"*", response.name.encode("ascii"), response.text)))
        self._flight.session.enter(_GREETINGS[response.name])
        self._flight.effects.greeted = True
        if response.name == "PREAUTH":
            self._code(response.text, None)

    def _code(self, text: bytes, owner: Request | None) -> None:
        code = response_code(text)
        if code is None:
            return
        self._keep(code.name, [code.data or b""], len(code.data or b""))
        known = self._registry.codes.get(code.name)
        if known is not None and known.apply is not None:
            self._guard(owner, known.apply, self._flight.session, code.data)

    def _keep(self, name: str, data: list[Any], size: int) -> None:
        if self._flight.store.add(name, data, size):
            self._defects.add(
                "responses that no command asked for are dropped, the oldest first (Limits.stored, stored_octets)", b""
            )

    def _guard(self, owner: Request | None, function: Callable[..., Any], *args: Any) -> Any:
        return guarded(owner, self._defects, function, *args)


def _shown(text: bytes) -> str:
    return text[:500].decode("utf-8", "backslashreplace") or "BYE"
