"""The family against a server that supports XLIST."""

from __future__ import annotations

from pathlib import Path

import imapkit_xlist
import pytest
from imapkit_xlist import XlistCommands

from imapkit import ArgumentError, StateError
from imapkit.testing import (
    ClientFactory,
    Conversation,
    ReceivedCommand,
    ServerFactory,
    Vector,
    check_vector,
    load_only,
    load_vectors,
)

FAMILIES = ["rev1", imapkit_xlist]
MAILBOXES = b"""\
* XLIST (\\HasNoChildren \\Inbox) "/" "Inbox"\r
* XLIST (\\Noselect \\HasChildren) "/" "[Gmail]"\r
* XLIST (\\HasNoChildren \\Drafts) "/" "[Gmail]/Entw&APw-rfe"\r
"""


def xlist(conversation: Conversation, command: ReceivedCommand) -> None:
    """Answer as a server with this extension does."""
    conversation.ok(command, untagged=MAILBOXES)


def test_mailboxes_and_their_uses(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(handlers={"XLIST": xlist})
    imap = imap_client(server, families=FAMILIES)
    typ, data = imap.family(XlistCommands).xlist()
    assert (typ, data[0]) == ("OK", rb'(\HasNoChildren \Inbox) "/" "Inbox"')
    assert [(found.mailbox, found.use) for found in data.parsed()] == [
        ("Inbox", "Inbox"),
        ("[Gmail]", None),
        ("[Gmail]/Entwürfe", "Drafts"),
    ]
    assert server.commands[-1].args == b'"" *'


def test_arguments_are_quoted_as_needed(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(handlers={"XLIST": xlist})
    imap = imap_client(server, families=FAMILIES)
    imap.family(XlistCommands).xlist("My Mail/", "Entwürfe%")
    assert server.commands[-1].args == b'"My Mail/" "Entw&APw-rfe%"'


def test_nothing_is_sent_in_the_wrong_state_or_with_a_wrong_argument(
    imap_server: ServerFactory, imap_client: ClientFactory
) -> None:
    server = imap_server(handlers={"XLIST": xlist})
    imap = imap_client(server, families=FAMILIES, login=False)
    with pytest.raises(StateError):
        imap.family(XlistCommands).xlist()
    imap.login("me", "secret")
    with pytest.raises(ArgumentError):
        imap.family(XlistCommands).xlist("", "*\r\nX1 LOGOUT")
    assert "XLIST" not in server.names


@pytest.mark.parametrize("vector", load_vectors(Path(__file__).with_name("xlist.toml")), ids=str)
def test_vector(vector: Vector) -> None:
    check_vector(vector, load_only("rev1", imapkit_xlist))


def test_the_declaration() -> None:
    registry = load_only("rev1", imapkit_xlist)
    assert registry.methods["xlist"] == "xlist"
    assert "XLIST" in registry.commands
