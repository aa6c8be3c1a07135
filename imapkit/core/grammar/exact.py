"""Exact kinds of arguments, for typed commands: one rule for text and bytes, and no text that is already written.

Text is sent as UTF-8, and bytes are sent as they are given. Quotes around the text, of either kind, are part of it: imaplib's
rules for them hold for the other kinds only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from imapkit.core.grammar.encode import parenthesized
from imapkit.core.grammar.kinds import nilable, verbatim
from imapkit.core.grammar.strings import LONGEST_QUOTED
from imapkit.core.wire.pieces import Literal, Token, exact_bytes
from imapkit.core.wire.response import quoted
from imapkit.errors import ArgumentError

__all__ = ["date", "list_of", "nstring", "string"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@verbatim
def string(value: Any) -> Token:
    """``string = quoted / literal``, RFC 3501 section 9, of text or bytes; quoted where it can be.

    Raises ``ArgumentError`` for another type, for NUL, and for text that UTF-8 cannot encode.
    """
    data = exact_bytes(value)
    if data is None:
        if not isinstance(value, str):
            raise ArgumentError(f"a string must be text or bytes, not {type(value).__name__}")
        try:
            data = value.encode("utf-8")
        except UnicodeEncodeError as exc:
            raise ArgumentError(f"the text holds a lone surrogate at {exc.start}: it cannot be encoded") from None
    if b"\0" in data:
        raise ArgumentError("a string cannot hold NUL")
    plain = data.isascii() and len(data) <= LONGEST_QUOTED and b"\r" not in data and b"\n" not in data
    return quoted(data) if plain else Literal(data)


@nilable
@verbatim
def nstring(value: Any) -> Token:
    """``nstring = string / nil``: NIL for None, else a ``string``."""
    return b"NIL" if value is None else string(value)


@verbatim
def date(value: Any) -> bytes:
    """``date-text = 1*2DIGIT "-" date-month "-" 4DIGIT``, RFC 3501 section 9, of a ``datetime.date``.

    Raises ``ArgumentError`` for another type; for a ``datetime``, too, whose hour and zone a server would not see.
    """
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise ArgumentError(f"a day must be a datetime.date, not {type(value).__name__}")
    return f"{value.day}-{_MONTHS[value.month - 1]}-{value.year:04}".encode("ascii")


def list_of(kind: Callable[[Any], Token], *, empty: bool = False) -> Callable[[Any], Token]:
    """The kind of a list in parentheses, whose members are of this kind: ``list_of(string)`` takes any iterable but text.

    Without ``empty`` a list of nothing raises ``ArgumentError``.
    """

    @verbatim
    def listed(value: Any) -> Token:
        if isinstance(value, str) or exact_bytes(value) is not None or not isinstance(value, Iterable):
            raise ArgumentError(f"a list must be an iterable, not {type(value).__name__}")
        tokens = [kind(member) for member in value]
        if not tokens and not empty:
            raise ArgumentError("the list is empty")
        return parenthesized(tokens)

    return listed
