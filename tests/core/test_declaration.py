"""An error about a declaration names what its author wrote."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit import ext
from imapkit.core.contract.command import Command
from imapkit.core.contract.family import CONTRACT, Family
from imapkit.core.contract.session import State
from imapkit.core.plugins.declaration import contract_is_unknown, mistakes
from imapkit.core.plugins.loader import builtin

XHELLO = Command("XHELLO", State.ANY)
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name='' is no name"),
    ({"name": "a,b"}, "name='a,b' is no name"),
    ({"name": 5}, "name=5 is no name"),
    ({"mixin": object()}, "is no class"),
    ({"commands": XHELLO}, "commands= is one Command and not a tuple of them: a comma is missing"),
    ({"commands": ("XHELLO",)}, "commands= holds 'XHELLO', which is no Command"),
    ({"capabilities": "XHELLO"}, "capabilities= is one str and not a tuple of them"),
    ({"requires": {"rev1"}}, "requires= is no tuple but set"),
    ({"replaces": (b"command:X",)}, "replaces= holds b'command:X', which is no str"),
    ({"responses": ("XHELLO",)}, "responses= is no mapping but tuple"),
    ({"responses": {"XHELLO": len}}, "responses= has under 'XHELLO' a builtin_function_or_method and no Response"),
    ({"codes": {b"X": None}}, "codes= has the key b'X', which is no str"),
    ({"layers": {"x": object}}, "layers= has under 'x' a type and no LayerSpec"),
    ({"items": ()}, "items= is no mapping but tuple"),
    ({"items": {"FETCH.X": len}}, "items= has the key 'FETCH.X', which is no pair"),
    ({"items": {("FETCH", "X"): None}}, "items= has under ('FETCH', 'X') a NoneType and no function"),
    ({"operands": {"X": (len,)}}, 'operands= has the key \'X\', which is no pair like ("COMMAND", "WORD")'),
    (
        {"operands": {("STORE", "X"): len}},
        "operands= has under ('STORE', 'X') a builtin_function_or_method and no tuple of kinds",
    ),
    ({"commands": (Command("", State.ANY),)}, "a command has the name ''"),
    ({"commands": (Command("X Y", State.ANY),)}, "a command has the name 'X Y', which is no atom"),
    (
        {"commands": (Command("X", State.ANY, exclusive=True, interrupt=b"DONE\r\n"),)},
        "command X: interrupt=b'DONE\\r\\n' is no line without its line end",
    ),
    ({"commands": (Command("X", 5),)}, "command X: states= is a int and no State"),  # type: ignore[arg-type]
    ({"commands": (Command("X", State.ANY, args=len),)}, "command X: args= is no tuple"),  # type: ignore[arg-type]
    ({"commands": (Command("X", State.ANY, result="X"),)}, "command X: result= is one str"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("fields", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_mistake_is_reported(fields: dict[str, Any], said: str) -> None:
    found = list(mistakes(Family(**{"name": "hello", **fields})))
    assert any(said in one for one in found), found


@pytest.mark.parametrize("name", sorted(ext.INDEX))
def test_the_builtin_families_have_none(name: str) -> None:
    family = builtin(name).family
    assert list(mistakes(family)) == []
    assert not contract_is_unknown(family)


def test_all_mistakes_are_reported() -> None:
    assert len(list(mistakes(Family("", commands=XHELLO, items=())))) == 3  # type: ignore[arg-type]


def test_a_family_needs_no_more_than_the_first_contract_unless_it_says_so() -> None:
    assert Family("hello").contract == 1 <= CONTRACT
