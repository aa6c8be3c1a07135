"""The family ``move``: messages moved to another mailbox; RFC 6851."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, Unpack

from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Copied,
    Family,
    Reply,
    Result,
    Role,
    Route,
    Routes,
    SelectedCommands,
    State,
    UIDSet,
    Which,
    Wire,
    about_uids,
    command,
    hookimpl,
    is_about_uids,
    mailbox,
    sequence_set,
)

__all__ = ["MoveCommands", "MoveSelected", "imapkit_family"]

F = TypeVar("F")


class MoveCommands(Commands):
    """Move messages."""

    def move(self, message_set: Any, new_mailbox: str | bytes, *, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Move messages to another mailbox; RFC 6851 section 3.1; capability MOVE; state: selected.

        The data is the text of the tagged response; ``response("COPYUID")`` has the UIDs of the moved messages. With NO some of
        the messages may have been moved. Raises ``Missing``, and sends nothing, if the server has no MOVE.
        """
        return self._call("MOVE", message_set, new_mailbox, uid=uid, **options)


ROUTES = Routes(
    "move",
    (
        Route("MOVE", "UID MOVE", "MOVE"),
        Route("COPY", r"UID COPY, UID STORE +FLAGS.SILENT (\Deleted), UID EXPUNGE", "UIDPLUS", untried=False),
    ),
)


class MoveSelected(SelectedCommands[F]):
    """Move messages of a mailbox."""

    @command
    async def move(self, which: Which, to: str | bytes | Role) -> Copied:
        r"""Move messages to another mailbox, or to the one that has a role; RFC 6851; capability MOVE, else UIDPLUS.

        Returns the new UIDs. Without MOVE the messages are copied, and the originals are deleted once all of them have been
        copied; ``client.explain("move")`` says which way is taken. A plain EXPUNGE is never sent: without MOVE and UIDPLUS
        ``Missing`` is raised, and nothing is sent. Raises ``NoResponse`` if the server refuses, after which some of the messages
        may have been moved.
        """
        await self._way_of(ROUTES)
        target = await self._mailbox_name(to)
        uids = await self._uids(which)

        def over(one: Callable[[UIDSet, str | bytes], Awaitable[Copied]]) -> Callable[[], Awaitable[Copied]]:
            return lambda: _each(uids, target, one)

        return await self._by_route(ROUTES, MOVE=over(_moved), COPY=over(_copied_and_deleted))


async def _each(uids: UIDSet, target: str | bytes, one: Callable[[UIDSet, str | bytes], Awaitable[Copied]]) -> Copied:
    return Copied.together([await one(some, target) for some in uids.chunks()])


async def _moved(some: UIDSet, target: str | bytes) -> Copied:
    return await Wire("MOVE", some, target, uid=True, parse=_copied)


async def _copied_and_deleted(some: UIDSet, target: str | bytes) -> Copied:
    # (The next command is sent once the server has said OK: a message that was not copied must not be deleted.)
    copied = await Wire("COPY", some, target, uid=True, parse=_copied)
    await Wire("STORE", some, "+FLAGS.SILENT", (r"\Deleted",), uid=True, parse=_nothing)
    await Wire("EXPUNGE", some, uid=True, parse=_nothing)
    return copied


def _copied(reply: Reply) -> Copied:
    return Copied.of(reply.codes().get("COPYUID"))


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 6851."""
    return Family(
        name="move",
        mixin=MoveCommands,
        selected=MoveSelected,
        commands=(
            Command(
                "MOVE",
                State.SELECTED,
                args=(sequence_set, mailbox),
                uid=True,
                seqnums=True,
                needs="MOVE",
                codes=("COPYUID",),
                subject=about_uids,
                matches_code=is_about_uids,
            ),
        ),
        capabilities=("MOVE",),
        routes=(ROUTES,),
        requires=("rev1",),
        contract=2,
    )
