"""The demo's step that changes mail: it creates two mailboxes, fills and changes them, and deletes them."""

from __future__ import annotations

from collections.abc import Sequence

from imapkit import Client, Mailbox, q, section
from imapkit.cli._ask import Findings
from imapkit.cli.corpus import Message
from imapkit.cli.screen import Screen

__all__ = ["change"]

FIRST, SECOND = "Démo été", "Démo 写し"
MOST = 16
CONTENT = section("")
CHANGED = q.flagged & q.answered


def change(client: Client, screen: Screen, findings: Findings, mail: Sequence[Message]) -> None:
    """Append with futures, copy, flag, move, delete; read each outcome back, and check it."""
    chosen = sorted(mail, key=lambda message: len(message.content))[:MOST]
    screen.step("Append with futures, copy, flag, move, delete")
    steps = _Steps(client, findings, chosen)
    rows = [steps.create(), steps.append()]
    with client.select(FIRST) as box:
        rows += [steps.copy(box), steps.flag(box), steps.move(box), steps.delete(box)]
    rows.append(steps.clear())
    screen.table(("Call", "effect", "as expected"), [(*row[:2], "yes" if row[2] else "NO") for row in rows])


Row = tuple[str, str, bool]


class _Steps:
    """The calls, in the order of their use. Each returns its effect, and whether the effect is right."""

    def __init__(self, client: Client, findings: Findings, mail: Sequence[Message]) -> None:
        self._client, self._findings, self._mail = client, findings, mail
        self._part = len(mail) // 4 or 1
        """How many messages to copy, to move, and to delete."""

    def create(self) -> Row:
        for name in (FIRST, SECOND):
            self._client.create(name)
        right = self._findings.check("mailboxes after create", self._listed(), {FIRST, SECOND})
        return "create", f"{FIRST!r} and {SECOND!r}", right

    def append(self) -> Row:
        append = self._client.nowait.append
        futures = [append(FIRST, m.content, flags=m.flags.split(), date=m.date) for m in self._mail]
        for future in futures:
            future.result()
        with self._client.select(FIRST, readonly=True) as box:
            found = sorted(_contents(box))
        right = self._findings.check("appended messages", found, sorted(message.content for message in self._mail))
        return "append", f"{len(found)} messages, read back and compared", right

    def copy(self, box: Mailbox) -> Row:
        copied = box.copy(box.search().oldest(self._part), SECOND)
        messages = self._client.status(SECOND, "MESSAGES").messages
        found = (messages, len(copied.uids or {}) or self._part)
        right = self._findings.check("messages after copy", found, (self._part, self._part))
        return "copy", f"{self._part} messages to {SECOND!r}", right

    def flag(self, box: Mailbox) -> Row:
        box.remove_flags(box.search(), r"\Answered")
        flagged = box.add_flags(box.search().oldest(self._part), r"\Flagged", r"\Answered")
        found = box.search(CHANGED)
        right = self._findings.check("messages after add_flags", found, flagged)
        return "add_flags", rf"\Flagged and \Answered on {len(found)} messages, found again by search", right

    def move(self, box: Mailbox) -> Row:
        before = _contents(box)
        box.move(CHANGED, SECOND)
        right = self._findings.check("messages after move", _contents(box), before[self._part :])
        return "move", f"{self._part} messages to {SECOND!r}, {len(before) - self._part} left: the right ones", right

    def delete(self, box: Mailbox) -> Row:
        before = _contents(box)
        box.delete(box.search().newest(self._part))
        right = self._findings.check("messages after delete", _contents(box), before[: -self._part])
        return "delete", f"{self._part} messages removed, {len(before) - self._part} left: the right ones", right

    def clear(self) -> Row:
        for name in (FIRST, SECOND):
            self._client.delete_mailbox(name)
        right = self._findings.check("mailboxes after delete_mailbox", self._listed(), set())
        return "delete_mailbox", "both mailboxes", right

    def _listed(self) -> set[str]:
        return {entry.mailbox for entry in self._client.mailboxes()} & {FIRST, SECOND}


def _contents(box: Mailbox) -> list[bytes]:
    return [message[CONTENT] for message in box.fetch(box.search(), CONTENT)]
