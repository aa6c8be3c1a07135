"""Entries as Markdown, for ``make_reference``."""

from __future__ import annotations

import re
import textwrap

from docs.reference_source import Entry

__all__ = ["item", "prose", "section"]

_TERM = re.compile(r"(?m)^(``\S.*``)\n((?:    .*\n|\n(?=    ))+)")


def section(entry: Entry, level: int = 3) -> str:
    """An entry with its heading."""
    lines = [
        f"{'#' * level} `{entry.name}`\n",
        _fenced("\n".join((entry.code, *(f"    {field}" for field in entry.fields)))),
        prose(entry.doc),
        "",
    ]
    lines += map(item, entry.inner)
    return "\n".join(lines)


def item(entry: Entry) -> str:
    """An entry in a list."""
    said = f"\n{textwrap.indent(prose(entry.doc), '  ')}\n" if entry.doc else ""
    return f"- `{entry.code}`\n{said}"


def _fenced(code: str) -> str:
    return f"```text\n{code}\n```\n"


def prose(doc: str) -> str:
    """A docstring as Markdown: terms with their meaning become a list, and quoted code has single backticks."""
    listed = _TERM.sub(_item, doc + "\n")
    return re.sub(r"``(.+?)``", _quoted, listed).replace("::\n", ":\n").strip("\n")


def _item(found: re.Match[str]) -> str:
    return f"- {found[1]}: {' '.join(found[2].split())}\n"


def _quoted(found: re.Match[str]) -> str:
    return f"`` {found[1]} ``" if "`" in found[1] else f"`{found[1]}`"
