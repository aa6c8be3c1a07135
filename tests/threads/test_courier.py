"""Sending: no caller waits for the socket; the courier thread sends the rest; bytes that the socket takes are progress."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import imapkit
from imapkit.errors import CommandTimeout, ConnectionClosed, NestedCommandError, ServerBye
from imapkit.testing import Conversation, ReceivedCommand
from tests.core.rig import LIMIT, MARGIN, Answers, selected, until, within
from tests.threads.rig import GREETING, answer, scripted, swallow

LARGE = b"x" * 12_000_000
"""More than the system of both sides takes at once."""
AT_ONCE = 1.0
"""Seconds within which a call returns that waits for nothing, on a busy machine; if it waited here, it would do so for long."""


def queued(client: imapkit.IMAP4) -> int:
    """How many commands wait."""
    return client._live.engine.queued


def is_stuck(client: imapkit.IMAP4) -> None:
    """Wait until the courier thread waits for the socket."""
    live = client._live
    until(lambda: live._steps.role is not None and not live.layers.transport.wait_writable(0), "the socket is not full")


def test_behind_a_full_socket_nothing_waits_but_a_blocking_call() -> None:
    go = threading.Event()

    def script(conversation: Conversation) -> None:
        assert go.wait(20)
        answer(conversation, swallow(conversation))
        for _ in range(2001):
            answer(conversation, conversation.read_line().split()[0])
        conversation.wait_closed()

    with scripted(script) as client:
        large, answers = Answers(), Answers()
        with within(AT_ONCE):
            client.append("box", None, None, LARGE, callback=large)
        is_stuck(client)
        worst = 0.0
        for number in range(2000):
            began = time.monotonic()
            client.noop(callback=answers, cb_arg=number)
            worst = max(worst, time.monotonic() - began)
        assert worst < AT_ONCE, worst
        assert "courier" in {thread.name.rpartition(" ")[2] for thread in threading.enumerate()}
        results: list[Any] = []
        waiting = threading.Thread(target=lambda: results.append(client.noop()))
        waiting.start()
        until(lambda: queued(client) > 2000, "the blocking call is not queued")
        go.set()
        assert large.next()[0] == ("OK", [b"done"])
        assert [number for _, number, failure in answers.take(2000) if failure is None] == list(range(2000))
        waiting.join()
        assert results == [("OK", [b"done"])]


def behind_an_exclusive_one(client: imapkit.IMAP4, answers: Answers) -> None:
    client.select("box", callback=answers)


def behind_a_plus(client: imapkit.IMAP4, answers: Answers) -> None:
    client.append("box", None, None, b"hello", callback=answers)


@pytest.mark.parametrize("first", [behind_an_exclusive_one, behind_a_plus], ids=lambda first: first.__name__)
def test_a_command_with_a_callback_returns_at_once(first: Callable[[imapkit.IMAP4, Answers], None]) -> None:
    """Its callback is called once it has been sent and answered; no command overtakes."""
    go = threading.Event()

    def script(conversation: Conversation) -> None:
        line = conversation.read_line()
        assert go.wait(20)
        if line.endswith(b"}"):
            conversation.send(b"+ go on\r\n")
            assert conversation.read_line() == b"hello"
        answer(conversation, line.split()[0])
        answer(conversation, conversation.read_line().split()[0])
        conversation.wait_closed()

    with scripted(script, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as client:
        answers = Answers()
        with within(AT_ONCE):
            first(client, answers)
            client.noop(callback=answers, cb_arg="second")
        assert queued(client) >= 1
        go.set()
        assert [cb_arg for _, cb_arg, failure in (answers.next(), answers.next()) if failure is None] == [None, "second"]


def test_a_command_that_becomes_illegal_in_the_queue_is_an_error_for_its_callback() -> None:
    go = threading.Event()

    def script(conversation: Conversation) -> None:
        line = conversation.read_line()
        assert go.wait(20)
        conversation.send(b"%b NO no such mailbox\r\n" % line.split()[0])
        conversation.wait_closed()

    with scripted(script) as client:
        answers = Answers()
        client.select("box", callback=answers, cb_arg=1)
        client.fetch("1", "FLAGS", callback=answers, cb_arg=2)
        go.set()
        assert answers.next()[:2] == (("NO", [b"no such mailbox"]), 1)
        response, cb_arg, failure = answers.next()
        assert (response, cb_arg) == (None, 2)
        assert issubclass(failure[0], imapkit.StateError)


# progress


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "callback"])
def test_a_large_literal_on_a_slow_link_is_not_late_while_the_other_side_takes_bytes(waits: bool) -> None:
    window, size = 0.45, 6_000_000

    def script(conversation: Conversation) -> None:
        answer(conversation, swallow(conversation, piece=270_000, pause=0.033))
        conversation.wait_closed()

    with scripted(script, timeout=window) as client:
        began = time.monotonic()
        if waits:
            assert client.append("box", None, None, b"x" * size)[0] == "OK"
        else:
            answers = Answers()
            client.append("box", None, None, b"x" * size, callback=answers)
            assert answers.next()[0] == ("OK", [b"done"])
        assert time.monotonic() - began > 1.5 * window


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "callback"])
def test_a_large_literal_that_the_other_side_does_not_take_is_late(waits: bool) -> None:
    window = 0.15
    over = threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.read_line()
        assert over.wait(20)

    with scripted(script, timeout=window) as client:
        began = time.monotonic()
        if waits:
            with pytest.raises(CommandTimeout):
                client.append("box", None, None, LARGE)
        else:
            answers = Answers()
            client.append("box", None, None, LARGE, callback=answers)
            assert issubclass(answers.next()[2][0], CommandTimeout)
        assert window <= time.monotonic() - began < window + MARGIN
        over.set()


@pytest.mark.parametrize("streams", [True, False])
def test_a_command_behind_one_that_makes_progress_is_not_late(streams: bool) -> None:
    """Servers answer in order."""
    window, row = 0.2, b"* 1 FETCH (BODY[] {2000}\r\n%b)\r\n" % (b"x" * 2000)

    def script(conversation: Conversation) -> None:
        first, second = conversation.read_line(), conversation.read_line()
        for _ in range(14):
            conversation.pause(0.03)
            if streams:
                conversation.send(row)
        answer(conversation, first.split()[0])
        answer(conversation, second.split()[0])
        conversation.wait_closed()

    with scripted(script, timeout=window) as client:
        client.state = "SELECTED"
        rows, behind = Answers(), Answers()
        client.fetch("1:14", "BODY[]", callback=rows)
        client.noop(callback=behind)
        failures = [rows.next()[2], behind.next()[2]]
        if streams:
            assert failures == [None, None]
        else:
            assert all(issubclass(failure[0], CommandTimeout) for failure in failures)


def test_an_idle_that_news_ends_is_late_if_the_server_does_not_say_so() -> None:
    """No other command comes: the clock alone keeps the deadline."""

    def script(conversation: Conversation) -> None:
        conversation.read_line()
        conversation.send(b"+ idling\r\n")
        conversation.pause(0.15)
        conversation.send(b"* 5 EXISTS\r\n")
        assert conversation.read_line() == b"DONE"
        conversation.wait_closed()

    with scripted(script, timeout=LIMIT) as client:
        client.state, answers = "SELECTED", Answers()
        client.idle(20, callback=answers)
        with within(MARGIN):
            assert issubclass(answers.next()[2][0], CommandTimeout)


# the end


@pytest.mark.parametrize("size", [10, 1_000_000], ids=["on its own thread", "on the courier thread"])
def test_a_write_that_fails_reads_the_last_words_of_the_server_first(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    def script(conversation: Conversation) -> None:
        assert go.wait(20)
        conversation.send(b"* BYE too many connections\r\n")
        conversation.close()

    with scripted(script) as client:

        def broken(data: Any) -> int:
            go.set()
            raise BrokenPipeError(32, "Broken pipe")

        monkeypatch.setattr(client._live.layers.transport, "try_write", broken)
        with within(MARGIN), pytest.raises(ServerBye, match="too many connections"):
            client.append("box", None, None, b"x" * size)


@pytest.mark.parametrize("size", [10, 1_000_000], ids=["on its own thread", "on the courier thread"])
def test_a_write_that_fails_ends_the_connection_though_the_server_says_nothing(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imapkit.core.engine.engine.LAST_WORDS", 0.05)

    def script(conversation: Conversation) -> None:
        conversation.wait_closed()

    with scripted(script) as client:

        def broken(data: Any) -> int:
            raise BrokenPipeError(32, "Broken pipe")

        monkeypatch.setattr(client._live.layers.transport, "try_write", broken)
        answers = Answers()
        client.noop(callback=answers)
        with within(MARGIN), pytest.raises(ConnectionClosed, match="sending: Broken pipe"):
            client.append("box", None, None, b"x" * size)
        assert issubclass(answers.next()[2][0], ConnectionClosed)


class Slow(imapkit.IMAP4):
    """A subclass whose ``send`` does not return before it may, and cannot be interrupted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.may, self.sends = threading.Event(), threading.Event()
        self.do: Callable[[], object] = int
        super().__init__(*args, **options)

    def send(self, data: bytes) -> None:
        if b"CREATE" in data:
            self.sends.set()
            assert self.may.wait(20)
        self.do()
        super().send(data)


