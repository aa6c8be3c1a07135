"""New plugins, installed beside imapkit into a virtual environment of its own, hold for mypy --strict, their tests too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is in the extra dev")

from imapkit.cli import new
from tests.plugins.installation import ROOT, install

USE = """\
import imapkit_x_gm_ext as plugin
from imapkit import IMAP4, Client


def use(imap: IMAP4, client: Client) -> None:
    imap.family(plugin.XGmExtCommands).x_gm_ext(5)
    found: plugin.XGmExtData = plugin.XGmExtSession(client).x_gm_ext("world")
    wrong: int = plugin.XGmExtSession(client).x_gm_ext("world")
"""


@pytest.mark.timeout(240)
def test_a_new_plugin_is_typed(tmp_path: Path) -> None:
    projects = [new.write(new.names(name), tmp_path, kind) for kind, name in (("command", "x-gm-ext"), ("item", "x-score"))]
    place = tmp_path / "installed"
    place.mkdir()
    made = install(place, [ROOT, *projects], "pytest>=8")
    (place / "use.py").write_text(USE)

    def said(cwd: Path, *files: str) -> str:
        mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(made.python), "--cache-dir", str(place)]
        return subprocess.run([*mypy, *files], cwd=cwd, capture_output=True, text=True, timeout=200).stdout

    for project in projects:
        assert said(project) == "Success: no issues found in 2 source files\n"
    # What a program finds is installed, and typed.
    errors = said(place, "use.py")
    assert 'Argument 1 to "x_gm_ext" of "XGmExtCommands" has incompatible type "int"; expected "str"' in errors
    assert 'Incompatible types in assignment (expression has type "XGmExtData", variable has type "int")' in errors
    assert "Found 2 errors" in errors
