"""A thread is interrupted in the middle of the core, by an exception or by a signal handler that does something there.

``test_interrupted_anywhere`` tries every point; here are those where more is promised than that the connection says why it ends.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import imapkit
from imapkit import ConnectionClosed, NestedCommandError, StateError
from imapkit.core.engine.phases import LISTENING
from imapkit.core.engine.request import Request
from imapkit.testing import Conversation, Handler, ReceivedCommand, answering
from tests.core.rig import MARGIN, Answers, selected, until, within


@contextmanager
def interrupted_at(where: Any, name: str, *, turn: int = 1, after: bool = False) -> Iterator[None]:
    """This thread is interrupted, once, as it calls that the ``turn``-th time: before it or ``after`` it (``name``: dotted)."""
    *path, name = name.split(".")
    for part in path:
        where = getattr(where, part)
    calls, thread = 0, threading.current_thread()
    original: Callable[..., Any] = getattr(where, name)

    def interrupted(*args: Any, **options: Any) -> Any:
        nonlocal calls
        if threading.current_thread() is not thread:
            return original(*args, **options)
        calls += 1
        if calls == turn and not after:
            raise KeyboardInterrupt
        result = original(*args, **options)
        if calls == turn:
            raise KeyboardInterrupt
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            yield


@contextmanager
def idling_client(handler: Handler) -> Iterator[imapkit.IMAP4]:
    """A client that may idle."""
    with selected({"IDLE": handler}, families=["rev1", "idle"]) as (client, _), within(20):
        yield client


def idling(conversation: Conversation, command: ReceivedCommand) -> None:
    """Idle until the client sends DONE."""
    conversation.send(b"+ go on\r\n")
    assert conversation.read_line() == b"DONE"
    conversation.ok(command)


def never(conversation: Conversation, command: ReceivedCommand) -> None:
    """No answer."""


def it_idles(client: imapkit.IMAP4) -> None:
    """Wait until the server has accepted an IDLE."""
    until(lambda: client._live.engine.listens, "nothing has been accepted")


def test_before_the_engine_has_the_command() -> None:
    with selected() as (client, server), within(20):
        with interrupted_at(client._live._courier, "run"):
            client.create("box")
        assert client.noop(timeout=MARGIN)[0] == "OK"
        assert "CREATE" not in server.names


def test_as_it_waits_its_answer_is_dropped_when_it_comes() -> None:
    go = threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        assert go.wait(10)
        conversation.ok(command, b"late", untagged=b"* STATUS box (MESSAGES 3)\r\n")

    with selected({"STATUS": slow}) as (client, _), within(20):
        with interrupted_at(client._live._inline, "read_inline"):
            client.status("box", "(MESSAGES)")
        go.set()
        assert client.noop(timeout=MARGIN)[0] == "OK"
        assert client.response("STATUS") == ("STATUS", [None])


def test_a_select_that_waits_for_its_turn_leaves_what_is_kept() -> None:
    """It was never sent, so nothing has changed."""
    go = threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* 7 EXPUNGE\r\n")
        assert go.wait(10)
        conversation.ok(command)

    with selected({"NOOP": slow}) as (client, server), within(20):
        answers = Answers()
        client.noop(callback=answers)
        until(lambda: ["EXPUNGE", [b"7"]] in client.untagged_responses, "nothing has come")
        with interrupted_at(client._live._inline, "read_inline"):
            client.select("other")
        go.set()
        assert answers.next()[2] is None
        assert client.response("EXPUNGE") == ("EXPUNGE", [b"7"])
        assert (client.mailbox, server.names.count("SELECT")) == ("INBOX", 1)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", ["_courier.run", "_inline.wake_reader"])
def test_as_the_command_of_a_future_is_queued_it_is_never_sent(step: str, after: bool) -> None:
    """The caller has no future by then: the command would end, and no thread would learn how."""
    come, go = threading.Event(), threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        come.set()
        assert go.wait(10)
        conversation.ok(command)

    with selected({"NOOP": slow, "CHECK": answering()}) as (client, server), within(20):
        first = client.submit("NOOP")
        assert come.wait(10)
        with interrupted_at(client._live, step, after=after):
            client.submit("SELECT", "other")
        go.set()
        assert first.result(MARGIN)[0] == "OK"
        assert client.check(timeout=MARGIN)[0] == "OK"
        assert server.names.count("SELECT") == 1, "that of the client in the beginning"


@pytest.mark.parametrize("after", [False, True])
def test_as_its_write_is_interrupted(after: bool) -> None:
    """Half of it may be on its way."""
    with selected() as (client, _), within(20):
        with interrupted_at(client._live.layers.transport, "try_write", after=after):
            client.create("box")
        for _ in range(2):
            with pytest.raises(ConnectionClosed, match="interrupted"):
                client.noop(timeout=MARGIN)


@pytest.mark.parametrize("after", [False, True])
def test_as_it_ends_the_idle_of_another_thread(after: bool) -> None:
    with idling_client(idling) as client:
        answers = Answers()
        client.idle(callback=answers)
        it_idles(client)
        with interrupted_at(client._live.layers.transport, "try_write", after=after):
            client.noop()
        # The callback is called at the latest when the next command comes.
        with pytest.raises(ConnectionClosed, match="interrupted"):
            client.noop(timeout=MARGIN)
        failure = answers.next()[2]
        assert (failure is None and after) or "interrupted" in failure[1], "the server may have answered before the end"


@pytest.mark.parametrize("end", ["done", "not done"])
def test_while_its_idle_is_renewed(end: str) -> None:
    """Given up, it is ended, and what comes next need not wait for it."""
    doned, go = threading.Event(), threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ go on\r\n")
        assert conversation.read_line() == b"DONE"
        doned.set()
        assert go.wait(10)
        conversation.ok(command)

    with idling_client(slow) as client:
        client.idle_refresh = 0.01
        lead = client._live._inline.read_inline

        def interrupted(request: Request, moment: float) -> None:
            if request.phase is LISTENING or not request.interrupted_by:
                lead(request, moment)
                return
            assert doned.wait(10)
            if end == "done":
                client._live._inline.wake_reader()
                go.set()
                until(lambda: request.phase is LISTENING, "it is not renewed")
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(client._live._inline, "read_inline", interrupted)
            with pytest.raises(KeyboardInterrupt):
                client.idle()
        go.set()
        assert client.noop(timeout=MARGIN)[0] == "OK"


@pytest.mark.parametrize("step", ["trace.log", "layers.transport.interrupt", "engine.close"])
def test_as_it_ends_the_connection(step: str) -> None:
    """The reader thread, or the next command, finishes what was interrupted."""
    with selected({"STATUS": never}) as (client, _), within(20):
        told = Answers()
        client.status("box", "(MESSAGES)", callback=told)
        with interrupted_at(client._live, step):
            client.shutdown()
        with pytest.raises(imapkit.IMAP4.error):
            client.noop(timeout=MARGIN)
        assert told.next()[2] == (ConnectionClosed, "shut down")
        client._live._reader.thread.join(MARGIN)
        assert not client._live._reader.thread.is_alive()


def test_as_it_logs_out() -> None:
    with selected({"STATUS": never}) as (client, _), within(20):
        told = Answers()
        client.status("box", "(MESSAGES)", callback=told)
        with interrupted_at(client._live.layers, "finish"):
            client._hang_up("enough")
        assert told.next()[2] == (ConnectionClosed, "enough")
        with pytest.raises(imapkit.IMAP4.error):
            client.noop(timeout=MARGIN)


def in_a_step(client: imapkit.IMAP4, patch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have ``act`` run in the middle of the next step of this thread, as a signal handler does."""
    submit = client._live.engine.submit

    def interrupted(request: Request, now: float) -> None:
        patch.undo()
        act()
        submit(request, now)

    patch.setattr(client._live.engine, "submit", interrupted)


