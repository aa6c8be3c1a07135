"""Sample mail for the demo and the live tests: one person's mailboxes, with messages as mail programs write them.

Everything is made from a seed with the standard library's ``email``: the same seed gives the same bytes under the same Python.
There are plain and ``multipart/alternative`` messages, pictures within HTML, attachments of 1 KB to 1.1 MB, invitations,
forwarded messages and a bounce; headers and file names in a dozen scripts; threads; flags; internal dates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html import escape
from textwrap import fill

from imapkit.cli import _attachments
from imapkit.cli._letters import (
    COLLEAGUES,
    LETTERS,
    LIST,
    LISTERS,
    OWNER,
    RECEIPTS,
    REPLIES,
    WORK,
    Person,
    Receipt,
    Topic,
)
from imapkit.cli._post import Message, Post, answer

__all__ = ["Message", "corpus"]

MAILBOXES = ("INBOX", "Sent", "Drafts", "Archive/2026", "Reçus", "Lists/imap", "Projekte/Büro & Umzug")
YEAR = datetime(2026, 1, 5, 8, tzinfo=UTC)
LAST_WEEKS = datetime(2026, 3, 2, 8, tzinfo=UTC)
THE_LIST = Person("imap", "imap@lists.example.net", 0)
INBOX_FLAGS = ("", "", r"\Seen", r"\Seen", r"\Seen \Answered", r"\Flagged", r"\Seen \Flagged", r"\Seen \Deleted")
LIST_FLAGS = ("", r"\Seen", r"\Seen", r"\Seen \Flagged")

PATCH = """\
--- a/fetch.c
+++ b/fetch.c
@@ -214 +214 @@
-    send_items(c);
+    if (c->enabled) send_items(c);
"""

Mailboxes = dict[str, list[Message]]


def corpus(seed: int = 1) -> Mailboxes:
    """Return the sample mail: for each mailbox name, as text, its messages in the order of their internal dates.

    About 125 messages and 16 MB, in less than a second. The hierarchy separator in the names is ``/``. Mailboxes and
    messages are the same for the same ``seed`` (and the same release of Python, whose ``email`` folds the headers).
    """
    post, mailboxes = Post(seed), {name: list[Message]() for name in MAILBOXES}
    for fill_in in (_threads, _foreign_letters, _news, _rare_kinds, _drafts, _receipts, _list):
        fill_in(post, mailboxes)
    return {name: sorted(messages, key=lambda message: message.date) for name, messages in mailboxes.items()}


def _threads(post: Post, mailboxes: Mailboxes) -> None:
    """Old threads in the archive, a current one in the project's own mailbox, the rest in INBOX and Sent."""
    for topic in WORK:
        minutes = Topic(f"Minutes: {topic.subject}", topic.paragraphs)
        for mail in _thread(post, minutes, [*COLLEAGUES[:2], OWNER], OWNER, YEAR, 4):
            mailboxes["Archive/2026"].append(post.send(mail, r"\Seen"))
    first, *others = COLLEAGUES
    for topic in WORK:
        incoming = "INBOX" if topic is not WORK[0] else MAILBOXES[-1]
        for mail in _thread(post, topic, [first, OWNER, others[0], OWNER, *others[1:]], OWNER, LAST_WEEKS, 8):
            if OWNER.address in mail["From"]:
                del mail["Received"]
                mailboxes["Sent"].append(post.send(mail, r"\Seen"))
            else:
                mailboxes[incoming].append(post.send(mail, post.rng.choice(INBOX_FLAGS)))


def _list(post: Post, mailboxes: Mailboxes) -> None:
    """A mailing list: its own headers, a footer, and some patches."""
    for topic in LIST:
        listed = Topic(f"[imap] {topic.subject}", topic.paragraphs)
        for mail in _thread(post, listed, LISTERS, THE_LIST, YEAR + timedelta(days=20), 5, attach=False):
            mail["List-Id"] = "Discussion of the IMAP protocol <imap.lists.example.net>"
            mail["List-Post"] = f"<mailto:{THE_LIST.address}>"
            mail["List-Unsubscribe"] = "<https://lists.example.net/imap/leave>"
            mail["Precedence"] = "list"
            if "patch" in mail.get_content():
                mail.add_attachment(PATCH, subtype="x-diff", filename="0001-enable.patch", cte="7bit")
            mailboxes["Lists/imap"].append(post.send(mail, post.rng.choice(LIST_FLAGS)))


