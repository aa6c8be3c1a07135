"""The family ``list_status``: mailboxes with their status, by one command or by several."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from imapkit import Client, Role
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer, answering, rejecting, selected, within

FAMILIES = ["rev1", "list_status"]
LISTED = b'* LIST () "/" INBOX\r\n* LIST (\\Noselect) "/" top\r\n* LIST () "/" top/a\r\n'
TOLD = b'* STATUS inbox (UNSEEN 3)\r\n* STATUS "top/a" (UNSEEN 0)\r\n'


@contextmanager
def serving(handlers: Mapping[str, Handler], capabilities: bytes) -> Iterator[tuple[Client, ScriptedServer]]:
    server = b"IMAP4rev1 " + capabilities
    with selected(handlers, families=FAMILIES, capabilities=server, select=None) as (raw, scripted), within(30):
        yield Client.over(raw), scripted


def status(conversation: Conversation, command: ReceivedCommand) -> None:
    name = command.args.rpartition(b" (")[0]
    if name == b"top/a":
        conversation.no(command, b"no permission")
    else:
        conversation.ok(command, untagged=b"* STATUS %b (UNSEEN 3)\r\n" % name)


def unseen(client: Client) -> dict[str, int | None]:
    found = client.mailboxes(status=["UNSEEN"])
    return {box.mailbox: box.status.unseen if box.status else None for box in found}


@pytest.mark.parametrize("sent", [LISTED + TOLD, TOLD + LISTED], ids=["behind", "before"])
def test_one_command_tells_all(sent: bytes) -> None:
    with serving({"LIST": answering(sent)}, b"LIST-STATUS") as (client, server):
        assert unseen(client) == {"INBOX": 3, "top": None, "top/a": 0}
        assert server.commands[-1].args == b'"" * RETURN (STATUS (UNSEEN))'
        assert client.explain("mailboxes").route == "LIST-STATUS"


def test_roles_are_asked_for_where_the_server_knows_them() -> None:
    listed = LISTED + b'* LIST (\\Sent) "/" Sent\r\n'
    with serving({"LIST": answering(listed + TOLD)}, b"LIST-STATUS SPECIAL-USE") as (client, server):
        assert [box.role for box in client.mailboxes(status=["UNSEEN"])] == [None, None, None, Role.SENT]
        assert server.commands[-1].args == b'"" * RETURN (STATUS (UNSEEN) SPECIAL-USE)'


def test_children_are_asked_for_where_the_server_knows_the_option() -> None:
    with serving({"LIST": answering(LISTED + TOLD)}, b"LIST-STATUS LIST-EXTENDED") as (client, server):
        client.mailboxes(status=["UNSEEN"])
        assert server.commands[-1].args == b'"" * RETURN (STATUS (UNSEEN) CHILDREN)'


def test_without_list_status_each_mailbox_is_asked_and_one_that_is_refused_has_none() -> None:
    with serving({"LIST": answering(LISTED), "STATUS": status}, b"IDLE") as (client, server):
        assert unseen(client) == {"INBOX": 3, "top": None, "top/a": None}
        assert server.names[-3:] == ["LIST", "STATUS", "STATUS"]


def test_a_server_that_does_not_know_what_it_announces_is_asked_without() -> None:
    def listing(conversation: Conversation, command: ReceivedCommand) -> None:
        if b"RETURN" in command.args:
            rejecting()(conversation, command)
        else:
            conversation.ok(command, untagged=LISTED)

    with serving({"LIST": listing, "STATUS": status}, b"LIST-STATUS") as (client, server):
        assert unseen(client) == unseen(client) == {"INBOX": 3, "top": None, "top/a": None}
        assert server.names.count("LIST") == 3


def test_without_items_no_status_is_asked_for() -> None:
    with serving({"LIST": answering(LISTED)}, b"LIST-STATUS") as (client, server):
        assert [box.mailbox for box in client.mailboxes()] == ["INBOX", "top", "top/a"]
        assert server.commands[-1].args == b'"" *'


def test_futures_and_asyncio() -> None:
    with serving({"LIST": answering(LISTED + TOLD)}, b"LIST-STATUS") as (client, _):
        found = client.nowait.mailboxes(status=["UNSEEN"]).result(10)
        assert found == asyncio.run(_asked(client))
        assert [box.status for box in found] == [box.status for box in client.mailboxes(status=["UNSEEN"])]


async def _asked(client: Client) -> list[object]:
    return list(await client.asynchronous.mailboxes(status=["UNSEEN"]))
