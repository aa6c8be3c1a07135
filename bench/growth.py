"""Whether twice the work takes twice the time: rows, literals, commands in flight, responses kept that belong to no command."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from bench.clients.common import Countdown
from bench.servers import Where, canned, client

__all__ = ["growth"]

_ROUNDS = 7


def growth(small: bool) -> dict[str, float]:
    """t(2n)/t(n) of the medians, by what grows."""
    divisor = 100 if small else 1
    kinds: dict[str, tuple[Callable[[Where, int], float], int]] = {
        "rows": (lambda where, n: _fetch(where, "flags", n), 50_000),
        "literals in one response": (lambda where, n: _fetch(where, "literals", n), 20_000),
        "commands in flight": (_pipelined, 4000),
        "untagged responses kept": (_kept, 20_000),
    }
    with canned() as where:
        return {
            name: _ratio(where, work, max(size // divisor, 10), 1 if small else _ROUNDS) for name, (work, size) in kinds.items()
        }


def _ratio(where: Where, work: Callable[[Where, int], float], size: int, rounds: int) -> float:
    work(where, size)
    times = [(work(where, size), work(where, 2 * size)) for _ in range(rounds)]
    return statistics.median(twice for _, twice in times) / statistics.median(once for once, _ in times)


def _fetch(where: Where, kind: str, size: int) -> float:
    with client(where, f"{kind}-{size}") as imap:
        start = time.perf_counter()
        imap.fetch("1:*", "(FLAGS)")
        return time.perf_counter() - start


def _pipelined(where: Where, size: int) -> float:
    done = Countdown(size)
    with client(where, "none-1") as imap:
        start = time.perf_counter()
        for _ in range(size):
            imap.noop(callback=done)
        if not done.wait():
            raise RuntimeError(f"not all of {size} commands were done")
        return time.perf_counter() - start


def _kept(where: Where, size: int) -> float:
    with client(where, f"news-{size}") as imap:
        start = time.perf_counter()
        imap.noop()
        imap.response("EXPUNGE")
        return time.perf_counter() - start
