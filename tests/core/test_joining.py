"""Single lines that are handed to whoever is writing one: who sends them, in which order, and what becomes of them."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import imapkit
from imapkit import ConnectionClosed, StateError
from imapkit.core import gate
from imapkit.core.request import Call, Request
from imapkit.family import Command, State
from tests.core.rig import Answers, answer_all, selected, until, within


class Slow:
    """Writes what a client sends, once it may; notes each write, and who did it."""

    def __init__(self, client: imapkit.IMAP4) -> None:
        self.writes: list[bytes] = []
        self.writers: list[str] = []
        self.begun = threading.Event()
        self.may = threading.Event()
        self.problem: BaseException | None = None
        self._write: Callable[..., None] = client._live.layers.write

    def write(self, data: bytes | memoryview, deadline: Any) -> None:
        """Write it, or raise ``problem``."""
        self.writes.append(bytes(data))
        self.writers.append(threading.current_thread().name)
        self.begun.set()
        assert self.may.wait(10)
        if self.problem is not None:
            raise self.problem
        self._write(data, deadline)

    def commands(self) -> list[list[str]]:
        """The names of the commands in each write."""
        return [[line.split()[1].decode() for line in data.splitlines()] for data in self.writes]


@contextmanager
def slowly(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[imapkit.IMAP4, Slow]]:
    """A client that is writing a NOOP on a thread of its own."""
    with selected({"STATUS": answer_all, "APPEND": answer_all}) as (client, _), within(20):
        client.capability()
        slow = Slow(client)
        monkeypatch.setattr(client._live.layers, "write", slow.write)
        results: list[Any] = []
        writer = threading.Thread(target=lambda: results.append(outcome(client.noop)), name="writer")
        writer.start()
        assert slow.begun.wait(10)
        try:
            yield client, slow
        finally:
            slow.may.set()
            writer.join()
        assert results == [("OK", [b"done"])] or slow.problem is not None, results


def outcome(command: Callable[[], Any]) -> Any:
    """What it returns, or the error that it raises."""
    try:
        return command()
    except BaseException as exc:
        return exc


def test_whoever_writes_sends_what_comes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    with slowly(monkeypatch) as (client, slow):
        done = Answers()
        client.noop(callback=done)
        client.status("box", "(MESSAGES)", callback=done)
        assert slow.commands() == [["NOOP"]]
        slow.may.set()
        assert done.next()[0] == ("OK", [b"done"])
        done.next()
    assert slow.commands()[:2] == [["NOOP"], ["NOOP", "STATUS"]]
    assert slow.writers[:2] == ["writer", "writer"]


def test_a_literal_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    with slowly(monkeypatch) as (client, slow):
        done = Answers()
        appender = threading.Thread(
            target=client.append, args=("box", None, None, b"abc"), kwargs={"callback": done}, name="appender"
        )
        appender.start()
        until(lambda: client._live.protocol.gate.waiting, "nobody waits for a turn")
        noop = threading.Thread(target=client.noop, name="late")
        noop.start()
        slow.may.set()
        noop.join()
        appender.join()
        assert done.next()[0][0] == "OK"
    assert slow.writers[1] == "appender", "who waits for a turn is not overtaken for ever"


def test_nobody_sends_for_others_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_ROUNDS", 1)
    with slowly(monkeypatch) as (client, slow):
        done, sent = Answers(), threading.Event()
        client.noop(callback=done)
        others = [threading.Thread(target=client.noop, name=f"other {i}") for i in range(3)]
        write = slow.write

        def then_more(data: bytes | memoryview, deadline: Any) -> None:
            if len(slow.writes) == 1:
                # What was handed over is being sent: now the others have to wait.
                for other in others:
                    other.start()
                until(lambda: len(client._live.protocol.gate._waiting) == len(others), "not everybody waits for a turn")
                sent.set()
            write(data, deadline)

        monkeypatch.setattr(client._live.layers, "write", then_more)
        slow.may.set()
        assert sent.wait(10)
        for other in others:
            other.join()
        done.next()
    assert slow.writers[:2] == ["writer", "writer"]
    assert slow.writers[2].startswith("other")


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), BrokenPipeError(32, "broken")])
def test_everybody_learns_that_it_could_not_be_sent(monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> None:
    monkeypatch.setattr("imapkit.core.connection._LAST_WORDS", 0.01)
    with slowly(monkeypatch) as (client, slow):
        done = Answers()
        client.noop(callback=done)
        slow.problem = problem
        slow.may.set()
        result, _, (kind, why) = done.next()
        assert (result, kind) == (None, ConnectionClosed)
        assert "broken" in why or "NOOP was interrupted while it was being sent" in why
        with pytest.raises(ConnectionClosed):
            client.noop()


def test_who_is_interrupted_after_he_has_handed_over_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with slowly(monkeypatch) as (client, slow):
        live = client._live

        def interrupted(*_: Any) -> None:
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(live._reading, "call", interrupted)
            with pytest.raises(KeyboardInterrupt):
                client.noop(callback=lambda answer: None)
        slow.may.set()
        assert client.noop()[0] == "OK"
    assert slow.commands()[1][0] == "NOOP"


@pytest.mark.parametrize("problem", [StateError, KeyboardInterrupt])
def test_who_has_the_turn_and_does_not_use_it_sends_what_was_handed_over(
    monkeypatch: pytest.MonkeyPatch, problem: type[BaseException]
) -> None:
    with selected({"LIST": answer_all}) as (client, server), within(20):
        live, done = client._live, Answers()

        def register(request: Request) -> None:
            monkeypatch.undo()
            monkeypatch.setattr(live, "_step_out", meanwhile)
            raise problem

        def meanwhile(request: Request) -> None:
            monkeypatch.undo()
            other = threading.Thread(target=client.noop, kwargs={"callback": done}, name="other")
            other.start()
            other.join()
            assert live._handed_over
            live._step_out(request)

        monkeypatch.setattr(live.protocol, "register", register)
        with pytest.raises(problem):
            client.list()
        assert done.next()[0] == ("OK", [b"done"])
        assert live.protocol.gate.writer is None
        assert client.list()[0] == "OK"
        assert server.names[-2:] == ["NOOP", "LIST"]


def test_what_is_shown_is_not_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    with slowly(monkeypatch) as (client, slow):
        client.debug, client.debug_file = 4, shown
        asker = threading.Thread(target=client.status, args=("box", "(MESSAGES)"), name="asker")
        asker.start()
        until(lambda: client._live.protocol.gate.waiting, "nobody waits for a turn")
        slow.may.set()
        asker.join()
        client.debug = 0
    assert "asker" in next(line for line in shown.getvalue().splitlines() if "STATUS box" in line)
    assert slow.writers[1] == "asker"


def test_who_goes_on_without_the_turn_sends_nobodys_lines() -> None:
    """IDLE gives the turn back once it is accepted; what is handed over then is for whoever writes by that time."""
    with selected() as (client, _):
        live = client._live
        idler, writer = (Request(Call(Command("X", State.ANY), (), [b"X"]), timeout=None, window=60) for _ in range(2))
        live._handed_over.append(b"T1 NOOP\r\n")
        live.protocol.gate.writer = writer
        idler.idling = True
        assert live._leave(idler) == b""
        idler.idling = False
        assert live._leave(idler) == b"", "somebody else has the turn"
        assert live._leave(writer) == b"T1 NOOP\r\n"
        assert live._leave(writer) == b""
        assert live.protocol.gate.writer is None
