"""What was odd in what a server sent: noted once, with its octets, for whoever wants to look."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from imapkit.core.cursor import Defect

if TYPE_CHECKING:
    from imapkit.core.secrets import Hidden

__all__ = ["DefectLog"]

_MOST_OCTETS = 4096
"""Of each defect: an odd line may have megabytes."""


class DefectLog:
    """The last defects of one connection, the oldest first; bounded, without secrets, for any thread."""

    def __init__(self, most: int, secrets: Hidden) -> None:
        # A signal handler may look while its own thread notes something.
        self._lock = threading.RLock()
        # A list: an empty deque takes more than all the rest here, and most connections have no defects.
        self._kept: list[Defect] = []
        self._most, self._secrets = most, secrets

    def add(self, what: str, raw: bytes) -> None:
        """Note one."""
        self.extend((Defect(what, raw),))

    def extend(self, defects: Iterable[Defect]) -> None:
        """Note these."""
        with self._lock:
            for defect in defects:
                # Cut behind what is hidden: a piece of a secret must not be left.
                raw = self._secrets.hide(defect.raw)[:_MOST_OCTETS]
                self._kept.append(Defect(self._secrets.hide_text(defect.what), raw))
                del self._kept[: max(0, len(self._kept) - self._most)]

    def all(self) -> tuple[Defect, ...]:
        """All that are kept."""
        with self._lock:
            return tuple(self._kept)
