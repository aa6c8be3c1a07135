"""Finding the families: entry points, what the user and the program allow, and loading with a clear error.

The environment is the user's: ``IMAPKIT_PLUGINS=a,b`` (only these; empty: none) and ``IMAPKIT_DISABLE=c`` (not these). The
program has ``configure`` and ``families=``. All of them count together: a family is there if none of them rules it out. One
that is ruled out is not imported.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from imapkit import ext
from imapkit.core.contract.commands import Commands
from imapkit.core.contract.family import GROUP, Family
from imapkit.core.plugins.claims import NOT_IN_BUILD, NOT_INSTALLED, OWN, Plugin, listed
from imapkit.core.plugins.declaration import is_name
from imapkit.core.plugins.installed import installed
from imapkit.core.plugins.loading import Source, load, version
from imapkit.core.plugins.registry import Registry
from imapkit.core.support.lean import lean_dataclass
from imapkit.errors import PluginConflictError, PluginError

__all__ = ["OWN", "Discovery", "Loader", "available", "builtin", "check_some", "discover"]


@lean_dataclass(frozen=True, slots=True)
class Discovery:
    """The families that were loaded, by name, and why each of the others is absent."""

    plugins: tuple[Plugin, ...]
    absent: Mapping[str, str]


@lean_dataclass(frozen=True, slots=True)
class _Rules:
    """Who rules out what. ``only`` and ``never`` hold names by the reason that is given for an absent family."""

    only: Mapping[str, frozenset[str]]
    never: Mapping[str, frozenset[str]]

    def against(self, name: str) -> str | None:
        """Why a family is not to be there; None if it is."""
        for reason, names in self.never.items():
            if name in names:
                return reason
        return next((reason for reason, names in self.only.items() if name not in names), None)

    def asked(self) -> frozenset[str]:
        """The names that somebody asked for."""
        return frozenset().union(*self.only.values())

    def check(self, known: Collection[str]) -> None:
        """Raise ``PluginError`` for a name that is asked for, not ruled out, and nowhere to be had."""
        for reason, names in self.only.items():
            if unknown := sorted(names.difference(known, *self.never.values())):
                asked = reason.removeprefix("not in ").removeprefix("not among ")
                there = ", ".join(sorted(known)) or "none"
                text = f"{asked}: there is no family {', '.join(map(repr, unknown))}; there are: {there}"
                raise PluginError(text, families=unknown)


def discover(
    allow: Iterable[str] | None = None,
    deny: Iterable[str] = (),
    explicit: Iterable[Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> Discovery:
    """Load every family that may be there.

    ``allow``: only these names. ``deny``: not these. ``explicit``: only these, each a name, a ``Family``, or a module
    or object with the hook ``imapkit_family``. ``environ``: where the user's settings are (default: ``os.environ``).
    Raises ``PluginLoadError`` for a plugin that is broken, ``PluginConflictError`` for two of the same name,
    ``PluginError`` for a name that is asked for, not ruled out, and not installed. Whatever is wrong is told at once, by name.
    """
    items = None if explicit is None else _listed(explicit, "families=")
    given = [load(_given(item)) for item in items or () if not isinstance(item, str)]
    handed = {plugin.name for plugin in given}
    sources = available()
    rules = _rules(allow, deny, items, handed, os.environ if environ is None else environ)
    rules.check(sources.keys() | handed)
    reasons = {name: rules.against(name) for name in sorted(sources.keys() | handed)}
    plugins = [plugin for plugin in given if reasons[plugin.name] is None]
    problems: list[PluginError] = []
    for name, reason in reasons.items():
        if reason is None and name not in handed:
            try:
                plugins.append(load(_single(sources[name])))
            except PluginError as exc:
                if _left_out(name, sources[name]) and name not in rules.asked():
                    reasons[name] = NOT_IN_BUILD
                else:
                    problems.append(exc)
    if problems:
        raise PluginError.together(problems)
    absent = {name: NOT_INSTALLED if _in_build(name) else NOT_IN_BUILD for name in ext.INDEX if name not in reasons}
    absent |= {name: reason for name, reason in reasons.items() if reason is not None}
    plugins.sort(key=lambda plugin: plugin.name)
    return Discovery(tuple(plugins), MappingProxyType(dict(sorted(absent.items()))))


def check_some(found: Discovery, environ: Mapping[str, str] | None = None) -> None:
    """Raise ``PluginError`` if the user's environment has left no family at all: a client could not even log in."""
    user = (os.environ if environ is None else environ).get("IMAPKIT_PLUGINS")
    if user is not None and not found.plugins and "not in IMAPKIT_PLUGINS" in found.absent.values():
        text = f"IMAPKIT_PLUGINS={user!r} leaves no command family, so a client would have no commands"
        raise PluginError(f"{text}: unset it, or name the families to keep (imapkit plugins lists them)")


def builtin(name: str) -> Plugin:
    """Load one of imapkit's own families by the name of its module, whether or not it is an entry point."""
    return load(_builtin_source(name))


_MOST = 32
"""Registries that are kept for the next client; a program may make families of its own for each client."""


