"""The tasks of a mail program, typed to the end: nothing is wrong here, and no expression holds ``Any``."""

# mypy: disallow-any-expr
# pyright: strict

from __future__ import annotations

import asyncio
import datetime as dt
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future, as_completed
from pathlib import Path
from typing import BinaryIO, assert_type

import imapkit
from imapkit import (
    BODY,
    DATE,
    ENVELOPE,
    FLAGS,
    HEADER,
    SIZE,
    Account,
    Appended,
    AsyncClient,
    AsyncMailbox,
    Client,
    Copied,
    Flags,
    Mailbox,
    MailboxEvent,
    Message,
    NowaitClient,
    NowaitMailbox,
    OAuth2,
    Overflow,
    OverQuota,
    Role,
    UIDSet,
    q,
    section,
    sort,
)
from imapkit.ext import gmail
from imapkit.ext.acl import Rights
from imapkit.ext.gmail import Gmail
from imapkit.ext.quota import Quota
from imapkit.ext.rev1 import BodyStructure, Envelope, MailboxListing, MailboxStatus
from imapkit.ext.sort_thread import Thread
from imapkit.plugin import Blocking, MailboxName, Reply


def get_token(rejected: str | None) -> str:
    return "token"


def connect() -> Account:
    client = imapkit.connect("imap.example.org", "ada", "secret")
    assert_type(client, Client)
    account = Account("imap.example.org", OAuth2("ada@example.org", get_token))
    with account.connect() as other:
        assert_type(other, Client)
    with imapkit.connect("imap.example.org", "ada", "secret", timeout=5, tls="starttls") as third:
        assert_type(third, Client)
    return account


def blocking(client: Client, update: Callable[[int, int | None], None]) -> None:
    for box in client.mailboxes(status=["MESSAGES", "UNSEEN"]):
        assert_type(box, MailboxListing)
        assert_type(box.mailbox, str)
        assert_type(box.role, Role | None)
        print(box.role_from, box.status and box.status.unseen)
    sent = client.role(Role.SENT)
    assert_type(sent, MailboxListing | None)
    with client.select("INBOX", readonly=True) as inbox:
        assert_type(inbox, Mailbox)
        assert_type(inbox.exists, int)
        assert_type(inbox.uidvalidity, int | None)
        found = inbox.search(q.unseen & q.since(dt.date(2026, 1, 1)) & q.text("Grüße"))
        assert_type(found, UIDSet)
        assert_type(inbox.fetch(found, FLAGS), Iterator[Message])
        for m in inbox.fetch(inbox.search(q.all_).newest(50), ENVELOPE, FLAGS, reverse=True):
            assert_type(m, Message)
            assert_type(m.envelope, Envelope)
            assert_type(m.envelope.date, dt.datetime | None)
            assert_type(m.envelope.subject, str | None)
            assert_type("\\Seen" in m.flags, bool)
            assert_type(m[ENVELOPE], Envelope)
            assert_type(m[FLAGS], Flags)
            assert_type(m[BODY], BodyStructure)
            assert_type(m[SIZE], int)
            assert_type(m[DATE], dt.datetime)
            assert_type(m[HEADER], bytes)
            assert_type(m[section("1.MIME")], bytes)
            assert_type(m.get(SIZE), int | None)
        uid = found[0]
        assert_type(uid, int)
        size = inbox.download(uid, "2", Path("film.mp4"), progress=lambda done, total: update(done, total), resume=True)
        assert_type(size, int)
        with inbox.open(uid, "3") as f:
            assert_type(f, BinaryIO)
            names = zipfile.ZipFile(f).namelist()
            print(names)
        body = next(inbox.fetch(uid, BODY)).body
        page = inbox.read_text(uid, body.html or body.text or "1")
        assert_type(page, str)
        files = {p.filename: inbox.read_bytes(uid, p) for p in body.attachments}
        assert_type(files, dict[str | None, bytes])
        items = [ENVELOPE, FLAGS]
        assert_type(inbox.fetch(found, *items, *(SIZE, DATE)), Iterator[Message])
        assert_type(inbox.add_flags(found, "\\Seen", "$Forwarded"), UIDSet)
        moved = inbox.move(q.from_("news@example.com") & q.seen, Role.ARCHIVE)
        assert_type(moved, Copied)
        assert_type(moved.uids, Mapping[int, int] | None)
        inbox.move(found, Role.TRASH)
        assert_type(inbox.delete(found), UIDSet)
        for event in inbox.idle(timeout=5):
            assert_type(event, MailboxEvent | Overflow)
        first = inbox.sort(q.unseen, -sort.ARRIVAL, sort.SUBJECT)[:20]
        assert_type(first, list[int])
        assert_type(inbox.thread(), list[Thread])
        roots = [t.root for t in inbox.thread(q.since(dt.date(2026, 1, 1)))]
        assert_type(roots, list[int | None])
        try:
            inbox.with_options(timeout=5).search(q.seen)
        except TimeoutError:
            pass
    new = client.append(Role.DRAFTS, Path("big.eml"), flags=["\\Draft"], progress=print)
    assert_type(new, Appended)
    assert_type(new.uid, int | None)
    quotas = client.quota("INBOX")
    assert_type(quotas, tuple[Quota, ...])
    assert_type(client.acl("INBOX"), Mapping[str, Rights])
    print(quotas[0].resources, "t" in client.acl("INBOX")["bob"])
    reply = client.run("XFOO", "x y", result=["XFOO"])
    assert_type(reply, Reply)
    try:
        client.with_options(timeout=5).status("INBOX")
    except TimeoutError:
        pass
    except OverQuota as refused:
        print(refused.text)


