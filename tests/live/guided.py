"""The examples of README.md and docs/guide.md: where they are, the mail that they find, and the servers that they talk to.

An example is a block that begins with "```python task". It finds ``account``, ``client`` and ``inbox``, as the page says; with
``await`` in it the latter two are those of asyncio. The block "```python imports" of the page stands before each.
"""

from __future__ import annotations

import io
import re
import ssl
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from imapkit import Account, Client, Password, q
from tests.live.support import SECONDS
from tests.servers.base import Server

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "guide.md", ROOT / "docs" / "coming-from.md"]
_BLOCK = re.compile(r"^```python (task|imports)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_NEEDS = re.compile(r"Capability: ((?:[A-Z0-9=-]+(?: or )?)+)")
_SAID = re.compile(r"print\(.*\)  # (.*)$", re.MULTILINE)

USER, OTHER = "u15", "u16"
"""Users whose mail no other test looks at; the pages call them ada and bob."""
HOST = "imap.example.org"
MAILBOXES = ("Archive", "Drafts", "Sent", "Trash", "Junk", "Lists/python")
_NAME = re.compile(r'"((?:Archive|Entwürfe|Lists|Projects|Sent)(?:/[^"]*)?)"')


@dataclass(frozen=True)
class Example:
    """A block of a page: the line it begins at, its code, and what the server must announce: one name of each tuple."""

    page: Path
    line: int
    heading: str
    code: str
    needs: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def said(self) -> list[str]:
        """What the block prints, by its comments."""
        return _SAID.findall(self.code)

    def imports(self) -> str:
        """The block of imports of its page."""
        text = self.page.read_text(encoding="utf-8")
        return "".join(found[2] for found in _BLOCK.finditer(text) if found[1] == "imports")

    def program(self, server: Server) -> str:
        """The code with the names that things have at that server; its lines are the page's own."""
        code = _NAME.sub(lambda found: repr(here(server, found[1])), self.code)
        for user, shown in ((USER, '"ada", "secret"'), (OTHER, '"bob", "secret"')):
            code = code.replace(shown, f"{user!r}, {server.users[user]!r}")
        return "\n" * (self.line - 1) + code


def examples() -> Iterator[Example]:
    """Those of all pages, in order."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        headings = [(found.start(), found[1]) for found in _HEADING.finditer(text)]
        for found in _BLOCK.finditer(text):
            if found[1] == "task":
                start, heading = [each for each in headings if each[0] < found.start()][-1]
                needs = [tuple(each.split(" or ")) for each in _NEEDS.findall(text[start : found.start()])]
                yield Example(page, text.count("\n", 0, found.start(2)) + 1, heading, found[2], tuple(needs))


def here(server: Server, name: str) -> str:
    """The name that a mailbox of the pages has at this server."""
    return server.personal + name.replace("/", server.separator)


def account(server: Server, user: str = USER) -> Account:
    """The account of a user at the plain port."""
    return Account(server.host, Password(user, server.users[user]), port=server.port, tls="none", timeout=SECONDS)


@contextmanager
def arriving(server: Server) -> Iterator[None]:
    """Have mail come, again and again, until the end of the ``with`` block."""
    ended = threading.Event()

    def deliver() -> None:
        with account(server).connect() as client:
            while not ended.wait(0.2):
                client.append("INBOX", b"Subject: new\r\n\r\nhello\r\n")

    with ThreadPoolExecutor(1) as pool:
        delivered = pool.submit(deliver)
        try:
            yield
        finally:
            ended.set()
        delivered.result(SECONDS)


def redirect(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the host of the pages be that server; without TLS if the server has none."""
    original = Account.__init__

    def redirected(self: Account, host: str, auth: Any, **options: Any) -> None:
        if host == HOST:
            host, tls = server.host, options.get("tls", "implicit") if server.tls_port else "none"
            options |= {"tls": tls, "port": server.tls_port if tls == "implicit" else server.port}
            trusted = None if tls == "none" else ssl.create_default_context(cafile=server.cafile)
            options["ssl_context"] = trusted and (options.get("ssl_context") or trusted)
        original(self, host, auth, **options)

    monkeypatch.setattr(Account, "__init__", redirected)


# The mail


def letter(number: int, day: datetime, sender: str, subject: str, text: str, **more: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "me@example.org", subject
    message["Date"], message["Message-ID"] = day, f"<{number}@example.org>"
    for name, value in more.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def _archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("notes.txt", "hello")
        made.writestr("plan.txt", "later")
    return file.getvalue()


def _with_pictures(number: int, day: datetime) -> EmailMessage:
    message = letter(number, day, "Bob <bob@example.org>", "Holiday pictures", "Two files.\n")
    message.add_alternative("<p>Two files.</p>\n", subtype="html")
    message.add_attachment(bytes(range(256)) * 400, "image", "jpeg", filename="beach.jpg")
    message.add_attachment(_archive(), "application", "zip", filename="notes.zip")
    return message


ADA = "Ada Lovelace <ada@example.com>"
INVOICE, NEWS, LATER = (
    datetime(2024, 3, 5, 12, tzinfo=UTC),
    datetime(2025, 1, 10, 12, tzinfo=UTC),
    datetime(2026, 2, 1, 12, tzinfo=UTC),
)
ANSWER = {"In_Reply_To": "<1@example.org>", "References": "<1@example.org>"}


def _days(*mails: tuple[int, EmailMessage, list[str]]) -> list[tuple[EmailMessage, list[str], datetime]]:
    for day, message, _ in mails:
        message.replace_header("Date", LATER.replace(day=day))
    return [(message, flags, LATER.replace(day=day)) for day, message, flags in mails]


INBOX = [
    (letter(1, INVOICE, ADA, "Invoice 17", "To pay: 17.\n"), ["\\Seen"], INVOICE),
    (letter(2, NEWS, "News <news@example.com>", "Weekly news", "News.\n"), ["\\Seen"], NEWS),
    *_days(
        (1, letter(3, LATER, ADA, "Grüße aus London", "Viele Grüße\n"), []),
        (2, _with_pictures(4, LATER), []),
        (3, letter(5, LATER, "me@example.org", "Re: Invoice 17", "Paid.\n", **ANSWER), ["\\Seen", "\\Flagged"]),
        (4, letter(6, LATER, "list@example.net", "PEP 999", "Abstract\n", List_Id="<python.example.net>"), []),
    ),
]
Mail = tuple[EmailMessage, list[str], datetime]
TRASHED: list[Mail] = [
    (letter(7, INVOICE, ADA, "Old", "Old.\n"), [], INVOICE),
    (letter(8, LATER, ADA, "Junk", "Junk.\n"), [], LATER),
]


def deliver(client: Client, mailbox: str, mails: list[tuple[EmailMessage, list[str], datetime]]) -> None:
    """Put messages into a mailbox."""
    futures = [
        client.nowait.append(mailbox, message.as_bytes(policy=SMTP), flags=flags, date=date) for message, flags, date in mails
    ]
    for future in futures:
        future.result(SECONDS)


def clear(client: Client, keep: set[str]) -> set[str]:
    """Remove all mail of the user, and all mailboxes but these. (Courier takes two seconds to delete one.) Returns those kept."""
    kept = set()
    for box in client.mailboxes(subscribed=True):
        client.unsubscribe(box.name)
    for box in sorted(client.mailboxes(status=["MESSAGES"]), key=lambda box: len(box.mailbox), reverse=True):
        if box.mailbox.upper() != "INBOX" and box.mailbox not in keep:
            above = any(name.startswith(box.mailbox) for name in keep)
            if box.is_selectable and not above and not box.mailbox.startswith(("shared", "user", "#")):
                client.delete_mailbox(box.name)
        else:
            kept.add(box.mailbox)
            if box.status is not None and box.status.messages:
                empty(client, box.name)
    return kept


def empty(client: Client, name: str | bytes) -> None:
    r"""Delete all mail of a mailbox, by \Deleted and CLOSE: nobody else has it."""
    with client.select(name) as box:
        box.add_flags(q.all_, "\\Deleted")
        client.raw.close()


def prepare(server: Server) -> None:
    """The users' mailboxes as the examples find them."""
    boxes = [here(server, name) for name in MAILBOXES]
    with account(server, OTHER).connect() as client:
        clear(client, {here(server, "Trash")})
    with account(server).connect() as client:
        kept = clear(client, set(boxes))
        for name in boxes:
            if name not in kept:
                client.create(name)
        deliver(client, "INBOX", INBOX)
        deliver(client, here(server, "Trash"), TRASHED)
        deliver(client, here(server, "Archive"), INBOX[:1])
