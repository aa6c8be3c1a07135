"""Framing and parsing take linear time, whatever bytes a server sends."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from imapkit.core.contract.command import Command
from imapkit.core.contract.result import parse_shape
from imapkit.core.contract.session import Session
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.grammar.search import numbers_found
from imapkit.core.support.limits import Limits
from imapkit.core.support.secrets import Hidden
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.response import Run, Untagged, classify, response_code
from imapkit.errors import ParseError, RemoteProtocolError
from imapkit.ext.rev1 import body, envelope, fetch
from tests.security.commands import COMMANDS, REGISTRY, encoded, valid

pytestmark = pytest.mark.heavy

SIZE = 10_000

# What stands before, what is repeated, what stands after.
Shape = tuple[bytes, bytes, bytes]


def spent(run: Callable[[], object]) -> float:
    """The processor's time that it takes, on this thread."""
    # The collector's share grows with what is alive in the whole process.
    gc.disable()
    try:
        started = time.thread_time()
        run()
        return time.thread_time() - started
    finally:
        gc.enable()


def assert_linear(run: Callable[[int], object], size: int = SIZE) -> None:
    """Twice the input takes at most 2.5 times as long, so four times takes 6.25 times: of the best of several tries each.

    On a machine that others use as well, caches and the clock's rate included, short ones need many.
    """
    single = fourfold = 9.0
    end = time.thread_time() + 4
    while time.thread_time() < end:
        single = min(single, max(spent(lambda: run(size)), 0.001))
        fourfold = min(fourfold, spent(lambda: run(4 * size)))
        if fourfold <= 6.25 * single:
            return
    pytest.fail(f"4 times the input takes {fourfold / single:.1f} times as long ({fourfold:.3f} s)")


def build(shape: Shape, count: int) -> bytes:
    return shape[0] + shape[1] * count + shape[2]


def name(shape: Shape) -> str:
    return ascii(shape[0][:24] + shape[1] + shape[2])


@pytest.mark.parametrize(
    "shape",
    [
        (b"* X " + b"()" * 1001, b'"\\', b""),
        (b"* X ", b'"\\', b" {1}"),
        (b"* NO [X (", b'\\"', b" {1}"),
        (b"* NO [X (", b'"\\', b" {1}"),
        (b"* X ", b"{", b"}"),
        (b"* X ", b" {1", b"}"),
        (b"*", b" ", b"{5}"),
        (b"", b"x", b" {5}"),
        (b"* ", b"1", b" {5}"),
        (b"* X (", b"{1}\r\na ", b")"),
        (b"* X ", b"({1}\r\na)", b""),
        (b"", b"\r", b""),
    ],
    ids=name,
)
def test_framing(shape: Shape) -> None:
    def run(count: int) -> None:
        framer = Framer()
        framer.push(build(shape, count) + b"\r\n")
        with suppress(RemoteProtocolError):
            while framer.pop() is not None:
                pass

    assert_linear(run)


@pytest.mark.parametrize("nesting", [1, 20])
@pytest.mark.parametrize(
    "shape",
    [
        (b"", b'* X "((((((((((((((((((((((((("\r\n', b""),
        (b"* X\r\n", b'* X "((((((((((((((((((((((((("\r\n* X\r\n', b""),
        (b"", b"* X {1}\r\na\r\n", b""),
        (b"", b"* X }\r\n", b""),
        (b"", b"* OK {9}\r\n* X\r\n", b""),
    ],
    ids=name,
)
def test_framing_many_responses(shape: Shape, nesting: int) -> None:
    """In one piece, however much of it has to be looked at closely."""

    def run(count: int) -> None:
        framer, popped = Framer(Limits(nesting=nesting)), 0
        framer.push(build(shape, count))
        while framer.pop() is not None:
            popped += 1
        assert popped == shape[0].count(b"\r\n") + count * max(1, shape[1].count(b"* "))

    assert_linear(run, 1000)


