"""The family ``uidplus``: exactly the named messages are deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from imapkit import Client, Missing, UIDSet
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer, answering, selected, within

FAMILIES = ["rev1", "uidplus"]
DONE = answering()


@contextmanager
def serving(handlers: Mapping[str, Handler], capabilities: bytes) -> Iterator[tuple[Client, ScriptedServer]]:
    server = b"IMAP4rev1 " + capabilities
    with selected(handlers, families=FAMILIES, capabilities=server) as (raw, scripted), within(30):
        yield Client.over(raw), scripted


def test_delete_expunges_exactly_these() -> None:
    commands: list[bytes] = []

    def expunge(conversation: Conversation, command: ReceivedCommand) -> None:
        commands.append(command.args)
        conversation.ok(command)

    with serving({"UID STORE": DONE, "UID EXPUNGE": expunge}, b"UIDPLUS") as (client, server), client.select("a") as box:
        assert box.delete([3, 4, 9]) == UIDSet("3:4,9")
        assert commands == [b"3:4,9"]
        assert "EXPUNGE" not in server.names
        box.nowait.delete(5).result(10)

        async def again() -> None:
            async with client.asynchronous.select("b") as other:
                await other.delete(6)

        box.close()
        asyncio.run(again())
        assert commands == [b"3:4,9", b"5", b"6"]


def test_without_uidplus_nothing_is_deleted() -> None:
    with serving({}, b"IDLE") as (client, server), client.select("a") as box:
        with pytest.raises(Missing, match="UIDPLUS"):
            box.delete(2)
        assert not {"UID STORE", "STORE", "UID EXPUNGE", "EXPUNGE"} & set(server.names)


def test_an_empty_set_sends_nothing() -> None:
    with serving({}, b"UIDPLUS") as (client, server), client.select("a") as box:
        assert box.delete(UIDSet()) == UIDSet()
        assert "UID STORE" not in server.names
