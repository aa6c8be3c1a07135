"""The family against a server that supports XLIST."""

from __future__ import annotations

import asyncio
from pathlib import Path

import imapkit_xlist
import pytest
from imapkit_xlist import XlistCommands, XlistSession

from imapkit import ArgumentError, AsyncClient, Client, Missing, NoResponse, StateError
from imapkit.testing import (
    ClientFactory,
    Conversation,
    ReceivedCommand,
    ServerFactory,
    Vector,
    check_vector,
    load_only,
    load_vectors,
    refusing,
)

FAMILIES = ["rev1", imapkit_xlist]
SERVED = b"IMAP4rev1 LITERAL+ XLIST"
MAILBOXES = b"""\
* XLIST (\\HasNoChildren \\Inbox) "/" "Inbox"\r
* XLIST (\\Noselect \\HasChildren) "/" "[Gmail]"\r
* XLIST (\\HasNoChildren \\Drafts) "/" "[Gmail]/Entw&APw-rfe"\r
"""


def xlist(conversation: Conversation, command: ReceivedCommand) -> None:
    """Answer as a server with this extension does."""
    conversation.ok(command, untagged=MAILBOXES)


def test_mailboxes_and_their_uses(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(handlers={"XLIST": xlist}, capabilities=SERVED)
    client = Client.over(imap_client(server, families=FAMILIES))
    assert [(found.mailbox, found.use) for found in XlistSession(client).xlist()] == [
        ("Inbox", "Inbox"),
        ("[Gmail]", None),
        ("[Gmail]/Entwürfe", "Drafts"),
    ]
    assert server.commands[-1].args == b'"" *'


def test_the_other_faces(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(handlers={"XLIST": xlist}, capabilities=SERVED)
    imap = imap_client(server, families=FAMILIES)
    assert len(XlistSession(Client.over(imap).nowait).xlist("%").result(10)) == 3

    async def work() -> int:
        return len(await XlistSession(AsyncClient.over(imap)).xlist("%"))

    assert asyncio.run(work()) == 3
    typ, data = imap.family(XlistCommands).xlist('""', "%")
    assert (typ, data[0]) == ("OK", rb'(\HasNoChildren \Inbox) "/" "Inbox"')
    assert [found.use for found in data.parsed()] == ["Inbox", None, "Drafts"]


def test_arguments_are_quoted_as_needed(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(handlers={"XLIST": xlist}, capabilities=SERVED)
    imap = imap_client(server, families=FAMILIES)
    imap.family(XlistCommands).xlist("My Mail/", "Entwürfe%")
    assert server.commands[-1].args == b'"My Mail/" "Entw&APw-rfe%"'


def test_no_raises(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(handlers={"XLIST": refusing(b"not today")}, capabilities=SERVED)
    with pytest.raises(NoResponse, match="not today"):
        XlistSession(Client.over(imap_client(server, families=FAMILIES))).xlist()


def test_nothing_is_sent_in_the_wrong_state_or_with_a_wrong_argument(
    imap_server: ServerFactory, imap_client: ClientFactory
) -> None:
    server = imap_server(handlers={"XLIST": xlist}, capabilities=SERVED)
    imap = imap_client(server, families=FAMILIES, login=False)
    with pytest.raises(StateError):
        XlistSession(Client.over(imap)).xlist()
    imap.login("me", "secret")
    with pytest.raises(ArgumentError):
        XlistSession(Client.over(imap)).xlist("*\r\nX1 LOGOUT")
    assert "XLIST" not in server.names


def test_nothing_is_sent_to_a_server_without_it(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(handlers={"XLIST": xlist}, capabilities=b"IMAP4rev1")
    with pytest.raises(Missing, match="XLIST"):
        XlistSession(Client.over(imap_client(server, families=FAMILIES))).xlist()
    assert "XLIST" not in server.names


@pytest.mark.parametrize("vector", load_vectors(Path(__file__).with_name("xlist.toml")), ids=str)
def test_vector(vector: Vector) -> None:
    check_vector(vector, load_only("rev1", imapkit_xlist))


def test_the_declaration() -> None:
    registry = load_only("rev1", imapkit_xlist)
    assert registry.methods["xlist"] == "xlist"
    assert registry.typed.session.methods["xlist"] == "xlist"
    assert "XLIST" in registry.commands
