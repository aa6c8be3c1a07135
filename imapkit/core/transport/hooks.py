"""Transports over functions of the program: a subclass's ``read`` and ``send``, or an object with a socket's methods."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

from imapkit.core.transport.base import Deadline, Transport, Wakeable, readable, would_block

__all__ = ["ChannelTransport", "HookTransport"]


class HookTransport(Wakeable):
    """A connection that is read and written by functions of the program: a subclass's ``read`` and ``send``.

    ``fileno`` is polled before each ``read``, as imaplib2 does, unless ``pending()`` returns a number of bytes.
    ``base()`` returns the transport beneath that these functions may use, or None.
    """

    try_write = None

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
        """Wake the reader, which may wait here or in the transport beneath."""
        super().interrupt()
        base = self._base()
        if base is not None:
            base.interrupt()

    def read(self, size: int) -> bytes:
        """Bytes from the function, once there are some; b"" at the end."""
        while True:
            if not self._pending() and not readable(self._fileno(), self._wake.fileno()):
                return b""
            try:
                return self._read(size)
            except InterruptedError:
                continue
            except OSError as exc:
                if not would_block(exc):
                    raise

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Pass ``data`` to the function, without a deadline."""
        self._send(bytes(data))


class ChannelTransport(HookTransport):
    """An object that is read and written like a socket, such as a channel of an SSH library.

    It needs the methods that imaplib2 uses: ``recv``, ``sendall``, ``fileno`` and ``close``.
    """

    def __init__(self, sock: Any, on_close: Callable[[], object] | None = None) -> None:
        pending = getattr(sock, "pending", int)
        super().__init__(sock.recv, sock.sendall, on_close or (lambda: None), sock.fileno, pending)
        self.sock = sock

    def interrupt(self) -> None:
        """Wake the reader, and stop a writer where the channel has ``shutdown``."""
        super().interrupt()
        with contextlib.suppress(Exception):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the channel."""
        super().close()
        with contextlib.suppress(Exception):
            self.sock.close()
