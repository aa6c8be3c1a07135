"""``imapkit plugins``: the command families, where they come from, what they bring, and whether they are on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import NamedTuple

import importlib_metadata

from imapkit import ext
from imapkit.core.plugins import Loader, discover
from imapkit.core.registry import NOT_INSTALLED, Plugin
from imapkit.errors import PluginError
from imapkit.family import GROUP

__all__ = ["Row", "main", "rows"]


class Row(NamedTuple):
    """What is told of one family."""

    family: str
    distribution: str
    version: str
    capabilities: str
    commands: str
    state: str


def main() -> int:
    """Print the table of families. Returns 0, or 1 if the families cannot be used together as they are installed."""
    table, problem = rows()
    if find_spec("rich") is not None:
        _rich(table)
    else:
        _plain(table)
    if problem is not None:
        print(f"\nno client can be made: {problem}")
    return 0 if problem is None else 1


def rows() -> tuple[list[Row], PluginError | None]:
    """A row for each family, by name, and what keeps them from being used together."""
    try:
        registry = Loader().registry()
    except PluginError as exc:
        return sorted(_one_by_one()), exc
    return sorted([*map(_on, registry.plugins), *_absent(registry.absent)]), None


def _on(plugin: Plugin) -> Row:
    family = plugin.family
    commands = " ".join(sorted(command.name for command in family.commands))
    return Row(plugin.name, plugin.distribution, plugin.version, " ".join(family.capabilities), commands, "on")


def _absent(reasons: Mapping[str, str]) -> Iterator[Row]:
    """The families that are not there; what they would bring is not known, because they are not imported."""
    origins = _origins()
    for name, why in reasons.items():
        yield Row(name, *origins.get(name, ("", "")), "", "", f"off: {why}")


def _one_by_one() -> Iterator[Row]:
    """Each family asked for itself, so that a broken one does not hide the others."""
    origins = _origins()
    for name in origins.keys() | ext.INDEX.keys():
        try:
            found = discover(explicit=[name])
        except PluginError as exc:
            there = name in origins or find_spec(f"{ext.__name__}.{name}") is not None
            yield Row(name, *origins.get(name, ("", "")), "", "", f"off: {exc if there else NOT_INSTALLED}")
        else:
            yield from map(_on, found.plugins)
            yield from _absent({name: found.absent[name]} if name in found.absent else {})


def _origins() -> dict[str, tuple[str, str]]:
    """The distribution and its version, by the names of the entry points; nothing is imported for it."""
    points = importlib_metadata.entry_points(group=GROUP)
    return {point.name: (str(point.dist.name), str(point.dist.version)) for point in points if point.dist is not None}


def _rich(table: list[Row]) -> None:
    from imapkit.cli.screen import Screen

    screen = Screen()
    screen.table([name.capitalize() for name in Row._fields], table)


def _plain(table: list[Row]) -> None:
    for row in table:
        print(row.family)
        for name, value in zip(Row._fields[1:], row[1:], strict=True):
            print(f"    {name + ':':<14}{value or '-'}")
