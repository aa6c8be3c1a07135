"""What was odd in what a server sent: noted once, with its octets, for whoever wants to look."""

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
"""Of each defect, what the server sent and what is said of it: an odd line may have megabytes, and an error may repeat it."""


class DefectLog:
    """The last defects of one connection, the oldest first; bounded, without secrets, for any thread.

    They are noted under the state lock, and secrets are hidden in them later, by ``settle``, which takes longer.
    """

    def __init__(self, most: int, secrets: Hidden, lock: AbstractContextManager[object] | None = None) -> None:
        # Reentrant, where there are threads: a signal handler may look while its own thread notes something.
        self._lock = lock or nullcontext()
        # Lists: an empty deque takes more than all the rest here, and most connections have no defects.
        self._kept: list[Defect] = []
        self.fresh: list[Defect] = []
        """What has been noted since ``settle``."""
        self._most, self._secrets = most, secrets

    def add(self, what: str, raw: bytes) -> None:
        """Note one."""
        self.extend((Defect(what, raw),))

    def extend(self, defects: Iterable[Defect]) -> None:
        """Note these."""
        with self._lock:
            for defect in defects:
                self.fresh.append(Defect(defect.what[:_MOST_CHARACTERS], defect.raw[:_MOST_BYTES]))
                _cut(self.fresh, self._most)

    def settle(self) -> None:
        """Hide the secrets in what has been noted since the last time."""
        if self.fresh:
            with self._lock:
                fresh, self.fresh = self.fresh, []
                hide, hide_text = self._secrets.hide, self._secrets.hide_text
                self._kept += [Defect(shown(hide_text(defect.what)), hide(defect.raw)) for defect in fresh]
                _cut(self._kept, self._most)

    def all(self) -> tuple[Defect, ...]:
        """All that are kept."""
        with self._lock:
            self.settle()
            return tuple(self._kept)


def _cut(defects: list[Defect], most: int) -> None:
    del defects[: max(0, len(defects) - most)]
