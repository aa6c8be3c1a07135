"""What is wrong with what a family declares for others to use: rules, offers, steps and quirks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from imapkit.core.contract.family import Family
from imapkit.core.contract.needs import Needs
from imapkit.core.contract.points import Quirk, StateStep

__all__ = ["wrong_points"]

_Check: TypeAlias = Callable[[str, str, Any, str], Iterator[str]]
_MOMENTS = ("greeting", "tls", "login")


def wrong_points(family: Family, check: _Check) -> Iterator[str]:
    """The mistakes; ``check(where, field, function, call)`` tells those of a function."""
    yield from _wrong_guards(family.guards, check)
    yield from _wrong_implies(family.implies)
    yield from _wrong_offers(family.offers)
    for step in family.steps if isinstance(family.steps, (tuple, list)) else ():
        if isinstance(step, StateStep):
            yield from _wrong_step(step, check)
    for quirk in family.quirks if isinstance(family.quirks, (tuple, list)) else ():
        if isinstance(quirk, Quirk):
            yield from _wrong_quirk(quirk)


def _wrong_guards(guards: Any, check: _Check) -> Iterator[str]:
    if not isinstance(guards, Mapping):
        yield f"guards= is no mapping but {type(guards).__name__}"
        return
    for name, rule in guards.items():
        if not isinstance(name, str) or name != name.upper() or not name:
            yield f'guards= has the key {name!r}, which is no name of a command in upper case, nor "*"'
        yield from check(f"guards= under {name!r}", "the rule", rule, "rule(session, name, args, uid)")


def _wrong_implies(implies: Any) -> Iterator[str]:
    if not isinstance(implies, Mapping):
        yield f"implies= is no mapping but {type(implies).__name__}"
        return
    for name, others in implies.items():
        if not isinstance(name, str):
            yield f"implies= has the key {name!r}, which is no str"
        if not isinstance(others, (tuple, list)) or not all(isinstance(other, str) for other in others):
            yield f"implies= has under {name!r} no tuple of capabilities: a comma is missing before the )"


def _wrong_offers(offers: Any) -> Iterator[str]:
    if not isinstance(offers, Mapping):
        yield f"offers= is no mapping but {type(offers).__name__}"
        return
    for registry, offered in offers.items():
        if not isinstance(registry, str) or not registry or "." in registry:
            yield f"offers= has the key {registry!r}, which is no name of a registry: a word without a dot"
        if not isinstance(offered, Mapping) or not all(isinstance(name, str) and name for name in offered):
            yield f'offers= has under {registry!r} no mapping of names: write {{"{registry}": {{"NAME": value}}}}'


def _wrong_step(step: StateStep, check: _Check) -> Iterator[str]:
    where = f"the step at {step.at!r}"
    if step.at not in _MOMENTS:
        yield f'{where}: at= is none of "greeting", "tls" and "login"'
    yield from check(where, "run=", step.run, "run(client)")
    if isinstance(step.order, bool) or not isinstance(step.order, (int, float)) or step.order != step.order:
        yield f"{where}: order={step.order!r} is no number"
    if not isinstance(step.replay, bool):
        yield f"{where}: replay={step.replay!r} is neither True nor False"


def _wrong_quirk(quirk: Quirk) -> Iterator[str]:
    where = f"quirk {quirk.name!r}"
    if not isinstance(quirk.greeting, str):
        yield f"{where}: greeting= is a {type(quirk.greeting).__name__} and no text"
    if not _is_table(quirk.id, str):
        yield f"{where}: id= is no mapping from text to text"
    needs = quirk.capabilities
    if needs is not None and not isinstance(needs, Needs) and not (isinstance(needs, str) and needs.split() == [needs]):
        yield f'{where}: capabilities={needs!r} is no capability: write "NAME", or Needs("A") & Needs("B")'
    elif not (quirk.greeting or quirk.id or needs is not None):
        yield f"{where} is for every server: write greeting=, id= or capabilities="
    for field in ("hides", "prefers"):
        value = getattr(quirk, field)
        if not isinstance(value, (tuple, list)) or not all(isinstance(word, str) for word in value):
            yield f"{where}: {field}= is no tuple of names: a comma is missing before the )"
    if not _is_table(quirk.limits, int):
        yield f"{where}: limits= is no mapping from names to numbers"


def _is_table(value: Any, kind: type) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) and isinstance(one, kind) for key, one in value.items())
