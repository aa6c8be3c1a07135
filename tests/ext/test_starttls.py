"""STARTTLS against an honest server, one that refuses, and an attacker between client and server."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import imapkit
from imapkit.errors import ArgumentError, FamilyDisabledError, NoResponse, RemoteProtocolError, StateError
from imapkit.plugin import Command, Family, State, astring
from imapkit.testing import LOCALHOST, Answers, Conversation, Handler, ReceivedCommand, ScriptedServer, connect, within

PEM = LOCALHOST.pem
FAMILIES = ["rev1", "starttls"]


def agree(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, b"Begin TLS")
    conversation.start_tls()


@contextmanager
def plain(starttls: Handler = agree, cls: Any = imapkit.IMAP4, **options: Any) -> Iterator[tuple[Any, ScriptedServer]]:
    """A client that has not logged in, and a server with a certificate."""
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


def test_a_callback_is_called_after_the_chain_and_the_host_name_are_verified() -> None:
    seen: list[Any] = []

    def note(certificate: Any, host: str) -> None:
        seen.append((certificate, host))

    with plain() as (client, server):
        with pytest.raises(imapkit.TLSError, match="self-signed"):
            client.starttls(cert_verify_cb=note)
        assert not seen, "the callback is not called for an invalid chain"
    with plain() as (client, server):
        assert client.starttls(ca_certs=PEM, cert_verify_cb=note)[0] == "OK"
        assert seen[0][0]["subject"]
        assert seen[0][1] == server.host
    with plain() as (client, _), pytest.raises(ssl.SSLError, match="not this one"):
        client.starttls(ca_certs=PEM, cert_verify_cb=lambda certificate, host: "not this one")
    with plain() as (client, _), pytest.raises(imapkit.TLSError, match="KeyError"):
        client.starttls(ca_certs=PEM, cert_verify_cb=lambda certificate, host: certificate["no such field"])


_ARMOUR = re.compile(r"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\n", re.DOTALL)
DER = ssl.PEM_cert_to_DER_cert(_ARMOUR.findall(Path(PEM).read_text())[0])


@pytest.mark.parametrize("whose", ["the call's", "the client's"])
def test_a_callback_that_decides_alone_gets_the_der_bytes(whose: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "imapkit")
    unverified = imapkit.unverified_context()
    mine: dict[str, Any] = {"ssl_context": unverified} if whose == "the client's" else {}
    its: dict[str, Any] = {} if mine else {"ssl_context": unverified}
    seen: list[Any] = []
    with plain(**mine) as (client, _):
        assert client.starttls(cert_verify_cb=lambda certificate, host: seen.append(certificate), **its)[0] == "OK"
        assert seen == [DER]
        assert "NOT VERIFIED except by cert_verify_cb" in caplog.text
    with plain(**mine) as (client, _), pytest.raises(imapkit.TLSError, match="another fingerprint"):
        client.starttls(cert_verify_cb=lambda certificate, host: "another fingerprint", **its)


@pytest.mark.parametrize("typ", ["NO", "BAD"])
@pytest.mark.parametrize(
    "settings",
    [
        {"cert_verify_cb": lambda certificate, host: None},
        {"ssl_context": imapkit.unverified_context(), "cert_verify_cb": lambda certificate, host: None},
        {"ssl_context": imapkit.unverified_context()},
        {"ca_certs": PEM, "ssl_version": "tls1_2"},
    ],
    ids=["a callback", "a context and a callback", "a context", "files and a version"],
)
def test_the_settings_of_a_refused_call_do_not_apply_to_the_next(typ: str, settings: dict[str, Any]) -> None:
    """An attacker refuses the first STARTTLS and accepts the second with a certificate of its own."""
    calls = []

    def refuse_once(conversation: Conversation, command: ReceivedCommand) -> None:
        calls.append(command)
        if len(calls) == 1:
            conversation.send(b"%b %b not today\r\n" % (command.tag, typ.encode()))
        else:
            agree(conversation, command)

    with plain(refuse_once) as (client, server):
        before = {name: value for name, value in vars(client).items() if name != "_connection"}
        with pytest.raises(client.error):
            client.starttls(**settings)
        assert {name: value for name, value in vars(client).items() if name != "_connection"} == before
        with pytest.raises(imapkit.TLSError, match="self-signed"):
            client.starttls()
        with pytest.raises(client.abort):
            client.login("me", "secret")
    assert server.names == ["STARTTLS", "STARTTLS"]


def test_two_calls_in_flight_keep_their_settings_apart() -> None:
    """The second call waits for the first, which does not take over its settings."""
    asked, go = threading.Event(), threading.Event()

    def wait(conversation: Conversation, command: ReceivedCommand) -> None:
        asked.set()
        assert go.wait(10)
        agree(conversation, command)

    with plain(wait) as (client, _), within():
        answers = Answers()
        client.starttls(callback=answers)
        assert asked.wait(10)
        refused: list[BaseException] = []

        def second() -> None:
            try:
                client.starttls(ssl_context=imapkit.unverified_context())
            except client.abort as exc:
                refused.append(exc)

        thread = threading.Thread(target=second)
        thread.start()
        go.set()
        assert answers.next()[2][0].__name__ == "TLSCertificateError"
        thread.join()
        assert refused


# Secrets after a STARTTLS that failed

SECRETS: dict[str, Callable[[Any], Any]] = {
    "login": lambda client: client.login("me", "hunter2"),
    "login, called back": lambda client: client.login("me", "hunter2", callback=print),
    "authenticate": lambda client: client.authenticate("PLAIN", lambda challenge: "\0me\0hunter2"),
    "login_cram_md5": lambda client: client.login_cram_md5("me", "hunter2"),
    "xatom": lambda client: client.xatom("LOGIN", "me", "hunter2"),
    "uid": lambda client: client.uid("LOGIN", "me", "hunter2"),
    "a plugin's": lambda client: client._call("XENTER", "hunter2"),
}
PLUGIN = Family("enter", commands=(Command("XENTER", State.ANY, args=(astring,), secret=True),))


def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.no(command, b"not today")


FAILURES: dict[str, Callable[[Any], Any]] = {
    "refused": lambda client: client.starttls(ca_certs=PEM),
    "by xatom": lambda client: client.xatom("STARTTLS"),
    "a file that is missing": lambda client: client.starttls(ca_certs="/no/such/file.pem"),
    "a version that is not offered": lambda client: client.starttls(ssl_version="ssl3"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_secret_is_sent_after_a_failed_starttls_unless_waived(failure: str) -> None:
    families = [*FAMILIES, PLUGIN]
    with plain(refuse, families=families) as (client, server):
        with contextlib.suppress(client.error, OSError):
            FAILURES[failure](client)
        before = list(server.names)
        for send in SECRETS.values():
            with pytest.raises(StateError, match="without TLS"):
                send(client)
        assert client.noop()[0] == "OK", "commands without secrets are still sent"
        assert server.names == [*before, "NOOP"]
        client.waive_starttls()
        assert client.login("me", "secret")[0] == "OK"


def test_a_server_that_stops_announcing_it_gets_no_secret_either() -> None:
    with plain(capabilities=b"IMAP4rev1") as (client, server):
        with pytest.raises(client.abort, match="does not announce"):
            client.starttls()
        with pytest.raises(StateError):
            client.login("me", "hunter2")
        assert server.names == []


@pytest.mark.parametrize("typ", [b"NO", b"BAD"])
def test_a_login_after_a_starttls_with_a_callback_waits_for_tls_or_is_refused(typ: bytes) -> None:
    with plain() as (client, server):
        answers = Answers()
        client.starttls(ca_certs=PEM, callback=answers)
        assert client.login("me", "secret")[0] == "OK"
        assert answers.next()[2] is None
        assert client.sock.version()
    with plain(lambda c, command: c.send(b"%b %b no\r\n" % (command.tag, typ))) as (client, server):
        client.starttls(ca_certs=PEM, callback=Answers())
        with pytest.raises(StateError):
            client.login("me", "hunter2")
        assert server.names == ["STARTTLS"]


def test_a_second_call_ends_the_waiver() -> None:
    with plain(refuse) as (client, _):
        for _ in range(2):
            with pytest.raises(NoResponse):
                client.starttls(ca_certs=PEM)
            with pytest.raises(StateError):
                client.login("me", "hunter2")
            client.waive_starttls()
        assert client.login("me", "secret")[0] == "OK"


@pytest.mark.parametrize(("settings", "error"), [({"ssl_version": "ssl3"}, ArgumentError), ({"tls_level": "x"}, ArgumentError)])
def test_invalid_settings_are_refused_before_anything_is_sent(settings: dict[str, str], error: type[Exception]) -> None:
    with plain() as (client, server):
        with pytest.raises(error):
            client.starttls(**settings)
        with pytest.raises(OSError, match=r"^ca_certs '/no/such/file\.pem' cannot be used: No such file") as caught:
            client.starttls(ca_certs="/no/such/file.pem")
        assert isinstance(caught.value, ArgumentError)
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


def test_the_caller_chooses_the_version() -> None:
    with plain() as (client, _):
        assert client.starttls(ca_certs=PEM, ssl_version="tls1_2", tls_level="tls_secure")[0] == "OK"
        assert client.sock.version() == "TLSv1.2"
    with plain() as (client, _):
        assert client.starttls(ca_certs=PEM, tls_level="tls_secure")[0] == "OK"
        assert client.sock.version() in ("TLSv1.2", "TLSv1.3")


INJECTED = [b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", b"* 1 EXISTS\r\n", b"+", b"\x16\x03"]


@pytest.mark.parametrize("injected", INJECTED)
def test_data_received_with_the_ok_is_fatal(injected: bytes) -> None:
    def inject(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b OK go\r\n%b" % (command.tag, injected))
        conversation.wait_closed()

    with plain(inject) as (client, server):
        with pytest.raises(RemoteProtocolError, match="response injection"):
            client.starttls(ca_certs=PEM)
        assert client.response("EXISTS")[1] == [None]
        assert server.names[-1] == "STARTTLS"


@pytest.mark.parametrize("injected", INJECTED[:3])
def test_data_in_the_clear_after_the_ok_is_fatal(injected: bytes) -> None:
    def inject(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        assert conversation.read_literal(3)[:1] == b"\x16", "the client's hello"
        conversation.send(injected)
        conversation.wait_closed()

    with plain(inject) as (client, _):
        client._timeouts = imapkit.Timeouts.within(0.15)
        with pytest.raises((imapkit.TLSError, imapkit.CommandTimeout)):
            client.starttls(ca_certs=PEM)


def test_responses_received_before_tls_are_discarded() -> None:
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
def test_extensions_and_counts_received_in_the_clear_are_discarded() -> None:
    def forge(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* ENABLED UTF8=ACCEPT\r\n* 77 EXISTS\r\n")
        conversation.ok(command)
        conversation.start_tls()

    with plain(forge, families=["rev1", "starttls", "enable"]) as (client, _):
        assert client.starttls(ca_certs=PEM)[0] == "OK"
        assert client._session.enabled == frozenset()
        assert client._session.exists is None


def test_the_second_of_two_threads_is_refused() -> None:
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
def test_refused_after_login(greeting: bytes) -> None:
    """A forged PREAUTH must not silently prevent TLS."""
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
    """Counts the bytes that it reads."""

    received = 0

    def read(self, size: int) -> bytes:
        data = super().read(size)
        self.received += len(data)
        return data


class NoSocket(imapkit.IMAP4):
    """Has only a descriptor to read from."""

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
