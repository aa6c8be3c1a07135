"""Resources: what one command writes and a later one reads, such as the saved result of a search, "$" (RFC 5182)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imapkit.core.engine.lanes import Queued

__all__ = ["Resource"]


class Resource:
    """The commands that read or write one resource, in order: readers overlap, and a writer is alone.

    So a reader follows the last writer before it, and a writer all readers before it. The gate uses it as it does a ``Lane``.
    """

    __slots__ = ("_name", "_readers", "_tail", "_written")

    def __init__(self, name: str) -> None:
        self._name = name
        self._readers = 0
        """How many commands that read it have been granted."""
        self._written = False
        """Whether a command that writes it has been granted."""
        self._tail: deque[Queued] = deque()

    @property
    def empty(self) -> bool:
        """Whether no command is granted, and none waits."""
        return not (self._readers or self._written or self._tail)

    def enter(self, command: Queued) -> bool:
        """Whether ``command`` is granted at once; if not, ``leave`` or ``pull`` grants it later."""
        if self._tail or not self._try(command):
            self._tail.append(command)
            return False
        return True

    def leave(self, command: Queued, granted: list[Queued]) -> None:
        """Take a granted command out; add the commands that are granted by it to ``granted``."""
        if self._name in command.call.writes:
            self._written = False
        else:
            self._readers -= 1
        self.pull(granted)

    def pull(self, granted: list[Queued]) -> None:
        """Grant what can be granted of the tail, in its order; add it to ``granted``."""
        tail = self._tail
        while tail:
            head = tail[0]
            if not head.withdrawn:
                if not self._try(head):
                    return
                granted.append(head)
            tail.popleft()

    def _try(self, command: Queued) -> bool:
        if self._written:
            return False
        if self._name not in command.call.writes:
            self._readers += 1
        elif self._readers:
            return False
        else:
            self._written = True
        command.lanes.append(self)
        return True
