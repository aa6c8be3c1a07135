"""The typed commands for a selected mailbox: what is sent, what becomes of the answer, and what a mistake is told."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import (
    FLAGS,
    SIZE,
    ArgumentError,
    BadCharset,
    Client,
    Copied,
    DeadlineExceeded,
    MailboxClosed,
    Missing,
    NoAnswer,
    NoResponse,
    Role,
    TryCreate,
    UIDSet,
    q,
)
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer, answering, refusing, selected, within

DONE = answering()


@contextmanager
def serving(handlers: Mapping[str, Handler], capabilities: bytes = b"IMAP4rev1") -> Iterator[tuple[Any, ScriptedServer]]:
    with selected(handlers, families=["rev1"], capabilities=capabilities) as (raw, server), within(30):
        yield Client.over(raw).select("a"), server


def rows(conversation: Conversation, command: ReceivedCommand) -> None:
    """A message for each UID that is asked for, up to 3000."""
    uids = [uid for uid in UIDSet(command.args.split(b" ")[0].decode()) if uid <= 3000]
    conversation.ok(command, untagged=b"".join(b"* %d FETCH (UID %d FLAGS (a%d))\r\n" % (uid, uid, uid) for uid in uids))


def sent(server: ScriptedServer, name: str) -> list[bytes]:
    return [command.args for command in server.commands if command.name == name]


# search


def test_search() -> None:
    with serving({"UID SEARCH": answering(b"* SEARCH 9 2 3\r\n")}) as (box, server):
        assert box.search(q.unseen & ~q.from_("ada")) == UIDSet("2:3,9")
        assert box.search() == UIDSet("2:3,9")
        assert sent(server, "UID SEARCH") == [b'UNSEEN NOT FROM "ada"', b"ALL"]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"", ""),
        (b"* SEARCH\r\n", ""),
        (b"* SEARCH 1 2\r\n* SEARCH 7\r\n", "1:2,7"),
        (b"* SEARCH 1 2 (MODSEQ 917)\r\n", "1:2"),
        (b"* SEARCH 0 5 4294967296\r\n", "5"),
    ],
)
def test_what_a_search_finds(said: bytes, found: str) -> None:
    with serving({"UID SEARCH": answering(said)}) as (box, _):
        assert box.search(q.all_) == UIDSet(found)


def test_a_search_response_that_cannot_be_read_is_an_error() -> None:
    with serving({"UID SEARCH": answering(b"* SEARCH 1 2\r\n* SEARCH 7 x\r\n")}) as (box, _), pytest.raises(NoAnswer):
        box.search(q.all_)


def choosy(*charsets: bytes) -> Handler:
    """A server that knows these charsets only."""

    def search(conversation: Conversation, command: ReceivedCommand) -> None:
        words = command.args.split(b" ")
        if words[0] == b"CHARSET" and words[1] not in charsets:
            conversation.no(command, b"[BADCHARSET (%b)] no" % b" ".join(charsets) if charsets else b"[BADCHARSET] no")
        else:
            conversation.ok(command, untagged=b"* SEARCH 4\r\n")

    return search


def test_a_search_is_sent_again_in_a_charset_that_the_server_knows() -> None:
    with serving({"UID SEARCH": choosy(b"US-ASCII", b"X-NONE", b"ISO-8859-1")}) as (box, server):
        assert box.search(q.subject("Grüße")) == UIDSet("4")
        assert [args.split(b" ")[1] for args in sent(server, "UID SEARCH")] == [b"UTF-8", b"ISO-8859-1"]
        assert server.commands[-1].literals == [b"Gr\xfc\xdfe"]
        with pytest.raises(BadCharset):
            box.search(q.subject("привет"))
        assert box.nowait.search(q.subject("Grüße")).result(10) == UIDSet("4")
    with serving({"UID SEARCH": choosy()}) as (box, server), pytest.raises(BadCharset):
        box.search(q.subject("Grüße"))
    assert len(sent(server, "UID SEARCH")) == 1


def test_a_charset_that_the_server_names_and_refuses() -> None:
    def search(conversation: Conversation, command: ReceivedCommand) -> None:
        if command.args.startswith(b"CHARSET ISO-8859-15 "):
            conversation.ok(command, untagged=b"* SEARCH 4\r\n")
        else:
            conversation.no(command, b"[BADCHARSET (ISO-8859-1 ISO-8859-15)] no")

    with serving({"UID SEARCH": search}) as (box, server):
        assert box.search(q.subject("Grüße")) == UIDSet("4")
        assert len(sent(server, "UID SEARCH")) == 3


@pytest.mark.parametrize("key", ["UNSEEN", b"UNSEEN", [1, 2], None])
def test_what_is_no_search_key(key: Any) -> None:
    with serving({}) as (box, server), pytest.raises(TypeError, match="a search takes a key, such as"):
        box.search(key)
    assert "UID SEARCH" not in server.names


# which messages


@pytest.mark.parametrize("which", ["1:*", b"1", True, 1.5, "7"])
@pytest.mark.parametrize("call", ["add_flags", "copy", "fetch"])
def test_what_names_no_messages(which: Any, call: str) -> None:
    with serving({}) as (box, server):
        before = list(server.names)
        with pytest.raises(TypeError):
            list(box.fetch(which)) if call == "fetch" else getattr(box, call)(which, "x")
        assert server.names == before


def test_text_for_messages_says_what_to_write() -> None:
    told = r"messages are UIDs, a UIDSet or a search key, not str: UIDSet\('1:4'\)"
    with serving({}) as (box, _), pytest.raises(TypeError, match=told):
        box.add_flags("1:4", "\\Seen")


def test_an_empty_set_sends_nothing() -> None:
    with serving({"UID SEARCH": answering(b"* SEARCH\r\n")}) as (box, server):
        before = len(server.names)
        assert list(box.fetch([], FLAGS)) == []
        assert box.add_flags(UIDSet(), "\\Seen") == UIDSet()
        assert box.copy((), "b") == box.copy([], Role.SENT) == Copied(None, {})
        assert len(server.names) == before
        assert box.set_flags(q.seen) == UIDSet()
        assert server.names[before:] == ["UID SEARCH"]


def test_a_key_is_searched_first_in_every_call() -> None:
    handlers = {"UID SEARCH": answering(b"* SEARCH 2 3\r\n"), "UID FETCH": rows, "UID STORE": DONE, "UID COPY": DONE}
    with serving(handlers) as (box, server):
        assert [message.uid for message in box.fetch(q.unseen, FLAGS)] == [2, 3]
        assert box.add_flags(q.unseen, "x") == UIDSet("2:3")
        box.copy(q.unseen, "b")
        assert server.names[-6:] == ["UID SEARCH", "UID FETCH", "UID SEARCH", "UID STORE", "UID SEARCH", "UID COPY"]


# fetch


def test_fetch_in_chunks_forwards_and_backwards() -> None:
    with serving({"UID FETCH": rows}) as (box, server):
        assert [message.uid for message in box.fetch(range(1, 1001), FLAGS, chunk=300)] == list(range(1, 1001))
        assert [args.split(b" ")[0] for args in sent(server, "UID FETCH")] == [b"1:300", b"301:600", b"601:900", b"901:1000"]
        assert [message.uid for message in box.fetch(range(1, 701), FLAGS, reverse=True, chunk=300)] == list(range(700, 0, -1))
        assert {message.uid: set(message.flags) for message in box.fetch([5, 9], FLAGS)} == {5: {"a5"}, 9: {"a9"}}


def test_the_next_chunk_is_on_its_way_while_one_is_looked_at() -> None:
    with serving({"UID FETCH": rows, "NOOP": DONE}) as (box, server):
        stream = box.fetch(range(1, 1501), FLAGS)
        assert next(stream).uid == 1
        # (The first step has sent two chunks; the second is answered before anything else.)
        Client.over(vars(box)["_link"].raw).noop()
        assert server.names[-3:] == ["UID FETCH", "UID FETCH", "NOOP"]
        assert sum(1 for _ in stream) == 1499
        assert len(sent(server, "UID FETCH")) == 3


def test_commands_in_the_loop() -> None:
    with serving({"UID FETCH": rows, "UID STORE": DONE}) as (box, server):
        for message in box.fetch(range(1, 5), FLAGS, chunk=2):
            box.add_flags(message.uid, "x")
        assert len(sent(server, "UID STORE")) == 4


class Held:
    """Answers the first FETCH, and the others only when they are let go."""

    def __init__(self) -> None:
        self.go, self.came = threading.Event(), threading.Event()

    def __call__(self, conversation: Conversation, command: ReceivedCommand) -> None:
        if not command.args.startswith(b"1:"):
            self.came.set()
            assert self.go.wait(10)
        rows(conversation, command)


def test_break_gives_the_next_chunk_up() -> None:
    held = Held()
    with serving({"UID FETCH": held, "UID STORE": DONE}) as (box, server):
        for message in box.fetch(range(1, 3001), FLAGS):
            assert message.uid == 1
            assert held.came.wait(10)
            break
        gc.collect()
        held.go.set()
        box.add_flags(1, "x")
        assert len(sent(server, "UID FETCH")) == 2
        # (What came late is no news.)
        assert vars(box)["_link"].raw.response("FETCH") == ("FETCH", [None])


def test_a_late_chunk_is_given_up_and_the_connection_goes_on() -> None:
    held = Held()
    with serving({"UID FETCH": held, "UID STORE": DONE}) as (box, server):
        stream = box.with_options(timeout=0.2).fetch(range(1, 1001), FLAGS)
        with pytest.raises(DeadlineExceeded):
            list(stream)
        held.go.set()
        box.add_flags(1, "x")
        assert server.names[-1] == "UID STORE"


def test_a_future_of_messages_is_cancelled() -> None:
    held = Held()
    with serving({"UID FETCH": held, "UID STORE": DONE}) as (box, server):
        future = box.nowait.fetch(range(1, 5001), FLAGS)
        assert held.came.wait(10)
        assert future.cancel()
        held.go.set()
        box.add_flags(1, "x")
        assert len(sent(server, "UID FETCH")) <= 3


def test_a_refusal_in_a_later_chunk_is_raised_there() -> None:
    def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
        if command.args.startswith(b"1:"):
            rows(conversation, command)
        else:
            conversation.no(command, b"[UNAVAILABLE] not now")

    with serving({"UID FETCH": fetch}) as (box, _):
        stream = box.fetch(range(1, 2001), FLAGS)
        assert [next(stream).uid for _ in range(500)] == list(range(1, 501))
        with pytest.raises(NoResponse, match="not now"):
            next(stream)


def test_fetch_by_every_face() -> None:
    with serving({"UID FETCH": rows}) as (box, _):
        assert [message.uid for message in box.nowait.fetch(range(1, 1201), FLAGS).result(10)] == list(range(1, 1201))

    with selected({"UID FETCH": rows}, families=["rev1"]) as (raw, _), within(30):

        async def read() -> list[int]:
            async with Client.over(raw).asynchronous.select("a") as opened:
                async for message in opened.fetch(range(1, 3001), FLAGS):
                    assert message.uid == 1
                    break
                return [message.uid async for message in opened.fetch(range(1, 1201), FLAGS, reverse=True)]

        assert asyncio.run(read()) == list(range(1200, 0, -1))


def test_a_chunk_of_none_is_a_mistake() -> None:
    with serving({}) as (box, _), pytest.raises(ArgumentError, match="chunk=0: at least one"):
        list(box.fetch(1, SIZE, chunk=0))


def test_a_mailbox_that_was_left() -> None:
    with serving({"UID FETCH": rows}) as (box, _):
        stream = box.fetch(range(1, 2001), FLAGS)
        next(stream)
        box.close()
        with pytest.raises(MailboxClosed):
            list(stream)
        with pytest.raises(MailboxClosed):
            box.search()


# flags


def test_flags() -> None:
    with serving({"UID STORE": DONE}) as (box, server):
        assert box.add_flags([3, 1, 2], "\\Seen", "$Forwarded") == UIDSet("1:3")
        box.remove_flags(7, "\\Seen", silent=False)
        box.set_flags(UIDSet("5,9"), "a")
        box.set_flags(5)
        assert sent(server, "UID STORE") == [
            b"1:3 +FLAGS.SILENT (\\Seen $Forwarded)",
            b"7 -FLAGS (\\Seen)",
            b"5,9 FLAGS.SILENT (a)",
            b"5 FLAGS.SILENT ()",
        ]
        assert box.nowait.add_flags(4, "x").result(10) == UIDSet("4")


@pytest.mark.parametrize(
    ("flags", "error", "text"),
    [
        ((), ArgumentError, "no flag is given"),
        (("\\Seen \\Deleted",), ArgumentError, "not one flag"),
        (("(\\Seen)",), ArgumentError, "not one flag"),
        (("",), ArgumentError, "not one flag"),
        (("a*",), ArgumentError, "cannot be part of a flag"),
        ((["\\Seen"],), TypeError, "each is an argument of its own, not list"),
        ((b"\\Seen",), TypeError, "not bytes"),
    ],
)
def test_what_are_no_flags(flags: tuple[Any, ...], error: type[Exception], text: str) -> None:
    with serving({}) as (box, server), pytest.raises(error, match=text):
        box.add_flags(1, *flags)
    assert "UID STORE" not in server.names


@pytest.mark.parametrize("call", ["add_flags", "copy"])
def test_a_long_set_is_split(call: str) -> None:
    uids = UIDSet(range(1, 40_000, 2))
    with serving({"UID STORE": DONE, "UID COPY": answering(text=b"[COPYUID 3 1 9] ok")}) as (box, server):
        getattr(box, call)(uids, "x")
        lines = sent(server, "UID STORE" if call == "add_flags" else "UID COPY")
        assert len(lines) > 10
        assert max(map(len, lines)) <= 8192 - len("A123456 UID STORE \r\n")
        assert UIDSet(",".join(line.split(b" ")[0].decode() for line in lines)) == uids


# copy


def test_copy_keeps_the_order_that_the_server_gives() -> None:
    with serving({"UID COPY": answering(text=b"[COPYUID 38 4,2 9:10] done")}) as (box, server):
        assert box.copy([2, 4], "b") == Copied(38, {4: 9, 2: 10})
        assert server.commands[-1].args == b"2,4 b"
    with serving({"UID COPY": answering(b"* OK [COPYUID 38 2,4 9:10] done\r\n")}) as (box, _):
        assert box.copy([2, 4], "b").uids == {2: 9, 4: 10}
    with serving({"UID COPY": DONE}) as (box, _):
        assert box.copy([2, 4], "b") == Copied(None, None)


def test_copies_of_different_messages_overlap() -> None:
    def copy(conversation: Conversation, command: ReceivedCommand) -> None:
        later.append((conversation, command))
        if len(later) == 2:
            for talk, asked in reversed(later):
                uid = asked.args.split(b" ")[0]
                talk.send(b"* OK [COPYUID 1 %b 1%b] x\r\n" % (uid, uid))
            for talk, asked in later:
                talk.ok(asked)

    later: list[tuple[Conversation, ReceivedCommand]] = []
    with serving({"UID COPY": copy}) as (box, _):
        one, two = box.nowait.copy(2, "b"), box.nowait.copy(4, "b")
        assert (one.result(10).uids, two.result(10).uids) == ({2: 12}, {4: 14})


def test_copy_to_a_role() -> None:
    listed = answering(b'* LIST (\\Sent) "/" Post\r\n* LIST () "/" b\r\n')
    with serving({"UID COPY": DONE, "LIST": listed}) as (box, server):
        box.copy(1, Role.SENT)
        assert server.commands[-1].args == b"1 Post"
        with pytest.raises(Missing, match="Junk"):
            box.copy(1, Role.JUNK)


def test_copy_that_is_refused() -> None:
    with serving({"UID COPY": refusing(b"[TRYCREATE] no such mailbox")}) as (box, _), pytest.raises(TryCreate):
        box.copy(1, "b")


def test_check() -> None:
    with serving({"CHECK": DONE}) as (box, server):
        assert box.check() is None
        assert server.names[-1] == "CHECK"
