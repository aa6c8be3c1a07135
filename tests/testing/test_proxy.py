"""The delaying proxy, between a client and a small echo server."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from imapkit.testing.proxy import DelayProxy

ROUND_TRIP = 0.020
TIMEOUT = 5.0
SILENCE = 0.06
"""Seconds without a byte after which the tests conclude that none will arrive: three round trips."""


class EchoServer:
    """Echoes data, sends "bye" at the end, and records what it received and how a connection ended."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.ending: str | None = None
        self.ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._echo, args=(connection,)))
                self._threads[-1].start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while data := connection.recv(65536):
                    self.received += data
                    connection.sendall(data)
                connection.sendall(b"bye")
                self.ending = "end"
            except ConnectionError:
                self.ending = "reset"
        self.ended.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(TIMEOUT)
            assert not thread.is_alive()


@pytest.fixture
def server() -> Iterator[EchoServer]:
    echo = EchoServer()
    yield echo
    echo.close()


@pytest.fixture
def proxy(server: EchoServer) -> Iterator[DelayProxy]:
    with DelayProxy(server.host, server.port, ROUND_TRIP) as proxy:
        yield proxy


@contextmanager
def connected(proxy: DelayProxy) -> Iterator[socket.socket]:
    with socket.create_connection((proxy.host, proxy.port), TIMEOUT) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield client


def receive(client: socket.socket, size: int) -> bytes:
    """Exactly ``size`` bytes, or all before the end."""
    data = bytearray()
    while len(data) < size and (piece := client.recv(min(size - len(data), 2**20))):
        data += piece
    return bytes(data)


def echo(client: socket.socket, data: bytes) -> float:
    """Send ``data``, check the echo, and return how long that took."""
    start = time.perf_counter()
    client.sendall(data)
    assert receive(client, len(data)) == data
    return time.perf_counter() - start


def silent(client: socket.socket) -> bool:
    """Whether nothing arrives for a while, not even an end."""
    return not select.select([client], [], [], SILENCE)[0]


def test_an_echo_takes_the_round_trip(proxy: DelayProxy) -> None:
    """No less, and little more: the time that a busy machine adds is measured without a delay, and subtracted."""
    with connected(proxy) as client:
        echo(client, b"connect")
        for _ in range(10):
            proxy.round_trip = 0.0
            floor = min(echo(client, b"near %d" % number) for number in range(10))
            proxy.round_trip = ROUND_TRIP
            best = min(echo(client, b"ping %d" % number) for number in range(8))  # other processes may take the processor
            assert best >= ROUND_TRIP
            if best < ROUND_TRIP + 0.005 + floor:
                return
    pytest.fail(f"{best:.4f} s, and {floor:.4f} s without a delay")


def test_the_delay_can_be_changed_and_removed(proxy: DelayProxy) -> None:
    with connected(proxy) as client:
        echo(client, b"connect")
        proxy.round_trip = 0.0
        assert min(echo(client, b"near") for _ in range(5)) < ROUND_TRIP / 2
        proxy.round_trip = 2 * ROUND_TRIP
        assert echo(client, b"far") >= 2 * ROUND_TRIP


def test_pipelined_data_is_delayed_once(proxy: DelayProxy) -> None:
    with connected(proxy) as client:
        echo(client, b"connect")
        start = time.perf_counter()
        for number in range(50):
            client.sendall(b"%02d" % number)
        assert receive(client, 100) == b"".join(b"%02d" % number for number in range(50))
        assert ROUND_TRIP <= time.perf_counter() - start < 5 * ROUND_TRIP  # one after the other: 50 round trips


