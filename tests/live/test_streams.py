"""Large messages from files and into files, on real servers: every byte arrives, and little of it is ever in memory."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from imapkit import IMAP4_SSL, Channel, Source
from tests.live.support import filled, letter, logged_in, needing, place
from tests.servers.base import Server

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

SIZE = 64 * 2**20 + 12_345
SPARE = 32 * 2**20
"""Bytes of memory that either way may take; some 5 MiB are what it takes."""
# Runs in a process of its own, because a peak of memory is a process's, and for good.
MEASURE = """
import json, resource, sys
from imapkit import IMAP4

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

host, port, user, password, box, source, target = sys.argv[1:]
with IMAP4(host, int(port), timeout=60) as imap:
    imap.login(user, password)
    imap.create(box)
    start, told = peak(), []
    with open(source, "rb") as file:
        sent = imap.append(box, None, None, file, progress=lambda done, size: told.append(done))
    up = peak() - start
    imap.select(box)
    with open(target, "wb") as file:
        fetched = imap.fetch_to(1, "(UID BODY.PEEK[])", file)
    down = peak() - start
    imap.select("INBOX")
    imap.delete(box)
    print(json.dumps({"types": [sent[0], fetched[0]], "told": told[-1], "up": up, "down": down}))
"""


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A message in a file, with line ends that are not CRLF yet."""
    path = tmp_path_factory.mktemp("streams") / "big.eml"
    with path.open("wb") as file:
        file.write(b"Subject: large\n\n")
        for number in range(1_000_000):
            file.write(b"%063d\n" % number)
        file.write(b"x" * (SIZE - file.tell()))
    return path


def digest(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["pymap", "dovecot"])
def test_64_megabytes_both_ways_in_little_memory(name: str, big: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(name)
    target = tmp_path / "fetched.eml"
    argv = [server.host, str(server.port), "u13", server.users["u13"], place(server, "streams"), str(big), str(target)]
    done = subprocess.run([sys.executable, "-c", MEASURE, *argv], capture_output=True, text=True, timeout=100, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    wanted = big.read_bytes().replace(b"\n", b"\r\n")
    assert found["types"] == ["OK", "OK"]
    assert found["told"] == len(wanted)
    assert digest(target.read_bytes()) == digest(wanted)
    assert found["up"] < SPARE
    assert found["down"] < SPARE


def test_over_tls_and_compress(secured: Server, tmp_path: Path) -> None:
    needing(secured, "COMPRESS=DEFLATE")
    message = letter("streams", "some text\r\n" * 200_000)
    assert secured.tls_port is not None
    target = tmp_path / "fetched.eml"
    with IMAP4_SSL(secured.host, secured.tls_port, ca_certs=secured.cafile, timeout=30) as imap:
        imap.login("tester", secured.users["tester"])
        imap.enable_compression()
        box = place(secured, "streams-tls")
        imap.create(box)
        assert imap.append(box, None, None, Source(len(message), iter([message])))[0] == "OK"
        imap.select(box)
        with target.open("wb") as file:
            assert imap.fetch_to("*", "BODY.PEEK[]", file)[0] == "OK"
    assert target.read_bytes() == message


def test_bodies_by_uid_as_futures_and_into_channels(server: Server, tmp_path: Path) -> None:
    messages = [letter(f"number {number}", "hello\r\n" * 5000 * number) for number in range(1, 4)]
    with filled(server, "streams-uid", *messages) as (imap, _):
        uids = [each.uid for each in imap.fetch("1:3", "(UID)")[1].parsed()]
        paths = [tmp_path / f"{uid}.eml" for uid in uids]
        files = [path.open("wb") for path in paths]
        futures = [imap.submit("FETCH", uid, "BODY.PEEK[]", uid=True, to=file) for uid, file in zip(uids, files, strict=True)]
        assert [future.result(30)[0] for future in futures] == ["OK"] * 3
        for file in files:
            file.close()
        assert [path.read_bytes() for path in paths] == messages
        channel = Channel()
        future = imap.submit("FETCH", 3, "BODY.PEEK[TEXT]", to=channel)
        assert b"".join(channel) == messages[2].partition(b"\r\n\r\n")[2]
        assert future.result(30)[0] == "OK"


def test_a_part_that_is_not_there_writes_nothing(server: Server, tmp_path: Path) -> None:
    with filled(server, "streams-none", letter("one")) as (imap, _):
        target = tmp_path / "part"
        with target.open("wb") as file:
            typ, _ = imap.fetch_to(1, "BODY.PEEK[7.3]", file)
        assert typ in ("OK", "NO")
        assert target.read_bytes() == b""


def test_a_taker_that_closes_leaves_the_connection_to_others(dovecot: Server) -> None:
    message = letter("streams", "some text\r\n" * 1_000_000)
    with filled(dovecot, "streams-closed", message) as (imap, _), Channel(most=1000) as channel:
        future = imap.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
        assert message.startswith(channel.read(10))
        channel.close()
        assert future.result(30)[0] == "OK"
        assert imap.noop()[0] == "OK"


def test_from_a_thread_that_makes_it(dovecot: Server) -> None:
    """Pieces that another thread makes as they are sent."""
    import queue

    pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def make() -> None:
        for number in range(1000):
            pieces.put(b"%098d\r\n" % number)
        pieces.put(b"")

    with logged_in(dovecot, "u12") as imap:
        imap.create("streams-made")
        maker = threading.Thread(target=make)
        maker.start()
        assert imap.append("streams-made", None, None, Source(100_000, iter(pieces.get, b"")))[0] == "OK"
        maker.join()
        imap.select("streams-made")
        assert imap.fetch(1, "RFC822.SIZE")[1].parsed()[0].size == 100_000
