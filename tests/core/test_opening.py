"""Opening a connection: hosts and ports that cannot be, one deadline for all addresses, and ports that are not for IMAP."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import Any

import pytest

import imapkit
from imapkit.core.support.shown import shown
from imapkit.core.threads.clock import Clock
from imapkit.core.transport.opening import open_tcp, port_number
from imapkit.errors import ArgumentError, CommandTimeout, ConnectError, ConnectionClosed, RemoteProtocolError, ResolveError
from imapkit.testing import LOCALHOST, Conversation, ScriptedServer
from tests.core.rig import LIMIT, MARGIN, Answers, connect, within


@pytest.mark.parametrize(
    ("given", "number"), [(143, 143), (65535, 65535), ("143", 143), ("00993", 993), ("imap2", 143), ("imaps", 993)]
)
def test_ports(given: Any, number: int) -> None:
    assert port_number(given) == number


BAD_PORTS: list[Any] = [
    0,
    -1,
    65536,
    2**70,
    "0",
    "65536",
    "9" * 5000,
    "-1",
    "+1",
    "1_43",
    " 143",
    "",
    "no such service",
    "a\0b",
    "\u0661",
]
BAD_PORTS += [True, False, 143.0, b"143", [143], "imaps\n"]


@pytest.mark.parametrize("port", BAD_PORTS, ids=lambda port: repr(port)[:20])
@pytest.mark.parametrize("cls", [imapkit.IMAP4, imapkit.IMAP4_SSL])
def test_an_invalid_port_is_an_argument_error(port: Any, cls: Any) -> None:
    with pytest.raises(ArgumentError, match="not a port"):
        cls("127.0.0.1", port)


def test_a_port_as_text_connects() -> None:
    with ScriptedServer() as server, imapkit.IMAP4(server.host, str(server.port), families=["rev1"]) as client:
        assert client.port == server.port


@pytest.mark.parametrize(
    "host", ["imap..example.com", ".example.com", "a" * 64 + ".example.com", "x" * 300, "no such host.invalid", "\u0378"]
)
@pytest.mark.parametrize("cls", [imapkit.IMAP4, imapkit.IMAP4_SSL])
def test_a_name_that_cannot_be_resolved(host: str, cls: Any) -> None:
    with pytest.raises(ResolveError) as caught:
        cls(host, 143)
    assert isinstance(caught.value, socket.gaierror)
    assert caught.value.errno
    assert str(caught.value).startswith(shown(host, 300) + ":143: ")


@pytest.mark.parametrize("host", ["imap.example.com\0", "\0", 5, ["localhost"], 1.5, b"localhost"])
def test_an_invalid_host_is_an_argument_error(host: Any) -> None:
    with pytest.raises(ArgumentError, match="not a host name"):
        imapkit.IMAP4(host, 143)


def test_a_host_cannot_forge_a_line_in_an_error() -> None:
    with pytest.raises(ConnectError) as caught:
        imapkit.IMAP4("nowhere.invalid\nINFO: all is well", 143)
    assert "\n" not in str(caught.value)


def silent_addresses(monkeypatch: pytest.MonkeyPatch, *, last: tuple[str, int] | None = None) -> list[socket.socket]:
    """Have every name resolve to sockets that take no connection (their backlog is full), and ``last`` behind them."""
    held: list[socket.socket] = []
    places: list[Any] = []
    for _ in range(4):
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        held.append(listener)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            held.append(filler)
        places.append(listener.getsockname())
    places += [last] if last else []
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", place) for place in places]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    return held


def test_the_time_out_is_one_deadline_for_all_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    held = silent_addresses(monkeypatch)
    begun = time.monotonic()
    with pytest.raises(ConnectError, match="timed out"):
        imapkit.IMAP4("many.example", 143, timeout=0.3)
    assert 0.25 < time.monotonic() - begun < 1.2, "four addresses, and not four times as long"
    for sock in held:
        sock.close()


def test_addresses_that_do_not_answer_leave_time_for_one_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer() as server:
        held = silent_addresses(monkeypatch, last=(server.host, server.port))
        with open_tcp("many.example", 143, 0.5) as sock:
            assert sock.getpeername() == (server.host, server.port)
            assert sock.gettimeout() is None
        for other in held:
            other.close()


def test_the_last_failure_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectError, match=rf"^127\.0\.0\.1:{port}: Connection refused$") as caught:
        imapkit.IMAP4("127.0.0.1", port)
    assert caught.value.errno


# a plain client at a port for TLS


def test_a_tls_server_that_waits_is_perhaps_a_tls_port() -> None:
    """It waits for the client to speak first, and the client for its greeting."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        within(MARGIN),
        pytest.raises(CommandTimeout, match="perhaps this is a TLS port"),
    ):
        imapkit.IMAP4("127.0.0.1", listener.getsockname()[1], timeout=LIMIT)


