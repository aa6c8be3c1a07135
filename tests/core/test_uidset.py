"""Sets of UIDs: as sets of numbers, whatever is done with them; as text; what is refused; what they cost."""

from __future__ import annotations

import copy
import pickle
import random
import time
from collections.abc import Callable, Set
from operator import and_, ge, gt, le, lt, or_, sub, xor
from typing import Any

import pytest

from imapkit import UIDSet
from imapkit.core.grammar.uidsets import UidSet
from imapkit.core.wire.numbers import sequence_set_text
from imapkit.errors import ArgumentError
from tests.core.cost import assert_within, spent

LARGEST = 2**32 - 1
OPERATORS: list[Callable[[Any, Any], Any]] = [and_, or_, sub, xor]
COMPARISONS: list[Callable[[Any, Any], Any]] = [lt, le, gt, ge]


def numbers(rng: random.Random) -> frozenset[int]:
    """Single ones and runs; near the ends of what a UID can be, too."""
    base = rng.choice((0, 0, 0, LARGEST - 60))
    found: set[int] = set()
    for _ in range(rng.randint(0, 8)):
        first = base + rng.randint(1, 60)
        found.update(range(first, min(first + rng.choice((1, 1, 2, 9)), LARGEST + 1)))
    return frozenset(found)


def assert_same(found: object, wanted: frozenset[int]) -> None:
    """One is the same set as the other, in its only form."""
    assert isinstance(found, UIDSet)
    assert list(found) == sorted(wanted)
    assert found == wanted
    assert found.ranges == UIDSet(wanted).ranges
    assert all(low <= high for low, high in found.ranges)
    assert all(high + 1 < low for (_, high), (low, _) in zip(found.ranges, found.ranges[1:], strict=False))


# As a set of numbers


def test_every_operator_is_that_of_a_frozenset(rng: random.Random) -> None:
    for _ in range(4000):
        one, other = numbers(rng), numbers(rng)
        first, second = UIDSet(one), UIDSet(other)
        for operator in OPERATORS:
            assert_same(operator(first, second), operator(one, other))
        assert [compare(first, second) for compare in COMPARISONS] == [compare(one, other) for compare in COMPARISONS]
        assert first.isdisjoint(second) is one.isdisjoint(other)
        assert (first == second) is (one == other)


@pytest.mark.parametrize("kind", [set, frozenset, lambda given: dict.fromkeys(given).keys()])
def test_other_sets_may_stand_on_either_side(kind: Callable[[Set[int]], Set[int]], rng: random.Random) -> None:
    for _ in range(200):
        one, other = numbers(rng), numbers(rng)
        for operator in OPERATORS:
            assert_same(operator(UIDSet(one), kind(other)), operator(one, other))
            if kind in (set, frozenset):
                assert_same(operator(kind(one), UIDSet(other)), operator(one, other))
        assert [compare(UIDSet(one), kind(other)) for compare in COMPARISONS] == [compare(one, other) for compare in COMPARISONS]
        assert UIDSet(one).isdisjoint(kind(other)) is one.isdisjoint(other)
        assert UIDSet(one).isdisjoint(list(other)) is one.isdisjoint(other)
        assert (UIDSet(one) == kind(other)) is (one == other)


def test_what_is_no_uid_is_in_no_set_of_uids() -> None:
    uids = UIDSet("1:3")
    assert 0 not in uids
    assert -1 not in uids
    assert "1" not in uids  # type: ignore[comparison-overlap]
    assert uids != {1, 2, "3"}
    assert uids != [1, 2, 3]
    assert uids & {0, 3, "x"} == {3}
    assert uids - {0, 3, "x"} == {1, 2}
    assert uids.isdisjoint({0, "x"})
    assert not uids <= {1, 2, "x"}
    with pytest.raises(ValueError, match="0"):
        uids | {0}


@pytest.mark.parametrize("operator", [*OPERATORS, *COMPARISONS])
@pytest.mark.parametrize("other", [[1], "1", 1, None])
def test_what_is_no_set_is_refused(operator: Callable[[Any, Any], Any], other: Any) -> None:
    with pytest.raises(TypeError):
        operator(UIDSet("1"), other)
    with pytest.raises(TypeError):
        operator(other, UIDSet("1"))


def test_equal_sets_have_the_same_hash(rng: random.Random) -> None:
    for _ in range(500):
        some = numbers(rng)
        assert hash(UIDSet(some)) == hash(some)
        assert {UIDSet(some): 1}[some] == 1  # type: ignore[index]


def test_members_and_places(rng: random.Random) -> None:
    for _ in range(500):
        some = numbers(rng)
        uids, ordered = UIDSet(some), sorted(some)
        assert len(uids) == len(some)
        assert bool(uids) is bool(some)
        assert list(reversed(uids)) == ordered[::-1]
        assert all(uid in uids for uid in some)
        assert [uids[i] for i in range(-len(some), len(some))] == [ordered[i] for i in range(-len(some), len(some))]
        for outside in (len(some), -len(some) - 1):
            with pytest.raises(IndexError):
                uids[outside]


def test_the_newest_and_the_oldest(rng: random.Random) -> None:
    for _ in range(500):
        some = numbers(rng)
        uids, ordered, n = UIDSet(some), sorted(some), rng.randint(0, 20)
        assert_same(uids.newest(n), frozenset(ordered[max(0, len(some) - n) :]))
        assert_same(uids.oldest(n), frozenset(ordered[:n]))
    for part in (uids.newest, uids.oldest):
        with pytest.raises(ValueError, match="-1"):
            part(-1)


