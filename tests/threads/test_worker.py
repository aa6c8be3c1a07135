"""A thread on demand: jobs in order, to the end and after it, and where no thread can be had."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from imapkit.core.threads.clock import Clock
from imapkit.core.threads.worker import Worker, _waiting
from tests.core.rig import until

NAME = "some jobs"


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(NAME)
    yield made
    made.stop(5)


def told(names: queue.Queue[str]) -> Callable[[], None]:
    """A job that notes on which thread it runs."""
    return lambda: names.put(threading.current_thread().name)


def named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def no_more(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_no_thread_before_the_first_job(worker: Worker) -> None:
    assert named(NAME) == []
    worker.wake()
    assert named(NAME) == []


def test_jobs_run_in_order_to_the_end(worker: Worker) -> None:
    done: list[int] = []
    free = threading.Event()
    worker.post(lambda: free.wait(5))
    for number in range(100):
        worker.post(lambda number=number: done.append(number))  # type: ignore[misc]
    worker.stop(None)
    free.set()
    worker.stop(5)
    assert done == list(range(100))
    assert named(NAME) == []


def test_a_job_that_is_put_runs_once_the_worker_is_woken(worker: Worker) -> None:
    names: queue.Queue[str] = queue.Queue()
    worker.put(told(names))
    assert named(NAME) == []
    worker.wake()
    assert names.get(timeout=5) == NAME


def test_the_end_waits_for_jobs_that_were_only_put(worker: Worker) -> None:
    names: queue.Queue[str] = queue.Queue()
    worker.put(told(names))
    worker.stop(5)
    assert names.get_nowait() == NAME


def test_the_end_waits_for_a_thread_that_is_about_to_end(worker: Worker) -> None:
    """It serves no more, and has not ended."""
    names: queue.Queue[str] = queue.Queue()
    for _ in range(200):
        worker.post(told(names))
        assert names.get(timeout=5) == NAME
        worker.stop(5)
        assert named(NAME) == []


@pytest.mark.parametrize("before", [0, 1])
def test_after_the_end_a_job_still_has_a_thread_of_its_own(worker: Worker, before: int) -> None:
    """The reader thread, which has a callback to call as another thread ends the connection, must not be held up."""
    names: queue.Queue[str] = queue.Queue()
    for _ in range(before):
        worker.post(told(names))
    worker.stop(5)
    for _ in range(3):
        worker.post(told(names))
        worker.post(told(names))
        worker.stop(5)
    assert [names.get_nowait() for _ in range(6 + before)] == [NAME] * (6 + before)
    assert names.empty()


def test_jobs_posted_by_many_while_it_ends_all_run_one_at_a_time(worker: Worker) -> None:
    start, running, together = threading.Barrier(5), threading.Lock(), list[bool]()
    ran: queue.Queue[int] = queue.Queue()

    def job() -> None:
        together.append(not running.acquire(blocking=False))
        ran.put(1)
        running.release()

    def post() -> None:
        start.wait(5)
        for _ in range(200):
            worker.post(job)

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait(5)
    worker.stop(5)
    for thread in threads:
        thread.join(5)
    worker.stop(5)
    assert sum(ran.get(timeout=5) for _ in range(800)) == 800
    assert not any(together)


def test_the_thread_ends_when_there_is_nothing_to_do_and_comes_back() -> None:
    worker = Worker("brief jobs", linger=0.02)
    names: queue.Queue[str] = queue.Queue()
    for _ in range(3):
        worker.post(told(names))
        assert names.get(timeout=5) == "brief jobs"
        for thread in named("brief jobs"):
            thread.join(5)
        assert named("brief jobs") == []
    worker.stop(5)


def test_jobs_posted_as_the_thread_ends_all_run() -> None:
    worker = Worker("brief jobs", linger=0)
    names: queue.Queue[str] = queue.Queue()
    for _ in range(300):
        worker.post(told(names))
    assert {names.get(timeout=5) for _ in range(300)} == {"brief jobs"}
    worker.stop(5)


@pytest.mark.parametrize("wrong", [ZeroDivisionError, SystemExit, KeyboardInterrupt])
def test_an_error_of_a_job_is_logged_and_the_next_one_runs(
    worker: Worker, wrong: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    names: queue.Queue[str] = queue.Queue()

    def fail() -> None:
        raise wrong

    worker.post(fail)
    worker.post(told(names))
    assert names.get(timeout=5) == NAME
    assert "a callback raised" in caplog.text


def test_the_end_is_not_waited_for_on_its_own_thread(worker: Worker) -> None:
    ended = threading.Event()

    def end() -> None:
        assert worker.is_here
        worker.stop(5)
        ended.set()

    worker.post(end)
    assert ended.wait(2)
    assert not worker.is_here


def test_a_job_that_does_not_end_is_waited_for_as_long_as_was_said(worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    free, entered = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        free.wait(10)

    worker.post(hold)
    assert entered.wait(5)
    began = time.monotonic()
    worker.stop(0.05)
    assert 0.05 <= time.monotonic() - began < 2
    assert "still running" in caplog.text
    free.set()


@pytest.mark.parametrize("next_chance", ["another job", "a wake", "the clock", "the end"])
def test_without_a_thread_jobs_wait_and_run_in_order(
    worker: Worker, next_chance: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The reader thread posts them: to raise there would end the connection."""
    asked: list[float] = []
    clock = Clock()
    monkeypatch.setattr(clock, "at", lambda moment, watcher: asked.append(moment))
    monkeypatch.setattr("imapkit.core.threads.worker.CLOCK", clock)
    ran: queue.Queue[int] = queue.Queue()
    now = time.monotonic()
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", no_more)
        worker.post(lambda: ran.put(1))
        worker.post(lambda: ran.put(2))
    assert ran.empty()
    assert caplog.text.count("can't start new thread") == 1
    assert all(now + 1 <= moment < now + 3 for moment in asked)
    assert len(asked) == 2
    chances: dict[str, Callable[[], None]] = {
        "another job": lambda: worker.post(lambda: ran.put(3)),
        "a wake": worker.wake,
        "the clock": lambda: worker.look(now + 1),
        "the end": lambda: worker.stop(5),
    }
    chances[next_chance]()
    assert [ran.get(timeout=5) for _ in range(2)] == [1, 2]
    assert worker not in _waiting


