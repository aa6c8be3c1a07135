"""Families become frozen tables here; every rule about conflicts and order is in this module.

A family claims keys: ``command:X``, ``response:X``, ``item:A.B``, ``code:X``, ``layer:x`` and ``method:x``. All claims
are collected first and resolved afterwards, so that the result is the same for any order of registration.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from imapkit import ext
from imapkit.core.api import Commands, Cursor
from imapkit.errors import FamilyDisabledError, PluginConflictError, PluginError
from imapkit.family import Code, Command, Family, LayerSpec, Response

__all__ = ["Plugin", "Registry", "public_methods"]

NOT_INSTALLED = "not installed"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A family and where it came from."""

    name: str
    family: Family
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.name!r} ({f'{self.distribution} {self.version}'.strip()})"


class _Claim(NamedTuple):
    key: str
    table: str
    name: Any
    value: Any


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Registry:
    """What a client knows, for good: made by ``Registry.build``, read as plain dictionaries.

    ``commands``, ``responses``, ``items``, ``codes``, ``layers``
        what the families bring, by name; items by ``(response, item)``.
    ``methods``
        the name of the family that a public method belongs to.
    ``mixins``
        the base classes of a client, in order: a replacing family's before the replaced one's.
    ``always_layers``
        the layers that are on from the start, outermost first.
    ``enables``
        what may be enabled, because some family understands what changes with it.
    ``plugins``, ``absent``
        the families that are there, by name; and the names of those that are not, each with the reason.
    """

    plugins: tuple[Plugin, ...]
    commands: Mapping[str, Command]
    responses: Mapping[str, Response]
    items: Mapping[tuple[str, str], Callable[[Cursor], Any]]
    codes: Mapping[str, Code]
    layers: Mapping[str, LayerSpec]
    methods: Mapping[str, str]
    mixins: tuple[type, ...]
    always_layers: tuple[LayerSpec, ...]
    enables: frozenset[str]
    absent: Mapping[str, str]

    @classmethod
    def build(cls, plugins: Iterable[Plugin], absent: Mapping[str, str] | None = None) -> Registry:
        """Make the tables of these families; ``absent`` says why others are not there.

        Raises ``PluginConflictError`` if two families claim the same key and it is not clear which one replaces the
        other, or if one requires a family that is not there; ``PluginError`` if a declaration is wrong in itself.
        """
        known = tuple(sorted(plugins, key=lambda plugin: (plugin.name, plugin.distribution, plugin.version)))
        _check_names(known)
        _check_requires(known, absent or {})
        claims = _collect(known)
        winners = _resolve(known, claims)
        tables = _tables(known, claims, winners)
        return cls(
            plugins=known,
            mixins=_mixins(known, claims, winners),
            always_layers=_always(tables["layers"]),
            enables=frozenset(name.upper() for plugin in known for name in plugin.family.enables),
            absent=MappingProxyType(dict(absent or {})),
            **{table: MappingProxyType(content) for table, content in tables.items()},
        )

    def why_no_method(self, name: str) -> FamilyDisabledError | None:
        """The error for a method that is there only with a family that is absent; None if no absent family explains it.

        Which builtin family has which method is known; for families of others it is not, so they are all named.
        """
        if name.startswith("_"):
            return None
        present = {plugin.name for plugin in self.plugins}
        homes = [family for family, methods in ext.INDEX.items() if name in methods or name.lower() in methods]
        for family in homes:
            if family not in present:
                why = self.absent.get(family, NOT_INSTALLED)
                return FamilyDisabledError(f"{name}() is in the family {family!r}, which is {why}")
        others = {family: why for family, why in sorted(self.absent.items()) if family not in ext.INDEX}
        if homes or not others:
            return None
        listed = ", ".join(f"{family!r} ({why})" for family, why in others.items())
        return FamilyDisabledError(f"no family that is there has {name}(); these are absent: {listed}")