def _thread(
    post: Post, topic: Topic, people: Sequence[Person], to: Person, start: datetime, length: int, *, attach: bool = True
) -> Iterator[EmailMessage]:
    """A conversation in which people take turns, each quoting the message before; every third has an attachment."""
    when, last = start + timedelta(hours=post.rng.randrange(24 * 14)), None
    paragraphs = [*topic.paragraphs, *REPLIES]
    for number in range(length):
        when += timedelta(minutes=post.rng.randrange(20, 60 * 30))
        sender = people[number % len(people)]
        text = _words(sender, paragraphs[number], last)
        subject = topic.subject if last is None else f"Re: {topic.subject}"
        mail = post.write(sender, people[0] if sender is to else to, subject, text, when)
        if last is not None:
            answer(mail, last)
        if attach and number % 3 == 0:
            _with_html(mail, text)
            post.attach(mail, ("plan.zip", "orders.csv", "notes.pdf", "screen.png")[(number + len(topic.subject)) % 4])
        yield mail
        last = mail


def _words(sender: Person, paragraph: str, last: EmailMessage | None) -> str:
    """A paragraph with a signature, below the quoted last message."""
    text = f"{fill(paragraph, 72)}\n\n{sender.name.split()[0]}\n"
    body = last.get_body(("plain",)) if last is not None else None
    if last is None or body is None:
        return f"Hello,\n\n{text}"
    own = [line for line in body.get_content().splitlines() if line and not line.startswith(">")]
    quoted = "".join(f"> {line}\n" for line in own)
    author = last["From"].addresses[0].display_name
    return f"On {last['Date'].datetime:%Y-%m-%d %H:%M}, {author} wrote:\n{quoted}\n{text}"


def _with_html(mail: EmailMessage, text: str) -> None:
    """Add the text as an HTML alternative."""
    paragraphs = "".join(f"<p>{escape(part)}</p>\n" for part in text.split("\n\n"))
    mail.add_alternative(f"<!doctype html>\n<html><body>\n{paragraphs}</body></html>\n", subtype="html")


def _foreign_letters(post: Post, mailboxes: Mailboxes) -> None:
    """Letters in other languages, scripts and charsets, with file names to match."""
    for number, letter in enumerate(LETTERS):
        when = LAST_WEEKS + timedelta(days=number, minutes=post.rng.randrange(600))
        mail = post.write(letter.sender, OWNER, letter.subject, letter.text, when, letter.charset)
        post.attach(mail, letter.filename)
        mailboxes["INBOX"].append(post.send(mail, post.rng.choice(INBOX_FLAGS)))


def _news(post: Post, mailboxes: Mailboxes) -> None:
    """A newsletter: multipart/alternative whose HTML is multipart/related with its picture."""
    sender = Person("Der Gartenbrief", "news@example.de", 60)
    for number, subject in enumerate(["Frühlingsblüher setzen", "Obstbäume schneiden", "Was im März zu säen ist 🌱"]):
        text = f"{subject}\n\nDiese Woche im Gartenbrief: {subject}. Lesen Sie mehr auf unserer Seite.\n"
        mail = post.write(sender, OWNER, subject, text, LAST_WEEKS + timedelta(days=7 * number))
        page = f'<html><body><h1>{subject}</h1><img src="cid:garten{number}@example.de" alt="Garten"></body></html>\n'
        mail.add_alternative(page, subtype="html")
        html = mail.get_body(("html",))
        assert isinstance(html, EmailMessage)
        html.add_related(_attachments.png(post.rng, 60_000), "image", "png", cid=f"<garten{number}@example.de>")
        mailboxes["INBOX"].append(post.send(mail, post.rng.choice(INBOX_FLAGS)))


def _rare_kinds(post: Post, mailboxes: Mailboxes) -> None:
    """Rare kinds of messages: an invitation, a forwarded message, a bounce, a long log."""
    when = LAST_WEEKS + timedelta(days=1, hours=2)
    mails = [_invitation(post, when), _forwarded(post, when), _bounce(post, when), _log(post, when)]
    mailboxes["INBOX"].extend(post.send(mail, post.rng.choice(INBOX_FLAGS)) for mail in mails)


