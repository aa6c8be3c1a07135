"""Thousands of typed calls behind a connection on which nothing moves: none of them waits, and each gets its own answer."""

from __future__ import annotations

import asyncio
import gc
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from imapkit.testing import Conversation
from imapkit.typed.client import Client
from tests.core.rig import until, within
from tests.drivers.rig import SECONDS
from tests.threads.rig import scripted, swallow

pytestmark = pytest.mark.heavy

MANY = 9000
MEDIAN = 500e-6
"""Seconds that a call may take at the median: it takes 20 us, on a busy machine several times that, and a wait takes longer."""
WORST = 0.5
"""Seconds that a call may take: another thread may run meanwhile, but nothing is waited for, which would take longer."""


def answer_all(conversation: Conversation) -> None:
    """Answer each STATUS with the number in the name."""
    for _ in range(MANY):
        tag, _, name, *_ = conversation.read_line().split()
        conversation.send(b"* STATUS %b (MESSAGES %b)\r\n%b OK done\r\n" % (name, name[1:], tag))


def stuck_socket(conversation: Conversation, go: threading.Event) -> None:
    assert go.wait(30)
    tag = swallow(conversation)
    conversation.send(tag + b" OK done\r\n")


def missing_plus(conversation: Conversation, go: threading.Event) -> None:
    line = conversation.read_line()
    assert go.wait(30)
    conversation.send(b"+ go on\r\n")
    conversation.read_line()
    conversation.send(line.split()[0] + b" OK done\r\n")


def missing_done(conversation: Conversation, go: threading.Event) -> None:
    """The server has not accepted IDLE, so DONE cannot be sent."""
    line = conversation.read_line()
    assert go.wait(30)
    conversation.send(b"+ idling\r\n")
    assert conversation.read_line() == b"DONE"
    conversation.send(line.split()[0] + b" OK done\r\n")


FIRST: dict[Callable[[Conversation, threading.Event], None], tuple[Any, ...]] = {
    stuck_socket: ("APPEND", "box", None, None, b"x" * 12_000_000),
    missing_plus: ("APPEND", "box", None, None, b"hello"),
    missing_done: ("IDLE",),
}


@pytest.mark.parametrize("face", ["nowait", "asynchronous"])
@pytest.mark.parametrize("stuck", FIRST, ids=lambda stuck: stuck.__name__)
def test_no_call_waits(stuck: Callable[[Conversation, threading.Event], None], face: str) -> None:
    go = threading.Event()

    def script(conversation: Conversation) -> None:
        stuck(conversation, go)
        answer_all(conversation)
        conversation.wait_closed()

    literal = b"" if stuck is missing_plus else b" LITERAL+"
    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE%b] hi\r\n" % literal
    with scripted(script, greeting=greeting, timeout=60) as raw:
        client = Client.over(raw)
        first = raw.submit(*FIRST[stuck])
        took: list[float] = []
        gc.collect()
        # (A collection among thousands of futures takes 100 ms: that is no wait.)
        gc.disable()
        try:
            found = by_futures(client, took, go) if face == "nowait" else asyncio.run(by_tasks(client, took, go))
        finally:
            gc.enable()
        assert found == list(range(MANY))
        assert first.result(SECONDS)[0] == "OK"
        print(f"median {statistics.median(took) * 1e6:.0f} us, worst {max(took) * 1e3:.1f} ms")
        assert statistics.median(took) < MEDIAN
        assert max(took) < WORST


def by_futures(client: Client, took: list[float], go: threading.Event) -> list[int]:
    futures = []
    for number in range(MANY):
        began = time.perf_counter()
        future = client.nowait.status(f"m{number}", "MESSAGES")
        took.append(time.perf_counter() - began)
        futures.append(future)
    assert not any(future.done() for future in futures)
    assert client.raw._live.engine.queued >= MANY - 128
    go.set()
    with within(30):
        return [future.result(30).messages or 0 for future in futures]


async def by_tasks(client: Client, took: list[float], go: threading.Event) -> list[int]:
    """What is measured is each task's first step, up to where it waits for its answer."""
    engine = client.raw._live.engine

    async def ask(number: int) -> int:
        coroutine: Any = client.asynchronous.status(f"m{number}", "MESSAGES")
        return int((await coroutine).messages)

    began = time.perf_counter()
    tasks = [asyncio.ensure_future(ask(number)) for number in range(MANY)]
    await asyncio.sleep(0)
    took.append((time.perf_counter() - began) / MANY)
    assert not any(task.done() for task in tasks)
    assert engine.queued >= MANY - 128
    go.set()
    return await asyncio.gather(*tasks)


def test_all_that_are_cancelled_behind_a_stuck_socket_are_never_sent() -> None:
    go = threading.Event()

    def script(conversation: Conversation) -> None:
        stuck_socket(conversation, go)
        [tag, name] = conversation.read_line().split()
        assert name == b"NOOP"
        conversation.send(tag + b" OK done\r\n")
        conversation.wait_closed()

    with scripted(script, timeout=60) as raw:
        client = Client.over(raw)
        first = raw.submit("APPEND", "box", None, None, b"x" * 12_000_000)
        futures = [client.nowait.status(f"m{number}") for number in range(MANY)]
        began = time.monotonic()
        assert all(future.cancel() for future in futures)
        assert time.monotonic() - began < 5
        # (The command that is half sent is one of those queued.)
        until(lambda: raw._live.engine.queued <= 1, "commands are left in the queue")
        go.set()
        assert first.result(SECONDS)[0] == "OK"
        client.noop()
