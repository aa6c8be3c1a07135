"""Time-outs longer than the system can count: ``timeout=1e10`` is a way to say "for ever"."""

from __future__ import annotations

import os
import socket
import threading
from math import inf
from typing import Any

import pytest

import imapkit
from imapkit.core.transport import base as transport
from imapkit.core.transport.base import READING, wait, within
from imapkit.core.transport.pipes import PipeTransport
from imapkit.testing import LOCALHOST, Conversation, ReceivedCommand, ScriptedServer
from tests.core import rig
from tests.core.test_layers import TALKING, serve_hidden

LONG = [3e6, 1e10, 1e300, inf]
FAMILIES = ["rev1", "starttls"]


def agree(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command)
    conversation.start_tls()


@pytest.mark.parametrize("timeout", LONG)
@pytest.mark.parametrize("way", ["plain", "tls", "starttls"])
def test_a_session(timeout: float, way: str) -> None:
    cls: Any = imapkit.IMAP4_SSL if way == "tls" else imapkit.IMAP4
    given: dict[str, Any] = {"timeout": timeout, "ssl_context": LOCALHOST.client_context(), "families": FAMILIES}
    options: dict[str, Any] = {"tls": None if way == "plain" else LOCALHOST, "implicit_tls": way == "tls"}
    with (
        ScriptedServer(handlers={"STARTTLS": agree}, capabilities=b"IMAP4rev1 STARTTLS", **options) as server,
        cls(server.host, server.port, **given) as client,
    ):
        if way == "starttls":
            assert client.starttls()[0] == "OK"
        assert client.login("me", "secret")[0] == "OK"
        assert client.noop(timeout=timeout)[0] == "OK"
        answers = rig.Answers()
        client.noop(timeout=timeout, callback=answers)
        assert answers.next()[2] is None
        assert client.submit("NOOP", timeout=timeout).result(10)[0] == "OK"


@pytest.mark.parametrize("timeout", LONG)
def test_a_layer_that_is_agreed_on(timeout: float) -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        assert conversation.read_literal(1) == b"K"
        conversation.send(b"k")
        serve_hidden(conversation)

    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"
    with ScriptedServer(script, greeting=greeting) as server:
        client: Any = rig.connect(server, families=["rev1", TALKING], timeout=timeout)
        assert client.xxor()[0] == "OK"
        assert client.noop()[0] == "OK"
        client.logout()


@pytest.mark.parametrize("timeout", LONG)
def test_a_write_into_a_pipe_that_is_full(timeout: float) -> None:
    theirs, ours = os.pipe()
    pipe = PipeTransport(theirs, ours, lambda: None)
    taken = bytearray()
    reader = threading.Thread(target=lambda: taken.extend(b"".join(os.read(theirs, 65536) for _ in range(20))))
    try:
        while pipe.try_write(b"x" * 65536):
            pass
        reader.start()
        pipe.write(b"y", within(timeout))
    finally:
        os.close(ours)
        reader.join()
        os.close(theirs)
        pipe.close()
    assert taken.endswith(b"y")


def test_a_wait_is_as_long_as_it_is_asked_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LONGEST_WAIT", 0.01)
    one, other = socket.socketpair()
    with one, other:
        end = within(0.055)
        assert not wait(one.fileno(), READING, 0.055)
        assert end() <= within(0.0)()
        other.send(b"x")
        assert wait(one.fileno(), READING, inf)
