"""imapkit's typed calls: alone, as the other clients do the same work, and in turn with its own raw ones, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from statistics import median
from tempfile import TemporaryFile
from typing import Any

import imapkit
from bench.clients.common import STATUS, Countdown, Sync, fresh
from bench.clients.imapkit import filled
from bench.clients.looks import look_at_envelope, look_at_structure
from bench.payloads import APPENDED
from bench.worker import Run
from imapkit import UIDSet
from imapkit.ext.rev1.listing import MailboxStatus
from imapkit.ext.rev1.messages import BODY, ENVELOPE, FLAGS, Message

__all__ = ["Typed"]

_TURNS, _FEW = 5, 3
_PIECE = 1 << 20
_STATUS = STATUS[1:-1].split()
_FIRST = """
import time, imapkit
t = time.perf_counter()
raw = imapkit.IMAP4({host!r}, {port})
{typed}
print(time.perf_counter() - t)
raw.logout()
"""


def _names(run: Run) -> list[str]:
    return [f"Lists/Box {i}" for i in range(run.size)]


class _Statuses(Countdown):
    """Waits for the callbacks of STATUS, and parses each answer."""

    def __call__(self, answer: tuple[Any, Any, Any]) -> None:
        self._failed = self._failed or not answer[0] or answer[0][1].parsed(MailboxStatus)[0].messages is None
        super().__call__(answer)


class Typed(Sync):
    """What the class of ``bench.clients.imapkit`` borrows.

    Functions whose names begin with "typed" compare two ways of imapkit; the others are for peers, too.
    """

    # imapkit's own ways, in turn

    def typed_noops(self, run: Run) -> None:
        """NOOPs that block, in raw ones."""
        raw, typed = self._both(run)
        run.turns(_TURNS, lambda: _repeat(typed.noop, run), lambda: _repeat(raw.noop, run))
        raw.logout()

    def typed_futures(self, run: Run) -> None:
        """Pipelined NOOPs as futures, in callbacks."""
        raw, typed = self._both(run)
        nowait = typed.nowait

        def callbacks() -> None:
            done = Countdown(run.size)
            for _ in range(run.size):
                raw.noop(callback=done)
            run.check(done.wait())

        run.turns(_TURNS, lambda: _taken([nowait.noop() for _ in range(run.size)]), callbacks)
        raw.logout()

    def typed_status(self, run: Run) -> None:
        """Pipelined STATUSes as futures, in callbacks; each answer is parsed."""
        raw, typed = self._both(run)
        nowait, names = typed.nowait, _names(run)

        def callbacks() -> None:
            done = _Statuses(run.size)
            for name in names:
                raw.status(name, _STATUS, callback=done)
            run.check(done.wait())

        run.turns(_TURNS, lambda: _taken([nowait.status(name, *_STATUS) for name in names]), callbacks)
        raw.logout()

    def typed_gather(self, run: Run) -> None:
        """Pipelined NOOPs of asyncio tasks, in futures."""
        raw, typed = self._both(run)
        nowait, awaited = typed.nowait, typed.asynchronous

        async def gathered() -> None:
            await asyncio.gather(*(awaited.noop() for _ in range(run.size)))

        with asyncio.Runner() as runner:
            run.turns(_TURNS, lambda: runner.run(gathered()), lambda: _taken([nowait.noop() for _ in range(run.size)]))
        raw.logout()

    def typed_awaited(self, run: Run) -> None:
        """NOOPs awaited one by one, in raw ones."""
        raw, typed = self._both(run)
        with asyncio.Runner() as runner:
            run.turns(_TURNS, lambda: runner.run(_each_awaited(typed.asynchronous, run)), lambda: _repeat(raw.noop, run))
        raw.logout()

    def typed_first(self, run: Run) -> None:
        """The first typed client of a process, in the first raw one of another."""

        ways = [_FIRST.format(host=run.host, port=run.port, typed=typed) for typed in ("imapkit.Client.over(raw)", "pass")]
        ratios = []
        for i in range(run.size + 1):
            found = {way: fresh(way) for way in ways[:: -1 if i % 2 else 1]}
            ratios.append(found[ways[0]] / found[ways[1]])
        # (The first time the sources are compiled.)
        run.note(ratio=median(ratios[1:]))

    def typed_literal(self, run: Run) -> None:
        """A large message into a file, as one literal, in raw ones in memory."""
        self._down_in_raw(run, None)

    def typed_window(self, run: Run) -> None:
        """A large message into a file, in pieces, in raw ones in memory."""
        self._down_in_raw(run, _PIECE)

    def typed_append(self, run: Run) -> None:
        """APPEND of a file, in APPENDs of bytes."""
        self._up_in_raw(run, b"\r\n")

    def typed_append_lf(self, run: Run) -> None:
        """APPEND of a file whose line ends are made CRLF, in APPENDs of bytes that have them."""
        self._up_in_raw(run, b"\n")

    # what peers do, too

    def awaited(self, run: Run) -> None:
        """NOOPs on asyncio, one by one."""
        self._on_asyncio(run, lambda client: _each_awaited(client, run))

    def status_far(self, run: Run) -> None:
        """STATUSes as futures."""
        raw, typed = self._both(run)
        nowait = typed.nowait
        # (What a first call loads is not its time.)
        nowait.noop().result()
        with run.timed():
            found = _taken([nowait.status(name, *_STATUS) for name in _names(run)])
        run.check(len(found) == run.size and all(status.messages is not None for status in found))
        raw.logout()

    def status_far_awaited(self, run: Run) -> None:
        """STATUSes as tasks."""

        async def gathered(client: Any) -> None:
            found = await asyncio.gather(*(client.status(name, *_STATUS) for name in _names(run)))
            run.check(len(found) == run.size and all(status.messages is not None for status in found))

        self._on_asyncio(run, gathered)

    def rows_flags(self, run: Run) -> None:
        """UIDs and flags, each looked at."""
        self._rows(run, [FLAGS], lambda message: 1 + len(message.flags))

    def rows_envelope(self, run: Run) -> None:
        """UIDs and envelopes, every field looked at."""
        self._rows(run, [ENVELOPE], lambda message: look_at_envelope(message.envelope))

    def rows_body(self, run: Run) -> None:
        """UIDs and body structures, every field looked at."""
        self._rows(run, [BODY], lambda message: look_at_structure(message.body))

    def rows(self, run: Run) -> None:
        """UIDs, flags, envelopes and body structures, every field looked at."""
        items = [FLAGS, ENVELOPE, BODY]
        self._rows(run, items, _look)

    def down_literal(self, run: Run) -> None:
        """A large message into a file, as one literal."""
        self._down(run, None)

    def down_window(self, run: Run) -> None:
        """A large message into a file, in pieces."""
        self._down(run, _PIECE)

    def up(self, run: Run) -> None:
        """APPEND of a file."""
        raw, typed = self._both(run)
        with filled(run.size, b"\r\n") as file, run.timed():
            typed.append(APPENDED, file)
        raw.logout()

    # what they share

    def _down(self, run: Run, chunk: int | None) -> None:
        raw, typed = self._both(run)
        with typed.select(run.mailbox) as box, TemporaryFile() as file:
            with run.timed():
                box.download(1, "", file, chunk=chunk)
            run.check(file.tell() == run.size)
        raw.logout()

    def _down_in_raw(self, run: Run, chunk: int | None) -> None:
        raw, typed = self._both(run)
        with typed.select(run.mailbox) as box, TemporaryFile() as file:

            def down() -> None:
                file.seek(0)
                run.check(box.download(1, "", file, chunk=chunk) == run.size)

            run.turns(_FEW, down, lambda: run.check(len(raw.fetch("1", "(BODY.PEEK[])")[1][0][1]) == run.size))
        raw.logout()

    def _up_in_raw(self, run: Run, end: bytes) -> None:
        raw, typed = self._both(run)
        with filled(run.size, b"\r\n") as made:
            data = made.read()
        with filled(run.size, end) as file:

            def up() -> None:
                file.seek(0)
                typed.append(APPENDED, file)

            run.turns(_FEW, up, lambda: raw.append(APPENDED, None, None, data))
        raw.logout()

    def _both(self, run: Run) -> tuple[Any, Any]:
        raw = self.connect(run)
        return raw, imapkit.Client.over(raw)

    def _on_asyncio(self, run: Run, work: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        raw, typed = self._both(run)

        async def timed() -> None:
            client = typed.asynchronous
            await client.noop()
            with run.timed():
                await work(client)

        asyncio.run(timed())
        raw.logout()

    def _rows(self, run: Run, items: list[Any], look: Callable[[Message], int]) -> None:
        raw, typed = self._both(run)
        with typed.select(run.mailbox) as box:
            uids = UIDSet(range(1, run.size + 1))
            with run.timed():
                seen = [look(message) for message in box.fetch(uids, *items)]
        run.check(len(seen) == run.size and min(seen) > 0)
        raw.logout()


def _repeat(call: Callable[[], object], run: Run) -> None:
    for _ in range(run.size):
        call()


def _taken(futures: list[Any]) -> list[Any]:
    return [future.result() for future in futures]


async def _each_awaited(client: Any, run: Run) -> None:
    for _ in range(run.size):
        await client.noop()


def _look(message: Message) -> int:
    return len(message.flags) + look_at_envelope(message.envelope) + look_at_structure(message.body)
