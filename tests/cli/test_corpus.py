"""The sample mail: complete, valid, varied, and the same every time."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from imapkit.cli._letters import LETTERS, OWNER, RECEIPTS, Letter
from imapkit.cli._post import Post
from imapkit.cli.corpus import Message, corpus

pytestmark = pytest.mark.heavy

FLAGS = {r"\Seen", r"\Answered", r"\Flagged", r"\Deleted", r"\Draft"}
BYTES = 10**6


@pytest.fixture(scope="module")
def mailboxes() -> dict[str, list[Message]]:
    return corpus()


@pytest.fixture(scope="module")
def mails(mailboxes: dict[str, list[Message]]) -> dict[str, list[EmailMessage]]:
    """The same, parsed."""
    return {name: [parse(message) for message in messages] for name, messages in mailboxes.items()}


def parse(message: Message) -> EmailMessage:
    mail = message_from_bytes(message.content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def everything(mailboxes: dict[str, list[Message]]) -> list[Message]:
    return [message for messages in mailboxes.values() for message in messages]


def parts(mails: dict[str, list[EmailMessage]]) -> Iterator[EmailMessage]:
    for mail in (mail for box in mails.values() for mail in box):
        for part in mail.walk():
            assert isinstance(part, EmailMessage)
            yield part


def attached(mails: dict[str, list[EmailMessage]], suffix: str) -> dict[str, bytes]:
    """The files of a kind, each under its name and number."""
    named = [part for part in parts(mails) if (part.get_filename() or "").endswith(suffix)]
    return {f"{number} {part.get_filename()}": part.get_payload(decode=True) for number, part in enumerate(named)}  # type: ignore[misc]


def test_the_same_seed_gives_the_same_mail(mailboxes: dict[str, list[Message]]) -> None:
    assert corpus() == mailboxes


def test_another_seed_gives_other_mail() -> None:
    def first(seed: int) -> bytes:
        post = Post(seed)
        mail = post.write(OWNER, OWNER, "Note", "Milk.\n", datetime(2026, 1, 5, tzinfo=UTC))
        post.attach(mail, "picture.png")
        return post.send(mail).content

    assert first(1) == first(1) != first(2)


def test_number_of_mailboxes_and_messages(mailboxes: dict[str, list[Message]]) -> None:
    assert set(mailboxes) >= {"INBOX", "Sent", "Drafts", "Archive/2026", "Reçus", "Lists/imap"}
    assert min(map(len, mailboxes.values())) >= 5
    sizes = sorted(len(message.content) for message in everything(mailboxes))
    assert 110 <= len(sizes) <= 135
    assert 15 * BYTES <= sum(sizes) <= 25 * BYTES
    assert sizes[0] < 1100
    assert 1.4 * BYTES < sizes[-1] < 1.7 * BYTES


def test_every_message_is_complete_and_has_crlf_line_ends(mailboxes: dict[str, list[Message]]) -> None:
    for content, _, _ in everything(mailboxes):
        assert content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")
        assert content.endswith(b"\r\n")
        assert content.partition(b"\r\n\r\n")[0].isascii()
        assert max(map(len, content.split(b"\r\n"))) <= 998


def test_the_mime_has_no_defects(mails: dict[str, list[EmailMessage]]) -> None:
    defects = [(part.get_content_type(), part.defects) for part in parts(mails) if part.defects]
    defects += [(str(header), header.defects) for part in parts(mails) for header in part.values() if header.defects]
    assert defects == []


def test_many_kinds_of_parts_occur(mails: dict[str, list[EmailMessage]]) -> None:
    assert {part.get_content_type() for part in parts(mails)} >= {
        "text/plain", "text/html", "text/csv", "text/calendar", "text/x-diff", "text/rfc822-headers",
        "multipart/mixed", "multipart/alternative", "multipart/related", "multipart/report",
        "application/pdf", "application/zip", "image/png", "message/rfc822", "message/delivery-status",
    }  # fmt: skip
    encodings = {str(part["Content-Transfer-Encoding"]) for part in parts(mails)}
    assert encodings >= {"7bit", "8bit", "base64", "quoted-printable"}


@pytest.mark.parametrize("letter", LETTERS, ids=[letter.filename for letter in LETTERS])
def test_a_foreign_letter_survives_the_encoding(mails: dict[str, list[EmailMessage]], letter: Letter) -> None:
    (mail,) = (mail for mail in mails["INBOX"] if mail["Subject"] == letter.subject)
    body = mail.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    assert body.get_content_charset() == letter.charset
    assert body.get_content().splitlines() == letter.text.splitlines()
    assert mail["From"].addresses[0].display_name == letter.sender.name
    assert [part.get_filename() for part in mail.iter_attachments()] == [letter.filename]


def test_the_receipts_have_their_invoices(mails: dict[str, list[EmailMessage]]) -> None:
    names = sorted(part.get_filename() or "" for mail in mails["Reçus"] for part in mail.iter_attachments())
    assert names == sorted(receipt.filename for receipt in RECEIPTS * 2)


def test_the_bounce_is_a_report(mails: dict[str, list[EmailMessage]]) -> None:
    (report,) = (part for part in parts(mails) if part.get_content_type() == "multipart/report")
    assert report.get_param("report-type") == "delivery-status"
    types = [part.get_content_type() for part in report.iter_parts()]
    assert types == ["text/plain", "message/delivery-status", "text/rfc822-headers"]


def test_replies_follow_their_originals(mails: dict[str, list[EmailMessage]]) -> None:
    known = {mail["Message-ID"]: mail for box in mails.values() for mail in box}
    assert len(known) == sum(map(len, mails.values()))
    answers = [mail for mail in known.values() if mail["In-Reply-To"]]
    assert len(answers) > 50
    for mail in answers:
        asked = known[mail["In-Reply-To"]]
        references = str(mail["References"]).split()
        assert references == [*str(asked["References"] or "").split(), asked["Message-ID"]]
        assert mail["Subject"] == f"Re: {asked['Subject'].removeprefix('Re: ')}"
        assert mail["Date"].datetime > asked["Date"].datetime


def test_sent_mail_is_the_owners(mails: dict[str, list[EmailMessage]]) -> None:
    for name in ("Sent", "Drafts"):
        assert {mail["From"].addresses[0].addr_spec for mail in mails[name]} == {OWNER.address}
    assert OWNER.address not in {mail["From"].addresses[0].addr_spec for mail in mails["INBOX"]}


def test_flags_are_standard(mailboxes: dict[str, list[Message]]) -> None:
    assert {flag for message in everything(mailboxes) for flag in message.flags.split()} == FLAGS
    assert {message.flags for message in mailboxes["Drafts"]} == {r"\Draft \Seen"}
    assert "" in {message.flags for message in mailboxes["INBOX"]}


def test_internal_dates_follow_the_mail(mailboxes: dict[str, list[Message]], mails: dict[str, list[EmailMessage]]) -> None:
    for name, messages in mailboxes.items():
        dates = [message.date for message in messages]
        assert dates == sorted(dates)
        lags = [date - mail["Date"].datetime for date, mail in zip(dates, mails[name], strict=True)]
        assert all(timedelta(0) < lag < timedelta(seconds=90) for lag in lags)
    assert len({message.date.utcoffset() for message in everything(mailboxes)}) > 6


def test_the_zip_files_can_be_unpacked(mails: dict[str, list[EmailMessage]]) -> None:
    archives = attached(mails, ".zip")
    assert archives
    for content in archives.values():
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            assert bundle.testzip() is None
            assert bundle.namelist() == ["README.txt", "data/orders.csv", "plan.png"]


def test_the_tables_have_full_rows(mails: dict[str, list[EmailMessage]]) -> None:
    tables = attached(mails, ".csv")
    assert tables
    for content in tables.values():
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
        assert rows[0] == ["number", "date", "item", "quantity", "price"]
        assert [int(row[0]) for row in rows[1:]] == list(range(len(rows) - 1))
        assert {len(row) for row in rows} == {5}


def test_the_pictures_hold_their_pixels(mails: dict[str, list[EmailMessage]]) -> None:
    pictures = attached(mails, ".png")
    assert pictures
    for content in pictures.values():
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        chunks = dict(png_chunks(content[8:]))
        width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
        assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)
        assert list(chunks)[-1] == b"IEND"


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    while data:
        (length,) = struct.unpack(">I", data[:4])
        name, body, checksum = data[4:8], data[8 : 8 + length], data[8 + length : 12 + length]
        assert struct.pack(">I", zlib.crc32(name + body)) == checksum
        yield name, body
        data = data[12 + length :]


def test_the_cross_references_of_the_pdf_files_are_right(mails: dict[str, list[EmailMessage]]) -> None:
    documents = attached(mails, ".pdf")
    assert documents
    for content in documents.values():
        start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
        table = content[start:].split(b"\n")
        assert table[:2] == [b"xref", b"0 7"]
        offsets = [int(line.split()[0]) for line in table[3:9]]
        assert [content[offset : offset + 7] for offset in offsets] == [b"%d 0 obj" % n for n in range(1, 7)]
