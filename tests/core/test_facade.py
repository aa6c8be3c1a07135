"""What a subclass may override, what ``families=`` does, and imaplib2's attributes."""

from __future__ import annotations

import gc
import io
import os
import socket
import warnings
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import Commands, Result
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.errors import FamilyDisabledError, StateError
from imapkit.testing import Conversation, ReceivedCommand
from imapkit.testing.certificate import LOCALHOST
from tests.core.rig import LIMIT, MARGIN, Answers, connect, selected, serving, within

PEM = LOCALHOST.pem
calls: list[str] = []
sent: list[bytes] = []
"""What subclasses' ``send`` got: a command, or several that leave together."""


class Tunnel(imapkit.IMAP4):
    """Opens its socket itself, reads and sends through it: as a SOCKS proxy or a tunnel does."""

    def open_socket(self) -> socket.socket:
        calls.append("open_socket")
        return socket.create_connection((self.host, self.port))

    def read(self, size: int) -> bytes:
        calls.append("read")
        data: bytes = self.sock.recv(size)
        return data

    def send(self, data: bytes) -> None:
        sent.append(data)
        self.sock.sendall(data)

    def shutdown(self) -> None:
        calls.append("shutdown")
        self.sock.close()


class Watching(imapkit.IMAP4):
    """Only looks on, by ``super()``."""

    def read(self, size: int) -> bytes:
        data = super().read(size)
        calls.append("read")
        return data

    def send(self, data: bytes) -> None:
        sent.append(data)
        super().send(data)

    def shutdown(self) -> None:
        calls.append("shutdown")
        super().shutdown()


class Piped(imapkit.IMAP4):
    """Has no ``sock`` at all, but a ``read_fd``."""

    def open(self, host: str | None = None, port: int | None = None) -> None:
        calls.append("open")
        self.host, self.port = host or "", port or 0
        self.channel = socket.create_connection((self.host, self.port))
        self.read_fd = self.channel.fileno()

    def read(self, size: int) -> bytes:
        calls.append("read")
        assert self.read_fd is not None
        return os.read(self.read_fd, size)

    def send(self, data: bytes) -> None:
        sent.append(data)
        self.channel.sendall(data)

    def shutdown(self) -> None:
        calls.append("shutdown")
        self.channel.close()


class Opened(imapkit.IMAP4):
    """Overrides ``open_socket`` and ``shutdown`` only."""

    def open_socket(self) -> socket.socket:
        calls.append("open_socket")
        return socket.create_connection((self.host, self.port))

    def shutdown(self) -> None:
        calls.append("shutdown")
        super().shutdown()


class Channel:
    """Looks like a socket as far as imaplib2 uses one: as the channel of an SSH library does."""

    def __init__(self, sock: socket.socket) -> None:
        self.recv, self.fileno, self.close, self._sock = sock.recv, sock.fileno, sock.close, sock

    def sendall(self, data: bytes) -> None:
        calls.append("send")
        self._sock.sendall(data)


class Channelled(Opened):
    """Its ``open_socket`` returns what is no socket."""

    def open_socket(self) -> Any:
        return Channel(super().open_socket())


class ChannelledSSL(imapkit.IMAP4_SSL):
    """The same with TLS."""

    def open_socket(self) -> Any:
        return Channel(socket.create_connection((self.host, self.port)))


KINDS = [Tunnel, Watching, Piped, Opened, Channelled]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()
    sent.clear()


@each_kind
def test_a_subclass_carries_the_bytes(kind: type[imapkit.IMAP4]) -> None:
    body = b"x" * 300_000
    lines = b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\n" % (len(body), body)
    with serving({"FETCH": lambda c, command: c.ok(command, untagged=lines)}) as server:
        with connect(server, kind) as client:
            client.login("me", "secret")
            client.select()
            assert client.fetch("1", "BODY[]")[1][0][1] == body
            answers = Answers()
            for number in range(50):
                client.noop(callback=answers, cb_arg=number)
            assert [number for _, number, _ in answers.take(50)] == list(range(50))
        assert calls.count("shutdown") >= 1
        if not issubclass(kind, Opened):
            assert b"".join(sent).count(b"\r\n") == len(server.names)
            assert calls.count("read") >= 2
        assert server.names[-1] == "LOGOUT"


@each_kind
def test_a_subclass_with_a_server_that_is_silent(kind: type[imapkit.IMAP4]) -> None:
    with serving({"NOOP": lambda conversation, command: conversation.wait_closed()}) as server:
        client = connect(server, kind, timeout=LIMIT)
        with within(LIMIT + MARGIN), pytest.raises(imapkit.IMAP4.abort):
            client.noop()
        with within(MARGIN):
            client.logout()


