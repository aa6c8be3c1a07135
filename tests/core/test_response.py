"""Classification: continuation, tagged, untagged, and the response code."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.core.wire.memory import memory_of
from imapkit.core.wire.response import Continuation, ResponseCode, Stray, Tagged, Untagged, announcement, classify, response_code


@pytest.mark.parametrize(
    ("line", "text"), [(b"+ go", b"go"), (b"+", b""), (b"+go", b"go"), (b"+  go ", b" go "), (b"+ OK x", b"OK x")]
)
def test_continuation(line: bytes, text: bytes) -> None:
    assert classify([line]) == Continuation(text)


@pytest.mark.parametrize(
    ("line", "tagged"),
    [
        (b"A1 OK done", Tagged(b"A1", "OK", b"done")),
        (b"A1 no  two spaces", Tagged(b"A1", "NO", b"two spaces")),
        (b"A1  Bad", Tagged(b"A1", "BAD", b"")),
        (b"A1 OK ", Tagged(b"A1", "OK", b"")),
        (b"A1 BYE now", Tagged(b"A1", "BYE", b"now")),
        (b"a.b-c_[7] OK [ALERT] x", Tagged(b"a.b-c_[7]", "OK", b"[ALERT] x")),
    ],
)
def test_tagged(line: bytes, tagged: Tagged) -> None:
    assert classify([line]) == tagged


def test_literals_in_a_tagged_code_become_strings() -> None:
    parts = [b"A1 NO [BADCHARSET ({3}", b'a"b', b" ~{1}", b"c", b")] x"]
    assert classify(parts) == Tagged(b"A1", "NO", b'[BADCHARSET ("a\\"b" "c")] x')


@pytest.mark.parametrize(
    ("parts", "name", "number", "rest"),
    [
        ([b"* OK hi"], "OK", None, (b"hi",)),
        ([b"* ok"], "OK", None, (b"",)),
        ([b"*  23   Exists"], "EXISTS", 23, (b"",)),
        ([b"* 0 EXISTS "], "EXISTS", 0, (b"",)),
        ([b"* CAPABILITY  A B "], "CAPABILITY", None, (b" A B ",)),
        ([b"*OK x"], "OK", None, (b"x",)),
        ([b"* [COPYUID 1 2 3] x"], "OK", None, (b"[COPYUID 1 2 3] x",)),
        ([b"[COPYUID 1 2 3]"], "OK", None, (b"[COPYUID 1 2 3]",)),
        ([b"* 1 FETCH (X {1}", b"a", b")"], "FETCH", 1, (b"(X {1}", b"a", b")")),
        ([b"* X-A.B=C x"], "X-A.B=C", None, (b"x",)),
        ([b"* 99999999999999999999 EXISTS"], "EXISTS", 99999999999999999999, (b"",)),
        ([b"* 999999999999999999999 EXISTS"], "", None, (b"999999999999999999999 EXISTS",)),
        ([b"* (x)"], "", None, (b"(x)",)),
        ([b"*"], "", None, (b"",)),
        ([b""], "", None, (b"",)),
    ],
)
def test_untagged(parts: list[bytes], name: str, number: int | None, rest: tuple[bytes, ...]) -> None:
    untagged = classify(parts)
    assert isinstance(untagged, Untagged)
    assert (untagged.name, untagged.number, untagged.parts) == (name, number, rest)
    assert untagged.memory == memory_of(name, rest)


@pytest.mark.parametrize(
    "line", [b"Server Unavailable. 15", b"220 mail ESMTP", b"OK POP3", b"A1", b"A1 FETCH x", b"\x15\x03\x01", b"[X"]
)
def test_a_line_that_is_no_response(line: bytes) -> None:
    stray = classify([line])
    assert isinstance(stray, Stray)
    assert (stray.name, stray.text) == ("", line)
    assert "no IMAP response" in stray.defect


@pytest.mark.parametrize(
    ("parts", "number", "data"),
    [
        ((b"",), 23, [b"23"]),
        ((b"(X)",), 7, [b"7 (X)"]),
        ((b'() "/" a',), None, [b'() "/" a']),
        ((b"(X {1}", b"a", b")"), 7, [(b"7 (X {1}", b"a"), b")"]),
        ((b"(X {1}", b"a", b" Y {0}", b"", b""), 7, [(b"7 (X {1}", b"a"), (b" Y {0}", b"")]),
        ((b'() "/" {1}', b"a", b""), None, [(b'() "/" {1}', b"a")]),
    ],
)
def test_data_has_the_shape_of_imaplib(parts: tuple[bytes, ...], number: int | None, data: list[Any]) -> None:
    assert Untagged("X", number, parts).data() == data


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((b"a {b} c",), b"a {b} c"),
        ((b"[X ({1}", b"a", b" {b} c"), b'[X ("a" {b} c'),
        ((b"{3}", b'"\\x', b"~{0+}", b"", b"end {5}"), b'"\\"\\\\x"""end {5}'),
    ],
)
def test_text_shows_literals_as_strings(parts: tuple[bytes, ...], text: bytes) -> None:
    assert Untagged("OK", None, parts).text == text


def test_repr_is_short() -> None:
    shown = repr(Untagged("FETCH", 3, (b"(BODY[] {1000}", b"x" * 1000, b")")))
    assert shown.startswith("<Untagged 3 FETCH b'(BODY[]")
    assert len(shown) < 100


@pytest.mark.parametrize(
    ("text", "at"), [(b"a {5}", 2), (b"a ~{5}", 2), (b"{5+}", 0), (b"a {x}", 5), (b"a", 1), (b"", 0), (b"{5} ", 4)]
)
def test_announcement(text: bytes, at: int) -> None:
    assert announcement(text) == at


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[ALERT] x", ResponseCode("ALERT", None)),
        (b"[alert]", ResponseCode("ALERT", None)),
        (b"  [UIDNEXT  5] x", ResponseCode("UIDNEXT", b"5")),
        (b"[UIDNEXT 5 ]x", ResponseCode("UIDNEXT", b"5 ")),
        (b"[PERMANENTFLAGS (a[b] \\*)] x ]", ResponseCode("PERMANENTFLAGS", b"(a[b] \\*)")),
        (b'[X "a]b\\"" c] d]', ResponseCode("X", b'"a]b\\"" c')),
        (b"[X (a (b) c)] d", ResponseCode("X", b"(a (b) c)")),
        (b'[X "open] d', ResponseCode("X", b'"open')),
        (b"[REFERRAL imap://a;AUTH=*@b/c] d", ResponseCode("REFERRAL", b"imap://a;AUTH=*@b/c")),
        (b"ready [X]", None),
        (b"[X", None),
        (b"[5]", None),
        (b"[]", None),
        (b"", None),
    ],
)
def test_response_code(text: bytes, code: ResponseCode | None) -> None:
    assert response_code(text) == code
