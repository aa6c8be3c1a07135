"""Items that a family adds to another response, read with their type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from imapkit.core.contract.extension import Item
from imapkit.core.contract.family import Family
from imapkit.core.contract.result import Answer
from imapkit.core.wire.pieces import Late, Token
from imapkit.core.wire.response import Untagged
from imapkit.plugin import Cursor, Literal, MailboxName, Needs, astring, mailbox, parenthesized
from imapkit.testing import load_only


def words(cursor: Cursor) -> tuple[bytes, ...]:
    cursor.expect(b"(")
    found = []
    while not cursor.try_(b")"):
        cursor.spaces()
        found.append(cursor.atom())
    return tuple(found)


TAGS = Item("FETCH", "X-TAGS", words, tuple)
SIZE = Item("STATUS", "X-SIZE", Cursor.number64, int)
FAMILY = Family("more", items=Item.table(TAGS, SIZE), requires=("rev1",))


def parsed(name: str, number: int | None, text: bytes, *families: Any) -> Any:
    [value] = Answer.of([Untagged(name, number, (text,))], load_only("rev1", *families)).parsed()
    return value


def test_an_item_is_read_by_its_grammar_and_reached_with_its_type() -> None:
    message = parsed("FETCH", 1, b"(X-TAGS (a b) UID 7)", FAMILY)
    assert TAGS.of(message) == (b"a", b"b")
    assert message.uid == 7
    assert SIZE.of(parsed("STATUS", None, b"INBOX (X-SIZE 5 MESSAGES 1)", FAMILY)) == 5


@pytest.mark.parametrize("text", [b"(UID 7)", b"(X-TAGS oops UID 7)"])
def test_a_missing_or_malformed_item_is_none(text: bytes) -> None:
    assert TAGS.of(parsed("FETCH", 1, text, FAMILY)) is None


def test_without_the_family_its_grammar_does_not_count() -> None:
    message = parsed("FETCH", 1, b"(X-TAGS (a b))")
    assert message.items["X-TAGS"] == [b"a", b"b"]
    assert TAGS.of(message) is None


@pytest.mark.parametrize(
    ("tokens", "written"),
    [
        ([], (b"(", b")")),
        ([astring("a"), astring("b c")], (b"(", b'a "b c"', b")")),
        ([b"a", Literal(b"b"), (b"c", Literal(b"d"))], (b"(", b"a ", Literal(b"b"), b" c", Literal(b"d"), b")")),
        ([mailbox(MailboxName(b"x y")), mailbox("ä")], (b"(", b'"x y" ', Late((b'"&AOQ-"',), ('"ä"'.encode(),)), b")")),
    ],
)
def test_tokens_between_parentheses(tokens: list[Token], written: tuple[Any, ...]) -> None:
    assert parenthesized(tokens) == written


def joined(value: tuple[bytes, ...]) -> str:
    return b" ".join(value).decode()


TEXT = Item("FETCH", "X-TEXT", words, tuple, "X-TEXT (LAZY)", Needs("XTEXT") | "X2", made=joined)


def test_an_item_says_what_asks_for_it_and_makes_the_users_value() -> None:
    found: str | None = TEXT.of(parsed("FETCH", 1, b"(X-TEXT (a b))", Family("text", items=Item.table(TEXT))))
    assert found == "a b"
    assert TEXT.of(parsed("FETCH", 1, b"(UID 1)")) is None
    assert (TEXT.asks, TAGS.asks, TAGS.needs, TAGS.made) == ("X-TEXT (LAZY)", "X-TAGS", None, None)
    other = TEXT.requested("X-TEXT")
    assert (other.asks, other.needs, other.made, other.parse) == ("X-TEXT", TEXT.needs, joined, words)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"request": "A\r\nB"}, "Item X-TAGS: request='A\\r\\nB' is no text that can be sent"),
        ({"request": 5}, "Item X-TAGS: request=5 is no text"),
        ({"made": 5}, "Item X-TAGS: made=5 is no function: it is called as made"),
        ({"needs": "A B"}, "a capability is one word"),
        ({"needs": ("A",)}, "a capability is one word"),
    ],
)
def test_what_is_declared_wrongly_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        Item.table(replace(TAGS, **fields))
    assert said in str(caught.value)
