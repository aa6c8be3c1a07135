"""The server in a thread, used by the standard library's client."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest

from imapkit.cli.corpus import Message
from imapkit.cli.mailhost import MailHost, deliver, running
from imapkit.testing import LOCALHOST

pytestmark = pytest.mark.live

PEM = LOCALHOST.pem
TIMEOUT = 5.0
DATE = datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=30)))
SMALL = Message(b"Subject: a small one\r\n\r\nHello.\r\n", r"\Seen \Flagged", DATE)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@contextmanager
def client(host: MailHost, user: str = "", mailbox: str = "") -> Iterator[imaplib.IMAP4]:
    """A connection, logged in and with a mailbox selected if these are given."""
    imap = imaplib.IMAP4(host.host, host.port, TIMEOUT)
    try:
        if user:
            imap.login(user, host.users[user])
        if mailbox:
            assert imap.select(mailbox)[0] == "OK"
        yield imap
    finally:
        imap.logout()


def fetch(imap: imaplib.IMAP4, items: str) -> list[tuple[bytes, bytes]]:
    return [part for part in imap.fetch("1:*", items)[1] if isinstance(part, tuple)]


def test_greeting_and_login() -> None:
    with running() as host, client(host, host.user) as imap:
        assert (host.host, host.user, host.password) == ("127.0.0.1", "demouser", "demopass")
        assert imap.welcome.startswith(b"* OK [CAPABILITY IMAP4rev1 ")
        assert imap.state == "AUTH"
        assert imap.list()[1] == [rb'(\HasNoChildren) "/" INBOX']


def test_a_wrong_password_is_refused_without_delay() -> None:
    with running() as host, client(host) as imap:
        start = time.perf_counter()
        for user in ("demouser", "nobody"):
            with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
                imap.login(user, "wrong")
        assert time.perf_counter() - start < 0.25  # pymap's own pause is 0.3 s


def test_each_user_has_separate_mail() -> None:
    with running({"ann": "one", "bob@example.org": "två {5} %"}) as host:
        assert (host.user, host.password) == ("ann", "one")
        deliver(host, "bob@example.org", "INBOX", [SMALL])
        with client(host, "ann") as imap:
            assert imap.select()[1] == [b"0"]
        with client(host) as imap:
            imap.authenticate("PLAIN", lambda _: "\0bob@example.org\0två {5} %".encode())
            assert imap.select()[1] == [b"1"]


def test_delivered_messages_are_unchanged() -> None:
    large = Message(b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 300_000, "", DATE)
    with running() as host:
        deliver(host, host.user, "INBOX", [SMALL, large])
        with client(host, host.user, "INBOX") as imap:
            answers = fetch(imap, "(FLAGS INTERNALDATE BODY.PEEK[])")
    assert [content for _, content in answers] == [SMALL.content, large.content]
    assert [set(imaplib.ParseFlags(head)) - {rb"\Recent"} for head, _ in answers] == [{rb"\Seen", rb"\Flagged"}, set()]
    assert all(b'INTERNALDATE "03-Feb-2026 04:05:06 +0530"' in head for head, _ in answers)


def test_mailboxes_are_created_and_listed() -> None:
    with running() as host:
        for name in ("Reçus", "Archive/2026", 'Q "&" A', "Reçus"):
            deliver(host, host.user, name, [SMALL])
        with client(host, host.user) as imap:
            names = {line.partition(b'"/" ')[2] for line in imap.list()[1] if isinstance(line, bytes)}
            assert names == {b"INBOX", b"Re&AOc-us", b"Archive", b"Archive/2026", rb'"Q \"&-\" A"'}
            assert imap.select("Re&AOc-us")[1] == [b"2"]


def test_a_message_over_the_limit_is_refused() -> None:
    with running(max_append=100) as host:
        deliver(host, host.user, "INBOX", [SMALL])
        with pytest.raises(RuntimeError, match=r"refused APPEND: D BAD "):
            deliver(host, host.user, "INBOX", [SMALL._replace(content=bytes(101))])
        with client(host, host.user, "INBOX") as imap:
            assert "APPENDLIMIT=100" in imap.capability()[1][0].decode().split()
            assert imap.untagged_responses["EXISTS"] == [b"1"]


def test_a_very_long_command_line_is_accepted() -> None:
    with running() as host:
        deliver(host, host.user, "INBOX", [SMALL])
        with client(host, host.user, "INBOX") as imap:
            numbers = ",".join(["1"] * 100_000)
            assert imap.fetch(numbers, "(UID)") == ("OK", [b"1 (UID 101)"])


def test_the_greeting_makes_no_dns_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FQDN", raising=False)
    monkeypatch.setattr(socket, "getfqdn", lambda name="": pytest.fail("made a DNS query"))
    with running() as host, client(host) as imap:
        assert imap.welcome.endswith(b"imapkit demo server ready")


def test_preauth_starts_authenticated() -> None:
    with running({"ann": "one", "bob": "two"}, preauth=True) as host:
        deliver(host, "ann", "INBOX", [SMALL])
        with client(host) as imap:
            assert imap.welcome.startswith(b"* PREAUTH ")
            assert imap.select()[1] == [b"1"]
        with pytest.raises(ValueError, match="'ann' only"):
            deliver(host, "bob", "INBOX", [SMALL])


def test_with_tls_login_is_refused_before_starttls() -> None:
    with running(tls=(PEM, PEM)) as host:
        deliver(host, host.user, "INBOX", [SMALL])
        with client(host) as imap:
            assert {"STARTTLS", "LOGINDISABLED"} <= set(imap.capabilities)
            with pytest.raises(imaplib.IMAP4.error, match="disabled"):
                imap.login(host.user, host.password)
            imap.starttls(ssl.create_default_context(cafile=host.certfile))
            imap.login(host.user, host.password)
            assert imap.select()[1] == [b"1"]


def test_the_first_user_has_demo_data() -> None:
    with running({"ann": "one", "bob": "two"}, demo_data=True) as host:
        with client(host, "ann") as imap:
            assert [line.split()[-1] for line in imap.list()[1] if isinstance(line, bytes)] == [
                b"INBOX",
                b"Sent",
                b"Trash",
            ]
            assert int(imap.select()[1][0] or 0) == 4
        with client(host, "bob") as imap:
            assert imap.select()[1] == [b"0"]


def test_the_end_sends_bye_to_every_client_and_accepts_none() -> None:
    with socket.socket() as idler, socket.socket() as stranger:
        with running() as host:
            deliver(host, host.user, "INBOX", [SMALL])
            for sock in (idler, stranger):
                sock.settimeout(TIMEOUT)
                sock.connect((host.host, host.port))
            idler.sendall(b"a LOGIN demouser demopass\r\nb SELECT INBOX\r\nc IDLE\r\n")
            assert until(idler, rb"\r\n\+ ")
        assert rest(idler).startswith(b"* BYE ")
        assert re.fullmatch(rb"\* OK .*\r\n\* BYE .*\r\n", rest(stranger))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.host, host.port), TIMEOUT)


def rest(sock: socket.socket) -> bytes:
    """All data until the end."""
    with sock.makefile("rb") as stream:
        return stream.read()


def until(sock: socket.socket, pattern: bytes) -> bool:
    """Read until the pattern occurs; False if the connection ends first."""
    data = b""
    while not re.search(pattern, data):
        if not (piece := sock.recv(65536)):
            return False
        data += piece
    return True


def test_a_client_that_reads_nothing_does_not_delay_the_end() -> None:
    big = Message(b"Subject: big\r\n\r\n" + bytes(8 * 2**20), "", DATE)
    with socket.socket() as stuck, socket.socket() as unfinished:
        with running(tls=(PEM, PEM)) as tls_host, running() as host:
            deliver(host, host.user, "INBOX", [big, big])
            stuck.connect((host.host, host.port))
            stuck.sendall(b"a LOGIN demouser demopass\r\nb SELECT INBOX\r\nc FETCH 1:* BODY[]\r\n")
            assert until(stuck, rb"c OK|\{8388624\}")
            unfinished.connect((tls_host.host, tls_host.port))
            unfinished.sendall(b"a STARTTLS\r\n")
            assert until(unfinished, rb"a OK ")
            start = time.perf_counter()
        assert time.perf_counter() - start < 1.0


def test_without_pymap_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "imapkit.cli._pymap", raising=False)
    monkeypatch.setitem(sys.modules, "pymap.backend.dict", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'imapkit[demo]'")), running():
        pytest.fail("it ran")


def test_errors_at_the_start_are_raised() -> None:
    with pytest.raises(FileNotFoundError), running(tls=("no-such.pem", "no-such.key")):
        pytest.fail("it ran")
    with pytest.raises(ValueError, match="needs a user"), running({}):
        pytest.fail("it ran")
