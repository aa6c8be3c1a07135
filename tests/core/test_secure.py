"""TLS in the ways that are easily got wrong: what comes with the handshake, its end, and subclasses that do it themselves."""

from __future__ import annotations

import contextlib
import pickle
import re
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import imapkit
from imapkit.core.transport.tls import TLSLayer, client_context
from imapkit.errors import ConnectionClosed, connect_error
from imapkit.testing import LOCALHOST, Conversation, ReceivedCommand, ScriptedServer
from tests.core.rig import MARGIN, Answers, connect, until, within
from tests.servers.base import program
from tests.servers.certs import CURVE

PEM = LOCALHOST.pem
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def server_context(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    context.minimum_version = context.maximum_version = version
    return context


def hasty(listener: socket.socket, version: ssl.TLSVersion) -> None:
    """A server that sends its greeting in one segment with the end of its handshake."""
    sock, _ = listener.accept()
    sock.settimeout(10)
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server_context(version).wrap_bio(inward, outward, server_side=True)
    with sock:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                if outward.pending:
                    sock.sendall(outward.read())
                inward.write(sock.recv(65536))
        tls.write(b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n")
        sock.sendall(outward.read())
        while data := sock.recv(65536):
            inward.write(data)
            try:
                tag = tls.read(65536).split()[0]
            except (ssl.SSLWantReadError, IndexError):
                continue
            tls.write(b"* BYE bye\r\n%b OK done\r\n" % tag)
            sock.sendall(outward.read())
            return


class Reading(imapkit.IMAP4_SSL):
    """Looks on, by ``super()``."""

    def read(self, size: int) -> bytes:
        return super().read(size)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("cls", [imapkit.IMAP4_SSL, Reading])
def test_a_greeting_that_comes_with_the_end_of_the_handshake(version: ssl.TLSVersion, cls: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hasty, args=(listener, version))
        thread.start()
        with within(MARGIN):
            client = cls(*listener.getsockname()[:2], ca_certs=PEM, timeout=20, families=["rev1"])
            assert client.welcome == b"* PREAUTH [CAPABILITY IMAP4rev1] hello"
            assert client.logout()[0] == "BYE"
        thread.join()


def dated(listener: socket.socket, agreed: list[str | None]) -> None:
    """A server that speaks TLS 1.1 at most, to every client."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = server_context(ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")
    while True:
        sock, _ = listener.accept()
        sock.settimeout(10)
        try:
            with context.wrap_socket(sock, server_side=True) as tls:
                agreed.append(tls.version())
                if tls.recv(1) == b"!":
                    return
        except OSError:
            agreed.append(None)


@pytest.mark.skipif(not ssl.HAS_TLSv1_1, reason="this OpenSSL was built without TLS 1.1")
def test_an_old_version_is_refused_before_anything_is_sent() -> None:
    """By us, not only by the system's OpenSSL, which may be set to allow it."""
    agreed: list[str | None] = []
    lax = client_context(ca_certs=PEM)
    lax.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=dated, args=(listener, agreed))
        thread.start()
        place = listener.getsockname()[:2]
        each: list[dict[str, Any]] = [{"ca_certs": PEM}, {"ssl_context": lax}]
        for options in each:
            with within(MARGIN), pytest.raises(imapkit.TLSError):
                imapkit.IMAP4_SSL(place[0], place[1], timeout=5, families=["rev1"], **options)
        until(lambda: agreed == [None, None], "the server does not say so")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            lax.minimum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(place, 5) as sock, lax.wrap_socket(sock, server_hostname="127.0.0.1") as tls:
            tls.sendall(b"!")
        thread.join()
    assert agreed[2:] == ["TLSv1.1"], "the server would have"


@contextmanager
def secured(cls: Any = imapkit.IMAP4_SSL, handlers: Any = None, **options: Any) -> Iterator[tuple[Any, ScriptedServer]]:
    with ScriptedServer(handlers=handlers, tls=(PEM, PEM)) as server, connect(server, cls, ca_certs=PEM, **options) as client:
        yield client, server


def test_the_end_of_tls_is_the_end_though_tcp_stays_open() -> None:
    def ends(conversation: Conversation, command: ReceivedCommand) -> None:
        tls: Any = conversation._sock
        tls.settimeout(5)
        with contextlib.suppress(OSError):
            # It says that it has said all, and waits for the client to do so too.
            tls.unwrap()
        conversation.wait_closed()

    with secured(handlers={"NOOP": ends}) as (client, _), within(MARGIN), pytest.raises(ConnectionClosed, match="ended TLS"):
        client.noop()


class OwnTLS(imapkit.IMAP4):
    """Puts TLS on its socket itself, at once."""

    def open(self, host: str | None = None, port: int | None = None) -> None:
        super().open(host, port)
        self.sock = ssl.create_default_context(cafile=PEM).wrap_socket(self.sock, server_hostname=self.host)


class OnlyRead(OwnTLS):
    """Reads by itself, and little at a time."""

    def read(self, size: int) -> bytes:
        data: bytes = self.sock.recv(min(size, 100))
        return data


class OnlySend(OwnTLS):
    """Writes by itself."""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)


