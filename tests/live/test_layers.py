"""STARTTLS and COMPRESS against real servers: alone, one on top of the other, and with much data."""

from __future__ import annotations

import os
import queue
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from imapkit import IMAP4, IMAP4_SSL, TLSError
from tests.live.support import SECONDS, connect, letter, needing, outcome, place
from tests.servers.base import Server

pytestmark = pytest.mark.live
WAYS = ["plain", "starttls", "tls"]


@pytest.fixture
def compressing(secured: Server) -> Server:
    """A server with certificates, which compresses."""
    return needing(secured, "COMPRESS=DEFLATE")


def opened(server: Server, way: str) -> IMAP4:
    if way == "tls":
        return IMAP4_SSL("localhost", server.tls_port, ca_certs=server.cafile, timeout=SECONDS)
    imap = IMAP4("localhost", server.port, timeout=SECONDS)
    if way == "starttls":
        assert imap.starttls(ca_certs=server.cafile)[0] == "OK"
    return imap


def test_starttls(secured: Server) -> None:
    with opened(secured, "starttls") as imap:
        assert imap.sock.version().startswith("TLSv1.")
        assert "STARTTLS" not in imap.capabilities
        assert imap.login("tester", secured.users["tester"])[0] == "OK"
        assert imap.select()[0] == "OK"
        with pytest.raises(imap.abort, match="established already"):
            imap.starttls(ca_certs=secured.cafile)


def test_starttls_verifies(secured: Server) -> None:
    with connect(secured) as imap, pytest.raises(TLSError, match="certificate"):
        imap.starttls()
    with connect(secured) as imap:
        imap.host = "example.org"
        with pytest.raises(TLSError, match="certificate"):
            imap.starttls(ca_certs=secured.cafile)


def test_login_only_after_starttls(secretive: Server) -> None:
    """LOGINDISABLED is gone after TLS: capabilities announced before it do not count."""
    server = secretive
    with connect(server) as imap:
        assert "LOGINDISABLED" in imap.capabilities
        with pytest.raises(imap.error, match="LOGINDISABLED"):
            imap.login("tester", server.users["tester"])
        assert imap.starttls(ca_certs=server.cafile)[0] == "OK"
        assert "LOGINDISABLED" not in imap.capabilities
        assert imap.login("tester", server.users["tester"])[0] == "OK"


def test_many_connections_with_starttls(secured: Server) -> None:
    def session(_: int) -> int:
        with opened(secured, "starttls") as imap:
            imap.login("tester", secured.users["tester"])
            return sum(imap.noop()[0] == "OK" for _ in range(3))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(session, range(48))) == [3] * 48


@pytest.mark.parametrize("way", WAYS)
def test_compressed(compressing: Server, way: str) -> None:
    """imaplib2 stalled as soon as one read inflated to more than 32 KiB."""
    letters = [letter("alike", "x" * 400_000), letter("unlike", os.urandom(200_000).hex()), letter("small")]
    with opened(compressing, way) as imap:
        imap.login("tester", compressing.users["tester"])
        box = place(compressing, f"compressed {way}")
        assert imap.enable_compression()[0] == "OK"
        imap.create(box)
        for message in letters:
            assert imap.append(box, None, None, message)[0] == "OK"
        assert imap.select(box)[0] == "OK"
        for _ in range(3):
            for number, message in enumerate(letters, 1):
                assert imap.fetch(str(number), "(BODY.PEEK[])")[1][0][1] == message
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(lambda i: fetched(imap, i % 3 + 1, letters), range(60)))
        imap.idle(0.05)
        assert imap.noop()[0] == "OK"


def fetched(imap: IMAP4, number: int, letters: list[bytes]) -> bool:
    body: Any = imap.fetch(str(number), "(BODY.PEEK[])")[1][0]
    return bool(body[1] == letters[number - 1])


def test_many_folders_compressed(compressing: Server) -> None:
    """Names that look alike: the answer is small on the wire, and more than 32 KiB when inflated."""
    names = [place(compressing, f"folder whose {'very ' * 25}long name repeats itself {i:03}") for i in range(220)]
    with opened(compressing, "plain") as imap:
        imap.login("bob", compressing.users["bob"])
        imap.enable_compression()
        for name in names:
            imap.create(name, callback=lambda answer: None)
        imap.noop()
        listed = {line.mailbox for line in imap.parse(*imap.list())}
        assert listed >= set(names)
        for name in names:
            imap.delete(name, callback=lambda answer: None)
        imap.noop()


def test_commands_that_end_with_a_buffer(compressing: Server) -> None:
    """Cyrus inflates 4,102 bytes at a time; if they end with a command, it looks at the rest only when more arrives."""
    line = 4102 // 14
    with opened(compressing, "plain") as imap:
        imap.login("tester", compressing.users["tester"])
        assert imap.enable_compression()[0] == "OK"
        for _ in range(100):
            imap.noop()  # until each tag is as long as the last one
        name = place(compressing, "x" * (line - len(f"ABCDEF100 DELETE {place(compressing, '')}\r\n")))
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(60):
            imap.delete(name, callback=answers.put)
        given = [answers.get(timeout=SECONDS) for _ in range(60)]
        assert [failure or result[0] for result, _, failure in given] == ["NO"] * 60


def test_compression_is_refused_twice(compressing: Server) -> None:
    with opened(compressing, "plain") as imap:
        imap.login("tester", compressing.users["tester"])
        assert imap.enable_compression()[0] == "OK"
        assert outcome(imap.enable_compression)[0] in ("NO", "BAD")
        assert imap.noop()[0] == "OK"


def test_random_traffic_compressed_on_tls(compressing: Server) -> None:
    chance = random.Random(4978)
    with opened(compressing, "starttls") as imap:
        imap.login("tester", compressing.users["tester"])
        imap.enable_compression()
        box = place(compressing, "random traffic")
        imap.create(box)
        letters = [letter(str(i), chance.randbytes(chance.randint(0, 3000)).hex() * chance.choice((1, 20))) for i in range(30)]
        for message in letters:
            assert imap.append(box, None, None, message)[0] == "OK"
        imap.select(box)
        bodies = [item[1] for item in imap.fetch("1:*", "(BODY.PEEK[])")[1] if isinstance(item, tuple)]
        assert bodies == letters
