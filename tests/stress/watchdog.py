"""Somebody who sees that it goes on, and shows where every thread is when it does not."""

from __future__ import annotations

import faulthandler
import tempfile
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

__all__ = ["Watchdog", "stacks"]


def stacks() -> str:
    """Where every thread is."""
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read()


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
