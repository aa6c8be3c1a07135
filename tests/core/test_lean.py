"""What is cheap to define means what a dataclass means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

from imapkit.core.lean import lean_dataclass


def define(how: Callable[..., Callable[[type], type]]) -> tuple[type[Any], type[Any], type[Any]]:
    """The same three classes: fields of all sorts, one that adds a field, and one without any."""

    class Point:
        x: int
        y: Any = 2
        unseen: Any = field(default=None, compare=False, repr=False)
        unhashed: Any = field(default_factory=dict, hash=False)

    base: Any = how(frozen=True, slots=True)(Point)

    class Named(base):  # type: ignore[misc]
        name: str = "none"

        def __repr__(self) -> str:
            return f"<{self.name}>"

    class Empty:
        pass

    return base, how(frozen=True, slots=True)(Named), how(frozen=True, slots=True)(Empty)


LEAN, USUAL = define(lean_dataclass), define(dataclass)


def values(classes: tuple[type[Any], type[Any], type[Any]]) -> list[Any]:
    point, named, empty = classes
    return [
        point(1), point(1, 2), point(1, 3), point(1, unseen=5), point(1, unhashed={1: 2}), point(1, point(2)),
        named(1), named(1, name="a"), named(1, name="b"), named(1, name="a", unseen=7), empty(), empty(), 1,
    ]  # fmt: skip


def test_equal_hashed_and_shown_as_dataclasses_are() -> None:
    ours, theirs = values(LEAN), values(USUAL)
    assert [[one == other for other in ours] for one in ours] == [[one == other for other in theirs] for one in theirs]
    assert [repr(one) for one in ours] == [repr(one) for one in theirs]
    for one in ours:
        for other in ours:
            assert one != other or hash(one) == hash(other)
    assert len({hash(one) for one in ours}) > 5


def test_frozen_with_slots_and_replaced_as_dataclasses_are() -> None:
    made: Any = LEAN[0]
    point: Any = made(1)
    assert all(map(is_dataclass, LEAN))
    assert [each.name for each in fields(point)] == ["x", "y", "unseen", "unhashed"]
    assert replace(point, x=5) == made(5)
    with pytest.raises(FrozenInstanceError):
        point.x = 2
    with pytest.raises(FrozenInstanceError):
        del point.x
    assert not hasattr(point, "__dict__")
    with pytest.raises(TypeError):
        made()


def test_without_equality_by_fields_each_is_itself() -> None:
    class One:
        x: int

    made: Any = lean_dataclass(frozen=True, slots=True, eq=False)(One)
    one = made(1)
    assert one != made(1)
    assert {one: 1}[one] == 1
    assert repr(one).endswith("One(x=1)")
