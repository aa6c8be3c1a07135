"""The demo's step that changes mail: it creates two mailboxes, fills and changes them, and deletes them."""

from __future__ import annotations

from collections.abc import Sequence

import imapkit
from imapkit.cli._ask import THREADS, Findings, content, in_threads, numbers, parsed
from imapkit.cli.corpus import Message
from imapkit.cli.screen import Screen
from imapkit.core.contract.commands import Result

__all__ = ["change"]

FIRST, SECOND = "Démo été", "Démo 写し"
MOST = 16


def change(imap: imapkit.IMAP4, screen: Screen, findings: Findings, mail: Sequence[Message]) -> None:
    """Append from threads, copy, flag, expunge; read each outcome back, and check it."""
    chosen = sorted(mail, key=lambda message: len(message.content))[:MOST]
    screen.step(f"APPEND from {THREADS} threads, COPY, STORE, EXPUNGE")
    steps = _Steps(imap, findings, chosen)
    rows = [steps.create(), steps.append(), steps.copy(), steps.flag(), steps.expunge(), steps.delete()]
    screen.table(("Command", "effect", "as expected"), [(*row[:2], "yes" if row[2] else "NO") for row in rows])


Row = tuple[str, str, bool]


class _Steps:
    """The commands, in the order of their calls. Each returns its effect, and whether the effect is right."""

    def __init__(self, imap: imapkit.IMAP4, findings: Findings, mail: Sequence[Message]) -> None:
        self._imap, self._findings, self._mail = imap, findings, mail
        self._part = len(mail) // 4 or 1
        """How many messages to copy, and how many to remove."""

    def create(self) -> Row:
        for name in (FIRST, SECOND):
            _ok(self._imap.create(name))
        right = self._findings.check("mailboxes after CREATE", self._listed(), {FIRST, SECOND})
        return "CREATE", f"{FIRST!r} and {SECOND!r}", right

    def append(self) -> Row:
        in_threads(lambda m: _ok(self._imap.append(FIRST, m.flags, m.date, m.content)), self._mail)
        exists = parsed(self._imap.select(FIRST))[-1]
        found = sorted(self._contents(exists))
        right = self._findings.check("appended messages", found, sorted(message.content for message in self._mail))
        return "APPEND", f"{exists} messages, read back and compared", right

    def copy(self) -> Row:
        _ok(self._imap.copy(f"1:{self._part}", SECOND))
        (status,) = parsed(self._imap.status(SECOND, "(MESSAGES)"))
        right = self._findings.check("messages after COPY", status.items["MESSAGES"], self._part)
        return "COPY", f"{self._part} messages to {SECOND!r}", right

    def flag(self) -> Row:
        _ok(self._imap.store("1:*", "-FLAGS.SILENT", r"\Deleted"))
        changed = parsed(self._imap.store(f"1:{self._part}", "+FLAGS", (r"\Deleted", r"\Flagged")))
        flagged = {response.number for response in changed if {rb"\Deleted", rb"\Flagged"} <= set(response.items["FLAGS"])}
        expected = set(range(1, self._part + 1))
        found = numbers(self._imap.search(None, "DELETED FLAGGED"))
        right = self._findings.check("messages after STORE", (flagged, set(found)), (expected, expected))
        return "STORE", rf"\Deleted and \Flagged on {len(found)} messages, found again by SEARCH", right

    def expunge(self) -> Row:
        before = self._contents(len(self._mail))
        removed = parsed(self._imap.expunge())
        exists = parsed(self._imap.status(FIRST, "(MESSAGES)"))[0].items["MESSAGES"]
        right = self._findings.check("messages after EXPUNGE", self._contents(exists), before[self._part :])
        return "EXPUNGE", f"{len(removed)} messages removed, {exists} left: the right ones", right

    def delete(self) -> Row:
        _ok(self._imap.close())
        for name in (FIRST, SECOND):
            _ok(self._imap.delete(name))
        return "DELETE", "both mailboxes", self._findings.check("mailboxes after DELETE", self._listed(), set())

    def _contents(self, exists: int) -> list[bytes]:
        return in_threads(lambda number: content(self._imap.fetch(number, "BODY.PEEK[]")), range(1, exists + 1))

    def _listed(self) -> set[str]:
        return {entry.mailbox for entry in parsed(self._imap.list())} & {FIRST, SECOND}


def _ok(result: Result) -> None:
    parsed(result)
