"""What a quoted string is, however broken, and which lines belong to a response."""

from __future__ import annotations

import re
import tracemalloc
from random import Random

import pytest

from imapkit.core.grammar.cursor import Cursor
from imapkit.core.support.limits import Limits
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.quoting import FIELD_STRING, STRING, is_open_after, is_surely_closed
from imapkit.core.wire.response import run_matcher
from imapkit.errors import LimitExceeded

TAGGED = b"A1 OK done"


def frame(data: bytes, *, single: bool = False, limits: Limits | None = None) -> tuple[list[list[bytes]], list[str]]:
    """The responses, and the defects noted; A1 is in flight."""
    framer, found = Framer(limits, is_tagged=lambda line: line.lstrip().startswith(b"A1 ")), []
    for chunk in [data[at : at + 1] for at in range(len(data))] if single else [data]:
        framer.push(chunk)
        while (parts := framer.pop()) is not None:
            found.append(parts)
    return found, [what for what, _ in framer.defects]


def framed(data: bytes) -> tuple[list[list[bytes]], list[str]]:
    """The same, whole and byte by byte."""
    whole = frame(data)
    assert frame(data, single=True) == whole
    return whole


# strings


@pytest.mark.parametrize(
    ("line", "is_open"),
    [
        (b'"a"', False),
        (b'"a', True),
        (b'("a" "b")', False),
        (b'("a" "b)', True),
        (b'"<2018"0130@x.test>")', False),
        (b'"say "hi" now"', False),
        (b'"say "hi" now', False),
        (b'"3D"utf-8"")', False),
        (b'a"b "c', True),
        (b'a"b c"', False),
        (b'(x)"mixed")', False),
        (b'(x)"mixed', True),
        (b'(x)" b', False),
        (b'"C:\\"', True),
        (b'"C:\\\\"', False),
        (b'"a\\" b', True),
        (b'"', True),
        (b'""', False),
        (b'" "', False),
        (b'["a"]', False),
        (b'["a]', True),
        (b"", False),
    ],
)
def test_whether_a_string_is_open_at_the_end_of_a_line(line: bytes, is_open: bool) -> None:
    assert is_open_after(line, False) is is_open


@pytest.mark.parametrize(
    ("line", "is_open"), [(b"a", True), (b'a"', False), (b'a" "b', True), (b'a"b', True), (b'"', False), (b"", True)]
)
def test_whether_a_string_that_was_open_still_is(line: bytes, is_open: bool) -> None:
    assert is_open_after(line, True) is is_open


def test_the_last_quote_never_gives_a_wrong_result() -> None:
    chance, matcher = Random(3501), run_matcher("X", True)
    surely = 0
    for _ in range(20_000):
        line = bytes(chance.choices(b'"" ()[]\\ab', k=chance.randint(0, 9)))
        if is_surely_closed(line):
            surely += 1
            assert not is_open_after(line, False), line
            assert is_open_after(line, True) == (b'"' not in line), line
        if line:
            matched = matcher(b"* 1 X " + line)
            assert not matched or not is_open_after(b"* 1 X " + line, False), line
            assert bool(matched) == is_surely_closed(b"* 1 X " + line), line
    assert surely > 5000


def test_a_well_formed_string_is_one_by_either_rule() -> None:
    chance = Random(9051)
    for _ in range(5000):
        strings = [bytes(chance.choices(b'"\\ ()[]a', k=chance.randint(0, 6))) for _ in range(3)]
        written = [b'"%b"' % re.sub(rb'(["\\])', rb"\\\1", string) for string in strings]
        text = b"(%b %b (%b))" % tuple(written)
        for rule in (STRING, FIELD_STRING):
            found = re.compile(rule, re.DOTALL).match(text, 1)
            assert found is not None
            assert found.group() == written[0]
        for read in (Cursor.value, Cursor.fields):
            cursor = Cursor((text,))
            assert read(cursor) == [strings[0], strings[1], [strings[2]]]
            assert not cursor.defects


# lines that go on


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\r\n", b"\r\n "])
def test_a_string_goes_on_over_a_line_end(end: bytes) -> None:
    line = b'* LIST () "/" "a%b* 1 EXPUNGE%bA2 OK%b+ go%b{5}x"' % ((end,) * 4)
    assert framed(line + b"\r\n* 2 EXISTS\r\n") == ([[line], [b"* 2 EXISTS"]], [])


def test_a_string_without_an_end_ends_before_the_tag_in_flight() -> None:
    responses, defects = framed(b'* LIST () "/" "a\r\n* 1 EXPUNGE\r\n' + TAGGED + b"\r\n* 2 EXISTS\r\n")
    assert responses == [[b'* LIST () "/" "a\r\n* 1 EXPUNGE'], [TAGGED], [b"* 2 EXISTS"]]
    assert defects == ["a response that does not end before the tagged response"]


def test_a_literal_stands_behind_a_stray_quote() -> None:
    line = b'* 1 FETCH (X "<2018"0130@x.test>" BODY[TEXT] {15}'
    assert framed(line + b"\r\n* 666 EXPUNGE\r\n)\r\n") == ([[line, b"* 666 EXPUNGE\r\n", b")"]], [])


@pytest.mark.parametrize(
    "text", [b'* OK "a', b'A1 NO "a', b'+ "a', b'* NO [ALERT] "a', b'x "a', b'* [X] "a', b'* BYE "a {5}', b"* NO [see (RFC {66}"]
)
def test_text_has_no_strings_and_no_literals(text: bytes) -> None:
    assert framed(text + b"\r\n* 2 EXISTS\r\n") == ([[text], [b"* 2 EXISTS"]], [])


