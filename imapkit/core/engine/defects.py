"""The log of defects: each deviation of the server from the grammar is noted once, with its bytes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from imapkit.core.support.shown import shown
from imapkit.core.wire.data import Defect

if TYPE_CHECKING:
    from imapkit.core.support.secrets import Hidden

__all__ = ["DefectLog"]

_MOST_BYTES, _MOST_CHARACTERS = 4096, 1000
"""The most bytes and characters kept of one defect: a line may have megabytes, and an error may quote the line."""


class DefectLog:
    """The last defects of one connection, the oldest first: bounded, thread-safe, and free of secrets.

    The engine notes defects under the state lock. ``settle`` hides the secrets later, because that takes longer.
    """

    def __init__(self, most: int, secrets: Hidden, lock: AbstractContextManager[object] | None = None) -> None:
        # Reentrant, where there are threads: a signal handler may call ``all`` while it interrupts ``extend`` on the same thread.
        self._lock = lock or nullcontext()
        # Lists: most connections have no defects, and an empty deque takes more memory than the rest of this object.
        self._kept: list[Defect] = []
        self.fresh: list[Defect] = []
        """The defects noted since ``settle``; their secrets are not hidden yet."""
        self._most, self._secrets = most, secrets

    def add(self, what: str, raw: bytes) -> None:
        """Note one defect."""
        self.extend((Defect(what, raw),))

    def extend(self, defects: Iterable[Defect]) -> None:
        """Note several defects."""
        with self._lock:
            for defect in defects:
                self.fresh.append(Defect(defect.what[:_MOST_CHARACTERS], defect.raw[:_MOST_BYTES]))
                _cut(self.fresh, self._most)

    def settle(self) -> None:
        """Hide the secrets in the defects noted since the last call."""
        if self.fresh:
            with self._lock:
                fresh, self.fresh = self.fresh, []
                hide, hide_text = self._secrets.hide, self._secrets.hide_text
                self._kept += [Defect(shown(hide_text(defect.what)), hide(defect.raw)) for defect in fresh]
                _cut(self._kept, self._most)

    def all(self) -> tuple[Defect, ...]:
        """The defects kept, the oldest first."""
        with self._lock:
            self.settle()
            return tuple(self._kept)


def _cut(defects: list[Defect], most: int) -> None:
    del defects[: max(0, len(defects) - most)]
