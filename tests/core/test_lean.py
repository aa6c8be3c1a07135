"""What is cheap to define means what a dataclass means."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

import imapkit.core
import imapkit.ext
from imapkit import Limits, family
from imapkit.core.support.lean import lean_dataclass
from imapkit.core.wire.data import Defect
from imapkit.ext.rev1 import Address


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


def all_of_them() -> Iterator[type[Any]]:
    for package in (imapkit.core, imapkit.ext):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            yield from (one for one in vars(module).values() if isinstance(one, type) and is_dataclass(one))
    yield from (one for one in vars(family).values() if isinstance(one, type) and is_dataclass(one))


def test_objects_are_made_as_those_of_dataclasses_are() -> None:
    there = set(all_of_them())
    assert len(there) > 40
    for one in there:
        told: Any = {each.name: each.type for each in fields(one)}
        defaults: Any = {each.name: field(default=each.default, default_factory=each.default_factory) for each in fields(one)}
        usual: Any = dataclass(type(one.__name__, (), {"__annotations__": told, "__module__": one.__module__, **defaults}))
        assert str(inspect.signature(one)) == str(inspect.signature(usual))
        assert all(each.init and not each.kw_only for each in fields(one))
        assert one.__init__.__qualname__ == f"{one.__qualname__}.__init__"
        assert one.__init__.__module__ == one.__module__


def test_methods_made_late_are_those_of_the_right_class() -> None:
    point: Any
    named: Any
    point, named, _ = define(lean_dataclass)
    assert named(1, name="a").name == "a"
    with pytest.raises(TypeError):
        point(1, name="a")

    class Derived(point):  # type: ignore[misc]
        pass

    one = Derived(1)
    one.own = 2
    assert (one.x, one.y, one.own) == (1, 2, 2)
    with pytest.raises(FrozenInstanceError):
        one.x = 3
    del one.own
    with pytest.raises(FrozenInstanceError):
        del one.x


def test_a_default_factory_makes_a_value_for_each_object() -> None:
    made: Any = define(lean_dataclass)[0]
    assert made(1).unhashed == made(2).unhashed == {}
    assert made(1).unhashed is not made(2).unhashed


class Derived(Limits):
    """With a dictionary beside its slots."""


@lean_dataclass(frozen=True, slots=True)
class Empty:
    """Without any."""


class DerivedFromEmpty(Empty):
    """With a dictionary alone."""


def with_more(one: Any) -> Any:
    """The object, with an attribute of its own."""
    one.more = 5
    return one


@pytest.mark.parametrize(
    "one",
    [
        Limits(line=5),
        Defect("what", b"bytes"),
        Address(None, None, None, None),
        with_more(Derived(line=6)),
        Empty(),
        with_more(DerivedFromEmpty()),
    ],
)
def test_copied_and_pickled(one: Any) -> None:
    for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert other == one
        assert getattr(other, "more", None) == getattr(one, "more", None)


def test_a_subclass_of_a_frozen_class_is_frozen() -> None:
    with pytest.raises(TypeError, match="cannot inherit non-frozen"):

        @dataclass
        class Own(Limits):  # type: ignore[misc]
            pass

    @dataclass(frozen=True)
    class More(Limits):
        more: int = 1

    assert More(line=2).more == 1
