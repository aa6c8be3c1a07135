"""Which family a name goes to, and what stands against using families together: every conflict rule is in this module.

All claims are collected first and resolved afterwards, and what is found is told by name, so that the result is the same for any
order of registration. Each problem names the distributions, their versions, and the way out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from imapkit.core.contract.commands import Commands
from imapkit.core.contract.family import Family
from imapkit.core.support.lean import lean_dataclass
from imapkit.errors import PluginConflictError, PluginError

__all__ = [
    "NOT_INSTALLED",
    "NOT_IN_BUILD",
    "OWN",
    "Claim",
    "Plugin",
    "Settled",
    "is_slip",
    "listed",
    "public_methods",
    "resolve",
    "settle",
    "typed_methods",
    "unfounded",
    "way_out",
]

NOT_INSTALLED = "not installed"
NOT_IN_BUILD = "not in this build of imapkit"
"""Why a builtin family is absent whose module is not there: the wheel was trimmed, or a frozen program left it out."""
_REMEDIES = {NOT_INSTALLED: "install a distribution that offers", NOT_IN_BUILD: "install a build that has"}

_TYPED = ("session", "selected")
"""The kinds of claims that ``typed`` settles: their classes may have to be imported first."""
_SHARED = ("items", "operands")
_SHORTEST = 4
"""Letters of a name that can be misspelt: of shorter ones too many are alike."""

OWN = "imapkit"
"""The name of the distribution that has the builtin families."""


@lean_dataclass(frozen=True, slots=True)
class Plugin:
    """A family and where it came from."""

    name: str
    family: Family
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.name!r} ({f'{self.distribution} {self.version}'.strip()})"


class Claim(NamedTuple):
    """One name that a family brings: "command:X" and the like, and the table, name and value that it stands for."""

    key: str
    table: str
    name: Any
    value: Any


class Settled(NamedTuple):
    """The claims of each family, the family that each key goes to, and what stands against using them together."""

    claims: Mapping[str, Sequence[Claim]]
    winners: Mapping[str, Plugin]
    problems: Sequence[PluginError]


def settle(plugins: Sequence[Plugin], absent: Mapping[str, str]) -> Settled:
    """Settle which family each key goes to; ``plugins`` are sorted by name, ``absent`` says why others are not there.

    One kind of problem is reported at a time: later kinds could be mere consequences.
    """
    first = [*_doubles(plugins)] or [*_missing(plugins, absent)] or [*_circles(plugins)]
    if first:
        return Settled({}, {}, first)
    mixins = [plugin.family.mixin for plugin in plugins if plugin.family.mixin is not None]
    claims = {plugin.name: list(_claims(plugin.family, mixins)) for plugin in plugins}
    if wrong := [problem for plugin in plugins for problem in _senseless(plugin, claims[plugin.name])]:
        return Settled(claims, {}, wrong)
    if wrong := [*_closed(plugins), *_placeless(plugins)] or [*_layerless(plugins)] or [*_misspelt(plugins)]:
        return Settled(claims, {}, wrong)
    winners, disputes = resolve(plugins, claims)
    return Settled(claims, winners, disputes)


def way_out(*names: str) -> str:
    """How to do without one of these families, or without all of them where that is one."""
    return " or ".join(f"IMAPKIT_DISABLE={name}" for name in names) + " switches it off"


def listed(items: Iterable[object]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *most, last = map(str, items)
    return f"{', '.join(most)} and {last}" if most else last


def public_methods(mixin: type | None, foreign: Iterable[type] = ()) -> tuple[str, ...]:
    """The public names of a mixin and its bases, sorted; without those of ``Commands``.

    ``foreign`` are other families' mixins: what is inherited from one of these is that family's own.
    """
    if mixin is None:
        return ()
    return _own_names(mixin, Commands.__mro__, foreign)


def typed_methods(mixin: type | None, foreign: Iterable[type] = ()) -> tuple[str, ...]:
    """The same of a class of typed commands; without the names of ``TypedCommands``."""
    if mixin is None:
        return ()
    base = next((cls for cls in mixin.__mro__ if "_typed_commands" in vars(cls)), object)
    return _own_names(mixin, base.__mro__, foreign)


def _own_names(mixin: type, base: Iterable[type], foreign: Iterable[type]) -> tuple[str, ...]:
    excluded = set(base)
    for other in foreign:
        if other is not mixin and issubclass(mixin, other):
            excluded.update(other.__mro__)
    classes = [cls for cls in mixin.__mro__ if cls not in excluded]
    return tuple(sorted({name for cls in classes for name in vars(cls) if not name.startswith("_")}))


def _doubles(plugins: Sequence[Plugin]) -> Iterator[PluginError]:
    for name, group in groupby(plugins, key=lambda plugin: plugin.name):
        if len(those := list(group)) > 1:
            yield PluginConflictError(
                f"{len(those)} families have the same name: {listed(those)}; use one of them", families=[name]
            )


def _missing(plugins: Sequence[Plugin], absent: Mapping[str, str]) -> Iterator[PluginError]:
    needing: dict[str, list[Plugin]] = {}
    present = {plugin.name for plugin in plugins}
    for plugin in plugins:
        for name in plugin.family.requires:
            if name not in present:
                needing.setdefault(name, []).append(plugin)
    for name, those in sorted(needing.items()):
        why = absent.get(name, NOT_INSTALLED)
        remedy = _REMEDIES.get(why, "enable")
        who = f"family {those[0]} requires" if len(those) == 1 else f"families {listed(those)} require"
        names = [plugin.name for plugin in those]
        off = f"IMAPKIT_DISABLE={','.join(names)} switches {'it' if len(names) == 1 else 'them'} off"
        yield PluginConflictError(f"{who} the family {name!r}, which is {why}: {remedy} {name!r}, or {off}", families=names)


def _circles(plugins: Sequence[Plugin]) -> Iterator[PluginError]:
    """Each circle of ``requires``, told once, from its first family by name on."""
    by_name = {plugin.name: plugin for plugin in plugins}
    told: set[str] = set()
    for name in by_name:
        circle = _way_back(by_name, name)
        if circle and not told & set(circle):
            told.update(circle)
            those = [by_name[one] for one in circle]
            steps = " -> ".join(map(repr, [*circle, name]))
            who = f"family {those[0]} requires itself" if len(those) == 1 else f"families {listed(those)} require each other"
            yield PluginConflictError(
                f"{who} in a circle, {steps}: one of them must do without its requires=, or"
                f" IMAPKIT_DISABLE={','.join(circle)} switches {'it' if len(those) == 1 else 'them'} off",
                families=circle,
            )


def _way_back(by_name: Mapping[str, Plugin], start: str) -> list[str]:
    """The shortest way from a family along ``requires`` back to itself; nothing if there is none."""
    ways, seen = [[start]], set[str]()
    while ways:
        further = []
        for way in ways:
            for name in sorted(by_name[way[-1]].family.requires):
                if name == start:
                    return way
                if name not in seen:
                    seen.add(name)
                    further.append([*way, name])
        ways = further
    return []


def _claims(family: Family, mixins: Iterable[type]) -> Iterator[Claim]:
    for command in family.commands:
        yield Claim(f"command:{command.name}", "commands", command.name, command)
    for name, response in family.responses.items():
        yield Claim(f"response:{name}", "responses", name, response)
    for item, parser in family.items.items():
        yield Claim(f"item:{'.'.join(item)}", "items", item, parser)
    for word, kinds in family.operands.items():
        yield Claim(f"operand:{'.'.join(word)}", "operands", word, kinds)
    for option in family.extends:
        place = option.place.upper()
        yield Claim(
            f"option:{option.command}.{place}.{option.word}", "options", (option.command, option.place, option.word), option
        )
    for registry, offered in family.offers.items():
        for name, value in offered.items():
            yield Claim(f"offer:{registry}.{name}", "offered", (registry, name), value)
    for name, code in family.codes.items():
        yield Claim(f"code:{name}", "codes", name, code)
    for name, layer in family.layers.items():
        yield Claim(f"layer:{name}", "layers", name, layer)
    for name in public_methods(family.mixin, mixins):
        yield Claim(f"method:{name}", "methods", name, family.name)


def _senseless(plugin: Plugin, claims: Sequence[Claim]) -> Iterator[PluginError]:
    """Names on the wire are compared in upper case. A family cannot claim a name twice, nor replace one that it lacks."""
    out, names = way_out(plugin.name), [plugin.name]
    counted = Counter(claim.key for claim in claims)
    for key, times in counted.items():
        if times > 1:
            yield PluginConflictError(f"family {plugin} claims {key} {times} times; {out}", families=names)
        kind, _, name = key.partition(":")
        if kind not in ("layer", "method", "offer") and name != name.upper():
            yield PluginError(f"family {plugin} claims {key}: write the name in upper case; {out}", families=names)
    for command in plugin.family.commands:
        if command.interrupt is not None and not command.exclusive:
            yield PluginError(
                f"family {plugin}: {command.name} can be interrupted, so it must be exclusive; {out}", families=names
            )
        if command.words is not None and command.rest is None:
            yield PluginError(f"family {plugin}: {command.name} has words, so it must have a rest; {out}", families=names)
    yield from unfounded(plugin, claims, lambda key: key.partition(":")[0] not in _TYPED)


def unfounded(plugin: Plugin, claims: Iterable[Claim], concerns: Callable[[str], bool]) -> Iterator[PluginError]:
    """What a family says that it replaces, and does not itself claim; of the keys that ``concerns`` is True for."""
    there = {claim.key for claim in claims}
    for key in plugin.family.replaces:
        if concerns(key) and key not in there:
            yield PluginError(
                f"family {plugin} says that it replaces {key!r}, which it does not itself bring; {way_out(plugin.name)}",
                families=[plugin.name],
            )


def _closed(plugins: Sequence[Plugin]) -> Iterator[PluginError]:
    """Words can be added only to commands that ask for them."""
    commands = [command for plugin in plugins for command in plugin.family.commands]
    closed = {command.name for command in commands} - {command.words for command in commands}
    for plugin in plugins:
        for command, word in plugin.family.operands:
            if command in closed:
                yield PluginError(
                    f"family {plugin} says what follows {word} in {command}, to which no words can be added;"
                    f" {way_out(plugin.name)}",
                    families=[plugin.name],
                )


def _placeless(plugins: Sequence[Plugin]) -> Iterator[PluginError]:
    """Options can be added only where a command has a place for them."""
    places: dict[str, set[str]] = {}
    for command in (command for plugin in plugins for command in plugin.family.commands):
        for name in {command.name, command.words or command.name}:
            places.setdefault(name, set()).update(command.places)
    for plugin in plugins:
        for option in plugin.family.extends:
            there = places.get(option.command)
            if there is not None and option.place not in there:
                yield PluginError(
                    f"family {plugin} adds the option {option.word} to {option.command} at the place {option.place!r}, which that"
                    f" does not have; there are: {', '.join(map(repr, sorted(there))) or 'none'}; {way_out(plugin.name)}",
                    families=[plugin.name],
                )


def _layerless(plugins: Sequence[Plugin]) -> Iterator[PluginError]:
    """A command can switch on only a layer that some family has: else it would end the connection."""
    layers = {name for plugin in plugins for name in plugin.family.layers}
    for plugin in plugins:
        for command in plugin.family.commands:
            if command.layer is not None and command.layer not in layers:
                yield PluginError(
                    f"family {plugin}: {command.name} switches on the layer {command.layer!r}, which no family that is there has;"
                    f" there are: {', '.join(sorted(layers)) or 'none'}; {way_out(plugin.name)}",
                    families=[plugin.name],
                )


def _misspelt(plugins: Sequence[Plugin]) -> Iterator[PluginError]:
    """Names of responses and commands that no family has, but that look like a misspelling of one that is there.

    Any other name may belong to a family that is absent, or to none.
    """
    responses = {name for plugin in plugins for name in plugin.family.responses}
    commands = {command.name for plugin in plugins for command in plugin.family.commands}
    for plugin in plugins:
        for where, name, known, further in _mentioned(plugin.family, responses, commands):
            meant = None if name in known else next((each for each in sorted(known) if is_slip(name, each)), None)
            if meant is not None:
                yield PluginError(
                    f"family {plugin}: {where} {name!r}, which no family that is there has: write {meant!r}{further};"
                    f" {way_out(plugin.name)}",
                    families=[plugin.name],
                )


def _mentioned(family: Family, responses: set[str], commands: set[str]) -> Iterator[tuple[str, str, set[str], str]]:
    """Where a family names what may be another's, the name, those that are there, and what else may be meant."""
    for command in family.commands:
        for name in command.result:
            own = f', or if it is another response say so: responses={{"{name}": Response()}}'
            yield f"{command.name} awaits the response", name, responses, own
        if command.words is not None:
            yield f"{command.name} takes the words of the command", command.words, commands, ""
    for name, item in family.items:
        yield f"the item {item!r} is one of the response", name, responses, ""
    for name, word in family.operands:
        yield f"the word {word!r} is one of the command", name, commands, ""


