from __future__ import annotations

import ssl
from typing import Any

from imapkit import IMAP4, IMAP4_SSL, CommandNo, IMAP4_stream, Limits, NoResponse, abort, error, unverified_context


def show(answer: tuple[Any, Any, Any]) -> None:
    print(answer)


with IMAP4("localhost", 143, timeout=3.0, families=["rev1"], limits=Limits(line=1000)) as imap:
    typ, data = imap.login("me", b"secret")
    name: str = typ
    items: list[Any] = data
    imap.select("INBOX", readonly=True)
    imap.fetch("1:*", "(UID)", callback=show, cb_arg=1, timeout=2.5)
    imap.search(None, "SUBJECT", "hello world")
    imap.append("INBOX", None, None, b"Subject: x")
    imap.uid("FETCH", 1, "FLAGS", callback=None)
    state: str = imap.state
    known: tuple[str, ...] = imap.capabilities
    try:
        imap.noop()
    except IMAP4.abort:
        pass
    imap.noop(cb=show)  # error: call-arg, reportCallIssue
    imap.login(1, "secret")  # error: arg-type, reportArgumentType
    imap.fetch("1")  # error: call-arg, reportCallIssue
    imap.append("INBOX", None, None, 7)  # error: arg-type, reportArgumentType
    imap.select(readonly="yes")  # error: arg-type, reportArgumentType
    imap.noop(timeout="soon")  # error: arg-type, reportArgumentType
    imap.noop(callback=7)  # error: arg-type, reportArgumentType
    imap.authenticate("PLAIN", "secret")  # error: arg-type, reportArgumentType

with IMAP4("localhost", strict=True) as imap:
    try:
        checked: list[Any] = imap.copy("1", "Archive")[1].check()
    except CommandNo as refused:
        code: str | None = refused.code
        text: bytes = refused.text
        command: str = refused.command
        numbers: list[int | None] = [response.number for response in refused.responses]
        records: list[Any] = refused.data.parsed()
    except IMAP4.abort as lost:
        records = lost.data.parsed()
refusal: type[CommandNo] = NoResponse
IMAP4(strict="yes")  # error: arg-type, reportArgumentType
IMAP4_SSL(strict=True).logout()
IMAP4_stream("true", strict=True).logout()

IMAP4("localhost", "143").logout()
IMAP4("localhost", 1.5)  # error: arg-type, reportArgumentType
IMAP4_SSL("localhost", ca_certs="ca.pem", ssl_context=unverified_context()).logout()
IMAP4_SSL(ssl_context="none")  # error: arg-type, reportArgumentType
IMAP4_stream("true").logout()
IMAP4_stream()  # error: call-arg, reportCallIssue
wrong: int = IMAP4().state  # error: assignment, reportAssignmentType
kind: type[error] = abort
context: ssl.SSLContext = unverified_context()
