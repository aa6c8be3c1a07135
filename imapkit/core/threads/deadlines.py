"""Moments at which the engine is to look at its commands, where no caller waits until then.

The clock says that a moment has come, and a thread on demand looks: not the courier thread, which may be what is late.
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
    """Has ``Engine.tick`` called in time."""

    def __init__(self, steps: Steps, courier: Courier, name: str) -> None:
        self._steps, self._courier, self._engine = steps, courier, steps.engine
        self._worker = Worker(f"{name} deadlines")
        self._wanted = self._asked = inf
        """The moment at which to look, and the one that the clock has been asked for."""

    def want(self, moment: float) -> None:
        """Have the engine look at ``moment``, once ``ask`` is called. It may be called under the state lock."""
        if moment < self._wanted:
            self._wanted = moment

    def promise(self, moment: float) -> None:
        """Have the engine look at ``moment``, or before it. Raises ``error`` where the clock can have no thread."""
        self.want(moment)
        try:
            self._ask()
        except RuntimeError as exc:
            raise error(f"no thread can be had to keep the time of commands: {exc}") from exc

    def ask(self) -> None:
        """Ask the clock for what is wanted; where it can have no thread, the next call tries again. Without the lock."""
        if self._wanted < self._asked:
            try:
                self._ask()
            except RuntimeError as exc:
                logger().warning("no thread can be had to keep the time of commands: %s", exc)

    def _ask(self) -> None:
        moment = self._wanted
        if moment < self._asked and self._engine.closed is None:
            # In this order: the clock may look before ``at`` returns.
            try:
                self._asked = moment
                CLOCK.at(moment, self)
            except BaseException:
                self._asked = inf
                raise
            if self._engine.closed is not None:
                # (``stop`` may have been before this.)
                CLOCK.forget(self)

    def look(self, now: float) -> None:
        """The clock says that the moment has come."""
        self._wanted = self._asked = inf
        self._worker.post(self._look)

    def _look(self) -> None:
        self.tick()
        self.look_again()

    def look_again(self) -> None:
        """Have the engine look when it next has something to do."""
        if self._engine.closed is None:
            with self._steps.lock:
                moment = self._engine.deadline()
            self.want(max(moment, monotonic() + 0.001))
            self.ask()

    def tick(self) -> None:
        """Have the engine look now, and say before what the system has sent on."""
        self._courier.progress()
        self._courier.run(self._tick)

    def _tick(self, _: None, now: float) -> None:
        self._engine.tick(now)

    def stop(self, patience: float | None) -> None:
        """Nothing is waited for any more; wait so many seconds for the end of the thread."""
        CLOCK.forget(self)
        self._worker.stop(patience)
