"""Which skipped tests fail where servers are required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest
from tests.servers.base import Server, not_announced

pytestmark = pytest.mark.live
SERVER = Server("small", "127.0.0.1", 1, None, None, {}, "/", None, None)

def test_without_server():
    pytest.skip("no imapd here")

def test_without_feature():
    not_announced(SERVER, "ACL")
"""


@pytest.mark.parametrize(("required", "outcomes"), [("1", "1 failed, 1 skipped"), ("", "2 skipped")])
def test_a_lacking_feature_is_excused_and_a_lacking_server_is_not(tmp_path: Path, required: str, outcomes: str) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = live: needs a server\n")
    (tmp_path / "test_both.py").write_text(TESTS)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "IMAPKIT_REQUIRE_SERVERS": required}
    argv = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-p", "no:randomly", str(tmp_path)]
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert outcomes in done.stdout
    assert "small has no ACL" in done.stdout
