"""The width of the output, and texts folded to it."""

from __future__ import annotations

import shutil
import textwrap
from typing import TextIO

__all__ = ["PLAIN_WIDTH", "folded", "width", "wrapped"]

PLAIN_WIDTH = 110
"""The columns without a terminal."""


def width(stream: TextIO) -> int | None:
    """The columns of the terminal that ``stream`` writes to; None without a terminal."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def wrapped(text: str, stream: TextIO) -> list[str]:
    """The lines of a message, as wide as the terminal; without a terminal one line, for programs that search it."""
    columns = width(stream)
    return [text] if columns is None else folded(text, columns)


def folded(text: str, columns: int) -> list[str]:
    """The lines of a text, folded to ``columns``."""
    return textwrap.wrap(text, max(columns, 1), break_on_hyphens=False) or [""]
