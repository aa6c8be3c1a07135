"""Handlers, clients, answers and checks; each can fail."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import Commands, Result
from imapkit.core.contract.extension import Code
from imapkit.core.contract.family import Family, hookimpl
from imapkit.core.contract.session import State
from imapkit.errors import ArgumentError, BadResponse
from imapkit.plugin import Literal, astring
from imapkit.testing import (
    INJECTIONS,
    Answers,
    ClientFactory,
    ClientSilent,
    Conversation,
    ReceivedCommand,
    ScriptedServer,
    ServerFactory,
    answering,
    at_once,
    check_family,
    connect,
    crossed,
    load_only,
    refusing,
    rejecting,
    selected,
    within,
    written,
)

BASE = ["rev1"]


class WeatherCommands(Commands):
    """A family's methods."""

    wind = 3

    def weather(self, city: str) -> Result:
        return self._call("X-WEATHER", city)


WEATHER = Family(
    "weather", WeatherCommands, commands=(Command("X-WEATHER", State.LOGGED_IN, args=(astring,), uid=True),), requires=("rev1",)
)


class Hook:
    """A module that offers the family."""

    @hookimpl
    def imapkit_family(self) -> Family:
        return WEATHER


# Handlers


def test_handlers_answer_ok_no_and_bad() -> None:
    handlers = {
        "NOOP": answering(b"* 7 EXISTS\r\n", b"well"),
        "CHECK": refusing(b"never"),
        "CREATE": rejecting(b"what?"),
    }
    with selected(handlers, families=BASE) as (client, _):
        assert client.noop() == ("OK", [b"well"])
        assert client.response("EXISTS")[1][-1] == b"7"
        assert client.check() == ("NO", [b"never"])
        with pytest.raises(BadResponse, match=r"what\?"):
            client.create("a")


def test_crossed_explains_why_no_second_command_came() -> None:
    with (
        pytest.raises(ClientSilent) as caught,
        selected({"CHECK": crossed({})}, families=BASE, patience=0.2) as (client, _),
        pytest.raises(imapkit.abort),
    ):
        client.check()
    assert "subject" in caught.value.__notes__[0]


def test_crossed_answers_go_to_their_callers() -> None:
    answers = {b"a (UNSEEN)": b"* STATUS a (UNSEEN 1)\r\n", b"b (UNSEEN)": b"* STATUS b (UNSEEN 2)\r\n"}
    with selected({"STATUS": crossed(answers)}, families=BASE) as (client, server):
        one, other = at_once(lambda: client.status("a", "UNSEEN"), lambda: client.status("b", "UNSEEN"))
        assert (one[1], other[1]) == ([b"a (UNSEEN 1)"], [b"b (UNSEEN 2)"])
        assert server.names[-2:] == ["STATUS", "STATUS"]


# Clients


def test_selected_takes_arguments_of_server_and_client() -> None:
    with selected(families=BASE, messages=5, select="Sent", timeout=7.0) as (client, server):
        assert server.commands[-1].args == b"Sent"
        assert client.select() == ("OK", [b"5"])
        assert client._timeouts.progress == 7.0


def test_a_client_that_cannot_be_selected_is_closed() -> None:
    with ScriptedServer(handlers={"SELECT": rejecting()}) as server, pytest.raises(BadResponse):
        connect(server, families=BASE, select="INBOX")
    assert server.names == ["LOGIN", "SELECT", "LOGOUT"]


def test_factories_without_pytest() -> None:
    with ServerFactory() as servers, ClientFactory() as clients:
        one, two = servers(), servers(messages=2)
        assert {clients(server, families=BASE).noop()[0] for server in (one, two)} == {"OK"}
    assert one.names == two.names == ["LOGIN", "NOOP", "LOGOUT"]


def test_a_client_without_the_base_is_closed_too() -> None:
    alone = Family("alone", codes={"CAPABILITY": Code(apply=lambda session, data: session.set_capabilities(["IMAP4REV1"]))})
    with ServerFactory() as servers, ClientFactory() as clients:
        server = servers(greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")
        client = clients(server, families=[alone])
    assert client.Terminate
    assert server.names == []


def test_answers() -> None:
    answers = Answers()
    answers((("OK", [b"1"]), None, None))
    answers((("OK", [b"2"]), None, None))
    assert answers.next() == (("OK", [b"1"]), None, None)
    assert answers.take(1) == [(("OK", [b"2"]), None, None)]
    with pytest.raises(TimeoutError, match=r"no callback for 0\.01 s"):
        answers.next(0.01)
    for _ in range(2):
        answers((None, 1, None))
    with pytest.raises(AssertionError, match="more than 1 times"):
        answers.take(1)


def test_at_once_calls_together_and_returns_in_order() -> None:
    meeting = threading.Barrier(3)
    assert at_once(lambda: (meeting.wait(10), 1)[1], lambda: (meeting.wait(10), 2)[1], lambda: (meeting.wait(10), 3)[1]) == (
        1,
        2,
        3,
    )
    with pytest.raises(ValueError):
        at_once(lambda: 1, lambda: "abc".index("x"))


def test_within() -> None:
    with within(5.0):
        pass
    with pytest.raises(AssertionError, match=r"instead of 0\.0 at most"), within(0.0):
        pass


# Checks


def test_written() -> None:
    assert written(WEATHER, "X-WEATHER", "Bad Ems") == [b'X-WEATHER "Bad Ems"']
    assert written(WEATHER, "X-WEATHER", "Ulm", uid=True) == [b"UID X-WEATHER Ulm"]
    assert written(WEATHER, "X-WEATHER", "Köln") == [b"X-WEATHER ", Literal("Köln".encode())]
    assert written(load_only("rev1", WEATHER), "X-WEATHER", "Ulm") == [b"X-WEATHER Ulm"]
    for bad in INJECTIONS:
        with pytest.raises(ArgumentError):
            written(WEATHER, "X-WEATHER", bad)
    with pytest.raises(KeyError):
        written(WEATHER, "X-WIND")


@pytest.mark.parametrize("family", [WEATHER, Hook()], ids=["family", "hook"])
def test_check_family_passes(family: Any) -> None:
    check_family(family)
    check_family(family, "rev1", "idle")


def test_the_error_names_an_installed_family_that_is_absent() -> None:
    check_family("quota")


def test_check_family_fails_if_methods_remain_without_the_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imapkit.IMAP4, "weather", lambda self, city: ("OK", [city]), raising=False)
    with pytest.raises(AssertionError, match="a client without the family weather has weather"):
        check_family(WEATHER)


