"""Takes in received bytes: cuts them into responses without the lock, and gives the engine batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from imapkit.core.threads.courier import MANY
from imapkit.core.threads.switching import Switching
from imapkit.core.wire.assembly import first_word, without_blanks
from imapkit.core.wire.data import Defect
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.response import Continuation, LiteralRun, Run, Tagged, Untagged, classify, literal_matcher, run_matcher
from imapkit.errors import ConnectionClosed, RemoteProtocolError, ServerBye, error

if TYPE_CHECKING:
    from imapkit.core.contract.tables import Tables
    from imapkit.core.threads.claimed import Claimed
    from imapkit.core.threads.courier import Courier
    from imapkit.core.threads.steps import Steps
    from imapkit.core.threads.trace import Trace
    from imapkit.core.transport.layers import Layers

__all__ = ["Intake"]

_TOGETHER = 64
"""The most responses in a batch: their callers wake after it."""
_RUN = 8
"""The fewest responses ahead for which looking for a run saves time."""

Batch: TypeAlias = "list[Continuation | Tagged | Untagged | Run]"


class Intake:
    """Takes in what one connection receives; one thread at a time uses it."""

    def __init__(self, steps: Steps, courier: Courier, layers: Layers, tables: Tables, trace: Trace, connect: float) -> None:
        self._steps, self._courier, self._layers, self._trace = steps, courier, layers, trace
        self._engine = steps.engine
        self._tables, self._handshake = tables, connect
        self._framer = Framer(self._engine.limits, is_tagged=self._is_tagged, is_over=self._is_over)
        self._made: Switching | None = None
        self.begun = False
        """Whether any byte has come."""
        self._greeted = False
        self._missing = 0
        self._claims = 0
        """How many commands with sinks are not over for their callers."""
        self._wrong: error | None = None
        """The error that ends the connection, once the responses before it have been taken in."""

    def _is_tagged(self, line: bytes) -> bool:
        # (Without the lock: one look at a dictionary.)
        return self._engine.is_in_flight(first_word(line))

    def _is_over(self) -> bool:
        return self._engine.closed is not None

    def claim_literals(self) -> None:
        """Count a command with a sink, before it is submitted."""
        with self._steps.lock:
            self._claims += 1
            self._framer.claim = self._claim

    def disclaim(self) -> None:
        """Uncount a command with a sink that is over for its caller, or that was not submitted."""
        with self._steps.lock:
            self._claims -= 1

    def _claim(self, parts: list[bytes], size: int) -> Claimed | None:
        """The sink for an announced literal, if the command that it answers has one; else None."""
        from imapkit.core.threads.claimed import Claimed

        response = classify(list(parts))
        if not isinstance(response, Untagged):
            return None
        with self._steps.lock:
            if self._claims <= 0 and not self._engine.has_sinks:
                self._framer.claim = None
                return None
            owner = self._engine.owner_of(response)
        if owner is None or owner.call.sink is None:
            return None
        return Claimed.by(owner, response, size, self._steps)

    @property
    def missing(self) -> int:
        """How many bytes of the present literal have not come yet."""
        return self._framer.missing

    @property
    def unfinished(self) -> bytes:
        """The beginning of a response whose end has not come."""
        return self._framer.unfinished

    def end(self) -> ConnectionClosed:
        """The error for the end of the stream."""
        if self._engine.strays.count:
            # Exchange ends a session with a bare "Server Unavailable. 15".
            return ServerBye("the server closed the connection")
        seen = self._framer.unfinished
        where = " before its greeting" if self._engine.welcome is None else ""
        return ConnectionClosed(
            f"the server closed the connection{where}" + (f", in the middle of {seen[:80]!r}" if seen else "")
        )

    def take_torn(self) -> None:
        """At the end of the stream, take in what has come of an unfinished response."""
        torn = self._framer.pop_torn()
        if torn is not None:
            self._note_defects()
            self._courier.run(self._engine.receive, [classify(torn)])

    @property
    def _switching(self) -> Switching:
        """The way through the layers, made when it is first needed: a connection without layers has none."""
        if self._made is None:
            self._made = Switching(
                self._steps,
                self._courier,
                self._layers,
                self._tables,
                self._handshake,
                receive=self._receive,
                take_rest=self._framer.take_rest,
            )
        return self._made

    def take_left(self) -> None:
        """Take in what came together with the last bytes of a handshake (TLS 1.2: the greeting)."""
        if len(self._layers):
            self._switching.take_left()

    def take_in(self, data: bytes) -> None:
        """Take in received bytes. An error that it raises ends the connection."""
        if len(self._layers):
            self._switching.take_in(data)
            return
        self._receive(data)
        if self._steps.switching is not None:
            self._switching.switch()

    def _receive(self, data: bytes) -> None:
        """Take in decoded bytes, up to the answer to a command that switches a layer on."""
        framer, engine, steps = self._framer, self._engine, self._steps
        framer.push(data)
        if not self.begun:
            self.begun = _check_greeting(data)
        more = True
        while more and (batch := self._batch()):
            # (A batch that is not full has taken everything, unless it ended at a layer or at the greeting.)
            more = len(batch) >= _TOGETHER or self._goes_by_one or self._wrong is not None
            self._courier.run(engine.receive, batch, MANY)
            if steps.switching is not None:
                self._missing = 0
                return
            if engine.closed is not None:
                return
            if not self._greeted:
                self._greeted = engine.welcome is not None
        if engine.outbound.owner is not None and engine.halted:
            # A server with Nagle's algorithm holds the "+" until the client acknowledges the bytes before it.
            self._layers.transport.acknowledge()
        missing, before = framer.missing, self._missing
        if missing or before:
            self._missing = missing
        if missing:
            size = before - missing if 0 < missing < before else len(data)
            steps.step(engine.literal_progress, size)

    @property
    def _goes_by_one(self) -> bool:
        """Whether a batch may end early, because the bytes behind a response may have to be read in another way."""
        return self._engine.flight.layer_pending or not self._greeted

    def _batch(self) -> Batch:
        """A batch of complete responses. Raises the error of the next one if the batch is empty."""
        if self._wrong is not None:
            raise self._wrong
        framer, flight, traced = self._framer, self._engine.flight, self._trace.wants(1)
        batch: Batch = []
        try:
            while len(batch) < _TOGETHER and (parts := framer.pop()) is not None:
                response = classify(parts)
                if framer.defects:
                    self._note_defects()
                if traced:
                    self._show(response)
                batch.append(response)
                if type(response) is Tagged:
                    if flight.layer_pending:
                        # Bytes behind the answer to a command that switches a layer on stay in the framer.
                        break
                elif isinstance(response, Untagged):
                    if framer.ahead >= _RUN or len(response.parts) == 3:
                        self._take_run(response.name, batch)
                    if not self._greeted:
                        break
        except error as exc:
            if not batch:
                raise
            self._wrong = exc
        return batch

    def _show(self, response: Continuation | Tagged | Untagged) -> None:
        if self._trace.wants(4):
            self._trace.log(4, self._engine.secrets.hide_text(f"< {response!r}"))

    def _note_defects(self) -> None:
        """Note the defects in the framing of the last response."""
        found, self._framer.defects = self._framer.defects, []
        self._engine.defects.extend(Defect(what, raw) for what, raw in found)

    def _take_run(self, name: str, batch: Batch) -> None:
        """Cut the responses of one name that follow as one run, if all may answer the same command."""
        with self._steps.lock:
            owner = self._engine.sole_owner(name)
        if owner is None or self._trace.wants(4):
            return
        run: Run
        if self._framer.ahead:
            run = Run(name, self._framer.pop_run(run_matcher(name, self._framer.quotes)))
        elif owner.call.sink is not None:
            return
        else:
            run = LiteralRun(name, self._framer.pop_literals(literal_matcher(name)))
        if run.rows:
            batch.append(run)


def _check_greeting(data: bytes) -> bool:
    """Whether the greeting has begun; raises ``RemoteProtocolError`` if the server is no IMAP server.

    It looks at the first bytes, since another server may never send a line end.
    """
    data = without_blanks(data)
    if data.startswith(b"*") or not data:
        return bool(data)
    tls = "a TLS port: use IMAP4_SSL"
    kinds = ((b"\x15", tls), (b"\x16", tls), (b"+OK", "POP3"), (b"220", "SMTP"), (b"HTTP", "HTTP"))
    kind = next((f" (this is {name})" for start, name in kinds if data.startswith(start)), "")
    raise RemoteProtocolError(f"unrecognised server welcome{kind}: {data[:80]!r}")
