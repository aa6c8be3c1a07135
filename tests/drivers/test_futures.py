"""Typed futures beside those of the standard library, from several threads, and with event loops that end."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, as_completed, wait
from typing import Any

import pytest

from imapkit import BadResponse, NoResponse, Role
from imapkit.plugin import Reply, TypedCommands, Wire, command
from imapkit.testing import Conversation, ReceivedCommand, answering, refusing
from imapkit.typed.client import Client
from tests.core.rig import until
from tests.drivers.rig import SECONDS, STATUS, typed
from tests.interrupting import Interrupted
from tests.threads.test_futures import Held

LISTS = answering(b'* LIST (\\Sent) "/" Sent\r\n')


def both(client: Client) -> list[Future[Any]]:
    """A future of one command, and one of several."""
    return [client.nowait.status("a"), client.nowait.role(Role.SENT)]


def test_wait_and_as_completed() -> None:
    held = Held()
    with typed({"STATUS": answering(STATUS), "LIST": LISTS, "NOOP": held}) as (client, _):
        futures = [*both(client), *both(client)]
        assert {*as_completed(futures, SECONDS)} == {*futures}
        first, second = futures[0], client.nowait.noop()
        done, left = wait([first, second], SECONDS, FIRST_COMPLETED)
        assert (done, left) == ({first}, {second})
        held.go.set()
        assert wait([second], SECONDS).done == {second}


def test_cancelled_futures_are_done_for_wait_and_as_completed() -> None:
    """Those that are cancelled before the wait begins, and meanwhile; a second ``cancel`` changes nothing."""
    held = Held()
    with typed({"NOOP": held, "STATUS": answering(STATUS), "LIST": LISTS}) as (client, _):
        blocked = client.nowait.noop()
        assert held.come.wait(SECONDS)
        early, late = both(client), both(client)
        for future in early:
            assert future.cancel()
            assert future.cancel()
            assert not future.running()
        assert wait(early, SECONDS).not_done == set()
        with ThreadPoolExecutor(1) as pool:
            waits = pool.submit(wait, late, SECONDS)
            for future in late:
                assert future.cancel()
            assert waits.result(SECONDS).not_done == set()
        assert {*as_completed([*early, *late], SECONDS)} == {*early, *late}
        for future in (*early, *late):
            with pytest.raises(CancelledError):
                future.result(0)
        held.go.set()
        assert blocked.result(SECONDS) is None
        assert not blocked.cancel()
        client.noop()


def test_a_future_that_is_cancelled_by_two_threads_at_once() -> None:
    with typed({"STATUS": answering(STATUS), "LIST": LISTS}) as (client, _), ThreadPoolExecutor(3) as pool:
        for _ in range(50):
            for future in both(client):
                told: list[object] = []
                future.add_done_callback(told.append)
                results = [each.result(SECONDS) for each in [pool.submit(future.cancel) for _ in range(3)]]
                assert future.cancelled() is any(results), results
                assert wait([future], SECONDS).done
                until(lambda: told, "the callback is not called")  # noqa: B023
                assert told == [future]
        client.noop()


class Counting(TypedCommands[Any]):
    """Typed commands that note on which threads a result was made."""

    made: list[int] = []

    @command
    def counted(self) -> Wire[int]:
        def parse(reply: Reply) -> int:
            self.made.append(threading.get_ident())
            return len(self.made)

        return Wire("STATUS", "a", "(MESSAGES)", parse=parse)

    @command
    def interrupted(self) -> Wire[int]:
        def parse(reply: Reply) -> int:
            self.made.append(0)
            if len(self.made) == 1:
                raise Interrupted
            return len(self.made)

        return Wire("STATUS", "a", "(MESSAGES)", parse=parse)


def view(client: Client, monkeypatch: pytest.MonkeyPatch) -> Counting:
    """A view that no family declares."""
    monkeypatch.setattr(Counting, "made", [])
    twin = object.__new__(Counting)
    nowait = client.nowait
    twin._link, twin._face = nowait._link, nowait._face
    return twin


def test_two_threads_that_ask_for_one_result_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made once, on the thread that asks first."""
    with typed({"STATUS": answering(STATUS)}) as (client, _), ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            counting = view(client, monkeypatch)
            future: Any = counting.counted()
            results = {each.result(SECONDS) for each in [pool.submit(future.result, SECONDS) for _ in range(8)]}
            assert results == {1}
            assert len(counting.made) == 1
            assert counting.made[0] not in (client.raw._live._reader.ident, threading.get_ident())


