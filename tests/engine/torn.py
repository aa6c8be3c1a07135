"""The thread that changes the engine is interrupted in the middle of it: the connection ends, and every command with it."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import imapkit.core.engine
from imapkit.core.engine.phases import DONE
from imapkit.errors import ConnectionClosed
from tests.engine.episode import Episode

__all__ = ["TornEpisode"]

PLACE = str(Path(imapkit.core.engine.__file__).parent)


class _Interrupted(BaseException):
    """As Ctrl-C is."""


class _Interruption:
    """Raises at the ``countdown``-th line of the engine that is run while it is in use."""

    def __init__(self, countdown: int) -> None:
        self.countdown = countdown

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(PLACE) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.countdown -= 1
            if self.countdown == 0:
                raise _Interrupted
        return self._line


class TornEpisode(Episode):
    """One step of many is interrupted, in any line of it."""

    _torn = False

    def __init__(self, rng: Random, size: int) -> None:
        super().__init__(rng, size)
        self._steps_before = rng.randrange(size * 6)
        self._countdown = rng.randrange(1, rng.choice((10, 60, 400)))
        self._submitting = 0

    def run(self) -> bool:
        """Play it in a thread of its own.

        Where a trace function raises in the middle of an ``except`` clause, CPython goes on as if the clause were under way.
        Every later exception of the thread then has that one as its context, with all that its frames hold.
        """
        ended: list[bool] = []
        raised: list[BaseException] = []

        def play() -> None:
            try:
                ended.append(super(TornEpisode, self).run())
            except BaseException as exc:
                raised.append(exc)

        thread = threading.Thread(target=play)
        thread.start()
        thread.join()
        if raised:
            raise raised[0]
        return ended[0]

    def _random_step(self) -> None:
        self._steps_before -= 1
        if self._steps_before >= 0:
            super()._random_step()
            return
        self._submitting = len(self.commands)
        try:
            with _Interruption(self._countdown):
                super()._random_step()
        except _Interrupted:
            self._end()

    def _end(self) -> None:
        """Do as the next thread does, which finds the engine torn."""
        self._torn, engine = True, self.engine
        for _ in range(2):
            engine.close(ConnectionClosed("interrupted"))
        told = engine.effects.done
        for request in self.commands:
            if request.number >= self._submitting and request not in engine.flight.live and not request.released:
                # The interrupted thread was about to submit it, and has its error.
                request.phase = DONE
                self.told.add(request)
            assert request.phase is DONE, ("goes on", request)
            assert request in self.told or request in told, ("never told", request)
        self.told.update(request for request in self.commands if request in told)
        engine.delivered()
        assert engine.outgoing(self.now) is None
        assert engine.idle
        engine.tick(self.now + 1e12)

    def _deliver(self) -> None:
        if not self._torn:
            super()._deliver()
