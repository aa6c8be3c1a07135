"""Search programs as arguments, and the numbers that are found: RFC 3501 sections 6.4.4 and 7.2.5, RFC 5256."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from imapkit.core.grammar.cursor import Cursor
from imapkit.core.grammar.keys import UTF8_CHARSET, SearchKey, has_foreign_text, key_pieces
from imapkit.core.grammar.kinds import Kind, Operands
from imapkit.core.grammar.lists import sequence_set
from imapkit.core.grammar.strings import astring, atom, encode_text, program, raw, unquote
from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire.pieces import Literal, Token, joined
from imapkit.errors import ArgumentError

__all__ = ["NO_OPERANDS", "message_numbers", "needs_charset", "numbers_found", "search_program", "starts_program"]

# search-key, RFC 3501 section 9: those that one operand follows, and those that none, or keys, follow.
_ONE = """
    BCC BEFORE BODY CC CHARSET FROM KEYWORD LARGER ON SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT TO UID UNKEYWORD
"""
_NONE = """
    ALL ANSWERED DELETED DRAFT FLAGGED NEW NOT OLD OR RECENT SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN
"""
_KEYS: dict[str, tuple[Kind, ...]] = {
    **dict.fromkeys(_ONE.split(), (astring,)),
    **dict.fromkeys(_NONE.split(), ()),
    "HEADER": (astring, astring),
    "UID": (sequence_set,),
}
_ANYTHING: tuple[Kind, ...] = (astring,)
NO_OPERANDS: Operands = MappingProxyType({})
"""For a search without the keys of other families."""
#   A string without its closing quote is one word to the end: no part of it is looked at twice.
_WORD = late_pattern(r'\((?:[^()"]|"(?:[^"\\]|\\.)*+")*+\)|"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[^\s()"]++|[()]', re.DOTALL)
_LARGEST = 0xFFFFFFFF
_NUMBERS = late_pattern(r"(?:[\d*][\d:,*]*|\$)\Z")


class _Reader:
    """Follows a search program word by word, to decide whether the next argument is a key or an operand of the last one."""

    def __init__(self, operands: Operands) -> None:
        self.key = ""
        self._operands = operands
        self._missing: tuple[Kind, ...] = ()
        self._unknown = False

    def operand(self, value: Any) -> Kind | None:
        """The kind of the operand that ``value`` is, which is then used up; None if it is no operand."""
        # No family says what follows this key: a value that cannot be a key is its operand.
        if self._unknown and not ((isinstance(value, str) and starts_program(value, self._operands)) or _is_key(value)):
            self._missing = _ANYTHING
        self._unknown = False
        kind, self._missing = (self._missing[0], self._missing[1:]) if self._missing else (None, ())
        return kind

    def program(self, text: str) -> None:
        """Read part of a program."""
        for word in _WORD.findall(text):
            if self._missing:
                self._missing = self._missing[1:]
                continue
            self.key = word.upper()
            known = _kinds(self.key, self._operands)
            self._missing = known or ()
            self._unknown = known is None and word[0] not in '()"' and not _NUMBERS.match(word)


def _kinds(key: str, operands: Operands) -> tuple[Kind, ...] | None:
    """What follows a search key of RFC 3501 or of another family; None if the key is unknown."""
    known = _KEYS.get(key)
    return operands.get(key) if known is None else known


def starts_program(text: str, operands: Operands = NO_OPERANDS) -> bool:
    """Whether a search program can begin like that: with a known key, a sequence set or a parenthesis."""
    first = _WORD.match(text.lstrip())
    word = first.group() if first else ""
    return _kinds(word.upper(), operands) is not None or word.startswith("(") or bool(_NUMBERS.match(word))


def search_program(args: tuple[Any, ...], operands: Operands = NO_OPERANDS) -> Iterator[Token]:
    """``["CHARSET" SP astring SP] search-key *(SP search-key)``, RFC 3501 section 6.4.4.

    An argument in the place of a search key is a program and stays as it is, one in the place of an operand is quoted. 8-bit text
    becomes a literal in the charset. ``operands``: what follows the keys of other families (``Family.operands``).

    A ``SearchKey`` is one search key. If it has 8-bit text, and no charset is named, "CHARSET UTF-8" precedes the program, but
    not once UTF8=ACCEPT is on (RFC 6855 section 3).
    """
    if not any(_is_key(value) or value for value in args):
        raise ArgumentError("nothing to search for")
    tokens = _program(args, operands)
    if any(map(_is_foreign, args)) and not _names_charset(args):
        yield (UTF8_CHARSET, *joined([next(tokens)]))
    yield from tokens


def _program(args: tuple[Any, ...], operands: Operands) -> Iterator[Token]:
    reader, charset = _Reader(operands), "utf-8"
    for value in args:
        kind = reader.operand(value)
        if kind is not None:
            if reader.key == "CHARSET":
                charset = atom(value).decode("ascii")
            yield _operand(value, kind, charset)
        elif _is_key(value):
            yield key_pieces(value, charset, is_alone=len(args) == (3 if _names_charset(args) else 1))
        else:
            token = (
                program(value, charset) if isinstance(value, str) else sequence_set(value) if _is_numbers(value) else raw(value)
            )
            reader.program(value if isinstance(value, str) else token.decode("latin-1") if isinstance(token, bytes) else "")
            yield token


def _is_key(value: Any) -> bool:
    return isinstance(value, SearchKey)


def _is_foreign(value: Any) -> bool:
    return isinstance(value, SearchKey) and has_foreign_text(value)


def _names_charset(args: tuple[Any, ...]) -> bool:
    first = args[0]
    return (
        first[:7].upper() == ("CHARSET" if isinstance(first, str) else b"CHARSET") if isinstance(first, (str, bytes)) else False
    )


def _is_numbers(value: Any) -> bool:
    return not isinstance(value, (bytes, bytearray, memoryview))


def _operand(value: Any, kind: Kind, charset: str) -> Token:
    if kind is astring and isinstance(value, str) and not value.isascii():
        inner = unquote(value)
        return Literal(encode_text(value if inner is None else inner, charset))
    return kind(value)


def message_numbers(cursor: Cursor) -> tuple[int, ...]:
    """``*(SP nz-number)``, message numbers or UIDs; 0 and numbers of more than 32 bits are noted and kept."""
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
    """Whether there is 8-bit text in a search, so that the command must name its charset."""
    return any(_is_foreign(value) or (isinstance(value, str) and not value.isascii()) for value in criteria)
