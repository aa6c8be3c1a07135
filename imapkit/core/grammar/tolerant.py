"""Reading the values of a response one by one, so that one that cannot be read does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from imapkit.core.grammar.cursor import Cursor
from imapkit.errors import ParseError

__all__ = ["astring_or_nil", "attempt", "ended", "members", "no_data", "pass_over", "to_the_end"]

T = TypeVar("T")


def ended(cursor: Cursor, what: str = "more after the end") -> None:
    """Note what is left, if anything is."""
    if not cursor.at_end():
        cursor.tolerate(what, cursor.rest())


def no_data(cursor: Cursor) -> None:
    """The grammar of a response code without data."""
    ended(cursor, "data after a code that has none")


def astring_or_nil(cursor: Cursor, what: str) -> bytes | None:
    """``astring``; None for NIL, which is no string, and is noted."""
    start = cursor.mark()
    if cursor.peek() in (b"N", b"n"):
        try:
            if cursor.nstring() is None:
                cursor.tolerate(f"{what}: NIL", cursor.since(start))
                return None
        except ParseError:
            cursor.reset(start)
    return cursor.astring()


def pass_over(cursor: Cursor, values: int = 1) -> None:
    """Pass over ``values`` values, up to the end of a list; over all that is left if one cannot be read."""
    for _ in range(values):
        cursor.spaces()
        if cursor.peek() in (b")", b""):
            return
        try:
            cursor.skip_value()
        except ParseError:
            cursor.rest()


def attempt(cursor: Cursor, what: str, rule: Callable[[Cursor], T], values: int = 1) -> Iterator[T]:
    """The value that ``rule`` reads; none if it raises ``ParseError``: then ``values`` values are passed over, and noted."""
    start = cursor.mark()
    try:
        found = rule(cursor)
    except ParseError as problem:
        cursor.reset(start)
        pass_over(cursor, values)
        if cursor.mark() == start:
            cursor.rest()
        cursor.tolerate(f"{what}: expected {problem.expected}", cursor.since(start))
    else:
        yield found


def members(cursor: Cursor, what: str, rule: Callable[[Cursor], T], values: int = 1) -> Iterator[T]:
    """``*(SP member) ")"``, behind the "(": what ``rule`` reads, again and again. A missing ")" is noted."""
    while not cursor.try_(b")"):
        cursor.spaces()
        if cursor.at_end():
            cursor.tolerate(f"{what}: no ) at the end", b"")
            return
        yield from attempt(cursor, what, rule, values)


def to_the_end(cursor: Cursor, what: str, rule: Callable[[Cursor], T]) -> Iterator[T]:
    """``*(SP member)``, as many as can be read; from the first that cannot, the rest is noted."""
    while not cursor.at_end():
        start = cursor.mark()
        try:
            cursor.sp()
            found = rule(cursor)
        except ParseError as problem:
            cursor.rest()
            cursor.tolerate(f"{what}: expected {problem.expected}", cursor.since(start))
        else:
            yield found
