"""The phases of a command, and the only transitions between them. Any other transition is a bug of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from imapkit.core.contract.call import Call

__all__ = ["DONE", "IN_FLIGHT", "LISTENING", "ORPHANED", "PHASES", "QUEUED", "SENDING", "SWITCHING", "Phase", "Tagged"]


class Phase:
    """One phase: ``after[event]`` is the phase that follows."""

    __slots__ = ("after", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.after: dict[str, Phase] = {}

    def __repr__(self) -> str:
        return self.name


class Tagged(Protocol):
    """The part of a command under way that its exchange uses."""

    @property
    def tag(self) -> bytes:
        """The tag of the command."""
        ...

    @property
    def call(self) -> Call:
        """The command and its arguments."""
        ...

    @property
    def phase(self) -> Phase:
        """The present phase."""
        ...


QUEUED = Phase("QUEUED")
"""The command waits for earlier ones. It has no tag, and nothing of it has been sent."""
SENDING = Phase("SENDING")
"""The command owns the wire: its exchange sends, or waits for "+" or for the program's answer to a challenge."""
IN_FLIGHT = Phase("IN_FLIGHT")
"""All of the command has been sent; its tagged response has not come."""
LISTENING = Phase("LISTENING")
"""The server has accepted the command, which goes on until there is a reason to end it (IDLE)."""
ORPHANED = Phase("ORPHANED")
"""Given up while in flight: its waiter has been called, and its answer is dropped when it comes."""
SWITCHING = Phase("SWITCHING")
"""The server has said OK, and the command's layer is being switched on."""
DONE = Phase("DONE")
"""Answered, failed, or never sent."""

QUEUED.after = {"admit": SENDING, "line": IN_FLIGHT, "abandon": DONE, "fail": DONE}
SENDING.after = {"sent": IN_FLIGHT, "orphan": ORPHANED, "accept": LISTENING, "answer": DONE, "switch": SWITCHING, "fail": DONE}
IN_FLIGHT.after = {"answer": DONE, "switch": SWITCHING, "abandon": ORPHANED, "renew": SENDING, "fail": DONE}
LISTENING.after = {"interrupt": SENDING, "answer": DONE, "fail": DONE}
ORPHANED.after = {"answer": DONE, "switch": SWITCHING, "fail": DONE}
SWITCHING.after = {"switched": DONE, "fail": DONE}

PHASES = (QUEUED, SENDING, IN_FLIGHT, LISTENING, ORPHANED, SWITCHING, DONE)
