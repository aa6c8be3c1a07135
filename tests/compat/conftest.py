"""A Dovecot and a Cyrus for the side-by-side tests alone, and what each library did there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.compat.support import SERVERS, USERS, Records, Told, recorded
from tests.servers import certs
from tests.servers.base import skip_or_fail


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """``told(library, server)``: what the library did in each script; all of them run at once."""
    for module in SERVERS.values():
        skip_or_fail(module.missing())
    directory = tmp_path_factory.mktemp("compat")
    other = str(certs.make(directory).other_ca)
    with ExitStack() as stack, ThreadPoolExecutor(len(USERS) * len(SERVERS)) as pool:
        running = {name: stack.enter_context(module.running()) for name, module in SERVERS.items()}
        work: dict[tuple[str, str], Future[Records]] = {
            (library, name): pool.submit(recorded, library, server, directory, other)
            for library in USERS
            for name, server in running.items()
        }
        yield lambda library, name: work[library, name].result()
