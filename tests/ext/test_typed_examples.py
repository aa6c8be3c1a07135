"""The examples in the docstrings of the typed commands run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

import imapkit
from imapkit import Client, UIDSet, q, sort
from imapkit.ext.rev1.messages import Message
from imapkit.ext.rev1.typed_selected import Rev1Selected
from imapkit.ext.rev1.typed_session import Rev1Session
from imapkit.ext.sort_thread import SortThreadSelected
from imapkit.testing import answering, selected, within

ITEMS = b'''\
RFC822.SIZE 9 INTERNALDATE "17-Jul-1996 02:44:25 -0700" BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1) \
ENVELOPE (NIL "x" NIL NIL NIL NIL NIL NIL NIL NIL) BODY[1] "hello"'''
ROW = b"* 1 FETCH (UID 1 FLAGS () %b)\r\n* 2 FETCH (UID 2 FLAGS (\\Seen) %b)\r\n" % (ITEMS, ITEMS)
HANDLERS = {
    "LIST": answering(b'* LIST (\\Sent) "/" Sent\r\n'),
    "STATUS": answering(b"* STATUS INBOX (UNSEEN 3)\r\n"),
    "XFOO": answering(b"* XFOO y\r\n"),
    "UID SEARCH": answering(b"* SEARCH 1 2\r\n"),
    "UID FETCH": answering(ROW),
    "UID STORE": answering(),
    "UID COPY": answering(text=b"[COPYUID 7 1:2 8:9] done"),
    "UID SORT": answering(b"* SORT 2 1\r\n"),
    "UID THREAD": answering(b"* THREAD (1 2)\r\n"),
}
CLASSES = (Rev1Session, Rev1Selected, SortThreadSelected, Message, imapkit.section)


def examples() -> Iterator[str]:
    """What stands between double backquotes in a docstring, is code, and uses one of the objects."""
    for where in CLASSES:
        for member in (where, *vars(where).values()):
            for text in re.findall(r"``([^`]+)``", getattr(member, "__doc__", None) or ""):
                code = " ".join(text.split())
                if re.search(r"\b(client|box)\.\w+\(|\bmessage[.\[]", code) and _is_code(code):
                    yield code


def _is_code(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


EXAMPLES = sorted(set(examples()))


def test_there_are_examples_of_each() -> None:
    calls = {name for code in EXAMPLES for name in re.findall(r"(?:client|box)\.(\w+)\(", code)}
    assert {"mailboxes", "role", "status", "run", "search", "fetch", "add_flags", "copy", "sort", "thread"} <= calls


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_runs(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    server = b"IMAP4rev1 SORT THREAD=REFERENCES"
    with selected(HANDLERS, families=["rev1", "sort_thread"], capabilities=server) as (raw, _), within(30):
        client: Any = Client.over(raw)
        with client.select("a") as box:
            message = next(box.fetch(q.all_))
            there = {name: getattr(imapkit, name) for name in ("BODY", "DATE", "ENVELOPE", "FLAGS", "SIZE", "Role", "section")}
            there |= {"client": client, "box": box, "message": message, "item": imapkit.FLAGS, "uids": UIDSet("1:2")}
            there |= {"q": q, "sort": sort, "date": date, "day": date(2026, 1, 1)}
            exec(compile(code, "<docstring>", "exec"), there)
    if "print(" in code:
        assert capsys.readouterr().out
