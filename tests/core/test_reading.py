"""Which thread reads: a caller that waits for a short answer while nothing else is in flight, else the reader thread."""

from __future__ import annotations

import queue
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import imapkit
from imapkit import ConnectionClosed
from imapkit.core.contract.command import Command
from imapkit.core.contract.extension import Response
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.core.engine.request import Request
from imapkit.core.threads import inline
from imapkit.core.threads.waiters import Latch
from imapkit.errors import NestedCommandError
from imapkit.plugin import Session, Untagged
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer
from tests.core.rig import MARGIN, Answers, at_rest, connect, selected, until, within

GREETING = b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"
READER = "me reader"


class Interrupted(BaseException):
    """What the signal handler raises."""


class Watched:
    """A family whose response notes on which thread it is taken in, and can run something there."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.action: Callable[[], object] = int
        command = Command("X-ASK", State.ANY, result=("X-NEWS",))
        self.family = Family("watched", commands=(command,), responses={"X-NEWS": Response(apply=self._apply)})

    def _apply(self, session: Session, response: Untagged) -> None:
        self.threads.append(threading.current_thread().name)
        self.action()


def ask(conversation: Conversation, command: ReceivedCommand) -> None:
    """One line of news, and the end."""
    conversation.ok(command, untagged=b"* X-NEWS 1\r\n")


@pytest.fixture
def watched() -> Watched:
    return Watched()


@contextmanager
def rested(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, **handlers: Handler
) -> Iterator[tuple[imapkit.IMAP4, ScriptedServer]]:
    """A client whose reader rests until it is called."""
    monkeypatch.setattr(inline, "_REST", 60.0)
    by_name: dict[str, Handler] = {"X-ASK": ask} | {name.replace("_", "-"): handler for name, handler in handlers.items()}
    with (
        ScriptedServer(handlers=by_name, greeting=GREETING) as server,
        connect(server, families=["rev1", watched.family], identifier="me") as client,
        within(20),
    ):
        twice(client)
        yield client, server


def twice(client: imapkit.IMAP4) -> None:
    """A thread that asks twice may ask again: the reader rests."""
    client.noop()
    client.noop()
    at_rest(client)


def here() -> str:
    """The name of this thread."""
    return threading.current_thread().name


def test_a_caller_reads_its_own_answer(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    with rested(watched, monkeypatch) as (client, _):
        for _ in range(3):
            client.xatom("X-ASK")
    assert watched.threads == [here()] * 3


def test_the_first_answer_comes_from_the_reader(watched: Watched) -> None:
    with (
        ScriptedServer(handlers={"X-ASK": ask}, greeting=GREETING) as server,
        connect(server, families=["rev1", watched.family], identifier="me") as client,
    ):
        client.xatom("X-ASK")
    assert watched.threads == [READER]


def test_the_reader_takes_what_arrives_while_no_caller_waits(watched: Watched) -> None:
    seen = threading.Event()
    watched.action = seen.set

    def then_news(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        conversation.pause(0.02)
        conversation.send(b"* X-NEWS 1\r\n")

    with (
        ScriptedServer(handlers={"NOOP": then_news}, greeting=GREETING) as server,
        connect(server, families=["rev1", watched.family], identifier="me") as client,
    ):
        client.noop()
        assert seen.wait(10)
    assert watched.threads == [READER]


def test_a_command_with_a_callback_calls_the_reader(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    with rested(watched, monkeypatch) as (client, _):
        done = Answers()
        client.xatom("X-ASK", callback=done)
        assert done.next()[0][0] == "OK"
    assert watched.threads == [READER]


def test_a_long_answer_is_the_readers(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces, each of which can only be sent once the one before it has been taken in."""
    taken = threading.Semaphore(0)
    watched.action = taken.release

    def slowly(conversation: Conversation, command: ReceivedCommand) -> None:
        for _ in range(5):
            conversation.send(b"* X-NEWS 1\r\n")
            assert taken.acquire(timeout=10)
        conversation.ok(command)

    with rested(watched, monkeypatch, X_ASK=slowly) as (client, _):
        client.xatom("X-ASK")
    assert watched.threads == [here()] * 2 + [READER] * 3


