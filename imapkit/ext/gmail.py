"""The family ``gmail``: X-GM-EXT-1, Gmail's numbers of messages and threads, its labels, and its own search.

https://developers.google.com/workspace/gmail/imap/imap-extensions
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, Unpack

from imapkit.errors import ArgumentError
from imapkit.plugin import (
    CallOptions,
    Commands,
    Cursor,
    Family,
    Item,
    MailboxName,
    Name,
    Piece,
    Reply,
    Result,
    SearchKey,
    SelectedCommands,
    ServerString,
    Text,
    Token,
    UIDSet,
    Which,
    Wire,
    astring,
    command,
    encode_text,
    hookimpl,
    late_pattern,
    mailbox,
    members,
    needs_charset,
    number,
    parenthesized,
    program,
    raw,
    term,
)

__all__ = [
    "LABELS",
    "MSGID",
    "THRID",
    "Gmail",
    "GmailCommands",
    "imapkit_family",
    "labelled",
    "msgid",
    "query",
    "thrid",
]

F = TypeVar("F")
_CAPABILITY = "X-GM-EXT-1"

Label = str | bytes
"""Text; bytes are sent unchanged, except a name that came from the server, which is quoted as needed."""


class GmailCommands(Commands):
    r"""Commands of X-GM-EXT-1; state: selected.

    A ``message_set`` holds message numbers, with ``uid=True`` UIDs. A label is text, or a value from the server; several are an
    iterable. System labels begin with a backslash: r"\Inbox", r"\Sent", r"\Important", r"\Starred".

    ``fetch``, ``store``, ``search`` and ``uid`` accept Gmail's items and keys too: ``fetch("1:*", "(UID X-GM-LABELS)")``,
    ``store(7, "+X-GM-LABELS", ["To do"])``, ``search(None, "X-GM-RAW", "has:attachment", "UNSEEN")``.
    """

    def x_gm_labels(self, message_set: Any, *, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Fetch the UID, the numbers of message and thread, and the labels of messages; capability X-GM-EXT-1; state: selected.

        ``MSGID.of(message)``, ``THRID.of(message)`` and ``LABELS.of(message)`` are the values for each message in
        ``data.parsed()``.
        """
        return self._call("FETCH", message_set, "(UID X-GM-MSGID X-GM-THRID X-GM-LABELS)", uid=uid, **options)

    def x_gm_search(self, query: str | bytes, *criteria: Any, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Search as Gmail's web page does; capability X-GM-EXT-1; state: selected.

        The data are message numbers, with ``uid`` UIDs, separated by spaces. ``query``: such as
        'has:attachment "exact words" in:unread', sent unchanged. ``criteria``: further criteria, as for ``search``.
        """
        encoded = encode_text(query, "utf-8") if isinstance(query, str) else raw(query)
        eight_bit = not encoded.isascii() or needs_charset(criteria)
        # RFC 6855 section 3: with UTF-8 accepted, no charset may be named.
        charset = ("CHARSET", "UTF-8") if eight_bit and "UTF8=ACCEPT" not in self._session.enabled else ()
        return self._call("SEARCH", *charset, "X-GM-RAW", ServerString(encoded), *criteria, uid=uid, **options)

    def x_gm_add_labels(
        self,
        message_set: Any,
        labels: Label | Iterable[Label],
        *,
        uid: bool = False,
        silent: bool = False,
        **options: Unpack[CallOptions],
    ) -> Result:
        """Add labels to messages; capability X-GM-EXT-1; state: selected.

        The data are the FETCH responses with the new labels; with ``silent`` the server need not send them.
        """
        return self._store("+X-GM-LABELS", message_set, labels, uid, silent, options)

    def x_gm_remove_labels(
        self,
        message_set: Any,
        labels: Label | Iterable[Label],
        *,
        uid: bool = False,
        silent: bool = False,
        **options: Unpack[CallOptions],
    ) -> Result:
        """Remove labels from messages; as ``x_gm_add_labels``."""
        return self._store("-X-GM-LABELS", message_set, labels, uid, silent, options)

    def x_gm_set_labels(
        self,
        message_set: Any,
        labels: Label | Iterable[Label],
        *,
        uid: bool = False,
        silent: bool = False,
        **options: Unpack[CallOptions],
    ) -> Result:
        """Replace the labels of messages; as ``x_gm_add_labels``."""
        return self._store("X-GM-LABELS", message_set, labels, uid, silent, options)

    def _store(self, item: str, message_set: Any, labels: Any, uid: bool, silent: bool, options: CallOptions) -> Result:
        item += ".SILENT" if silent else ""
        return self._call("STORE", message_set, item, labels, uid=uid, **options)


class Gmail(SelectedCommands[F]):
    r"""Change the labels of messages: ``inbox.add_labels(found, "To do")``.

    ``which`` says which messages: a UID, a ``UIDSet`` or another iterable of UIDs, or a search key, which is searched first. For
    an empty set nothing is sent. A label is text, or a value from the server; system labels begin with a backslash: r"\Inbox",
    r"\Starred", r"\Important". ``Gmail(inbox)`` is a view for type checkers where ``inbox`` is a mailbox of any face.

    Each method raises ``Missing``, and sends nothing, if the server has no X-GM-EXT-1, ``ArgumentError`` for what cannot be sent
    as a label, and ``NoResponse`` if the server refuses, after which a part of a long set may have been changed.
    """

    @command
    async def add_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> UIDSet:
        r"""Add labels to messages; capability X-GM-EXT-1. Returns the UIDs of the messages, of which some may be gone by now.

        ``inbox.add_labels(gmail.query("has:attachment"), "To do", r"\Starred")``. Gmail makes a label that is not there.
        ``silent=False`` has the server report the new labels.
        """
        return await self._store_labels("add_labels()", which, "+", labels, silent)

    @command
    async def remove_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> UIDSet:
        """Remove labels from messages; capability X-GM-EXT-1; otherwise as ``add_labels``."""
        return await self._store_labels("remove_labels()", which, "-", labels, silent)

    @command
    async def set_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> UIDSet:
        """Replace the labels of messages, but for that of the mailbox; capability X-GM-EXT-1; otherwise as ``add_labels``."""
        return await self._store_labels("set_labels()", which, "", labels, silent)

    async def _store_labels(self, call: str, which: Which, sign: str, labels: tuple[str | bytes, ...], silent: bool) -> UIDSet:
        if sign and not labels:
            raise ArgumentError("no label is given")
        await self._require(_CAPABILITY, call)
        uids = await self._uids(which)
        item = f"{sign}X-GM-LABELS{'.SILENT' if silent else ''}"
        for some in uids.chunks():
            await Wire("STORE", some, item, labels, uid=True, parse=_nothing)
        return uids


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""


# Search keys


def query(text: str) -> SearchKey:
    """The messages that Gmail's web page would find: ``gmail.query("has:attachment larger:5M") & q.unseen``; X-GM-RAW."""
    return term("X-GM-RAW", Text(text))


def labelled(label: str | MailboxName) -> SearchKey:
    r"""The messages with a label, as text or as it came from the server: ``gmail.labelled(r"\Starred")``; X-GM-LABELS."""
    name = Name(label)
    return term("X-GM-LABELS", str(name) if name.isascii() and _SYSTEM.fullmatch(name.encode()) else name)


def msgid(number: int) -> SearchKey:
    """The message with this number (``message[gmail.MSGID]``); X-GM-MSGID."""
    return term("X-GM-MSGID", _number(number))


def thrid(number: int) -> SearchKey:
    """The messages of the thread with this number (``message[gmail.THRID]``); X-GM-THRID."""
    return term("X-GM-THRID", _number(number))


def _number(value: int) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
        raise ArgumentError(f"not a number of Gmail's: {value!r:.60}")
    return str(value)


# Responses


def gm_labels(cursor: Cursor) -> tuple[MailboxName, ...]:
    """``"(" [gm-label *(SP gm-label)] ")"``; one that cannot be read becomes a ``Defect``."""
    cursor.expect(b"(")
    return tuple(members(cursor, "FETCH X-GM-LABELS", gm_label))


def gm_label(cursor: Cursor) -> MailboxName:
    r"""``gm-label = "\" atom / astring``, in the encoding of mailbox names."""
    return cursor.name(cursor.flag() if cursor.peek() == b"\\" else cursor.astring())


MSGID: Item[int] = Item("FETCH", "X-GM-MSGID", Cursor.number64, int, needs=_CAPABILITY)
"""The message's number, which is the same under every label."""
THRID: Item[int] = Item("FETCH", "X-GM-THRID", Cursor.number64, int, needs=_CAPABILITY)
"""The number of its thread."""
LABELS: Item[tuple[MailboxName, ...]] = Item("FETCH", "X-GM-LABELS", gm_labels, tuple, needs=_CAPABILITY)
r"""Its labels, except that of the selected mailbox; each has a ``text``; system labels begin with ``\``."""


# Arguments

_SYSTEM = late_pattern(rb'\\[^(){ %*"\\\]\x00-\x1f\x7f-\xff]+')


def label(value: Any) -> Token:
    """A label: a system label unchanged, any other as a mailbox name."""
    encoded = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return raw(value) if isinstance(encoded, bytes) and _SYSTEM.fullmatch(encoded) else mailbox(value)


def label_list(value: Any) -> tuple[Piece, ...]:
    """``"(" [label *(SP label)] ")"``, for one label or an iterable of them; text in parentheses is sent unchanged."""
    if isinstance(value, str) and value.startswith("(") and value.endswith(")"):
        return program(value)
    several = isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, memoryview))
    return parenthesized(map(label, value if several else (value,)))


@hookimpl
def imapkit_family() -> Family:
    """The family of X-GM-EXT-1: no command, but items and keys for the base family's commands."""
    return Family(
        name="gmail",
        mixin=GmailCommands,
        selected=Gmail,
        capabilities=(_CAPABILITY,),
        items=Item.table(MSGID, THRID, LABELS),
        operands={
            ("SEARCH", "X-GM-RAW"): (astring,),
            ("SEARCH", "X-GM-MSGID"): (number,),
            ("SEARCH", "X-GM-THRID"): (number,),
            ("SEARCH", "X-GM-LABELS"): (label,),
            ("STORE", "X-GM-LABELS"): (label_list,),
        },
        requires=("rev1",),
        contract=2,
    )
