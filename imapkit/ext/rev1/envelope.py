"""ENVELOPE: RFC 3501 sections 7.4.2 and 9.

One pattern reads a well-formed envelope. Any other is read by ``Cursor.value`` and then checked field by field, since servers
put fields in wrong places; each deviation from the grammar becomes a ``Defect``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from imapkit.ext.rev1.dates import USUAL_DATE, parse_date, read_date
from imapkit.ext.rev1.places import ten_fields
from imapkit.ext.rev1.whole import ADDRESS, NSTRING, unescaped, ungrouped
from imapkit.plugin import Cursor, decode_bytes, decode_words, late_pattern, record

__all__ = [
    "Address",
    "Envelope",
    "Group",
    "envelope",
    "groups",
    "nstring",
    "shown",
    "to_envelope",
    "whole_envelope",
    "word_by_word",
]

FIELDS = ("date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc", "in-reply-to", "message-id")

#   dot-atom of RFC 5322 section 3.2.3, with the 8-bit bytes of RFC 6532.
_DOT_ATOM = late_pattern(r"[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]++(?:\.[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]++)*+")
_SPECIAL = late_pattern(r'(["\\])')
#   env-from = "(" 1*address ")" / nil, and the other address fields; several servers put a SP between addresses.
_ADDRESSES = rb"(?:NIL|\(((?:%b *+)++)\))" % ungrouped(ADDRESS)
_REST = b" ".join([NSTRING] + [_ADDRESSES] * 6 + [NSTRING] * 2)
_WHOLE = late_pattern(rb"\(%b %b\)" % (NSTRING, _REST))
#   The same with a date that needs no guess, as in nearly every envelope.
_USUAL = late_pattern(rb"\(%b %b\)" % (NSTRING.replace(rb'"(', rb'"(%b' % USUAL_DATE), _REST))
_ADDRESS = late_pattern(ADDRESS)
_LISTS = 3
"""How deep lists are nested in an envelope."""


def envelope(cursor: Cursor) -> Envelope:
    """The ten fields of a message's header.

    ``envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
    env-in-reply-to SP env-message-id ")"``. QQ omits the last one.
    """
    found = whole_envelope(cursor)
    return word_by_word(cursor) if found is None else found


def word_by_word(cursor: Cursor) -> Envelope:
    """An envelope, well-formed or not; deviations are noted. Raises ``ParseError`` if there are no parentheses."""
    value = cursor.fields()
    if not isinstance(value, list):
        raise cursor.error("an envelope in parentheses")
    return to_envelope(value, cursor)


def whole_envelope(cursor: Cursor) -> Envelope | None:
    """A well-formed envelope; None for any other, and then the cursor has not moved."""
    if cursor.nesting < _LISTS:
        return None
    usual = cursor.match(_USUAL)
    found = usual or cursor.match(_WHOLE)
    if found is None:
        return None
    date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id = found.groups()
    if escaped := b"\\" in found.group():
        date, subject, in_reply_to, message_id = map(unescaped, (date, subject, in_reply_to, message_id))
    if usual is None:
        _note_guess(date, cursor)
    senders = _whole_addresses(from_, escaped)
    return Envelope(
        date,
        subject,
        senders,
        # RFC 3501 section 7.4.2: a server repeats "from" if the message has no "sender" or "reply-to".
        senders if sender == from_ else _whole_addresses(sender, escaped),
        senders if reply_to == from_ else _whole_addresses(reply_to, escaped),
        _whole_addresses(to, escaped),
        _whole_addresses(cc, escaped) if cc else (),
        _whole_addresses(bcc, escaped) if bcc else (),
        in_reply_to,
        message_id,
    )


def _whole_addresses(sent: bytes | None, escaped: bool) -> tuple[Address, ...]:
    if sent is None:
        return ()
    found = _ADDRESS.finditer(sent)
    if escaped:
        return tuple([Address(*map(unescaped, each.groups())) for each in found])
    return tuple([Address(*each.groups()) for each in found])


def to_envelope(value: list[Any], cursor: Cursor) -> Envelope:
    """An envelope from a list of values that ``Cursor.value`` has read."""
    if len(value) != len(FIELDS):
        cursor.tolerate(f"envelope: {len(value)} fields", shown(value))
        is_cut = cursor.bare_quotes or len(value) > len(FIELDS)
        value = ten_fields(value) if is_cut else value + [None] * (len(FIELDS) - len(value))
    date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id = value
    date = nstring(date, cursor, "envelope: date")
    _note_guess(date, cursor)
    return Envelope(
        date,
        nstring(subject, cursor, "envelope: subject"),
        _addresses(from_, cursor, "envelope: from"),
        _addresses(sender, cursor, "envelope: sender"),
        _addresses(reply_to, cursor, "envelope: reply-to"),
        _addresses(to, cursor, "envelope: to"),
        _addresses(cc, cursor, "envelope: cc"),
        _addresses(bcc, cursor, "envelope: bcc"),
        nstring(in_reply_to, cursor, "envelope: in-reply-to"),
        nstring(message_id, cursor, "envelope: message-id"),
    )


def _note_guess(date: bytes | None, cursor: Cursor) -> None:
    if date and read_date(date)[1]:
        cursor.tolerate("envelope: a date that had to be guessed", date)


def nstring(value: Any, cursor: Cursor, what: str) -> bytes | None:
    """A value that ``Cursor.value`` has read, as ``nstring``; an atom is accepted, a number or a list is noted.

    Returns None for NIL and for a list.
    """
    if value is None or type(value) is bytes:
        return value
    if isinstance(value, bytes):
        return bytes(value)
    cursor.tolerate(f"{what}: no string", shown(value))
    return b"%d" % value if isinstance(value, int) else None


def _addresses(value: Any, cursor: Cursor, what: str) -> tuple[Address, ...]:
    """``env-from = "(" 1*address ")" / nil``, and the other address fields."""
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        cursor.tolerate(f"{what}: no list of addresses", shown(value))
        return ()
    if len(value) == 4 and not any(isinstance(member, list) for member in value) and any(value):
        cursor.tolerate(f"{what}: an address without a list", shown(value))
        value = [value]
    found: list[Address] = []
    for member in value:
        if isinstance(member, list) and len(member) < 4 and cursor.bare_quotes:
            cursor.tolerate(f"{what}: an address with {len(member)} fields", shown(member))
        elif isinstance(member, list) and member:
            found.append(_address(member, cursor, what))
        else:
            # SmarterMail sends NIL among addresses.
            cursor.tolerate(f"{what}: no address", shown(member))
    return tuple(found)


def _address(value: list[Any], cursor: Cursor, what: str) -> Address:
    """``address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"``, each of them an ``nstring``."""
    if len(value) == 4:
        name, route, mailbox, host = value
        if (
            (name is None or type(name) is bytes)
            and (route is None or type(route) is bytes)
            and (mailbox is None or type(mailbox) is bytes)
            and (host is None or type(host) is bytes)
        ):
            return Address(name, route, mailbox, host)
    else:
        cursor.tolerate(f"{what}: an address with {len(value)} fields", shown(value))
    if len(value) > 4:
        # If the server counted a literal in characters, it ends within the name, and the rest of the name looks like an atom.
        value = [b"".join(piece for piece in value[:-3] if isinstance(piece, bytes)), *value[-3:]]
    fields = [nstring(field, cursor, f"{what}: an address") for field in value]
    return Address(*fields, *[None] * (4 - len(fields)))


