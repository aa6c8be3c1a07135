"""Families that a program or its user disables, in any way, are not imported, and their methods raise with the reason."""

from __future__ import annotations

import abc
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import imapkit
from imapkit import ext
from imapkit.core.contract.commands import Commands
from imapkit.core.contract.family import Family
from imapkit.errors import FamilyDisabledError
from imapkit.testing import ScriptedServer
from tests.core.rig import connect

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[2]
TWO = {"rev1", "idle"}

PROGRAM = """
import json, sys
import imapkit
from imapkit import IMAP4, configure
port = int(sys.argv[1])
def client(kind=IMAP4, **options):
    with kind("127.0.0.1", port, timeout=20, **options) as imap:
        imap.login("me", "secret")
        try:
            imap.getquota("")
        except imapkit.FamilyDisabledError as error:
            print(json.dumps([sorted(m for m in sys.modules if m.startswith("imapkit.ext.")), str(error)]))
"""

FORMS: dict[str, tuple[str, dict[str, str], str]] = {
    "IMAPKIT_PLUGINS": ("client()", {"IMAPKIT_PLUGINS": "rev1, idle"}, "not in IMAPKIT_PLUGINS"),
    "IMAPKIT_DISABLE": ("client()", {"IMAPKIT_DISABLE": ",".join(ext.INDEX.keys() - TWO)}, "switched off by IMAPKIT_DISABLE"),
    "allow": ("configure(allow=['rev1', 'idle']); client()", {}, "not in allow="),
    "deny": (f"configure(deny={sorted(ext.INDEX.keys() - TWO)}); client()", {}, "switched off by deny="),
    "configured names": ("configure(families=['rev1', 'idle']); client()", {}, "not among families="),
    "configured modules": (
        "from imapkit.ext import rev1, idle\nconfigure(families=[rev1, idle]); client()",
        {},
        "not among families=",
    ),
    "names of one client": ("client(families=['rev1', 'idle'])", {}, "not among families="),
    "modules of one client": (
        "from imapkit.ext import rev1, idle\nclient(families=(one for one in (rev1, idle)))",
        {},
        "not among families=",
    ),
    "a class of the program": (
        "class Mine(IMAP4):\n"
        "    def __init__(self, host, port, timeout):\n"
        "        super().__init__(host, port, timeout=timeout, families=['rev1', 'idle'])\n"
        "client(Mine)",
        {},
        "not among families=",
    ),
    "all together": (
        "configure(allow=['rev1', 'idle', 'quota', 'acl'], deny=['acl']); client()",
        {"IMAPKIT_DISABLE": "quota"},
        "switched off by IMAPKIT_DISABLE",
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(patience=60) as running:
        yield running


@pytest.mark.parametrize(("code", "environ", "why"), FORMS.values(), ids=FORMS)
def test_disabled_families_are_not_imported(code: str, environ: dict[str, str], why: str, server: ScriptedServer) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + code, str(server.port)],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": "", "PYTHONPATH": str(ROOT), **environ},
    )
    assert done.returncode == 0, done.stderr
    modules, error = json.loads(done.stdout)
    assert {module.split(".")[2] for module in modules} == TWO
    assert error == f"getquota() is in the family 'quota', which is {why}"


def test_importing_the_classes_loads_no_family() -> None:
    classes = "IMAP4, IMAP4_SSL, IMAP4_stream, Account, AsyncClient, Client, Mailbox, connect, q, sort"
    loaded = "print(*[name for name in sys.modules if 'imapkit.ext.' in name])"
    code = f"import sys; from imapkit import {classes}; import imapkit.client; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30, cwd=ROOT)
    assert not done.stdout.strip()


class Bare(imapkit.IMAP4):
    """A class on which no attribute has been read."""


def test_a_class_has_its_families_methods() -> None:
    for family, methods in ext.INDEX.items():
        for method in methods:
            assert method in dir(Bare)
            assert hasattr(Bare, method), family
    assert Bare.getquota.__qualname__ == "QuotaCommands.getquota"
    assert Bare.idle_refresh == 9 * 60
    with pytest.raises(AttributeError, match="nosuch"):
        Bare.nosuch  # type: ignore[attr-defined]  # noqa: B018


def test_an_uninitialised_instance_has_the_methods() -> None:
    bare = Bare.__new__(Bare)
    assert bare.noop == Bare.noop.__get__(bare)
    assert bare.idle_refresh == 9 * 60
    bare.idle_refresh = 5
    assert bare.idle_refresh == 5


class Loud(imapkit.IMAP4):
    """Overrides a family's method, and calls it in both ways."""

    __slots__ = ("called",)

    def noop(self, **options: Any) -> Any:
        self.called = "noop"
        return super().noop(**options)

    def capability(self, **options: Any) -> Any:
        self.called = "capability"
        return imapkit.IMAP4.capability(self, **options)


@pytest.mark.parametrize("families", [None, ["rev1"]])
def test_methods_of_a_subclass_come_first(families: list[str] | None, server: ScriptedServer) -> None:
    with connect(server, Loud, families=families) as imap:
        assert isinstance(imap, Loud)
        imap.login("me", "secret")
        assert imap.noop()[0] == "OK"
        assert imap.called == "noop"
        assert imap.capability()[0] == "OK"
        assert imap.called == "capability"
        assert hasattr(imap, "getquota") == (families is None)


def test_methods_patched_into_the_class_are_used(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(server) as imap:
        with monkeypatch.context() as patch:
            patch.setattr(imapkit.IMAP4, "noop", lambda self: "patched")
            assert imap.noop() == "patched"  # type: ignore[comparison-overlap]
        assert imap.noop()[0] == "OK"


class Abstract(imapkit.IMAP4, abc.ABC):
    """Has a metaclass."""


@pytest.mark.parametrize("cls", [imapkit.IMAP4, Loud, Abstract])
def test_the_class_of_an_instance_makes_equal_instances(cls: type[imapkit.IMAP4], server: ScriptedServer) -> None:
    with connect(server, cls) as one, connect(server, type(one)) as other, connect(server, type(one), families=None) as full:
        assert type(one) is type(other)
        assert type(one).__name__ == cls.__name__
        assert not hasattr(other, "getquota")
        assert hasattr(full, "getquota")
        assert isinstance(full, cls)


def shout(self: Any) -> str:
    return "loud"


def test_the_class_has_the_methods_of_other_distributions_once_loaded(server: ScriptedServer) -> None:
    mixin = type("ShoutCommands", (Commands,), {"shout": shout})
    with connect(server, families=["rev1", Family("shout", mixin=mixin)]) as imap:
        assert imap.shout() == "loud"
        assert imap.family(mixin) is imap
    with connect(server) as imap:
        assert not hasattr(imap, "shout")
        with pytest.raises(FamilyDisabledError):
            imap.family(mixin)
