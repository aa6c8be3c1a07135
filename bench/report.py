"""The figures as tables: medians, and imapkit's as a multiple of each peer's; of one run, or of two side by side."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.works import ORDER, WORKS, Goal, Work, goal

__all__ = [
    "Row",
    "Run",
    "Table",
    "aims",
    "figure",
    "headline",
    "lines",
    "merged",
    "missed",
    "missing",
    "ratio",
    "shown",
    "tables",
]

Row = Mapping[str, Mapping[str, Any]]
"""Of one piece of work, by client: medians by figure, "rounds" of the compared one, "error" where it failed."""
Table = Mapping[str, Row]
"""Of one server through one layer, by work."""
Run = Mapping[str, Any]
"""All that one run has found: "tables" by title, "sizes", "growth", "machine", "profile"."""

_HEADLINE = (
    ("flags", "imaplib", "FETCH of the flags of {size:,} messages takes {ratio} of {peer}'s time"),
    ("structures_parsed", "imapclient", "{size:,} envelopes and body structures are parsed in {ratio} of {peer}'s"),
    ("appends_pipelined", "imaplib2", "{size:,} pipelined APPENDs take {ratio} of {peer}'s"),
    ("noops", "imaplib", "one NOOP after another, where there is nothing to gain, {ratio} of {peer}'s"),
)
_NAMES = {"imapclient": "IMAPClient"}


def figure(work: Work, row: Row, client: str) -> float | None:
    """The median of the compared figure."""
    value = row.get(client, {}).get(work.figure)
    return None if value is None else float(value)


def shown(value: float) -> str:
    """A figure, as precise as is of use."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def ratio(work: Work, row: Row, peer: str) -> float | None:
    """imapkit's figure as a multiple of the peer's."""
    own, other = figure(work, row, "imapkit"), figure(work, row, peer)
    return own / other if own is not None and other else None


def aims(work: Work, title: str) -> Goal:
    """imapkit's targets in the table with this title."""
    server, _, layer = title.partition(", ")
    return goal(work, server, layer or "plain")


def missed(work: Work, title: str, row: Row) -> Iterator[str]:
    """The targets that are not reached."""
    aim = aims(work, title)
    for peer, most in aim.targets.items():
        found = ratio(work, row, peer)
        if found is not None and found > most:
            yield f"{found:.3g} x {peer}, not {most:g}"
    own = figure(work, row, "imapkit")
    if aim.at_most is not None and own is not None and own > aim.at_most:
        yield f"{shown(own)} {work.unit}".strip() + f", not {aim.at_most:g}"


def merged(runs: Sequence[Run]) -> Run:
    """One run with the medians of all, for what has room for one figure; what is no figure is the first one's."""
    if len(runs) == 1:
        return runs[0]
    tables = {
        title: {
            name: {client: _median([_row(run, title, name).get(client, {}) for run in runs]) for client in row}
            for name, row in table.items()
        }
        for title, table in runs[0]["tables"].items()
    }
    return {**runs[0], "tables": tables}


