"""What the base family's commands ask for: search programs, and which answers are whose; RFC 3501 section 6.4."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from imapkit.core.api import (
    Literal,
    NumberSet,
    Token,
    Untagged,
    astring,
    atom,
    encode_text,
    mailbox_name,
    program,
    raw,
    sequence_set_text,
    unquote,
)
from imapkit.errors import ArgumentError
from imapkit.ext.rev1.fetch import fetch_uid

__all__ = ["about_mailbox", "about_messages", "is_about_mailbox", "is_about_messages", "needs_charset", "search_program"]

# search-key, RFC 3501 section 9: how many operands follow each; keys that take none, or keys, have 0.
_ONE = """
    BCC BEFORE BODY CC CHARSET FROM KEYWORD LARGER ON SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT TO UID UNKEYWORD
"""
_NONE = """
    ALL ANSWERED DELETED DRAFT FLAGGED NEW NOT OLD OR RECENT SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN
"""
_OPERANDS = {**dict.fromkeys(_ONE.split(), 1), **dict.fromkeys(_NONE.split(), 0), "HEADER": 2}
_WORD = re.compile(r'\((?:[^()"]|"(?:[^"\\]|\\.)*+")*+\)|"(?:[^"\\]|\\.)*+"|[^\s()"]++|[()"]')
_NUMBERS = re.compile(r"(?:[\d*]+(?::[\d*]+)?,?)+\Z|\$\Z")


class _Reader:
    """Follows a search program word by word: is the next argument a key, or an operand of the last one?"""

    def __init__(self) -> None:
        self.missing = 0
        self._unknown = False

    def operand(self, value: Any) -> bool:
        """Whether ``value`` stands in the place of an operand."""
        if self.missing:
            return True
        # A key of an extension: nobody here knows what it takes, so whatever cannot be a key is its operand.
        return self._unknown and not (isinstance(value, str) and _starts_program(value))

    def take_operand(self) -> None:
        """An operand has been read."""
        self.missing = max(0, self.missing - 1)
        self._unknown = False

    def take_program(self, text: str) -> None:
        """Part of a program has been read."""
        for word in _WORD.findall(text):
            if self.missing:
                self.missing -= 1
            else:
                known = _OPERANDS.get(word.upper())
                self.missing = known or 0
                self._unknown = known is None and word[0] not in '("' and not _NUMBERS.match(word) and word not in ")"


def _starts_program(text: str) -> bool:
    first = _WORD.match(text.lstrip())
    word = first.group() if first else ""
    return word.upper() in _OPERANDS or word.startswith("(") or bool(_NUMBERS.match(word))


def search_program(args: tuple[Any, ...]) -> Iterator[Token]:
    """``["CHARSET" SP astring SP] search-key *(SP search-key)``, RFC 3501 section 6.4.4.

    The first argument is the charset, or "". An argument in the place of a search key is a program and stays as it is, one in
    the place of an operand is quoted. 8-bit text becomes a literal in the charset.
    """
    charset, criteria = str(args[0]), args[1:]
    if charset:
        yield b"CHARSET"
        yield atom(charset)
    if not any(criteria):
        raise ArgumentError("nothing to search for")
    reader = _Reader()
    for value in criteria:
        if reader.operand(value):
            reader.take_operand()
            yield _operand(value, charset or "us-ascii")
        elif isinstance(value, str):
            reader.take_program(value)
            yield program(value, charset or "us-ascii")
        else:
            octets = raw(value)
            reader.take_program(octets.decode("latin-1"))
            yield octets


def _operand(value: Any, charset: str) -> Token:
    if isinstance(value, str) and not value.isascii():
        return Literal(encode_text(unquote(value) or value, charset))
    return astring(value)


def needs_charset(criteria: tuple[Any, ...]) -> bool:
    """Whether there is 8-bit text in a search, so that the server must be told its charset."""
    return any(isinstance(value, str) and not value.isascii() for value in criteria)


def about_messages(args: tuple[Any, ...], uid: bool) -> NumberSet:
    """The messages that a command is about: its first argument, a sequence set."""
    return NumberSet(sequence_set_text(args[0]), uid=uid)


def is_about_messages(about: NumberSet, response: Untagged) -> bool | None:
    """Whether a FETCH response is about one of them. What UID commands bring has a UID, RFC 3501 section 6.4.8."""
    number = fetch_uid(response) if about.uid else response.number
    return False if number is None else about.may_hold(number)


def about_mailbox(args: tuple[Any, ...], uid: bool) -> bytes:
    """The mailbox that a command is about, in the one form in which names are compared."""
    return _same(mailbox_name(args[0]))


def is_about_mailbox(about: bytes, response: Untagged) -> bool:
    """Whether a STATUS response is about that mailbox, however the server writes its name."""
    text = response.parts[0]
    if len(response.parts) > 1:
        return _same(response.parts[1]) == about
    # The name ends where the list begins: an atom may hold anything but a space.
    return _same(mailbox_name(text.rpartition(b" (")[0].strip())) == about


def _same(name: bytes) -> bytes:
    """INBOX in any case is INBOX, RFC 3501 section 5.1; all other names are taken as they are."""
    return b"INBOX" if name.upper() == b"INBOX" else name
