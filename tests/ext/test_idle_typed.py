"""The events of IDLE as a stream, in the three faces."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import ArgumentError, AsyncClient, Client, Flags, Limits, Mailbox, MailboxClosed, Missing, NoResponse, Overflow
from imapkit.errors import ServerBye
from imapkit.ext.rev1 import Exists, Expunged, FlagsChanged, Recent
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer, answering, refusing, selected, within

MARGIN = 10.0
FAMILIES = ["rev1", "idle"]
SHORT = 0.2
IDLE = b"IMAP4rev1 IDLE"
DONE, THREE = answering(), answering(b"* 3 EXISTS\r\n")
NEWS = b"* 4 EXISTS\r\n* 1 RECENT\r\n* 2 EXPUNGE\r\n* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n* 1 FETCH (UID 7)\r\n"
EVENTS = [Exists(4, "a"), Recent(1, "a"), Expunged(2, "a"), FlagsChanged(1, Flags(["\\Seen"]), 7, "a")]


def until(holds: Callable[[], object], otherwise: str) -> None:
    """Ask until something holds that has no event to wait for; fails if it does not before long."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, otherwise
        time.sleep(0)


class Idling:
    """A server that accepts IDLE, and sends what ``tell`` is given, then and later; ``begun`` counts how often."""

    def __init__(self, *first: bytes) -> None:
        self.begun = self.ended = 0
        self._first = list(first)
        self._conversation: Conversation | None = None

    def __call__(self, conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        if self._first:
            conversation.send(self._first.pop(0))
        self._conversation = conversation
        self.begun += 1
        assert conversation.read_line() == b"DONE"
        self.ended += 1
        conversation.ok(command)

    def tell_once_it_listens(self, line: bytes) -> None:
        until(lambda: self.begun > self.ended, "it does not listen")
        self.tell(line)

    def tell(self, line: bytes) -> None:
        assert self._conversation is not None
        self._conversation.send(line)


@contextmanager
def idling(handler: Handler, noop: Handler = DONE, **options: Any) -> Iterator[tuple[Mailbox, ScriptedServer, Client]]:
    named = {"IDLE": handler, "SELECT": THREE, "NOOP": noop}
    with selected(named, families=FAMILIES, select=None, capabilities=IDLE, **options) as (raw, server), within(30):
        client = Client.over(raw)
        with client.select("a") as box:
            yield box, server, client


def test_events_as_they_come_and_leaving_the_loop_ends_it() -> None:
    handler = Idling(NEWS)
    with idling(handler) as (box, _, client):
        found: list[Any] = []
        for event in box.idle():
            found.append(event)
            if len(found) == 4:
                handler.tell(b"* 5 EXISTS\r\n")
            elif len(found) == 5:
                break
        assert found == [*EVENTS, Exists(5, "a")]
        until(lambda: handler.ended == 1, "no DONE")
        client.noop()
        assert handler.begun == 1


def test_it_ends_after_its_time() -> None:
    handler = Idling(NEWS)
    with idling(handler) as (box, _, client):
        assert list(box.idle(timeout=SHORT)) == EVENTS
        assert list(box.idle(timeout=0)) == []
        client.noop()
        assert handler.begun == handler.ended


def test_as_a_future() -> None:
    handler = Idling(NEWS)
    with idling(handler) as (box, _, client):
        assert box.nowait.idle(timeout=SHORT).result(MARGIN) == EVENTS
        endless = box.nowait.idle()
        until(lambda: handler.begun == 2, "it is not sent")
        assert endless.cancel()
        until(lambda: handler.ended == 2, "no DONE")
        client.noop()


def test_with_asyncio() -> None:
    handler = Idling(NEWS)

    async def work(client: AsyncClient) -> list[Any]:
        found: list[Any] = []
        async with client.select("a") as box:
            async for event in box.idle():
                found.append(event)
                await client.noop()
                if len(found) == 4:
                    break
            found += [event async for event in box.idle(timeout=0)]
            begun = handler.begun
            task = asyncio.ensure_future(_first(box))
            await asyncio.to_thread(until, lambda: handler.begun > begun, "it does not listen")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await client.noop()
        assert handler.begun == handler.ended
        return found

    with selected({"IDLE": handler, "SELECT": THREE}, families=FAMILIES, select=None, capabilities=IDLE) as (raw, _), within(30):
        assert asyncio.run(work(AsyncClient.over(raw))) == EVENTS


async def _first(box: Any) -> object:
    return await anext(box.idle())


def test_another_command_interrupts_it_and_it_goes_on() -> None:
    handler = Idling(b"* 4 EXISTS\r\n")
    with idling(handler, answering(b"* 5 EXISTS\r\n")) as (box, _, client):
        events = box.idle()
        assert next(events) == Exists(4, "a")
        other = threading.Thread(target=client.noop)
        other.start()
        assert next(events) == Exists(5, "a")
        other.join(MARGIN)
        client.noop()
        assert next(events) == Exists(5, "a")
        teller = threading.Thread(target=handler.tell_once_it_listens, args=(b"* 6 EXISTS\r\n",))
        teller.start()
        assert next(events) == Exists(6, "a")
        teller.join(MARGIN)
        events.close()  # type: ignore[attr-defined]


def test_it_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapkit.ext.idle.IdleCommands.idle_refresh", 0.05)
    handler = Idling()
    with idling(handler) as (box, _, _), within(30):
        found: list[Any] = []

        def listen() -> None:
            for event in box.idle():
                found.append(event)
                return

        thread = threading.Thread(target=listen)
        thread.start()
        until(lambda: handler.begun >= 3, "it is not renewed")
        until(lambda: _told(handler), "nothing is sent")
        thread.join(MARGIN)
        assert found == [Exists(9, "a")]


def _told(handler: Idling) -> bool:
    handler.tell(b"* 9 EXISTS\r\n")
    return True


def test_a_mailbox_that_was_left_ends_it() -> None:
    handler = Idling(b"* 4 EXISTS\r\n")
    with idling(handler) as (box, _, client):
        events = box.idle()
        assert next(events) == Exists(4, "a")
        box.close()
        with client.select("b"), pytest.raises(MailboxClosed):
            next(events)


def test_the_end_of_the_connection_ends_it() -> None:
    def bye(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n* BYE gone\r\n")
        conversation.close()

    with idling(bye) as (box, _, _), pytest.raises(ServerBye):
        list(box.idle())


def test_refused_and_missing() -> None:
    with idling(refusing()) as (box, _, _), pytest.raises(NoResponse):
        list(box.idle())
    with selected({}, families=FAMILIES, capabilities=b"IMAP4rev1") as (raw, server), Client.over(raw).select("a") as box:
        with pytest.raises(Missing):
            list(box.idle())
        assert "IDLE" not in server.names


@pytest.mark.parametrize("wrong", [-1, "10", float("nan")])
def test_not_a_time(wrong: Any) -> None:
    with idling(Idling()) as (box, server, _):
        with pytest.raises(ArgumentError):
            list(box.idle(timeout=wrong))
        assert "IDLE" not in server.names


def test_too_many_events_are_counted() -> None:
    handler = Idling(b"* 1 EXISTS\r\n")
    with idling(handler, limits=Limits(stored=10)) as (box, _, client):
        events = box.idle()
        assert next(events) == Exists(1, "a")
        # (In one piece: the callback thread need not be slow.)
        handler.tell(b"".join(b"* %d EXISTS\r\n" % count for count in range(2, 102)))
        client.noop()
        found = [next(events)]
        while not isinstance(found[-1], Overflow):
            found.append(next(events))
        assert found[0] == Exists(2, "a")
        assert 0 < found[-1].lost <= 100 - (len(found) - 1)
        events.close()  # type: ignore[attr-defined]
