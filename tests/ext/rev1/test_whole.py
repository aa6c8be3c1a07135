"""Whole patterns read well-formed values with the assert_same result as reading word by word, which reads any value."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from imapkit.errors import ParseError
from imapkit.ext.rev1 import body, envelope
from imapkit.ext.rev1.wholebody import whole_body
from imapkit.plugin import Cursor

NILS = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
ANNA = b'(("Anna" NIL "anna" "example.org"))'

ENVELOPES = [
    NILS,
    b'("1 Jan 2026" "" %b %b NIL NIL NIL NIL NIL "<a@b>") and more' % (ANNA, ANNA),
    b'("\xff" "a) (b" ((NIL NIL NIL NIL)("" "@a:" "b" "c") (NIL NIL NIL NIL)) %b %b NIL NIL NIL "" NIL)' % (ANNA, ANNA),
    rb'("\"" "\\\a\"" (("\"A\" \\ B" NIL "\"" NIL)) %b %b NIL NIL NIL "\\" NIL)' % (ANNA, ANNA),
]
MALFORMED_ENVELOPES = [
    b"NIL",
    b"()",
    b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
    b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
    b"(nil NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
    b"(NIL  NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
    b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL",
    b'(NIL "a"NIL NIL NIL NIL NIL NIL NIL NIL)',
    b"(NIL word NIL NIL NIL NIL NIL NIL NIL 5)",
    b'(NIL "a\r\nb" NIL NIL NIL NIL NIL NIL NIL "\\\n")',
    b"(NIL NIL () NIL NIL NIL NIL NIL NIL NIL)",
    b'(NIL NIL ((NIL NIL "a")) NIL NIL NIL NIL NIL NIL NIL)',
    b'(NIL NIL (NIL NIL "a" "b") NIL NIL NIL NIL NIL NIL NIL)',
    b'(NIL NIL ((NIL NIL "a" "b") NIL) NIL NIL NIL NIL NIL NIL NIL)',
    b'(NIL NIL ((NIL NIL "a" "b" "c")) NIL NIL NIL NIL NIL NIL NIL)',
    b'(NIL "' + b"a" * 50,
]

TEXT = b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 1 2)'
FULL = b'("text" "x" ("a" "b" "c" "\\"d\\\\") "<i>" "d" "e" 1 2 "md5" ("inline" ("f" "g\\\\")) ("de" "en") "l")'
PDF = b'("application" "pdf" NIL NIL NIL "base64" 12345678901234567890 NIL ("attachment" NIL) "de" NIL)'


def message(inside: bytes, end: bytes = b"", kind: bytes = b'"MESSAGE" "RFC822"') -> bytes:
    return b"(%b NIL NIL NIL NIL 7 %b %b 9%b)" % (kind, NILS, inside, end)


BODIES = [
    TEXT,
    TEXT.replace(b"utf-8", b"x" * 200),
    TEXT.replace(b'"utf-8"', b'"\\"" "a" "b"'),
    FULL,
    PDF,
    b'("message" "delivery-status" NIL NIL NIL "7bit" 5 NIL NIL NIL)',
    b'("message" "global" NIL NIL NIL "7bit" 5) and more',
    b'(%b "mixed")' % TEXT,
    b'(%b%b(%b(%b%b "x" ("boundary" "y") ("inline" NIL) "en" "z") "related" NIL) "MIXED" NIL NIL)' % (FULL, PDF, TEXT, PDF, TEXT),
    b'((((%b "d") "c")%b "b")%b "a")' % (TEXT, PDF, FULL),
    b'(%b %b  (%b %b "x") "mixed")' % (TEXT, FULL, PDF, TEXT),
    message(TEXT),
    message(message(message(b'(%b%b "x")' % (TEXT, PDF), b" NIL")), b' "md5" ("inline" ("a" "b")) ("en") NIL'),
    b'(%b%b(%b "x") "mixed" NIL)'
    % (message(b'(%b%b "x")' % (TEXT, PDF)), message(TEXT), message(PDF, b"", b'"message" "GLOBAL"')),
]
MALFORMED_BODIES = [
    b"NIL",
    b"()",
    b"(((",
    b'("mixed")',
    TEXT[:-1],
    TEXT.replace(b" 2)", b")"),
    TEXT.replace(b" 2)", b" NIL)"),
    TEXT.replace(b" 1 2", b" 1 2 3"),
    TEXT.replace(b" 1 ", b" -1 "),
    TEXT.replace(b" 1 ", b" 123456789012345678901 "),
    TEXT.replace(b" ", b"  "),
    TEXT.replace(b"NIL", b"nil"),
    TEXT.replace(b'"TEXT"', b"NIL"),
    TEXT.replace(b'"TEXT"', b"TEXT"),
    TEXT.replace(b'("CHARSET" "utf-8")', b'("CHARSET")'),
    TEXT.replace(b'("CHARSET" "utf-8")', b'("CHARSET" NIL)'),
    TEXT.replace(b'("CHARSET" "utf-8")', b"()"),
    TEXT.replace(b'"7BIT"', b'"7\\"BIT"'),
    PDF.replace(b" NIL)", b" NIL NIL)"),
    PDF.replace(b' "de" NIL)', b' "de" NIL ("more" 5))'),
    PDF.replace(b"NIL (", b"5 ("),
    b'("message" "rfc822" NIL NIL NIL "7bit" 5 NIL)',
    b'("audio" "x" NIL NIL NIL "7bit" 5 6)',
    b'(%b "mixed"' % TEXT,
    b"(%b)" % TEXT,
    b"(%b 5)" % TEXT,
    b'%b "mixed")' % TEXT,
    b"%b 5)" % TEXT,
    b'((%b "a") 5 "md5")' % TEXT,
    message(TEXT + PDF),
    message(b"NIL"),
    message(TEXT)[:-3] + b' "x")',
    message(TEXT).replace(NILS, b"NIL"),
    message(TEXT).replace(NILS, b"()"),
    message(TEXT).replace(b" 9", b""),
]


def outcome(rule: Callable[[Cursor], Any], parts: tuple[bytes, ...], nesting: int = 1000) -> tuple[Any, ...]:
    """The result or error, the defects, and the rest."""
    cursor = Cursor(parts, nesting=nesting)
    try:
        found = rule(cursor)
    except ParseError as problem:
        found = str(problem)
    return found, cursor.defects, cursor.mark(), cursor.rest()


def assert_same(text: bytes, *more: bytes, nesting: int = 1000) -> None:
    for rule in (envelope, body):
        short = outcome(getattr(rule, rule.__name__.rpartition(".")[2]), (text, *more), nesting)
        assert short == outcome(rule.word_by_word, (text, *more), nesting), text


def whole(cursor: Cursor) -> Any:
    return whole_body(cursor, body.DEEPEST, body.MOST)


@pytest.mark.parametrize("text", ENVELOPES + BODIES)
def test_same_result(text: bytes) -> None:
    assert (envelope.whole_envelope if text in ENVELOPES else whole)(Cursor((text,))) is not None
    assert_same(text)
    assert_same(b" " + text)


@pytest.mark.parametrize("text", MALFORMED_ENVELOPES + MALFORMED_BODIES)
def test_a_malformed_value_is_not_consumed(text: bytes) -> None:
    cursor = Cursor((text,))
    assert (envelope.whole_envelope if text in MALFORMED_ENVELOPES else whole)(cursor) is None
    assert cursor.rest() == text
    assert not cursor.defects
    assert_same(text)


@pytest.mark.parametrize("seed", range(20))
def test_same_result_for_random_changes(seed: int) -> None:
    """One word is added, removed, replaced or repeated, or a literal stands in place of a string."""
    chance = random.Random(seed)
    good = [part for text in ENVELOPES + BODIES for part in [words(text)]]
    others = sorted({word for text in good for word in text} | {b"nil", b"x", b"-1", b"{1}", b'"', b"\\"})
    for text in good:
        for _ in range(8):
            changed = list(text)
            for _ in range(chance.randint(1, 3)):
                at = chance.randrange(len(changed))
                changed[at : at + chance.randint(0, 2)] = chance.choices(others, k=chance.randint(0, 2))
            assert_same(b"".join(changed))
        at = chance.randrange(len(text) + 1)
        assert_same(b"".join(text[:at]) + b"{1}", b"x", b"".join(text[at + chance.randint(0, 1) :]))


def words(text: bytes) -> list[bytes]:
    cursor, found = Cursor((text,)), list[bytes]()
    while not cursor.at_end():
        start = cursor.mark()
        for token in (b"(", b")", b" "):
            if cursor.peek() == token:
                cursor.expect(token)
                break
        else:
            cursor.skip_value()
        found.append(cursor.since(start))
    return found


@pytest.mark.parametrize("depth", [1, 40, 48, 49, 50, 51, 60])
def test_the_limits_are_the_same(depth: int) -> None:
    for text in (b"(" * depth + TEXT + b' "x")' * depth, message(TEXT)):
        for nesting in (1, 2, 3, 4, 5, depth, depth + 2, depth + 3, depth + 4, 1000):
            assert_same(text, nesting=nesting)
    inside = TEXT
    for _ in range(depth):
        inside = message(inside)
    assert_same(inside)
    for nesting in (1, 2, 3, 4):
        assert_same(ENVELOPES[1], nesting=nesting)


def test_the_limit_of_parts_is_the_same() -> None:
    text = b'((%b "x")%b "x")' % (TEXT, TEXT)
    for most, is_read in ((4, True), (3, False)):
        assert (whole_body(Cursor((text,)), body.DEEPEST, most) is not None) == is_read
    for count in (body.MOST - 1, body.MOST):
        assert_same(b'(%b "x")' % (b'("a" "b" NIL NIL NIL NIL 1)' * count))
