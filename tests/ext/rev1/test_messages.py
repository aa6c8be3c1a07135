"""Messages as ``fetch`` gives them: what is read of them, when, and what a server does differently."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from imapkit import BODY, DATE, ENVELOPE, FLAGS, HEADER, SIZE, ArgumentError, Client, Flags, Message, Missing, NotFetched, section
from imapkit.ext.rev1 import FetchData
from imapkit.ext.rev1.messages import messages
from imapkit.plugin import Cursor, Family, Item, Needs, Reply, Run
from imapkit.testing import Handler, answering, selected, within

ROW = (
    b'* 3 FETCH (UID 7 FLAGS (\\Seen) RFC822.SIZE 44827 INTERNALDATE "17-Jul-1996 02:44:25 -0700" '
    b'ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" "=?utf-8?q?Gr=C3=BC=C3=9Fe?=" '
    b'(("Ada" NIL "ada" "example.org")) NIL NIL NIL NIL NIL NIL "<m@example.org>") '
    b'BODYSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 30 2) '
    b"BODY[HEADER] {14}\r\nSubject: x\r\n\r\n BODY[1] NIL)\r\n"
)


@contextmanager
def box(handler: Handler, *families: Any) -> Iterator[Any]:
    chosen = ["rev1", *families]
    with selected({"UID FETCH": handler}, families=chosen) as (raw, _), within(30), Client.over(raw).select("a") as opened:
        yield opened


def of(*rows: bytes, items: tuple[Any, ...] = (FLAGS,)) -> list[Message]:
    with box(answering(b"".join(rows))) as opened:
        return list(opened.fetch([1, 2, 3, 5, 7, 9, 4294967295], *items))


def test_every_item() -> None:
    [message] = of(ROW, items=(ENVELOPE, FLAGS, BODY, SIZE, DATE, HEADER, section("1")))
    assert message.uid == 7
    assert message[FLAGS] is message.flags
    assert set(message.flags) == {"\\Seen"}
    assert "\\SEEN" in message.flags
    assert isinstance(message.flags, Flags)
    assert message[SIZE] == message.size == 44827
    assert message[DATE] == message.date == datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)
    assert message[ENVELOPE] is message.envelope
    assert message.envelope.from_[0].email == "ada@example.org"
    assert message[BODY].content_type == message.body.content_type == "text/plain"
    assert message[HEADER] == b"Subject: x\r\n\r\n"
    assert message.defects == ()
    assert repr(message) == "<Message 7>"


def test_what_was_not_fetched_or_is_not_there() -> None:
    [message] = of(ROW)
    with pytest.raises(NotFetched, match=r"message 7: BODY\[TEXT\] was not fetched"):
        message[section("TEXT")]
    with pytest.raises(KeyError):
        message[section("1")]
    assert message.get(section("1")) is None
    assert section("1") not in message
    assert HEADER in message
    [other] = of(b"* 1 FETCH (UID 1)\r\n")
    with pytest.raises(NotFetched):
        _ = other.flags


def test_what_is_asked_for() -> None:
    asked: list[bytes] = []

    def fetch(conversation: Any, command: Any) -> None:
        asked.append(command.args)
        conversation.ok(command)

    with box(fetch) as opened:
        assert list(opened.fetch(1)) == []
        assert list(opened.fetch([2, 3], ENVELOPE, FLAGS, ENVELOPE, section("1.2"), BODY)) == []
    assert asked == [b"1 (UID)", b"2:3 (UID ENVELOPE FLAGS BODY.PEEK[1.2] BODYSTRUCTURE)"]


@pytest.mark.parametrize("name", ["1]", "x y", "HEADER.FIELDS (É)", "1\r\n", 1])
def test_what_is_no_section(name: Any) -> None:
    with pytest.raises(ArgumentError, match="not a section"):
        section(name)


def test_a_section_that_the_server_spells_otherwise() -> None:
    wanted = section("HEADER.FIELDS (Subject DATE)")
    [message] = of(b'* 1 FETCH (UID 1 BODY[HEADER.FIELDS ("DATE" "SUBJECT")] {2}\r\n\r\n)\r\n', items=(wanted,))
    assert message[wanted] == b"\r\n"


@pytest.mark.parametrize(
    ("what", "text"),
    [("FLAGS", "items, such as imapkit.FLAGS"), (b"FLAGS", "items"), (Item("STATUS", "SIZE", Cursor.number, int), "STATUS")],
)
def test_what_is_no_item(what: Any, text: str) -> None:
    with box(answering()) as opened, pytest.raises((TypeError, ArgumentError), match=text):
        list(opened.fetch(1, what))


ROWS = {
    "UID before": b"* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n* 2 FETCH (UID 7 FLAGS ())\r\n",
    "UID behind": b"* 1 FETCH (FLAGS (\\Seen) UID 5)\r\n* 2 FETCH (FLAGS () UID 7)\r\n",
    "both": b"* 1 FETCH (FLAGS (\\Seen) UID 5)\r\n* 2 FETCH (UID 7 FLAGS ())\r\n",
    "in disorder": b"* 2 FETCH (UID 7 FLAGS ())\r\n* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n",
    "spaces": b"* 1 FETCH (UID 5  FLAGS ( \\Seen))\r\n* 2 FETCH (UID 7 FLAGS ())\r\n",
    "lower case": b"* 1 fetch (uid 5 flags (\\Seen))\r\n* 2 FETCH (UID 7 FLAGS ())\r\n",
    "more items": b"* 1 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (12))\r\n* 2 FETCH (UID 7 FLAGS ())\r\n",
    "literals": b"* 1 FETCH (UID 5 FLAGS (\\Seen) BODY[1] {2}\r\nab)\r\n* 2 FETCH (UID 7 BODY[1] {2}\r\nab FLAGS ())\r\n",
    "an answer without UID": b"* 9 FETCH (FLAGS (a))\r\n* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n* 2 FETCH (UID 7 FLAGS ())\r\n",
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_in_any_form_are_the_same_messages(name: str) -> None:
    found = of(ROWS[name])
    assert [(message.uid, set(message.flags)) for message in found] == [(5, {"\\Seen"}), (7, set())]
    assert [message[FLAGS] for message in found] == [message.flags for message in found]


def test_many_rows_are_read_as_one_by_one() -> None:
    """All that the fast way reads has the same meaning as the row's record."""
    flags = [b"", b"\\Seen", b"\\Seen $Label1 NonJunk", b"\\*", b"a]b", b"\\Seen \\Seen"]
    rows = b"".join(b"* %d FETCH (UID %d FLAGS (%b))\r\n" % (n, n, flags[n % len(flags)]) for n in range(1, 400))
    with box(answering(rows)) as opened:
        found = list(opened.fetch(range(1, 400), FLAGS))
        raw = vars(opened)["_link"].raw
        records = raw.fetch("1:399", "FLAGS", uid=True)[1].parsed(FetchData)
    assert [message.uid for message in found] == list(range(1, 400))
    assert [message.flags for message in found] == [record.flags for record in records]
    assert [message.defects for message in found] == [record.defects for record in records]


