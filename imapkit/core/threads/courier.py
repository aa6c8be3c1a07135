"""Sending: the thread that changed the engine sends what may leave, as far as the socket takes it at once.

What the socket does not take, and what is large, goes to a thread on demand, which may wait. So no thread waits for a socket but
that one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from imapkit.core.threads.uplink import Uplink
from imapkit.core.threads.worker import Worker
from imapkit.errors import ConnectionClosed, abort, error, lost_error

if TYPE_CHECKING:
    from imapkit.core.engine.effects import Out
    from imapkit.core.engine.upload import Upload
    from imapkit.core.threads.steps import Steps, Work
    from imapkit.core.threads.trace import Trace
    from imapkit.core.transport.layers import Layers

__all__ = ["Courier"]

SLICE = 1 << 18
"""Bytes that are sent at a time; a larger piece is the courier thread's."""
ROUNDS = 8
"""Pieces that a caller sends for others before the courier thread goes on."""
MANY = 1 << 30


class Courier:
    """Sends for one connection. ``fail`` ends it; ``last_words`` has the reader look for what the server said before it went."""

    def __init__(
        self,
        steps: Steps,
        layers: Layers,
        trace: Trace,
        name: str,
        *,
        fail: Callable[[error], None],
        last_words: Callable[[], None],
    ) -> None:
        self._steps, self._layers, self._trace, self._fail = steps, layers, trace, fail
        self._engine, self._last_words = steps.engine, last_words
        self.worker = Worker(f"{name} courier")
        self._uplink = Uplink(layers.transport)

    @property
    def is_here(self) -> bool:
        """Whether the calling thread sends for the connection as it may take the time it needs: through a subclass's ``send``."""
        return self.worker.is_here

    def run(self, work: Work | None, subject: Any = None, rounds: int = ROUNDS) -> None:
        """Do a step; then send what may leave, unless another thread does. Never waits."""
        steps, engine, role, clean = self._steps, self._engine, object(), False
        try:
            out = steps.step(work, subject, role)
            while out is not None:
                rest = self._try(out) if rounds else out.data
                if rest is not None:
                    # In this order, and with the same role: whoever is interrupted in here ends the connection.
                    self.worker.post(partial(self._carry_on, out, rest if rounds else None, role))
                    break
                rounds -= 1
                # In this order: what becomes ready meanwhile is seen here, or the thread that made it ready finds no role taken.
                steps.role = None
                out = steps.step(None, None, role) if engine.has_ready else None
            clean = True
        except Exception as exc:
            clean = True
            self._failed(exc)
        finally:
            if not clean and (steps.role is role or engine.flight.gate.ready):
                # Half a command may be on the wire. (Nothing is called here, so that no interruption can come in between.)
                steps.broken = True

    def _try(self, out: Out) -> Any:
        """What the socket does not take now, through the layers; None if it takes all."""
        if self._trace.wants(1):
            self._show(out)
        data, try_write = out.data, self._layers.transport.try_write
        if not data:
            return out.source
        if try_write is None or len(data) > SLICE:
            # Not encoded yet: the courier thread does that, slice by slice.
            return data
        encoded = self._layers.encode(data) if len(self._layers) else data
        sent = try_write(encoded)
        self._uplink.note(sent, out.order)
        return None if sent == len(encoded) else _Encoded(encoded, sent)

    def _show(self, out: Out) -> None:
        """Show what leaves: from the command, so that no literal is shown, and no secret."""
        trace = self._trace
        for request in out.commands:
            trace.log(1, f"{request.tag.decode()} {request.call!r}")
            if trace.wants(4):
                trace.log(4, f"> {request.tag + b' ' + request.call.shown(200)!r}")
        if out.answers and trace.wants(4):
            trace.log(4, "> ***" if out.secret else f"> {out.data[:-2][:200]!r}")

    def _carry_on(self, out: Out | None, rest: Any, role: object) -> None:
        """Send what is left, and what comes. On the courier thread, which has the role now, and may wait."""
        steps = self._steps
        try:
            while out is not None and steps.engine.closed is None:
                self._uplink.begin_large(out.order)
                self._send(out, rest)
                self._uplink.end_large()
                rest, out = None, steps.step(steps.engine.written, out.order, role)
                if out is not None and self._trace.wants(1):
                    self._show(out)
        except BaseException as exc:
            # SystemExit, too: a subclass's send can raise anything, and no caller's thread is there to take it.
            self._failed(exc)

    def _send(self, out: Out, rest: Any) -> None:
        if out.source is not None:
            self._send_source(out.source, out.order)
            return
        if isinstance(rest, _Encoded):
            self._send_patiently(memoryview(rest.data)[rest.sent :], out.order)
            return
        view = memoryview(out.data)
        for at in range(0, len(view), SLICE):
            piece = view[at : at + SLICE]
            self._send_patiently(self._layers.encode(piece) if len(self._layers) else piece, out.order)

    def _send_source(self, upload: Upload, order: int) -> None:
        """Read a source and send it, piece by piece, until the connection ends."""
        with closing(upload.pieces()) as pieces:
            for piece in pieces:
                if self._steps.engine.closed is not None:
                    return
                self._send_patiently(self._layers.encode(piece) if len(self._layers) else piece, order)

    def _send_patiently(self, data: Any, order: int) -> None:
        """Send encoded bytes, and report each progress; the engine's clock ends a connection that takes none."""
        transport, steps = self._layers.transport, self._steps
        try_write = transport.try_write
        if try_write is None:
            transport.write(data, partial(float, monotonic() + steps.engine.window))
            steps.step(steps.engine.written, order)
            return
        while steps.engine.closed is None:
            sent = try_write(data)
            if sent:
                self._uplink.note(sent, order)
                steps.step(steps.engine.written, order)
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
            transport.wait_writable(1.0)

    def progress(self) -> None:
        """Report what the other side has acknowledged since the last look: that is progress of the command that it belongs to."""
        order = self._uplink.look(monotonic(), self._steps.engine.window)
        if order:
            self._steps.step(self._steps.engine.written, order)

    def _failed(self, exc: BaseException) -> None:
        """Nothing can be sent any more. A server that is gone has perhaps said why."""
        if isinstance(exc, ConnectionError) and not isinstance(exc, error):
            self._steps.step(self._steps.engine.send_failed, lost_error(exc, "sending"))
            self._last_words()
        elif isinstance(exc, OSError) and not isinstance(exc, error):
            self._fail(lost_error(exc, "sending"))
        else:
            self._fail(exc if isinstance(exc, abort) else ConnectionClosed(f"sending: {exc!r}"))

    def fill(self) -> None:
        """Send what means nothing, if no thread sends: a server may have more than it has looked at (``Layer.filler``)."""
        steps, role = self._steps, object()
        with steps.lock:
            if steps.inside or steps.role is not None or steps.engine.closed is not None or not steps.engine.owed:
                return
            if steps.engine.flight.layer_pending:
                # The server has perhaps said OK: from there on it takes what comes for the new layer's.
                return
            steps.role = role
        try:
            self._layers.fill()
        except ConnectionError:
            # Whether the server is gone is what the next read says.
            pass
        finally:
            with steps.lock:
                steps.role = None
            self.run(None)


class _Encoded:
    """Bytes that have been through the layers, and how many of them have been sent."""

    __slots__ = ("data", "sent")

    def __init__(self, data: bytes | memoryview, sent: int) -> None:
        self.data, self.sent = data, sent
