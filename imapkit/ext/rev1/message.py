"""Commands of the selected state: messages; RFC 3501 section 6.4."""

from __future__ import annotations

from typing import Any, Unpack

from imapkit.errors import ArgumentError, StateError
from imapkit.ext.rev1.arguments import (
    about_messages,
    are_about_messages,
    extensions,
    is_about_messages,
    store_arguments,
    upper_name,
)
from imapkit.ext.rev1.streaming import announces_body, body_value
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Conduit,
    Done,
    NumberSet,
    Place,
    Result,
    Session,
    State,
    Streams,
    Writable,
    about_uids,
    as_it_is,
    fetch_items,
    is_about_uids,
    mailbox,
    needs_charset,
    no_arguments,
    number,
    search_program,
    sequence_set,
    sequence_set_text,
)

__all__ = ["COMMANDS", "MessageCommands"]


class MessageCommands(Commands):
    """Read, search, flag, copy and remove messages.

    A ``message_set`` is a sequence set: "1", "1:4,7", "5:*", a number, or an iterable of numbers. With ``uid=True`` it holds
    UIDs instead of message numbers, RFC 3501 section 6.4.8; a ``UIDSet`` is one, too.
    """

    def check(self, **options: Unpack[CallOptions]) -> Result:
        """Ask for a checkpoint of the mailbox; RFC 3501 section 6.4.1; state: selected."""
        return self._call("CHECK", **options)

    def close(self, **options: Unpack[CallOptions]) -> Result:
        """Close the mailbox, removing its deleted messages; RFC 3501 section 6.4.2; state: selected."""
        if self._session.state is not State.SELECTED:
            raise StateError("No mailbox selected.")
        return self._call("CLOSE", **options)

    def copy(self, message_set: Any, new_mailbox: str | bytes, *, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Copy messages to the end of another mailbox; RFC 3501 section 6.4.7; state: selected."""
        return self._call("COPY", message_set, new_mailbox, uid=uid, **options)

    def expunge(self, message_set: Any = None, *, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Remove the deleted messages; RFC 3501 section 6.4.3; state: selected. The data are their numbers, in order.

        With ``uid`` only those of ``message_set``: RFC 4315 section 2.1, capability UIDPLUS. Raises ``ArgumentError``, and sends
        nothing, if only one of ``uid`` and ``message_set`` is given.
        """
        if uid != (message_set is not None):
            raise ArgumentError("EXPUNGE takes a message set with uid=True, and none without")
        return self._call("EXPUNGE", *([message_set] if uid else ()), uid=uid, **options)

    def fetch(self, message_set: Any, message_parts: Any, *, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Fetch (parts of) messages; RFC 3501 section 6.4.5; state: selected.

        ``message_parts``: such as "(UID BODY.PEEK[TEXT])", "UID FLAGS", or an iterable. In the data, a literal is a tuple
        ``(header, literal)``, and the rest of the response follows it.
        """
        return self._call("FETCH", message_set, message_parts, uid=uid, **options)

    def fetch_to(
        self,
        message: Any,
        message_part: Any,
        to: Writable | Conduit,
        *,
        uid: bool = False,
        **options: Unpack[CallOptions],
    ) -> Result:
        """Fetch a body of one message into a file while it arrives; RFC 3501 section 6.4.5; state: selected.

        Returns what ``fetch`` returns, after the whole body is written. A ``StreamedLiteral`` stands for the body: it has no
        bytes, and the announced ``size``. At most a few MB of the body are in memory, and ``Limits`` does not count it.

        Raises what the file raises; ``DeadlineExceeded`` if the file accepts nothing for 10 seconds. After either, the rest of
        the body is skipped, and the connection goes on. Nothing is written if the answer is NO, or has no body.

        ``message``: one message number, with ``uid`` a UID. ``message_part``: such as "BODY.PEEK[]" or "(UID BODY.PEEK[2])", with
        one body; a second one is skipped, and raises ``error``. ``to``: an object with ``write(bytes)``, such as a file opened
        with "wb", which is not closed; or a ``Channel``, from which another thread reads. The caller's thread writes; with a
        callback, a thread of the library does, and the callback is called at the end.
        """

        given = sequence_set_text(as_it_is(message))
        if given != "*" and NumberSet(given).single is None:
            raise ArgumentError(f"fetch_to takes one message, not {message!r:.80}")
        return self._call_with(options, "FETCH", message, message_part, uid=uid, to=to)

    def partial(self, message_num: Any, message_part: str, start: Any, length: Any, **options: Unpack[CallOptions]) -> Result:
        """Fetch a piece of a message; RFC 1730 section 6.4.6 (obsolete: ``BODY[section]<start.length>``); state: selected."""
        return self._call("PARTIAL", message_num, message_part, start, length, **options)

    def search(self, charset: str | None, *criteria: Any, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Search the mailbox; RFC 3501 section 6.4.4; state: selected.

        The data are message numbers, with ``uid`` UIDs, separated by spaces. ``criteria``: search keys and their operands, in
        one text or several: ``search(None, "UNSEEN SINCE 1-Jan-2026")``, ``search(None, "SUBJECT", "hello world")``. An operand
        in an argument of its own is quoted as needed. Keys of ``imapkit.q`` are criteria, too: ``search(None, q.unseen &
        q.subject("hello world"))``. ``charset`` None: CHARSET UTF-8 is sent if there is 8-bit text.
        """
        return self._call("SEARCH", *self._with_charset(charset, criteria), uid=uid, **options)

    def store(self, message_set: Any, command: str, flags: Any, *, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        r"""Change the flags of messages; RFC 3501 section 6.4.6; state: selected.

        The data are the FETCH responses with the new flags. ``command``: "FLAGS", "+FLAGS", "-FLAGS", each also with ".SILENT".
        ``flags``: such as r"\Seen", with or without parentheses, or an iterable.
        """
        return self._call("STORE", message_set, command, flags, uid=uid, **options)

    def uid(self, command: str, *args: Any, **options: Unpack[CallOptions]) -> Result:
        """Send a command with UIDs in place of message numbers; RFC 3501 section 6.4.8; state: selected.

        Returns what the command's own method returns, and takes its ``args``. For SEARCH they are the criteria, after "CHARSET"
        and its name if needed, or after None, as in ``imaplib``. Forms of extensions are sent as given, as by ``xatom``. The
        command's own method with ``uid=True`` does the same.
        """
        name = upper_name(command)
        if name == "SEARCH":
            args = self._with_charset(None, args[1:] if args[:1] == (None,) else args)
        elif name == "EXPUNGE" and len(args) != 1:
            raise ArgumentError("UID EXPUNGE takes a message set")
        return self._call_with(options, name, *args, uid=True, generic=True)

    def _with_charset(self, charset: str | None, criteria: tuple[Any, ...]) -> tuple[Any, ...]:
        """The criteria, after "CHARSET" and its name if the server needs them."""
        if self._session.utf8:
            # RFC 6855 section 3: with UTF-8 accepted, no charset may be named.
            if charset:
                raise ArgumentError("a charset must not be given once UTF8=ACCEPT is enabled")
            return criteria
        given = bool(criteria) and isinstance(criteria[0], str) and criteria[0].upper().startswith("CHARSET")
        charset = charset or ("UTF-8" if needs_charset(criteria) and not given else None)
        return ("CHARSET", charset, *criteria) if charset else criteria


def _closed(session: Session, request: Done) -> None:
    if request.typ == "OK":
        session.enter(State.AUTH)


COMMANDS = (
    Command("CHECK", State.SELECTED, rest=no_arguments),
    Command("CLOSE", State.SELECTED, rest=no_arguments, exclusive=True, done=_closed),
    Command("COPY", State.SELECTED, args=(sequence_set, mailbox), uid=True, seqnums=True),
    Command("EXPUNGE", State.SELECTED, rest=no_arguments, result=("EXPUNGE",)),
    Command(
        "FETCH",
        State.SELECTED,
        args=(sequence_set, fetch_items),
        rest=extensions,
        places={"modifiers": Place()},
        streams=Streams(announces_body, body_value),
        uid=True,
        result=("FETCH",),
        subject=about_messages,
        matches=is_about_messages,
        matches_all=are_about_messages,
        seqnums=True,
        expunges=False,
    ),
    Command(
        "PARTIAL",
        State.SELECTED,
        args=(sequence_set, fetch_items, number, number),
        result=("FETCH",),
        subject=about_messages,
        matches=is_about_messages,
        matches_all=are_about_messages,
        seqnums=True,
        expunges=False,
    ),
    Command(
        "SEARCH",
        State.SELECTED,
        rest=search_program,
        places={"return": Place(0, "RETURN")},
        words="SEARCH",
        uid=True,
        result=("SEARCH",),
        seqnums=True,
        expunges=False,
    ),
    Command(
        "STORE",
        State.SELECTED,
        args=(sequence_set,),
        rest=store_arguments,
        places={"modifiers": Place(1)},
        words="STORE",
        uid=True,
        result=("FETCH",),
        subject=about_messages,
        matches=is_about_messages,
        matches_all=are_about_messages,
        seqnums=True,
        expunges=False,
    ),
    # (RFC 4315 section 3 has COPYUID in the tagged response; some servers send it before that.)
    Command(
        "UID COPY",
        State.SELECTED,
        args=(sequence_set, mailbox),
        codes=("COPYUID",),
        subject=about_uids,
        matches_code=is_about_uids,
    ),
    Command("UID EXPUNGE", State.SELECTED, args=(sequence_set,), result=("EXPUNGE",)),
)
