"""Moving, deleting, leaving, counting, and mailboxes with their status, against real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from imapkit import Client, Mailbox, MailboxClosed, Missing, UIDSet, q
from tests.live.support import filled, letter, needing, place
from tests.servers.base import Server

pytestmark = pytest.mark.live


@contextmanager
def boxed(server: Server, name: str, many: int = 4) -> Iterator[tuple[Client, Mailbox]]:
    """A typed client, and a mailbox with some messages, which it has selected."""
    with filled(server, name, *(letter(f"number {number}") for number in range(many))) as (raw, full):
        client = Client.over(raw)
        with client.select(full) as box:
            yield client, box


def test_move(server: Server) -> None:
    with boxed(server, "typed-move") as (client, box):
        if not {"MOVE", "UIDPLUS"} & client.capabilities:
            with pytest.raises(Missing):
                box.move(box.search(), "x")
            return
        target = place(server, "typed-moved")
        client.create(target)
        try:
            uids = box.search()
            moved = box.move(uids.oldest(2), target)
            assert box.search() == uids - uids.oldest(2)
            assert client.status(target, "MESSAGES").messages == 2
            if "UIDPLUS" in client.capabilities:
                assert moved.uids is not None
                assert UIDSet(moved.uids) == uids.oldest(2)
            assert box.nowait.move(q.subject("number 2"), target).result(30)
            assert client.status(target, "MESSAGES").messages == 3
            assert client.explain("move").route in ("MOVE", "COPY")
        finally:
            client.delete_mailbox(target)


def test_delete_leaves_what_others_have_marked(server: Server) -> None:
    needing(server, "UIDPLUS")
    with boxed(server, "typed-delete") as (_, box):
        uids = box.search()
        marked = box.add_flags(uids.oldest(1), r"\Deleted")
        assert box.delete(uids.newest(2)) == uids.newest(2)
        assert box.search() == uids - uids.newest(2)
        assert box.search(q.deleted) == marked


def test_unselect_expunges_nothing(server: Server) -> None:
    with boxed(server, "typed-unselect") as (client, box):
        name, uids = box.name, box.search()
        box.add_flags(uids, r"\Deleted")
        client.unselect()
        assert client.raw.state == "AUTH"
        with pytest.raises(MailboxClosed):
            box.search()
        box.close()
        with client.select(name) as again:
            assert again.search() == uids


def test_counts_and_ends_of_a_search(server: Server) -> None:
    with boxed(server, "typed-counts") as (client, box):
        uids = box.search()
        assert (box.count(), box.lowest(), box.highest()) == (4, uids[0], uids[-1])
        assert (box.count(q.subject("no such")), box.lowest(q.subject("no such"))) == (0, None)
        one, two = box.nowait.count(q.subject("number 1")), box.nowait.count(~q.seen)
        assert one.result(30) == 1
        assert two.result(30) == len(box.search(~q.seen))
        box.close()
        assert asyncio.run(_counted(client, box.name)) == 4


async def _counted(client: Client, name: str | bytes) -> int:
    async with client.asynchronous.select(name) as box:
        return await box.count()


def test_mailboxes_with_their_status(server: Server) -> None:
    with boxed(server, "typed-status", 3) as (client, box):
        found = {listing.mailbox: listing.status for listing in client.mailboxes(status=["MESSAGES"])}
        name = box.name if isinstance(box.name, str) else box.name.decode("ascii")
        status = found[name]
        assert status is not None
        assert status.messages == 3
        assert client.explain("mailboxes").route == ("LIST-STATUS" if "LIST-STATUS" in client.capabilities else "STATUS")
