"""The servers that are asked: the canned one, a far one, and a real Dovecot; each in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import imapkit
from bench.payloads import APPENDED, mixed
from bench.relay import relayed
from imapkit.testing import DelayProxy
from tests.servers import certs, dovecot

__all__ = ["Where", "canned", "emptied", "far", "real", "stamped"]

_FETCHED = "Bench"
_REAL_MESSAGES = 1000


@dataclass(frozen=True)
class Where:
    """A server: its ports in the clear and over TLS, the authority that vouches for it, and an account."""

    host: str
    port: int
    tls_port: int
    cafile: str
    user: str = "tester"
    password: str = "secret"


@contextmanager
def canned() -> Iterator[Where]:
    """The server that answers from memory."""
    with tempfile.TemporaryDirectory() as place:
        made = certs.make(Path(place))
        argv = [sys.executable, "-m", "bench.canned", str(made.server.certificate), str(made.server.key)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                ports = json.loads(process.stdout.readline())
                yield Where("127.0.0.1", ports["port"], ports["tls_port"], str(made.ca))
            finally:
                process.stdin.close()


@contextmanager
def far(where: Where, round_trip: float) -> Iterator[Where]:
    """The same server over a link with a delay."""
    with DelayProxy(where.host, where.port, round_trip) as proxy:
        yield Where(proxy.host, proxy.port, 0, where.cafile)


@contextmanager
def stamped(where: Where) -> Iterator[Where]:
    """The same server, whose EXISTS tell when they were sent."""
    with relayed(where.host, where.port) as port:
        yield Where("127.0.0.1", port, 0, where.cafile)


@contextmanager
def real() -> Iterator[Where]:
    """Dovecot, with a mailbox of messages."""
    with dovecot.running() as server:
        assert server.tls_port is not None
        assert server.cafile is not None
        where = Where(server.host, server.port, server.tls_port, server.cafile)
        _fill(where)
        yield where


def emptied(where: Where) -> None:
    """Begin anew with the mailbox that is appended to: it is to be no larger for one piece of work than for the next."""
    with _logged_in(where) as imap:
        imap.delete(APPENDED)
        imap.create(APPENDED)


def _logged_in(where: Where) -> imapkit.IMAP4:
    imap = imapkit.IMAP4(where.host, where.port)
    imap.login(where.user, where.password)
    return imap


def _fill(where: Where) -> None:
    with _logged_in(where) as imap:
        imap.create(APPENDED)
        imap.create(_FETCHED)
        for i in range(_REAL_MESSAGES):
            imap.append(_FETCHED, None, None, mixed(i))
