"""Sets of UIDs as ranges: what a search finds, what a command takes, what has changed in a mailbox."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Set
from itertools import accumulate, chain
from typing import Any

from imapkit.core.wire.ranges import LARGEST, Ranges, bounds, merged, runs, written

__all__ = ["UIDSet"]

_LONGEST_RANGE = len("4294967295:4294967295,")


class UIDSet(Set[int]):
    """An immutable set of UIDs, 1 to 2^32 - 1, that keeps ranges as ranges; ``str(uids)`` is what a command takes: "1:4,7".

    ``UIDSet("1:4,7")``, ``UIDSet([7, 1, 2, 3, 4])``. Text has numbers and ranges in any order, but neither "*" nor "$", whose
    meaning only the server knows. Raises ``ValueError`` for other text and for numbers that are no UIDs, ``TypeError`` for bytes
    and for what is no number.

    Equal to every set of the same numbers, with the same hash. ``&``, ``|``, ``-`` and ``^`` take any set and return a
    ``UIDSet``. Iteration is ascending; ``uids[0]`` is the oldest message, ``uids[-1]`` the newest.
    """

    __slots__ = ("_before", "_ends", "_hashed", "_starts")
    _starts: array[int]
    _ends: array[int]
    _hashed: int
    _before: array[int]

    def __init__(self, uids: str | Iterable[int] = ()) -> None:
        if isinstance(uids, UIDSet):
            self._starts, self._ends = uids._starts, uids._ends
        elif isinstance(uids, (bytes, bytearray, memoryview)):
            raise TypeError(f"UIDs are text or numbers, not {type(uids).__name__}: UIDSet.from_wire() takes bytes")
        elif isinstance(uids, str):
            self._keep(*_read(uids))
        else:
            self._keep(*runs(_numbers(uids)))

    def _keep(self, starts: list[int], ends: list[int]) -> None:
        if starts and not (starts[0] >= 1 and ends[-1] <= LARGEST):
            raise ValueError(f"not a UID, which is 1 to 2^32 - 1: {starts[0] if starts[0] < 1 else ends[-1]}")
        self._starts, self._ends = array("I", starts), array("I", ends)

    @classmethod
    def of_ranges(cls, ranges: Iterable[tuple[int, int]]) -> UIDSet:
        """The set of these ranges, each with its first and its last UID, in any order. Raises ``ValueError``."""
        return _made(merged([(low, high) if low <= high else (high, low) for low, high in ranges]))

    @classmethod
    def from_wire(cls, text: bytes) -> UIDSet:
        """The set that a server sent, such as ``b"3:1,7"``: ``uid-set``, RFC 4315 section 4. Raises ``ValueError``."""
        return _made(_read(text.decode("ascii", "replace")))

    @classmethod
    def _from_iterable(cls, it: Iterable[Any], /) -> UIDSet:  # type: ignore[override]
        return cls(it)

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The first and the last UID of each range, ascending: ``((1, 4), (7, 7))``."""
        return tuple(zip(self._starts, self._ends, strict=True))

    # What a set has

    def __len__(self) -> int:
        return sum(self._ends) - sum(self._starts) + len(self._starts)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __contains__(self, uid: object) -> bool:
        if not isinstance(uid, int):
            return False
        at = bisect_right(self._starts, uid) - 1
        return at >= 0 and uid <= self._ends[at]

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(map(range, self._starts, [end + 1 for end in self._ends]))

    def __reversed__(self) -> Iterator[int]:
        for first, last in zip(reversed(self._starts), reversed(self._ends), strict=True):
            yield from range(last, first - 1, -1)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, UIDSet):
            return self._starts == other._starts and self._ends == other._ends
        return len(self) == len(other) and all(map(self.__contains__, other)) if isinstance(other, Set) else NotImplemented

    def __hash__(self) -> int:
        try:
            return self._hashed
        except AttributeError:
            self._hashed = self._hash()
            return self._hashed

    def __le__(self, other: Set[object]) -> bool:
        if not isinstance(other, Set):
            return NotImplemented
        return not self - other

    def __ge__(self, other: Set[object]) -> bool:
        return all(map(self.__contains__, other)) if _is_foreign(other) else not other - self

    def __and__(self, other: Set[object]) -> UIDSet:
        if _is_foreign(other):
            # It may hold what is no UID.
            return UIDSet(uid for uid in other if isinstance(uid, int) and uid in self)
        return _made(_common(_lists(self), _lists(other))) if isinstance(other, UIDSet) else NotImplemented

    __rand__ = __and__

    def __sub__(self, other: Set[object]) -> UIDSet:
        theirs = other if isinstance(other, UIDSet) else self & other
        return theirs if theirs is NotImplemented else _made(_common(_lists(self), _others(_lists(theirs))))

    def __rsub__(self, other: Set[int]) -> UIDSet:
        return UIDSet(other) - self if isinstance(other, Set) else NotImplemented

    def __or__(self, other: Set[int]) -> UIDSet:  # type: ignore[override]
        if not isinstance(other, Set):
            return NotImplemented
        # What neither of the two lacks.
        return _made(_others(_common(_others(_lists(self)), _others(_lists(UIDSet(other))))))

    __ror__ = __or__

    def __xor__(self, other: Set[int]) -> UIDSet:  # type: ignore[override]
        if not isinstance(other, Set):
            return NotImplemented
        theirs = UIDSet(other)
        return (self | theirs) - (self & theirs)

    __rxor__ = __xor__

    def isdisjoint(self, other: Iterable[object]) -> bool:
        """Whether no UID is in both."""
        return not self & other if isinstance(other, UIDSet) else not any(map(self.__contains__, other))

    # As text

    def __str__(self) -> str:
        return written(self._starts, self._ends)

    def __repr__(self) -> str:
        more = "..." if len(self._starts) > 20 else ""
        return f"UIDSet('{written(self._starts[:20], self._ends[:20])}{more}')"

    def __reduce__(self) -> tuple[Any, ...]:
        return UIDSet, (str(self),)

    # Parts

    def __getitem__(self, index: int) -> int:
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"no UID {index}: there are {len(self)}")
        before = self._counts()
        which = bisect_right(before, at) - 1
        return self._starts[which] + (at - before[which])

    def _counts(self) -> array[int]:
        """How many UIDs stand before each range."""
        try:
            return self._before
        except AttributeError:
            sizes = [last - first + 1 for first, last in zip(self._starts, self._ends, strict=True)]
            self._before = array("Q", accumulate(sizes[:-1], initial=0))
            return self._before

    def _between(self, first: int, last: int) -> UIDSet:
        """Those from the UID ``first`` to ``last``."""
        return _made(_common(_lists(self), ([first], [last])))

    def newest(self, n: int) -> UIDSet:
        """The ``n`` highest; all, if there are fewer. Raises ``ValueError`` below 0."""
        return self._between(self[-n], LARGEST) if 0 < _counted(n) < len(self) else self._all_or_none(n)

    def oldest(self, n: int) -> UIDSet:
        """The ``n`` lowest; all, if there are fewer. Raises ``ValueError`` below 0."""
        return self._between(1, self[n - 1]) if 0 < _counted(n) < len(self) else self._all_or_none(n)

    def _all_or_none(self, n: int) -> UIDSet:
        return self if n else UIDSet()

    def chunks(self, size: int = 8000, most: int | None = None) -> Iterator[UIDSet]:
        """All of them, ascending, in sets whose texts have at most ``size`` bytes, with at most ``most`` UIDs in each.

        Raises ``ValueError`` unless ``size`` is enough for a range, 22 bytes, and ``most`` for a UID.
        """
        if size < _LONGEST_RANGE or (most is not None and most < 1):
            raise ValueError(f"no chunk of {size} bytes with {most} UIDs: at least {_LONGEST_RANGE} and 1")
        return self._chunks(size, LARGEST if most is None else most)

    def _chunks(self, size: int, most: int) -> Iterator[UIDSet]:
        starts, ends, room, left = list[int](), list[int](), size, most
        for first, last in zip(self._starts, self._ends, strict=True):
            while first <= last:
                # A comma as well, but for the first.
                text = len(f"{first}:{last}" if last > first else f"{first}") + bool(starts)
                if text > room or not left:
                    yield _made((starts, ends))
                    starts, ends, room, left = [], [], size, most
                    continue
                end = min(last, first + left - 1)
                starts.append(first)
                ends.append(end)
                room, left, first = room - text, left - (end - first + 1), end + 1
        if starts:
            yield _made((starts, ends))


