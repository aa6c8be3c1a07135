"""Which commands may be in flight together, and who writes next; RFC 3501 section 5.5.

One command is written at a time, whole, with its literals: its writer has the turn. A command that is a single line need not wait
for the end of another such line: it joins, and whoever has the turn sends it, too. A command gets the turn, or may join, when
nothing in flight, and nothing that has waited longer, stands against it:

- an exclusive command flies alone;
- a command that names sequence numbers does not follow one that may bring EXPUNGE responses;
- two commands whose answers cannot be told apart follow one another.

Every method needs the state lock of the connection.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from math import inf
from typing import Any

from imapkit.core.numbers import NumberSet
from imapkit.core.request import Call, Request
from imapkit.errors import error

__all__ = ["Gate"]


_ROUNDS = 8
"""So often somebody sends what others hand over before it is another one's turn."""


def _alike(one: Any, other: Any) -> bool:
    """Whether answers about ``one`` and about ``other`` might be taken for each other."""
    if one is None or other is None:
        return True
    if isinstance(one, NumberSet) and isinstance(other, NumberSet):
        return not one.isdisjoint(other)
    return bool(one == other)


def _clash(one: Call, other: Call) -> bool:
    """Whether two commands must not be in flight together, in whatever order."""
    if one.command.exclusive or other.command.exclusive:
        return True
    if (one.seqnums and other.expunges) or (other.seqnums and one.expunges):
        return True
    return any(name in other.command.result for name in one.command.result) and _alike(one.about, other.about)


class _Answers:
    """What the commands in flight that await one kind of response ask about; single things by look-up, sets one by one."""

    def __init__(self) -> None:
        self._single: Counter[Any] = Counter()
        self._kinds: Counter[bool] = Counter()
        self._sets: list[NumberSet] = []
        self._anything = 0

    @staticmethod
    def _key(about: Any) -> Any:
        return (about.uid, about.single) if isinstance(about, NumberSet) else about

    def add(self, about: Any, step: int = 1) -> None:
        if about is None:
            self._anything += step
            return
        if isinstance(about, NumberSet):
            self._kinds[about.uid] += step
            if about.single is None:
                if step > 0:
                    self._sets.append(about)
                else:
                    self._sets.remove(about)
                return
        key = self._key(about)
        self._single[key] += step
        if not self._single[key]:
            del self._single[key]

    def remove(self, about: Any) -> None:
        self.add(about, -1)

    def meet(self, about: Any) -> bool:
        """Whether an answer about ``about`` might be taken for another that is awaited."""
        if self._anything or (about is None and (self._single or self._sets)):
            return True
        if about is None:
            return False
        if not isinstance(about, NumberSet):
            return about in self._single
        if self._kinds[not about.uid]:
            return True
        if about.single is not None:
            return self._key(about) in self._single or not all(map(about.isdisjoint, self._sets))
        if not all(map(about.isdisjoint, self._sets)):
            return True
        return bool(self._single) and (
            about.open is not None or about.unknown or any(number in about for _, number in self._single)
        )


