"""The test suites of IMAPClient and imap_tools, from their sdists, with imapkit in imaplib's place: offline and against Dovecot.

Nothing but what ``suites/excuses.py`` names may fail or be skipped, and all that it names must.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import imapkit
from tests.live.support import logged_in
from tests.programs.suites import excuses, sdists
from tests.programs.support import SHIMS, message, write_sections
from tests.servers.base import ENVIRONMENT, Server, skip_or_fail

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

RUNNER = SHIMS / "suites" / "outcomes.py"
PAGE = Path(__file__).parents[2] / "docs" / "differences.md"
SECONDS = 120


class Suite:
    """A project's tests: where they are unpacked, and their arguments."""

    def __init__(self, directory: Path, *argv: str, **environment: str) -> None:
        self.directory, self.argv, self.environment = directory, argv, environment

    def start(self, out: Path, *, ours: bool) -> subprocess.Popen[str]:
        """Run them on imapkit, or on imaplib."""
        path = [*([SHIMS / "shim_imaplib"] if ours else []), self.directory, Path(imapkit.__file__).parents[1]]
        environment = {**ENVIRONMENT, **self.environment, "PYTHONPATH": os.pathsep.join(map(str, path))}
        argv = [sys.executable, str(RUNNER), str(out), *self.argv]
        return subprocess.Popen(
            argv, env=environment, cwd=self.directory, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def outcomes(self, out: Path, *, ours: bool = True) -> dict[str, str]:
        """What became of each."""
        return collect(self.start(out, ours=ours), out)


def collect(process: subprocess.Popen[str], out: Path) -> dict[str, str]:
    """The outcomes of a suite that runs."""
    try:
        said, _ = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
    assert out.exists(), said
    found: dict[str, str] = json.loads(out.read_text(encoding="utf-8"))
    return found


def wrong(outcomes: Mapping[str, str], excused: Mapping[str, str], either: Iterable[str] = ()) -> list[str]:
    """What is not as it should be, one line a test."""
    bad = [f"{name}: {outcome}" for name, outcome in outcomes.items() if outcome != "passed" and name not in {*excused, *either}]
    for name, why in excused.items():
        outcome = outcomes.get(name, "is not there")
        if not outcome.startswith("skipped" if why.startswith("skipped") else "failed"):
            bad.append(f"{name}: {outcome}, and is excused: {why}")
    return bad


@pytest.fixture(scope="module")
def imapclient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """IMAPClient, unpacked."""
    skip_or_fail(sdists.missing(sdists.IMAPCLIENT))
    return sdists.imapclient(tmp_path_factory.mktemp("imapclient"))


@pytest.fixture(scope="module")
def imap_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """imap_tools, unpacked."""
    skip_or_fail(sdists.missing(sdists.IMAP_TOOLS))
    return sdists.imap_tools(tmp_path_factory.mktemp("imap_tools"))


def test_imapclients_tests(imapclient: Path, tmp_path: Path) -> None:
    outcomes = Suite(imapclient, "unittest", str(imapclient)).outcomes(tmp_path / "out")
    assert wrong(outcomes, excuses.IMAPCLIENT_OFFLINE) == []
    assert len(outcomes) == 270


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_imapclients_live_tests(imapclient: Path, dovecot: Server, tmp_path: Path, tls: bool) -> None:
    suites = {}
    for user, ours in ("alice", True), ("bob", False):
        common: dict[str, object] = {"host": "localhost", "username": user, "password": dovecot.users[user]}
        secure = {"ssl": "true", "port": dovecot.tls_port, "ssl_ca_file": dovecot.cafile}
        plain: dict[str, object] = {"ssl": "false", "port": dovecot.port}
        starttls = {**plain, "starttls": "true"}
        ways = {"DEFAULT": {**common, **(secure if tls else plain)}, "other way": plain if tls else secure, "STARTTLS": starttls}
        ini = write_sections(tmp_path / f"{user}.ini", ways)
        out = tmp_path / f"{user}.json"
        # With STARTTLS they take whatever authority the environment names.
        suite = Suite(imapclient, "livetest", str(ini), SSL_CERT_FILE=str(dovecot.cafile))
        suites[ours] = suite.start(out, ours=ours), out
    outcomes, theirs = collect(*suites[True]), collect(*suites[False])
    assert wrong(outcomes, excuses.IMAPCLIENT_LIVE, excuses.IMAPCLIENT_TIMING) == []
    assert outcomes.keys() == theirs.keys()
    assert len(outcomes) == 59
    for name, why in excuses.IMAPCLIENT_LIVE.items():
        if why.startswith(excuses.THEIRS):
            assert theirs[name].startswith("failed"), name


def test_imap_tools_tests(imap_tools: Path, dovecot: Server, tmp_path: Path) -> None:
    assert dovecot.cafile is not None
    with logged_in(dovecot, "carol") as imap:
        for name in ("test", "test/base", "test/temp1", "test/temp2"):
            assert imap.create(name)[0] == imap.subscribe(name)[0] == "OK"
        for number in range(6):
            flags = r"(\Answered \Flagged)" if number == 1 else None
            assert imap.append("test/base", flags, None, message(number))[0] == "OK"
        assert imap.append("INBOX", None, None, message(10))[0] == "OK"
    where = {
        "IMAP_HOST": "localhost", "IMAP_TLS_PORT": str(dovecot.tls_port), "IMAP_CAFILE": dovecot.cafile,
        "IMAP_USER": "carol", "IMAP_PASSWORD": dovecot.users["carol"],
    }  # fmt: skip
    outcomes = Suite(imap_tools, "unittest", str(imap_tools), **where).outcomes(tmp_path / "out")
    assert wrong(outcomes, excuses.IMAP_TOOLS) == []
    assert len(outcomes) == 37


def test_the_page_names_what_is_excused() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = {**excuses.IMAPCLIENT_OFFLINE, **excuses.IMAPCLIENT_LIVE, **excuses.IMAPCLIENT_TIMING, **excuses.IMAP_TOOLS}
    assert [name for name in named if f"`{name.split('.', 2)[-1]}`" not in page] == []
