"""The response codes of UIDPLUS, which have the UIDs of copied and appended messages; RFC 4315 section 3."""

from __future__ import annotations

from collections.abc import Iterator

from imapkit.plugin import Cursor, UidSet, ended, record, uid_set

__all__ = ["AppendUid", "CopyUid", "UidSet", "appenduid", "copyuid"]


@record
class AppendUid:
    """APPENDUID: the mailbox's ``uidvalidity``, and the UIDs of the appended messages; without MULTIAPPEND there is one."""

    uidvalidity: int
    uids: UidSet


@record
class CopyUid:
    """COPYUID: the target mailbox's ``uidvalidity``, the UIDs of the copied messages (``source``) and of the ``copies``."""

    uidvalidity: int
    source: UidSet
    copies: UidSet

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The UID of each message with that of its copy, as far as the server has sent both."""
        return zip(self.source, self.copies, strict=False)


def appenduid(cursor: Cursor) -> AppendUid:
    """``"APPENDUID" SP nz-number SP append-uid``, ``append-uid = uniqueid / uid-set``."""
    validity = cursor.nz_number()
    cursor.sp()
    found = AppendUid(validity, uid_set(cursor))
    ended(cursor)
    return found


def copyuid(cursor: Cursor) -> CopyUid:
    """``"COPYUID" SP nz-number SP uid-set SP uid-set``; sets of different sizes are noted."""
    validity = cursor.nz_number()
    cursor.sp()
    start = cursor.mark()
    source = uid_set(cursor)
    cursor.sp()
    copies = uid_set(cursor)
    if source.count != copies.count:
        cursor.tolerate(f"{source.count} messages and {copies.count} copies", cursor.since(start))
    ended(cursor)
    return CopyUid(validity, source, copies)