def public_methods(mixin: type | None, foreign: Iterable[type] = ()) -> tuple[str, ...]:
    """The public names of a mixin and its bases, sorted; without those of ``Commands``.

    ``foreign`` are other families' mixins: what is inherited from one of these is that family's own.
    """
    if mixin is None:
        return ()
    excluded = set(Commands.__mro__)
    for other in foreign:
        if other is not mixin and issubclass(mixin, other):
            excluded.update(other.__mro__)
    classes = [cls for cls in mixin.__mro__ if cls not in excluded]
    return tuple(sorted({name for cls in classes for name in vars(cls) if not name.startswith("_")}))


def _check_names(plugins: tuple[Plugin, ...]) -> None:
    for one, other in pairwise(plugins):
        if one.name == other.name:
            raise PluginConflictError(f"two families have the same name: {one} and {other}; switch one of them off")


def _check_requires(plugins: tuple[Plugin, ...], absent: Mapping[str, str]) -> None:
    present = {plugin.name for plugin in plugins}
    problems = [
        f"family {plugin} requires the family {name!r}, which is {_missing(name, absent.get(name, NOT_INSTALLED))}"
        for plugin in plugins
        for name in plugin.family.requires
        if name not in present
    ]
    if problems:
        raise PluginConflictError("; ".join(problems))


def _missing(name: str, why: str) -> str:
    return f"{why}: {'install a distribution that offers' if why == NOT_INSTALLED else 'enable'} {name!r}"


def _collect(plugins: tuple[Plugin, ...]) -> dict[str, list[_Claim]]:
    """First pass: every family's claims, checked for sense on their own."""
    mixins = [plugin.family.mixin for plugin in plugins if plugin.family.mixin is not None]
    claims = {plugin.name: list(_claims(plugin.family, mixins)) for plugin in plugins}
    for plugin in plugins:
        _check_claims(plugin, claims[plugin.name])
    return claims


def _claims(family: Family, mixins: Iterable[type]) -> Iterator[_Claim]:
    for command in family.commands:
        yield _Claim(f"command:{command.name}", "commands", command.name, command)
    for name, response in family.responses.items():
        yield _Claim(f"response:{name}", "responses", name, response)
    for item, parser in family.items.items():
        yield _Claim(f"item:{'.'.join(item)}", "items", item, parser)
    for name, code in family.codes.items():
        yield _Claim(f"code:{name}", "codes", name, code)
    for name, layer in family.layers.items():
        yield _Claim(f"layer:{name}", "layers", name, layer)
    for name in public_methods(family.mixin, mixins):
        yield _Claim(f"method:{name}", "methods", name, family.name)


def _check_claims(plugin: Plugin, claims: list[_Claim]) -> None:
    """What the wire says is looked up in upper case, and a family can neither claim twice nor replace what it lacks."""
    counted = Counter(claim.key for claim in claims)
    for key, times in counted.items():
        if times > 1:
            raise PluginConflictError(f"family {plugin} claims {key} {times} times")
    for claim in claims:
        kind, _, name = claim.key.partition(":")
        if kind not in ("layer", "method") and name != name.upper():
            raise PluginError(f"family {plugin} claims {claim.key}: write the name in upper case")
    for command in plugin.family.commands:
        if command.interrupt is not None and not command.exclusive:
            raise PluginError(f"family {plugin}: {command.name} can be interrupted, so it must be exclusive")
    for key in plugin.family.replaces:
        if key not in counted:
            raise PluginError(f"family {plugin} says that it replaces {key!r}, which it does not itself bring")


def _resolve(plugins: tuple[Plugin, ...], claims: Mapping[str, list[_Claim]]) -> dict[str, Plugin]:
    """Second pass: the one family that each key goes to."""
    claimants: dict[str, list[Plugin]] = {}
    for plugin in plugins:
        for claim in claims[plugin.name]:
            claimants.setdefault(claim.key, []).append(plugin)
    winners = {key: _winner(key, those) for key, those in claimants.items()}
    disputes: dict[tuple[str, ...], list[str]] = {}
    for key, winner in winners.items():
        if winner is None:
            disputes.setdefault(tuple(plugin.name for plugin in claimants[key]), []).append(key)
    if disputes:
        raise PluginConflictError("; ".join(_dispute(claimants[keys[0]], sorted(keys)) for keys in disputes.values()))
    return {key: winner for key, winner in winners.items() if winner is not None}


