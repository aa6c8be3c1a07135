"""The layers above a transport: TLS and compression."""

from __future__ import annotations

import contextlib
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress

from imapkit.core.contract.extension import Layer
from imapkit.core.transport.base import READING, SLICE, WRITING, Deadline, Transport, wait
from imapkit.errors import CommandTimeout, ConnectionClosed

__all__ = ["Layers"]


_Rank = tuple[bool, float]
"""Whether a layer is switched on by a command, and its ``LayerSpec.order``: a lower rank is nearer to the transport."""


class Layers:
    """The layers above a transport, by their ranks: the first is next to the transport, the last next to the protocol."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._layers: tuple[Layer, ...] = ()
        self._ranks: list[_Rank] = []
        self._names: list[str] = []
        self.filler: tuple[Layer, bytes] | None = None
        """Bytes without meaning, and the layer they are sent beneath; only where a silent server can be noticed."""
        self._decoded: list[bytes] = []
        self._failure: Exception | None = None

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def place(self, order: float, *, always: bool = False) -> int:
        """How many layers are beneath a layer of this order; of two with the same order the later one is above."""
        return bisect_right(self._ranks, (not always, order))

    def first(self, names: Sequence[str]) -> int:
        """How many layers are beneath the lowest one of these names; the number of all layers if none of them is on."""
        return next((place for place, name in enumerate(self._names) if name in names), len(self._layers))

    def remove(self, names: Sequence[str]) -> None:
        """Switch the layers of these names off. No other thread may read or write meanwhile."""
        if not names:
            return
        stays = [name not in names for name in self._names]
        self._layers, gone = tuple(compress(self._layers, stays)), self._layers
        self._ranks, self._names = list(compress(self._ranks, stays)), list(compress(self._names, stays))
        if self.filler is not None and self.filler[0] in gone and self.filler[0] not in self._layers:
            self.filler = None

    def insert(self, layer: Layer, deadline: Deadline, order: float, *, always: bool = False, name: str = "") -> None:
        """Run the handshake of ``layer``, and switch it on in its place. No other thread may read or write meanwhile.

        ``name``: that by which a command may end it.
        """
        place = self.place(order, always=always)
        beneath, above = self._layers[:place], self._layers[place:]
        received: list[bytes] = []

        def receive() -> bytes:
            while not received:
                data = self._timed_read(deadline)
                if not data:
                    return b""
                received.extend(_decoded(beneath, data))
            return received.pop(0)

        layer.start(lambda data: self._write_through(beneath, data, deadline), receive)
        self._layers = (*beneath, layer, *above)
        self._ranks.insert(place, (not always, order))
        self._names.insert(place, name)
        filler = getattr(layer, "filler", None)
        if isinstance(filler, bytes) and filler and self.transport.ready is not None:
            self.filler = layer, filler
        # Bytes behind those that ``start`` needed are in the layer already, or have not been received.
        for data in (b"", *received):
            self._decoded += filter(None, self.decode(data, place))

    def settle(self, place: int, left: bytes, deadline: Deadline) -> tuple[bytes, int]:
        """Feed the layers from ``place`` on until a layer may be put beneath them (``Layer.settled``).

        ``left``: bytes that have been read already. Returns those that were not needed, and how many bytes these layers made of
        the others. Raises ``ConnectionClosed`` at the end of the stream. No other thread may read meanwhile.
        """
        beneath, above = self._layers[:place], self._layers[place:]
        while not all(getattr(layer, "settled", _always)() for layer in above):
            if not left:
                data = self._timed_read(deadline)
                left = b"".join(_decoded(beneath, data))
                if not data:
                    raise ConnectionClosed("the server closed the connection during the handshake of a layer")
                continue
            made = sum(map(len, _decoded(above, left[:1])))
            left = left[1:]
            if made:
                return left, made
        return left, 0

    def take_decoded(self) -> list[bytes]:
        """Remove and return the decoded bytes that have not been read."""
        decoded, self._decoded = self._decoded, []
        return decoded

    @property
    def _fileno(self) -> Callable[[], int] | None:
        return getattr(getattr(self.transport, "sock", None), "fileno", None)

    def _timed_read(self, deadline: Deadline) -> bytes:
        fileno, rest = self._fileno, deadline() - time.monotonic()
        if rest <= 0 or (fileno is not None and not wait(fileno(), READING, rest)):
            raise CommandTimeout("no answer in time during the handshake of a layer")
        return self.transport.read(65536)

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send ``data`` through all layers, in slices, so that no second copy of a large literal is made."""
        self._write_through(self._layers, data, deadline)

    def _write_through(self, layers: Sequence[Layer], data: bytes | memoryview, deadline: Deadline) -> None:
        if not layers or len(data) <= SLICE:
            self.transport.write(_encoded(layers, data), deadline)
            return
        view = memoryview(data)
        for at in range(0, len(view), SLICE):
            self.transport.write(_encoded(layers, view[at : at + SLICE]), deadline)

    def encode(self, piece: bytes | memoryview) -> bytes | memoryview:
        """``piece`` encoded by all layers."""
        return _encoded(self._layers, piece)

    def decode(self, data: bytes, below: int = 0, above: int | None = None) -> Iterable[bytes]:
        """``data`` from the transport, decoded by all layers, in pieces of bounded size.

        ``below``: ``data`` has come through this many layers already. ``above``: the layers from this one on are left out.
        """
        return _decoded(self._layers[below:above], data)

    def read(self, size: int) -> bytes:
        """At most ``size`` decoded bytes; b"" at the end. A subclass's ``read`` may use it."""
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
                # The bytes decoded before the error come first.
                self._failure = exc
        piece = self._decoded.pop(0)
        if len(piece) > size:
            self._decoded.insert(0, piece[size:])
        return piece[:size]

    def pending(self) -> int:
        """How many bytes ``read`` returns without waiting."""
        return sum(map(len, self._decoded))

    def send_filler(self) -> None:
        """Send the filler, if there is one and the socket takes it at once. No other thread may write meanwhile.

        If the socket takes nothing, no filler is needed: the server has bytes that it has not read.
        """
        fileno = self._fileno
        if self.filler is not None and fileno is not None and wait(fileno(), WRITING, 0):
            layer, filler = self.filler
            self._write_beneath(self._layers.index(layer), filler)

    def finish(self) -> None:
        """Send the end of each layer (close_notify), as far as that is possible without waiting."""
        for i in reversed(range(len(self._layers))):
            with contextlib.suppress(Exception):
                self._write_beneath(i, self._layers[i].finish())

    def _write_beneath(self, i: int, data: bytes) -> None:
        """Send bytes that layer ``i`` has made, without waiting."""
        for outer in reversed(self._layers[:i]):
            data = outer.encode(data) if data else b""
        if data:
            self.transport.write(data, time.monotonic)


def _always() -> bool:
    return True


def _encoded(layers: Sequence[Layer], piece: bytes | memoryview) -> bytes | memoryview:
    for layer in reversed(layers):
        piece = layer.encode(piece)
    return piece


def _decoded(layers: Sequence[Layer], data: bytes) -> Iterable[bytes]:
    pieces: Iterable[bytes] = layers[0].decode(data) if layers else (data,)
    for layer in layers[1:]:
        pieces = _through(layer, pieces)
    return pieces


def _through(layer: Layer, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from layer.decode(piece)
