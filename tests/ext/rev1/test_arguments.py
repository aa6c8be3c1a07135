"""The base family's arguments on the wire, and attribution."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.errors import ArgumentError
from imapkit.ext.rev1 import imapkit_family
from imapkit.plugin import Family, Literal, Piece, Run, Untagged, astring, number
from imapkit.testing import load_only, written

FAMILY = imapkit_family()
COMMANDS = {command.name: command for command in FAMILY.commands}


# Search programs.


@pytest.mark.parametrize(
    ("criteria", "wire"),
    [
        (("UNSEEN SINCE 1-Jan-2026",), b"UNSEEN SINCE 1-Jan-2026"),
        (("SUBJECT", "hello world"), b'SUBJECT "hello world"'),
        (("subject", "hello world"), b'subject "hello world"'),
        (("SUBJECT", '"hello world"'), b'SUBJECT "hello world"'),
        (('SUBJECT "hello world"', "UNSEEN"), b'SUBJECT "hello world" UNSEEN'),
        (("OR", "FROM", "a b", "NOT", "TO", "x"), b'OR FROM "a b" NOT TO x'),
        (("HEADER Subject", "a b", "UNSEEN"), b'HEADER Subject "a b" UNSEEN'),
        (("HEADER", "Subject", "a b"), b'HEADER Subject "a b"'),
        (("HEADER", "Message-ID", ""), b'HEADER Message-ID ""'),
        (('(OR FROM "a" TO "b")', "SUBJECT", "(c)"), b'(OR FROM "a" TO "b") SUBJECT "(c)"'),
        (("SUBJECT", "UNSEEN"), b"SUBJECT UNSEEN"),
        (("SUBJECT", 'x" OR ALL "'), b'SUBJECT "x\\" OR ALL \\""'),
        (("X-GM-RAW", "has:x in:y", "UNSEEN"), b'X-GM-RAW "has:x in:y" UNSEEN'),
        (("X-GM-RAW", "(a b)"), b"X-GM-RAW (a b)"),
        (("1:5", "UNSEEN"), b"1:5 UNSEEN"),
        (("LARGER", 5000), b"LARGER 5000"),
        ((7,), b"7"),
        ((b"SUBJECT", b'"a b"', "UNSEEN"), b'SUBJECT "a b" UNSEEN'),
    ],
)
def test_search_programs_and_operands(criteria: tuple[Any, ...], wire: bytes) -> None:
    assert b"".join(p for p in written(FAMILY, "SEARCH", *criteria) if isinstance(p, bytes)) == b"SEARCH " + wire


@pytest.mark.parametrize(("charset", "encoded"), [("UTF-8", b"\xc3\xa4"), ("iso-8859-1", b"\xe4")])
@pytest.mark.parametrize("criteria", [("SUBJECT", "ä"), ("SUBJECT", '"ä"'), ('SUBJECT "ä"',)])
def test_8_bit_text_becomes_a_literal_in_the_charset(charset: str, encoded: bytes, criteria: tuple[str, ...]) -> None:
    pieces = [piece for piece in written(FAMILY, "SEARCH", *(("CHARSET", charset) if charset else ()), *criteria) if piece]
    assert pieces == [f"SEARCH CHARSET {charset} SUBJECT ".encode(), Literal(encoded)]


@pytest.mark.parametrize(
    ("charset", "criteria"),
    [
        ("", ()),
        ("", ("",)),
        ("", ("UNSEEN\r\nX1 DELETE INBOX",)),
        ("", ("SUBJECT", "a\r\nX1 DELETE INBOX")),
        ("", ("SUBJECT", "a\0")),
        ("", ("SUBJECT {5}",)),
        ("UTF-8", ("SUBJECT ä",)),
        ("us-ascii", ("SUBJECT", "ä")),
        ("no-such-charset", ("SUBJECT", "ä")),
        ("utf 8", ("UNSEEN",)),
    ],
)
def test_search_refuses(charset: str, criteria: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentError, match="SEARCH"):
        written(FAMILY, "SEARCH", *(("CHARSET", charset) if charset else ()), *criteria)


# FETCH responses by number, and by UID


@pytest.mark.parametrize(
    ("numbers", "number", "verdict"),
    [("1:4,7", 4, True), ("1:4,7", 5, False), ([2, 9], 9, True), (3, 3, True), ("5:*", 9, True), ("5:*", 4, None)],
)
@pytest.mark.parametrize("name", ["FETCH", "STORE", "PARTIAL"])
def test_fetch_by_number(name: str, numbers: Any, number: int, verdict: bool | None) -> None:
    command = COMMANDS[name]
    assert command.subject is not None
    assert command.matches is not None
    subject = command.subject((numbers,), False)
    assert command.matches(subject, Untagged("FETCH", number, (b"(UID 77 FLAGS ())",))) is verdict


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        ((b"(UID 7)",), True),
        ((b"(FLAGS () UID 7)",), True),
        ((b"(UID 1)",), False),
        ((b"(FLAGS (UID))",), False),
        ((b"(FLAGS ())",), False),
        ((b"(MODSEQ (12) FLAGS (a))",), False),
        ((b"()",), False),
        ((b"",), False),
        ((b"(BODY[] {4}", b"mail", b")"), str),
        ((b"(FLAGS () BODY[] {4}", b"mail", b")"), str),
        ((b"(UID 0 FLAGS ())",), str),
        ((b"(RFC822.SIZE 5 UID 0)",), str),
        ((b"(UID NIL)",), str),
        ((b"(ENVELOPE (NIL UID 7)",), str),
        ((b'(FLAGS (a "b) UID 7)',), True),
        ((b"(X-GM-LABELS (a))",), str),
    ],
)
@pytest.mark.parametrize("name", ["FETCH", "STORE"])
def test_fetch_by_uid(name: str, data: tuple[bytes, ...], verdict: bool | type[str]) -> None:
    command = COMMANDS[name]
    assert command.subject is not None
    assert command.matches is not None
    found = command.matches(command.subject(("5:9",), True), Untagged("FETCH", 1, data))
    assert (str if isinstance(found, str) else found) is verdict


# STATUS responses by mailbox


@pytest.mark.parametrize(
    ("asked", "parts", "verdict"),
    [
        ("INBOX", (b"inbox (MESSAGES 1)",), True),
        ("inbox", (b'"INBOX" (MESSAGES 1)',), True),
        ("Sent Items", (b'"Sent Items" (MESSAGES 1)',), True),
        ('"Sent Items"', (b'"Sent Items" (MESSAGES 1)',), True),
        ("Sent Items", (b"{10}", b"Sent Items", b" (MESSAGES 1)"), True),
        ("Entwürfe", (b'"Entw&APw-rfe" (MESSAGES 1)',), True),
        ("Entw&APw-rfe", (b"Entw&APw-rfe (MESSAGES 1)",), True),
        (b"a", (b'"a" (MESSAGES 1)',), True),
        ("a (b", (b'"a (b" (MESSAGES 1)',), True),
        ("a", (b"A (MESSAGES 1)",), None),
        ("a", (b"ab (MESSAGES 1)",), str),
        ("INBOX", (b"user.me (MESSAGES 1)",), None),
        ("INBOX\\Sub", (b'"INBOX\\Sub" (MESSAGES 3)',), True),
        ("a\\b", (b'"a\\\\b" (MESSAGES 3)',), True),
        ("a/b", (b'"a\\b" (MESSAGES 3)',), None),
        ("foo", (b"foo (MESSAGES 3 MAILBOXID (F1))",), True),
        ("foo", (b"foo (X {3}", b"(a)", b" MESSAGES 3)"), True),
        ("Entw\u00fcrfe", ('"Entwu\u0308rfe" (MESSAGES 3)'.encode(),), None),
        ("Entwu\u0308rfe", (b'"Entw&APw-rfe" (MESSAGES 3)',), None),
        ("Sub", (b"INBOX.Sub (MESSAGES 3)",), None),
        ("INBOX.Sub", (b"Sub (MESSAGES 3)",), None),
        ("foo", (b"foo/ (MESSAGES 3)",), None),
        ("foo", (b'"foo (MESSAGES 3)',), str),
        ("foo", (b"(MESSAGES 3)",), str),
    ],
)
def test_status_by_mailbox(asked: str | bytes, parts: tuple[bytes, ...], verdict: bool | type[str] | None) -> None:
    command = COMMANDS["STATUS"]
    assert command.subject is not None
    assert command.matches is not None
    found = command.matches(command.subject((asked, "(MESSAGES)"), False), Untagged("STATUS", None, parts))
    assert (str if isinstance(found, str) else found) is verdict, "a text is the reason for a defect"


# Words of other families


def added(name: str, *args: Any) -> list[Piece]:
    """The command as a client with such a family writes it."""
    more = Family(
        "more",
        operands={
            ("SEARCH", "X-RAW"): (astring,),
            ("SEARCH", "X-BETWEEN"): (number, number),
            ("STORE", "X-TAGS"): (astring,),
        },
    )
    return written(load_only("rev1", "sort_thread", more), name, *args)


@pytest.mark.parametrize(
    ("criteria", "wire"),
    [
        # "TO" is an operand here, although it is a key of RFC 3501.
        (("X-RAW", "to me", "UNSEEN"), b'X-RAW "to me" UNSEEN'),
        (("x-raw", "(a b)", "TO", "me too"), b'x-raw "(a b)" TO "me too"'),
        (("NOT X-RAW", "all", "X-BETWEEN", 1, "2", "ALL"), b"NOT X-RAW all X-BETWEEN 1 2 ALL"),
        (('X-RAW "a b" X-BETWEEN 1', 2, "SUBJECT", "c d"), b'X-RAW "a b" X-BETWEEN 1 2 SUBJECT "c d"'),
    ],
)
@pytest.mark.together
def test_search_keys_of_other_families(criteria: tuple[Any, ...], wire: bytes) -> None:
    assert added("SEARCH", *criteria) == [b"SEARCH " + wire]
    assert added("SORT", "DATE", None, *criteria) == [b"SORT (DATE) US-ASCII " + wire]


@pytest.mark.together
def test_operands_of_other_families_have_the_charset_and_their_kind() -> None:
    assert added("SEARCH", "CHARSET", "iso-8859-1", "X-RAW", "to ä") == [b"SEARCH CHARSET iso-8859-1 X-RAW ", Literal(b"to \xe4")]
    with pytest.raises(ArgumentError, match="not a number"):
        added("SEARCH", "X-BETWEEN", 1, "TO")


@pytest.mark.parametrize("item", ["X-TAGS", "+X-TAGS", "-x-tags.silent"])
@pytest.mark.together
def test_store_items_of_other_families(item: str) -> None:
    assert added("STORE", "1:3", item, "a (b)") == [b"STORE 1:3 %b " % item.encode() + b'"a (b)"']
    assert added("STORE", "1:3", "(UNCHANGEDSINCE 7)", item, "a") == [b"STORE 1:3 (UNCHANGEDSINCE 7) %b a" % item.encode()]
    assert added("STORE", "1", "+FLAGS", r"\Seen") == [rb"STORE 1 +FLAGS (\Seen)"]


# Runs of FETCH responses


@pytest.mark.parametrize("name", ["FETCH", "STORE", "PARTIAL"])
@pytest.mark.parametrize("uid", [False, True])
@pytest.mark.parametrize(
    ("numbers", "last", "texts", "verdict"),
    [
        ("1:9", 9, (b"(UID %d)",), True),
        ("1:9", 9, (b"(FLAGS (\\Seen) UID %d X)", b"(UID %d FLAGS ())"), True),
        ("1:9", 10, (b"(UID %d)",), False),
        ("1,2,3,5:9", 9, (b"(UID %d)",), False),
        ("3:*", 9, (b"(UID %d)",), True),
    ],
)
def test_fetch_all_at_once(name: str, uid: bool, numbers: str, last: int, texts: tuple[bytes, ...], verdict: bool) -> None:
    command = COMMANDS[name]
    assert command.subject is not None
    assert command.matches is not None
    assert command.matches_all is not None
    subject = command.subject((numbers,), uid)
    run = Run("FETCH", [(b"%d" % i, texts[i % len(texts)] % i) for i in range(1, last + 1)])
    assert command.matches_all(subject, run) is verdict
    matches = command.matches
    assert verdict is all(matches(subject, response) is not False for response in run.responses())


@pytest.mark.parametrize("text", [b"(FLAGS ())", b'(X "UID 5")', b'(X "(" UID 5)', b"UID 5", b""])
def test_a_run_without_early_uids_is_checked_one_by_one(text: bytes) -> None:
    command = COMMANDS["FETCH"]
    assert command.subject is not None
    assert command.matches_all is not None
    run = Run("FETCH", [(b"1", b"(UID 5)"), (b"2", text)])
    assert not command.matches_all(command.subject(("1:9",), True), run)
