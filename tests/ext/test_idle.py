"""IDLE, RFC 2177, against a server that does what servers do, and worse."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import imapkit
from imapkit.errors import ArgumentError, FamilyDisabledError, ServerBye
from imapkit.ext.idle import imapkit_family
from imapkit.testing import Answers, Conversation, Handler, ReceivedCommand, ScriptedServer, connect, selected, within

LIMIT, MARGIN = 0.1, 2.0
"""A time-out that is to pass, and what a busy machine may add to it, in seconds."""
FAMILIES = ["rev1", "idle"]


def idling(*lines: bytes, after: bytes = b"") -> Handler:
    """A server that sends these lines and "+" where an empty one stands, and ``after`` between DONE and its OK."""

    def idle(conversation: Conversation, command: ReceivedCommand) -> None:
        for line in lines:
            conversation.send(line or b"+ idling\r\n")
        assert conversation.read_line() == b"DONE"
        conversation.ok(command, b"Idle completed", untagged=after)

    return idle


def dones(server: Any) -> int:
    return int(server.received.count(b"DONE\r\n"))


NEWS = [b"* 4 EXISTS\r\n", b"* 1 EXPUNGE\r\n", b"* 1 FETCH (FLAGS (\\Seen))\r\n", b"* NO disk full\r\n"]


@pytest.mark.parametrize("news", NEWS)
def test_news_ends_it(news: bytes) -> None:
    with selected({"IDLE": idling(b"", news)}, families=FAMILIES) as (client, server), within():
        assert client.idle() == ("OK", [b"Idle completed"])
        name = news.split()[1 + news.split()[1].isdigit()].decode()
        assert client.response(name)[1] != [None]
        assert client.response("IDLE") == ("IDLE", [None])
        assert dones(server) == 1


def test_news_with_the_plus_and_before_it() -> None:
    for lines in ((b"* 4 EXISTS\r\n", b""), (b"* 4 EXISTS\r\n+ idling\r\n",), (b"+ idling\r\n* 4 EXISTS\r\n",)):
        with selected({"IDLE": idling(*lines)}, families=FAMILIES) as (client, server), within():
            assert client.idle()[0] == "OK"
            assert client.response("EXISTS")[1] == [b"4"]
            assert dones(server) == 1


def test_nothing_is_lost_between_done_and_the_answer() -> None:
    handler = idling(b"", b"* 4 EXISTS\r\n", after=b"* 5 EXISTS\r\n* 1 RECENT\r\n")
    with selected({"IDLE": handler}, families=FAMILIES) as (client, _):
        client.response("RECENT")
        assert client.idle()[0] == "OK"
        assert client.response("EXISTS")[1] == [b"4", b"5"]
        assert client.response("RECENT")[1] == [b"1"]


def test_ok_still_here_is_no_news() -> None:
    with selected({"IDLE": idling(b"* OK early\r\n", b"", b"* OK Still here\r\n")}, families=FAMILIES) as (client, server):
        assert client.idle(LIMIT) == ("OK", [b"Idle completed"])
        assert client.response("IDLE") == ("IDLE", [b"TIMEOUT"])
        assert client.response("OK")[1][-2:] == [b"early", b"Still here"]
        assert dones(server) == 1


def test_the_time_is_over() -> None:
    with selected({"IDLE": idling(b"")}, families=FAMILIES) as (client, server), within():
        for seconds in (0, LIMIT, LIMIT / 10):
            assert client.idle(seconds)[0] == "OK"
            assert client.response("IDLE")[1] == [b"TIMEOUT"]
        assert dones(server) == 3


def test_it_is_begun_anew_before_anybody_drops_it() -> None:
    def idle(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        if server.names.count("IDLE") == 4:
            conversation.send(b"* 9 EXISTS\r\n")
        assert conversation.read_line() == b"DONE"
        conversation.ok(command, b"turn %d" % server.names.count("IDLE"))

    with selected({"IDLE": idle}, families=FAMILIES) as (client, server):
        client.idle_refresh = LIMIT / 10
        assert client.idle() == ("OK", [b"turn 4"])
        assert client.response("EXISTS")[1] == [b"9"]
        assert client.response("IDLE")[1] == [None]


def test_it_is_begun_anew_for_a_callback_too() -> None:
    with selected({"IDLE": idling(b"")}, families=FAMILIES) as (client, server):
        answers = Answers()
        client.idle_refresh = LIMIT / 20
        client.idle(3 * LIMIT, callback=answers, cb_arg=7)
        assert answers.next() == (("OK", [b"Idle completed"]), 7, None)
        assert client.response("IDLE")[1] == [b"TIMEOUT"]
        assert server.names.count("IDLE") > 1
        answers.take(0)


def test_news_on_the_way_out_is_news() -> None:
    """It came after the client had sent DONE to begin anew: who waits must hear of it."""
    with selected({"IDLE": idling(b"", after=b"* 5 EXISTS\r\n")}, families=FAMILIES) as (client, server):
        client.idle_refresh = LIMIT / 10
        assert client.idle()[0] == "OK"
        assert server.names.count("IDLE") == 1
        assert client.response("IDLE")[1] == [None]


def test_another_command_ends_it_from_any_thread() -> None:
    staying = threading.Event()

    def idle(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        staying.set()
        assert conversation.read_line() == b"DONE"
        conversation.ok(command, b"Idle completed", untagged=b"* 8 EXISTS\r\n")

    with selected({"IDLE": idle}, families=FAMILIES) as (client, server), within():
        results: list[Any] = []
        waiter = threading.Thread(target=lambda: results.append(client.idle()))
        waiter.start()
        assert staying.wait(20)
        others = [threading.Thread(target=client.noop) for _ in range(20)]
        for thread in others:
            thread.start()
        for thread in (waiter, *others):
            thread.join()
        assert results == [("OK", [b"Idle completed"])]
        assert client.response("IDLE")[1] == [None]
        assert client.response("EXISTS")[1] == [b"8"]
        assert (dones(server), server.names.count("NOOP")) == (1, 20)


def test_a_callback_is_called_once() -> None:
    with selected({"IDLE": idling(b"", b"* 4 EXISTS\r\n")}, families=FAMILIES) as (client, server):
        answers = Answers()
        assert client.idle(callback=answers, cb_arg="x") == (None, None)  # type: ignore[comparison-overlap]
        assert answers.next() == (("OK", [b"Idle completed"]), "x", None)
        answers.take(0)
        assert dones(server) == 1


def test_another_command_ends_it_for_a_callback_too() -> None:
    with selected({"IDLE": idling(b"")}, families=FAMILIES) as (client, server):
        answers = Answers()
        client.idle(callback=answers)
        assert client.noop()[0] == "OK"
        assert answers.next() == (("OK", [b"Idle completed"]), None, None)
        answers.take(0)
        assert dones(server) == 1


def test_a_callback_may_idle_again() -> None:
    with selected({"IDLE": idling(b"", b"* 4 EXISTS\r\n")}, families=FAMILIES) as (client, server):
        answers = Answers()

        def again(answer: Any) -> None:
            if server.names.count("IDLE") < 5:
                client.idle(callback=again)
            else:
                answers(answer)

        client.idle(callback=again)
        assert answers.next()[2] is None
        assert dones(server) == 5


def test_a_server_that_ends_it_gets_no_stray_done() -> None:
    def ends(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        conversation.ok(command, b"enough")

    with selected({"IDLE": ends}, families=FAMILIES) as (client, server):
        for _ in range(10):
            assert client.idle() == ("OK", [b"enough"])
            assert client.noop()[0] == "OK"
        assert dones(server) == 0


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_a_server_that_does_not_idle(typ: str) -> None:
    def refuses(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b %b not now\r\n" % (command.tag, typ.encode()))

    with selected({"IDLE": refuses}, families=FAMILIES) as (client, server):
        if typ == "NO":
            assert client.idle() == ("NO", [b"not now"])
        else:
            with pytest.raises(imapkit.BadResponse, match="not now"):
                client.idle()
        assert client.noop()[0] == "OK"
        assert dones(server) == 0


@pytest.mark.parametrize("with_callback", [False, True])
def test_bye_ends_it_at_once_with_the_reason(with_callback: bool) -> None:
    def bye(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n* BYE Idle too long\r\n")
        conversation.wait_closed()

    with selected({"IDLE": bye}, families=FAMILIES) as (client, server), within():
        if with_callback:
            answers = Answers()
            client.idle(callback=answers)
            kind, reason = answers.next()[2]
            assert issubclass(kind, ServerBye)
            assert "Idle too long" in reason
        else:
            with pytest.raises(client.abort, match="Idle too long"):
                client.idle()
        assert dones(server) == 0


def test_one_behind_a_slow_callback_ends_in_time() -> None:
    ended = threading.Event()

    def idling(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        assert conversation.read_line() == b"DONE"
        ended.set()
        conversation.ok(command)

    busy, go = threading.Event(), threading.Event()

    def slow(answer: Any) -> None:
        busy.set()
        go.wait(10)

    with selected({"IDLE": idling}, families=FAMILIES) as (client, _), within():
        client.capability(callback=slow)
        assert busy.wait(10)
        answers = Answers()
        client.idle(timeout=0.05, callback=answers)
        try:
            assert ended.wait(10)
        finally:
            go.set()
        assert answers.next()[2] is None


def test_a_server_that_never_accepts_it_is_late() -> None:
    def silent(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.wait_closed()

    refused = pytest.raises(imapkit.CommandTimeout)
    with selected({"IDLE": silent}, families=FAMILIES, timeout=LIMIT) as (client, _), within(LIMIT + MARGIN), refused:
        client.idle()


def test_a_server_that_does_not_answer_done_is_late() -> None:
    def deaf(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        assert conversation.read_line() == b"DONE"
        conversation.wait_closed()

    for options in ({}, {"callback": Answers()}):
        with selected({"IDLE": deaf}, families=FAMILIES, timeout=LIMIT) as (client, _), within(2 * LIMIT + MARGIN):
            if options:
                client.idle(LIMIT, **options)
                assert issubclass(options["callback"].next()[2][0], imapkit.CommandTimeout)
            else:
                with pytest.raises(imapkit.CommandTimeout):
                    client.idle(LIMIT)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_what_is_no_time(seconds: float) -> None:
    with selected(families=FAMILIES) as (client, server):
        with pytest.raises(ArgumentError):
            client.idle(seconds)
        assert "IDLE" not in server.names


def test_without_the_family() -> None:
    with selected(families=["rev1"]) as (client, _):
        assert not hasattr(client, "idle")
        with pytest.raises(FamilyDisabledError, match="'idle'"):
            client.idle()


def test_what_it_claims() -> None:
    family = imapkit_family()
    assert (family.name, family.capabilities, family.requires) == ("idle", ("IDLE",), ("rev1",))


# Begun anew


def renewing(first: Handler) -> Handler:
    """``first`` the first time, then a server that waits for DONE."""
    turns = iter([first])
    return lambda conversation, command: next(turns, idling(b""))(conversation, command)


@pytest.mark.parametrize("with_callback", [False, True])
def test_a_command_that_comes_while_it_is_begun_anew_ends_it(with_callback: bool) -> None:
    doned, go = threading.Event(), threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        assert conversation.read_line() == b"DONE"
        doned.set()
        assert go.wait(10)
        conversation.ok(command)

    with selected({"IDLE": renewing(slow)}, families=FAMILIES) as (client, server), within():
        client.idle_refresh = LIMIT / 5
        answers = Answers()

        def idle() -> None:
            if with_callback:
                client.idle(callback=answers)
            else:
                answers((client.idle(), None, None))

        idler = threading.Thread(target=idle)
        idler.start()
        assert doned.wait(10)
        other = threading.Thread(target=client.noop)
        other.start()
        while not client._live.engine.queued:
            assert other.is_alive()
        go.set()
        other.join()
        idler.join()
        assert "OK" in str(answers.next())
        assert server.names.count("IDLE") == 1
        assert client.response("IDLE")[1] == [None]


@pytest.mark.parametrize("with_callback", [False, True])
def test_news_between_two_of_them_is_news(with_callback: bool) -> None:
    def told(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        assert conversation.read_line() == b"DONE"
        conversation.send(command.tag + b" OK done\r\n* 5 EXISTS\r\n")

    for _ in range(5):
        with selected({"IDLE": renewing(told)}, families=FAMILIES) as (client, _server), within():
            client.idle_refresh = LIMIT / 10
            answers = Answers()
            if with_callback:
                client.idle(callback=answers)
                assert answers.next()[0][0] == "OK"
            else:
                assert client.idle()[0] == "OK"
            assert client.response("EXISTS")[1] == [b"5"]
            assert client.response("IDLE")[1] == [None]


def test_no_other_command_gets_between_two_of_them_unseen() -> None:
    """Whoever comes either ends it or is before it: it never sleeps on after another command's answer."""
    with selected({"IDLE": idling(b"")}, families=FAMILIES) as (client, server), within(2 * MARGIN):
        client.idle_refresh = LIMIT / 50
        for turn in range(30):
            answers = Answers()
            client.idle(callback=answers)
            while server.names.count("IDLE") < turn:
                pass
            assert client.noop()[0] == "OK"
            assert answers.next()[2] is None


