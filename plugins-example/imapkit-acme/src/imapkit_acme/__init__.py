"""X-ACME: what the (invented) server of Acme adds to IMAP, so that a team can share a mailbox.

Each message may have an owner, one of the mailbox's team::

    C: a1 XACME-TEAM "help desk"
    S: * XACME-TEAM "help desk" (ada bob)
    S: a1 OK done
    C: a2 UID XACME-ASSIGN 4,7 ada
    S: a2 OK done
    C: a3 UID SEARCH XACME-UNOWNED
    C: a4 UID FETCH 4 (UID XACME-OWNER)
    S: * 1 FETCH (UID 4 XACME-OWNER "ada")
    C: a5 LIST "" * RETURN (XACME-TEAM)
    S: * XACME-ANSWERING 7 bob
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, Unpack

from imapkit.errors import ArgumentError, NoResponse
from imapkit.plugin import (
    CallOptions,
    Code,
    Command,
    Commands,
    Cursor,
    Family,
    Item,
    MailboxEvent,
    MailboxName,
    OfMailbox,
    Option,
    Reply,
    Response,
    Result,
    SearchKey,
    SelectedCommands,
    ServerString,
    State,
    Text,
    Token,
    TypedCommands,
    UIDSet,
    Which,
    Wire,
    about_mailbox,
    astring,
    command,
    ended,
    hookimpl,
    is_about_mailbox,
    mailbox,
    members,
    record,
    sequence_set,
    term,
)

__all__ = [
    "OWNER",
    "Acme",
    "AcmeCommands",
    "AcmeSession",
    "Answering",
    "NotInTeam",
    "Team",
    "imapkit_family",
    "owned_by",
    "unowned",
]

F = TypeVar("F")
CAPABILITY = "X-ACME"


# The raw methods


class AcmeCommands(Commands):
    """The methods that ``IMAP4`` gets."""

    def xacme_team(self, mailbox: str | bytes, **options: Unpack[CallOptions]) -> Result:
        """Ask who works with a mailbox; capability X-ACME; states: authenticated, selected.

        The data are the XACME-TEAM responses, parsed ``Team``. Raises ``Missing`` if the server has no X-ACME.
        """
        return self._call("XACME-TEAM", mailbox, **options)


# The typed calls


class AcmeSession(TypedCommands[F]):
    """Typed calls of a client: ``client.team("help desk")``. Each raises ``Missing`` if the server has no X-ACME."""

    @command
    def team(self, mailbox: str | bytes = "INBOX") -> Wire[tuple[str, ...]]:
        """Who works with a mailbox; states: authenticated, selected. Raises ``NoResponse`` if the server refuses."""
        return Wire("XACME-TEAM", mailbox, parse=_team)

    @command
    def teams(self, pattern: str | bytes = "*") -> Wire[Mapping[str, tuple[str, ...]]]:
        """Who works with which mailbox, by one LIST, for mailboxes that have a team; states: authenticated, selected."""
        return Wire("LIST", '""', pattern, options=(TEAM_OPTION(),), parse=_teams)


class Acme(SelectedCommands[F]):
    """Typed calls of a mailbox: ``inbox.assign(found, "ada")``."""

    @command
    async def assign(self, which: Which, user: str | None) -> UIDSet:
        """Make a user the owner of messages, or no one (None). Returns the UIDs of the messages.

        ``which``: UIDs, or a search key. Raises ``Missing`` if the server has no X-ACME, ``NotInTeam`` for a user who does not
        work with this mailbox, another ``NoResponse`` if the server refuses; a part of a long set may be assigned by then.
        """
        await self._require(CAPABILITY, "assign()")
        uids = await self._uids(which)
        for some in uids.chunks():
            await Wire("XACME-ASSIGN", some, _NO_OWNER if user is None else user, uid=True, parse=_nothing)
        return uids


def _team(reply: Reply) -> tuple[str, ...]:
    found: list[Team] = reply.values("XACME-TEAM")
    return reply.one(found, "XACME-TEAM").users


def _teams(reply: Reply) -> Mapping[str, tuple[str, ...]]:
    found: list[Team] = reply.values("XACME-TEAM")
    return {team.mailbox: team.users for team in found}


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""


# Search keys: one without an operand, and one with

unowned: SearchKey = term("XACME-UNOWNED", opposite="XACME-OWNED")
"""Messages without an owner: ``inbox.search(unowned & q.unseen)``."""


def owned_by(user: str) -> SearchKey:
    """Messages of one owner."""
    return term("XACME-OWNER", Text(user))


# Responses


@record
class Team(OfMailbox):
    """An XACME-TEAM response."""

    name: MailboxName
    members: tuple[ServerString, ...]

    @property
    def users(self) -> tuple[str, ...]:
        """The members, as text."""
        return tuple(member.text for member in self.members)


def team_data(cursor: Cursor) -> Team:
    """``team-data = mailbox SP "(" [astring *(SP astring)] ")"``."""
    name = cursor.name(cursor.mailbox())
    cursor.sp()
    cursor.expect(b"(")
    users = tuple(members(cursor, "XACME-TEAM", user))
    ended(cursor)
    return Team(name, users)


def user(cursor: Cursor) -> ServerString:
    """``user = astring``."""
    return ServerString(cursor.astring())


def owner(cursor: Cursor) -> ServerString:
    """``owner = nstring``; NIL, for no owner, is read as an empty name, so that it differs from an item that was not sent."""
    return ServerString(cursor.nstring() or b"")


def _name_of(owner: ServerString) -> str:
    return owner.text


OWNER: Item[str] = Item("FETCH", "XACME-OWNER", owner, ServerString, needs=CAPABILITY, made=_name_of)
"""The owner of a message: ``message[OWNER]``; "" if it has none."""

TEAM_OPTION = Option("LIST", "return", "XACME-TEAM", needs=CAPABILITY, adds=("XACME-TEAM",))
"""LIST with it is answered by XACME-TEAM responses, too."""


# What no command asks for


@record
class Answering(MailboxEvent):
    """An event: a colleague writes an answer to a message. It is among those of ``inbox.idle()``."""

    uid: int
    user: str
    mailbox: str | bytes | None = None


def answering_data(cursor: Cursor) -> tuple[int, ServerString]:
    """``answering-data = uniqueid SP user``."""
    uid = cursor.nz_number()
    cursor.sp()
    name = user(cursor)
    ended(cursor)
    return uid, name


def answering(value: tuple[int, ServerString], mailbox: str | bytes | None) -> Answering:
    """The event of an XACME-ANSWERING response."""
    return Answering(value[0], value[1].text, mailbox)


# What NO means


class NotInTeam(NoResponse):
    """The user does not work with this mailbox: the response code XACME-NOTINTEAM, whose ``value`` is the user."""


def not_in_team(cursor: Cursor) -> str:
    """``"XACME-NOTINTEAM" SP user``."""
    name = user(cursor)
    ended(cursor)
    return name.text


# Arguments

_NO_OWNER = object()


def new_owner(value: Any) -> Token:
    """``user / nil``; text is always a string, so that a user may be called NIL."""
    if value is _NO_OWNER:
        return b"NIL"
    if not value:
        raise ArgumentError("a user has a name")
    return astring(value)


@hookimpl
def imapkit_family() -> Family:
    """The declaration of the family."""
    return Family(
        name="acme",
        mixin=AcmeCommands,
        session=AcmeSession,
        selected=Acme,
        commands=(
            Command(
                "XACME-TEAM",
                State.LOGGED_IN,
                args=(mailbox,),
                result=("XACME-TEAM",),
                needs=CAPABILITY,
                subject=about_mailbox,
                matches=is_about_mailbox,
            ),
            Command("XACME-ASSIGN", State.SELECTED, args=(sequence_set, new_owner), uid=True, seqnums=True, needs=CAPABILITY),
        ),
        capabilities=(CAPABILITY,),
        responses={"XACME-TEAM": Response(team_data), "XACME-ANSWERING": Response(answering_data)},
        codes={"XACME-NOTINTEAM": Code(not_in_team, raises=NotInTeam)},
        items=Item.table(OWNER),
        operands={("SEARCH", "XACME-OWNER"): (astring,), ("SEARCH", "XACME-UNOWNED"): (), ("SEARCH", "XACME-OWNED"): ()},
        extends=(TEAM_OPTION,),
        events={"XACME-ANSWERING": answering},
        requires=("rev1",),
        contract=2,
    )