def _read(text: str) -> Ranges:
    """``uid-set = (uniqueid / uid-range) *("," uid-set)``, RFC 4315 section 4; also no text, for no UID."""
    if not text:
        return [], []
    parts = text.split(",")
    try:
        # int() also takes blanks, signs, "_" and digits of other scripts.
        if not text.encode("ascii", "replace").translate(None, b"0123456789,:"):
            return merged(map(bounds, parts)) if ":" in text else runs(map(int, parts))
    except ValueError:
        pass
    raise ValueError(f"not a set of UIDs: {text[:80]!r}")


def _numbers(uids: Iterable[int]) -> list[int]:
    """``uids``, each of which is a number of 32 bits."""
    given = list(uids)
    try:
        array("I", given)
        return given
    except OverflowError:
        bad = next(uid for uid in given if not 0 <= uid <= LARGEST)
        raise ValueError(f"not a UID, which is 1 to 2^32 - 1: {bad}") from None
    except TypeError:
        other = next(uid for uid in given if not hasattr(uid, "__index__"))
        raise TypeError(f"a UID is a number, not {type(other).__name__}: {other!r:.40}") from None


def _counted(n: int) -> int:
    if n < 0:
        raise ValueError(f"not a number of UIDs: {n}")
    return n


def _is_foreign(other: object) -> bool:
    return isinstance(other, Set) and not isinstance(other, UIDSet)


def _made(ranges: Ranges) -> UIDSet:
    made = UIDSet.__new__(UIDSet)
    made._keep(*ranges)
    return made


def _lists(uids: UIDSet) -> Ranges:
    # A list gives a number out faster than an array.
    return uids._starts.tolist(), uids._ends.tolist()


def _others(ranges: Ranges) -> Ranges:
    """All numbers but these."""
    starts, ends = [1, *[end + 1 for end in ranges[1]]], [*[start - 1 for start in ranges[0]], LARGEST]
    at_begin, at_end = starts[0] > ends[0], starts[-1] > ends[-1]
    return starts[at_begin : len(starts) - at_end], ends[at_begin : len(ends) - at_end]


def _common(one: Ranges, other: Ranges) -> Ranges:
    """The numbers that are in both."""
    (starts, ends), (their_starts, their_ends) = one, other
    found: Ranges = ([], [])
    here = there = 0
    while here < len(starts) and there < len(their_starts):
        low = max(starts[here], their_starts[there])
        if ends[here] <= their_ends[there]:
            high = ends[here]
            here += 1
        else:
            high = their_ends[there]
            there += 1
        if low <= high:
            found[0].append(low)
            found[1].append(high)
    return found
