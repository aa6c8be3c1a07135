"""Where the time goes on the hottest paths: the caller's thread and imapkit's own, by own time."""

from __future__ import annotations

import cProfile
import pstats
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imapkit
from bench.clients.looks import look
from bench.servers import Where, canned, client

__all__ = ["profile"]

_TOP = 12
_ROOT = Path(__file__).parents[1]
_Work = Callable[[imapkit.IMAP4, int], object]


def profile(small: bool = False) -> str:
    """The cost of each path, and the functions in which the time is spent, as text."""
    if sys.version_info >= (3, 12):
        return f"Not profiled: from Python 3.12 on cProfile covers one thread only, and this is {sys.version.split()[0]}."
    divisor = 50 if small else 1
    paths: list[tuple[str, str, int, _Work, str, int]] = [
        ("NOOPs, one after another", "command", 1, _noops, "none", 3000),
        ("FETCH of flags, raw", "1,000 rows", 1000, _flags, "flags", 50_000),
        ("FETCH of ENVELOPE and BODYSTRUCTURE, parsed, every field looked at", "row", 1, _structures, "structures", 4000),
    ]
    with canned() as where:
        found = [_path(where, title, unit, per, work, kind, size // divisor) for title, unit, per, work, kind, size in paths]
    return "\n\n".join(found)


def _noops(imap: imapkit.IMAP4, size: int) -> None:
    for _ in range(size):
        imap.noop()


def _flags(imap: imapkit.IMAP4, size: int) -> None:
    imap.fetch("1:*", "(FLAGS)")


def _structures(imap: imapkit.IMAP4, size: int) -> None:
    _, data = imap.fetch("1:*", "(ENVELOPE BODYSTRUCTURE)")
    for message in data.parsed():
        look(message)


def _path(where: Where, title: str, unit: str, per: int, work: _Work, kind: str, size: int) -> str:
    lines = [f"{title}: {size:,}; all figures per {unit}", _costs(where, work, kind, size, size / per)]
    for thread, profiler in _profilers(where, work, kind, size):
        lines += ["", *_table(thread, profiler, size / per)]
    return "\n".join(lines)


def _costs(where: Where, work: _Work, kind: str, size: int, units: float) -> str:
    """The cost without the profiler, which itself takes most of the time."""
    with client(where, f"{kind}-{size}") as imap:
        work(imap, size)
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        work(imap, size)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    switches = after.ru_nvcsw - before.ru_nvcsw, after.ru_nivcsw - before.ru_nivcsw
    each = [f"{seconds / units * 1e6:.2f}" for seconds in (wall, user, system)]
    return (
        f"as it is: {each[0]} us, of CPU {each[1]} us user and {each[2]} us system; "
        f"context switches: {switches[0] / units:.2f} to wait, {switches[1] / units:.2f} by force"
    )


def _profilers(where: Where, work: _Work, kind: str, size: int) -> list[tuple[str, cProfile.Profile]]:
    """A profiler for the caller, and one for each thread that begins meanwhile, by name."""
    found: list[tuple[str, cProfile.Profile]] = []

    def begin(*_: Any) -> None:
        # Called on the new thread, before any other of its code.
        profiler = cProfile.Profile()
        found.append((threading.current_thread().name, profiler))
        profiler.enable()

    threading.setprofile(begin)
    try:
        with client(where, f"{kind}-{size}") as imap:
            # Earlier calls are left out.
            for _, profiler in found:
                profiler.clear()
            caller = cProfile.Profile()
            caller.runcall(work, imap, size)
    finally:
        threading.setprofile(None)
    return [("the caller", caller), *found]


def _table(thread: str, profiler: cProfile.Profile, units: float) -> Iterator[str]:
    functions: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = vars(pstats.Stats(profiler))["stats"]
    rows = sorted(functions.items(), key=lambda item: -item[1][2])
    whole, calls = sum(row[1][2] for row in rows), sum(row[1][1] for row in rows)
    yield f"{thread}: {calls / units:.2f} calls, {whole / units * 1e6:.2f} us (profiled)"
    yield "   calls  own us  function"
    for (file, line, name), (_, count, own, _, _) in rows[:_TOP]:
        yield f"{count / units:8.2f} {own / units * 1e6:7.2f}  {_where(file, line)}{name}"


def _where(file: str, line: int) -> str:
    if file == "~":
        return ""
    path = Path(file)
    return f"{path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path.name}:{line} "
