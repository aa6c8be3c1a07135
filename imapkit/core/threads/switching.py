"""Layers on the way in: takes received bytes through them, and switches a command's layer on where its answer ends."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from imapkit.core.transport.base import within
from imapkit.errors import RemoteProtocolError

if TYPE_CHECKING:
    from imapkit.core.contract.tables import Tables
    from imapkit.core.engine.request import Request
    from imapkit.core.threads.courier import Courier
    from imapkit.core.threads.steps import Steps
    from imapkit.core.transport.layers import Layers

__all__ = ["Switching"]


class Switching:
    """Gives ``receive`` decoded bytes. ``take_rest`` returns those that ``receive`` was given and that are in no response."""

    __slots__ = ("_courier", "_engine", "_handshake", "_layers", "_receive", "_steps", "_tables", "_take_rest")

    def __init__(
        self,
        steps: Steps,
        courier: Courier,
        layers: Layers,
        tables: Tables,
        connect: float,
        *,
        receive: Callable[[bytes], None],
        take_rest: Callable[[], bytes],
    ) -> None:
        self._steps, self._courier, self._layers, self._tables, self._handshake = steps, courier, layers, tables, connect
        self._engine = steps.engine
        self._receive, self._take_rest = receive, take_rest

    def take_in(self, data: bytes, below: int = 0) -> None:
        """Take in ``data``, decoded by the layers above the first ``below``. An error that it raises ends the connection."""
        known = len(self._layers)
        place = self._place() if self._engine.flight.layer_pending else known
        if below <= place < known:
            self._take_in_singly(b"".join(self._layers.decode(data, below, place)), place)
            return
        switched: Request | None = None
        for piece in self._layers.decode(data, below):
            if self._engine.closed is not None:
                return
            if switched is None:
                self._receive(piece)
                if self._steps.switching is not None:
                    switched = self.switch()
            else:
                # The piece before this one switched another layer on.
                _check_left(switched, len(piece))
                self.take_in(piece, known)

    def _place(self) -> int:
        """How many layers are beneath the layer that a command in flight switches on or off."""
        with self._steps.lock:
            command = self._engine.switching
        if command is not None and command.ends_layers:
            return self._layers.first(command.ends_layers)
        spec = None if command is None else self._tables.layers.get(command.layer or "")
        return len(self._layers) if spec is None else self._layers.place(spec.order)

    def _take_in_singly(self, data: bytes, place: int) -> None:
        """Take in bytes that have come through the first ``place`` layers one by one, since a layer may be put above these.

        The bytes behind the command's answer go through the new layer. The layers above it must get all bytes before that point,
        and none behind it.
        """
        for at in range(len(data)):
            pieces = list(self._layers.decode(data[at : at + 1], place))
            while pieces and self._engine.closed is None:
                self._receive(pieces.pop(0))
                if self._steps.switching is not None:
                    self._switch_beneath(data[at + 1 :], sum(map(len, pieces)), place)
                    return
            if self._engine.closed is not None:
                return
            if not self._engine.flight.layer_pending:
                self.take_in(data[at + 1 :], place)
                return

    def take_left(self) -> None:
        """Take in what came together with the last bytes of a handshake (TLS 1.2: the greeting)."""
        for piece in self._layers.take_decoded():
            self._receive(piece)

    def switch(self) -> Request:
        """Insert the layer of a command above all others, or remove it, then end the command."""
        request, self._steps.switching = self._steps.switching, None
        assert request is not None
        rest, below = self._take_rest(), len(self._layers)
        _check_left(request, len(rest))
        self._change(request)
        if rest:
            self.take_in(rest, below)
        return request

    def _switch_beneath(self, left: bytes, more: int, place: int) -> None:
        """Insert the layer of a command above the first ``place`` layers, or remove the next one.

        ``left`` has been decoded by the first ``place`` layers only.

        ``more``: how many bytes behind the answer have come through all layers. Raises ``RemoteProtocolError`` if there are any,
        since they should have come through the new layer.
        """
        request, self._steps.switching = self._steps.switching, None
        assert request is not None
        if more := more + len(self._take_rest()):
            raise _injection(request, more)
        left, more = self._layers.settle(place, left, within(self._handshake))
        if more:
            raise _injection(request, more)
        _check_left(request, len(left))
        self._change(request)
        if left:
            self.take_in(left, place)

    def _change(self, request: Request) -> None:
        command = request.call.command
        self._layers.remove(command.ends_layers)
        if command.layer is not None:
            spec = self._tables.layers[command.layer]
            layer = spec.factory(self._engine.session, request.call.options)
            if layer is not None:
                end = min(request.limit, monotonic() + self._handshake)
                self._layers.insert(layer, lambda: end, spec.order, name=command.layer)
        self._courier.run(self._engine.switched, request)
        self.take_left()


def _check_left(request: Request, size: int) -> None:
    """Raise ``RemoteProtocolError`` if bytes have come behind the answer to a command that allows none."""
    if size and request.call.command.tail == "reject":
        raise _injection(request, size)


def _injection(request: Request, size: int) -> RemoteProtocolError:
    return RemoteProtocolError(f"{size} bytes after the OK to {request.call.name}: response injection")