class ForecastCommands(Commands):
    def weather(self, city: str) -> Result:
        """Ask for a forecast."""
        return self._call("NOOP")


def test_a_family_that_replaces_a_method() -> None:
    other = Family("forecast", ForecastCommands, requires=("rev1",), replaces=("method:weather",))
    check_family(other, "rev1", WEATHER)
    check_family(other)


def test_a_family_that_lacks_what_it_requires() -> None:
    with pytest.raises(imapkit.PluginConflictError, match="requires the family 'more'"):
        check_family(Family("weather", WeatherCommands, requires=("more",)))


# Scripts


def failing(script: Any, **options: Any) -> str:
    """The message of a script's exception when a client logs in and sends NOOP."""
    with (
        pytest.raises(AssertionError) as caught,
        ScriptedServer(script, **options) as server,
        connect(server, families=BASE, timeout=5.0) as client,
    ):
        client.noop()
    return str(caught.value)


def test_expect() -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.expect("login"))
        conversation.ok(conversation.expect("NOOP", b""))
        conversation.ok(conversation.expect("LOGOUT"))

    with ScriptedServer(script) as server, connect(server, families=BASE) as client:
        assert client.noop()[0] == "OK"
    assert "expected SELECT, got " in failing(lambda conversation: conversation.expect("SELECT"))
    assert "expected LOGIN with b'you secret', got " in failing(lambda conversation: conversation.expect("LOGIN", b"you secret"))


def test_wait_for() -> None:
    def script(conversation: Conversation) -> None:
        command = conversation.wait_for("check", {"NOOP": refusing()})
        conversation.ok(command, b"checked")
        conversation.serve()

    with ScriptedServer(script) as server, connect(server, families=BASE, select="INBOX") as client:
        assert client.noop()[0] == "NO"
        assert client.check() == ("OK", [b"checked"])
        assert client.noop()[0] == "OK"


def test_a_pause_ends_with_the_server() -> None:
    paused = threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.pause(0.01)
        paused.set()
        conversation.pause(60)

    with within(), ScriptedServer(script) as server:
        client = imapkit.IMAP4(server.host, server.port, families=BASE, timeout=5.0)
        assert paused.wait(10)
        client.shutdown()


def test_the_server_ends_its_direction_only() -> None:
    received: list[ReceivedCommand] = []

    def noop(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.half_close()
        conversation.wait_closed()
        received.append(command)

    with pytest.raises(imapkit.abort), selected({"NOOP": noop}, families=BASE) as (client, _):
        client.noop()
    assert len(received) == 1


def test_tls_has_no_end_of_one_direction(imap_tls: Any) -> None:
    def script(conversation: Conversation) -> None:
        with pytest.raises(ValueError, match="one direction"):
            conversation.half_close()
        conversation.serve()

    with ScriptedServer(script, tls=imap_tls) as server, connect(server, families=BASE) as client:
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize("secure", [False, True])
def test_compression(secure: bool, imap_tls: Any) -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.wait_for("COMPRESS"))
        conversation.start_compression()
        conversation.serve({"NOOP": answering(b"* OK %b\r\n" % (b"z" * 500_000)), "APPEND": refusing()})

    with (
        ScriptedServer(script, tls=imap_tls if secure else None) as server,
        connect(server, families=["rev1", "compress"]) as client,
    ):
        assert client.enable_compression()[0] == "OK"
        assert client.noop()[0] == "OK"
        assert client.response("OK")[1][-1] == b"z" * 500_000
        assert client.append("INBOX", None, None, b"x" * 300_000)[0] == "NO"
    assert server.names == ["LOGIN", "COMPRESS", "NOOP", "CAPABILITY", "APPEND", "LOGOUT"]


def test_a_client_that_does_not_wait_for_compression() -> None:
    def script(conversation: Conversation) -> None:
        conversation.read_line()
        with pytest.raises(AssertionError, match="the client sent more before compression began"):
            conversation.start_compression()

    with ScriptedServer(script) as server, socket.create_connection((server.host, server.port)) as client:
        client.sendall(b"A1 COMPRESS DEFLATE\r\nA2 NOOP\r\n")
        while client.recv(4096):
            pass
