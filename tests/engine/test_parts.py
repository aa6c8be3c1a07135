"""FETCHes of different parts of one message: which may be in flight together, and whose answer a response is."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.core.wire.numbers import NumberSet
from imapkit.core.wire.response import Untagged
from imapkit.ext.rev1.arguments import about_messages, is_about_messages
from imapkit.testing import Conversation, ReceivedCommand, at_once, crossed
from tests.core.rig import selected
from tests.engine.test_gate import Queue


@pytest.fixture
def queue() -> Queue:
    return Queue()


def part(name: str | None, number: str = "7") -> NumberSet:
    return NumberSet(number, uid=True, part=name)


def test_different_parts_of_a_message_are_sent_together_and_equal_ones_follow_one_another(queue: Queue) -> None:
    queue.add("a", "A", about=part("[2]<0>"))
    queue.add("b", "A", about=part("[2]<9>"))
    queue.add("other", "A", about=part("[2]<0>", "8"))
    queue.add("again", "A", about=part("[2]<0>"))
    assert queue.ready() == "a b other"
    queue.send("a", "b")
    queue.land("b")
    assert queue.ready() == "other"
    queue.land("a")
    assert queue.ready() == "other again"
    queue.finish()


@pytest.mark.parametrize(("first", "second"), [(None, "[2]<0>"), ("[2]<0>", None)])
@pytest.mark.parametrize("numbers", ["7", "5:9"])
def test_a_part_and_the_whole_message_follow_one_another(
    queue: Queue, first: str | None, second: str | None, numbers: str
) -> None:
    queue.add("one", "A", about=part(first, "7" if first else numbers))
    queue.add("two", "A", about=part(second, "7" if second else numbers))
    assert queue.ready() == "one"
    queue.finish()


def test_the_whole_waits_for_the_last_part(queue: Queue) -> None:
    queue.add("a", "A", about=part("[2]<0>"))
    queue.add("b", "A", about=part("[2]<9>"))
    queue.add("whole", "A", about=part(None))
    queue.send("a", "b")
    queue.land("a")
    assert queue.ready() == ""
    queue.land("b")
    assert queue.ready() == "whole"
    queue.finish()


def test_a_set_of_messages_has_no_part() -> None:
    assert NumberSet("7:8", part="[2]<0>").part is None
    assert NumberSet("7:*", part="[2]<0>").part is None
    assert not NumberSet("7").isdisjoint(NumberSet("7", part="[2]<0>"))
    assert NumberSet("7", part="[2]<9>").isdisjoint(NumberSet("7", part="[2]<0>"))


@pytest.mark.parametrize(
    ("items", "name"),
    [
        ("BODY.PEEK[2]<0.1024>", "BODY[2]<0>"),
        (b"(UID body.peek[2.text]<1024.1024>)", "BODY[2.TEXT]<1024>"),
        ("(BODY[]<5.1> UID)", "BODY[]<5>"),
        ("BINARY.PEEK[2]<0.9>", "BINARY[2]<0>"),
        ("BODY.PEEK[2]", None),
        ("(FLAGS BODY.PEEK[2]<0.1024>)", None),
        ("(BODY.PEEK[2]<0.1024> BODY.PEEK[3]<0.1024>)", None),
        ("BODY.PEEK[HEADER.FIELDS (TO)]<0.1024>", None),
        (["UID"], None),
    ],
)
def test_the_part_that_a_fetch_asks_for(items: Any, name: str | None) -> None:
    assert about_messages(("7", items), uid=True).part == name
    assert about_messages(("7:8", items), uid=True).part is None


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        (b"(UID 7 BODY[2]<1024> {2}\r\n", True),
        (b"(BODY.PEEK[2]<1024.2> NIL UID 7)", True),
        (b'(UID 7 BODY[2]<0> "BODY[2]<1024>")', False),
        (b"(UID 8 BODY[2]<1024> NIL)", None),
        (b"(UID 7 FLAGS (\\Seen))", None),
        (b"(UID 7 BODY[2] NIL)", None),
        (b"(UID 7 BODY[3]<1024> NIL)", False),
    ],
)
def test_whose_answer_a_response_is(items: bytes, verdict: bool | None) -> None:
    wanted = part("BODY[2]<1024>")
    parts = (items.removesuffix(b"\r\n"), b"ab", b")") if items.endswith(b"\n") else (items,)
    found = is_about_messages(wanted, Untagged("FETCH", 3, parts))
    if b"UID 8" in items:
        assert found is False
    elif verdict is False:
        assert isinstance(found, str), "only if no other command can be meant"
    else:
        assert found is verdict


def _pieces(second: bytes, first: bytes) -> Any:
    return crossed({b"7 (UID BODY.PEEK[2]<0.4>)": first, b"7 (UID BODY.PEEK[2]<4.4>)": second})


def _fetched(client: Any) -> tuple[Any, Any]:
    one, other = at_once(
        lambda: client.uid("FETCH", "7", "(UID BODY.PEEK[2]<0.4>)"), lambda: client.uid("FETCH", "7", "(UID BODY.PEEK[2]<4.4>)")
    )
    return one, other


def test_answers_of_two_parts_in_the_other_order_go_to_their_commands() -> None:
    first, second = (b"* 3 FETCH (UID 7 BODY[2]<%d> {4}\r\n%b)\r\n" % each for each in ((0, b"head"), (4, b"tail")))
    with selected({"UID FETCH": _pieces(first, second)}) as (client, _):
        one, other = _fetched(client)
    assert one == ("OK", [(b"3 (UID 7 BODY[2]<0> {4}", b"head"), b")"])
    assert other == ("OK", [(b"3 (UID 7 BODY[2]<4> {4}", b"tail"), b")"])


def test_answers_without_an_origin_go_to_neither_of_two_commands() -> None:
    first, second = (b"* 3 FETCH (UID 7 BODY[2] {4}\r\n%b)\r\n" % each for each in (b"head", b"tail"))
    with selected({"UID FETCH": _pieces(first, second)}) as (client, _):
        assert _fetched(client) == (("OK", [None]), ("OK", [None]))
        kept = client.response("FETCH")[1]
        assert sorted(each[1] for each in kept if isinstance(each, tuple)) == [b"head", b"tail"]


def test_an_answer_without_an_origin_is_that_of_the_only_command() -> None:
    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* 3 FETCH (UID 7 BODY[2] {4}\r\nhead)\r\n* 3 FETCH (FLAGS (a) UID 7)\r\n")

    with selected({"UID FETCH": answer}) as (client, _):
        found = client.uid("FETCH", "7", "(UID BODY.PEEK[2]<0.4>)")
        assert found == ("OK", [(b"3 (UID 7 BODY[2] {4}", b"head"), b")", b"3 (FLAGS (a) UID 7)"])
