"""``imapkit doctor --host``: a server's capabilities before and after login, and the family that serves each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

import imapkit
from imapkit import ext
from imapkit.cli.tables import show
from imapkit.cli.target import Target, password
from imapkit.core.plugins.capabilities import partly, serving
from imapkit.core.plugins.loader import builtin
from imapkit.core.plugins.registry import Plugin, Registry
from imapkit.core.raw.families import registry
from imapkit.errors import PluginError

__all__ = ["NO_PLUGIN", "Row", "Stages", "as_json", "examine", "main", "rows"]

NO_PLUGIN = "no plugin"

Stages = dict[str, tuple[str, ...]]
"""The capabilities announced at each stage."""


class Row(NamedTuple):
    """One capability, the stages at which the server announced it, and the families that serve all or a part of it.

    ``why``: the part that is served; else the absent families that would serve it ("" if there is none).
    """

    capability: str
    stages: tuple[str, ...]
    served_by: tuple[str, ...] = ()
    partly_by: tuple[str, ...] = ()
    why: str = ""

    @property
    def service(self) -> str:
        """The families that serve it, as text."""
        if self.partly_by:
            return f"{', '.join(self.partly_by)}, partly: {self.why}"
        return ", ".join(self.served_by) or f"{NO_PLUGIN}: {self.why}".removesuffix(": ")


def main(target: Target, *, as_data: bool = False) -> int:
    """Print the server's capabilities with their families, as a table or (``as_data``) as JSON.

    Returns 0; raises ``imapkit.error`` or ``OSError``.
    """
    secret = password(target) if target.user is not None else ""
    stages: Stages = {}
    try:
        examine(target, secret, stages)
    finally:
        # Also after an error: the capabilities announced before it may explain it.
        table = rows(stages, registry())
        if as_data:
            print(json.dumps(as_json(target, table, stages), indent=2))
        elif stages:
            _show(table, list(stages))
    return 0


def as_json(target: Target, table: Iterable[Row], stages: Iterable[str]) -> dict[str, Any]:
    """The whole result, for programs: ``served_by`` is empty without a plugin."""
    capabilities = [{**row._asdict(), "why": row.why or None} for row in table]
    server = {"host": target.host, "stages": list(stages), "capabilities": capabilities}
    return {"imapkit": imapkit.__version__, "problems": [], "server": server}


def examine(target: Target, secret: str, stages: Stages) -> None:
    """Connect, log in if there is a user, and add the capabilities of each stage to ``stages``."""
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
        _row(name, tuple(stage for stage, names in announced.items() if name in names), known, absent)
        for name in sorted(set().union(*announced.values()))
    ]


def _row(capability: str, stages: tuple[str, ...], known: Registry, absent: Collection[Plugin]) -> Row:
    if families := serving(capability, known.plugins):
        return Row(capability, stages, served_by=families)
    could = [name for name in serving(capability, absent) if name != "core"]
    why = [f"{name} is {known.absent[name]}" for name in could]
    if some := partly(capability, known.plugins):
        return Row(capability, stages, partly_by=tuple(some), why="; ".join([*some.values(), *why]))
    return Row(capability, stages, why=", ".join(why))


def _absent(known: Registry) -> list[Plugin]:
    """imapkit's own families that are installed but switched off. Those of other distributions are not imported."""
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
    show(headings, [[row.capability, *("yes" if stage in row.stages else "" for stage in stages), row.service] for row in table])
    served, parts = sum(bool(row.served_by) for row in table), sum(bool(row.partly_by) for row in table)
    print(f"{served} of {len(table)} capabilities are served" + (f", {parts} partly." if parts else "."))
