"""The private servers do what the live tests build on, seen by the standard library's client and by bare sockets."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BufferedRWPair
from pathlib import Path
from typing import Any

import pytest

from . import dovecot
from .base import CROWD, Kind, Server, members, skip_or_fail
from .courier import COURIER
from .cyrus import CYRUS36, CYRUS310, CYRUS312
from .dovecot24 import DOVECOT24

pytestmark = pytest.mark.live

SECONDS = 30
MESSAGE = b"Subject: hello\r\n\r\nbody\r\n"
BIG = 200 * 1024 * 1024
CHUNK = b"0123456789abcde\r\n".ljust(64, b".") * 16384


EVERYWHERE = {
    "IMAP4REV1", "STARTTLS", "AUTH=PLAIN", "IDLE", "UIDPLUS", "CHILDREN", "NAMESPACE", "QUOTA", "ACL", "ENABLE", "SORT",
    "THREAD=REFERENCES", "THREAD=ORDEREDSUBJECT",
}  # fmt: skip
USUAL = EVERYWHERE | {
    "LITERAL+", "ID", "SASL-IR", "AUTH=LOGIN", "AUTH=CRAM-MD5", "COMPRESS=DEFLATE", "CONDSTORE", "QRESYNC", "ESEARCH", "METADATA",
    "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "BINARY", "MOVE", "UNSELECT", "SORT=DISPLAY", "THREAD=REFS",
}  # fmt: skip
KINDS: dict[str, tuple[Kind, set[str]]] = {
    "dovecot": (dovecot, USUAL),
    "dovecot24": (DOVECOT24, USUAL | {"REPLACE", "NOTIFY"}),
    "cyrus": (CYRUS36, USUAL | {"ANNOTATEMORE"}),
    "cyrus310": (CYRUS310, USUAL | {"ANNOTATEMORE", "IMAP4REV2"}),
    "cyrus312": (CYRUS312, USUAL | {"ANNOTATEMORE", "IMAP4REV2", "UTF8=ACCEPT"}),
    "courier": (COURIER, EVERYWHERE | {"UTF8=ACCEPT"}),
}
"""What each server announces, before or after login: without it tests would be skipped for what they need."""


@pytest.fixture(params=KINDS, scope="module")
def kind(request: pytest.FixtureRequest) -> Kind:
    found = KINDS[request.param][0]
    skip_or_fail(found.missing())
    return found


@pytest.fixture(scope="module")
def server(kind: Kind) -> Iterator[Server]:
    with kind.running() as running:
        yield running


@pytest.fixture(params=[dovecot, DOVECOT24], ids=["dovecot", "dovecot24"], scope="module")
def dovecot_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    skip_or_fail(request.param.missing())
    with request.param.running() as running:
        yield running


def plain(server: Server) -> imaplib.IMAP4:
    return imaplib.IMAP4(server.host, server.port, timeout=SECONDS)


def trusting(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.cafile)


def secure(server: Server, host: str, context: ssl.SSLContext) -> imaplib.IMAP4_SSL:
    assert server.tls_port is not None
    return imaplib.IMAP4_SSL(host, server.tls_port, ssl_context=context, timeout=SECONDS)


def authenticate(client: imaplib.IMAP4, user: str, password: str) -> str:
    return client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())[0]


@contextlib.contextmanager
def bare(server: Server) -> Iterator[BufferedRWPair]:
    """The plain port as a file, the greeting not yet read."""
    address = server.host, server.port
    with socket.create_connection(address, SECONDS) as connection, connection.makefile("rwb") as file:
        yield file


def command(file: BufferedRWPair, line: bytes) -> list[bytes]:
    """Send a command with the tag ``t`` and read up to its completion."""
    file.write(b"t " + line)
    return completion(file)


def completion(file: BufferedRWPair) -> list[bytes]:
    """End the command begun with the tag ``t`` and read up to its completion."""
    file.write(b"\r\n")
    file.flush()
    lines = [file.readline()]
    while lines[-1] and not lines[-1].startswith(b"t "):
        lines.append(file.readline())
    return lines


def test_plain_port_keeps_and_lists_mail(server: Server) -> None:
    with plain(server) as client:
        assert client.login("tester", server.users["tester"])[0] == "OK"
        box = f"INBOX{server.separator}kept"
        assert client.create(box)[0] == "OK"
        assert client.append(box, r"(\Flagged)", None, MESSAGE)[0] == "OK"
        assert client.select(box) == ("OK", [b"1"])
        assert client.fetch("1", "(BODY.PEEK[])")[1][0] == (b"1 (BODY[] {%d}" % len(MESSAGE), MESSAGE)
        listed = client.list()[1]
        assert any(
            line.replace(b'"', b"").endswith(f"{server.separator} {box}".encode()) for line in listed if isinstance(line, bytes)
        )


@pytest.mark.parametrize("host", ["localhost", None], ids=["by name", "by address"])
def test_tls_port_presents_a_certificate_of_its_ca(server: Server, host: str | None) -> None:
    with secure(server, host or server.host, trusting(server)) as client:
        assert client.login("alice", server.users["alice"])[0] == "OK"


def test_starttls_on_the_plain_port(server: Server) -> None:
    with plain(server) as client:
        assert client.starttls(trusting(server))[0] == "OK"
        assert client.login("bob", server.users["bob"])[0] == "OK"


def test_a_stranger_ca_does_not_verify_it(server: Server) -> None:
    assert server.directory is not None
    stranger = ssl.create_default_context(cafile=server.directory / "other-ca.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        secure(server, server.host, stranger)


@pytest.mark.parametrize(("certificate", "complaint"), [("expired", "expired"), ("wrong_host", "Hostname mismatch")])
def test_bad_certificates(kind: Kind, certificate: str, complaint: str) -> None:
    refused = pytest.raises(ssl.SSLCertVerificationError, match=complaint)
    with kind.running(certificate=certificate) as server, refused:
        secure(server, "localhost", trusting(server))


def test_every_account_logs_in(server: Server) -> None:
    assert set(CROWD) < set(server.users)
    assert 'p"w\\d {5} x' in server.users.values()
    for user, password in server.users.items():
        with plain(server) as client:
            assert authenticate(client, user, password) == "OK", user


def test_a_wrong_password_is_refused(server: Server) -> None:
    with plain(server) as client:
        with pytest.raises(imaplib.IMAP4.error, match=r"(?i)fail"):
            client.login("tester", "wrong")
        assert client.login("tester", server.users["tester"])[0] == "OK"


def test_it_announces_what_the_live_tests_need(server: Server) -> None:
    with plain(server) as client:
        before = set(client.capabilities)
        assert "LOGINDISABLED" not in before
        client.login("tester", server.users["tester"])
        after = {word.decode().upper() for word in client.capability()[1][0].split()}
    assert KINDS[server.name][1] <= before | after


def test_cram_md5(server: Server) -> None:
    with plain(server) as client:
        if "AUTH=CRAM-MD5" in client.capabilities:
            assert client.login_cram_md5("carol", server.users["carol"])[0] == "OK"


def test_sasl_login(server: Server) -> None:
    answers = iter(["carol", server.users["carol"]])
    with plain(server) as client:
        if "AUTH=LOGIN" in client.capabilities:
            assert client.authenticate("LOGIN", lambda _: next(answers).encode())[0] == "OK"


def test_non_synchronising_literals(server: Server) -> None:
    with bare(server) as file:
        if b" LITERAL+" not in command(file, b"CAPABILITY")[-2]:
            return
    with bare(server) as file:
        file.readline()
        assert command(file, b"LOGIN {5+}\r\nalice {7+}\r\nalicepw")[-1].startswith(b"t OK")


def test_many_connections_at_once(server: Server) -> None:
    def exists(_: int) -> str:
        client = opened.enter_context(plain(server))
        client.login("tester", server.users["tester"])
        return client.select("INBOX")[0]

    with contextlib.ExitStack() as opened, ThreadPoolExecutor(16) as pool:
        # How a server handles many first openings of one mailbox at once is not tested here.
        assert exists(0) == "OK"
        assert list(pool.map(exists, range(48))) == ["OK"] * 48


def test_stopping_leaves_no_process_no_port_and_no_directory(kind: Kind) -> None:
    with kind.running() as server:
        assert server.directory is not None
        assert server.directory.is_dir()
        leaders = leaders_of(server.directory)
        assert all(leader in members(leader) for leader in leaders)
    assert [members(leader) for leader in leaders] == [[]] * len(leaders)
    assert not server.directory.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), SECONDS)


def test_stopping_does_not_wait_for_clients(kind: Kind) -> None:
    with contextlib.ExitStack() as later:
        with kind.running() as server:
            client = plain(server)
            later.callback(client.shutdown)
            client.login("tester", server.users["tester"])
            assert server.directory is not None
            leaders = leaders_of(server.directory)
        assert [members(leader) for leader in leaders] == [[]] * len(leaders)
        with pytest.raises((imaplib.IMAP4.abort, OSError)):
            client.noop()


def leaders_of(directory: Path) -> list[int]:
    """The processes that lead their own group, and have the server's directory on their command line or mounted."""
    numbers = [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if belongs(entry, directory)]
    leaders = [number for number in numbers if number in members(number)]
    assert leaders
    return leaders


