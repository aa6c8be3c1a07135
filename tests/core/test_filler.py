"""A layer that has something to send that means nothing: a server that is silent about a command is prodded with it."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from imapkit.core.layers import Layers
from imapkit.core.reading import silences
from imapkit.core.request import Call, Request
from imapkit.core.sockets import SocketTransport
from imapkit.errors import CommandTimeout, ConnectionClosed
from imapkit.family import Family
from imapkit.testing import Conversation, ScriptedServer
from tests.core.rig import MARGIN, Answers, at_rest, connect, serving, until, within
from tests.core.test_layers import PREAUTH, STAY, QuietLayer, StayCommands, read_line, switch, xor, xor_family, xstay

FILLER = b"\0"


class Filled(QuietLayer):
    """Zeros may stand between its octets, and are nothing."""

    filler = FILLER


HEAR = Family("hear", StayCommands, commands=(replace(STAY.commands[0], news=lambda response: False),))
FAMILIES = ["rev1", xor_family(Filled, "feed")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapkit.core.reading._SILENCE", 0.02)
    monkeypatch.setattr("imapkit.core.reading._POLL", 0.02)


def hidden(conversation: Conversation) -> bytes:
    """The next octet that means something, or b"" for one that means nothing."""
    octet = conversation.read_literal(1)
    return b"" if octet == FILLER else xor(octet)


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
def test_a_server_that_is_silent_is_prodded_until_it_is_not(monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    """Whoever reads: the caller itself, or the reader."""
    monkeypatch.setattr("imapkit.core.reading._REST", 20.0)

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
def test_what_goes_on_until_it_hears_something_hears_nothing_of_it(family: Family) -> None:
    """Cyrus would take it for the interrupt, and tell of no news. Neither before the "+", nor as it goes on, nor as it ends."""

    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        tag, _ = read_hidden(conversation)
        conversation.pause(0.1)
        conversation.send(xor(b"+ staying\r\n"))
        conversation.pause(0.1)
        go_on.set()
        assert read_line(conversation) == b"DONE\r\n"
        conversation.pause(0.1)
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


def test_nobody_is_prodded_who_owes_no_answer() -> None:
    answered, over = threading.Event(), threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        tag, _ = read_hidden(conversation)
        conversation.send(xor(tag + b" OK done\r\n"))
        assert answered.wait(20)
        conversation.pause(0.1)
        over.set()
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=FAMILIES)
        assert switch(client)[0] == "OK"
        client.noop()
        prods: list[int] = []
        client._live._reading._prod = lambda: prods.append(1)
        answered.set()
        assert over.wait(20)
        assert not prods
        client._hang_up("enough")


def test_each_time_in_the_same_silence_one_waits_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapkit.core.reading._LONGEST_SILENCE", 0.1)
    assert list(itertools.islice(silences(), 5)) == [0.02, 0.04, 0.08, 0.1, 0.1]
    waits: list[float] = []

    def ready(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 6

    with serving({}, greeting=PREAUTH) as server, connect(server, families=["rev1"]) as client:
        reading = client._live._reading
        reading._prod = lambda: waits.append(0)
        client._live.protocol.pending[b"A"] = Request(Call(STAY.commands[0], (), []), timeout=None, window=1)
        reading._break_silence(ready)
        assert waits == [0.02, 0, 0.04, 0, 0.08, 0, 0.1]
        client._live.protocol.pending.clear()
        reading._break_silence(ready)
        assert len(waits) == 7, "nobody owes an answer any more"


def test_who_waits_in_the_middle_of_what_he_sends_prods_by_himself() -> None:
    """Commands may be before it that the server does not look at; nobody else may write."""
    prodded, tried = threading.Event(), threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        line = read_line(conversation, hidden)
        assert line.endswith(b"{5}\r\n")
        for _ in range(3):
            assert hidden(conversation) == b""
        prodded.set()
        assert tried.wait(20)
        conversation.send(xor(b"+ go\r\n"))
        assert read_line(conversation, hidden) == b"hello\r\n"
        conversation.send(xor(line.split()[0] + b" OK done\r\n"))
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=FAMILIES)
        assert switch(client)[0] == "OK"
        connection = client._live
        results: list[object] = []
        writer = threading.Thread(target=lambda: results.append(client.append("box", None, None, b"hello")))
        fill, fillers = connection.layers.fill, set()

        def noted() -> None:
            fillers.add(threading.current_thread())
            fill()

        connection.layers.fill = noted  # type: ignore[method-assign]
        writer.start()
        assert prodded.wait(20)
        connection._prod()  # which does nothing
        tried.set()
        writer.join()
        assert results == [("OK", [b"done"])]
        assert fillers == {writer}
        client._hang_up("enough")


def test_who_waits_in_the_middle_is_late_all_the_same() -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=FAMILIES)
        assert switch(client)[0] == "OK"
        with pytest.raises(CommandTimeout):
            client.append("box", None, None, b"hello", timeout=0.2)


def test_nobody_writes_meanwhile() -> None:
    """Not under the state lock: what a layer beneath does may wait for somebody who wants to send something."""
    with serving({}, greeting=PREAUTH) as server, connect(server, families=["rev1"]) as client, within(MARGIN):
        connection = client._live
        results: list[object] = []
        other = threading.Thread(target=lambda: results.append(client.noop()))

        def fill() -> None:
            other.start()
            until(lambda: connection.protocol.gate.waiting, "the other does not wait")
            assert not connection._lock.locked()
            assert server.names == []

        connection.layers.fill = fill  # type: ignore[method-assign]
        connection._prod()
        other.join()
        assert results == [("OK", [b"done"])]


@pytest.mark.parametrize("ends", ["farewell", "end", "gone"])
def test_at_the_end_nothing_is_sent(ends: str) -> None:
    with serving({}, greeting=PREAUTH) as server, connect(server, families=["rev1"]) as client:
        connection = client._live
        tried: list[str] = []

        def fill() -> None:
            tried.append(ends)
            raise BrokenPipeError

        connection.layers.fill = fill  # type: ignore[method-assign]
        if ends == "farewell":
            connection.protocol.gate.frozen = True
        elif ends == "end":
            connection.fail(ConnectionClosed("enough"))
        connection._prod()
        assert tried == ([ends] if ends == "gone" else [])
        assert not connection.protocol.gate.busy
        connection.protocol.gate.frozen = False


def test_a_server_that_takes_nothing_is_not_waited_for() -> None:
    """It has more before it than it has looked at anyway."""
    here, there = socket.socketpair()
    with here, there:
        layers = Layers(SocketTransport(here))
        layers.fill()
        layers.push(Filled(None), lambda: 0.0)
        layers.fill()
        assert there.recv(10) == FILLER
        here.setblocking(False)
        sent = 0
        with suppress(BlockingIOError):
            while True:
                sent += here.send(b"x" * 1000)
        with within(MARGIN):
            layers.fill()
        there.settimeout(5)
        while sent:
            sent -= len(there.recv(1 << 16))
        there.setblocking(False)
        with pytest.raises(BlockingIOError):
            there.recv(1)


@pytest.mark.parametrize("families", [["rev1", STAY], [*FAMILIES, STAY]], ids=["without", "with"])
def test_an_answer_that_comes_just_as_it_is_found_late_counts(families: list[Any]) -> None:
    """Where one waits for "+", too, with something to send meanwhile and without; and IDLE is not told anything."""
    answer = threading.Event()

    def refuse(conversation: Conversation) -> None:
        if len(families) > 2:
            conversation.ok(conversation.read_command())
            tag, _ = read_hidden(conversation)
        else:
            tag = conversation.read_command().tag
        assert answer.wait(20)
        no = tag + b" NO never\r\n"
        conversation.send(xor(no) if len(families) > 2 else no)
        conversation.wait_closed()

    with ScriptedServer(refuse, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=families)
        if len(families) > 2:
            switch(client)
        connection = client._live
        wait, filled = connection._await, list[int]()

        def late(request: Request, latch: threading.Lock, most: float) -> bool:
            assert not wait(request, latch, 0.01)
            answer.set()
            until(lambda: request.complete, "it is not answered")
            connection._await = wait  # type: ignore[method-assign]
            return False

        connection._await = late  # type: ignore[method-assign, assignment]
        connection.layers.fill = lambda: filled.append(1)  # type: ignore[method-assign]
        connection._reading.call()
        assert xstay(client) == ("NO", [b"never"])
        assert not filled
        assert connection.open
        client._hang_up("enough")
