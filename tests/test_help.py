"""help() and pydoc work for everything public, and show the methods of all families with their docstrings."""

from __future__ import annotations

import inspect
import pydoc
from importlib import import_module
from typing import Any

import pytest

import imapkit
from imapkit import ext
from imapkit.core.plugins.loader import builtin
from imapkit.testing import ScriptedServer

MODULES = [
    "imapkit",
    "imapkit.client",
    "imapkit.compat",
    "imapkit.errors",
    "imapkit.ext",
    "imapkit.plugin",
    "imapkit.testing",
    *(f"imapkit.ext.{name}" for name in ext.INDEX),
]
CLIENTS = [imapkit.IMAP4, imapkit.IMAP4_SSL, imapkit.IMAP4_stream]


class Mine(imapkit.IMAP4):
    """A program's own client."""

    def login(self, *args: Any, **options: Any) -> Any:
        """Log in as this program does."""
        return super().login(*args, **options)


def shown(thing: Any) -> str:
    """What help() prints."""
    return pydoc.plain(pydoc.render_doc(thing))


@pytest.mark.parametrize("module", MODULES)
def test_help_of_a_module(module: str) -> None:
    found = shown(module)
    said = inspect.getdoc(import_module(module))
    assert said
    assert said.splitlines()[0] in found
    for name in import_module(module).__all__:
        assert name.strip("_") in found


@pytest.mark.parametrize("module", MODULES)
def test_help_of_each_public_name(module: str) -> None:
    for name in import_module(module).__all__:
        thing = getattr(import_module(module), name)
        if isinstance(thing, str):
            continue  # pydoc takes a text for the name of a module
        found = shown(thing)
        if inspect.isclass(thing) or inspect.isroutine(thing):
            said = inspect.getdoc(thing)
            assert said, name
            assert said.splitlines()[0] in found, name


@pytest.mark.parametrize("client", CLIENTS)
def test_help_of_a_client_has_every_method_of_every_family(client: type) -> None:
    found = shown(client)
    for names in ext.INDEX.values():
        for name in names:
            assert f" |  {name}" in found, name
            method = getattr(client, name)
            if callable(method):
                assert (inspect.getdoc(method) or "no docstring").splitlines()[0] in found, name


@pytest.mark.parametrize("family", ext.INDEX)
def test_help_of_each_method(family: str) -> None:
    for method in ext.INDEX[family]:
        if callable(getattr(builtin(family).family.mixin, method)):
            whole = inspect.getdoc(getattr(imapkit.IMAP4, method))
            assert whole, method
            found = shown(f"imapkit.IMAP4.{method}")
            assert [line for line in whole.splitlines() if line not in found] == [], method


def test_help_of_a_subclass_shows_its_own_methods() -> None:
    found = shown(Mine)
    assert "Log in as this program does." in found
    assert "Ask for the usage and the limits of a quota root" in found


def test_help_of_a_connected_client() -> None:
    with ScriptedServer(handlers={}) as server, imapkit.IMAP4(server.host, server.port) as imap:
        found = shown(imap)
    assert "Ask for the usage and the limits of a quota root" in found


def test_help_of_a_client_without_a_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that is not there has its name alone."""
    from imapkit.core.plugins.loader import Loader
    from imapkit.core.raw import mixing

    monkeypatch.setenv("IMAPKIT_DISABLE", "quota")
    monkeypatch.setattr(mixing, "registry", Loader().registry)
    kind = type("Fresh", (imapkit.IMAP4,), {"__doc__": "A client."})
    assert not hasattr(kind, "getquota")
    assert "Ask for the usage and the limits of a quota root" not in shown(kind)
    assert "Log in with a name and a password" in shown(kind)


def test_a_class_below_the_clients_has_no_methods_of_families() -> None:
    """``inspect`` asks each class of the order of resolution for each name."""
    for kind in imapkit.IMAP4.__mro__[1:]:
        assert not hasattr(kind, "getquota"), kind
    assert {attribute.name for attribute in inspect.classify_class_attrs(imapkit.IMAP4)} >= {"getquota", "login", "idle"}
