"""Large literals and many commands: time against a bare socket, memory, and round trips."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from imapkit import IMAP4
from imapkit.testing import DelayProxy
from tests.live.support import SECONDS, Answers, logged_in
from tests.servers.base import Server

pytestmark = [pytest.mark.live, pytest.mark.heavy, pytest.mark.timeout(120)]

SIZE = 200 * 2**20
LINE = b"0123456789abcde\r\n".ljust(64, b".")
USER = "u15"
SLOWER = 3.0
SPARE = 64 * 2**20
# Runs in a process of its own, because a peak of memory is a process's, and for good.
MEASURE = """
import hashlib, resource, sys
from imapkit import IMAP4

with IMAP4(sys.argv[1], int(sys.argv[2]), timeout=60) as imap:
    imap.login(sys.argv[3], sys.argv[4])
    imap.select("large")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    body = imap.fetch(1, "BODY.PEEK[]")[1][0][1]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    print(len(body), hashlib.sha1(body, usedforsecurity=False).hexdigest(), grown)
"""


@pytest.fixture(scope="module")
def body() -> bytes:
    """A message of 200 MB."""
    head = b"Subject: large\r\n\r\n"
    return head + (LINE * (SIZE // len(LINE) + 1))[: SIZE - len(head)]


@pytest.fixture(scope="module")
def stored(dovecot: Server, body: bytes) -> Server:
    """A Dovecot that has it."""
    with logged_in(dovecot, USER) as imap:
        assert imap.create("large")[0] == "OK"
        assert imap.append("large", None, None, body)[0] == "OK"
    return dovecot


def bare_seconds(server: Server) -> float:
    """How long a FETCH takes that reads into a buffer and does nothing else."""
    with socket.create_connection((server.host, server.port), SECONDS) as sock, sock.makefile("rb") as lines:
        for command in (f"LOGIN {USER} {server.users[USER]}", "SELECT large"):
            sock.sendall(f"a {command}\r\n".encode())
            while not lines.readline().startswith(b"a OK"):
                pass
        buffer = bytearray(SIZE)
        start = time.perf_counter()
        sock.sendall(b"a FETCH 1 BODY.PEEK[]\r\n")
        assert lines.readline().endswith(b"{%d}\r\n" % SIZE)
        view, at = memoryview(buffer), 0
        while at < SIZE:
            at += lines.readinto(view[at:])
        while not lines.readline().startswith(b"a OK"):
            pass
        return time.perf_counter() - start


def fetch_seconds(server: Server, body: bytes) -> float:
    """How long ours takes."""
    with logged_in(server, USER) as imap:
        imap.select("large")
        start = time.perf_counter()
        data = imap.fetch(1, "BODY.PEEK[]")[1]
        seconds = time.perf_counter() - start
        assert data[0][1] == body
        return seconds


def test_200_megabytes_in_the_time_of_a_bare_socket(stored: Server, body: bytes) -> None:
    # The better of two, in turn: other programs use the machine, too.
    runs = [(bare_seconds(stored), fetch_seconds(stored, body)) for _ in range(2)]
    bare, ours = (min(times) for times in zip(*runs, strict=True))
    assert ours < SLOWER * bare, runs


def test_200_megabytes_in_little_more_memory(stored: Server, body: bytes) -> None:
    argv = [sys.executable, "-c", MEASURE, stored.host, str(stored.port), USER, stored.users[USER]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    size, digest, grown = done.stdout.split()
    assert int(size) == SIZE
    assert digest == hashlib.sha1(body, usedforsecurity=False).hexdigest()
    assert int(grown) < 1.5 * SIZE + SPARE


@pytest.mark.parametrize("how", ["callbacks", "threads"])
def test_a_thousand_commands_over_a_slow_line(dovecot: Server, how: str) -> None:
    """One after the other they would take 20 seconds."""
    with (
        DelayProxy(dovecot.host, dovecot.port, round_trip=0.020) as proxy,
        IMAP4(proxy.host, proxy.port, timeout=SECONDS) as imap,
    ):
        imap.login("u14", dovecot.users["u14"])
        start = time.perf_counter()
        if how == "callbacks":
            answers = Answers()
            for number in range(1000):
                imap.noop(callback=answers, cb_arg=number)
            answers.wait(*range(1000))
            results = [answers.given[number][0][0] for number in range(1000)]
        else:
            with ThreadPoolExecutor(50) as pool:
                results = list(pool.map(lambda _: imap.noop()[0], range(1000)))
        seconds = time.perf_counter() - start
        assert results == ["OK"] * 1000
        assert seconds < 5.0
