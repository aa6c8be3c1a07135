"""The demo against a server of the user's: it only reads (EXAMINE, STATUS, SEARCH, BODY.PEEK)."""

from __future__ import annotations

from collections.abc import Sequence
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header

import imapkit
from imapkit.cli._ask import THREADS, Findings, by_callbacks, content, in_threads, numbers, parsed
from imapkit.cli.demo_speed import Ways, compare
from imapkit.cli.screen import Screen

__all__ = ["look_around"]

MAILBOXES = 30
"""The demo asks for the STATUS of this many mailboxes at most."""
MESSAGES = 100
"""The demo fetches the headers of this many messages at most."""
COMPARED = 40
SHOWN = 12
WIDEST = 60
STATUS = "(MESSAGES UNSEEN)"
HEADERS = "BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)]"
NOT_SELECTABLE = frozenset(("\\noselect", "\\nonexistent"))
SEARCHES = ("UNSEEN", "FLAGGED", "SINCE 1-Jan-2026", "LARGER 100000")


def look_around(imap: imapkit.IMAP4, screen: Screen, findings: Findings, user: str, password: str) -> None:
    """Log in, list and count mailboxes, search, and fetch the newest messages' headers."""
    screen.step("Connect and log in")
    screen.say(f"Connected to {imap.host}, port {imap.port}: {_readable(imap.welcome)}")
    if imap.state == "NONAUTH":
        screen.say(f"LOGIN: {imap.login(user, password)[0]}")
    screen.say(f"State {imap.state}; {imap.PROTOCOL_VERSION}; capabilities: {' '.join(imap.capabilities)}")
    _mailboxes(imap, screen)
    screen.step("EXAMINE INBOX, and SEARCH in it")
    exists = parsed(imap.examine("INBOX"))[-1]
    findings.check("INBOX was opened for reading only", imap.is_readonly, True)
    found = [(criteria, len(numbers(imap.search(None, criteria)))) for criteria in SEARCHES]
    screen.table(("Criteria", ">found"), [("(all)", exists), *found])
    if exists:
        newest = range(max(1, exists - MESSAGES + 1), exists + 1)
        _headers(imap, screen, newest)
        screen.step("The same FETCHes over this link: one command at a time, or many")
        compare(screen, findings, _ways(imap, newest[-COMPARED:]))


def _ways(imap: imapkit.IMAP4, messages: Sequence[int]) -> Ways:
    return {
        "one at a time": lambda: [content(imap.fetch(message, HEADERS)) for message in messages],
        f"from {THREADS} threads": lambda: in_threads(lambda message: content(imap.fetch(message, HEADERS)), messages),
        "with callbacks": lambda: list(map(content, by_callbacks(imap.fetch, messages, HEADERS))),
    }


def _mailboxes(imap: imapkit.IMAP4, screen: Screen) -> None:
    screen.step(f"LIST the mailboxes, and STATUS of at most {MAILBOXES} of them, from {THREADS} threads")
    listed = parsed(imap.list())
    names = [entry.mailbox for entry in listed if not NOT_SELECTABLE & {word.lower() for word in entry.attributes}]
    rows = in_threads(lambda name: _status(imap, name), names[:MAILBOXES])
    screen.table(("Mailbox", ">messages", ">unseen", ""), rows)
    screen.say(f"{len(listed)} mailboxes in all.")


def _status(imap: imapkit.IMAP4, name: str) -> tuple[object, ...]:
    """A row on one mailbox, with the error if it cannot be read or was deleted meanwhile."""
    try:
        typ, data = imap.status(name, STATUS)
    except (imapkit.BadResponse, imapkit.ArgumentError) as exc:  # ... or its name is invalid
        return name, "", "", str(exc)
    if typ != "OK":
        return name, "", "", f"{typ} {_readable(data[0])}"
    items = {key: value for response in parsed((typ, data)) for key, value in response.items.items()}
    return name, items.get("MESSAGES", ""), items.get("UNSEEN", ""), ""


def _headers(imap: imapkit.IMAP4, screen: Screen, newest: Sequence[int]) -> None:
    screen.step(f"FETCH the headers of the newest {len(newest)} messages from {THREADS} threads")
    with screen.progress("FETCH", len(newest), "messages") as advance:

        def fetch(number: int) -> bytes:
            header = content(imap.fetch(number, HEADERS))
            advance(1)
            return header

        headers = in_threads(fetch, newest)
    rows = [(number, *_fields(header)) for number, header in zip(newest, headers, strict=True)]
    screen.table((">No.", "Date", "From", "Subject"), rows[-SHOWN:])


def _fields(header: bytes) -> tuple[str, ...]:
    """Date, sender and subject, as far as they can be read: real mail can be malformed."""
    mail = message_from_bytes(header)
    return tuple(_decoded(mail[name]) for name in ("Date", "From", "Subject"))


def _decoded(value: object) -> str:
    if value is None:
        return ""
    try:
        return str(make_header(decode_header(str(value))))[:WIDEST]
    except (LookupError, ValueError, MessageError):  # an unknown charset, or a wrong one
        return str(value)[:WIDEST]


def _readable(sent: bytes) -> str:
    return sent.decode("utf-8", "backslashreplace").strip()
