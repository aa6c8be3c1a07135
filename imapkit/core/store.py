"""Untagged responses that belong to no command: ordered, bounded, thread-safe."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from imapkit.core.limits import Limits

__all__ = ["Store"]


_Entry = tuple[str, list[Any], int]


class Store:
    """Keeps ``(name, data)`` pairs in the order of arrival, the oldest dropped beyond the limits.

    ``data`` is in imaplib's shape: octets, or a list whose literals are ``(header, literal)`` tuples.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        # A signal handler may ask for what is kept while its own thread keeps something.
        self._lock = threading.RLock()
        # None while there are none, as on most connections: an empty deque takes 0.7 KiB.
        self._entries: deque[_Entry] | None = None
        self._octets = 0
        self.dropped = 0
        """How many responses had to make room for newer ones."""

    def add(self, name: str, data: list[Any], octets: int) -> bool:
        """Keep a response; whether, for the first time, others had to make room for it."""
        before = self.dropped
        with self._lock:
            entries = self._entries
            if entries is None:
                entries = self._entries = deque()
            entries.append((name, data, octets))
            self._octets += octets
            while len(entries) > self._limits.stored or self._octets > self._limits.stored_octets:
                self._octets -= entries.popleft()[2]
                self.dropped += 1
            return not before and bool(self.dropped)

    def _keep(self, entries: Sequence[_Entry]) -> None:
        self._entries = deque(entries) if entries else None
        self._octets = sum(entry[2] for entry in entries)

    def take(self, name: str) -> list[Any]:
        """Remove and return the data of every response called ``name``, the oldest first."""
        with self._lock:
            entries = self._entries or ()
            found = [entry for entry in entries if entry[0] == name]
            if found:
                self._keep([entry for entry in entries if entry[0] != name])
        return [item for entry in found for item in entry[1]]

    def peek(self, name: str) -> list[Any]:
        """The data of every response called ``name``, the oldest first; they stay."""
        with self._lock:
            return [item for entry in self._entries or () if entry[0] == name for item in entry[1]]

    def take_run(self) -> tuple[str, list[Any]] | None:
        """Remove and return the oldest response, and those of the same name that follow it at once; None if there is none."""
        with self._lock:
            entries = self._entries
            if not entries:
                return None
            name, data = entries[0][0], []
            while entries and entries[0][0] == name:
                _, more, octets = entries.popleft()
                self._octets -= octets
                data += more
        return name, data

    def take_first(self, name: str) -> list[Any] | None:
        """Remove and return the first run of responses called ``name``; None if there is none."""
        with self._lock:
            entries = list(self._entries or ())
            start = next((i for i, entry in enumerate(entries) if entry[0] == name), None)
            if start is None:
                return None
            end = start
            while end < len(entries) and entries[end][0] == name:
                end += 1
            self._keep(entries[:start] + entries[end:])
        return [item for entry in entries[start:end] for item in entry[1]]

    def runs(self) -> list[list[Any]]:
        """All that is there as imaplib2 shows it: ``[[name, [data, ...]], ...]``, one entry a run of the same name."""
        shown: list[list[Any]] = []
        with self._lock:
            for name, data, _ in self._entries or ():
                if shown and shown[-1][0] == name:
                    shown[-1][1].extend(data)
                else:
                    shown.append([name, list(data)])
        return shown

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._keep(())
