"""What a command is about, and whether a response is about the same: for ``Command.about`` and ``Command.matches``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imapkit.core import mutf7
from imapkit.core.cursor import Cursor
from imapkit.core.response import Untagged
from imapkit.core.wire import Literal, Token, mailbox_name
from imapkit.errors import ParseError

__all__ = ["about_mailbox", "is_about_mailbox", "mailbox_key", "may_be_about_mailbox", "same_name", "string_value"]


def mailbox_key(name: bytes) -> str:
    """A mailbox name as names are compared: decoded, since a server may send UTF-8 (RFC 6855); INBOX in any case is INBOX."""
    text = mutf7.decode(name)
    return "INBOX" if text.upper() == "INBOX" else text


def same_name(one: str, other: str) -> bool | None:
    """Whether two names are one; None for perhaps.

    A server may spell a name in its own way: "INBOX/Foo" for "Inbox/Foo", and "archive.imap" for "archive/imap" in RFC 4314
    section 3.4.
    """
    if one == other:
        return True
    return None if one.lower().replace("/", ".") == other.lower().replace("/", ".") else False


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


def is_about_mailbox(about: str, response: Untagged, name: Callable[[Cursor], bytes] = Cursor.astring) -> bool | None:
    """Whether a response that begins with a mailbox name, which ``name`` reads, is about that one."""
    try:
        return same_name(mailbox_key(name(Cursor(response.parts))), about)
    except ParseError:
        return None


def may_be_about_mailbox(about: str, response: Untagged) -> bool | None:
    """The same for a response that never comes unasked: one with another name is an answer all the same, if to nobody else.

    A server may know a mailbox by more names than one.
    """
    return is_about_mailbox(about, response) or None
