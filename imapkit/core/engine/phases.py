"""The phases of a command, and the only transitions between them. A transition that is not here is a mistake of the engine."""

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
    """A command under way, as far as its exchange needs it."""

    @property
    def tag(self) -> bytes:
        """What the command begins with."""
        ...

    @property
    def call(self) -> Call:
        """The command and its arguments."""
        ...

    @property
    def phase(self) -> Phase:
        """How far it has come."""
        ...


QUEUED = Phase("QUEUED")
"""It waits for earlier commands. It has no tag, and nothing of it has been sent."""
SENDING = Phase("SENDING")
"""It owns the wire: its exchange sends, or waits for "+" or for an answer of the program."""
IN_FLIGHT = Phase("IN_FLIGHT")
"""All of it has been sent; its tagged response is awaited."""
LISTENING = Phase("LISTENING")
"""The server has accepted it, and it goes on until there is a reason to end it (IDLE)."""
ORPHANED = Phase("ORPHANED")
"""It was given up while in flight: its waiter has been told, and its answer is dropped when it comes."""
SWITCHING = Phase("SWITCHING")
"""The server has said OK, and the layer that it switches on is being set up."""
DONE = Phase("DONE")
"""Answered, failed, or never sent."""

QUEUED.after = {"admit": SENDING, "line": IN_FLIGHT, "abandon": DONE, "fail": DONE}
SENDING.after = {"sent": IN_FLIGHT, "orphan": ORPHANED, "accept": LISTENING, "answer": DONE, "switch": SWITCHING, "fail": DONE}
IN_FLIGHT.after = {"answer": DONE, "switch": SWITCHING, "abandon": ORPHANED, "renew": SENDING, "fail": DONE}
LISTENING.after = {"interrupt": SENDING, "answer": DONE, "fail": DONE}
ORPHANED.after = {"answer": DONE, "switch": SWITCHING, "fail": DONE}
SWITCHING.after = {"switched": DONE, "fail": DONE}

PHASES = (QUEUED, SENDING, IN_FLIGHT, LISTENING, ORPHANED, SWITCHING, DONE)
