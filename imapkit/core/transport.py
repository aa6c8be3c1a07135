"""Where octets go in and out: a socket, or whatever a subclass put in its place; and the layers above it."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from imapkit.errors import ArgumentError, CommandTimeout, ConnectionClosed, connect_error
from imapkit.family import Layer

if TYPE_CHECKING:
    import subprocess

__all__ = [
    "ChannelTransport",
    "HookTransport",
    "Layers",
    "PipeTransport",
    "SSLSocketTransport",
    "SocketTransport",
    "Transport",
    "dispose",
    "is_ssl_socket",
    "open_stream",
    "open_tcp",
    "over",
    "within",
]

# (Plain numbers: an enum's own operators are slow.)
_DONTWAIT = int(getattr(socket, "MSG_DONTWAIT", 0))
_HELD = _DONTWAIT | int(getattr(socket, "MSG_MORE", 0))
_SLICE = 1 << 18

Deadline = Callable[[], float]
"""Says when a write is too late (monotonic time); it may move as octets leave."""


def within(seconds: float) -> Deadline:
    """The deadline that lies ``seconds`` ahead, and does not move."""
    end = time.monotonic() + seconds
    return lambda: end


class Transport(Protocol):
    """Octets in and out. One thread reads, one at a time writes; ``interrupt`` ends both, from any thread."""

    @property
    def read(self) -> Callable[[int], bytes]:
        """``read(size)``: at least one octet, at most about ``size``; b"" at the end."""
        ...

    @property
    def ready(self) -> Callable[[float], bool] | None:
        """``ready(seconds)``: whether there is something to read within that time. None: ``read`` alone can wait for it."""
        ...

    def gather(self, seconds: float) -> None:
        """Wait, for whoever reads; what is written meanwhile may be sent together at the end."""

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``. Raises ``CommandTimeout`` when it is too late."""

    @property
    def on_close(self) -> Callable[[], object] | None:
        """What ``close`` calls."""
        ...

    def interrupt(self) -> None:
        """Make whoever reads or writes stop."""

    def close(self) -> None:
        """Give the resources back; nobody reads or writes any more."""


def open_tcp(host: str, port: int, timeout: float) -> socket.socket:
    """Connect to ``host``, an empty one being this machine. Raises ``ConnectError`` or ``ArgumentError``."""
    if not 0 < port < 65536:
        # The resolver would wrap it around and connect to another port.
        raise ArgumentError(f"not a port: {port}")
    try:
        sock = socket.create_connection((host or "localhost", port), None if timeout == inf else timeout)
    except OSError as exc:
        raise connect_error(exc, f"{host or 'localhost'}:{port}") from exc
    sock.settimeout(None)
    return sock


def open_stream(command: str) -> subprocess.Popen[bytes]:
    """Run ``command`` in a shell, its input and output on pipes (Dovecot's imap refuses to talk on a socket)."""
    # Few connections need it, and it takes some milliseconds.
    import subprocess

    return subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def _wait(fd: int, event: int, rest: float) -> bool:
    if fd < 0:
        raise ConnectionClosed("the connection was closed meanwhile")
    poll = select.poll()
    poll.register(fd, event)
    return bool(poll.poll(None if rest == inf else max(0.0, rest * 1000)))


def _wait_writable(fd: int, deadline: Deadline) -> None:
    while (rest := deadline() - time.monotonic()) > 0:
        if _wait(fd, select.POLLOUT, rest):
            return
    raise CommandTimeout("the server does not take what is sent to it")


