"""Tables as wide as the terminal, or as ``PLAIN_WIDTH`` without one; with rich or without."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec

from imapkit.cli.widths import PLAIN_WIDTH, folded, width
from imapkit.core.support.shown import shown

__all__ = ["show"]

_NARROWEST = 10
"""The least width of a table's last column, in characters."""


def show(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. The last column is folded if it is too wide; without rich, the others have the width of their cells."""
    if find_spec("rich") is not None:
        from imapkit.cli.screen import Screen

        Screen().table(headings, rows)
        return
    cells = [list(headings), *([shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    before = sum(widths[:-1]) + 2 * (len(widths) - 1)
    last = max((width(sys.stdout) or PLAIN_WIDTH) - before, _NARROWEST)
    for row in cells:
        start = "".join(cell.ljust(size) + "  " for cell, size in zip(row[:-1], widths[:-1], strict=True))
        for number, line in enumerate(folded(row[-1], last)):
            print(f"{start if number == 0 else ' ' * before}{line}".rstrip())