def shown(value: Any) -> bytes:
    """A value as a defect shows it: as on the wire, with "(...)" for each list in it."""
    if not isinstance(value, list):
        return _shown(value)
    return b"(%b)" % b" ".join(b"(...)" if isinstance(member, list) else _shown(member) for member in value)


def _shown(value: Any) -> bytes:
    if value is None:
        return b"NIL"
    if isinstance(value, int):
        return b"%d" % value
    return b'"%b"' % value if type(value) is bytes else bytes(value)


def groups(addresses: Iterable[Address]) -> tuple[Group, ...]:
    """The addresses by groups (RFC 5322 section 3.4), in order; those outside a group are in groups without a name."""
    found: list[tuple[bytes | None, list[Address]]] = []
    fresh = True
    for address in addresses:
        if address.starts_group:
            found.append((address.raw_mailbox, []))
            fresh = False
        elif address.ends_group:
            fresh = True
        else:
            if fresh:
                found.append((None, []))
                fresh = False
            found[-1][1].append(address)
    return tuple(Group(name, tuple(members)) for name, members in found)


@record
class Address:
    """One address of an envelope, or one of the marks around a group (RFC 3501 section 7.4.2).

    ``raw_mailbox`` is the part before the "@", without quotes; for the start of a group, the group's name.
    """

    raw_name: bytes | None
    raw_route: bytes | None
    raw_mailbox: bytes | None
    raw_host: bytes | None

    @property
    def name(self) -> str | None:
        """The name with encoded words decoded (RFC 2047); for the start of a group, the group's name."""
        raw = self.raw_mailbox if self.starts_group else self.raw_name
        return None if raw is None else decode_words(raw)

    @property
    def mailbox(self) -> str | None:
        """The part before the "@", without quotes."""
        return _text(self.raw_mailbox)

    @property
    def host(self) -> str | None:
        """The part behind the "@"."""
        return _text(self.raw_host)

    @property
    def route(self) -> str | None:
        """The source route (RFC 822 section 6.2.7), which hardly any address has."""
        return _text(self.raw_route)

    @property
    def email(self) -> str | None:
        """``mailbox@host`` in the form of a header (``addr-spec``, RFC 5322); None if one of them is missing."""
        if not self.raw_mailbox or not self.raw_host:
            return None
        local = decode_bytes(self.raw_mailbox)
        if not _DOT_ATOM.fullmatch(local):
            local = '"{}"'.format(_SPECIAL.sub(r"\\\1", local))
        return f"{local}@{decode_bytes(self.raw_host)}"

    @property
    def starts_group(self) -> bool:
        """Whether a group starts here; ``name`` is its name."""
        return self.raw_host is None and self.raw_mailbox is not None

    @property
    def ends_group(self) -> bool:
        """Whether a group ends here."""
        return self.raw_host is None and self.raw_mailbox is None


