"""Counts the octets of all connections, as the protocol sees them: after decryption, before compression."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from imapkit.core.api import Session
from imapkit.family import Family, LayerSpec, hookimpl


@dataclass(frozen=True)
class Count:
    """Octets sent and received."""

    sent: int = 0
    received: int = 0


_lock = threading.Lock()
_total = Count()


def total() -> Count:
    """What has been counted so far, in this process."""
    return _total


def _add(sent: int, received: int) -> None:
    global _total
    with _lock:
        _total = Count(_total.sent + sent, _total.received + received)


class CountingLayer:
    """A layer that changes nothing."""

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """There is nothing to agree on."""

    def encode(self, data: bytes | memoryview) -> bytes:
        """Count what is sent."""
        _add(len(data), 0)
        return bytes(data)

    def decode(self, data: bytes) -> Iterable[bytes]:
        """Count what is received."""
        _add(0, len(data))
        return (data,)

    def finish(self) -> bytes:
        """There is nothing to say."""
        return b""


def _layer(session: Session, options: object) -> CountingLayer:
    return CountingLayer()


@hookimpl
def imapkit_family() -> Family:
    """No command, no response: just a layer, always on."""
    return Family(name="bytecount", layers={"BYTECOUNT": LayerSpec(_layer, order=90, always=True)})
