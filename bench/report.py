"""The figures as tables: medians, and imapkit's as a multiple of each peer's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.works import ORDER, WORKS, Work

__all__ = ["Table", "lines", "missed", "ratio"]

Table = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Of one server: by work, by client: medians by figure; "error" where it failed."""


def ratio(work: Work, row: Mapping[str, Mapping[str, Any]], peer: str) -> float | None:
    """What imapkit takes, as a multiple of what ``peer`` takes."""
    own, other = _figure(work, row, "imapkit"), _figure(work, row, peer)
    return own / other if own is not None and other else None


def _figure(work: Work, row: Mapping[str, Mapping[str, Any]], client: str) -> float | None:
    value = row.get(client, {}).get(work.figure)
    return None if value is None else float(value)


def missed(work: Work, row: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What of the targets is not reached."""
    for peer, most in work.targets.items():
        found = ratio(work, row, peer)
        if found is not None and found > most:
            yield f"{found:.2f} x {peer}, not {most:g}"
    own = _figure(work, row, "imapkit")
    if work.at_most is not None and own is not None and own > work.at_most:
        yield f"{own:.2f}, not {work.at_most:g}"


def lines(table: Table, *, targets: bool) -> Iterator[str]:
    """A table in Markdown."""
    clients = [name for name in ORDER if any(name in row for row in table.values())]
    peers = [name for name in clients if name != "imapkit"]
    yield "| work | imapkit | " + " | ".join(peers) + (" | at most |" if targets else " |")
    yield "| --- |" + " ---: |" * len(clients) + (" --- |" if targets else "")
    for name, row in table.items():
        work = WORKS[name]
        cells = [_own(work, row), *(_cell(work, row, peer) for peer in peers)]
        yield f"| {work.title} | " + " | ".join(cells) + (f" | {_target(work, row)} |" if targets else " |")


def _own(work: Work, row: Mapping[str, Mapping[str, Any]]) -> str:
    value = _figure(work, row, "imapkit")
    return row.get("imapkit", {}).get("error", "-") if value is None else f"{value:,.4g} {work.unit}".strip()


def _cell(work: Work, row: Mapping[str, Mapping[str, Any]], peer: str) -> str:
    if "error" in row.get(peer, {}):
        return "fails"
    found = ratio(work, row, peer)
    return "" if found is None else f"{found:.2f}"


def _target(work: Work, row: Mapping[str, Mapping[str, Any]]) -> str:
    wanted = [f"{most:g} x {peer}" for peer, most in work.targets.items()]
    if work.at_most is not None:
        wanted.append(f"{work.at_most:g} {work.unit}".strip())
    if not wanted:
        return ""
    return ", ".join(wanted) + (" **missed**" if any(missed(work, row)) else "")
