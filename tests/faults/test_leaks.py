"""Connection after connection, ended in every way: no thread, no descriptor, no object and no memory stays.

``IMAPKIT_CYCLES=1000`` for more of them; the figures are printed.
"""

from __future__ import annotations

import gc
import os
import threading
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import imapkit
from imapkit.core.engine.request import Request
from imapkit.core.threads.connection import Connection
from imapkit.testing import Fault, FaultProxy
from tests.servers.base import Server

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

CYCLES = int(os.environ.get("IMAPKIT_CYCLES", "25"))
WARM = 5
USER = "u08"
SECONDS = 30.0
A_CYCLE = 100
"""Bytes that the library may hold more after a cycle than before: none, but the interpreter's own tables grow in steps."""
STEPS = 64 * 1024
RSS = 8 << 20

Cycle = Callable[[Server], None]


def connect(server: Server, port: int | None = None) -> imapkit.IMAP4:
    client = imapkit.IMAP4(server.host, port or server.port, timeout=SECONDS)
    client.login(USER, server.users[USER])
    return client


def logged_out(server: Server) -> None:
    with connect(server) as client:
        client.select()
        client.noop()


def dropped(server: Server) -> None:
    """The program drops the client without a logout."""
    client = connect(server)
    client.select()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del client
        gc.collect()


def cut(server: Server) -> None:
    """The connection is reset in the middle of an answer."""
    with FaultProxy(server.host, server.port, Fault("reset", b"* FLAGS", 3)) as proxy:
        client = connect(server, proxy.port)
        with pytest.raises(imapkit.IMAP4.abort):
            client.select()
        client.logout()


def secured(server: Server) -> None:
    with imapkit.IMAP4_SSL("localhost", server.tls_port, ca_certs=server.cafile, timeout=SECONDS) as client:
        client.login(USER, server.users[USER])
        client.select()


def compressed(server: Server) -> None:
    with connect(server) as client:
        assert client.enable_compression()[0] == "OK"
        client.select()
        client.list()


def called_back(server: Server) -> None:
    """With callbacks, the last of which logs out, and IDLE."""
    over = threading.Event()
    client = connect(server)

    def leave(answer: object) -> None:
        client.logout()
        over.set()

    client.select(callback=lambda answer: None)
    client.idle(callback=lambda answer: None)
    client.noop(callback=leave)
    assert over.wait(SECONDS)
    client.logout()


def refused(server: Server) -> None:
    """A client whose constructor raises."""
    with pytest.raises(imapkit.TLSError):
        imapkit.IMAP4_SSL("localhost", server.tls_port, timeout=SECONDS)


CYCLES_OF: list[Cycle] = [logged_out, dropped, cut, secured, compressed, called_back, refused]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident() -> int:
    """The bytes of memory that this process uses."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def held_by_the_library() -> int:
    """The bytes that imapkit's code has allocated, its test servers not counted."""
    package = str(Path(imapkit.__file__).parent)
    only = [tracemalloc.Filter(True, f"{package}/*"), tracemalloc.Filter(False, f"{package}/testing/*")]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(only).statistics("filename"))


def ours() -> int:
    """imapkit's objects that are alive."""
    return sum(isinstance(each, (imapkit.IMAP4, Connection, Request)) for each in gc.get_objects())


def settle(threads: int) -> None:
    """Wait until the threads have ended that are about to."""
    deadline = time.monotonic() + 5
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.005)
    gc.collect()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts in /proc, which only Linux has")
@pytest.mark.parametrize("cycle", CYCLES_OF, ids=lambda cycle: cycle.__name__)
def test_nothing_stays(dovecot: Server, cycle: Cycle) -> None:
    threads = threading.active_count()
    tracemalloc.start()
    try:
        for _ in range(WARM):
            cycle(dovecot)
        settle(threads)
        alive, open_before, rss, began, memory = ours(), descriptors(), resident(), time.monotonic(), held_by_the_library()
        for _ in range(CYCLES):
            cycle(dovecot)
        settle(threads)
        grown, took = held_by_the_library() - memory, time.monotonic() - began
    finally:
        tracemalloc.stop()
    print(f"{cycle.__name__}: {CYCLES} cycles in {took:.1f} s, memory {grown:+} bytes, RSS {(resident() - rss) // 1024:+} KiB")
    assert threading.active_count() == threads
    assert descriptors() == open_before
    assert ours() == alive
    assert grown < STEPS + A_CYCLE * CYCLES
    assert resident() - rss < RSS


def test_a_leak_is_found(dovecot: Server) -> None:
    """The tests above can fail."""
    gc.collect()
    tracemalloc.start()
    try:
        before = ours(), descriptors(), threading.active_count(), held_by_the_library()
        with connect(dovecot) as client:
            with pytest.raises(imapkit.StateError):
                client.fetch("1", "FLAGS")
            during = ours(), descriptors(), threading.active_count(), held_by_the_library()
    finally:
        tracemalloc.stop()
    assert all(now > then for now, then in zip(during, before, strict=True)), (before, during)
    assert during[3] - before[3] > 1000
