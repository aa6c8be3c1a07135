"""Somebody is interrupted (a ``KeyboardInterrupt``) just there: nobody else waits for ever, and nobody is left out."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

import pytest

import imapkit
from imapkit import ConnectionClosed, NestedCommandError, StateError
from imapkit.core.request import Request
from imapkit.testing import Conversation, Handler, ReceivedCommand
from tests.core.rig import MARGIN, Answers, selected, until, within


@contextmanager
def interrupted_at(where: Any, name: str, *, turn: int = 1, after: bool = False) -> Iterator[None]:
    """Whoever calls that the ``turn``-th time is interrupted, once, before or ``after`` it does anything (``name``: dotted)."""
    *path, name = name.split(".")
    for part in path:
        where = getattr(where, part)
    calls = 0
    original: Callable[..., Any] = getattr(where, name)

    def interrupted(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == turn and not after:
            raise KeyboardInterrupt
        result = original(*args)
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
    """Go on until the client has had enough."""
    conversation.send(b"+ go on\r\n")
    assert conversation.read_line() == b"DONE"
    conversation.ok(command)


def never(conversation: Conversation, command: ReceivedCommand) -> None:
    """No answer."""


def accepted(conversation: Conversation, command: ReceivedCommand) -> None:
    """Go on for ever."""
    conversation.send(b"+ go on\r\n")
    conversation.read_line()
    conversation.wait_closed()


def it_idles(client: imapkit.IMAP4) -> None:
    """Wait until a command goes on until there is news."""
    until(lambda: any(request.idling for request in list(client._live.protocol.pending.values())), "nothing has been accepted")


def test_with_the_turn_and_before_anything_is_sent() -> None:
    with selected() as (client, server), within(20):
        with interrupted_at(client._live, "_write_out"):
            client.create("box")
        assert client.noop(timeout=MARGIN)[0] == "OK"
        assert "CREATE" not in server.names


@pytest.mark.parametrize("step", ["withdraw", "land", "recount"])
def test_as_it_steps_out_because_it_was_refused(step: str) -> None:
    with selected() as (client, _), within(20):
        with interrupted_at(client._live.protocol.gate, step):
            client.login("me", "secret")
        assert client.noop(timeout=MARGIN)[0] == "OK"
        with pytest.raises(StateError):
            client.login("me", "secret")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", ["_send_interrupt", "protocol.gate.leave"])
def test_as_it_makes_another_one_end(step: str, after: bool) -> None:
    with idling_client(accepted) as client:
        answers = Answers()
        client.idle(callback=answers)
        it_idles(client)
        with interrupted_at(client._live, step, after=after):
            client.noop()
        assert "the interrupt was interrupted" in answers.next()[2][1]
        with pytest.raises(ConnectionClosed, match="the interrupt was interrupted"):
            client.noop(timeout=MARGIN)


@pytest.mark.parametrize("late", [False, True])
def test_before_it_sends_anew_what_has_ended_for_that(late: bool) -> None:
    """Whoever comes next need not wait for that; whether the end had come by then or not."""
    doned, go = threading.Event(), threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ go on\r\n")
        assert conversation.read_line() == b"DONE"
        doned.set()
        assert go.wait(10)
        conversation.ok(command)

    with idling_client(slow) as client:
        client.idle_refresh = 0.01
        live = client._live
        await_it = live._await
        tags: list[bytes] = []
        requests: list[Request] = []

        def interrupted(request: Request, latch: threading.Lock, most: float = inf) -> bool:
            if not request.interrupted:
                return await_it(request, latch, most)
            requests.append(request)
            tags.append(request.tag)
            assert doned.wait(10)
            if late:
                live._reading.call()
                go.set()
                until(lambda: request.again, "it has not ended")
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(live, "_await", interrupted)
            with pytest.raises(KeyboardInterrupt):
                client.idle()
        go.set()
        until(lambda: [request.tag for request in requests] != tags, "it is not begun anew")
        assert client.noop(timeout=MARGIN)[0] == "OK"


def test_as_it_sends_it_anew() -> None:
    with idling_client(idling) as client:
        client.idle_refresh = 0.01
        with interrupted_at(client._live, "_write_out", turn=2):
            client.idle()
        with pytest.raises(ConnectionClosed, match="IDLE was interrupted"):
            client.noop(timeout=MARGIN)


@pytest.mark.parametrize("step", ["trace.log", "layers.transport.interrupt", "protocol.gate.close"])
def test_as_it_ends_the_connection(step: str) -> None:
    with selected({"STATUS": never}) as (client, _), within(20):
        told = Answers()
        client.status("box", "(MESSAGES)", callback=told)
        with interrupted_at(client._live, step):
            client.shutdown()
        assert told.next()[2] == (ConnectionClosed, "shut down")
        client._live._reading.thread.join(MARGIN)
        assert not client._live._reading.thread.is_alive()


def test_as_it_says_farewell() -> None:
    with selected({"STATUS": never}) as (client, _), within(20):
        told = Answers()
        client.status("box", "(MESSAGES)", callback=told)
        with interrupted_at(client._live.layers, "finish"):
            client._hang_up("enough")
        assert told.next()[2] == (ConnectionClosed, "enough")
        with pytest.raises(imapkit.IMAP4.error):
            client.noop(timeout=MARGIN)


def test_as_it_hands_on_what_others_are_to_be_told() -> None:
    with selected() as (client, _), within(20):
        dispatcher, told = client._live.dispatcher, queue.SimpleQueue[str]()
        dispatcher.collected.append(lambda: told.put("another's"))
        with interrupted_at(dispatcher, "_add"):
            dispatcher.post(lambda: told.put("its own"))
        dispatcher.post(lambda: told.put("the next"))
        assert [told.get(timeout=10), told.get(timeout=10)] == ["another's", "the next"]


@pytest.mark.parametrize("way", ["noop", "logout", "shutdown"])
def test_a_signal_handler_that_comes_as_its_own_thread_holds_the_state_is_refused(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait for a lock that nobody gives back as long as it waits."""
    monkeypatch.setattr("imapkit.core.connection._MOMENT", 0.01)
    refused: list[BaseException] = []
    with selected() as (client, _), within(MARGIN):
        register = client._live.protocol.register

        def interrupted(request: Request) -> None:
            monkeypatch.undo()
            monkeypatch.setattr("imapkit.core.connection._MOMENT", 0.01)
            # What a handler does is done in the midst of it.
            with pytest.raises(NestedCommandError, match="held the state") as caught:
                getattr(client, way)()
            refused.append(caught.value)
            register(request)

        monkeypatch.setattr(client._live.protocol, "register", interrupted)
        assert client.noop() == ("OK", [b"done"]), "and what it came into goes on"
        assert len(refused) == 1
        assert client.noop()[0] == "OK"