class _Plain:
    """Where nothing is held back."""

    def gather(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class _Socket(_Plain):
    """A socket that belongs to the connection."""

    def __init__(self, sock: socket.socket, on_close: Callable[[], object] | None = None) -> None:
        self.sock = sock
        self.on_close = on_close
        sock.settimeout(None)
        # Without it a command that follows another one's literal waits for the delayed ACK, 40 ms.
        self._push()
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def _push(self) -> None:
        """Have sent at once what is written from now on, and what the system holds back; the latter if done again, too."""
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def interrupt(self) -> None:
        """Shut the connection down; a blocked ``read`` returns b""."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket."""
        if self.on_close is not None:
            # A subclass's shutdown meets a connection that is gone already in ways of its own.
            with contextlib.suppress(Exception):
                self.on_close()
        self.sock.close()


class SocketTransport(_Socket):
    """A plain socket, which blocks for the reader and never for longer than the deadline for the writer."""

    _poll: select.poll | None = None
    _flags = _DONTWAIT
    """How it is sent: with ``MSG_MORE`` while more will follow, which the system waits for."""

    def read(self, size: int) -> bytes:
        """What has come, once something has; a time-out that a program has set on the socket does not end the connection."""
        while True:
            try:
                return self.sock.recv(size)
            except OSError as exc:
                if not _timed_out(exc):
                    raise
            _wait(self.sock.fileno(), select.POLLIN, inf)

    def ready(self, seconds: float) -> bool:
        """Whether there is something to read, or to be told, within so many seconds."""
        if self.sock.fileno() < 0:
            return True
        # A signal handler that raises in the middle of it leaves none behind, and another one is made.
        poll, self._poll = self._poll or self._polling(), None
        found = poll.poll(seconds * 1000)
        self._poll = poll
        return bool(found)

    def _polling(self) -> select.poll:
        poll = select.poll()
        poll.register(self.sock.fileno(), select.POLLIN)
        return poll

    def gather(self, seconds: float) -> None:
        """Wait; what is written meanwhile is sent together at the end (Linux), or once it fills a segment."""
        self._flags = _HELD
        try:
            time.sleep(seconds)
        finally:
            self._flags = _DONTWAIT
            self._push()

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``."""
        view, size, flags = data, len(data), self._flags
        while True:
            try:
                sent = self.sock.send(view, flags)
                if sent == size:
                    if flags == _HELD != self._flags:
                        # Perhaps this came only after the push.
                        self._push()
                    return
                view, size = memoryview(view)[sent:], size - sent
            except OSError as exc:
                if not _timed_out(exc):
                    raise
                _wait_writable(self.sock.fileno(), deadline)


class _Wakeable(_Plain):
    """A transport whose reader polls, and is woken over a socket of its own."""

    ready = None

    def __init__(self, on_close: Callable[[], object]) -> None:
        self.on_close: Callable[[], object] | None = on_close
        self._wake, self._waker = socket.socketpair()

    def interrupt(self) -> None:
        """Wake the reader."""
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def close(self) -> None:
        """Call the function that closes, once."""
        self._wake.close()
        self._waker.close()
        # A subclass's shutdown meets a connection that is gone already in ways of its own.
        with contextlib.suppress(Exception):
            if self.on_close is not None:
                self.on_close()


class HookTransport(_Wakeable):
    """A connection that is read and written by functions of somebody else: a subclass's ``read`` and ``send``.

    ``fileno`` is polled before each ``read``, as imaplib2 does, unless ``pending()`` says that octets are there already.
    ``base()`` is the transport beneath that they may use, or None.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        send: Callable[[bytes], object],
        shutdown: Callable[[], object],
        fileno: Callable[[], int],
        pending: Callable[[], int],
        base: Callable[[], Transport | None] = lambda: None,
    ) -> None:
        super().__init__(shutdown)
        self._read, self._send, self._fileno, self._pending, self._base = read, send, fileno, pending, base

    def interrupt(self) -> None:
        """Wake the reader, wherever it reads."""
        super().interrupt()
        base = self._base()
        if base is not None:
            base.interrupt()

    def read(self, size: int) -> bytes:
        """What the function reads, once there is something to read."""
        while True:
            if not self._pending() and not _readable(self._fileno(), self._wake.fileno()):
                return b""
            try:
                return self._read(size)
            except InterruptedError:
                continue
            except OSError as exc:
                if not _would_block(exc):
                    raise

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Hand ``data`` to the function; it takes the time it takes."""
        self._send(bytes(data))


class ChannelTransport(HookTransport):
    """What is read and written like a socket and is none, such as a channel of an SSH library.

    It needs the methods that imaplib2 uses: ``recv``, ``sendall``, ``fileno`` and ``close``.
    """

    def __init__(self, sock: Any, on_close: Callable[[], object] | None = None) -> None:
        pending = getattr(sock, "pending", int)
        super().__init__(sock.recv, sock.sendall, on_close or (lambda: None), sock.fileno, pending)
        self.sock = sock

    def interrupt(self) -> None:
        """Wake the reader, and stop a writer if that can be done."""
        super().interrupt()
        with contextlib.suppress(Exception):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the channel."""
        super().close()
        with contextlib.suppress(Exception):
            self.sock.close()


class PipeTransport(_Wakeable):
    """Two pipes: what a command writes is read, what is written it reads."""

    def __init__(self, read_fd: int, write_fd: int, on_close: Callable[[], object]) -> None:
        super().__init__(on_close)
        self._in, self._out = read_fd, write_fd
        os.set_blocking(write_fd, False)

    def read(self, size: int) -> bytes:
        """What the command has written."""
        return os.read(self._in, size) if _readable(self._in, self._wake.fileno()) else b""

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``."""
        sent, view = 0, memoryview(data)
        while sent < len(view):
            try:
                sent += os.write(self._out, view[sent:])
            except BlockingIOError:
                _wait_writable(self._out, deadline)


def _readable(fd: int, wake: int) -> bool:
    """Wait until ``fd`` can be read; False if ``wake`` could be first."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(wake, select.POLLIN)
    return all(ready != wake for ready, _ in poll.poll())


