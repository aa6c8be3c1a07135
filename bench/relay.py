"""A relay that writes the time of sending into each EXISTS of a real server, as the canned server does itself."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bench.canned import now

__all__ = ["relayed"]

_EXISTS = re.compile(rb"\* \d+ EXISTS\r\n")
_CHUNK = 1 << 16


@contextmanager
def relayed(host: str, port: int) -> Iterator[int]:
    """The port of a relay to this server."""
    ends: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=_accept, args=(listener, host, port, ends), daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for end in ends:
                end.close()


def _accept(listener: socket.socket, host: str, port: int, ends: list[socket.socket]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.create_connection((host, port))
        ends += [client, server]
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target, change in ((client, server, bytes), (server, client, _stamped)):
            threading.Thread(target=_pump, args=(source, target, change), daemon=True).start()


def _stamped(data: bytes) -> bytes:
    return _EXISTS.sub(b"* %d EXISTS\r\n" % now(), data)


def _pump(source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes]) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(change(data))
        target.shutdown(socket.SHUT_WR)
