"""The typed commands of the base family for a selected mailbox, always by UID; RFC 3501 section 6.4."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from imapkit.errors import ArgumentError, NoAnswer
from imapkit.ext.rev1.keys import all_
from imapkit.ext.rev1.messages import Message, messages, requested
from imapkit.ext.rev1.typed_streams import StreamsSelected
from imapkit.plugin import (
    Begin,
    Copied,
    Flight,
    Item,
    Reply,
    Role,
    SearchKey,
    UIDSet,
    Which,
    Wire,
    command,
    stream,
)

__all__ = ["Rev1Selected"]

F = TypeVar("F")
_LARGEST = 0xFFFFFFFF


class Rev1Selected(StreamsSelected[F]):
    """Search, read, flag and copy the messages of a mailbox.

    ``which`` says which messages: a UID, a ``UIDSet`` or another iterable of UIDs, or a search key, which is searched first. For
    an empty set nothing is sent.
    """

    @command
    async def search(self, key: SearchKey = all_) -> UIDSet:
        """The messages that a search key finds; RFC 3501 section 6.4.4; without a key, all messages.

        ``box.search(q.unseen & q.since(date(2026, 1, 1)) & q.text("Grüße"))``. Text of any script goes as UTF-8, or in a charset
        that the server names instead (BADCHARSET). Raises ``BadCharset`` if there is none, another ``NoResponse`` if the server
        refuses, ``TypeError`` for what is no key.
        """

        def wire(charset: str | None) -> Wire[UIDSet]:
            return Wire("SEARCH", *(("CHARSET", charset) if charset else ()), key, uid=True, parse=_found)

        return await self._in_charset(key, wire)

    @stream
    async def fetch(self, which: Which, *items: Item[object], reverse: bool = False, chunk: int = 500) -> AsyncIterator[Message]:
        r"""The messages with these items, one after the other, by UID; RFC 3501 section 6.4.5.

        ``for message in box.fetch(uids, ENVELOPE, FLAGS): print(message.uid, message.envelope.subject)``. The items are
        ``ENVELOPE``, ``FLAGS``, ``BODY``, ``SIZE``, ``DATE``, ``HEADER``, ``section(...)``, and those of other families; without
        any, only the UIDs. Nothing sets \Seen. A UID that is not there is left out.

        ``chunk`` messages are asked for at a time, and the next ones are on their way while the program looks at these: other
        commands can be sent in the loop, and ``break`` gives at most one chunk up. ``reverse``: the newest first. Raises
        ``Missing`` if an item needs a capability that the server lacks, ``NoResponse`` if the server refuses.
        """
        if chunk < 1:
            raise ArgumentError(f"chunk={chunk}: at least one message is asked for at a time")
        asked = requested(items)
        for item in items:
            if item.needs is not None:
                await self._require(item.needs, f"fetch({item.name})")
        uids = await self._uids(which)
        parts = list(uids.chunks(most=chunk))
        step = -1 if reverse else 1
        flights: list[Flight[list[Message]]] = []
        try:
            for some in [*parts[::step], None]:
                if some is not None:
                    flights.append(await Begin(Wire("FETCH", some, asked, uid=True, parse=messages)))
                if len(flights) == 2 or some is None:
                    for flight in flights[:1]:
                        for message in (await flight)[::step]:
                            yield message
                    del flights[:1]
        finally:
            for flight in flights:
                flight.drop()

    @command
    async def add_flags(self, which: Which, *flags: str, silent: bool = True) -> UIDSet:
        r"""Add flags to messages; RFC 3501 section 6.4.6. Returns the UIDs of the messages, of which some may be gone by now.

        ``box.add_flags(q.from_("ada"), "\\Seen", "$Forwarded")``. ``silent=False`` has the server report the new flags. Raises
        ``ArgumentError`` for what is no flag; ``NoResponse`` if the server refuses, after which a part of a long set may have
        been changed.
        """
        return await self._store(which, "+", flags, silent)

    @command
    async def remove_flags(self, which: Which, *flags: str, silent: bool = True) -> UIDSet:
        """Remove flags from messages; RFC 3501 section 6.4.6; otherwise as ``add_flags``."""
        return await self._store(which, "-", flags, silent)

    @command
    async def set_flags(self, which: Which, *flags: str, silent: bool = True) -> UIDSet:
        r"""Give messages these flags, and no others but \Recent; RFC 3501 section 6.4.6; otherwise as ``add_flags``."""
        return await self._store(which, "", flags, silent)

    @command
    async def copy(self, which: Which, to: str | bytes | Role) -> Copied:
        """Copy messages to the end of another mailbox, or of the one that has a role; RFC 3501 section 6.4.7.

        ``box.copy(uids, "Archive").uids`` has the UID of each copy, if the server has UIDPLUS (RFC 4315). Raises ``TryCreate`` if
        there is no such mailbox but it can be created, another ``NoResponse`` if the server refuses, after which a part of a long
        set may have been copied; ``Missing`` if no mailbox has the role.
        """
        uids = await self._uids(which)
        if not uids:
            return Copied.together(())
        target = await self._mailbox_name(to)
        return Copied.together([await Wire("COPY", some, target, uid=True, parse=_copied) for some in uids.chunks()])

    @command
    def check(self) -> Wire[None]:
        """Ask for a checkpoint of the mailbox; RFC 3501 section 6.4.1."""
        return Wire("CHECK", parse=_nothing)

    async def _store(self, which: Which, sign: str, flags: tuple[str, ...], silent: bool) -> UIDSet:
        _check_flags(flags, sign)
        uids = await self._uids(which)
        item = f"{sign}FLAGS{'.SILENT' if silent else ''}"
        for some in uids.chunks():
            await Wire("STORE", some, item, flags, uid=True, parse=_nothing)
        return uids


def _check_flags(flags: tuple[str, ...], sign: str) -> None:
    """Raise for what is no flag, such as two in one text: the flags are arguments of their own."""
    for flag in flags:
        if not isinstance(flag, str):
            raise TypeError(f"a flag is text, and each is an argument of its own, not {type(flag).__name__}: {flag!r:.60}")
        if flag.split() != [flag] or flag[0] in "()":
            raise ArgumentError(f"not one flag: {flag!r:.60}")
    if sign and not flags:
        raise ArgumentError("no flag is given")


def _found(reply: Reply) -> UIDSet:
    """What all SEARCH responses name. (Numbers that were left out would look like messages that do not match.)"""
    responses = reply.responses("SEARCH")
    lines = reply.reading.values(responses)
    if len(lines) < len(responses):
        raise NoAnswer("a SEARCH response of the server cannot be read: see imap.defects")
    numbers = lines[0] if len(lines) == 1 else [number for line in lines for number in line]
    try:
        return UIDSet(numbers)
    except ValueError:
        # 0, or a number too large, which is noted.
        return UIDSet(number for number in numbers if 0 < number <= _LARGEST)


def _copied(reply: Reply) -> Copied:
    return Copied.of(reply.codes().get("COPYUID"))


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""
