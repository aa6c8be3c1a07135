"""docs/recipes.md: its blocks are a family and its tests, which pass, also with mypy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.installation import ROOT
from tests.plugins.tutorial import RECIPES

pytest_plugins = ["pytester"]

NAMES = ["imapkit_snooze.py", "snooze.toml", "test_snooze.py"]


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    for (_, name), code in RECIPES.items():
        (pytester.path / name).write_text(code, encoding="utf-8")
    return pytester.path


def test_every_block_is_a_file() -> None:
    assert sorted(name for _, name in RECIPES) == NAMES


@pytest.mark.heavy
def test_the_project_of_the_page_passes(project: Path, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error", "-q")
    assert result.ret == 0, result.stdout.str()
    assert result.parseoutcomes()["passed"] >= RECIPES["python", "test_snooze.py"].count("def test_") + 5


@pytest.mark.heavy
@pytest.mark.timeout(120)
def test_it_is_typed(project: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is in the extra dev")
    argv = [sys.executable, "-m", "mypy", "--strict", "imapkit_snooze.py", "test_snooze.py"]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True, timeout=100, env={"MYPYPATH": str(ROOT)})
    assert done.stdout == "Success: no issues found in 2 source files\n", done.stdout + done.stderr


def test_it_imports_only_the_contract() -> None:
    used = set(re.findall(r"^from (imapkit\.\S+)", RECIPES["python", "imapkit_snooze.py"], re.MULTILINE))
    assert used == {"imapkit.plugin", "imapkit.errors"}
