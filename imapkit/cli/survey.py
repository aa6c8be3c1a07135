"""Survey all families, installed or absent, with their problems, for ``imapkit plugins``; one broken plugin hides no other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from imapkit import ext
from imapkit.core.contract.family import Family
from imapkit.core.plugins.claims import NOT_IN_BUILD, NOT_INSTALLED, OWN, Plugin
from imapkit.core.plugins.loader import Discovery, available, check_some, discover
from imapkit.core.plugins.registry import Registry
from imapkit.core.raw.facade import Client
from imapkit.errors import PluginConflictError, PluginError

__all__ = ["Entry", "Survey", "survey"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One family: its distribution and its state.

    ``state`` is "on", "off", "missing" (not installed), "broken" (cannot be loaded) or "conflict" (with another family, or
    with one that it requires); ``why`` is the reason if it is not "on". ``family`` is None if it is not loaded.
    """

    name: str
    distribution: str
    version: str
    entry_point: str
    state: str
    why: str = ""
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """The families by name; the error that a client would raise; and each problem."""

    entries: tuple[Entry, ...]
    failure: PluginError | None
    problems: tuple[PluginError, ...]


def survey() -> Survey:
    """Examine every family under the environment's settings; a problem of one hides no other."""
    failures: list[PluginError] = []
    found, troubles = _loaded(failures)
    reasons = {**found.absent, **{name: str(problem) for name, problem in troubles.items()}}
    try:
        check_some(found)
        Registry.build(found.plugins, {**found.absent, **dict.fromkeys(troubles, "broken")}, Client)
    except PluginError as exc:
        failures.append(exc)
    problems = [part for failure in failures for part in failure.parts]
    against = {name: problem for problem in problems for name in problem.families}
    entries = [*_present(found.plugins, against), *_others(reasons, troubles)]
    entries.sort(key=lambda entry: (entry.name, entry.distribution, entry.version))
    return Survey(tuple(entries), failures[0] if failures else None, tuple(problems))


def _loaded(failures: list[PluginError]) -> tuple[Discovery, dict[str, PluginError]]:
    """All families that can be loaded, and the problem of each other one; append the errors raised to ``failures``."""
    troubles: dict[str, PluginError] = {}
    while True:
        try:
            return discover(deny=troubles), troubles
        except PluginError as exc:
            new = {name: part for part in exc.parts for name in part.families if name not in troubles}
            if not new:
                raise
            failures.append(exc)
            troubles |= new


def _present(plugins: Collection[Plugin], against: Mapping[str, PluginError]) -> Iterator[Entry]:
    points = {source.name: source.value for those in available().values() for source in those}
    for plugin in plugins:
        problem = against.get(plugin.name)
        state, why = ("on", "") if problem is None else ("conflict", str(problem))
        yield Entry(plugin.name, plugin.distribution, plugin.version, points[plugin.name], state, why, plugin.family)


def _others(reasons: Mapping[str, str], troubles: Mapping[str, PluginError]) -> Iterator[Entry]:
    """The families that are not loaded; without an import their declarations are unknown."""
    sources = available()
    for name, why in reasons.items():
        if name not in sources:
            nowhere = NOT_INSTALLED if name in troubles else why
            yield Entry(name, OWN if name in ext.INDEX else "", "", "", "missing", nowhere)
        for source in sources.get(name, ()):
            state = _state(why, troubles.get(name))
            yield Entry(name, source.distribution, source.version, source.value, state, why)


def _state(why: str, trouble: PluginError | None) -> str:
    if trouble is not None:
        return "conflict" if isinstance(trouble, PluginConflictError) else "broken"
    return "missing" if why == NOT_IN_BUILD else "off"
