"""Channels: bytes are taken in order, the taker sees the end, and neither side waits for ever."""

from __future__ import annotations

import gc
import shutil
import threading
from io import BytesIO

import pytest

from imapkit.core.threads.channel import Channel
from imapkit.errors import ConnectionClosed, DeadlineExceeded
from tests.core.rig import within


def put(channel: Channel, *pieces: bytes) -> None:
    for piece in pieces:
        channel.flow.write(memoryview(piece))


def test_bytes_come_in_order_up_to_the_end() -> None:
    channel = Channel()
    put(channel, b"ab", b"cdef", b"g")
    channel.flow.over(lambda: None)
    assert [channel.read(), channel.read(1), channel.read(2), channel.read(0), channel.read(99), channel.read()] == [
        b"ab",
        b"c",
        b"de",
        b"",
        b"f",
        b"g",
    ]
    assert channel.read() == channel.read() == b""


def test_it_is_a_file_to_copy_from() -> None:
    channel, copy = Channel(), BytesIO()
    put(channel, b"ab", b"cd")
    channel.flow.over(lambda: b"ef")
    shutil.copyfileobj(channel, copy)
    assert copy.getvalue() == b"abcdef"


def test_it_is_full_until_enough_is_taken() -> None:
    channel = Channel(most=4)
    put(channel, b"abc")
    assert not channel.flow.is_full
    put(channel, b"de")
    assert channel.flow.is_full
    channel.read(1)
    assert channel.flow.is_full
    channel.read(1)
    assert not channel.flow.is_full


def test_the_error_that_ended_it_is_raised_behind_the_bytes_and_each_time() -> None:
    channel = Channel()
    put(channel, b"ab")

    def lost() -> None:
        raise ConnectionClosed("gone")

    channel.flow.over(lost)
    assert channel.read() == b"ab"
    for _ in range(2):
        with pytest.raises(ConnectionClosed, match="gone"):
            channel.read()


def test_a_slow_taker_gets_its_error_at_once() -> None:
    channel = Channel(patience=0.5)
    put(channel, b"ab", b"cd")
    channel.flow.give_up()
    put(channel, b"ef")
    for _ in range(2):
        with pytest.raises(DeadlineExceeded, match=r"0\.5 seconds"):
            channel.read()


def test_a_waiting_taker_sees_the_end() -> None:
    channel, found = Channel(), []

    def take() -> None:
        try:
            channel.read()
        except DeadlineExceeded as exc:
            found.append(exc)

    taker = threading.Thread(target=take)
    taker.start()
    channel.flow.give_up()
    with within(10):
        taker.join()
    assert len(found) == 1


@pytest.mark.parametrize("how", ["close", "with", "drop"])
def test_a_taker_that_goes_takes_nothing_more(how: str) -> None:
    channel: Channel | None = Channel(most=1)
    assert channel is not None
    flow = channel.flow
    put(channel, b"abc")
    assert flow.is_full
    if how == "close":
        channel.close()
    elif how == "with":
        with channel:
            pass
    else:
        channel = None
        gc.collect()
    assert flow.gone
    assert not flow.is_full
    flow.write(memoryview(b"d"))
    assert flow.items.empty()
    with within(10):
        flow.wait(5)
    if channel is not None:
        with pytest.raises(ValueError, match="closed"):
            channel.read()


def test_the_end_is_not_lost_on_a_taker_that_gave_up_and_waits_for_it() -> None:
    channel = Channel()
    put(channel, b"a")
    channel.flow.over(lambda: None)
    channel.flow.leave()
    with within(10):
        channel.flow.wait_over()


@pytest.mark.parametrize(("most", "patience"), [(0, 1.0), (1, 0.0), (1, float("nan"))])
def test_invalid_bounds_are_refused(most: int, patience: float) -> None:
    with pytest.raises(ValueError, match="channel"):
        Channel(most, patience)
