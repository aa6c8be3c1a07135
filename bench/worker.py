"""One client, one piece of work, in a process of its own: ``python -m bench.worker``; prints the figures as JSON."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.schemes import switch_off

__all__ = ["Run"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _status(name: str) -> int:
    """A number of this process, as the kernel has it (sizes in KiB)."""
    for line in _STATUS.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    return 0


def _reset_peak() -> None:
    try:
        _CLEAR.write_text("5")
    except OSError:
        pass  # then the peak is that of the whole process


def _costs(way: Callable[[], object]) -> tuple[float, float]:
    """The seconds that pass, and the processor's."""
    gc.collect()  # one way's garbage is not the other's
    cpu, wall = time.process_time(), time.perf_counter()
    way()
    return time.perf_counter() - wall, time.process_time() - cpu


class Run:
    """The argument of a client's function: the server's address, how much to do, and the figures."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.host: str = options["host"]
        self.port: int = options["port"]
        self.cafile: str | None = options["cafile"]
        """Trust this authority, and speak TLS; None: in the clear."""
        self.compress: bool = options["compress"]
        self.user: str = options["user"]
        self.password: str = options["password"]
        self.mailbox: str = options["mailbox"]
        self.size: int = options["size"]
        self.without: str | None = options.get("without")
        """The scheme of imapkit that is switched off, "" for none; None where nothing is compared with that."""
        self.figures: dict[str, float] = {}
        self._times: list[float] = []

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure the block."""
        _reset_peak()
        before = _status("VmRSS")
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.figures["wall"] = (time.perf_counter() - wall) * 1000
        self.figures["cpu"] = (time.process_time() - cpu) * 1000
        self.figures["peak"] = _status("VmHWM")
        self.figures["memory"] = self.figures["peak"] - before
        self.figures["MiB"] = self.figures["memory"] / 1024
        self.figures["threads"] = _status("Threads")
        self.figures["memory per byte"] = self.figures["memory"] * 1024 / self.size if self.size else 0.0
        if self._times:
            ordered = sorted(self._times)
            self.note(p99=ordered[int(len(ordered) * 0.99)] * 1000, slowest=ordered[-1] * 1000)

    @contextmanager
    def each(self) -> Iterator[None]:
        """Times of many operations, in milliseconds: the 99th percentile and the slowest are noted."""
        start = time.perf_counter()
        yield
        self._times.append(time.perf_counter() - start)

    @contextmanager
    def resident(self) -> Iterator[None]:
        """Measure the memory and the threads that stay, for each of ``size``."""
        kept, threads = _status("VmRSS"), threading.active_count()
        yield
        self.figures["KiB each"] = (_status("VmRSS") - kept) / self.size
        self.figures["threads each"] = (threading.active_count() - threads) / self.size

    def turns(self, count: int, one: Callable[[], object], other: Callable[[], object]) -> None:
        """Do both ways in turn, and note the time of ``one`` as a multiple of the other's: the median of all turns.

        "ratio" is of the time that passes, "cpu ratio" of the processor's. A first turn is not counted.
        """
        ratios: list[tuple[float, float]] = []
        for i in range(count + 1):
            # (In alternating order, so that a machine that grows slower or quicker favours neither.)
            ways = (one, other) if i % 2 else (other, one)
            found = {way: _costs(way) for way in ways}
            ratios.append((found[one][0] / found[other][0], found[one][1] / found[other][1]))
        self.note(ratio=median(wall for wall, _ in ratios[1:]), cpu_ratio=median(cpu for _, cpu in ratios[1:]))

    def note(self, **figures: float) -> None:
        """Add figures."""
        self.figures |= {name.replace("_", " "): value for name, value in figures.items()}

    def check(self, fact: object) -> None:
        """Check that the work was done. Raises ``AssertionError``."""
        if not fact:
            raise AssertionError("the client did not do its work")


def main() -> int:
    """Do it. Returns 0, 3 if this client has no such function, 1 if it failed; what failed is in "error"."""
    client, function, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    run = Run(options)
    if run.without:
        switch_off(run.without)
    tested = importlib.import_module(f"bench.clients.{client}").Client()
    work = getattr(tested, function, None)
    if work is None or (run.compress and not tested.compresses):
        return 3
    if options.get("failed"):
        print(json.dumps({"error": f"not asked again: in the clear {options['failed']}"}))
        return 1
    try:
        work(run)
    except Exception as exc:
        print(json.dumps({"error": f"{type(exc).__name__}: {exc}".rstrip(": ")[:200]}))
        return 1
    print(json.dumps(run.figures))
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Threads that do not end are not waited for.
    os._exit(status)
