"""Commands of the authenticated state: mailboxes; RFC 3501 section 6.3."""

from __future__ import annotations

from os import PathLike
from typing import Any, TypeAlias, Unpack

from imapkit.errors import readonly as ReadOnly
from imapkit.ext.rev1.arguments import extensions, is_about_status
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Done,
    Place,
    Progress,
    Readable,
    Result,
    Route,
    Routes,
    Session,
    Source,
    State,
    Untagged,
    about_mailbox,
    date_time,
    flags,
    list_pattern,
    mailbox,
    message,
    message_source,
    optional,
    response_code,
    status_items,
)

__all__ = ["COMMANDS", "MAILBOX_ROUTES", "MailboxCommands"]

Name = str | bytes
Message: TypeAlias = bytes | str | Source | Readable | PathLike[str]


class MailboxCommands(Commands):
    """Select, list, create and fill mailboxes. Names are text, or bytes, which are sent unchanged."""

    def append(
        self,
        mailbox: Name | None,
        flags: Any,
        date_time: Any,
        message: Message,
        *,
        progress: Progress | None = None,
        **options: Unpack[CallOptions],
    ) -> Result:
        """Append a message to a mailbox; RFC 3501 section 6.3.11; states: authenticated, selected.

        Returns the text of the tagged response. ``mailbox``: None is INBOX. ``flags``: text such as ``r"\\Seen \\Draft"``, with
        or without parentheses, an iterable, or None. ``date_time``: as ``Time2Internaldate`` takes it, or None.

        ``message``: bytes or ASCII text; or, to save memory, a binary file, read from its current position, or the path of a
        file. Line ends become CRLF: the caller's thread reads the file once to count them, and the courier thread reads it again
        as it sends it; do not use the file before that. A file that cannot seek is first copied into a temporary file. A
        ``Source`` is sent unchanged.

        ``progress(sent, size)`` is called after each piece, on the thread that sends it. See ``Source``, also for a file that
        changes meanwhile.
        """
        if progress is not None:
            message = message_source(message, progress)
        return self._call("APPEND", mailbox or "INBOX", flags or None, date_time or None, message, **options)

    def create(self, mailbox: Name, **options: Unpack[CallOptions]) -> Result:
        """Create a mailbox; RFC 3501 section 6.3.3; states: authenticated, selected."""
        return self._call("CREATE", mailbox, **options)

    def delete(self, mailbox: Name, **options: Unpack[CallOptions]) -> Result:
        """Delete a mailbox; RFC 3501 section 6.3.4; states: authenticated, selected."""
        return self._call("DELETE", mailbox, **options)

    def examine(self, mailbox: Name = "INBOX", **options: Unpack[CallOptions]) -> Result:
        """Select a mailbox for reading only; RFC 3501 section 6.3.2; states: authenticated, selected; as ``select``."""
        return self.select(mailbox, True, **options)

    def list(self, directory: Name = '""', pattern: Name = "*", **options: Unpack[CallOptions]) -> Result:
        """List the mailboxes that match; RFC 3501 section 6.3.8; states: authenticated, selected.

        In ``pattern`` "*" matches any characters, "%" any but the hierarchy delimiter.
        """
        return self._call("LIST", directory, pattern, **options)

    def lsub(self, directory: Name = '""', pattern: Name = "*", **options: Unpack[CallOptions]) -> Result:
        """List the subscribed mailboxes that match; RFC 3501 section 6.3.9; states: authenticated, selected; as ``list``."""
        return self._call("LSUB", directory, pattern, **options)

    def rename(self, oldmailbox: Name, newmailbox: Name, **options: Unpack[CallOptions]) -> Result:
        """Rename a mailbox; RFC 3501 section 6.3.5; states: authenticated, selected."""
        return self._call("RENAME", oldmailbox, newmailbox, **options)

    def select(self, mailbox: Name = "INBOX", readonly: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Select a mailbox; RFC 3501 section 6.3.1; states: authenticated, selected.

        Returns the number of messages, or NO, after which no mailbox is selected; ``response(name)`` has FLAGS, UIDVALIDITY and
        the like. Raises ``BadResponse`` for BAD: the mailbox before stays selected, unless the server has closed it (RFC 9051
        section 7.1); see ``state``. Raises ``readonly`` if the mailbox is not writable although the caller did not ask for
        ``readonly``; it is selected nevertheless.
        """

        def finish(request: Done) -> Result:
            result = self._result(request)
            if result[0] == "OK" and not readonly and _is_readonly(request):
                raise ReadOnly(f"{mailbox!r} is not writable")
            return result

        return self._call_with(options, "EXAMINE" if readonly else "SELECT", mailbox, finish=finish)

    def status(self, mailbox: Name, names: Any, **options: Unpack[CallOptions]) -> Result:
        """Ask for the status of a mailbox without selecting it; RFC 3501 section 6.3.10; states: authenticated, selected.

        ``names``: such as "(MESSAGES UNSEEN)", or an iterable.
        """
        return self._call("STATUS", mailbox, names, **options)

    def subscribe(self, mailbox: Name, **options: Unpack[CallOptions]) -> Result:
        """Subscribe to a mailbox; RFC 3501 section 6.3.6; states: authenticated, selected."""
        return self._call("SUBSCRIBE", mailbox, **options)

    def unsubscribe(self, mailbox: Name, **options: Unpack[CallOptions]) -> Result:
        """Unsubscribe from a mailbox; RFC 3501 section 6.3.7; states: authenticated, selected."""
        return self._call("UNSUBSCRIBE", mailbox, **options)


def _is_readonly(request: Done) -> bool:
    code = response_code(request.text)
    return code is not None and code.name == "READ-ONLY"


def _leave_mailbox(session: Session, args: tuple[Any, ...]) -> None:
    session.flush = True
    session.readonly_news = None


def _selected(session: Session, request: Done) -> None:
    # RFC 3501 section 6.3.1: a SELECT that fails (NO) leaves no mailbox selected. BAD changes nothing.
    if request.typ == "OK":
        # Without CLOSED, earlier EXISTS may be about the mailbox before: the server may have sent them before it read SELECT.
        untagged = request.untagged
        counts = [response for response in untagged if response.name == "EXISTS"]
        untagged[:] = [response for response in untagged if response not in counts[:-1]]
        session.select(request.args[0], readonly=_is_readonly(request))
        session.exists = counts[-1].number if counts else None
    elif request.typ == "NO" and session.state is State.SELECTED:
        session.enter(State.AUTH)


def _examined(session: Session, request: Done) -> None:
    _selected(session, request)
    if request.typ == "OK":
        session.readonly = True


def apply_exists(session: Session, response: Untagged) -> None:
    """The number of messages has changed."""
    session.exists = response.number


def apply_expunge(session: Session, response: Untagged) -> None:
    """The mailbox has one message less."""
    session.remove_messages()


def apply_closed(session: Session, data: bytes | None) -> None:
    """The selected mailbox is closed: RFC 9051 section 7.1. Dovecot sends CLOSED also before a BAD to SELECT."""
    if session.state is State.SELECTED:
        session.enter(State.AUTH)


def apply_readonly(session: Session, data: bytes | None) -> None:
    """The selected mailbox has become READ-ONLY."""
    session.became_readonly()


MAILBOX_ROUTES = Routes(
    "mailboxes",
    (
        Route("LIST-STATUS", "LIST with RETURN (STATUS ...)", "LIST-STATUS"),
        Route("STATUS", "LIST, and STATUS for each mailbox"),
    ),
)
"""The ways of ``mailboxes(status=...)``."""
_ONE = (mailbox,)
_ABOUT_MAILBOX = (
    "CLOSED",
    "HIGHESTMODSEQ",
    "MAILBOXID",
    "NOMODSEQ",
    "PERMANENTFLAGS",
    "READ-ONLY",
    "READ-WRITE",
    "UIDNEXT",
    "UIDNOTSTICKY",
    "UIDVALIDITY",
    "UNSEEN",
)
"""The response codes in which the server describes the mailbox that it opens: RFC 3501 section 6.3.1, RFC 7162, 8474, 4315."""
_PARAMETERS = {"parameters": Place()}
COMMANDS = (
    Command(
        "APPEND",
        State.LOGGED_IN,
        args=(mailbox, optional(flags), optional(date_time), message),
        places={"data": Place(3, listed=False)},
    ),
    Command("CREATE", State.LOGGED_IN, args=_ONE, rest=extensions, places=_PARAMETERS),
    Command("DELETE", State.LOGGED_IN, args=_ONE),
    Command(
        "EXAMINE",
        State.LOGGED_IN,
        args=_ONE,
        rest=extensions,
        exclusive=True,
        result=("EXISTS",),
        codes=_ABOUT_MAILBOX,
        before=_leave_mailbox,
        done=_examined,
        places=_PARAMETERS,
    ),
    Command(
        "LIST",
        State.LOGGED_IN,
        args=(mailbox, list_pattern),
        result=("LIST",),
        places={"select": Place(0), "return": Place(word="RETURN")},
    ),
    Command("LSUB", State.LOGGED_IN, args=(mailbox, list_pattern), result=("LSUB",)),
    Command("RENAME", State.LOGGED_IN, args=(mailbox, mailbox)),
    Command(
        "SELECT",
        State.LOGGED_IN,
        args=_ONE,
        rest=extensions,
        exclusive=True,
        result=("EXISTS",),
        codes=_ABOUT_MAILBOX,
        before=_leave_mailbox,
        done=_selected,
        places=_PARAMETERS,
    ),
    Command(
        "STATUS",
        State.LOGGED_IN,
        args=(mailbox, status_items),
        places={"items": Place(1, inside=True)},
        result=("STATUS",),
        subject=about_mailbox,
        matches=is_about_status,
    ),
    Command("SUBSCRIBE", State.LOGGED_IN, args=_ONE),
    Command("UNSUBSCRIBE", State.LOGGED_IN, args=_ONE),
)
