"""Every fault at every step of a visit to Dovecot: each waiting call ends in time with the reason; nothing is left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

import imapkit
from imapkit.testing.faults import Fault, FaultProxy
from tests.conftest import open_sockets
from tests.core.rig import Answers
from tests.faults.visit import COMES, GOES, Visit, letter
from tests.impatient import shorten
from tests.servers.base import Server
from tests.stress.scripted import Hooked

pytestmark = pytest.mark.live

USER = "u07"
SHORT, LONG, MARGIN = 0.25, 20.0, 5.0
"""The time-outs of calls into a black hole and of other calls; and the margin for a busy machine."""


class Step(NamedTuple):
    """Where the fault happens: in that direction (``way``), ``offset`` bytes behind the beginning of ``at``."""

    name: str
    sent_by: Any
    at: bytes | int
    offset: int = 0
    way: str = "plain"


STEPS = [
    Step("before the greeting", "server", 0),
    Step("in the greeting", "server", b"* OK", 8),
    Step("LOGIN is lost", "client", b" LOGIN "),
    Step("in the line of LOGIN", "client", b" LOGIN ", 10),
    Step("in the answer to LOGIN", "server", b"Logged in", 3),
    Step("in a line of SELECT's answer", "server", b"* FLAGS", 5),
    Step("in a literal that comes", "server", COMES, 7),
    Step("between a literal that comes and its end", "server", b"\r\nhello\r\n", 9),
    Step("before the + of APPEND", "client", b" APPEND "),
    Step("the + of APPEND is lost", "server", b"+ OK", 0),
    Step("in a literal that goes", "client", GOES, 7),
    Step("the answer to APPEND is lost", "server", b"[APPENDUID", 0),
    Step("IDLE is lost", "client", b" IDLE\r\n"),
    Step("the + of IDLE is lost", "server", b"+ idling", 0),
    Step("while idling", "server", b"+ idling\r\n", 10),
    Step("DONE is lost", "client", b"DONE\r\n"),
    Step("after DONE", "client", b"DONE\r\n", 6),
    Step("the answer to DONE is lost", "server", b"Idle completed", 0),
    Step("LOGOUT is lost", "client", b" LOGOUT\r\n"),
    Step("BYE is lost", "server", b"* BYE", 0),
    Step("in BYE", "server", b"* BYE", 4),
    Step("COMPRESS is lost", "client", b" COMPRESS ", way="compress"),
    Step("in the answer to COMPRESS", "server", b"Begin compression", 3, way="compress"),
    Step("right after COMPRESS", "client", b" COMPRESS DEFLATE\r\n", 19, way="compress"),
    Step("in what is compressed", "server", b"Begin compression", 100, way="compress"),
    Step("STARTTLS is lost", "client", b" STARTTLS\r\n", way="starttls"),
    Step("in the answer to STARTTLS", "server", b"Begin TLS", 3, way="starttls"),
    Step("in the handshake after STARTTLS", "server", b"Begin TLS negotiation now.\r\n", 128, way="starttls"),
    Step("the client's hello after STARTTLS is lost", "client", b" STARTTLS\r\n", 11, way="starttls"),
    Step("the client's hello is lost", "client", 0, way="tls"),
    Step("in the client's hello", "client", 100, way="tls"),
    Step("the server's hello is lost", "server", 0, way="tls"),
    Step("in the server's hello", "server", 500, way="tls"),
    Step("in the stream of TLS", "server", 6000, way="tls"),
]
HARMFUL = ["drop", "reset", "half_close", "black_hole"]
HARMLESS = ["delay", "fragment"]


@pytest.fixture(scope="module")
def archive(dovecot: Server) -> Server:
    """Dovecot, with a message to be fetched."""
    with imapkit.IMAP4(dovecot.host, dovecot.port, timeout=LONG) as imap:
        imap.login(USER, dovecot.users[USER])
        imap.create("Archive")
        assert imap.append("Archive", None, None, letter(COMES))[0] == "OK"
    return dovecot


def visiting(server: Server, proxy: FaultProxy, way: str, timeout: float, plain: Any = imapkit.IMAP4) -> Visit:
    """A visit through the proxy."""
    connect: Callable[[], imapkit.IMAP4] = lambda: plain("localhost", proxy.port, timeout=timeout)  # noqa: E731
    if way == "tls":
        connect = lambda: imapkit.IMAP4_SSL("localhost", proxy.port, timeout=timeout, ca_certs=server.cafile)  # noqa: E731
    return Visit(connect, (USER, server.users[USER]), way, server.cafile)


def proxied(server: Server, step: Step, kind: Any) -> FaultProxy:
    """The proxy that does it."""
    port = server.tls_port if step.way == "tls" else server.port
    assert port is not None
    return FaultProxy(server.host, port, Fault(kind, step.at, step.offset, step.sent_by))


@pytest.fixture(autouse=True)
def _no_socket_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    request.getfixturevalue("archive")
    before = open_sockets()
    yield
    assert not open_sockets() - before


def suffer(server: Server, step: Step, kind: str, plain: Any = imapkit.IMAP4) -> None:
    """Play a visit with the fault, and check how each call ended."""
    timeout = SHORT if kind == "black_hole" else LONG
    while True:
        with proxied(server, step, kind) as proxy:
            visit = visiting(server, proxy, step.way, timeout, plain)
            began = time.monotonic()
            with pytest.raises(imapkit.IMAP4.abort) as caught:
                visit.run()
            if not proxy.happened and kind == "black_hole" and timeout < LONG:
                # A busy machine: a time-out passed before the fault.
                visit.leave()
                timeout *= 2
                continue
            assert proxy.happened == 1
            visit.leave()
            # The fault, and leaving: each takes its time-out at most.
            assert time.monotonic() - began < (2 * timeout if kind == "black_hole" else 0) + MARGIN
            assert visit.callbacks == 0, "each callback has been called once"
            if not str(caught.value).startswith("logout:"):
                assert {*visit.told, str(caught.value)} == {str(caught.value)}, "every call raises the same"
            with visiting(server, proxy, step.way, LONG, plain).connect() as again:
                assert again.login(USER, server.users[USER])[0] == "OK"
            return


@pytest.mark.parametrize("kind", HARMFUL)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_caller_that_waits_gets_the_reason(archive: Server, step: Step, kind: str) -> None:
    suffer(archive, step, kind)


@pytest.mark.parametrize("kind", HARMFUL)
@pytest.mark.parametrize("step", STEPS[:21:3], ids=lambda step: step.name)
def test_every_caller_of_a_subclass_gets_the_reason(archive: Server, step: Step, kind: str) -> None:
    suffer(archive, step, kind, Hooked)


KILLED = [("pending", signal.SIGKILL), ("idling", signal.SIGKILL), ("idling", signal.SIGSTOP)]


@pytest.mark.parametrize(("step", "how"), KILLED)
def test_the_command_of_a_stream_dies_or_stops(archive: Server, step: str, how: signal.Signals) -> None:
    assert archive.stream_command is not None
    timeout = SHORT if how is signal.SIGSTOP else LONG
    client = imapkit.IMAP4_stream(archive.stream_command(USER), timeout=LONG)
    shorten(client, timeout)
    answers = Answers()
    if step == "idling":
        client.idle(callback=answers)
    os.kill(client.process.pid, how)
    began = time.monotonic()
    with pytest.raises(imapkit.IMAP4.abort) as caught:
        client.list()
    if step == "idling":
        result, _, failure = answers.next()
        assert (result, failure[1]) == (None, str(caught.value))
    assert client.logout()[0] == "NO"
    assert time.monotonic() - began < MARGIN
    assert client.process.returncode is not None, "and it is waited for"


@pytest.mark.parametrize("kind", HARMLESS)
@pytest.mark.parametrize("step", STEPS[::3], ids=lambda step: step.name)
def test_a_slow_connection_gives_the_same_results(archive: Server, step: Step, kind: str) -> None:
    with proxied(archive, step, kind) as proxy:
        visit = visiting(archive, proxy, step.way, LONG)
        visit.run()
        assert proxy.happened == 1
        assert (visit.told, visit.callbacks) == ([], 0)