@pytest.mark.parametrize("line", [b"* OK [BADCHARSET (", b"* 1 FETCH (", b"* OK text ", b'* X "a" "'], ids=ascii)
def test_framing_many_literals_behind_a_long_line(line: bytes) -> None:
    """Whether a literal may follow is settled once, not again for each from the first line on."""

    def run(count: int) -> None:
        framer = Framer(Limits(literals=10**6))
        framer.push(line + b"x" * 10 * count + b" {0}\r\n" * count + b"\r\n")
        while framer.pop() is not None:
            pass

    assert_linear(run)


@pytest.mark.parametrize(
    "line",
    [b"* X\n", b"* X\r\r\n", b" * X\r\n", b'* X "\r\n"\r\n', b'* X "a "b\r\n', b'* X "\n', b'* X (a)"b)"\r\n', b"* X {1 }\r\n",
     b"x\r\n", b"* X ({0}\r\n\r\n)\r\n", b"* X ({0}\r\n\r\n", b"} \r\n", b"}\r"],
    ids=ascii,
)  # fmt: skip
def test_framing_malformed_input(line: bytes) -> None:
    def run(count: int) -> None:
        framer = Framer(is_tagged=lambda line: line.startswith(b"A1 "))
        framer.push(line * count + b"A1 OK\r\n")
        while framer.pop() is not None:
            pass
        framer.defects.clear()

    assert_linear(run, 2000)


def test_framing_byte_by_byte() -> None:
    def run(count: int) -> None:
        framer = Framer()
        for byte in b"* X {%d}\r\n%b)%b\r\n" % (count, b"y" * count, b"x" * count):
            framer.push(bytes((byte,)))
            framer.pop()

    assert_linear(run, 4000)


@pytest.mark.parametrize(
    "shape",
    [
        (b"[X", b" ", b""),
        (b"[X ", b"(", b""),
        (b"[X ", b"()", b""),
        (b"[X ", b'"', b""),
        (b"[X ", b'\\"', b""),
        (b"[", b"x", b""),
        (b" ", b" ", b"x"),
        (b"* ", b"[a]", b""),
        (b"* ", b"1", b""),
        (b"A", b" ", b"x"),
        (b"A OK ", b" ", b"\n"),
        (b"* ", b"x", b"("),
    ],
    ids=name,
)
def test_classification(shape: Shape) -> None:
    def run(count: int) -> None:
        # Words after the spaces: for a space that is given back, they would be read again.
        for line in (build(shape, count), build(shape, count) + b"a" * count):
            response_code(line)
            classify([line])

    assert_linear(run)


RULES: list[Callable[[Cursor], object]] = [
    Cursor.atom,
    Cursor.astring,
    Cursor.number,
    Cursor.numbers,
    Cursor.nstring,
    Cursor.mailbox,
    Cursor.flag_list,
    Cursor.value,
    Cursor.skip_value,
    Cursor.rest,
    numbers_found,
    fetch.date_time,
    fetch.fetch_att,
    body.body,
    envelope.envelope,
]
"""Rules that are used in others."""

Reader = Callable[[Untagged], object]


def reading(parse: Callable[[Cursor], object]) -> Reader:
    def run(response: Untagged) -> None:
        with suppress(ParseError):
            parse(Cursor(response.parts, 1, REGISTRY.items, nesting=100_000))

    return run


def lone_row(response: Untagged) -> Run:
    return Run(response.name, [(b"1", response.text)])


def matching(command: Command) -> Iterator[Reader]:
    if command.subject is not None and command.matches is not None:
        for uid in {False, command.uid}:
            subject, matches = command.subject(valid(command), uid), command.matches
            yield lambda response, subject=subject, matches=matches: matches(subject, response)  # type: ignore[misc]
            if command.matches_all is not None:
                claims = command.matches_all
                yield lambda response, subject=subject, claims=claims: claims(subject, lone_row(response))  # type: ignore[misc]
                yield lambda response, subject=subject, claims=claims: claims(subject, by_line(response))  # type: ignore[misc]


