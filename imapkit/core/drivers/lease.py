"""The lease on the selected mailbox of a connection: one holder at a time, first come, first served, threads and tasks alike."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from time import monotonic

from imapkit.core.contract.wires import Step
from imapkit.core.threads.waiters import open_latch
from imapkit.errors import DeadlineExceeded, MailboxBusy

__all__ = ["Lease", "Turn"]


class Turn(Step[None]):
    """A place in the line of one lease; a coroutine awaits it, and then holds the mailbox until ``Lease.release(turn)``."""

    __slots__ = ("_lease", "_tell", "who")

    def __init__(self, lease: Lease, who: Hashable) -> None:
        self._lease, self.who = lease, who
        self._tell: Callable[[], object] | None = None

    def wait(self, deadline: float | None) -> None:
        """Wait for the mailbox on this thread. Raises ``DeadlineExceeded``; after any exception the place in the line is free."""
        latch = threading.Lock()
        latch.acquire()
        try:
            self.when_given(lambda: open_latch(latch))
            left = -1.0 if deadline is None else min(max(deadline - monotonic(), 0.0), threading.TIMEOUT_MAX)
            if not latch.acquire(timeout=left):
                raise DeadlineExceeded("another thread or task has the mailbox selected; nothing was sent")
        except BaseException:
            self.leave()
            raise

    def when_given(self, tell: Callable[[], object]) -> None:
        """Join the line, and have ``tell`` called, on any thread, once the mailbox is this turn's."""
        self._tell = tell
        self._lease.join(self)

    def given(self) -> None:
        """The mailbox is this turn's."""
        if self._tell is not None:
            self._tell()

    def leave(self) -> None:
        """Leave the line; if the mailbox was given meanwhile, give it to the next."""
        self._lease.withdraw(self)


class Lease:
    """Which turn holds the mailbox, and which turns wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: deque[Turn] | tuple[()] = ()
        self._holder: Turn | None = None

    def turn(self, who: Hashable) -> Turn:
        """A turn for a thread or task. Raises ``MailboxBusy`` if it holds the mailbox already: it would wait for itself."""
        holder = self._holder
        if holder is not None and holder.who == who:
            raise MailboxBusy("this thread or task has a mailbox selected: leave its with block, or close() it, first")
        return Turn(self, who)

    def join(self, turn: Turn) -> None:
        """Give the mailbox to ``turn``, or a place at the end of the line."""
        with self._lock:
            if self._holder is not None:
                if not self._line:
                    self._line = deque()
                self._line.append(turn)
                return
            self._holder = turn
        turn.given()

    def withdraw(self, turn: Turn) -> None:
        """Take ``turn`` out of the line; if it holds the mailbox, release it."""
        with self._lock:
            if turn in self._line:
                self._line.remove(turn)  # type: ignore[union-attr]
                return
        self.release(turn)

    def release(self, turn: Turn) -> None:
        """Give the mailbox to the next in the line. It may be called twice."""
        with self._lock:
            if self._holder is not turn:
                return
            self._holder = following = self._line.popleft() if self._line else None
        if following is not None:
            following.given()
