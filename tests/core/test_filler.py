"""A layer with filler, bytes that mean nothing: the reader sends them to a server that owes an answer and is silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from imapkit.core.contract.family import Family
from imapkit.core.transport.layers import Layers
from imapkit.core.transport.sockets import SocketTransport
from imapkit.errors import CommandTimeout, ConnectionClosed
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer
from tests.core.rig import LIMIT, MARGIN, Answers, at_rest, connect, serving, within
from tests.core.test_layers import PREAUTH, STAY, QuietLayer, StayCommands, read_line, switch, xor, xor_family, xstay

FILLER = b"\0"
QUIET = 0.06
"""Seconds in which a reader that may send a filler sends two."""


class Filled(QuietLayer):
    """Zeros may stand between its bytes, and mean nothing."""

    filler = FILLER


HEAR = Family("hear", StayCommands, commands=(replace(STAY.commands[0], news=lambda response: False),))
FAMILIES = ["rev1", xor_family(Filled, "feed")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapkit.core.threads.reader._SILENCE", 0.02)
    monkeypatch.setattr("imapkit.core.threads.reader._LOOK", 0.03)
    monkeypatch.setattr("imapkit.core.threads.inline._POLL", 0.02)


def hidden(conversation: Conversation) -> bytes:
    """The next byte that means something, or b"" for filler."""
    byte = conversation.read_literal(1)
    return b"" if byte == FILLER else xor(byte)


def read_hidden(conversation: Conversation) -> tuple[bytes, bytes]:
    tag, name = read_line(conversation, hidden).split()[:2]
    return tag, name


def serve_hidden(conversation: Conversation, silent: Callable[[bytes], None] = lambda name: None) -> None:
    """Switch the layer on, and answer everything."""
    conversation.ok(conversation.read_command())
    while True:
        tag, name = read_hidden(conversation)
        silent(name)
        if name == b"LOGOUT":
            conversation.send(xor(b"* BYE bye\r\n%b OK bye\r\n" % tag))
            return
        conversation.send(xor(b"%b OK %b\r\n" % (tag, name)))


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "callback"])
def test_a_silent_server_gets_filler_until_it_answers(monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    """Whether the caller reads inline, or the reader thread."""
    monkeypatch.setattr("imapkit.core.threads.inline._REST", 20.0)

    def script(conversation: Conversation) -> None:
        def silent(name: bytes) -> None:
            for _ in range(3 if name == b"CREATE" else 0):
                assert hidden(conversation) == b""

        serve_hidden(conversation, silent)

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=FAMILIES)
        assert switch(client)[0] == "OK"
        answers = Answers()
        for _ in range(3):
            client.noop()
        at_rest(client)
        if waits:
            assert client.create("CHECK") == ("OK", [b"CREATE"])
        else:
            client.create("CHECK", callback=answers)
            assert answers.next()[0] == ("OK", [b"CREATE"])
        assert client.noop() == ("OK", [b"NOOP"])
        client.logout()


@pytest.mark.parametrize("family", [STAY, HEAR], ids=["ends", "hears"])
def test_no_filler_is_sent_while_a_command_listens(family: Family) -> None:
    """Cyrus would take it for the interrupt, and send no news. None before the "+", none while it listens, none as it ends."""

    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        tag, _ = read_hidden(conversation)
        conversation.pause(QUIET)
        conversation.send(xor(b"+ staying\r\n"))
        conversation.pause(QUIET)
        go_on.set()
        assert read_line(conversation) == b"DONE\r\n"
        conversation.pause(QUIET)
        conversation.send(xor(tag + b" OK done\r\n"))
        tag, name = read_line(conversation).split()
        assert name == b"NOOP"
        conversation.send(xor(tag + b" OK done\r\n"))
        conversation.wait_closed()

    go_on = threading.Event()
    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=[*FAMILIES, family])
        assert switch(client)[0] == "OK"
        answers = Answers()
        xstay(client, callback=answers)
        assert go_on.wait(20)
        assert client.noop()[0] == "OK"
        assert answers.next()[0][0] == "OK"
        client._hang_up("enough")


def test_a_server_that_owes_no_answer_gets_no_filler(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, over = threading.Event(), threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        tag, _ = read_hidden(conversation)
        conversation.send(xor(tag + b" OK done\r\n"))
        assert answered.wait(20)
        conversation.pause(QUIET)
        over.set()
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=FAMILIES)
        assert switch(client)[0] == "OK"
        client.noop()
        filled: list[int] = []
        monkeypatch.setattr(client._live._courier, "send_filler", lambda: filled.append(1))
        answered.set()
        assert over.wait(20)
        assert not filled
        client._hang_up("enough")


def test_each_filler_in_the_same_silence_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapkit.core.threads.reader._LONGEST_SILENCE", 0.1)
    waits: list[float] = []
    go = threading.Event()

    def ready(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 6

    with serving({"NOOP": silent_once(go)}, greeting=PREAUTH) as server, connect(server, families=["rev1"]) as client:
        reader = client._live._reader
        monkeypatch.setattr(client._live._courier, "send_filler", lambda: waits.append(0))
        answers = Answers()
        client.noop(callback=answers)
        reader._break_silence(ready)
        assert waits == [0.02, 0, 0.04, 0, 0.08, 0, 0.1]
        go.set()
        answers.next()
        reader._break_silence(ready)
        assert waits[7:] == [0.03], "no answer is owed any more"


def test_filler_is_sent_while_a_literal_waits_for_plus() -> None:
    """Commands may be before it that the server does not look at; the reader sends filler between two pieces of the command."""
    got_filler = threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        line = read_line(conversation, hidden)
        assert line.endswith(b"{5}\r\n")
        for _ in range(3):
            assert hidden(conversation) == b""
        got_filler.set()
        conversation.send(xor(b"+ go\r\n"))
        assert read_line(conversation, hidden) == b"hello\r\n"
        conversation.send(xor(line.split()[0] + b" OK done\r\n"))
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=FAMILIES)
        assert switch(client)[0] == "OK"
        assert client.append("box", None, None, b"hello") == ("OK", [b"done"])
        assert got_filler.is_set()
        client._hang_up("enough")


def test_a_command_in_the_middle_of_a_literal_is_late_all_the_same() -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=FAMILIES)
        assert switch(client)[0] == "OK"
        with pytest.raises(CommandTimeout):
            client.append("box", None, None, b"hello", timeout=LIMIT)


def silent_once(go: threading.Event) -> Handler:
    """NOOP is answered once ``go`` is set."""

    def silent(conversation: Conversation, command: ReceivedCommand) -> None:
        assert go.wait(20)
        conversation.ok(command)

    return silent


def test_no_command_is_sent_meanwhile_and_the_state_lock_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer beneath may wait for a thread that wants to send something."""
    go = threading.Event()
    with serving({"NOOP": silent_once(go)}, greeting=PREAUTH) as server, connect(server, families=["rev1"]) as client:
        connection = client._live
        first, second = Answers(), Answers()
        client.noop(callback=first)

        def fill() -> None:
            client.noop(callback=second)
            assert connection.engine.queued == 1, "the command waits until the filler is sent"
            assert not connection._steps.inside

        monkeypatch.setattr(connection.layers, "send_filler", fill)
        connection._courier.send_filler()
        assert connection.engine.queued == 0
        go.set()
        assert [answers.next()[0] for answers in (first, second)] == [("OK", [b"done"])] * 2


