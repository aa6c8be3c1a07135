"""Threads and tasks share the selected mailbox of one connection, with time-outs: each use is in its own mailbox, or in none."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from imapkit import FLAGS, IMAP4, DeadlineExceeded, MailboxClosed, q
from imapkit.testing import Conversation, ReceivedCommand
from imapkit.typed.client import Client
from tests.core.rig import until
from tests.drivers.rig import typed

pytestmark = pytest.mark.heavy

WORKERS = 8
USES = 25


class Boxes:
    """A server whose every answer names the mailbox that is selected; it is slow now and then."""

    def __init__(self, rng: random.Random) -> None:
        self._rng, self._mailbox = rng, b"0"
        self.deleted: list[tuple[bytes, bytes]] = []
        """The mailbox, and the UID, of each message that was flagged."""

    def _lag(self, conversation: Conversation) -> None:
        if self._rng.random() < 0.1:
            conversation.pause(self._rng.random() * 0.01)

    def select(self, conversation: Conversation, command: ReceivedCommand) -> None:
        self._lag(conversation)
        self._mailbox = command.args.removeprefix(b"m")
        conversation.ok(command, untagged=b"* %b EXISTS\r\n* OK [UIDVALIDITY %b] x\r\n" % (self._mailbox, self._mailbox))

    def search(self, conversation: Conversation, command: ReceivedCommand) -> None:
        self._lag(conversation)
        conversation.ok(command, untagged=b"* SEARCH %b\r\n" % self._mailbox)

    def fetch(self, conversation: Conversation, command: ReceivedCommand) -> None:
        self._lag(conversation)
        uid = command.args.split(b" ")[0]
        conversation.ok(command, untagged=b"* 1 FETCH (UID %b FLAGS (in%b))\r\n" % (uid, self._mailbox))

    def store(self, conversation: Conversation, command: ReceivedCommand) -> None:
        self._lag(conversation)
        self.deleted.append((self._mailbox, command.args.split(b" ")[0]))
        conversation.ok(command)


@dataclass
class Tally:
    right: int = 0
    late: int = 0
    stale: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: str) -> None:
        with self.lock:
            if outcome in ("right", "late", "stale"):
                setattr(self, outcome, getattr(self, outcome) + 1)
            else:
                self.wrong.append(outcome)


def seconds(rng: random.Random) -> float | None:
    """A time-out that is often too short."""
    return rng.choice((None, None, 0.0, rng.random() * 0.02, rng.random() * 0.2))


def judged(number: int, exists: object, found: Any, flags: Any) -> str:
    said = {int(exists) if isinstance(exists, int) else exists, *found, *(int(flag[2:]) for flag in flags if flag[:2] == "in")}
    return "right" if said == {number} else f"{number}: {exists} {list(found)} {flags}"


def use_by_thread(client: Client, number: int, rng: random.Random) -> str:
    try:
        with client.with_options(timeout=seconds(rng)).select(f"m{number}") as box:
            exists = box.exists
            if rng.random() < 0.3:
                flagged = box.nowait.add_flags(number, "\\Deleted")
                if rng.random() < 0.5:
                    flagged.cancel()
            found = box.nowait.search(q.all_).result(20) if rng.random() < 0.5 else box.search(q.all_)
            [message] = box.fetch(number, FLAGS)
            return judged(number, exists, found, message.flags)
    except DeadlineExceeded:
        return "late"
    except MailboxClosed:
        return "stale"


async def use_by_task(client: Client, number: int, rng: random.Random) -> str:
    try:
        async with asyncio.timeout(rng.choice((None, None, rng.random() * 0.05))):
            async with client.asynchronous.with_options(timeout=seconds(rng)).select(f"m{number}") as box:
                exists = box.exists
                found, messages = await asyncio.gather(box.search(q.all_), _listed(box.fetch(number, FLAGS)))
                await box.add_flags(number, "\\Deleted")
                return judged(number, exists, found, messages[0].flags)
    except TimeoutError:
        return "late"
    except MailboxClosed:
        return "stale"


async def _listed(stream: Any) -> list[Any]:
    return [message async for message in stream]


@pytest.mark.parametrize("raw_selects", [False, True], ids=["leases", "and-raw-selects"])
def test_threads_and_tasks_share_one_selected_mailbox(rng: random.Random, raw_selects: bool) -> None:
    boxes = Boxes(random.Random(rng.random()))
    handlers = {
        "SELECT": boxes.select,
        "UID SEARCH": boxes.search,
        "UID FETCH": boxes.fetch,
        "UID STORE": boxes.store,
    }
    with typed(handlers, select="m0") as (client, _), ThreadPoolExecutor(WORKERS + 2) as pool:
        tally, over = Tally(), threading.Event()

        def thread(number: int, rng: random.Random) -> None:
            for _ in range(USES):
                tally.add(use_by_thread(client, number, rng))

        async def task(number: int, rng: random.Random) -> None:
            for _ in range(USES):
                tally.add(await use_by_task(client, number, rng))

        async def tasks() -> None:
            await asyncio.gather(*(task(100 + number, random.Random(rng.random())) for number in range(WORKERS)))

        def select_raw(raw: IMAP4, rng: random.Random) -> None:
            while not over.wait(rng.random() * 0.05):
                raw.select("m999")

        work = [pool.submit(thread, number, random.Random(rng.random())) for number in range(1, WORKERS + 1)]
        work.append(pool.submit(asyncio.run, tasks()))
        raw = pool.submit(select_raw, client.raw, random.Random(rng.random())) if raw_selects else None
        for each in work:
            each.result(50)
        over.set()
        if raw is not None:
            raw.result(20)
        print(tally)
        assert not tally.wrong
        assert not [where for where in boxes.deleted if where[0] != where[1]]
        assert tally.right + tally.late + tally.stale == 2 * WORKERS * USES
        assert tally.right >= 2 * WORKERS * USES // 8
        assert tally.late
        assert raw_selects or not tally.stale
        until(lambda: client.raw._live.engine.idle, "a command is left")
        with client.select("m1") as box:
            assert list(box.search()) == [1]
