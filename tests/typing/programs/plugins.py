from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, assert_type

from imapkit_acme import OWNER, Acme, AcmeCommands, AcmeSession, Answering, owned_by, unowned
from imapkit_strictquota import StrictQuotaCommands, Usage
from imapkit_traffic import Traffic, TrafficCommands
from imapkit_xlist import XlistCommands, XlistMailbox, XlistSession

from imapkit import IMAP4, IMAP4_SSL, AsyncClient, Client, Message, UIDSet, q
from imapkit.ext import gmail
from imapkit.ext.gmail import Gmail
from imapkit.ext.rev1 import FetchData
from imapkit.plugin import Data, MailboxName


class MyIMAP(IMAP4, AcmeCommands, XlistCommands, StrictQuotaCommands): ...


class MySSL(IMAP4_SSL, AcmeCommands):
    def desk(self) -> tuple[str, Data]:
        return self.xacme_team("help desk", timeout=3)


def show(answer: tuple[Any, Any, Any]) -> None: ...


with MyIMAP("localhost", families=None, timeout=3.0) as mine:
    assert_type(mine.xacme_team("help desk"), tuple[str, Data])
    assert_type(mine.xlist(pattern="%"), tuple[str, Data])
    assert_type(mine.getquota("a root"), tuple[str, Data])
    assert_type(mine.quota_usage("a root")["STORAGE"], Usage)
    assert_type(mine.x_gm_search("is:important"), tuple[str, Data])
    mine.xacme_team(b"help desk", callback=show, cb_arg=1)
    mine.x_gm_add_labels([1, 2], ["To do", b"done"], silent=True, timeout=2.5)
    mine.login("me", "secret")
    mine.xacme_team()  # error: call-arg, reportCallIssue
    mine.xacme_team(7)  # error: arg-type, reportArgumentType
    mine.xacme_team("x", silent=True)  # error: call-arg, reportCallIssue
    mine.x_gm_add_labels(1, 7)  # error: arg-type, reportArgumentType
    mine.x_gm_add_labels(1, [7])  # error: list-item, reportArgumentType
    mine.xacme_team("a", timeout="soon")  # error: arg-type, reportArgumentType
    mine.xlist(pattern=1)  # error: arg-type, reportArgumentType
    mine.xlist("", "*", cb=show)  # error: call-arg, reportCallIssue


def plain(imap: IMAP4, message: FetchData, found: XlistMailbox) -> None:
    acme = imap.family(AcmeCommands)
    assert_type(acme, AcmeCommands)
    assert_type(acme.xacme_team("x"), tuple[str, Data])
    assert_type(imap.family(TrafficCommands).traffic(), Traffic)
    assert_type(gmail.MSGID.of(message), int | None)
    assert_type(gmail.LABELS.of(message), tuple[MailboxName, ...] | None)
    assert_type(OWNER.of(message), str | None)
    assert_type(found.use, str | None)
    assert_type(found.mailbox, str)
    acme.xacme_team("x", cb=1)  # error: call-arg, reportCallIssue
    acme.fetch(1, "FLAGS")  # error: attr-defined, reportAttributeAccessIssue
    imap.family(AcmeCommands()).xacme_team("x")  # error: arg-type, reportArgumentType
    imap.family(TrafficCommands).traffic().sent = 1  # error: misc, reportAttributeAccessIssue
    wrong: str = gmail.MSGID.of(message)  # error: assignment, reportAssignmentType
    gmail.MSGID.of(found)  # error: arg-type, reportArgumentType


def typed(client: Client, message: Message) -> None:
    assert_type(AcmeSession(client).team("help desk"), tuple[str, ...])
    assert_type(AcmeSession(client.nowait).teams(), Future[Mapping[str, tuple[str, ...]]])
    assert_type(XlistSession(client).xlist("%"), list[XlistMailbox])
    assert_type(message[OWNER], str)
    assert_type(message[gmail.LABELS], tuple[MailboxName, ...])
    assert_type(message[gmail.THRID], int)
    AcmeSession(client).team(7)  # error: arg-type, reportArgumentType
    client.team("x")  # error: attr-defined, reportAttributeAccessIssue
    with client.select("INBOX") as inbox:
        assert_type(Acme(inbox).assign(unowned & q.unseen, None), UIDSet)
        assert_type(Gmail(inbox).add_labels(7, "todo"), UIDSet)
        assert_type(inbox.set_labels(owned_by("ada"), "todo", b"done"), UIDSet)
        assert_type(Gmail(inbox.nowait).remove_labels([7], "todo"), Future[UIDSet])
        for event in inbox.idle():
            if isinstance(event, Answering):
                assert_type(event.user, str)
        inbox.search(gmail.query(7))  # error: arg-type, reportArgumentType
        Gmail(inbox).add_labels(7, 7)  # error: arg-type, reportArgumentType


async def awaited(client: AsyncClient) -> None:
    assert_type(await AcmeSession(client).team(), tuple[str, ...])
    async with client.select("INBOX") as inbox:
        assert_type(await Acme(inbox).assign(7, "ada"), UIDSet)
        assert_type(await Gmail(inbox).add_labels(gmail.query("x"), "todo"), UIDSet)
