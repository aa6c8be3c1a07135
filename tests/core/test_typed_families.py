"""The classes of typed commands that families bring: their names, their order, and when they are imported."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from imapkit.core.contract.commands import Commands
from imapkit.core.contract.family import CONTRACT, Family
from imapkit.core.plugins.registry import Plugin, Registry
from imapkit.core.raw.facade import Client
from imapkit.errors import FamilyDisabledError, PluginConflictError, PluginError, PluginLoadError


class Typed:
    """As the base of typed commands is known: by an attribute of its own."""

    _typed_commands = True

    def with_options(self) -> None: ...


class Quota(Typed):
    def quota(self) -> str:
        return "quota"


class Better(Typed):
    def quota(self) -> str:
        return "better"


class Labels(Typed):
    def add_labels(self) -> None: ...

    def _helper(self) -> None: ...


class Old(Commands):
    def xold(self) -> str:
        return "old"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that has typed commands."""
    made: Any = ModuleType("imapkit_typed_home")
    made.Quota, made.Labels, made.Plain = Quota, Labels, object
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return str(made.__name__)


def build(*families: Family, absent: dict[str, str] | None = None) -> Registry:
    return Registry.build([Plugin(f.name, f, f"imapkit-{f.name}", "1.0") for f in families], absent, Client)


def test_a_family_of_the_first_contract_works_as_before() -> None:
    registry = build(Family("old", Old, contract=1), Family("quota", session=Quota, contract=2))
    assert CONTRACT == 2
    assert registry.mixins == (Old,)
    assert registry.session_mixins == (Quota,)
    assert registry.selected_mixins == ()
    assert dict(registry.methods) == {"xold": "old"}


def test_the_names_are_the_classes_own() -> None:
    registry = build(Family("gmail", selected=Labels), Family("quota", session=Quota))
    assert dict(registry.typed.selected.methods) == {"add_labels": "gmail"}
    assert dict(registry.typed.session.methods) == {"quota": "quota"}


@pytest.mark.parametrize("side", ["session", "selected"])
@pytest.mark.parametrize("late", [False, True])
def test_two_families_that_claim_one_name(side: str, late: bool, home: str) -> None:
    given: dict[str, Any] = {side: f"{home}:Quota" if late else Quota}
    other: dict[str, Any] = {side: Better}
    with pytest.raises(PluginConflictError) as caught:
        getattr(build(Family("first", **given), Family("second", **other)), f"{side}_mixins")
    assert f"{side}:quota: claimed by the families 'first' (imapkit-first 1.0) and 'second'" in str(caught.value)
    assert f'replaces=("{side}:quota",)' in str(caught.value)


def test_a_conflict_between_classes_is_told_before_any_typed_client() -> None:
    with pytest.raises(PluginConflictError):
        build(Family("first", session=Quota), Family("second", session=Better))
    build(Family("first", session=Quota), Family("second", selected=Better))


@pytest.mark.parametrize("winner", ["aaa", "zzz"])
def test_the_one_that_says_replaces_comes_first(winner: str, home: str) -> None:
    registry = build(
        Family("mmm", session=f"{home}:Quota"),
        Family(winner, session=Better, replaces=("session:quota",)),
    )
    assert registry.session_mixins == (Better, Quota)
    assert dict(registry.typed.session.methods) == {"quota": winner}


def test_the_order_follows_requires_and_base_classes() -> None:
    class More(Quota):
        def more(self) -> None: ...

    assert build(Family("a", session=Labels, requires=("b",)), Family("b", session=Quota)).session_mixins == (Quota, Labels)
    registry = build(Family("a", session=Labels), Family("b", session=Quota), Family("c", session=More))
    assert registry.session_mixins == (Labels, More, Quota)
    assert dict(registry.typed.session.methods) == {"add_labels": "a", "more": "c", "quota": "b"}


def test_replacing_what_the_class_does_not_bring(home: str) -> None:
    with pytest.raises(PluginError, match="replaces 'session:more', which it does not itself bring"):
        build(Family("a", session=Quota, replaces=("session:more",)))
    with pytest.raises(PluginError, match="replaces 'selected:more', which"):
        build(Family("a", session=Quota, replaces=("selected:more",)))
    late = build(Family("a", session=f"{home}:Quota", replaces=("session:more",)))
    with pytest.raises(PluginError, match=r"replaces 'session:more', which it does not itself bring.*IMAPKIT_DISABLE=a"):
        _ = late.session_mixins


def test_a_class_is_imported_when_a_typed_client_needs_it(home: str) -> None:
    module = sys.modules.pop(home)
    registry = build(Family("quota", session=f"{home}:Quota"))
    assert registry.selected_mixins == ()
    with pytest.raises(PluginLoadError, match=f"family 'quota' .*session='{home}:Quota' cannot be imported: ModuleNotFound"):
        _ = registry.session_mixins
    sys.modules[home] = module
    assert registry.session_mixins == (Quota,)
    assert registry.session_mixins is registry.session_mixins


@pytest.mark.parametrize("name", ["Nothing", "Plain"])
def test_what_is_no_class_of_typed_commands(name: str, home: str) -> None:
    registry = build(Family("quota", session=f"{home}:{name}"))
    with pytest.raises(PluginLoadError, match=f"session='{home}:{name}' (cannot be imported|is no class derived from)"):
        _ = registry.session_mixins


def test_classes_that_cannot_be_combined() -> None:
    class Meta(type): ...

    class Other(type): ...

    one, two = (kind("Made", (), {"_typed_commands": True}) for kind in (Meta, Other))
    with pytest.raises(PluginConflictError, match="the session= classes of the families 'a', 'b' cannot be combined: metaclass"):
        build(Family("a", session=one), Family("b", session=two))


def test_a_view_is_checked_by_family_and_by_state(home: str) -> None:
    registry = build(Family("quota", session=Quota), Family("labels", selected=f"{home}:Labels"))
    for selected in (False, True):
        registry.check_typed(Quota, selected)
        registry.check_typed(Typed, selected)
    registry.check_typed(Labels, True)
    with pytest.raises(TypeError, match=r"Labels needs a mailbox: write Labels\(mailbox\)"):
        registry.check_typed(Labels, False)
    gone = build(Family("quota", session=Quota), absent={"labels": "switched off by IMAPKIT_DISABLE"})
    for selected in (False, True):
        with pytest.raises(FamilyDisabledError, match=r"Labels is the mixin of no family.*'labels' \(switched off"):
            gone.check_typed(Labels, selected)