def is_slip(name: str, meant: str) -> bool:
    """Whether ``name`` is ``meant`` with one letter missing, one too many, one wrong, or two of them exchanged.

    "XLIST" is no slip for "LIST", nor "ESEARCH" for "SEARCH": that is how extensions are called.
    """
    shorter = min(len(name), len(meant))
    if name == meant or shorter < _SHORTEST or meant == name[1:] or meant[1:] == name[1:]:
        return False
    start = next((i for i in range(shorter) if name[i] != meant[i]), shorter)
    one, other = name[start:], meant[start:]
    return one[1:] == other[1:] or one[1:] == other or one == other[1:] or (one[:2] == other[1::-1] and one[2:] == other[2:])


def resolve(plugins: Iterable[Plugin], claims: Mapping[str, Iterable[Claim]]) -> tuple[dict[str, Plugin], list[PluginError]]:
    """The one family that each key goes to, and the disputes about the others."""
    claimants: dict[str, list[Plugin]] = {}
    for plugin in plugins:
        for claim in claims[plugin.name]:
            claimants.setdefault(claim.key, []).append(plugin)
    same = _agreed(claims)
    winners = {key: those[0] if key in same else _winner(key, those) for key, those in claimants.items()}
    disputes: dict[tuple[str, ...], list[str]] = {}
    for key, winner in winners.items():
        if winner is None:
            disputes.setdefault(tuple(plugin.name for plugin in claimants[key]), []).append(key)
    settled = {key: winner for key, winner in winners.items() if winner is not None}
    return settled, [_dispute(claimants[keys[0]], sorted(keys)) for _, keys in sorted(disputes.items())]


