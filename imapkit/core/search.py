"""Search programs as arguments, and the numbers that are found: RFC 3501 sections 6.4.4 and 7.2.5, RFC 5256."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from imapkit.core.cursor import Cursor
from imapkit.core.wire import Literal, Token, astring, atom, encode_text, program, raw, sequence_set, unquote
from imapkit.errors import ArgumentError

__all__ = ["message_numbers", "needs_charset", "numbers_found", "search_program", "starts_program"]

# search-key, RFC 3501 section 9: how many operands follow each; keys that take none, or keys, have 0.
_ONE = """
    BCC BEFORE BODY CC CHARSET FROM KEYWORD LARGER ON SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT TO UID UNKEYWORD
"""
_NONE = """
    ALL ANSWERED DELETED DRAFT FLAGGED NEW NOT OLD OR RECENT SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN
"""
_OPERANDS = {**dict.fromkeys(_ONE.split(), 1), **dict.fromkeys(_NONE.split(), 0), "HEADER": 2}
_WORD = re.compile(r'\((?:[^()"]|"(?:[^"\\]|\\.)*+")*+\)|"(?:[^"\\]|\\.)*+"|[^\s()"]++|[()"]')
_LARGEST = 0xFFFFFFFF
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
        if not self._missing and not (self._unknown and not (isinstance(value, str) and starts_program(value))):
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


def starts_program(text: str) -> bool:
    """Whether a search program can begin like that: with a known key, a sequence set or a parenthesis."""
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


def message_numbers(cursor: Cursor) -> tuple[int, ...]:
    """``*(SP nz-number)``, message numbers or UIDs; 0 and what has more than 32 bits is noted and kept."""
    numbers = cursor.numbers()
    if numbers and not (min(numbers) and max(numbers) <= _LARGEST):
        bad = [number for number in numbers if not 0 < number <= _LARGEST]
        cursor.tolerate("0, or a number too large", b"%d" % bad[0])
    return numbers


def numbers_found(cursor: Cursor) -> tuple[int, ...]:
    """``*(SP nz-number)``; RFC 7162 sections 3.1.5 and 3.1.9 add ``[SP search-sort-mod-seq]``, which is passed over."""
    numbers = message_numbers(cursor)
    if cursor.peek() == b"(":
        cursor.skip_value()
    if not cursor.at_end():
        # Not a Defect: numbers that were left out would look like messages that do not match.
        raise cursor.error("a number")
    return numbers


def needs_charset(criteria: tuple[Any, ...]) -> bool:
    """Whether there is 8-bit text in a search, so that the server must be told its charset."""
    return any(isinstance(value, str) and not value.isascii() for value in criteria)
