"""Somebody who sees that it goes on, and shows where every thread is when it does not."""

from __future__ import annotations

import faulthandler
import tempfile
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import imapkit

__all__ = ["Watchdog", "stacks", "state_of"]


def stacks() -> str:
    """Where every thread is."""
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read()


def state_of(client: imapkit.IMAP4) -> str:
    """Who has what of a connection, and who waits for what; looked at without a lock, which somebody may hold for ever."""
    live = client._live
    protocol, gate, reading, dispatcher = live.protocol, live.protocol.gate, live._reading, live.dispatcher
    pending = [
        f"{tag.decode()} {request.call!r:.60} {[name for name in _MARKS if getattr(request, name)]} for {request.thread}"
        for tag, request in list(protocol.pending.items())
    ]
    lines = [
        f"client: {client.state}, closed by {protocol.closed!r}, state lock {'held' if live._lock.locked() else 'free'}",
        f"turn: {gate.writer and gate.writer.call}, frozen {gate.frozen}, waiting {[r.call.name for r, _ in gate._waiting]}",
        f"in flight: {[request.call.name for request in list(gate._flying)]}; handed over: {live._handed_over}",
        f"right: {reading._right}, resting {reading._resting}, wanted {reading._wanted}, taker {reading.taker}",
        f"callbacks: {dispatcher._put} put, {dispatcher._ran} run, {len(dispatcher.collected)} kept, over {dispatcher._stopped}",
    ]
    return "\n".join([*lines, *pending])


_MARKS = ("sent", "complete", "joined", "idling", "interrupted", "again", "watched", "news", "on_done")


class Watchdog:
    """Calls ``rescue`` once nobody has called ``alive`` for ``patience`` seconds; ``seen`` then shows where the threads were."""

    def __init__(self, patience: float, rescue: Callable[[], object]) -> None:
        self.seen = ""
        self._patience, self._rescue = patience, rescue
        self._beats = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def alive(self) -> None:
        """It goes on. (A beat that two threads lose between them does no harm.)"""
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
