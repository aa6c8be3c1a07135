"""The base family's responses and response codes: RFC 3501 sections 7.1 to 7.4.1. FETCH is in ``fetch.py``.

Every function takes a ``Cursor`` over what follows the response's name (or the code's), is pure, and raises
``ParseError`` if nothing can be made of it. What is wrong with a single item is a ``Defect`` in ``cursor.defects``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imapkit.core.api import Cursor, MailboxName, decode_mailbox
from imapkit.errors import ParseError

__all__ = [
    "ListData",
    "StatusData",
    "badcharset",
    "capability",
    "flags",
    "item_list",
    "mailbox_list",
    "message_count",
    "message_number",
    "no_data",
    "permanentflags",
    "search",
    "status",
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


def mailbox_list(cursor: Cursor) -> ListData:
    r"""LIST and LSUB: ``mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox``.

    RFC 5258 section 6 adds ``[SP mbox-list-extended]``, ``mbox-list-extended = "(" [mbox-list-extended-item *(SP
    mbox-list-extended-item)] ")"``, ``mbox-list-extended-item = astring SP tagged-ext-val``.
    """
    attributes = cursor.flag_list()
    cursor.sp()
    delimiter = cursor.nstring() or None
    cursor.sp()
    name = cursor.mailbox()
    extended: dict[str, Any] = {}
    if not cursor.at_end():
        cursor.sp()
        extended = item_list(cursor, "LIST", _extended_name)
    return ListData(attributes, delimiter, MailboxName(name), extended)


def status(cursor: Cursor) -> StatusData:
    """``"STATUS" SP mailbox SP "(" [status-att-list] ")"``, ``status-att-list = status-att SP number *(...)``."""
    name = cursor.mailbox()
    cursor.sp()
    return StatusData(MailboxName(name), item_list(cursor, "STATUS", _status_att, default=Cursor.number64))


def search(cursor: Cursor) -> tuple[int, ...]:
    """``"SEARCH" *(SP nz-number)``; RFC 7162 section 3.1.5 adds ``[SP search-sort-mod-seq]``, which is passed over."""
    numbers = cursor.numbers()
    if cursor.peek() == b"(":
        cursor.skip_value()
    if not cursor.at_end():
        # Not a Defect: numbers that were left out would look like messages that do not match.
        raise cursor.error("a number")
    return numbers


def flags(cursor: Cursor) -> tuple[bytes, ...]:
    """``"FLAGS" SP flag-list``."""
    found = cursor.flag_list()
    _end(cursor)
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


def no_data(cursor: Cursor) -> None:
    """ALERT, PARSE, READ-ONLY, READ-WRITE, TRYCREATE: the name is all."""
    if not cursor.at_end():
        cursor.tolerate("data after a code that has none", cursor.rest())


def badcharset(cursor: Cursor) -> tuple[bytes, ...]:
    """``"BADCHARSET" [SP "(" astring *(SP astring) ")" ]``: the charsets the server knows, if it says so."""
    charsets: list[bytes] = []
    if not cursor.at_end():
        cursor.expect(b"(")
        while not cursor.try_(b")"):
            cursor.spaces()
            charsets.append(cursor.astring())
    return tuple(charsets)


def permanentflags(cursor: Cursor) -> tuple[bytes, ...]:
    r"""``"PERMANENTFLAGS" SP "(" [flag-perm *(SP flag-perm)] ")"``, ``flag-perm = flag / "\*"``."""
    return flags(cursor)


def uid_number(cursor: Cursor) -> int:
    """``"UIDNEXT" SP nz-number / "UIDVALIDITY" SP nz-number / "UNSEEN" SP nz-number``."""
    number = cursor.nz_number()
    _end(cursor)
    return number


# Lists of items, each with a grammar of its own


def item_list(
    cursor: Cursor,
    response: str,
    item_name: ItemName,
    parsers: Mapping[str, Parser] | None = None,
    default: Parser = Cursor.value,
) -> dict[str, Any]:
    """``"(" [name SP value *(SP name SP value)] ")"``: a bad item becomes a ``Defect`` and costs no other.

    ``item_name`` reads a name and returns it as ``(key, name)``. The value is read by ``cursor.items[response, name]``,
    else by ``parsers[name]``, else by ``default``.
    """
    items: dict[str, Any] = {}
    cursor.expect(b"(")
    depth = 1
    while depth:
        if cursor.try_(b")"):
            depth -= 1
            continue
        cursor.spaces()
        start = cursor.mark()
        if cursor.at_end():
            cursor.tolerate(f"{response}: no ) at the end", b"")
            break
        if cursor.try_(b"("):
            # Domino puts some items in parentheses of their own.
            cursor.tolerate(f"{response}: parentheses around items", cursor.since(start))
            depth += 1
            continue
        _item(cursor, response, item_name, parsers or {}, default, items)
    if not cursor.at_end():
        cursor.tolerate(f"{response}: more after the )", cursor.rest())
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
    what = response
    try:
        key, name = item_name(cursor)
        what, value = f"{response} {key}", cursor.mark()
        cursor.sp()
        parser = cursor.items.get((response, name)) or parsers.get(name, default)
        read = parser(cursor)
        if key in items:
            cursor.tolerate(f"{what}: twice", cursor.since(start))
        items.setdefault(key, read)
    except ValueError as problem:
        cursor.reset(value)
        _skip(cursor)
        why = f"expected {problem.expected}" if isinstance(problem, ParseError) else str(problem)
        cursor.tolerate(f"{what}: {why}", cursor.since(start))


def _skip(cursor: Cursor) -> None:
    """Pass over a value that could not be read; there may be none (Yandex)."""
    cursor.spaces()
    if cursor.peek() in (b")", b""):
        return
    try:
        cursor.skip_value()
    except ParseError:
        cursor.rest()


def _status_att(cursor: Cursor) -> tuple[str, str]:
    name = cursor.keyword()
    return name, name


def _extended_name(cursor: Cursor) -> tuple[str, str]:
    name = cursor.astring().decode("utf-8", "backslashreplace").upper()
    return name, name


def _end(cursor: Cursor) -> None:
    if not cursor.at_end():
        cursor.tolerate("more after the end", cursor.rest())


# Data


@dataclass(frozen=True, slots=True)
class ListData:
    """One mailbox of a LIST or LSUB response; ``name`` can be passed to every command, ``extended`` is RFC 5258's."""

    attributes: tuple[bytes, ...]
    delimiter: bytes | None
    name: MailboxName
    extended: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def mailbox(self) -> str:
        """The name, readable: modified UTF-7 decoded (RFC 3501 section 5.1.3)."""
        return decode_mailbox(self.name)


@dataclass(frozen=True, slots=True)
class StatusData:
    """A STATUS response; ``name`` can be passed to every command, ``items`` by name in upper case."""

    name: MailboxName
    items: Mapping[str, Any] = field(hash=False)

    @property
    def mailbox(self) -> str:
        """The name, readable: modified UTF-7 decoded (RFC 3501 section 5.1.3)."""
        return decode_mailbox(self.name)
