"""Events: what a server says of the selected mailbox without being asked; RFC 3501 sections 5.2, 7.3 and 7.4."""

from __future__ import annotations

from imapkit.ext.rev1.fetch import FetchData
from imapkit.plugin import Event, Flags, MailboxEvent, record

__all__ = ["EVENTS", "Exists", "Expunged", "FlagsChanged", "Recent"]


@record
class Exists(MailboxEvent):
    """There are ``count`` messages now; more than before if messages have come."""

    count: int
    mailbox: str | bytes | None = None


@record
class Expunged(MailboxEvent):
    """The message with this sequence number is gone; the numbers of those behind it are lower by one from now on."""

    number: int
    mailbox: str | bytes | None = None


@record
class FlagsChanged(MailboxEvent):
    """The flags of the message with this sequence number; ``uid`` is None if the server did not send it."""

    number: int
    flags: Flags
    uid: int | None = None
    mailbox: str | bytes | None = None


@record
class Recent(MailboxEvent):
    r"""There are ``count`` messages with the flag \\Recent."""

    count: int
    mailbox: str | bytes | None = None


def flags_changed(found: FetchData, mailbox: str | bytes | None) -> FlagsChanged | None:
    """The event of a FETCH response; None for one without flags."""
    flags = found.flags
    return None if flags is None else FlagsChanged(found.number, flags, found.uid, mailbox)


EVENTS: dict[str, Event] = {"EXISTS": Exists, "EXPUNGE": Expunged, "FETCH": flags_changed, "RECENT": Recent}
