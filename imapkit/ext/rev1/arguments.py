"""The arguments of the base family's commands, and which responses belong to which command; RFC 3501 section 6.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imapkit.errors import ArgumentError, ParseError
from imapkit.ext.rev1.fetch import fetch_uid, fetch_uids, has_flags_alone
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
    """The subject of a command about messages: its first argument, a sequence set."""
    return NumberSet(sequence_set_text(args[0]), uid=uid)


def is_about_messages(about: NumberSet, response: Untagged) -> bool | str | None:
    """Whether a FETCH response is about one of these messages.

    The answer to a UID command has a UID (RFC 3501 section 6.4.8). A response without a readable UID reports another client's
    change if it has flags alone; otherwise it can only be an answer, and the reason for the defect is returned.
    """
    if not about.uid:
        return False if response.number is None else about.may_hold(response.number)
    uid = response.once(fetch_uid)
    if uid:
        return about.may_hold(uid)
    return False if response.once(has_flags_alone) else "FETCH: no UID can be read in the answer to a UID command"


def are_about_messages(about: NumberSet, run: Run) -> bool:
    """Whether all these FETCH responses are about these messages."""
    numbers = fetch_uids(run) if about.uid else run.numbers
    return bool(numbers) and about.may_hold_all(numbers)


def is_about_status(about: str, response: Untagged) -> bool | str | None:
    """Whether a STATUS response is about that mailbox, also if the server writes its name in another way.

    After NOTIFY (RFC 5465) or LIST with RETURN STATUS (RFC 5819) a server also sends the STATUS of other mailboxes.
    """
    name = response.once(_status_name)
    return None if name is None else or_another_name(about, same_name(name, about))


def _status_name(response: Untagged) -> str | None:
    try:
        return mailbox_key(Cursor(response.parts).mailbox())
    except ParseError:
        return None
