"""The tasks with IMAPClient 4. Each is given a client that is logged in, has selected INBOX, and does not normalise times."""

from __future__ import annotations

import base64
import datetime as dt
import email
import email.header
import email.policy
import re
from pathlib import Path
from typing import Any

from imapclient.imapclient import ARCHIVE, DRAFTS, JUNK, SENT, TRASH

IMPOSSIBLE = {
    "look_into": "only by a file class of one's own",
    "append_streamed": "the message is in memory",
    "at_once": "one command at a time",
    "from_threads": "a connection is for one thread",
    "with_asyncio": "no asyncio",
    "in_time": "a time-out ends the connection",
}
CAVEATS = {"text": "fetches it whole", "attachments": "fetches it whole"}


def mailboxes(client: Any) -> Any:
    found = {}
    for flags, _, name in client.list_folders():
        if b"\\Noselect" not in flags:
            role = next((flag.decode() for flag in flags if flag in (ARCHIVE, DRAFTS, JUNK, SENT, TRASH)), None)
            found[name] = (role, client.folder_status(name, ["UNSEEN"])[b"UNSEEN"])
    return found


def sent(client: Any) -> Any:
    return client.find_special_folder(SENT)


def search(client: Any) -> Any:
    return set(client.search(["UNSEEN", "SINCE", dt.date(2026, 1, 1), "TEXT", "Grüße"], charset="UTF-8"))


def newest(client: Any) -> Any:
    rows = client.fetch(client.search()[-50:], ["ENVELOPE", "FLAGS"])
    found = []
    for _, row in sorted(rows.items(), reverse=True):
        envelope = row[b"ENVELOPE"]
        subject = email.header.make_header(email.header.decode_header((envelope.subject or b"").decode()))
        found.append((envelope.date, str(subject), b"\\Seen" in row[b"FLAGS"]))
    return found


def senders(client: Any) -> Any:
    rows = client.fetch(client.search("UNSEEN"), ["ENVELOPE"])
    addresses = [address for row in rows.values() for address in row[b"ENVELOPE"].from_ or ()]
    return {f"{address.mailbox.decode()}@{address.host.decode()}" for address in addresses}


def text(client: Any) -> Any:
    [uid] = client.search(["SUBJECT", "London"])
    message: Any = email.message_from_bytes(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"], policy=email.policy.default)
    return message.get_body(("plain",)).get_content()


def with_attachments(client: Any) -> Any:
    def leaves(body: Any) -> list[Any]:
        return [leaf for part in body[0] for leaf in leaves(part)] if body.is_multipart else [body]

    def is_attachment(part: Any) -> bool:
        return any(isinstance(field, tuple) and field and field[0].lower() == b"attachment" for field in part)

    rows = client.fetch(client.search(), ["BODYSTRUCTURE"])
    return [uid for uid, row in sorted(rows.items()) if any(map(is_attachment, leaves(row[b"BODYSTRUCTURE"])))]


def attachments(client: Any) -> Any:
    [uid] = client.search(["SUBJECT", "Holiday"])
    message = email.message_from_bytes(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"], policy=email.policy.default)
    return {part.get_filename(): part.get_content() for part in message.iter_attachments()}


def download(client: Any) -> Any:
    [uid] = client.search(["SUBJECT", "Holiday"])
    with Path("film.jpg").open("wb") as file:
        at, rest = 0, b""
        while True:
            piece = client.fetch([uid], [f"BODY.PEEK[2]<{at}.1048576>"])[uid][b"BODY[2]<%d>" % at]
            rest += piece.replace(b"\r\n", b"")
            whole = len(rest) // 4 * 4
            file.write(base64.b64decode(rest[:whole]))
            at, rest = at + len(piece), rest[whole:]
            if len(piece) < 1048576:
                break


def mark(client: Any) -> Any:
    client.add_flags(client.search("UNSEEN"), ["\\Seen", "$Forwarded"])


def move(client: Any) -> Any:
    uids = client.search(["FROM", "news@example.com"])
    target = client.find_special_folder(ARCHIVE)
    if client.has_capability("MOVE"):
        client.move(uids, target)
    else:
        client.copy(uids, target)
        client.delete_messages(uids)
        client.uid_expunge(uids)


def delete(client: Any) -> Any:
    uids = client.search(["SUBJECT", "PEP"])
    client.delete_messages(uids)
    client.uid_expunge(uids)


def append(client: Any) -> Any:
    target = client.find_special_folder(DRAFTS)
    said = client.append(target, re.sub(rb"\r?\n", b"\r\n", Path("big.eml").read_bytes()), flags=["\\Draft"])
    found = re.search(rb"\[APPENDUID \d+ (\d+)\]", said)
    return found and int(found[1])


def by_date(client: Any) -> Any:
    return client.sort(["REVERSE DATE", "SUBJECT"], "UNSEEN")[:20]


def threads(client: Any) -> Any:
    return list(client.thread())


def wait(client: Any) -> Any:
    client.idle()
    news = client.idle_check(timeout=60)
    client.idle_done()
    return bool(news)


def quota(client: Any) -> Any:
    return [(quota.resource, quota.limit) for quota in client.get_quota_root("INBOX")[1]]


def acl(client: Any) -> Any:
    return b"a" in dict(client.getacl("INBOX"))[b"u15"]
