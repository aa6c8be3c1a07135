"""What mypy and pyright say of a program that uses imapkit and the example plugins.

A line of a program that is wrong ends in ``# error: CODE, RULE``: what mypy and what pyright calls it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["EXAMPLES", "PATHS", "ROOT", "mypy", "pyright", "wanted"]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "plugins-example"
PATHS = [ROOT, *sorted(EXAMPLES.glob("*/src"))]
"""Where a program finds its imports."""

Report = tuple[int, str]
_ERROR = re.compile(r"# error: ([\w-]+), (\w+)$")
_MYPY = [
    "--strict",
    "--no-pretty",
    "--show-error-codes",
    "--no-error-summary",
    "--no-incremental",
    # Followed and yet silent: what is wrong inside imapkit is for the lint stage to say.
    "--follow-imports",
    "silent",
]


def wanted(program: str, which: int) -> list[Report]:
    """The lines that are wrong, each with the first or the second name that its comment has."""
    found = ((number, _ERROR.search(line)) for number, line in enumerate(program.splitlines(), 1))
    return [(number, match[1 + which]) for number, match in found if match is not None]


def mypy(program: str, place: Path) -> tuple[list[Report], list[str]]:
    """The errors of ``mypy --strict``, by line and code, and the types that it reveals."""
    path, config = place / "program.py", place / "mypy.ini"
    path.write_text(program, encoding="utf-8")
    config.write_text("[mypy]\n", encoding="utf-8")
    environ = {"MYPYPATH": os.pathsep.join(map(str, PATHS))}
    said = _run([sys.executable, "-m", "mypy", *_MYPY, "--config-file", str(config), str(path)], place, environ)
    return sorted(_mypy_errors(said)), re.findall(r'note: Revealed type is "(.*)"', said)


def _mypy_errors(said: str) -> Iterator[Report]:
    for line in said.splitlines():
        if ": error: " in line:
            found = re.search(r"program\.py:(\d+): error: .*\[([\w-]+)\]$", line)
            assert found is not None, said
            yield int(found[1]), found[2]


def pyright(program: str, place: Path) -> tuple[list[Report], list[str]]:
    """The errors of ``pyright`` in its strict mode, by line and rule, and the types that it reveals."""
    path = place / "program.py"
    path.write_text(program, encoding="utf-8")
    settings = {
        "extraPaths": list(map(str, PATHS)),
        "include": ["program.py"],
        "typeCheckingMode": "strict",
        # These follow from other errors, or are of no matter here.
        "reportUnknownMemberType": False,
        "reportUnusedVariable": False,
    }
    (place / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    said = _run([sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(place)], place, {})
    found = json.loads(said)["generalDiagnostics"]
    errors = [each for each in found if each["severity"] == "error"]
    assert all(Path(each["file"]).name == "program.py" for each in found), found
    reports = sorted((each["range"]["start"]["line"] + 1, each.get("rule", each["message"])) for each in errors)
    revealed = [re.search(r'Type of ".*" is "(.*)"', each["message"]) for each in found if each["severity"] == "information"]
    return reports, [match[1] for match in revealed if match is not None]


def _run(argv: list[str], place: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, cwd=place, env={**os.environ, **environ}, timeout=100)
    assert done.stdout or done.returncode == 0, done.stderr
    return done.stdout
