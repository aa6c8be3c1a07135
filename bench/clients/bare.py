"""No client: a socket that sends the same commands and looks at nothing; what nobody can be faster than."""

from __future__ import annotations

import socket
import ssl
import time

from bench.clients.common import Fetching
from bench.payloads import MESSAGE
from bench.worker import Run

_LAST_LINE = 1000
"""Octets at the end in which the tagged line is looked for; Dovecot's has all capabilities in it."""


class _Bare:
    def __init__(self, run: Run) -> None:
        self._sock = socket.create_connection((run.host, run.port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if run.cafile is not None:
            self._sock = ssl.create_default_context(cafile=run.cafile).wrap_socket(self._sock, server_hostname=run.host)
        self._space = memoryview(bytearray(1 << 20))
        self._sock.recv_into(self._space)
        self.ask(b"L LOGIN %b %b" % (run.user.encode(), run.password.encode()))
        self.ask(b"S SELECT %b" % run.mailbox.encode())

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def until(self, tag: bytes) -> int:
        """Read until the line with this tag has come, which is the last; returns how many octets there were."""
        size, tail = 0, b""
        while True:
            got = self._sock.recv_into(self._space)
            if not got:
                raise ConnectionError("closed")
            size += got
            tail = tail[-_LAST_LINE:] + bytes(self._space[max(0, got - _LAST_LINE) : got])
            if tail.endswith(b"\r\n") and (tail.rfind(b"\r\n" + tag + b" ") >= 0 or tail.startswith(tag + b" ")):
                return size

    def ask(self, command: bytes) -> int:
        self.send(command + b"\r\n")
        return self.until(command.partition(b" ")[0])


def _append(i: int) -> bytes:
    return b"A%d APPEND Appended {%d+}\r\n%b\r\n" % (i, len(MESSAGE), MESSAGE)


class Client(Fetching):
    """The floor."""

    def _fetch(self, run: Run, items: str, each: int) -> None:
        self._ask(run, b"F FETCH 1:%d %b" % (run.size, items.encode()), each * run.size)

    def _ask(self, run: Run, command: bytes, octets: int) -> None:
        bare = _Bare(run)
        with run.timed():
            size = bare.ask(command)
        run.check(size > octets)

    def big(self, run: Run) -> None:
        """FETCH of one large message."""
        self._ask(run, b"F FETCH 1 (BODY.PEEK[])", run.size)

    def noops(self, run: Run) -> None:
        """One after another."""
        bare = _Bare(run)
        with run.timed():
            for i in range(run.size):
                bare.ask(b"N%d NOOP" % i)

    def noops_pipelined(self, run: Run) -> None:
        """All at once."""
        bare = _Bare(run)
        with run.timed():
            bare.send(b"".join(b"N%d NOOP\r\n" % i for i in range(run.size)))
            bare.until(b"N%d" % (run.size - 1))

    def far(self, run: Run) -> None:
        """One round trip: nobody needs less."""
        bare = _Bare(run)
        with run.timed():
            bare.ask(b"N NOOP")

    def appends(self, run: Run) -> None:
        """One after another."""
        times: list[float] = []
        bare = _Bare(run)
        with run.timed():
            for i in range(run.size):
                start = time.perf_counter()
                bare.send(_append(i))
                bare.until(b"A%d" % i)
                times.append(time.perf_counter() - start)
        run.each(times)
