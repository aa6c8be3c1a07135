"""Nothing of a typed call outlives it: no request with its answer, no stream that was left, no callback."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from imapkit import FLAGS, DeadlineExceeded, NestedCommandError, NoResponse, Role, Source, q
from imapkit.core.engine.request import Request
from imapkit.testing import Conversation, Handler, ReceivedCommand, answering, refusing
from imapkit.typed.client import Client
from tests.core.rig import until
from tests.drivers.rig import SECONDS, STATUS, typed
from tests.threads.test_futures import Held


def fetch(conversation: Conversation, command: ReceivedCommand) -> None:
    """All messages that are asked for."""
    low, _, high = command.args.split(b" ")[0].partition(b":")
    rows = b"".join(b"* %d FETCH (UID %d FLAGS (\\Seen))\r\n" % (uid, uid) for uid in range(int(low), int(high or low) + 1))
    conversation.ok(command, untagged=rows)


HANDLERS: dict[str, Handler] = {
    "STATUS": answering(STATUS),
    "LIST": answering(b'* LIST (\\Sent) "/" Sent\r\n'),
    "UID FETCH": fetch,
    "UID SEARCH": answering(b"* SEARCH 1 2\r\n"),
    "CREATE": refusing(),
}


@contextmanager
def no_request_left() -> Iterator[None]:
    """Fails if a request that was made in the block is alive after it; the collector is off."""
    gc.collect()
    gc.disable()
    try:
        before = {id(each) for each in gc.get_objects() if isinstance(each, Request)}
        yield

        def left() -> list[Request]:
            return [each for each in gc.get_objects() if isinstance(each, Request) and id(each) not in before]

        try:
            until(lambda: not left(), "a request is kept")
        except AssertionError as exc:
            found = [(each.call.name, [type(one) for one in gc.get_referrers(each)]) for each in left()]
            raise AssertionError(f"{len(found)} kept: {found}") from exc
    finally:
        gc.enable()


def futures(client: Client) -> object:
    kept = [client.nowait.status("a") for _ in range(50)]
    assert all(future.result(SECONDS).messages == 3 for future in kept)
    return kept


def series(client: Client) -> object:
    kept = [client.nowait.role(Role.SENT) for _ in range(20)]
    assert all((found := future.result(SECONDS)) and found.mailbox == "Sent" for future in kept)
    return kept


def refusals(client: Client) -> object:
    kept = [client.nowait.create("x") for _ in range(5)]
    for future in kept:
        with pytest.raises(NoResponse):
            future.result(SECONDS)
    with pytest.raises(NoResponse):
        client.create("x")
    return kept


def tasks(client: Client) -> object:
    async def work() -> list[Any]:
        return await asyncio.gather(
            *(client.asynchronous.status("a") for _ in range(50)), *(client.asynchronous.role(Role.SENT) for _ in range(10))
        )

    return asyncio.run(work())


def blocking(client: Client) -> object:
    return [client.status("a"), client.role(Role.SENT)]


def with_time_outs(client: Client) -> object:
    """The moments at which they would be late are far away."""
    patient = client.with_options(timeout=600)
    return [blocking(patient), futures(patient), series(patient), tasks(patient)]


def cancelled(client: Client) -> object:
    kept = [client.nowait.status("a") for _ in range(20)] + [client.nowait.role(Role.SENT) for _ in range(20)]
    for future in kept:
        if not future.cancel():
            future.result(SECONDS)
    client.noop()
    return kept


def late(client: Client) -> object:
    hasty = client.with_options(timeout=0.0005)
    kept: list[Future[Any]] = []
    for _ in range(20):
        # (On a busy machine the time is over before the call has sent anything.)
        with suppress(DeadlineExceeded):
            kept.append(hasty.nowait.status("a"))
        with suppress(DeadlineExceeded):
            kept.append(hasty.nowait.role(Role.SENT))
    for future in kept:
        future.exception(SECONDS)
    client.noop()
    return kept


def streams(client: Client) -> object:
    with client.select("box") as box:
        return [list(box.fetch(range(1, 21), FLAGS, chunk=3)), box.nowait.fetch(range(1, 21), FLAGS, chunk=3).result(SECONDS)]


def streams_left(client: Client) -> object:
    kept: list[Any] = []
    with client.select("box") as box:
        for message in box.fetch(range(1, 21), FLAGS, chunk=3):
            kept.append(message)
            break

    async def work() -> None:
        async with client.asynchronous.select("box") as box:
            async for message in box.fetch(range(1, 21), FLAGS, chunk=3):
                kept.append(message)
                break

    asyncio.run(work())
    client.noop()
    return kept


USES = [futures, series, refusals, tasks, blocking, with_time_outs, cancelled, late, streams, streams_left]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_no_request_is_alive_after_its_result(use: Callable[[Client], object]) -> None:
    """Though the results, and the futures, are kept."""
    with typed(HANDLERS) as (client, _), no_request_left():
        kept = use(client)
        client.noop()
    del kept


def test_no_request_is_kept_by_a_future_that_is_done_before_it_is_returned() -> None:
    """The answer comes while the caller that submits is held up."""
    with typed(HANDLERS) as (client, _), no_request_left():
        callers = client.raw._live.callers
        enqueue = callers.enqueue
        kept: list[object] = []

        def slow(*args: Any, **options: Any) -> Request:
            request = enqueue(*args, **options)
            until(lambda: request.released and request.waiter is None, "no answer comes")
            crew = client.raw._live._futures._crew
            until(lambda: crew is None or crew.jobs.empty(), "the future is not completed")
            return request

        callers.enqueue = slow  # type: ignore[method-assign]
        for _ in range(20):
            future = client.nowait.status("a")
            assert future.result(SECONDS).messages == 3
            kept.append(future)
            series = client.nowait.role(Role.SENT)
            found = series.result(SECONDS)
            assert found is not None
            assert found.mailbox == "Sent"
            kept.append(series)
        del callers.enqueue, slow


class Chunks:
    """UID FETCH: the first chunk is answered at once, the second when the test says so."""

    def __init__(self) -> None:
        self.held, self.count = Held(), 0

    def __call__(self, conversation: Conversation, command: ReceivedCommand) -> None:
        self.count += 1
        if self.count == 2:
            self.held.come.set()
            assert self.held.go.wait(SECONDS)
        fetch(conversation, command)


def left_by_a_thread(client: Client) -> None:
    with client.select("box") as box:
        for message in box.fetch(range(1, 61), FLAGS, chunk=10):
            assert message.uid == 1
            break


def left_by_an_exception(client: Client) -> None:
    def look(box: Any) -> None:
        for message in box.fetch(range(1, 61), FLAGS, chunk=10):
            raise ZeroDivisionError(message.uid)

    with client.select("box") as box, pytest.raises(ZeroDivisionError):
        look(box)


def left_by_a_task(client: Client) -> None:
    async def work() -> None:
        async with client.asynchronous.select("box") as box:
            async for message in box.fetch(range(1, 61), FLAGS, chunk=10):
                assert message.uid == 1
                break

    asyncio.run(work())


def left_by_a_cancelled_task(client: Client) -> None:
    async def work() -> None:
        async with client.asynchronous.select("box") as box:
            seen = []

            async def look() -> None:
                async for message in box.fetch(range(1, 61), FLAGS, chunk=10):
                    seen.append(message.uid)  # noqa: PERF401 - it is cancelled in the middle

            task = asyncio.ensure_future(look())
            while len(seen) < 10:  # noqa: ASYNC110 - the loop is what is watched
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(work())


def left_with_its_loop(client: Client) -> None:
    """It is still referenced when the event loop ends, which closes it."""
    kept: list[Any] = []
    problems: list[Any] = []

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
        async with client.asynchronous.select("box") as box:
            stream = box.fetch(range(1, 61), FLAGS, chunk=10)
            kept.append(stream)
            assert (await anext(stream)).uid == 1

    asyncio.run(work())
    assert problems == []


def left_by_cancel(client: Client) -> None:
    with client.select("box") as box:
        future = box.nowait.fetch(range(1, 61), FLAGS, chunk=10)
        until(lambda: client.raw._live.engine.in_flight, "nothing is asked for")
        assert future.cancel()


LEFT = [left_by_a_thread, left_by_an_exception, left_by_a_task, left_by_a_cancelled_task, left_with_its_loop, left_by_cancel]


@pytest.mark.parametrize("leave", LEFT, ids=lambda leave: leave.__name__)
def test_a_stream_that_is_left_gives_its_chunk_up(leave: Callable[[Client], None]) -> None:
    """The answer is dropped when it comes, no further chunk is asked for, and the connection goes on."""
    chunks = Chunks()
    with typed({**HANDLERS, "UID FETCH": chunks}) as (client, server):
        leave(client)
        engine = client.raw._live.engine
        until(lambda: all(request.abandoned for request in list(engine.flight.live)), "a chunk is not given up")
        chunks.held.go.set()
        client.noop()
        assert server.names.count("UID FETCH") <= 3
        assert client.raw.response("FETCH") == ("FETCH", [None])
        until(lambda: engine.idle, "something is left")
        with client.select("box") as box:
            assert [message.uid for message in box.fetch(7, FLAGS)] == [7]


def test_commands_run_in_the_loop_over_a_stream() -> None:
    with typed({**HANDLERS, "UID STORE": answering()}) as (client, _), client.select("box") as box:
        seen = []
        for message in box.fetch(range(1, 61), FLAGS, chunk=10):
            seen.append(message.uid)
            if message.uid % 7 == 0:
                assert client.status("a").messages == 3
                box.add_flags(message.uid, "\\Flagged")
        assert seen == list(range(1, 61))


def test_a_stream_is_not_waited_for_on_a_thread_of_the_connection() -> None:
    """A progress function, which runs on the thread that sends, would wait for ever."""
    with typed({**HANDLERS, "APPEND": answering()}) as (client, _), client.select("box") as box:
        errors: list[BaseException] = []

        def progress(done: int, total: int | None) -> None:
            for call in (lambda: list(box.fetch(1, FLAGS)), lambda: box.search(q.all_), lambda: client.status("a")):
                try:
                    call()
                except NestedCommandError as exc:
                    errors.append(exc)

        source = Source(5, iter([b"hello"]), progress=progress)
        assert client.raw.append("box", None, None, source)[0] == "OK"
        assert len(errors) >= 3


def test_callbacks_of_many_futures_are_each_called_once_whatever_their_end() -> None:
    held = Held()
    with typed({**HANDLERS, "NOOP": held}) as (client, _):
        first = client.nowait.noop()
        assert held.come.wait(SECONDS)
        told: list[object] = []
        lock = threading.Lock()

        def called(future: object) -> None:
            with lock:
                told.append(future)

        every: list[Any] = [
            *(client.nowait.status("a") for _ in range(20)),
            *(client.nowait.role(Role.SENT) for _ in range(20)),
            *(client.nowait.create("x") for _ in range(20)),
            *(client.with_options(timeout=0.01).nowait.status("a") for _ in range(20)),
        ]
        for future in every:
            future.add_done_callback(called)
        for future in every[::3]:
            future.cancel()
        held.go.set()
        first.result(SECONDS)
        until(lambda: len(told) >= len(every), "a callback is not called")
        client.noop()
        assert {*told} == {*every}
        assert len(told) == len(every)
