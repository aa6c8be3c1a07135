"""A layer that has something to send that means nothing: a server that is silent about a command is prodded with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

import imapkit
from imapkit.core.transport import Layers, SocketTransport
from imapkit.family import Family
from imapkit.testing import Conversation, ScriptedServer
from tests.core.rig import MARGIN, Answers, at_rest, connect, within
from tests.core.test_layers import PREAUTH, STAY, QuietLayer, StayCommands, switch, xor, xor_family, xstay

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
    line = b""
    while not line.endswith(b"\r\n"):
        line += hidden(conversation)
    tag, name = line.split()[:2]
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
def test_a_server_that_is_silent_is_prodded_until_it_is_not(waits: bool) -> None:
    """Whoever reads: the caller itself, or the reader."""

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
        if waits:
            at_rest(client)
            assert client.create("CHECK") == ("OK", [b"CREATE"])
        else:
            client.create("CHECK", callback=answers)
            assert answers.next()[0] == ("OK", [b"CREATE"])
        assert client.noop() == ("OK", [b"NOOP"])
        client.logout()


@pytest.mark.parametrize("idles", [False, True])
def test_nobody_is_prodded_who_owes_no_answer(idles: bool) -> None:
    """Neither between commands, nor while a command goes on until there is news."""
    over = threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        tag, _ = read_hidden(conversation)
        conversation.send(xor(b"+ staying\r\n" if idles else tag + b" OK done\r\n"))
        conversation.pause(0.2)
        over.set()
        if idles:
            conversation.send(xor(tag + b" OK done\r\n"))
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=[*FAMILIES, HEAR])
        assert switch(client)[0] == "OK"
        prods: list[int] = []
        client._live._reading._prod = lambda: prods.append(1)
        assert (xstay(client) if idles else client.noop())[0] == "OK"
        assert over.wait(20)
        assert not prods
        client._hang_up("enough")


def test_nobody_is_prodded_in_the_middle_of_what_is_being_sent() -> None:
    asked, go = threading.Event(), threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        line = b""
        while not line.endswith(b"{5}\r\n"):
            line += hidden(conversation)
        asked.set()
        assert go.wait(20)
        conversation.send(xor(b"+ go\r\n"))
        assert xor(conversation.read_literal(7)) == b"hello\r\n"
        conversation.send(xor(line.split()[0] + b" OK done\r\n"))
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=FAMILIES)
        assert switch(client)[0] == "OK"
        results: list[object] = []
        writer = threading.Thread(target=lambda: results.append(client.append("box", None, None, b"hello")))
        writer.start()
        assert asked.wait(20)
        client._live._prod()
        go.set()
        writer.join()
        assert results == [("OK", [b"done"])]
        client._live.protocol.gate.frozen = True
        client._live._prod()  # nor once it is about to end
        client._hang_up("enough")


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


def test_a_connection_that_is_gone_is_told_by_who_reads() -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        read_hidden(conversation)
        conversation.send(xor(b"* BYE too tired\r\n"))
        conversation.reset()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=FAMILIES)
        assert switch(client)[0] == "OK"
        with pytest.raises(imapkit.IMAP4.abort):
            client.noop()
        client._live._prod()
        client.logout()
