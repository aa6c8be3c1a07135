"""How fast commands with callbacks go out and come back: whether it pays to let some of both gather.

Threads that send, read and call back share one interpreter, and each time one gives way to another costs as much as a command.
Where answers are read one by one while somebody goes on sending, that is what most of the time goes to.
"""

from __future__ import annotations

import time

__all__ = ["Pace"]

SECONDS = 0.0006
"""So long they gather."""
_MANY = 32
"""With so many commands in flight, always."""
_SOON, _OFTEN = 0.001, 8
"""When reads have brought callbacks so often, so soon one after another, too."""
_FEW, _PAUSE = 4, 100
"""Unless hardly anything was sent meanwhile: who sends waits for the answers, and such reads do not count for a while."""


class Pace:
    """The pace of one connection, for whoever reads."""

    __slots__ = ("_brisk", "_last", "_sent")

    def __init__(self) -> None:
        self._brisk = self._sent = 0
        self._last = 0.0

    def callbacks(self) -> None:
        """A read has brought answers that are called back."""
        now = time.monotonic()
        self._brisk = self._brisk + 1 if now - self._last < _SOON else min(self._brisk, 0)
        self._last = now

    def lets_gather(self, flying: int, sent: int) -> bool:
        """Whether to let some gather now, with so many commands in flight, and so many sent until now."""
        self._sent = sent
        return flying >= _MANY or self._brisk >= _OFTEN

    def gathered(self, sent: int) -> None:
        """They have: so many commands have been sent by now."""
        if self._brisk >= _OFTEN and sent - self._sent < _FEW:
            self._brisk = -_PAUSE
