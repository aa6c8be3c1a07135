"""A picture for each piece of work: what each client takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.report import Table
from bench.works import ORDER, WORKS, Work

__all__ = ["draw"]

_OWN, _OTHER, _FLOOR = "#1f6f8b", "#c9c9c9", "#e8d8a8"


def draw(tables: Mapping[str, Table], directory: Path) -> list[Path]:
    """Draw all that has a figure of two clients, and return the files."""
    import matplotlib

    matplotlib.use("Agg")
    directory.mkdir(parents=True, exist_ok=True)
    made = []
    for name, work in WORKS.items():
        found = {server: table[name] for server, table in tables.items() if len(_values(work, table.get(name, {}))) > 1}
        if found:
            made.append(_one(work, found, directory / f"{name}.png"))
    return made


def _values(work: Work, row: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    return {client: row[client][work.figure] for client in ORDER if work.figure in row.get(client, {})}


def _one(work: Work, found: Mapping[str, Mapping[str, Any]], path: Path) -> Path:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(found), figsize=(0.8 + 2.6 * len(found), 2.6), squeeze=False)
    for at, (server, row) in enumerate(found.items()):
        values = _values(work, row)
        colours = [{"imapkit": _OWN, "bare": _FLOOR}.get(client, _OTHER) for client in values]
        bars = axes[0][at].barh(list(values), list(values.values()), color=colours)
        axes[0][at].bar_label(bars, fmt="%.3g", fontsize=6, padding=2)
        axes[0][at].set_title(server, fontsize=8)
        axes[0][at].invert_yaxis()
        axes[0][at].margins(x=0.25)
        axes[0][at].tick_params(labelsize=7)
        axes[0][at].spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{work.title} ({work.unit or 'each'})", fontsize=9)
    figure.tight_layout()
    # Without the date in it, a picture changes only if the figures do.
    figure.savefig(path, dpi=80, metadata={"Software": None})
    pyplot.close(figure)
    return path
