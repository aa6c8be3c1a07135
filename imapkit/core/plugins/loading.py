"""Loading one plugin: import it, ask its hook for its family, and see that this imapkit can use it.

Whatever goes wrong is a ``PluginLoadError`` that names the entry point, the distribution, its version and the way out.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any

import pluggy

from imapkit._version import __version__
from imapkit.core.contract.family import CONTRACT, GROUP, Family, Specs
from imapkit.core.plugins.claims import OWN, Plugin
from imapkit.core.plugins.declaration import contract_is_unknown, is_name, mistakes
from imapkit.core.support.lean import lean_dataclass
from imapkit.core.support.patterns import late_pattern
from imapkit.errors import PluginLoadError

__all__ = ["Source", "load", "version"]

HOOK = "imapkit_family"
_REQUIREMENT = late_pattern(r"imapkit(?:\[[^]]*\])?\s*\(?([<>=!~][^;)]*)", re.IGNORECASE)


@lean_dataclass(frozen=True, slots=True)
class Source:
    """Where a family can be loaded from; ``name`` is empty if only the family itself knows it."""

    name: str
    value: str
    distribution: str
    version: str
    load: Callable[[], Any] = field(compare=False)
    requirements: Callable[[], Iterable[str]] = field(compare=False, default=tuple)

    def __str__(self) -> str:
        return f"plugin {self.name!r} (entry point {self.value!r} of {self.origin})" if self.name else f"plugin {self.value}"

    @property
    def origin(self) -> str:
        """The distribution and its version."""
        return f"{self.distribution} {self.version}".strip()

    def wanted(self) -> str:
        """Which versions of imapkit the distribution asks for: "imapkit>=2"; "" if it does not say."""
        found = (_REQUIREMENT.match(requirement) for requirement in self.requirements())
        return next((f"{OWN}{match[1].strip()}" for match in found if match), "")


def load(source: Source) -> Plugin:
    """Import a plugin and ask it for its family. Raises ``PluginLoadError``, also for what would end a program.

    An entry point whose name IMAPKIT_DISABLE could not list ("a,b") is refused before it is imported.
    """
    if source.name and not is_name(source.name):
        raise _broken(source, "has a name that cannot be switched off: letters, digits, and _ - . inside")
    try:
        offered = source.load()
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # a module that calls sys.exit() must not end the program
        raise _broken(source, "cannot be imported", exc) from exc
    # An entry point may name a family itself, so that one module can offer several.
    family = offered if isinstance(offered, Family) else _ask(source, offered)
    _check(source, family)
    return Plugin(family.name, family, source.distribution, source.version)


class _Manager(pluggy.PluginManager):
    """Knows the one hook, and does not look at everything else that is in a module or in ``Specs``, which takes long."""

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> pluggy.HookspecOpts | None:
        return super().parse_hookspec_opts(module_or_class, name) if name == HOOK else None

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> pluggy.HookimplOpts | None:
        return super().parse_hookimpl_opts(plugin, name) if name == HOOK else None


def _ask(source: Source, plugin: Any) -> Family:
    """Call the hook once, with a plugin manager that has this plugin alone, so that any error is this plugin's."""
    manager = _Manager(GROUP)
    manager.add_hookspecs(Specs)
    _check_hooks(source, manager, plugin)
    try:
        manager.register(plugin, source.name or None)
    except Exception as exc:
        raise _broken(source, f"has a hook with a wrong signature, {_signature(plugin)}: {HOOK}() takes no arguments") from exc
    try:
        answers = manager.hook.imapkit_family()
    except KeyboardInterrupt:
        raise
    except BaseException as exc:
        raise _broken(source, f"failed in its hook {HOOK}", exc) from exc
    answer = answers[0] if answers else None
    if not isinstance(answer, Family):
        raise _broken(source, f"offers no family: its hook {HOOK} returned {type(answer).__name__ if answers else None}")
    return answer


def _check_hooks(source: Source, manager: pluggy.PluginManager, plugin: Any) -> None:
    """pluggy passes over a function that is not marked, and takes any name for a hook that may come to be known."""
    # What is marked has an attribute for that; pluggy takes long to look for it.
    names = (
        [name for name, value in vars(plugin).items() if inspect.isroutine(value) and getattr(value, "__dict__", None)]
        if inspect.ismodule(plugin)
        else dir(plugin)
    )
    hooks = [name for name in names if pluggy.PluginManager.parse_hookimpl_opts(manager, plugin, name) is not None]
    if strange := [name for name in hooks if name != HOOK]:
        raise _broken(source, f"has a hook of a wrong name, {', '.join(strange)}: the hook is {HOOK}")
    if not hooks:
        lacks = f"{HOOK} is not marked with @hookimpl" if hasattr(plugin, HOOK) else f"it has no hook {HOOK}"
        raise _broken(source, f"offers no family: {lacks}")


def _signature(plugin: Any) -> str:
    return f"{HOOK}{inspect.signature(getattr(plugin, HOOK))}"


def _check(source: Source, family: Family) -> None:
    """Raise unless the family is one that this imapkit can use."""
    if contract_is_unknown(family):
        raise _broken(source, _other_contract(source, family))
    # (It takes a millisecond for all of imapkit's own, which a test looks through.)
    if source.distribution != OWN and (wrong := list(mistakes(family))):
        raise _broken(source, f"declares its family wrongly: {'; '.join(wrong)}")
    if source.name and family.name != source.name:
        raise _broken(source, f"offers a family of another name, {family.name!r}")


def _other_contract(source: Source, family: Family) -> str:
    have = f"imapkit {version()} has contract {CONTRACT}"
    if type(family.contract) is not int or family.contract < 1:
        return f"is for contract {family.contract!r} of imapkit.plugin, which there is not; {have}"
    newer = source.wanted() or f"an imapkit that is newer than {version()}"
    older = f"a version of {source.distribution} before {source.version}" if source.version else "an older version of the plugin"
    return f"is for contract {family.contract} of imapkit.plugin, and {have}: install {newer}, or {older}"


def version() -> str:
    """imapkit's own."""
    return __version__


def _broken(source: Source, what: str, cause: BaseException | None = None) -> PluginLoadError:
    why = f": {type(cause).__name__}: {cause}".removesuffix(": ") if cause is not None else ""
    # What a plugin misses may be there in the imapkit that it asks for; pip sees to that only when it installs.
    asks = (
        f"; {source.origin} asks for {wanted}, this is {version()}" if cause is not None and (wanted := source.wanted()) else ""
    )
    way_out = "leave it out of families="
    if source.name:
        can = is_name(source.name)
        way_out = f"IMAPKIT_DISABLE={source.name} switches it off" if can else f"uninstall {source.distribution}"
    return PluginLoadError(f"{source} {what}{why}{asks}; {way_out}", families=[source.name] if source.name else ())
