"""The references are fresh, leave nothing undocumented, and say what help() says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache

import pytest

import imapkit
from docs.make_reference import CONTRACT, MODULES, USERS, contract_page, users_page
from docs.reference_source import Entry, entries, entry, exported, forget
from docs.reference_users import FAMILIES, attributes, commands, records, sections
from imapkit import ext
from imapkit.core.plugins.loader import builtin
from imapkit.core.raw.mixing import CommandFamilies
from imapkit.testing import ScriptedServer

DECLARED = ["Code", "Command", "Family", "Item", "LayerSpec", "Response"]
CLIENTS = [imapkit.IMAP4, imapkit.IMAP4_SSL, imapkit.IMAP4_stream]


@cache
def names() -> dict[str, Entry]:
    """What is public for authors of plugins."""
    return {f"{module}.{entry.name}": entry for module in MODULES for entry in entries(module)}


@cache
def inner_names() -> dict[str, Entry]:
    """Their public methods and attributes."""
    return {f"{name}.{inner.name}": inner for name, entry in names().items() for inner in entry.inner}


@cache
def methods() -> dict[str, Entry]:
    """The methods of all families."""
    return {found.name: found for name in FAMILIES for _, those in commands(name) for found in those}


@cache
def found_records() -> dict[str, Entry]:
    """The records of all families."""
    return {found.name: found for name in FAMILIES for found in records(name)}


@cache
def public() -> dict[str, Entry]:
    """What else ``import imapkit`` brings."""
    return {found.name: found for found in sections()}


users, contract = cache(users_page), cache(contract_page)


@pytest.fixture(scope="module", autouse=True)
def _sources_are_forgotten() -> Iterator[None]:
    """The collector would walk through all of them in later tests."""
    yield
    for cached in (names, inner_names, methods, found_records, public, users, contract):
        cached.cache_clear()
    forget()


def test_the_pages_are_fresh() -> None:
    assert CONTRACT.read_text(encoding="utf-8") == contract(), "python docs/make_reference.py writes it again"
    assert USERS.read_text(encoding="utf-8") == users(), "python docs/make_reference.py writes it again"


# For authors of plugins


def test_every_public_name_is_documented() -> None:
    assert len(names()) > 100
    assert [name for name, entry in names().items() if len(entry.doc) <= 10] == []


def test_every_method_and_attribute_is_documented() -> None:
    assert len(inner_names()) > 100
    assert [name for name, entry in inner_names().items() if not entry.doc] == []


@pytest.mark.parametrize("name", DECLARED)
def test_every_field_of_a_declaration_is_documented(name: str) -> None:
    entry = names()[f"imapkit.plugin.{name}"]
    fields = [re.split("[: ]", field)[0] for field in entry.fields]
    assert fields
    assert [field for field in fields if f"``{field}``" not in entry.doc and f"``{field}(" not in entry.doc] == []


def test_the_hook_is_documented() -> None:
    [hook] = names()["imapkit.plugin.Specs"].inner
    assert hook == Entry("imapkit_family", "imapkit_family() -> Family", hook.doc)
    assert f"### `{'Specs'}`" in contract()


def test_it_is_the_contract_that_is_described() -> None:
    from imapkit import plugin, testing

    assert set(plugin.__all__) == {name.rpartition(".")[2] for name in names() if name.startswith("imapkit.plugin.")}
    assert set(testing.__all__) == {name.rpartition(".")[2] for name in names() if name.startswith("imapkit.testing.")}
    for method in ("_call", "_result"):
        assert f"imapkit.plugin.Commands.{method}" in inner_names()
    for rule in ("atom", "astring", "mailbox", "number", "flag_list", "value"):
        assert f"imapkit.plugin.Cursor.{rule}" in inner_names()


def test_inherited_members_are_described_with_their_class() -> None:
    for method in ("send", "ok", "serve", "reset", "start_tls", "wait_closed"):
        assert f"imapkit.testing.Conversation.{method}" in inner_names()


# For users


def test_every_method_of_every_family_is_described() -> None:
    assert set(methods()) == {method for methods in ext.INDEX.values() for method in methods}


def test_a_method_is_described_as_help_and_editors_describe_it() -> None:
    for name, found in methods().items():
        assert f"- `{found.code}`" in users()
        method = getattr(imapkit.IMAP4, name)
        if callable(method):
            assert found.doc == inspect.getdoc(method)
            named = [parameter for parameter in inspect.signature(method).parameters if parameter != "self"]
            assert all(re.search(rf"\b{parameter}\b", found.code) for parameter in named), name
        assert len(found.doc) > 20, name


def test_a_method_says_where_it_is_described_and_when_it_is_valid() -> None:
    """By RFC and section; a command that has a capability names it."""
    for name, found in methods().items():
        assert re.search(r"RFC \d+|draft|imaplib|sections? \d|Netscape|X-GM-EXT-1|as ``x_gm", found.doc), name


def test_every_attribute_of_a_client_is_described() -> None:
    said = inspect.getdoc(imapkit.IMAP4) or ""
    shown = {found.name for found in attributes()} | methods().keys()
    with ScriptedServer(handlers={}) as server, imapkit.IMAP4(server.host, server.port) as imap:
        public = {name for name in (*dir(type(imap)), *vars(imap)) if not name.startswith("_")}
    # Other tests may have brought families of their own, whose methods are known from then on.
    public -= vars(CommandFamilies).keys() - methods().keys()
    assert {name for name in public - shown if f"``{name}``" not in said} == set()
    assert all(len(found.doc) > 10 for found in attributes())


@pytest.mark.parametrize("client", CLIENTS)
def test_every_argument_of_a_client_is_described(client: type) -> None:
    said = f"{inspect.getdoc(client)}{inspect.getdoc(imapkit.IMAP4)}"
    arguments = list(inspect.signature(client).parameters)
    assert len(arguments) >= 8
    assert [name for name in arguments if f"``{name}``" not in said] == []


def test_a_record_is_described_with_its_fields() -> None:
    for name, found in found_records().items():
        assert len(found.doc) > 10, f"{name} has no docstring"
        assert [inner.name for inner in found.inner if not inner.doc] == [], name
        module, _, public = name.rpartition(".")
        thing = getattr(__import__(module, fromlist=[public]), public)
        # (An Item is a value of its class, whose fields are described with that.)
        for field in getattr(thing, "__dataclass_fields__", {}) if isinstance(thing, type) else ():
            assert any(line.startswith(f"{field}:") for line in found.fields) or _is_inherited(thing, field), (name, field)


def _is_inherited(thing: type, field: str) -> bool:
    return field not in vars(thing).get("__annotations__", {})


def test_every_public_name_of_imapkit_is_described() -> None:
    for name in imapkit.__all__:
        assert name == "__version__" or re.search(rf"^### `{re.escape(name)}`$", users(), re.MULTILINE), name
        assert name not in public() or len(public()[name].doc) > 10, f"{name} has no docstring"


def test_every_exception_is_described() -> None:
    for name in (*exported("imapkit.errors"), "TLSError"):
        home = "imapkit.core.transport.tls" if name == "TLSError" else "imapkit.errors"
        assert entry(home, name).doc == inspect.getdoc(getattr(imapkit, name))
        assert (inspect.getdoc(imapkit.errors) or "").count(name), name


def test_capabilities_are_those_of_the_families() -> None:
    for name in FAMILIES:
        family = builtin(name).family
        part = users()[users().index(f'id="family-{name}"') :].partition("\n### ")[0]
        assert all(f"`{capability}`" in part for capability in family.capabilities)
        assert all(said in part for said in family.partly.values())
