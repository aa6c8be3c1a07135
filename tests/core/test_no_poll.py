"""Systems without ``select.poll``, and without a send that does not wait (``MSG_DONTWAIT``): Windows has neither."""

from __future__ import annotations

import select
import selectors
import socket
import threading
import time
from typing import Any

import pytest

import imapkit
from imapkit.core.transport import base, sockets
from imapkit.errors import CommandTimeout
from imapkit.testing import LOCALHOST, Conversation, ReceivedCommand, ScriptedServer
from tests.core import rig
from tests.core.test_stream import SERVER, stream
from tests.threads.rig import answer, scripted, swallow

FAMILIES = ["rev1", "idle", "starttls"]
CAPABILITIES = b"IMAP4rev1 IDLE STARTTLS"
BIG = b"x" * 1_000_000


def hide_poll(monkeypatch: pytest.MonkeyPatch, selector: str) -> None:
    """No ``select.poll``; instead of it the best selector of this system, or only ``select.select``."""
    monkeypatch.delattr(select, "poll", raising=False)
    if selector == "select":
        monkeypatch.setattr(selectors, "DefaultSelector", selectors.SelectSelector)


@pytest.fixture(params=["best", "select"])
def no_poll(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system without ``select.poll``."""
    hide_poll(monkeypatch, request.param)


@pytest.fixture(params=["poll", "best", "select"])
def without_dontwait(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where ``socket`` has no ``MSG_DONTWAIT``, with and without ``select.poll``."""
    monkeypatch.setattr(sockets, "_DONTWAIT", 0)
    if request.param != "poll":
        hide_poll(monkeypatch, request.param)


def idling(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(b"+ idling\r\n")
    assert conversation.read_line() == b"DONE"
    conversation.ok(command)


def agree(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command)
    conversation.start_tls()


def use(way: str) -> None:
    """A whole session: commands, a callback, a big APPEND, IDLE with a time-out, and the end."""
    appended: list[Any] = []

    def append(conversation: Conversation, command: ReceivedCommand) -> None:
        appended.append(command)
        conversation.ok(command)

    cls: Any = imapkit.IMAP4_SSL if way == "tls" else imapkit.IMAP4
    given: dict[str, Any] = {"ssl_context": LOCALHOST.client_context(), "families": FAMILIES, "timeout": 20}
    options: dict[str, Any] = {"tls": None if way == "plain" else LOCALHOST, "implicit_tls": way == "tls"}
    handlers = {"STARTTLS": agree, "IDLE": idling, "APPEND": append}
    with (
        ScriptedServer(handlers=handlers, capabilities=CAPABILITIES, **options) as server,
        rig.within(30),
        cls(server.host, server.port, **given) as client,
    ):
        if way == "starttls":
            assert client.starttls()[0] == "OK"
        assert client.login("me", "secret")[0] == "OK"
        answers = rig.Answers()
        client.noop(callback=answers)
        assert answers.next()[2] is None
        assert client.append("INBOX", None, None, BIG)[0] == "OK"
        assert client.select()[0] == "OK"
        begun = time.monotonic()
        assert client.idle(0.1)[0] == "OK"
        assert time.monotonic() - begun >= 0.1
        assert all(future.result(10)[0] == "OK" for future in [client.submit("NOOP") for _ in range(50)])
    assert [BIG in command.literals for command in appended] == [True]


@pytest.mark.parametrize("way", ["plain", "tls", "starttls"])
@pytest.mark.usefixtures("no_poll")
def test_a_session_without_poll(way: str) -> None:
    use(way)


@pytest.mark.parametrize("way", ["plain", "tls", "starttls"])
@pytest.mark.usefixtures("without_dontwait")
def test_a_session_without_dontwait(way: str) -> None:
    use(way)


@pytest.mark.usefixtures("no_poll")
def test_a_session_over_pipes_without_poll() -> None:
    with stream(SERVER) as client, rig.within(20):
        assert client.append("x", None, None, BIG)[0] == "OK"
        assert client.response("OK")[1][-1] == b"1000000"
        assert client.logout() == ("BYE", [b"farewell"])


@pytest.mark.usefixtures("without_dontwait")
def test_a_caller_does_not_wait_for_a_server_that_reads_nothing() -> None:
    go = threading.Event()

    def script(conversation: Conversation) -> None:
        assert go.wait(20)
        answer(conversation, swallow(conversation))
        for _ in range(20):
            answer(conversation, conversation.read_line().split()[0])
        conversation.wait_closed()

    with scripted(script) as client:
        answers = rig.Answers()
        try:
            with rig.within(rig.MARGIN):
                client.append("box", None, None, BIG * 12, callback=answers)
                for _ in range(20):
                    client.noop(callback=answers)
        finally:
            go.set()
        assert [answers.next()[2] for _ in range(21)] == [None] * 21


@pytest.mark.usefixtures("without_dontwait")
def test_a_write_ends_at_its_deadline() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, rig.within(20), pytest.raises(CommandTimeout):
        sockets.over(ours).write(BIG * 10, base.within(0.1))


@pytest.mark.usefixtures("without_dontwait")
def test_a_write_whose_deadline_is_now_sends_what_the_socket_takes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sockets.over(ours).write(b"close_notify", time.monotonic)
        assert theirs.recv(100) == b"close_notify"


@pytest.mark.usefixtures("no_poll")
def test_a_descriptor_that_is_closed_ends_the_wait() -> None:
    ours, theirs = socket.socketpair()
    number = ours.fileno()
    with theirs:
        ours.close()
        with rig.within(5):
            assert base.wait(number, base.READING, 10)