def _agreed(claims: Mapping[str, Iterable[Claim]]) -> set[str]:
    """The items and operands that several families describe by the same functions, as two RFCs may: that is no conflict."""
    values: dict[str, list[Any]] = {}
    for claim in (claim for those in claims.values() for claim in those):
        if claim.table in _SHARED:
            values.setdefault(claim.key, []).append(claim.value)
    return {key for key, those in values.items() if len(those) > 1 and all(value == those[0] for value in those)}


def _winner(key: str, claimants: list[Plugin]) -> Plugin | None:
    if len(claimants) == 1:
        return claimants[0]
    replacing = [plugin for plugin in claimants if key in plugin.family.replaces]
    return replacing[0] if len(replacing) == 1 else None


def _dispute(claimants: list[Plugin], keys: list[str]) -> PluginError:
    names = [plugin.name for plugin in claimants]
    saying = [p.name for p in claimants if any(key in p.family.replaces for key in keys)]
    foreign = [p.name for p in claimants if p.distribution != OWN]
    # The builtin families will not change; if one other family is in it, that is the one to say it.
    who = repr(foreign[0]) if len(foreign) == 1 and not saying else "exactly one of them"
    today = f" (now {listed(map(repr, saying))} do)" if len(saying) > 1 else ""
    written = ", ".join(f'"{key}"' for key in keys) + ("," if len(keys) == 1 else "")
    ways_out = " or ".join(f"IMAPKIT_DISABLE={name}" for name in names)
    return PluginConflictError(
        f"{', '.join(keys)}: claimed by the families {listed(claimants)}; {who} must say replaces=({written}){today},"
        f" or {ways_out} switches one off",
        families=names,
    )
