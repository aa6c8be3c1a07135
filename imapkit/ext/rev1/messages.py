"""Messages as the typed ``fetch`` gives them, and the items that it asks for; RFC 3501 sections 6.4.5 and 7.4.2.

A message is read when it is first looked at. Rows with UID and FLAGS alone, of which a mailbox has many, are read all at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import repeat
from operator import attrgetter
from typing import Any, TypeVar, cast

from imapkit.errors import ArgumentError, NotFetched
from imapkit.ext.rev1.body import body
from imapkit.ext.rev1.bodystructure import BodyStructure
from imapkit.ext.rev1.envelope import Envelope, envelope
from imapkit.ext.rev1.fetch import FETCH_ITEMS, FLAG, FetchData, date_time, fetch_uid, fetch_uids
from imapkit.ext.rev1.sections import find_section
from imapkit.plugin import Cursor, Defect, Flags, Item, Reading, Reply, Run, Untagged, late_pattern

__all__ = [
    "BODY",
    "DATE",
    "ENVELOPE",
    "FLAGS",
    "HEADER",
    "SIZE",
    "Message",
    "messages",
    "requested",
    "section",
]

T = TypeVar("T")

ENVELOPE: Item[Envelope] = Item("FETCH", "ENVELOPE", envelope, Envelope)
"""The fields of the header, as the server has parsed them."""
FLAGS: Item[Flags] = Item("FETCH", "FLAGS", Cursor.flag_list, tuple, made=Flags.from_wire)
"""The flags, which can be compared without regard to case."""
BODY: Item[BodyStructure] = Item("FETCH", "BODYSTRUCTURE", body, BodyStructure)
"""The structure of the body: its parts, with their types and sizes."""
SIZE: Item[int] = Item("FETCH", "RFC822.SIZE", Cursor.number64, int)
"""The size in bytes."""
DATE = cast("Item[datetime]", Item("FETCH", "INTERNALDATE", date_time, datetime))
"""When it arrived."""

_SECTION = late_pattern(r'(?:[A-Za-z0-9.]*+(?: \((?:[^\x00-\x20\x7f-\U0010ffff(){%*"\\\]]++ ?)++\))?+)\Z')
_IN_NAME = slice(len("BODY["), -1)
#   What a client asks for to synchronise a mailbox, as nearly every server writes it.
_UID = rb"UID ([1-9]\d{0,8}+)"
_FLAGS_ROW = late_pattern(rb"^\((?:%b )?+FLAGS \(((?:%b(?: %b)*+)?+)\)(?(1)| %b)\)$" % (_UID, FLAG, FLAG, _UID), re.MULTILINE)


def section(name: str = "") -> Item[bytes]:
    r"""The item for a section of a message, as bytes: "" for all of it, "2", "1.MIME", "TEXT", "HEADER.FIELDS (SUBJECT DATE)".

    ``message[section("1")]``. To fetch it does not set \Seen. Raises ``ArgumentError`` for what is no section; RFC 3501 section
    6.4.5.
    """
    if not isinstance(name, str) or not _SECTION.match(name):
        raise ArgumentError(f'not a section, such as "", "1.2", "TEXT" or "HEADER.FIELDS (SUBJECT)": {name!r:.80}')
    return cast("Item[bytes]", Item("FETCH", f"BODY[{name}]", Cursor.nstring, bytes, f"BODY.PEEK[{name}]"))


HEADER: Item[bytes] = section("HEADER")
"""The header, as bytes."""


def requested(items: tuple[Item[object], ...]) -> str:
    """What FETCH asks for. Raises ``TypeError`` for what is no item, ``ArgumentError`` for an item of another response."""
    for item in items:
        if not isinstance(item, Item):
            raise TypeError(
                f"what to fetch is items, such as imapkit.FLAGS or section('1'), not {type(item).__name__}: {item!r:.60}"
            )
        if item.response != "FETCH":
            raise ArgumentError(f"{item.name} is an item of {item.response}, and cannot be fetched")
    return f"({' '.join(dict.fromkeys(['UID', *[item.asks for item in items]]))})"


class Message:
    """One message: its ``uid``, and what was fetched of it, as ``message[ENVELOPE]``, or ``message.envelope`` for short.

    What was not fetched, or what the server did not send, raises ``NotFetched``: a message never asks the server, and stays as it
    was fetched. Any thread may use it.
    """

    __slots__ = ("_by", "_flags", "_record", "_rows", "uid")

    def __init__(self, uid: int, row: Any, by: tuple[Reading, bool], flags: Flags | None = None) -> None:
        self.uid, self._rows, self._by, self._flags = uid, row, by, flags
        self._record: FetchData | None = None

    def __getitem__(self, item: Item[T]) -> T:
        found = self.get(item)
        if found is None:
            raise NotFetched(f"message {self.uid}: {item.name} was not fetched, or the message has none")
        return found

    def get(self, item: Item[T]) -> T | None:
        """What was fetched; None where ``message[item]`` raises."""
        if item is FLAGS and self._flags is not None:
            return self._flags  # type: ignore[return-value]
        record = self._read()
        if item.name.startswith("BODY["):
            # Servers spell it in their own way.
            return find_section(record.items, item.name[_IN_NAME])  # type: ignore[return-value]
        return item.of(record)

    def __contains__(self, item: Item[object]) -> bool:
        return self.get(item) is not None

    @property
    def envelope(self) -> Envelope:
        """``message[ENVELOPE]``."""
        return self[ENVELOPE]

    @property
    def flags(self) -> Flags:
        r"""``message[FLAGS]``: ``"\\Seen" in message.flags``."""
        flags = self._flags
        return self[FLAGS] if flags is None else flags

    @property
    def body(self) -> BodyStructure:
        """``message[BODY]``, the structure of the body."""
        return self[BODY]

    @property
    def size(self) -> int:
        """``message[SIZE]``, in bytes."""
        return self[SIZE]

    @property
    def date(self) -> datetime:
        """``message[DATE]``: when it arrived. ``envelope`` has the date of its header."""
        return self[DATE]

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Where the server did not follow the grammar."""
        return self._read().defects

    def __repr__(self) -> str:
        return f"<Message {self.uid}>"

    def _read(self) -> FetchData:
        record = self._record
        if record is None:
            reading, utf8 = self._by
            rows = self._rows if isinstance(self._rows, list) else [self._rows]
            values = reading.values([_response(row, utf8) for row in rows])
            record = self._record = _together([value for value in values if isinstance(value, FetchData)])
        return record

    def _add(self, other: Message) -> None:
        """Add another response about the same message."""
        rows = self._rows if isinstance(self._rows, list) else [self._rows]
        self._rows, self._flags = [*rows, other._rows], None


