"""The references are fresh, leave nothing undocumented, and say what help() says."""

from __future__ import annotations

import inspect
import re

import pytest

import imapkit
from docs.make_reference import CONTRACT, MODULES, USERS, contract_page, users_page
from docs.reference_source import Entry, entries, entry, exported
from docs.reference_users import FAMILIES, attributes, commands, records, sections
from imapkit import ext
from imapkit.core.plugins.loader import builtin
from imapkit.core.raw.mixing import CommandFamilies
from imapkit.testing import ScriptedServer

ALL = {f"{module}.{entry.name}": entry for module in MODULES for entry in entries(module)}
DECLARED = ["Code", "Command", "Family", "Item", "LayerSpec", "Response"]
INNER = {f"{name}.{inner.name}": inner for name, entry in ALL.items() for inner in entry.inner}

METHODS = {found.name: found for name in FAMILIES for _, those in commands(name) for found in those}
RECORDS = {found.name: found for name in FAMILIES for found in records(name)}
PUBLIC = {found.name: found for found in sections()}
PAGE, CONTRACT_PAGE = users_page(), contract_page()
CLIENTS = [imapkit.IMAP4, imapkit.IMAP4_SSL, imapkit.IMAP4_stream]


def test_the_pages_are_fresh() -> None:
    assert CONTRACT.read_text(encoding="utf-8") == CONTRACT_PAGE, "python docs/make_reference.py writes it anew"
    assert USERS.read_text(encoding="utf-8") == PAGE, "python docs/make_reference.py writes it anew"


# For authors of plugins


@pytest.mark.parametrize("name", ALL)
def test_every_public_name_is_documented(name: str) -> None:
    assert len(ALL[name].doc) > 10, f"{name} has no docstring"


@pytest.mark.parametrize("name", INNER)
def test_every_method_and_attribute_is_documented(name: str) -> None:
    assert INNER[name].doc, f"{name} has no docstring"


@pytest.mark.parametrize("name", DECLARED)
def test_every_field_of_a_declaration_is_documented(name: str) -> None:
    entry = ALL[f"imapkit.plugin.{name}"]
    fields = [re.split("[: ]", field)[0] for field in entry.fields]
    assert fields
    assert [field for field in fields if f"``{field}``" not in entry.doc and f"``{field}(" not in entry.doc] == []


def test_the_hook_is_documented() -> None:
    [hook] = ALL["imapkit.plugin.Specs"].inner
    assert hook == Entry("imapkit_family", "imapkit_family() -> Family", hook.doc)
    assert f"### `{'Specs'}`" in CONTRACT_PAGE


def test_it_is_the_contract_that_is_described() -> None:
    from imapkit import plugin, testing

    assert set(plugin.__all__) == {name.rpartition(".")[2] for name in ALL if name.startswith("imapkit.plugin.")}
    assert set(testing.__all__) == {name.rpartition(".")[2] for name in ALL if name.startswith("imapkit.testing.")}
    for method in ("_call", "_result"):
        assert f"imapkit.plugin.Commands.{method}" in INNER
    for rule in ("atom", "astring", "mailbox", "number", "flag_list", "value"):
        assert f"imapkit.plugin.Cursor.{rule}" in INNER


def test_what_a_class_inherits_is_described_with_it() -> None:
    for method in ("send", "ok", "serve", "reset", "start_tls", "wait_closed"):
        assert f"imapkit.testing.Conversation.{method}" in INNER


# For users


def test_every_method_of_every_family_is_described() -> None:
    assert set(METHODS) == {method for methods in ext.INDEX.values() for method in methods}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_described_as_help_and_editors_describe_it(name: str) -> None:
    found = METHODS[name]
    assert f"- `{found.code}`" in PAGE
    method = getattr(imapkit.IMAP4, name)
    if callable(method):
        assert found.doc == inspect.getdoc(method)
        named = [parameter for parameter in inspect.signature(method).parameters if parameter != "self"]
        assert all(re.search(rf"\b{parameter}\b", found.code) for parameter in named)
    assert len(found.doc) > 20


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_where_it_is_described_and_when_it_is_valid(name: str) -> None:
    """By RFC and section; a command that has a capability names it."""
    doc = METHODS[name].doc
    assert re.search(r"RFC \d+|draft|imaplib|sections? \d|Netscape", doc), doc


def test_every_attribute_of_a_client_is_described() -> None:
    said = inspect.getdoc(imapkit.IMAP4) or ""
    shown = {found.name for found in attributes()} | METHODS.keys()
    with ScriptedServer(handlers={}) as server, imapkit.IMAP4(server.host, server.port) as imap:
        public = {name for name in (*dir(type(imap)), *vars(imap)) if not name.startswith("_")}
    # Other tests may have brought families of their own, whose methods are known from then on.
    public -= vars(CommandFamilies).keys() - METHODS.keys()
    assert {name for name in public - shown if f"``{name}``" not in said} == set()
    assert all(len(found.doc) > 10 for found in attributes())


@pytest.mark.parametrize("client", CLIENTS)
def test_every_argument_of_a_client_is_described(client: type) -> None:
    said = f"{inspect.getdoc(client)}{inspect.getdoc(imapkit.IMAP4)}"
    arguments = list(inspect.signature(client).parameters)
    assert len(arguments) >= 8
    assert [name for name in arguments if f"``{name}``" not in said] == []


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_described_with_its_fields(name: str) -> None:
    found = RECORDS[name]
    assert len(found.doc) > 10, f"{name} has no docstring"
    assert [inner.name for inner in found.inner if not inner.doc] == []
    module, _, public = name.rpartition(".")
    thing = getattr(__import__(module, fromlist=[public]), public)
    for field in getattr(thing, "__dataclass_fields__", {}):
        assert any(line.startswith(f"{field}:") for line in found.fields) or _is_inherited(thing, field)


def _is_inherited(thing: type, field: str) -> bool:
    return field not in vars(thing).get("__annotations__", {})


@pytest.mark.parametrize("name", imapkit.__all__)
def test_every_public_name_of_imapkit_is_described(name: str) -> None:
    if name != "__version__":
        assert re.search(rf"^### `{re.escape(name)}`$", PAGE, re.MULTILINE)
    if name in PUBLIC:
        assert len(PUBLIC[name].doc) > 10, f"{name} has no docstring"


@pytest.mark.parametrize("name", [*exported("imapkit.errors"), "TLSError"])
def test_every_exception_is_described(name: str) -> None:
    home = "imapkit.core.transport.tls" if name == "TLSError" else "imapkit.errors"
    assert entry(home, name).doc == inspect.getdoc(getattr(imapkit, name))
    assert (inspect.getdoc(imapkit.errors) or "").count(name)


def test_capabilities_are_those_of_the_families() -> None:
    for name in FAMILIES:
        family = builtin(name).family
        part = PAGE[PAGE.index(f'id="family-{name}"') :].partition("\n### ")[0]
        assert all(f"`{capability}`" in part for capability in family.capabilities)
        assert all(said in part for said in family.partly.values())
