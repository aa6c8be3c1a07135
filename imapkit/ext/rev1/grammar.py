"""The base family's responses and response codes: RFC 3501 sections 7.1 to 7.4.1, and the codes of RFC 5530.

LIST, LSUB and STATUS are in ``listing.py``, FETCH is in ``fetch.py``.

Every function takes a ``Cursor`` over what follows the response's name (or the code's), is pure, and raises
``ParseError`` if nothing can be made of it. What is wrong with a single item is a ``Defect`` in ``cursor.defects``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from imapkit.core.api import Cursor, ended, pass_over
from imapkit.errors import ParseError

__all__ = [
    "badcharset",
    "capability",
    "flags",
    "item_list",
    "message_count",
    "message_number",
    "permanentflags",
    "uid_number",
]

ItemName = Callable[[Cursor], tuple[str, str]]
Parser = Callable[[Cursor], Any]


# Responses


def capability(cursor: Cursor) -> tuple[str, ...]:
    """``capability-data = "CAPABILITY" *(SP capability) SP "IMAP4rev1" *(SP capability)``, in upper case.

    For the response and for the response code.
    """
    found: list[str] = []
    for word in cursor.rest().decode("utf-8", "backslashreplace").upper().split():
        if word == "+" and found:
            # One server of MailKit issue 1654 sends "LITERAL +" for LITERAL+.
            cursor.tolerate("a capability in two pieces", f"{found[-1]} +".encode())
            found[-1] += "+"
        else:
            found.append(word)
    return tuple(found)


def flags(cursor: Cursor) -> tuple[bytes, ...]:
    """``"FLAGS" SP flag-list``."""
    found = cursor.flag_list()
    ended(cursor)
    return found


def message_count(cursor: Cursor) -> int:
    """``number SP "EXISTS" / number SP "RECENT"``."""
    if cursor.leading is None:
        raise cursor.error("a number before the name")
    return cursor.leading


def message_number(cursor: Cursor) -> int:
    """``message-data = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))``; Courier has sent 0, which is noted."""
    number = message_count(cursor)
    if not number:
        cursor.tolerate("message number 0", b"0")
    return number


# Response codes


def badcharset(cursor: Cursor) -> tuple[bytes, ...]:
    """``"BADCHARSET" [SP "(" astring *(SP astring) ")" ]``: the charsets the server knows, if it says so.

    The example of RFC 9051 section 6.4.4.4 has no parentheses: that is noted.
    """
    charsets: list[bytes] = []
    if cursor.at_end():
        return ()
    bare = not cursor.try_(b"(")
    if bare:
        cursor.tolerate("charsets without parentheses", b"")
    while not (cursor.at_end() if bare else cursor.try_(b")")):
        cursor.spaces()
        charsets.append(cursor.astring())
    return tuple(charsets)


def permanentflags(cursor: Cursor) -> tuple[bytes, ...]:
    r"""``"PERMANENTFLAGS" SP "(" [flag-perm *(SP flag-perm)] ")"``, ``flag-perm = flag / "\*"``."""
    return flags(cursor)


def uid_number(cursor: Cursor) -> int:
    """``"UIDNEXT" SP nz-number / "UIDVALIDITY" SP nz-number / "UNSEEN" SP nz-number``."""
    number = cursor.nz_number()
    ended(cursor)
    return number


# Lists of items, each with a grammar of its own

DEEPEST = 50
"""How deep the lists in a value without a grammar may be nested: Python compares, copies and pickles by recursion."""


def any_value(cursor: Cursor) -> Any:
    """What ``Cursor.value`` reads, unless it is nested too deep."""
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
    """``"(" [name SP value *(SP name SP value)] ")"``: a bad item becomes a ``Defect`` and costs no other.

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
