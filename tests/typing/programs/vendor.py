"""Typed calls of a package of somebody else: how they are written, and both ways to use them."""

# What follows from an unknown type.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from typing import TypeVar, assert_type

from imapkit_acme import OWNER, Acme, AcmeSession, unowned

from imapkit import FLAGS, SIZE, Client, Flags, Mailbox, Message, UIDSet, q
from imapkit.plugin import Async, Blocking, Item, Nowait, Reply, SelectedCommands, TypedCommands, Which, Wire, command, stream

F = TypeVar("F")


class Vendor(SelectedCommands[F]):
    """Typed calls for a selected mailbox."""

    @command
    def snooze(self, uid: int, days: float = 1.0) -> Wire[int]:
        """One command."""
        return Wire("XSNOOZE", uid, str(days), parse=_count)

    @command
    async def snooze_all(self, which: Which, *, days: float = 1.0) -> UIDSet:
        """Several."""
        uids = await self._uids(which)
        for uid in uids:
            assert_type(await self.snooze(uid, days), int)
        return uids

    @stream
    async def snoozed(self, *items: Item[object]) -> AsyncIterator[Message]:
        """A stream."""
        for _ in await Wire("XSNOOZED", parse=_messages):
            yield _


def _count(reply: Reply) -> int:
    return len(reply.responses("XSNOOZE"))


def _messages(reply: Reply) -> list[Message]:
    return []


class VendorSession(TypedCommands[F]):
    @command
    def plan(self) -> Wire[int]:
        return Wire("XPLAN", parse=_count)


class MyBox(Mailbox, Vendor[Blocking], Acme[Blocking]):
    """A mailbox with a vendor's calls, and one of the program's own."""

    def quiet(self) -> Flags:
        self.snooze_all(q.unseen & unowned)
        return next(self.fetch(7, FLAGS))[FLAGS]


class MyClient(Client, VendorSession[Blocking]): ...


def views(client: Client, inbox: Mailbox) -> None:
    assert_type(Vendor(inbox), Vendor[Blocking])
    assert_type(Vendor(inbox).snooze(7), int)
    assert_type(Vendor(inbox).snooze_all(q.seen, days=2), UIDSet)
    assert_type(Vendor(inbox).snoozed(SIZE), Iterator[Message])
    assert_type(Vendor(inbox.nowait), Vendor[Nowait])
    assert_type(Vendor(inbox.nowait).snooze(7), Future[int])
    assert_type(Vendor(inbox.nowait).snoozed(SIZE), Future[list[Message]])
    assert_type(Vendor(inbox).with_options(timeout=3).snooze(7), int)
    assert_type(AcmeSession(client).team(), tuple[str, ...])
    assert_type(Acme(inbox).assign(unowned, "ada"), UIDSet)
    for message in inbox.fetch(unowned, OWNER, FLAGS):
        assert_type(message[OWNER], str)
    Vendor(client)  # error: arg-type, reportArgumentType
    Vendor(inbox).snooze("7")  # error: arg-type, reportArgumentType
    Vendor(inbox).snooze_all(7, 2)  # error: call-arg, reportCallIssue
    Vendor(inbox).search(q.seen)  # error: attr-defined, reportAttributeAccessIssue
    print(Vendor(inbox.nowait).snooze(7) + 1)  # error: operator, reportOperatorIssue
    VendorSession(client).snooze(7)  # error: attr-defined, reportAttributeAccessIssue


def classes(client: Client, inbox: Mailbox) -> None:
    with MyBox(inbox) as mine:
        assert_type(mine, MyBox)
        assert_type(mine.snooze(7), int)
        assert_type(mine.search(unowned), UIDSet)
        assert_type(mine.assign(7, None), UIDSet)
        assert_type(mine.with_options(timeout=3), MyBox)
        mine.plan()  # error: attr-defined, reportAttributeAccessIssue
    assert_type(MyClient(client).plan(), int)
    assert_type(MyClient.over(client.raw), MyClient)
    MyBox(client)  # error: arg-type, reportArgumentType
    MyBox(inbox.nowait)  # error: arg-type, reportArgumentType


async def later(client: Client) -> None:
    async with client.asynchronous.select() as box:
        assert_type(Vendor(box), Vendor[Async])
        assert_type(await Vendor(box).snooze(7), int)
        assert_type(Vendor(box).snoozed(SIZE), AsyncIterator[Message])
        both = await asyncio.gather(Vendor(box).snooze(7), Acme(box).assign(7, "ada"))
        assert_type(both, tuple[int, UIDSet])
        Vendor(box).snooze(7)  # error: unused-coroutine, reportUnusedCoroutine
