"""The proxy that causes a fault at one point, between a client and a small echo server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from imapkit.testing import Fault, FaultProxy
from tests.testing.test_proxy import TIMEOUT, EchoServer

TEXT = b"one two three"
"""The text sent and echoed; the fault is three bytes after the start of "two"."""


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()


def connected(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection((proxy.host, proxy.port), TIMEOUT)


def read(sock: socket.socket, size: int = 1 << 16) -> bytes:
    """The bytes received, up to the end or ``size``."""
    data = b""
    while len(data) < size and (more := sock.recv(65536)):
        data += more
    return data


@pytest.mark.parametrize("fault", [Fault("drop", b"two", 3), Fault("half_close", b"two", 3), Fault("drop", 7)])
def test_the_stream_ends_at_the_place_of_the_fault(echo: EchoServer, fault: Fault) -> None:
    with FaultProxy(echo.host, echo.port, fault) as proxy, connected(proxy) as sock:
        sock.sendall(TEXT)
        assert read(sock) == b"one two"
        assert proxy.happened == 1
        with connected(proxy) as another:
            another.sendall(TEXT)
            assert read(another, len(TEXT)) == TEXT, "the next connection has no fault"


def test_a_place_that_arrives_in_pieces_is_found(echo: EchoServer) -> None:
    with FaultProxy(echo.host, echo.port, Fault("drop", b"two", 5)) as proxy, connected(proxy) as sock:
        for at in range(9):
            sock.sendall(TEXT[at : at + 1])
            assert sock.recv(1) == TEXT[at : at + 1]
        assert read(sock) == b""
        assert proxy.happened == 1


def test_data_from_the_client_is_cut_as_well(echo: EchoServer) -> None:
    with FaultProxy(echo.host, echo.port, Fault("half_close", b"two", sent_by="client")) as proxy, connected(proxy) as sock:
        sock.sendall(TEXT)
        assert read(sock) == b"one bye", "the server has seen the end, and its answer arrives"
    assert echo.received == b"one "


def test_half_close_leaves_the_other_direction_open(echo: EchoServer) -> None:
    with FaultProxy(echo.host, echo.port, Fault("half_close")) as proxy, connected(proxy) as sock:
        sock.sendall(TEXT)
        assert read(sock) == b""
        sock.sendall(b"more")
        sock.shutdown(socket.SHUT_WR)
        assert echo.ended.wait(TIMEOUT)
    assert echo.received == TEXT + b"more"


def test_a_reset(echo: EchoServer) -> None:
    with FaultProxy(echo.host, echo.port, Fault("reset")) as proxy, connected(proxy) as sock:
        sock.sendall(TEXT)
        with pytest.raises(ConnectionResetError):
            read(sock)
        assert echo.ended.wait(TIMEOUT)
    assert echo.ending == "reset"


def test_a_black_hole(echo: EchoServer) -> None:
    with FaultProxy(echo.host, echo.port, Fault("black_hole", b"two", 3), every=True) as proxy, connected(proxy) as sock:
        sock.sendall(TEXT)
        assert read(sock, 7) == b"one two"
        sock.sendall(b"more")
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        with connected(proxy) as another:
            another.sendall(b"two")
            assert read(another, 3) == b"two"
        assert proxy.happened == 2
    assert echo.received == TEXT + b"two"


@pytest.mark.parametrize("kind", ["delay", "fragment"])
def test_slow_data_arrives_whole(echo: EchoServer, kind: str) -> None:
    with FaultProxy(echo.host, echo.port, Fault(kind, b"two", seconds=0.02)) as proxy, connected(proxy) as sock:  # type: ignore[arg-type]
        sock.sendall(TEXT)
        assert read(sock, len(TEXT)) == TEXT
        sock.shutdown(socket.SHUT_WR)
        assert read(sock) == b"bye"
        assert proxy.happened == 1


def test_the_last_data_of_a_server_that_stops_reading_arrives() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        with FaultProxy(host, port, Fault("fragment", sent_by="client")) as proxy, connected(proxy) as sock:
            with server.accept()[0] as connection:
                # Enough pieces that the proxy is still writing when the server has closed.
                sock.sendall(bytes(5_000))
                assert connection.recv(1) == b"\0"
                connection.sendall(b"* BYE enough\r\n")
            received = b""
            with suppress(ConnectionResetError):
                while more := sock.recv(100):
                    received += more
            assert received == b"* BYE enough\r\n"


def test_without_a_fault_it_only_forwards(echo: EchoServer) -> None:
    with FaultProxy(echo.host, echo.port) as proxy, connected(proxy) as sock:
        sock.sendall(TEXT)
        assert read(sock, len(TEXT)) == TEXT
        assert proxy.happened == 0
