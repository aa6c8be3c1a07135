"""The family ``esearch``: counts and ends of a search, with and without ESEARCH, and searches that overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import Client, UIDSet, q
from imapkit.ext.esearch import ESearch
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer, answering, rejecting, selected, within

FAMILIES = ["rev1", "esearch"]


@contextmanager
def serving(handlers: Mapping[str, Handler], capabilities: bytes = b"ESEARCH") -> Iterator[tuple[Client, ScriptedServer]]:
    with selected(handlers, families=FAMILIES, capabilities=b"IMAP4rev1 " + capabilities) as (raw, server), within(30):
        yield Client.over(raw), server


def tagged(said: bytes) -> Handler:
    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b'* ESEARCH (TAG "%b") UID %b\r\n' % (command.tag, said))

    return answer


def test_what_is_counted_at_the_server() -> None:
    with serving({"UID SEARCH": tagged(b"COUNT 17")}) as (client, server), client.select("a") as box:
        assert box.count(q.unseen) == 17
        assert server.commands[-1].args == b"RETURN (COUNT) UNSEEN"
        assert box.nowait.count().result(10) == 17
    with serving({"UID SEARCH": tagged(b"MIN 4")}) as (client, _), client.select("a") as box:
        assert box.lowest() == 4
    with serving({"UID SEARCH": tagged(b"MAX 9")}) as (client, _), client.select("a") as box:
        assert box.highest(q.seen) == 9


def test_nothing_found() -> None:
    with serving({"UID SEARCH": tagged(b"")}) as (client, _), client.select("a") as box:
        assert box.count() == 0
        assert box.lowest() is None
    with serving({"UID SEARCH": answering()}) as (client, _), client.select("a") as box:
        assert box.count() == 0
        assert box.highest() is None


@pytest.mark.parametrize("capabilities", [b"ESEARCH", b"IDLE"], ids=["RETURN is ignored", "no ESEARCH"])
def test_a_list_is_counted_here(capabilities: bytes) -> None:
    with serving({"UID SEARCH": answering(b"* SEARCH 3 5 9\r\n")}, capabilities) as (client, _), client.select("a") as box:
        assert box.count() == 3
        assert box.lowest() == 3
        assert box.highest() == 9


def test_a_server_that_does_not_know_return_is_asked_without() -> None:
    def search(conversation: Conversation, command: ReceivedCommand) -> None:
        if b"RETURN" in command.args:
            rejecting()(conversation, command)
        else:
            conversation.ok(command, untagged=b"* SEARCH 3\r\n")

    with serving({"UID SEARCH": search}) as (client, server), client.select("a") as box:
        assert box.count() == box.count() == 1
        assert server.names.count("UID SEARCH") == 3
        assert client.explain("count").route == "SEARCH"


def test_searches_overlap_and_each_gets_its_own_answer() -> None:
    def search(conversation: Conversation, first: ReceivedCommand) -> None:
        if b"UNDELETED" in first.args:
            conversation.ok(first, untagged=b'* ESEARCH (TAG "%b") UID COUNT 0\r\n' % first.tag)
            return
        second = conversation.read_command()
        for command, count in ((second, 2), (first, 1)):
            conversation.send(b'* ESEARCH (TAG "%b") UID COUNT %d\r\n' % (command.tag, count))
        conversation.ok(first)
        conversation.ok(second)

    with serving({"UID SEARCH": search}) as (client, _), client.select("a") as box:
        # The first search shows that the server answers with ESEARCH.
        assert box.count(~q.deleted) == 0
        one, two = box.nowait.count(q.seen), box.nowait.count(q.flagged)
        assert (one.result(10), two.result(10)) == (1, 2)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b'(TAG "A1") UID MIN 2 MAX 9 ALL 2,4:9 COUNT 7', ESearch(b"A1", True, 2, 9, UIDSet("2,4:9"), 7)),
        (b'(TAG "A1") COUNT 7 MIN 2', ESearch(b"A1", False, 2, None, None, 7)),
        (b"(tag A1) ALL 9,3", ESearch(b"A1", False, found=UIDSet("3,9"))),
        (b"", ESearch(None, False)),
        (b'(TAG "A1") UID MODSEQ 917162500 ALL 1', ESearch(b"A1", True, found=UIDSet("1"), others={"MODSEQ": 917162500})),
    ],
)
def test_the_response(sent: bytes, read: ESearch) -> None:
    with serving({}) as (client, _):
        found: Any = client.raw.parse("ESEARCH", [sent])
        assert list(found) == [read]


@pytest.mark.parametrize("sent", [b"ALL", b"ALL x", b"ALL 0:4", b"MIN x", b"ALL 99999999999"])
def test_what_cannot_be_read_is_a_defect(sent: bytes) -> None:
    with serving({}) as (client, _):
        found: Any = client.raw.parse("ESEARCH", [sent])
        assert not found
        assert found.defects