@pytest.mark.parametrize(
    "line",
    [
        b"* X \t{5}",
        b"* X (a,{5}",
        b"* X (a){5}",
        b'* X ("a"{5}',
        b'* X (a"{5}',
        b"* X ({5 }",
        b"* X ({ 5}",
        b"* X ({5} ",
        b"* X ({5}\t",
        b"* X ({5}\0",
        b"* X (RFC822{5}",
        b'* X "C:\\" {5}',
        b'* X "price {5}',
        b'* X "price {-5}',
    ],
)
def test_a_doubtful_announcement_goes_on_up_to_the_tag(line: bytes) -> None:
    """No reader takes what is behind it: as a literal it would be text that a sender wrote, as a line it could be."""
    data = line + b'\r\n* 1 EXPUNGE\r\n")\r\n' + TAGGED + b"\r\n* 2 EXISTS\r\n"
    assert framed(data) == ([[line], [TAGGED], [b"* 2 EXISTS"]], ["a response that does not end before the tagged response"])


def test_a_word_with_braces_in_no_list_is_a_name() -> None:
    assert framed(b'* LIST () "/" foo{5}\r\n* 2 EXISTS\r\n') == ([[b'* LIST () "/" foo{5}'], [b"* 2 EXISTS"]], [])


def test_a_response_without_an_end_is_bounded() -> None:
    limits = Limits(line=100, response=200)
    for endless in (b'* X "' + b"a\r\n" * 99, b"* X ({5 }\r\n" + b"a\r\n" * 99):
        with pytest.raises(LimitExceeded, match=r"a response of 2\d\d, over the limit of 200"):
            frame(endless, limits=limits)


@pytest.mark.parametrize("end", [b"", b'b"\r\n', b'b" {5}\r\n', b'b"\r\n* 2 X\r\n'])
def test_a_string_over_the_limit_of_a_line_goes_on_up_to_the_tag(end: bytes) -> None:
    limits, begun = Limits(line=30), b'* X "' + b"a\r\n" * 9
    whole, defects = frame(begun + end + b"A1 OK\r\n* 3 X\r\n", limits=limits)
    assert len(whole[0][0]) <= 40
    assert whole[0][0].startswith(b'* X "a\r\na')
    assert whole[1:] == [[b"A1 OK"], [b"* 3 X"]]
    assert defects == ["a response that does not end before the tagged response"]


def test_many_short_lines_in_a_string_take_no_more_memory_than_they_have_bytes() -> None:
    framer = Framer()
    framer.push(b'* X "a\r\n')
    assert framer.pop() is None
    tracemalloc.start()
    try:
        for _ in range(100):
            framer.push(b"\r\n" * 1000)
            assert framer.pop() is None
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 3 * 200_000


# lines that are broken


@pytest.mark.parametrize(
    ("data", "responses", "defects"),
    [
        (b"* 1 X\n* 2 X\r\n", [[b"* 1 X"], [b"* 2 X"]], ["a line that ends in LF without CR"]),
        (b"* 1 X\r\r\n* 2 X\r\n", [[b"* 1 X"], [b"* 2 X"]], ["a line that ends in CR CR LF"]),
        (b"A1 OK\n", [[b"A1 OK"]], ["a line that ends in LF without CR"]),
        (b" \0\t* 1 X\r\n", [[b"* 1 X"]], ["blanks or NUL before a response"]),
        (b" A1 OK\r\n", [[b"A1 OK"]], ["blanks or NUL before a response"]),
        (b"\0* X {1}\r\na\r\n", [[b"* X {1}", b"a", b""]], ["blanks or NUL before a response"]),
        (b"* X ({1}\r\na\r\n)\r\n", [[b"* X ({1}", b"a", b")"]], ["an empty line after a literal"]),
        (
            b"* X ({1}\r\na\r\n Y {1}\r\nb\r\n)\r\n",
            [[b"* X ({1}", b"a", b" Y {1}", b"b", b")"]],
            ["an empty line after a literal"] * 2,
        ),
        (b"* X ({1}\r\na\r\n* 2 X\r\n", [[b"* X ({1}", b"a", b""], [b"* 2 X"]], []),
        (b"* X ({1}\r\na\r\nA1 OK\r\n", [[b"* X ({1}", b"a", b""], [b"A1 OK"]], []),
        (b"* X {1}\r\na\r\n)\r\n", [[b"* X {1}", b"a", b""], [b")"]], []),
        (b"what is this\r\n* 2 X\r\n", [[b"what is this"], [b"* 2 X"]], []),
        (b"\0* 2 X\n", [[b"* 2 X"]], ["blanks or NUL before a response", "a line that ends in LF without CR"]),
        (b" * 2 X\r\r\n", [[b"* 2 X"]], ["blanks or NUL before a response", "a line that ends in CR CR LF"]),
    ],
)
def test_a_broken_line_is_read_and_noted(data: bytes, responses: list[list[bytes]], defects: list[str]) -> None:
    assert framed(data) == (responses, defects)


def test_nothing_is_looked_at_once_the_connection_is_over() -> None:
    over: list[bool] = []
    framer = Framer(is_over=lambda: bool(over))
    framer.push(b"* X " + b" {0}\r\n" * 5 + b"\r\n")
    over.append(True)
    assert framer.pop() is None
    assert len(framer._data) - framer._at == len(b" {0}\r\n" * 4 + b"\r\n"), "one part was taken, and no more"
