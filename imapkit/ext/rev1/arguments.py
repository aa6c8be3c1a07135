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
    flags,
    mailbox_name,
    program,
    raw,
    sequence_set,
    sequence_set_text,
    store_item,
    unquote,
)
from imapkit.errors import ArgumentError
from imapkit.ext.rev1.fetch import fetch_uid

__all__ = [
    "about_mailbox",
    "about_messages",
    "extensions",
    "is_about_mailbox",
    "is_about_messages",
    "needs_charset",
    "search_program",
    "store_arguments",
]

# search-key, RFC 3501 section 9: how many operands follow each; keys that take none, or keys, have 0.
_ONE = """
    BCC BEFORE BODY CC CHARSET FROM KEYWORD LARGER ON SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT TO UID UNKEYWORD
"""
_NONE = """
    ALL ANSWERED DELETED DRAFT FLAGGED NEW NOT OLD OR RECENT SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN
"""
_OPERANDS = {**dict.fromkeys(_ONE.split(), 1), **dict.fromkeys(_NONE.split(), 0), "HEADER": 2}
_WORD = re.compile(r'\((?:[^()"]|"(?:[^"\\]|\\.)*+")*+\)|"(?:[^"\\]|\\.)*+"|[^\s()"]++|[()"]')
_NUMBERS = re.compile(r"(?:[\d*][\d:,*]*|\$)\Z")


class _Reader:
    """Follows a search program word by word: is the next argument a key, or an operand of the last one?"""

    def __init__(self) -> None:
        self.key = ""
        self._missing = 0
        self._unknown = False

    def operand(self, value: Any) -> bool:
        """Whether ``value`` stands in the place of an operand; if so, it is taken as one."""
        # What the key of an extension takes, nobody here knows: whatever cannot be a key is its operand.
        if not self._missing and not (self._unknown and not (isinstance(value, str) and _starts_program(value))):
            return False
        self._missing = max(0, self._missing - 1)
        self._unknown = False
        return True

    def program(self, text: str) -> None:
        """Read part of a program."""
        for word in _WORD.findall(text):
            if self._missing:
                self._missing -= 1
                continue
            self.key = word.upper()
            known = _OPERANDS.get(self.key)
            self._missing = known or 0
            self._unknown = known is None and word[0] not in '()"' and not _NUMBERS.match(word)


def _starts_program(text: str) -> bool:
    first = _WORD.match(text.lstrip())
    word = first.group() if first else ""
    return word.upper() in _OPERANDS or word.startswith("(") or bool(_NUMBERS.match(word))


def search_program(args: tuple[Any, ...]) -> Iterator[Token]:
    """``["CHARSET" SP astring SP] search-key *(SP search-key)``, RFC 3501 section 6.4.4.

    An argument in the place of a search key is a program and stays as it is, one in the place of an operand is quoted. 8-bit text
    becomes a literal in the charset.
    """
    if not any(value for value in args if value != 0):
        raise ArgumentError("nothing to search for")
    reader, charset = _Reader(), "utf-8"
    for value in args:
        if reader.operand(value):
            if reader.key == "CHARSET":
                charset = atom(value).decode("ascii")
            yield _operand(value, reader.key, charset)
        else:
            token = (
                program(value, charset) if isinstance(value, str) else sequence_set(value) if _is_numbers(value) else raw(value)
            )
            reader.program(value if isinstance(value, str) else token.decode("latin-1") if isinstance(token, bytes) else "")
            yield token


def _is_numbers(value: Any) -> bool:
    return not isinstance(value, (bytes, bytearray, memoryview))


def _operand(value: Any, key: str, charset: str) -> Token:
    if key == "UID":
        return sequence_set(value)
    if isinstance(value, str) and not value.isascii():
        inner = unquote(value)
        return Literal(encode_text(value if inner is None else inner, charset))
    return astring(value)


def store_arguments(args: tuple[Any, ...]) -> Iterator[Token]:
    """``[SP store-modifiers] SP store-att-flags``: RFC 3501 section 6.4.6, RFC 4466 section 2.5."""
    *modifiers, item, values = args if len(args) > 1 else (*args, None, None)[:2]
    if values is None or len(modifiers) > 1:
        raise ArgumentError("takes a message set, perhaps modifiers, an item and flags")
    yield from extensions(tuple(modifiers))
    yield store_item(item)
    yield flags(values)


def extensions(args: tuple[Any, ...]) -> Iterator[Token]:
    """Arguments that extensions add behind a command's own, in parentheses: RFC 4466 section 2."""
    for value in args:
        octets = raw(value)
        if not (octets.startswith(b"(") and octets.endswith(b")")):
            raise ArgumentError(f"not one more argument in parentheses: {octets[:40]!r}")
        yield octets


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


def is_about_mailbox(about: bytes, response: Untagged) -> bool | None:
    """Whether a STATUS response is about that mailbox, however the server writes its name."""
    text = response.parts[0]
    # The name ends where the list begins: an atom may hold anything but a space.
    name = _same(response.parts[1] if len(response.parts) > 1 else mailbox_name(text.rpartition(b" (")[0].strip()))
    # A server may spell a name in its own way: "INBOX/Foo" for "Inbox/Foo".
    return name == about or (None if name.lower() == about.lower() else False)


def _same(name: bytes) -> bytes:
    """INBOX in any case is INBOX, RFC 3501 section 5.1; all other names are taken as they are."""
    return b"INBOX" if name.upper() == b"INBOX" else name
