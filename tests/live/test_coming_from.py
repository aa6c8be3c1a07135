"""docs/coming-from.md: what takes the place of each call works, and the table of lines is fresh."""

from __future__ import annotations

import ast
import asyncio
import datetime as dt
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import imapkit
from bench.tasks import __main__ as tasks
from bench.tasks import with_imapkit
from tests.live.guided import HOST, ROOT, USER, account, prepare, redirect
from tests.servers.base import Server

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

PAGE = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(.*?)` \| `(.*?)` \| (?:.*\|)?$", re.MULTILINE)


def rows() -> Iterator[Any]:
    """The calls of each library, and ours beside them."""
    for part in PAGE.split("\n## ")[1:]:
        library = part.partition("\n")[0]
        for number, (theirs, ours) in enumerate(ROW.findall(part), 1):
            yield pytest.param(theirs, ours, id=f"{library}-{number}")


def names(server: Server) -> dict[str, Any]:
    """What the page takes for granted."""
    context = ssl.create_default_context(cafile=server.cafile)
    given = {"host": HOST, "user": USER, "password": server.users[USER], "context": context, "dt": dt, "imapkit": imapkit}
    return given | {name: getattr(imapkit, name) for name in imapkit.__all__} | {"data": b"Subject: x\r\n\r\nhello\r\n"}


def value(code: str, known: dict[str, Any]) -> Any:
    """The value of an expression, or of what is assigned to a name."""
    [node] = ast.parse(code).body
    if isinstance(node, ast.Assign):
        code = ast.unparse(node.value)
    return eval(compile(code, "coming-from.md", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), known)


def finished(result: Any) -> object:
    """What a call gave: a stream is taken, what it opened is closed."""
    if isinstance(result, Iterator):
        return list(result)
    if isinstance(result, (imapkit.Client, imapkit.Mailbox, imapkit.AsyncMailbox)):
        result.close()
    return result


def uses_inbox(code: str) -> bool:
    return "inbox." in code


def blocking(code: str, server: Server, known: dict[str, Any]) -> object:
    with account(server).connect() as client:
        known["client"] = client
        if uses_inbox(code):
            with client.select("INBOX") as inbox:
                return finished(value(code, known | {"inbox": inbox, "uids": inbox.search(), "uid": inbox.search()[0]}))
        return finished(value(code, known))


async def awaited(code: str, server: Server, known: dict[str, Any]) -> object:
    async with await account(server).connect_async() as client:
        known["client"] = client
        if not uses_inbox(code):
            result = await value(code, known)
            if isinstance(result, imapkit.AsyncClient):
                await result.close()
            return finished(result)
        async with client.select("INBOX") as inbox:
            uids = await inbox.search()
            return await value(code, known | {"inbox": inbox, "uids": uids, "uid": uids[0]})


@pytest.mark.parametrize(("theirs", "ours"), list(rows()))
def test_what_takes_the_place_of_a_call(theirs: str, ours: str, dovecot: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    if "OAuth2" in ours:
        ours = "OAuth2(user, lambda rejected: 'token')"
    prepare(dovecot)
    redirect(dovecot, monkeypatch)
    known = names(dovecot)
    if re.search(r"\bawait\b|\basync\b", ours):
        asyncio.run(awaited(ours, dovecot, known))
    else:
        blocking(ours, dovecot, known)


def test_the_table_of_lines_is_fresh() -> None:
    assert tasks.table() in PAGE, "python -m bench.tasks --document docs/coming-from.md writes it again"


CHANGES = {
    "mark": ("INBOX", {"MESSAGES": 6, "UNSEEN": 0}),
    "move": ("Archive", {"MESSAGES": 2, "UNSEEN": 0}),
    "delete": ("INBOX", {"MESSAGES": 5, "UNSEEN": 2}),
    "append": ("Drafts", {"MESSAGES": 1, "UNSEEN": 1}),
    "append_streamed": ("Drafts", {"MESSAGES": 1, "UNSEEN": 1}),
}
"""The mailbox that a task changes, and its status afterwards."""


@pytest.mark.parametrize("name", tasks.TASKS)
def test_the_tasks_of_the_table_run(name: str, dovecot: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(dovecot)
    monkeypatch.chdir(tmp_path)
    Path("big.eml").write_bytes(b"Subject: A big one\n\nhello\n")
    result, saved, counts = tasks.outcome("imapkit", name, getattr(with_imapkit, name), dovecot)
    if name in CHANGES:
        mailbox, status = CHANGES[name]
        assert counts[mailbox] == status
    elif name == "download":
        assert saved == bytes(range(256)) * 400
    else:
        assert result
