from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime

from imapkit import BODY, DATE, ENVELOPE, FLAGS, HEADER, SIZE, Client, Copied, Flags, Message, Role, UIDSet, q, section, sort
from imapkit.ext.rev1 import BodyStructure, Envelope, MailboxListing
from imapkit.ext.sort_thread import Thread


def work(client: Client) -> None:
    listed: list[MailboxListing] = client.mailboxes("Lists/*", subscribed=True)
    sent: MailboxListing | None = client.role(Role.SENT)
    unseen: int | None = client.status("INBOX", "UNSEEN").unseen
    future: Future[list[MailboxListing]] = client.nowait.mailboxes()
    client.search(q.unseen)  # error: attr-defined, reportAttributeAccessIssue
    print(client.role(Role.SENT).mailbox)  # error: union-attr, reportOptionalMemberAccess
    client.role("sent")  # error: arg-type, reportArgumentType
    with client.select(Role.ARCHIVE, readonly=True) as box:
        found: UIDSet = box.search(q.unseen & q.subject("x"))
        messages: Iterator[Message] = box.fetch(found, ENVELOPE, FLAGS, reverse=True)
        for message in messages:
            envelope: Envelope = message[ENVELOPE]
            flags: Flags = message[FLAGS]
            print(flags == {"a"}, message.flags == frozenset())
            body: BodyStructure = message[BODY]
            size: int = message[SIZE]
            date: datetime = message[DATE]
            header: bytes = message[HEADER]
            text: bytes | None = message.get(section("1"))
            wrong: str = message[SIZE]  # error: assignment, reportAssignmentType
        moved: Copied = box.copy(q.seen, Role.ARCHIVE)
        stored: UIDSet = box.add_flags([1, 2], "a", "b", silent=False)
        order: list[int] = box.sort(q.all_, -sort.DATE, sort.SIZE)
        threads: list[Thread] = box.thread(algorithm="REFS")
        ahead: Future[UIDSet] = box.nowait.search()
        everything: Future[list[Message]] = box.nowait.fetch(1, SIZE)
        box.search("UNSEEN")  # error: arg-type, reportArgumentType
        box.fetch(found, "FLAGS")  # error: arg-type, reportArgumentType
        box.add_flags(1, ["a"])  # error: arg-type, reportArgumentType
        box.sort(q.all_, "DATE")  # error: arg-type, reportArgumentType
        box.fetch(b"1", FLAGS)
        print(len(box.nowait.search()))  # error: arg-type, reportArgumentType
        print(len(moved.uids))  # error: arg-type, reportArgumentType


async def later(client: Client) -> list[int]:
    async with client.asynchronous.select("INBOX") as box:
        found: UIDSet = await box.search(q.unseen)
        one, two = await asyncio.gather(box.search(q.seen), box.search(q.unseen))
        both: UIDSet = one | two
        print(len(box.search(q.seen)))  # error: arg-type, reportArgumentType
        return [message.uid async for message in box.fetch(both & found, FLAGS)]
