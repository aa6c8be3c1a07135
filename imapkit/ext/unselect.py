"""The family ``unselect``: leave a mailbox without expunging it; RFC 3691."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeVar, Unpack

from imapkit.errors import NoResponse
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Done,
    Family,
    Result,
    Route,
    Routes,
    Session,
    State,
    TypedCommands,
    Wire,
    command,
    hookimpl,
    no_arguments,
)

__all__ = ["UnselectCommands", "UnselectSession", "imapkit_family"]

F = TypeVar("F")
_NO_SUCH_MAILBOX = "no-such-mailbox-3f6e1c"


class UnselectCommands(Commands):
    """Leave a mailbox."""

    def unselect(self, **options: Unpack[CallOptions]) -> Result:
        r"""Leave the selected mailbox; messages with \Deleted stay; RFC 3691 section 2; capability UNSELECT; state: selected.

        The data is the text of the tagged response. Raises ``Missing``, and sends nothing, if the server has no UNSELECT.
        """
        return self._call("UNSELECT", **options)


ROUTES = Routes("unselect", (Route("UNSELECT", "UNSELECT", "UNSELECT"), Route("EXAMINE", "EXAMINE of the mailbox, CLOSE")))


class UnselectSession(TypedCommands[F]):
    """Leave a mailbox."""

    @command
    async def unselect(self) -> None:
        r"""Have the server close the selected mailbox; messages with \Deleted stay; RFC 3691; capability UNSELECT.

        To leave a mailbox with ``close()`` or at the end of a ``with`` block sends nothing; a mailbox that is to be deleted
        or renamed should be closed at the server, too. Without UNSELECT the mailbox is opened by EXAMINE, and then closed,
        which expunges nothing (RFC 3501 section 6.4.2). Without a selected mailbox nothing is sent. Raises ``NoResponse``.
        """
        name = self._session.mailbox
        if name is not None:
            await self._by_route(ROUTES, UNSELECT=_unselect, EXAMINE=lambda: _close_unchanged(name))


async def _unselect() -> None:
    await Wire("UNSELECT", parse=_nothing)


async def _close_unchanged(name: str | bytes) -> None:
    await Wire("EXAMINE", name, parse=_nothing)
    try:
        await Wire("CLOSE", parse=_nothing)
    except NoResponse:
        # pymap refuses to close a mailbox that is read-only. An EXAMINE that fails leaves none selected (section 6.3.1).
        with suppress(NoResponse):
            await Wire("EXAMINE", _NO_SUCH_MAILBOX, parse=_nothing)


def _nothing(reply: object) -> None:
    """The result of a command that says no more than OK."""


def _left(session: Session, request: Done) -> None:
    if request.typ == "OK":
        session.enter(State.AUTH)


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 3691."""
    unselect = Command("UNSELECT", State.SELECTED, rest=no_arguments, exclusive=True, needs="UNSELECT", done=_left)
    return Family(
        name="unselect",
        mixin=UnselectCommands,
        session=UnselectSession,
        commands=(unselect,),
        capabilities=("UNSELECT",),
        routes=(ROUTES,),
        requires=("rev1",),
        contract=2,
    )
