"""aioimaplib, for asyncio."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import aioimaplib

from bench.clients.common import Fetching, Importable
from bench.payloads import MESSAGE
from bench.worker import Run

_PATIENCE = 20.0


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

    def _timed(self, run: Run, work: Callable[[Any], Awaitable[None]]) -> None:
        async def all_of_it() -> None:
            client = await self.connect(run)
            with run.timed():
                await work(client)
            await client.logout()

        asyncio.run(all_of_it())

    def _fetch(self, run: Run, items: str, least: int) -> None:
        async def work(client: Any) -> None:
            answer = await client.fetch("1:*", items)
            run.check(answer.result == "OK" and len(answer.lines) >= least)

        self._timed(run, work)

    def big(self, run: Run) -> None:
        """FETCH of one large message."""
        self._fetch(run, "(BODY.PEEK[])", 2)

    def noops(self, run: Run) -> None:
        """One after another."""

        async def work(client: Any) -> None:
            for _ in range(run.size):
                await client.noop()

        self._timed(run, work)

    def noops_pipelined(self, run: Run) -> None:
        """As tasks."""

        async def work(client: Any) -> None:
            await asyncio.gather(*(client.noop() for _ in range(run.size)))

        self._timed(run, work)

    def far(self, run: Run) -> None:
        """As tasks."""
        self.noops_pipelined(run)

    def appends(self, run: Run) -> None:
        """One after another."""

        async def work(client: Any) -> None:
            for _ in range(run.size):
                run.check((await client.append(MESSAGE, "Bench")).result == "OK")

        self._timed(run, work)
