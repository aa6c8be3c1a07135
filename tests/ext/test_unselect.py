"""The family ``unselect``: a mailbox is left, and nothing is expunged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from imapkit import Client, MailboxClosed
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer, answering, refusing, selected, within

FAMILIES = ["rev1", "unselect"]
DONE = answering()


@contextmanager
def serving(handlers: Mapping[str, Handler], capabilities: bytes) -> Iterator[tuple[Client, ScriptedServer]]:
    server = b"IMAP4rev1 " + capabilities
    with selected(handlers, families=FAMILIES, capabilities=server) as (raw, scripted), within(30):
        yield Client.over(raw), scripted


def test_unselect_closes_the_mailbox_at_the_server() -> None:
    with serving({"UNSELECT": DONE}, b"UNSELECT") as (client, server):
        box = client.select("a")
        client.unselect()
        assert server.names[-1] == "UNSELECT"
        with pytest.raises(MailboxClosed):
            box.search()
        box.close()
        client.unselect()
        assert server.names.count("UNSELECT") == 1


def test_without_unselect_the_mailbox_is_examined_and_closed() -> None:
    with serving({"CLOSE": DONE}, b"") as (client, server), client.select("a"):
        client.unselect()
        assert server.names[-2:] == ["EXAMINE", "CLOSE"]


def test_a_server_that_refuses_close_is_left_by_an_examine_that_fails() -> None:
    def examine(conversation: Conversation, command: ReceivedCommand) -> None:
        if command.args == b"a":
            conversation.ok(command, b"[READ-ONLY] done", b"* 0 EXISTS\r\n")
        else:
            conversation.no(command, b"[NONEXISTENT] no such mailbox")

    with serving({"CLOSE": refusing(b"[READ-ONLY] no"), "EXAMINE": examine}, b"") as (client, server), client.select("a"):
        client.unselect()
        assert server.names[-3:] == ["EXAMINE", "CLOSE", "EXAMINE"]
        assert client.raw.state == "AUTH"


def test_the_raw_face_has_unselect() -> None:
    with selected({"UNSELECT": DONE}, families=FAMILIES, capabilities=b"IMAP4rev1 UNSELECT") as (raw, _):
        assert raw.unselect()[0] == "OK"
        assert raw.state == "AUTH"