@pytest.mark.parametrize("end", ["farewell", "end", "gone"])
def test_no_filler_is_sent_after_the_end(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    with serving({"NOOP": silent_once(go)}, greeting=PREAUTH) as server, connect(server, families=["rev1"]) as client:
        connection, answers = client._live, Answers()
        client.noop(callback=answers)
        tried: list[str] = []

        def fill() -> None:
            tried.append(end)
            raise BrokenPipeError

        monkeypatch.setattr(connection.layers, "send_filler", fill)
        if end == "farewell":
            connection._farewell(ConnectionClosed("enough"))
        elif end == "end":
            connection.fail(ConnectionClosed("enough"))
        connection._courier.send_filler()
        assert tried == ([end] if end == "gone" else [])
        go.set()
        answers.next()


def test_filler_does_not_wait_for_a_server_that_takes_nothing() -> None:
    """It has more before it than it has looked at anyway."""
    here, there = socket.socketpair()
    with here, there:
        layers = Layers(SocketTransport(here))
        layers.send_filler()
        layers.insert(Filled(None), lambda: 0.0, 50)
        layers.send_filler()
        assert there.recv(10) == FILLER
        here.setblocking(False)
        sent = 0
        with suppress(BlockingIOError):
            while True:
                sent += here.send(b"x" * 1000)
        with within(MARGIN):
            layers.send_filler()
        there.settimeout(5)
        while sent:
            sent -= len(there.recv(1 << 16))
        there.setblocking(False)
        with pytest.raises(BlockingIOError):
            there.recv(1)
