"""aioimaplib, for asyncio."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import aioimaplib

from bench.clients.common import STATUS, Fetching, Importable
from bench.payloads import APPENDED, MESSAGE
from bench.worker import Run

_PATIENCE = 20.0


def _fail(broken: asyncio.Future[None], context: dict[str, Any]) -> None:
    if not broken.done():
        broken.set_exception(context.get("exception") or RuntimeError(context["message"]))


class Client(Fetching, Importable):
    """One event loop a piece of work."""

    module = "aioimaplib"

    async def connect(self, run: Run) -> Any:
        """A client, logged in, with the mailbox selected."""
        if run.cafile is not None:
            context = ssl.create_default_context(cafile=run.cafile)
            client: Any = aioimaplib.IMAP4_SSL(run.host, run.port, timeout=_PATIENCE, ssl_context=context)
        else:
            client = aioimaplib.IMAP4(run.host, run.port, timeout=_PATIENCE)
        await client.wait_hello_from_server()
        await client.login(run.user, run.password)
        await client.select(run.mailbox)
        return client

    def _timed(self, run: Run, work: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        async def all_of_it() -> None:
            # It reports no error while it reads: it waits on, without end.
            broken = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().set_exception_handler(lambda _, context: _fail(broken, context))
            client = await self.connect(run)
            with run.timed():
                done, _ = await asyncio.wait({broken, asyncio.ensure_future(work(client))}, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    future.result()
            await client.logout()

        asyncio.run(all_of_it())

    def _fetch(self, run: Run, items: str, each: int) -> None:
        self._asked(run, f"1:{run.size}", items, each * run.size)

    def _asked(self, run: Run, numbers: str, items: str, least: int) -> None:
        async def work(client: Any) -> None:
            answer = await client.fetch(numbers, items)
            run.check(answer.result == "OK" and sum(map(len, answer.lines)) >= least)

        self._timed(run, work)

    def big(self, run: Run) -> None:
        """FETCH of one large message."""
        self._asked(run, "1", "(BODY.PEEK[])", run.size)

    def noops(self, run: Run) -> None:
        """One after another."""

        async def work(client: Any) -> None:
            for _ in range(run.size):
                run.check((await client.noop()).result == "OK")

        self._timed(run, work)

    def awaited(self, run: Run) -> None:
        """One after another: it has no other way to wait."""
        self.noops(run)

    def status_far_awaited(self, run: Run) -> None:
        """As tasks."""

        async def work(client: Any) -> None:
            answers = await asyncio.gather(*(client.status(f'"Lists/Box {i}"', STATUS) for i in range(run.size)))
            run.check(all(answer.result == "OK" for answer in answers))

        self._timed(run, work)

    def noops_pipelined(self, run: Run) -> None:
        """As tasks."""

        async def work(client: Any) -> None:
            answers = await asyncio.gather(*(client.noop() for _ in range(run.size)))
            run.check(all(answer.result == "OK" for answer in answers))

        self._timed(run, work)

    def far(self, run: Run) -> None:
        """As tasks."""
        self.noops_pipelined(run)

    def appends(self, run: Run) -> None:
        """One after another."""

        async def work(client: Any) -> None:
            for _ in range(run.size):
                with run.each():
                    run.check((await client.append(MESSAGE, APPENDED)).result == "OK")

        self._timed(run, work)
