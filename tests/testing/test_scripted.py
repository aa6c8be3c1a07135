"""The scripted server, used by plain sockets and by the standard library's imaplib."""

from __future__ import annotations

import imaplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from imapkit.testing import LOCALHOST, ClientGone, ClientSilent, Conversation, ReceivedCommand, ScriptedServer

PEM = LOCALHOST.pem
GREETING = b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n"
TIMEOUT = 5.0


@contextmanager
def dial(server: ScriptedServer, greeting: bytes = GREETING) -> Iterator[socket.socket]:
    """Connect, and read the greeting."""
    with socket.create_connection((server.host, server.port), TIMEOUT) as sock:
        assert receive(sock, len(greeting)) == greeting
        yield sock


def receive(sock: socket.socket, size: int) -> bytes:
    """Exactly ``size`` bytes, or all before the end."""
    data = bytearray()
    while len(data) < size and (more := sock.recv(min(size - len(data), 1 << 16))):
        data += more
    return bytes(data)


def rest(sock: socket.socket) -> bytes:
    """All data until the end."""
    return receive(sock, 1 << 30)


def session(server: ScriptedServer, sent: bytes, received: bytes, raising: BaseException | None = None) -> None:
    """Run the server for one client that sends ``sent``, receives ``received`` until the end, and then raises ``raising``."""
    with server, dial(server) as sock:
        sock.sendall(sent)
        assert rest(sock) == received
        if raising is not None:
            raise raising


def without_capability(server: ScriptedServer) -> list[str]:
    """The commands received, without CAPABILITY: imaplib of Python 3.14 does not send it after a greeting that has them."""
    return [name for name in server.names if name != "CAPABILITY"]


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=PEM)


def test_default_handlers_serve_imaplib() -> None:
    with ScriptedServer(messages=3) as server, imaplib.IMAP4(server.host, server.port, TIMEOUT) as client:
        assert client.capabilities == ("IMAP4REV1", "LITERAL+")
        assert client.login("user", "pass")[0] == "OK"
        assert client.select("INBOX") == ("OK", [b"3"])
        assert client.response("UIDNEXT") == ("UIDNEXT", [b"4"])
        assert client.select("INBOX", readonly=True) == ("OK", [b"3"])
        assert client.is_readonly
        assert client.noop() == ("OK", [b"done"])
        assert client.logout() == ("BYE", [b"good day"])
    assert without_capability(server) == ["LOGIN", "SELECT", "EXAMINE", "NOOP", "LOGOUT"]
    (login,) = (command for command in server.commands if command.name == "LOGIN")
    assert login.args == b'user "pass"'


