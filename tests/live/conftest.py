"""The real servers, one of each for the whole test run; where one cannot run, its tests skip or, if required, fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec

import pytest

from tests.live.support import needing
from tests.servers import dovecot as dovecot_server
from tests.servers.base import AWKWARD_PASSWORD, AWKWARD_USER, CROWD, USERS, Server, not_announced, skip_or_fail
from tests.servers.courier import COURIER
from tests.servers.cyrus import CYRUS36, CYRUS310, CYRUS312
from tests.servers.dovecot24 import DOVECOT24
from tests.servers.quirks import PYMAP

SERVERS = ["pymap", "dovecot", "dovecot24", "cyrus", "cyrus310", "cyrus312", "courier"]


def started(missing: Callable[[], str | None], running: Callable[[], AbstractContextManager[Server]]) -> Iterator[Server]:
    """The body of each server's fixture: run it if it can run here, and skip or fail if it cannot."""
    skip_or_fail(missing())
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Server]:
    """A private Dovecot 2.3."""
    yield from started(dovecot_server.missing, dovecot_server.running)


@pytest.fixture(scope="session")
def cyrus() -> Iterator[Server]:
    """A private Cyrus 3.6."""
    yield from started(CYRUS36.missing, CYRUS36.running)


@pytest.fixture(scope="session")
def dovecot24() -> Iterator[Server]:
    """A private Dovecot 2.4."""
    yield from started(DOVECOT24.missing, DOVECOT24.running)


@pytest.fixture(scope="session")
def cyrus310() -> Iterator[Server]:
    """A private Cyrus 3.10."""
    yield from started(CYRUS310.missing, CYRUS310.running)


@pytest.fixture(scope="session")
def cyrus312() -> Iterator[Server]:
    """A private Cyrus of Debian sid: 3.12, or what followed."""
    yield from started(CYRUS312.missing, CYRUS312.running)


@pytest.fixture(scope="session")
def courier() -> Iterator[Server]:
    """A private Courier-IMAP."""
    yield from started(COURIER.missing, COURIER.running)


@pytest.fixture(scope="session")
def pymap() -> Iterator[Server]:
    """pymap in a thread of this process, plain text only."""
    skip_or_fail(None if find_spec("pymap") else "no pymap here: pip install 'imapkit[demo]'")
    from imapkit.cli.mailhost import running  # not before: without pymap the others still run

    users = {**USERS, AWKWARD_USER: AWKWARD_PASSWORD, **CROWD}
    with running(users=users) as host:
        yield Server("pymap", host.host, host.port, None, None, dict(host.users), "/", None, None, quirks=PYMAP)


@pytest.fixture
def secured(server: Server) -> Server:
    """Each of the servers that have a certificate: with a TLS port, and STARTTLS."""
    if server.tls_port is None:
        not_announced(server, "TLS port")
    return needing(server, "STARTTLS")


@pytest.fixture(params=[dovecot_server, DOVECOT24], ids=["dovecot", "dovecot24"])
def secretive(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that takes passwords only after STARTTLS, and announces LOGINDISABLED before."""
    skip_or_fail(request.param.missing())
    with request.param.running(plaintext=False) as server:
        yield server


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the servers in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Server)
    return found
