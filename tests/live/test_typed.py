"""The typed commands of the base family, and typed SORT and THREAD, against real servers, by each face."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta

import pytest

from imapkit import (
    BODY,
    DATE,
    ENVELOPE,
    FLAGS,
    HEADER,
    SIZE,
    Client,
    Mailbox,
    NoResponse,
    NotFetched,
    Role,
    UIDSet,
    q,
    section,
    sort,
)
from imapkit.ext.rev1 import MailboxListing
from tests.live.support import announced, filled, letter, logged_in, needing, place
from tests.servers.base import Server

pytestmark = pytest.mark.live

SUBJECTS = ("apple", "banana", "Grüße", "cherry")
WORDS = ("apple", "banana", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "cherry")


@contextmanager
def boxed(server: Server, name: str, *messages: bytes) -> Iterator[tuple[Client, Mailbox, str]]:
    """A typed client, and a mailbox with these messages, which it has selected."""
    with filled(server, name, *(messages or map(letter, WORDS))) as (raw, full):
        client = Client.over(raw)
        with client.select(full) as box:
            yield client, box, full


def test_mailboxes(server: Server) -> None:
    with logged_in(server) as raw:
        client = Client.over(raw)
        one, other = place(server, "typed-Entwürfe"), place(server, "typed-renamed")
        client.create(one)
        assert one in [listing.mailbox for listing in client.mailboxes()]
        client.subscribe(one)
        assert one in [listing.mailbox for listing in client.mailboxes(subscribed=True)]
        client.unsubscribe(one)
        assert one not in [listing.mailbox for listing in client.mailboxes(one, subscribed=True)]
        client.rename(one, other)
        [listing] = client.mailboxes(other)
        assert listing.is_selectable
        assert client.status(listing.name, "MESSAGES").messages == 0
        client.delete_mailbox(listing.name)
        assert client.mailboxes(other) == []
        with pytest.raises(NoResponse):
            client.delete_mailbox(other)
        assert "IMAP4REV1" in client.capability()


def test_a_selected_mailbox_is_deleted(server: Server) -> None:
    with logged_in(server) as raw:
        client, name = Client.over(raw), place(server, "typed-selected")
        client.create(name)
        with client.select(name):
            pass
        client.delete_mailbox(name)
        assert client.mailboxes(name) == []


def test_a_role_by_attribute_or_by_name(server: Server) -> None:
    with logged_in(server) as raw:
        client = Client.over(raw)
        if client.role(Role.ARCHIVE) is None:
            client.create(place(server, "Archiv"))
        found = client.role(Role.ARCHIVE)
        assert found is not None
        assert found.role is Role.ARCHIVE
        assert found.role_from in ("attribute", "name")
        assert client.nowait.role(Role.ARCHIVE).result(30) == found


def test_roles_beside_counts_are_those_without(server: Server) -> None:
    with logged_in(server) as raw:
        client = Client.over(raw)
        if not [box for box in client.mailboxes() if box.role is Role.SENT]:
            with suppress(NoResponse):
                client.create(place(server, "Sent"))
        counted = client.mailboxes(status=["UNSEEN"])
        plain = client.mailboxes()
        assert {box.mailbox: box.role for box in counted} == {box.mailbox: box.role for box in plain}
        # RFC 3348: whether a mailbox has children.
        assert _children(counted) == _children(plain)


def _children(boxes: list[MailboxListing]) -> dict[str, set[str]]:
    return {box.mailbox: {flag.lower() for flag in box.attributes} & {"\\haschildren", "\\hasnochildren"} for box in boxes}


def test_search(server: Server) -> None:
    with boxed(server, "typed-search") as (_, box, _name):
        everything = box.search()
        assert len(everything) == 4
        assert box.search(q.subject("banana")) == UIDSet([everything[1]])
        assert box.search(q.subject("Grüße")) == UIDSet([everything[2]])
        assert box.search(q.subject("banana") | q.subject("cherry")) == UIDSet([everything[1], everything[3]])
        assert box.search(~q.subject("apple") & q.since(date(2020, 1, 1))) == everything - {everything[0]}
        assert box.search(q.subject("nothing like it")) == UIDSet()
        assert box.search(q.uid(everything.newest(2))) == everything.newest(2)


def test_fetch(server: Server) -> None:
    with boxed(server, "typed-fetch") as (_, box, _name):
        uids = box.search()
        found = list(box.fetch(uids, ENVELOPE, FLAGS, BODY, SIZE, DATE, HEADER, section("TEXT"), section("1")))
        assert [message.uid for message in found] == list(uids)
        assert [message.envelope.subject for message in found] == list(SUBJECTS)
        for message, word in zip(found, WORDS, strict=True):
            assert "\\Seen" not in message.flags
            assert message.body.content_type == "text/plain"
            assert message.size == len(letter(word))
            assert message.date - datetime.now(UTC) < timedelta(days=1)
            assert b"Subject: " in message[HEADER]
            assert message[section("TEXT")].strip() == message[section("1")].strip() == b"hello"
            assert message.defects == ()
            with pytest.raises(NotFetched):
                message[section("2")]
        assert [message.uid for message in box.fetch(uids, FLAGS, chunk=2, reverse=True)] == list(reversed(uids))
        assert [message.uid for message in box.fetch(q.subject("cherry"))] == [uids[3]]
        assert list(box.fetch(4_000_000_000, FLAGS)) == []


def test_many_messages_in_chunks(server: Server) -> None:
    with boxed(server, "typed-many", *(letter(str(number)) for number in range(60))) as (client, box, name):
        uids = box.search()
        assert len(uids) == 60
        seen = []
        for message in box.fetch(uids, ENVELOPE, FLAGS, chunk=7):
            seen.append(message.envelope.subject)
            if len(seen) % 20 == 0:
                box.add_flags(message.uid, "\\Flagged")
                client.noop()
        assert seen == [str(number) for number in range(60)]
        for message in box.fetch(uids, FLAGS, chunk=7):
            assert message.uid == uids[0]
            break
        assert box.search(q.flagged) == UIDSet([uids[19], uids[39], uids[59]])
        assert box.name == name


def test_flags(server: Server) -> None:
    with boxed(server, "typed-flags") as (_, box, _name):
        uids = box.search()
        assert box.add_flags(uids, "\\Seen", "\\Flagged") == uids
        assert box.remove_flags(uids.newest(2), "\\Flagged", silent=False) == uids.newest(2)
        assert box.set_flags(uids[0], "\\Answered") == UIDSet([uids[0]])
        flags = [{*message.flags} - {"\\Recent"} for message in box.fetch(uids, FLAGS)]
        assert flags == [{"\\Answered"}, {"\\Seen", "\\Flagged"}, {"\\Seen"}, {"\\Seen"}]
        box.set_flags(q.seen)
        assert box.search(q.seen) == UIDSet()
        box.check()


def test_copy(server: Server) -> None:
    with boxed(server, "typed-copy") as (client, box, _name):
        target = place(server, "typed-copied")
        client.create(target)
        uids = box.search()
        copied = box.copy(uids.newest(2), target)
        assert client.status(target, "MESSAGES").messages == 2
        if "UIDPLUS" in announced(server):
            assert copied.uids is not None
            assert set(copied.uids) == set(uids.newest(2))
            assert copied.uidvalidity == client.status(target, "UIDVALIDITY").uidvalidity
        with pytest.raises(NoResponse):
            box.copy(uids, place(server, "typed-nowhere"))


def test_by_futures(server: Server) -> None:
    with boxed(server, "typed-futures") as (_, box, _name):
        futures = [box.nowait.search(q.subject(word)) for word in SUBJECTS]
        assert [len(future.result(30)) for future in futures] == [1, 1, 1, 1]
        found = box.nowait.fetch(q.all_, ENVELOPE, FLAGS, chunk=2).result(30)
        assert [message.envelope.subject for message in found] == list(SUBJECTS)
        assert box.nowait.add_flags(q.all_, "\\Seen").result(30) == UIDSet([message.uid for message in found])


def test_by_asyncio(server: Server) -> None:
    with filled(server, "typed-asyncio", *map(letter, WORDS)) as (raw, name):

        async def work() -> list[str | None]:
            client = Client.over(raw).asynchronous
            async with client.select(name) as box:
                subjects = [message.envelope.subject async for message in box.fetch(await box.search(), ENVELOPE, chunk=2)]
                found = await asyncio.gather(*(box.search(q.subject(word)) for word in SUBJECTS))
                assert [len(uids) for uids in found] == [1, 1, 1, 1]
                await box.add_flags(found[0], "\\Seen")
                assert await box.search(q.seen) == found[0]
                return subjects

        assert asyncio.run(work()) == list(SUBJECTS)


def test_sort_and_thread(server: Server) -> None:
    needing(server, "SORT", "THREAD=REFERENCES")
    with boxed(server, "typed-sorted") as (_, box, _name):
        uids = box.search()
        assert box.sort(q.all_, -sort.SUBJECT) == [uids[2], uids[3], uids[1], uids[0]]
        assert box.sort(q.subject("Grüße") | q.subject("apple"), sort.SUBJECT) == [uids[0], uids[2]]
        assert sorted(thread.root or 0 for thread in box.thread()) == list(uids)
        assert box.nowait.sort(q.subject("banana"), sort.ARRIVAL).result(30) == [uids[1]]
