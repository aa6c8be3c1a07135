"""Sets of UIDs in responses: RFC 4315 section 4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imapkit.core.grammar.cursor import Cursor
from imapkit.core.support.lean import record
from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire.numbers import NumberSet, sequence_set_text
from imapkit.core.wire.ranges import LARGEST, bounds, written
from imapkit.core.wire.response import ResponseCode
from imapkit.errors import ParseError

__all__ = ["UidSet", "about_uids", "is_about_uids", "uid_set"]

#   uid-set = (uniqueid / uid-range) *("," uid-set); uid-range = (uniqueid ":" uniqueid). No "*".
_UID_SET = late_pattern(rb"\d{1,10}(?::\d{1,10})?+(?:,\d{1,10}(?::\d{1,10})?+)*+(?![^ ])")


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
        return written([first for first, _ in self.ranges], [last for _, last in self.ranges])


def uid_set(cursor: Cursor) -> UidSet:
    """``uid-set = (uniqueid / uid-range) *("," uid-set)``, RFC 4315 section 4, without "*"."""
    start = cursor.mark()
    found = cursor.match(_UID_SET)
    if found is None:
        raise cursor.error("uid-set")
    ranges = tuple(map(bounds, found.group().split(b",")))
    if any(first < 1 or last > LARGEST for first, last in ranges):
        cursor.reset(start)
        raise cursor.error("uid-set of numbers from 1 to 2^32 - 1")
    return UidSet(ranges)


def about_uids(args: tuple[Any, ...], uid: bool) -> NumberSet | None:
    """The UIDs that a command copies or moves, its first argument: a code names them. It says nothing of sequence numbers."""
    return NumberSet(sequence_set_text(args[0]), uid=True) if uid else None


def is_about_uids(subject: NumberSet, code: ResponseCode) -> bool | None:
    """Whether a response code is about these messages; RFC 4315 section 3: it has a UIDVALIDITY, their UIDs, and the new ones."""
    cursor = Cursor((code.data or b"",))
    try:
        cursor.nz_number()
        cursor.sp()
        # (The ends of the ranges: a server may name billions of UIDs.)
        return subject.may_hold_all([uid for ends in uid_set(cursor).ranges for uid in ends])
    except ParseError:
        return None
