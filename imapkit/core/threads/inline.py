"""Inline reading: a caller that waits reads its own answer. It saves a quarter of a NOOP on loopback, and can be left out.

To hand an answer from the reader thread to a caller takes longer than the rest of a short command. So when the reader thread
has read the answers of two waiting callers, one after the other, and nothing else is in flight, it rests for a moment. The next
caller then reads: it polls the socket with its own deadline, and takes in what comes, until its answer is there.
"""

from __future__ import annotations

import threading
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING

from imapkit.core.threads.waiters import open_latch

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request
    from imapkit.core.threads.reader import Reader
    from imapkit.core.threads.steps import Steps
    from imapkit.core.transport.layers import Layers

__all__ = ["Inline"]

_REST = 0.005
"""Seconds for which the reader thread rests: the most by which a response that follows an answer is read late."""
_POLL = 1.0
_LEAVE = 0.1
"""Seconds for which bytes are left unread, so that a caller that still polls sees them, unless a signal handler holds it up."""
_SHORT = 2
"""Reads for a short answer; after these the reader thread reads on."""


class Inline:
    """The right to read, which the reader thread or one caller has."""

    def __init__(self, steps: Steps, reader: Reader, layers: Layers) -> None:
        self._steps, self._reader, self._layers, self._engine = steps, reader, layers, steps.engine
        # Not a lock: if a signal handler raises just after an acquire, the thread cannot find out whether it has the lock.
        self._right: dict[None, tuple[Request | None, int]] = {}
        self._turns = self._quiet = 0
        self._resting = self._reader_waits = False
        self._leaving: object | None = None
        """The token of a caller that gave its right away in a signal handler: behind the handler it goes on polling."""
        self._wake = threading.Lock()
        self._wake.acquire()

    # a caller's side

    @property
    def is_open(self) -> bool:
        """Whether no thread has the right."""
        return not self._right

    def read_inline(self, request: Request, until: float) -> None:
        """Read until ``request`` is over or has a question, or until ``until``. Returns at once if another thread reads."""
        ready = self._layers.transport.ready
        command = request.call.command
        if ready is None or command.layer is not None or command.ends_layers:
            # An interruption of the caller must not stop the handshake of a layer half way.
            self.wake_reader()
            return
        clean, returns, mine, reader = True, False, (request, get_ident()), self._reader
        try:
            if self._right.setdefault(None, mine) is mine:
                self._turns += 1
                reader.begin_small()
                reads = 0
                while not request.released and request.question is None:
                    rest = min(request.limit, request.until, request.refresh_at, until) - monotonic()
                    if not ready(_POLL if rest > _POLL else rest if rest > 0.0 else 0.0):  # noqa: FURB136 - a call more for each read
                        if rest <= 0.0:
                            returns = True
                            break
                        if self._reader_waits or self._layers.filler is not None or self._right.get(None) is not mine:
                            break
                    elif reads == _SHORT or self._right.get(None) is not mine:
                        break
                    else:
                        clean, reader.ident = False, mine[1]
                        reader.read_once()
                        clean, reader.ident = True, 0
                        reads += request.call.command.interrupt is None
                else:
                    returns = True
        finally:
            # Nothing is called before the right is given back, so that no signal handler can come in between.
            if not clean:
                reader.ident, self._steps.broken = 0, True
            try:
                has_right = self._right[None] is mine
            except KeyError:
                has_right = False
            if has_right:
                del self._right[None]
                left = len(self._engine.flight.pending) > (returns and not request.released)
                if left or self._reader_waits or self._engine.closed is not None:
                    self.wake_reader()
            elif self._leaving is mine:
                self._leaving = None
                open_latch(self._wake)

    def hand_back(self, waits: bool = True) -> None:
        """Give the right to the reader thread, if this thread has it: a signal handler has interrupted its poll.

        ``waits``: whether the handler is to wait for the answer now; else the poll is likely to go on before that comes.
        """
        holder = self._right.get(None)
        if holder is not None and holder[0] is not None and holder[1] == threading.get_ident() and not self._reader.ident:
            self._leaving = None if waits else holder
            del self._right[None]
            self.wake_reader()

    def wake_reader(self) -> None:
        """Wake the reader thread, if it rests or waits for the right."""
        if self._resting:
            open_latch(self._wake)

    # the reader's side

    def begin(self) -> None:
        """The reader thread begins to read."""
        self._take_right()

    def _take_right(self) -> None:
        self._resting, mine = True, (None, threading.get_ident())
        while self._right.setdefault(None, mine) is not mine:
            self._reader_waits = True
            if None in self._right:
                # The caller that reads wakes this thread at its end, unless it is interrupted just then.
                self._wake.acquire(timeout=_POLL)
        self._resting = self._reader_waits = False
        self._reader.ident = mine[1]
        if self._leaving is not None:
            self._let_leave()

    def _let_leave(self) -> None:
        """Leave the next bytes unread until they have ended the poll of the caller that gave its right away."""
        ready = self._layers.transport.ready
        if ready is not None and ready(_POLL):
            end = monotonic() + _LEAVE
            while self._leaving is not None and (rest := end - monotonic()) > 0.0:
                self._wake.acquire(timeout=rest)
        self._leaving = None

    def rest(self) -> None:
        """Rest, if callers were served one by one; returns when none of them has read for a moment."""
        quiet = self._steps.served == 1 and self._is_quiet()
        self._quiet = self._quiet + 1 if quiet else 0
        if self._quiet < 2 or self._layers.transport.ready is None:
            return
        turns = self._turns
        self._reader.ident, self._resting = 0, True
        del self._right[None]
        if self._reader_waits:
            self.wake_reader()
        if self._is_quiet():
            while not self._wake.acquire(timeout=_REST) and turns != self._turns:
                turns = self._turns
        self._take_right()

    def _is_quiet(self) -> bool:
        return self._engine.idle and self._engine.closed is None
