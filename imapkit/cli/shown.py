"""What a terminal may be shown of what servers say, which could hold control sequences."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """``text`` with a replacement character for each that is not to be printed, ends of lines too."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
