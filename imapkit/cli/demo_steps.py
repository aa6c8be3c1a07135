"""The steps of the whole demo, in order over one connection; every answer is checked against the sample mail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from email import message_from_bytes, policy

import imapkit
from imapkit.cli._ask import THREADS, Findings, fetched, in_threads, numbers, parsed, threads_since
from imapkit.cli.corpus import Message
from imapkit.cli.demo_changes import change
from imapkit.cli.demo_speed import compare
from imapkit.cli.screen import Screen, size

__all__ = ["Tour"]

EVERYTHING = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"
STATUS = "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"
RECENT = rb"\Recent"
BIG = 50_000
SINCE = date(2026, 3, 10)

Mail = Mapping[str, Sequence[Message]]


class Tour:
    """The demo's steps, with their connection, the mail that the server should have, the screen, and the findings."""

    def __init__(self, imap: imapkit.IMAP4, screen: Screen, mail: Mail, findings: Findings) -> None:
        self._imap, self._screen, self._mail, self._findings = imap, screen, mail, findings

    def run(self, user: str, password: str) -> None:
        """All steps over a fast link."""
        self._log_in(user, password)
        self._list()
        self._fetch_all()
        self._search()
        change(self._imap, self._screen, self._findings, self._mail["INBOX"])

    def compare(self, round_trip: float) -> None:
        """Compare parallel commands with one at a time, over a slow link."""
        name = "INBOX"
        self._imap.select(name)
        expected = [message.content for message in self._mail[name]]
        self._screen.step(f"The same over a link of {round_trip * 1000:.0f} ms: one command at a time, or many")
        compare(self._imap, self._screen, self._findings, range(1, len(expected) + 1), "BODY.PEEK[]", expected)

    def end(self, foreign: Collection[threading.Thread]) -> None:
        """Log out; ``foreign`` are the threads that are not the client's."""
        self._screen.step("Log out")
        typ, data = self._imap.logout()
        left = threads_since(foreign)
        self._findings.check("LOGOUT", typ, "BYE")
        self._findings.check("the client's threads after LOGOUT", left, [])
        self._screen.say(f"LOGOUT: {typ} {_readable(data[0])} The client has {len(left)} threads left.")

    def _log_in(self, user: str, password: str) -> None:
        imap, screen = self._imap, self._screen
        screen.step("Connect and log in")
        screen.say(f"Connected to {imap.host}, port {imap.port}: {_readable(imap.welcome)}")
        typ, data = imap.login(user, password)
        screen.say(f"LOGIN: {typ} {_readable(data[0])}")
        screen.say(f"State {imap.state}; {imap.PROTOCOL_VERSION}; capabilities: {' '.join(imap.capabilities)}")
        self._findings.check("state after LOGIN", imap.state, "AUTH")

    def _list(self) -> None:
        self._screen.step(f"LIST the mailboxes, and STATUS of each, from {THREADS} threads")
        listed = [entry for entry in parsed(self._imap.list()) if r"\Noselect" not in entry.attributes]
        self._findings.check("mailboxes", {entry.mailbox for entry in listed}, {"INBOX", *self._mail})
        states = in_threads(lambda entry: parsed(self._imap.status(entry.mailbox, STATUS)), listed)
        rows = []
        for entry, (status,) in zip(listed, states, strict=True):
            counts, messages = status.items, self._mail.get(entry.mailbox, ())
            unseen = sum(r"\Seen" not in message.flags for message in messages)
            self._findings.check(f"STATUS of {entry.mailbox}", (status.mailbox, counts["MESSAGES"], counts["UNSEEN"]),
                                 (entry.mailbox, len(messages), unseen))  # fmt: skip
            rows.append((entry.mailbox, _readable(entry.name), *counts.values()))
        self._screen.table(("Mailbox", "on the wire", *(f">{name}" for name in states[0][0].items)), rows)

    def _fetch_all(self) -> None:
        everything = sum(len(message.content) for messages in self._mail.values() for message in messages)
        self._screen.step(f"FETCH everything from {THREADS} threads over one connection")
        rows = []
        with self._screen.progress("FETCH", everything) as advance:
            for name, messages in self._mail.items():
                started = time.perf_counter()
                same = self._fetch_mailbox(name, messages, advance)
                seconds = time.perf_counter() - started
                total = sum(len(message.content) for message in messages)
                rows.append((name, len(messages), size(total), f"{seconds:.2f}", f"{same} of {len(messages)}"))
        self._screen.table(("Mailbox", ">messages", ">size", ">seconds", ">identical"), rows)

    def _fetch_mailbox(self, name: str, messages: Sequence[Message], advance: Callable[[int], None]) -> int:
        """Fetch each message of a mailbox; return how many are byte for byte what was delivered."""
        exists = parsed(self._imap.select(name))[-1]
        self._findings.check(f"EXISTS of {name}", exists, len(messages))

        def fetch(number: int) -> tuple[bytes, int, set[bytes], object]:
            items = fetched(self._imap.fetch(number, EVERYTHING))
            advance(len(items["BODY[]"]))
            return items["BODY[]"], items["RFC822.SIZE"], set(items["FLAGS"]) - {RECENT}, items["INTERNALDATE"]

        found = in_threads(fetch, range(1, exists + 1))
        expected = [(m.content, len(m.content), set(m.flags.encode().split()), m.date) for m in messages]
        pairs = zip(found, expected, strict=False)
        return sum(self._findings.check(f"message {at} of {name}", *pair) for at, pair in enumerate(pairs, 1))

    def _search(self) -> None:
        self._screen.step("SEARCH in INBOX")
        self._imap.select("INBOX")
        rows = []
        for criteria, wanted in SEARCHES:
            started = time.perf_counter()
            found = numbers(self._imap.search(None, *criteria))
            seconds = time.perf_counter() - started
            expected = [number for number, message in enumerate(self._mail["INBOX"], 1) if wanted(message)]
            fits = self._findings.check(f"SEARCH {' '.join(criteria)}", found, expected)
            rows.append((" ".join(criteria), len(found), f"{seconds * 1000:.1f}", "yes" if fits else "NO"))
        self._screen.table(("Criteria", ">found", ">ms", "as expected"), rows)


def _header(name: str, text: str) -> Callable[[Message], bool]:
    """Whether a decoded header contains a text."""

    def contains(message: Message) -> bool:
        mail = message_from_bytes(message.content, policy=policy.default)
        return any(text.casefold() in str(value).casefold() for value in mail.get_all(name, []))

    return contains


SEARCHES: Sequence[tuple[tuple[str, ...], Callable[[Message], bool]]] = (
    (("UNSEEN",), lambda message: r"\Seen" not in message.flags),
    (("OR FLAGGED DELETED",), lambda message: r"\Flagged" in message.flags or r"\Deleted" in message.flags),
    (("LARGER", str(BIG)), lambda message: len(message.content) > BIG),
    ((f"SINCE {SINCE:%d-%b-%Y} SEEN",), lambda message: message.date.date() >= SINCE and r"\Seen" in message.flags),
    (("FROM", "example.org", "NOT", "ANSWERED"),
     lambda message: _header("From", "example.org")(message) and r"\Answered" not in message.flags),
    (("SUBJECT", "re:"), _header("Subject", "re:")),
    (("SUBJECT", "Frühling"), _header("Subject", "Frühling")),
    (("SUBJECT", "décalée"), _header("Subject", "décalée")),
    (("SUBJECT", "打ち合わせ"), _header("Subject", "打ち合わせ")),
)  # fmt: skip


def _readable(sent: bytes) -> str:
    return sent.decode("utf-8", "backslashreplace").strip()
