"""Sets of message numbers: ``sequence-set``, RFC 3501 section 9."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from imapkit.core.support.patterns import late_pattern
from imapkit.errors import ArgumentError

__all__ = ["LoneNumberSet", "NumberSet", "sequence_set_text"]

#   sequence-set = (seq-number / seq-range) *("," sequence-set); seq-number = nz-number / "*"; "$" is RFC 5182's.
_RANGE = late_pattern(r"(\*|[1-9][0-9]{0,9})(?::(\*|[1-9][0-9]{0,9}))?\Z")
_DIGITS = late_pattern(r"[1-9][0-9]{0,9}\Z")
_LARGEST = 4294967295


class NumberSet:
    """The message numbers, or UIDs, that a command names; ranges stay ranges.

    ``open`` is the lowest number from which the set reaches to "*", or None: what "*" stands for, only the server knows.
    """

    __slots__ = ("ends", "open", "starts", "uid", "unknown")

    def __init__(self, text: str, *, uid: bool = False) -> None:
        self.uid = uid
        self.open: int | None = None
        parts = text.split(",")
        self.unknown = "$" in parts
        ranges = sorted(self._range(part) for part in parts if part != "$")
        self.starts: list[int] = []
        self.ends: list[int] = []
        for low, high in ranges:
            if self.ends and low <= self.ends[-1] + 1:
                self.ends[-1] = max(self.ends[-1], high)
            else:
                self.starts.append(low)
                self.ends.append(high)

    def _range(self, text: str) -> tuple[int, int]:
        low, colon, high = text.partition(":")
        if low != "*" and high != "*":
            first, last = int(low), int(high if colon else low)
            return (first, last) if first <= last else (last, first)
        number = int(low) if low != "*" else int(high) if colon and high != "*" else _LARGEST
        self.open = number if self.open is None else min(self.open, number)
        return (number, _LARGEST)

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
        """Whether none of ``numbers``, of which there is at least one, is certainly not in the set."""
        low, high = min(numbers), max(numbers)
        at = bisect_right(self.starts, low) - 1
        if at >= 0 and high <= self.ends[at]:
            return True
        return self.open is not None or self.unknown or all(map(self.__contains__, numbers))

    def isdisjoint(self, other: NumberSet) -> bool:
        """Whether no message can be in both sets. Numbers and UIDs cannot be compared, nor can two sets with "*"."""
        if self.uid != other.uid or self.unknown or other.unknown:
            return False
        if self.open is not None or other.open is not None:
            return False
        few, many = (self, other) if len(self.starts) <= len(other.starts) else (other, self)
        return not any(many._meets(low, high) for low, high in zip(few.starts, few.ends, strict=True))

    def _meets(self, low: int, high: int) -> bool:
        at = bisect_right(self.starts, high) - 1
        return at >= 0 and self.ends[at] >= low


class LoneNumberSet(NumberSet):
    """A set whose command is in flight alone, among those that await the same response: as if it might hold any number.

    Which numbers are in it is known as ever.
    """

    __slots__ = ("_is_open",)

    def __init__(self, other: NumberSet) -> None:
        for name in NumberSet.__slots__:
            setattr(self, name, getattr(other, name))
        self._is_open, self.unknown = other.open is not None or other.unknown, True

    def may_hold(self, number: int) -> bool | None:
        """See ``NumberSet.may_hold``."""
        return True if number in self else None if self._is_open else False

    def may_hold_all(self, numbers: Sequence[int]) -> bool:
        """See ``NumberSet.may_hold_all``."""
        return self._is_open or all(map(self.__contains__, numbers))


def sequence_set_text(value: Any) -> str:
    """``value`` as a sequence set: text, octets, a number, or numbers. Raises ``ArgumentError``.

    Text is sent as it is. Of single numbers, runs become ranges, in ascending order: QQ refuses any other, and lines stay short.
    """
    if isinstance(value, str):
        text = value.strip(" ")
    elif isinstance(value, (bytes, bytearray, memoryview)):
        text = memoryview(value).tobytes().decode("ascii", "replace").strip(" ")
    elif isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
    elif isinstance(value, Iterable):
        members = list(map(_member, value))
        text = _in_ranges(map(int, members)) if all(map(_DIGITS.match, members)) else ",".join(members)
    else:
        raise ArgumentError(f"a sequence set is text or numbers, not {type(value).__name__}")
    for part in text.split(","):
        if part != "$" and not _RANGE.match(part):
            raise ArgumentError(f"bad sequence set: {part[:40]!r} in {text[:80]!r}")
    return text


def _in_ranges(numbers: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number <= runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in runs)


def _member(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, (bytes, bytearray)) else str(value)
