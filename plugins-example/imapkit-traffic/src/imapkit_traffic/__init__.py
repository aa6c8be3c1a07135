"""Counts the octets that each connection sends and receives: those on the wire, encrypted and compressed as they go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from imapkit.plugin import Commands, Family, LayerSpec, Session, hookimpl

__all__ = ["Traffic", "TrafficCommands", "imapkit_family", "total"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Octets on the wire: what IMAP, TLS and COMPRESS together have sent and received."""

    sent: int = 0
    received: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.sent + other.sent, self.received + other.received)

    def __sub__(self, other: Traffic) -> Traffic:
        return Traffic(self.sent - other.sent, self.received - other.received)


class TrafficCommands(Commands):
    """The method that clients get."""

    def traffic(self) -> Traffic:
        """What this connection has sent and received so far, TLS handshakes included; any state, and after its end as well."""
        layer = _layers.get(self._session)
        return layer.traffic if layer is not None else Traffic()


class CountingLayer:
    """A layer that changes nothing. One thread at a time encodes and one decodes, so that each number has one writer."""

    def __init__(self) -> None:
        self._sent = self._received = 0

    @property
    def traffic(self) -> Traffic:
        """What has been counted."""
        return Traffic(self._sent, self._received)

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """There is nothing to agree on."""

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
        """There is nothing to say."""
        return b""


_layers: WeakKeyDictionary[Session, CountingLayer] = WeakKeyDictionary()
"""The layer of each connection: what a family's functions and its methods share is the session."""
_lock = threading.Lock()
_total = Traffic()


def total() -> Traffic:
    """What all connections of this process have sent and received so far."""
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
    """No command, no response: a layer that is on from the start, next to the socket, and a method that reads it."""
    return Family(name="traffic", mixin=TrafficCommands, layers={"traffic": LayerSpec(_layer, order=0, always=True)})
