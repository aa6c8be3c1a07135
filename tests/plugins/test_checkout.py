"""The installation steps of READMEs, of the tutorial and of the command's output work with a checkout of imapkit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from imapkit.cli import new
from tests.plugins.installation import EXAMPLES, ROOT

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(400)]
CHECKOUT = "pip install -e '../imapkit[testing]'"
PAGES = [
    ROOT / "docs" / "tutorial.md",
    ROOT / "docs" / "plugins.md",
    *sorted((ROOT / "imapkit" / "cli" / "template").glob("*/README.md.in")),
    *sorted(EXAMPLES.glob("*/README.md")),
]


def commands(text: str) -> list[str]:
    """The lines of the blocks that make an environment and run the tests in it."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    start = lines.index("python -m venv .venv")
    found = []
    for line in lines[start:]:
        if not line.startswith(("python ", ".venv/bin/")):
            break
        found.append(line)
    return found


def follow(lines: list[str], project: Path) -> str:
    """Run the lines in a project, with this Python; return the last one's output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMAPKIT_", "PYTEST_", "PYTHON"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    output = ""
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line], cwd=project, env=kept | {"PATH": path}, capture_output=True, text=True, timeout=300
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{line}\n{output}"
    return output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_installs_imapkit_first(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    first = text.index("[testing]'   # ")
    assert first < text.index("pip install -e '.[test]'")


def test_a_new_plugin_s_readme_can_be_followed(tmp_path: Path) -> None:
    (tmp_path / "imapkit").symlink_to(ROOT)
    project = new.write(new.names("x-followed"), tmp_path, "item")
    lines = commands((project / "README.md").read_text(encoding="utf-8"))
    assert CHECKOUT in lines[1]
    assert len(lines) == 5
    assert re.search(r"\d+ passed in", follow(lines[:4], project))


def test_the_commands_output_can_be_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new.main("x-followed", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    lines = commands(printed)
    assert str(ROOT) in lines[1]
    assert "imapkit plugins" in lines[-1]
    assert "x_followed" in follow(lines, tmp_path / "imapkit-x-followed")


def test_without_a_checkout_the_output_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(new, "_checkout", lambda: None)
    assert new.main("x-followed", str(tmp_path)) == 0
    assert [line for line in commands(capsys.readouterr().out) if "pip" in line] == [".venv/bin/pip install -e '.[test]'"]
