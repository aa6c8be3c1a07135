"""A Dovecot of each program's own, and the directories that are on their path; where one cannot run, its tests skip or fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import started
from tests.programs.support import libraries
from tests.servers import dovecot as dovecot_server
from tests.servers.base import Server


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Server]:
    """A private Dovecot, with no mail yet."""
    yield from started(dovecot_server.missing, dovecot_server.running)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A directory with imapkit and what it needs, and one where Python keeps what it has compiled."""
    directory = tmp_path_factory.mktemp("installed")
    return libraries(directory / "libraries"), directory / "cache"
