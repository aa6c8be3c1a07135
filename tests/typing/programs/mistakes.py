"""Mistakes in the use of the typed calls, each found by both type checkers; nothing else is wrong here."""

# What follows from an unknown type.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import assert_type

import imapkit
from imapkit import ENVELOPE, FLAGS, SIZE, Account, AsyncClient, Client, Mailbox, Message, Role, UIDSet, q, sort
from imapkit import SearhKey as misspelt  # error: attr-defined, reportAttributeAccessIssue
from imapkit.ext.gmail import Gmail
from imapkit.ext.rev1 import MailboxStatus


def states(client: Client, inbox: Mailbox) -> None:
    client.search(q.unseen)  # error: attr-defined, reportAttributeAccessIssue
    client.add_flags(7, "\\Seen")  # error: attr-defined, reportAttributeAccessIssue
    client.open(7)  # error: attr-defined, reportAttributeAccessIssue
    inbox.status("INBOX")  # error: attr-defined, reportAttributeAccessIssue
    inbox.select("INBOX")  # error: attr-defined, reportAttributeAccessIssue
    client.nowait.select("INBOX")  # error: attr-defined, reportAttributeAccessIssue
    client.nowait.nowait.noop()  # error: attr-defined, reportAttributeAccessIssue
    Gmail(client)  # error: arg-type, reportArgumentType
    Mailbox(client)  # error: arg-type, reportArgumentType
    Client("imap.example.org")  # error: arg-type, reportArgumentType
    misspelt()
    inbox.exists()  # error: operator, reportCallIssue


def arguments(client: Client, inbox: Mailbox, uids: UIDSet) -> None:
    inbox.fetch("1:5", FLAGS)  # error: arg-type, reportArgumentType
    inbox.fetch(uids, "FLAGS")  # error: arg-type, reportArgumentType
    inbox.fetch(uids, [FLAGS, SIZE])  # error: arg-type, reportArgumentType
    inbox.fetch(uids, FLAGS, reversed=True)  # error: call-arg, reportCallIssue
    inbox.search("UNSEEN")  # error: arg-type, reportArgumentType
    inbox.search(q.unseen, q.seen)  # error: call-arg, reportCallIssue
    inbox.sort(q.all_, "DATE")  # error: arg-type, reportArgumentType
    inbox.sort(-sort.DATE)  # error: arg-type, reportArgumentType
    inbox.add_flags(uids, ["\\Seen"])  # error: arg-type, reportArgumentType
    inbox.add_flags(uids, 7)  # error: arg-type, reportArgumentType
    inbox.add_flags("1:5", "\\Seen")  # error: arg-type, reportArgumentType
    inbox.move(uids, None)  # error: arg-type, reportArgumentType
    inbox.read_bytes(uids, "1")  # error: arg-type, reportArgumentType
    inbox.download(7, "2")  # error: call-arg, reportCallIssue
    inbox.download(7, "2", Path("film.mp4"), progress=7)  # error: arg-type, reportArgumentType
    client.role("sent")  # error: arg-type, reportArgumentType
    client.append("INBOX", "Subject: x")  # error: arg-type, reportArgumentType
    client.append("INBOX", b"", date="1-Jan-2026")  # error: arg-type, reportArgumentType
    client.select("INBOX", read_only=True)  # error: call-arg, reportCallIssue
    client.select("INBOX", True)  # error: call-arg, reportCallIssue
    client.with_options(5)  # error: call-arg, reportCallIssue
    client.status("INBOX", ["UNSEEN"])  # error: arg-type, reportArgumentType
    imapkit.connect("imap.example.org", "ada", "secret", timout=5)  # error: call-arg, reportCallIssue
    imapkit.connect("imap.example.org", "ada", "secret", tls="always")  # error: arg-type, reportArgumentType
    imapkit.conect("imap.example.org", "ada", "secret")  # error: attr-defined, reportAttributeAccessIssue
    Account("imap.example.org", "secret")  # error: arg-type, reportArgumentType
    imapkit.OAuth2("ada", "token")  # error: arg-type, reportArgumentType


def keys(moment: dt.datetime) -> None:
    q.since(moment)  # error: arg-type, reportArgumentType
    q.before(dt.datetime(2026, 1, 1))  # error: arg-type, reportArgumentType
    q.sent_on("1-Jan-2026")  # error: arg-type, reportArgumentType
    q.unseen + q.seen  # error: operator, reportOperatorIssue
    q.unseen & "SEEN"  # error: operator, reportOperatorIssue
    -q.unseen  # error: operator, reportOperatorIssue
    -ENVELOPE  # error: operator, reportOperatorIssue


def words() -> None:
    # (Of "and" as an argument no checker says anything: the program raises TypeError there.)
    both = q.unseen and q.seen  # error: var-annotated, -
    either = q.unseen or q.seen  # error: var-annotated, -
    if q.seen:  # error: -, reportGeneralTypeIssues
        pass


def results(client: Client, inbox: Mailbox) -> None:
    asked = client.nowait.status("INBOX", "UNSEEN")
    print(asked.unseen)  # error: attr-defined, reportAttributeAccessIssue
    print(len(client.nowait.mailboxes()))  # error: arg-type, reportArgumentType
    for _ in inbox.nowait.fetch(7, FLAGS):  # error: attr-defined, reportGeneralTypeIssues
        pass
    status = client.status("INBOX", "UNSEEN")
    print(status.unseen + 1)  # error: operator, reportOptionalOperand
    print(client.role(Role.SENT).mailbox)  # error: union-attr, reportOptionalMemberAccess
    print(inbox.move(7, "Archive").uids[7])  # error: index, reportOptionalSubscript
    print(client.append("INBOX", b"").uid + 1)  # error: operator, reportOptionalOperand
    print(len(inbox.fetch(7, FLAGS)))  # error: arg-type, reportArgumentType
    number: str = inbox.search(q.seen)[0]  # error: assignment, reportAssignmentType


def messages(message: Message) -> None:
    print(message.envelop)  # error: attr-defined, reportAttributeAccessIssue
    print(message["FLAGS"])  # error: index, reportArgumentType
    print(message[SIZE].upper())  # error: attr-defined, reportAttributeAccessIssue
    print(message.envelope.subject.upper())  # error: union-attr, reportOptionalMemberAccess
    print(message.envelope.date.year)  # error: union-attr, reportOptionalMemberAccess
    message.uid = 7 if message.uid else "7"  # error: assignment, reportAttributeAccessIssue


async def faces(client: Client, later: AsyncClient, inbox: Mailbox) -> None:
    async for _ in inbox.fetch(7, FLAGS):  # error: attr-defined, reportGeneralTypeIssues
        pass
    await inbox.search(q.seen)  # error: misc, reportGeneralTypeIssues
    async with client.select("INBOX"):  # error: attr-defined, reportGeneralTypeIssues
        pass
    with later.select("INBOX"):  # error: attr-defined, reportGeneralTypeIssues
        pass
    later.noop()  # error: unused-coroutine, reportUnusedCoroutine
    later.status("INBOX").unseen  # error: attr-defined, reportAttributeAccessIssue
    async with later.select("INBOX") as box:
        print(len(box.search(q.seen)))  # error: arg-type, reportArgumentType
        for _ in box.fetch(7, FLAGS):  # error: attr-defined, reportGeneralTypeIssues
            pass
        await box.fetch(7, FLAGS)  # error: misc, reportGeneralTypeIssues
        wrong: MailboxStatus = later.status("INBOX")  # error: assignment, reportAssignmentType
    assert_type(await later.status("INBOX"), MailboxStatus)