def test_without_any_thread_the_clocks_included_nothing_is_lost(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imapkit.core.threads.worker.CLOCK", Clock())
    names: queue.Queue[str] = queue.Queue()
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", no_more)
        worker.post(told(names))
        worker.stop(0.1)
    worker.wake()
    assert names.get(timeout=5) == NAME


def test_the_clock_brings_the_jobs_of_a_worker_that_no_variable_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("imapkit.core.threads.worker.CLOCK", clock)
    monkeypatch.setattr("imapkit.core.threads.worker._RETRY", 0.02)
    names: queue.Queue[str] = queue.Queue()
    start = threading.Thread.start
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", lambda self: no_more(self) if self.name == NAME else start(self))
        Worker(NAME, linger=0).post(told(names))
    assert names.get(timeout=5) == NAME
    until(lambda: not named(NAME) and not named("imapkit clock"), "a thread stays")


def test_one_thread_serves_though_the_start_of_another_was_interrupted(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
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
        worker.post(told(names))
    worker.post(told(names))
    assert [names.get(timeout=5) for _ in range(2)] == [NAME] * 2
    worker.stop(5)
    assert not started[0].is_alive()


def test_an_interruption_before_the_start_leaves_no_thread_to_wait_for(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(thread: threading.Thread) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    names: queue.Queue[str] = queue.Queue()
    with pytest.raises(KeyboardInterrupt):
        worker.post(told(names))
    worker.stop(5)
    assert names.get_nowait() == NAME, "the end starts another one"
