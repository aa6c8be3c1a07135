"""The blocks of docs/tutorial.md, by the file that the first line of each names."""

from __future__ import annotations

import re

from tests.plugins.installation import ROOT

__all__ = ["FILES", "solid"]

_PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _files() -> dict[tuple[str, str], str]:
    files: dict[tuple[str, str], str] = {}
    for language, name, code in _BLOCK.findall(_PAGE):
        files[language, name] = files.get((language, name), "") + code + "\n"
    return files


FILES = _files()
"""What each file holds, by the language of its blocks and its name; there are empty lines between two blocks."""


def solid(text: str) -> list[str]:
    """The lines of a file that are not empty: how many empty ones stand between two blocks is not to be seen on the page."""
    return [line for line in text.splitlines() if line]