def test_a_server_that_has_said_something_is_no_tls_port() -> None:
    with ScriptedServer(lambda c: c.wait_closed(), greeting=b"* OK he") as server, within(MARGIN):
        with pytest.raises(CommandTimeout) as caught:
            connect(server, timeout=0.2)
        assert "TLS" not in str(caught.value)


def test_a_server_that_closes_without_a_word_is_perhaps_a_tls_port() -> None:
    with (
        ScriptedServer(lambda c: c.close(), greeting=b"") as server,
        pytest.raises(ConnectionClosed, match="perhaps this is a TLS port"),
    ):
        connect(server)


@pytest.mark.parametrize("record", [b"\x15\x03\x01\x00\x02\x02\x46", b"\x15\x03\x03\x00\x02\x02\x0a", b"\x15\x03\x01"])
def test_an_alert_instead_of_a_greeting_is_a_tls_port(record: bytes) -> None:
    def script(conversation: Conversation) -> None:
        conversation.send(record)
        conversation.close()

    with ScriptedServer(script, greeting=b"") as server, pytest.raises(RemoteProtocolError, match="TLS port: use IMAP4_SSL"):
        connect(server)


def test_a_tls_client_at_a_silent_port_does_not_say_so() -> None:
    with ScriptedServer(lambda c: c.wait_closed(), greeting=b"", tls=LOCALHOST) as server, within(MARGIN):
        with pytest.raises(CommandTimeout) as caught:
            connect(server, imapkit.IMAP4_SSL, timeout=0.2, ca_certs=LOCALHOST.pem)
        assert "perhaps" not in str(caught.value)


def test_port_993_is_not_waited_for_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapkit.core.raw.secure.TLS_PORT_PATIENCE", LIMIT)
    with socket.create_server(("127.0.0.1", 0)) as listener, within(MARGIN):

        class There(imapkit.IMAP4):
            def open_socket(self) -> socket.socket:
                return socket.create_connection(listener.getsockname())

        with pytest.raises(CommandTimeout, match="perhaps this is a TLS port"):
            There("127.0.0.1", 993)


@pytest.mark.parametrize("setting", ["ca_certs", "certfile", "keyfile"])
@pytest.mark.parametrize("content", [None, "junk", ""])
def test_a_file_that_cannot_be_used_is_named(setting: str, content: str | None, tmp_path: Any) -> None:
    path = tmp_path / "some.pem"
    files: dict[str, Any] = {setting: str(path)}
    if content is not None:
        path.write_text(content)
    with ScriptedServer() as server, pytest.raises(OSError, match=f"^{setting} '{path}' cannot be used: ") as caught:
        imapkit.IMAP4_SSL(server.host, server.port, **files)
    assert isinstance(caught.value, imapkit.ArgumentError)
    assert caught.value.filename == str(path)
    assert not isinstance(caught.value, ssl.SSLError)


@pytest.mark.parametrize("setting", ["ca_certs", "certfile", "keyfile"])
def test_a_file_name_with_nul_is_an_argument_error(setting: str) -> None:
    files: dict[str, Any] = {setting: "some\0.pem"}
    with ScriptedServer() as server, pytest.raises(imapkit.ArgumentError, match=setting):
        imapkit.IMAP4_SSL(server.host, server.port, **files)


# no thread to be had


@pytest.mark.parametrize("cls", [imapkit.IMAP4, imapkit.IMAP4_SSL])
def test_no_thread_for_the_reader(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []

    class Watched(cls):  # type: ignore[misc]
        def open_socket(self) -> Any:
            opened.append(super().open_socket())
            return opened[-1]

    def fails(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    tls = cls is imapkit.IMAP4_SSL
    options: dict[str, Any] = {"ca_certs": LOCALHOST.pem} if tls else {}
    with ScriptedServer(tls=LOCALHOST if tls else None) as server:
        with monkeypatch.context() as patch:
            start = threading.Thread.start
            patch.setattr(threading.Thread, "start", lambda self: fails(self) if "reader" in self.name else start(self))
            with pytest.raises(ConnectError, match="can't start new thread"):
                Watched(server.host, server.port, **options)
        assert [sock.fileno() for sock in opened] == [-1]


def test_no_thread_for_a_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is not sent, its caller gets an error of imapkit's, and the connection goes on."""
    answers = Answers()
    with ScriptedServer() as server, connect(server) as client:
        monkeypatch.setattr("imapkit.core.threads.deadlines.CLOCK", Clock())
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(imapkit.IMAP4.error, match="can't start new thread"):
                client.noop(callback=answers)
        assert client.noop()[0] == "OK"
        client.noop(callback=answers)
        assert answers.next()[0][0] == "OK"
        assert server.names.count("NOOP") == 2


def no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
