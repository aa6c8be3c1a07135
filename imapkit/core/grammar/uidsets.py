"""Sets of UIDs in responses: RFC 4315 section 4."""

from __future__ import annotations

from collections.abc import Iterator

from imapkit.core.grammar.cursor import Cursor
from imapkit.core.support.lean import record
from imapkit.core.support.patterns import late_pattern

__all__ = ["UidSet", "uid_set"]

#   uid-set = (uniqueid / uid-range) *("," uid-set); uid-range = (uniqueid ":" uniqueid). No "*".
_UID_SET = late_pattern(rb"\d{1,10}(?::\d{1,10})?+(?:,\d{1,10}(?::\d{1,10})?+)*+(?![^ ])")
_LARGEST = 0xFFFFFFFF


@record
class UidSet:
    """UIDs in the order in which the messages were copied or appended; ranges stay ranges, whatever a server claims.

    ``ranges`` has the first and the last of each: ``((304, 304), (319, 320))``. Iterating goes through the UIDs one by one, and
    ``uid in uids`` and ``uids.count`` need not.
    """

    ranges: tuple[tuple[int, int], ...]

    @property
    def count(self) -> int:
        """How many there are. (``len`` makes ``list`` reserve room for all that a server claims.)"""
        return sum(last - first + 1 for first, last in self.ranges)

    def __contains__(self, uid: object) -> bool:
        return isinstance(uid, int) and any(first <= uid <= last for first, last in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __str__(self) -> str:
        """As a command takes it."""
        return ",".join(f"{first}" if first == last else f"{first}:{last}" for first, last in self.ranges)


def uid_set(cursor: Cursor) -> UidSet:
    """``uid-set = (uniqueid / uid-range) *("," uid-set)``, RFC 4315 section 4, without "*"."""
    start = cursor.mark()
    found = cursor.match(_UID_SET)
    if found is None:
        raise cursor.error("uid-set")
    ranges = tuple(map(_uid_range, found.group().split(b",")))
    if any(first < 1 or last > _LARGEST for first, last in ranges):
        cursor.reset(start)
        raise cursor.error("uid-set of numbers from 1 to 2^32 - 1")
    return UidSet(ranges)


def _uid_range(text: bytes) -> tuple[int, int]:
    """Its first and its last; "12:10 is exactly equivalent to 10:12"."""
    low, colon, high = text.partition(b":")
    first, last = int(low), int(high if colon else low)
    return min(first, last), max(first, last)
