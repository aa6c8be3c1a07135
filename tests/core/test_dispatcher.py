"""The callback thread: jobs in order, on a thread of their own, to the end and after it; and who is late."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from imapkit.core.clock import Clock
from imapkit.core.dispatcher import Dispatcher
from imapkit.core.request import Call, Request
from imapkit.errors import error
from imapkit.family import Command, State


def nobody_is_late(request: Request) -> None:
    raise AssertionError("nobody is watched here")


@pytest.fixture
def dispatcher() -> Iterator[Dispatcher]:
    made = Dispatcher("some callbacks", nobody_is_late, list)
    yield made
    made.stop(5)


def told(names: queue.Queue[str]) -> Callable[[], None]:
    """A job that tells on which thread it runs."""
    return lambda: names.put(threading.current_thread().name)


def test_jobs_run_in_order_to_the_end(dispatcher: Dispatcher) -> None:
    done: list[int] = []
    free = threading.Event()
    dispatcher.post(lambda: free.wait(5))
    for number in range(100):
        dispatcher.post(lambda number=number: done.append(number))  # type: ignore[misc]
    dispatcher.stop(None)
    free.set()
    dispatcher.stop(5)
    assert done == list(range(100))


@pytest.mark.parametrize("before", [0, 1])
def test_after_the_end_a_job_still_has_a_thread_of_its_own(dispatcher: Dispatcher, before: int) -> None:
    """A reader that finds somebody to be told as another thread ends the connection must not be held up."""
    names: queue.Queue[str] = queue.Queue()
    for _ in range(before):
        dispatcher.post(told(names))
    dispatcher.stop(5)
    for _ in range(3):
        dispatcher.post(told(names))
        dispatcher.post(told(names))
        dispatcher.stop(5)
    assert [names.get_nowait() for _ in range(6 + before)] == ["some callbacks"] * (6 + before)
    assert names.empty()


def test_jobs_posted_by_many_while_it_ends_all_run(dispatcher: Dispatcher) -> None:
    names: queue.Queue[str] = queue.Queue()
    start = threading.Barrier(5)

    def post() -> None:
        start.wait(5)
        for _ in range(200):
            dispatcher.post(told(names))

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait(5)
    dispatcher.stop(5)
    for thread in threads:
        thread.join(5)
    dispatcher.stop(5)
    assert {names.get(timeout=5) for _ in range(800)} == {"some callbacks"}
    assert names.empty()


def named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_the_thread_ends_when_there_is_nothing_to_do_and_comes_back() -> None:
    dispatcher = Dispatcher("brief callbacks", nobody_is_late, list, linger=0.02)
    names: queue.Queue[str] = queue.Queue()
    assert named("brief callbacks") == []
    for _ in range(3):
        dispatcher.post(told(names))
        assert names.get(timeout=5) == "brief callbacks"
        for thread in named("brief callbacks"):
            thread.join(5)
        assert named("brief callbacks") == []
    dispatcher.stop(5)


def test_jobs_posted_as_the_thread_ends_all_run() -> None:
    dispatcher = Dispatcher("brief callbacks", nobody_is_late, list, linger=0)
    names: queue.Queue[str] = queue.Queue()
    for _ in range(300):
        dispatcher.post(told(names))
    assert {names.get(timeout=5) for _ in range(300)} == {"brief callbacks"}
    dispatcher.stop(5)


def pending(seconds: float) -> Request:
    return Request(Call(Command("NOOP", State.ANY), (), [b"NOOP"]), timeout=seconds, window=300)


def test_who_is_late_is_seen_to_on_a_thread_that_is_started_for_that() -> None:
    requests, seen = [pending(300), pending(0.02), pending(300)], queue.Queue[tuple[Request, str]]()

    def late(request: Request) -> None:
        request.complete = True
        seen.put((request, threading.current_thread().name))

    def watched() -> list[Request]:
        return [request for request in requests if request.watched and not request.complete]

    dispatcher = Dispatcher("patient callbacks", late, watched, Clock(), linger=60)
    for request in requests:
        dispatcher.watch(request)
    assert seen.get(timeout=5) == (requests[1], "patient callbacks")
    assert len(named("imapkit clock")) == 1
    requests[2].limit = time.monotonic() + 0.02
    dispatcher.watch(requests[2])
    assert seen.get(timeout=5) == (requests[2], "patient callbacks")
    dispatcher.stop(5)
    for thread in named("imapkit clock"):
        thread.join(5)
    assert seen.empty()


def test_who_is_not_late_any_more_is_watched_again() -> None:
    """Its time went on while a callback was running that took long."""
    request, looks = pending(0.01), queue.Queue[float]()

    def late(request: Request) -> None:
        looks.put(time.monotonic())
        request.limit = time.monotonic() + 0.01
        request.complete = looks.qsize() == 3

    dispatcher = Dispatcher("some callbacks", late, lambda: [request] * request.watched, Clock())
    dispatcher.watch(request)
    assert len({looks.get(timeout=5) for _ in range(3)}) == 3
    dispatcher.stop(5)


def no_more(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_without_a_thread_to_be_had_it_is_tried_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    request, done = pending(0), threading.Event()

    def late(request: Request) -> None:
        request.complete = True
        done.set()

    asked: list[float] = []
    clock = Clock()
    monkeypatch.setattr(clock, "at", lambda moment, watcher: asked.append(moment))
    dispatcher = Dispatcher("some callbacks", late, lambda: [request] * request.watched, clock)
    request.watched = True
    now = time.monotonic()
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", no_more)
        dispatcher.look(now)
    assert now + 1 <= asked[0] < now + 2
    assert "can't start new thread" in caplog.text
    dispatcher.look(now + 1)
    assert done.wait(5)
    dispatcher.stop(5)


@pytest.mark.parametrize("next_chance", ["another job", "the clock", "the end"])
def test_jobs_wait_for_a_thread_and_run_in_order(next_chance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that reads posts them: to raise there would end the connection."""
    dispatcher = Dispatcher("some callbacks", nobody_is_late, list, Clock())
    ran: queue.Queue[int] = queue.Queue()
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", no_more)
        dispatcher.post(lambda: ran.put(1))
        dispatcher.post(lambda: ran.put(2))
    assert ran.empty()
    if next_chance == "another job":
        dispatcher.post(lambda: ran.put(3))
    elif next_chance == "the clock":
        dispatcher.look(time.monotonic())
    dispatcher.stop(5)
    assert [ran.get(timeout=5) for _ in range(2)] == [1, 2]


def test_to_keep_the_time_without_a_thread_is_an_error_of_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    dispatcher = Dispatcher("some callbacks", nobody_is_late, list, Clock())
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", no_more)
        with pytest.raises(error, match="can't start new thread"):
            dispatcher.watch(pending(5))
    dispatcher.stop(5)


def test_nobody_serves_whose_start_was_interrupted(monkeypatch: pytest.MonkeyPatch, dispatcher: Dispatcher) -> None:
    """Two threads would call back at the same time, and one of them is not told of the end."""
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        started.append(thread)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    names: queue.Queue[str] = queue.Queue()
    with pytest.raises(KeyboardInterrupt):
        dispatcher.post(told(names))
    started[0].join(2)
    assert not started[0].is_alive()
    dispatcher.post(told(names))
    assert names.get(timeout=5)
    dispatcher.stop(5)
