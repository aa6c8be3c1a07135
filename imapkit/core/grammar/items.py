"""Lists of items, each with a grammar of its own: FETCH, STATUS and the like; RFC 3501 sections 7.2.4 and 7.4.2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from imapkit.core.grammar.cursor import Cursor
from imapkit.core.grammar.tolerant import ended, pass_over
from imapkit.errors import ParseError

__all__ = ["DEEPEST", "ItemName", "Parser", "any_value", "item_list"]

ItemName = Callable[[Cursor], tuple[str, str]]
"""Reads the name of an item: its key in what ``item_list`` returns, and the name by which its grammar is found."""
Parser = Callable[[Cursor], Any]
"""The grammar of an item's value."""

DEEPEST = 50
"""How deep the lists in a value without a grammar may be nested: Python compares, copies and pickles by recursion."""


def any_value(cursor: Cursor) -> Any:
    """The value that ``Cursor.value`` reads. Raises ``ParseError`` if it is nested too deep."""
    most, cursor.nesting = cursor.nesting, min(cursor.nesting, DEEPEST)
    try:
        return cursor.value()
    finally:
        cursor.nesting = most


def item_list(
    cursor: Cursor,
    response: str,
    item_name: ItemName,
    parsers: Mapping[str, Parser] | None = None,
    default: Parser = any_value,
) -> dict[str, Any]:
    """``"(" [name SP value *(SP name SP value)] ")"``: a bad item becomes a ``Defect``, and the others are read.

    ``item_name`` reads a name and returns it as ``(key, name)``. The value is read by ``cursor.items[response, name]``,
    else by ``parsers[name]``, else by ``default``.
    """
    items: dict[str, Any] = {}
    cursor.expect(b"(")
    depth = 1
    while depth:
        cursor.spaces()
        ahead = cursor.peek()
        if not ahead:
            cursor.tolerate(f"{response}: no ) at the end", b"")
            break
        if ahead == b")":
            depth -= 1
        elif ahead == b"(":
            # Domino puts some items in parentheses of their own.
            cursor.tolerate(f"{response}: parentheses around items", ahead)
            depth += 1
        else:
            _item(cursor, response, item_name, parsers or {}, default, items)
            continue
        cursor.expect(ahead)
    ended(cursor, f"{response}: more after the )")
    return items


def _item(
    cursor: Cursor,
    response: str,
    item_name: ItemName,
    parsers: Mapping[str, Parser],
    default: Parser,
    items: dict[str, Any],
) -> None:
    start = value = cursor.mark()
    key = None
    try:
        key, name = item_name(cursor)
        value = cursor.mark()
        cursor.sp()
        parser = cursor.items.get((response, name)) or parsers.get(name, default)
        read = parser(cursor)
        if key in items:
            cursor.tolerate(f"{response} {key}: twice", cursor.since(start))
        items.setdefault(key, read)
    except Exception as problem:
        what = response if key is None else f"{response} {key}"
        cursor.reset(value)
        pass_over(cursor)
        why = f"expected {problem.expected}" if isinstance(problem, ParseError) else f"{type(problem).__name__}: {problem}"
        cursor.tolerate(f"{what}: {why}", cursor.since(start))
