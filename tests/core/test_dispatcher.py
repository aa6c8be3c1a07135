"""The callback thread: jobs in order, on a thread of their own, to the end and after it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from imapkit.core.dispatcher import Dispatcher
from imapkit.core.request import Request


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