class Loader:
    """Keeps what the program configured, and the registries that were asked for last. Any thread may call any method.

    ``client``: the class that the families' methods are mixed into.
    """

    def __init__(self, client: type[Commands] = Commands) -> None:
        self._client = client
        self._lock = threading.RLock()
        self._busy = False
        self._settings: dict[str, Any] = {}
        self._made: dict[tuple[str | int, ...] | None, tuple[tuple[Any, ...], Registry]] = {}

    def configure(
        self,
        *,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] = (),
        families: Iterable[Any] | None = None,
    ) -> None:
        """Say which families there are, before the first client is made; the last call counts.

        ``allow``: only these names. ``deny``: not these. ``families``: exactly these, each a name or a module with the
        hook (for frozen applications, whose distributions have no metadata). The environment's IMAPKIT_PLUGINS and
        IMAPKIT_DISABLE count as well. Raises ``PluginError`` once a client has been made.
        """
        settings: dict[str, Any] = {
            "allow": None if allow is None else _listed(allow, "allow="),
            "deny": _listed(deny, "deny="),
            "explicit": None if families is None else _listed(families, "families="),
        }
        with self._lock:
            if self._made:
                raise PluginError("configure() comes too late, families are in use: call it before the first client")
            self._settings = settings

    def registry(self, families: Iterable[Any] | None = None) -> Registry:
        """The registry of all families that may be there, which is made once, or of ``families`` only.

        Raises as ``discover`` and ``Registry.build`` do.
        """
        items = None if families is None else _listed(families, "families=")
        key = None if items is None else tuple(item if isinstance(item, str) else id(item) for item in items)
        with self._lock:
            # The items are kept with the registry: an id means nothing once its object is gone.
            made = self._made.pop(key, None) or (items or (), self._make(items))
            self._made[key] = made
            if len(self._made) > _MOST:
                del self._made[next(known for known in self._made if known is not None)]
            return made[1]

    def _make(self, items: tuple[Any, ...] | None) -> Registry:
        if self._busy:
            raise PluginError("a plugin made a client while it was being imported")
        self._busy = True
        try:
            found = discover(**(self._settings if items is None else {**self._settings, "explicit": items}))
            check_some(found)
            return Registry.build(found.plugins, found.absent, self._client)
        finally:
            self._busy = False


def _listed(items: Iterable[Any], argument: str) -> tuple[Any, ...]:
    if isinstance(items, str):
        raise PluginError(f"{argument} takes a list of names, not the string {items!r}")
    return tuple(items)


def _rules(
    allow: Iterable[str] | None,
    deny: Iterable[str],
    items: tuple[Any, ...] | None,
    handed: set[str],
    environ: Mapping[str, str],
) -> _Rules:
    only: dict[str, frozenset[str]] = {}
    if "IMAPKIT_PLUGINS" in environ:
        only["not in IMAPKIT_PLUGINS"] = _names(environ, "IMAPKIT_PLUGINS")
    if allow is not None:
        only["not in allow="] = frozenset(_listed(allow, "allow="))
    if items is not None:
        names = {item for item in items if isinstance(item, str)}
        only["not among families="] = frozenset(names | handed)
    never = {
        "switched off by IMAPKIT_DISABLE": _names(environ, "IMAPKIT_DISABLE"),
        "switched off by deny=": frozenset(_listed(deny, "deny=")),
    }
    return _Rules(only, never)


def _names(environ: Mapping[str, str], variable: str) -> frozenset[str]:
    return frozenset(name for part in environ.get(variable, "").split(",") if (name := part.strip()))


def available() -> dict[str, list[Source]]:
    """Every entry point by name; more than one source for a name is a conflict if that name is used."""
    points, there = installed(GROUP, [OWN])
    sources: dict[str, list[Source]] = {}
    for source in points:
        if source not in (those := sources.setdefault(source.name, [])):
            those.append(source)
    if OWN not in there:
        # A frozen application, a zipapp or a bare source tree.
        for name in ext.INDEX:
            if _in_build(name):
                sources.setdefault(name, []).append(_builtin_source(name))
    return sources


def _in_build(name: str) -> bool:
    """Whether the module of a builtin family is there."""
    # Few programs need to ask.
    from importlib.util import find_spec

    return find_spec(f"{ext.__name__}.{name}") is not None


def _left_out(name: str, sources: list[Source]) -> bool:
    """Whether this is one of imapkit's own, without its module: frozen programs may keep the entry points of all."""
    return all(source.distribution == OWN for source in sources) and not _in_build(name)


def _builtin_source(name: str) -> Source:
    module = f"{ext.__name__}.{name}"
    return Source(name, module, OWN, version(), lambda: import_module(module))


def _single(sources: list[Source]) -> Source:
    """The one source of a name. pluggy would drop all but one of them, and not say so."""
    if len(sources) > 1:
        name = sources[0].name
        way_out = "uninstall all but one of them"
        if is_name(name):
            way_out += f", or IMAPKIT_DISABLE={name} switches them all off"
        text = f"{len(sources)} entry points have the same name: {listed(sorted(map(str, sources)))}; {way_out}"
        raise PluginConflictError(text, families=[name])
    return sources[0]


def _given(item: Any) -> Source:
    """What the program handed over: a family, or a module or object with the hook."""
    if isinstance(item, Family):
        return Source("", f"{item.name!r}, given as a family", "given by the program", "", lambda: item)
    where = getattr(item, "__name__", None) or repr(item)
    return Source("", f"module {where}", f"module {where}", "", lambda: item)
