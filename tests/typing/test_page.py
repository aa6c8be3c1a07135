"""The project of docs/testing.md, fixtures and all, is typed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testing.test_page import FILES, ROOT

pytestmark = pytest.mark.timeout(120)
pytest.importorskip("mypy", reason="mypy is in the extra dev")
CHECKERS = {"mypy": ["mypy", "--strict", "--no-incremental", "."], "pyright": ["pyright", "--pythonpath", sys.executable, "."]}


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_project_of_the_page_is_typed(checker: str, tmp_path: Path) -> None:
    for name, code in FILES.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    argv = [sys.executable, "-m", *CHECKERS[checker]]
    environ = os.environ | {"MYPYPATH": str(ROOT)}
    done = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, env=environ, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
