"""Envelopes and addresses, beyond the vectors: decoding, groups, types."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from imapkit.errors import ParseError
from imapkit.ext.rev1.envelope import Address, Envelope, Group, envelope, groups
from imapkit.ext.rev1.fetch import fetch
from imapkit.plugin import Cursor


def person(mailbox: bytes, name: bytes | None = None) -> Address:
    return Address(name, None, mailbox, b"example.org")


def begin(name: bytes) -> Address:
    return Address(None, None, name, None)


END = Address(None, None, None, None)


def test_decoded_properties() -> None:
    cursor = Cursor((b'("1 Jan 2026 00:00 +0000" "=?utf-8?Q?caf=C3=A9?=" NIL NIL NIL NIL NIL NIL NIL "<a@b>")',))
    found = envelope(cursor)
    assert (found.raw_date, found.date) == (b"1 Jan 2026 00:00 +0000", datetime(2026, 1, 1, tzinfo=UTC))
    assert (found.raw_subject, found.subject) == (b"=?utf-8?Q?caf=C3=A9?=", "caf\u00e9")
    assert (found.raw_message_id, found.message_id) == (b"<a@b>", "<a@b>")
    assert (found.raw_in_reply_to, found.in_reply_to) == (None, None)
    assert cursor.defects == []


def test_missing_fields_are_none() -> None:
    found = envelope(Cursor((b'("no date" NIL NIL NIL NIL NIL NIL NIL NIL NIL)',)))
    assert (found.date, found.subject) == (None, None)
    assert envelope(Cursor((b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",))).date is None


@pytest.mark.parametrize("text", [b"NIL", b'"x"', b"5", b"", b"(", b"(NIL"])
def test_values_that_are_no_envelope_are_refused(text: bytes) -> None:
    with pytest.raises(ParseError):
        envelope(Cursor((text,)))


@pytest.mark.parametrize(
    ("mailbox", "host", "email"),
    [
        (b"a.b", b"example.org", "a.b@example.org"),
        (b"a b", b"example.org", '"a b"@example.org'),
        (b'a"\\', b"example.org", '"a\\"\\\\"@example.org'),
        (b"a..b", b"x", '"a..b"@x'),
        (b"caf\xc3\xa9+x", b"\xc3\xa9.example", "caf\u00e9+x@\u00e9.example"),
        (b"a", b"[192.0.2.1]", "a@[192.0.2.1]"),
        (b"\xff", b"x", "\ufffd@x"),
        (b"a", None, None),
        (None, b"x", None),
        (b"a", b"", None),
        (b"", b"x", None),
    ],
)
def test_email(mailbox: bytes | None, host: bytes | None, email: str | None) -> None:
    assert Address(None, None, mailbox, host).email == email


def test_names() -> None:
    assert person(b"a", b"=?iso-8859-1?Q?Andr=E9?= Pirard").name == "Andr\u00e9 Pirard"
    assert person(b"a").name is None
    assert begin(b"=?utf-8?Q?=C3=A9?=").name == "\u00e9"
    assert END.name is None
    assert Group(b"=?utf-8?Q?=C3=A9?=", ()).name == "\u00e9"
    assert Group(None, ()).name is None


def test_the_parts_of_an_address_are_text() -> None:
    found = Address(None, b"@relay", b"caf\xc3\xa9", b"\xff.example")
    assert (found.mailbox, found.host, found.route, found.name) == ("caf\u00e9", "\ufffd.example", "@relay", None)
    assert (END.mailbox, END.host, END.route) == (None, None, None)


def test_groups() -> None:
    one, two, three = person(b"a"), person(b"b"), person(b"c")
    assert groups(()) == ()
    assert groups((one, two)) == (Group(None, (one, two)),)
    sent = (one, begin(b"g"), two, END, begin(b"empty"), END, three)
    assert groups(sent) == (Group(None, (one,)), Group(b"g", (two,)), Group(b"empty", ()), Group(None, (three,)))
    assert groups((begin(b"g"), one, begin(b"h"), two)) == (Group(b"g", (one,)), Group(b"h", (two,)))
    assert groups((END, one)) == (Group(None, (one,)),)
    assert [address.starts_group for address in sent] == [False, True, False, False, True, False, False]
    assert [address.ends_group for address in sent] == [False, False, False, True, False, True, False]


def test_an_address_without_a_mailbox_ends_no_group() -> None:
    unknown = Address(b"Microsoft Exchange Server", None, None, b".MISSING-HOST-NAME.")
    assert groups((begin(b"g"), unknown, END)) == (Group(b"g", (unknown,)),)


def test_a_bad_envelope_does_not_affect_other_items() -> None:
    data = fetch(Cursor((b'(UID 1 ENVELOPE (NIL "open {1}', b"x", b' NIL FLAGS ("a" ', b"y"), 1))
    assert data.items == {"UID": 1}
    assert data.defects != ()


def test_many_defects_are_no_larger_than_the_response() -> None:
    sent = b"(NIL NIL (" + b"(a)" * 2000 + b") NIL NIL NIL NIL NIL NIL NIL)"
    cursor = Cursor((sent,))
    assert len(envelope(cursor).from_) == 2000
    assert len(cursor.defects) == 1001, "a thousand, and one that counts the others"
    assert sum(len(defect.raw) for defect in cursor.defects) < len(sent)


def test_envelopes_are_values() -> None:
    one, other = (envelope(Cursor((b'(NIL "a" ((NIL NIL "b" "c")) NIL NIL NIL NIL NIL NIL NIL)',))) for _ in range(2))
    assert one == other
    assert len({one, other}) == 1
    assert not hasattr(one, "__dict__")
    assert isinstance(one, Envelope)
