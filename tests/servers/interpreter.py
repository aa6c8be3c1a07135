"""A newer Python than the machine has, run on the machine itself: its own loader and libraries, the machine's files.

What the tree has in place of the machine's files is found by name: its virtual environments and their pip work as usual.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from .bundles import PYTHON
from .debian import libraries, loader

NAME = PYTHON.name
# "$0" is the link in a virtual environment, by which Python finds the environment.
START = """#!/bin/sh
exec {loader} --argv0 "$0" --library-path {libraries} {program} "$@"
"""


def program() -> Path:
    """Where the program is, or will be."""
    return PYTHON.directory / "bin" / NAME


def fetch() -> Path:
    """Get the packages unless they are here, and return the program; CalledProcessError if apt cannot."""
    tree = PYTHON.fetch()
    if not program().exists():
        _show_wheels(tree)
        program().parent.mkdir(exist_ok=True)
        # Python looks for its library beside the directory of its program.
        (PYTHON.directory / "lib").symlink_to("tree/usr/lib")
        paths = {"loader": loader(tree), "libraries": libraries(tree)[0], "program": tree / "usr/bin" / NAME}
        program().write_text(START.format(**{name: shlex.quote(str(path)) for name, path in paths.items()}))
        program().chmod(0o755)
    return program()


def _show_wheels(tree: Path) -> None:
    """Debian's ensurepip takes pip from a directory that it has from this file."""
    for data in tree.glob(f"usr/lib/{NAME}/_sysconfigdata_*.py"):
        data.write_text(data.read_text().replace("'/usr/share/python-wheels", f"'{tree}/usr/share/python-wheels"))