def test_two_threads_get_the_same_error() -> None:
    with typed({"STATUS": refusing(b"[NONEXISTENT] no")}) as (client, _), ThreadPoolExecutor(8) as pool:
        future = client.nowait.status("a")
        errors = [each.exception(SECONDS) for each in [pool.submit(future.result, SECONDS) for _ in range(8)]]
        assert all(isinstance(error, NoResponse) for error in errors)
        assert isinstance(future.exception(0), NoResponse)


def test_an_interruption_while_a_result_is_made_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    with typed({"STATUS": answering(STATUS)}) as (client, _):
        future: Any = view(client, monkeypatch).interrupted()
        with pytest.raises(Interrupted):
            future.result(SECONDS)
        assert future.result(SECONDS) == 2
        assert future.exception(0) is None


def test_wrap_future() -> None:
    held = Held()

    def status(conversation: Conversation, command: ReceivedCommand) -> None:
        if command.args.startswith(b"held"):
            held(conversation, command)
        elif command.args.startswith(b"no"):
            conversation.no(command)
        else:
            conversation.ok(command, untagged=STATUS)

    with typed({"STATUS": status, "LIST": LISTS}) as (client, _):

        async def work() -> None:
            one, several = await asyncio.gather(*map(asyncio.wrap_future, both(client)))
            assert (one.messages, several.mailbox) == (3, "Sent")
            with pytest.raises(NoResponse):
                await asyncio.wrap_future(client.nowait.status("no"))
            inner = client.nowait.status("held")
            outer = asyncio.wrap_future(inner)
            await asyncio.to_thread(held.come.wait, SECONDS)
            outer.cancel()
            with pytest.raises(asyncio.CancelledError):
                await outer
            await asyncio.sleep(0)
            assert inner.cancelled()
            held.go.set()
            assert (await asyncio.wrap_future(client.nowait.status("a"))).messages == 3

        asyncio.run(work())


def test_an_event_loop_that_is_closed_with_a_command_in_flight() -> None:
    held = Held()
    with typed({"STATUS": held, "NOOP": answering()}) as (client, _):
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: None)
        task = loop.create_task(client.asynchronous.status("a"))
        loop.run_until_complete(asyncio.sleep(0))
        assert held.come.wait(SECONDS)
        loop.close()
        held.go.set()
        client.noop()
        assert not task.done()

        async def again() -> None:
            await asyncio.gather(*(client.asynchronous.noop() for _ in range(10)))

        asyncio.run(again())
        del task
        gc.collect()


def test_event_loops_are_freed() -> None:
    """Though their commands were answered by threads of the connection, which goes on."""
    with typed({"STATUS": answering(STATUS)}) as (client, _):
        loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

        async def work() -> None:
            loops.append(weakref.ref(asyncio.get_running_loop()))
            await asyncio.gather(*(client.asynchronous.status("a") for _ in range(5)))
            async with client.asynchronous.select("box"):
                pass

        for _ in range(5):
            asyncio.run(work())
        client.noop()
        gc.collect()
        assert not [loop for loop in loops if loop() is not None]


def test_a_client_is_shared_by_event_loops() -> None:
    with typed({"STATUS": answering(STATUS)}) as (client, _), ThreadPoolExecutor(4) as pool:

        async def work() -> int:
            found = await asyncio.gather(*(client.asynchronous.status("a") for _ in range(50)))
            return sum(status.messages or 0 for status in found)

        assert [each.result(SECONDS) for each in [pool.submit(lambda: asyncio.run(work())) for _ in range(4)]] == [150] * 4


@pytest.mark.parametrize("face", ["nowait", "asynchronous"])
def test_no_face_leaves_more_threads_than_one_connection_has(face: str) -> None:
    with typed({"STATUS": answering(STATUS)}) as (client, _):
        before = threading.active_count()

        async def work() -> None:
            await asyncio.gather(*(client.asynchronous.status("a") for _ in range(300)))

        if face == "nowait":
            wait([client.nowait.status("a") for _ in range(300)], SECONDS)
        else:
            asyncio.run(work())
        assert threading.active_count() <= before + 4


def test_a_refusal_by_bad() -> None:
    def bad(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.bad(command)

    with typed({"STATUS": bad, "LIST": bad}) as (client, _):
        assert [type(future.exception(SECONDS)) for future in both(client)] == [BadResponse, BadResponse]
