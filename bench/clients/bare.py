"""No client: a socket that sends the same commands and parses nothing; no client can be faster."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable

from bench.clients.common import Blocking, Fetching
from bench.payloads import APPENDED, MESSAGE
from bench.worker import Run

_LAST_LINE = 1000
"""Bytes at the end in which the tagged line is looked for; Dovecot's has all capabilities in it."""
_APPEND = b"APPEND %b {%d+}\r\n%b" % (APPENDED.encode(), len(MESSAGE), MESSAGE)
_OK = re.compile(rb"^T\d+ OK ", re.MULTILINE)


class _Bare:
    def __init__(self, run: Run) -> None:
        self._sock = socket.create_connection((run.host, run.port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if run.cafile is not None:
            self._sock = ssl.create_default_context(cafile=run.cafile).wrap_socket(self._sock, server_hostname=run.host)
        self._space = memoryview(bytearray(1 << 20))
        self._count = 0
        self._sock.recv_into(self._space)
        self.ask(b"LOGIN %b %b" % (run.user.encode(), run.password.encode()))
        self.ask(b"SELECT %b" % run.mailbox.encode())

    def ask(self, command: bytes) -> int:
        """One command; returns how many bytes the answer has."""
        self._sock.sendall(self._line(command))
        return self._until_last()

    def ask_all(self, command: bytes, count: int) -> int:
        """``count`` commands at once; returns how many of them have been done."""
        answers: list[bytes] = []
        self._sock.sendall(b"".join(self._line(command) for _ in range(count)))
        self._until_last(answers.append)
        return len(_OK.findall(b"".join(answers)))

    def logout(self) -> None:
        """Close."""
        self._sock.close()

    def _line(self, command: bytes) -> bytes:
        self._count += 1
        return b"T%d %b\r\n" % (self._count, command)

    def _until_last(self, keep: Callable[[bytes], object] | None = None) -> int:
        """Read until the last command's tagged line has come, and nothing after it; returns how many bytes there were."""
        size, tail, last = 0, b"", b"T%d " % self._count
        while True:
            got = self._sock.recv_into(self._space)
            if not got:
                raise ConnectionError("closed")
            size += got
            if keep is not None:
                keep(bytes(self._space[:got]))
            tail = tail[-_LAST_LINE:] + bytes(self._space[max(0, got - _LAST_LINE) : got])
            at = 0 if tail.startswith(last) else tail.rfind(b"\r\n" + last) + 2
            if tail.endswith(b"\r\n") and (at > 1 or tail.startswith(last)):
                if not tail.startswith(b"OK ", at + len(last)):
                    raise ConnectionError(tail[at:].decode("ascii", "replace"))
                return size


class Client(Blocking, Fetching):
    """The floor."""

    def connect(self, run: Run) -> _Bare:
        """A connection, logged in, with the mailbox selected."""
        return _Bare(run)

    def _fetch(self, run: Run, items: str, each: int) -> None:
        self._ask(run, b"FETCH 1:%d %b" % (run.size, items.encode()), each * run.size)

    def _ask(self, run: Run, command: bytes, least: int) -> None:
        bare = self.connect(run)
        with run.timed():
            size = bare.ask(command)
        run.check(size > least)

    def _all(self, run: Run, command: bytes) -> None:
        bare = self.connect(run)
        with run.timed():
            done = bare.ask_all(command, run.size)
        run.check(done == run.size)

    def _noop(self, client: _Bare) -> object:
        return client.ask(b"NOOP")

    def _append(self, client: _Bare) -> object:
        return client.ask(_APPEND)

    def big(self, run: Run) -> None:
        """FETCH of one large message."""
        self._ask(run, b"FETCH 1 (BODY.PEEK[])", run.size)

    def noops_pipelined(self, run: Run) -> None:
        """All at once."""
        self._all(run, b"NOOP")

    def appends_pipelined(self, run: Run) -> None:
        """All at once."""
        self._all(run, _APPEND)

    def far(self, run: Run) -> None:
        """One round trip: no client needs less."""
        self._ask(run, b"NOOP", 0)
