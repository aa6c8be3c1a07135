from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from datetime import datetime

from imapkit import Client, MailboxEvent, Overflow
from imapkit.ext.acl import Rights
from imapkit.ext.namespace import Namespaces
from imapkit.ext.quota import Quota
from imapkit.ext.rev1 import Address, BodyStructure, Envelope, Exists, Expunged, FlagsChanged


def work(client: Client) -> None:
    quotas: tuple[Quota, ...] = client.quota("INBOX")
    print(quotas[0].resources, "t" in client.acl("INBOX")["bob"])
    later: Future[Mapping[str, Rights]] = client.nowait.acl()
    found: Namespaces = client.namespaces()
    fields: dict[str, str | None] = client.id(name="mine")
    enabled: frozenset[str] = client.enable("UTF8=ACCEPT")
    client.set_quota("", {"STORAGE": "5"})  # error: dict-item, reportArgumentType
    client.set_acl("INBOX", "bob")  # error: call-arg, reportCallIssue
    client.id(1)  # error: call-arg, reportCallIssue
    client.idle()  # error: attr-defined, reportAttributeAccessIssue
    with client.select("INBOX") as box:
        for event in box.idle(timeout=5):
            either: MailboxEvent | Overflow = event
            if isinstance(event, Exists):
                count: int = event.count
            elif isinstance(event, FlagsChanged):
                print("\\Seen" in event.flags, event.uid)
            elif isinstance(event, Expunged):
                number: str = event.number  # error: assignment, reportAssignmentType
        gathered: Future[list[MailboxEvent | Overflow]] = box.nowait.idle(timeout=1)


async def watch(client: Client) -> None:
    async with client.asynchronous.select("INBOX") as box:
        async for event in box.idle():
            print(event)
        wrong: Iterator[object] = box.idle()  # error: assignment, reportAssignmentType


def read(envelope: Envelope, address: Address, part: BodyStructure) -> None:
    subject: str | None = envelope.subject
    date: datetime | None = envelope.date
    sent: bytes | None = envelope.raw_subject
    name: str | None = address.name
    kind: str | None = part.type
    wrong: bytes = envelope.subject  # error: assignment, reportAssignmentType
