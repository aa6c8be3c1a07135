"""The tasks with imapkit. Each is given a client that is logged in, and its selected INBOX."""

from __future__ import annotations

import asyncio
import datetime as dt
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from imapkit import BODY, ENVELOPE, FLAGS, AsyncClient, Client, Mailbox, Role, q, sort

IMPOSSIBLE: dict[str, str] = {}
CAVEATS: dict[str, str] = {}


def mailboxes(client: Client, inbox: Mailbox) -> Any:
    return {box.mailbox: (box.role, box.status.unseen) for box in client.mailboxes(status=["UNSEEN"]) if box.status}


def sent(client: Client, inbox: Mailbox) -> Any:
    found = client.role(Role.SENT)
    return found and found.mailbox


def search(client: Client, inbox: Mailbox) -> Any:
    return inbox.search(q.unseen & q.since(dt.date(2026, 1, 1)) & q.text("Grüße"))


def newest(client: Client, inbox: Mailbox) -> Any:
    messages = inbox.fetch(inbox.search().newest(50), ENVELOPE, FLAGS, reverse=True)
    return [(message.envelope.date, message.envelope.subject, "\\Seen" in message.flags) for message in messages]


def senders(client: Client, inbox: Mailbox) -> Any:
    return {address.email for message in inbox.fetch(q.unseen, ENVELOPE) for address in message.envelope.from_}


def text(client: Client, inbox: Mailbox) -> Any:
    [message] = inbox.fetch(q.subject("London"), BODY)
    return inbox.read_text(message.uid, message.body.text or "1")


def with_attachments(client: Client, inbox: Mailbox) -> Any:
    return [message.uid for message in inbox.fetch(q.all_, BODY) if message.body.attachments]


def attachments(client: Client, inbox: Mailbox) -> Any:
    [message] = inbox.fetch(q.subject("Holiday"), BODY)
    return {part.filename: inbox.read_bytes(message.uid, part) for part in message.body.attachments}


def download(client: Client, inbox: Mailbox) -> Any:
    [uid] = inbox.search(q.subject("Holiday"))
    inbox.download(uid, "2", Path("film.jpg"))


def look_into(client: Client, inbox: Mailbox) -> Any:
    [uid] = inbox.search(q.subject("Holiday"))
    with inbox.open(uid, "3") as file:
        return zipfile.ZipFile(file).namelist()


def mark(client: Client, inbox: Mailbox) -> Any:
    inbox.add_flags(q.unseen, "\\Seen", "$Forwarded")


def move(client: Client, inbox: Mailbox) -> Any:
    inbox.move(q.from_("news@example.com"), Role.ARCHIVE)


def delete(client: Client, inbox: Mailbox) -> Any:
    inbox.delete(q.subject("PEP"))


def append(client: Client, inbox: Mailbox) -> Any:
    return client.append(Role.DRAFTS, Path("big.eml"), flags=["\\Draft"]).uid


def append_streamed(client: Client, inbox: Mailbox) -> Any:
    client.append(Role.DRAFTS, Path("big.eml"))


def by_date(client: Client, inbox: Mailbox) -> Any:
    return inbox.sort(q.unseen, -sort.DATE, sort.SUBJECT)[:20]


def threads(client: Client, inbox: Mailbox) -> Any:
    return [thread.messages() for thread in inbox.thread()]


def wait(client: Client, inbox: Mailbox) -> Any:
    return any(inbox.idle(timeout=60))


def quota(client: Client, inbox: Mailbox) -> Any:
    return [(resource.name, resource.limit) for quota in client.quota("INBOX") for resource in quota.resources]


def acl(client: Client, inbox: Mailbox) -> Any:
    return "a" in client.acl("INBOX")["u15"]


def at_once(client: Client, inbox: Mailbox) -> Any:
    futures = [client.nowait.status(box.name, "UNSEEN") for box in client.mailboxes() if box.is_selectable]
    return sum(future.result().unseen or 0 for future in futures)


def from_threads(client: Client, inbox: Mailbox) -> Any:
    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(lambda uid: len(inbox.read_bytes(uid)), inbox.search()))


def with_asyncio(client: Client, inbox: Mailbox) -> Any:
    async def statuses(client: AsyncClient) -> list[int | None]:
        return [status.unseen for status in await asyncio.gather(client.status("INBOX"), client.status("Trash"))]

    return asyncio.run(statuses(client.asynchronous))


def in_time(client: Client, inbox: Mailbox) -> Any:
    return client.with_options(timeout=5).status("INBOX").unseen