def _response(row: Any, utf8: bool) -> Untagged:
    return row if isinstance(row, Untagged) else Untagged("FETCH", int(row[0]), row[1:], utf8)


def _together(records: list[FetchData]) -> FetchData:
    """What several responses say of one message; of two values the later one counts, since flags change."""
    if len(records) == 1:
        return records[0]
    items: dict[str, Any] = {}
    for record in records:
        items.update(record.items)
    return FetchData(records[0].number if records else 0, items, tuple(defect for record in records for defect in record.defects))


def messages(reply: Reply) -> list[Message]:
    """The messages of which FETCH responses tell, each once, by UID. A response without a UID says nothing about any."""
    reading = reply.reading
    found: list[Message] = []
    for piece in reply.received:
        if piece.name == "FETCH":
            found += _of_run(piece, reading) if isinstance(piece, Run) else _of_response(piece, reading)
    by_uid = {message.uid: message for message in reversed(found)}
    if len(by_uid) < len(found):
        for message in found:
            if by_uid[message.uid] is not message:
                by_uid[message.uid]._add(message)
        found = list(by_uid.values())
    found.sort(key=attrgetter("uid"))
    return found


def _of_response(response: Untagged, reading: Reading) -> Iterator[Message]:
    uid = fetch_uid(response)
    if uid:
        yield Message(uid, response, (reading, response.utf8))


def _of_run(run: Run, reading: Reading) -> Iterator[Message]:
    by = (reading, run.utf8)
    plain = _flags_rows(run) if reading.tables.items.get(("FETCH", "FLAGS")) is FETCH_ITEMS["FLAGS"] else []
    if plain:
        known = {flags: Flags.from_wire(tuple(flags.split())) for flags in {row[1] for row in plain}}
        uids = [int(early or late) for early, _, late in plain]
        return map(Message, uids, run.rows, repeat(by), [known[row[1]] for row in plain])
    found = fetch_uids(run) or map(fetch_uid, run)
    return (Message(uid, row, by) for uid, row in zip(found, run.rows, strict=True) if uid)


def _flags_rows(run: Run) -> list[tuple[bytes, bytes, bytes]]:
    """Of rows that are a UID and well-formed flags: the UID before the flags, the flags, the UID after them; else none."""
    if type(run) is not Run:
        return []
    text = b"\n".join(run.texts)
    found: list[tuple[bytes, bytes, bytes]] = _FLAGS_ROW.findall(text)
    # (A line feed of the server's own would make two rows of one.)
    return found if len(found) == len(run) and text.count(b"\n") == len(found) - 1 else []
