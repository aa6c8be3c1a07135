"""Waiters are notified under the state lock, perhaps twice, and only hand over."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import State
from imapkit.core.engine.exchange import Ask
from imapkit.core.engine.phases import LISTENING
from imapkit.core.engine.request import Request
from imapkit.core.threads.waiters import CallBack, Latch, open_latch
from imapkit.core.threads.worker import Worker
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer, selected
from tests.core.rig import Answers, connect, within
from tests.threads.rig import GREETING


def request_of(waiter: Any) -> Request:
    """A command under way."""
    return Request(Call(Command("NOOP", State.ANY), (), [b"NOOP"]), waiter)


def is_open(latch: Latch) -> bool:
    """Whether a caller that waits would go on; it is shut again."""
    return latch.wait(0.0)


def shut_latch() -> tuple[Latch, Request]:
    """The latch of a caller that is about to wait, and its command."""
    latch = Latch()
    request = request_of(latch)
    latch.shut(request)
    return latch, request


def test_a_latch_is_opened_once_however_often_it_is_notified() -> None:
    latch, request = shut_latch()
    assert not is_open(latch)
    latch.done(request)
    latch.done(request)
    assert is_open(latch)
    assert not is_open(latch)


def test_a_latch_stays_open_if_there_is_something_to_do_as_the_caller_is_about_to_wait() -> None:
    over = Latch()
    request = request_of(over)
    over.done(request)
    request.released = True
    over.shut(request)
    assert is_open(over)
    asked = Latch()
    request = request_of(asked)
    request.question = Ask(lambda challenge: challenge, b"")
    asked.ask(request)
    asked.shut(request)
    assert is_open(asked)


def test_a_latch_is_opened_for_a_question_and_for_a_nearer_moment_only() -> None:
    latch, request = shut_latch()
    latch.ask(request)
    assert not is_open(latch), "its command is being ended; there is nothing to do but to wait"
    request.phase = LISTENING
    latch.ask(request)
    assert is_open(latch)
    request.question = Ask(lambda challenge: challenge, b"")
    latch.ask(request)
    assert is_open(latch)


def test_a_latch_may_be_open_already() -> None:
    lock = threading.Lock()
    open_latch(lock)
    assert lock.acquire(blocking=False)


class Noted:
    """A callback waiter, and what it has called."""

    def __init__(self, *, hands_over: bool = False) -> None:
        self.called: list[str] = []
        self.threads: list[str] = []
        self.worker = Worker("noted")
        accepted = (lambda: self.called.append("accepted")) if hands_over else None
        self.waiter = CallBack(self.worker, self._note("done"), self._note("answer"), self._note("look"), accepted)
        self.waiter.fresh = False
        self.request = request_of(self.waiter)

    def _note(self, what: str) -> Any:
        def noted(request: Request) -> None:
            self.called.append(what)
            self.threads.append(threading.current_thread().name)

        return noted

    def settle(self) -> list[str]:
        """What has been called, once all is."""
        self.worker.stop(5)
        return self.called


def test_a_callback_is_called_on_the_worker_and_its_waiter_let_go() -> None:
    noted = Noted()
    noted.waiter.done(noted.request)
    assert noted.called == []
    assert noted.request.waiter is None
    assert noted.settle() == ["done"]
    assert noted.threads == ["noted"]


def test_a_callback_of_a_command_that_submit_still_holds_is_not_called() -> None:
    """A command that is refused at once raises in ``submit``."""
    noted = Noted()
    noted.waiter.fresh = True
    noted.waiter.done(noted.request)
    assert noted.settle() == []
    assert noted.request.waiter is noted.waiter


def test_a_question_is_answered_on_the_worker() -> None:
    noted = Noted()
    noted.request.question = Ask(lambda challenge: challenge, b"")
    noted.waiter.ask(noted.request)
    assert noted.called == []
    assert noted.settle() == ["answer"]


def test_a_nearer_moment_is_noted_at_once() -> None:
    noted = Noted()
    noted.waiter.ask(noted.request)
    assert noted.called == ["look"]


def test_functions_that_only_hand_over_are_called_at_once() -> None:
    noted = Noted(hands_over=True)
    noted.request.accepted = True
    noted.waiter.ask(noted.request)
    noted.waiter.done(noted.request)
    assert noted.called == ["accepted", "look", "done"]
    assert set(noted.threads) == {threading.current_thread().name}


def test_a_command_that_is_refused_at_once_raises_and_is_not_called_back() -> None:
    with selected(families=["rev1"]) as (client, _):
        answers = Answers()
        with pytest.raises(imapkit.StateError):
            client.login("me", "secret", callback=answers)
        client.noop(callback=answers)
        assert answers.next()[0] == ("OK", [b"done"])
        answers.take(0)


def test_an_idle_that_an_old_program_begins_in_a_callback_is_refused_there() -> None:
    """The callback thread itself waits for the answer: it raises there."""

    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(command.tag + b" NO not now\r\n")

    with ScriptedServer(handlers={"IDLE": refuse}, greeting=GREETING) as server, within(5):
        client, tags = connect(server, families=["rev1", "idle"]), Answers()
        client.state = "SELECTED"
        client.noop(callback=lambda answer: tags((client._command("IDLE"), None, None)))
        tag = tags.next()[0]
        client._command_complete("IDLE", tag)
        client.logout()


def test_a_challenge_may_be_answered_by_means_of_another_connection() -> None:
    """The connection itself refuses commands meanwhile: it waits for the answer."""

    def authenticate(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ \r\n")
        conversation.read_line()
        conversation.ok(command)

    handlers = {"AUTHENTICATE": authenticate}
    with (
        ScriptedServer(greeting=GREETING) as helper,
        connect(helper) as other,
        ScriptedServer(handlers=handlers, capabilities=b"IMAP4rev1 AUTH=X-TEST") as server,
        connect(server) as client,
        within(5),
    ):
        seen: list[Any] = []

        def reply(challenge: bytes) -> bytes:
            seen.append(other.noop()[0])
            with pytest.raises(imapkit.NestedCommandError, match="inside the exchange of AUTHENTICATE"):
                client.noop()
            seen.append(client.noop(callback=answers))
            return b"token"

        answers = Answers()
        assert client.authenticate("X-TEST", reply)[0] == "OK"
        assert seen == ["OK", (None, None)]
        assert answers.next()[0] == ("OK", [b"done"])
