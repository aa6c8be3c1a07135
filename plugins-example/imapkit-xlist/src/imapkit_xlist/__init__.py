"""XLIST: a LIST that also has the use of each mailbox. Gmail had it before RFC 6154 (SPECIAL-USE)."""

from __future__ import annotations

from typing import TypeVar, Unpack

from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Cursor,
    Family,
    MailboxName,
    OfMailbox,
    Reply,
    Response,
    Result,
    State,
    TypedCommands,
    Wire,
    command,
    ended,
    hookimpl,
    list_pattern,
    mailbox,
    record,
)

__all__ = ["XlistCommands", "XlistMailbox", "XlistSession", "imapkit_family"]

F = TypeVar("F")
USES = ("Inbox", "Starred", "Drafts", "Sent", "Trash", "Spam", "Important", "AllMail")


class XlistSession(TypedCommands[F]):
    """The typed calls that the family adds to clients."""

    @command
    def xlist(self, pattern: str | bytes = "*") -> Wire[list[XlistMailbox]]:
        """The mailboxes that match, with their uses; capability XLIST; states: authenticated, selected.

        ``pattern`` is that of ``mailboxes``. Raises ``Missing``, and sends nothing, if the server has no XLIST, ``NoResponse`` if
        it refuses.
        """
        return Wire("XLIST", '""', pattern, parse=_mailboxes)


def _mailboxes(reply: Reply) -> list[XlistMailbox]:
    return reply.values("XLIST")


class XlistCommands(Commands):
    """The methods that the family adds to ``IMAP4``."""

    def xlist(self, directory: str | bytes = '""', pattern: str | bytes = "*", **options: Unpack[CallOptions]) -> Result:
        """List the mailboxes that match, with their uses; capability XLIST; states: authenticated, selected.

        ``directory`` and ``pattern`` are those of ``list``. The data are the XLIST responses, ``data.parsed()`` a list of
        ``XlistMailbox``.
        """
        return self._call("XLIST", directory, pattern, **options)


def xlist_data(cursor: Cursor) -> XlistMailbox:
    r"""``xlist-data = "(" [flag *(SP flag)] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox``, as LIST's."""
    attributes = cursor.flag_list()
    cursor.sp()
    delimiter = cursor.nstring()
    cursor.sp()
    name = cursor.name(cursor.mailbox())
    ended(cursor)
    return XlistMailbox(attributes, delimiter, name)


@record
class XlistMailbox(OfMailbox):
    r"""One XLIST response. ``name`` can be passed to every command, ``mailbox`` is its text; ``attributes`` are as sent."""

    attributes: tuple[bytes, ...]
    delimiter: bytes | None
    name: MailboxName

    @property
    def use(self) -> str | None:
        """The use of the mailbox: "Inbox", "Sent", "AllMail" ...; None for an ordinary one."""
        given = {attribute.lower() for attribute in self.attributes}
        return next((use for use in USES if b"\\" + use.lower().encode() in given), None)


@hookimpl
def imapkit_family() -> Family:
    """The declaration of the family."""
    return Family(
        name="xlist",
        session=XlistSession,
        mixin=XlistCommands,
        commands=(Command("XLIST", State.LOGGED_IN, args=(mailbox, list_pattern), result=("XLIST",), needs="XLIST"),),
        capabilities=("XLIST",),
        responses={"XLIST": Response(xlist_data)},
        requires=("rev1",),
        contract=2,
    )
