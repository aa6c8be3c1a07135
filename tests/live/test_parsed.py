"""The answers of real servers about messages and mailboxes, as the base family reads them.

pymap does it in its own way: it decodes what it sends, leaves out the marks of groups, counts the
header of each part, and sends dispositions as they stand in the header.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from imapkit.ext.rev1 import BasicPart, BodyStructure, Envelope, MailboxStatus, MessagePart, MultiPart, TextPart, groups
from tests.live.support import filled, letter
from tests.servers.base import Server
from tests.servers.quirks import Quirk

pytestmark = pytest.mark.live

SENT = datetime(2026, 2, 1, 12, 30, 45, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))


def whole() -> bytes:
    """A message of two texts, an image and a message, with everything that needs to be encoded."""
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner["From"] = "inner@example.org"
    inner.set_content("inner text\n")
    inner.add_attachment(b"\0\1", maintype="application", subtype="x-inner", filename="x.bin")
    message = EmailMessage()
    message["Date"] = SENT
    message["Subject"] = 'caf\u00e9 "quoted" \u4e2d\u6587'
    message["From"] = "J\u00f6rg <joerg@example.org>"
    message["To"] = 'team: "A \\"B\\" C" <a.b@example.org>, d@example.org;, last@example.org'
    message["Message-ID"] = "<1@example.org>"
    message["In-Reply-To"] = "<0@example.org>"
    message.set_content("caf\u00e9\n" * 3, cte="quoted-printable")
    message.add_alternative("<p>caf\u00e9</p>\n", subtype="html")
    message.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="\u00e9t\u00e9.gif")
    message.add_attachment(inner)
    return message.as_bytes(policy=SMTP)


def told_of(server: Server, box: str, message: bytes) -> tuple[Envelope, BodyStructure, dict[str, bytes | None]]:
    """What a server says of a message, and the bytes of each of its parts."""
    with filled(server, box, message) as (imap, _):
        typ, data = imap.fetch(1, "(UID RFC822.SIZE ENVELOPE BODYSTRUCTURE)")
        assert typ == "OK"
        [told] = data.parsed()
        assert [defect.what.partition(": ")[2] for defect in told.defects] == (
            ["disposition"] * 3 if Quirk.DISPOSITION_IS_NOT_PARSED in server.quirks else []
        )
        assert told.size == len(message)
        parts = {}
        for part in told.structure.walk():
            # In any case BODY[section] is what the structure calls the part.
            [fetched] = imap.fetch(1, f"BODY.PEEK[{part.section}]")[1].parsed()
            parts[part.section] = fetched.body(part.section)
        return told.envelope, told.structure, parts


def test_an_envelope(server: Server) -> None:
    envelope, _, _ = told_of(server, "enveloped", whole())
    assert envelope.date == SENT
    assert envelope.subject == 'caf\u00e9 "quoted" \u4e2d\u6587'
    assert [(address.name, address.email) for address in envelope.from_] == [("J\u00f6rg", "joerg@example.org")]
    assert envelope.sender == envelope.reply_to == envelope.from_
    assert (envelope.cc, envelope.bcc) == ((), ())
    assert (envelope.message_id, envelope.in_reply_to) == ("<1@example.org>", "<0@example.org>")
    told = [(group.name, [address.email for address in group.members]) for group in groups(envelope.to)]
    team, last = ["a.b@example.org", "d@example.org"], ["last@example.org"]
    if Quirk.NO_GROUPS_IN_ENVELOPE in server.quirks:
        assert told == [(None, team + last)]
    elif Quirk.GROUPS_WITHOUT_NAMES in server.quirks:
        assert told == [("", team), ("", last)]
    else:
        assert told == [("team", team), (None, last)]
    assert 'A "B" C' in [address.name for address in envelope.to]


def test_a_body_structure(server: Server) -> None:
    _, structure, parts = told_of(server, "structured", whole())
    assert [(part.section, part.content_type) for part in structure.walk()] == [
        ("TEXT", "multipart/mixed"),
        ("1", "multipart/alternative"),
        ("1.1", "text/plain"),
        ("1.2", "text/html"),
        ("2", "image/gif"),
        ("3", "message/rfc822"),
        ("3.TEXT", "multipart/mixed"),
        ("3.1", "text/plain"),
        ("3.2", "application/x-inner"),
    ]
    counting_headers = Quirk.PARTS_COUNT_THEIR_HEADER in server.quirks
    for part in structure.walk():
        if isinstance(part, BasicPart) and not counting_headers:
            assert part.size == len(parts[part.section] or b"")
    assert isinstance(structure, MultiPart)
    texts, image, inner = structure.inside
    text = texts.inside[0]
    assert isinstance(text, TextPart)
    assert (text.charset, text.encoding) == ("utf-8", "quoted-printable")
    assert text.lines == (6 if counting_headers else 3)
    assert image.filename == "\u00e9t\u00e9.gif"
    assert image.disposition is not None
    assert image.disposition.type == "attachment"
    assert isinstance(inner, MessagePart)
    assert inner.envelope is not None
    assert inner.envelope.subject == "inner"


def test_a_listing_and_a_status(server: Server) -> None:
    with filled(server, "told", letter("one")) as (imap, box):
        [listing] = imap.list("", box)[1].parsed()
        assert (listing.mailbox, listing.delimiter, listing.defects) == (box, server.separator, ())
        assert not listing.has(r"\Noselect")
        imap.close()
        typ, data = imap.status(box, "(MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)")
        assert typ == "OK"
        [told] = data.parsed()
        assert isinstance(told, MailboxStatus)
        assert (told.mailbox, told.messages, told.unseen, told.defects) == (box, 1, 1, ())
        assert told.uidnext is not None
        assert told.uidvalidity is not None
        assert told.recent is not None
