"""A typed client against a scripted server, and calls by each of its faces."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias

import pytest

from imapkit import DeadlineExceeded
from imapkit.testing import Handler, ScriptedServer, answering
from imapkit.typed.client import Client
from tests.core.rig import selected, until, within

__all__ = ["FACES", "STATUS", "Ask", "Calls", "calling", "typed"]

STATUS = b"* STATUS a (MESSAGES 3 UNSEEN 1 UIDNEXT 9 UIDVALIDITY 5)\r\n"
FACES = ("blocking", "nowait", "asynchronous")
SECONDS = 10.0

Ask: TypeAlias = Callable[[Any], Any]
"""Makes a typed call on a client of any face."""


@contextmanager
def typed(handlers: Mapping[str, Handler] | None = None, **options: Any) -> Iterator[tuple[Client, ScriptedServer]]:
    """A typed client with INBOX selected, and its server."""
    with selected({"CHECK": answering(), **(handlers or {})}, **options) as (raw, server), within(30):
        # (As with an ``Account``. LOGIN has made them unknown.)
        raw._known_capabilities()
        yield Client.over(raw), server


class Calls:
    """Makes the calls of one face; each is a future here, however the face returns its result."""

    def __init__(self, face: str, pool: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop) -> None:
        self.face, self._pool, self._loop = face, pool, loop

    def start(self, client: Client, ask: Ask) -> Future[Any]:
        """Begin a call; returns once the command is queued, or in flight, or over."""
        engine = client.raw._live.engine
        before = len(engine.flight.live)
        if self.face == "nowait":
            future: Future[Any] = ask(client.nowait)
        elif self.face == "blocking":
            future = self._pool.submit(ask, client)
        else:
            future = asyncio.run_coroutine_threadsafe(ask(client.asynchronous), self._loop)
        until(lambda: future.done() or len(engine.flight.live) > before, "no command is submitted")
        return future

    def give_up(self, client: Client, ask: Ask, come: threading.Event | None = None) -> None:
        """Begin a call, and give it up, once ``come`` is set: by a time-out if the call blocks, else by ``cancel``."""
        if self.face == "blocking":
            late = self.start(client, lambda typed: ask(typed.with_options(timeout=0.05)))
            assert isinstance(late.exception(SECONDS), DeadlineExceeded)
            return
        future = self.start(client, ask)
        if come is not None:
            assert come.wait(SECONDS)
        assert future.cancel()
        with pytest.raises(CancelledError):
            future.result(SECONDS)
        self.settle()

    def settle(self) -> None:
        """Wait until the event loop has done what it was told so far."""

        async def nothing() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(nothing(), self._loop).result(SECONDS)

    def late(self, client: Client, ask: Ask, timeout: float) -> BaseException | None:
        """The exception of a call with a time-out."""
        future = self.start(client, lambda typed: ask(typed.with_options(timeout=timeout)))
        return future.exception(SECONDS)

    def result(self, client: Client, ask: Ask) -> Any:
        """The result of a call."""
        return self.start(client, ask).result(SECONDS)


@contextmanager
def calling(face: str) -> Iterator[Calls]:
    """The calls of one face, with an event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            yield Calls(face, pool, loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
