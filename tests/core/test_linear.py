"""No octets a server can send make framing or parsing take more than linear time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from imapkit.core.cursor import Cursor
from imapkit.core.fragment import Framer
from imapkit.core.response import Untagged, classify, response_code
from imapkit.core.search import numbers_found
from imapkit.errors import ParseError, RemoteProtocolError, ServerBye
from imapkit.ext.rev1 import bodystructure, envelope, fetch, grammar, listing

pytestmark = pytest.mark.heavy

SIZE = 10_000

# What stands before, what is repeated, what stands after.
Shape = tuple[bytes, bytes, bytes]


def assert_linear(run: Callable[[int], object], size: int = SIZE) -> None:
    """Four times the input takes about four times as long; sixteen times would be quadratic."""

    def cost(amount: int) -> float:
        # The collector's share grows with what is alive in the whole process.
        gc.disable()
        try:
            started = time.process_time()
            run(amount)
            spent = time.process_time() - started
        finally:
            gc.enable()
        if spent > 5:
            pytest.fail(f"{spent:.1f} s for {amount}")
        return spent

    for _ in range(4):
        if cost(4 * size) < 9 * max(cost(size), 0.002):
            return
    pytest.fail("4 times the input takes more than 9 times as long")


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
            framer.pop()

    assert_linear(run)


def test_framing_octet_by_octet() -> None:
    def run(count: int) -> None:
        framer = Framer()
        for octet in b"* X {%d}\r\n%b)%b\r\n" % (count, b"y" * count, b"x" * count):
            framer.push(bytes((octet,)))
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
        # Words after the spaces: for a space that is given back, they would be read anew.
        for line in (build(shape, count), build(shape, count) + b"a" * count):
            response_code(line)
            with suppress(ServerBye):
                classify([line])

    assert_linear(run)


PARSERS: list[Callable[[Cursor], object]] = [
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
    grammar.badcharset,
    grammar.capability,
    listing.mailbox_list,
    numbers_found,
    listing.status,
    fetch.date_time,
    fetch.fetch,
    fetch.fetch_att,
    bodystructure.body,
    envelope.envelope,
]


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
    ],
    ids=name,
)
def test_parsing(shape: Shape) -> None:
    def run(count: int) -> None:
        text = build(shape, count)
        for parse in PARSERS:
            with suppress(ParseError):
                parse(Cursor((text,), 1, nesting=100_000))
        fetch.fetch_uid(Untagged("FETCH", 1, (text,)))

    assert_linear(run, SIZE // 2)


@pytest.mark.parametrize("item", [b"BODY[1] {1}", b"RFC822.SIZE {1}", b"X ({1}", b"BODY[X ({1}", b"{1}", b"UID {1}"])
def test_parsing_many_literals(item: bytes) -> None:
    def run(count: int) -> None:
        parts = [b"(" + item] + [b"a", b" " + item] * count + [b"a", b")"]
        fetch.fetch_uid(Untagged("FETCH", 1, tuple(parts)))
        for parse in PARSERS:
            with suppress(ParseError):
                parse(Cursor(parts, 1, nesting=100_000))

    assert_linear(run, 2000)
