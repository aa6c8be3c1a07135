"""The tasks with imap_tools 1.16. Each is given a mailbox that is logged in, and has selected INBOX."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

from imap_tools import AND

IMPOSSIBLE = {
    "download": "messages are fetched whole, into memory",
    "look_into": "messages are fetched whole, into memory",
    "delete": "a plain EXPUNGE: others' mail goes, too",
    "append_streamed": "the message is in memory",
    "threads": "no THREAD",
    "quota": "no QUOTA",
    "acl": "no ACL",
    "at_once": "one command at a time",
    "from_threads": "a connection is for one thread",
    "with_asyncio": "no asyncio",
    "in_time": "a time-out ends the connection",
}
CAVEATS = {
    "sent": "by attribute alone",
    "text": "fetches it whole",
    "with_attachments": "fetches the whole mailbox",
    "attachments": "fetches it whole",
    "mark": "sends EXPUNGE as well",
    "move": "by a plain EXPUNGE, if MOVE is not announced before LOGIN",
}


def mailboxes(box: Any) -> Any:
    found = {}
    for folder in box.folder.list():
        if "\\Noselect" not in folder.flags:
            role = next((flag for flag in folder.flags if flag in (r"\Archive", r"\Drafts", r"\Junk", r"\Sent", r"\Trash")), None)
            found[folder.name] = (role, box.folder.status(folder.name, ["UNSEEN"])["UNSEEN"])
    return found


def sent(box: Any) -> Any:
    return next((folder.name for folder in box.folder.list() if "\\Sent" in folder.flags), None)


def search(box: Any) -> Any:
    return {int(uid) for uid in box.uids(AND(seen=False, date_gte=dt.date(2026, 1, 1), text="Grüße"), charset="UTF-8")}


def newest(box: Any) -> Any:
    messages = box.fetch(limit=50, reverse=True, headers_only=True, bulk=True, mark_seen=False)
    return [(message.date, message.subject, "\\Seen" in message.flags) for message in messages]


def senders(box: Any) -> Any:
    return {message.from_ for message in box.fetch(AND(seen=False), headers_only=True, bulk=True, mark_seen=False)}


def text(box: Any) -> Any:
    [message] = box.fetch(AND(subject="London"), mark_seen=False)
    return message.text


def with_attachments(box: Any) -> Any:
    return [int(message.uid) for message in box.fetch(mark_seen=False) if message.attachments]


def attachments(box: Any) -> Any:
    [message] = box.fetch(AND(subject="Holiday"), mark_seen=False)
    return {part.filename: part.payload for part in message.attachments}


def mark(box: Any) -> Any:
    box.flag(box.uids(AND(seen=False)), ["\\Seen", "$Forwarded"], True)


def move(box: Any) -> Any:
    target = next(folder.name for folder in box.folder.list() if "\\Archive" in folder.flags)
    box.move(box.uids(AND(from_="news@example.com")), target)


def append(box: Any) -> Any:
    target = next(folder.name for folder in box.folder.list() if "\\Drafts" in folder.flags)
    _, data = box.append(re.sub(rb"\r?\n", b"\r\n", Path("big.eml").read_bytes()), target, flag_set=["\\Draft"])
    found = re.search(rb"\[APPENDUID \d+ (\d+)\]", data[0])
    return found and int(found[1])


def by_date(box: Any) -> Any:
    return [int(uid) for uid in box.uids(AND(seen=False), sort=["REVERSE DATE", "SUBJECT"])[:20]]


def wait(box: Any) -> Any:
    return bool(box.idle.wait(timeout=60))
