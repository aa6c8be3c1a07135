"""What holds for every test: nothing is left behind, and randomness can be repeated."""

from __future__ import annotations

import gc
import os
import random
import stat
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress

import pytest

from tests.servers.base import NOT_ANNOUNCED

PATIENCE = 3.0
"""Seconds that threads and sockets get to go; they need none, unless the machine is busy."""

_DESCRIPTORS = "/proc/self/fd"
_LISTED = os.path.isdir(_DESCRIPTORS)


def open_sockets() -> frozenset[int]:
    """The sockets of this process, by the inode numbers the kernel gives them; every test asks for them twice."""
    found = set()
    for name in os.listdir(_DESCRIPTORS) if _LISTED else ():
        try:
            status = os.fstat(int(name))
        except OSError:  # the descriptor that listed the directory
            continue
        if stat.S_ISSOCK(status.st_mode):
            found.add(status.st_ino)
    return frozenset(found)


def threads_left(before: set[threading.Thread]) -> list[str]:
    """The names of the threads that were started since, and that do not end."""
    deadline = time.monotonic() + PATIENCE
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        # (A thread that was interrupted as it started another one leaves that listed, though perhaps it never runs.)
        with suppress(RuntimeError):
            thread.join(max(0.0, deadline - time.monotonic()))
    # An event loop of a server that outlives the test keeps its executor.
    return [thread.name for thread in left if thread.is_alive() and not thread.name.startswith("asyncio_")]


def pytest_collection_finish() -> None:
    """What is there now stays for all tests: the collector need not look at it. And it works seldom: pytest keeps a lot."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(autouse=True)
def _nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves a thread, a socket or an unclosed resource (a ``ResourceWarning``, which is an error here)."""
    threads, sockets = set(threading.enumerate()), open_sockets()
    yield
    if threads.issuperset(threading.enumerate()) and sockets.issuperset(open_sockets()):
        return
    # What only garbage holds must be closed all the same: then its ResourceWarning comes now, in this test.
    gc.collect()
    left = threads_left(threads)
    assert not left, f"threads left behind: {left}"
    # A real server closes its side when it gets to it.
    if "live" not in request.keywords and "servers" not in request.path.parts:
        assert not open_sockets() - sockets, "sockets left behind"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where servers are required, a skipped test that needs one has failed, unless the server runs without the feature."""
    report = yield
    required = os.environ.get("IMAPKIT_REQUIRE_SERVERS") == "1" and {"live", "frozen"} & set(item.keywords)
    excused = hasattr(report, "wasxfail") or NOT_ANNOUNCED in str(report.longrepr)
    if required and report.skipped and not excused:
        report.outcome = "failed"
        report.longrepr = f"skipped, though servers are required (IMAPKIT_REQUIRE_SERVERS=1): {report.longrepr}"
    return report


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Random numbers; a failing test shows the seed, and ``IMAPKIT_TEST_SEED`` brings it back."""
    seed = int(os.environ.get("IMAPKIT_TEST_SEED") or random.SystemRandom().getrandbits(32))
    print(f"{request.node.nodeid}: IMAPKIT_TEST_SEED={seed}")
    return random.Random(seed)
