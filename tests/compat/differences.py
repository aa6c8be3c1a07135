"""docs/differences.md, read: its tables by the library that they are about, and their rows by id."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCUMENT", "ROOT", "SIDE_BY_SIDE", "Row", "listed"]

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "differences.md"
SIDE_BY_SIDE = "tests/compat/test_side_by_side.py::test_difference"
_HEADING = re.compile(r"## From (\w+)$")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: what is different, why, and the tests that show it."""

    id: str
    what: str
    why: str
    tests: tuple[str, ...]


def _tests(cell: str, library: str, name: str) -> Iterator[str]:
    """The pytest nodes that a cell names."""
    if cell.startswith("side by side"):
        yield f"{SIDE_BY_SIDE}[{library}-{name}]"
    yield from re.findall(r"`([^`]+)`", cell)


@functools.cache
def listed(library: str) -> dict[str, Row]:
    """The rows about ``library``, by id."""
    if not DOCUMENT.exists():
        return {}
    found: dict[str, Row] = {}
    about = None
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = _HEADING.match(line)
            about = heading and heading[1]
        elif about == library and line.startswith("| `"):
            name, what, why, tests = (cell.strip() for cell in line.strip("|").split(" | "))
            assert name.strip("`") not in found, f"{name} is there twice"
            found[name.strip("`")] = Row(name.strip("`"), what, why, tuple(_tests(tests, library, name.strip("`"))))
    return found
