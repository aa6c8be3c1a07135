"""Framing: responses come out whole however they arrive, and every limit holds before anything is allocated."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Sequence

import pytest

from imapkit.core.support.limits import Limits
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.response import LiteralRun, Run, Untagged, classify, literal_matcher, run_matcher
from imapkit.errors import LimitExceeded, RemoteProtocolError


def frame(*chunks: bytes, limits: Limits | None = None) -> list[list[bytes]]:
    framer, found = Framer(limits), []
    for chunk in chunks:
        framer.push(chunk)
        while (parts := framer.pop()) is not None:
            found.append(parts)
    return found


def each_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


# Lines


def test_lines_lose_their_crlf_and_nothing_else() -> None:
    assert frame(b"* OK  x \r\n* 2 EXISTS\r\n\r\n") == [[b"* OK  x "], [b"* 2 EXISTS"], [b""]]


@pytest.mark.parametrize("cut", range(1, 12))
def test_crlf_may_be_split_across_pushes(cut: int) -> None:
    data = b"* A\r\n* B\r\n\r\n"
    assert frame(data[:cut], data[cut:]) == [[b"* A"], [b"* B"], [b""]]
    assert frame(data[:cut], b"", data[cut:]) == [[b"* A"], [b"* B"], [b""]]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"* a\n* b\r\n", [b"* a", b"* b"]),
        (b"* a\rb\r\n", [b"* a\rb"]),
        (b"* a\r\r\n* b\r\n", [b"* a", b"* b"]),
        (b"\n\r\n", [b"", b""]),
        (b"* a\n\r\r\n", [b"* a", b""]),
        (b"\r\r\r\r\n* a\n", [b"", b"* a"]),
        (b"* 1 FETCH (X {2}\r\r\na\n)\n* b\n", [b"* 1 FETCH (X {2}", b"a\n", b")", b"* b"]),
    ],
)
def test_a_line_ends_in_lf_whatever_number_of_crs_are_before(data: bytes, lines: list[bytes]) -> None:
    for chunks in ((data,), each_byte(data)):
        assert [part for parts in frame(*chunks) for part in parts] == lines


def test_an_unfinished_line_waits() -> None:
    framer = Framer()
    framer.push(b"* OK he")
    assert framer.pop() is None
    assert framer.unfinished == b"* OK he"
    framer.push(b"llo\r")
    assert framer.pop() is None
    framer.push(b"\n")
    assert framer.pop() == [b"* OK hello"]
    assert framer.pop() is None
    assert framer.unfinished == b""


def test_the_rest_is_taken_out_for_a_layer() -> None:
    framer = Framer()
    framer.push(b"A1 OK begin\r\n\x78\x9c\r")
    assert framer.pop() == [b"A1 OK begin"]
    assert framer.take_rest() == b"\x78\x9c\r"
    assert framer.take_rest() == b""
    framer.push(b"\n* OK\r\n")
    assert framer.pop() == [b""]
    assert framer.pop() == [b"* OK"]


def test_the_rest_holds_the_line_that_had_begun() -> None:
    framer = Framer()
    framer.push(b"A1 OK\r\nab")
    assert framer.pop() == [b"A1 OK"]
    assert framer.pop() is None
    assert framer.take_rest() == b"ab"


# Literals


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"* 1 FETCH (X {3}\r\na\r\n)\r\n", [b"* 1 FETCH (X {3}", b"a\r\n", b")"]),
        (b"* 1 FETCH (X {0}\r\n)\r\n", [b"* 1 FETCH (X {0}", b"", b")"]),
        (b"* 1 FETCH (X {012}\r\n0123456789ab)\r\n", [b"* 1 FETCH (X {012}", b"0123456789ab", b")"]),
        (b"* 1 FETCH (X {1+}\r\na)\r\n", [b"* 1 FETCH (X {1+}", b"a", b")"]),
        (b"* 1 FETCH (X ~{1}\r\n\0)\r\n", [b"* 1 FETCH (X ~{1}", b"\0", b")"]),
        (b"* 1 FETCH (BODY[]{1}\r\na)\r\n", [b"* 1 FETCH (BODY[]{1}", b"a", b")"]),
        (b"* 1 FETCH (BODY[]<0>{1}\r\na)\r\n", [b"* 1 FETCH (BODY[]<0>{1}", b"a", b")"]),
        (b"* X ({1}\r\na{1}\r\nb)\r\n", [b"* X ({1}", b"a", b"{1}", b"b", b")"]),
        (b"* LIST () {1}\r\n/ {4}\r\n{9}\r\r\n", [b"* LIST () {1}", b"/", b" {4}", b"{9}\r", b""]),
        (b'* X "a\\"b" {1}\r\na\r\n', [b'* X "a\\"b" {1}', b"a", b""]),
        (b'* X "\\\\" {1}\r\na\r\n', [b'* X "\\\\" {1}', b"a", b""]),
        (
            b"* NO [BADCHARSET ({5}\r\nUTF-8 {1}\r\nx)] {1}\r\n",
            [b"* NO [BADCHARSET ({5}", b"UTF-8", b" {1}", b"x", b")] {1}"],
        ),
        (b'* NO [BADCHARSET ("])" {1}\r\nx)] y\r\n', [b'* NO [BADCHARSET ("])" {1}', b"x", b")] y"]),
        (b"A1 NO [BADCHARSET ({1}\r\nx)] {1}\r\n", [b"A1 NO [BADCHARSET ({1}", b"x", b")] {1}"]),
    ],
)
def test_literals(data: bytes, parts: list[bytes]) -> None:
    assert frame(data) == [parts]
    assert frame(*each_byte(data)) == [parts]


@pytest.mark.parametrize(
    "line",
    [
        b"* OK text {5}",
        b"*  ok  text {5}",
        b"* 3 OK text {5}",
        b"*OK text {5}",
        b"* NO [ALERT] text {5}",
        b"* NO [X-CODE {5}",
        b"* BAD (text {5}",
        b"* BYE {5}",
        b"* PREAUTH {5}",
        b"* [COPYUID 1 2 3] (text {5}",
        b"[COPYUID 1 2 3] (text {5}",
        b"A1 OK text {5}",
        b"A1 NO (text {5}",
        b"A1 NO [BADCHARSET (x)] text ( {5}",
        b"A1 FETCH (x {5}",
        b"+ text {5}",
        b"+ OK [X ( {5}",
        b"* NO [see (RFC {66}",
        b'* NO [BADCHARSET ("x {66}',
        b'* OK "text {5}',
        b'A1 OK "text {5}',
        b'* X "in quotes {5}"',
        b"* X word{5}",
        b"* X (word) word{5}",
        b"* X {word}",
        b"* X }",
    ],
)
def test_lines_that_announce_no_literal(line: bytes) -> None:
    data = line + b"\r\n* 1 EXISTS\r\n"
    assert frame(data) == [[line], [b"* 1 EXISTS"]]
    assert frame(*each_byte(data)) == [[line], [b"* 1 EXISTS"]]


@pytest.mark.parametrize("size", [b"", b"-1", b"-100", b"1e9", b"+5", b"5-", b"0x10", b"1.5", b"9" * 21, b"0" * 99])
def test_a_malformed_size_ends_the_connection(size: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="malformed literal size"):
        frame(b"* 1 FETCH (BODY[] {" + size + b"}\r\n")


# Limits


@pytest.mark.parametrize("size", [b"99999999999", b"4294967296", b"1073741825", b"9" * 20])
def test_a_size_over_the_limit_allocates_nothing(size: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(LimitExceeded, match=r"literal of \d+, over the limit of 1073741824"):
            frame(b"* 1 FETCH (BODY[] {" + size + b"}\r\n" + b"x" * 1000)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_an_allowed_size_is_not_allocated_before_it_arrives() -> None:
    framer = Framer()
    tracemalloc.start()
    try:
        framer.push(b"* 1 FETCH (BODY[] {1000000000}\r\n" + b"x" * 1000)
        assert framer.pop() is None
        assert framer.missing == 1_000_000_000 - 1000
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [9, 10, 11])
def test_the_limit_of_a_line_is_exact_however_it_is_cut(length: int) -> None:
    limits, data = Limits(line=10), b"x" * length + b"\r\n"
    for cut in range(1, len(data)):
        if length <= 10:
            assert frame(data[:cut], data[cut:], limits=limits) == [[b"x" * length]]
        else:
            with pytest.raises(LimitExceeded, match="a line of 11, over the limit of 10"):
                frame(data[:cut], data[cut:], limits=limits)


def test_an_endless_line_ends_at_the_limit() -> None:
    framer = Framer(Limits(line=1 << 20))
    for _ in range(16):
        framer.push(b"x" * 65536)
        assert framer.pop() is None
    framer.push(b"x")
    with pytest.raises(LimitExceeded, match=r"Limits\.line"):
        framer.pop()


def test_the_limit_of_a_response_counts_lines_and_literals() -> None:
    data = b"* X ({4}\r\nabcd {4}\r\nabcd)\r\n"
    size = len(b"* X ({4}" + b"abcd" + b" {4}" + b"abcd" + b")")
    assert len(frame(data, limits=Limits(response=size))) == 1
    with pytest.raises(LimitExceeded, match="a response of 21, over the limit of 20"):
        frame(data, limits=Limits(response=size - 1))
    with pytest.raises(LimitExceeded, match="a response of 20"):
        frame(b"* X ({4}\r\nabcd {4}\r\n", limits=Limits(response=19))


def test_the_limit_of_literals_counts_one_response() -> None:
    two, limits = b"* X ({1}\r\na {1}\r\nb)\r\n", Limits(literals=2)
    assert len(frame(two * 3, limits=limits)) == 3
    with pytest.raises(LimitExceeded, match=r"Limits\.literals"):
        frame(b"* X ({1}\r\na {1}\r\nb {1}\r\nc)\r\n", limits=limits)


def test_too_many_open_parentheses() -> None:
    with pytest.raises(LimitExceeded, match="nesting of 1001, over the limit of 1000"):
        frame(b"* X " + b"(" * 20000 + b"\r\n")
    deep = b"* X " + b"(" * 1000 + b")" * 1000
    assert frame(deep + b"\r\n") == [[deep]]


def test_parentheses_count_across_literals() -> None:
    pieces = [b"(" * 400 + b"{1}\r\nx"] * 3
    with pytest.raises(LimitExceeded, match="nesting of 1001"):
        frame(b"* X " + b"".join(pieces) + b"\r\n")
    closed = [b"(" * 400 + b")" * 400 + b" {1}\r\nx"] * 5
    assert len(frame((b"* X " + b"".join(closed) + b"\r\n") * 2)) == 2


def test_parentheses_in_strings_and_literals_do_not_count() -> None:
    line = b'* X "' + b"(" * 5000 + b'" ("\\"' + b"(" * 5000 + b'") {5000}'
    literal = b"(" * 5000
    assert frame(line + b"\r\n" + literal + b")\r\n") == [[line, literal, b")"]]


@pytest.mark.heavy
def test_a_hundred_thousand_tiny_literals() -> None:
    [parts] = frame(b"* X (" + b"{1}\r\na " * 100_000 + b")\r\n")
    assert len(parts) == 200_001
    with pytest.raises(LimitExceeded, match=r"Limits\.literals"):
        frame(b"* X (" + b"{1}\r\na " * 100_001 + b")\r\n")


# Many lines at once


def test_lines_that_were_cut_ahead_come_before_what_is_wrong() -> None:
    framer = Framer(Limits(line=2000, nesting=20))
    framer.push(b"* 1 X\r\n* 2 X " + b"(" * 21 + b"\r\n* 3 X\r\n")
    assert framer.pop() == [b"* 1 X"]
    with pytest.raises(LimitExceeded, match="nesting of 21"):
        framer.pop()
    framer = Framer(Limits(line=20))
    framer.push(b"* 1 X\r\n* 2 X\r\n" + b"x" * 21 + b"\r\n")
    assert [framer.pop(), framer.pop()] == [[b"* 1 X"], [b"* 2 X"]]
    with pytest.raises(LimitExceeded, match="a line of 21"):
        framer.pop()


def test_lines_that_were_cut_ahead_are_part_of_the_rest() -> None:
    framer = Framer()
    framer.push(b"A1 OK\r\na\r\n\r\nb\r\nc {1}\r\nd")
    assert framer.pop() == [b"A1 OK"]
    assert framer.ahead == 3
    assert framer.take_rest() == b"a\r\n\r\nb\r\nc {1}\r\nd"
    assert framer.ahead == 0
    assert framer.pop() is None


def test_a_run_ends_where_something_else_comes() -> None:
    framer, matcher = Framer(), run_matcher("X")
    framer.push(b"* 1 X a\r\n* 2 X b c\r\n* 3 x d\r\n* 4 X e\r\n* 5 X {1}\r\nf\r\n* 6 X g\r\n")
    assert framer.pop_run(matcher) == []
    assert framer.pop() == [b"* 1 X a"]
    assert framer.pop_run(matcher) == [(b"2", b"b c")]
    assert framer.pop_run(matcher) == []
    assert framer.pop() == [b"* 3 x d"]
    assert framer.pop_run(matcher) == [(b"4", b"e")]
    assert framer.pop() == [b"* 5 X {1}", b"f", b""]
    assert framer.pop() == [b"* 6 X g"]


@pytest.mark.parametrize("line", [b"*  1 X a", b"* 1 X", b"* 01 X a", b"* 1 XX a", b"* 1  X a", b"1 X a", b"* X a", b"* -1 X a"])
def test_responses_that_belong_in_no_run(line: bytes) -> None:
    assert run_matcher("X")(line) is None


def assert_alike(run: Run, singles: Sequence[object]) -> None:
    for single, response in zip(singles, run.responses(), strict=True):
        assert isinstance(single, Untagged)
        assert (response.name, response.number, response.parts) == (single.name, single.number, single.parts)
        assert response.utf8
    assert run.data() == [item for single in singles if isinstance(single, Untagged) for item in single.data()]


def test_a_run_is_what_its_responses_are() -> None:
    lines = [b"* 7 X a b", b"* 0 X (c)  ", b"* 4294967296 X \xff"]
    singles = [classify([line]) for line in lines]
    run = Run("X", [match.groups() for match in map(run_matcher("X"), lines) if match], utf8=True)
    assert len(run) == 3
    assert_alike(run, singles)
    assert run.numbers == [7, 0, 4294967296]
    assert run.texts == [b"a b", b"(c)  ", b"\xff"]


# Many literals at once


def whole(data: bytes, limits: Limits) -> list[list[bytes]]:
    """As the reader does it: what follows a response of one literal is popped together."""
    framer, found = Framer(limits), []
    framer.push(data)
    while (parts := framer.pop()) is not None:
        found.append(parts)
        rows = framer.pop_literals(literal_matcher("FETCH")) if len(parts) == 3 else []
        found += [[b"* %b FETCH %b" % (number, text), literal, rest] for number, text, literal, rest in rows]
    return found


@pytest.mark.parametrize(
    "line",
    [
        b"* 1 FETCH (BODY[] {3}", b"* 1 FETCH (UID 5 BODY[] {3}", b"* 1 FETCH (BODY[]{3}", b"* 1 FETCH (BINARY[1] ~{3}",
        b"* 1 FETCH (FLAGS (a{3}", b"* 1 FETCH (X{3}", b"* 1 FETCH ({3}", b"* 1 FETCH ((((({3}", b"* 1 FETCH (BODY[] {003}",
        b"* 1 FETCH {3}", b"* 1 FETCH (X {0}", b"* 1 FETCH (X {1}", b"* 1 FETCH (X {90}", b"* 1 FETCH (X {1234567890}",
        b'* 1 FETCH (X "a" {3}', b'* 1 FETCH (X "a {3}', b'* 1 FETCH (X "a" "b {3}', b'* 1 FETCH (X "(((" ((( {3}',
        b'* 1 FETCH (X "a\\" {3}', b'* 1 FETCH (X "\\"" {3}', b'* 1 FETCH (X "{3}', b'* 1 FETCH "a"{3}', b"* 1 FETCH (\\X {3}",
        b"* 1 OK (x {3}", b"* 1 BYE (x {3}", b"* 1 FETCHED (x {3}", b"* 1 fetch (x {3}", b"* 1 FETCH  (x {3}",
        b"*  1 FETCH (x {3}", b"* 01 FETCH (x {3}", b"* 1 FETCH (x {3+}", b"* 1 FETCH (x {3} {3}", b"* 1 FETCH x {3}",
        b"* 1 FETCH (x {-3}", b"* 1 FETCH (\r {3}", b"* 1 FETCH (\n {3}", b"* FETCH (x {3}", b"1 FETCH (x {3}",
        b"* 1 FETCH{3}", b"* 1 FETCH",
    ],
)  # fmt: skip
def test_literals_that_arrive_together_are_framed_as_byte_by_byte(line: bytes) -> None:
    every = [
        Limits(),
        Limits(nesting=2),
        Limits(nesting=6),
        Limits(literal=2),
        Limits(literal=3),
        Limits(literals=1),
        Limits(line=20),
    ]
    every += [Limits(response=most) for most in range(16, 60, 4)]

    def outcome(limits: Limits, data: bytes, *, together: bool) -> list[list[bytes]] | str:
        try:
            return whole(data, limits) if together else frame(*each_byte(data), limits=limits)
        except (LimitExceeded, RemoteProtocolError) as exc:
            # How much there is by then depends on how it came.
            return re.sub(" of [0-9]+", "", str(exc))

    first, after = b"* 2 FETCH (X {1}\r\na)\r\n", b"* 3 FETCH (X {1}\r\na)\r\n* 3 EXISTS\r\n* 4 FETCH (X {3}\r\nab"
    for behind in (b")", b"))", b"", b" UID 1)", b") ", b")\r", b"}", b" Y {2}", b' Y "{2}', b" (((((", b"(((()))))"):
        data = first + line + b"\r\n)\r\n" + behind + b"\r\n" + after
        for limits in every:
            assert outcome(limits, data, together=True) == outcome(limits, data, together=False)


def test_incomplete_literals_are_left_for_later() -> None:
    row = b"* 7 FETCH (BODY[] {5}\r\nab\r\nc)\r\n"
    for end in range(len(row)):
        framer = Framer()
        framer.push(row * 3 + row[:end])
        assert framer.pop_literals(literal_matcher("FETCH")) == [(b"7", b"(BODY[] {5}", b"ab\r\nc", b")")] * 3
        assert framer.pop() is None
        assert framer.pop_literals(literal_matcher("FETCH")) == []
        framer.push(row[end:] + row)
        assert framer.pop() == [b"* 7 FETCH (BODY[] {5}", b"ab\r\nc", b")"]
        assert len(framer.pop_literals(literal_matcher("FETCH"))) == 1
        assert framer.take_rest() == b""


def test_a_run_of_literals_is_what_its_responses_are() -> None:
    rows = [(b"7", b"(X {2}", b"ab", b")"), (b"0", b"{1}", b"\r", b""), (b"4294967296", b'("a" {0}', b"", b" UID 5) ")]
    singles = [classify([b"* %b X %b" % (number, text), literal, rest]) for number, text, literal, rest in rows]
    run = LiteralRun("X", list(rows), utf8=True)
    assert len(run) == 3
    assert_alike(run, singles)
    assert run.memory == sum(single.memory for single in singles if isinstance(single, Untagged))
    assert run.numbers == [7, 0, 4294967296]
    assert run.texts == [b"(X {2}", b"{1}", b'("a" {0}']