def test_a_handler_overrides_one_command_and_unknown_ones_are_bad() -> None:
    def login(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.no(command, b"[AUTHENTICATIONFAILED] never", b"* 1 EXISTS\r\n")

    with ScriptedServer(handlers={"LOGIN": login}) as server, dial(server) as sock:
        sock.sendall(b"a LOGIN x y\r\nb noop\r\nc uid frob 1\r\nd LOGOUT\r\n")
        assert rest(sock) == (
            b"* 1 EXISTS\r\na NO [AUTHENTICATIONFAILED] never\r\nb OK done\r\nc BAD no handler for UID FROB\r\n"
            b"* BYE good day\r\nd OK done\r\n"
        )
    assert server.received == [
        ReceivedCommand(b"a", "LOGIN", b"x y", [], b"a LOGIN x y\r\n"),
        ReceivedCommand(b"b", "NOOP", b"", [], b"b noop\r\n"),
        ReceivedCommand(b"c", "UID FROB", b"1", [], b"c uid frob 1\r\n"),
        ReceivedCommand(b"d", "LOGOUT", b"", [], b"d LOGOUT\r\n"),
    ]


def test_capabilities_are_announced_twice() -> None:
    greeting = b"* OK [CAPABILITY IMAP4rev1 X-A] ready\r\n"
    with ScriptedServer(capabilities=b"IMAP4rev1 X-A") as server, dial(server, greeting) as sock:
        sock.sendall(b"a CAPABILITY\r\n")
        answer = b"* CAPABILITY IMAP4rev1 X-A\r\na OK done\r\n"
        assert receive(sock, len(answer)) == answer


def test_synchronizing_literals_are_continued() -> None:
    with ScriptedServer() as server, dial(server) as sock:
        sock.sendall(b"a LOGIN {4}\r\n")
        assert receive(sock, 6) == b"+ go\r\n"
        sock.sendall(b"a\r\nb {2}\r\n")
        assert receive(sock, 6) == b"+ go\r\n"
        sock.sendall(b"{}\r\n")
        assert receive(sock, 11) == b"a OK done\r\n"
    raw = b"a LOGIN {4}\r\na\r\nb {2}\r\n{}\r\n"
    assert server.received == [ReceivedCommand(b"a", "LOGIN", b"{4} {2}", [b"a\r\nb", b"{}"], raw)]


def test_non_synchronizing_literals_are_not_continued() -> None:
    with ScriptedServer() as server, dial(server) as sock:
        sock.sendall(b"a LOGIN {1+}\r\nx {0+}\r\n\r\nb LOGOUT\r\n")
        assert rest(sock) == b"a OK done\r\n* BYE good day\r\nb OK done\r\n"
    assert server.commands[0].args == b"{1+} {0+}"
    assert server.commands[0].literals == [b"x", b""]


def test_a_literal_may_be_refused_or_continued_by_hand() -> None:
    def script(conversation: Conversation) -> None:
        refused = conversation.read_command(auto_continue=False)
        conversation.no(refused, b"too large")
        assert (refused.args, refused.literals, refused.awaiting) == (b"a {9}", [], 9)
        allowed = conversation.read_command(auto_continue=False)
        conversation.send(b"+\r\n")
        assert conversation.read_literal(allowed.awaiting or 0) == b"xyz"
        assert conversation.read_line() == b")"
        conversation.bad(allowed)

    with ScriptedServer(script) as server, dial(server) as sock:
        sock.sendall(b"1 APPEND a {9}\r\n")
        assert receive(sock, 16) == b"1 NO too large\r\n"
        sock.sendall(b"2 APPEND ({3}\r\n")
        assert receive(sock, 3) == b"+\r\n"
        sock.sendall(b"xyz)\r\n")
        assert rest(sock) == b"2 BAD rejected\r\n"
    assert server.received[2:] == [b"xyz", b")\r\n"]


@pytest.mark.parametrize(
    ("chunks", "sizes"), [(None, [5]), (2, [2, 2, 1]), (5, [5]), (9, [5]), ([1, 3], [1, 3, 1]), ([5, 7], [5]), ([], [5])]
)
def test_segmentation(chunks: int | list[int] | None, sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []

    class Counting(socket.socket):
        def send(self, data: bytes, flags: int = 0, /) -> int:  # type: ignore[override]
            sent.append(len(data))
            return super().send(data, flags)

    def script(conversation: Conversation) -> None:
        plain = conversation._sock
        assert plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        conversation._sock = Counting(fileno=plain.detach())
        conversation.send(b"hello", chunks=chunks)

    with ScriptedServer(script, greeting=b"") as server, dial(server, b"") as sock:
        assert rest(sock) == b"hello"
    assert sent == sizes


def test_a_chunk_has_a_byte() -> None:
    server = ScriptedServer(lambda conversation: conversation.send(b"x", chunks=0))
    with pytest.raises(ValueError, match="at least one byte"):
        session(server, b"", b"")


def test_much_data_waits_for_a_slow_reader() -> None:
    data = bytes(range(256)) * (1 << 15)
    with ScriptedServer(lambda conversation: conversation.send(data)) as server, dial(server) as sock:
        assert rest(sock) == data


def test_close_ends_in_order_although_bytes_were_left_unread() -> None:
    def script(conversation: Conversation) -> None:
        conversation.read_line()
        conversation.send(b"last words\r\n")
        conversation.close()
        with pytest.raises(ClientGone):
            conversation.read_line()

    with ScriptedServer(script) as server, dial(server) as sock:
        sock.sendall(b"DONE\r\nand more")
        assert rest(sock) == b"last words\r\n"
    assert server.received == [b"DONE\r\n", b"and more"]


def test_reset_is_a_reset() -> None:
    with ScriptedServer(handlers={"NOOP": lambda conversation, command: conversation.reset()}) as server, dial(server) as sock:
        sock.sendall(b"a NOOP\r\n")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert server.names == ["NOOP"]


def test_wait_closed_sees_the_end_and_records_the_data_before() -> None:
    seen = threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.wait_closed()
        seen.set()

    with ScriptedServer(script) as server:
        with dial(server) as sock:
            sock.sendall(b"a LOGOUT\r\n")
        assert seen.wait(TIMEOUT)
    assert server.received == [b"a LOGOUT\r\n"]


def test_wait_closed_fails_for_a_client_that_stays() -> None:
    with pytest.raises(ClientSilent, match="the client to close"):
        session(ScriptedServer(lambda conversation: conversation.wait_closed(0.01)), b"", b"")


def test_a_silent_client_fails_the_test() -> None:
    with pytest.raises(ClientSilent, match="timed out waiting for a command; unread so far: b'a NO'"):
        session(ScriptedServer(patience=0.05), b"a NO", b"")


def test_a_failing_script_fails_the_test_whatever_the_client_does() -> None:
    def script(conversation: Conversation) -> None:
        assert conversation.read_command().name == "NOOP", "another command"

    with pytest.raises(AssertionError, match="another command") as caught:
        session(ScriptedServer(script), b"a CHECK\r\n", b"", RuntimeError("the client is upset"))
    assert isinstance(caught.value.__context__, RuntimeError)


def test_an_interrupt_is_not_replaced() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        session(ScriptedServer(lambda conversation: pytest.fail("no")), b"", b"", KeyboardInterrupt())
    assert "a script failed too" in caught.value.__notes__[0]


def test_the_first_failure_is_the_one_raised() -> None:
    def script(conversation: Conversation) -> None:
        raise LookupError(conversation.number)

    def visits(server: ScriptedServer) -> None:
        with server:
            for _ in range(3):
                with dial(server) as sock:
                    assert rest(sock) == b""

    with pytest.raises(LookupError) as caught:
        visits(ScriptedServer(script))
    assert caught.value.args == (0,)


def test_a_line_that_is_no_command_fails_and_is_recorded() -> None:
    server = ScriptedServer()
    with pytest.raises(AssertionError, match="not a command: b'DONE"):
        session(server, b"DONE\r\n", b"")
    assert server.received == [b"DONE\r\n"]


def test_exit_serves_received_data_and_then_ends_everything() -> None:
    before = threading.active_count()
    with dial_and_leave() as (server, sock):
        assert rest(sock) == b"a OK done\r\n"
    assert server.received == [ReceivedCommand(b"a", "NOOP", b"", [], b"a NOOP\r\n"), b"b NO"]
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), TIMEOUT)


