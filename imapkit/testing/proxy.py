"""A TCP proxy that delays all data, for tests and for the demo: latency without a network.

::

    with DelayProxy(server.host, server.port, round_trip=0.020) as proxy:
        imapkit.IMAP4(proxy.host, proxy.port)      # every answer arrives 20 ms after its command
        proxy.freeze()                             # ... and now the server is silent
        proxy.cut()                                # ... and now the connection is gone
"""

from __future__ import annotations

import select
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Self

CHUNK = 256 * 1024
WINDOW = 16 * 2**20
"""Bytes held in one direction of one connection, as many as a long and fast line holds; then the proxy reads no more."""
PATIENCE = 10.0
"""Seconds to wait for the proxy's thread."""

_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: close() sends RST
_LARGEST_SELECTABLE = 1023

Handler = Callable[[int], None]


class DelayProxy:
    """Forwards TCP connections to ``host:port``, each byte ``round_trip / 2`` seconds later, in both directions.

    Listens on a free port of the loopback interface (``.host``, ``.port``) from ``__enter__`` to ``__exit__``. It delays data and
    does not slow it: a megabyte written at once arrives at once, half a round trip later. It forwards the end of one direction
    (half-close) and a reset; if the target refuses the connection, the client sees a reset. Connecting takes no round trip,
    because the proxy accepts.

    ``round_trip`` (seconds) may be changed at any time, for data sent from then on. One thread serves all connections; the
    methods may be called from any other.
    """

    host: str
    port: int

    def __init__(self, host: str, port: int, round_trip: float = 0.020) -> None:
        self.round_trip = round_trip
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self._family, self._target = found[0], found[4]
        self._frozen = self._stopped = False
        self._pairs: set[_Pair] = set()
        self._calls: deque[tuple[Callable[[], None], Future[None]]] = deque()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.host, self.port = self._listener.getsockname()
        self._caller, self._called = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._called, selectors.EVENT_READ, self._answer)
        self._thread = threading.Thread(target=self._run, name="imapkit-delay-proxy", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._call(partial(setattr, self, "_stopped", True))
        self._thread.join(PATIENCE)
        self._caller.close()

    @property
    def connections(self) -> int:
        """How many connections the proxy holds open."""
        return len(self._pairs)

    def freeze(self) -> None:
        """Accept connections and data, but forward nothing in either direction until ``thaw``, not even the end."""
        self._call(partial(setattr, self, "_frozen", True))

    def thaw(self) -> None:
        """Forward again, first the data held back."""
        self._call(partial(setattr, self, "_frozen", False))

    def cut(self, *, reset: bool = True) -> None:
        """Close every connection on both sides at once: with RST, or in order with ``reset=False``.

        Data held in the proxy is lost. New connections are served as before.
        """
        self._call(partial(self._close_all, reset))

    def _call(self, function: Callable[[], None]) -> None:
        """Run a function on the proxy's thread, and wait until it has returned."""
        done: Future[None] = Future()
        self._calls.append((function, done))
        self._caller.send(b"!")
        done.result(PATIENCE)

    def _answer(self, _: int) -> None:
        self._called.recv(1)
        function, done = self._calls.popleft()
        function()
        done.set_result(None)

    def _run(self) -> None:
        try:
            while not self._stopped:
                for key, events in self._wait():
                    handler: Handler = key.data
                    handler(events)
                if not self._frozen:
                    self._forward()
        finally:
            self._close_all(reset=False)
            for resource in (self._selector, self._listener, self._called):
                resource.close()

    def _wait(self) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait until a socket is ready or data falls due.

        epoll counts in whole milliseconds; select does not, and can wait for the epoll descriptor.
        """
        dues = [] if self._frozen else [due for pair in self._pairs if (due := pair.due()) is not None]
        timeout = max(0.0, min(dues) - time.monotonic()) if dues else None
        number = getattr(self._selector, "fileno", lambda: _LARGEST_SELECTABLE + 1)()
        if number <= _LARGEST_SELECTABLE:
            select.select([number], [], [], timeout)
            timeout = 0.0
        return self._selector.select(timeout)

    def _forward(self) -> None:
        for pair in list(self._pairs):
            pair.forward(time.monotonic(), self.round_trip / 2)
            if pair.closed:
                self._pairs.discard(pair)

    def _accept(self, _: int) -> None:
        near, _address = self._listener.accept()
        far = socket.socket(self._family, socket.SOCK_STREAM)
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        far.connect_ex(self._target)  # the first read finds a failure
        self._pairs.add(_Pair(self, self._selector, near, far))

    def _flows(self, near: socket.socket, far: socket.socket) -> tuple[Flow, Flow]:
        """The two directions of a connection, the client's first."""
        return Flow(near, far), Flow(far, near)

    def _close_all(self, reset: bool) -> None:
        for pair in self._pairs:
            pair.close(reset)
        self._pairs.clear()


class _Pair:
    """A connection through the proxy: two sockets, and a flow in each direction."""

    def __init__(self, proxy: DelayProxy, selector: selectors.BaseSelector, near: socket.socket, far: socket.socket):
        self.closed = False
        self._proxy, self._selector = proxy, selector
        up, down = proxy._flows(near, far)
        up.blocked = True  # until `far` is connected
        self._flows = (up, down), (down, up)
        self._watch()

    def due(self) -> float | None:
        """When the next data is to be forwarded, by the monotonic clock; None if none is queued."""
        return min((due for flow, _ in self._flows if (due := flow.due()) is not None), default=None)

    def forward(self, now: float, delay: float) -> None:
        """Write the data that is due; close the pair once both directions have ended, or at a reset."""
        for flow, back in self._flows:
            if not flow.write(now):
                back.read_out(delay)
        if any(flow.reset for flow, _ in self._flows):
            self.close(reset=True)
        elif all(flow.ended for flow, _ in self._flows):
            self.close(reset=False)
        else:
            self._watch()

    def close(self, reset: bool) -> None:
        """Close both sockets."""
        self.closed = True
        for flow, _ in self._flows:
            with suppress(KeyError):  # a socket that is neither read nor written is not registered
                self._selector.unregister(flow.source)
            if reset:
                flow.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            flow.source.close()

    def _watch(self) -> None:
        """Register each socket for the events that its flows now need."""
        registered = self._selector.get_map()
        for flow, back in self._flows:
            events = flow.wants_read * selectors.EVENT_READ | back.blocked * selectors.EVENT_WRITE
            if flow.source not in registered:
                if events:
                    self._selector.register(flow.source, events, partial(self._ready, flow, back))
            elif not events:  # not events=0: with it a hang-up would end every wait at once
                self._selector.unregister(flow.source)
            elif registered[flow.source].events != events:
                self._selector.modify(flow.source, events, registered[flow.source].data)

    def _ready(self, flow: Flow, back: Flow, events: int) -> None:
        """Handle events of the socket that ``flow`` reads from and ``back`` writes to."""
        if self.closed:  # by an earlier event of the same round
            return
        if events & selectors.EVENT_READ:
            flow.read(self._proxy.round_trip / 2)
        if events & selectors.EVENT_WRITE:
            back.blocked = False
        self._watch()


class Flow:
    """One direction: the data read from ``source``, each piece with the time when it is to be written to ``sink``.

    In the queue, ``b""`` is the end of the data, None a reset.
    """

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source, self.sink = source, sink
        self.blocked = self.ended = self.reset = False
        self._open, self._size = True, 0
        self._queue: deque[tuple[float, bytes | memoryview | None]] = deque()

    @property
    def wants_read(self) -> bool:
        """Whether there may be more to read, and room for it."""
        return self._open and self._size < WINDOW

    def due(self) -> float | None:
        """When the next piece is to be written; None if there is none, or the sink accepts no more."""
        return self._queue[0][0] if self._queue and not self.blocked else None

    def put(self, due: float, data: bytes | None) -> None:
        """Append a piece to the queue; after an end or a reset nothing more is read."""
        self._queue.append((due, data))
        self._size += len(data or b"")
        self._open = self._open and bool(data)

    def read(self, delay: float) -> None:
        """Read the data that has arrived into the queue."""
        try:
            data = self.source.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = None
        self.put(time.monotonic() + delay, data)

    def read_out(self, delay: float) -> None:
        """Queue what the source sent before its connection broke, and then a reset."""
        with suppress(OSError):
            while self._open and (data := self.source.recv(CHUNK)):
                self.put(time.monotonic() + delay, data)
        self.put(time.monotonic() + delay, None)

    def write(self, now: float) -> bool:
        """Write the data that is due. Returns False, and drops the queue, if the sink's connection has broken."""
        while self._queue and not self.blocked and self._queue[0][0] <= now:
            due, data = self._queue.popleft()
            try:
                rest = self._deliver(data)
            except OSError:
                self._open, self._size = False, 0
                self._queue.clear()
                return False
            if rest:
                self._queue.appendleft((due, rest))
        return True

    def _deliver(self, data: bytes | memoryview | None) -> memoryview | None:
        """Write one piece to the sink, and return the rest that it does not accept."""
        if data is None:
            self.reset = True
            return None
        if not data:
            self.ended = True
            self.sink.shutdown(socket.SHUT_WR)
            return None
        try:
            sent = self.sink.send(data)
        except BlockingIOError:
            sent = 0
        self._size -= sent
        self.blocked = sent < len(data)
        return memoryview(data)[sent:]
