"""Sending: the thread that changed the engine sends what may leave, as far as the socket takes it at once.

Bytes that the socket does not take, and large pieces, go to the courier thread, which starts on demand. It is the only thread
that waits for a socket to take bytes.
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
"""Bytes that are sent at a time; the courier thread sends larger pieces."""
ROUNDS = 8
"""Pieces that a caller sends for other callers; the courier thread sends the next."""
MANY = 1 << 30


class Courier:
    """Sends for one connection. ``fail`` ends it; ``last_words`` wakes the reader, which may find the server's reason."""

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
        """Whether the calling thread is the courier thread."""
        return self.worker.is_here

    def run(self, work: Work | None, subject: Any = None, rounds: int = ROUNDS) -> None:
        """Do a step; then send what may be sent, unless another thread does. Never waits."""
        steps, engine, role, clean = self._steps, self._engine, object(), False
        try:
            out = steps.step(work, subject, role)
            while out is not None:
                if self._trace.wants(1):
                    self._show(out)
                rest = self._try(out) if rounds else out.data
                if rest is not None:
                    # In this order, and with the same role: an interruption in here ends the connection.
                    self.worker.post(partial(self._carry_on, out, rest if rounds else None, role))
                    break
                rounds -= 1
                # In this order: bytes that become ready meanwhile are sent here, or by the thread that finds the role free.
                steps.role = None
                out = steps.step(None, None, role) if engine.has_ready or steps.inbox else None
            clean = True
        except Exception as exc:
            clean = True
            self._failed(exc)
        finally:
            if not clean and (steps.role is role or engine.flight.gate.ready):
                # Half a command may have been sent. (Nothing is called here, so that no interruption can come in between.)
                steps.broken = True

    def _try(self, out: Out) -> Any:
        """Send without waiting; returns what the socket did not take, or None if it took all."""
        data, try_write = out.data, self._layers.transport.try_write
        if not data:
            return out.source
        if try_write is None or len(data) > SLICE:
            # The courier thread encodes it, slice by slice.
            return data
        encoded = self._layers.encode(data) if len(self._layers) else data
        sent = try_write(encoded)
        self._uplink.note(sent, out.order)
        return None if sent == len(encoded) else _Encoded(encoded, sent)

    def _show(self, out: Out) -> None:
        """Write the trace of what is sent, made from the commands: it shows no literal and no secret."""
        trace = self._trace
        for request in out.commands:
            trace.log(1, f"{request.tag.decode()} {request.call!r}")
            if trace.wants(4):
                trace.log(4, f"> {request.tag + b' ' + request.call.shown(200)!r}")
        if out.answers and trace.wants(4):
            trace.log(4, "> ***" if out.secret else f"> {out.data[:-2][:200]!r}")

    def _carry_on(self, out: Out | None, rest: Any, role: object) -> None:
        """Send the rest of ``out``, and what becomes ready. On the courier thread, which has the role, and may wait."""
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
            # SystemExit, too: a subclass's send may raise anything, and no caller is here to get it.
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
        """Send encoded bytes, and note each progress; without progress the engine ends the connection in time."""
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
        """Note progress of the command whose bytes the server has acknowledged since the last call."""
        order = self._uplink.look(monotonic(), self._steps.engine.window)
        if order:
            self._steps.step(self._steps.engine.written, order)

    def _failed(self, exc: BaseException) -> None:
        """Handle an error of sending. If the server has closed the connection, it may have sent the reason before."""
        if isinstance(exc, ConnectionError) and not isinstance(exc, error):
            self._steps.step(self._steps.engine.send_failed, lost_error(exc, "sending"))
            self._last_words()
        elif isinstance(exc, OSError) and not isinstance(exc, error):
            self._fail(lost_error(exc, "sending"))
        else:
            self._fail(exc if isinstance(exc, abort) else ConnectionClosed(f"sending: {exc!r}"))

    def send_filler(self) -> None:
        """Send the filler, if no thread sends: it makes a server go on that holds unread bytes (``Layer.filler``)."""
        steps, role = self._steps, object()
        with steps.lock:
            if steps.inside or steps.role is not None or steps.engine.closed is not None or not steps.engine.owed:
                return
            if steps.engine.flight.layer_pending:
                # The server may have sent OK, and would take the filler for bytes of the new layer.
                return
            steps.role = role
        try:
            self._layers.send_filler()
        except ConnectionError:
            # The next read finds whether the connection has ended.
            pass
        finally:
            with steps.lock:
                steps.role = None
            self.run(None)


class _Encoded:
    """Bytes that the layers have encoded, and how many of them have been sent."""

    __slots__ = ("data", "sent")

    def __init__(self, data: bytes | memoryview, sent: int) -> None:
        self.data, self.sent = data, sent
