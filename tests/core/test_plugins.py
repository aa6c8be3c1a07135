from __future__ import annotations

import gc
import os
import sys
import threading
import types
import weakref
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import importlib_metadata
import pytest

import imapkit
from imapkit import ext
from imapkit.core.contract.family import Family, hookimpl
from imapkit.core.plugins import loader as plugins
from imapkit.core.plugins.loader import Discovery, Loader, discover
from imapkit.core.plugins.registry import Registry
from imapkit.errors import PluginConflictError, PluginError, PluginLoadError
from imapkit.plugin import Command, Commands, Cursor, State, Untagged, is_about_mailbox
from imapkit.testing import ScriptedServer, answering, connect
from imapkit.testing.families import load_only

GOOD = """
from imapkit.plugin import Command, Family, State, hookimpl

@hookimpl
def imapkit_family():
    return Family({name!r}, commands=(Command("X{upper}", State.ANY),))
"""


def good(name: str) -> str:
    return GOOD.format(name=name, upper=name.upper())


class Site:
    """A directory on sys.path with distributions in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def module(self, name: str, source: str) -> None:
        (self.root / f"{name}.py").write_text(dedent(source))

    def add(self, dist: str, points: Mapping[str, str], version: str = "1.0") -> None:
        """A distribution with these entry points: name to module."""
        info = self.root / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        lines = "".join(f"{name} = {module}\n" for name, module in points.items())
        (info / "entry_points.txt").write_text(f"[imapkit]\n{lines}")

    def family(self, name: str, source: str | None = None, version: str = "1.0") -> str:
        """A distribution with one family, in a module of its own."""
        module = f"imapkit_test_{name}"
        self.module(module, good(name) if source is None else source)
        self.add(f"dist-{name}", {name: module}, version)
        return module


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("IMAPKIT_PLUGINS", raising=False)
    monkeypatch.delenv("IMAPKIT_DISABLE", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Site(tmp_path)
    for name in set(sys.modules) - before:
        if name.startswith("imapkit_test_"):
            del sys.modules[name]


def names(found: Discovery | Registry) -> list[str]:
    return [plugin.name for plugin in found.plugins]


def test_an_installed_family_is_found_with_its_origin(site: Site) -> None:
    site.family("alpha", version="3.1")
    (plugin,) = discover(allow=["alpha"]).plugins
    assert (plugin.name, plugin.distribution, plugin.version) == ("alpha", "dist-alpha", "3.1")
    assert [command.name for command in plugin.family.commands] == ["XALPHA"]


def test_a_distribution_may_offer_several_families_from_one_module(site: Site) -> None:
    source = "from imapkit.plugin import Family\nONE = Family('one')\nTWO = Family('two', requires=('one',))\nWRONG = Family('x')"
    site.module("imapkit_test_several", source)
    points = {name: f"imapkit_test_several:{name.upper()}" for name in ("one", "two", "wrong")}
    site.add("dist-several", points, "1.0")
    found = discover(allow=["one", "two"])
    assert [(plugin.name, plugin.distribution) for plugin in found.plugins] == [("one", "dist-several"), ("two", "dist-several")]
    assert found.absent["wrong"] == "not in allow="
    assert names(discover(allow=["two"])) == ["two"]
    with pytest.raises(PluginLoadError, match="offers a family of another name, 'x'"):
        discover(allow=["wrong"])


def test_every_installed_family_is_found(site: Site) -> None:
    for name in ("beta", "alpha"):
        site.family(name)
    found = discover(deny=ext.INDEX)
    assert names(found) == ["alpha", "beta"]
    assert {found.absent[name] for name in ext.INDEX} == {"switched off by deny="}


ABSENT: list[tuple[dict[str, Any], str]] = [
    ({"allow": ["alpha"]}, "not in allow="),
    ({"allow": ["alpha", "beta"], "deny": ["beta"]}, "switched off by deny="),
    ({"explicit": ["alpha"]}, "not among families="),
    ({"environ": {"IMAPKIT_PLUGINS": " alpha ,"}}, "not in IMAPKIT_PLUGINS"),
    ({"allow": ["alpha", "beta"], "environ": {"IMAPKIT_DISABLE": "other, beta"}}, "switched off by IMAPKIT_DISABLE"),
    ({"explicit": ["alpha", "beta"], "environ": {"IMAPKIT_DISABLE": "beta"}}, "switched off by IMAPKIT_DISABLE"),
]


@pytest.mark.parametrize(("arguments", "reason"), ABSENT)
def test_a_family_that_is_ruled_out_is_not_imported(site: Site, arguments: dict[str, Any], reason: str) -> None:
    site.family("alpha")
    module = site.family("beta", "raise RuntimeError('imported')")
    found = discover(**{"environ": {}, **arguments})
    assert names(found) == ["alpha"]
    assert found.absent["beta"] == reason
    assert module not in sys.modules


def test_the_environment_is_read_unless_another_is_given(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.family("alpha")
    site.family("beta")
    monkeypatch.setenv("IMAPKIT_PLUGINS", "alpha")
    assert names(discover()) == ["alpha"]
    monkeypatch.delenv("IMAPKIT_PLUGINS")
    assert names(discover(explicit=["alpha", "beta"])) == ["alpha", "beta"]
    assert names(discover(explicit=["alpha", "beta"], environ={"IMAPKIT_DISABLE": "alpha"})) == ["beta"]


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({"allow": ["alpha", "nosuch"]}, "allow="),
        ({"explicit": ["alpha", "nosuch"]}, "families="),
        ({"environ": {"IMAPKIT_PLUGINS": "alpha,nosuch"}}, "IMAPKIT_PLUGINS"),
    ],
)
def test_an_unknown_name_is_refused_with_a_list(site: Site, arguments: dict[str, Any], asked: str) -> None:
    site.family("alpha")
    with pytest.raises(PluginError, match=f"^{asked}: there is no family 'nosuch'; there are: .*alpha"):
        discover(**{"environ": {}, **arguments})


def test_an_unknown_name_may_be_switched_off(site: Site) -> None:
    site.family("alpha")
    asked = {"IMAPKIT_PLUGINS": "alpha,nosuch"}
    assert names(discover(environ={**asked, "IMAPKIT_DISABLE": "nosuch"})) == ["alpha"]
    assert names(discover(allow=["nosuch"], deny=["nosuch"], environ=asked | {"IMAPKIT_PLUGINS": ""})) == []
    assert names(discover(allow=["alpha"], deny=["nosuch"], environ={"IMAPKIT_DISABLE": "another"})) == ["alpha"]


@pytest.mark.parametrize("nothing", ["", " ", ",", " , "])
def test_an_empty_list_in_the_environment_leaves_no_family(site: Site, nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site.family("alpha")
    monkeypatch.setenv("IMAPKIT_PLUGINS", nothing)
    found = discover()
    assert names(found) == []
    assert found.absent["rev1"] == found.absent["alpha"] == "not in IMAPKIT_PLUGINS"
    for families in (None, ["alpha"]):
        with pytest.raises(
            PluginError, match=r"^IMAPKIT_PLUGINS='.*' leaves no command family.*: unset it, or name the families"
        ):
            Loader().registry(families)


def test_a_program_may_ask_for_no_family(site: Site) -> None:
    """That is its own decision, and no mistake of the user's."""
    site.family("alpha")
    assert Loader().registry([]).plugins == ()


