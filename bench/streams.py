"""Large messages in memory and as streams, both ways: ``python -m bench.streams``; time, peak memory, and their ratio.

In memory: ``fetch``, and ``append`` of bytes. As a stream: ``fetch_to``, and ``append`` of a file.
Each runs in a process of its own, in turn, against the canned server.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from bench.servers import Where, canned

__all__ = ["WAYS", "main"]

WAYS = {
    "down": ("big", "big_to_file"),
    "down, and saved": ("big_saved", "big_to_file"),
    "up": ("append_big", "append_big_file"),
    "up, the second pass alone": ("append_big", "append_big_source"),
    "up, line ends to be made": ("append_big_lf", "append_big_lf_file"),
}
"""By direction: in memory, and as a stream (functions of ``bench.clients.imapkit``)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it, and print a row for each direction."""
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=int, default=200_000_000, help="bytes of the message")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    found: dict[str, list[dict[str, float]]] = {function: [] for both in WAYS.values() for function in both}
    with canned() as where:
        for _ in range(chosen.rounds):
            for function, rounds in found.items():
                rounds.append(_once(function, where, chosen.size))
    print(f"{chosen.size / 1e6:g} MB, median of {chosen.rounds}; in memory -> as a stream")
    for title, (before, after) in WAYS.items():
        wall, memory = _both(found, before, after, "wall"), _both(found, before, after, "memory")
        print(
            f"{title}: {wall[0]:.0f} -> {wall[1]:.0f} ms ({wall[1] / wall[0]:.2f} x),"
            f" {memory[0] / 1024:.1f} -> {memory[1] / 1024:.1f} MiB ({memory[1] / max(memory[0], 1):.3f} x)"
        )
    return 0


def _both(found: dict[str, list[dict[str, float]]], before: str, after: str, figure: str) -> tuple[float, float]:
    one, other = (statistics.median(each[figure] for each in found[name]) for name in (before, after))
    return one, other


def _once(function: str, where: Where, size: int) -> dict[str, Any]:
    """One round, in a process of its own."""
    options = {
        "host": where.host,
        "port": where.port,
        "cafile": None,
        "compress": False,
        "user": where.user,
        "password": where.password,
        "mailbox": f"big-{size}",
        "size": size,
    }
    argv = [sys.executable, "-m", "bench.worker", "imapkit", function, json.dumps(options)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    sys.exit(main())