@record
class Group:
    """Addresses under one name (RFC 5322 section 3.4); ``name`` is None for addresses outside a group."""

    raw_name: bytes | None
    members: tuple[Address, ...]

    @property
    def name(self) -> str | None:
        """The name with encoded words decoded (RFC 2047)."""
        return None if self.raw_name is None else decode_words(self.raw_name)


@record
class Envelope:
    """The fields of a message's header, as the server has parsed it; NIL is None, or an empty tuple of addresses.

    The fields whose names begin with ``raw_`` are as sent; the same names without it are readable. Addresses are in the order of
    the header, with the marks of groups among them; ``groups`` sorts them.
    """

    raw_date: bytes | None
    raw_subject: bytes | None
    from_: tuple[Address, ...]
    sender: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    raw_in_reply_to: bytes | None
    raw_message_id: bytes | None

    @property
    def date(self) -> datetime | None:
        """The date (RFC 5322 section 3.3), aware; in UTC if it names no zone; None if it cannot be read.

        If it does not follow RFC 5322 and had to be guessed, the response has a defect.
        """
        return None if self.raw_date is None else parse_date(self.raw_date)

    @property
    def subject(self) -> str | None:
        """The subject with encoded words decoded (RFC 2047)."""
        return None if self.raw_subject is None else decode_words(self.raw_subject)

    @property
    def in_reply_to(self) -> str | None:
        """The field In-Reply-To: identifiers of messages."""
        return _text(self.raw_in_reply_to)

    @property
    def message_id(self) -> str | None:
        """The field Message-ID."""
        return _text(self.raw_message_id)


def _text(sent: bytes | None) -> str | None:
    return None if sent is None else decode_bytes(sent)
