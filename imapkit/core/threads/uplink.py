"""Counts acknowledged bytes: the system takes megabytes at once, which a slow link sends over a long time."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imapkit.core.transport.base import Transport

__all__ = ["Uplink"]


class Uplink:
    """Counts the bytes that the transport has taken; ``look`` finds whether the server has acknowledged more of them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._taken = self._acknowledged = self._order = 0
        self._large_order, self._large_end = 0, 0.0
        """The last large piece: the order of its command, and ``_taken`` at its end."""
        self._looked = -inf

    def note(self, size: int, order: int) -> None:
        """Note that the transport has taken ``size`` bytes of the command of this order."""
        self._taken += size
        self._order = order

    def begin_large(self, order: int) -> None:
        """Note the beginning of a piece that is large, or that the socket does not take at once."""
        self._large_order, self._large_end = order, inf

    def end_large(self) -> None:
        """Note that all of the large piece has been taken."""
        self._large_end = self._taken

    def look(self, now: float, window: float) -> int:
        """The order of the command whose bytes the server has acknowledged since the last look; 0 if there are none.

        Bytes acknowledged long ago are no progress now: a look long after the last one returns 0. So there is one in each half
        window.
        """
        acknowledged = self._taken - self._transport.unsent()
        before, self._acknowledged = self._acknowledged, acknowledged
        last, self._looked = self._looked, now
        if acknowledged <= before or now - last > 1.5 * window:
            return 0
        return self._large_order if before < self._large_end else self._order
