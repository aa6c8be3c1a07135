"""Sets of numbers as ranges: two lists, the first and the last number of each range, ascending and apart from one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress

__all__ = ["LARGEST", "Ranges", "bounds", "merged", "runs", "written"]

LARGEST = 0xFFFFFFFF
"""The largest message number, or UID: ``nz-number`` has 32 bits (RFC 3501 section 9)."""

Ranges = tuple[list[int], list[int]]


def bounds(text: str | bytes) -> tuple[int, int]:
    """The lower and the higher number of "12", "10:12" or "12:10", which "is exactly equivalent to 10:12" (RFC 4315 section 4).

    Raises ``ValueError``.
    """
    low, colon, high = text.partition(":") if isinstance(text, str) else text.partition(b":")
    first, last = int(low), int(high if colon else low)
    return (first, last) if first <= last else (last, first)


def merged(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges that these pairs of the first and the last number make together."""
    starts: list[int] = []
    ends: list[int] = []
    for low, high in sorted(pairs):
        if ends and low <= ends[-1] + 1:
            ends[-1] = max(ends[-1], high)
        else:
            starts.append(low)
            ends.append(high)
    return starts, ends


def runs(numbers: Iterable[int]) -> Ranges:
    """The ranges that these numbers make, in any order and with repetitions."""
    ascending = sorted(numbers)
    if not ascending:
        return [], []
    after = ascending[1:]
    # A search finds a hundred thousand: no other way is as fast.
    is_new = [high - low > 1 for low, high in zip(ascending, after, strict=False)]
    return [ascending[0], *compress(after, is_new)], [*compress(ascending, is_new), ascending[-1]]


def written(starts: Sequence[int], ends: Sequence[int]) -> str:
    """The ranges as a command takes them: "1:4,7"."""
    return ",".join([f"{low}" if low == high else f"{low}:{high}" for low, high in zip(starts, ends, strict=True)])
