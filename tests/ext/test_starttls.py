"""STARTTLS against a server that is honest, one that refuses, and somebody on the way."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import imapkit
from imapkit.errors import ArgumentError, FamilyDisabledError, NoResponse, RemoteProtocolError, StateError
from imapkit.testing import LOCALHOST, Answers, Conversation, Handler, ReceivedCommand, ScriptedServer, connect, within

PEM = LOCALHOST.pem
FAMILIES = ["rev1", "starttls"]


def agree(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, b"Begin TLS")
    conversation.start_tls()


@contextmanager
def plain(starttls: Handler = agree, cls: Any = imapkit.IMAP4, **options: Any) -> Iterator[tuple[Any, ScriptedServer]]:
    """A client that has not logged in, and a server that has a certificate."""
    options.setdefault("capabilities", b"IMAP4rev1 STARTTLS")
    settings = {name: options.pop(name) for name in ("ssl_context", "families") if name in options}
    with (
        ScriptedServer(handlers={"STARTTLS": starttls}, tls=(PEM, PEM), implicit_tls=False, **options) as server,
        connect(server, cls=cls, login=False, **{"families": FAMILIES, "ssl_context": None, **settings}) as client,
    ):
        yield client, server


def test_everything_after_it_is_protected() -> None:
    with plain() as (client, server):
        assert client.starttls(ca_certs=PEM) == ("OK", [b"Begin TLS"])
        assert client.login("me", "secret")[0] == "OK"
        assert client.noop()[0] == "OK"
        assert client.sock.version() in ("TLSv1.2", "TLSv1.3")
        assert client.sock.getpeercert()["subject"]
    assert server.names == ["STARTTLS", "CAPABILITY", "LOGIN", "NOOP", "LOGOUT"]


def test_with_a_callback() -> None:
    with plain() as (client, server):
        answers = Answers()
        client.starttls(ca_certs=PEM, callback=answers, cb_arg=1)
        assert answers.next() == (("OK", [b"Begin TLS"]), 1, None)
        assert client.noop()[0] == "OK"
        assert server.names == ["STARTTLS", "CAPABILITY", "NOOP"]


def test_the_certificate_is_verified_by_default() -> None:
    with plain() as (client, server), within():
        with pytest.raises(imapkit.TLSError, match="self-signed"):
            client.starttls()
        with pytest.raises(client.abort):
            client.login("me", "secret")
        assert "LOGIN" not in server.names


def test_the_host_name_is_verified() -> None:
    with plain() as (client, server):
        client.host = "example.org"
        with pytest.raises(imapkit.TLSError, match="example"):
            client.starttls(ca_certs=PEM)
        assert server.names[-1] == "STARTTLS"


def test_a_context_of_the_call_or_of_the_client() -> None:
    trusting = ssl.create_default_context(cafile=PEM)
    with plain() as (client, _):
        assert client.starttls(ssl_context=trusting)[0] == "OK"
    with plain(ssl_context=trusting) as (client, _):
        assert client.starttls()[0] == "OK"
    with plain(ssl_context=imapkit.unverified_context()) as (client, _):
        assert client.starttls()[0] == "OK"
    with plain(ssl_context=imapkit.unverified_context()) as (client, _):
        client.host = "example.org"
        with pytest.raises(imapkit.TLSError):
            client.starttls(ca_certs=PEM)


def test_a_callback_takes_the_verification_over() -> None:
    seen: list[Any] = []
    with plain() as (client, server):
        assert client.starttls(cert_verify_cb=lambda certificate, host: seen.append((certificate, host)))[0] == "OK"
        assert seen == [({}, server.host)], "nothing is known of a certificate that was not verified"
    with plain() as (client, _), pytest.raises(ssl.SSLError, match="not this one"):
        client.starttls(ca_certs=PEM, cert_verify_cb=lambda certificate, host: "not this one")
    with plain() as (client, _), pytest.raises(imapkit.TLSError, match="KeyError"):
        client.starttls(ca_certs=PEM, cert_verify_cb=lambda certificate, host: certificate["no such field"])


@pytest.mark.parametrize(("settings", "error"), [({"ssl_version": "ssl3"}, ArgumentError), ({"tls_level": "x"}, ArgumentError)])
def test_settings_that_cannot_be_are_refused_before_anything_is_sent(settings: dict[str, str], error: type[Exception]) -> None:
    with plain() as (client, server):
        with pytest.raises(error):
            client.starttls(**settings)
        with pytest.raises(OSError, match="No such file"):
            client.starttls(ca_certs="/no/such/file.pem")
        assert "STARTTLS" not in server.names
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_the_clients_own_certificate(way: str) -> None:
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    demanding.load_cert_chain(PEM)
    demanding.load_verify_locations(PEM)
    demanding.verify_mode = ssl.CERT_REQUIRED
    mine: dict[str, Any] = {"ca_certs": PEM, "certfile": PEM, "keyfile": PEM}
    if way == "tls":
        with ScriptedServer(tls=demanding) as server, connect(server, cls=imapkit.IMAP4_SSL, **mine, login=False) as client:
            assert client.noop()[0] == "OK"
        return

    def demand(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, b"Begin TLS")
        conversation.start_tls(demanding)

    with plain(demand) as (client, _):
        assert client.starttls(**mine)[0] == "OK"


def test_a_version_of_choice() -> None:
    with plain() as (client, _):
        assert client.starttls(ca_certs=PEM, ssl_version="tls1_2", tls_level="tls_secure")[0] == "OK"
        assert client.sock.version() == "TLSv1.2"
    with plain() as (client, _):
        assert client.starttls(ca_certs=PEM, tls_level="tls_secure")[0] == "OK"
        assert client.sock.version() in ("TLSv1.2", "TLSv1.3")


INJECTED = [b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", b"* 1 EXISTS\r\n", b"+", b"\x16\x03"]


@pytest.mark.parametrize("injected", INJECTED)
def test_what_comes_with_the_ok_is_fatal(injected: bytes) -> None:
    def inject(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b OK go\r\n%b" % (command.tag, injected))
        conversation.wait_closed()

    with plain(inject) as (client, server):
        with pytest.raises(RemoteProtocolError, match="response injection"):
            client.starttls(ca_certs=PEM)
        assert client.response("EXISTS")[1] == [None]
        assert server.names[-1] == "STARTTLS"


@pytest.mark.parametrize("injected", INJECTED[:3])
def test_what_comes_in_the_clear_after_the_ok_is_fatal(injected: bytes) -> None:
    def inject(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        assert conversation.read_literal(3)[:1] == b"\x16", "the client's hello"
        conversation.send(injected)
        conversation.wait_closed()

    with plain(inject) as (client, _):
        client._timeouts = imapkit.Timeouts.within(0.3)
        with pytest.raises((imapkit.TLSError, imapkit.CommandTimeout)):
            client.starttls(ca_certs=PEM)


def test_nothing_said_before_it_counts() -> None:
    def forge(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* 7 EXISTS\r\n* OK [UIDVALIDITY 9] hi\r\n")
        conversation.send(b"%b OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=X] go\r\n" % command.tag)
        conversation.start_tls()

    with plain(forge) as (client, _):
        assert client.starttls(ca_certs=PEM)[0] == "OK"
        assert client.response("EXISTS")[1] == [None]
        assert client.response("UIDVALIDITY")[1] == [None]
        assert client.capabilities == ("IMAP4REV1", "STARTTLS")
        assert client.login("me", "secret")[0] == "OK"


@pytest.mark.together
def test_what_was_enabled_or_counted_in_the_clear_does_not_hold() -> None:
    def forge(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* ENABLED UTF8=ACCEPT\r\n* 77 EXISTS\r\n")
        conversation.ok(command)
        conversation.start_tls()

    with plain(forge, families=["rev1", "starttls", "enable"]) as (client, _):
        assert client.starttls(ca_certs=PEM)[0] == "OK"
        assert client._session.enabled == frozenset()
        assert client._session.exists is None


def test_of_two_threads_one_is_too_late() -> None:
    asked = threading.Barrier(2)

    class Slow(imapkit.IMAP4):
        def _use_tls(self, **settings: Any) -> Any:
            asked.wait(10)
            return super()._use_tls(**settings)

    def work(client: Any, outcomes: list[Any]) -> None:
        try:
            outcomes.append(client.starttls(ca_certs=PEM)[0])
        except client.abort as exc:
            outcomes.append(str(exc))

    with plain(cls=Slow) as (client, server):
        outcomes: list[Any] = []
        threads = [threading.Thread(target=work, args=(client, outcomes)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["OK", "TLS is established already"]
        assert server.names.count("STARTTLS") == 1
        assert client.noop()[0] == "OK"


def test_a_server_that_does_not_announce_it() -> None:
    with plain(capabilities=b"IMAP4rev1") as (client, server):
        with pytest.raises(client.abort, match="does not announce STARTTLS"):
            client.starttls()
        assert "STARTTLS" not in server.names
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_a_server_that_refuses(typ: str) -> None:
    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b %b not today\r\n" % (command.tag, typ.encode()))

    with plain(refuse) as (client, _):
        with pytest.raises(NoResponse if typ == "NO" else imapkit.BadResponse, match="not today"):
            client.starttls(ca_certs=PEM)
        assert client.noop()[0] == "OK"
        assert not hasattr(client.sock, "getpeercert")


def test_not_twice_and_not_on_top_of_tls() -> None:
    with plain() as (client, server):
        client.starttls(ca_certs=PEM)
        with pytest.raises(client.abort, match="established already"):
            client.starttls(ca_certs=PEM)
        assert server.names.count("STARTTLS") == 1
    with ScriptedServer(tls=(PEM, None)) as server:
        with (
            connect(server, cls=imapkit.IMAP4_SSL, families=FAMILIES, ca_certs=PEM, login=False) as client,
            pytest.raises(client.abort),
        ):
            client.starttls()
        assert "STARTTLS" not in server.names


@pytest.mark.parametrize("greeting", [b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"])
def test_not_once_logged_in(greeting: bytes) -> None:
    """A forged PREAUTH must not lead past TLS in silence."""
    with plain(greeting=greeting) as (client, server):
        with pytest.raises(StateError, match="STARTTLS illegal in state AUTH"):
            client.starttls(ca_certs=PEM)
        assert "STARTTLS" not in server.names


class OwnTLS(imapkit.IMAP4):
    """Puts its own TLS on the socket, as subclasses of imaplib2 do."""

    def ssl_wrap_socket(self) -> None:
        self.sock = ssl.create_default_context(cafile=self.ca_certs).wrap_socket(self.sock, server_hostname=self.host)
        self.read_fd = self.sock.fileno()


class OwnReading(imapkit.IMAP4):
    """Reads and writes its socket itself."""

    def read(self, size: int) -> bytes:
        data: bytes = self.sock.recv(size)
        return data

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)


class Counting(imapkit.IMAP4):
    """Watches what goes by."""

    octets = 0

    def read(self, size: int) -> bytes:
        data = super().read(size)
        self.octets += len(data)
        return data


class NoSocket(imapkit.IMAP4):
    """Has nothing but a descriptor to read from."""

    def open(self, host: str | None = None, port: int | None = None) -> None:
        self.host, self.port = host or "", port or 0
        self.channel = socket.create_connection((self.host, self.port))
        self.read_fd = self.channel.fileno()

    def read(self, size: int) -> bytes:
        return self.channel.recv(size)

    def send(self, data: bytes) -> None:
        self.channel.sendall(data)

    def shutdown(self) -> None:
        self.channel.close()


@pytest.mark.parametrize("cls", [OwnTLS, OwnReading, Counting, NoSocket])
def test_subclasses(cls: type[imapkit.IMAP4]) -> None:
    with plain(cls=cls) as (client, server):
        assert client.starttls(ca_certs=PEM)[0] == "OK"
        assert client.login("me", "secret")[0] == "OK"
        answers = Answers()
        for _ in range(20):
            client.noop(callback=answers)
        assert {answer[0][0] for answer in answers.take(20)} == {"OK"}
        assert client.sock.getpeercert()["subject"]
    assert server.names.count("NOOP") == 20


def test_without_the_family() -> None:
    with plain(families=["rev1"]) as (client, _):
        assert not hasattr(client, "starttls")
        with pytest.raises(FamilyDisabledError, match="'starttls'"):
            client.starttls()