class TunnelError(Exception):
    """What some tunnels raise is no OSError."""


class Tunnel(imapkit.IMAP4):
    """Breaks as soon as it is to send this."""

    fatal = b"DONE"

    def send(self, data: bytes) -> None:
        if self.fatal in data:
            raise TunnelError("the tunnel is gone")
        super().send(data)


def test_a_tunnel_that_breaks_as_it_is_to_end() -> None:
    for seconds, refresh in ((LIMIT / 5, 9.0), (9.0, LIMIT / 5)):
        with ScriptedServer(handlers={"IDLE": stay_open}) as server:
            client: Any = connect(server, cls=Tunnel, families=FAMILIES, login=False)
            client.login("me", "secret")
            client.idle_refresh = refresh
            answers = Answers()
            with within():
                client.idle(seconds, callback=answers)
                kind, reason = answers.next()[2]
                assert issubclass(kind, client.abort)
                assert "the tunnel is gone" in reason
                with pytest.raises(client.abort, match="the tunnel is gone"):
                    client.noop()
            client.logout()


def stay_open(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(b"+ idling\r\n")
    conversation.wait_closed()


def test_a_done_that_crosses_the_end_is_taken_for_a_command_by_the_server() -> None:
    def crossed(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n")
        assert conversation.read_line() == b"DONE"
        conversation.ok(command, b"I ended it myself")
        conversation.send(b"DONE BAD Unknown command\r\n")

    with selected({"IDLE": crossed}, families=FAMILIES) as (client, _):
        assert client.idle(0) == ("OK", [b"I ended it myself"])
        assert client.noop()[0] == "OK"
