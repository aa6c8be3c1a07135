"""TLS from the start: what is verified, what is refused, and many connections at once."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from imapkit import IMAP4_SSL, TLSError, unverified_context
from tests.live.support import SECONDS
from tests.servers import dovecot as dovecot_server
from tests.servers.base import Server, skip_or_fail

pytestmark = pytest.mark.live


@pytest.fixture(scope="module", params=["expired", "wrong_host"])
def bad(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A Dovecot whose certificate does not hold."""
    skip_or_fail(dovecot_server.missing())
    with dovecot_server.running(certificate=request.param) as server:
        yield server


class Watched(IMAP4_SSL):
    """A client that keeps the sockets it opened."""

    opened: list[socket.socket] = []

    def open_socket(self) -> Any:
        sock = super().open_socket()
        self.opened.append(sock)
        return sock


def secure(server: Server, host: str = "localhost", **options: Any) -> IMAP4_SSL:
    """A client at the TLS port."""
    return IMAP4_SSL(host, server.tls_port, timeout=SECONDS, **options)


def works(imap: IMAP4_SSL, server: Server) -> None:
    """Whether one can log in, and a literal comes through."""
    assert imap.login("alice", server.users["alice"])[0] == "OK"
    assert imap.select("INBOX")[0] == "OK"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_verified(secured: Server, host: str) -> None:
    with secure(secured, host, ca_certs=secured.cafile) as imap:
        assert imap.ssl().version() in ("TLSv1.2", "TLSv1.3")
        assert imap.ssl().getpeercert()["subjectAltName"]
        works(imap, secured)


def test_a_context_of_the_program(secured: Server) -> None:
    context = ssl.create_default_context(cafile=secured.cafile)
    with secure(secured, ssl_context=context) as imap:
        works(imap, secured)


def test_large_literals_through_tls(secured: Server) -> None:
    body = b"Subject: big\r\n\r\n" + b"0123456789abcde\r\n" * 65536
    with secure(secured, ca_certs=secured.cafile) as imap:
        works(imap, secured)
        box = f"INBOX{secured.separator}bigtls"
        assert imap.create(box)[0] == "OK"
        assert imap.append(box, None, None, body)[0] == "OK"
        assert imap.select(box) == ("OK", [b"1"])
        assert imap.fetch(1, "BODY.PEEK[]")[1][0][1] == body


def test_an_unknown_authority(secured: Server) -> None:
    with pytest.raises(TLSError) as raised:
        secure(secured)
    assert isinstance(raised.value, ssl.SSLCertVerificationError)
    assert "localhost" in str(raised.value)


def test_another_authority(secured: Server) -> None:
    assert secured.directory is not None
    with pytest.raises(TLSError):
        secure(secured, ca_certs=str(secured.directory / "other-ca.pem"))


def test_a_refused_connection_is_closed(secured: Server) -> None:
    Watched.opened.clear()
    with pytest.raises(TLSError):
        Watched("localhost", secured.tls_port, timeout=SECONDS)
    (sock,) = Watched.opened
    assert sock.fileno() == -1


def test_a_certificate_that_does_not_hold(bad: Server) -> None:
    with pytest.raises(TLSError, match=r"(?i)expired|mismatch") as raised, secure(bad, ca_certs=bad.cafile) as imap:
        imap.login("bob", bad.users["bob"])
    assert isinstance(raised.value, OSError)
    assert isinstance(raised.value, IMAP4_SSL.abort)
    assert bad.directory is not None
    # No client got as far as to log in.
    assert "bob" not in (bad.directory / "log").read_text()


def test_no_verification_if_the_program_asks_for_none(bad: Server) -> None:
    with secure(bad, ssl_context=unverified_context()) as imap:
        works(imap, bad)


def test_cert_verify_cb_alone_decides_where_the_context_verifies_nothing(secured: Server) -> None:
    asked: list[Any] = []
    decide: dict[str, Any] = {
        "ssl_context": unverified_context(),
        "cert_verify_cb": lambda cert, host: asked.append((cert, host)),
    }
    with secure(secured, **decide) as imap:
        works(imap, secured)
        assert asked == [(imap.ssl().getpeercert(True), "localhost")]


def test_cert_verify_cb_does_not_replace_the_verification(secured: Server) -> None:
    asked: list[Any] = []
    with pytest.raises(TLSError):
        secure(secured, cert_verify_cb=lambda cert, host: asked.append((cert, host)))
    assert not asked


def test_cert_verify_cb_sees_the_certificate_that_was_verified(secured: Server) -> None:
    asked: list[Any] = []
    with secure(secured, ca_certs=secured.cafile, cert_verify_cb=lambda cert, host: asked.append((cert, host))) as imap:
        works(imap, secured)
    ((cert, host),) = asked
    assert host == "localhost"
    assert ("DNS", "localhost") in cert["subjectAltName"]


def test_cert_verify_cb_refuses(secured: Server) -> None:
    with pytest.raises(TLSError, match="not to my taste"):
        secure(secured, ca_certs=secured.cafile, cert_verify_cb=lambda cert, host: "not to my taste")


def test_cert_verify_cb_does_not_replace_the_authorities(secured: Server) -> None:
    assert secured.directory is not None
    with pytest.raises(TLSError):
        secure(secured, ca_certs=str(secured.directory / "other-ca.pem"), cert_verify_cb=lambda cert, host: None)


def test_no_tls_there(secured: Server) -> None:
    with pytest.raises(TLSError):
        IMAP4_SSL("localhost", secured.port, ca_certs=secured.cafile, timeout=SECONDS)


def test_tls_over_and_over(dovecot: Server) -> None:
    """Every command on every one of many short connections is answered."""
    context = ssl.create_default_context(cafile=dovecot.cafile)

    def visit(number: int) -> list[str]:
        user = f"u{number % 16:02}"
        with secure(dovecot, ssl_context=context) as imap:
            imap.login(user, dovecot.users[user])
            return [imap.noop()[0], imap.select("INBOX")[0], imap.status("INBOX", "(MESSAGES)")[0]]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(visit, range(150))) == [["OK"] * 3] * 150


def test_tls_1_2_over_and_over(secured: Server) -> None:
    """With TLS 1.2 the greeting may come in one segment with the end of the handshake."""

    def session(_: int) -> bool:
        with secure(secured, ca_certs=secured.cafile, ssl_version="tls1_2") as imap:
            assert imap.ssl().version() == "TLSv1.2"
            imap.login("tester", secured.users["tester"])
            return imap.noop()[0] == "OK"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(session, range(32)))
