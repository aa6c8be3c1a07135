"""The layers above a transport: TLS and compression."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Callable, Iterable, Iterator

from imapkit.core.contract.extension import Layer
from imapkit.core.transport.base import SLICE, Deadline, Transport, wait
from imapkit.errors import CommandTimeout

__all__ = ["Layers"]


class Layers:
    """The layers above a transport, the last one switched on being the innermost to the protocol."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._layers: tuple[Layer, ...] = ()
        self.filler: tuple[int, bytes] | None = None
        """What may be sent and means nothing, and beneath which layer; where one can see that the server is silent."""
        self._decoded: list[bytes] = []
        self._failure: Exception | None = None

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def push(self, layer: Layer, deadline: Deadline) -> None:
        """Let ``layer`` agree with the other side, and switch it on. Nobody else reads or writes meanwhile."""
        received: list[bytes] = []

        def receive() -> bytes:
            while not received:
                data = self._timed_read(deadline)
                if not data:
                    return b""
                received.extend(self.decode(data))
            return received.pop(0)

        layer.start(lambda data: self.write(data, deadline), receive)
        self._layers = (*self._layers, layer)
        filler = getattr(layer, "filler", None)
        if isinstance(filler, bytes) and filler and self.transport.ready is not None:
            self.filler = len(self._layers) - 1, filler
        # What came behind the last octets that ``start`` needed is in the layer already, or has not been received.
        for data in (b"", *received):
            self._decoded += filter(None, layer.decode(data))

    def take_decoded(self) -> list[bytes]:
        """What has come through all layers and has not been read."""
        decoded, self._decoded = self._decoded, []
        return decoded

    @property
    def _fileno(self) -> Callable[[], int] | None:
        return getattr(getattr(self.transport, "sock", None), "fileno", None)

    def _timed_read(self, deadline: Deadline) -> bytes:
        fileno = self._fileno
        if fileno is not None and not wait(fileno(), select.POLLIN, deadline() - time.monotonic()):
            raise CommandTimeout("no answer in time while a layer was being agreed on")
        return self.transport.read(65536)

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send ``data`` through all layers, in slices so that a large literal is not held twice."""
        if not self._layers:
            self.transport.write(data, deadline)
            return
        if len(data) <= SLICE:
            self._write(data, deadline)
            return
        view = memoryview(data)
        for at in range(0, len(view), SLICE):
            self._write(view[at : at + SLICE], deadline)

    def _write(self, piece: bytes | memoryview, deadline: Deadline) -> None:
        self.transport.write(self.encode(piece), deadline)

    def encode(self, piece: bytes | memoryview) -> bytes | memoryview:
        """``piece`` as it leaves beneath all layers."""
        for layer in reversed(self._layers):
            piece = layer.encode(piece)
        return piece

    def decode(self, data: bytes, below: int = 0) -> Iterable[bytes]:
        """What ``data`` from the transport (or from the first ``below`` layers) means, in pieces of bounded size."""
        layers = self._layers[below:]
        pieces: Iterable[bytes] = layers[0].decode(data) if layers else (data,)
        for layer in layers[1:]:
            pieces = _through(layer, pieces)
        return pieces

    def read(self, size: int) -> bytes:
        """What comes through all layers, for a subclass's ``read`` to build on."""
        while not self._decoded:
            if self._failure is not None:
                raise self._failure
            data = self.transport.read(size)
            if not data:
                return b""
            try:
                for plain in self.decode(data):
                    self._decoded += [plain] if plain else []
            except Exception as exc:
                # What was understood before it comes first.
                self._failure = exc
        piece = self._decoded.pop(0)
        if len(piece) > size:
            self._decoded.insert(0, piece[size:])
        return piece[:size]

    def pending(self) -> int:
        """Octets that ``read`` returns without waiting."""
        return sum(map(len, self._decoded))

    def fill(self) -> None:
        """Send what means nothing, if there is such a thing and the other side takes it at once. Nobody else writes meanwhile.

        Where something lies unsent, or half of it, there is no need: the other side has more before it than it has looked at.
        """
        fileno = self._fileno
        if self.filler is not None and fileno is not None and wait(fileno(), select.POLLOUT, 0):
            self._write_beneath(*self.filler)

    def finish(self) -> None:
        """Say farewell as far as that is possible without waiting."""
        for i in reversed(range(len(self._layers))):
            with contextlib.suppress(Exception):
                self._write_beneath(i, self._layers[i].finish())

    def _write_beneath(self, i: int, data: bytes) -> None:
        """Send what layer ``i`` has made, without waiting."""
        for outer in reversed(self._layers[:i]):
            data = outer.encode(data) if data else b""
        if data:
            self.transport.write(data, time.monotonic)


def _through(layer: Layer, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from layer.decode(piece)
