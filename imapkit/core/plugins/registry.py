"""Families become frozen tables here, and base classes of clients in an order; ``claims`` has the rules about conflicts.

A family claims keys: ``command:X``, ``response:X``, ``item:A.B``, ``operand:A.B``, ``code:X``, ``layer:x``, ``option:A.B.C``,
``method:x``,
``session:x`` and ``selected:x``.
"""

from __future__ import annotations

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
from imapkit.core.contract.implied import Implied
from imapkit.core.contract.option import Option
from imapkit.core.contract.points import Moment, Quirk, StateStep
from imapkit.core.contract.routes import Routes
from imapkit.core.contract.session import Session
from imapkit.core.contract.tables import Tables
from imapkit.core.grammar.kinds import Kind
from imapkit.core.plugins.claims import NOT_INSTALLED, Claim, Plugin, listed, public_methods, settle, way_out
from imapkit.core.plugins.order import by_requires, in_order
from imapkit.core.plugins.typed import TypedFamilies
from imapkit.core.support.lean import lean_dataclass
from imapkit.errors import FamilyDisabledError, PluginConflictError, PluginError

__all__ = ["NOT_INSTALLED", "Plugin", "Registry", "public_methods"]

_TABLES = ("commands", "responses", "items", "operands", "options", "offered", "codes", "layers", "methods")


@lean_dataclass(frozen=True, slots=True, eq=False)
class Registry(Tables):
    """What the families bring to a client: made by ``Registry.build``, never changed. Beside the tables of ``Tables``:

    ``operands``
        what follows a word in another command's arguments, by ``(command, word)``.
    ``options``
        what families add to other families' commands, by ``(command, place, word)``.
    ``offered``
        what families add to open registries, by ``(registry, name)``.
    ``methods``
        the name of the family that a public method belongs to.
    ``mixins``
        the base classes of a client, in order: a replacing family's before the replaced one's.
    ``plugins``, ``absent``
        the families that are there, sorted by name; the names of those that are absent, each with the reason.
    ``typed``
        the families' typed commands.
    ``routes``
        the ways of typed calls that have several, by the name of the method.
    """

    plugins: tuple[Plugin, ...]
    operands: Mapping[tuple[str, str], tuple[Kind, ...]]
    options: Mapping[tuple[str, str, str], Option]
    offered: Mapping[tuple[str, str], Any]
    methods: Mapping[str, str]
    mixins: tuple[type, ...]
    absent: Mapping[str, str]
    typed: TypedFamilies
    routes: Mapping[str, Routes]

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
        mixins = in_order(known, {plugin.name: plugin.family.mixin for plugin in known}, "methods", claims, winners)
        _check_client(client, known, claims, mixins)
        typed = TypedFamilies(known)
        typed.check()
        return cls(
            plugins=known,
            typed=typed,
            routes=MappingProxyType({each.method: each for plugin in known for each in plugin.family.routes}),
            mixins=mixins,
            always_layers=_always(tables["layers"]),
            implied=_implied(known),
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

    def offers(self, registry: str) -> Mapping[str, Any]:
        """What the families offer in an open registry, by name: ``registry.offers("sasl")``; nothing for an unknown one."""
        return MappingProxyType({name: value for (where, name), value in self.offered.items() if where == registry})

    def steps(self, at: Moment, *, replay: bool = False) -> tuple[StateStep, ...]:
        """What is due after a change of state, in order; with ``replay`` what a connection that is opened again does again."""
        families = {plugin.name: plugin.family for plugin in self.plugins}
        found = [step for name in by_requires(self.plugins) for step in families[name].steps if step.at == at]
        return tuple(sorted((step for step in found if step.replay or not replay), key=lambda step: step.order))

    def quirks(self, session: Session, greeting: bytes, told: Mapping[str, str] | None = None) -> tuple[Quirk, ...]:
        """The quirks of a server, by its greeting, its capabilities and its answer to ID (None: not known)."""
        return tuple(quirk for plugin in self.plugins for quirk in plugin.family.quirks if quirk.fits(session, greeting, told))

    @property
    def session_mixins(self) -> tuple[type, ...]:
        """The base classes of a typed client, in order: a replacing family's before the replaced one's.

        The first use imports those that are declared as "module:Class". Raises ``PluginLoadError`` for one that cannot be
        imported or is no class of typed commands, ``PluginConflictError`` for two families that claim the same name.
        """
        return self.typed.session.mixins

    @property
    def selected_mixins(self) -> tuple[type, ...]:
        """The base classes of a typed mailbox; otherwise as ``session_mixins``."""
        return self.typed.selected.mixins

    def check_typed(self, mixin: type, selected: bool) -> None:
        """Raise unless the typed commands of ``mixin`` can be used; ``selected``: over a mailbox that is selected.

        ``FamilyDisabledError`` if no family that is there has them, ``TypeError`` if they need a mailbox and there is none.
        """
        if any(issubclass(known, mixin) for known in self.session_mixins):
            return
        if not any(issubclass(known, mixin) for known in self.selected_mixins):
            raise self.why_no_mixin(mixin)
        if not selected:
            name = mixin.__qualname__
            raise TypeError(f"{name} needs a mailbox: write {name}(mailbox), with what select() returned")

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
    _extend(tables["commands"], tables["operands"], tables["options"])
    _guard(tables["commands"], plugins)
    return tables


def _extend(
    commands: dict[str, Command],
    operands: Mapping[tuple[str, str], tuple[Kind, ...]],
    options: Mapping[tuple[str, str, str], Option],
) -> None:
    """Bind to every command the words and the options that other families have added to it."""
    for name, known in commands.items():
        if known.words is not None and known.rest is not None:
            added = {word: kinds for (command, word), kinds in operands.items() if command == known.words}
            commands[name] = replace(known, rest=partial(known.rest, operands=MappingProxyType(added)))
        if options and known.places:
            mine = {known.name, known.words}
            places = {
                place: replace(
                    spec,
                    options=MappingProxyType(
                        {word: option for (command, where, word), option in options.items() if command in mine and where == place}
                    ),
                )
                for place, spec in known.places.items()
            }
            commands[name] = replace(commands[name], places=MappingProxyType(places))


def _implied(plugins: tuple[Plugin, ...]) -> Implied:
    """What the families say about capabilities together, by the capability that is implied."""
    found: dict[str, set[str]] = {}
    for plugin in plugins:
        for name, others in plugin.family.implies.items():
            for other in others:
                found.setdefault(other.upper(), set()).add(name.upper())
    return MappingProxyType({name: frozenset(those) for name, those in found.items()})


def _guard(commands: dict[str, Command], plugins: tuple[Plugin, ...]) -> None:
    """Bind to every command the rules that families have about it."""
    for name, known in commands.items() if any(plugin.family.guards for plugin in plugins) else ():
        rules = [
            rule for plugin in plugins for about, rule in plugin.family.guards.items() if about == "*" or about == known.name
        ]
        if rules:
            commands[name] = replace(known, rules=tuple(rules))


def _always(layers: Mapping[str, LayerSpec]) -> tuple[LayerSpec, ...]:
    ordered = sorted(layers.items(), key=lambda item: (item[1].order, item[0]))
    return tuple(spec for _, spec in ordered if spec.always)


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
