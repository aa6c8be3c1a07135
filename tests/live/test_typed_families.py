"""The typed commands of the families beside ``rev1``, against the servers that announce them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import AsyncClient, BadResponse, Client, NoResponse
from imapkit.ext.rev1 import Exists, FlagsChanged
from tests.live.support import filled, letter, logged_in, needing, place
from tests.servers.base import Server

pytestmark = pytest.mark.live
SECONDS = 30.0


@contextmanager
def typed(server: Server, user: str = "tester") -> Iterator[Client]:
    with logged_in(server, user) as raw:
        yield Client.over(raw)


def test_quota(server: Server) -> None:
    needing(server, "QUOTA")
    with typed(server) as client:
        found = client.quota("INBOX")
        assert found
        assert found[0].resource("STORAGE")
        assert client.nowait.quota("INBOX").result(SECONDS)[0].name == found[0].name
        assert asyncio.run(_quota(client))[0].name == found[0].name


async def _quota(client: Client) -> Any:
    return await client.asynchronous.quota("INBOX")


def test_acl(server: Server) -> None:
    needing(server, "ACL")
    with typed(server) as client:
        box = place(server, "typed-acl")
        client.raw.create(box)
        try:
            assert "a" in client.my_rights(box)
            assert "l" in client.list_rights(box, "u08").grantable
            client.set_acl(box, "u08", "lr")
            assert {"l", "r"} <= client.acl(box)["u08"].letters
            client.nowait.set_acl(box, "u08", "-r").result(SECONDS)
            assert "r" not in client.acl(box)["u08"]
            client.delete_acl(box, "u08")
            assert "u08" not in client.acl(box)
        finally:
            client.raw.delete(box)


def test_annotation(server: Server) -> None:
    needing(server, "ANNOTATEMORE")
    with typed(server) as client:
        box = place(server, "typed-annotation")
        client.raw.create(box)
        try:
            client.set_annotation(box, "/comment", {"value.priv": "Gr\u00fc\u00dfe"})
            assert client.annotation(box, "/comment", "value.priv")[0].text("value.priv") == "Gr\u00fc\u00dfe"
        finally:
            client.raw.delete(box)


def test_namespaces(server: Server) -> None:
    needing(server, "NAMESPACE")
    with typed(server) as client:
        found = client.namespaces()
        assert found.personal
        assert client.nowait.namespaces().result(SECONDS) == found


def test_id(server: Server) -> None:
    needing(server, "ID")
    with typed(server) as client:
        assert isinstance(client.id(name="imapkit"), dict)


def test_enable(server: Server) -> None:
    needing(server, "ENABLE", "UTF8=ACCEPT")
    with typed(server) as client:
        assert client.enable("UTF8=ACCEPT") == {"UTF8=ACCEPT"}


def test_compress(server: Server) -> None:
    needing(server, "COMPRESS=DEFLATE")
    with typed(server) as client:
        client.compress()
        client.noop()
        # (Cyrus says BAD, RFC 4978 section 3 wants NO.)
        with pytest.raises((NoResponse, BadResponse)):
            client.compress()


def _once_it_listens(client: Client, change: Callable[[], object]) -> threading.Thread:
    """A thread that makes a change once the server has accepted IDLE: pymap sends no news of a change just before."""

    def work() -> None:
        end = time.monotonic() + SECONDS
        while not client.raw._live.engine.listens:
            assert time.monotonic() < end
            time.sleep(0)
        change()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_idle(server: Server) -> None:
    needing(server, "IDLE")
    with filled(server, "typed-idle", letter("one")) as (raw, box), logged_in(server) as other:
        client = Client.over(raw)
        with client.select(box) as inbox:
            thread = _once_it_listens(client, lambda: other.append(box, None, None, letter("two")))
            for event in inbox.idle(timeout=SECONDS):
                if isinstance(event, Exists):
                    assert (event.count, inbox.exists) == (2, 2)
                    break
            thread.join(SECONDS)
            client.noop()
            other.select(box)
            thread = _once_it_listens(client, lambda: other.store("1", "+FLAGS", r"(\Flagged)"))
            # (A server may report other flags first: pymap tells of \\Recent.)
            changed = (event for event in inbox.idle(timeout=SECONDS) if isinstance(event, FlagsChanged))
            assert next(event for event in changed if event.number == 1 and "\\flagged" in event.flags)
            thread.join(SECONDS)


def test_idle_with_asyncio(server: Server) -> None:
    needing(server, "IDLE")

    async def work(client: AsyncClient, box: str, raw: Client, change: Callable[[], object]) -> int:
        async with client.select(box) as inbox:
            thread = _once_it_listens(raw, change)
            async for event in inbox.idle(timeout=SECONDS):
                if isinstance(event, Exists):
                    await client.noop()
                    break
            await asyncio.to_thread(thread.join, SECONDS)
            return inbox.exists

    with filled(server, "typed-idle-async", letter("one")) as (raw, box), logged_in(server) as other:
        change = lambda: other.append(box, None, None, letter("two"))  # noqa: E731
        assert asyncio.run(work(AsyncClient.over(raw), box, Client.over(raw), change)) == 2
