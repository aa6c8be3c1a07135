"""A SOCKS proxy on loopback, as small as can be."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator


class Proxy(socketserver.BaseRequestHandler):
    """SOCKS 5 without authentication, CONNECT only; RFC 1928."""

    def handle(self) -> None:
        """One connection."""
        _, methods = self.take(2)
        self.take(methods)
        self.request.sendall(b"\5\0")
        *_, kind = self.take(4)
        host = socket.inet_ntoa(self.take(4)) if kind == 1 else self.take(self.take(1)[0]).decode("ascii")
        with socket.create_connection((host, *struct.unpack(">H", self.take(2)))) as there:
            self.request.sendall(b"\5\0\0\1\0\0\0\0\0\0")
            back = threading.Thread(target=pass_on, args=(there, self.request))
            back.start()
            pass_on(self.request, there)
            back.join()

    def take(self, size: int) -> bytes:
        """Exactly ``size`` bytes."""
        data: bytes = self.request.recv(size, socket.MSG_WAITALL)
        return data


def pass_on(one: socket.socket, other: socket.socket) -> None:
    """All that comes from the one goes to the other, its end too."""
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def running() -> Iterator[tuple[str, int]]:
    """Where it listens."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            host, port = server.server_address[:2]
            yield str(host), port
        finally:
            server.shutdown()
            thread.join()
