"""The real servers, one of each for the whole test run; where one cannot run, its tests skip or, if required, fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec

import pytest

from tests.servers import cyrus as cyrus_server
from tests.servers import dovecot as dovecot_server
from tests.servers.base import AWKWARD_PASSWORD, AWKWARD_USER, CROWD, USERS, Server, skip_or_fail

SERVERS = ["pymap", "dovecot", "cyrus"]


def started(missing: Callable[[], str | None], running: Callable[[], AbstractContextManager[Server]]) -> Iterator[Server]:
    """The body of each server's fixture: run it if it can run here, and skip or fail if it cannot."""
    skip_or_fail(missing())
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Server]:
    """A private Dovecot."""
    yield from started(dovecot_server.missing, dovecot_server.running)


@pytest.fixture(scope="session")
def cyrus() -> Iterator[Server]:
    """A private Cyrus."""
    yield from started(cyrus_server.missing, cyrus_server.running)


@pytest.fixture(scope="session")
def pymap() -> Iterator[Server]:
    """pymap in a thread of this process, plain text only."""
    skip_or_fail(None if find_spec("pymap") else "no pymap here: pip install 'imapkit[demo]'")
    from imapkit.cli.mailhost import running  # not before: without pymap the others still run

    users = {**USERS, AWKWARD_USER: AWKWARD_PASSWORD, **CROWD}
    with running(users=users) as host:
        yield Server("pymap", host.host, host.port, None, None, dict(host.users), "/", None, None)


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the servers in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Server)
    return found
