"""A watchdog: shows where every thread is when a run makes no progress."""

from __future__ import annotations

import faulthandler
import tempfile
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import imapkit
from imapkit.core.engine.request import Request

__all__ = ["Watchdog", "stacks", "state_of"]


def stacks() -> str:
    """Where every thread is."""
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read()


def state_of(client: imapkit.IMAP4) -> str:
    """What a connection is in the middle of; looked at without the lock, which a thread may hold for ever."""
    live = client._live
    engine, steps, inline = live.engine, live._steps, live._inline
    flight, wire = engine.flight, engine.outbound
    lines = [
        f"client: {client.state}, closed by {engine.closed!r}, torn {steps.torn}, broken {steps.broken}, inside {steps.inside}",
        f"role: {steps.role}, inbox {list(steps.inbox)}, switching {steps.switching}, ends {live._ended}",
        f"wire: owner {wire.owner}, ready {list(flight.gate.ready)}, out {len(wire.out)}, frozen {engine.frozen}",
        f"right: {inline._right}, resting {inline._resting}, wanted {inline._reader_waits}, reading {live._reader.ident}",
        f"effects: {bool(engine.effects)}; deadline {engine.deadline()}",
        f"jobs: {live._callbacks._made().jobs.qsize()} callbacks, {live._courier.worker._made().jobs.qsize()} of the courier",
    ]
    return "\n".join([*lines, *(_shown(request) for request in list(flight.live))])


_MARKS = ("sent", "accepted", "abandoned", "released", "news", "interrupted_by", "awaits")


def _shown(request: Request) -> str:
    marks = {name: getattr(request, name) for name in _MARKS if getattr(request, name)}
    return f"{request!r} {request.call!r:.60} {marks} for {type(request.waiter).__name__}"


class Watchdog:
    """Calls ``rescue`` after ``patience`` seconds without a call of ``alive``; ``seen`` then shows where the threads were."""

    def __init__(self, patience: float, rescue: Callable[[], object]) -> None:
        self.seen = ""
        self._patience, self._rescue = patience, rescue
        self._beats = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def alive(self) -> None:
        """Note progress. (Two threads may lose a beat between them: the next one counts.)"""
        self._beats += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        last = -1
        while last != self._beats:
            last = self._beats
            if self._over.wait(self._patience):
                return
        self.seen = stacks()
        self._rescue()
