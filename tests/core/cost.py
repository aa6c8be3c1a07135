"""What a call costs in the time of its thread, compared with another."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

__all__ = ["assert_within", "spent"]


def assert_within(times: float, run: Callable[[], object], other: Callable[[], object]) -> None:
    """One takes at most ``times`` as long as the other, on this thread: the best of several tries, in turns."""
    mine = theirs = 9.0
    end = time.thread_time() + 4
    while time.thread_time() < end:
        mine, theirs = min(mine, spent(run)), min(theirs, spent(other))
        if mine <= times * theirs:
            return
    pytest.fail(f"{mine / theirs:.2f} times as long")


def spent(run: Callable[[], object]) -> float:
    """The seconds of this thread that a call takes."""
    began = time.thread_time()
    run()
    return time.thread_time() - began