class Gate:
    """Lets commands out, one writer at a time."""

    def __init__(self) -> None:
        self.writer: Request | None = None
        self.frozen = False
        """Nobody is let out any more: the connection is about to end."""
        self._held = False
        self.rounds = 0
        """How often the one who writes has sent what others handed over."""
        self._flying: dict[Request, None] = {}
        self._exclusive = 0
        self._expungers = 0
        self._answers: dict[str, _Answers] = {}
        self._waiting: list[tuple[Request, threading.Lock]] = []

    def join(self, request: Request) -> bool:
        """Fly along with the command that is being written, if both are a single line and nothing else stands against it."""
        writer = self.writer
        if writer is None or writer.call.line is None or request.call.line is None or self.rounds >= _ROUNDS or self._waiting:
            return False
        # What is secret is in no other thread's hands.
        fits = not (self.frozen or request.call.command.secret) and self._fits(request.call)
        if fits:
            self._fly(request)
        return fits

    def enter(self, request: Request) -> threading.Lock | None:
        """Take the turn: None if it was given at once, else the latch that opens when it is given."""
        if not self._waiting and self._free(request.call):
            self._take(request)
            return None
        latch = threading.Lock()
        latch.acquire()
        self._waiting.append((request, latch))
        self._admit()
        return latch if latch.locked() else None

    def withdraw(self, request: Request) -> bool:
        """Stop waiting for the turn; False if it has been given."""
        left = [waiter for waiter in self._waiting if waiter[0] is not request]
        if len(left) == len(self._waiting):
            return False
        self._waiting = left
        self._admit()
        return True

    def leave(self, request: Request) -> None:
        """Give the turn back: the command is written."""
        if self.writer is request:
            self.writer, self.rounds = None, 0
            if self._waiting:
                self._admit()

    def hold(self) -> bool:
        """Let nobody write until ``release``; False if somebody does, or what is in flight goes on until it hears something."""
        if self.frozen or self.writer is not None or self.interruptible() is not None:
            return False
        self._held = True
        return True

    def release(self) -> None:
        """Let others write again."""
        self._held = False
        self._admit()

    @property
    def busy(self) -> bool:
        """Whether somebody may be in the middle of what he writes."""
        return self._held or self.writer is not None

    @property
    def is_halted(self) -> bool:
        """Whether the one who has the turn can write nothing more before the server has said that it goes on."""
        writer = self.writer
        return writer is not None and writer.go is not None and writer.go.locked()

    def land(self, request: Request) -> None:
        """The command is no longer in flight."""
        if request in self._flying:
            del self._flying[request]
            self._count(request.call, -1)
            if self._waiting:
                self._admit()

    def recount(self) -> None:
        """Count anew what is in flight: somebody was interrupted, perhaps as he was being counted, or let another one out."""
        self._exclusive = self._expungers = 0
        self._answers = {}
        out = next((i for i, (request, _) in enumerate(self._waiting) if request is self.writer), None)
        if out is not None:
            self._flying[self._waiting[out][0]] = None
        for request in self._flying:
            self._count(request.call, 1)
        if out is not None:
            self._let_out(out)
        self._admit()

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for the turn."""
        return bool(self._waiting)

    def overdue(self, now: float) -> tuple[Request | None, float]:
        """A command in flight that is late, or to be sent anew, if there is one; and when the next one may be."""
        earliest = inf
        for request in self._flying:
            if request.complete:
                continue
            if request.again:
                return request, now
            deadline = request.deadline()
            if deadline <= now:
                return request, deadline
            earliest = min(earliest, deadline)
        return None, earliest

    def interruptible(self) -> Request | None:
        """The command in flight that can be made to end for the others' sake."""
        for request in self._flying:
            if request.call.command.interrupt is not None and not request.complete:
                return request
        return None

    def close(self, exc: error) -> None:
        """Let nobody out any more: those who wait fail with ``exc``. May be done twice."""
        for request, latch in self._waiting:
            request.fail(exc)
            Request.open(latch)
        self._waiting = []
        self._flying.clear()

    def _free(self, call: Call) -> bool:
        return not (self.busy or self.frozen) and self._fits(call)

    def _fits(self, call: Call) -> bool:
        """Whether nothing in flight stands against it."""
        if self._exclusive:
            return False
        if call.command.exclusive:
            return not self._flying
        if call.seqnums and self._expungers:
            return False
        for name in call.command.result:
            answers = self._answers.get(name)
            if answers is not None and answers.meet(call.about):
                return False
        return True

    def _take(self, request: Request) -> None:
        self.writer = request
        self._fly(request)

    def _fly(self, request: Request) -> None:
        self._flying[request] = None
        self._count(request.call, 1)

    def _count(self, call: Call, step: int) -> None:
        command = call.command
        if command.exclusive:
            self._exclusive += step
        if call.expunges:
            self._expungers += step
        for name in command.result:
            self._answers.setdefault(name, _Answers()).add(call.about, step)

    def _admit(self) -> None:
        """Give the turn to the first in line against whom nothing stands."""
        if self.busy or self.frozen:
            return
        for i, (request, _) in enumerate(self._waiting):
            ahead = self._waiting[:i]
            if self._free(request.call) and not any(_clash(request.call, other.call) for other, _ in ahead):
                # In this order: whoever is interrupted between the two must not leave somebody who neither waits nor goes.
                self._take(request)
                self._let_out(i)
                return

    def _let_out(self, i: int) -> None:
        """Open the latch of one who waits, and has the turn by now."""
        request, latch = self._waiting[i]
        request.progress = time.monotonic()
        del self._waiting[i]
        latch.release()
