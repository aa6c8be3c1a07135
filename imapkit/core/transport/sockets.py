"""Transports over sockets: a plain one, or an ``ssl.SSLSocket`` that a subclass made."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from math import inf
from typing import Any

from imapkit.core.transport.base import (
    READING,
    SLICE,
    WRITING,
    Deadline,
    Plain,
    Poll,
    Transport,
    new_poll,
    wait,
    wait_writable,
    would_block,
)
from imapkit.core.transport.hooks import ChannelTransport

__all__ = ["BlockingSocketTransport", "SSLSocketTransport", "SocketTransport", "is_ssl_socket", "over"]

# (Plain numbers: an enum's own operators are slow.)
_DONTWAIT = int(getattr(socket, "MSG_DONTWAIT", 0))
"""0 where a send cannot be told not to wait, as on Windows."""
_PIECE = 1 << 12
"""The most bytes that are sent at once where a send may wait: a socket that can be written takes them without waiting."""
_QUICKACK = int(getattr(socket, "TCP_QUICKACK", 0))


class _Socket(Plain):
    """A socket that belongs to the connection."""

    def __init__(self, sock: socket.socket, on_close: Callable[[], object] | None = None) -> None:
        self.sock = sock
        self.on_close = on_close
        sock.settimeout(None)
        with contextlib.suppress(OSError):
            # Without it a command behind a literal waits 40 ms for the delayed ACK.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def acknowledge(self) -> None:
        """See ``Transport.acknowledge``. Linux resets the option when data comes; other systems lack it."""
        if _QUICKACK:
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def interrupt(self) -> None:
        """Shut the connection down; a blocked ``read`` returns b""."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """Close the child's descriptor, and nothing more: the subclass's ``shutdown`` would shut down the parent's connection."""
        self.sock.close()

    def close(self) -> None:
        """Close the socket."""
        if self.on_close is not None:
            # A subclass's shutdown may raise anything if the connection has ended already.
            with contextlib.suppress(Exception):
                self.on_close()
        self.sock.close()


class _PlainSocket(_Socket):
    """A plain socket: the reader blocks without limit, a writer at most until its deadline."""

    _poll: Poll | None = None

    def read(self, size: int) -> bytes:
        """The bytes that have come, once there are some. A time-out that the program set on the socket is ignored."""
        while True:
            try:
                return self.sock.recv(size)
            except OSError as exc:
                if not _timed_out(exc):
                    raise
            wait(self.sock.fileno(), READING, inf)

    def ready(self, seconds: float) -> bool:
        """Whether ``read`` returns at once, with bytes, b"" or an error, within ``seconds``."""
        if self.sock.fileno() < 0:
            return True
        # If a signal handler raises during the poll, the object is not put back, and the next call makes another.
        poll, self._poll = self._poll or self._polling(), None
        found = poll.poll(seconds * 1000)
        self._poll = poll
        return bool(found)

    def _polling(self) -> Poll:
        poll = new_poll()
        poll.register(self.sock.fileno(), READING)
        return poll

    def wait_writable(self, seconds: float) -> bool:
        """Wait until the system takes bytes; returns whether it does."""
        return wait(self.sock.fileno(), WRITING, seconds)

    def unsent(self) -> int:
        """Bytes that the system holds and the server has not acknowledged (Linux: TIOCOUTQ)."""
        try:
            import fcntl
            import termios

            held = fcntl.ioctl(self.sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        except (ImportError, OSError, ValueError):
            return 0
        return int.from_bytes(held, sys.byteorder)


class SocketTransport(_PlainSocket):
    """A plain socket where each send can be told not to wait."""

    def try_write(self, data: bytes | memoryview) -> int:
        """Send without waiting; returns how many bytes the system took."""
        try:
            return self.sock.send(data, _DONTWAIT)
        except OSError as exc:
            if not _timed_out(exc):
                raise
            return 0

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``."""
        view, size = data, len(data)
        while True:
            try:
                sent = self.sock.send(view, _DONTWAIT)
                if sent == size:
                    return
                view, size = memoryview(view)[sent:], size - sent
            except OSError as exc:
                if not _timed_out(exc):
                    raise
                wait_writable(self.sock.fileno(), deadline)


class BlockingSocketTransport(_PlainSocket):
    """A plain socket where a send may wait. So no caller sends: the courier thread does, in small pieces."""

    try_write = None

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``. Raises ``CommandTimeout`` at the deadline."""
        view = memoryview(data)
        while view:
            if not self.wait_writable(0):
                wait_writable(self.sock.fileno(), deadline)
            try:
                view = view[self.sock.send(view[:_PIECE]) :]
            except OSError as exc:
                if not _timed_out(exc):
                    raise


class SSLSocketTransport(_Socket):
    """An ``ssl.SSLSocket`` that a subclass made. A lock guards it, because OpenSSL allows one thread at a time."""

    ready = try_write = None

    def __init__(self, sock: Any, on_close: Callable[[], object] | None = None) -> None:
        super().__init__(sock, on_close)
        self._mutex = threading.Lock()
        self.asked: float | None = None
        """The time-out that a program has set on the socket."""
        self._unblocked = False

    def interrupt(self) -> None:
        """Shut the connection down. (``SSLSocket.shutdown`` takes TLS off first, and a writer would go on in the clear.)"""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def read(self, size: int) -> bytes:
        """The bytes that have come, once there are some."""
        while True:
            try:
                with self._mutex:
                    self._unblock()
                    return bytes(self.sock.recv(size))
            except OSError as exc:
                if not (would_block(exc) or _timed_out(exc)):
                    raise
            wait(self.sock.fileno(), READING, inf)

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``."""
        sent, view = 0, memoryview(data)
        while sent < len(view):
            try:
                with self._mutex:
                    self._unblock()
                    sent += self.sock.send(view[sent : sent + SLICE])
            except OSError as exc:
                if not (would_block(exc) or _timed_out(exc)):
                    raise
                wait_writable(self.sock.fileno(), deadline)

    def _unblock(self) -> None:
        # Only at first use: a subclass that reads and writes the socket itself needs it to block. From then on a time-out that
        # the program sets is only noted: a thread that blocked while it holds the lock would block the other thread, too.
        if not self._unblocked:
            self._unblocked, self.asked = True, self.sock.gettimeout()
            self.sock.setblocking(False)
            vars(self.sock).update(settimeout=self._ask, setblocking=lambda flag: self._ask(None if flag else 0.0))

    def _ask(self, seconds: float | None) -> None:
        self.asked = seconds


def _timed_out(exc: OSError) -> bool:
    """Whether the socket's own time-out raised ``exc``, so that the call can be repeated (ETIMEDOUT is final)."""
    return isinstance(exc, BlockingIOError) or (isinstance(exc, TimeoutError) and exc.errno is None)


def is_ssl_socket(sock: Any) -> bool:
    """Whether a subclass made an ``ssl.SSLSocket``; ``ssl`` is not imported for it."""
    ssl = sys.modules.get("ssl")
    return ssl is not None and isinstance(sock, ssl.SSLSocket)


def over(sock: Any, on_close: Callable[[], object] | None = None) -> Transport:
    """The transport over ``sock``, which ``open_socket`` returned; its ``close`` calls ``on_close``."""
    if is_ssl_socket(sock):
        return SSLSocketTransport(sock, on_close)
    if not isinstance(sock, socket.socket):
        return ChannelTransport(sock, on_close)
    return SocketTransport(sock, on_close) if _DONTWAIT else BlockingSocketTransport(sock, on_close)
