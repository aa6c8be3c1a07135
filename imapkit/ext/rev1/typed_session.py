"""The typed commands of the base family that need no selected mailbox; RFC 3501 sections 6.1 and 6.3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from imapkit.ext.rev1.listing import MailboxStatus
from imapkit.plugin import Reply, TypedCommands, Wire, command

__all__ = ["Rev1Session"]

F = TypeVar("F")
_ITEMS = ("MESSAGES", "UNSEEN", "UIDNEXT", "UIDVALIDITY")


class Rev1Session(TypedCommands[F]):
    """Commands of a client: what can be done in any state once the user is logged in."""

    @command
    def noop(self) -> Wire[None]:
        """Give the server the occasion to report changes; RFC 3501 section 6.1.2; any state."""
        return Wire("NOOP", parse=_nothing)

    @command
    def status(self, mailbox: str | bytes, *items: str) -> Wire[MailboxStatus]:
        """The status of a mailbox, which need not be selected; RFC 3501 section 6.3.10; states: authenticated, selected.

        ``items``: such as "UNSEEN"; without them MESSAGES, UNSEEN, UIDNEXT and UIDVALIDITY. Raises ``NoResponse``.
        """
        return Wire("STATUS", mailbox, items or _ITEMS, parse=_status)

    @command
    def run(self, name: str, *args: Any, result: Sequence[str] = (), uid: bool = False) -> Wire[Reply]:
        """Send a command that has no method; RFC 3501 section 6.5.1. ``result``: the untagged responses that answer it.

        ``client.run("XFOO", "x y", result=["XFOO"]).responses("XFOO")``
        """
        return Wire(name.upper(), *args, uid=uid, result=[each.upper() for each in result] or None, parse=_reply)


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""


def _reply(reply: Reply) -> Reply:
    return reply


def _status(reply: Reply) -> MailboxStatus:
    found: list[MailboxStatus] = reply.values("STATUS")
    return reply.one(found, "STATUS")
