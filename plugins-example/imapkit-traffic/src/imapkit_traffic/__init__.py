"""Counts the bytes that each connection sends and receives on the wire, after compression and encryption."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from imapkit.plugin import Commands, Family, LayerSpec, Session, hookimpl

__all__ = ["Traffic", "TrafficCommands", "imapkit_family", "total"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes on the wire, sent and received by IMAP, TLS and COMPRESS together."""

    sent: int = 0
    received: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.sent + other.sent, self.received + other.received)

    def __sub__(self, other: Traffic) -> Traffic:
        return Traffic(self.sent - other.sent, self.received - other.received)


class TrafficCommands(Commands):
    """The method that the family adds to clients."""

    def traffic(self) -> Traffic:
        """The bytes that this connection has sent and received so far, with TLS handshakes; any state, also after its end."""
        layer = _layers.get(self._session)
        return layer.traffic if layer is not None else Traffic()


class CountingLayer:
    """A layer that changes nothing. One thread at a time encodes and one decodes, so that each number has one writer."""

    def __init__(self) -> None:
        self._sent = self._received = 0

    @property
    def traffic(self) -> Traffic:
        """The counts so far."""
        return Traffic(self._sent, self._received)

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """Return at once: there is no handshake."""

    def encode(self, data: bytes | memoryview) -> bytes:
        """Count what is sent."""
        self._sent += len(data)
        _count(Traffic(sent=len(data)))
        return bytes(data)

    def decode(self, data: bytes) -> Iterable[bytes]:
        """Count what is received."""
        self._received += len(data)
        _count(Traffic(received=len(data)))
        return (data,)

    def finish(self) -> bytes:
        """Return b"": the stream has no end mark."""
        return b""


_layers: WeakKeyDictionary[Session, CountingLayer] = WeakKeyDictionary()
"""The layer of each connection, by its session, which a family's functions and methods share."""
_lock = threading.Lock()
_total = Traffic()


def total() -> Traffic:
    """The bytes that all connections of this process have sent and received so far."""
    return _total


def _count(more: Traffic) -> None:
    global _total
    with _lock:
        _total += more


def _layer(session: Session, options: object) -> CountingLayer:
    layer = _layers[session] = CountingLayer()
    return layer


@hookimpl
def imapkit_family() -> Family:
    """The declaration: no command, no response, but a layer next to the socket, on from the start, and a method that reads it."""
    return Family(name="traffic", mixin=TrafficCommands, layers={"traffic": LayerSpec(_layer, order=0, always=True)})
