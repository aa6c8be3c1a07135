"""Commands as futures: ``imap.submit``."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, wait

import pytest

from imapkit import ArgumentError, BadResponse, CommandNo, ConnectionClosed, DeadlineExceeded, StateError
from imapkit.testing import Conversation, ReceivedCommand, answering
from tests.core.rig import selected, within

MARGIN = 5.0


def test_a_future_has_what_xatom_returns() -> None:
    handlers = {"FETCH": answering(b"* 1 FETCH (FLAGS (a))\r\n")}
    with selected(handlers) as (client, _):
        future = client.submit("fetch", "1", "(FLAGS)")
        typ, data = future.result(MARGIN)
        assert (typ, data) == ("OK", [b"1 (FLAGS (a))"])
        assert (typ, data) == client.xatom("FETCH", "1", "(FLAGS)")
        assert data.parsed()[0].raw_flags == (b"a",)


def test_by_uid() -> None:
    with selected({"UID FETCH": answering(b"* 1 FETCH (UID 7 FLAGS ())\r\n")}) as (client, server):
        assert client.submit("FETCH", "7", "(FLAGS)", uid=True).result(MARGIN)[0] == "OK"
        assert server.names[-1] == "UID FETCH"


def test_many_at_once_with_no_thread_each() -> None:
    with selected() as (client, _):
        before = threading.active_count()
        futures = [client.submit("NOOP") for _ in range(500)]
        assert threading.active_count() <= before + 5, "the clock, the callback thread and the courier, and no more"
        done, left = wait(futures, MARGIN)
        assert not left
        assert {future.result()[0] for future in done} == {"OK"}


def test_wrong_arguments_raise_at_once() -> None:
    with selected() as (client, server):
        with pytest.raises(ArgumentError):
            client.submit("SELECT", "a\r\nb")
        assert server.names.count("SELECT") == 1


def test_errors_are_the_futures() -> None:
    def bad(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(command.tag + b" BAD what\r\n")

    def no(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(command.tag + b" NO [NONEXISTENT] no\r\n")

    with selected({"NOOP": bad, "STATUS": no}, strict=True) as (client, _):
        assert isinstance(client.submit("NOOP").exception(MARGIN), BadResponse)
        refused = client.submit("STATUS", "x", "(MESSAGES)").exception(MARGIN)
        assert isinstance(refused, CommandNo)
        assert refused.code == "NONEXISTENT"
        assert isinstance(client.submit("LOGIN", "a", "b").exception(MARGIN), StateError)


def test_the_end_of_the_connection_is_the_futures() -> None:
    def goes(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.close()

    with selected({"NOOP": goes}) as (client, _):
        assert isinstance(client.submit("NOOP").exception(MARGIN), ConnectionClosed)


class Held:
    """A NOOP that is answered when the test says so."""

    def __init__(self) -> None:
        self.come, self.go = threading.Event(), threading.Event()

    def __call__(self, conversation: Conversation, command: ReceivedCommand) -> None:
        self.come.set()
        assert self.go.wait(10)
        conversation.ok(command)


def test_a_late_one_is_given_up_and_the_connection_goes_on() -> None:
    held = Held()
    with selected({"NOOP": held, "CHECK": answering()}) as (client, _), within(MARGIN):
        late = client.submit("NOOP", timeout=0.05).exception(MARGIN)
        assert isinstance(late, DeadlineExceeded)
        assert isinstance(late, TimeoutError)
        held.go.set()
        assert client.check()[0] == "OK"


def test_one_that_is_cancelled_in_the_queue_is_never_sent() -> None:
    held = Held()
    with selected({"NOOP": held, "CHECK": answering()}) as (client, server), within(MARGIN):
        first = client.submit("NOOP")
        assert held.come.wait(10)
        queued = client.submit("SELECT", "other")
        assert queued.cancel()
        with pytest.raises(CancelledError):
            queued.result(0)
        held.go.set()
        assert first.result(MARGIN)[0] == "OK"
        assert client.check()[0] == "OK"
        assert server.names.count("SELECT") == 1


def test_the_answer_of_one_that_is_cancelled_in_flight_is_dropped() -> None:
    held = Held()

    def search(conversation: Conversation, command: ReceivedCommand) -> None:
        if command.args == b"ALL":
            held(conversation, command)
            return
        conversation.ok(command, untagged=b"* SEARCH 7\r\n")

    with selected({"SEARCH": search}) as (client, _), within(MARGIN):
        first = client.submit("SEARCH", "ALL")
        assert held.come.wait(10)
        assert first.cancel()
        second = client.submit("SEARCH", "UNSEEN")
        assert not second.done()
        held.go.set()
        assert second.result(MARGIN) == ("OK", [b"7"])
        assert not second.cancel()


def test_a_callback_of_a_future_may_issue_commands() -> None:
    with selected({"CHECK": answering()}) as (client, _), within(MARGIN):
        answers: list[str] = []
        done = threading.Event()

        def then(future: object) -> None:
            answers.append(client.noop()[0])
            done.set()

        client.submit("CHECK").add_done_callback(then)
        assert done.wait(MARGIN)
        assert answers == ["OK"]


def test_a_callback_may_wait_for_another_future() -> None:
    with selected({"CHECK": answering()}) as (client, _), within(MARGIN):
        found: list[str] = []
        over = threading.Event()

        def called(answer: object) -> None:
            found.append(client.submit("NOOP").result(MARGIN)[0])
            over.set()

        client.noop(callback=called)
        assert over.wait(MARGIN)
        assert found == ["OK"]
