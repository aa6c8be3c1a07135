"""A TCP proxy that causes one fault at one point of a conversation, for tests of a client's reaction.

::

    with FaultProxy(server.host, server.port, Fault("reset", at=b"* FLAGS", offset=3)) as proxy:
        client = imapkit.IMAP4(proxy.host, proxy.port)
        ...                                        # the connection is reset after "* F"
        imapkit.IMAP4(proxy.host, proxy.port)      # the next connection has no fault
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Literal

from imapkit.testing.proxy import DelayProxy, Flow

__all__ = ["Fault", "FaultProxy"]


@dataclass(frozen=True)
class Fault:
    """A fault, and its place in the stream.

    ``kind``
        "drop": both sides see an orderly end of the connection; "reset": both see a RST; "half_close": the receiver sees the end
        of its input, and may go on sending; "black_hole": the proxy forwards nothing more in either direction, and no end;
        "delay": all that follows arrives ``seconds`` later; "fragment": all that follows is sent byte by byte.
    ``at``, ``offset``
        the fault happens ``offset`` bytes after the start of the first ``at`` (a text, or a number of bytes) that passes.
    ``sent_by``
        the side that sends those bytes.
    """

    kind: Literal["drop", "reset", "half_close", "black_hole", "delay", "fragment"]
    at: bytes | int = 0
    offset: int = 0
    sent_by: Literal["server", "client"] = "server"
    seconds: float = 0.05


class FaultProxy(DelayProxy):
    """Forwards TCP connections to ``host:port`` as ``DelayProxy`` does, without a delay, and causes ``fault``.

    The fault happens to the first connection after it was set; if ``every`` is true, to all later ones too.
    """

    def __init__(self, host: str, port: int, fault: Fault | None = None, *, every: bool = False) -> None:
        super().__init__(host, port, round_trip=0.0)
        self.fault, self.every = fault, every
        self.happened = 0
        """How many connections have had the fault."""

    def _flows(self, near: socket.socket, far: socket.socket) -> tuple[Flow, Flow]:
        fault = self.fault
        if fault is None:
            return super()._flows(near, far)
        if not self.every:
            self.fault = None
        trigger = _Trigger(self, fault)
        up = _FaultyFlow(near, far, trigger if fault.sent_by == "client" else None)
        down = _FaultyFlow(far, near, trigger if fault.sent_by == "server" else None)
        trigger.flows = (up, down)
        return up, down


class _Trigger:
    """Finds the place of a fault in one connection, and causes it."""

    flows: tuple[_FaultyFlow, _FaultyFlow]

    def __init__(self, proxy: FaultProxy, fault: Fault) -> None:
        self.proxy, self.fault = proxy, fault
        self.seen = b""
        self.passed = 0

    def rest(self, data: bytes) -> int | None:
        """How many bytes of ``data`` pass before the fault; None if all do."""
        at = self.fault.at
        if isinstance(at, int):
            place = at + self.fault.offset - self.passed
        else:
            window = self.seen + data
            found = window.find(at)
            self.seen = window[-max(len(at), 1) :]
            if found < 0:
                self.passed += len(data)
                return None
            # If the place has passed already, the fault happens at once.
            place = max(found + self.fault.offset - (len(window) - len(data)), 0)
            self.fault = Fault(self.fault.kind, self.passed + place, 0, self.fault.sent_by, self.fault.seconds)
        self.passed += len(data)
        return place if place <= len(data) else None

    def happen(self, here: _FaultyFlow) -> None:
        """Cause the fault, in both directions where it concerns both."""
        self.proxy.happened += 1
        there = self.flows[1] if here is self.flows[0] else self.flows[0]
        kind = self.fault.kind
        if kind in ("drop", "half_close"):
            here.end(b"")
            if kind == "drop":
                there.end(b"")
        elif kind == "reset":
            here.end(None)
        elif kind == "black_hole":
            here.discards = there.discards = True


class _FaultyFlow(Flow):
    """A direction of a connection that has a fault."""

    def __init__(self, source: socket.socket, sink: socket.socket, trigger: _Trigger | None) -> None:
        super().__init__(source, sink)
        self._trigger = trigger
        self._late, self._single = 0.0, False
        self.discards = False
        """Whether all data, and the end, is discarded."""
        self._over = False

    def end(self, how: bytes | None) -> None:
        """Send an end (b"") or a reset (None) to the sink after the queued data, and discard later data."""
        super().put(time.monotonic(), how)
        self._over = self.discards = True
        self._open = True  # the source is still read, so that it may go on writing

    def put(self, due: float, data: bytes | None) -> None:
        """Queue received data up to the fault."""
        trigger = self._trigger
        if self.discards:
            # After the end of the source nothing more is read.
            self._open = self._open and bool(data)
            return
        if trigger is None or not data:
            self._pass(due, data)
            return
        rest = trigger.rest(data)
        if rest is None:
            self._pass(due, data)
            return
        self._trigger = None
        if data[:rest]:
            self._pass(due, data[:rest])
        trigger.happen(self)
        self._late = trigger.fault.seconds if trigger.fault.kind == "delay" else 0.0
        self._single = trigger.fault.kind == "fragment"
        if data[rest:]:
            self.put(due, data[rest:])

    def _pass(self, due: float, data: bytes | None) -> None:
        if not self._single or not data:
            super().put(due + self._late, data)
            return
        for at in range(len(data)):
            super().put(due, data[at : at + 1])
