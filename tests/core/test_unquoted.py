"""Mailbox names that lack the quotes they need: the next element shows where they end."""

from __future__ import annotations

import random

import pytest

from imapkit.core.grammar.about import is_about_mailbox
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.grammar.unquoted import before_list, is_astring, mailbox_before
from imapkit.core.wire.response import Untagged
from imapkit.errors import ParseError
from imapkit.testing import within


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"foo (MESSAGES 1)", b"foo"),
        (b"a b (MESSAGES 1)", b"a b"),
        (b"a b  (MESSAGES 1) ", b"a b"),
        (b"a (b) c (MESSAGES 1 X (F1))", b"a (b) c"),
        (b'a b (X "(" Y ("))" z))', b"a b"),
        (b"Box(S (MESSAGES 1)", b"Box(S"),
        (b"Box)S (MESSAGES 1)", b"Box)S"),
        (b'say "hi (MESSAGES 1)', b'say "hi'),
        (b"a b", b"a b"),
        (b"Box(S)", b"Box(S)"),
        (b"a b (MESSAGES 1", b"a b (MESSAGES 1"),
        (b"foo (MESSAGES 3 X a(b)", b"foo"),
        (b"", b""),
    ],
)
def test_a_name_ends_before_the_last_list(text: bytes, name: bytes) -> None:
    assert text[: before_list(text)] == name


@pytest.mark.parametrize(
    ("parts", "name", "rest", "is_noted"),
    [
        ((b"foo (MESSAGES 3 X (F1))",), b"foo", b" (MESSAGES 3 X (F1))", False),
        ((b'"a b" (X "))")',), b"a b", b' (X "))")', False),
        ((b"foo (X {2}", b")(", b")"), b"foo", b" (X {2}\r\n)()", False),
        ((b"{3}", b"a b", b" (X 1)"), b"a b", b" (X 1)", False),
        ((b"foo (X 1) y",), b"foo", b" (X 1) y", False),
        ((b"foo (X 1",), b"foo", b" (X 1", False),
        ((b"foo (X 1 Y (b)",), b"foo", b" (X 1 Y (b)", False),
        ((b"Box (S) (X 1)",), b"Box (S)", b" (X 1)", True),
        ((b"a b (X {2}", b")(", b")"), b"a b", b" (X {2}\r\n)()", True),
        ((b'a "b" c',), b'a "b" c', b"", True),
        ((b'"a "b" c" (X 1)',), b'a "b" c', b" (X 1)", True),
    ],
)
def test_a_mailbox_before_a_list(parts: tuple[bytes, ...], name: bytes, rest: bytes, is_noted: bool) -> None:
    cursor = Cursor(parts)
    assert cursor.mailbox() == name
    assert bool(cursor.defects) == is_noted
    assert cursor.rest() == rest


def all_but_last(words: list[bytes]) -> int:
    return max(1, len(words) - 1)


@pytest.mark.parametrize(
    ("parts", "name", "rest", "is_noted"),
    [
        ((b"foo x",), b"foo", b" x", False),
        ((b'"a b" x',), b"a b", b" x", False),
        ((b'"a b" x y',), b"a b", b" x y", False),
        ((b"{3}", b"a b", b" x y"), b"a b", b" x y", False),
        ((b"a b x",), b"a b", b" x", True),
        ((b"a(b) x",), b"a(b)", b" x", True),
        ((b'a  "b" c  x',), b'a  "b" c', b"  x", True),
        ((b'"a "b" c" x',), b'a "b" c', b" x", True),
        ((b"a b {1}", b"x", b""), b"a b", b" {1}\r\nx", True),
    ],
)
def test_a_mailbox_before_words(parts: tuple[bytes, ...], name: bytes, rest: bytes, is_noted: bool) -> None:
    cursor = Cursor(parts)
    assert mailbox_before(cursor, all_but_last) == name
    assert bool(cursor.defects) == is_noted
    assert cursor.rest() == rest


@pytest.mark.parametrize("parts", [(b"",), (b'"a',), (b'"a b x',), (b"a b {1}", b"x", b" y")])
def test_no_mailbox(parts: tuple[bytes, ...]) -> None:
    cursor = Cursor(parts)
    start = cursor.mark()
    with pytest.raises(ParseError):
        mailbox_before(cursor, all_but_last)
    assert cursor.mark() == start
    assert not cursor.defects


def test_a_word_that_is_an_astring() -> None:
    assert all(map(is_astring, [b"a", b'"a b"', b'""', b"a]b"]))
    assert not any(map(is_astring, [b"", b"a(b", b'"a', b'a"b', b"\\x"]))


def test_whose_name_a_response_begins_with_is_read_as_its_grammar_reads_it() -> None:
    def name(cursor: Cursor) -> bytes:
        return mailbox_before(cursor, all_but_last)

    response = Untagged("X", None, (b"My Folder lrs",))
    assert is_about_mailbox("My Folder", response, name) is True
    assert is_about_mailbox("My", response, name) is False
    assert is_about_mailbox("My", response) is True


@pytest.mark.parametrize("seed", range(20))
def test_a_name_of_any_words_is_found_again(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(200):
        name = b" ".join(chance.choice([b"My", b"Box(S)", b"a%b", b"(x)", b"c*", b"y"]) for _ in range(chance.randrange(1, 5)))
        cursor = Cursor((b"%b (MESSAGES 1 X (a))" % name,))
        assert cursor.mailbox() == name
        assert cursor.rest() == b" (MESSAGES 1 X (a))"


@pytest.mark.heavy
@pytest.mark.parametrize("part", [b"(", b")", b" (", b"(x) ", b'"', b'"\\', b'" "', b"a ", b'"a(', b"\\"])
def test_hostile_names_are_read_in_linear_time(part: bytes) -> None:
    with within(10.0):
        for text in (part * 100_000, part * 100_000 + b")", b"x (" + part * 100_000):
            before_list(text)
            for read in (Cursor.mailbox, lambda cursor: mailbox_before(cursor, all_but_last), Cursor.flag_list):
                try:
                    read(Cursor((text,)))
                except ParseError:
                    pass
