"""The arguments of the base family's commands, and which responses belong to which command; RFC 3501 section 6.4."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from imapkit.errors import ArgumentError, ParseError
from imapkit.ext.rev1.fetch import fetch_uid, fetch_uids, has_flags_alone, parts_in
from imapkit.plugin import (
    NO_OPERANDS,
    Cursor,
    NumberSet,
    Operands,
    Run,
    Token,
    Untagged,
    as_it_is,
    flags,
    late_pattern,
    mailbox_key,
    or_another_name,
    raw,
    same_name,
    sequence_set_text,
    store_item,
)

__all__ = [
    "about_messages",
    "are_about_messages",
    "extensions",
    "is_about_messages",
    "is_about_status",
    "store_arguments",
    "upper_name",
]


#   A part of a part, alone or with the UID: "BODY.PEEK[2.TEXT]<0.1024>".
_PART = late_pattern(
    r" *\(? *(?:UID +)?(BODY|BINARY)(?:\.PEEK)?(\[[A-Z0-9.]*\]<\d{1,20})\.\d+>(?: +UID)? *\)? *\Z", re.ASCII | re.IGNORECASE
)


def upper_name(value: Any) -> str:
    """The name of a command, a response or a mechanism, in upper case. Raises ``ArgumentError`` if it is not text."""
    name = as_it_is(value)
    if isinstance(value, str) and isinstance(name, bytes):
        value = name.decode("ascii")
    if not isinstance(value, str):
        raise ArgumentError(f"a name is text, not {type(value).__name__}: {value!r:.40}")
    return value.upper()


def store_arguments(args: tuple[Any, ...], operands: Operands = NO_OPERANDS) -> Iterator[Token]:
    """``[SP store-modifiers] SP store-att-flags``: RFC 3501 section 6.4.6, RFC 4466 section 2.5.

    ``operands``: the kinds of other families' items (``Family.operands``).
    """
    *modifiers, item, values = args if len(args) > 1 else (*args, None, None)[:2]
    if values is None or len(modifiers) > 1:
        raise ArgumentError("takes a message set, perhaps modifiers, an item and flags")
    yield from extensions(tuple(modifiers))
    written = store_item(item)
    yield written
    kinds = operands.get(_stored(written), (flags,))
    if len(kinds) != 1:
        raise ArgumentError(f"{_stored(written)} is declared with {len(kinds)} values, and STORE takes one")
    yield kinds[0](values)


def _stored(item: bytes) -> str:
    """The name of the stored item: "X-GM-LABELS" for "+X-GM-LABELS.SILENT"."""
    return item.decode("latin-1").upper().lstrip("+-").removesuffix(".SILENT")


def extensions(args: tuple[Any, ...]) -> Iterator[Token]:
    """Arguments that extensions add after a command's own, in parentheses: RFC 4466 section 2."""
    for value in args:
        written = raw(value)
        if not (written.startswith(b"(") and written.endswith(b")")):
            raise ArgumentError(f"not one more argument in parentheses: {written[:40]!r}")
        yield written


def about_messages(args: tuple[Any, ...], uid: bool) -> NumberSet:
    """The subject of a command about messages: its first argument, a sequence set.

    For a FETCH of one range of a section it names that, too, as the answer does: "BODY[2]<0>" (RFC 3501 section 7.4.2).
    """
    part = _part(args[1]) if len(args) == 2 else None
    return NumberSet(sequence_set_text(args[0]), uid=uid, part=part)


def _part(items: Any) -> str | None:
    if isinstance(items, bytes):
        items = items.decode("latin-1")
    found = _PART.match(items) if isinstance(items, str) else None
    return None if found is None else f"{found[1]}{found[2]}>".upper()


def is_about_messages(subject: NumberSet, response: Untagged) -> bool | str | None:
    """Whether a FETCH response is about one of these messages, and about the part if the subject names one.

    The answer to a UID command has a UID (RFC 3501 section 6.4.8). A response without a readable UID reports another client's
    change if it has flags alone; otherwise it can only be an answer, and the reason for the defect is returned.
    """
    if not subject.uid:
        return False if response.number is None else _holds(subject, response.number, response)
    uid = response.once(fetch_uid)
    if uid:
        return _holds(subject, uid, response)
    return False if response.once(has_flags_alone) else "FETCH: no UID can be read in the answer to a UID command"


def _holds(subject: NumberSet, number: int, response: Untagged) -> bool | str | None:
    held = subject.may_hold(number)
    return _is_about_part(subject.part, response) if held and subject.part is not None else held


def _is_about_part(part: str, response: Untagged) -> bool | str | None:
    """Whether a response about the right message has the part: perhaps, if it has no part, or one without its origin."""
    there = response.once(parts_in)
    if part in there:
        return True
    if not there or part.partition("<")[0] in there:
        return None
    return f"FETCH: the server sends {', '.join(there)} where {part} was asked for"


def are_about_messages(subject: NumberSet, run: Run) -> bool:
    """Whether all these FETCH responses are about these messages."""
    if subject.part is not None:
        return False
    numbers = fetch_uids(run) if subject.uid else run.numbers
    return bool(numbers) and subject.may_hold_all(numbers)


def is_about_status(subject: str, response: Untagged) -> bool | str | None:
    """Whether a STATUS response is about that mailbox, also if the server writes its name in another way.

    After NOTIFY (RFC 5465) or LIST with RETURN STATUS (RFC 5819) a server also sends the STATUS of other mailboxes.
    """
    name = response.once(_status_name)
    return None if name is None else or_another_name(subject, same_name(name, subject))


def _status_name(response: Untagged) -> str | None:
    try:
        return mailbox_key(Cursor(response.parts).mailbox())
    except ParseError:
        return None