def test_another_threads_command_is_not_forgotten(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer comes after that of the caller that reads inline, which must wake the reader before it returns."""

    def script(conversation: Conversation) -> None:
        for _ in range(2):
            conversation.ok(conversation.read_command())
        first, second = conversation.read_command(), conversation.read_command()
        conversation.ok(first)
        assert followed.wait(10)
        conversation.ok(second, untagged=b"* X-NEWS 1\r\n")
        conversation.serve()

    followed = threading.Event()
    monkeypatch.setattr(inline, "_REST", 60.0)
    with (
        ScriptedServer(script, greeting=GREETING) as server,
        connect(server, families=["rev1", watched.family], identifier="me") as client,
        within(20),
    ):
        twice(client)
        first = threading.Thread(target=client.noop)
        first.start()
        await_inline_reader([client])
        other = threading.Thread(target=client.noop)
        other.start()
        first.join()
        followed.set()
        other.join()
    # The reader's, unless the other caller has found that no caller reads inline.
    assert len(watched.threads) == 1


def idling(conversation: Conversation, command: ReceivedCommand) -> None:
    """Idle until the client sends DONE."""
    conversation.send(b"+ go on\r\n")
    assert conversation.read_line() == b"DONE"
    conversation.ok(command)


def with_news(conversation: Conversation, command: ReceivedCommand) -> None:
    """The same, and news."""
    conversation.send(b"+ go on\r\n* 4 EXISTS\r\n")
    assert conversation.read_line() == b"DONE"
    conversation.ok(command)


def test_another_command_interrupts_one_that_goes_on_while_its_own_thread_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline, "_REST", 60.0)
    with selected({"IDLE": idling}, families=["rev1", "idle"]) as (client, _), within(20):
        twice(client)
        idler = threading.Thread(target=client.idle)
        idler.start()
        until_it_idles(client)
        assert client.noop()[0] == "OK"
        idler.join()


def test_news_interrupt_it_on_the_thread_that_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline, "_REST", 60.0)
    with selected({"IDLE": with_news}, families=["rev1", "idle"]) as (client, _), within(20):
        twice(client)
        assert client.idle()[0] == "OK"
        assert client.response("EXISTS") == ("EXISTS", [b"4"])


def test_no_command_on_the_thread_that_reads(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    with rested(watched, monkeypatch) as (client, _):
        for action, why in ((client.noop, "on the thread that reads"), (client.logout, "cannot wait for its own end")):
            watched.action = action
            with pytest.raises(NestedCommandError, match=why):
                client.xatom("X-ASK")
        watched.action = int
        assert client.xatom("X-ASK")[0] == "OK"
    assert watched.threads == [here()] * 3


def test_every_caller_gets_the_end_of_the_stream(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.close()

    with rested(watched, monkeypatch, X_ASK=leave) as (client, _):
        with pytest.raises(ConnectionClosed, match="the server closed the connection"):
            client.xatom("X-ASK")
        client._live._reader.thread.join(10)
        with pytest.raises(ConnectionClosed, match="the server closed the connection"):
            client.noop()


def test_a_caller_that_reads_is_late_in_time(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.wait_closed()

    with rested(watched, monkeypatch, X_ASK=never) as (client, _), pytest.raises(imapkit.CommandTimeout):
        client.xatom("X-ASK", timeout=0.1)


# signals


@contextmanager
def handling(handler: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Have ``handler`` called on the main thread whenever the function that is given is called."""
    before = signal.signal(signal.SIGUSR1, lambda *_: handler())
    try:
        yield lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


def until_it_idles(client: imapkit.IMAP4) -> None:
    """Wait until a command has been accepted that goes on."""
    until(lambda: client._live.engine.listens, "nothing has been accepted")


def await_inline_reader(clients: list[imapkit.IMAP4]) -> None:
    """Wait until a caller has written its command, and reads."""
    until(lambda: clients[0]._live._inline._right, "no caller reads inline")


def interrupt() -> None:
    """Raise."""
    raise Interrupted


def test_a_caller_interrupted_while_it_waits_loses_nothing(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    go, told = threading.Event(), Answers()
    clients: list[imapkit.IMAP4] = []

    def interrupted(conversation: Conversation, command: ReceivedCommand) -> None:
        await_inline_reader(clients)
        send()
        assert go.wait(10)
        ask(conversation, command)

    with handling(interrupt) as send, rested(watched, monkeypatch, X_ASK=interrupted) as (client, _):
        clients.append(client)
        with pytest.raises(Interrupted):
            client.xatom("X-ASK")
        client.noop(callback=told)
        go.set()
        assert told.next()[0][0] == "OK"
        assert client.noop()[0] == "OK"
    assert watched.threads == [READER]


def test_a_caller_interrupted_while_it_takes_responses_in_ends_the_connection(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.action = interrupt
    with rested(watched, monkeypatch) as (client, _):
        with pytest.raises(Interrupted):
            client.xatom("X-ASK")
        client._live._reader.thread.join(10)
        with pytest.raises(ConnectionClosed, match="interrupted"):
            client.noop()


def test_a_signal_handler_may_issue_commands(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = []
    clients: list[imapkit.IMAP4] = []

    def script(conversation: Conversation) -> None:
        for _ in range(2):
            conversation.ok(conversation.read_command())
        first = conversation.read_command()
        await_inline_reader(clients)
        send()
        second = conversation.read_command()
        conversation.ok(first, b"first")
        conversation.ok(second, b"second")
        conversation.serve()

    monkeypatch.setattr(inline, "_POLL", 0.05)
    monkeypatch.setattr(inline, "_REST", 60.0)
    with (
        handling(lambda: answers.append(client.noop())) as send,
        ScriptedServer(script, greeting=GREETING) as server,
        connect(server, families=["rev1"]) as client,
        within(20),
    ):
        clients.append(client)
        twice(client)
        answers.append(client.noop())
    assert answers == [("OK", [b"second"]), ("OK", [b"first"])]


def test_a_signal_handler_that_issues_a_command_with_a_callback_holds_no_caller_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller goes on polling behind the handler, although the reader thread reads."""
    told = Answers()
    clients: list[imapkit.IMAP4] = []

    def script(conversation: Conversation) -> None:
        for _ in range(2):
            conversation.ok(conversation.read_command())
        first = conversation.read_command()
        await_inline_reader(clients)
        send()
        second = conversation.read_command()
        conversation.send(b"%b OK first\r\n%b OK second\r\n" % (first.tag, second.tag))
        conversation.serve()

    monkeypatch.setattr(inline, "_POLL", 5.0)
    monkeypatch.setattr(inline, "_REST", 60.0)
    with (
        handling(lambda: clients[0].noop(callback=told)) as send,
        ScriptedServer(script, greeting=GREETING) as server,
        connect(server, families=["rev1"]) as client,
        within(20),
    ):
        clients.append(client)
        twice(client)
        began = time.monotonic()
        assert client.noop() == ("OK", [b"first"])
        assert time.monotonic() - began < MARGIN
        assert told.next()[0] == ("OK", [b"second"])


def told_in_time(client: imapkit.IMAP4) -> object:
    told = Answers()
    client.noop(callback=told)
    return told.next()[0]


@pytest.mark.parametrize("wait", [told_in_time, lambda client: client.submit("NOOP").result(5)], ids=["callback", "future"])
def test_a_signal_handler_may_wait_for_what_it_issued(
    wait: Callable[[imapkit.IMAP4], object], watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[object] = []
    clients: list[imapkit.IMAP4] = []

    def script(conversation: Conversation, command: ReceivedCommand) -> None:
        await_inline_reader(clients)
        send()
        conversation.ok(conversation.read_command(), b"second")
        until(lambda: answers, "the handler waits in vain")
        ask(conversation, command)

    monkeypatch.setattr(inline, "_POLL", 0.05)
    with (
        handling(lambda: answers.append(wait(clients[0]))) as send,
        rested(watched, monkeypatch, X_ASK=script) as (client, _),
    ):
        clients.append(client)
        assert client.xatom("X-ASK")[0] == "OK"
    assert answers == [("OK", [b"second"])]


def test_a_signal_handler_may_end_what_its_own_thread_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler's command waits for its turn, and so for the answer to DONE, which its own thread would read."""
    answers: list[Any] = []
    monkeypatch.setattr(inline, "_POLL", 0.05)
    monkeypatch.setattr(inline, "_REST", 60.0)
    with (
        handling(lambda: answers.append(client.noop())) as send,
        selected({"IDLE": idling}, families=["rev1", "idle"]) as (client, _),
        within(20),
    ):
        twice(client)

        def later() -> None:
            until_it_idles(client)
            await_inline_reader([client])
            send()

        helper = threading.Thread(target=later)
        helper.start()
        answers.append(client.idle())
        helper.join()
    assert [typ for typ, _ in answers] == ["OK", "OK"]


def test_a_signal_handler_may_hang_up(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    clients: list[imapkit.IMAP4] = []

    def never(conversation: Conversation, command: ReceivedCommand) -> None:
        await_inline_reader(clients)
        send()
        conversation.ok(conversation.read_command())
        conversation.wait_closed()

    began = time.monotonic()
    with (
        handling(lambda: clients[0].logout()) as send,
        rested(watched, monkeypatch, X_ASK=never) as (client, _),
    ):
        clients.append(client)
        # It is alone in flight; LOGOUT waits for its turn, hanging up does not.
        client._logout_timeout = 0.1
        with pytest.raises(imapkit.IMAP4.abort):
            client.xatom("X-ASK")
        client._live._reader.thread.join(10)
        assert not client._live._reader.thread.is_alive()
    assert time.monotonic() - began < 9


def test_every_caller_is_woken_though_the_one_that_read_their_answers_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(conversation: Conversation) -> None:
        for _ in range(2):
            conversation.ok(conversation.read_command())
        first, second, third = (conversation.read_command() for _ in range(3))
        conversation.send(b"%b OK a\r\n%b OK b\r\n%b OK c\r\n" % (second.tag, third.tag, first.tag))
        conversation.wait_closed()

    monkeypatch.setattr(inline, "_REST", 60.0)
    with ScriptedServer(script, greeting=GREETING) as server, connect(server, families=["rev1"]) as client, within(20):
        twice(client)
        results: list[Any] = []
        called = Answers()
        others: list[threading.Thread] = []
        wake = Latch.done

        def once(latch: Latch, request: Request) -> None:
            monkeypatch.setattr(Latch, "done", wake)
            interrupt()

        def ask() -> None:
            await_inline_reader([client])
            others[0].start()
            until(lambda: client._live.engine.in_flight == 2, "the other command is not in flight")
            monkeypatch.setattr(Latch, "done", once)
            client.noop(callback=called)

        others.append(threading.Thread(target=lambda: results.append(client.noop())))
        helper = threading.Thread(target=ask)
        helper.start()
        with pytest.raises(Interrupted):
            client.noop()
        helper.join()
        others[0].join()
        assert results == [("OK", [b"a"])]
        assert called.next()[0] == ("OK", [b"b"])
        with pytest.raises(ConnectionClosed, match="interrupted"):
            client.noop()


class Company:
    """Other threads that use the same connection until it ends, with and without callbacks; notes calls without an answer."""

    def __init__(self, client: imapkit.IMAP4) -> None:
        self.client, self.wrong = client, queue.SimpleQueue[str]()
        self.owed = 0
        self.threads = [threading.Thread(target=self._ask), threading.Thread(target=self._ask_back)]
        for thread in self.threads:
            thread.start()

    def _ask(self) -> None:
        try:
            while True:
                self.client.noop(timeout=10)
        except imapkit.CommandTimeout as exc:
            self.wrong.put(repr(exc))
        except imapkit.IMAP4.error:
            pass  # the end, or the state after LOGOUT

    def _ask_back(self) -> None:
        try:
            while True:
                called = Answers()
                self.client.noop(callback=called)
                result, _, failure = called.next()
                if result is None and issubclass(failure[0], imapkit.CommandTimeout):
                    self.wrong.put(repr(failure))
        except imapkit.IMAP4.error:
            pass
        except BaseException as exc:
            self.wrong.put(f"never called: {exc!r}")

    def leave(self) -> None:
        """End the connection, and check that every call was answered."""
        self.client.logout()
        for thread in self.threads:
            thread.join()
        assert self.wrong.empty(), self.wrong.get()


@pytest.mark.heavy
@pytest.mark.parametrize("alone", [True, False])
def test_interrupted_at_any_moment(rng: random.Random, alone: bool) -> None:
    """Either the command has its own answer, or it was interrupted; and then the connection goes on, or says why not."""
    outcomes = {"answered": 0, "interrupted": 0, "torn": 0}
    reasons: set[str] = set()
    armed, stop = threading.Event(), threading.Event()

    def once() -> None:
        if armed.is_set():
            armed.clear()
            raise Interrupted

    def disturb() -> None:
        while not stop.wait(rng.random() * 0.001):
            send()

    def echo(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* X-NEWS %b\r\n" % command.args)

    family = Watched().family
    with handling(once) as send, ScriptedServer(handlers={"X-ASK": echo}, greeting=GREETING) as server:

        def begin() -> tuple[imapkit.IMAP4, Company | None]:
            client = connect(server, families=["rev1", family])
            return client, None if alone else Company(client)

        def end() -> None:
            client.logout() if company is None else company.leave()

        disturber = threading.Thread(target=disturb)
        client, company = begin()
        disturber.start()
        try:
            for number in range(2000 if alone else 500):
                try:
                    armed.set()
                    typ, data = client.xatom("X-ASK", str(number))
                    armed.clear()
                    assert (typ, data) == ("OK", [b"%d" % number])
                    outcomes["answered"] += 1
                except Interrupted:
                    outcomes["interrupted"] += 1
                except ConnectionClosed as exc:
                    armed.clear()
                    reasons.add(str(exc))
                    outcomes["torn"] += 1
                    end()
                    client, company = begin()
        finally:
            armed.clear()
            stop.set()
            disturber.join()
            end()
    assert all("interrupted" in reason for reason in reasons)
    assert outcomes["answered"] > 20, outcomes
    assert outcomes["interrupted"] > 20, outcomes


# callbacks


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.heavy
@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("turn", range(2))
def test_many_callbacks_beside_blocking_calls(watched: Watched, turn: int) -> None:
    """The reading thread changes all the time: nothing is lost, and callbacks stay in order."""
    called, last = list[int](), Answers()

    def echo(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* X-NEWS %b\r\n" % command.args)

    with (
        ScriptedServer(handlers={"X-ASK": echo}, greeting=GREETING) as server,
        connect(server, families=["rev1", watched.family], identifier="me") as client,
        within(50),
    ):
        for number in range(500):
            client.xatom("X-ASK", str(number), callback=lambda answer: called.append(int(answer[0][1][0])))
            if number % 3 == turn % 3:
                assert client.noop()[0] == "OK"
        client.noop(callback=last)
        last.next()
    assert called == list(range(500))


def test_a_callback_may_hang_up() -> None:
    done = Answers()
    with ScriptedServer(greeting=GREETING) as server, within(20):
        client = connect(server, families=["rev1"], identifier="me")
        client.noop(callback=lambda answer: done((client.logout(), None, None)))
        assert done.next()[0][0] == "BYE"
        reader = client._live._reader.thread
        reader.join(10)
        assert not reader.is_alive()


def test_callbacks_run_one_after_the_other_on_a_thread_of_their_own(watched: Watched) -> None:
    """While one takes its time the reader thread reads on, and the next one waits."""
    free, entered, ran = threading.Event(), threading.Event(), Answers()
    names: list[str] = []

    def block(answer: Any) -> None:
        names.append(here())
        entered.set()
        assert free.wait(10)

    def note(answer: Any) -> None:
        names.append(here())
        ran(answer)

    with (
        ScriptedServer(handlers={"X-ASK": ask}, greeting=GREETING) as server,
        connect(server, families=["rev1", watched.family], identifier="me") as client,
        within(20),
    ):
        client.noop(callback=block)
        assert entered.wait(10)
        client.noop(callback=note)
        assert client.xatom("X-ASK")[0] == "OK", "it is read while the callback blocks"
        assert names == ["me callbacks"]
        free.set()
        assert ran.next()[0] == ("OK", [b"done"])
    assert names == ["me callbacks"] * 2
