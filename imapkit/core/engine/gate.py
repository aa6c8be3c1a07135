"""The queue: decides which commands may be in flight together, in constant time for each; RFC 3501 section 5.5.

The queue is cut into *segments*. An exclusive command is a segment of its own; a command that names sequence numbers begins a new
segment behind a command that may bring EXPUNGE responses. Only the first segment is open. In it each command enters one *lane*
for each name of a response that it awaits, in order, and is ready once every lane has granted it; so do the resources that it
reads or writes. A command that may bring
EXPUNGE is held until the commands with sequence numbers before it have been sent. Every wait is for an earlier command, so there
is no deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imapkit.core.engine.lanes import Lane, Queued, Segment, joined
from imapkit.core.engine.resources import Resource

__all__ = ["Gate"]


class Gate:
    """The queue of one connection. ``ready`` holds the commands that may be sent now, in the order in which they became ready.

    A command withdrawn meanwhile may be among them: the wire skips it.
    """

    def __init__(self, tagged: frozenset[str] = frozenset()) -> None:
        """``tagged``: the names of the responses that name the tag of their command; commands that await them overlap."""
        self._tagged = tagged
        # (A list: a deque takes 0.7 KiB, on every idle connection.)
        self.ready: list[Queued] = []
        self.queued = 0
        """How many commands have been submitted and not sent."""
        self.live = 0
        """How many commands are open, and neither over nor withdrawn."""
        self.steps = 0
        """How many commands have been opened and granted, for the test of linearity."""
        self._first = self._last = Segment()
        self._lanes: dict[str, Lane] = {}
        self._resources: dict[str, Resource] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing is queued or in flight, and every lane is empty."""
        return not (self.queued or self.live) and self._is_free

    @property
    def _is_free(self) -> bool:
        lanes, resources = self._lanes.values(), self._resources.values()
        return all(lane.empty for lane in lanes) and all(resource.empty for resource in resources)

    def add(self, command: Queued) -> None:
        """Queue a command; it enters ``ready`` once no earlier command holds it back."""
        segment, call = self._last, command.call
        if not segment.takes(call):
            self._last.following = self._last = segment = Segment()
        if call.command.exclusive:
            segment.exclusive = True
        command.segment, command.lanes = segment, []
        segment.live += 1
        segment.waiting += 1
        if call.expunges:
            segment.expungers += 1
        if call.seqnums:
            segment.unsent += 1
        self.queued += 1
        if segment is not self._first or (segment.exclusive and self.live):
            # The command that holds it back advances the queue when it ends.
            segment.members = joined(segment.members, command)
        else:
            self._open(command)

    def sent(self, command: Queued) -> None:
        """Note that a command has been sent, or is sure to be."""
        self._no_longer_waits(command)
        if not command.segment.waiting and self._first is not self._last:
            self._advance()

    def land(self, command: Queued) -> None:
        """Remove a command that was in flight."""
        self.live -= 1
        self._no_longer_lives(command)
        if command.lanes:
            self._leave_lanes(command)
        if self._first is not self._last or self._first.exclusive:
            self._advance()

    def withdraw(self, command: Queued) -> None:
        """Remove a command that is not to be sent."""
        command.withdrawn = True
        self._no_longer_lives(command)
        self._no_longer_waits(command)
        if command.opened:
            self.live -= 1
            self._leave_lanes(command)
        self._advance()

    def _open(self, command: Queued) -> None:
        """Have a command of the first segment enter its lanes."""
        self.steps += 1
        self.live += 1
        command.opened = True
        call, segment = command.call, command.segment
        if not segment.exclusive:
            for name in call.awaits:
                if name in self._tagged:
                    continue
                lane = self._lanes.get(name)
                if lane is None:
                    lane = self._lanes[name] = Lane(name)
                if not lane.enter(command):
                    command.blocks += 1
            for name in call.resources:
                resource = self._resources.get(name)
                if resource is None:
                    resource = self._resources[name] = Resource(name)
                if not resource.enter(command):
                    command.blocks += 1
            if call.expunges and segment.must_hold(call):
                segment.held = joined(segment.held, command)
                command.blocks += 1
        if not command.blocks:
            self.ready.append(command)

    def _no_longer_waits(self, command: Queued) -> None:
        segment = command.segment
        self.queued -= 1
        segment.waiting -= 1
        if command.call.seqnums:
            segment.unsent -= 1
        held: Any = segment.held
        while held and (held[0].withdrawn or not segment.must_hold(held[0].call)):
            self._grant((held.popleft(),))

    @staticmethod
    def _no_longer_lives(command: Queued) -> None:
        segment = command.segment
        segment.live -= 1
        if command.call.expunges:
            segment.expungers -= 1

    def _leave_lanes(self, command: Queued) -> None:
        granted: list[Queued] = []
        for lane in command.lanes:
            lane.leave(command, granted)
        command.lanes = []
        if command.blocks:
            # It was withdrawn, and may be the command that the rest of a tail waits behind.
            for name in command.call.awaits:
                if name not in self._tagged:
                    self._lanes[name].pull(granted)
            for name in command.call.resources:
                self._resources[name].pull(granted)
        self._grant(granted)

    def _grant(self, granted: Iterable[Queued]) -> None:
        for command in granted:
            self.steps += 1
            command.blocks -= 1
            if not command.blocks:
                self.ready.append(command)

    def _advance(self) -> None:
        """Open the commands of the first segment that may be opened; go on to the next segment when the first permits it."""
        while True:
            first = self._first
            self._open_members(first)
            if first.following is None:
                if first.exclusive and not first.live:
                    # The segment is empty: any command may join it.
                    first.exclusive = False
                return
            if not self._may_pass(first):
                return
            self._first = first.following

    def _open_members(self, segment: Segment) -> None:
        members: Any = segment.members
        while members and not (segment.exclusive and self.live):
            command = members.popleft()
            if not command.withdrawn:
                self._open(command)

    @staticmethod
    def _may_pass(first: Segment) -> bool:
        """Whether commands of the next segment may be sent beside those left of the first; an exclusive first waits for all."""
        return not (first.waiting or first.expungers or (first.exclusive and first.live))
