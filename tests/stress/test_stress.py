"""Stress, for a short time (``python -m tests.stress`` for longer), and its watches: the locks and the watchdog."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator

import pytest

from tests.servers.base import Server
from tests.stress.dovecot import Dovecot
from tests.stress.locks import Locks, WatchedLock, watched_locks
from tests.stress.run import run
from tests.stress.watchdog import Watchdog


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Callbacks that raise are logged, and here they do so on purpose."""
    with caplog.at_level(logging.CRITICAL, "imapkit"):
        yield


@pytest.mark.heavy
def test_stress(rng: random.Random) -> None:
    done = run(seconds=3, seed=rng.getrandbits(32))
    print(done)
    assert done.wrong == []
    assert done.commands > 100
    assert done.callbacks
    assert done.idles


@pytest.mark.live
def test_stress_on_dovecot(rng: random.Random, dovecot: Server) -> None:
    done = run(seconds=3, seed=rng.getrandbits(32), rounds=12, play=Dovecot(dovecot).play)
    print(done)
    assert done.wrong == []
    assert done.commands > 100


# the watches


def lock(locks: Locks, site: str) -> WatchedLock:
    return WatchedLock(locks, site)


def test_locks_taken_in_two_orders_are_found_though_nothing_hangs() -> None:
    locks = Locks()
    one, two, three = (lock(locks, name) for name in ("one", "two", "three"))
    for outer, inner in ((one, two), (two, three)):
        with outer, inner:
            pass
    assert locks.problems() == []
    with three, one:
        pass
    assert locks.problems() == ["one -> two -> three -> one"]


def test_a_wait_with_a_lock_held_is_found() -> None:
    locks = Locks()
    mutex, latch = lock(locks, "mutex"), lock(locks, "latch")
    with mutex:
        latch.acquire()  # to close it takes no time
    assert locks.problems() == []
    with mutex:
        latch.release()
        assert latch.acquire(timeout=0.1)
    assert locks.problems() == ["latch is waited for with mutex held"]


def test_a_wait_for_a_thread_with_a_lock_held_is_found() -> None:
    with watched_locks(__name__) as locks:
        mutex = threading.Lock()
        thread = threading.Thread(target=lambda: None, name="some thread")
        thread.start()
        with mutex:
            thread.join()
    assert locks.made == 1
    assert ["end of a thread" in problem for problem in locks.problems()] == [True]
    assert not isinstance(threading.Lock(), WatchedLock)


def test_a_watchdog_shows_where_every_thread_is() -> None:
    free = threading.Event()

    def stuck() -> None:
        free.wait(20)

    thread = threading.Thread(target=stuck)
    thread.start()
    with Watchdog(0.05, free.set) as dog:
        thread.join()
    assert "in stuck" in dog.seen


def test_a_watchdog_is_silent_while_it_goes_on() -> None:
    free = threading.Event()
    with Watchdog(1.0, free.set) as dog:
        for _ in range(20):
            dog.alive()
            free.wait(0.01)
    assert not dog.seen
