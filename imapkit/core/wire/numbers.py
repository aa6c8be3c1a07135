"""Sets of message numbers: ``sequence-set``, RFC 3501 section 9."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire.ranges import LARGEST, bounds, merged, runs, written
from imapkit.core.wire.uidset import UIDSet
from imapkit.errors import ArgumentError

__all__ = ["LoneNumberSet", "NumberSet", "sequence_set_text"]

#   sequence-set = (seq-number / seq-range) *("," sequence-set); seq-number = nz-number / "*"; "$" is RFC 5182's.
_RANGE = late_pattern(r"(\*|[1-9][0-9]{0,9})(?::(\*|[1-9][0-9]{0,9}))?\Z")
_DIGITS = late_pattern(r"[1-9][0-9]{0,9}\Z")


class NumberSet:
    """The message numbers, or UIDs, that a command names; ranges stay ranges.

    ``open`` is the lowest number from which the set reaches to "*", or None: only the server has the number that "*" stands for.
    ``part`` names the one part of a single message that a command asks for, such as "BODY[2]<0>", so that commands about other
    parts of that message can be in flight at the same time; None for anything else, and for sets.
    """

    __slots__ = ("ends", "open", "part", "starts", "uid", "unknown")

    def __init__(self, text: str, *, uid: bool = False, part: str | None = None) -> None:
        self.uid = uid
        self.open: int | None = None
        parts = text.split(",")
        self.unknown = "$" in parts
        self.starts, self.ends = merged(self._range(part) for part in parts if part != "$")
        self.part = None if self.single is None else part

    def _range(self, text: str) -> tuple[int, int]:
        if "*" not in text:
            return bounds(text)
        numbers = [int(end) for end in text.split(":") if end != "*"]
        number = numbers[0] if numbers else LARGEST
        self.open = number if self.open is None else min(self.open, number)
        return (number, LARGEST)

    @property
    def single(self) -> int | None:
        """The number, if the set is just one."""
        if len(self.starts) == 1 and self.open is None and not self.unknown and self.starts[0] == self.ends[0]:
            return self.starts[0]
        return None

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.starts, number) - 1
        return at >= 0 and number <= self.ends[at]

    def may_hold(self, number: int) -> bool | None:
        """Whether ``number`` is in the set; None if only the server could say ("*" may stand for a lower number)."""
        if number in self:
            return True
        return None if self.open is not None or self.unknown else False

    def may_hold_all(self, numbers: Sequence[int]) -> bool:
        """Whether each of ``numbers`` is in the set or may be; there must be at least one."""
        low, high = min(numbers), max(numbers)
        at = bisect_right(self.starts, low) - 1
        if at >= 0 and high <= self.ends[at]:
            return True
        return self.open is not None or self.unknown or all(map(self.__contains__, numbers))

    def isdisjoint(self, other: NumberSet) -> bool:
        """Whether no message can be in both sets, or only other parts of it.

        Numbers and UIDs cannot be compared, nor can two sets with "*".
        """
        if self.uid != other.uid or self.unknown or other.unknown:
            return False
        if self.open is not None or other.open is not None:
            return False
        if self.part is not None and other.part is not None and self.part != other.part:
            return True
        few, many = (self, other) if len(self.starts) <= len(other.starts) else (other, self)
        return not any(many._meets(low, high) for low, high in zip(few.starts, few.ends, strict=True))

    def _meets(self, low: int, high: int) -> bool:
        at = bisect_right(self.starts, high) - 1
        return at >= 0 and self.ends[at] >= low


class LoneNumberSet(NumberSet):
    """The same numbers, in a set that is disjoint from no other: its command alone may await these responses while in flight."""

    __slots__ = ("_is_open",)

    def __init__(self, other: NumberSet) -> None:
        for name in NumberSet.__slots__:
            setattr(self, name, getattr(other, name))
        self._is_open, self.unknown = other.open is not None or other.unknown, True
        self.part = None

    def may_hold(self, number: int) -> bool | None:
        """See ``NumberSet.may_hold``."""
        return True if number in self else None if self._is_open else False

    def may_hold_all(self, numbers: Sequence[int]) -> bool:
        """See ``NumberSet.may_hold_all``."""
        return self._is_open or all(map(self.__contains__, numbers))


def sequence_set_text(value: Any) -> str:
    """``value`` as a sequence set: text, bytes, a number, numbers, or a ``UIDSet``. Raises ``ArgumentError``.

    Text is sent as it is. Of single numbers, runs become ranges, in ascending order: QQ refuses any other, and lines stay short.
    """
    if isinstance(value, UIDSet):
        if not value:
            raise ArgumentError("an empty set of UIDs: a command cannot name no message")
        return str(value)
    if isinstance(value, str):
        text = value.strip(" ")
    elif isinstance(value, (bytes, bytearray, memoryview)):
        text = memoryview(value).tobytes().decode("ascii", "replace").strip(" ")
    elif isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
    elif isinstance(value, Iterable):
        members = list(map(_member, value))
        text = written(*runs(map(int, members))) if all(map(_DIGITS.match, members)) else ",".join(members)
    else:
        raise ArgumentError(f"a sequence set is text or numbers, not {type(value).__name__}")
    for part in text.split(","):
        if part != "$" and not _RANGE.match(part):
            raise ArgumentError(f"bad sequence set: {part[:40]!r} in {text[:80]!r}")
    return text


def _member(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, (bytes, bytearray)) else str(value)
