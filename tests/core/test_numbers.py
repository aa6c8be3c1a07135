from __future__ import annotations

import random
import time
from typing import Any

import pytest

from imapkit.core.wire.numbers import NumberSet, sequence_set_text
from imapkit.errors import ArgumentError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1", "1"),
        (" 1:4,7 ", "1:4,7"),
        ("5:*", "5:*"),
        ("*:5", "*:5"),
        ("*", "*"),
        ("$", "$"),
        (b"2,4", "2,4"),
        (bytearray(b"3"), "3"),
        (memoryview(b"3:1"), "3:1"),
        (7, "7"),
        ([1, 2, 9], "1:2,9"),
        ([9, 2, 1, 2], "1:2,9"),
        ({b"12", b"10", b"11"}, "10:12"),
        (range(1, 100_000, 2), ",".join(map(str, range(1, 100_000, 2)))),
        (range(100_000, 0, -1), "1:100000"),
        ((b"1", "2:3", 4), "1,2:3,4"),
        (range(1, 4), "1:3"),
        (4294967295, "4294967295"),
    ],
)
def test_sequence_set_takes(value: Any, text: str) -> None:
    assert sequence_set_text(value) == text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "01",
        "1:",
        ":1",
        "1,,2",
        "1 2",
        "1,",
        "a",
        "1:2:3",
        "-1",
        "1\r\nX",
        "1\0",
        "1\n",
        "**",
        "$1",
        b"\xff",
        "\u0661",
        "1\u0661",
        "12345678901",
    ],
)
def test_sequence_set_refuses_text(value: Any) -> None:
    with pytest.raises(ArgumentError, match="bad sequence set"):
        sequence_set_text(value)


@pytest.mark.parametrize("value", [0, -1, [], [0], [None], [True], ["1\r\n2"], {"a": 1}])
def test_sequence_set_refuses_values(value: Any) -> None:
    with pytest.raises(ArgumentError):
        sequence_set_text(value)


@pytest.mark.parametrize("value", [None, True, 1.5, object()])
def test_sequence_set_refuses_types(value: Any) -> None:
    with pytest.raises(ArgumentError, match=type(value).__name__):
        sequence_set_text(value)


def test_ranges_are_merged_and_kept() -> None:
    numbers = NumberSet("7,1:3,4,12:10")
    assert (numbers.starts, numbers.ends) == ([1, 7, 10], [4, 7, 12])
    assert [n for n in range(15) if n in numbers] == [1, 2, 3, 4, 7, 10, 11, 12]


def test_a_huge_range_costs_nothing() -> None:
    began = time.monotonic()
    numbers = NumberSet("1:4294967295")
    assert 4294967295 in numbers
    assert 0 not in numbers
    assert len(numbers.starts) == 1
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize(
    ("text", "single"),
    [("5", 5), ("5:5", 5), ("5:6", None), ("1,3", None), ("*", None), ("5:*", None), ("$", None), ("1,$", None)],
)
def test_single(text: str, single: int | None) -> None:
    assert NumberSet(text).single == single


@pytest.mark.parametrize(
    ("text", "number", "verdict"),
    [
        ("1:3", 2, True),
        ("1:3", 4, False),
        ("5:*", 7, True),
        ("5:*", 4, None),  # "*" may be 4, and 5:4 is 4:5 (RFC 3501 section 9)
        ("*:5", 4, None),
        ("*", 3, None),
        ("$", 3, None),
        ("1,$", 3, None),
    ],
)
def test_may_hold(text: str, number: int, verdict: bool | None) -> None:
    assert NumberSet(text).may_hold(number) is verdict


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("1", "2", True),
        ("1:3", "3:4", False),
        ("1:3,8", "4:7,9", True),
        ("1:10", "5", False),
        ("5:*", "1", False),
        ("*", "*", False),
        ("$", "1", False),
        ("1,3,5,7", "2,4,6:9", False),
    ],
)
def test_isdisjoint(one: str, other: str, apart: bool) -> None:
    assert NumberSet(one).isdisjoint(NumberSet(other)) is apart
    assert NumberSet(other).isdisjoint(NumberSet(one)) is apart


def test_uids_and_numbers_cannot_be_compared() -> None:
    assert not NumberSet("1").isdisjoint(NumberSet("2", uid=True))


def test_against_plain_sets(rng: random.Random) -> None:
    def make() -> tuple[str, set[int]]:
        text, members = [], set()
        for _ in range(rng.randint(1, 6)):
            low, high = rng.randint(1, 40), rng.randint(1, 40)
            text.append(str(low) if rng.random() < 0.4 else f"{low}:{high}")
            members |= {low} if ":" not in text[-1] else set(range(min(low, high), max(low, high) + 1))
        return ",".join(text), members

    for _ in range(500):
        (one, some), (other, others) = make(), make()
        first, second = NumberSet(one), NumberSet(other)
        assert {n for n in range(45) if n in first} == some
        assert first.isdisjoint(second) == some.isdisjoint(others)


@pytest.mark.parametrize(
    ("text", "numbers", "held"),
    [
        ("1:5", [1, 5, 3], True),
        ("1:5", [1, 6], False),
        ("2:5", [1, 2], False),
        ("1:3,4:6", [1, 6], True),
        ("1,3", [1, 3], True),
        ("1,3", [1, 2, 3], False),
        ("5:*", [5, 4294967295], True),
        ("5:*", [1], True),
        ("$", [7], True),
        ("7", [7], True),
    ],
)
def test_many_numbers_at_once(text: str, numbers: list[int], held: bool) -> None:
    numberset = NumberSet(text)
    assert numberset.may_hold_all(numbers) is held
    assert held is all(numberset.may_hold(number) is not False for number in numbers)
