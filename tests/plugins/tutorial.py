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
"""The content of each file, by the language of its blocks and its name; empty lines separate two blocks."""
RECIPES = _files("recipes.md")
"""The same for the recipes, which form a project."""


def solid(text: str) -> list[str]:
    """The lines of a file that are not empty: the page does not show how many empty lines separate two blocks."""
    return [line for line in text.splitlines() if line]
