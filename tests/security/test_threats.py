"""docs/threats.md: every row says what is done and names tests that exist, or why there are none."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "threats.md"
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
IDS = [row[0].strip("`") for row in ROWS]


@functools.cache
def functions(path: str) -> frozenset[str]:
    """The test functions of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_row(row: list[str]) -> None:
    assert len(row) == 4
    assert row[1]
    tests = re.findall(r"`([^`]+)`", row[3])
    assert bool(tests) != row[3].startswith("none yet: ")
    for node in tests:
        path, _, name = node.partition("::")
        assert (ROOT / path).is_file(), f"{node}: no such file"
        assert name.startswith("test_")
        assert name in functions(path), f"{node}: no such test"


def test_every_threat_has_a_row() -> None:
    servers = [f"R{i:02}" for i in range(1, 49)] + [f"Q{i:02}" for i in range(1, 27)] + [f"S{i}" for i in range(1, 34)]
    wheels, framing = ["W1", "W2"], [f"F{i}" for i in range(1, 5)]
    memory = [f"M{i}" for i in range(1, 4)]
    assert servers + wheels + framing + memory == IDS


def test_few_rows_have_no_tests() -> None:
    assert [name for name, row in zip(IDS, ROWS, strict=True) if row[3].startswith("none yet: ")] == ["Q11", "Q15", "Q21", "S13"]