def of_run(*texts: bytes) -> list[tuple[int, set[str]]]:
    """The messages of a run of these rows, with their flags."""
    run = Run("FETCH", [(b"%d" % number, text) for number, text in enumerate(texts, 1)])
    with box(answering()) as opened:
        done: Any = SimpleNamespace(received=[run])
        return [(message.uid, set(message.get(FLAGS) or ())) for message in messages(Reply(done, vars(opened)["_link"]))]


def test_a_run_of_rows() -> None:
    assert of_run(b"(UID 5 FLAGS (a))", b"(FLAGS (b c) UID 7)") == [(5, {"a"}), (7, {"b", "c"})]
    # A line feed in a row makes no row of its own.
    assert of_run(b'(UID 5 XX "\n(UID 9 FLAGS ())\n")') == [(5, set())]
    # Without a UID nothing says which message it is about.
    assert of_run(b"(FLAGS (a))", b"(UID 7 FLAGS (b))") == [(7, {"b"})]
    # Of two rows about one message the later flags count.
    assert of_run(b"(UID 7 FLAGS (a b))", b"(UID 7 FLAGS (c))") == [(7, {"c"})]


def test_several_responses_about_one_message_are_one_message() -> None:
    rows = b"* 3 FETCH (UID 7 FLAGS ())\r\n* 1 FETCH (UID 5 FLAGS ())\r\n* 3 FETCH (UID 7 RFC822.SIZE 9)\r\n"
    one, two = of(rows + b"* 3 FETCH (UID 7 FLAGS (a))\r\n")
    assert (one.uid, set(one.flags)) == (5, set())
    assert (two.uid, set(two.flags), two.size) == (7, {"a"}, 9)


