"""Where copied and appended messages have gone: the response codes of UIDPLUS, RFC 4315 section 3."""

from __future__ import annotations

from collections.abc import Iterator

from imapkit.core.api import Cursor, ended, late_pattern, record

__all__ = ["AppendUid", "CopyUid", "UidSet", "appenduid", "copyuid"]

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


@record
class AppendUid:
    """APPENDUID: ``uidvalidity`` of the mailbox, and the UIDs there of the messages appended: one, without MULTIAPPEND."""

    uidvalidity: int
    uids: UidSet


@record
class CopyUid:
    """COPYUID: ``uidvalidity`` of the mailbox copied to, the UIDs of the messages ``source``, and those of the copies."""

    uidvalidity: int
    source: UidSet
    copies: UidSet

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The UID of each message and that of its copy, as far as both are told."""
        return zip(self.source, self.copies, strict=False)


def appenduid(cursor: Cursor) -> AppendUid:
    """``"APPENDUID" SP nz-number SP append-uid``, ``append-uid = uniqueid / uid-set``."""
    validity = cursor.nz_number()
    cursor.sp()
    found = AppendUid(validity, _uid_set(cursor))
    ended(cursor)
    return found


def copyuid(cursor: Cursor) -> CopyUid:
    """``"COPYUID" SP nz-number SP uid-set SP uid-set``; sets that are not of one size are noted."""
    validity = cursor.nz_number()
    cursor.sp()
    start = cursor.mark()
    source = _uid_set(cursor)
    cursor.sp()
    copies = _uid_set(cursor)
    if source.count != copies.count:
        cursor.tolerate(f"{source.count} messages and {copies.count} copies", cursor.since(start))
    ended(cursor)
    return CopyUid(validity, source, copies)


def _uid_set(cursor: Cursor) -> UidSet:
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