def futures(client: Client) -> None:
    assert_type(client.nowait, NowaitClient)
    asked = {client.nowait.status(b.mailbox, "UNSEEN"): b.mailbox for b in client.mailboxes()}
    assert_type(asked, dict[Future[MailboxStatus], str])
    for done in as_completed(asked):
        assert_type(done.result(), MailboxStatus)
        print(asked[done], done.result().unseen)
    with client.select() as inbox:
        assert_type(inbox.nowait, NowaitMailbox)
        assert_type(inbox.nowait.search(q.seen), Future[UIDSet])
        assert_type(inbox.nowait.fetch(1, FLAGS), Future[list[Message]])
        assert_type(inbox.nowait.idle(timeout=1), Future[list[MailboxEvent | Overflow]])
        assert_type(Gmail(inbox.nowait).add_labels(1, "todo"), Future[UIDSet])


async def everything(account: Account, names: list[str]) -> list[MailboxStatus]:
    async with await account.connect_async() as ac, asyncio.timeout(30):
        assert_type(ac, AsyncClient)
        async with ac.select("INBOX") as inbox:
            assert_type(inbox, AsyncMailbox)
            assert_type(inbox.fetch(q.flagged, FLAGS), AsyncIterator[Message])
            print([m.uid async for m in inbox.fetch(q.flagged, FLAGS)])
            async for m in inbox.fetch(1, gmail.LABELS):
                assert_type(m[gmail.LABELS], tuple[MailboxName, ...])
            assert_type(await Gmail(inbox).add_labels(1, "todo"), UIDSet)
        opened = await ac.select("INBOX")
        assert_type(opened, AsyncMailbox)
        assert_type(await asyncio.gather(ac.status("INBOX"), ac.quota()), tuple[MailboxStatus, tuple[Quota, ...]])
        task = asyncio.create_task(ac.status("INBOX"))
        assert_type(task, asyncio.Task[MailboxStatus])
        async with asyncio.TaskGroup() as group:
            assert_type(group.create_task(ac.append("INBOX", b"")), asyncio.Task[Appended])
        assert_type(await asyncio.wait_for(ac.role(Role.SENT), 3), MailboxListing | None)
        every = await asyncio.gather(*(ac.status(n, "UNSEEN") for n in names))
        assert_type(every, list[MailboxStatus])
        return every


def vendors(inbox: Mailbox) -> None:
    found = inbox.search(gmail.query("has:attachment larger:5M") & q.unseen)
    for m in inbox.fetch(gmail.query("has:attachment larger:5M") & q.unseen, gmail.LABELS):
        assert_type(m[gmail.LABELS], tuple[MailboxName, ...])
    assert_type(Gmail(inbox), Gmail[Blocking])
    assert_type(Gmail(inbox).add_labels(found, "todo"), UIDSet)
    assert_type(inbox.add_labels(found, "todo"), UIDSet)