def by_line(response: Untagged) -> Run:
    """As many responses as the text has words."""
    return Run(response.name, [(b"1", word) for word in response.text.split(b" ")])


def applying(apply: Callable[..., object], *, code: bool) -> Reader:
    def run(response: Untagged) -> None:
        with suppress(ValueError):
            apply(Session(), response.text if code else response)

    return run


def readers() -> Iterator[Reader]:
    """Whatever of any family, or of the core, looks at what a server sent."""
    yield from map(reading, RULES)
    yield from (reading(parse) for parse in REGISTRY.items.values())
    for table in (REGISTRY.responses, REGISTRY.codes):
        for known in table.values():
            if known.parse is not None:
                yield reading(known.parse)
            if known.apply is not None:
                yield applying(known.apply, code=table is REGISTRY.codes)
    for command in REGISTRY.commands.values():
        yield from matching(command)
    yield fetch.fetch_uid
    yield lambda response: parse_shape(response.name, response.data(), REGISTRY)
    yield lambda response: HIDDEN.hide(response.text)


HIDDEN = Hidden("hunter2", "UID UID UID")


@pytest.mark.parametrize("piece", ["correct", "battery", "correct horse batter", "correct horse battery", "correc"])
def test_hiding_pieces(piece: str) -> None:
    """A server with a secret may repeat pieces of it without end."""
    hidden = Hidden("correct horse battery" * 20)
    assert_linear(lambda count: hidden.hide_text(f"{piece} " * count))


READERS = list(readers())
WORTH_A_LOOK = 0.005
"""Seconds for four times the input: a reader that is faster is not measured further. (20,000 bytes to the square take longer.)"""


def assert_all_linear(make: Callable[[int], Untagged], size: int) -> None:
    """None of the readers takes more than linear time: those that take any time at all are measured."""
    large = make(4 * size)
    for read in READERS:
        if spent(lambda read=read: read(large)) > WORTH_A_LOOK:  # type: ignore[misc]

            def run(count: int, read: Reader = read) -> None:
                response = large if count == 4 * size else make(count)
                read(response)

            assert_linear(run, size)


def test_there_is_a_reader_for_each_family() -> None:
    assert len(READERS) > 90