@each_kind
def test_a_subclass_whose_server_goes(kind: type[imapkit.IMAP4]) -> None:
    with serving({"NOOP": lambda conversation, command: conversation.reset()}) as server:
        client = connect(server, kind)
        with pytest.raises(imapkit.IMAP4.abort):
            client.noop()
        client.logout()
        client.logout()


@each_kind
def test_a_subclass_that_is_dropped(kind: type[imapkit.IMAP4]) -> None:
    with serving() as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = connect(server, kind)
        connection = client._live
        del client
        gc.collect()
        connection._reader.thread.join(20)
        assert not connection._reader.thread.is_alive()
    assert any("dropped without logout" in str(warning.message) for warning in caught)
    del connection
    gc.collect()


def test_tls_through_what_is_no_socket() -> None:
    with serving(tls=(PEM, PEM)) as server, connect(server, ChannelledSSL, ca_certs=PEM) as client:
        assert client.login("me", "secret")[0] == "OK"
        assert client.sock.version() in ("TLSv1.2", "TLSv1.3")
    assert calls.count("send") > 3


def test_tls_through_what_is_no_socket_with_a_server_that_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, within(LIMIT + MARGIN):
        host, port = silent.getsockname()
        with pytest.raises(imapkit.IMAP4.abort):
            ChannelledSSL(host, port, timeout=LIMIT, families=["rev1"])


def test_a_subclass_with_arguments_of_its_own() -> None:
    class Named(imapkit.IMAP4):
        def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
            self.name = name
            super().__init__(*args, **kwargs)

    with serving() as server, Named("x", server.host, server.port, families=["rev1"]) as client:
        assert (client.name, client.noop()[0]) == ("x", "OK")


# families


class HelloCommands(Commands):
    def xhello(self, name: str, **options: Any) -> Result:
        """Say hello."""
        return self._call("XHELLO", name, **options)


HELLO = Family("hello", HelloCommands, commands=(Command("XHELLO", State.ANY, result=("XHELLO",)),))


def hello(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, untagged=b"* XHELLO %b\r\n" % command.args)


def test_a_family_of_ones_own() -> None:
    with serving({"XHELLO": hello}) as server:
        with connect(server, families=["rev1", HELLO]) as client:
            assert client.family(HelloCommands).xhello("you there") == ("OK", [b'"you there"'])
            assert client.XHELLO("x") == ("OK", [b"x"])
            assert isinstance(client, imapkit.IMAP4)
        with connect(server) as client:
            assert not hasattr(client, "xhello")
            with pytest.raises(FamilyDisabledError, match="HelloCommands"):
                client.family(HelloCommands)


def test_a_client_without_the_base_family() -> None:
    """No family reads the capabilities then: a clear error, with nothing left behind."""
    with serving({"XHELLO": hello}) as server, pytest.raises(imapkit.IMAP4.error, match="not IMAP4 compliant"):
        connect(server, families=[HELLO])
    assert server.received == []


def test_a_method_that_no_family_has() -> None:
    with serving() as server, connect(server) as client:
        with pytest.raises(AttributeError, match="no_such_thing"):
            client.no_such_thing()
        assert not hasattr(client, "no_such_thing")


def test_two_clients_with_different_families_at_once() -> None:
    with serving({"XHELLO": hello}) as server, connect(server, families=["rev1", HELLO]) as one, connect(server) as other:
        assert type(one) is not type(other)
        assert one.noop() == other.noop()
        assert hasattr(one, "xhello")
        assert not hasattr(other, "xhello")


# imaplib2's attributes


def test_attributes() -> None:
    with selected(messages=3) as (client, server):
        assert client.error is imapkit.error
        assert issubclass(client.abort, client.error)
        assert issubclass(client.readonly, client.abort)
        assert (client.state, client.mailbox, client.is_readonly) == ("SELECTED", "INBOX", False)
        assert client.PROTOCOL_VERSION == "IMAP4REV1"
        assert client.welcome.startswith(b"* OK")
        assert (client.host, client.port) == (server.host, server.port)
        assert client.identifier == f"{server.host} "
        assert client.socket() is client.sock
        assert client.response("UIDVALIDITY") == ("UIDVALIDITY", [b"1"])
        assert client.response("UIDVALIDITY") == ("UIDVALIDITY", [None])
        assert ["UIDNEXT", [b"4"]] in client.untagged_responses
        assert client._get_untagged_response("UIDNEXT", leave=True) == [b"4"]
        assert client._get_untagged_response("UIDNEXT") == [b"4"]
        assert client._get_untagged_response("UIDNEXT") is None
        with pytest.raises(ValueError, match="only be emptied"):
            client.untagged_responses = [["X", []]]
        client.untagged_responses = []
        assert client.untagged_responses == []
        assert client._quote('a"b\\') == '"a\\"b\\\\"'
        assert "SELECTED" in repr(client)
    assert "LOGOUT" in repr(client)


