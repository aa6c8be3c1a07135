"""The queue: which commands may be in flight together, decided in constant time for each; RFC 3501 section 5.5.

The queue is cut into *segments*. An exclusive command is a segment of its own; a command that names sequence numbers begins a new
segment behind a command that may bring EXPUNGE responses. Only the first segment is open. In it each command enters one *lane*
for each name of a response that it awaits, in order, and is ready once every lane has granted it. A command that may bring
EXPUNGE is held until the commands with sequence numbers before it have been sent. Every wait is for an earlier command, so there
is no deadlock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from imapkit.core.contract.call import Call
from imapkit.core.engine.lanes import Lane, Queued, Segment

__all__ = ["Gate"]


class Gate:
    """The queue of one connection. ``ready`` holds the commands that may be sent now, in the order in which they became ready.

    One that was withdrawn meanwhile may be among them: the wire passes it over.
    """

    def __init__(self) -> None:
        self.ready: deque[Queued] = deque()
        self.queued = 0
        """Submitted and not sent."""
        self.live = 0
        """Opened, and neither landed nor withdrawn."""
        self.steps = 0
        """How many commands have been opened and granted, for the test of linearity."""
        self._segments: deque[Segment] = deque()
        self._lanes: dict[str, Lane] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing is queued or in flight, and every lane is empty."""
        return not (self.queued or self.live) and all(lane.empty for lane in self._lanes.values())

    def add(self, command: Queued) -> None:
        """Queue a command; it is in ``ready`` once nothing before it stands against it."""
        segment = self._last_segment_for(command.call)
        command.segment, command.lanes = segment, []
        segment.live += 1
        segment.waiting += 1
        segment.expungers += command.call.expunges
        segment.unsent += command.call.seqnums
        self.queued += 1
        if segment is not self._segments[0] or (segment.exclusive and self.live):
            # The command that stands against it advances the queue when it goes.
            segment.members.append(command)
        else:
            self._open(command)

    def sent(self, command: Queued) -> None:
        """All of it has left, or will without fail."""
        segment = command.segment
        self._no_longer_waits(command)
        if not segment.waiting and len(self._segments) > 1:
            self._advance()

    def land(self, command: Queued) -> None:
        """It was sent, and is no longer in flight."""
        self.live -= 1
        self._no_longer_lives(command)
        if command.lanes:
            self._leave_lanes(command)
        segments = self._segments
        if len(segments) > 1 or (segments and segments[0].exclusive):
            self._advance()

    def withdraw(self, command: Queued) -> None:
        """It is not to be sent."""
        command.withdrawn = True
        self._no_longer_lives(command)
        self._no_longer_waits(command)
        if command.opened:
            self.live -= 1
            self._leave_lanes(command)
        self._advance()

    def _last_segment_for(self, call: Call) -> Segment:
        segments = self._segments
        if not segments or not segments[-1].takes(call):
            segments.append(Segment())
        segments[-1].exclusive = call.command.exclusive
        return segments[-1]

    def _open(self, command: Queued) -> None:
        """Let a command of the first segment into its lanes."""
        self.steps += 1
        self.live += 1
        command.opened = True
        call, segment = command.call, command.segment
        blocks = 0
        if not segment.exclusive:
            for name in call.command.result:
                lane = self._lanes.get(name)
                if lane is None:
                    lane = self._lanes[name] = Lane()
                blocks += not lane.enter(command)
            if segment.must_hold(call):
                segment.held.append(command)
                blocks += 1
        command.blocks = blocks
        if not blocks:
            self.ready.append(command)

    def _no_longer_waits(self, command: Queued) -> None:
        segment = command.segment
        self.queued -= 1
        segment.waiting -= 1
        segment.unsent -= command.call.seqnums
        held = segment.held
        while held and (held[0].withdrawn or not segment.must_hold(held[0].call)):
            self._grant((held.popleft(),))

    @staticmethod
    def _no_longer_lives(command: Queued) -> None:
        command.segment.live -= 1
        command.segment.expungers -= command.call.expunges

    def _leave_lanes(self, command: Queued) -> None:
        granted: list[Queued] = []
        for lane in command.lanes:
            lane.leave(command, granted)
        command.lanes = []
        if command.blocks:
            # Withdrawn: it may be the one that the rest of a tail waits behind.
            for name in command.call.command.result:
                self._lanes[name].pull(granted)
        self._grant(granted)

    def _grant(self, granted: Iterable[Queued]) -> None:
        for command in granted:
            self.steps += 1
            command.blocks -= 1
            if not command.blocks:
                self.ready.append(command)

    def _advance(self) -> None:
        """Open what may be opened of the first segment; go on to the next one when nothing of the first stands against it."""
        segments = self._segments
        while segments:
            first = segments[0]
            self._open_members(first)
            if len(segments) == 1:
                if first.exclusive and not first.live:
                    segments.popleft()
                return
            if not self._may_pass(first):
                return
            segments.popleft()

    def _open_members(self, segment: Segment) -> None:
        members = segment.members
        while members and not (segment.exclusive and self.live):
            command = members.popleft()
            if not command.withdrawn:
                self._open(command)

    @staticmethod
    def _may_pass(first: Segment) -> bool:
        """Whether commands of the next segment may be sent beside what is left of the first; an exclusive one waits for all."""
        return not (first.waiting or first.expungers or (first.exclusive and first.live))
