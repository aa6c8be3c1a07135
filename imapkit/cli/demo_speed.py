"""Compares the same FETCHes sent one at a time, from several threads, and with callbacks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import imapkit
from imapkit.cli._ask import THREADS, Findings, by_callbacks, content, in_threads, one_by_one
from imapkit.cli.screen import Screen
from imapkit.core.contract.commands import Result

__all__ = ["compare"]


def compare(
    imap: imapkit.IMAP4,
    screen: Screen,
    findings: Findings,
    messages: Sequence[int],
    item: str,
    expected: Sequence[bytes] | None = None,
) -> list[float]:
    """Fetch ``item`` of ``messages`` in three ways; show and return the seconds that each took.

    All three must return the same contents: ``expected``, if it is given.
    """
    ways: dict[str, Callable[[], list[Result]]] = {
        "one at a time": lambda: one_by_one(imap.fetch, messages, item),
        f"from {THREADS} threads": lambda: in_threads(lambda message: imap.fetch(message, item), messages),
        "with callbacks": lambda: by_callbacks(imap.fetch, messages, item),
    }
    took: list[float] = []
    rows = []
    for way, run in ways.items():
        started = time.perf_counter()
        results = run()
        took.append(time.perf_counter() - started)
        contents = [content(result) for result in results]
        expected = contents if expected is None else expected
        pairs = zip(messages, contents, expected, strict=True)
        same = sum(findings.check(f"message {at}, {way}", found, wanted) for at, found, wanted in pairs)
        rows.append((way, len(results), f"{took[-1]:.3f}", f"{took[0] / took[-1]:.1f} x", f"{same} of {len(results)}"))
    screen.table(("Way", ">FETCHes", ">seconds", ">as fast", ">same content"), rows)
    return took
