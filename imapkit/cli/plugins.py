"""``imapkit plugins``: list the command families with their distributions, capabilities, commands and states."""

from __future__ import annotations

import json
import sys
import textwrap
from importlib.util import find_spec
from typing import Any, NamedTuple

import imapkit
from imapkit import ext
from imapkit.cli.survey import Entry, Survey, survey
from imapkit.cli.tables import show
from imapkit.cli.widths import PLAIN_WIDTH, width, wrapped
from imapkit.core.contract.family import CONTRACT
from imapkit.core.plugins.registry import public_methods
from imapkit.core.support.shown import shown
from imapkit.errors import PluginError

__all__ = ["Row", "as_json", "main", "rows"]


class Row(NamedTuple):
    """One family in the table."""

    family: str
    distribution: str
    version: str
    capabilities: str
    commands: str
    state: str


def main(*, as_data: bool = False) -> int:
    """Print the families, as a table or (``as_data``) as JSON.

    Returns 0, or 1 if they cannot be used together as they are installed.
    """
    found = survey()
    if as_data:
        print(json.dumps(as_json(found), indent=2))
    else:
        _show(found)
    return 0 if found.failure is None else 1


def rows(found: Survey) -> list[Row]:
    """A row for each family, by name. The reasons for broken families and conflicts follow the table, as they are long."""
    return [_row(entry) for entry in found.entries]


def as_json(found: Survey) -> dict[str, Any]:
    """The whole list, for programs: ``state`` as in ``Entry``; null for the declarations of an absent family."""
    return {
        "imapkit": imapkit.__version__,
        "contract": CONTRACT,
        "families": [_data(entry) for entry in found.entries],
        "problems": [str(problem) for problem in found.problems],
    }


def problems(failure: PluginError, found: Survey | None = None) -> list[str]:
    """The lines with the reason why no client can be made, and with the other problems."""
    first = str(failure).splitlines()
    rest = [str(problem) for problem in found.problems if str(problem) not in first] if found is not None else []
    return [f"no client can be made: {first[0]}", *first[1:], *rest]


def _row(entry: Entry) -> Row:
    state = {"missing": entry.why, "off": f"off: {entry.why}"}.get(entry.state, entry.state)
    family = entry.family
    if family is None:
        return Row(entry.name, entry.distribution, entry.version, "", "", state)
    commands = " ".join(sorted(command.name for command in family.commands))
    if family.replaces and entry.state == "on":
        state += f", replaces {' '.join(family.replaces)}"
    return Row(entry.name, entry.distribution, entry.version, " ".join(family.capabilities), commands, state)


def _data(entry: Entry) -> dict[str, Any]:
    family = entry.family
    return {
        "name": entry.name,
        "distribution": entry.distribution or None,
        "version": entry.version or None,
        "entry_point": entry.entry_point or None,
        "state": entry.state,
        "why": entry.why or None,
        "contract": family and family.contract,
        "capabilities": family and list(family.capabilities),
        "partly": family and dict(family.partly),
        "commands": family and sorted(command.name for command in family.commands),
        "methods": list(_methods(entry)),
        "requires": family and list(family.requires),
        "replaces": family and list(family.replaces),
    }


def _methods(entry: Entry) -> tuple[str, ...]:
    """The methods; for absent families of imapkit, from its index."""
    return ext.INDEX.get(entry.name, ()) if entry.family is None else public_methods(entry.family.mixin)


def _show(found: Survey) -> None:
    table = rows(found)
    if find_spec("rich") is not None:
        show([name.capitalize() for name in Row._fields], table)
    else:
        _plain(table)
    if found.failure is not None:
        print()
        for line in problems(found.failure, found):
            print(*wrapped(shown(line), sys.stdout), sep="\n")


def _plain(table: list[Row]) -> None:
    """Print a block of lines for each family: six columns are too many for a table without folded cells."""
    columns = width(sys.stdout) or PLAIN_WIDTH
    for row in table:
        print(shown(row.family))
        for name, value in zip(Row._fields[1:], row[1:], strict=True):
            line = f"    {name + ':':<14}{shown(value) or '-'}"
            print(textwrap.fill(line, max(columns, 30), subsequent_indent=" " * 18, break_on_hyphens=False))