@pytest.mark.parametrize("name", ["a,b", "a b", "-x", "caf\u00e9", "\x1b[31mred"])
def test_a_name_that_cannot_be_switched_off_is_refused(site: Site, name: str) -> None:
    site.module("imapkit_test_fixed", "1 / 0")
    site.add("dist-fixed", {name: "imapkit_test_fixed"}, "2.5")
    with pytest.raises(PluginLoadError) as caught:
        discover(allow=[name])
    text = str(caught.value)
    assert "(entry point 'imapkit_test_fixed' of dist-fixed 2.5) has a name that cannot be switched off" in text
    assert text.endswith("; uninstall dist-fixed")
    assert text.isprintable()
    assert "imapkit_test_fixed" not in sys.modules
    assert names(discover(allow=[])) == []


def test_two_of_a_name_that_cannot_be_switched_off(site: Site) -> None:
    for dist in ("dist-one", "dist-two"):
        site.add(dist, {"a,b": "imapkit_test_fixed"})
    with pytest.raises(PluginConflictError, match=r"same name: .*; uninstall all but one of them$"):
        discover(allow=["a,b"])


@pytest.mark.parametrize("argument", ["allow", "deny", "explicit"])
def test_a_string_is_no_list(site: Site, argument: str) -> None:
    with pytest.raises(PluginError, match="takes a list of names, not the string 'alpha'"):
        discover(**{argument: "alpha"})  # type: ignore[arg-type]


