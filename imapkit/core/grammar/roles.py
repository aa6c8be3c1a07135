"""What a mailbox is for: RFC 6154 section 2, RFC 8457 section 3."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["Role"]


class Role(StrEnum):
    r"""What a mailbox is for; the value is the attribute in LIST, such as "\Sent". ``Role(attribute)`` ignores case."""

    ALL = "\\All"
    """All messages of the account."""
    ARCHIVE = "\\Archive"
    """Archived messages."""
    DRAFTS = "\\Drafts"
    """Messages that are not sent yet."""
    FLAGGED = "\\Flagged"
    r"""All messages with the flag "\Flagged"."""
    JUNK = "\\Junk"
    """Messages that are, or look like, junk."""
    SENT = "\\Sent"
    """Copies of messages that were sent."""
    TRASH = "\\Trash"
    """Messages that were deleted, or are to be."""
    IMPORTANT = "\\Important"
    """Messages that the server, or the user, takes for important (RFC 8457)."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return next((role for role in cls if isinstance(value, str) and role.value.lower() == value.lower()), None)
