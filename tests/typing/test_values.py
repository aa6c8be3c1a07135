"""What type checkers say of the values of searches, and what an editor completes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.typing.checking import mypy, pyright, wanted
from tests.typing.editing import edit

pytestmark = pytest.mark.timeout(120)
pytest.importorskip("mypy", reason="mypy is in the extra dev")

PROGRAM = """\
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
"""


def test_mypy_strict(tmp_path: Path) -> None:
    assert mypy(PROGRAM, tmp_path)[0] == wanted(PROGRAM, 0)


def test_pyright(tmp_path: Path) -> None:
    found = [report for report in pyright(PROGRAM, tmp_path)[0] if report[1] != "reportUnusedExpression"]
    assert found == wanted(PROGRAM, 1)


def test_an_editor_completes_keys() -> None:
    pytest.importorskip("jedi", reason="jedi is in the extra dev")
    keys, sort_keys, uids, call = edit(
        "from imapkit import q\nq.",
        "from imapkit import sort\nsort.",
        'from imapkit import UIDSet\nUIDSet("1").',
        "from imapkit import q\nq.header(",
    )
    assert keys.names >= {"unseen", "since", "from_", "all_", "uid"}
    assert sort_keys.names >= {"ARRIVAL", "DISPLAYTO"}
    assert uids.names >= {"newest", "oldest", "chunks", "ranges", "isdisjoint"}
    [(parameters, docstring)] = call.signatures
    assert parameters == {"name", "words"}
    assert "header field" in docstring
