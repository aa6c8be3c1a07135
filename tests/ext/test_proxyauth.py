"""PROXYAUTH, which has no RFC, against a server that follows the description of Sun's servers."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit import BadResponse, StateError
from imapkit.errors import ArgumentError, FamilyDisabledError
from imapkit.ext.proxyauth import imapkit_family
from imapkit.testing import Answers, Conversation, Handler, ReceivedCommand, ScriptedServer, answering, connect, selected

FAMILIES = ["rev1", "proxyauth"]


def admin(handler: Handler) -> Any:
    return ScriptedServer(handlers={"PROXYAUTH": handler})


@pytest.mark.parametrize(
    ("user", "wire"),
    [
        ("ann", b"ann"),
        ("ann@example.com", b"ann@example.com"),
        ("a b", b'"a b"'),
        ('a"b', rb'"a\"b"'),
        ('"a b"', b'"a b"'),
        (b"ann", b"ann"),
    ],
)
def test_it_becomes_another_user(user: Any, wire: bytes) -> None:
    with admin(answering()) as server, connect(server, families=FAMILIES, login=False) as client:
        client.login("admin", "secret")
        assert client.proxyauth(user) == ("OK", [b"done"])
        assert server.commands[-1].args == wire
        assert client.state == "AUTH"
        assert client.select()[0] == "OK"


def test_a_user_with_8_bit_text() -> None:
    with admin(answering()) as server, connect(server, families=FAMILIES, login=False) as client:
        client.login("admin", "secret")
        client.proxyauth("jürgen")
        assert server.commands[-1].literals == ["jürgen".encode()]


def test_the_client_asks_again_for_capabilities() -> None:
    def become(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.server.capabilities = b"IMAP4rev1 X-OTHER"
        conversation.ok(command)

    with admin(become) as server, connect(server, families=FAMILIES, login=False) as client:
        client.login("admin", "secret")
        assert "X-OTHER" not in client.capabilities
        assert client.proxyauth("ann")[0] == "OK"
        assert "X-OTHER" in client.capabilities


def test_capabilities_in_the_answer() -> None:
    def become(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, b"[CAPABILITY IMAP4rev1 X-OTHER] now ann")

    with admin(become) as server, connect(server, families=FAMILIES, login=False) as client:
        client.login("admin", "secret")
        asked = server.names.count("CAPABILITY")
        client.proxyauth("ann")
        assert client.capabilities == ("IMAP4REV1", "X-OTHER")
        assert server.names.count("CAPABILITY") == asked


def test_a_refusal_changes_nothing() -> None:
    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.no(command, b"not allowed")

    with admin(refuse) as server, connect(server, families=FAMILIES, login=False) as client:
        client.login("admin", "secret")
        known = client.capabilities
        asked = server.names.count("CAPABILITY")
        assert client.proxyauth("ann") == ("NO", [b"not allowed"])
        assert (client.capabilities, client.state) == (known, "AUTH")
        assert server.names.count("CAPABILITY") == asked


def test_refused_as_unknown() -> None:
    with ScriptedServer() as server, connect(server, families=FAMILIES, login=False) as client:
        client.login("admin", "secret")
        with pytest.raises(BadResponse, match="no handler"):
            client.proxyauth("ann")
        assert client.noop()[0] == "OK"


def test_refused_while_a_mailbox_is_selected() -> None:
    with admin(answering()) as server, connect(server, families=FAMILIES, login=False) as client:
        with pytest.raises(StateError):
            client.proxyauth("ann")
        client.login("admin", "secret")
        client.select()
        with pytest.raises(StateError):
            client.proxyauth("ann")
        assert "PROXYAUTH" not in server.names


def test_nothing_else_is_in_flight_meanwhile() -> None:
    held: list[ReceivedCommand] = []

    def noop(conversation: Conversation, command: ReceivedCommand) -> None:
        # Answered only when the next command has arrived, which must not be PROXYAUTH.
        held.append(command)
        if len(held) == 2:
            conversation.ok(held.pop())
            conversation.ok(held.pop())

    def become(conversation: Conversation, command: ReceivedCommand) -> None:
        assert not held
        conversation.ok(command)

    with (
        ScriptedServer(handlers={"NOOP": noop, "PROXYAUTH": become}) as server,
        connect(server, families=FAMILIES, login=False) as client,
    ):
        client.login("admin", "secret")
        answers = Answers()
        for name in "abc":
            client.noop(callback=answers)
            client.noop(callback=answers)
            client.proxyauth(name, callback=answers)
        assert [answer[0][0] for answer in answers.take(9)] == ["OK"] * 9
        assert server.names[-9:] == ["NOOP", "NOOP", "PROXYAUTH"] * 3


def test_callback() -> None:
    with admin(answering()) as server, connect(server, families=FAMILIES, login=False) as client:
        client.login("admin", "secret")
        answers = Answers()
        assert client.proxyauth("ann", callback=answers, cb_arg=7) == (None, None)  # type: ignore[comparison-overlap]
        assert answers.take(1) == [(("OK", [b"done"]), 7, None)]


@pytest.mark.parametrize("evil", ["ann\r\nA1 LOGOUT", "\r", "\n", "\0", b"\r\n", "'a\n'", "j\u00fc\r", "ann{3}\r\nx", b"ann{3}"])
def test_no_second_command_can_be_smuggled_in(evil: Any) -> None:
    with admin(answering()) as server, connect(server, families=FAMILIES, login=False) as client:
        client.login("admin", "secret")
        with pytest.raises(ArgumentError):
            client.proxyauth(evil)
        assert server.names[-1] == "LOGIN"


def test_without_the_family() -> None:
    with selected(families=["rev1"]) as (client, _):
        assert not hasattr(client, "proxyauth")
        with pytest.raises(FamilyDisabledError, match="'proxyauth'"):
            client.proxyauth("ann")


def test_claims() -> None:
    family = imapkit_family()
    assert (family.name, family.capabilities, family.requires) == ("proxyauth", ("PROXYAUTH",), ("rev1",))