def test_a_signal_handler_that_comes_as_its_own_thread_asks_the_clock_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapkit.core.connection._MOMENT", 0.01)
    with selected() as (client, _), within(MARGIN):
        dispatcher, done = client._live.dispatcher, Answers()
        clock = dispatcher._clock

        class Interrupted:
            """The clock, as a handler comes in between."""

            def at(self, moment: float, watcher: Any) -> None:
                dispatcher._clock = clock
                with pytest.raises(NestedCommandError, match="held the state"):
                    client.shutdown()
                clock.at(moment, watcher)

        dispatcher._clock = Interrupted()  # type: ignore[assignment]
        client.noop(callback=done)
        assert dispatcher._clock is clock
        assert done.next()[0] == ("OK", [b"done"])


def test_a_lock_that_another_thread_holds_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin's function under it may take its time."""
    monkeypatch.setattr("imapkit.core.connection._MOMENT", 0.0)
    with selected() as (client, _), within(MARGIN):
        results = queue.SimpleQueue[Any]()
        asker = threading.Thread(target=lambda: results.put(client.noop()))
        with client._live._lock:
            asker.start()
            with pytest.raises(queue.Empty):
                results.get(timeout=0.1)
        assert results.get(timeout=10) == ("OK", [b"done"])
        asker.join()
