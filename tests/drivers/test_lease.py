"""The lease on the selected mailbox: stale handles, waiting threads and tasks, and how they stop waiting."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import ConnectionClosed, DeadlineExceeded, MailboxBusy, MailboxClosed, NoResponse, q
from imapkit.testing import Conversation, Handler, ReceivedCommand, answering
from imapkit.typed.client import AsyncClient, AsyncMailbox, Client
from tests.core.rig import until
from tests.drivers.rig import SECONDS, typed
from tests.threads.test_fork import in_a_child
from tests.threads.test_futures import Held

SEARCH: dict[str, Handler] = {"UID SEARCH": answering(b"* SEARCH 1 2\r\n"), "CLOSE": answering()}


async def _opened(client: AsyncClient, name: str) -> AsyncMailbox:
    return await client.select(name)


def waiting(client: Client) -> int:
    """How many threads and tasks wait for the mailbox."""
    return len(vars(client.raw)["_lease"]._line)


def search_blocking(client: Client, box: Any) -> object:
    return box.search()


def search_nowait(client: Client, box: Any) -> object:
    return box.nowait.search().result(SECONDS)


def stream_blocking(client: Client, box: Any) -> object:
    return list(box.fetch(1))


def stream_nowait(client: Client, box: Any) -> object:
    return box.nowait.fetch(1).result(SECONDS)


def check_nowait(client: Client, box: Any) -> object:
    return box.nowait.check().result(SECONDS)


USES = [search_blocking, search_nowait, stream_blocking, stream_nowait, check_nowait]


def leave(client: Client, box: Any) -> None:
    box.close()


def select_raw(client: Client, box: Any) -> None:
    client.raw.select("other")


def select_raw_again(client: Client, box: Any) -> None:
    """The same mailbox: what the handle knows of it may be old."""
    client.raw.select("box")


def close_raw(client: Client, box: Any) -> None:
    client.raw.close()


@pytest.mark.parametrize("stale", [leave, select_raw, select_raw_again, close_raw], ids=lambda stale: stale.__name__)
@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_a_stale_mailbox_sends_nothing(use: Callable[[Client, Any], object], stale: Callable[[Client, Any], None]) -> None:
    with typed(SEARCH) as (client, server):
        box = client.select("box")
        stale(client, box)
        before = len(server.names)
        with pytest.raises(MailboxClosed):
            use(client, box)
        client.noop()
        assert server.names[before:] == ["NOOP"]
        box.close()


def test_a_stale_mailbox_of_asyncio_sends_nothing() -> None:
    with typed(SEARCH) as (client, server):

        async def work() -> None:
            async with client.asynchronous.select("box") as box:
                assert list(await box.search(q.all_)) == [1, 2]
                await asyncio.get_running_loop().run_in_executor(None, client.raw.select, "other")
                with pytest.raises(MailboxClosed):
                    await box.search()
                with pytest.raises(MailboxClosed):
                    await box.check()
                with pytest.raises(MailboxClosed):
                    async for _ in box.fetch(1):
                        pass
            with pytest.raises(MailboxClosed):
                await box.search()

        asyncio.run(work())
        assert server.names.count("UID SEARCH") == 1


def test_a_command_behind_a_raw_select_is_not_sent_in_the_other_mailbox() -> None:
    """It is queued while its own mailbox is still selected."""
    held = Held()
    with typed({**SEARCH, "NOOP": held}) as (client, server):
        with client.select("box") as box:
            first = client.nowait.noop()
            assert held.come.wait(SECONDS)
            other = client.raw.submit("SELECT", "other")
            late: list[Future[Any]] = [box.nowait.search(), box.nowait.check(), box.nowait.add_flags(1, "\\Deleted")]
            held.go.set()
            first.result(SECONDS)
            assert other.result(SECONDS)[0] == "OK"
            for future in late:
                assert isinstance(future.exception(SECONDS), MailboxClosed)
        assert not {"UID SEARCH", "CHECK", "UID STORE"} & set(server.names)


def test_what_was_queued_before_the_mailbox_was_left_is_still_sent() -> None:
    held = Held()

    def search(conversation: Conversation, command: ReceivedCommand) -> None:
        if not held.come.is_set():
            held.come.set()
            assert held.go.wait(SECONDS)
        conversation.ok(command, untagged=b"* SEARCH 1 2\r\n")

    with typed({"UID SEARCH": search}) as (client, _):
        with client.select("box") as box:
            futures = [box.nowait.search(), box.nowait.search(q.seen)]
            assert held.come.wait(SECONDS)
            assert client.raw._live.engine.queued == 1
        held.go.set()
        assert [list(future.result(SECONDS)) for future in futures] == [[1, 2], [1, 2]]


def test_a_thread_is_busy_with_its_own_mailbox() -> None:
    with typed() as (client, _):
        with client.select("box"), pytest.raises(MailboxBusy):
            client.select("other")
        with client.select("other") as box:
            assert box.name == "other"


@contextmanager
def held_by_another_thread(client: Client) -> Iterator[threading.Event]:
    """Another thread has the mailbox until the event is set."""
    go, come = threading.Event(), threading.Event()

    def hold() -> None:
        with client.select("held"):
            come.set()
            assert go.wait(SECONDS)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        assert come.wait(SECONDS)
        try:
            yield go
        finally:
            go.set()
            held.result(SECONDS)


def test_a_time_out_while_a_thread_waits_for_the_lease() -> None:
    with typed() as (client, server), held_by_another_thread(client) as go:
        before = len(server.names)
        with pytest.raises(DeadlineExceeded, match="nothing was sent"):
            client.with_options(timeout=0.02).select("late")
        assert len(server.names) == before
        assert not waiting(client)
        go.set()
        with client.select("next") as box:
            assert box.name == "next"


def test_a_task_that_is_cancelled_while_it_waits_for_the_lease() -> None:
    with typed() as (client, server):

        async def work() -> None:
            typed_client = client.asynchronous
            async with typed_client.select("held"):
                tasks = [asyncio.ensure_future(_opened(typed_client, name)) for name in ("one", "two", "three")]
                while waiting(client) < 3:  # noqa: ASYNC110 - the lease has no event
                    await asyncio.sleep(0)
                tasks[1].cancel()
                with pytest.raises(asyncio.CancelledError):
                    await tasks[1]
                assert waiting(client) == 2
                with pytest.raises(DeadlineExceeded):
                    await asyncio.create_task(_opened(typed_client.with_options(timeout=0.02), "late"))
            one = await tasks[0]
            assert one.name == "one"
            one.close()
            (await tasks[2]).close()

        asyncio.run(work())
        assert server.names.count("SELECT") == 4
        with client.select("after"):
            pass


def test_a_task_that_is_cancelled_as_it_is_given_the_mailbox_gives_it_on() -> None:
    with typed() as (client, _):

        async def work() -> None:
            typed_client = client.asynchronous
            box = await typed_client.select("held")
            first = asyncio.ensure_future(_opened(typed_client, "one"))
            second = asyncio.ensure_future(_opened(typed_client, "two"))
            while waiting(client) < 2:  # noqa: ASYNC110 - the lease has no event
                await asyncio.sleep(0)
            box.close()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            (await second).close()

        asyncio.run(work())


def test_a_select_that_is_refused_or_late_gives_the_mailbox_on() -> None:
    held = Held()

    def select(conversation: Conversation, command: ReceivedCommand) -> None:
        if command.args == b"refused":
            conversation.no(command)
        elif command.args == b"late":
            held(conversation, command)
        else:
            conversation.ok(command, untagged=b"* 1 EXISTS\r\n")

    with typed({"SELECT": select}) as (client, _server):
        with pytest.raises(NoResponse):
            client.select("refused")
        with pytest.raises(DeadlineExceeded):
            client.with_options(timeout=0.05).select("late")
        with ThreadPoolExecutor(1) as pool:
            following: Future[Any] = pool.submit(client.select, "following")
            held.go.set()
            box = following.result(SECONDS)
            assert client.raw._live.engine.session.mailbox == "following"
            box.nowait.check().result(SECONDS)
            box.close()


def test_the_end_of_the_connection_ends_every_wait_for_the_lease() -> None:
    """Though the holder does not leave."""
    with typed() as (client, _server):
        box = client.select("held")

        async def opened() -> None:
            await client.asynchronous.select("task")

        with ThreadPoolExecutor(3) as pool:
            waits: list[Future[Any]] = [pool.submit(client.select, "thread"), pool.submit(asyncio.run, opened())]
            until(lambda: waiting(client) == 2, "they do not wait")
            client.raw._live.fail(ConnectionClosed("the end"))
            failures = [future.exception(SECONDS) for future in waits]
        assert [str(failure) for failure in failures] == ["the end"] * 2
        with pytest.raises(MailboxBusy):
            client.select("held, too")
        box.close()
        with pytest.raises(ConnectionClosed, match="the end"):
            client.select("after")


def test_a_mailbox_that_is_dropped_is_left() -> None:
    with typed() as (client, _):
        box = client.select("dropped")
        again = box.nowait
        del box
        gc.collect()
        with pytest.raises(MailboxBusy):
            client.select("busy")
        del again
        gc.collect()
        with client.select("free"):
            pass


def test_a_child_of_fork_does_not_wait_for_a_thread_of_its_parent() -> None:
    with typed(SEARCH) as (client, server), held_by_another_thread(client):
        before = len(server.names)

        def select() -> None:
            for call in (
                lambda: client.select("x"),
                lambda: asyncio.run(_select(client)),
                lambda: client.status("a"),
                lambda: client.nowait.status("a").result(1),
                lambda: asyncio.run(client.asynchronous.status("a")),
            ):
                with pytest.raises(ConnectionClosed, match="the process that opened it"):
                    call()
            client.close()

        assert in_a_child(select) == "ok"
        client.noop()
        assert server.names[before:] == ["NOOP"]


async def _select(client: Client) -> None:
    await client.asynchronous.select("x")
