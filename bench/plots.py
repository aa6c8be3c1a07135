"""A picture for each piece of work: the time of each client, with each server and through each layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.report import Run
from bench.works import ORDER, WORKS, Work

__all__ = ["draw"]

_OWN, _OTHER, _FLOOR = "#1f6f8b", "#c9c9c9", "#e8d8a8"
_CUT = 12
"""A bar is cut at this multiple of imapkit's, which could not be seen beside a longer one."""
_COLUMNS = 3


def draw(run: Run, directory: Path) -> list[Path]:
    """Draw all that has a figure of two clients, and return the files."""
    import matplotlib

    matplotlib.use("Agg")
    directory.mkdir(parents=True, exist_ok=True)
    made = []
    for name, work in WORKS.items():
        found = {title: table[name] for title, table in run["tables"].items() if len(_values(work, table.get(name, {}))) > 1}
        if found:
            sizes = {title: run["sizes"][title][name] for title in found}
            first = next(iter(sizes.values()))
            # Through layers, and on a real server, there is less work.
            rows = {title if sizes[title] == first else f"{title}: {sizes[title]:,}": row for title, row in found.items()}
            made.append(_one(work, work.titled(first), rows, directory / f"{name}.png"))
    return made


def _values(work: Work, row: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    return {client: row[client][work.figure] for client in ORDER if work.figure in row.get(client, {})}


def _one(work: Work, title: str, found: Mapping[str, Mapping[str, Any]], path: Path) -> Path:
    from matplotlib import pyplot
    from PIL import Image  # type: ignore[import-not-found,unused-ignore]

    across = min(len(found), _COLUMNS)
    down = -(-len(found) // across)
    figure, grid = pyplot.subplots(down, across, figsize=(1 + 2.8 * across, 0.5 + 1.9 * down), squeeze=False)
    places = [axes for line in grid for axes in line]
    for axes, (table, row) in zip(places, found.items(), strict=False):
        _bars(axes, table, _values(work, row))
    for axes in places[len(found) :]:
        axes.set_visible(False)
    figure.suptitle(f"{title} ({work.unit or 'each'})", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
    # A third of the size, and without a date in it: a picture changes only if the figures do.
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(48)
    small.save(path, optimize=True)
    return path


def _bars(axes: Any, title: str, values: Mapping[str, float]) -> None:
    most = _CUT * values["imapkit"] if values.get("imapkit") else max(values.values())
    colours = [{"imapkit": _OWN, "bare": _FLOOR}.get(client, _OTHER) for client in values]
    bars = axes.barh(list(values), [min(value, most) for value in values.values()], color=colours)
    for bar, value in zip(bars, values.values(), strict=True):
        if value > most:
            bar.set_hatch("///")
    axes.bar_label(bars, labels=[f"{value:,.3g}" for value in values.values()], fontsize=6, padding=2)
    axes.set_title(title, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
