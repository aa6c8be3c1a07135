"""The search keys of RFC 3501 as values: each on the wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from imapkit import q
from imapkit.errors import ArgumentError
from imapkit.ext.rev1 import imapkit_family, keys
from imapkit.plugin import Literal, SearchKey, UIDSet
from imapkit.testing import written

FAMILY = imapkit_family()
DAY = date(2026, 2, 3)
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("bcc", "body", "cc", "from_", "subject", "text", "to"), ("a b",)),
    **dict.fromkeys(("before", "on", "since", "sent_before", "sent_on", "sent_since"), (DAY,)),
    **dict.fromkeys(("larger", "smaller"), (1000,)),
    **dict.fromkeys(("keyword", "unkeyword"), ("$Forwarded",)),
    "header": ("Message-ID", "<1@x>"),
    "not_": (keys.new,),
    "or_": (keys.new, keys.seen, keys.draft),
    "uid": (UIDSet("1:4"),),
}
WRITTEN = {
    "all_": b"ALL",
    "from_": b'FROM "a b"',
    "sent_before": b"SENTBEFORE 3-Feb-2026",
    "sent_on": b"SENTON 3-Feb-2026",
    "sent_since": b"SENTSINCE 3-Feb-2026",
    "header": b'HEADER Message-ID "<1@x>"',
    "not_": b"NOT NEW",
    "or_": b"OR NEW OR SEEN DRAFT",
    "uid": b"UID 1:4",
    **{name: b'%b "a b"' % name.upper().encode() for name in ("bcc", "body", "cc", "subject", "text", "to")},
    **{name: b"%b 3-Feb-2026" % name.upper().encode() for name in ("before", "on", "since")},
    **{name: b"%b 1000" % name.upper().encode() for name in ("larger", "smaller")},
    **{name: b"%b $Forwarded" % name.upper().encode() for name in ("keyword", "unkeyword")},
}


def made(name: str) -> SearchKey:
    key: SearchKey | Callable[..., SearchKey] = getattr(keys, name)
    return key if isinstance(key, SearchKey) else key(*ARGUMENTS[name])


@pytest.mark.parametrize("name", keys.__all__)
def test_every_key(name: str) -> None:
    assert written(FAMILY, "SEARCH", made(name)) == [b"SEARCH " + WRITTEN.get(name, name.upper().encode())]


def test_every_key_of_the_rfc_is_there() -> None:
    """RFC 3501 section 6.4.4."""
    names = """ALL ANSWERED BCC BEFORE BODY CC DELETED DRAFT FLAGGED FROM HEADER KEYWORD LARGER NEW NOT OLD ON OR RECENT SEEN
        SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT TO UID UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNKEYWORD UNSEEN"""
    [*sent] = (written(FAMILY, "SEARCH", made(name))[0] for name in keys.__all__)
    assert {piece.split()[1].decode() for piece in sent if isinstance(piece, bytes)} == set(names.split())


def test_they_are_in_q() -> None:
    assert q.__all__ == keys.__all__
    assert [name for name in q.__all__ if getattr(q, name) is not getattr(keys, name)] == []


@pytest.mark.parametrize(
    ("key", "pieces"),
    [
        (keys.header("X-Nothing"), [b'SEARCH HEADER X-Nothing ""']),
        (keys.header("X Y"), [b'SEARCH HEADER "X Y" ""']),
        (keys.uid([7, 1, 2]), [b"SEARCH UID 1:2,7"]),
        (keys.uid(()), [b"SEARCH NOT ALL"]),
        (keys.body("x" * 2000), [b"SEARCH BODY ", Literal(b"x" * 2000)]),
    ],
)
def test_some_forms(key: SearchKey, pieces: list[Any]) -> None:
    assert written(FAMILY, "SEARCH", key) == pieces


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (keys.keyword, "\\Seen"),
        (keys.keyword, "a b"),
        (keys.keyword, ""),
        (keys.unkeyword, "ä"),
        (keys.larger, -1),
        (keys.larger, True),
        (keys.smaller, 1.5),
        (keys.smaller, "x"),
        (keys.header, "a\r\nb"),
        (keys.text, "a\nb"),
    ],
)
def test_what_cannot_be_sent_is_refused(key: Callable[[Any], SearchKey], value: Any) -> None:
    with pytest.raises(ArgumentError):
        key(value)


@pytest.mark.parametrize("uids", [[0], "1:*", "x"])
def test_what_is_no_uid_is_refused(uids: Any) -> None:
    with pytest.raises(ValueError, match="UID"):
        keys.uid(uids)
