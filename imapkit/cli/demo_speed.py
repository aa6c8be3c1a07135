"""Compares the same work done in several ways, by time and by what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from imapkit.cli._ask import Findings
from imapkit.cli.screen import Screen

__all__ = ["Ways", "compare"]

Ways = Mapping[str, Callable[[], list[bytes]]]
"""The same FETCHes in several ways: each returns the contents, in order."""


def compare(screen: Screen, findings: Findings, ways: Ways, expected: Sequence[bytes] | None = None) -> list[float]:
    """Do the same in several ways; show and return the seconds that each took.

    All must return the same contents: ``expected``, if it is given.
    """
    took: list[float] = []
    rows = []
    for way, run in ways.items():
        started = time.perf_counter()
        contents = run()
        took.append(time.perf_counter() - started)
        expected = contents if expected is None else expected
        pairs = zip(contents, expected, strict=True)
        same = sum(findings.check(f"message {at}, {way}", found, wanted) for at, (found, wanted) in enumerate(pairs, 1))
        rows.append((way, len(contents), f"{took[-1]:.3f}", f"{took[0] / took[-1]:.1f} x", f"{same} of {len(contents)}"))
    screen.table(("Way", ">FETCHes", ">seconds", ">as fast", ">same content"), rows)
    return took
