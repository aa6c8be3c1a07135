"""The memory that responses take up: the bytes in them, and a fixed charge for each object that holds them.

A limit on bytes alone would bound nothing: an empty line, or a literal of no bytes, is an object, too. The charges are those of
a 64-bit CPython, rounded; ``tests/security/test_memory.py`` compares them with ``sys.getsizeof``.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["PART", "RESPONSE", "SINGLE", "memory_of"]

RESPONSE = 144
"""Bytes for a response: its object, the tuple of its parts, its number, and its place in a list."""
PART = 48
"""Bytes for each text or literal of it, beside what is in it: the object, and its place in the tuple."""
SINGLE = RESPONSE + PART
"""Bytes for a response of one text, beside what is in it."""


def memory_of(name: str, parts: Sequence[bytes]) -> int:
    """Bytes that a response of that name and these parts takes up."""
    return RESPONSE + len(name) + PART * len(parts) + sum(map(len, parts))
