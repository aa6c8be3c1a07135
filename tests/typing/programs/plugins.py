from __future__ import annotations

from typing import Any, assert_type

from imapkit_strictquota import StrictQuotaCommands, Usage
from imapkit_traffic import Traffic, TrafficCommands
from imapkit_xlist import XlistCommands, XlistMailbox

from imapkit import IMAP4, IMAP4_SSL
from imapkit.ext.gmail import LABELS, MSGID, GmailCommands
from imapkit.ext.rev1 import FetchData
from imapkit.plugin import Data, MailboxName


class MyIMAP(IMAP4, GmailCommands, XlistCommands, StrictQuotaCommands): ...


class MySSL(IMAP4_SSL, GmailCommands):
    def important(self) -> tuple[str, Data]:
        return self.x_gm_search("is:important", timeout=3)


def show(answer: tuple[Any, Any, Any]) -> None: ...


with MyIMAP("localhost", families=None, timeout=3.0) as mine:
    assert_type(mine.x_gm_labels("1:*"), tuple[str, Data])
    assert_type(mine.xlist(pattern="%"), tuple[str, Data])
    assert_type(mine.getquota("a root"), tuple[str, Data])
    assert_type(mine.quota_usage("a root")["STORAGE"], Usage)
    mine.x_gm_search('to:"me" has:attachment', "UNSEEN", uid=True, callback=show, cb_arg=1)
    mine.x_gm_add_labels([1, 2], ["To do", b"done"], silent=True, timeout=2.5)
    mine.login("me", "secret")
    mine.x_gm_labels()  # error: call-arg, reportCallIssue
    mine.x_gm_search(7)  # error: arg-type, reportArgumentType
    mine.x_gm_search("x", silent=True)  # error: call-arg, reportCallIssue
    mine.x_gm_add_labels(1, 7)  # error: arg-type, reportArgumentType
    mine.x_gm_add_labels(1, [7])  # error: list-item, reportArgumentType
    mine.x_gm_set_labels(1, "a", timeout="soon")  # error: arg-type, reportArgumentType
    mine.xlist(pattern=1)  # error: arg-type, reportArgumentType
    mine.xlist("", "*", cb=show)  # error: call-arg, reportCallIssue


def plain(imap: IMAP4, message: FetchData, found: XlistMailbox) -> None:
    gmail = imap.family(GmailCommands)
    assert_type(gmail, GmailCommands)
    assert_type(gmail.x_gm_labels(1, uid=True), tuple[str, Data])
    assert_type(imap.family(TrafficCommands).traffic(), Traffic)
    assert_type(MSGID.of(message), int | None)
    assert_type(LABELS.of(message), tuple[MailboxName, ...] | None)
    assert_type(found.use, str | None)
    assert_type(found.mailbox, str)
    gmail.x_gm_labels(1, uids=True)  # error: call-arg, reportCallIssue
    gmail.fetch(1, "FLAGS")  # error: attr-defined, reportAttributeAccessIssue
    imap.family(GmailCommands()).x_gm_labels(1)  # error: arg-type, reportArgumentType
    imap.family(TrafficCommands).traffic().sent = 1  # error: misc, reportAttributeAccessIssue
    wrong: str = MSGID.of(message)  # error: assignment, reportAssignmentType
    MSGID.of(found)  # error: arg-type, reportArgumentType