@pytest.mark.parametrize(
    "shape",
    [
        (b"", b" ", b"x"),
        (b"", b"1", b"x"),
        (b"", b"1 ", b"x"),
        (b"", b"(", b""),
        (b"", b"()", b"x"),
        (b"(", b"()", b"\x01)"),
        (b"", b'"', b""),
        (b"", b'\\"', b""),
        (b'"', b"\\\\", b""),
        (b"(", b'"\\', b""),
        (b"(", b"\\", b")"),
        (b"(", b"UID ", b")"),
        (b"(", b"X (1 ", b")"),
        (b"(", b"X 1 ", b")"),
        (b"(X", b" ", b"1)"),
        (b"(", b"X 1)", b""),
        (b"(", b"BODY[", b")"),
        (b"(BODY[", b"(", b")"),
        (b"(BODY[X (", b"a ", b")"),
        (b"BODY[X (", b'"a" ', b""),
        (b"BODY[]<", b"1.", b""),
        (b'(INTERNALDATE "', b" ", b'")'),
        (b'"', b" ", b'1"'),
        (b'() "/" ', b"a (", b")"),
        (b'() "/" a (', b"x ", b")"),
        (b"a (", b"MESSAGES 1 ", b"(UNSEEN 1))"),
        (b"a (", b"MESSAGES (", b")"),
        (b"", b"A + ", b""),
        (b"(NIL NIL (", b"(NIL)", b"))"),
        (b"(NIL NIL (", b"NIL ", b"))"),
        (b"", b"(", b"NIL)"),
        (b"(", b"()", b'"mixed")'),
        (b"(", b'("mixed")', b'"mixed")'),
        (b'("a" "b" (', b'"c" ', b"))"),
        (b'("a" "b" NIL NIL NIL "7bit" 1 NIL NIL NIL NIL ', b"(5)", b")"),
        (b'("a" "b" NIL NIL NIL "7bit" 1 NIL "', b';a=\\\\"', b'")'),
        (b'("a" "b" NIL NIL NIL "7bit" 1 NIL "x', b"; ", b'")'),
        (b"", b'("message" "rfc822" NIL NIL NIL "7bit" 1 ()', b""),
        (b"", b'("message" "rfc822" NIL NIL NIL "7bit" 1 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ', b""),
        (b'("a" "b" (', b'"c" "d" ', b"))"),
        (b"(", b'("a" "b" NIL NIL NIL "7bit" 1)', b""),
        (b"(", b'(("a" "b" NIL NIL NIL "7bit" 1) "x")', b""),
        (b'("a" "b" NIL NIL NIL "7bit" 1)', b' "x")', b""),
        (b'("a" "b" NIL NIL NIL "7bit" 1 NIL NIL (', b'"c" ', b"x))"),
        (b"(NIL NIL ", b"((NIL NIL NIL NIL)", b")"),
        (b"(NIL NIL (", b"(NIL NIL NIL NIL)", b""),
        (b"(NIL NIL (", b"(NIL NIL NIL NIL) ", b")"),
        (b"(ENVELOPE ", b"(NIL NIL ((NIL NIL NIL NIL)) ENVELOPE ", b")"),
        (b"(BODY ", b'(("a" "b" NIL NIL NIL "7bit" 1) BODY ', b")"),
        (b"(BODY ", b'("a" "b" ("c" "d" BODY ', b")"),
        (b"", b"(1 2)", b""),
        (b'"" (', b"STORAGE 1 2 ", b")"),
        (b"INBOX ", b"a lrs ", b""),
        (b"INBOX a ", b"lrs ", b""),
        (b"((", b'"" "/")(', b"))"),
        (b"(", b'"a" "b" ', b")"),
        (b'INBOX "/x" (', b'"a" "b" ', b")"),
        (b"", b"hunter", b""),
    ],
    ids=name,
)
def test_reading(shape: Shape) -> None:
    assert_all_linear(lambda count: Untagged("FETCH", 1, (build(shape, count),)), 1250)


@pytest.mark.parametrize("item", [b"BODY[1] {1}", b"RFC822.SIZE {1}", b"X ({1}", b"BODY[X ({1}", b"{1}", b"UID {1}", b'"a" {1}'])
def test_reading_many_literals(item: bytes) -> None:
    def make(count: int) -> Untagged:
        return Untagged("FETCH", 1, tuple([b"(" + item] + [b"a", b" " + item] * count + [b"a", b")"]))

    assert_all_linear(make, 1250)


UNITS = [
    "a",
    '"',
    "\\",
    "(",
    ")",
    "()",
    "{1}",
    "&",
    "&-",
    "\u00e9",
    '"\u00e9"',
    "1,",
    "2:1,",
    " ",
    "x ",
    "'",
    "UID ",
    "NOT ",
    "\0",
    '"\\',
    '\\"',
    '(a"b"',
    "[",
    "A (",
]
MAKERS: list[Callable[[str, int], Any]] = [
    lambda unit, count: unit * count,
    lambda unit, count: unit.encode() * count,
    lambda unit, count: [unit] * count,
    lambda unit, count: '"' + unit * count,
    lambda unit, count: '("' + unit * count + ")",
    lambda unit, count: '"a" ' + unit * count + '"',
]


@pytest.mark.parametrize("unit", UNITS)
def test_writing(unit: str) -> None:
    """Whatever a program gives as an argument, too."""
    for command in COMMANDS:
        usual = valid(command)
        for at in range(len(usual)):
            for make in MAKERS:
                run = partial(write, command, usual, at, partial(make, unit))
                if spent(partial(run, 5000)) > WORTH_A_LOOK:
                    assert_linear(run, 1250)


def write(command: Command, usual: tuple[Any, ...], at: int, make: Callable[[int], Any], count: int) -> None:
    with suppress(ValueError):
        encoded(command, (*usual[:at], make(count), *usual[at + 1 :]))
