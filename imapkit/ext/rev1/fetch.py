"""The FETCH response: RFC 3501 section 7.4.2.

Another family extends it by ``items={("FETCH", "X-GM-LABELS"): parser}``; for an item with a section the name ends in
``[]``, as in ``("FETCH", "BINARY[]")``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from imapkit.errors import ParseError
from imapkit.ext.rev1.body import body
from imapkit.ext.rev1.bodystructure import BodyStructure
from imapkit.ext.rev1.envelope import Envelope, envelope
from imapkit.ext.rev1.grammar import message_number
from imapkit.ext.rev1.sections import find_section
from imapkit.plugin import Cursor, Defect, Flags, Parser, Run, Untagged, item_list, late_pattern, parse_date_time, record

__all__ = [
    "FETCH_ITEMS",
    "FetchData",
    "date_time",
    "fetch",
    "fetch_att",
    "fetch_uid",
    "fetch_uids",
    "has_flags_alone",
    "part_name",
    "parts_in",
]

_ATT = re.compile(rb"[A-Za-z][^\x00-\x20\x7f()<>\[\]{%*\"\\]*+")
_ORIGIN = late_pattern(rb"<[\d.]*+>")
#   section = "[" [section-spec] "]"; header names are nearly always atoms.
_SECTION = late_pattern(rb"\[([^\[\]()\"]*+)(\([^()\"]*+\))?+ *+\]")
_SECTION_OPEN = late_pattern(rb"\[([^\[\]()\"]*+)\(")
_ATOM_NAME = late_pattern(rb"[^\x00-\x20\x7f(){%*\"\\]++")
#   After items whose values are words or flat lists, as most servers send it: "(FLAGS (\Seen) UID 5".
_UID_EARLY = late_pattern(
    rb" *+\( *+(?:(?!UID )[A-Z][A-Z0-9.-]*+ ++(?:\([^()\"{}]*+\)|[^\x00-\x20\x7f()\"{}]++) ++)*+"
    rb"UID ++(\d{1,20}+)(?![^ )])",
    re.IGNORECASE,
)
_UID = re.compile(rb'(?:\d{1,20}+|"\d{1,20}+")(?![^ ()\]<>:,])')
#   Some servers repeat PEEK, or the length of the range.
_PART = late_pattern(r"(BODY|BINARY)(?:\.PEEK)?(\[[^\]]*+\])(?:<(\d{1,20}+)[\d.]*+>)?+")
_NEWS = frozenset(("FLAGS", "MODSEQ"))
_ANY_DEPTH = 1 << 31
"""Skipped values need no memory, and the framer has checked their depth (``Limits.nesting``)."""
#   The items with which a client synchronises a mailbox, as nearly every server writes them: read by two patterns.
FLAG = rb"\\?[^\x00-\x20\x7f(){%*\"\\]++"
_PLAIN_ATT = rb"(?:UID [1-9]\d{0,8}+|RFC822\.SIZE \d{1,9}+|FLAGS \((?:%b(?: %b)*+)?+\))" % (FLAG, FLAG)
_PLAIN = late_pattern(rb"\(%b(?: %b)*+\)\Z" % (_PLAIN_ATT, _PLAIN_ATT))
_PLAIN_ITEM = late_pattern(rb"(UID|RFC822\.SIZE|FLAGS) (?:(\d++)|\(([^)]*+)\))")
_PLAIN_KEYS = {name.encode("ascii"): ("FETCH", name) for name in ("UID", "RFC822.SIZE", "FLAGS")}

_Item = TypeVar("_Item")


def fetch(cursor: Cursor) -> FetchData:
    """``msg-att = "(" (msg-att-dynamic / msg-att-static) *(SP (msg-att-dynamic / msg-att-static)) ")"``."""
    number = message_number(cursor)
    items = _plain_items(cursor) or item_list(cursor, "FETCH", fetch_att, FETCH_ITEMS)
    return FetchData(number, items, tuple(cursor.defects))


def _plain_items(cursor: Cursor) -> dict[str, Any] | None:
    """The items, if they are well-formed UID, RFC822.SIZE and FLAGS alone and no other family reads them; else None."""
    start = cursor.mark()
    plain = cursor.match(_PLAIN)
    if plain is None:
        return None
    items: dict[str, Any] = {}
    for item, digits, flags in _PLAIN_ITEM.findall(plain.group()):
        key = _PLAIN_KEYS[item]
        name = key[1]
        own = FETCH_ITEMS[name]
        if name in items or cursor.items.get(key, own) is not own:
            break
        items[name] = int(digits) if digits else tuple(flags.split())
    else:
        if cursor.at_end():
            return items
    cursor.reset(start)
    return None


def fetch_uid(untagged: Untagged) -> int | None:
    """The UID in a FETCH response, None if there is none that can be read; never raises, and parses no other item."""
    early = _UID_EARLY.match(untagged.parts[0])
    if early is not None:
        return int(early.group(1))
    if not any(b"UID" in text.upper() for text in untagged.parts[::2]):
        return None
    try:
        return _find_uid(Cursor(untagged.parts, nesting=_ANY_DEPTH))
    except ParseError:
        return None


def fetch_uids(run: Run) -> list[int]:
    """The UIDs in FETCH responses; an empty list unless each has its UID in the usual place."""
    found = [int(match.group(1)) for match in map(_UID_EARLY.match, run.texts) if match]
    return found if len(found) == len(run) and all(found) else []


def has_flags_alone(untagged: Untagged) -> bool:
    """Whether a FETCH response has flags alone, or with a MODSEQ (RFC 7162 section 3.2): servers send such unasked."""
    if len(untagged.parts) > 1:
        return False
    cursor = Cursor(untagged.parts)
    try:
        return cursor.at_end() or _NEWS.issuperset(name for name, _ in _items(cursor))
    except ParseError:
        return False


def parts_in(untagged: Untagged) -> tuple[str, ...]:
    """The sections in a FETCH response, with the origin of a range: "BODY[2]<0>"; never raises, and parses no value."""
    names: list[str | None] = []
    with suppress(ParseError):
        names.extend(name for name, _ in _items(Cursor(untagged.parts, nesting=_ANY_DEPTH)))
    found = (part_name(name) for name in names if name is not None)
    return tuple(part for part in found if part)


def part_name(key: str) -> str:
    """The name of an item that is a section, or a range of one, in one spelling: "BODY[2]<0>"; "" for any other item."""
    found = _PART.fullmatch(key.upper())
    return "" if found is None else f"{found[1]}{found[2]}" + (f"<{int(found[3])}>" if found[3] else "")


def _find_uid(cursor: Cursor) -> int | None:
    return next((uid for name, uid in _items(cursor) if name == "UID" and uid is not None), None)


def _items(cursor: Cursor) -> Iterator[tuple[str | None, int | None]]:
    """The name of each item, or None, and its value if that is a UID. Raises ``ParseError``."""
    cursor.expect(b"(")
    depth = 1
    while depth:
        if cursor.try_(b")"):
            depth -= 1
            continue
        cursor.spaces()
        if cursor.try_(b"("):  # Domino, as in item_list
            depth += 1
            continue
        name = _name_or_none(cursor)
        cursor.spaces()
        uid = cursor.match(_UID) if name == "UID" else None
        if uid is None and cursor.peek() != b")" and not (name == "FLAGS" and _is_flag_list(cursor)):
            cursor.skip_value()
        yield name, None if uid is None else int(uid.group().strip(b'"'))


def _is_flag_list(cursor: Cursor) -> bool:
    """Read a flag list, which may hold stray parentheses; return False, with the cursor unmoved, if there is none."""
    start = cursor.mark()
    try:
        cursor.flag_list()
    except ParseError:
        cursor.reset(start)
        return False
    return True


def _name_or_none(cursor: Cursor) -> str | None:
    start = cursor.mark()
    try:
        return fetch_att(cursor)[0]
    except ParseError:
        cursor.reset(start)
        return None


def fetch_att(cursor: Cursor) -> tuple[str, str]:
    """The name of an item, as ``(key, name)``: ``("BODY[TEXT]<0>", "BODY[]")``.

    ``"BODY" section ["<" number ">"]``; the key is what the server sent, in upper case except for header names.
    """
    match = cursor.match(_ATT)
    if match is None:
        raise cursor.error("item name")
    name = _text(match.group()).upper()
    if cursor.peek() != b"[":
        return name, name
    section = _section(cursor)
    origin = cursor.match(_ORIGIN)
    return name + section + (_text(origin.group()) if origin else ""), f"{name}[]"


def _section(cursor: Cursor) -> str:
    """``section = "[" [section-spec] "]"``, ``section-msgtext = "HEADER.FIELDS" [".NOT"] SP header-list / ...``."""
    match = cursor.match(_SECTION)
    if match is not None:
        return f"[{_text(match.group(1)).upper()}{_text(match.group(2) or b'')}]"
    match = cursor.match(_SECTION_OPEN)
    if match is None:
        raise cursor.error("section")
    names = _header_list(cursor)
    cursor.spaces()
    cursor.expect(b"]")
    return f"[{_text(match.group(1)).upper()}({_text(b' '.join(names))})]"


def _header_list(cursor: Cursor) -> list[bytes]:
    """``header-list = "(" header-fld-name *(SP header-fld-name) ")"``, after its "("; each name an ``astring``."""
    names: list[bytes] = []
    while not cursor.try_(b")"):
        cursor.spaces()
        name = cursor.astring()
        names.append(name if _ATOM_NAME.fullmatch(name) else b'"%b"' % re.sub(rb'(["\\])', rb"\\\1", name))
    return names


def _text(sent: bytes) -> str:
    return sent.decode("utf-8", "surrogateescape")


# Values


def date_time(cursor: Cursor) -> datetime | None:
    """``date-time``, or None and a defect: Domino sends ``"00-Jan-0000 00:00:00 +0000"``."""
    sent = cursor.nstring()
    date = None if sent is None else parse_date_time(sent)
    if date is None:
        cursor.tolerate("FETCH INTERNALDATE: no date-time", b"NIL" if sent is None else sent)
    return date


FETCH_ITEMS: Mapping[str, Parser] = MappingProxyType(
    {
        "FLAGS": Cursor.flag_list,
        "UID": Cursor.nz_number,
        "INTERNALDATE": date_time,
        "RFC822.SIZE": Cursor.number64,
        "RFC822": Cursor.nstring,
        "RFC822.HEADER": Cursor.nstring,
        "RFC822.TEXT": Cursor.nstring,
        "BODY[]": Cursor.nstring,
        "ENVELOPE": envelope,
        "BODY": body,
        "BODYSTRUCTURE": body,
    }
)
"""The grammar of the items that RFC 3501 defines."""


@record
class FetchData:
    """A FETCH response about message ``number``; ``defects`` has what could not be read.

    ``items`` are by name in upper case (``"BODY[1.MIME]<0>"``). Those of RFC 3501 are properties too, None if the server did not
    send them: a response need not hold all requested items, and a server may send several responses for one message.
    """

    number: int
    items: Mapping[str, Any] = field(hash=False)
    defects: tuple[Defect, ...] = ()

    @property
    def flags(self) -> Flags | None:
        r"""The flags as text: ``"\\Seen" in fetched.flags``."""
        sent = self.raw_flags
        return None if sent is None else Flags.from_wire(sent)

    @property
    def raw_flags(self) -> tuple[bytes, ...] | None:
        """The flags, in order, as sent."""
        return self._item("FLAGS", tuple)

    @property
    def uid(self) -> int | None:
        """The UID."""
        return self._item("UID", int)

    @property
    def internaldate(self) -> datetime | None:
        """The INTERNALDATE."""
        return self._item("INTERNALDATE", datetime)

    @property
    def size(self) -> int | None:
        """The RFC822.SIZE, in bytes."""
        return self._item("RFC822.SIZE", int)

    @property
    def envelope(self) -> Envelope | None:
        """The ENVELOPE."""
        return self._item("ENVELOPE", Envelope)

    @property
    def structure(self) -> BodyStructure | None:
        """The BODYSTRUCTURE, else BODY, which is the same without extension data."""
        found = self._item("BODYSTRUCTURE", BodyStructure)
        return self._item("BODY", BodyStructure) if found is None else found

    def body(self, section: str = "") -> bytes | None:
        """The bytes of a section: "" for the whole message, ``"1.2"``, ``"HEADER.FIELDS (SUBJECT)"`` ...; None without it.

        Case does not matter; neither do order, quotes and repetition of header fields. Without the whole section, a
        partial one (``BODY[1]<0>``) is returned. RFC822, RFC822.HEADER and RFC822.TEXT count as the sections that they stand for.
        """
        return find_section(self.items, section)

    def _item(self, name: str, kind: type[_Item]) -> _Item | None:
        value = self.items.get(name)
        return value if isinstance(value, kind) else None
