"""What a command is about, and whether a response is about the same: for ``Command.about`` and ``Command.matches``."""

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
    """What is left of a name without what servers change of it."""
    if not name.isascii():
        from unicodedata import normalize

        name = normalize("NFC", name)
    return name.lower().translate(_DELIMITERS).removeprefix("inbox.").rstrip(".")


def string_value(token: Token) -> bytes:
    """The octets that a written string, or atom, stands for."""
    if isinstance(token, Literal):
        return token.data
    octets = token if isinstance(token, bytes) else b""
    try:
        return Cursor((octets,)).astring()
    except ParseError:
        # Octets pass as they are, and the server will say what they mean.
        return octets


def about_mailbox(args: tuple[Any, ...], uid: bool) -> str:
    """The mailbox that a command is about: its first argument."""
    return mailbox_key(mailbox_name(args[0]))


def is_about_mailbox(about: str, response: Untagged, name: ReadName = Cursor.astring) -> bool | None:
    """Whether a response that begins with a mailbox name, which ``name`` reads, is about that one."""
    found = response.once(_reader(name))
    return None if found is None else same_name(found, about)


def may_be_about_mailbox(about: str, response: Untagged, name: ReadName = Cursor.astring) -> bool | str | None:
    """The same for a response that seldom comes unasked: one with another name is an answer all the same, if to nobody else.

    A server may know a mailbox by more names than one, INBOX above all.
    """
    return or_another_name(about, is_about_mailbox(about, response, name))


def or_another_name(about: str, verdict: bool | None) -> bool | str | None:
    """The verdict, but instead of False what stands for "it can be nothing else"; of INBOX "perhaps"."""
    if verdict is not False:
        return verdict
    return None if about == "INBOX" else "a response about another mailbox, and nothing else can be the answer"


@lru_cache(64)
def _reader(name: ReadName) -> Callable[[Untagged], str | None]:
    """The function that reads a response's mailbox name by ``name``: one for each, as ``Untagged.once`` needs."""

    def read(response: Untagged) -> str | None:
        try:
            return mailbox_key(name(Cursor(response.parts)))
        except ParseError:
            return None

    return read
