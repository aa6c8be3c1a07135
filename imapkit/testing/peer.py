"""The socket of one connection, seen from the server: reads and writes that never wait for ever, TLS, COMPRESS, and the end."""

from __future__ import annotations

import errno
import selectors
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from imapkit.testing.deflated import DeflatedSocket

__all__ = ["Chunks", "ClientGone", "ClientSilent", "Peer"]

_CHUNK = 1 << 16
_DRAINED = 64  # chunks; a client that never stops sending must not keep a connection from closing
_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: close() sends RST

T = TypeVar("T")
Chunks = int | Sequence[int] | None


class ClientGone(Exception):
    """The connection is over: the client closed or reset it, the script closed it, or the server is being closed.

    Ends a script silently.
    """


class ClientSilent(AssertionError):
    """The client did not do in time what the script waits for. Fails the test."""


class Peer:
    """What a ``Conversation`` is made on.

    Whatever waits for the client raises ``ClientSilent`` after ``patience`` seconds and ``ClientGone`` when the connection is
    over, or when ``stopping`` can be read: the server is being closed. ``record`` gets the octets that are read.
    """

    def __init__(self, sock: socket.socket, stopping: socket.socket, record: Callable[[Any], None], patience: float) -> None:
        self._sock: Any = sock
        self._stopping, self._record, self._patience = stopping, record, patience
        self._buffer = bytearray()
        self._closed = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def pause(self, seconds: float) -> None:
        """Do nothing for so long. Raises ``ClientGone`` if the server is being closed meanwhile."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._stopping, selectors.EVENT_READ)
            if selector.select(seconds):
                raise ClientGone("the server is being closed")

    def read_line(self) -> bytes:
        """Read a line that is no command (``DONE``, an answer to a "+"), and return it without its CRLF."""
        line = self._line("a line")
        self._record(line)
        return line[:-2]

    def read_literal(self, size: int) -> bytes:
        """Read ``size`` octets."""
        octets = self._exactly(size)
        self._record(octets)
        return octets

    def send(self, data: bytes, *, chunks: Chunks = None) -> None:
        """Send ``data``: at once, in pieces of ``chunks`` octets, or in pieces of these sizes and then the rest.

        Each piece leaves in a ``send`` of its own, without Nagle's delay.
        """
        for piece in _pieces(data, chunks):
            rest, deadline = memoryview(piece), self._deadline()
            while rest:
                sent = self._attempt(partial(self._sock.send, rest), "room to write", deadline, writing=True)
                rest = rest[sent:]

    def start_compression(self, *, single: bool = False) -> None:
        """Deflate and inflate from here on, RFC 4978; call it after ``ok``. What is recorded is what the octets mean.

        ``single``: each octet of the compressed stream leaves in a ``send`` of its own.
        Raises ``AssertionError`` when the client did not wait for that.
        """
        assert not self._buffer, f"the client went on before compression: {bytes(self._buffer)!r}"
        self._sock = DeflatedSocket(self._sock, single)

    def wait_closed(self, timeout: float | None = None) -> None:
        """Wait until the client has closed (or reset) the connection; ``ClientSilent`` after ``timeout`` seconds.

        What still comes meanwhile is only recorded. Leaving the server's ``with`` block does not cut this wait short.
        """
        if self._closed:
            raise ClientGone("closed by the script")
        with suppress(ClientGone):
            while True:
                self._fill("the client to close", self._deadline(timeout), stoppable=False)

    def close(self) -> None:
        """Close the connection in good order: what was sent arrives, and then the end of the stream."""
        if self._closed:
            return
        # Octets left unread would turn the end of the stream into a reset.
        with suppress(OSError, zlib.error):
            for _ in range(_DRAINED):
                if not (data := self._sock.recv(_CHUNK)):
                    break
                self._buffer += data
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        self._end()

    def half_close(self) -> None:
        """End the server's direction only: the client sees the end of the stream, and may go on sending. Not under TLS."""
        if isinstance(getattr(self._sock, "carrier", self._sock), ssl.SSLSocket):
            raise ValueError("TLS has no end of one direction only")
        self._attempt(partial(self._sock.shutdown, socket.SHUT_WR), "the end", self._deadline(), writing=True)

    def reset(self) -> None:
        """Close the connection with a RST."""
        if not self._closed:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._end()

    def _end(self) -> None:
        self._closed = True
        self._sock.close()
        if self._buffer:
            self._record(bytes(self._buffer))

    def _secure(self, context: ssl.SSLContext) -> None:
        """Begin TLS as the server's side."""
        assert not self._buffer, f"the client went on in the clear before TLS: {bytes(self._buffer)!r}"
        deflated = self._sock if isinstance(self._sock, DeflatedSocket) else None
        try:
            carrier: Any = self._sock if deflated is None else deflated.carrier
            secured = context.wrap_socket(carrier, server_side=True, do_handshake_on_connect=False)
        except OSError as exc:
            raise (ClientGone(str(exc)) if _is_gone(exc) else exc) from exc
        if deflated is None:
            self._sock = secured
        else:
            # RFC 4978 section 3: what is sent is compressed, and then encrypted.
            deflated.carrier = secured
        self._attempt(secured.do_handshake, "the TLS handshake", self._deadline())

    def _line(self, what: str) -> bytes:
        deadline, start = self._deadline(), 0
        while (end := self._buffer.find(b"\r\n", start)) < 0:
            start = max(len(self._buffer) - 1, 0)
            self._fill(what, deadline)
        return self._take(end + 2)

    def _exactly(self, size: int) -> bytes:
        deadline = self._deadline()
        while len(self._buffer) < size:
            self._fill(f"a literal of {size} octets", deadline)
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _fill(self, what: str, deadline: float, *, stoppable: bool = True) -> None:
        data = self._attempt(lambda: self._sock.recv(_CHUNK), what, deadline, stoppable=stoppable)
        if not data:
            raise ClientGone(f"the client closed the connection instead of {what}")
        self._buffer += data

    def _deadline(self, timeout: float | None = None) -> float:
        return time.monotonic() + (self._patience if timeout is None else timeout)

    def _attempt(
        self, operation: Callable[[], T], what: str, deadline: float, *, writing: bool = False, stoppable: bool = True
    ) -> T:
        if self._closed:
            raise ClientGone("closed by the script")
        while True:
            try:
                return operation()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as exc:
                wants_write = isinstance(exc, ssl.SSLWantWriteError) or (writing and isinstance(exc, BlockingIOError))
            except OSError as exc:
                raise (ClientGone(str(exc)) if _is_gone(exc) else exc) from exc
            self._wait(selectors.EVENT_WRITE if wants_write else selectors.EVENT_READ, what, deadline, stoppable)

    def _wait(self, event: int, what: str, deadline: float, stoppable: bool) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, event)
            if stoppable:
                selector.register(self._stopping, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(max(deadline - time.monotonic(), 0))]
        if not ready:
            raise ClientSilent(f"waited in vain for {what}; unread so far: {bytes(self._buffer[-200:])!r}")
        if self._sock not in ready:
            raise ClientGone("the server is being closed")


def _is_gone(exc: OSError) -> bool:
    if isinstance(exc, ssl.SSLError):  # an alert is how a client refuses a certificate
        return isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError) or "ALERT" in (exc.reason or "")
    return isinstance(exc, ConnectionError) or exc.errno == errno.ENOTCONN


def _pieces(data: bytes, chunks: Chunks) -> Iterator[bytes]:
    if isinstance(chunks, int):
        chunks = [chunks] * (len(data) // chunks) if chunks > 0 else [chunks]
    if any(size < 1 for size in chunks or ()):
        raise ValueError("a chunk has at least one octet")
    start = 0
    for size in chunks or ():
        yield data[start : start + size]
        start += size
    yield data[start:]
