"""The clock: one thread for all connections, which starts and ends by itself and keeps none of them alive."""

from __future__ import annotations

import gc
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator
from weakref import ref

import pytest

from imapkit.core.threads.clock import Clock

SOON = 0.3
"""Seconds in which a test that shares its machine has asked for all that it asks for."""


class Watched:
    """An object that the clock looks at."""

    def __init__(self, name: str, told: queue.Queue[tuple[str, str]]) -> None:
        self.name, self.told = name, told

    def look(self, now: float) -> None:
        """Note the name, and on which thread this is."""
        self.told.put((self.name, threading.current_thread().name))


class Broken:
    """Its ``look`` raises."""

    def look(self, now: float) -> None:
        """Raise."""
        raise ZeroDivisionError("no time")


@pytest.fixture
def told() -> queue.Queue[tuple[str, str]]:
    return queue.Queue()


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock()
    yield made
    for thread in running():
        thread.join(5)
    assert not made._runs.locked()


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "imapkit clock"]


def test_each_look_is_in_time_on_one_thread_that_then_ends(clock: Clock, told: queue.Queue[tuple[str, str]]) -> None:
    now = time.monotonic()
    all_watched = [Watched(str(number), told) for number in range(20)]
    for watched in reversed(all_watched):
        clock.at(now + SOON + 0.002 * int(watched.name), watched)
    assert len(running()) == 1
    assert [told.get(timeout=5) for _ in all_watched] == [(str(number), "imapkit clock") for number in range(20)]
    assert time.monotonic() - now >= SOON


def test_the_earliest_moment_counts_once(clock: Clock, told: queue.Queue[tuple[str, str]]) -> None:
    watched, now = Watched("a", told), time.monotonic()
    for later in (300.0, SOON, 200.0):
        clock.at(now + later, watched)
    assert told.get(timeout=5)[0] == "a"
    for thread in running():
        thread.join(5)
    assert told.empty()


def test_forgotten_and_collected_objects_are_not_waited_for(clock: Clock, told: queue.Queue[tuple[str, str]]) -> None:
    now = time.monotonic()
    kept, dropped = [Watched(str(number), told) for number in range(50)], Watched("gone", told)
    for watched in kept:
        clock.at(now + 300, watched)
    clock.at(now + SOON, dropped)
    gone = ref(dropped)
    del dropped
    gc.collect()
    assert gone() is None
    for watched in kept:
        clock.forget(watched)
    for thread in running():
        thread.join(5)
    assert running() == []
    assert told.empty()


def test_a_look_that_raises_leaves_the_others_in_time(
    clock: Clock, told: queue.Queue[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    broken, watched, now = Broken(), Watched("a", told), time.monotonic()
    clock.at(now, broken)
    clock.at(now + 0.01, watched)
    assert told.get(timeout=5)[0] == "a"
    assert "no time" in caplog.text


def test_many_threads_ask_while_the_clock_starts_and_ends(clock: Clock) -> None:
    told: queue.Queue[tuple[str, str]] = queue.Queue()
    start = threading.Barrier(4)

    def ask(name: str) -> None:
        start.wait(5)
        for _ in range(100):
            watched = Watched(name, told)
            clock.at(0, watched)
            # One at a time: in between there may be nothing to wait for.
            assert told.get(timeout=5)

    threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert told.empty()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_fork_has_a_clock_of_its_own(clock: Clock, told: queue.Queue[tuple[str, str]]) -> None:
    parents = Watched("parent", told)
    clock.at(time.monotonic() + 300, parents)
    child = os.fork()
    if not child:
        status = 1
        try:
            clock.forked()
            watched = Watched("child", told)
            clock.at(time.monotonic() + 0.01, watched)
            status = 0 if told.get(timeout=5)[0] == "child" else 2
        finally:
            os._exit(status)
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    clock.forget(parents)
