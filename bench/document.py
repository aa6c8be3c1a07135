"""The figures as a page of the documentation."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import plots, report
from bench.works import WORKS

__all__ = ["write"]

_HEAD = """\
# Benchmarks

Made by `make bench`, which puts every client to the same work in turn, several rounds, each in a process of its own. The first
column is imapkit's median, the others say how many times as long (or as much) imapkit takes as that client: below 1 it is
quicker. An empty cell: the client cannot do that; "fails": it tried.

The canned server answers from memory and costs nearly nothing, so that the client is what is measured; "bare" is a socket that
reads the same octets and looks at none. Figures depend on the machine, ratios less so.
"""


def write(found: Mapping[str, Any], path: Path) -> None:
    """Write the page, and (with matplotlib) the pictures into a directory beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = plots.draw(found["tables"], path.with_suffix("")) if find_spec("matplotlib") else []
    path.write_text("\n".join(_page(found, path, pictures)) + "\n", encoding="utf-8")


def _page(found: Mapping[str, Any], path: Path, pictures: list[Path]) -> Iterator[str]:
    yield _HEAD
    yield f"These: Python {platform.python_version()} on {platform.system()} {platform.machine()}."
    for title, table in found["tables"].items():
        yield f"\n## {title}\n"
        yield from report.lines(table, targets=title == "canned, plain")
        yield from _failures(table)
    yield from _memory(found["tables"].get("canned, plain", {}))
    if found["growth"]:
        yield "\n## Growth\n\nTwice the work, in the time of the work; the limit is 2.2.\n"
        yield "| what grows | t(2n)/t(n) |\n| --- | ---: |"
        yield from (f"| {name} | {value:.2f} |" for name, value in found["growth"].items())
    if pictures:
        yield "\n## Pictures\n"
    yield from (f"![{WORKS[each.stem].title}]({path.stem}/{each.name})" for each in pictures)


def _failures(table: report.Table) -> Iterator[str]:
    for name, row in table.items():
        for client, figures in row.items():
            if "error" in figures:
                yield f"\n{client} fails at {WORKS[name].title!r}: {figures['error']}"


def _memory(table: report.Table) -> Iterator[str]:
    """Peak memory beyond what was resident, and processor time, of the works that move much."""
    rows = [(name, row) for name, row in table.items() if any("memory" in figures for figures in row.values())]
    if not rows:
        return
    yield "\n## Memory and processor time\n"
    yield "Peak resident memory beyond what the client had at the start, in MiB; processor time in ms.\n"
    yield "| work | client | MiB | ms of CPU | threads |\n| --- | --- | ---: | ---: | ---: |"
    for name, row in rows:
        for client, figures in row.items():
            if "memory" in figures:
                cpu, threads = figures.get("cpu", 0.0), figures.get("threads", 0)
                yield f"| {WORKS[name].title} | {client} | {figures['memory'] / 1024:.1f} | {cpu:,.0f} | {threads:.0f} |"