def test_the_end_does_not_wait_long_for_a_send_that_cannot_be_interrupted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imapkit.core.threads.connection._COURIER", LIMIT)

    def script(conversation: Conversation) -> None:
        conversation.wait_closed()

    with scripted(script, cls=Slow) as client:
        assert isinstance(client, Slow)
        answers = Answers()
        client.create("box", callback=answers)
        assert client.sends.wait(10)
        with within(LIMIT + MARGIN):
            client._hang_up("enough")
        assert issubclass(answers.next()[2][0], ConnectionClosed)
        client.may.set()
    assert "still running" in caplog.text


def test_a_command_within_a_subclasss_send_is_refused_at_once() -> None:
    def script(conversation: Conversation) -> None:
        answer(conversation, conversation.read_line().split()[0])
        conversation.wait_closed()

    with scripted(script, cls=Slow) as client:
        assert isinstance(client, Slow)
        refused: list[BaseException] = []

        def nest() -> None:
            client.do = int
            with pytest.raises(NestedCommandError, match="on the thread that sends") as caught:
                client.noop()
            refused.append(caught.value)

        client.do = nest
        assert client.noop()[0] == "OK"
        assert len(refused) == 1


def test_a_pipe_that_is_full_does_not_hold_up_the_end() -> None:
    """The process at its other end does not read, and ends when its output is closed."""
    code = f"import select; print({GREETING.decode()!r}, end='', flush=True); p = select.poll(); p.register(1, 0); p.poll(60000)"
    client = imapkit.IMAP4_stream(f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)}", timeout=20.0, families=["rev1"])
    answers = Answers()
    with within(AT_ONCE):
        client.append("box", None, None, LARGE, callback=answers)
    with within(2 * MARGIN):
        client._hang_up("enough")
    assert issubclass(answers.next()[2][0], ConnectionClosed)
    assert "courier" not in {thread.name.rpartition(" ")[2] for thread in threading.enumerate()}


def test_work_of_a_signal_handler_between_the_engine_and_the_socket_is_done_once_the_bytes_are_sent() -> None:
    """The handler runs inside the step, behind the look for what is to be sent: ``shutdown`` must not wait for the answer."""
    go = threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        go.wait(10)

    with selected({"CHECK": slow}) as (client, _), within(20):
        wire, interrupted = client._live.engine.outbound, list[Any]()
        give = wire.next

        def handled(may_begin: bool) -> Any:
            out = give(may_begin)
            if out is not None and not interrupted:
                interrupted.append(out)
                client.shutdown()
            return out

        wire.next = handled  # type: ignore[method-assign]
        began = time.monotonic()
        with pytest.raises(ConnectionClosed):
            client.check()
        assert time.monotonic() - began < 5
        go.set()
        assert interrupted
