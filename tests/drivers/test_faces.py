"""One typed command in its three faces: time-outs, cancellation, the queue, and what is left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import contextmanager
from functools import partial

import pytest

from imapkit import BadResponse, ConnectionClosed, DeadlineExceeded, Flags, NoResponse, StateError
from imapkit.core.drivers.lease import Lease
from imapkit.core.engine.request import Request
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer, answering, refusing, rejecting
from imapkit.typed.client import AsyncClient, Client
from tests.core.rig import selected, until, within
from tests.threads.test_futures import MARGIN, Held

STATUS = b"* STATUS a (MESSAGES 3 UNSEEN 1 UIDNEXT 9 UIDVALIDITY 5)\r\n"


@contextmanager
def typed(handlers: dict[str, Callable[[Conversation, ReceivedCommand], None]]) -> Iterator[tuple[Client, ScriptedServer]]:
    with selected({"CHECK": answering(), **handlers}) as (raw, server), within(30):
        yield Client.over(raw), server


def test_blocking_future_and_asyncio_have_the_same_result() -> None:
    with typed({"STATUS": answering(STATUS)}) as (client, _):
        status = client.status("a")
        assert (status.messages, status.unseen) == (3, 1)
        assert client.nowait.status("a").result(MARGIN) == status

        async def ask() -> object:
            return await client.asynchronous.status("a")

        assert asyncio.run(ask()) == status


@pytest.mark.parametrize(("handler", "error"), [(refusing(), NoResponse), (rejecting(), BadResponse)])
def test_what_the_server_refuses_raises_in_every_face(
    handler: Callable[[Conversation, ReceivedCommand], None], error: type[Exception]
) -> None:
    with typed({"STATUS": handler}) as (client, _):
        with pytest.raises(error):
            client.status("a")
        assert isinstance(client.nowait.status("a").exception(MARGIN), error)
        with pytest.raises(error):
            asyncio.run(_awaited(client))


async def _awaited(client: Client) -> object:
    return await client.asynchronous.status("a")


def test_a_late_command_is_given_up_and_the_connection_goes_on() -> None:
    held = Held()
    with typed({"STATUS": held}) as (client, _):
        with pytest.raises(DeadlineExceeded) as late:
            client.with_options(timeout=0.05).status("a")
        assert isinstance(late.value, TimeoutError)
        held.go.set()
        client.noop()


def test_a_late_future_and_a_late_task_are_given_up() -> None:
    held = Held()
    with typed({"STATUS": held}) as (client, _):
        late = client.with_options(timeout=0.05)
        assert isinstance(late.nowait.status("a").exception(MARGIN), DeadlineExceeded)

        async def ask() -> None:
            with pytest.raises(DeadlineExceeded):
                await late.asynchronous.status("b")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.asynchronous.status("c")

        asyncio.run(ask())
        held.go.set()
        client.noop()


def test_a_queued_command_that_is_cancelled_is_never_sent() -> None:
    held = Held()
    with typed({"NOOP": held}) as (client, server):
        first = client.nowait.noop()
        assert held.come.wait(10)
        queued = client.nowait.run("SELECT", "other")
        assert queued.cancel()
        with pytest.raises(CancelledError):
            queued.result(0)

        async def cancelled() -> None:
            task = asyncio.ensure_future(client.asynchronous.run("SELECT", "third"))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancelled())
        held.go.set()
        first.result(MARGIN)
        client.noop()
        assert server.names.count("SELECT") == 1


def test_the_late_answer_of_a_cancelled_command_is_no_other_commands() -> None:
    held = Held()

    def search(conversation: Conversation, command: ReceivedCommand) -> None:
        if command.args == b"ALL":
            held.come.set()
            assert held.go.wait(10)
            conversation.ok(command, untagged=b"* SEARCH 1 2\r\n")
        else:
            conversation.ok(command, untagged=b"* SEARCH 7\r\n")

    with typed({"SEARCH": search}) as (client, _):
        first = client.nowait.run("SEARCH", "ALL", result=["SEARCH"])
        assert held.come.wait(10)
        assert first.cancel()
        second = client.nowait.run("SEARCH", "UNSEEN", result=["SEARCH"])
        held.go.set()
        assert second.result(MARGIN).values("SEARCH") == [(7,)]
        assert client.raw.response("SEARCH") == ("SEARCH", [None])


def test_a_state_error_is_the_futures() -> None:
    with typed({}) as (client, _):
        assert isinstance(client.nowait.run("LOGIN", "a", "b").exception(MARGIN), StateError)


def test_the_end_of_the_connection_ends_every_face() -> None:
    def goes(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.close()

    with typed({"NOOP": goes}) as (client, _):
        futures = [client.nowait.noop() for _ in range(5)]
        assert all(isinstance(future.exception(MARGIN), ConnectionClosed) for future in futures)
        with pytest.raises(ConnectionClosed):
            client.noop()


def test_callbacks_run_on_the_callback_thread_and_may_wait_for_futures() -> None:
    with typed({"STATUS": answering(STATUS)}) as (client, _):
        reader = client.raw._live._reader.thread
        found: Future[tuple[threading.Thread, object]] = Future()

        def called(future: object) -> None:
            try:
                found.set_result((threading.current_thread(), client.nowait.status("a").result(MARGIN).messages))
            except BaseException as exc:
                found.set_exception(exc)

        client.nowait.noop().add_done_callback(called)
        thread, messages = found.result(MARGIN)
        assert thread not in (reader, threading.main_thread())
        assert messages == 3


def test_thousands_behind_a_command_without_an_answer_are_submitted_without_a_wait() -> None:
    held = Held()
    with typed({"NOOP": held}) as (client, _):
        first = client.nowait.run("SELECT", "x")
        first.result(MARGIN)
        blocked = client.nowait.noop()
        assert held.come.wait(10)
        queued = [client.nowait.status(f"box{number}") for number in range(3000)]
        assert not any(future.done() for future in queued)
        assert all(future.cancel() for future in queued[1:])
        held.go.set()
        blocked.result(MARGIN)


def test_gathered_tasks_share_one_connection() -> None:
    def status(conversation: Conversation, command: ReceivedCommand) -> None:
        name = command.args.split(b" ")[0]
        conversation.ok(command, untagged=b"* STATUS %b (MESSAGES %b)\r\n" % (name, name[1:]))

    with typed({"STATUS": status}) as (client, _):

        async def ask() -> list[int | None]:
            found = await asyncio.gather(*(client.asynchronous.status(f"m{number}", "MESSAGES") for number in range(100)))
            return [status.messages for status in found]

        assert asyncio.run(ask()) == list(range(100))


def test_no_request_lives_longer_than_its_result() -> None:
    with typed({"STATUS": answering(STATUS)}) as (client, _):
        gc.collect()
        gc.disable()
        try:
            before = {id(each) for each in gc.get_objects() if isinstance(each, Request)}
            client.status("a")
            future = client.nowait.status("a")
            future.result(MARGIN)
            asyncio.run(_awaited(client))
            client.noop()

            def left() -> list[Request]:
                return [each for each in gc.get_objects() if isinstance(each, Request) and id(each) not in before]

            until(lambda: not left(), "a request is kept")
        finally:
            gc.enable()


def test_a_connection_is_freed_with_its_typed_client() -> None:
    with typed({}) as (client, _):
        raw = weakref.ref(client.raw)
        view = client.nowait
        view.noop().result(MARGIN)
        assert raw() is client.raw


def test_a_lease_is_given_first_come_first_served() -> None:
    with selected({"SELECT": answering(b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n")}) as (raw, _), within(30):
        client = Client.over(raw)
        order: list[int] = []
        threads = []
        with client.select("a") as box:
            assert (box.name, box.exists, box.uidvalidity) == ("a", 3, 7)
            for number in range(3):
                thread = threading.Thread(target=_use, args=(client, order, number))
                thread.start()
                threads.append(thread)
                until(partial(_waits, client, number + 1), "the thread does not wait")
            assert not order
        for thread in threads:
            thread.join(10)
        assert order == [0, 1, 2]


def _waits(client: Client, many: int) -> bool:
    lease: Lease = vars(client.raw)["_lease"]
    return len(lease._line) == many


def _use(client: Client, order: list[int], number: int) -> None:
    with client.select("b"):
        order.append(number)


def test_all_futures_are_done_after_wait() -> None:
    with typed({"STATUS": answering(STATUS)}) as (client, _):
        done, left = wait([client.nowait.status("a") for _ in range(50)], MARGIN)
        assert not left
        assert len(done) == 50


def test_an_async_client_over_a_connection() -> None:
    with selected({"SELECT": answering(b"* 1 EXISTS\r\n")}) as (raw, _), within(30):

        async def work() -> int:
            client = AsyncClient.over(raw)
            async with client.select("x", readonly=False) as box:
                return int(box.exists)

        assert asyncio.run(work()) == 1


def test_the_flags_that_can_be_changed() -> None:
    said = answering(b"* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n")
    with selected({"SELECT": said}) as (raw, _), Client.over(raw).select("a") as box:
        assert box.permanent_flags == Flags(["\\Seen", "\\*"])
        assert "\\seen" in box.permanent_flags
    with selected({"SELECT": answering()}) as (raw, _), Client.over(raw).select("a") as box:
        assert not box.permanent_flags
