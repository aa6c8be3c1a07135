"""What jedi, with which many editors, IPython and Jupyter complete, makes of lines that are being written.

Run as a program with such lines, for jedi reads the modules that its process has loaded: prints for each line the names that are
offered at its end, and the signatures that are shown there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, NamedTuple

from tests.typing.checking import PATHS, ROOT

__all__ = ["Shown", "edit"]

IMPORTS = """\
from imapkit import IMAP4, IMAP4_SSL, IMAP4_stream
from imapkit.ext.rev1 import FetchData, MailboxListing, MailboxStatus
from imapkit_acme import AcmeCommands

"""
EDITED = f"""\
{IMPORTS}
class MyIMAP(IMAP4, AcmeCommands): ...


def typed(imap: IMAP4, mine: MyIMAP) -> None:
    """


class Shown(NamedTuple):
    """Names that are offered; and signatures, each with its parameters and its docstring."""

    names: set[str]
    signatures: list[tuple[set[str], str]]


def edit(*lines: str) -> list[Shown]:
    """What is shown at the end of each line; ``imap`` is an ``IMAP4`` there, ``mine`` a ``MyIMAP(IMAP4, AcmeCommands)``.

    A line may be several, the last of which is being written; they stand behind the imports then, in no function.
    """
    argv = [sys.executable, "-m", "tests.typing.editing", *lines]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, timeout=100)
    assert done.returncode == 0, done.stderr
    return [Shown(set(names), [(set(found), doc) for found, doc in shown]) for names, shown in json.loads(done.stdout)]


def _shown(line: str) -> Any:
    import jedi

    project = jedi.Project(str(ROOT), added_sys_path=list(map(str, PATHS)))
    code = IMPORTS + line if "\n" in line else EDITED + line
    script = jedi.Script(code, project=project, environment=jedi.InterpreterEnvironment())
    where = (code.count("\n") + 1, len(code.rpartition("\n")[2]))
    signatures = [([each.name for each in found.params], found.docstring()) for found in script.get_signatures(*where)]
    return [found.name for found in script.complete(*where)], signatures


if __name__ == "__main__":
    print(json.dumps([_shown(line) for line in sys.argv[1:]]))