def test_it_does_not_change() -> None:
    uids = UIDSet("1:3")
    for name in ("ranges", "other"):
        with pytest.raises(AttributeError):
            setattr(uids, name, ())
    same = uids
    same |= {7}
    assert uids == {1, 2, 3}


def test_it_can_be_copied_and_pickled(rng: random.Random) -> None:
    uids = UIDSet(numbers(rng))
    for twin in (copy.copy(uids), copy.deepcopy(uids), pickle.loads(pickle.dumps(uids)), UIDSet(uids)):
        assert_same(twin, frozenset(uids))


# As text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("7", "7"),
        ("1,2,3", "1:3"),
        ("3:1", "1:3"),
        ("5:5", "5"),
        ("9,1:4,3:6", "1:6,9"),
        ("4294967295,1", "1,4294967295"),
        ("2:4294967295,1", "1:4294967295"),
    ],
)
def test_text_in_any_order(text: str, written: str) -> None:
    assert str(UIDSet(text)) == str(UIDSet.from_wire(text.encode())) == written
    assert UIDSet(written).ranges == UIDSet(text).ranges
    assert eval(repr(UIDSet(text)), {"UIDSet": UIDSet}) == UIDSet(text)


def test_ranges() -> None:
    assert UIDSet.of_ranges([(9, 7), (1, 2), (3, 3)]).ranges == ((1, 3), (7, 9))
    assert UIDSet.of_ranges([]) == UIDSet()
    assert UIDSet.of_ranges(UidSet(((304, 304), (2, 3))).ranges) == {2, 3, 304}
    with pytest.raises(ValueError, match="0"):
        UIDSet.of_ranges([(0, 4)])


def test_a_long_one_is_shown_in_part() -> None:
    assert len(repr(UIDSet(range(1, 100_000, 2)))) < 100


def test_a_command_takes_one() -> None:
    assert sequence_set_text(UIDSet("7,1:3")) == "1:3,7"
    assert sequence_set_text(UIDSet("1:4294967295")) == "1:4294967295"
    with pytest.raises(ArgumentError, match="empty"):
        sequence_set_text(UIDSet())


def test_chunks_are_as_short_as_wanted(rng: random.Random) -> None:
    for _ in range(500):
        uids, size = UIDSet(numbers(rng)), rng.randint(22, 60)
        most = rng.choice((None, 1, 2, 5, 1000))
        chunks = list(uids.chunks(size, most))
        assert_same(UIDSet.of_ranges(pair for chunk in chunks for pair in chunk.ranges), frozenset(uids))
        assert sum(map(len, chunks)) == len(uids)
        assert all(chunk and len(str(chunk)) <= size and len(chunk) <= (most or len(chunk)) for chunk in chunks)
        assert [chunk[0] for chunk in chunks] == sorted(chunk[0] for chunk in chunks)
    assert len(list(UIDSet(range(1, 20_000, 2)).chunks())) == 7
    assert [len(chunk) for chunk in UIDSet("1:1001").chunks(most=500)] == [500, 500, 1]


@pytest.mark.parametrize(("size", "most"), [(21, None), (8000, 0)])
def test_chunks_that_cannot_be_made(size: int, most: int | None) -> None:
    with pytest.raises(ValueError, match="chunk"):
        UIDSet("1").chunks(size, most)


# What is refused


@pytest.mark.parametrize(
    "text",
    ["*", "$", "1:*", "a", "1:", ":1", ",", "1,,2", "1 2", "+1", "1_0", "-1", " 1", "1\n", "1:2:3", "0", "0:3", "4294967296",
     "9" * 5000, "\u0661"],
)  # fmt: skip
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"UID"):
        UIDSet(text)
    with pytest.raises(ValueError, match=r"UID"):
        UIDSet.from_wire(text.encode())


@pytest.mark.parametrize("value", [[0], [-1], [1, LARGEST + 1], range(3)])
def test_numbers_that_are_no_uids_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not a UID"):
        UIDSet(value)


@pytest.mark.parametrize("value", [b"1", bytearray(b"1"), memoryview(b"1"), ["1"], [1, 1.5, 2], [None], 7, None, [b"1"]])
def test_values_of_other_types_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        UIDSet(value)


# What it costs


def test_a_range_costs_the_same_whatever_is_in_it() -> None:
    uids, began = UIDSet("1:4294967295"), time.monotonic()
    assert len(uids) == LARGEST
    assert LARGEST in uids
    assert str(uids.newest(3) | uids.oldest(1)) == "1,4294967293:4294967295"
    assert not uids - uids
    assert str(uids - {5}) == "1:4,6:4294967295"
    assert uids >= {7}
    assert UIDSet("7") <= uids
    assert uids[2**31] == 2**31 + 1
    assert time.monotonic() - began < 0.5


@pytest.mark.heavy
@pytest.mark.parametrize("shape", ["every second", "half, at random", "all"])
def test_what_a_hundred_thousand_cost(shape: str, rng: random.Random) -> None:
    found = {
        "every second": list(range(1, 200_001, 2)),
        "half, at random": sorted(rng.sample(range(1, 200_001), 100_000)),
        "all": list(range(1, 100_001)),
    }[shape]
    answer, text = " ".join(map(str, found)).encode(), ",".join(map(str, found))
    assert_within(1.8, lambda: UIDSet(map(int, answer.split())), lambda: frozenset(map(int, answer.split())))
    assert_within(1.8, lambda: UIDSet(text), lambda: frozenset(map(int, text.split(","))))
    one, other = UIDSet(found), UIDSet(rng.sample(range(1, 200_001), 100_000))
    assert min(spent(lambda: one & other) for _ in range(5)) < 0.05
