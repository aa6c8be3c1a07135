"""docs/differences.md: every row names tests that exist; those that excuse a mismatch are those that the scripts may name."""

from __future__ import annotations

import ast
import functools

import pytest

from tests.compat.differences import DOCUMENT, ROOT, SIDE_BY_SIDE, listed
from tests.compat.excuses import EXCUSES
from tests.compat.run import MODULES

LIBRARIES = ("imaplib2", "imaplib")
ROWS = [(library, row) for library in LIBRARIES for row in listed(library).values()]


@functools.cache
def functions(path: str) -> frozenset[str]:
    """The test functions of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("library", LIBRARIES)
def test_rows(library: str) -> None:
    for found in listed(library).values():
        assert found.what, found
        assert found.why, found
        assert found.tests, found
        for node in found.tests:
            path, _, name = node.partition("::")
            assert (ROOT / path).is_file(), f"{node}: no such file"
            function, _, parameter = name.partition("[")
            assert function.startswith("test_")
            assert function in functions(path), f"{node}: no such test"
            assert not parameter or node == f"{SIDE_BY_SIDE}[{library}-{found.id}]"


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_excuse_for_a_mismatch_is_listed(library: str) -> None:
    shown_there = {row.id for row in listed(library).values() if any(test.startswith(SIDE_BY_SIDE) for test in row.tests)}
    assert set(EXCUSES[library]) == shown_there


def test_scripts_name_no_other_excuse() -> None:
    known = {name for rows in EXCUSES.values() for name in rows}
    used: set[str] = set()
    for module in MODULES:
        assert module.__file__ is not None
        with open(module.__file__, encoding="utf-8") as file:
            tree = ast.parse(file.read())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "but":
                used |= {str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)}
    assert used <= known
    assert len(used) > 20


def test_every_row_is_read() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(ROWS) == sum(line.startswith("| `") for line in text.splitlines())
    assert len({row.id for _, row in ROWS}) == len(ROWS) > 50
