"""The family ``uidplus``: messages deleted for good, exactly those that are named; RFC 4315."""

from __future__ import annotations

from typing import TypeVar

from imapkit.plugin import Family, SelectedCommands, UIDSet, Which, Wire, command, hookimpl

__all__ = ["UidplusSelected", "imapkit_family"]

F = TypeVar("F")


class UidplusSelected(SelectedCommands[F]):
    """Delete messages of a mailbox."""

    @command
    async def delete(self, which: Which) -> UIDSet:
        r"""Delete these messages for good, and no others; RFC 4315 section 2.1; capability UIDPLUS.

        Returns their UIDs. It sets \Deleted, and sends UID EXPUNGE: a plain EXPUNGE, which would also remove what other programs
        have marked, is never sent. To move messages to the trash, ``move(which, Role.TRASH)``. Raises ``Missing`` before
        anything is sent if the server has no UIDPLUS, ``NoResponse`` if it refuses.
        """
        await self._require("UIDPLUS", "delete()")
        uids = await self._uids(which)
        for some in uids.chunks():
            await Wire("STORE", some, "+FLAGS.SILENT", (r"\Deleted",), uid=True, parse=_nothing)
            await Wire("EXPUNGE", some, uid=True, parse=_nothing)
        return uids


def _nothing(reply: object) -> None:
    """The result of a command that says no more than OK."""


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 4315."""
    return Family(
        name="uidplus",
        selected=UidplusSelected,
        capabilities=("UIDPLUS",),
        requires=("rev1",),
        contract=2,
    )
