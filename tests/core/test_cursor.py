"""The grammar reader, rule by rule."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from imapkit.core.grammar.cursor import Atom, Cursor
from imapkit.core.wire.data import Defect
from imapkit.errors import ParseError

Read = Callable[[Cursor], Any]


def read(rule: Read, *parts: bytes) -> tuple[Any, bytes]:
    """What ``rule`` reads, and what it leaves."""
    cursor = Cursor(parts)
    value = rule(cursor)
    assert cursor.defects == []
    return value, cursor.rest()


@pytest.mark.parametrize(
    ("rule", "text", "value", "rest"),
    [
        (Cursor.atom, b"INBOX x", b"INBOX", b" x"),
        (Cursor.atom, b"a]b", b"a", b"]b"),
        (Cursor.atom, b"a[b(", b"a[b", b"("),
        (Cursor.atom, b"caf\xc3\xa9)", b"caf\xc3\xa9", b")"),
        (Cursor.keyword, b"uidNext 5", "UIDNEXT", b" 5"),
        (Cursor.number, b"0", 0, b""),
        (Cursor.number, b"4294967295)", 4294967295, b")"),
        (Cursor.number, b"007 8", 7, b" 8"),
        (Cursor.number64, b"9223372036854775807", 9223372036854775807, b""),
        (Cursor.nz_number, b"1:2", 1, b":2"),
        (Cursor.numbers, b"1  20 300 x", (1, 20, 300), b"x"),
        (Cursor.numbers, b"", (), b""),
        (Cursor.numbers, b"1 " + b"2" * 21, (1,), b"2" * 21),
        (Cursor.quoted, b'"" x', b"", b" x"),
        (Cursor.quoted, rb'"a \"b\" \\c {3}")', rb'a "b" \c {3}', b")"),
        (Cursor.quoted, rb'"C:\temp\""', rb'C:\temp"', b""),
        (Cursor.string, b'"a")', b"a", b")"),
        (Cursor.nstring, b"nil)", None, b")"),
        (Cursor.nstring, b'"NIL"', b"NIL", b""),
        (Cursor.astring, b"a]b[c(", b"a]b[c", b"("),
        (Cursor.astring, b"NIL", b"NIL", b""),
        (Cursor.astring, b'"a b"', b"a b", b""),
        (Cursor.flag, b"\\Seen)", b"\\Seen", b")"),
        (Cursor.flag, b"\\* ", b"\\*", b" "),
        (Cursor.flag, b"$Junk]", b"$Junk]", b""),
        (Cursor.flag_list, b"() x", (), b" x"),
        (Cursor.flag_list, b"( \\Seen  \\* a[b]c )", (b"\\Seen", b"\\*", b"a[b]c"), b""),
        (Cursor.mailbox, b"INBOX", b"INBOX", b""),
        (Cursor.mailbox, b'"a b"  (X)', b"a b", b"  (X)"),
        (Cursor.mailbox, b"a]  ", b"a]", b"  "),
        (Cursor.value, b"NIL x", None, b" x"),
        (Cursor.value, b'"NIL"', b"NIL", b""),
        (Cursor.value, b"42)", 42, b")"),
        (Cursor.value, b"1" * 21, b"1" * 21, b""),
        (Cursor.value, b"\\Seen", b"\\Seen", b""),
        (Cursor.value, b"() x", [], b" x"),
        (Cursor.value, b'(a("b\\"" NIL)(1 ( ) ) "c" "d" )x', [b"a", [b'b"', None], [1, []], b"c", b"d"], b"x"),
    ],
)
def test_a_rule_reads_just_its_own(rule: Read, text: bytes, value: Any, rest: bytes) -> None:
    assert read(rule, text) == (value, rest)


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        (Cursor.atom, b"", "atom"),
        (Cursor.atom, b'"a"', "atom"),
        (Cursor.atom, b"]", "atom"),
        (Cursor.number, b"-1", "number"),
        (Cursor.number, b"1x", "number"),
        (Cursor.number, b"1.5", "number"),
        (Cursor.number, b"9" * 21, "number"),
        (Cursor.quoted, b'"a', "quoted string"),
        (Cursor.quoted, b'"a\\"', "quoted string"),
        (Cursor.string, b"a", "string"),
        (Cursor.string, b"NIL", "string"),
        (Cursor.nstring, b"NILE", "string"),
        (Cursor.astring, b"(", "astring"),
        (Cursor.astring, b"", "astring"),
        (Cursor.literal, b"{3}", "literal"),
        (Cursor.flag, b'"a"', "flag"),
        (Cursor.flag, b"\\", "flag"),
        (Cursor.flag_list, b"NIL", "flag-list"),
        (Cursor.flag_list, b"(a", "flag-list"),
        (Cursor.mailbox, b"", "mailbox"),
        (Cursor.value, b"", "value"),
        (Cursor.value, b")", "value"),
        (Cursor.value, b"(a", "value"),
        (Cursor.value, b'(a "b', "value"),
        (Cursor.value, b"(a\tb)", "value"),
        (Cursor.skip_value, b"(a", ")"),
        (Cursor.skip_value, b'("a', ")"),
        (Cursor.skip_value, b'"a', "quoted string"),
        (Cursor.skip_value, b")", "value"),
        (Cursor.sp, b"x", "SP"),
    ],
)
def test_input_against_a_rule_is_refused(rule: Read, text: bytes, expected: str) -> None:
    with pytest.raises(ParseError) as caught:
        rule(Cursor((text,)))
    assert caught.value.expected == expected


def test_an_error_says_where() -> None:
    cursor = Cursor((b"(UID 5 FLAGS x)",))
    cursor.expect(b"(")
    cursor.keyword()
    cursor.sp()
    cursor.number()
    cursor.sp()
    cursor.keyword()
    cursor.sp()
    with pytest.raises(ParseError, match=r"expected flag-list at byte 13, near b'\(UID 5 FLAGS x\)'") as caught:
        cursor.flag_list()
    assert (caught.value.data, caught.value.position) == (b"(UID 5 FLAGS x)", 13)


def test_an_error_behind_a_literal_says_where_in_its_line() -> None:
    cursor = Cursor((b"{1}", b"a", b" b"))
    cursor.literal()
    with pytest.raises(ParseError) as caught:
        cursor.number()
    assert (caught.value.data, caught.value.position) == (b" b", 0)


# Literals


@pytest.mark.parametrize("announcement", [b"{3}", b"{003}", b"{3+}", b"~{3}"])
@pytest.mark.parametrize("rule", [Cursor.literal, Cursor.string, Cursor.nstring, Cursor.astring, Cursor.value])
def test_a_literal_is_read_with_its_announcement(rule: Read, announcement: bytes) -> None:
    assert read(rule, announcement, b"a)\n", b" x") == (b"a)\n", b" x")


def test_literals_inside_a_list() -> None:
    parts = (b"(a {1}", b")", b' "b" (~{0}', b"", b"{1}", b'"', b") c) x")
    assert read(Cursor.value, *parts) == ([b"a", b")", b"b", [b"", b'"'], b"c"], b" x")
    assert read(Cursor.skip_value, *parts) == (None, b" x")


def test_a_word_that_looks_like_an_announcement_is_a_word() -> None:
    assert read(Cursor.value, b"{3} x") == (b"{3}", b" x")


def test_peek() -> None:
    cursor = Cursor((b"a{1}", b"b", b")"))
    assert cursor.peek() == b"a"
    assert cursor.atom() == b"a"
    assert cursor.peek() == b"{"
    assert not cursor.at_end()
    assert cursor.literal() == b"b"
    assert cursor.peek() == b")"
    assert cursor.try_(b")")
    assert cursor.peek() == b""
    assert cursor.at_end()


# Marks


PARTS = (b"(a {1}", b"b", b" c {2}", b"de", b") f")


def test_since_gives_the_wire_back() -> None:
    cursor = Cursor(PARTS)
    start = cursor.mark()
    assert cursor.since(start) == b""
    cursor.skip_value()
    assert cursor.since(start) == b"(a {1}\r\nb c {2}\r\nde)"
    assert cursor.rest() == b" f"
    assert cursor.since(start) == b"(a {1}\r\nb c {2}\r\nde) f"


def test_reset_reads_again() -> None:
    cursor = Cursor(PARTS)
    start = cursor.mark()
    first = cursor.value()
    cursor.reset(start)
    assert cursor.value() == first == [b"a", b"b", b"c", b"de"]


def test_rest_takes_literals_as_they_came() -> None:
    cursor = Cursor(PARTS)
    cursor.expect(b"(")
    assert cursor.rest() == b"a {1}\r\nb c {2}\r\nde) f"
    assert cursor.at_end()
    assert cursor.rest() == b""


def test_no_parts_are_an_empty_response() -> None:
    assert Cursor(()).at_end()


# Punctuation


def test_spaces() -> None:
    cursor = Cursor((b"  a   b  ",))
    assert cursor.atom() == b"a"
    cursor.sp()
    assert cursor.atom() == b"b"
    assert cursor.at_end()
    cursor.spaces()
    cursor.spaces()
    with pytest.raises(ParseError):
        cursor.sp()


def test_try_is_blind_to_case_and_stays_where_nothing_matches() -> None:
    cursor = Cursor((b"NiL  )",))
    assert not cursor.try_(b"NILL  )  ")
    assert not cursor.try_(b"(")
    assert cursor.try_(b"nil")
    assert not cursor.try_(b"(")
    assert cursor.try_(b")")
    assert not cursor.try_(b")")


def test_try_does_not_read_an_announcement() -> None:
    assert not Cursor((b"{1}", b"a", b"")).try_(b"{")


def test_expect() -> None:
    cursor = Cursor((b"(x",))
    cursor.expect(b"(")
    with pytest.raises(ParseError) as caught:
        cursor.expect(b")")
    assert caught.value.expected == ")"


def test_match_stops_before_a_literal() -> None:
    cursor = Cursor((b"abc{1}", b"d", b"e"))
    match = cursor.match(re.compile(rb"[a-z{]+"))
    assert match is not None
    assert match.group() == b"abc"
    assert cursor.match(re.compile(rb"x")) is None
    assert cursor.literal() == b"d"


# Defects


@pytest.mark.parametrize(
    ("rule", "text", "value", "raw"),
    [
        (Cursor.number, b"4294967296", 4294967296, b"4294967296"),
        (Cursor.number64, b"9223372036854775808", 9223372036854775808, b"9223372036854775808"),
        (Cursor.nz_number, b"0", 0, b"0"),
        (Cursor.quoted, b'"a\rb"', b"a\rb", b"a\rb"),
        (Cursor.quoted, b'"a\nb"', b"a\nb", b"a\nb"),
        (Cursor.quoted, b'"a\0b"', b"a\0b", b"a\0b"),
        (Cursor.value, b'("\n")', [b"\n"], b"\n"),
        (Cursor.flag_list, b"(\\ a)", (b"a",), b"\\"),
        (Cursor.flag_list, b"(a%b)", (b"a%b",), b"a%b"),
        (Cursor.mailbox, b"a\tb", b"a\tb", b"a\tb"),
        (Cursor.mailbox, b"a b  c", b"a b  c", b"a b  c"),
        (Cursor.mailbox, b'"a"b\\""', b'a"b"', b'"a"b\\""'),
        (Cursor.mailbox, b'"a', b'"a', b'"a'),
        (Cursor.mailbox, b"100% (sure)", b"100%", b"100%"),
        (Cursor.mailbox, b"*", b"*", b"*"),
        (Cursor.mailbox, b"(a)", b"(a)", b"(a)"),
        (Cursor.mailbox, b'"', b'"', b'"'),
    ],
)
def test_a_deviation_is_noted_and_the_value_kept(rule: Read, text: bytes, value: Any, raw: bytes) -> None:
    cursor = Cursor((text,))
    assert rule(cursor) == value
    assert [defect.raw for defect in cursor.defects] == [raw]


def test_a_defect_is_a_value() -> None:
    defect = Defect("what", b"raw")
    assert defect == Defect("what", b"raw")
    assert hash(defect) == hash(Defect("what", b"raw"))
    with pytest.raises(AttributeError):
        defect.raw = b""  # type: ignore[misc]


# Atoms and nesting


def test_an_atom_is_distinct_from_a_string() -> None:
    value = Cursor((b'(a "a" NIL "NIL" 5 "5")',)).value()
    assert value == [b"a", b"a", None, b"NIL", 5, b"5"]
    assert isinstance(value, list)
    assert [isinstance(member, Atom) for member in value] == [True, False, False, False, False, False]


@pytest.mark.parametrize("rule", [Cursor.value, Cursor.skip_value])
def test_nesting_is_bounded_and_never_recursive(rule: Read) -> None:
    assert sys.getrecursionlimit() < 50_000
    deep = b"(" * 50_000 + b")" * 50_000
    rule(Cursor((deep,), nesting=50_000))
    with pytest.raises(ParseError, match="at most 49999 open parentheses"):
        rule(Cursor((deep,), nesting=49_999))
    with pytest.raises(ParseError, match="at most 1000 open parentheses"):
        rule(Cursor((deep,)))


def test_a_body_structure_200_deep() -> None:
    text = b"(" * 200 + b'"text" "plain" NIL NIL NIL "7BIT" 1 1' + b') "mixed"' * 199 + b")"
    value, depth = Cursor((text,)).value(), 0
    while isinstance(value, list):
        value, depth = value[0], depth + 1
    assert (value, depth) == (b"text", 200)


def test_items_and_the_leading_number_are_at_hand() -> None:
    cursor = Cursor((b"x",), 7, {("FETCH", "X"): Cursor.atom})
    assert cursor.leading == 7
    assert cursor.items["FETCH", "X"](cursor) == b"x"