def _winner(key: str, claimants: list[Plugin]) -> Plugin | None:
    if len(claimants) == 1:
        return claimants[0]
    replacing = [plugin for plugin in claimants if key in plugin.family.replaces]
    return replacing[0] if len(replacing) == 1 else None


def _dispute(claimants: list[Plugin], keys: list[str]) -> str:
    saying = [repr(p.name) for p in claimants if any(key in p.family.replaces for key in keys)]
    today = f" (now {' and '.join(saying)} do)" if saying else ""
    written = ", ".join(f'"{key}"' for key in keys)
    return (
        f"{', '.join(keys)}: claimed by the families {' and '.join(map(str, claimants))}. Exactly one of them must say"
        f" replaces=({written},){today}, or switch the others off with IMAPKIT_DISABLE"
    )


def _tables(
    plugins: tuple[Plugin, ...], claims: Mapping[str, list[_Claim]], winners: Mapping[str, Plugin]
) -> dict[str, dict[Any, Any]]:
    tables: dict[str, dict[Any, Any]] = {table: {} for table in ("commands", "responses", "items", "codes", "layers", "methods")}
    for plugin in plugins:
        for claim in claims[plugin.name]:
            if winners[claim.key] is plugin:
                tables[claim.table][claim.name] = claim.value
    return tables


def _always(layers: Mapping[str, LayerSpec]) -> tuple[LayerSpec, ...]:
    ordered = sorted(layers.items(), key=lambda item: (item[1].order, item[0]))
    return tuple(spec for _, spec in ordered if spec.always)


def _mixins(plugins: tuple[Plugin, ...], claims: Mapping[str, list[_Claim]], winners: Mapping[str, Plugin]) -> tuple[type, ...]:
    """The mixins in the order in which a client class derives from them."""
    owners = {plugin.name: plugin for plugin in plugins if plugin.family.mixin is not None}
    after: dict[str, set[str]] = {name: set() for name in owners}
    for name, plugin in owners.items():
        for claim in claims[name]:
            if claim.table == "methods" and winners[claim.key] is not plugin:
                after[winners[claim.key].name].add(name)
        for other, base in owners.items():
            if plugin.family.mixin is not base.family.mixin and issubclass(_mixin(plugin), _mixin(base)):
                after[name].add(other)
    ranks = {name: rank for rank, name in enumerate(_by_requires(plugins)) if name in owners}
    return tuple(dict.fromkeys(_mixin(owners[name]) for name in _ordered(ranks, after)))


def _mixin(plugin: Plugin) -> type:
    assert plugin.family.mixin is not None
    return plugin.family.mixin


def _by_requires(plugins: tuple[Plugin, ...]) -> list[str]:
    """The families by name, but each after those that it requires; families that require each other stay by name."""
    requires = {plugin.name: sorted(plugin.family.requires) for plugin in plugins}
    done: dict[str, None] = {}
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for needed in requires[name]:
                visit(needed)
            done[name] = None

    for name in requires:
        visit(name)
    return list(done)


def _ordered(ranks: Mapping[str, int], after: Mapping[str, set[str]]) -> list[str]:
    """The names by rank, but each before those in its ``after``."""
    blocked = Counter(name for later in after.values() for name in later)
    ready = [(rank, name) for name, rank in ranks.items() if not blocked[name]]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        _, name = heapq.heappop(ready)
        order.append(name)
        for later in after[name]:
            blocked[later] -= 1
            if not blocked[later]:
                heapq.heappush(ready, (ranks[later], later))
    if left := sorted(ranks.keys() - set(order)):
        names = " and ".join(map(repr, left))
        raise PluginConflictError(f"the families {names} replace each other's methods in a circle: no order suits all")
    return order