def test_the_state_can_be_set_after_a_command_of_no_family() -> None:
    with selected({"UNSELECT": lambda conversation, command: conversation.ok(command)}) as (client, server):
        assert client.xatom("UNSELECT")[0] == "OK"
        client.state = "AUTH"
        assert (client.state, client.mailbox) == ("AUTH", None)
        with pytest.raises(StateError):
            client.fetch("1", "FLAGS")
        for wrong in ("ANY", "nowhere", None):
            with pytest.raises(imapkit.ArgumentError, match="no state"):
                client.state = wrong  # type: ignore[assignment]
        assert client.select()[0] == "OK"
        assert server.names[-2:] == ["UNSELECT", "SELECT"]


@pytest.mark.parametrize("name", ["mailbox", "is_readonly"])
def test_attributes_that_cannot_be_set(name: str) -> None:
    with selected() as (client, _), pytest.raises(AttributeError):
        setattr(client, name, None)


def test_capabilities_can_be_set_and_terminate_is_true_at_the_end() -> None:
    """OfflineIMAP sets the one after logging in, and asks the other before it keeps a connection."""
    with selected() as (client, _server):
        client.capabilities = ("imap4rev1", "X")
        assert client.capabilities == ("IMAP4REV1", "X")
        assert not client.Terminate
    assert client.Terminate


def test_the_next_command_reports_a_lost_connection_and_the_state_does_not() -> None:
    """OfflineIMAP selects a mailbox only if it is not selected, and tries again if it is the command after that which aborts."""
    with serving({"NOOP": lambda conversation, command: conversation.reset()}) as server:
        client = connect(server)
        client.login("me", "secret")
        client.select("INBOX", readonly=True)
        for _ in range(2):
            with pytest.raises(imapkit.IMAP4.abort):
                client.noop()
            assert (client.state, client.mailbox, client.is_readonly) == ("SELECTED", "INBOX", True)
        with pytest.raises(imapkit.IMAP4.abort):
            client.close()
        assert client.Terminate
        assert client.logout()[0] == "NO"
        assert (client.state, client.mailbox, client.is_readonly) == ("LOGOUT", None, False)


def test_debug_output() -> None:
    log = io.StringIO()
    with serving() as server, connect(server, debug=4, debug_file=log, identifier="me") as client:
        client.noop()
        client.debug = 0
        shown = log.getvalue()
        client.noop()
        assert log.getvalue() == shown
    assert "NOOP" in shown
    assert "me reader" in shown


def test_the_level_up_to_which_debug_output_is_kept_back() -> None:
    log = io.StringIO()
    with serving() as server, connect(server, debug=4, debug_file=log, debug_buf_lvl=5) as client:
        assert client.debug_buf_lvl == 5
        client.noop()
        assert "> b" not in log.getvalue()
        client.debug_buf_lvl = 3
        client.noop()
        assert "> b" in log.getvalue()


def test_commands_go_on_when_the_debug_file_breaks() -> None:
    log = io.StringIO()
    with serving() as server, connect(server, debug=5, debug_file=log) as client:
        log.close()
        assert client.noop()[0] == "OK"


def test_the_state_decides() -> None:
    with serving() as server, connect(server) as client:
        with pytest.raises(StateError, match="FETCH illegal in state NONAUTH"):
            client.fetch("1", "FLAGS")
        client.login("me", "secret")
        with pytest.raises(StateError, match="LOGIN illegal in state AUTH"):
            client.login("me", "secret")
        assert server.names == ["LOGIN"]


def test_an_unknown_command_is_exclusive() -> None:
    with selected({"XYZZY": lambda c, command: c.ok(command, command.args, b"* XYZZY 1\r\n")}) as (client, _):
        assert client.xatom("xyzzy", "a b", 7) == ("OK", [b'"a b" 7'])
        assert client.response("XYZZY")[1] == [b"1"]
