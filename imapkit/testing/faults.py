"""A TCP proxy that does harm at one point of a conversation, for tests of what a client makes of it.

::

    with FaultProxy(server.host, server.port, Fault("reset", at=b"* FLAGS", offset=3)) as proxy:
        client = imapkit.IMAP4(proxy.host, proxy.port)
        ...                                        # the connection is reset behind "* F"
        imapkit.IMAP4(proxy.host, proxy.port)      # the next one is well
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
    """What goes wrong, and where.

    ``kind``
        "drop": both sides see the connection end in good order; "reset": both see a RST; "half_close": the receiver sees the end
        of what comes, and may go on sending; "black_hole": nothing gets through any more, in either direction, and nothing
        ends; "delay": what follows comes ``seconds`` later; "fragment": what follows comes octet by octet.
    ``at``, ``offset``
        it happens ``offset`` octets after the beginning of the first ``at`` (a text, or a count of octets) that passes.
    ``sent_by``
        whose octets these are.
    """

    kind: Literal["drop", "reset", "half_close", "black_hole", "delay", "fragment"]
    at: bytes | int = 0
    offset: int = 0
    sent_by: Literal["server", "client"] = "server"
    seconds: float = 0.05


class FaultProxy(DelayProxy):
    """Forwards TCP connections to ``host:port`` at once, as ``DelayProxy`` does, but for ``fault``.

    It befalls the first connection after it has been set, and each after that if ``every`` is true. ``happened`` counts.
    """

    def __init__(self, host: str, port: int, fault: Fault | None = None, *, every: bool = False) -> None:
        super().__init__(host, port, round_trip=0.0)
        self.fault, self.every = fault, every
        self.happened = 0
        """How many connections have met the fault."""

    def _flows(self, near: socket.socket, far: socket.socket) -> tuple[Flow, Flow]:
        fault = self.fault
        if fault is None:
            return super()._flows(near, far)
        if not self.every:
            self.fault = None
        trouble = _Trouble(self, fault)
        up = _TroubledFlow(near, far, trouble if fault.sent_by == "client" else None)
        down = _TroubledFlow(far, near, trouble if fault.sent_by == "server" else None)
        trouble.flows = (up, down)
        return up, down


class _Trouble:
    """One fault of one connection: has it come to that, and what then."""

    flows: tuple[_TroubledFlow, _TroubledFlow]

    def __init__(self, proxy: FaultProxy, fault: Fault) -> None:
        self.proxy, self.fault = proxy, fault
        self.seen = b""
        self.passed = 0

    def rest(self, data: bytes) -> int | None:
        """How many octets of ``data`` still pass before it happens; None if it does not yet."""
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
            # What has passed already cannot be held back.
            place = max(found + self.fault.offset - (len(window) - len(data)), 0)
            self.fault = Fault(self.fault.kind, self.passed + place, 0, self.fault.sent_by, self.fault.seconds)
        self.passed += len(data)
        return place if place <= len(data) else None

    def happen(self, here: _TroubledFlow) -> None:
        """Do it to both directions."""
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
            here.deaf = there.deaf = True


class _TroubledFlow(Flow):
    """A direction in which something may happen, or has happened."""

    def __init__(self, source: socket.socket, sink: socket.socket, trouble: _Trouble | None) -> None:
        super().__init__(source, sink)
        self._trouble = trouble
        self._late, self._single = 0.0, False
        self.deaf = False
        """Whatever comes is thrown away, the end too."""
        self._over = False

    def end(self, how: bytes | None) -> None:
        """The sink sees an end after what is under way; what comes later is thrown away."""
        super().put(time.monotonic(), how)
        self._over = self.deaf = True
        self._open = True  # it is still read, so that its source may go on writing

    def put(self, due: float, data: bytes | None) -> None:
        """Append what has come, as far as it still passes."""
        trouble = self._trouble
        if self.deaf:
            # An end of the source ends what is left of a connection that is over, but not a black hole.
            self._open = self._open and bool(data)
            return
        if trouble is None or not data:
            self._pass(due, data)
            return
        rest = trouble.rest(data)
        if rest is None:
            self._pass(due, data)
            return
        self._trouble = None
        if data[:rest]:
            self._pass(due, data[:rest])
        trouble.happen(self)
        self._late = trouble.fault.seconds if trouble.fault.kind == "delay" else 0.0
        self._single = trouble.fault.kind == "fragment"
        if data[rest:]:
            self.put(due, data[rest:])

    def _pass(self, due: float, data: bytes | None) -> None:
        if not self._single or not data:
            super().put(due + self._late, data)
            return
        for at in range(len(data)):
            super().put(due, data[at : at + 1])
