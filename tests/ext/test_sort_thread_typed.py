"""The typed ``sort`` and ``thread``: lists of UIDs and of threads, in the server's order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest

from imapkit import BadCharset, Client, Missing, NoResponse, q, sort
from imapkit.ext.sort_thread import Thread
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer, answering, refusing, selected, within

ALL = b"SORT SORT=DISPLAY THREAD=REFERENCES"
SORTED = answering(b"* SORT 5 3 9\r\n")


@contextmanager
def serving(handlers: Mapping[str, Handler], capabilities: bytes = ALL) -> Iterator[tuple[Any, ScriptedServer]]:
    options = {"families": ["rev1", "sort_thread"], "capabilities": b"IMAP4rev1 " + capabilities}
    with selected(handlers, **options) as (raw, server), within(30):
        yield Client.over(raw).select("a"), server


def test_sort_keeps_the_order() -> None:
    with serving({"UID SORT": SORTED}) as (box, server):
        assert box.sort(q.unseen, -sort.ARRIVAL, sort.SUBJECT) == [5, 3, 9]
        assert server.commands[-1].args == b"(REVERSE ARRIVAL SUBJECT) US-ASCII UNSEEN"
        assert box.nowait.sort(q.all_, sort.DISPLAYFROM).result(10) == [5, 3, 9]
        assert server.commands[-1].args == b"(DISPLAYFROM) US-ASCII ALL"
    with serving({"UID SORT": answering(b"* SORT\r\n")}) as (box, _):
        assert box.sort(q.all_, sort.DATE) == []
    with serving({"UID SORT": answering(b"* SORT 5 3\r\n* SORT 9\r\n")}) as (box, _):
        assert box.sort(q.all_, sort.DATE) == [5, 3, 9]


def test_thread() -> None:
    threads = [Thread((2,)), Thread((3, 6), (Thread((4, 23)), Thread((44, 7, 96))))]
    with serving({"UID THREAD": answering(b"* THREAD (2)(3 6 (4 23)(44 7 96))\r\n")}) as (box, server):
        assert box.thread(q.since(date(2026, 1, 1))) == threads
        assert server.commands[-1].args == b"REFERENCES US-ASCII SINCE 1-Jan-2026"
        assert [thread.root for thread in box.nowait.thread().result(10)] == [2, 3]
        assert server.commands[-1].args == b"REFERENCES US-ASCII ALL"
        with pytest.raises(Missing, match="THREAD=REFS"):
            box.thread(algorithm="REFS")


def test_by_asyncio() -> None:
    handlers = {"UID SORT": SORTED, "UID THREAD": answering(b"* THREAD (2)\r\n")}
    options = {"families": ["rev1", "sort_thread"], "capabilities": b"IMAP4rev1 " + ALL}
    with selected(handlers, **options) as (raw, _), within(30):

        async def ask() -> tuple[list[int], list[Thread]]:
            async with Client.over(raw).asynchronous.select("a") as box:
                return await box.sort(q.all_, sort.DATE), await box.thread()

        assert asyncio.run(ask()) == ([5, 3, 9], [Thread((2,))])


def test_text_of_any_script_and_a_server_that_lacks_utf_8() -> None:
    def one_charset(conversation: Conversation, command: ReceivedCommand) -> None:
        if b" ISO-8859-1 " in command.args:
            conversation.ok(command, untagged=b"* SORT 4\r\n")
        else:
            conversation.no(command, b"[BADCHARSET (US-ASCII ISO-8859-1)] no")

    with serving({"UID SORT": one_charset}) as (box, server):
        assert box.sort(q.text("Grüße"), sort.DATE) == [4]
        assert server.commands[-1].literals == [b"Gr\xfc\xdfe"]
        with pytest.raises(BadCharset):
            box.sort(q.text("привет"), sort.DATE)


@pytest.mark.parametrize("by", [(), ("DATE",), (sort.DATE, "SIZE")])
def test_what_are_no_sort_keys(by: tuple[Any, ...]) -> None:
    with serving({}) as (box, server), pytest.raises(TypeError, match=r"keys of imapkit\.sort, such as -sort\.DATE"):
        box.sort(q.all_, *by)
    assert "UID SORT" not in server.names


@pytest.mark.parametrize("call", ["sort", "thread"])
def test_what_is_no_search_key(call: str) -> None:
    with serving({}) as (box, _), pytest.raises(TypeError, match="a search takes a key"):
        getattr(box, call)("ALL", *([sort.DATE] if call == "sort" else []))


def test_a_server_that_does_not_sort() -> None:
    with serving({}, b"SORT") as (box, server):
        with pytest.raises(Missing, match="SORT=DISPLAY"):
            box.sort(q.all_, sort.DISPLAYTO)
        with pytest.raises(Missing, match="THREAD=REFERENCES"):
            box.thread()
        assert "UID SORT" not in server.names
    with serving({"UID SORT": refusing()}) as (box, _), pytest.raises(NoResponse):
        box.sort(q.all_, sort.DATE)
