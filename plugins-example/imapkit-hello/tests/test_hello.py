"""The family against a server that knows XHELLO."""

from __future__ import annotations

import imapkit_hello
import pytest
from imapkit_hello import HelloCommands

from imapkit import IMAP4, ArgumentError, StateError
from imapkit.testing import ScriptedServer, load_only
from imapkit.testing.scripted import Conversation, ReceivedCommand


def greet(conversation: Conversation, command: ReceivedCommand) -> None:
    """What a server with this extension does."""
    conversation.ok(command, untagged=b"* XHELLO %s 3\r\n" % command.args)


def test_hello() -> None:
    with ScriptedServer(handlers={"XHELLO": greet}) as server:
        with IMAP4(server.host, server.port, families=["rev1", imapkit_hello]) as imap:
            imap.login("user", "password")
            typ, data = imap.family(HelloCommands).hello("big world")
            assert (typ, data) == ("OK", [b'"big world" 3'])
            assert data.parsed() == [("big world", 3)]
        (command,) = [command for command in server.commands if command.name == "XHELLO"]
        assert command.args == b'"big world"'


def test_nothing_is_sent_in_the_wrong_state_or_with_a_wrong_argument() -> None:
    with ScriptedServer(handlers={"XHELLO": greet}) as server:
        with IMAP4(server.host, server.port, families=["rev1", imapkit_hello]) as imap:
            hello = imap.family(HelloCommands).hello
            with pytest.raises(StateError):
                hello("world")
            imap.login("user", "password")
            with pytest.raises(ArgumentError):
                hello("world\r\nX1 LOGOUT")
        assert "XHELLO" not in server.names


def test_a_response_that_comes_by_itself() -> None:
    news = {"NOOP": lambda conversation, command: conversation.ok(command, untagged=b"* XHELLO you 1\r\n")}
    with ScriptedServer(handlers=news) as server, IMAP4(server.host, server.port, families=["rev1", imapkit_hello]) as imap:
        imap.noop()
        assert imap.response("XHELLO") == ("XHELLO", [b"you 1"])


def test_the_declaration() -> None:
    registry = load_only(imapkit_hello)
    assert registry.methods == {"hello": "hello"}
    assert set(registry.commands) == {"XHELLO"}
