"""Typed calls of somebody else's package: as a view of a mailbox, and as a base of a program's own class."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from imapkit import FamilyDisabledError, MailboxClosed, UIDSet, q
from imapkit.plugin import Blocking, Command, Family, Kind, Reply, SelectedCommands, State, TypedCommands, Wire, command, number
from imapkit.testing import Handler, answering
from imapkit.typed.client import Client, Mailbox
from tests.drivers.rig import SECONDS, typed

F = TypeVar("F")


def count(reply: Reply) -> int:
    return len(reply.responses("XSNOOZE"))


class Vendor(SelectedCommands[F]):
    @command
    def snooze(self, uid: int) -> Wire[int]:
        return Wire("XSNOOZE", uid, parse=count)


class VendorSession(TypedCommands[F]):
    @command
    def plan(self) -> Wire[int]:
        return Wire("XSNOOZE", 7, parse=count)


class Absent(SelectedCommands[F]):
    @command
    def absent(self) -> Wire[int]:
        return Wire("XABSENT", parse=count)


class MyBox(Mailbox, Vendor[Blocking]):
    """A mailbox with the vendor's calls, and one of its own."""

    def rest(self) -> list[int]:
        return [self.snooze(uid) for uid in self.search(q.seen)]


class MyClient(Client, VendorSession[Blocking]): ...


class Lacking(Mailbox, Absent[Blocking]): ...


NUMBER: tuple[Kind, ...] = (number,)
VENDOR = Family(
    "vendor",
    session=VendorSession,
    selected=Vendor,
    commands=(Command("XSNOOZE", State.SELECTED, args=NUMBER, result=("XSNOOZE",)),),
    requires=("rev1",),
    contract=2,
)
HANDLERS: dict[str, Handler] = {
    "XSNOOZE": answering(b"* XSNOOZE\r\n"),
    "SELECT": answering(b"* 1 EXISTS\r\n"),
    "UID SEARCH": answering(b"* SEARCH 4 7\r\n"),
}


TEXT: Any = "imap.example.org"


@contextmanager
def vendor() -> Iterator[Client]:
    with typed(HANDLERS, families=["rev1", VENDOR]) as (client, _):
        yield client


def test_a_view_has_the_face_of_what_it_is_over() -> None:
    with vendor() as client, client.select() as box:
        assert Vendor(box).snooze(7) == 1
        assert Vendor(box.nowait).snooze(7).result(SECONDS) == 1
        assert Vendor(box).with_options(timeout=SECONDS).snooze(7) == 1
        assert VendorSession(client).plan() == 1

    async def later(client: Client) -> int:
        async with client.asynchronous.select() as box:
            return await Vendor(box).snooze(7)

    with vendor() as client:
        assert asyncio.run(later(client)) == 1


def test_a_class_of_a_program_has_its_bases_and_the_families_calls() -> None:
    with vendor() as client:
        with client.select() as box, MyBox(box) as mine:
            assert type(mine).__name__ == "MyBox"
            assert isinstance(mine, MyBox)
            assert (mine.name, mine.exists) == ("INBOX", 1)
            assert mine.search(q.seen) == UIDSet([4, 7])
            assert mine.rest() == [1, 1]
            assert isinstance(mine.with_options(timeout=SECONDS), MyBox)
            assert mine.with_options(timeout=SECONDS).rest() == [1, 1]
            assert mine.nowait.search(q.seen).result(SECONDS) == UIDSet([4, 7])
        with pytest.raises(MailboxClosed):
            mine.snooze(7)
        for own in (MyClient(client), MyClient.over(client.raw)):
            assert isinstance(own, MyClient)
            assert own.plan() == 1
            with own.select() as box:
                assert MyBox(box).snooze(7) == 1


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda client, box: Vendor(client), TypeError, r"Vendor needs a mailbox: write Vendor\(mailbox\)"),
        (lambda client, box: Vendor(client.nowait), TypeError, "Vendor needs a mailbox"),
        (lambda client, box: MyBox(client), TypeError, "MyBox takes a typed mailbox, not Client"),
        (lambda client, box: MyClient(box), TypeError, "MyClient takes a typed client, not Mailbox"),
        (lambda client, box: Vendor(TEXT), TypeError, "Vendor takes a typed client or mailbox, not str"),
        (lambda client, box: Client(TEXT), TypeError, "Client takes a typed client or mailbox, not str"),
        (lambda client, box: Vendor(client.raw), TypeError, "Vendor takes a typed client or mailbox, not IMAP4"),
        (lambda client, box: Absent(box), FamilyDisabledError, "Absent is the mixin of no family that this client has"),
        (lambda client, box: Lacking(box), FamilyDisabledError, "Absent is the mixin of no family that this client has"),
    ],
)
def test_what_cannot_be_a_view(make: Any, error: type[Exception], said: str) -> None:
    with vendor() as client, client.select() as box, pytest.raises(error, match=said):
        make(client, box)
