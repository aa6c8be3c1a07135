"""The reference of the contract is fresh, and leaves nothing undocumented."""

from __future__ import annotations

import re

import pytest

from docs.make_reference import MODULES, PAGE, Entry, entries, page

ALL = {f"{module}.{entry.name}": entry for module in MODULES for entry in entries(module)}
DECLARED = ["Code", "Command", "Family", "Item", "LayerSpec", "Response"]
INNER = {f"{name}.{inner.name}": inner for name, entry in ALL.items() for inner in entry.inner}


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python docs/make_reference.py writes it anew"


@pytest.mark.parametrize("name", ALL)
def test_every_public_name_is_documented(name: str) -> None:
    assert len(ALL[name].doc) > 10, f"{name} has no docstring"


@pytest.mark.parametrize("name", INNER)
def test_every_method_and_attribute_is_documented(name: str) -> None:
    assert INNER[name].doc, f"{name} has no docstring"


@pytest.mark.parametrize("name", DECLARED)
def test_every_field_of_a_declaration_is_documented(name: str) -> None:
    entry = ALL[f"imapkit.family.{name}"]
    fields = [re.split("[: ]", field)[0] for field in entry.fields]
    assert fields
    assert [field for field in fields if f"``{field}``" not in entry.doc and f"``{field}(" not in entry.doc] == []


def test_the_hook_is_documented() -> None:
    [hook] = ALL["imapkit.family.Specs"].inner
    assert hook == Entry("imapkit_family", "imapkit_family() -> Family", hook.doc)
    assert f"### `{'Specs'}`" in page()


def test_it_is_the_contract_that_is_described() -> None:
    from imapkit import testing
    from imapkit.core import api

    assert set(api.__all__) == {name.rpartition(".")[2] for name in ALL if name.startswith("imapkit.core.api.")}
    assert set(testing.__all__) == {name.rpartition(".")[2] for name in ALL if name.startswith("imapkit.testing.")}
    for method in ("_call", "_result"):
        assert f"imapkit.core.api.Commands.{method}" in INNER
    for rule in ("atom", "astring", "mailbox", "number", "flag_list", "value"):
        assert f"imapkit.core.api.Cursor.{rule}" in INNER


def test_what_a_class_inherits_is_described_with_it() -> None:
    for method in ("send", "ok", "serve", "reset", "start_tls", "wait_closed"):
        assert f"imapkit.testing.Conversation.{method}" in INNER
