"""Lanes: the commands that await responses of one name, and which of them may be in flight together.

Two commands of one lane may be in flight together if their answers can be told apart: ``Command.subject`` returns what each
asks about. Every operation takes constant time, or the logarithm of the number of ranges in flight.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from typing import Any, Protocol

from imapkit.core.contract.call import Call
from imapkit.core.wire.numbers import NumberSet

__all__ = ["Lane", "Queued", "Segment", "joined"]


class _Spans:
    """Disjoint ranges of numbers, in ascending order."""

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []

    def meets(self, other: NumberSet) -> bool:
        """Whether a number of ``other`` is in one of the ranges."""
        starts, ends = self.starts, self.ends
        for low, high in zip(other.starts, other.ends, strict=True):
            at = bisect_right(starts, high) - 1
            if at >= 0 and ends[at] >= low:
                return True
        return False

    def add(self, other: NumberSet) -> None:
        """Add the ranges of ``other``, which meets none of these."""
        for low, high in zip(other.starts, other.ends, strict=True):
            at = bisect_left(self.starts, low)
            self.starts.insert(at, low)
            self.ends.insert(at, high)

    def remove(self, other: NumberSet) -> None:
        """Remove the ranges of ``other``, which were added."""
        for low in other.starts:
            at = bisect_left(self.starts, low)
            del self.starts[at], self.ends[at]


class _Numbers:
    """The number sets that have been granted, of message numbers or of UIDs."""

    __slots__ = ("loose", "parts", "spans")

    def __init__(self) -> None:
        self.spans = _Spans()
        """The ranges of whole messages, and the numbers in ``parts``."""
        self.parts: dict[int, set[str]] = {}
        """The parts of one message that have been granted, by its number (``NumberSet.part``)."""
        self.loose = 0
        """Granted sets that reach to "*", or stand for a saved result ("$"): they may hold any number."""

    @property
    def empty(self) -> bool:
        return not (self.spans.starts or self.loose)

    def grant(self, subject: NumberSet) -> bool:
        """Add ``subject`` if no granted set may hold a number of it."""
        if self.loose:
            return False
        if _is_loose(subject):
            if self.spans.starts:
                return False
            self.loose += 1
        elif self.spans.meets(subject):
            return subject.part is not None and self._join(subject.starts[0], subject.part)
        else:
            self.spans.add(subject)
            if subject.part is not None:
                self.parts[subject.starts[0]] = {subject.part}
        return True

    def _join(self, number: int, part: str) -> bool:
        """Add a part of a message of which other parts have been granted; False if it is one of these, or all is granted."""
        parts = self.parts.get(number)
        if parts is None or part in parts:
            return False
        parts.add(part)
        return True

    def remove(self, subject: NumberSet) -> None:
        if _is_loose(subject):
            self.loose -= 1
            return
        if subject.part is not None:
            parts = self.parts[subject.starts[0]]
            parts.remove(subject.part)
            if parts:
                return
            del self.parts[subject.starts[0]]
        self.spans.remove(subject)


def _is_loose(subject: NumberSet) -> bool:
    return subject.open is not None or subject.unknown


class Granting(Protocol):
    """What a command enters before it is sent: a ``Lane``, or a ``Resource``."""

    def leave(self, command: Queued, granted: list[Queued], /) -> None:
        """Take a granted command out; add the commands that are granted by it to ``granted``."""


class Queued:
    """The gate's record of one command; only the gate writes it."""

    __slots__ = ("blocks", "call", "lanes", "opened", "segment", "withdrawn")

    segment: Segment
    lanes: list[Granting]
    """The lanes and resources that have granted it."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.opened = self.withdrawn = False
        """Whether its segment is open: it has entered its lanes; and whether it was withdrawn."""
        self.blocks = 0
        """How many lanes and rules hold it back."""


def joined(queue: deque[Queued] | tuple[()], command: Queued) -> deque[Queued]:
    """The queue with one more command. (While it is empty it is no deque: one takes 0.7 KiB, on every idle connection.)"""
    if isinstance(queue, deque):
        queue.append(command)
        return queue
    return deque((command,))


class Segment:
    """Commands that may overlap as far as their lanes allow."""

    __slots__ = ("exclusive", "expungers", "following", "held", "live", "members", "unsent", "waiting")

    def __init__(self) -> None:
        self.following: Segment | None = None
        self.exclusive = False
        self.members: deque[Queued] | tuple[()] = ()
        """The commands that have not entered their lanes."""
        self.live = 0
        """How many commands are neither over nor withdrawn."""
        self.waiting = 0
        """How many commands have not been sent."""
        self.expungers = 0
        """Of the live ones, those that may bring EXPUNGE."""
        self.unsent = 0
        """Of the waiting ones, those with sequence numbers."""
        self.held: deque[Queued] | tuple[()] = ()
        """Commands that may bring EXPUNGE, behind a command with sequence numbers that has not been sent."""

    def takes(self, call: Call) -> bool:
        """Whether a command may join this segment."""
        if self.exclusive:
            return False
        if call.command.exclusive:
            return not self.live
        return not (call.seqnums and self.expungers)

    def must_hold(self, call: Call) -> bool:
        """Whether a command with sequence numbers has still to be sent before this one, which may bring EXPUNGE."""
        return self.unsent > bool(call.seqnums)


class Lane:
    """The commands that await responses of one name.

    A command is *granted* when its answers can be told from those of all granted commands, which subjects of two types never
    are. A command whose subject equals that of a granted one is *parked* behind it. Any other that cannot be granted joins the
    *tail*, and so do all that come after it: the first of the tail waits for the lane to let it in.
    """

    __slots__ = ("_anything", "_granted", "_keys", "_name", "_numbers", "_tail", "_type", "_uids")

    def __init__(self, name: str) -> None:
        self._name = name
        self._granted = 0
        self._anything = 0
        """Granted commands without a subject: any response may be theirs."""
        self._keys: dict[Any, deque[Queued] | None] = {}
        self._type: type = str
        """The type of the keys, while there are any."""
        self._numbers, self._uids = _Numbers(), _Numbers()
        self._tail: deque[Queued] | tuple[()] = ()

    @property
    def empty(self) -> bool:
        """Whether no command is granted or waits."""
        return not (self._granted or self._tail)

    def enter(self, command: Queued) -> bool:
        """Whether ``command`` is granted at once; if not, ``leave`` or ``pull`` grants it later."""
        if self._tail:
            self._tail = joined(self._tail, command)
            return False
        granted = self._try(command)
        if granted is None:
            self._tail = joined(self._tail, command)
        return bool(granted)

    def leave(self, command: Queued, granted: list[Queued]) -> None:
        """Take a granted command out; add the commands that are granted by it to ``granted``."""
        subject = self._subject(command)
        self._granted -= 1
        if subject is None:
            self._anything -= 1
        elif isinstance(subject, NumberSet):
            (self._uids if subject.uid else self._numbers).remove(subject)
        else:
            self._unpark(subject, granted)
        self.pull(granted)

    def pull(self, granted: list[Queued]) -> None:
        """Grant what can be granted of the tail, in its order; add it to ``granted``."""
        tail: Any = self._tail
        while tail:
            head = tail[0]
            if not head.withdrawn:
                found = self._try(head)
                if found is None:
                    return
                if found:
                    granted.append(head)
            tail.popleft()
        self._tail = ()

    def _subject(self, command: Queued) -> Any:
        """What a command asks for in responses of this name; None if any of them may be its answer."""
        call = command.call
        return None if self._name in call.added else call.about

    def _try(self, command: Queued) -> bool | None:
        """True: granted. False: parked behind its own subject. None: it must wait for all before it."""
        subject = self._subject(command)
        if subject is None:
            if self._granted:
                return None
            self._anything += 1
        elif self._anything:
            return None
        elif isinstance(subject, NumberSet):
            own, other = (self._uids, self._numbers) if subject.uid else (self._numbers, self._uids)
            if self._keys or not other.empty or not own.grant(subject):
                return None
        elif subject in self._keys:
            self._park(subject, command)
            return False
        elif not self._takes_key(subject):
            return None
        self._grant(command)
        return True

    def _takes_key(self, subject: Any) -> bool:
        """Add a subject that is a key; False if subjects of another type are granted."""
        if not self._keys:
            if not (self._numbers.empty and self._uids.empty):
                return False
            self._type = type(subject)
        elif type(subject) is not self._type:
            return False
        self._keys[subject] = None
        return True

    def _grant(self, command: Queued) -> None:
        self._granted += 1
        command.lanes.append(self)

    def _park(self, subject: Any, command: Queued) -> None:
        waiting = self._keys[subject]
        if waiting is None:
            waiting = self._keys[subject] = deque()
        waiting.append(command)

    def _unpark(self, subject: Any, granted: list[Queued]) -> None:
        """Grant the next command that is parked behind ``subject``, whose command has left the lane."""
        waiting = self._keys.pop(subject)
        while waiting:
            following = waiting.popleft()
            if not following.withdrawn:
                self._keys[subject] = waiting
                self._grant(following)
                granted.append(following)
                return
