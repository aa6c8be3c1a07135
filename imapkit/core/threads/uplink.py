"""How much of what was written the other side has taken: the system takes megabytes at once, and a slow link needs its time."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imapkit.core.transport.base import Transport

__all__ = ["Uplink"]


class Uplink:
    """Counts what the transport has taken, and says at each look whether the other side has acknowledged more of it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._taken = self._acknowledged = self._order = 0
        self._large_order, self._large_end = 0, 0.0
        """The last large piece: its command, and what will have been taken at its end."""
        self._looked = -inf

    def note(self, size: int, order: int) -> None:
        """The transport has taken so many bytes of the command of this order."""
        self._taken += size
        self._order = order

    def begin_large(self, order: int) -> None:
        """A piece begins that is large, or that the socket does not take at once."""
        self._large_order, self._large_end = order, inf

    def end_large(self) -> None:
        """All of the large piece has been taken."""
        self._large_end = self._taken

    def look(self, now: float, window: float) -> int:
        """The order of the command whose bytes the other side has acknowledged since the last look; 0 if it has not.

        The last look must not be long ago: what was acknowledged then is no progress of now. So there is one in each half window.
        """
        acknowledged = self._taken - self._transport.unsent()
        before, self._acknowledged = self._acknowledged, acknowledged
        last, self._looked = self._looked, now
        if acknowledged <= before or now - last > 1.5 * window:
            return 0
        return self._large_order if before < self._large_end else self._order
