"""Thousands of tasks with time-outs that are often too short, on one connection to a real server."""

from __future__ import annotations

import asyncio
import random

import pytest

from imapkit import FLAGS, Client, UIDSet, q
from tests.core.rig import until
from tests.live.support import filled, letter
from tests.servers.base import Server

pytestmark = [pytest.mark.live, pytest.mark.heavy]

MANY = 2000


def test_after_thousands_of_late_tasks_nothing_is_pending_and_answers_are_right(server: Server, rng: random.Random) -> None:
    """Those that are not late have their own answers."""
    messages = [letter(f"s{number}") for number in range(5)]
    with filled(server, "typed-late", *messages) as (raw, name):
        client = Client.over(raw)

        async def work() -> list[str]:
            typed = client.asynchronous
            async with typed.select(name) as box:
                uids = list(await box.search())
                assert len(uids) == 5

                async def one(number: int) -> str:
                    """By its own time-out, or by the task's."""
                    seconds, kind = rng.random() * 0.01, number % 4
                    at = rng.randrange(5)
                    hasty = box.with_options(timeout=seconds) if number % 2 else box
                    try:
                        async with asyncio.timeout(None if number % 2 else seconds):
                            if kind < 2:
                                found = await hasty.search(q.subject(f"s{at}"))
                                assert found == UIDSet([uids[at]]), (at, found)
                            else:
                                fetched = [message.uid async for message in hasty.fetch(uids[at], FLAGS)]
                                assert fetched == [uids[at]]
                    except TimeoutError:
                        return "late"
                    return "right"

                outcomes: list[str] = []
                for first in range(0, MANY, 50):
                    outcomes += await asyncio.gather(*(one(number) for number in range(first, first + 50)))
                assert await box.search(q.subject("s3")) == UIDSet([uids[3]])
                assert [message.uid async for message in box.fetch(q.all_, FLAGS)] == uids
                return outcomes

        outcomes = asyncio.run(work())
        print({kind: outcomes.count(kind) for kind in set(outcomes)})
        assert len(outcomes) == MANY
        assert outcomes.count("late") > 0
        until(lambda: raw._live.engine.idle, "a command is pending")
        assert raw.noop()[0] == "OK"
        with client.select(name) as box:
            assert len(box.search()) == 5
