"""Moments: when a command last made progress, and when the engine is to look at a command."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING
from weakref import ref

from imapkit.core.engine.phases import DONE

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request

__all__ = ["Moments", "Progress"]

_MOST = 1024


class Progress:
    """The moment of the last progress of each command, or of a command before it.

    Servers answer in order, so progress of one command is progress of all commands behind it. Orders and moments both rise from
    entry to entry: a later event for an earlier command replaces all entries from that command on.
    """

    __slots__ = ("_orders", "_times")

    def __init__(self) -> None:
        self._orders: list[int] = []
        self._times: list[float] = []

    def restart(self, order: int, now: float) -> None:
        """Begin with the command of this order: no other is in flight."""
        self._orders[:], self._times[:] = (order,), (now,)

    def note(self, order: int, now: float, oldest: Callable[[], int]) -> None:
        """Note progress of the command of this order; ``oldest()`` is the lowest order in flight."""
        orders, times = self._orders, self._times
        if orders and orders[-1] == order:
            times[-1] = now
            return
        while orders and orders[-1] >= order:
            orders.pop()
            times.pop()
        if times and times[-1] == now:
            return
        orders.append(order)
        times.append(now)
        if len(orders) > _MOST:
            keep = max(0, bisect_right(orders, oldest()) - 1)
            del orders[:keep], times[:keep]

    def of(self, order: int) -> float:
        """The moment of the last progress of this order or one before it."""
        at = bisect_right(self._orders, order) - 1
        return self._times[at] if at >= 0 else -inf


class Moments:
    """Commands by the moment at which the engine is to look at them, the nearest first."""

    __slots__ = ("_counter", "_heap")

    def __init__(self) -> None:
        # (Weakly: a command that is over would keep alive its answer, and all that its waiter holds.)
        self._heap: list[tuple[float, int, ref[Request]]] = []
        self._counter = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, moment: float, request: Request, live: Callable[[], int]) -> None:
        """Have the engine look at ``request`` at ``moment``. ``live()``: how many commands are not over."""
        if moment == inf:
            return
        self._counter += 1
        heapq.heappush(self._heap, (moment, self._counter, ref(request)))
        if len(self._heap) > 64 + 4 * live():
            self._heap = [entry for entry in self._heap if not _is_over(entry[2])]
            heapq.heapify(self._heap)

    def nearest(self) -> float:
        """The nearest moment, infinite if there is none."""
        heap = self._heap
        while heap and _is_over(heap[0][2]):
            heapq.heappop(heap)
        return heap[0][0] if heap else inf

    def due(self, now: float) -> Iterator[Request]:
        """Remove and return the commands whose moment has come."""
        while self.nearest() <= now:
            request = heapq.heappop(self._heap)[2]()
            if request is not None:
                yield request

    def clear(self) -> None:
        """Remove all commands."""
        self._heap.clear()


def _is_over(reference: ref[Request]) -> bool:
    request = reference()
    return request is None or request.phase is DONE or request.abandoned