class SSLSocketTransport(_Socket):
    """An ``ssl.SSLSocket`` that a subclass made itself; OpenSSL must not be entered by two threads, so a lock guards it."""

    ready = None

    def __init__(self, sock: Any, on_close: Callable[[], object] | None = None) -> None:
        super().__init__(sock, on_close)
        self._mutex = threading.Lock()
        self.asked: float | None = None
        """The time-out that a program has set on the socket."""
        self._unblocked = False

    def interrupt(self) -> None:
        """Shut the connection down. (The socket's own ``shutdown`` takes TLS off first, and a writer would go on without.)"""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def read(self, size: int) -> bytes:
        """What has come, once something has."""
        while True:
            try:
                with self._mutex:
                    self._unblock()
                    return bytes(self.sock.recv(size))
            except OSError as exc:
                if not (_would_block(exc) or _timed_out(exc)):
                    raise
            _wait(self.sock.fileno(), select.POLLIN, inf)

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``."""
        sent, view = 0, memoryview(data)
        while sent < len(view):
            try:
                with self._mutex:
                    self._unblock()
                    sent += self.sock.send(view[sent : sent + _SLICE])
            except OSError as exc:
                if not (_would_block(exc) or _timed_out(exc)):
                    raise
                _wait_writable(self.sock.fileno(), deadline)

    def _unblock(self) -> None:
        # Not before it is used: a subclass that reads and writes the socket itself wants it to block. From then on a program that
        # sets a time-out on it only says what it wants: a thread that blocked with the lock would keep the other one waiting.
        if not self._unblocked:
            self._unblocked, self.asked = True, self.sock.gettimeout()
            self.sock.setblocking(False)
            vars(self.sock).update(settimeout=self._ask, setblocking=lambda flag: self._ask(None if flag else 0.0))

    def _ask(self, seconds: float | None) -> None:
        self.asked = seconds


def is_ssl_socket(sock: Any) -> bool:
    """Whether a subclass made an ``ssl.SSLSocket``; ``ssl`` is not imported for it."""
    ssl = sys.modules.get("ssl")
    return ssl is not None and isinstance(sock, ssl.SSLSocket)


def over(sock: Any, on_close: Callable[[], object] | None = None) -> SocketTransport | SSLSocketTransport | ChannelTransport:
    """The transport for what ``open_socket`` has returned; ``on_close``: what is called as it is closed."""
    if is_ssl_socket(sock):
        return SSLSocketTransport(sock, on_close)
    return SocketTransport(sock, on_close) if isinstance(sock, socket.socket) else ChannelTransport(sock, on_close)


def _timed_out(exc: OSError) -> bool:
    """Whether a socket only asks to be tried again, by its own time-out (ETIMEDOUT is the network's, and final)."""
    return isinstance(exc, BlockingIOError) or (isinstance(exc, TimeoutError) and exc.errno is None)


def _would_block(exc: OSError) -> bool:
    """Whether an SSL socket only asks to be tried again; ``ssl`` is not imported for it."""
    ssl = sys.modules.get("ssl")
    return isinstance(exc, BlockingIOError if ssl is None else (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError))


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
        if fileno is not None and not _wait(fileno(), select.POLLIN, deadline() - time.monotonic()):
            raise CommandTimeout("no answer in time while a layer was being agreed on")
        return self.transport.read(65536)

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send ``data`` through all layers, in slices so that a large literal is not held twice."""
        if not self._layers:
            self.transport.write(data, deadline)
            return
        if len(data) <= _SLICE:
            self._write(data, deadline)
            return
        view = memoryview(data)
        for at in range(0, len(view), _SLICE):
            self._write(view[at : at + _SLICE], deadline)

    def _write(self, piece: bytes | memoryview, deadline: Deadline) -> None:
        for layer in reversed(self._layers):
            piece = layer.encode(piece)
        self.transport.write(piece, deadline)

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
        if self.filler is not None and fileno is not None and _wait(fileno(), select.POLLOUT, 0):
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


def dispose(process: subprocess.Popen[bytes], patience: float = 1.0) -> None:
    """Close the pipes of a child and wait for it; end it if it does not end by itself."""
    import subprocess

    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    ends: tuple[Callable[[], object], ...] = (process.poll, process.terminate, process.kill)
    for end in ends:
        end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return
