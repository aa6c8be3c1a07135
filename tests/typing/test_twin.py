"""``imapkit/typed/client.pyi`` says what the typed clients are."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from imapkit.core.raw.families import registry
from imapkit.typed import client
from tools import typed_twin


def test_the_stub_is_fresh() -> None:
    assert _meaning(typed_twin.twin(registry())) == _meaning(typed_twin.TARGET.read_text(encoding="utf-8")), "make twin"


def _meaning(stub: str) -> tuple[set[tuple[str | None, str]], list[str]]:
    """What a stub imports, in any order, and its other statements."""
    tree = ast.parse(stub)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    imported = {(node.module, alias.name) for node in imports for alias in node.names}
    return imported, [ast.dump(node) for node in tree.body if node not in imports]


@pytest.mark.parametrize("name", client.__all__)
def test_the_stub_has_each_public_name_of_a_class_and_no_other(name: str) -> None:
    compose = vars(client)["_with_families"]
    composed = compose(getattr(client, name), registry(), selected=name.endswith("Mailbox"))
    there = {each for each in dir(composed) if not each.startswith("_")}
    assert _names(name) == there


def _names(name: str) -> set[str]:
    tree = ast.parse(typed_twin.TARGET.read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    return {"with_options"} | {each for each in _members(classes, name) if not each.startswith("_")}


def _members(classes: dict[str, Any], name: str) -> set[str]:
    node = classes.get(name)
    if node is None:
        return set()
    own = {each.name for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))}
    return own.union(*(_members(classes, ast.unparse(base).partition("[")[0]) for base in node.bases))
