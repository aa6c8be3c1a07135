"""Exact kinds of arguments, and search keys that nothing follows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from imapkit.core.contract.calls import make_call
from imapkit.core.contract.session import Session, State
from imapkit.core.support.secrets import plain
from imapkit.errors import ArgumentError
from imapkit.plugin import Command, Family, Kind, astring, date, list_of, nstring, number, string
from imapkit.testing import load_only


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        (string, "a b", b'"a b"'),
        (string, b"a b", b'"a b"'),
        (string, "", b'""'),
        (string, "'x'", b"\"'x'\""),
        (string, '"x"', b'"\\"x\\""'),
        (string, "(x)", b'"(x)"'),
        (string, "grün", "{grün}".encode()),
        (string, "grün".encode(), "{grün}".encode()),
        (string, "a\r\nb", b"{a\r\nb}"),
        (string, "x" * 1001, b"{" + b"x" * 1001 + b"}"),
        (nstring, None, b"NIL"),
        (nstring, "NIL", b'"NIL"'),
        (date, dt.date(2026, 1, 5), b"5-Jan-2026"),
        (date, dt.date(987, 12, 31), b"31-Dec-0987"),
        (list_of(string), ["a", b"b"], b'("a" "b")'),
        (list_of(nstring), (v for v in (None, "ü")), "(NIL {ü})".encode()),
        (list_of(list_of(number)), [[1, 2], [3]], b"((1 2) (3))"),
        (list_of(number, empty=True), [], b"()"),
    ],
)
def test_what_is_written(kind: Kind, value: Any, written: bytes) -> None:
    call = make_call({"X": Command("X", State.ANY, args=(kind,))}, Session(), "X", (value,))
    shown = b"".join(p if isinstance(p, bytes) else b"{%b}" % p.data for p in plain(call.pieces))
    assert shown == b"X " + written


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (string, 5, "a string must be text or bytes, not int"),
        (string, "a\0b", "a string cannot hold NUL"),
        (string, "\ud800", "a lone surrogate at 0"),
        (string, None, "it is None, and cannot be left out"),
        (date, dt.datetime(2026, 1, 5), "a day must be a datetime.date, not datetime"),
        (date, "5-Jan-2026", "not str"),
        (list_of(string), "abc", "a list must be an iterable, not str"),
        (list_of(string), b"abc", "a list must be an iterable, not bytes"),
        (list_of(string), 5, "a list must be an iterable, not int"),
        (list_of(string), [], "the list is empty"),
        (list_of(string), [None], "not NoneType"),
    ],
)
def test_what_is_refused(kind: Kind, value: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        make_call({"X": Command("X", State.ANY, args=(kind,))}, Session(), "X", (value,))


def test_a_search_key_that_nothing_follows() -> None:
    keys = Family("keys", operands={("SEARCH", "X-NONE"): (), ("SEARCH", "X-ONE"): (astring,), ("STORE", "X-NONE"): ()})
    session = Session()
    session.state = State.SELECTED
    commands = load_only("rev1", keys).commands

    def line(name: str, *args: Any) -> bytes:
        return b"".join(plain(make_call(commands, session, name, args).pieces))

    assert line("SEARCH", "X-NONE", "FROM", "a b") == b'SEARCH X-NONE FROM "a b"'
    assert line("SEARCH", "X-ONE", "a b") == b'SEARCH X-ONE "a b"'
    with pytest.raises(ArgumentError, match="X-NONE is declared with 0 values, and STORE takes one"):
        line("STORE", "1", "+X-NONE", "a")
