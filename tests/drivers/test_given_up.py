"""A typed command that is given up, by a time-out or by ``cancel``, in each face and at each moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from imapkit import IMAP4, CommandTimeout, DeadlineExceeded, Role
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer, answering
from imapkit.typed.client import Client
from tests.core.rig import connect, until
from tests.drivers.rig import FACES, SECONDS, STATUS, Calls, calling, typed
from tests.threads.test_futures import Held


@pytest.fixture(params=FACES)
def calls(request: pytest.FixtureRequest) -> Iterator[Calls]:
    with calling(request.param) as calls:
        yield calls


def create(typed: Any) -> Any:
    return typed.create("x")


def status(typed: Any) -> Any:
    return typed.status("a")


def test_queued_it_is_never_sent(calls: Calls) -> None:
    held = Held()
    with typed({"SELECT": answering(), "CLOSE": held, "CREATE": answering()}) as (client, server):
        first = client.raw.submit("CLOSE")
        assert held.come.wait(SECONDS)
        calls.give_up(client, create)
        until(lambda: client.raw._live.engine.queued == 0, "the command is still queued")
        held.go.set()
        assert first.result(SECONDS)[0] == "OK"
        client.noop()
        assert "CREATE" not in server.names


def test_queued_it_says_that_nothing_was_sent(calls: Calls) -> None:
    held = Held()
    with typed({"CLOSE": held}) as (client, _):
        first = client.raw.submit("CLOSE")
        assert held.come.wait(SECONDS)
        late = calls.late(client, create, 0.05)
        assert isinstance(late, DeadlineExceeded)
        assert isinstance(late, TimeoutError)
        assert "waited too long for the commands before it" in str(late)
        held.go.set()
        first.result(SECONDS)


class Slowly:
    """STATUS of "a" is answered late, and each with its own count."""

    def __init__(self) -> None:
        self.held, self.count = Held(), 0

    def __call__(self, conversation: Conversation, command: ReceivedCommand) -> None:
        self.count += 1
        if self.count == 1:
            self.held.come.set()
            assert self.held.go.wait(SECONDS)
        conversation.ok(command, untagged=b"* STATUS a (MESSAGES %d)\r\n" % self.count)


def test_in_flight_the_same_question_gets_its_own_answer(calls: Calls) -> None:
    slowly = Slowly()
    with typed({"STATUS": slowly}) as (client, _):
        calls.give_up(client, status, slowly.held.come)
        again = calls.start(client, status)
        assert not again.done()
        slowly.held.go.set()
        assert again.result(SECONDS).messages == 2
        assert client.raw.response("STATUS") == ("STATUS", [None])
        assert not client.raw.defects


def test_in_flight_a_late_select_still_changes_the_state(calls: Calls) -> None:
    held = Held()
    with typed({"EXAMINE": held}) as (client, _):
        calls.give_up(client, lambda typed: typed.run("EXAMINE", "other"), held.come)
        held.go.set()
        client.noop()
        assert client.raw._live.engine.session.mailbox == "other"


@pytest.mark.parametrize("cancelled", [True, False], ids=["given-up", "waiting"])
def test_a_server_that_is_silent_for_ever_ends_the_connection_within_the_window(calls: Calls, cancelled: bool) -> None:
    """For a command that was given up, too; all other commands get the reason."""
    over = threading.Event()

    def silent(conversation: Conversation, command: ReceivedCommand) -> None:
        assert over.wait(SECONDS)

    with typed({"STATUS": silent}, timeout=0.4) as (client, _):
        if cancelled:
            calls.give_up(client, status)
        other = calls.start(client, lambda typed: typed.status("b"))
        failure = other.exception(SECONDS)
        assert isinstance(failure, CommandTimeout), failure
        assert not client.raw._live.open
        over.set()


def test_half_sent_it_ends_the_connection_and_all_others_get_the_reason(calls: Calls) -> None:
    """The server takes no literal."""
    come, over = threading.Event(), threading.Event()

    def script(conversation: Conversation) -> None:
        assert conversation.read_command(auto_continue=False).awaiting is not None
        come.set()
        assert over.wait(SECONDS)

    def append(typed: Any) -> Any:
        return typed.run("APPEND", "x", None, None, b"From: a\r\n\r\nhello\r\n")

    with ScriptedServer(script, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server:
        client = Client.over(connect(server))
        limit = 0.5 if calls.face == "blocking" else None
        half = calls.start(client, lambda typed: append(typed.with_options(timeout=limit)))
        assert come.wait(SECONDS)
        others = [client.nowait.noop() for _ in range(3)]
        if limit is None:
            assert half.cancel()
        failures = [other.exception(SECONDS) for other in others]
        assert all(isinstance(failure, IMAP4.abort) for failure in failures), failures
        assert len({str(failure) for failure in failures}) == 1
        assert half.cancelled() if limit is None else isinstance(half.exception(SECONDS), CommandTimeout)
        with pytest.raises(IMAP4.abort):
            client.noop()
        over.set()
        client.close()


def test_no_callback_on_the_thread_that_reads_and_it_may_wait_for_several_commands() -> None:
    """``role`` sends several commands; the caller reads for itself, or the reader thread."""
    lists = answering(b'* LIST (\\Sent) "/" Sent\r\n')
    with typed({"STATUS": answering(STATUS), "LIST": lists}) as (client, _):
        told: list[tuple[threading.Thread, Any]] = []
        done = threading.Event()

        def called(future: Any) -> None:
            try:
                told.append((threading.current_thread(), client.nowait.role(Role.SENT).result(SECONDS)))
            finally:
                done.set()

        client.nowait.status("a").add_done_callback(called)
        client.noop()
        assert done.wait(SECONDS)
        [(thread, role)] = told
        assert role.mailbox == "Sent"
        assert thread not in (client.raw._live._reader.thread, threading.current_thread())