@pytest.mark.parametrize("way", ["noop", "logout"])
def test_a_signal_handler_in_a_step_of_its_own_thread_is_refused_at_once(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would wait for what its own thread is to do."""
    refused: list[BaseException] = []

    def handle() -> None:
        with pytest.raises(NestedCommandError) as caught:
            getattr(client, way)()
        refused.append(caught.value)

    with selected() as (client, _), within(MARGIN):
        in_a_step(client, monkeypatch, handle)
        assert client.noop() == ("OK", [b"done"]), "and the interrupted command goes on"
        assert len(refused) == 1
        assert client.noop()[0] == "OK"


def test_a_signal_handler_in_a_step_may_issue_a_command_with_a_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is queued as the interrupted step ends."""
    answers = Answers()
    with selected() as (client, _), within(MARGIN):
        in_a_step(client, monkeypatch, lambda: client.noop(callback=answers))
        assert client.noop()[0] == "OK"
        assert answers.next()[0] == ("OK", [b"done"])


def test_a_signal_handler_in_a_step_may_shut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    with selected() as (client, _), within(MARGIN):
        in_a_step(client, monkeypatch, lambda: client.shutdown())
        with pytest.raises(ConnectionClosed, match="shut down"):
            client.noop()


def test_the_state_lock_of_another_thread_is_waited_for() -> None:
    """A plugin's function under it may take its time."""
    with selected() as (client, _), within(MARGIN):
        results = queue.SimpleQueue[Any]()
        asker = threading.Thread(target=lambda: results.put(client.noop()))
        with client._live._steps.lock:
            asker.start()
            with pytest.raises(queue.Empty):
                results.get(timeout=0.1)
        assert results.get(timeout=10) == ("OK", [b"done"])
        asker.join()


def test_a_command_that_is_refused_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with selected() as (client, _), within(20):
        with pytest.raises(StateError):
            client.login("me", "secret")
        assert client._live.engine.idle
        assert client.noop(timeout=MARGIN)[0] == "OK"
