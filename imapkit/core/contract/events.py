"""Events: what the server says and no command has asked for, as values that the families make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from imapkit.core.support.lean import record
from imapkit.core.wire.response import ResponseCode, Untagged

__all__ = ["Event", "MailboxEvent", "Overflow", "Unasked"]

Event: TypeAlias = Callable[[Any, "str | bytes | None"], object]
"""``event(value, mailbox)`` makes an event, or None for no event, of what a response or a response code says (its value by its
family's grammar); ``mailbox`` is the one that was selected as it came, or None. It runs on the callback thread."""


class Unasked:
    """A response that no command asked for, or a response code of one, as it came."""

    __slots__ = ("came", "mailbox", "name")

    def __init__(self, name: str, came: Untagged | ResponseCode, mailbox: str | bytes | None) -> None:
        self.name, self.came, self.mailbox = name, came, mailbox

    @property
    def memory(self) -> int:
        """The bytes that it takes up."""
        came = self.came
        return came.memory if isinstance(came, Untagged) else len(came.data or b"")


class MailboxEvent:
    """The base of events about the selected mailbox; ``mailbox`` is its name, as it was selected."""

    __slots__ = ()
    mailbox: str | bytes | None


@record
class Overflow:
    """An event: ``lost`` events are missing here, since the subscribers took them more slowly than they came."""

    lost: int
