from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import assert_type

import imapkit
from imapkit import IMAP4, Flags, Role, SearchKey, SortKey, UIDSet, q, sort
from imapkit.plugin import Text, day, term

uids = UIDSet("1:4,7")
assert_type(uids, UIDSet)
assert_type(uids & {1, 2}, UIDSet)
assert_type(uids | UIDSet([3]), UIDSet)
assert_type(uids - {1}, UIDSet)
assert_type(uids ^ {1}, UIDSet)
assert_type(uids.newest(50), UIDSet)
assert_type(uids.oldest(1), UIDSet)
assert_type(uids.chunks(), Iterator[UIDSet])
assert_type(uids.ranges, tuple[tuple[int, int], ...])
assert_type(uids[0], int)
numbers: list[int] = list(uids)
UIDSet(["1"])  # error: list-item, reportArgumentType
uids | {"x"}  # error: arg-type, reportOperatorIssue
uids[0] = 3  # error: index, reportIndexIssue

assert_type(q.unseen, SearchKey)
assert_type(q.unseen & q.since(dt.date(2026, 1, 1)) | ~q.text("x"), SearchKey)
assert_type(imapkit.q.uid(uids), SearchKey)
assert_type(term("X-GM-RAW", Text("x"), day(dt.date(2026, 1, 1)), opposite="Y"), SearchKey)
q.subject(b"x")  # error: arg-type, reportArgumentType
q.since("1-Jan-2026")  # error: arg-type, reportArgumentType
q.unseen & "SEEN"  # error: operator, reportOperatorIssue
q.unsen  # error: attr-defined, reportAttributeAccessIssue
q.larger("5")  # error: arg-type, reportArgumentType

assert_type(-sort.ARRIVAL, SortKey)
assert_type(imapkit.sort.SUBJECT, SortKey)
sort.NOPE  # error: attr-defined, reportAttributeAccessIssue

assert_type(Flags(["a", b"b"]), Flags)
assert_type("a" in Flags.from_wire((b"a",)), bool)
Flags([7])  # error: list-item, reportArgumentType
role: str = Role.SENT
assert_type(Role(role), Role)


def search(imap: IMAP4) -> None:
    imap.search(None, q.unseen & q.flagged)
    imap.sort([-sort.DATE], None, q.all_)
    imap.fetch(uids, "FLAGS", uid=True)
