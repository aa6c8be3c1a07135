"""The subject of a command, and whether a response has the same: for ``Command.subject`` and ``Command.matches``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from imapkit.core.grammar.cursor import Cursor
from imapkit.core.grammar.names import mailbox_name
from imapkit.core.wire import mutf7
from imapkit.core.wire.pieces import Literal, Token
from imapkit.core.wire.response import Untagged
from imapkit.errors import ParseError

__all__ = [
    "about_mailbox",
    "is_about_mailbox",
    "mailbox_key",
    "may_be_about_mailbox",
    "or_another_name",
    "same_name",
    "string_value",
]

ReadName: TypeAlias = Callable[[Cursor], bytes]
"""Reads the mailbox name that a response begins with; raises ``ParseError``."""

_DELIMITERS = {ord("/"): ".", ord("\\"): "."}


def mailbox_key(name: bytes) -> str:
    """A mailbox name as names are compared: decoded, since a server may send UTF-8 (RFC 6855); INBOX in any case is INBOX."""
    text = mutf7.decode(name)
    return "INBOX" if text.upper() == "INBOX" else text


def same_name(one: str, other: str) -> bool | None:
    """Whether two names are one; None for perhaps.

    A server may spell a name in its own way: "INBOX/Foo" for "Inbox/Foo", "archive.imap" for "archive/imap" in RFC 4314
    section 3.4, with or without the prefix "INBOX.", with a hierarchy delimiter behind it, or its letters composed in another
    way (RFC 3501 section 5.1.3 leaves that open).
    """
    if one == other:
        return True
    return None if _folded(one) == _folded(other) else False


def _folded(name: str) -> str:
    """A name without what servers change in it: case, delimiters, composition, the prefix "INBOX."."""
    if not name.isascii():
        from unicodedata import normalize

        name = normalize("NFC", name)
    return name.lower().translate(_DELIMITERS).removeprefix("inbox.").rstrip(".")


def string_value(token: Token) -> bytes:
    """The bytes that a written string, or atom, stands for."""
    if isinstance(token, Literal):
        return token.data
    written = token if isinstance(token, bytes) else b""
    try:
        return Cursor((written,)).astring()
    except ParseError:
        # A caller's bytes are sent as they are: the server decides what they mean.
        return written


def about_mailbox(args: tuple[Any, ...], uid: bool) -> str:
    """The mailbox that a command is about: its first argument."""
    return mailbox_key(mailbox_name(args[0]))


def is_about_mailbox(subject: str, response: Untagged, name: ReadName = Cursor.astring) -> bool | None:
    """Whether a response that begins with a mailbox name, which ``name`` reads, is about that mailbox."""
    found = response.once(_reader(name))
    return None if found is None else same_name(found, subject)


def may_be_about_mailbox(subject: str, response: Untagged, name: ReadName = Cursor.astring) -> bool | str | None:
    """The same for a response that servers seldom send unasked: with another name it is still the answer, if to no other command.

    A server may have several names for a mailbox, above all for INBOX.
    """
    return or_another_name(subject, is_about_mailbox(subject, response, name))


def or_another_name(subject: str, verdict: bool | None) -> bool | str | None:
    """The verdict; instead of False the text for "only if it cannot be another command's", and for INBOX None."""
    if verdict is not False:
        return verdict
    return None if subject == "INBOX" else "a response about another mailbox, and nothing else can be the answer"


@lru_cache(64)
def _reader(name: ReadName) -> Callable[[Untagged], str | None]:
    """The function that reads a response's mailbox name by ``name``: one for each, as ``Untagged.once`` needs."""

    def read(response: Untagged) -> str | None:
        try:
            return mailbox_key(name(Cursor(response.parts)))
        except ParseError:
            return None

    return read
