"""``imapkit doctor --host``: what a server announces, before and after login, and which family serves each of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

import imapkit
from imapkit import ext
from imapkit.cli.shown import printable
from imapkit.cli.target import Target, password
from imapkit.core.capabilities import serving
from imapkit.core.plugins import builtin, registry
from imapkit.core.registry import Plugin, Registry
from imapkit.errors import PluginError

__all__ = ["NOBODY", "Row", "Stages", "as_json", "examine", "main", "rows"]

NOBODY = "no plugin"

Stages = dict[str, tuple[str, ...]]
"""What was announced, by when it was."""


class Row(NamedTuple):
    """One capability: at which stages it was announced, who serves it, and why those that could do not ("" if nobody could)."""

    capability: str
    stages: tuple[str, ...]
    served_by: tuple[str, ...]
    why: str = ""

    @property
    def told(self) -> str:
        """Who serves it, in words."""
        return ", ".join(self.served_by) or f"{NOBODY}: {self.why}".removesuffix(": ")


def main(target: Target, *, as_data: bool = False) -> int:
    """Print what the server announces beside the families, as a table or (``as_data``) as JSON.

    Returns 0; raises ``imapkit.error`` or ``OSError``.
    """
    secret = password(target) if target.user is not None else ""
    stages: Stages = {}
    try:
        examine(target, secret, stages)
    finally:
        # What was announced until something went wrong is worth knowing just then.
        table = rows(stages, registry())
        if as_data:
            print(json.dumps(as_json(target, table, stages), indent=2))
        elif stages:
            _show(table, list(stages))
    return 0


def as_json(target: Target, table: Iterable[Row], stages: Iterable[str]) -> dict[str, Any]:
    """All that is known, for programs: ``served_by`` is empty where there is no plugin."""
    capabilities = [{**row._asdict(), "why": row.why or None} for row in table]
    server = {"host": target.host, "stages": list(stages), "capabilities": capabilities}
    return {"imapkit": imapkit.__version__, "problems": [], "server": server}


def examine(target: Target, secret: str, stages: Stages) -> None:
    """Connect, log in if there is a user, and note what the server announces at each stage."""
    with target.connect() as imap:
        if target.starttls:
            stages["without TLS"] = imap.capabilities
            target.start_tls(imap)
        stages["before login"] = imap.capabilities
        if target.user is not None:
            imap.login(target.user, secret)
            stages["after login"] = imap.capabilities


def rows(stages: Mapping[str, Iterable[str]], known: Registry) -> list[Row]:
    """A row for each capability, by name."""
    announced = {stage: set(names) for stage, names in stages.items()}
    absent = _absent(known)
    return [
        Row(name, tuple(stage for stage, names in announced.items() if name in names), *_who(name, known, absent))
        for name in sorted(set().union(*announced.values()))
    ]


def _who(capability: str, known: Registry, absent: Iterable[Plugin]) -> tuple[tuple[str, ...], str]:
    there = serving(capability, known.plugins)
    could = () if there else (name for name in serving(capability, absent) if name != "core")
    return there, ", ".join(f"{name} is {known.absent[name]}" for name in could)


def _absent(known: Registry) -> list[Plugin]:
    """imapkit's own families that are installed and not there; those of others are not imported, they were ruled out."""
    found = []
    for name in sorted(known.absent.keys() & ext.INDEX.keys()):
        if find_spec(f"{ext.__name__}.{name}") is not None:
            try:
                found.append(builtin(name))
            except PluginError:
                continue
    return found


def _show(table: list[Row], stages: list[str]) -> None:
    headings = ["Capability", *(stage.capitalize() for stage in stages), "Served by"]
    cells = [[printable(row.capability), *("yes" if stage in row.stages else "" for stage in stages), row.told] for row in table]
    if find_spec("rich") is not None:
        from imapkit.cli.screen import Screen

        Screen().table(headings, cells)
    else:
        widths = [max(len(line[column]) for line in [headings, *cells]) for column in range(len(headings))]
        for line in [headings, *cells]:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    served = sum(bool(row.served_by) for row in table)
    print(f"{served} of {len(table)} capabilities are served.")