class Both(OnlyRead, OnlySend):
    """Does both."""


class Super(OwnTLS):
    """Looks on."""

    def read(self, size: int) -> bytes:
        return super().read(size)

    def send(self, data: bytes) -> None:
        super().send(data)


@pytest.mark.parametrize("cls", [OwnTLS, OnlyRead, OnlySend, Both, Super])
def test_a_subclass_with_an_ssl_socket_of_its_own(cls: Any) -> None:
    def much(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* OK %b\r\n" % (b"x" * 50_000))

    with ScriptedServer(handlers={"NOOP": much}, tls=(PEM, PEM)) as server, connect(server, cls) as client, within(MARGIN):
        client.login("me", "secret")
        answers = Answers()
        for _ in range(10):
            client.noop(callback=answers)
        assert {answer[0][0] for answer in answers.take(10)} == {"OK"}


def test_a_read_by_super_can_be_interrupted_within_a_record() -> None:
    """Half a TLS record has come: nothing is to be read, though the socket was readable."""
    half = threading.Event()

    def stall(conversation: Conversation, command: ReceivedCommand) -> None:
        raw = socket.socket(fileno=socket.dup(conversation._sock.fileno()))
        with raw:
            raw.sendall(b"\x17\x03\x03\x01\x00abc")
        half.set()
        conversation.wait_closed()

    with secured(Reading, {"NOOP": stall}) as (client, _), within(MARGIN):
        answers = Answers()
        client.noop(callback=answers)
        assert half.wait(10)
        client.shutdown()
        assert issubclass(answers.next()[2][0], imapkit.IMAP4.abort)


def test_hanging_up_while_another_thread_sends() -> None:
    for _ in range(5):
        with ScriptedServer(tls=(PEM, PEM)) as server:
            client = connect(server, imapkit.IMAP4_SSL, ca_certs=PEM)
            client.login("me", "secret")
            seen: list[BaseException] = []
            threads = [threading.Thread(target=hammer, args=(client, seen)) for _ in range(3)]
            for thread in threads:
                thread.start()
            client.noop()
            client._hang_up("enough")
            for thread in threads:
                thread.join()
            assert {type(exc) for exc in seen} <= {ConnectionClosed}
            assert {str(exc) for exc in seen} == {"enough"}


def hammer(client: imapkit.IMAP4, seen: list[BaseException]) -> None:
    while True:
        try:
            client.noop()
        except BaseException as exc:
            seen.append(exc)
            return


def test_a_reset_in_the_handshake_is_an_error_of_ours() -> None:
    def script(conversation: Conversation) -> None:
        conversation.read_literal(1)  # a reset that comes sooner may meet the connection itself
        conversation.reset()

    with (
        ScriptedServer(script, greeting=b"") as server,
        pytest.raises(imapkit.TLSError, match="lost during the TLS handshake") as caught,
    ):
        imapkit.IMAP4_SSL(server.host, server.port, timeout=20, families=["rev1"])
    assert isinstance(caught.value, imapkit.ConnectionClosed)
    assert caught.value.errno is not None


def test_a_certificate_with_a_common_name_alone_is_refused(tmp_path: Path) -> None:
    """RFC 9525 section 2: the names are in the subjectAltName."""
    pem = tmp_path / "common-name.pem"
    made = [*CURVE, "-days", "2", "-subj", "/CN=localhost", "-keyout", str(pem), "-out", str(tmp_path / "only.pem")]
    subprocess.run([program("openssl") or "openssl", "req", "-x509", *made], check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + (tmp_path / "only.pem").read_bytes())
    lax = client_context(ca_certs=str(pem))
    lax.hostname_checks_common_name = True
    with ScriptedServer(tls=(str(pem), str(pem))) as server:
        with pytest.raises(imapkit.TLSError, match="mismatch"):
            imapkit.IMAP4_SSL("localhost", server.port, ca_certs=str(pem), families=["rev1"])
        with imapkit.IMAP4_SSL("localhost", server.port, ssl_context=lax, families=["rev1"]) as client:
            assert client.noop()[0] == "OK", "all but the name holds"


# What errors say


def errors_of_the_tree() -> list[type[imapkit.error]]:
    found: list[type[imapkit.error]] = [imapkit.error]
    for kind in found:
        found += [other for other in kind.__subclasses__() if other.__module__.startswith("imapkit.") and other not in found]
    return found


# (A ParseError makes its sentence of what was expected.)
@pytest.mark.parametrize("kind", [kind for kind in errors_of_the_tree() if kind is not imapkit.ParseError])
def test_an_error_prints_as_its_sentence_and_survives_pickling(kind: type[imapkit.error]) -> None:
    exc = kind("what happened, and where")
    if isinstance(exc, OSError):
        exc.errno = 104
    for one in (exc, exc.fresh(), pickle.loads(pickle.dumps(exc))):
        assert type(one) is kind
        assert str(one) == "what happened, and where"
        assert getattr(one, "errno", None) == getattr(exc, "errno", None)


def test_errors_of_one_kind_print_alike() -> None:
    assert str(connect_error(OSError(111, "Connection refused"), "h:1")) == "h:1: Connection refused"
    assert str(connect_error(TimeoutError("timed out"), "h:1")) == "h:1: timed out"
    assert str(connect_error(socket.gaierror(-2, "Name or service not known"), "h:1")) == "h:1: Name or service not known"
    assert str(connect_error(socket.gaierror("unknown"), "h:1")) == "h:1: unknown"


def test_tls_errors_are_sentences_with_the_attributes_of_openssls() -> None:
    with ScriptedServer(tls=(PEM, PEM)) as server, pytest.raises(imapkit.TLSError) as caught:
        imapkit.IMAP4_SSL(server.host, server.port, families=["rev1"])
    exc = pickle.loads(pickle.dumps(caught.value))
    assert str(exc) == "certificate of 127.0.0.1: self-signed certificate"
    assert (exc.verify_code, exc.reason, exc.library) == (18, "CERTIFICATE_VERIFY_FAILED", "SSL")
    with ScriptedServer() as server, pytest.raises(imapkit.TLSError) as caught:
        imapkit.IMAP4_SSL(server.host, server.port, families=["rev1"])
    assert re.fullmatch(r"TLS with 127\.0\.0\.1 failed: [A-Z_]+", str(caught.value))
    assert caught.value.reason


# What was verified, and by whom


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize(
    ("mode", "named", "text"),
    [
        (ssl.CERT_REQUIRED, True, "chain and host name verified"),
        (ssl.CERT_REQUIRED, False, "chain verified, host name NOT VERIFIED"),
        (ssl.CERT_NONE, False, "NOT VERIFIED"),
    ],
)
def test_the_log_says_what_was_verified(mode: Any, named: bool, text: str, asked: bool) -> None:
    context = client_context()
    context.check_hostname = named
    context.verify_mode = mode
    shown = repr(TLSLayer(context, "localhost", (lambda certificate, host: None) if asked else None))
    by = (" except by cert_verify_cb" if mode is ssl.CERT_NONE else ", accepted by cert_verify_cb") if asked else ""
    assert shown.endswith(f", {text}{by}")


@pytest.mark.parametrize("host", [".example.com", "a\0b", "a" * 64 + ".example.com"])
def test_a_host_that_tls_cannot_name_is_an_argument_error(host: str) -> None:
    with pytest.raises(imapkit.ArgumentError, match="not a host name for TLS"):
        TLSLayer(client_context(), host)


# Records


def paired() -> tuple[TLSLayer, Callable[[bytes], bytes]]:
    """A layer that has agreed with a server, and what makes that one's records of text."""
    layer, (inward, outward) = TLSLayer(client_context(verify=False), None), (ssl.MemoryBIO(), ssl.MemoryBIO())
    server = server_context(ssl.TLSVersion.TLSv1_3).wrap_bio(inward, outward, server_side=True)

    def receive() -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        return outward.read()

    def send(data: bytes) -> None:
        inward.write(data)

    layer.start(send, receive)
    server.do_handshake()

    def records(text: bytes) -> bytes:
        server.write(text)
        return outward.read()

    assert list(layer.decode(outward.read())) == []
    return layer, records


@pytest.mark.parametrize("size", [1, 16_383, 16_384, 16_385, 262_143, 262_144, 262_145, 1_000_000])
@pytest.mark.parametrize("cut", [1, 4096, 100_000, 10_000_000])
def test_records_are_what_they_were_however_they_come(size: int, cut: int) -> None:
    layer, records = paired()
    text = bytes(range(256)) * (size // 256 + 1)
    sent = records(text[:size])
    if cut == 1:
        sent, cuts = sent[:3000], [sent[at : at + 1] for at in range(min(3000, len(sent)))] + [sent[3000:]]
    else:
        cuts = [sent[at : at + cut] for at in range(0, len(sent), cut)]
    pieces = [piece for data in cuts for piece in layer.decode(data)]
    assert b"".join(pieces) == text[:size]
    assert max(map(len, pieces)) <= 1 << 18


def test_layers_that_decode_at_the_same_time_do_not_share_memory() -> None:
    pairs = [paired() for _ in range(4)]
    texts = [bytes([65 + i]) * 600_000 for i in range(4)]
    running = [iter(layer.decode(records(text))) for (layer, records), text in zip(pairs, texts, strict=True)]
    found = [b""] * 4
    for _ in range(4):
        found = [got + next(pieces, b"") for got, pieces in zip(found, running, strict=True)]
    assert found == texts


def test_records_before_one_that_is_broken_come_first() -> None:
    layer, records = paired()
    pieces = iter(layer.decode(records(b"a" * 100_000) + b"\x17\x03\x03\x00\x20" + b"x" * 32))
    assert next(pieces) == b"a" * 100_000
    with pytest.raises(ssl.SSLError):
        next(pieces)


def test_a_short_record_before_the_end_of_tls_comes_first() -> None:
    layer, records = paired()
    pieces = iter(layer.decode(records(b"* OK\r\n") + b"\x17\x03\x03\x00\x20" + b"x" * 32))
    assert next(pieces) == b"* OK\r\n"
    with pytest.raises(ssl.SSLError):
        next(pieces)
