"""The store of untagged responses that belong to no command: ordered, bounded, thread-safe."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from imapkit.core.support.limits import Limits
from imapkit.core.wire.response import Run, Untagged

__all__ = ["Store"]


_Kept = list[Any] | Untagged | Run
_Entry = tuple[str, _Kept, int]


class Store:
    """Keeps ``(name, data)`` pairs in the order of arrival, the oldest dropped beyond the limits.

    ``data`` is in imaplib's shape: bytes, or a list whose literals are ``(header, literal)`` tuples. A response is kept as it
    came, which saves memory where a command's data or an error shares it, and shaped when it is taken.
    """

    def __init__(self, limits: Limits | None = None, lock: AbstractContextManager[object] | None = None) -> None:
        self._limits = limits or Limits()
        # Reentrant, where there are threads: a signal handler may read the store while it interrupts ``add`` on the same thread.
        self._lock = lock or nullcontext()
        # (A list until the oldest are removed: a deque takes 0.7 KiB, on every idle connection.)
        self._entries: list[_Entry] | deque[_Entry] = []
        self._memory = 0
        self.dropped = 0
        """How many responses were dropped to make room for newer ones."""

    def add(self, name: str, data: _Kept, memory: int) -> bool:
        """Keep a response of ``memory`` bytes; returns whether, for the first time, older ones were dropped for it."""
        before = self.dropped
        with self._lock:
            self._entries.append((name, data, memory))
            self._memory += memory
            self._trim()
            return not before and bool(self.dropped)

    def _trim(self) -> None:
        while len(self._entries) > self._limits.stored or self._memory > self._limits.stored_bytes:
            self._memory -= self._from_the_front().popleft()[2]
            self.dropped += 1

    def _from_the_front(self) -> deque[_Entry]:
        """The entries, to remove the first one: a deque does that in constant time."""
        if isinstance(self._entries, list):
            self._entries = deque(self._entries)
        return self._entries

    def set_aside(self) -> Sequence[_Entry]:
        """Remove and return all entries, for ``put_back``."""
        with self._lock:
            entries = tuple(self._entries)
            self._keep(())
        return entries

    def put_back(self, aside: Sequence[_Entry]) -> None:
        """Restore the entries that ``set_aside`` returned, before those added since."""
        with self._lock:
            self._keep((*aside, *self._entries))
            self._trim()

    def _keep(self, entries: Sequence[_Entry]) -> None:
        self._entries = list(entries)
        self._memory = sum(entry[2] for entry in entries)

    def take(self, name: str) -> list[Any]:
        """Remove and return the data of every response called ``name``, the oldest first."""
        with self._lock:
            entries = self._entries
            found = [entry for entry in entries if entry[0] == name]
            if found:
                self._keep([entry for entry in entries if entry[0] != name])
        return _shaped(found)

    def peek(self, name: str) -> list[Any]:
        """The data of every response called ``name``, the oldest first; they stay."""
        with self._lock:
            return _shaped(entry for entry in self._entries if entry[0] == name)

    def take_run(self) -> tuple[str, list[Any]] | None:
        """Remove and return the oldest response, and those of the same name that follow it at once; None if there is none."""
        with self._lock:
            if not self._entries:
                return None
            entries = self._from_the_front()
            name, found = entries[0][0], []
            while entries and entries[0][0] == name:
                found.append(entries.popleft())
                self._memory -= found[-1][2]
            if not entries:
                self._keep(())
        return name, _shaped(found)

    def take_first(self, name: str) -> list[Any] | None:
        """Remove and return the first run of responses called ``name``; None if there is none."""
        with self._lock:
            entries = list(self._entries)
            start = next((i for i, entry in enumerate(entries) if entry[0] == name), None)
            if start is None:
                return None
            end = start
            while end < len(entries) and entries[end][0] == name:
                end += 1
            self._keep(entries[:start] + entries[end:])
        return _shaped(entries[start:end])

    def runs(self) -> list[list[Any]]:
        """All entries as imaplib2 shows them: ``[[name, [data, ...]], ...]``, one for each run of the same name."""
        shown: list[list[Any]] = []
        with self._lock:
            for entry in self._entries:
                data = _shaped((entry,))
                if shown and shown[-1][0] == entry[0]:
                    shown[-1][1].extend(data)
                else:
                    shown.append([entry[0], data])
        return shown

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._keep(())


def _shaped(entries: Iterable[_Entry]) -> list[Any]:
    """The data of entries, in imaplib's shape."""
    return [item for _, kept, _ in entries for item in (kept if isinstance(kept, list) else kept.data())]
