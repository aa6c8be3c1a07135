"""The typed commands of ACL: users' rights on mailboxes as values; RFC 4314."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from imapkit.ext.acl import Acl, ListRights, MyRights, Rights
from imapkit.plugin import Reply, TypedCommands, Wire, command

__all__ = ["AclSession"]

F = TypeVar("F")


class AclSession(TypedCommands[F]):
    """See and change who may do what with a mailbox; capability ACL; states: authenticated, selected.

    A *right* is a letter; ``AclCommands`` lists them. An *identifier* is a user's name, "anyone", or another one of the server;
    one that begins with "-" takes rights away. Each method raises ``Missing``, and sends nothing, if the server has no ACL, and
    ``NoResponse`` if it refuses.
    """

    @command
    async def acl(self, mailbox: str | bytes = "INBOX") -> Mapping[str, Rights]:
        """The access control list of a mailbox: the rights of each identifier; RFC 4314 section 3.3; right: a.

        ``"t" in client.acl("INBOX")["bob"]``
        """
        await self._require("ACL", "acl()")
        return await Wire("GETACL", mailbox, parse=_entries)

    @command
    async def my_rights(self, mailbox: str | bytes = "INBOX") -> Rights:
        """The user's own rights on a mailbox; RFC 4314 section 3.5; right: any of l, r, i, k, x, a."""
        await self._require("ACL", "my_rights()")
        return await Wire("MYRIGHTS", mailbox, parse=_my_rights)

    @command
    async def list_rights(self, mailbox: str | bytes, identifier: str | bytes) -> ListRights:
        """The rights that an identifier always has on a mailbox, and that it can be given; RFC 4314 section 3.4; right: a."""
        await self._require("ACL", "list_rights()")
        return await Wire("LISTRIGHTS", mailbox, identifier, parse=_list_rights)

    @command
    async def set_acl(self, mailbox: str | bytes, identifier: str | bytes, rights: str | Rights | Iterable[str]) -> None:
        """Give rights on a mailbox to an identifier; RFC 4314 section 3.1; right: a.

        ``rights`` replace the present ones ("lrs"; "" for none), are added ("+w") or removed ("-w"). Raises ``BadResponse`` for
        rights that the server does not support.
        """
        await self._require("ACL", "set_acl()")
        await Wire("SETACL", mailbox, identifier, rights, parse=_nothing)

    @command
    async def delete_acl(self, mailbox: str | bytes, identifier: str | bytes) -> None:
        """Remove an identifier from the access control list of a mailbox; RFC 4314 section 3.2; right: a."""
        await self._require("ACL", "delete_acl()")
        await Wire("DELETEACL", mailbox, identifier, parse=_nothing)


def _entries(reply: Reply) -> Mapping[str, Rights]:
    found: list[Acl] = reply.values("ACL")
    return reply.one(found, "ACL").text()


def _my_rights(reply: Reply) -> Rights:
    found: list[MyRights] = reply.values("MYRIGHTS")
    return reply.one(found, "MYRIGHTS").rights


def _list_rights(reply: Reply) -> ListRights:
    found: list[ListRights] = reply.values("LISTRIGHTS")
    return reply.one(found, "LISTRIGHTS")


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""
