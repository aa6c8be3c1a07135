"""The protocol without any I/O: tags, pending commands, attribution, greeting; RFC 3501 sections 2.2, 5.5 and 7.

The reader hands every response to ``handle``; each untagged response goes, as it comes, to the one pending command that it
answers, or to the store. Every method needs the state lock. Whoever is to be woken is collected in ``woken``, to be
woken when the lock has been released.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from imapkit.core.attribution import Attribution
from imapkit.core.defects import DefectLog
from imapkit.core.gate import Gate
from imapkit.core.limits import Limits
from imapkit.core.memory import memory_of
from imapkit.core.request import Request
from imapkit.core.response import CodeData, Continuation, Run, Stray, Tagged, Untagged, response_code, split_code
from imapkit.core.secrets import Hidden, secret_arguments
from imapkit.core.session import Session
from imapkit.core.shown import shown
from imapkit.core.store import Store
from imapkit.core.strays import Strays
from imapkit.errors import LimitExceeded, RemoteProtocolError, ServerBye, StateError, error, readonly
from imapkit.family import State

if TYPE_CHECKING:
    from imapkit.core.registry import Registry

__all__ = ["Protocol"]

_GREETINGS = {"OK": State.NONAUTH, "PREAUTH": State.AUTH}
_CONDITIONS = frozenset(("OK", "NO", "BAD"))


def _tag_prefix() -> bytes:
    # Nobody on the way can answer a command before it is sent: the tag cannot be guessed.
    # (``secrets`` would load ``hmac`` for six letters.)
    number = int.from_bytes(os.urandom(8))
    return bytes(65 + number // 26**place % 26 for place in range(6))


class Protocol:
    """One connection's protocol state."""

    def __init__(self, registry: Registry, limits: Limits | None = None, session: Session | None = None) -> None:
        self.limits = limits or Limits()
        self.session = session or Session(registry.enables, self.limits)
        self.store = Store(limits)
        self.gate = Gate()
        self.pending: dict[bytes, Request] = {}
        self.closed: error | None = None
        self._alert = ""
        self.welcome: bytes | None = None
        self.woken: list[Request] = []
        self.nudged: Request | None = None
        self.secrets = Hidden()
        self.defects = DefectLog(self.limits.defects, self.secrets)
        self.tag_prefix = _tag_prefix()
        self.sent = 0
        """How many commands have got a tag."""
        self._attribution = Attribution()
        self.strays = Strays(self.limits, self.secrets)
        self.listener: Request | None = None
        """The command in flight that goes on until there is news."""
        self._interrupts = {command.interrupt for command in registry.commands.values() if command.interrupt is not None}
        self.registry = registry

    # what the writers do

    def register(self, request: Request) -> None:
        """Give the command its tag, if it may be sent now. Raises ``StateError``, ``readonly`` or what ``before`` does."""
        session, call = self.session, request.call
        command = call.command
        # (Without the enum's own operator, which is slow.)
        if not command.states._value_ & session.state._value_:
            raise StateError(f"command {request.call.name} illegal in state {session.state.name}")
        if command.secret and session.awaits_tls and not session.secure:
            raise StateError(
                f"{call.name} would send a secret without TLS, which was asked for and is not there; nothing was sent"
            )
        if session.readonly_news is not None and not command.ends:
            news, session.readonly_news = session.readonly_news, None
            raise readonly(news)
        if command.before is not None:
            command.before(session, request.args)
        if session.flush:
            session.flush = False
            request.aside = self.store.set_aside()
        if command.secret:
            self.secrets.begin(*secret_arguments(request.args))
        request.tag, request.sent = self._tag(), call.line is not None
        self.pending[request.tag] = request
        self._attribution.expect(request)
        if command.news is not None:
            self.listener = request

    def _tag(self) -> bytes:
        self.sent += 1
        return b"%b%d" % (self.tag_prefix, self.sent)

    def forget(self, request: Request) -> None:
        """The command is over, however it ended: nothing is in flight for it any more."""
        self.pending.pop(request.tag, None)
        self._attribution.forget(request)
        if self.listener is request:
            self.listener = None
        self.gate.land(request)

    def close(self, exc: error) -> None:
        """Nothing will come any more: every pending command, and whoever waits for a turn, fails with ``exc``.

        May be done twice; the first reason counts.
        The session stays as it was until somebody hangs up: OfflineIMAP takes an ``abort`` for a lost connection only if it
        need not select the mailbox again.
        """
        if self.closed is None:
            self.closed = self.strays.told_with(exc)
        for request in self.pending.values():
            if request.call.command.ends and request.received:
                # The server said BYE and went, without the tagged OK that should be between.
                request.finish("OK", b"")
            if request.typ and not request.switching:
                # Its answer is all there.
                request.complete = True
            if not request.complete:
                self._release(request.came)
            request.fail(self.closed)
            self.woken.append(request)
        self.gate.close(self.closed)
        self.pending.clear()
        self._attribution.clear()

    def tell_alert(self, exc: error) -> None:
        """Put the text of the last ALERT into the error that ends the connection: most often it says why that ends."""
        if self._alert and len(exc.args) == 1 and isinstance(exc.args[0], str):
            exc.args = (f"{exc.args[0]} (the server's last ALERT: {self._alert})",)

    # what the reader does

    def handle(self, response: Continuation | Tagged | Untagged) -> Request | None:
        """Take one response in; returns the command that switches a layer on with it. Raises what ends the connection."""
        if not isinstance(response, Stray):
            self.strays.count = 0
        if isinstance(response, Untagged):
            self._untagged(response)
        elif isinstance(response, Tagged):
            return self._tagged(response)
        else:
            self._continuation(response)
        return None

    def handle_run(self, run: Run) -> bool:
        """Take many responses in at once; False, and nothing done, unless it is plain that all are one command's answer."""
        owner = self.sole_owner(run.name)
        if owner is None:
            return False
        call = owner.call
        if call.about is not None and call.command.matches is not None:
            claims = call.command.matches_all
            if claims is None or not self._guard(owner, claims, call.about, run):
                return False
        run.utf8 = "UTF8=ACCEPT" in self.session.enabled
        self.strays.count = 0
        self._collect(owner, run)
        return True

    def sole_owner(self, name: str) -> Request | None:
        """The only command whose answer a response of that name can be; None if there are more, or it changes the state too."""
        owner = self._attribution.sole(name)
        if owner is None or self.listener is not None or name in _CONDITIONS or name == "BYE":
            return None
        known = self.registry.responses.get(name)
        if known is not None and known.apply is not None:
            return None
        return owner if owner.sent and not owner.complete else None

    def progress(self) -> None:
        """Octets of a literal have come: whoever waits is being served."""
        now = time.monotonic()
        for request in self.pending.values():
            request.progress = now

    def _continuation(self, response: Continuation) -> None:
        writer = self.gate.writer
        if writer is not None and writer.go is not None and self.gate.is_halted:
            if writer.call.reply is not None:
                self._count_challenge(writer)
            writer.challenge = response.text
            writer.progress = time.monotonic()
            Request.open(writer.go)
        else:
            self.defects.add("a continuation request that nobody waits for", response.text)

    def _count_challenge(self, request: Request) -> None:
        """An exchange that does not end costs time and memory for each answer, which is to be hidden from then on."""
        request.challenges += 1
        if request.challenges > self.limits.challenges:
            most = self.limits.challenges
            raise LimitExceeded(f"{request.call.name} brings more than {most} continuation requests (Limits.challenges)")

    def _tagged(self, response: Tagged) -> Request | None:
        tag, typ, text = response
        request = self.pending.get(tag)
        if request is None:
            self._stray(response)
            return None
        command = request.call.command
        if typ == "OK":
            if not request.sent:
                raise RemoteProtocolError(f"the server said OK to {request.call.name} before it was all sent")
            if request.interrupted_by == "refresh" and not self.gate.waiting:
                self._begin_again(request, text)
                return None
            if command.layer is not None:
                request.switching = True
        elif typ == "BYE":
            raise ServerBye(_farewell(text))
        if request.interrupted_by == "refresh":
            request.interrupt("turn")
        request.finish(typ, self.secrets.hide(text) if command.secret or typ != "OK" else text)
        if request.doubtful:
            self._settle(request)
        if command.done is not None:
            self._guard(request, command.done, self.session, request)
        if command.ends and typ == "OK":
            # Whoever waits for a turn (another thread's logout) must not be let out any more.
            self.session.enter(State.LOGOUT)
        if typ != "OK":
            self._give_back(request)
        self._code(text, request)
        if request.switching:
            return request
        self.complete(request)
        return None

    def _settle(self, request: Request) -> None:
        """Decide whose the responses are that are perhaps its answer: they are if there is no better one.

        (A server that has said OK has answered.)
        """
        doubtful, request.doubtful = request.doubtful, ()
        if request.received or request.typ != "OK":
            self._release(response for response, _ in doubtful)
            return
        for response, odd in doubtful:
            self.defects.add(odd, response.parts[0])
            request.received.append(response)

    def _give_back(self, request: Request) -> None:
        """The command is refused: what came before that, and what a BAD leaves as it was, is kept for ``response()``."""
        if request.typ == "BAD" and request.aside:
            self.store.put_back(request.aside)
        self._release(request.received)

    def _release(self, pieces: Iterable[Untagged | Run]) -> None:
        """Keep responses that are no command's answer after all, as those that nobody asked for are."""
        for piece in pieces:
            self._keep(piece.name, piece, piece.memory)

    def _stray(self, response: Tagged) -> None:
        """A tag that is not in flight. Raises ``RemoteProtocolError``, unless it can be explained."""
        if response.tag not in self._interrupts or response.typ not in ("NO", "BAD"):
            raise RemoteProtocolError(f"the server answered a tag that was not sent: {response.tag[:40]!r} {response.typ}")
        # The command had ended by itself as its interrupt line went out, and that was taken for a command.
        self.defects.add("an answer to the end of a command that had ended", b"%b %b" % (response.tag, response.text))

    def _begin_again(self, request: Request, text: bytes) -> None:
        """It stays in flight, with another tag, and whoever waits for it sends it anew."""
        self._code(text, request)
        old, request.text = request.tag, text
        request.begin_again(self._tag())
        # In this order: the clock looks at what is pending without the lock.
        self.pending[request.tag] = request
        del self.pending[old]
        self.nudged = request

    def renew(self, request: Request) -> bool:
        """Whether a command that was ended to be sent anew may be; if there is a reason to end it by now, it has ended."""
        request.again = False
        if not (request.interrupted or request.news or self.gate.waiting):
            self.gate.writer = request
            return True
        request.interrupt("news" if request.news else "turn")
        request.finish("OK", request.text)
        self.complete(request)
        return False

    def distrust(self) -> None:
        """Forget what came before now: anybody on the way may have said it (RFC 3501 section 6.2.1)."""
        self.session.distrust()
        self.store.clear()

    def complete(self, request: Request) -> None:
        """Its answer is all there: let the next ones out, and wake its waiter."""
        request.switching, request.complete = False, True
        # In this order: whoever is interrupted between the two must not leave somebody who is neither in flight nor woken.
        self.woken.append(request)
        self.forget(request)

    def _untagged(self, response: Untagged) -> None:
        name = response.name
        if self.welcome is None:
            self._greeting(response)
        if response.odd:
            self.defects.add(response.odd, response.text)
        if isinstance(response, Stray):
            self.strays.add(response)
        response.utf8 = "UTF8=ACCEPT" in self.session.enabled
        owner, odd, gives_way = self._attribution.find(response, self._guard)
        if name == "BYE" and owner is None and not any(r.call.command.ends for r in self.pending.values()):
            raise ServerBye(_farewell(response.text))
        known = self.registry.responses.get(name)
        if known is not None and known.apply is not None:
            self._guard(owner, known.apply, self.session, response)
        if self.listener is not None and self.closed is None:
            self._listen(self.listener, response)
        if owner is None:
            self._keep(name, response, response.memory)
        elif gives_way:
            self._doubt(owner, response, odd)
        else:
            self._collect(owner, response)
        if odd and not gives_way:
            self.defects.add(odd, response.parts[0])
        if name in _CONDITIONS:
            self._code(response.text, owner)

    def _keep(self, name: str, data: list[Any] | Untagged | Run, memory: int) -> None:
        if self.store.add(name, data, memory):
            self.defects.add("responses that nobody asked for are dropped, the oldest first (Limits.stored, stored_octets)", b"")

    def _collect(self, owner: Request, piece: Untagged | Run) -> None:
        owner.received.append(piece)
        self._count(owner, piece)

    def _doubt(self, owner: Request, response: Untagged, odd: str) -> None:
        """A response that is the command's answer if no better one comes (``_settle``)."""
        if not owner.doubtful:
            owner.doubtful = []
        owner.doubtful.append((response, odd))
        self._count(owner, response)

    def _count(self, owner: Request, piece: Untagged | Run) -> None:
        owner.count += len(piece)
        owner.memory += piece.memory
        owner.progress = time.monotonic()
        if owner.count > self.limits.answers:
            raise LimitExceeded(f"{owner.call.name} is answered by more than {self.limits.answers} responses (Limits.answers)")
        if owner.memory > self.limits.answers_octets:
            raise LimitExceeded(
                f"{owner.call.name} is answered by more than {self.limits.answers_octets} bytes of memory (Limits.answers_octets)"
            )

    def _listen(self, request: Request, response: Untagged) -> None:
        """Tell the command that goes on until there is news, if this is such."""
        news = request.call.command.news
        if request.news or news is None or not (request.sent or request.accepted) or not self._guard(request, news, response):
            return
        request.news, self.nudged = True, request
        if request.interrupted:
            # What comes between the interrupt and its answer is news all the same.
            request.interrupt("news")

    def _code(self, text: bytes, owner: Request | None) -> None:
        code = response_code(text)
        if code is None:
            return
        if code.name == "ALERT":
            # Cut behind what is hidden: a piece of a secret must not be left.
            self._alert = shown(self.secrets.hide(split_code(text)[:4096]), 500)
        data = CodeData(code.data or b"")
        self._keep(code.name, [data], memory_of(code.name, (data,)))
        known = self.registry.codes.get(code.name)
        if known is not None and known.apply is not None:
            self._guard(owner, known.apply, self.session, code.data)

    def _greeting(self, response: Untagged) -> None:
        """``greeting = "*" SP (resp-cond-auth / resp-cond-bye) CRLF``, RFC 3501 section 7.1."""
        if response.name == "BYE":
            raise ServerBye(_farewell(response.text))
        if response.name not in _GREETINGS:
            raise RemoteProtocolError(f"unrecognised server welcome: {response!r}")
        self.welcome = b" ".join(filter(None, (b"*", response.name.encode("ascii"), response.text)))
        self.session.enter(_GREETINGS[response.name])
        if response.name == "PREAUTH":
            self._code(response.text, None)

    def _guard(self, owner: Request | None, function: Callable[..., Any], *args: Any) -> Any:
        """Call a plugin's function; what it raises reaches the caller whose command this is, and never the reader."""
        try:
            return function(*args)
        except Exception as exc:
            if owner is not None:
                owner.defect = owner.defect or exc
            else:
                raw = getattr(args[-1], "text", args[-1])
                self.defects.add(f"the family's function raised {exc!r}", raw if isinstance(raw, bytes) else b"")
            return False


def _farewell(text: bytes) -> str:
    return shown(text, 500) or "BYE"
