"""What a type checker says where a trimmed wheel is installed: what is there is typed, and nothing is missing."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from imapkit.cli.trim import trim
from tests.trim.support import build, environment, run

pytest.importorskip("mypy", reason="mypy is in the extra dev")

PROGRAM = """\
from imapkit import IMAP4

with IMAP4("localhost") as imap:
    imap.login("me", "secret")
    imap.idle(timeout=3.0)
    imap.idle("soon")  # error: arg-type
    imap.select(7)  # error: arg-type
    imap.getquota(7)  # what is not there is what any unknown name is: see Client.__getattr__
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("without", [[], ["cli", "testing"]], ids=["families", "parts"])
def test_mypy_strict(without: list[str], tmp_path: Path) -> None:
    wheel = trim(build(tmp_path), ["idle"], without=without, directory=tmp_path / "trimmed").path
    python = environment(tmp_path / "venv", wheel)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    options = ["--strict", "--no-error-summary", "--no-incremental", "--config-file=", f"--python-executable={python}"]
    said = run(sys.executable, "-m", "mypy", *options, program, cwd=tmp_path, status=1)
    wanted = [
        (str(number), line.rpartition("# error: ")[2]) for number, line in enumerate(PROGRAM.splitlines(), 1) if "# error" in line
    ]
    assert re.findall(r"program\.py:(\d+): error: .*\[([\w-]+)\]", said) == wanted, said
    # Of the installed package itself, all that its own modules say of each other must hold.
    package = ["-p", "imapkit.client", "-p", "imapkit.ext"]
    run(sys.executable, "-m", "mypy", *options, *package, cwd=tmp_path)