def _invitation(post: Post, when: datetime) -> EmailMessage:
    """RFC 6047: the event as a second alternative."""
    sender = COLLEAGUES[0]
    text = "You are invited: stand-up in the blue room, Wednesday at 9:30.\n"
    mail = post.write(sender, OWNER, "Invitation: stand-up, blue room", text, when)
    event = f"UID:1@example.org\nDTSTAMP:{when:%Y%m%dT%H%M%SZ}\nDTSTART:20260304T083000Z\nDTEND:20260304T084500Z\n"
    event += f"SUMMARY:Stand-up\nORGANIZER:mailto:{sender.address}\nATTENDEE;RSVP=TRUE:mailto:{OWNER.address}\n"
    calendar = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\n{event}END:VEVENT\n"
    mail.add_alternative(f"{calendar}END:VCALENDAR\n", subtype="calendar", params={"method": "REQUEST"})
    return mail


def _forwarded(post: Post, when: datetime) -> EmailMessage:
    """A message within a message, with an attachment in the inner one."""
    letter = LETTERS[0]
    inner = post.write(letter.sender, COLLEAGUES[1], letter.subject, letter.text, when - timedelta(days=2))
    post.attach(inner, letter.filename)
    mail = post.write(COLLEAGUES[1], OWNER, f"Fwd: {letter.subject}", "Das ging wohl an die Falsche.\n\nJürgen\n", when)
    mail.add_attachment(inner)
    return mail


def _bounce(post: Post, when: datetime) -> EmailMessage:
    """RFC 3464: a multipart/report of three parts."""
    sender = Person("Mail Delivery System", "mailer-daemon@example.org", 0)
    text = "Your message could not be delivered to <nobody@example.com>: no such user.\n"
    mail = post.write(sender, OWNER, "Undelivered Mail Returned to Sender", text, when)
    mail.make_mixed()
    report = EmailMessage(policy=mail.policy)
    report["Content-Type"] = "message/delivery-status"
    report.set_payload([_fields("Reporting-MTA: dns; mx.example.org"), _fields(
        "Final-Recipient: rfc822; nobody@example.com", "Action: failed", "Status: 5.1.1")])  # fmt: skip
    mail.attach(report)
    mail.add_attachment("Subject: Hello?\nTo: nobody@example.com\n", subtype="rfc822-headers")
    mail.replace_header("Content-Type", "multipart/report; report-type=delivery-status")
    return mail


def _fields(*lines: str) -> EmailMessage:
    block = EmailMessage()
    for line in lines:
        name, _, value = line.partition(": ")
        block[name] = value
    return block


def _log(post: Post, when: datetime) -> EmailMessage:
    """A long message in plain text."""
    sender = Person("cron", "root@backup.example.org", 0)
    lines = "".join(
        f"{when + timedelta(seconds=3 * n):%H:%M:%S} volume/{n:05d} {post.rng.randrange(10**9):>10} bytes ok\n"
        for n in range(1500)
    )
    return post.write(sender, OWNER, "backup: 1500 files, 0 errors", lines, when)


def _drafts(post: Post, mailboxes: Mailboxes) -> None:
    """Unsent messages."""
    for number, topic in enumerate(WORK):
        text = f"Hello {COLLEAGUES[number].name.split()[0]},\n\n{fill(topic.paragraphs[-1], 72)}\n\nTO DO: ask first\n"
        mail = post.write(OWNER, COLLEAGUES[number], topic.subject, text, LAST_WEEKS + timedelta(days=18, hours=number))
        del mail["Received"]
        if number % 2:
            post.attach(mail, "Anhang für später.pdf")
        mailboxes["Drafts"].append(post.send(mail, r"\Draft \Seen"))


def _receipts(post: Post, mailboxes: Mailboxes) -> None:
    """Two purchases from every shop: HTML with a table, and the invoice."""
    for number, receipt in enumerate(RECEIPTS * 2):
        when = YEAR + timedelta(days=5 * number, minutes=post.rng.randrange(900))
        seller = Person(receipt.seller, receipt.address, 60)
        mail = post.write(seller, OWNER, receipt.subject, f"{receipt.item}: {receipt.price}\n", when)
        mail.add_alternative(_table(receipt), subtype="html", cte="base64" if number % 2 else None)
        post.attach(mail, receipt.filename)
        mailboxes["Reçus"].append(post.send(mail, r"\Seen"))


def _table(receipt: Receipt) -> str:
    rows = {"Shop": receipt.seller, "Item": receipt.item, "Total": receipt.price}
    cells = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>\n" for name, value in rows.items())
    return f"<html><body><table>\n{cells}</table></body></html>\n"
