"""What changes when the server has enabled an extension; RFC 5161."""

from __future__ import annotations

import enum

__all__ = ["Enable", "Numbering"]


class Numbering(enum.Enum):
    """Whether message sequence numbers can be used; UIDs always can."""

    STABLE = enum.auto()
    """They change only by EXPUNGE, and only while a command without them is in flight (RFC 3501 section 7.4.1)."""
    MOVING = enum.auto()
    """They may change at any time: NOTIFY for the selected mailbox (RFC 5465 section 5.1)."""
    ABSENT = enum.auto()
    """The server uses none: UIDONLY (RFC 9586)."""


class Enable(str):
    """A name of ``Family.enables`` with what it changes; a plain name changes nothing in the core.

    ``implies``
        the names that are enabled with it: QRESYNC switches CONDSTORE on (RFC 7162 section 3.2.3).
    ``utf8``
        mailbox names and strings are UTF-8 from then on (RFC 6855 section 3).
    ``numbering``
        what becomes of message sequence numbers (``Session.numbering``); None for no change.
    """

    __slots__ = ("implies", "numbering", "utf8")

    implies: tuple[str, ...]
    utf8: bool
    numbering: Numbering | None

    def __new__(
        cls, name: str, *, implies: tuple[str, ...] = (), utf8: bool = False, numbering: Numbering | None = None
    ) -> Enable:
        """The name in upper case."""
        made = super().__new__(cls, name.upper())
        made.implies, made.utf8, made.numbering = tuple(each.upper() for each in implies), utf8, numbering
        return made

    def joined(self, other: Enable) -> Enable:
        """The same name, with the changes of both."""
        numbering = self.numbering or other.numbering
        return Enable(self, implies=(*self.implies, *other.implies), utf8=self.utf8 or other.utf8, numbering=numbering)
