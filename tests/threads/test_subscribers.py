"""Events: made of what no command asked for, and given to the program's functions, in order, on the callback thread."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, cast

import pytest

from imapkit import Limits
from imapkit.core.contract.events import Overflow, Unasked
from imapkit.core.threads.subscribers import Subscribers
from imapkit.core.threads.worker import Worker
from imapkit.core.wire.response import ResponseCode, Untagged
from imapkit.plugin import Code, Cursor, Event, Family, Response, record
from imapkit.testing import answering
from imapkit.testing.families import load_only
from tests.core.rig import selected
from tests.core.support import Driver


@record
class Grown:
    """An event."""

    count: int
    mailbox: str | bytes | None


@record
class Told:
    """Another one."""

    text: bytes | None


def _number(cursor: Cursor) -> int:
    if cursor.leading is None:
        raise cursor.error("a number")
    return cursor.leading


def _grown(value: Any, mailbox: str | bytes | None) -> object:
    return Grown(value, mailbox) if value else None


EVENTS: dict[str, Event] = {"EXISTS": _grown, "[XNEWS]": lambda value, mailbox: Told(value)}
TABLES = load_only(
    Family(
        "news",
        responses={"EXISTS": Response(_number, numbered=True)},
        codes={"XNEWS": Code()},
        events=EVENTS,
    )
)


class Hands:
    """A worker whose jobs run when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], object]] = []

    def put(self, job: Callable[[], object]) -> None:
        self.jobs.append(job)

    def work(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


class Rig:
    """Subscribers of an engine without threads."""

    def __init__(self, **limits: int) -> None:
        self.driver, self.hands = Driver(limits=Limits(**limits), tables=TABLES), Hands()
        self.subscribers = Subscribers(self.driver.engine, cast(Worker, self.hands), nullcontext())

    def exists(self, *counts: int) -> None:
        self.subscribers.put([Unasked("EXISTS", Untagged("EXISTS", count, (b"",)), "box") for count in counts])


def test_events_come_in_order_as_their_families_make_them() -> None:
    rig = Rig()
    got: list[object] = []
    rig.subscribers.add(got.append, ())
    assert rig.driver.engine.wanted == {"EXISTS", "[XNEWS]"}
    rig.exists(3, 0, 4)
    rig.subscribers.put([Unasked("[XNEWS]", ResponseCode("XNEWS", b"hello"), None)])
    assert got == []
    rig.hands.work()
    assert got == [Grown(3, "box"), Grown(4, "box"), Told(b"hello")], "0 made no event"


def test_a_subscriber_gets_the_classes_that_it_named_until_it_ends_that() -> None:
    rig = Rig()
    told: list[object] = []
    everything: list[object] = []
    with rig.subscribers.add(told.append, (Told,)):
        subscription = rig.subscribers.add(everything.append, ())
        rig.exists(3)
        rig.hands.work()
    subscription.close()
    rig.exists(4)
    rig.hands.work()
    assert (told, everything) == ([], [Grown(3, "box")])
    assert rig.driver.engine.wanted == frozenset(), "the engine keeps nothing for nobody"


def test_an_overflow_is_an_event_in_its_place() -> None:
    rig = Rig(stored=2)
    got: list[object] = []
    rig.subscribers.add(got.append, (Grown,))
    rig.exists(1, 2, 3, 4)
    rig.exists(5)
    rig.hands.work()
    rig.exists(6)
    rig.hands.work()
    assert got == [Grown(1, "box"), Grown(2, "box"), Overflow(3), Grown(6, "box")]


def test_the_memory_of_the_queue_is_bounded() -> None:
    rig = Rig(stored_bytes=1000)
    got: list[object] = []
    rig.subscribers.add(got.append, ())
    rig.subscribers.put([Unasked("[XNEWS]", ResponseCode("XNEWS", b"x" * 2000), None)])
    rig.exists(1)
    rig.hands.work()
    assert got == [Overflow(1), Grown(1, "box")]


def test_one_job_is_enough_for_all_that_waits() -> None:
    rig = Rig()
    got: list[object] = []
    rig.subscribers.add(got.append, ())
    for count in range(1, 50):
        rig.exists(count)
    assert len(rig.hands.jobs) == 1
    rig.hands.work()
    assert len(got) == 49


@pytest.mark.parametrize("raised", [LookupError("mine"), SystemExit(3)])
def test_a_subscriber_that_raises_does_not_keep_the_others_from_their_events(
    raised: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def raises(event: object) -> None:
        raise raised

    rig = Rig()
    got: list[object] = []
    rig.subscribers.add(raises, ())
    rig.subscribers.add(got.append, ())
    with caplog.at_level(logging.ERROR):
        rig.exists(1, 2)
        rig.hands.work()
    assert got == [Grown(1, "box"), Grown(2, "box")]
    assert "a subscriber raised" in caplog.text


def test_a_family_whose_function_raises_is_noted_and_a_response_that_cannot_be_read_as_well() -> None:
    def raises(value: Any, mailbox: object) -> object:
        raise LookupError("a family's own mistake")

    tables = load_only(Family("wrong", responses={"EXISTS": Response(_number)}, events={"EXISTS": raises}))
    driver, hands = Driver(tables=tables), Hands()
    subscribers = Subscribers(driver.engine, cast(Worker, hands), nullcontext())
    got: list[object] = []
    subscribers.add(got.append, ())
    subscribers.put(
        [Unasked("EXISTS", Untagged("EXISTS", 1, (b"",)), None), Unasked("EXISTS", Untagged("EXISTS", None, (b"x",)), None)]
    )
    hands.work()
    assert got == []
    first, second = [defect.what for defect in driver.engine.defects.all()]
    assert "a family's own mistake" in first
    assert second.startswith("EXISTS: ")


def test_events_reach_the_program_on_the_callback_thread_and_outlive_commands() -> None:
    events: queue.SimpleQueue[tuple[object, str]] = queue.SimpleQueue()
    family = Family("news", events={"EXISTS": lambda value, mailbox: Grown(value, mailbox)}, requires=("rev1",))
    with selected({"NOOP": answering(b"* 7 EXISTS\r\n* 8 EXISTS\r\n")}, families=["rev1", family]) as (client, _):
        subscription = client._live.subscribe(lambda event: events.put((event, threading.current_thread().name)), Grown)
        client.noop()
        client.noop()
        got = [events.get(timeout=10) for _ in range(4)]
        subscription.close()
        client.noop()
        assert client.response("EXISTS")[1][-1:] == [b"8"], "the store is as it was"
    assert [event for event, _ in got] == [Grown(7, "INBOX"), Grown(8, "INBOX")] * 2
    assert all("callbacks" in name for _, name in got)
    assert events.empty()
