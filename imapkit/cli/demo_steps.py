"""The steps of the whole demo, in order over one connection; every answer is checked against the sample mail."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from email import message_from_bytes, policy

from imapkit import DATE, FLAGS, SIZE, Client, SearchKey, q, section
from imapkit.cli._ask import Findings, threads_since
from imapkit.cli.corpus import Message
from imapkit.cli.demo_changes import change
from imapkit.cli.demo_speed import compare
from imapkit.cli.screen import Screen, size

__all__ = ["Tour"]

CONTENT = section("")
STATUS = ("MESSAGES", "UNSEEN", "UIDNEXT", "UIDVALIDITY")
BIG = 50_000
SINCE = date(2026, 3, 10)

Mail = Mapping[str, Sequence[Message]]


class Tour:
    """The demo's steps, with their connection, the mail that the server should have, the screen, and the findings."""

    def __init__(self, client: Client, screen: Screen, mail: Mail, findings: Findings) -> None:
        self._client, self._screen, self._mail, self._findings = client, screen, mail, findings

    def run(self) -> None:
        """All steps over a fast link."""
        self._screen.say(f"{self._client!r}; capabilities: {' '.join(sorted(self._client.capabilities))}")
        self._list()
        self._fetch_all()
        self._search()
        change(self._client, self._screen, self._findings, self._mail["INBOX"])

    def compare(self, round_trip: float) -> None:
        """Compare a call at a time with futures, and with tasks of asyncio, over a slow link."""
        expected = [message.content for message in self._mail["INBOX"]]
        self._screen.step(f"The same over a link of {round_trip * 1000:.0f} ms: one call at a time, futures, asyncio")
        with self._client.select("INBOX") as box:
            uids = box.search()
        ways = {
            "one at a time": lambda: self._one_at_a_time(uids),
            "futures": lambda: self._futures(uids),
            "asyncio": lambda: asyncio.run(self._tasks(uids)),
        }
        compare(self._screen, self._findings, ways, expected)

    def _one_at_a_time(self, uids: Collection[int]) -> list[bytes]:
        with self._client.select("INBOX") as box:
            return [box.read_bytes(uid) for uid in uids]

    def _futures(self, uids: Collection[int]) -> list[bytes]:
        with self._client.select("INBOX") as box:
            futures = [box.nowait.read_bytes(uid) for uid in uids]
            return [future.result() for future in futures]

    async def _tasks(self, uids: Collection[int]) -> list[bytes]:
        async with self._client.asynchronous.select("INBOX") as box:
            return await asyncio.gather(*(box.read_bytes(uid) for uid in uids))

    def end(self, foreign: Collection[threading.Thread]) -> None:
        """Log out; ``foreign`` are the threads that are not the client's."""
        self._screen.step("Log out")
        self._client.close()
        left = threads_since(foreign)
        self._findings.check("the client's threads after LOGOUT", left, [])
        self._screen.say(f"{self._client!r} The client has {len(left)} threads left.")

    def _list(self) -> None:
        self._screen.step("The mailboxes with their status, in one call")
        listed = [entry for entry in self._client.mailboxes(status=STATUS) if entry.is_selectable]
        self._findings.check("mailboxes", {entry.mailbox for entry in listed}, {"INBOX", *self._mail})
        rows = []
        for entry in listed:
            counts = entry.status.items if entry.status is not None else {}
            messages = self._mail.get(entry.mailbox, ())
            unseen = sum(r"\Seen" not in message.flags for message in messages)
            found = (counts.get("MESSAGES"), counts.get("UNSEEN"))
            self._findings.check(f"STATUS of {entry.mailbox}", found, (len(messages), unseen))
            wire = entry.name.decode("utf-8", "backslashreplace")
            rows.append((entry.mailbox, wire, *(counts.get(item, "") for item in STATUS)))
        self._screen.table(("Mailbox", "on the wire", *(f">{name}" for name in STATUS)), rows)

    def _fetch_all(self) -> None:
        everything = sum(len(message.content) for messages in self._mail.values() for message in messages)
        self._screen.step("Fetch every message, with flags, size and date")
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
        """Fetch the messages of a mailbox; return how many are byte for byte what was delivered."""
        found = []
        with self._client.select(name) as box:
            self._findings.check(f"EXISTS of {name}", box.exists, len(messages))
            for message in box.fetch(box.search(), CONTENT, SIZE, FLAGS, DATE):
                advance(len(message[CONTENT]))
                found.append((message[CONTENT], message.size, set(message.flags) - {r"\Recent"}, message.date))
        expected = [(m.content, len(m.content), set(m.flags.split()), m.date) for m in messages]
        pairs = zip(found, expected, strict=False)
        return sum(self._findings.check(f"message {at} of {name}", *pair) for at, pair in enumerate(pairs, 1))

    def _search(self) -> None:
        self._screen.step("Search in INBOX")
        rows = []
        with self._client.select("INBOX") as box:
            numbers = {uid: number for number, uid in enumerate(box.search(), 1)}
            for key, wanted in SEARCHES:
                started = time.perf_counter()
                found = [numbers[uid] for uid in box.search(key)]
                seconds = time.perf_counter() - started
                expected = [number for number, message in enumerate(self._mail["INBOX"], 1) if wanted(message)]
                fits = self._findings.check(f"SEARCH {_shown(key)}", found, expected)
                rows.append((_shown(key), len(found), f"{seconds * 1000:.1f}", "yes" if fits else "NO"))
        self._screen.table(("Key", ">found", ">ms", "as expected"), rows)


def _shown(key: SearchKey) -> str:
    """A key as it is sent."""
    return repr(key).removeprefix("<SearchKey ").removesuffix(">")


def _header(name: str, text: str) -> Callable[[Message], bool]:
    """Whether a decoded header contains a text."""

    def contains(message: Message) -> bool:
        mail = message_from_bytes(message.content, policy=policy.default)
        return any(text.casefold() in str(value).casefold() for value in mail.get_all(name, []))

    return contains


SEARCHES: Sequence[tuple[SearchKey, Callable[[Message], bool]]] = (
    (q.unseen, lambda message: r"\Seen" not in message.flags),
    (q.flagged | q.deleted, lambda message: r"\Flagged" in message.flags or r"\Deleted" in message.flags),
    (q.larger(BIG), lambda message: len(message.content) > BIG),
    (q.since(SINCE) & q.seen, lambda message: message.date.date() >= SINCE and r"\Seen" in message.flags),
    (
        q.from_("example.org") & ~q.answered,
        lambda message: _header("From", "example.org")(message) and r"\Answered" not in message.flags,
    ),
    (q.subject("re:"), _header("Subject", "re:")),
    (q.subject("Frühling"), _header("Subject", "Frühling")),
    (q.subject("décalée"), _header("Subject", "décalée")),
    (q.subject("打ち合わせ"), _header("Subject", "打ち合わせ")),
)
