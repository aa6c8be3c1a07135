"""How wide what is printed may be, and texts that are folded to that width."""

from __future__ import annotations

import shutil
import textwrap
from typing import TextIO

__all__ = ["PLAIN_WIDTH", "folded", "width", "wrapped"]

PLAIN_WIDTH = 110
"""Columns, where there is no terminal to ask."""


def width(stream: TextIO) -> int | None:
    """The columns of the terminal that ``stream`` writes to; None if it writes to none."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def wrapped(text: str, stream: TextIO) -> list[str]:
    """The lines of a message: as wide as the terminal, and one line where there is none, for programs that search it."""
    columns = width(stream)
    return [text] if columns is None else folded(text, columns)


def folded(text: str, columns: int) -> list[str]:
    """The lines of a text that is too wide for so many columns."""
    return textwrap.wrap(text, max(columns, 1), break_on_hyphens=False) or [""]
