"""Lists of flags in which one is no flag: the others are read, and so is what follows the list, wherever such lists stand."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from imapkit.core.contract.result import parse
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.raw.families import registry
from imapkit.core.wire.data import Parsed
from imapkit.core.wire.response import Untagged, classify
from imapkit.ext.rev1.fetch import fetch_uid

SEEN, FLAGGED = b"\\Seen", b"\\Flagged"
#   No flag, and left out whatever stands beside it.
NO_FLAGS = [
    b'"To Do"',
    b'"\\\\Deleted"',
    b'""',
    b'"a) b"',
    b'"a (b"',
    b'")"',
    b'"a\\" b"',
    b'"abc',
    b'ab"c',
    b"foo(bar",
    b"foo(bar)",
    b"foo)bar",
    b"(",
    b"(a b)",
    b"((a) b)",
    b"a(b(c",
    b"{3}\r\nabc",
    b"{3}\r\n) (",
]


def fetched(flags: bytes) -> tuple[Any, Parsed[Any]]:
    found = said(b"* 3 FETCH (FLAGS %b UID 5 RFC822.SIZE 7)" % flags)
    assert (found[0].uid, found[0].size) == (5, 7)
    return found[0].raw_flags, found


def flags_response(flags: bytes) -> tuple[Any, Parsed[Any]]:
    found = said(b"* FLAGS " + flags)
    return found[0], found


def permanent(flags: bytes) -> tuple[Any, Parsed[Any]]:
    found = said(b"* OK [PERMANENTFLAGS %b] these" % flags)
    assert found[0].text == b"these"
    return found[0].value, found


def listed(flags: bytes) -> tuple[Any, Parsed[Any]]:
    found = said(b'* LIST %b "/" "a b"' % flags)
    assert (found[0].raw_delimiter, found[0].name) == (b"/", b"a b")
    return found[0].raw_attributes, found


def said(line: bytes) -> Parsed[Any]:
    """What a response says; a literal may stand in it once."""
    text, announced, rest = line.partition(b"{3}\r\n")
    parts = [text + b"{3}", rest[:3], rest[3:]] if announced else [text]
    response = classify(parts)
    assert isinstance(response, Untagged)
    return parse([response], registry())


READERS = [fetched, flags_response, permanent, listed]
PLACES = pytest.mark.parametrize("read", READERS)


@PLACES
@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_that_is_none_is_noted_and_the_others_stay(read: Callable[[bytes], tuple[Any, Parsed[Any]]], at: int) -> None:
    for no_flag in NO_FLAGS:
        if read is permanent and b"{" in no_flag:
            continue  # a response code is one line
        words = [SEEN, FLAGGED]
        words.insert(at, no_flag)
        flags, found = read(b"(%b)" % b" ".join(words))
        assert flags == (SEEN, FLAGGED), no_flag
        assert [(defect.what, defect.raw) for defect in found.defects] == [("no flag", no_flag)]


@PLACES
def test_two_that_are_none(read: Callable[[bytes], tuple[Any, Parsed[Any]]]) -> None:
    flags, found = read(b'(\\Seen "To Do" foo(bar \\Flagged)')
    assert flags == (SEEN, FLAGGED)
    assert [defect.raw for defect in found.defects] == [b'"To Do"', b"foo(bar"]


@PLACES
@pytest.mark.parametrize("text", [b"(\\Seen foo) \\Flagged)", b"(\\Seen ) \\Flagged)", b"(\\Seen )x \\Flagged)"])
def test_a_parenthesis_too_many(read: Callable[[bytes], tuple[Any, Parsed[Any]]], text: bytes) -> None:
    flags, found = read(text)
    assert (flags[0], flags[-1]) == (SEEN, FLAGGED)
    assert {defect.what for defect in found.defects} == {"no flag"}


@PLACES
@pytest.mark.parametrize("text", [b"()", b"( )", b"(\\Seen)", b"(\\Seen  $a ]b )", b"(\\*)", b"(a b c)"])
def test_a_list_of_flags_has_no_defect(read: Callable[[bytes], tuple[Any, Parsed[Any]]], text: bytes) -> None:
    flags, found = read(text)
    assert flags == tuple(text[1:-1].split())
    assert not found.defects


def test_parentheses_in_the_rest_of_the_response_do_not_count_in_strings() -> None:
    found = said(b'* 3 FETCH (FLAGS (\\Seen foo(bar) UID 5 ENVELOPE (NIL "a :)" NIL NIL NIL NIL NIL NIL NIL "(("))')
    assert (found[0].raw_flags, found[0].uid, found[0].envelope.subject) == ((SEEN,), 5, "a :)")


def test_items_without_a_space_between_them() -> None:
    found = said(b"* 3 FETCH (FLAGS (\\Seen)UID 5)")
    assert (found[0].raw_flags, found[0].uid, found.defects) == ((SEEN,), 5, ())


@pytest.mark.parametrize("no_flag", NO_FLAGS)
def test_the_uid_behind_it_says_whose_answer_it_is(no_flag: bytes) -> None:
    text, announced, rest = (b"(FLAGS (\\Seen %b) UID 447)" % no_flag).partition(b"{3}\r\n")
    parts = [b"* 2 FETCH " + text + b"{3}", rest[:3], rest[3:]] if announced else [b"* 2 FETCH " + text]
    assert fetch_uid(classify(parts)) == 447  # type: ignore[arg-type]


def test_a_list_without_an_end_is_none() -> None:
    found = said(b"* FLAGS (\\Seen foo(bar")
    assert not found
    assert "flag-list" in found.defects[-1].what


def test_the_cursor_ends_behind_any_list(rng: random.Random) -> None:
    for _ in range(6000):
        flags = [rng.choice([b"\\Seen", b"$a", b"x]y", b"\\X"]) for _ in range(rng.randrange(6))]
        no_flag = rng.choice(NO_FLAGS[:-2])
        words = list(flags)
        words.insert(rng.randrange(len(flags) + 1), no_flag)
        cursor = Cursor((b"(FLAGS (%b) UID 9)" % b" ".join(words),))
        cursor.expect(b"(")
        cursor.expect(b"FLAGS ")
        assert cursor.flag_list() == tuple(flags)
        assert cursor.rest() == b" UID 9)"
