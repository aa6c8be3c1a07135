"""Families become frozen tables here, and base classes of clients in an order; ``claims`` has the rules about conflicts.

A family claims keys: ``command:X``, ``response:X``, ``item:A.B``, ``operand:A.B``, ``code:X``, ``layer:x`` and ``method:x``.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from imapkit import ext
from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import Commands
from imapkit.core.contract.enable import Enable
from imapkit.core.contract.events import Event
from imapkit.core.contract.extension import Code, LayerSpec, Response
from imapkit.core.contract.tables import Tables
from imapkit.core.grammar.kinds import Kind
from imapkit.core.plugins.claims import NOT_INSTALLED, Claim, Plugin, listed, public_methods, settle, way_out
from imapkit.core.support.lean import lean_dataclass
from imapkit.errors import FamilyDisabledError, PluginConflictError, PluginError

__all__ = ["NOT_INSTALLED", "Plugin", "Registry", "public_methods"]

_TABLES = ("commands", "responses", "items", "operands", "codes", "layers", "methods")


@lean_dataclass(frozen=True, slots=True, eq=False)
class Registry(Tables):
    """What the families bring to a client: made by ``Registry.build``, never changed. Beside the tables of ``Tables``:

    ``operands``
        what follows a word in another command's arguments, by ``(command, word)``.
    ``methods``
        the name of the family that a public method belongs to.
    ``mixins``
        the base classes of a client, in order: a replacing family's before the replaced one's.
    ``plugins``, ``absent``
        the families that are there, sorted by name; the names of those that are absent, each with the reason.
    """

    plugins: tuple[Plugin, ...]
    operands: Mapping[tuple[str, str], tuple[Kind, ...]]
    methods: Mapping[str, str]
    mixins: tuple[type, ...]
    absent: Mapping[str, str]

    @classmethod
    def build(
        cls, plugins: Iterable[Plugin], absent: Mapping[str, str] | None = None, client: type[Commands] = Commands
    ) -> Registry:
        """Make the tables of these families; ``absent`` says why others are not there, ``client`` is what has their methods.

        Raises ``PluginConflictError`` if two families claim the same key and it is not clear which one replaces the
        other, if one requires a family that is not there, or if they require each other; ``PluginError`` if a declaration is
        wrong in itself.
        """
        known = tuple(sorted(plugins, key=lambda plugin: (plugin.name, plugin.distribution, plugin.version)))
        claims, winners, problems = settle(known, absent or {})
        if problems:
            raise PluginError.together(problems)
        tables = _tables(known, claims, winners)
        mixins = _mixins(known, claims, winners)
        _check_client(client, known, claims, mixins)
        return cls(
            plugins=known,
            mixins=mixins,
            always_layers=_always(tables["layers"]),
            enables=_enables(known),
            events=_events(known),
            absent=MappingProxyType(dict(absent or {})),
            **{table: MappingProxyType(content) for table, content in tables.items()},
        )

    def are_of_one_family(self, command: Command, known: Response | Code) -> bool:
        """Whether the family that declares a response, or a code, has a command of that name."""
        return any(
            any(each is known for each in (*plugin.family.responses.values(), *plugin.family.codes.values()))
            and any(each.name == command.name for each in plugin.family.commands)
            for plugin in self.plugins
        )

    def has_mixin(self, mixin: type) -> bool:
        """Whether a class is the mixin of a family that is there, or a base of one."""
        return any(issubclass(known, mixin) for known in self.mixins)

    def why_no_mixin(self, mixin: type) -> FamilyDisabledError:
        """The error for the mixin of a family that is absent."""
        others = _others(self.absent)
        why = f"these are absent: {others}" if others else "install its distribution, or give its module in families="
        return FamilyDisabledError(
            f"{mixin.__module__}.{mixin.__qualname__} is the mixin of no family that this client has; {why}"
        )

    def why_no_method(self, name: str, cls: type = object) -> FamilyDisabledError | None:
        """The error for a method that is there only with a family that is absent; None if no absent family explains it.

        The error names the builtin family that has the method, else all absent families of other distributions. ``cls``: a class
        that may have the mixin of such a family among its bases.
        """
        if name.startswith("_"):
            return None
        present = {plugin.name for plugin in self.plugins}
        homes = [family for family, methods in ext.INDEX.items() if name in methods or name.lower() in methods]
        for family in homes:
            if family not in present:
                why = self.absent.get(family, NOT_INSTALLED)
                return FamilyDisabledError(f"{name}() is in the family {family!r}, which is {why}")
        others = _others(self.absent)
        if homes:
            return None
        for mixin in cls.__mro__:
            if callable(vars(mixin).get(name)) and issubclass(mixin, Commands) and not self.has_mixin(mixin):
                return FamilyDisabledError(f"no {name}(): {self.why_no_mixin(mixin)}")
        return FamilyDisabledError(f"no family that is there has {name}(); these are absent: {others}") if others else None


def _others(absent: Mapping[str, str]) -> str:
    """The families of third parties that are absent, each with the reason."""
    return ", ".join(f"{family!r} ({why})" for family, why in sorted(absent.items()) if family not in ext.INDEX)


def _enables(plugins: tuple[Plugin, ...]) -> Mapping[str, Enable]:
    """What may be enabled. Two families may understand one name: then each of their declarations holds."""
    known: dict[str, Enable] = {}
    for plugin in plugins:
        for name in plugin.family.enables:
            one, other = name if isinstance(name, Enable) else Enable(name), known.get(name.upper())
            known[one] = one if other is None else one.joined(other)
    return MappingProxyType(known)


def _events(plugins: tuple[Plugin, ...]) -> Mapping[str, tuple[Event, ...]]:
    """The functions that make events of each response, of all families, in the order of their names."""
    events: dict[str, tuple[Event, ...]] = {}
    for plugin in plugins:
        for name, event in plugin.family.events.items():
            events[name] = (*events.get(name, ()), event)
    return MappingProxyType(events)


def _tables(
    plugins: tuple[Plugin, ...], claims: Mapping[str, Sequence[Claim]], winners: Mapping[str, Plugin]
) -> dict[str, dict[Any, Any]]:
    tables: dict[str, dict[Any, Any]] = {table: {} for table in _TABLES}
    for plugin in plugins:
        for claim in claims[plugin.name]:
            if winners[claim.key] is plugin:
                tables[claim.table][claim.name] = claim.value
    _extend(tables["commands"], tables["operands"])
    return tables


def _extend(commands: dict[str, Command], operands: Mapping[tuple[str, str], tuple[Kind, ...]]) -> None:
    """Bind to every command the words that other families have added to it."""
    for name, known in commands.items():
        if known.words is not None and known.rest is not None:
            added = {word: kinds for (command, word), kinds in operands.items() if command == known.words}
            commands[name] = replace(known, rest=partial(known.rest, operands=MappingProxyType(added)))


def _always(layers: Mapping[str, LayerSpec]) -> tuple[LayerSpec, ...]:
    ordered = sorted(layers.items(), key=lambda item: (item[1].order, item[0]))
    return tuple(spec for _, spec in ordered if spec.always)


def _mixins(
    plugins: tuple[Plugin, ...], claims: Mapping[str, Sequence[Claim]], winners: Mapping[str, Plugin]
) -> tuple[type, ...]:
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


def _check_client(
    client: type[Commands], plugins: tuple[Plugin, ...], claims: Mapping[str, Sequence[Claim]], mixins: tuple[type, ...]
) -> None:
    """Raise for a method that is the client's own, and for base classes that Python cannot put together."""
    taken = [
        PluginConflictError(
            f"family {plugin} has a method {claim.name!r}, which is the client's own: its author must rename it;"
            f" {way_out(plugin.name)}",
            families=[plugin.name],
        )
        for plugin in plugins
        for claim in claims[plugin.name]
        if claim.table == "methods" and hasattr(client, claim.name)
    ]
    if taken:
        raise PluginError.together(taken)
    try:
        type("Client", (*mixins, client), {})
    except TypeError as exc:
        guilty = [plugin for plugin in plugins if plugin.family.mixin is not None and not _fits(plugin.family.mixin, client)]
        names = [plugin.name for plugin in guilty]
        who = (
            f"the mixin of {listed(guilty)} is no base class for a client"
            if guilty
            else "the families' mixins cannot be combined"
        )
        why = " ".join(str(exc).split())
        raise PluginConflictError(f"{who}: {why}" + (f"; {way_out(*names)}" if names else ""), families=names) from exc


def _fits(mixin: type, client: type) -> bool:
    try:
        type("Client", (mixin, client), {})
    except TypeError:
        return False
    return True


def _mixin(plugin: Plugin) -> type:
    assert plugin.family.mixin is not None
    return plugin.family.mixin


def _by_requires(plugins: tuple[Plugin, ...]) -> list[str]:
    """The families by name, but each after those that it requires."""
    requires = {plugin.name: sorted(plugin.family.requires) for plugin in plugins}
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in done:
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
        text = f"the families {listed(map(repr, left))} replace each other's methods in a circle: no order suits all"
        raise PluginConflictError(f"{text}; {way_out(*left)}", families=left)
    return order
