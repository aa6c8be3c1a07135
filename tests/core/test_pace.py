"""When commands and answers are let gather, and that they are sent together then."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from imapkit.core import pace
from imapkit.core.pace import Pace
from imapkit.core.sockets import SocketTransport
from imapkit.core.transport import within
from imapkit.testing import Conversation, ReceivedCommand
from tests.core.rig import Answers, answer_all, selected


class Time:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(pace, "time", time)
    return time


def bring(it: Pace, time: Time, times: int, apart: float) -> None:
    """So many reads bring callbacks, so many seconds after one another."""
    for _ in range(times):
        time.now += apart
        it.callbacks()


@pytest.mark.parametrize(("flying", "gather"), [(0, False), (1, False), (31, False), (32, True), (1000, True)])
def test_many_in_flight_gather(flying: int, gather: bool) -> None:
    assert Pace().lets_gather(flying, 0) is gather


@pytest.mark.parametrize(("times", "apart", "gather"), [(7, 0.0005, False), (8, 0.0005, True), (100, 0.002, False)])
def test_callbacks_that_come_soon_after_one_another_gather(time: Time, times: int, apart: float, gather: bool) -> None:
    it = Pace()
    bring(it, time, 1, 1.0)
    bring(it, time, times, apart)
    assert it.lets_gather(1, 0) is gather


def test_one_that_comes_late_ends_it(time: Time) -> None:
    it = Pace()
    bring(it, time, 20, 0.0005)
    assert it.lets_gather(1, 0)
    bring(it, time, 1, 0.1)
    assert not it.lets_gather(1, 0)


def test_who_waits_for_the_answers_before_he_sends_more_is_not_made_to_wait_again(time: Time) -> None:
    it = Pace()
    bring(it, time, 20, 0.0005)
    assert it.lets_gather(1, 20)
    it.gathered(21)
    bring(it, time, 100, 0.0005)
    assert not it.lets_gather(1, 121)
    bring(it, time, 10, 0.0005)
    assert it.lets_gather(1, 131), "but it is tried once more"
    it.gathered(160)
    assert it.lets_gather(1, 160), "and goes on if it was worth while"


def test_many_in_flight_gather_whoever_waits(time: Time) -> None:
    it = Pace()
    assert it.lets_gather(32, 40)
    it.gathered(40)
    assert it.lets_gather(32, 40)


def test_a_client_lets_them_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a hundred in flight of which one is answered; and whoever waits for each answer does not wait for more."""
    waits: list[float] = []
    gathered = threading.Event()
    held: list[ReceivedCommand] = []
    done = Answers()

    def gather(seconds: float) -> None:
        waits.append(seconds)
        gathered.set()

    def noop(conversation: Conversation, command: ReceivedCommand) -> None:
        held.append(command)
        if len(held) == 100:
            conversation.ok(held.pop())
            assert gathered.wait(10)
            for each in held:
                conversation.ok(each)

    with selected({"NOOP": noop, "CHECK": answer_all}) as (client, _):
        monkeypatch.setattr(client._live.layers.transport, "gather", gather)
        for _ in range(100):
            client.noop(callback=done)
        assert [answer[0] for answer in done.take(100)] == [("OK", [b"done"])] * 100
        assert set(waits) == {pace.SECONDS}
        client._live._reading._pace = Pace()
        client.check()
        waits.clear()
        for _ in range(20):
            client.check()
        assert not waits


# what the system holds back


@pytest.fixture
def pair() -> Iterator[tuple[SocketTransport, socket.socket]]:
    """The transport of one end of a TCP connection, and the other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
        far, _ = listener.accept()
        with far:
            yield SocketTransport(near), far


def is_readable(sock: socket.socket, seconds: float) -> bool:
    return bool(select.select([sock], [], [], seconds)[0])


@pytest.mark.skipif(not hasattr(socket, "MSG_MORE"), reason="only Linux holds back")
def test_what_is_written_meanwhile_is_sent_together(
    pair: tuple[SocketTransport, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, far = pair
    soon = within(5)

    def write(seconds: float) -> None:
        for data in (b"one ", b"two ", b"three"):
            transport.write(data, soon)
        assert not is_readable(far, 0)

    monkeypatch.setattr("imapkit.core.sockets.time", SimpleNamespace(sleep=write, monotonic=monotonic))
    transport.gather(0.0006)
    assert is_readable(far, 5)
    assert far.recv(100) == b"one two three"
    transport.write(b"four", soon)
    assert is_readable(far, 0.1), "it is held back no more; the system would have for 0.2 s"


class Late:
    """A socket whose ``send`` comes only when the wait is over."""

    def __init__(self, transport: SocketTransport, sock: socket.socket) -> None:
        self._transport, self._sock = transport, sock
        self.pushes = 0

    def send(self, data: bytes, flags: int) -> int:
        self._transport._flags = socket.MSG_DONTWAIT
        return self._sock.send(data, flags)

    def setsockopt(self, *option: Any) -> None:
        self.pushes += 1
        self._sock.setsockopt(*option)


@pytest.mark.skipif(not hasattr(socket, "MSG_MORE"), reason="only Linux holds back")
def test_what_is_sent_as_the_wait_ends_is_not_left_behind(pair: tuple[SocketTransport, socket.socket]) -> None:
    transport, far = pair
    late = Late(transport, transport.sock)
    transport.sock = late  # type: ignore[assignment]
    transport._flags = socket.MSG_DONTWAIT | socket.MSG_MORE
    transport.write(b"late", within(5))
    assert late.pushes == 1
    assert is_readable(far, 5)
    assert far.recv(100) == b"late"
