from __future__ import annotations

from typing import Any, assert_type

from imapkit_xlist import XlistMailbox

from imapkit import IMAP4, IMAP4_SSL, Parsed
from imapkit.ext.acl import Acl, ListRights, MyRights
from imapkit.ext.annotation import Annotation
from imapkit.ext.id import Identity
from imapkit.ext.namespace import Namespaces
from imapkit.ext.quota import Quota, QuotaRoot
from imapkit.ext.rev1 import AppendUid, CopyUid, Envelope, FetchData, MailboxListing, MailboxStatus
from imapkit.ext.sort_thread import Thread
from imapkit.plugin import Data

with IMAP4_SSL("localhost") as imap:
    assert_type(imap, IMAP4_SSL)
    typ, data = imap.select("INBOX")
    typ, data = imap.fetch("1:*", "(UID ENVELOPE)")
    assert_type(data, Data)
    for message in data.parsed(FetchData):
        assert_type(message, FetchData)
        assert_type(message.uid, int | None)
        assert_type(message.envelope, Envelope | None)
        message.uidd  # error: attr-defined, reportAttributeAccessIssue
    assert_type(data.parsed(FetchData), Parsed[FetchData])
    assert_type(data.parsed(XlistMailbox), Parsed[XlistMailbox])
    assert_type(imap.list()[1].parsed(MailboxListing)[0].mailbox, str)
    data.parsed("FETCH")  # error: call-overload, reportArgumentType


def by_name(imap: IMAP4, name: str, data: Any) -> None:
    assert_type(imap.parse("FETCH", data), Parsed[FetchData])
    assert_type(imap.parse("LIST", data), Parsed[MailboxListing])
    assert_type(imap.parse("LSUB", data), Parsed[MailboxListing])
    assert_type(imap.parse("STATUS", data), Parsed[MailboxStatus])
    assert_type(imap.parse("SEARCH", data), Parsed[tuple[int, ...]])
    assert_type(imap.parse("SORT", data), Parsed[tuple[int, ...]])
    assert_type(imap.parse("THREAD", data), Parsed[tuple[Thread, ...]])
    assert_type(imap.parse("EXISTS", data), Parsed[int])
    assert_type(imap.parse("UIDVALIDITY", data), Parsed[int])
    assert_type(imap.parse("CAPABILITY", data), Parsed[tuple[str, ...]])
    assert_type(imap.parse("FLAGS", data), Parsed[tuple[bytes, ...]])
    assert_type(imap.parse("APPENDUID", data), Parsed[AppendUid])
    assert_type(imap.parse("COPYUID", data), Parsed[CopyUid])
    assert_type(imap.parse("QUOTA", data), Parsed[Quota])
    assert_type(imap.parse("QUOTAROOT", data), Parsed[QuotaRoot])
    assert_type(imap.parse("ACL", data), Parsed[Acl])
    assert_type(imap.parse("LISTRIGHTS", data), Parsed[ListRights])
    assert_type(imap.parse("MYRIGHTS", data), Parsed[MyRights])
    assert_type(imap.parse("NAMESPACE", data), Parsed[Namespaces])
    assert_type(imap.parse("ANNOTATION", data), Parsed[tuple[Annotation, ...]])
    assert_type(imap.parse("ID", data), Parsed[Identity | None])
    assert_type(imap.parse(name, data), Parsed[Any])
    assert_type(imap.parse(*imap.list()), Parsed[Any])
    [quota] = imap.parse("QUOTA", data)
    quota.limits  # error: attr-defined, reportAttributeAccessIssue
