"""Writes the sample mail: from a person's text to the bytes that a server stores."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from itertools import count, cycle
from typing import NamedTuple

from imapkit.cli import _attachments
from imapkit.cli._letters import Person

POLICY = policy.SMTP  # CRLF, and headers encoded by RFC 2047
KILOBYTES = (120, 12, 250, 90, 1, 230, 1080, 40, 100, 260, 5)
MONTHS = ("Jan", "Feb", "Mar", "Apr")
PROGRAMS = ("Mutt/2.2.12", "Mozilla Thunderbird", "K-9 Mail for Android", "Apple Mail (2.3774)", "Evolution 3.50.2")
KINDS: dict[str, tuple[str, str, Callable[[random.Random, int], bytes]]] = {
    "csv": ("text", "csv", _attachments.csv),
    "pdf": ("application", "pdf", lambda rng, size: _attachments.pdf(rng, size, "For the files")),
    "png": ("image", "png", _attachments.png),
    "zip": ("application", "zip", _attachments.archive),
}


class Message(NamedTuple):
    """One message to append: the whole RFC 5322 text with CRLF line ends, flags, and an aware internal date.

    ``flags`` is a flag list without its parentheses, such as ``\\Seen \\Flagged``, or empty.
    """

    content: bytes
    flags: str
    date: datetime


class Post:
    """Writes and sends messages; all random values in them depend on ``seed``."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._numbers = count(1)
        self._kilobytes = cycle(KILOBYTES)

    def write(self, sender: Person, to: Person, subject: str, text: str, when: datetime, charset: str = "utf-8") -> EmailMessage:
        """Return a new message in plain text; ``when`` is moved into the sender's time zone."""
        mail = EmailMessage(policy=POLICY)
        date = when.astimezone(timezone(timedelta(minutes=sender.zone)))
        mail["Received"] = self._received(sender, to, date)
        mail["From"] = Address(sender.name, addr_spec=sender.address)
        mail["To"] = Address(to.name, addr_spec=to.address)
        mail["Subject"] = subject
        mail["Date"] = date
        mail["Message-ID"] = f"<{next(self._numbers):04d}.{self.rng.getrandbits(64):016x}@{domain(sender)}>"
        mail["User-Agent"] = self.rng.choice(PROGRAMS)
        mail.set_content(text, charset=charset)
        return mail

    def attach(self, mail: EmailMessage, filename: str) -> None:
        """Add a file of the kind that its suffix names; the sizes cycle from 1 KB to 1.1 MB."""
        maintype, subtype, make = KINDS[filename.rpartition(".")[2]]
        content, charset = make(self.rng, next(self._kilobytes) * 1024), {"charset": "utf-8"}
        params = charset if maintype == "text" else None
        mail.add_attachment(content, maintype=maintype, subtype=subtype, filename=filename, params=params)

    def send(self, mail: EmailMessage, flags: str = "") -> Message:
        """The message as the server stores it, with an arrival some seconds after its date."""
        for part in mail.walk():
            if part.get_content_maintype() == "multipart":
                part.set_boundary(f"=_{self.rng.getrandbits(96):024x}")  # the library's own would differ at each run
        arrival = mail["Date"].datetime + timedelta(seconds=self.rng.randrange(1, 90))
        return Message(mail.as_bytes(), flags, arrival)

    def _received(self, sender: Person, to: Person, date: datetime) -> str:
        relay = f"mail.{domain(sender)} (mail.{domain(sender)} [192.0.2.{self.rng.randrange(1, 255)}])"
        stamp = f"{date:%d} {MONTHS[date.month - 1]} {date:%Y %H:%M:%S %z}"
        return f"from {relay} by mx.{domain(to)} with ESMTPS id {self.rng.getrandbits(48):012X}; {stamp}"


def domain(person: Person) -> str:
    """The part of a person's address after the "@"."""
    return person.address.rpartition("@")[2]


def answer(mail: EmailMessage, to: EmailMessage) -> None:
    """Make a message a reply to another: In-Reply-To and References (RFC 5322 section 3.6.4)."""
    mail["In-Reply-To"] = to["Message-ID"]
    mail["References"] = f"{to['References'] or ''} {to['Message-ID']}".strip()