BROKEN = {
    "import": ("import imapkit_test_nowhere", "ModuleNotFoundError: No module named 'imapkit_test_nowhere'"),
    "syntax": ("def (", "SyntaxError"),
    "nothing": ("", "offers no family"),
    "none": (good("alpha").replace("return Family", "return None and Family"), "hook imapkit_family returned None"),
    "no family": (good("alpha").replace("return Family", "return 5 or Family"), "returned int"),
    "another name": (good("beta"), "a family of another name, 'beta'"),
    "signature": (
        good("alpha").replace("imapkit_family()", "imapkit_family(config)"),
        "wrong signature, imapkit_family(config): ",
    ),
    "hook's name": (
        good("alpha").replace("imapkit_family()", "imapkit_famly()"),
        "a hook of a wrong name, imapkit_famly: the hook is imapkit_family",
    ),
    "no mark": (good("alpha").replace("@hookimpl", ""), "offers no family: imapkit_family is not marked with @hookimpl"),
    "exit": ("import sys; sys.exit('no licence')", "cannot be imported: SystemExit: no licence"),
    "exit in the hook": (good("alpha").replace("return Family", "raise SystemExit or Family"), "hook imapkit_family: SystemExit"),
    "cancelled": ("import asyncio; raise asyncio.CancelledError", "cannot be imported: CancelledError; "),
    "no comma": (good("alpha").replace("),))", ")))"), "declares its family wrongly: commands= is one Command and not a tuple"),
    "raises": (good("alpha").replace("return Family", "raise KeyError('gone') or Family"), "KeyError: 'gone'"),
}