@contextmanager
def dial_and_leave() -> Iterator[tuple[ScriptedServer, socket.socket]]:
    """A client that is open after its server has closed."""
    with ScriptedServer() as server:
        sock = socket.create_connection((server.host, server.port), TIMEOUT)
        receive(sock, len(GREETING))
        sock.sendall(b"a NOOP\r\nb NO")
    with sock:
        yield server, sock


def test_connections_in_parallel_and_one_after_the_other() -> None:
    meeting = threading.Barrier(3, timeout=TIMEOUT)

    def script(conversation: Conversation) -> None:
        command = conversation.read_command()
        if conversation.number < 3:
            meeting.wait()
        conversation.ok(command, b"%d" % conversation.number)

    with ScriptedServer(script) as server:
        with dial(server) as one, dial(server) as two, dial(server) as three:
            for sock in (three, one, two):
                sock.sendall(b"t NOOP\r\n")
            assert {rest(sock) for sock in (one, two, three)} == {b"t OK 0\r\n", b"t OK 1\r\n", b"t OK 2\r\n"}
        with dial(server) as four:
            four.sendall(b"t NOOP\r\n")
            assert rest(four) == b"t OK 3\r\n"
    assert server.names == ["NOOP"] * 4


def test_implicit_tls() -> None:
    with (
        ScriptedServer(tls=(PEM, None)) as server,
        imaplib.IMAP4_SSL(server.host, server.port, ssl_context=trusting(), timeout=TIMEOUT) as client,
    ):
        assert client.noop() == ("OK", [b"done"])
        client.logout()
    assert without_capability(server) == ["NOOP", "LOGOUT"]


def test_starttls() -> None:
    def starttls(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        conversation.start_tls()

    server = ScriptedServer(
        handlers={"STARTTLS": starttls}, capabilities=b"IMAP4rev1 STARTTLS", tls=(PEM, PEM), implicit_tls=False
    )
    with server, imaplib.IMAP4(server.host, server.port, TIMEOUT) as client:
        assert client.starttls(trusting())[0] == "OK"
        assert client.login("u", "p")[0] == "OK"
        assert isinstance(client.sock, ssl.SSLSocket)
        client.logout()
    assert without_capability(server) == ["STARTTLS", "LOGIN", "LOGOUT"]


def test_starttls_refuses_data_received_in_the_clear() -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        conversation.start_tls((PEM, None))

    with pytest.raises(AssertionError, match=r"in the clear before TLS: b'b LOGIN u p"):
        session(ScriptedServer(script), b"a STARTTLS\r\nb LOGIN u p\r\n", b"a OK done\r\n")


def test_a_client_that_refuses_the_certificate_is_gone() -> None:
    with ScriptedServer(tls=(PEM, None)) as server, pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL(server.host, server.port, ssl_context=ssl.create_default_context(), timeout=TIMEOUT)
    assert server.received == []


def test_a_client_without_tls_fails_the_test() -> None:
    def talk(server: ScriptedServer) -> None:
        with server, dial(server, b"") as sock:
            sock.sendall(b"a NOOP\r\n")
            assert b"OK" not in rest(sock)

    with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        talk(ScriptedServer(tls=(PEM, None)))


def test_misuse() -> None:
    with pytest.raises(ValueError, match="not both"):
        ScriptedServer(lambda conversation: None, handlers={"NOOP": lambda conversation, command: None})
    with pytest.raises(ValueError, match=r"upper case here: \['noop'\]"):
        ScriptedServer(handlers={"noop": lambda conversation, command: None})
    with pytest.raises(ValueError, match="no certificate"):
        session(ScriptedServer(Conversation.start_tls), b"", b"")


def test_a_script_that_does_not_end_is_named() -> None:
    release = threading.Event()

    def script(conversation: Conversation) -> None:
        assert release.wait(TIMEOUT)

    def leave(server: ScriptedServer) -> None:
        with server, dial(server):
            pass

    server = ScriptedServer(script, patience=0.02)
    with pytest.raises(TimeoutError, match=r"does not end: \['ScriptedServer-[0-9]+-1'\]"):
        leave(server)
    release.set()
    for thread in server._threads:
        thread.join(TIMEOUT)
        assert not thread.is_alive()