def belongs(process: Path, directory: Path) -> bool:
    with contextlib.suppress(OSError):
        seen = process.joinpath("cmdline").read_bytes() + process.joinpath("mountinfo").read_bytes()
        return str(directory).encode() in seen
    return False


@pytest.mark.parametrize("kind", ["dovecot", "dovecot24"], indirect=True)
def test_dovecot_without_plaintext_says_logindisabled(kind: Any) -> None:
    with kind.running(plaintext=False) as server, bare(server) as file:
        assert b" LOGINDISABLED" in file.readline()
        assert command(file, b"LOGIN tester secret")[-1].startswith(b"t NO [PRIVACYREQUIRED]")
        with plain(server) as client:
            client.starttls(trusting(server))
            assert "LOGINDISABLED" not in client.capabilities
            assert client.login("tester", "secret")[0] == "OK"


def test_dovecot_speaks_preauth_over_a_pipe(dovecot_server: Server) -> None:
    assert dovecot_server.stream_command is not None
    for user in ("tester", "user@example.com"):
        argv = dovecot_server.stream_command(user)
        done = subprocess.run(argv, shell=True, input=b"t LOGOUT\r\n", capture_output=True, timeout=SECONDS)
        assert done.stdout.startswith(b"* PREAUTH ")
        assert b"Logged in as " + user.encode() in done.stdout
        assert (done.returncode, done.stderr) == (0, b"")


def test_dovecot_logs_in_a_non_ascii_password(dovecot_server: Server) -> None:
    secret = base64.b64encode("\0utf8\0pässwörd".encode())
    with bare(dovecot_server) as file:
        file.readline()
        assert command(file, b"AUTHENTICATE PLAIN " + secret)[-1].startswith(b"t OK")


def test_dovecot_takes_and_gives_back_200_megabytes(dovecot_server: Server) -> None:
    with bare(dovecot_server) as file:
        file.readline()
        assert command(file, b"LOGIN carol carolpw")[-1].startswith(b"t OK")
        file.write(b"t APPEND INBOX {%d+}\r\n" % BIG)
        for _ in range(BIG // len(CHUNK)):
            file.write(CHUNK)
        assert completion(file)[-1].startswith(b"t OK")
        assert command(file, b"SELECT INBOX")[-1].startswith(b"t OK")
        file.write(b"t FETCH 1 BODY.PEEK[]\r\n")
        file.flush()
        assert file.readline() == b"* 1 FETCH (BODY[] {%d}\r\n" % BIG
        assert all(file.read(len(CHUNK)) == CHUNK for _ in range(BIG // len(CHUNK)))
        assert file.readline() == b")\r\n"
