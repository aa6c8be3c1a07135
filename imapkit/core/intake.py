"""What comes in: octets through the layers, cut into responses, taken in by the protocol, and those woken whom they concern.

No thread of its own: whoever has the right to read (``reading``) calls it, one thread at a time. The state lock is held for one
response, or a few, at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from imapkit.core.assembly import first_word, without_blanks
from imapkit.core.cursor import Defect
from imapkit.core.fragment import Framer
from imapkit.core.layers import Layers
from imapkit.core.protocol import Protocol
from imapkit.core.request import Request
from imapkit.core.response import Continuation, LiteralRun, Run, Tagged, Untagged, classify, literal_matcher, run_matcher
from imapkit.core.trace import Trace
from imapkit.errors import ConnectionClosed, RemoteProtocolError, ServerBye

if TYPE_CHECKING:
    from imapkit.core.registry import Registry

__all__ = ["Intake"]

_TOGETHER = 64
"""So many tagged responses are taken in at most before those who wait for them are woken."""
_NOBODY: tuple[Request, ...] = ()
_RUN = 8
"""With fewer responses ahead it does not pay to look for a run."""


class Intake:
    """Takes in what one connection receives.

    ``greeted`` is called once, when the greeting has come; ``nudge`` for a command that is to be interrupted, or sent anew.
    """

    def __init__(
        self,
        layers: Layers,
        protocol: Protocol,
        lock: threading.Lock,
        registry: Registry,
        trace: Trace,
        *,
        greeted: Callable[[], None],
        nudge: Callable[[Request], None],
    ) -> None:
        self._layers, self._protocol, self._lock, self._registry, self._trace = layers, protocol, lock, registry, trace
        self._greeted, self._nudge = greeted, nudge
        # (Without the lock: one look at a dictionary.)
        self._framer = Framer(
            protocol.limits,
            is_tagged=lambda line: first_word(line) in protocol.pending,
            is_over=lambda: protocol.closed is not None,
        )
        self.begun = self._welcomed = False
        self.waking: Sequence[Request] = _NOBODY
        """Those who are being woken: whoever is interrupted as he does so leaves them to the next who reads."""
        self.served = 0
        """The ident of the thread that waited for the last command that has ended; 0: nobody did."""

    @property
    def missing(self) -> int:
        """Octets of the present literal that have not come yet."""
        return self._framer.missing

    @property
    def unfinished(self) -> bytes:
        """The beginning of a response whose end has not come."""
        return self._framer.unfinished

    def end(self) -> ConnectionClosed:
        """What the end of the stream means."""
        if self._protocol.strays.count:
            # Exchange ends a session with a bare "Server Unavailable. 15".
            return ServerBye("the server closed the connection")
        seen = self._framer.unfinished
        where = " before its greeting" if self._protocol.welcome is None else ""
        return ConnectionClosed(
            f"the server closed the connection{where}" + (f", in the middle of {seen[:80]!r}" if seen else "")
        )

    def take_torn(self) -> None:
        """Take in a response that goes on, as far as it has come: nothing more will come."""
        torn = self._framer.pop_torn()
        if torn is not None:
            self._note_odd()
            self._respond(classify(torn))

    def take_left(self) -> None:
        """Take in what came together with the last octets that a layer was agreed on with (TLS 1.2: the greeting)."""
        for piece in self._layers.take_decoded():
            self.receive(piece)

    def take_in(self, data: bytes, below: int = 0) -> None:
        """Take in what the layers above the first ``below`` make of ``data``. Raises what ends the connection."""
        known = len(self._layers)
        if not known:
            self.receive(data)
            return
        for piece in self._layers.decode(data, below):
            if self._protocol.closed is not None:
                # Nobody wants to know what else it inflates to.
                return
            if len(self._layers) == known:
                self.receive(piece)
            else:
                # The piece before this one switched another layer on.
                self.take_in(piece, known)

    def receive(self, data: bytes) -> None:
        """Take in what has come through all layers. Raises what ends the connection."""
        framer = self._framer
        framer.push(data)
        if not self.begun:
            self.begun = _check_greeting(data)
        while (parts := framer.pop()) is not None:
            if framer.odd:
                self._note_odd()
            response = classify(parts)
            self._respond(response)
            if self._protocol.closed is not None:
                return
            if isinstance(response, Untagged) and (framer.ahead >= _RUN or len(response.parts) == 3):
                self._take_run(response.name)
        # Once for all that has come: most of what a flood is odd in has made room for the rest by now.
        self._protocol.defects.settle()
        if framer.missing:
            with self._lock:
                self._protocol.progress()
        if self._protocol.gate.is_halted:
            # A server that writes with Nagle's algorithm holds the "+" until what came before it is acknowledged.
            self._layers.transport.acknowledge()

    def _note_odd(self) -> None:
        """Note what was odd in how the last response was framed."""
        odd, self._framer.odd = self._framer.odd, []
        self._protocol.defects.extend(Defect(what, raw) for what, raw in odd)

    def _respond(self, response: Continuation | Tagged | Untagged) -> None:
        """Take in one response, and do what it entails once the lock is released."""
        protocol = self._protocol
        traced = self._trace.wants(4)
        if traced:
            self._trace.log(4, protocol.secrets.hide_text(f"< {response!r}"))
        with self._lock:
            if protocol.closed is not None:
                return
            switching = self._handle(response, 0 if traced else _TOGETHER)
            self.waking, protocol.woken = protocol.woken, []
            nudged, protocol.nudged = protocol.nudged, None
        for request in self.waking:
            request.wake()
            self.served = 0 if request.on_done is not None else request.thread
        self.waking = _NOBODY
        if nudged is not None:
            self._nudge(nudged)
        if switching is not None:
            self._switch(switching)
        elif not self._welcomed and protocol.welcome is not None:
            self._welcomed = True
            self._greeted()

    def _handle(self, response: Continuation | Tagged | Untagged, most: int) -> Request | None:
        """Take in a response; and what is right behind a tagged one, so that the lock is not taken anew for each."""
        protocol, framer = self._protocol, self._framer
        switching = protocol.handle(response)
        together = min(framer.ahead, most)
        while together and framer.ahead and type(response) is Tagged and switching is None and protocol.nudged is None:
            parts = framer.pop()
            if parts is None:
                # The next line goes on in one that has not come.
                break
            if framer.odd:
                self._note_odd()
            response = classify(parts)
            switching = protocol.handle(response)
            together -= 1
        return switching

    def _take_run(self, name: str) -> None:
        """Take in the responses that follow one of that name in one step, if they are all the same command's."""
        with self._lock:
            plain = self._protocol.sole_owner(name) is not None and not self._trace.wants(4)
        if not plain:
            return
        run: Run
        if self._framer.ahead:
            run = Run(name, self._framer.pop_run(run_matcher(name, self._framer.quotes)))
        else:
            run = LiteralRun(name, self._framer.pop_literals(literal_matcher(name)))
        if not run.rows:
            return
        with self._lock:
            taken = self._protocol.closed is not None or self._protocol.handle_run(run)
        if not taken:
            for response in run.responses():
                self._respond(response)

    def _switch(self, request: Request) -> None:
        """Put the layer in that a command has just switched on, then let the command end."""
        command, rest = request.call.command, self._framer.take_rest()
        if rest and command.tail == "reject":
            raise RemoteProtocolError(f"{len(rest)} octets after the OK to {request.call.name}: response injection")
        assert command.layer is not None
        below = len(self._layers)
        layer = self._registry.layers[command.layer].factory(self._protocol.session, request.call.options)
        if layer is not None:
            self._layers.push(layer, request.deadline)
        with self._lock:
            if self._protocol.closed is not None:
                return
            if command.tail == "reject":
                self._protocol.distrust()
            self._protocol.complete(request)
            woken, self._protocol.woken = self._protocol.woken, []
        for woke in woken:
            woke.wake()
        self.take_left()
        if rest:
            self.take_in(rest, below)


def _check_greeting(data: bytes) -> bool:
    """Say at once what answers there, if it is no IMAP server; it may never send a line end. False while nothing has come."""
    data = without_blanks(data)
    if data.startswith(b"*") or not data:
        return bool(data)
    tls = "a TLS port: use IMAP4_SSL"
    kinds = ((b"\x15", tls), (b"\x16", tls), (b"+OK", "POP3"), (b"220", "SMTP"), (b"HTTP", "HTTP"))
    kind = next((f" (this is {name})" for start, name in kinds if data.startswith(start)), "")
    raise RemoteProtocolError(f"unrecognised server welcome{kind}: {data[:80]!r}")