def _median(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of one client's figures."""
    names = {name for figures in found for name, value in figures.items() if isinstance(value, int | float)}
    return {name: statistics.median(figures[name] for figures in found if name in figures) for name in sorted(names)}


def missing(runs: Sequence[Run]) -> Iterator[str]:
    """A line for each row of any table that misses its target, saying by how much, and in how many of the runs."""
    for title in runs[0]["tables"]:
        for name in runs[0]["tables"][title]:
            found = [list(missed(WORKS[name], title, _row(run, title, name))) for run in runs]
            if any(found):
                notes = " / ".join("; ".join(notes) or "met" for notes in found)
                yield f"{title}: {_titled(runs[0], title, name)}: {notes}"


def tables(runs: Sequence[Run]) -> Iterator[str]:
    """All tables in Markdown."""
    for title in runs[0]["tables"]:
        yield f"\n## {title}\n"
        yield from lines(runs, title)


def lines(runs: Sequence[Run], title: str) -> Iterator[str]:
    """One table in Markdown; a cell has the figure of each run."""
    table: Table = runs[0]["tables"][title]
    clients = [name for name in ORDER if any(name in row for row in table.values())]
    peers = [name for name in clients if name != "imapkit"]
    aimed = any(_aimed(WORKS[name], title, [table[name]]) for name in table)
    yield "| work | imapkit | " + " | ".join(peers) + (" | at most | |" if aimed else " |")
    yield "| --- |" + " ---: |" * len(clients) + (" --- | --- |" if aimed else "")
    for name in table:
        work, rows = WORKS[name], [_row(run, title, name) for run in runs]
        cells = [_own(work, rows), *(_each([_cell(work, row, peer) for row in rows]) for peer in peers)]
        end = f" | {_aimed(work, title, rows)} | {_verdict(work, title, rows)} |" if aimed else " |"
        yield f"| {_titled(runs[0], title, name)} | " + " | ".join(cells) + end


def headline(run: Run) -> str:
    """A sentence with the most telling ratios."""
    title = "canned, plain"
    said = []
    for name, peer, what in _HEADLINE:
        found = ratio(WORKS[name], _row(run, title, name), peer)
        if found is not None:
            size = run["sizes"][title][name]
            said.append(what.format(size=size, ratio=f"{found:.2g}", peer=_NAMES.get(peer, peer)))
    return "; ".join(said)


def _row(run: Run, title: str, name: str) -> Row:
    found: Row = run.get("tables", {}).get(title, {}).get(name, {})
    return found


def _titled(run: Run, title: str, name: str) -> str:
    return WORKS[name].titled(run["sizes"][title][name])


def _each(cells: Sequence[str]) -> str:
    return cells[0] if len(set(cells)) == 1 else " / ".join(cell or "-" for cell in cells)


def _own(work: Work, rows: Sequence[Row]) -> str:
    """The median, and between what the rounds of all runs were."""
    values = [figure(work, row, "imapkit") for row in rows]
    if None in values:
        return _each([str(row.get("imapkit", {}).get("error", "-")) for row in rows])
    rounds = [each for row in rows for each in row["imapkit"].get("rounds", ())]
    spread = f" ({shown(min(rounds))} to {shown(max(rounds))})" if len(rounds) > 1 and min(rounds) < max(rounds) else ""
    return _each([shown(value) for value in values if value is not None]) + f" {work.unit}".rstrip() + spread + _processor(rows)


def _processor(rows: Sequence[Row]) -> str:
    """The same multiple in processor time, where two ways were done in turn."""
    values = [row["imapkit"]["cpu ratio"] for row in rows if "cpu ratio" in row["imapkit"]]
    return f", {_each([shown(value) for value in values])} of the processor" if values else ""


def _cell(work: Work, row: Row, peer: str) -> str:
    found = ratio(work, row, peer)
    if found is not None:
        return f"{found:.2f}" if found >= 0.1 else f"{found:.3f}"
    return "fails" if "error" in row.get(peer, {}) else ""


def _aimed(work: Work, title: str, rows: Sequence[Row]) -> str:
    aim = aims(work, title)
    wanted = [f"{most:g} x {peer}" for peer, most in aim.targets.items() if any(peer in row for row in rows)]
    if aim.at_most is not None:
        wanted.append(f"{aim.at_most:g} {work.unit}".strip())
    return ", ".join(wanted)


def _verdict(work: Work, title: str, rows: Sequence[Row]) -> str:
    return _each([_judged(work, title, row) for row in rows])


def _judged(work: Work, title: str, row: Row) -> str:
    aim = aims(work, title)
    if figure(work, row, "imapkit") is None:
        return "**fails**" if "error" in row.get("imapkit", {}) else ""
    if any(missed(work, title, row)):
        return "**missed**"
    known = [peer for peer in aim.targets if ratio(work, row, peer) is not None]
    if known or aim.at_most is not None:
        return "met"
    failing = [peer for peer in aim.targets if "error" in row.get(peer, {})]
    return f"{' and '.join(failing)} fails" if failing else ""
