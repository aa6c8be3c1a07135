"""What jedi, with which many editors, IPython and Jupyter complete, makes of programs that are being written.

Run as a program, which reads them: jedi uses the modules that its process has loaded. One process does all, for it reads imapkit
once then.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.typing.checking import PATHS, ROOT

__all__ = ["Shown", "edit"]


class Shown(NamedTuple):
    """Names that are offered at the end of a program; and the signatures that are shown there, with parameters and docstring."""

    names: set[str]
    signatures: list[tuple[set[str], str]]


def edit(programs: Mapping[str, str]) -> dict[str, Shown]:
    """What is shown at the end of each program."""
    argv = [sys.executable, "-m", "tests.typing.editing"]
    done = subprocess.run(argv, input=json.dumps(dict(programs)), capture_output=True, text=True, cwd=ROOT, timeout=100)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout).items()
    return {key: Shown(set(names), [(set(found), doc) for found, doc in shown]) for key, (names, shown) in said}


def _shown(code: str) -> Any:
    import jedi

    project = jedi.Project(str(ROOT), added_sys_path=list(map(str, PATHS)))
    script = jedi.Script(code, project=project, environment=jedi.InterpreterEnvironment())
    where = (code.count("\n") + 1, len(code.rpartition("\n")[2]))
    signatures = [([each.name for each in found.params], found.docstring()) for found in script.get_signatures(*where)]
    return [found.name for found in script.complete(*where)], signatures


if __name__ == "__main__":
    print(json.dumps({key: _shown(code) for key, code in json.load(sys.stdin).items()}))
