"""The base family: the commands and responses of IMAP4rev1, RFC 3501."""

from __future__ import annotations

from imapkit.ext.rev1 import fetch, grammar, mailbox, message, session
from imapkit.family import Code, Family, Response, hookimpl

__all__ = ["Rev1Commands", "imapkit_family"]


class Rev1Commands(session.SessionCommands, mailbox.MailboxCommands, message.MessageCommands):
    """All commands of RFC 3501."""


RESPONSES = {
    "CAPABILITY": Response(grammar.capability, session.apply_capability),
    "EXISTS": Response(grammar.message_count, mailbox.apply_exists),
    "EXPUNGE": Response(grammar.message_number, mailbox.apply_expunge),
    "FETCH": Response(fetch.fetch),
    "FLAGS": Response(grammar.flags),
    "LIST": Response(grammar.mailbox_list),
    "LSUB": Response(grammar.mailbox_list),
    "RECENT": Response(grammar.message_count),
    "SEARCH": Response(grammar.search),
    "STATUS": Response(grammar.status),
}

CODES = {
    "ALERT": Code(grammar.no_data),
    "BADCHARSET": Code(grammar.badcharset),
    "CAPABILITY": Code(grammar.capability, session.apply_capability_code),
    "PARSE": Code(grammar.no_data),
    "PERMANENTFLAGS": Code(grammar.permanentflags),
    "READ-ONLY": Code(grammar.no_data, mailbox.apply_readonly),
    "READ-WRITE": Code(grammar.no_data),
    "TRYCREATE": Code(grammar.no_data),
    "UIDNEXT": Code(grammar.uid_number),
    "UIDVALIDITY": Code(grammar.uid_number),
    "UNSEEN": Code(grammar.uid_number),
}


@hookimpl
def imapkit_family() -> Family:
    """The base family."""
    return Family(
        name="rev1",
        mixin=Rev1Commands,
        commands=(*session.COMMANDS, *mailbox.COMMANDS, *message.COMMANDS),
        capabilities=("IMAP4rev1",),
        responses=RESPONSES,
        items={("FETCH", name): parser for name, parser in fetch.FETCH_ITEMS.items()},
        codes=CODES,
    )
