"""The servers: the canned one, a far one, and a real Dovecot; each in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import imapkit
from bench.payloads import APPENDED, mixed
from bench.relay import relayed
from imapkit.testing import DelayProxy
from tests.servers import certs, dovecot

__all__ = ["Where", "canned", "client", "emptied", "far", "lacking", "real", "stamped"]

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
    with DelayProxy(where.host, where.port, round_trip) as proxy, DelayProxy(where.host, where.tls_port, round_trip) as tls:
        yield replace(where, host=proxy.host, port=proxy.port, tls_port=tls.port)


@contextmanager
def stamped(where: Where) -> Iterator[Where]:
    """The same server, whose EXISTS hold the time of sending; in the clear only, since a relay cannot write into TLS."""
    with relayed(where.host, where.port) as port:
        yield replace(where, host="127.0.0.1", port=port)


@contextmanager
def real() -> Iterator[Where]:
    """Dovecot, with a mailbox of messages."""
    with dovecot.running() as server:
        assert server.tls_port is not None
        assert server.cafile is not None
        where = Where(server.host, server.port, server.tls_port, server.cafile)
        _fill(where)
        yield where


def lacking(server: str) -> str | None:
    """The reason why this server cannot run here; None when it can."""
    return dovecot.missing() if server == "dovecot" else None


@contextmanager
def client(where: Where, mailbox: str | None = None) -> Iterator[imapkit.IMAP4]:
    """A client in the clear, logged in, with the mailbox selected."""
    with imapkit.IMAP4(where.host, where.port) as imap:
        imap.login(where.user, where.password)
        if mailbox is not None:
            imap.select(mailbox)
        yield imap


def emptied(where: Where) -> None:
    """Empty the mailbox that is appended to, so that it is as large for each client."""
    with client(where) as imap:
        imap.delete(APPENDED)
        imap.create(APPENDED)


def _fill(where: Where) -> None:
    with client(where) as imap:
        imap.create(APPENDED)
        imap.create(_FETCHED)
        for i in range(_REAL_MESSAGES):
            imap.append(_FETCHED, None, None, mixed(i))
        # Once, so that the first client does not pay for what the server then caches.
        imap.select(_FETCHED)
        imap.fetch("1:*", "(FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])")
