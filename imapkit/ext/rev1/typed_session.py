"""The typed commands of the base family that need no selected mailbox; RFC 3501 sections 6.1 and 6.3."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

from imapkit.errors import NoAnswer, NoResponse
from imapkit.ext.rev1.listing import MailboxListing, MailboxStatus
from imapkit.ext.rev1.mailbox import MAILBOX_ROUTES
from imapkit.ext.rev1.typed_append import AppendSession
from imapkit.plugin import Begin, Reply, Role, Wire, by_route, command, mailbox_key, mailbox_name

__all__ = ["Rev1Session"]

F = TypeVar("F")
_ITEMS = ("MESSAGES", "UNSEEN", "UIDNEXT", "UIDVALIDITY")

_TOLD = {"roles": "SPECIAL-USE", "children": "LIST-EXTENDED"}
"""What the options of LIST are for, as ``offers`` names it, and the capability of each."""


class Rev1Session(AppendSession[F]):
    """Commands of a client: what can be done in any state once the user is logged in.

    The name of a mailbox is text, or bytes as the server wrote them (``MailboxListing.name``).
    """

    @command
    def noop(self) -> Wire[None]:
        """Give the server the occasion to report changes; RFC 3501 section 6.1.2; any state."""
        return Wire("NOOP", parse=_nothing)

    @command
    def capability(self) -> Wire[frozenset[str]]:
        """Ask for the server's capabilities, in upper case; RFC 3501 section 6.1.1; any state.

        ``client.capabilities`` has them without asking. Raises ``NoAnswer`` if the server says OK without them.
        """
        return Wire("CAPABILITY", parse=_capabilities)

    @command
    async def mailboxes(
        self, pattern: str | bytes = "*", *, subscribed: bool = False, status: Sequence[str] = ()
    ) -> list[MailboxListing]:
        """The mailboxes whose names match, or those that are subscribed; RFC 3501 sections 6.3.8 and 6.3.9.

        ``for box in client.mailboxes("Lists/*"): print(box.mailbox, box.role)``. In ``pattern`` "*" matches any characters, "%"
        any but the hierarchy delimiter. The list also has names that cannot be selected (``MailboxListing.is_selectable``).

        ``status``: items as for ``status()``, such as ["UNSEEN"]: ``box.status.unseen``. With capability LIST-STATUS (RFC 5819)
        the server sends all at once, else each mailbox is asked, without a wait in between. ``box.status`` is None for a mailbox
        that cannot be selected, or of which the server does not tell. States: authenticated, selected. Raises ``NoResponse``.
        """
        listed = Wire("LSUB" if subscribed else "LIST", '""', pattern, parse=_lsub if subscribed else _list)
        offered = self._link.offers("list")
        if not status:
            return await listed
        if "status" not in offered or subscribed:
            return await _each_status(await listed, status)
        await self._know_capabilities()
        # What a LIST without options tells unasked.
        told = [offered[name]() for name, needs in _TOLD.items() if self._session.has(needs)]
        with_option = Wire("LIST", '""', pattern, options=(offered["status"](status), *told), parse=_list_with_status)

        async def one_by_one() -> list[MailboxListing]:
            return await _each_status(await listed, status)

        return await by_route(MAILBOX_ROUTES, self._session, {"LIST-STATUS": lambda: with_option, "STATUS": one_by_one})

    @command
    async def role(self, role: Role) -> MailboxListing | None:
        """The user's mailbox for drafts, for what was sent ...: ``client.role(Role.SENT)``; None if none is found.

        Of several mailboxes the first that can be selected. ``role_from`` of the result says how it was found: by its
        "attribute" in LIST (RFC 6154 section 2), by "xlist", which servers had before, or by its "name" in one of many
        languages, at the top of the user's own mailboxes only. Commands that take a mailbox for messages take a ``Role``, too.
        States: authenticated, selected.
        """
        from imapkit.ext.rev1.roles import find_role

        return await find_role(self, Role(role))

    @command
    def status(self, mailbox: str | bytes, *items: str) -> Wire[MailboxStatus]:
        """The status of a mailbox, which need not be selected; RFC 3501 section 6.3.10; states: authenticated, selected.

        ``client.status("INBOX", "UNSEEN").unseen``. ``items``: such as "UNSEEN"; without them MESSAGES, UNSEEN, UIDNEXT and
        UIDVALIDITY. Raises ``NoResponse``.
        """
        return Wire("STATUS", mailbox, items or _ITEMS, parse=_status)

    @command
    def create(self, mailbox: str | bytes) -> Wire[None]:
        """Create a mailbox; RFC 3501 section 6.3.3; states: authenticated, selected.

        Raises ``AlreadyExists`` if it is there and the server says so by a response code, otherwise another ``NoResponse``.
        """
        return Wire("CREATE", mailbox, parse=_nothing)

    @command
    async def delete_mailbox(self, mailbox: str | bytes) -> None:
        """Delete a mailbox with all its messages; RFC 3501 section 6.3.4; states: authenticated, selected.

        If it is the selected one, the server first leaves it, without an EXPUNGE. Raises ``NonExistent``,
        ``HasChildren``, another ``NoResponse``. To delete messages: ``Mailbox.delete``.
        """
        await self._leave(mailbox)
        await Wire("DELETE", mailbox, parse=_nothing)

    @command
    async def rename(self, mailbox: str | bytes, to: str | bytes) -> None:
        """Rename a mailbox, with those below it; RFC 3501 section 6.3.5; states: authenticated, selected.

        If it is the selected one, the server first leaves it, without an EXPUNGE. To rename INBOX moves its
        messages. Raises ``NonExistent``, ``AlreadyExists``, another ``NoResponse``.
        """
        await self._leave(mailbox)
        await Wire("RENAME", mailbox, to, parse=_nothing)

    @command
    def subscribe(self, mailbox: str | bytes) -> Wire[None]:
        """Subscribe to a mailbox; RFC 3501 section 6.3.6; states: authenticated, selected. Raises ``NoResponse``."""
        return Wire("SUBSCRIBE", mailbox, parse=_nothing)

    @command
    def unsubscribe(self, mailbox: str | bytes) -> Wire[None]:
        """Unsubscribe from a mailbox; RFC 3501 section 6.3.7; otherwise as ``subscribe``."""
        return Wire("UNSUBSCRIBE", mailbox, parse=_nothing)

    @command
    def run(self, name: str, *args: object, result: Sequence[str] = (), uid: bool = False) -> Wire[Reply]:
        """Send a command that has no method; RFC 3501 section 6.5.1. ``result``: the untagged responses that answer it.

        ``client.run("XFOO", "x y", result=["XFOO"]).responses("XFOO")``
        """
        return Wire(name.upper(), *args, uid=uid, result=[each.upper() for each in result] or None, parse=_reply)

    async def _leave(self, mailbox: str | bytes) -> None:
        """Have the server leave the mailbox, without an EXPUNGE, if it is the selected one.

        (Courier refuses to delete the selected mailbox, and pymap ends the connection.)
        """
        selected = self._session.mailbox
        if selected is None or mailbox_key(mailbox_name(selected)) != mailbox_key(mailbox_name(mailbox)):
            return
        await self._know_capabilities()
        unselect = getattr(self, "unselect", None)
        if unselect is not None and self._session.has("UNSELECT"):
            await unselect()
        elif mailbox_key(mailbox_name(selected)) != "INBOX":
            # To select another mailbox ends the selection of this one (RFC 3501 section 6.3.1), and INBOX is always there.
            with suppress(NoResponse):
                await Wire("EXAMINE", "INBOX", parse=_nothing)


async def _each_status(listings: list[MailboxListing], items: Sequence[str]) -> list[MailboxListing]:
    """The mailboxes with their status, each asked for; a mailbox that the server refuses to tell about has none."""
    flights = [
        await Begin(Wire("STATUS", listing.name, items, parse=_status)) if listing.is_selectable else None for listing in listings
    ]
    found: list[MailboxListing] = []
    try:
        for listing, flight in zip(listings, flights, strict=True):
            status = None
            if flight is not None:
                with suppress(NoResponse, NoAnswer):
                    status = await flight
            found.append(listing.with_status(status))
    finally:
        for flight in flights:
            if flight is not None:
                flight.drop()
    return found


def _list(reply: Reply) -> list[MailboxListing]:
    return reply.values("LIST")


def _lsub(reply: Reply) -> list[MailboxListing]:
    return reply.values("LSUB")


def _list_with_status(reply: Reply) -> list[MailboxListing]:
    """A server sends STATUS behind each LIST, or all at the end: RFC 5819 section 2."""
    told: dict[str, MailboxStatus] = {mailbox_key(status.name): status for status in reply.values("STATUS")}
    listings: list[MailboxListing] = reply.values("LIST")
    return [listing.with_status(told.get(mailbox_key(listing.name))) for listing in listings]


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""


def _reply(reply: Reply) -> Reply:
    return reply


def _capabilities(reply: Reply) -> frozenset[str]:
    found: list[Sequence[str]] = reply.values("CAPABILITY")
    return frozenset(reply.one(found, "CAPABILITY"))


def _status(reply: Reply) -> MailboxStatus:
    found: list[MailboxStatus] = reply.values("STATUS")
    return reply.one(found, "STATUS")
