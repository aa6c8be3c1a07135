"""A caller that waits reads its own answer: a strategy that saves a quarter of a NOOP on loopback, and can be left out.

To hand an answer from one thread to another takes longer than a short command does otherwise. So when the reader has brought the
answers of two waiting callers one by one, and nothing else is in flight, it rests for a moment: the next caller *leads*. It polls
the socket with its own deadline, and takes in what comes, until its answer is there.
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
"""Seconds: what a server says of its own accord right after an answer is noticed so late at most."""
_POLL = 1.0
_SHORT = 2
"""Reads that bring a short answer; a longer one is for the reader thread."""


class Inline:
    """The right to read, which is the reader thread's or a leading caller's."""

    def __init__(self, steps: Steps, reader: Reader, layers: Layers) -> None:
        self._steps, self._reader, self._layers, self._engine = steps, reader, layers, steps.engine
        # Not a lock: once a signal handler has raised, nothing tells which thread took a lock that it took only if it was free.
        self._right: dict[None, tuple[Request | None, int]] = {}
        self._leads = self._quiet = 0
        self._resting = self._wanted = False
        self._call = threading.Lock()
        self._call.acquire()

    # a caller's side

    @property
    def is_open(self) -> bool:
        """Whether no thread has the right just now."""
        return not self._right

    def lead(self, request: Request, until: float) -> None:
        """Read until ``request`` is answered, has a question, or ``until`` has come; returns at once if another thread reads."""
        ready = self._layers.transport.ready
        if ready is None or request.call.command.layer is not None:
            # The handshake of a layer must not end half way because a caller is interrupted.
            self.call()
            return
        clean, returns, mine, reader = True, False, (request, get_ident()), self._reader
        try:
            if self._right.setdefault(None, mine) is mine:
                self._leads += 1
                reader.begin_small()
                reads = 0
                while not request.released and request.question is None:
                    rest = min(request.limit, request.until, request.refresh_at, until) - monotonic()
                    if not ready(_POLL if rest > _POLL else rest if rest > 0.0 else 0.0):
                        if rest <= 0.0:
                            returns = True
                            break
                        if self._wanted or self._layers.filler is not None:
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
            # Up to where the right is given back nothing is called, so that no signal handler can come in between.
            if not clean:
                reader.ident, self._steps.broken = 0, True
            try:
                leads = self._right[None] is mine
            except KeyError:
                leads = False
            if leads:
                del self._right[None]
                left = len(self._engine.flight.pending) > (returns and not request.released)
                if left or self._wanted or self._engine.closed is not None:
                    self.call()

    def abdicate(self) -> None:
        """If this thread leads, a signal handler has interrupted it as it polled, and may wait for anything: the reader reads."""
        holder = self._right.get(None)
        if holder is not None and holder[0] is not None and holder[1] == threading.get_ident() and not self._reader.ident:
            del self._right[None]
            self.call()

    def call(self) -> None:
        """Have the reader read, if it rests."""
        if self._resting:
            open_latch(self._call)

    # the reader's side

    def begin(self) -> None:
        """The reader thread begins to read."""
        self._take_right()

    def _take_right(self) -> None:
        self._resting, mine = True, (None, threading.get_ident())
        while self._right.setdefault(None, mine) is not mine:
            self._wanted = True
            if None in self._right:
                # A leading caller calls as it leaves, unless it is interrupted just then.
                self._call.acquire(timeout=_POLL)
        self._resting = self._wanted = False
        self._reader.ident = mine[1]

    def rest(self) -> None:
        """If callers have been served one by one, let them read for themselves, until none has for a moment."""
        quiet = self._steps.served == 1 and self._is_quiet()
        self._quiet = self._quiet + 1 if quiet else 0
        if self._quiet < 2 or self._layers.transport.ready is None:
            return
        leads = self._leads
        self._reader.ident, self._resting = 0, True
        del self._right[None]
        if self._wanted:
            self.call()
        if self._is_quiet():
            while not self._call.acquire(timeout=_REST) and leads != self._leads:
                leads = self._leads
        self._take_right()

    def _is_quiet(self) -> bool:
        return self._engine.idle and self._engine.closed is None
