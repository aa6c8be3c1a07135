"""Moments: when the server last did something for a command, and when a command is to be looked at."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING

from imapkit.core.engine.phases import DONE

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request

__all__ = ["Moments", "Progress"]

_MOST = 1024


class Progress:
    """When the server, or the socket, last did something for a command or one before it.

    Servers answer in order, so that what happens for one command is progress of all behind it. Orders and moments both rise from
    entry to entry: a later event for an earlier command replaces all entries from that command on.
    """

    __slots__ = ("_orders", "_times")

    def __init__(self) -> None:
        self._orders: list[int] = []
        self._times: list[float] = []

    def restart(self, order: int, now: float) -> None:
        """Nothing was in flight before the command of this order."""
        self._orders[:], self._times[:] = (order,), (now,)

    def note(self, order: int, now: float, oldest: Callable[[], int]) -> None:
        """Something happened for the command of this order; ``oldest()`` is the lowest order in flight."""
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
        """The last moment at which something happened for this order or one before it."""
        at = bisect_right(self._orders, order) - 1
        return self._times[at] if at >= 0 else -inf


class Moments:
    """Commands by the moment at which they are to be looked at, the nearest first."""

    __slots__ = ("_counter", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Request]] = []
        self._counter = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, moment: float, request: Request, live: Callable[[], int]) -> None:
        """Have ``request`` looked at at ``moment``. ``live``: how many commands are not over."""
        if moment == inf:
            return
        self._counter += 1
        heapq.heappush(self._heap, (moment, self._counter, request))
        if len(self._heap) > 64 + 4 * live():
            # What is over must not be kept, with all that its waiter holds.
            self._heap = [entry for entry in self._heap if not _is_over(entry[2])]
            heapq.heapify(self._heap)

    def nearest(self) -> float:
        """The nearest moment, infinite if there is none."""
        heap = self._heap
        while heap and _is_over(heap[0][2]):
            heapq.heappop(heap)
        return heap[0][0] if heap else inf

    def due(self, now: float) -> Iterator[Request]:
        """Take out those whose moment has come."""
        while self.nearest() <= now:
            yield heapq.heappop(self._heap)[2]

    def clear(self) -> None:
        """Forget all."""
        self._heap.clear()


def _is_over(request: Request) -> bool:
    return request.phase is DONE or request.abandoned