def test_five_megabytes_take_one_delay_and_the_transfer(proxy: DelayProxy) -> None:
    data = bytes(range(251)) * (5 * 2**20 // 251)
    with connected(proxy) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        start = time.perf_counter()
        sender.start()
        received = receive(client, len(data))
        elapsed = time.perf_counter() - start
        sender.join(TIMEOUT)
    assert received == data
    assert ROUND_TRIP <= elapsed < 0.5  # 160 pieces of 32 KiB, each delayed in its turn, would take 3 seconds


@pytest.mark.heavy
def test_a_receiver_that_does_not_read_stops_the_sender(proxy: DelayProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapkit.testing.proxy.WINDOW", window := 2**20)
    proxy.round_trip = ROUND_TRIP / 10
    sent, piece, limit = 0, bytes(2**18), 64 * 2**20
    with connected(proxy) as client:
        while sent < limit and select.select([], [client], [], SILENCE)[1]:  # the echo is not read
            sent += client.send(piece, socket.MSG_DONTWAIT)
        assert 2 * window <= sent < limit  # one for each direction, and the system's own buffers
        assert receive(client, sent) == bytes(sent)
        echo(client, b"flowing again")


def test_an_end_goes_through_in_its_direction_only(proxy: DelayProxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"last words, ")
        client.shutdown(socket.SHUT_WR)
        start = time.perf_counter()
        assert receive(client, 100) == b"last words, bye"
        assert time.perf_counter() - start >= ROUND_TRIP


def test_a_reset_goes_through_after_the_data_before_it(server: EchoServer, proxy: DelayProxy) -> None:
    with connected(proxy) as client:
        echo(client, b"connect")
        client.sendall(b", last words")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert server.ended.wait(TIMEOUT)
    assert server.ending == "reset"
    assert bytes(server.received) == b"connect, last words"


def test_connections_do_not_mix(proxy: DelayProxy) -> None:
    with connected(proxy) as one, connected(proxy) as two:
        one.sendall(b"one")
        two.sendall(b"two")
        assert (receive(two, 3), receive(one, 3)) == (b"two", b"one")
        assert proxy.connections == 2


def test_a_finished_connection_is_forgotten(proxy: DelayProxy) -> None:
    with connected(proxy) as client:
        client.shutdown(socket.SHUT_WR)
        assert receive(client, 100) == b"bye"
        with connected(proxy) as other:
            echo(other, b"later than the end of the first")
            assert proxy.connections == 1


def test_a_frozen_proxy_forwards_nothing_and_a_thawed_one_all(proxy: DelayProxy) -> None:
    with connected(proxy) as client:
        echo(client, b"connect")
        client.sendall(b"on its way")
        proxy.freeze()
        client.sendall(b", later")
        with connected(proxy) as newcomer:
            newcomer.sendall(b"hello?")
            newcomer.shutdown(socket.SHUT_WR)
            assert silent(client)
            assert silent(newcomer)
            proxy.thaw()
            assert receive(newcomer, 100) == b"hello?bye"
        assert receive(client, 17) == b"on its way, later"


def test_cut_resets_both_sides_and_serves_the_next(server: EchoServer, proxy: DelayProxy) -> None:
    with connected(proxy) as client:
        echo(client, b"connect")
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert server.ended.wait(TIMEOUT)
        assert server.ending == "reset"
        assert proxy.connections == 0
    with connected(proxy) as client:
        echo(client, b"as before")


def test_cut_without_reset_is_an_end(server: EchoServer, proxy: DelayProxy) -> None:
    with connected(proxy) as client:
        echo(client, b"connect")
        proxy.freeze()
        proxy.cut(reset=False)
        assert client.recv(1) == b""
        assert server.ended.wait(TIMEOUT)
        assert server.ending == "end"


def test_a_target_that_refuses_resets_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with (
        DelayProxy("127.0.0.1", port, ROUND_TRIP) as proxy,
        connected(proxy) as client,
        pytest.raises(ConnectionResetError),
    ):
        client.recv(1)


def test_nothing_is_left_at_the_end(server: EchoServer) -> None:
    with ExitStack() as stack:
        with DelayProxy(server.host, server.port) as proxy:
            client = stack.enter_context(connected(proxy))
            echo(client, b"connect")
            proxy.freeze()
            client.sendall(b"never to arrive")
            assert "imapkit-delay-proxy" in {thread.name for thread in threading.enumerate()}
        assert "imapkit-delay-proxy" not in {thread.name for thread in threading.enumerate()}
        assert receive(client, 100) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((proxy.host, proxy.port), TIMEOUT)
    assert server.ended.wait(TIMEOUT)
    assert bytes(server.received) == b"connect"
