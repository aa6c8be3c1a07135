"""The base family: the commands and responses of IMAP4rev1, RFC 3501."""

from __future__ import annotations

from typing import Any

from imapkit import refusals
from imapkit.ext.rev1 import fetch, grammar, listing, mailbox, message, news, session, uidplus
from imapkit.ext.rev1.bodystructure import BasicPart, BodyStructure, Disposition, MessagePart, MultiPart, TextPart
from imapkit.ext.rev1.envelope import Address, Envelope, Group, groups
from imapkit.ext.rev1.fetch import FetchData
from imapkit.ext.rev1.listing import MailboxListing, MailboxStatus
from imapkit.ext.rev1.news import Exists, Expunged, FlagsChanged, Recent
from imapkit.ext.rev1.uidplus import AppendUid, CopyUid, UidSet
from imapkit.plugin import Code, Family, Response, Role, TypedCommands, hookimpl, no_data, numbers_found

__all__ = [
    "Address",
    "AppendUid",
    "BasicPart",
    "BodyStructure",
    "CopyUid",
    "Disposition",
    "Envelope",
    "Exists",
    "Expunged",
    "FetchData",
    "FlagsChanged",
    "Group",
    "MailboxListing",
    "MailboxStatus",
    "MessagePart",
    "MultiPart",
    "Recent",
    "Rev1Commands",
    "TextPart",
    "UidSet",
    "groups",
    "imapkit_family",
]


class Rev1Commands(session.SessionCommands, mailbox.MailboxCommands, message.MessageCommands):
    """All commands of RFC 3501."""


RESPONSES = {
    "CAPABILITY": Response(grammar.capability, session.apply_capability),
    "EXISTS": Response(grammar.message_count, mailbox.apply_exists, numbered=True),
    "EXPUNGE": Response(grammar.message_number, mailbox.apply_expunge, numbered=True),
    "FETCH": Response(fetch.fetch, numbered=True),
    "FLAGS": Response(grammar.flags),
    "LIST": Response(listing.mailbox_list),
    "LSUB": Response(listing.mailbox_list),
    "RECENT": Response(grammar.message_count, numbered=True),
    "SEARCH": Response(numbers_found),
    "STATUS": Response(listing.status),
}

WITHOUT_DATA = {
    "ALREADYEXISTS": refusals.AlreadyExists,
    "AUTHENTICATIONFAILED": refusals.AuthenticationFailed,
    "AUTHORIZATIONFAILED": refusals.AuthorizationFailed,
    "CANNOT": refusals.Cannot,
    "CLIENTBUG": refusals.ClientBug,
    "CONTACTADMIN": refusals.ContactAdmin,
    "CORRUPTION": refusals.Corruption,
    "EXPIRED": refusals.Expired,
    "EXPUNGEISSUED": refusals.ExpungeIssued,
    "INUSE": refusals.InUse,
    "LIMIT": refusals.LimitReached,
    "NONEXISTENT": refusals.NonExistent,
    "NOPERM": refusals.NoPermission,
    "OVERQUOTA": refusals.OverQuota,
    "PRIVACYREQUIRED": refusals.PrivacyRequired,
    "SERVERBUG": refusals.ServerBug,
    "UNAVAILABLE": refusals.Unavailable,
}
"""The response codes of RFC 5530, and the error for each."""

CODES = {
    "ALERT": Code(no_data),
    "APPENDUID": Code(uidplus.appenduid),
    "BADCHARSET": Code(grammar.badcharset, raises=refusals.BadCharset),
    "CAPABILITY": Code(grammar.capability, session.apply_capability_code),
    "CLOSED": Code(no_data, mailbox.apply_closed, boundary=True),
    "COPYUID": Code(uidplus.copyuid),
    "PARSE": Code(no_data),
    "PERMANENTFLAGS": Code(grammar.permanentflags),
    "READ-ONLY": Code(no_data, mailbox.apply_readonly),
    "READ-WRITE": Code(no_data),
    "TRYCREATE": Code(no_data, raises=refusals.TryCreate),
    "UIDNEXT": Code(grammar.uid_number),
    "UIDNOTSTICKY": Code(no_data),
    "UIDVALIDITY": Code(grammar.uid_number),
    "UNSEEN": Code(grammar.uid_number),
    **{name: Code(no_data, raises=error) for name, error in WITHOUT_DATA.items()},
}

PARTLY = {
    "AUTH=*": "authenticate() calls your function with each challenge and sends what it returns",
    "UIDPLUS": "data.status() has APPENDUID and COPYUID; expunge() and uid() send UID EXPUNGE",
}


IMPLIES = {
    "LITERAL+": ("LITERAL-",),  # RFC 7888 section 5
    "METADATA": ("METADATA-SERVER",),  # RFC 5464 section 1
    "QRESYNC": ("CONDSTORE",),  # RFC 7162 section 3.2.3
    "UTF8=ONLY": ("UTF8=ACCEPT",),  # RFC 6855 section 6
    # RFC 9051 appendix E, of what is there as a whole: of BINARY and SPECIAL-USE it takes a part only.
    "IMAP4REV2": (
        *("ENABLE", "ESEARCH", "IDLE", "LIST-EXTENDED", "LIST-STATUS", "LITERAL-", "MOVE", "NAMESPACE", "SASL-IR", "SEARCHRES"),
        *("STATUS=SIZE", "UIDPLUS", "UNSELECT"),
    ),
}


async def _find_role(commands: TypedCommands[Any], role: Role) -> MailboxListing | None:
    """The mailbox for a role; the names of all languages are loaded by the first search."""
    from imapkit.ext.rev1.roles import find_role

    return await find_role(commands, role)


@hookimpl
def imapkit_family() -> Family:
    """The base family."""
    return Family(
        name="rev1",
        mixin=Rev1Commands,
        session="imapkit.ext.rev1.typed_session:Rev1Session",
        selected="imapkit.ext.rev1.typed_selected:Rev1Selected",
        commands=(*session.COMMANDS, *mailbox.COMMANDS, *message.COMMANDS),
        # CHILDREN and SPECIAL-USE are attributes in LIST (RFC 3348, RFC 6154 section 2), SIZE is an item of STATUS (RFC 8438).
        capabilities=("IMAP4rev1", "IMAP4", "AUTH=CRAM-MD5", "LOGINDISABLED", "CHILDREN", "SPECIAL-USE", "STATUS=SIZE"),
        partly=PARTLY,
        implies=IMPLIES,
        responses=RESPONSES,
        items={("FETCH", name): parser for name, parser in fetch.FETCH_ITEMS.items()},
        codes=CODES,
        offers={"roles": {"find": _find_role}},
        events=news.EVENTS,
        routes=(mailbox.MAILBOX_ROUTES,),
    )
