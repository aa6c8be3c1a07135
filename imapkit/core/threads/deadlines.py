"""Deadlines of commands for which no caller waits.

The clock calls ``look``, and a thread on demand calls the engine: not the courier thread, which may itself be blocked.
"""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from imapkit.core.support.log import logger
from imapkit.core.threads.clock import CLOCK
from imapkit.core.threads.worker import Worker
from imapkit.errors import error

if TYPE_CHECKING:
    from imapkit.core.threads.courier import Courier
    from imapkit.core.threads.steps import Steps

__all__ = ["Deadlines"]


class Deadlines:
    """Calls ``Engine.tick`` in time."""

    def __init__(self, steps: Steps, courier: Courier, name: str) -> None:
        self._steps, self._courier, self._engine = steps, courier, steps.engine
        self._worker = Worker(f"{name} deadlines")
        self._wanted = self.asked = inf
        """The moment at which to tick, and the one requested from the clock."""

    def want(self, moment: float) -> None:
        """Note a moment for ``ask``. Callable under the state lock."""
        if moment < self._wanted:
            self._wanted = moment

    def promise(self, moment: float) -> None:
        """Have the engine tick at ``moment`` or earlier. Raises ``error`` if the clock thread cannot be started."""
        self.want(moment)
        try:
            self._ask()
        except RuntimeError as exc:
            raise error(f"the clock thread, which ends late commands, cannot be started: {exc}") from exc

    def ask(self) -> None:
        """Request the noted moment from the clock, without the lock. If its thread cannot be started, the next call retries."""
        if self._wanted < self.asked:
            try:
                self._ask()
            except RuntimeError as exc:
                logger().warning("the clock thread, which ends late commands, cannot be started: %s", exc)

    def _ask(self) -> None:
        moment = self._wanted
        if moment < self.asked and self._engine.closed is None:
            # In this order: the clock may look before ``at`` returns.
            try:
                self.asked = moment
                CLOCK.at(moment, self)
            except BaseException:
                self.asked = inf
                raise
            if self._engine.closed is not None:
                # (``stop`` may have been before this.)
                CLOCK.forget(self)

    def look(self, now: float) -> None:
        """See ``Watcher.look``."""
        self._wanted = self.asked = inf
        self._worker.post(self._look)

    def _look(self) -> None:
        self.tick()
        self.look_again()

    def look_again(self) -> None:
        """Have the engine tick at its next deadline."""
        if self._engine.closed is None:
            with self._steps.lock:
                moment = self._engine.deadline()
            self.want(max(moment, monotonic() + 0.001))
            self.ask()

    def tick(self) -> None:
        """Note what the server has acknowledged, then have the engine tick."""
        self._courier.progress()
        self._courier.run(self._tick)

    def _tick(self, _: None, now: float) -> None:
        self._engine.tick(now)

    def stop(self, patience: float | None) -> None:
        """Drop all moments, and wait ``patience`` seconds for the end of the thread."""
        CLOCK.forget(self)
        self._worker.stop(patience)
