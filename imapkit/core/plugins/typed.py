"""The families' typed commands: classes that are imported when the first typed client needs them, and in which order.

A raw client needs none of them, and what they import may take longer than all of its own families.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from importlib import import_module
from operator import attrgetter
from types import MappingProxyType

from imapkit.core.plugins.claims import Claim, Plugin, resolve, typed_methods, unfounded, way_out
from imapkit.core.plugins.order import in_order
from imapkit.core.support.lean import lean_dataclass
from imapkit.errors import PluginConflictError, PluginError, PluginLoadError

__all__ = ["TypedFamilies", "TypedSide"]

_SIDES = ("session", "selected")


@lean_dataclass(frozen=True, slots=True)
class TypedSide:
    """The typed commands of a client, or of a mailbox.

    ``mixins``
        the base classes, in order: a replacing family's before the replaced one's.
    ``methods``
        the name of the family that a public name belongs to.
    """

    mixins: tuple[type, ...]
    methods: Mapping[str, str]


@lean_dataclass(frozen=True, slots=True)
class TypedFamilies:
    """The typed commands of these families. Any thread may ask."""

    plugins: tuple[Plugin, ...]
    _made: dict[str, TypedSide] = field(default_factory=dict, compare=False, repr=False)

    @property
    def session(self) -> TypedSide:
        """Those of a client; the first use imports them. Raises ``PluginError``."""
        return self._side("session")

    @property
    def selected(self) -> TypedSide:
        """Those of a mailbox that is selected; the first use imports them. Raises ``PluginError``."""
        return self._side("selected")

    def check(self) -> None:
        """Raise ``PluginError`` for what is wrong with the classes that are there without an import."""
        for side in _SIDES:
            _composed(self.plugins, side, _given, complete=False)

    def _side(self, side: str) -> TypedSide:
        # Two threads may both compose it: the results are equal, and the first one counts.
        return self._made.get(side) or self._made.setdefault(side, _composed(self.plugins, side, _imported, complete=True))


def _composed(plugins: tuple[Plugin, ...], side: str, find: Callable[[Plugin, str], type | None], *, complete: bool) -> TypedSide:
    classes = {plugin.name: find(plugin, side) for plugin in plugins}
    there = [cls for cls in classes.values() if cls is not None]
    claims = {plugin.name: list(_claims(plugin.name, side, classes[plugin.name], there)) for plugin in plugins}
    lacking = [
        problem
        for plugin in plugins
        if complete or not isinstance(getattr(plugin.family, side), str)
        for problem in unfounded(plugin, claims[plugin.name], lambda key: key.startswith(f"{side}:"))
    ]
    winners, disputes = ({}, lacking) if lacking else resolve(plugins, claims)
    if disputes:
        raise PluginError.together(disputes)
    mixins = in_order(plugins, classes, side, claims, winners)
    _check_bases(plugins, side, classes, mixins)
    return TypedSide(mixins, MappingProxyType({key.partition(":")[2]: winner.name for key, winner in winners.items()}))


def _claims(name: str, side: str, cls: type | None, others: list[type]) -> Iterator[Claim]:
    return (Claim(f"{side}:{method}", side, method, name) for method in typed_methods(cls, others))


def _given(plugin: Plugin, side: str) -> type | None:
    found = getattr(plugin.family, side)
    return found if isinstance(found, type) else None


def _imported(plugin: Plugin, side: str) -> type | None:
    declared = getattr(plugin.family, side)
    found = _load(plugin, side, declared) if isinstance(declared, str) else declared
    if found is not None and not (isinstance(found, type) and hasattr(found, "_typed_commands")):
        raise _broken(plugin, f"{side}={declared!r} is no class derived from imapkit.plugin.TypedCommands")
    return found


def _load(plugin: Plugin, side: str, place: str) -> object:
    module, _, name = place.partition(":")
    try:
        return attrgetter(name)(import_module(module))
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # a module that calls sys.exit() must not end the program
        raise _broken(plugin, f"{side}={place!r} cannot be imported: {type(exc).__name__}: {exc}") from exc


def _broken(plugin: Plugin, why: str) -> PluginLoadError:
    return PluginLoadError(f"family {plugin}: {why}; {way_out(plugin.name)}", families=[plugin.name])


def _check_bases(plugins: tuple[Plugin, ...], side: str, classes: Mapping[str, type | None], mixins: tuple[type, ...]) -> None:
    """Raise for classes that Python cannot put together."""
    try:
        type("Typed", mixins, {})
    except TypeError as exc:
        names = [plugin.name for plugin in plugins if classes[plugin.name] is not None]
        why = " ".join(str(exc).split())
        raise PluginConflictError(
            f"the {side}= classes of the families {', '.join(map(repr, names))} cannot be combined: {why}", families=names
        ) from exc
