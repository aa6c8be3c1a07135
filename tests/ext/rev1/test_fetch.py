"""One pattern reads FETCH responses of flags and numbers alone, with the same result as reading word by word."""

from __future__ import annotations

import random
from typing import Any

import pytest

from imapkit.ext.rev1.fetch import FETCH_ITEMS, FetchData, fetch, fetch_att
from imapkit.plugin import Cursor, item_list

PLAIN = [
    b"(UID 5)",
    b"(FLAGS ())",
    b"(FLAGS (\\Seen))",
    b"(FLAGS (\\Seen $Forwarded a]b) UID 999999999)",
    b"(RFC822.SIZE 0 UID 12 FLAGS (a))",
    b"(FLAGS (\xc3\xa4))",
    b"(UID 5) ",
]
OTHERS = [
    b"()",
    b"(UID 0)",
    b"(UID 4294967296)",
    b"(UID 05)",
    b"(uid 5 flags (a))",
    b"(UID 5 UID 6)",
    b"(UID 5 )",
    b"(UID 5  FLAGS ())",
    b"(UID 5FLAGS ())",
    b"(UID 5",
    b"(UID 5) UID 6",
    b"((UID 5))",
    b"(FLAGS (a  b))",
    b"(FLAGS ( a))",
    b"(FLAGS (a ))",
    b"(FLAGS (a\\Seen))",
    b"(FLAGS (\\))",
    b"(FLAGS (\\*))",
    b"(FLAGS (a(b)))",
    b'(FLAGS ("a"))',
    b"(FLAGS a)",
    b"(UID 5 X-NEW (a b))",
]


def word_by_word(cursor: Cursor) -> FetchData:
    return FetchData(7, item_list(cursor, "FETCH", fetch_att, FETCH_ITEMS), tuple(cursor.defects))


@pytest.mark.parametrize("text", PLAIN + OTHERS)
def test_same_result(text: bytes) -> None:
    cursor, other = Cursor((text,), 7), Cursor((text,), 7)
    assert fetch(cursor) == word_by_word(other)
    assert cursor.mark() == other.mark()


@pytest.mark.parametrize("seed", range(20))
def test_same_result_for_random_responses(seed: int) -> None:
    rng = random.Random(seed)
    words = [b"(", b")", b" ", b" ", b" ", b"UID", b"FLAGS", b"RFC822.SIZE", b"5", b"\\Seen", b"a", b'"']
    for _ in range(200):
        text = b"(" + b"".join(rng.choices(words, k=rng.randrange(12))) + b")"
        assert fetch(Cursor((text,), 7)) == word_by_word(Cursor((text,), 7)), text


@pytest.mark.parametrize("name", ["UID", "FLAGS", "RFC822.SIZE"])
def test_another_family_may_replace_an_item(name: str) -> None:
    def rule(cursor: Cursor) -> Any:
        cursor.value()
        return "read by another"

    found = fetch(Cursor((b"(UID 5 FLAGS (a) RFC822.SIZE 6)",), 7, {("FETCH", name): rule}))
    assert found.items[name] == "read by another"
    assert len(found.items) == 3


def test_a_response_with_a_literal_is_not_plain() -> None:
    parts = (b"(UID 5 BODY[] {1}", b"x", b" FLAGS (a))")
    assert fetch(Cursor(parts, 7)).items == {"UID": 5, "BODY[]": b"x", "FLAGS": (b"a",)}
