"""The lease on the selected mailbox of a connection: one holder at a time, first come, first served, threads and tasks alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from time import monotonic

from imapkit.core.contract.wires import Step
from imapkit.core.threads.waiters import open_latch
from imapkit.errors import DeadlineExceeded, MailboxBusy

__all__ = ["Lease", "Turn"]


class Turn(Step[None]):
    """A place in the line of one lease; a coroutine awaits it, and then holds the mailbox until ``leave``."""

    __slots__ = ("_lease", "_tell", "over", "who")

    def __init__(self, lease: Lease, who: Hashable) -> None:
        self._lease, self.who = lease, who
        self._tell: Callable[[], object] | None = None
        self.over = False
        """Whether it has left the line, or released the mailbox."""

    def wait(self, deadline: float | None) -> None:
        """Wait for the mailbox on this thread. Raises ``DeadlineExceeded``; then, as after any exception, the caller leaves."""
        latch = threading.Lock()
        latch.acquire()
        self.when_given(lambda: open_latch(latch))
        left = -1.0 if deadline is None else min(max(deadline - monotonic(), 0.0), threading.TIMEOUT_MAX)
        if not latch.acquire(timeout=left):
            raise DeadlineExceeded("another thread or task has the mailbox selected; nothing was sent")

    def when_given(self, tell: Callable[[], object]) -> None:
        """Join the line, and have ``tell`` called, on any thread, once the mailbox is this turn's; perhaps more than once."""
        self._tell = tell
        self._lease.join(self)

    def given(self) -> None:
        """The mailbox is this turn's, or the connection has ended, which the next command finds."""
        tell = self._tell
        if tell is not None:
            # In this order: an interruption in between tells it twice, and never leaves it out.
            tell()
            self._tell = None

    def leave(self) -> None:
        """Leave the line, or release the mailbox. It may be called twice, and by a finalizer."""
        self.over = True
        try:
            self._lease.left(self)
        except BaseException:
            # This thread was interrupted, and the next in the line may not have been told.
            self._lease.left(self)
            raise
        finally:
            self._tell = None


class Lease:
    """Which turn holds the mailbox, and which turns wait for it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        """Held for ``_line``, ``_holder`` and ``_inside`` only; nothing else is called meanwhile."""
        self._inside = self._ended = False
        self._line: list[Turn] = []
        """It may hold turns that are over: they are passed over."""
        self._holder: Turn | None = None

    def turn(self, who: Hashable) -> Turn:
        """A turn for a thread or task. Raises ``MailboxBusy`` if it holds the mailbox already: it would wait for itself."""
        holder = self._holder
        if holder is not None and holder.who == who and not holder.over:
            raise MailboxBusy("this thread or task has a mailbox selected: leave its with block, or close() it, first")
        return Turn(self, who)

    def join(self, turn: Turn) -> None:
        """Give the mailbox to ``turn``, or a place at the end of the line."""
        self._line.append(turn)
        self._hand_on()
        if self._ended:
            turn.given()

    def left(self, turn: Turn) -> None:
        """Give the mailbox of ``turn``, which is over, to the next in the line."""
        self._hand_on(turn)

    def end(self) -> None:
        """The connection has ended: have all in the line go on, since their next command raises the reason."""
        self._ended = True
        for turn in tuple(self._line):
            turn.given()

    def _hand_on(self, left: Turn | None = None) -> None:
        while True:
            with self._lock:
                if self._inside:
                    # A finalizer or a signal handler on this thread, in the middle of this: the loop below looks again.
                    return
                self._inside = True
                try:
                    if left in self._line:
                        self._line.remove(left)
                    holder = self._holder = self._given()
                finally:
                    self._inside = False
            if holder is not None:
                holder.given()
            if not self._line or (self._holder is not None and not self._holder.over):
                return

    def _given(self) -> Turn | None:
        """The turn that holds the mailbox from now on."""
        line = self._line
        while self._holder is None or self._holder.over:
            if not line:
                return None
            # In this order: an interruption in between leaves the turn in the line, and it is passed over later.
            self._holder = line[0]
            del line[0]
        return self._holder
