"""Properties of the values of searches: any text arrives unchanged, and any set of UIDs is a set of numbers."""

from __future__ import annotations

from operator import and_, or_, sub, xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapkit import UIDSet, q
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.grammar.search import search_program
from imapkit.core.wire.pieces import Late, Literal, joined
from tests.fuzz.test_properties import TEXTS

pytestmark = pytest.mark.heavy

UIDS = st.integers(1, 2**32 - 1)
NEAR = st.integers(1, 40)
SETS = st.sets(st.one_of(UIDS, NEAR), max_size=30)
PAIRS = st.lists(st.tuples(NEAR, NEAR), max_size=10)


@given(TEXTS, TEXTS, st.booleans())
def test_text_arrives_unchanged(one: str, other: str, utf8: bool) -> None:
    parts = [b""]
    for piece in joined(list(search_program((q.subject(one) & ~q.header(other, one),)))):
        for each in (piece.on if utf8 else piece.off) if isinstance(piece, Late) else (piece,):
            if isinstance(each, Literal):
                parts[-1] += b"{%d}" % len(each.data)
                parts += [each.data, b""]
            else:
                assert isinstance(each, bytes)
                parts[-1] += each
    is_named = parts[0].startswith(b"CHARSET UTF-8 ")
    assert is_named is not (utf8 or (one + other).isascii())
    cursor = Cursor((parts[0].removeprefix(b"CHARSET UTF-8 "), *parts[1:]), utf8=utf8)
    read: list[str] = []
    for name in (b"SUBJECT", b"NOT", b"HEADER", None):
        if name is not None:
            cursor.expect(name)
            cursor.expect(b" ")
        if name in (b"SUBJECT", b"HEADER", None):
            read.append(cursor.astring().decode())
            cursor.try_(b" ")
    assert cursor.at_end()
    assert read == [one, other, one]


@given(SETS, SETS)
def test_operators_are_those_of_sets(one: set[int], other: set[int]) -> None:
    first, second = UIDSet(one), UIDSet(other)
    for operator in (and_, or_, sub, xor):
        assert operator(first, second) == operator(one, other)
    assert first & second == UIDSet(str(first)) & UIDSet(str(second))
    assert hash(first) == hash(frozenset(one))


@given(PAIRS)
def test_ranges_are_the_numbers_in_them(pairs: list[tuple[int, int]]) -> None:
    text = ",".join(f"{low}:{high}" for low, high in pairs)
    numbers = {number for low, high in pairs for number in range(min(low, high), max(low, high) + 1)}
    assert UIDSet(text) == UIDSet.from_wire(text.encode()) == UIDSet.of_ranges(pairs) == numbers
    assert UIDSet(str(UIDSet(text))).ranges == UIDSet(numbers).ranges


@given(st.one_of(TEXTS, st.text("0123456789:,*$ ", max_size=20)))
def test_other_text_is_refused(text: str) -> None:
    try:
        uids = UIDSet(text)
    except ValueError:
        return
    assert set(text) <= set("0123456789:,")
    assert all(1 <= low <= high < 2**32 for low, high in uids.ranges)
