"""The typed commands for mailboxes: what is sent, what is listed, and how a role finds its mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import AlreadyExists, Client, MailboxClosed, NoAnswer, NonExistent, Role
from imapkit.ext.rev1 import MailboxListing
from imapkit.ext.rev1.roles import role_of_name
from imapkit.plugin import MailboxName
from imapkit.testing import Handler, ScriptedServer, answering, refusing, selected, within

DONE = answering()


@contextmanager
def serving(
    handlers: Mapping[str, Handler], capabilities: bytes = b"IMAP4rev1", families: tuple[str, ...] = ("rev1",)
) -> Iterator[tuple[Client, ScriptedServer]]:
    with selected(handlers, families=list(families), capabilities=capabilities) as (raw, server), within(30):
        yield Client.over(raw), server


def test_mailboxes() -> None:
    listed = b'* LIST (\\Noselect) "/" Archive\r\n* LIST (\\HasNoChildren \\SENT) "/" "Entw&APw-rfe"\r\n'
    subscribed = answering(b'* LSUB () "/" INBOX\r\n')
    with serving({"LIST": answering(listed), "LSUB": subscribed}) as (client, server):
        archive, sent = client.mailboxes("Lists/*")
        assert (archive.mailbox, archive.role, archive.role_from, archive.is_selectable) == ("Archive", None, None, False)
        assert (sent.mailbox, sent.role, sent.role_from, sent.is_selectable) == ("Entwürfe", Role.SENT, "attribute", True)
        assert server.commands[-1].args == b'"" Lists/*'
        assert [box.mailbox for box in client.mailboxes(subscribed=True)] == ["INBOX"]
        assert (server.names[-1], server.commands[-1].args) == ("LSUB", b'"" *')
        assert client.nowait.mailboxes().result(10) == [archive, sent]

        async def ask() -> list[MailboxListing]:
            return await client.asynchronous.mailboxes()

        assert asyncio.run(ask()) == [archive, sent]


def test_capability() -> None:
    with serving({"CAPABILITY": answering(b"* CAPABILITY IMAP4rev1 idle\r\n")}) as (client, _):
        assert client.capability() == {"IMAP4REV1", "IDLE"}
    with serving({"CAPABILITY": DONE}) as (client, _), pytest.raises(NoAnswer):
        client.capability()


def test_changes_of_mailboxes() -> None:
    names = ("CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE")
    with serving(dict.fromkeys(names, DONE)) as (client, server):
        client.create("Entwürfe")
        client.rename("Entwürfe", b"Drafts")
        client.subscribe("Drafts")
        client.unsubscribe("Drafts")
        client.delete_mailbox("Drafts")
        asked = [(command.name, command.args) for command in server.commands if command.name in names]
        assert asked == [
            ("CREATE", b'"Entw&APw-rfe"'),
            ("RENAME", b'"Entw&APw-rfe" Drafts'),
            ("SUBSCRIBE", b"Drafts"),
            ("UNSUBSCRIBE", b"Drafts"),
            ("DELETE", b"Drafts"),
        ]
        assert client.nowait.delete_mailbox("x").result(10) is None


def test_refusals_by_their_codes() -> None:
    with serving({"CREATE": refusing(b"[ALREADYEXISTS] x"), "DELETE": refusing(b"[NONEXISTENT] x")}) as (client, _):
        with pytest.raises(AlreadyExists):
            client.create("a")
        with pytest.raises(NonExistent):
            client.delete_mailbox("a")


@pytest.mark.together
def test_a_mailbox_that_is_deleted_or_renamed_is_left_first_if_it_is_selected() -> None:
    handlers = dict.fromkeys(("UNSELECT", "DELETE", "RENAME"), DONE)
    with serving(handlers, b"IMAP4rev1 UNSELECT", ("rev1", "unselect")) as (client, server):
        with client.select("a"):
            pass
        client.delete_mailbox("b")
        client.delete_mailbox("a")
        client.delete_mailbox("a")
        with client.select("inbox"):
            pass
        client.rename("INBOX", "old")
        asked = [name for name in server.names if name in handlers]
        assert asked == ["DELETE", "UNSELECT", "DELETE", "DELETE", "UNSELECT", "RENAME"]
    with serving({**handlers, "EXAMINE": DONE}) as (client, server):
        with client.select("a") as box:
            client.delete_mailbox("a")
            assert server.names[-2:] == ["EXAMINE", "DELETE"]
            with pytest.raises(MailboxClosed):
                box.check()
        with client.select("INBOX"):
            client.rename("inbox", "old")
        assert server.names[-2:] == ["SELECT", "RENAME"]
    with serving({**handlers, "EXAMINE": refusing()}) as (client, server):
        with client.select("a"):
            client.delete_mailbox("a")
        assert server.names[-2:] == ["EXAMINE", "DELETE"]


# roles


def listing(*rows: tuple[str, str], name: str = "LIST", delimiter: str = '"/"') -> Handler:
    return answering("".join(f'* {name} ({attributes}) {delimiter} "{box}"\r\n' for box, attributes in rows).encode())


def test_a_role_by_its_attribute() -> None:
    rows = listing(("Sent", ""), ("Old", r"\Sent \Noselect"), ("Post", r"\HasNoChildren \Sent"), ("Other", r"\Sent"))
    with serving({"LIST": rows}) as (client, server):
        found = client.role(Role.SENT)
        assert found is not None
        assert (found.mailbox, found.role, found.role_from) == ("Post", Role.SENT, "attribute")
        assert client.role(Role.TRASH) is None
        assert client.nowait.role(Role.SENT).result(10) == found
        with pytest.raises(ValueError, match="nonsense"):
            client.role("nonsense")  # type: ignore[arg-type]
        assert server.names.count("LIST") == 3


@pytest.mark.together
@pytest.mark.parametrize("families", [("rev1",), ("rev1", "namespace")])
def test_a_role_by_xlist(families: tuple[str, ...]) -> None:
    lists = {
        "LIST": listing(("INBOX", ""), ("[Gmail]/Corbeille", ""), ("Junk", "")),
        "XLIST": listing(("INBOX", r"\Inbox"), ("[Gmail]/Corbeille", r"\Trash"), ("Spam", r"\Spam"), name="XLIST"),
    }
    with serving(lists, b"IMAP4rev1 XLIST", families) as (client, server):
        found, junk = client.role(Role.TRASH), client.role(Role.JUNK)
        assert found is not None
        assert (found.mailbox, found.role, found.role_from) == ("[Gmail]/Corbeille", Role.TRASH, "xlist")
        assert junk is not None
        assert (junk.mailbox, junk.role_from) == ("Spam", "xlist")
        assert [command.args for command in server.commands if command.name == "XLIST"] == [b'"" "*"'] * 2


def test_a_server_that_refuses_xlist() -> None:
    lists = {"LIST": listing(("Trash", "")), "XLIST": refusing()}
    with serving(lists, b"IMAP4rev1 XLIST") as (client, _):
        found = client.role(Role.TRASH)
        assert found is not None
        assert found.role_from == "name"


@pytest.mark.parametrize(
    ("rows", "delimiter", "found"),
    [
        ([("Public/Sent", ""), ("sent items", "")], '"/"', "sent items"),
        ([("Other Users/bob/Sent", "")], '"/"', None),
        ([("INBOX.Gesendet", "")], '"."', "INBOX.Gesendet"),
        ([("INBOX.x.Sent", "")], '"."', None),
        ([("Envoy&AOk-s", "")], '"/"', "Envoyés"),
        ([("Sent", r"\Noselect")], '"/"', None),
        ([("Sent", r"\Archive")], '"/"', None),
        ([("Sent", "")], "NIL", "Sent"),
        ([("Presents", "")], '"/"', None),
        ([], '"/"', None),
    ],
)
def test_a_role_by_a_name_at_the_top(rows: list[tuple[str, str]], delimiter: str, found: str | None) -> None:
    with serving({"LIST": listing(*rows, delimiter=delimiter)}) as (client, _):
        role = client.role(Role.SENT)
        assert (role and (role.mailbox, role.role_from)) == (found and (found, "name"))


@pytest.mark.together
@pytest.mark.parametrize(
    ("spaces", "found"),
    [(b'(("Home." ".")) NIL NIL', "Home.Sent"), (b'(("" ".")) NIL NIL', "Sent"), (b"NIL NIL NIL", "INBOX.Sent")],
)
def test_a_role_by_a_name_in_the_personal_namespace(spaces: bytes, found: str) -> None:
    rows = listing(("INBOX.Sent", ""), ("Home.Sent", ""), ("Sent", ""), delimiter='"."')
    handlers = {"LIST": rows, "NAMESPACE": answering(b"* NAMESPACE %b\r\n" % spaces)}
    with serving(handlers, b"IMAP4rev1 NAMESPACE", ("rev1", "namespace")) as (client, _):
        role = client.role(Role.SENT)
        assert role is not None
        assert role.mailbox == found


@pytest.mark.together
@pytest.mark.parametrize("answer", [refusing(), DONE, answering(b"* NAMESPACE junk\r\n")], ids=["NO", "nothing", "junk"])
def test_a_namespace_that_is_not_told(answer: Handler) -> None:
    handlers = {"LIST": listing(("Sent", "")), "NAMESPACE": answer}
    for families in (("rev1",), ("rev1", "namespace")):
        with serving(handlers, b"IMAP4rev1 NAMESPACE", families) as (client, _):
            assert client.role(Role.SENT) is not None


def test_names_in_many_languages() -> None:
    names: dict[Role | None, tuple[str, ...]] = {
        Role.SENT: ("Gesendet", "Éléments envoyés", "Отправленные", "送信済み", "SENT ITEMS"),
        Role.TRASH: ("Papierkorb", "Corbeille", "Корзина", "ごみ箱"),
        Role.DRAFTS: ("Entwürfe", "Brouillons", "Черновики", "下書き"),
        Role.JUNK: ("Spam", "Junk E-mail", "迷惑メール", "Нежелательная почта"),
        Role.ARCHIVE: ("Archiv", "Архив"),
        None: ("INBOX", "Work", "", "sent,"),
    }
    assert {name: role_of_name(name) for some in names.values() for name in some} == {
        name: role for role, some in names.items() for name in some
    }
    # The two dots of an u may be a character of their own.
    assert role_of_name("Entwu\u0308rfe") is Role.DRAFTS


def test_a_role_that_is_known_otherwise() -> None:
    plain = MailboxListing((), b"/", MailboxName(b"a"))
    known: Any = plain.with_role(Role.JUNK, "name")
    assert (plain.role, known.role, known.role_from, known.name) == (None, Role.JUNK, "name", b"a")
    told: Any = MailboxListing((b"\\Sent",), b"/", MailboxName(b"a")).with_role(Role.TRASH, "xlist")
    assert (told.role, told.role_from) == (Role.TRASH, "xlist")
