"""What mypy and pyright say of programs that use imapkit and the example plugins: those in the directory ``programs``.

A line of a program that is wrong ends in ``# error: CODE, RULE``: what mypy and what pyright calls it, "-" if it finds nothing. A
checker reads all the programs at once: it is slow to start.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["CHECKERS", "EXAMPLES", "PATHS", "PROGRAMS", "ROOT", "Reports", "Said", "wanted"]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "plugins-example"
PATHS = [ROOT, *sorted(EXAMPLES.glob("*/src"))]
"""Where a program finds its imports."""
PROGRAMS = sorted(Path(__file__).parent.glob("programs/*.py"))

Reports = set[tuple[str, int, str]]
"""Errors: the name of the program, the line, and the checker's name of the error."""
Said = Callable[[], Reports]
"""Waits for a checker that was started."""
_ERROR = re.compile(r"# error: ([\w-]+), ([\w-]+)$")
_MYPY = ["--strict", "--no-pretty", "--show-error-codes", "--no-error-summary"]
# Followed and yet silent: what is wrong inside imapkit is for the lint stage to say.
_MYPY += ["--no-incremental", "--follow-imports", "silent"]


def wanted(which: int) -> Reports:
    """The lines that are wrong, each with the first or the second name that its comment has."""
    return {
        (path.name, number, found[1 + which])
        for path in PROGRAMS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := _ERROR.search(line)) is not None and found[1 + which] != "-"
    }


def mypy(place: Path, version: str) -> Said:
    """The errors of ``mypy --strict``."""
    names = _copied(place)
    (place / "mypy.ini").write_text("[mypy]\n", encoding="utf-8")
    environ = {"MYPYPATH": os.pathsep.join(map(str, PATHS))}
    options = [*_MYPY, "--python-version", version, "--config-file", "mypy.ini"]
    return _started([sys.executable, "-m", "mypy", *options, *names], place, environ, _mypy_errors)


def _mypy_errors(said: str) -> Iterator[tuple[str, int, str]]:
    for line in said.splitlines():
        if ": error: " in line:
            found = re.match(r"(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", line)
            assert found is not None, said
            yield found[1], int(found[2]), found[3]


def pyright(place: Path, version: str) -> Said:
    """The errors of ``pyright`` in its strict mode."""
    settings = {
        "extraPaths": list(map(str, PATHS)),
        "include": _copied(place),
        "typeCheckingMode": "strict",
        "pythonVersion": version,
        # These follow from other errors, or are of no matter here.
        "reportUnknownMemberType": False,
        "reportUnusedVariable": False,
        "reportUnusedExpression": False,
    }
    (place / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    argv = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(place)]
    return _started(argv, place, {}, _pyright_errors)


def _pyright_errors(said: str) -> Iterator[tuple[str, int, str]]:
    for each in json.loads(said)["generalDiagnostics"]:
        if each["severity"] == "error":
            yield Path(each["file"]).name, each["range"]["start"]["line"] + 1, each.get("rule", each["message"])


CHECKERS = {"mypy": mypy, "pyright": pyright}


def _copied(place: Path) -> list[str]:
    """Copy the programs, so that no settings of this project count; their names."""
    return [Path(shutil.copy(path, place)).name for path in PROGRAMS]


def _started(
    argv: list[str], place: Path, environ: dict[str, str], errors: Callable[[str], Iterator[tuple[str, int, str]]]
) -> Said:
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=place, env=os.environ | environ
    )

    def said() -> Reports:
        with process:
            out, error = process.communicate(timeout=100)
        assert out or process.returncode == 0, error
        return set(errors(out))

    return said
