"""Tables and messages as wide as the terminal, or as ``PLAIN_WIDTH`` where there is none; with rich or without."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import TextIO

from imapkit.core.shown import shown

__all__ = ["PLAIN_WIDTH", "show", "width", "wrapped"]

PLAIN_WIDTH = 110
"""Columns, where there is no terminal to ask."""
_NARROWEST = 10
"""Columns of the last column of a table, at least."""


def width(stream: TextIO) -> int | None:
    """The columns of the terminal that ``stream`` writes to; None if it writes to none."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def wrapped(text: str, stream: TextIO) -> list[str]:
    """The lines of a message: as wide as the terminal, and one line where there is none, for programs that search it."""
    columns = width(stream)
    return [text] if columns is None else _folded(text, columns)


def show(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. The last column is folded where it is too wide; without rich, the others are as wide as they need."""
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
        for number, line in enumerate(_folded(row[-1], last)):
            print(f"{start if number == 0 else ' ' * before}{line}".rstrip())


def _folded(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, max(columns, 1), break_on_hyphens=False) or [""]
