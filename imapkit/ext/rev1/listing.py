"""LIST, LSUB and STATUS: RFC 3501 sections 7.2.2 to 7.2.4.

Another family extends them by ``items={("LIST", "OLDNAME"): parser}`` and ``items={("STATUS", "SIZE"): parser}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Literal

from imapkit.errors import ParseError
from imapkit.plugin import Cursor, Defect, MailboxName, OfMailbox, Parser, Role, any_value, decode_bytes, item_list, record

__all__ = ["MailboxListing", "MailboxStatus", "mailbox_list", "status"]


def mailbox_list(cursor: Cursor) -> MailboxListing:
    r"""LIST and LSUB: ``mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox``.

    RFC 5258 section 6 adds ``[SP mbox-list-extended]``, ``mbox-list-extended = "(" [mbox-list-extended-item *(SP
    mbox-list-extended-item)] ")"``, ``mbox-list-extended-item = astring SP tagged-ext-val``.
    """
    attributes = cursor.flag_list()
    cursor.sp()
    delimiter = cursor.nstring() or None
    cursor.sp()
    name = cursor.name(cursor.mailbox())
    extended: dict[str, Any] = {}
    if not cursor.at_end():
        cursor.sp()
        extended = item_list(cursor, "LIST", _extended_name)
    return MailboxListing(attributes, delimiter, name, extended, tuple(cursor.defects))


def status(cursor: Cursor) -> MailboxStatus:
    """``"STATUS" SP mailbox SP "(" [status-att-list] ")"``, ``status-att-list = status-att SP number *(...)``.

    Items of extensions have other values too: ``APPENDLIMIT NIL`` (RFC 7889), ``MAILBOXID (F2)`` (RFC 8474 section 4.3).
    """
    name = cursor.name(cursor.mailbox())
    cursor.sp()
    items = item_list(cursor, "STATUS", _status_att, STATUS_ITEMS, _status_value)
    return MailboxStatus(name, items, tuple(cursor.defects))


def _status_value(cursor: Cursor) -> Any:
    """``status-att-val``: a number, also in quotes; else any value (``Cursor.value``)."""
    start = cursor.mark()
    try:
        return cursor.number64()
    except ParseError:
        cursor.reset(start)
        return any_value(cursor)


STATUS_ITEMS: Mapping[str, Parser] = dict.fromkeys(("MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN"), Cursor.number64)
"""The grammar of the items that RFC 3501 defines."""


def _status_att(cursor: Cursor) -> tuple[str, str]:
    name = cursor.keyword()
    return name, name


def _extended_name(cursor: Cursor) -> tuple[str, str]:
    name = cursor.astring().decode("utf-8", "backslashreplace").upper()
    return name, name


_ROLES = {role.value.lower().encode("ascii"): role for role in Role}


@record
class MailboxListing(OfMailbox):
    r"""One mailbox of a LIST or LSUB response; ``defects`` has what could not be read.

    ``name`` can be passed to every command, ``mailbox`` is readable. ``raw_attributes`` and ``raw_delimiter`` are as sent;
    ``extended`` has the data of RFC 5258, by name in upper case. ``guessed`` has a role that no attribute says, and where it
    comes from. ``status`` is there if ``mailboxes(status=...)`` asked for it, and the server told it.
    """

    raw_attributes: tuple[bytes, ...]
    raw_delimiter: bytes | None
    name: MailboxName
    extended: Mapping[str, Any] = field(default_factory=dict, hash=False)
    defects: tuple[Defect, ...] = ()
    guessed: tuple[Role, Literal["xlist", "name"]] | None = field(default=None, compare=False)
    status: MailboxStatus | None = field(default=None, compare=False)

    @property
    def role(self) -> Role | None:
        """What the mailbox is for: RFC 6154 section 2; None if that is not known."""
        return self.guessed[0] if self.guessed else self._by_attribute()

    @property
    def role_from(self) -> Literal["attribute", "xlist", "name"] | None:
        """What ``role`` comes from: an attribute in LIST, one in XLIST, or the name of the mailbox, which is a guess."""
        return self.guessed[1] if self.guessed else "attribute" if self._by_attribute() else None

    @property
    def is_selectable(self) -> bool:
        """Whether it can be selected: RFC 3501 section 7.2.2, RFC 5258 section 3.1."""
        return not (self.has(b"\\Noselect") or self.has(b"\\NonExistent"))

    def with_role(self, role: Role, source: Literal["xlist", "name"]) -> MailboxListing:
        """A copy with a role that no attribute in LIST says."""
        return replace(self, guessed=(role, source))

    def with_status(self, status: MailboxStatus | None) -> MailboxListing:
        """A copy with the status of the mailbox."""
        return replace(self, status=status)

    def _by_attribute(self) -> Role | None:
        return next((_ROLES[attribute.lower()] for attribute in self.raw_attributes if attribute.lower() in _ROLES), None)

    @property
    def attributes(self) -> tuple[str, ...]:
        r"""The attributes, such as r"\Noselect", as sent."""
        return tuple(attribute.decode("utf-8", "surrogateescape") for attribute in self.raw_attributes)

    @property
    def delimiter(self) -> str | None:
        """What separates the levels of the name; None if it has no levels."""
        return None if self.raw_delimiter is None else decode_bytes(self.raw_delimiter)

    def has(self, attribute: bytes | str) -> bool:
        r"""Whether the mailbox has an attribute such as ``r"\Noselect"``; case does not matter."""
        wanted = attribute.encode("utf-8", "surrogateescape") if isinstance(attribute, str) else attribute
        return wanted.lower() in {given.lower() for given in self.raw_attributes}


@record
class MailboxStatus(OfMailbox):
    """A STATUS response; ``defects`` has what could not be read.

    ``name`` can be passed to every command. ``items`` are by name in upper case: numbers; items of extensions can also be None
    (NIL), bytes or a list. Those of RFC 3501 are properties too, None if the server did not send them.
    """

    name: MailboxName
    items: Mapping[str, Any] = field(hash=False)
    defects: tuple[Defect, ...] = ()

    @property
    def messages(self) -> int | None:
        """The number of messages."""
        return self._number("MESSAGES")

    @property
    def recent(self) -> int | None:
        r"""The number of messages with the flag \\Recent."""
        return self._number("RECENT")

    @property
    def uidnext(self) -> int | None:
        """The next UID."""
        return self._number("UIDNEXT")

    @property
    def uidvalidity(self) -> int | None:
        """The UIDVALIDITY."""
        return self._number("UIDVALIDITY")

    @property
    def unseen(self) -> int | None:
        r"""The number of messages without the flag \\Seen."""
        return self._number("UNSEEN")

    def _number(self, name: str) -> int | None:
        value = self.items.get(name)
        return value if isinstance(value, int) else None