def test_a_malformed_item_is_a_defect_and_the_others_are_read() -> None:
    [message] = of(b"* 1 FETCH (UID 7 RFC822.SIZE big FLAGS (\\Seen))\r\n")
    assert set(message.flags) == {"\\Seen"}
    assert [defect.what for defect in message.defects] == ["FETCH RFC822.SIZE: expected number"]
    with pytest.raises(NotFetched):
        _ = message.size


def test_what_cannot_be_read_at_all_is_noted_when_it_is_looked_at() -> None:
    with box(answering(b"* 3 FETCH (UID 7 RFC822.SIZE big)\r\n")) as opened:
        raw = vars(opened)["_link"].raw
        [message] = opened.fetch(7, SIZE)
        assert not raw.defects
        assert message.get(SIZE) is None
        assert [defect.what for defect in raw.defects] == ["FETCH RFC822.SIZE: expected number"]


def labels(cursor: Cursor) -> tuple[bytes, ...]:
    return cursor.flag_list()


LABELS = Item("FETCH", "XLABELS", labels, tuple, made=lambda value: [each.decode() for each in value], needs="XLABELS")


def test_another_familys_item_and_what_it_needs() -> None:
    family = Family("labels", items=Item.table(LABELS), contract=2)
    rows = answering(b"* 1 FETCH (UID 7 XLABELS (a b))\r\n")
    with served(rows, family, b"IMAP4rev1 XLABELS") as (opened, _):
        [message] = opened.fetch(7, LABELS)
        assert message[LABELS] == ["a", "b"]
    with served(rows, family, b"IMAP4rev1") as (opened, server), pytest.raises(Missing, match="XLABELS"):
        list(opened.fetch(7, LABELS))
    assert "UID FETCH" not in server.names


@pytest.mark.parametrize(("announced", "allowed"), [(b"IMAP4rev1 XNEW", True), (b"IMAP4rev1 XOLD", True), (b"IMAP4rev1", False)])
def test_what_an_item_needs_may_be_combined(announced: bytes, allowed: bool) -> None:
    item = Item("FETCH", "XLABELS", labels, tuple, needs=Needs("XNEW") | Needs("XOLD"))
    family = Family("labels", items=Item.table(item), contract=2)
    with served(answering(b"* 1 FETCH (UID 7 XLABELS (a b))\r\n"), family, announced) as (opened, server):
        with nullcontext() if allowed else pytest.raises(Missing, match="XNEW or XOLD"):
            assert [message[item] for message in opened.fetch(7, item)] == [(b"a", b"b")]
        assert ("UID FETCH" in server.names) is allowed


@contextmanager
def served(handler: Handler, family: Family, capabilities: bytes) -> Iterator[tuple[Any, Any]]:
    with selected({"UID FETCH": handler}, families=["rev1", family], capabilities=capabilities) as (raw, server), within(30):
        yield Client.over(raw).select("a"), server


def test_any_thread_may_look_at_a_message() -> None:
    [message] = of(ROW)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append((message.envelope.message_id, message.size))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [("<m@example.org>", 44827)] * 4