@pytest.mark.parametrize(("source", "cause"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_named_with_the_way_out(site: Site, source: str, cause: str) -> None:
    module = site.family("alpha", source, version="0.3")
    with pytest.raises(PluginLoadError) as caught:
        discover(allow=["alpha"])
    text = str(caught.value)
    assert f"plugin 'alpha' (entry point '{module}' of dist-alpha 0.3)" in text
    assert cause in text
    assert text.endswith("IMAPKIT_DISABLE=alpha switches it off")
    assert names(discover(deny=ext.INDEX, environ={"IMAPKIT_DISABLE": "alpha"})) == []


def test_every_broken_plugin_is_named(site: Site) -> None:
    for name in ("gamma", "alpha"):
        site.family(name, "1 / 0")
    site.family("beta")
    with pytest.raises(PluginLoadError) as caught:
        discover(allow=["alpha", "beta", "gamma"])
    assert [line.split("'")[1] for line in str(caught.value).splitlines()] == ["alpha", "gamma"]
    assert caught.value.families == ("alpha", "gamma")


def test_errors_of_different_kinds_are_reported_together(site: Site) -> None:
    for name in ("alpha", "beta"):
        site.family(name, "1 / 0")
    site.add("another", {"alpha": "imapkit_test_alpha"})
    with pytest.raises(PluginError) as caught:
        discover(allow=["alpha", "beta"])
    assert [type(part) for part in caught.value.parts] == [PluginConflictError, PluginLoadError]
    assert str(caught.value).splitlines() == [str(part) for part in caught.value.parts]
    copy = caught.value.fresh()
    assert (type(copy), copy.families, copy.parts) == (PluginError, ("alpha", "beta"), caught.value.parts)


def test_ctrl_c_goes_through(site: Site) -> None:
    site.family("alpha", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        discover(allow=["alpha"])


class TestContract:
    """A family may need more than this imapkit has; then the error says what to install, as far as the distribution says it."""

    @staticmethod
    def refused(site: Site, contract: str, requires: str = "") -> str:
        source = good("alpha").replace("commands=", f"contract={contract}, commands=")
        site.family("alpha", source, version="2.0")
        if requires:
            metadata = next(site.root.glob("dist_alpha-*/METADATA"))
            metadata.write_text(f"{metadata.read_text()}Requires-Dist: {requires}\n")
        with pytest.raises(PluginLoadError) as caught:
            discover(allow=["alpha"])
        text = str(caught.value)
        assert text.endswith("; IMAPKIT_DISABLE=alpha switches it off")
        return text

    @pytest.mark.parametrize("requires", ["imapkit>=9.1", "imapkit[demo] (>=9.1)", "imapkit>=9.1; python_version > '3'"])
    def test_newer(self, site: Site, requires: str) -> None:
        assert (
            f"is for contract 3 of imapkit.plugin, and imapkit {imapkit.__version__} has contract 2: install imapkit>=9.1,"
            " or a version of dist-alpha before 2.0; " in self.refused(site, "3", requires)
        )

    @pytest.mark.parametrize("requires", ["", "imapkit", "imapkit-other>=3"])
    def test_newer_and_nothing_is_asked_for(self, site: Site, requires: str) -> None:
        assert f": install an imapkit that is newer than {imapkit.__version__}, or a" in self.refused(site, "3", requires)

    @pytest.mark.parametrize("contract", ["0", "-1", "'1'", "True", "1.0"])
    def test_none_at_all(self, site: Site, contract: str) -> None:
        assert f"for contract {contract} of imapkit.plugin, which there is not" in self.refused(site, contract)

    def test_a_missing_name_may_come_with_the_version_asked_for(self, site: Site) -> None:
        site.family("alpha", "from imapkit.plugin import Novelty", version="2.0")
        metadata = next(site.root.glob("dist_alpha-*/METADATA"))
        metadata.write_text(f"{metadata.read_text()}Requires-Dist: imapkit>=9.1\n")
        with pytest.raises(PluginLoadError, match=r"ImportError.*; dist-alpha 2.0 asks for imapkit>=9.1, this is "):
            discover(allow=["alpha"])


def test_the_cause_is_chained(site: Site) -> None:
    site.family("alpha", "1 / 0")
    with pytest.raises(PluginLoadError) as caught:
        discover(allow=["alpha"])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_two_distributions_with_the_same_name(site: Site) -> None:
    site.module("imapkit_test_twin", good("twin"))
    site.add("dist-one", {"twin": "imapkit_test_twin"}, "1.1")
    site.add("dist-two", {"twin": "imapkit_test_twin"}, "2.2")
    with pytest.raises(PluginConflictError) as caught:
        discover(allow=["twin"])
    assert "dist-one 1.1" in str(caught.value)
    assert "dist-two 2.2" in str(caught.value)
    assert "imapkit_test_twin" not in sys.modules
    assert discover(deny=["twin", *ext.INDEX]).plugins == ()


def test_a_shadowed_distribution_does_not_count(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.family("alpha", version="2.0")
    behind = tmp_path / "behind"
    behind.mkdir()
    Site(behind).family("alpha", "raise RuntimeError('imported')", version="1.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(behind)])
    assert [plugin.version for plugin in discover(allow=["alpha"]).plugins] == ["2.0"]


def module_of(name: str) -> types.ModuleType:
    module = types.ModuleType(f"frozen_{name}")
    exec(good(name), vars(module))
    return module


def test_modules_families_and_objects_can_be_given() -> None:
    class Plugin:
        @hookimpl
        def imapkit_family(self) -> Family:
            return Family("object")

    found = discover(explicit=[module_of("frozen"), Family("direct"), Plugin()], environ={})
    assert names(found) == ["direct", "frozen", "object"]
    assert found.plugins[1].distribution == "module frozen_frozen"
    assert set(found.absent.values()) <= {"not among families=", "not installed"}


def test_a_given_module_can_be_switched_off_too() -> None:
    found = discover(explicit=[module_of("one"), module_of("two")], environ={"IMAPKIT_DISABLE": "two"})
    assert names(found) == ["one"]
    assert found.absent["two"] == "switched off by IMAPKIT_DISABLE"


def test_a_given_module_stands_for_the_installed_one(site: Site) -> None:
    site.family("alpha", "raise RuntimeError('imported')")
    found = discover(explicit=["alpha", module_of("alpha")], environ={})
    assert [(plugin.name, plugin.distribution) for plugin in found.plugins] == [("alpha", "module frozen_alpha")]
    assert "alpha" not in found.absent


def test_a_given_module_without_the_hook() -> None:
    with pytest.raises(PluginLoadError, match=r"plugin module os offers no family: .*; leave it out of families="):
        discover(explicit=[os])


class TestWithoutMetadata:
    """A frozen application, a zipapp or a bare source tree: imapkit's own entry points are not to be found."""

    @pytest.fixture(autouse=True)
    def builtin(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> Any:
        (site.root / "sample.py").write_text(good("sample"))
        monkeypatch.setattr(ext, "__path__", [str(site.root), *ext.__path__])
        monkeypatch.setattr(ext, "INDEX", {"sample": (), "trimmed": ("xtrimmed",)})
        yield
        sys.modules.pop("imapkit.ext.sample", None)
        vars(ext).pop("sample", None)

    def test_builtin_families_are_found_by_module(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        site.family("alpha")
        monkeypatch.setattr(plugins, "OWN", "imapkit-without-metadata")
        monkeypatch.setattr("imapkit.core.plugins.loading.__version__", "9.9")
        found = discover(allow=["sample", "alpha"])
        assert [(plugin.name, plugin.version) for plugin in found.plugins] == [("alpha", "1.0"), ("sample", "9.9")]
        assert found.absent["trimmed"] == "not in this build of imapkit"

    def test_with_metadata_only_entry_points_count(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        site.add("imapkit-with-metadata", {})
        monkeypatch.setattr(plugins, "OWN", "imapkit-with-metadata")
        assert importlib_metadata.version(plugins.OWN) == "1.0"
        installed = {point.name for point in importlib_metadata.entry_points(group="imapkit")}
        found = discover(deny=installed)
        assert found.plugins == ()
        assert (found.absent["sample"], found.absent["trimmed"]) == ("not installed", "not in this build of imapkit")

    def test_another_distribution_cannot_take_a_builtin_name(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        site.family("sample")
        monkeypatch.setattr(plugins, "OWN", "imapkit-without-metadata")
        with pytest.raises(PluginConflictError, match=r"imapkit\.ext\.sample.* and .*dist-sample 1\.0"):
            discover(allow=["sample"])


def family_of_its_own() -> tuple[Family, Any]:
    """A family that a program makes for one client, and the function with which it reads names."""

    def reader(cursor: Cursor) -> bytes:
        return cursor.astring()

    def matches(about: str, response: Untagged) -> bool | None:
        return is_about_mailbox(about, response, reader)

    class MyCommands(Commands):
        def xmine(self) -> Any:
            return self._call("XMINE", "INBOX")

    command = Command("XMINE", State.ANY, result=("STATUS",), subject=lambda args, uid: args[0], matches=matches)
    return Family("mine", MyCommands, commands=(command,)), reader


class TestLoader:
    def test_registries_are_made_once(self, site: Site) -> None:
        site.family("alpha")
        site.family("beta")
        loader, module = Loader(), module_of("gamma")
        loader.configure(deny=["beta", *ext.INDEX])
        assert names(loader.registry()) == ["alpha"]
        assert loader.registry() is loader.registry(None)
        assert loader.registry(["alpha", module]) is loader.registry(name for name in ("alpha", module))
        assert names(loader.registry(["alpha", module])) == ["alpha", "gamma"]
        assert names(loader.registry(["alpha", "beta"])) == ["alpha"]

    def test_families_that_a_program_makes_for_each_client_are_forgotten(self) -> None:
        """A hundred clients in a row, each with a family of its own: what it holds must go some time after it."""
        mixins: weakref.WeakSet[type] = weakref.WeakSet()
        readers: weakref.WeakSet[Any] = weakref.WeakSet()
        with ScriptedServer(handlers={"XMINE": answering(b"* STATUS INBOX (MESSAGES 1)\r\n")}) as server:
            for _ in range(100):
                family, reader = family_of_its_own()
                mixins.add(family.mixin or type)
                readers.add(reader)
                with connect(server, families=["rev1", family]) as client:
                    assert client.xmine()[0] == "OK"
                del family, reader, client
        gc.collect()
        assert len(mixins) < 50
        assert len(readers) < 80

    def test_a_registry_in_use_outlives_its_place_among_those_that_are_kept(self) -> None:
        loader, first = Loader(), Family("first")
        kept = loader.registry([first])
        assert all(names(loader.registry([Family(f"f{i}")])) == [f"f{i}"] for i in range(200))
        assert names(kept) == names(loader.registry([first])) == ["first"]
        assert loader.registry() is loader.registry(), "that of all families is made once"

    def test_configured_families_are_the_default(self, site: Site) -> None:
        site.family("alpha")
        loader = Loader()
        loader.configure(families=[module_of("frozen")])
        assert names(loader.registry()) == ["frozen"]
        assert loader.registry().absent["alpha"] == "not among families="
        assert names(loader.registry(["alpha"])) == ["alpha"]

    def test_the_last_call_counts(self, site: Site) -> None:
        site.family("alpha")
        loader = Loader()
        loader.configure(families=["nosuch"])
        loader.configure(allow=["alpha"])
        assert names(loader.registry()) == ["alpha"]

    def test_configure_comes_too_late_after_first_use(self) -> None:
        loader = Loader()
        loader.registry([])
        with pytest.raises(PluginError, match="too late"):
            loader.configure(deny=["rev1"])

    def test_after_a_failure_the_program_may_configure_again(self, site: Site) -> None:
        site.family("alpha", "1 / 0")
        site.family("beta")
        loader = Loader()
        for _ in range(2):
            with pytest.raises(PluginLoadError):
                loader.registry(["alpha", "beta"])
        loader.configure(deny=["alpha"])
        assert names(loader.registry(["alpha", "beta"])) == ["beta"]

    def test_a_plugin_that_makes_a_client_as_it_is_imported(self, site: Site) -> None:
        loader = Loader()
        module = types.ModuleType("imapkit_test_shared")
        vars(module)["loader"] = loader
        sys.modules["imapkit_test_shared"] = module
        site.family("alpha", "import imapkit_test_shared\nimapkit_test_shared.loader.registry()")
        try:
            with pytest.raises(PluginLoadError, match="a plugin made a client while it was being imported"):
                loader.registry(["alpha"])
        finally:
            del sys.modules["imapkit_test_shared"]

    def test_many_threads_get_one_registry(self, site: Site) -> None:
        site.family("alpha")
        loader, got, start = Loader(), [], threading.Barrier(8)

        def ask() -> None:
            start.wait(10)
            got.append(loader.registry(["alpha"]))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(got) == 8
        assert len(set(map(id, got))) == 1


def test_the_builtin_base_family_is_found() -> None:
    (plugin,) = discover(explicit=["rev1"], environ={}).plugins
    assert (plugin.name, plugin.distribution) == ("rev1", "imapkit")


def test_load_only_ignores_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.family("alpha")
    monkeypatch.setenv("IMAPKIT_DISABLE", "alpha")
    registry = load_only("alpha", module_of("beta"), Family("gamma"))
    assert names(registry) == ["alpha", "beta", "gamma"]
    assert set(registry.commands) == {"XALPHA", "XBETA"}
    with pytest.raises(PluginConflictError, match="requires the family 'alpha', which is not among families=: enable 'alpha'"):
        load_only(Family("gamma", requires=("alpha",)))
