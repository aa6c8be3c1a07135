"""Every family works with only the base family; without a family its methods raise, and nothing else changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import imapkit
from imapkit import ext
from imapkit.errors import FamilyDisabledError, PluginConflictError
from imapkit.plugin import Family
from imapkit.testing import ScriptedServer, connect, load_only

BASE = "rev1"
FAMILIES = [name for name in sorted(ext.INDEX) if name != BASE]
DOCUMENTED = [
    "acl",
    "annotation",
    "compress",
    "enable",
    "esearch",
    "gmail",
    "id",
    "idle",
    "list_status",
    "move",
    "namespace",
    "proxyauth",
    "quota",
    "sort_thread",
    "starttls",
    "uidplus",
    "unselect",
]


def family(name: str) -> Family:
    (found,) = (plugin.family for plugin in load_only(BASE, name).plugins if plugin.name == name)
    return found


def test_all_documented_families_are_installed() -> None:
    assert FAMILIES == DOCUMENTED


@pytest.mark.parametrize("name", FAMILIES)
def test_declaration_of_each_family(name: str) -> None:
    offered = family(name)
    assert offered.name == name
    assert offered.capabilities
    assert offered.requires == (BASE,)
    assert offered.replaces == ()
    assert ext.INDEX[name] or offered.session or offered.selected or offered.extends


@pytest.mark.parametrize("name", FAMILIES)
def test_works_with_only_the_base_family(name: str) -> None:
    registry = load_only(BASE, name)
    assert {plugin.name for plugin in registry.plugins} == {BASE, name}
    offered = family(name)
    assert {command.name for command in offered.commands} <= set(registry.commands)
    assert set(offered.responses) <= set(registry.responses)
    with ScriptedServer() as server, connect(server, families=[BASE, name], login=False) as client:
        client.login("me", "secret")
        for method in ext.INDEX[name]:
            assert hasattr(client, method)
        assert client.select()[0] == "OK"
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize("name", FAMILIES)
def test_requires_the_base_family(name: str) -> None:
    with pytest.raises(PluginConflictError, match=f"family '{name}'.* requires the family 'rev1'"):
        load_only(name)


@pytest.fixture(scope="module")
def trimmed() -> Any:
    """A client with the base family alone."""
    with ScriptedServer(patience=60) as server, connect(server, families=["rev1"], login=False) as client:
        client.login("me", "secret")
        yield client


@pytest.mark.parametrize(("name", "method"), [(name, method) for name in FAMILIES for method in ext.INDEX[name]])
def test_methods_of_an_absent_family_raise(name: str, method: str, trimmed: imapkit.IMAP4) -> None:
    for spelling in (method, method.upper()):
        assert not hasattr(trimmed, spelling)
        with pytest.raises(FamilyDisabledError, match=f"{name!r}") as caught:
            getattr(trimmed, spelling)
        assert isinstance(caught.value, AttributeError)
        assert isinstance(caught.value, imapkit.IMAP4.error)
        assert not isinstance(caught.value, imapkit.IMAP4.abort)
    assert trimmed.noop()[0] == "OK"


def test_responses_of_an_absent_family_stay_raw(trimmed: imapkit.IMAP4) -> None:
    name: str = "QUOTA"
    assert trimmed.parse(name, [b'"" (STORAGE 1 2)']) == [b'"" (STORAGE 1 2)']


def loaded(environment: dict[str, str]) -> set[str]:
    """The families that a program has imported after it used a client class."""
    code = "import sys, imapkit; imapkit.IMAP4.noop; print(*[m for m in sys.modules if m.startswith('imapkit.ext.')])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={"PATH": "", "PYTHONPATH": str(Path(imapkit.__file__).parents[1]), **environment},
    )
    return {module.split(".")[2] for module in done.stdout.split()}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {BASE, *FAMILIES}),
        ({"IMAPKIT_PLUGINS": BASE}, {BASE}),
        ({"IMAPKIT_PLUGINS": "rev1,idle,quota"}, {BASE, "idle", "quota"}),
        ({"IMAPKIT_DISABLE": ",".join(FAMILIES[1:])}, {BASE, FAMILIES[0]}),
    ],
)
def test_disabled_families_are_not_imported(environment: dict[str, str], expected: set[str]) -> None:
    assert loaded(environment) == expected
