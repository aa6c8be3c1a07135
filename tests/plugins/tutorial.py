"""The blocks of docs/tutorial.md and docs/recipes.md, by the file that the first line of each names."""

from __future__ import annotations

import re

from tests.plugins.installation import ROOT

__all__ = ["FILES", "RECIPES", "solid"]

_BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _files(page: str) -> dict[tuple[str, str], str]:
    files: dict[tuple[str, str], str] = {}
    for language, name, code in _BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")):
        files[language, name] = files.get((language, name), "") + code + "\n"
    return files


FILES = _files("tutorial.md")
"""What each file holds, by the language of its blocks and its name; there are empty lines between two blocks."""
RECIPES = _files("recipes.md")
"""The same of the recipes, which are a whole project."""


def solid(text: str) -> list[str]:
    """The lines of a file that are not empty: how many empty ones stand between two blocks is not to be seen on the page."""
    return [line for line in text.splitlines() if line]
