"""Every example of README.md and docs/guide.md does what it says, on each server that can do it."""

from __future__ import annotations

import ast
import asyncio
import base64
import inspect
import re
import shutil
import types
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer
from tests.live.guided import Example, account, arriving, examples, prepare, redirect
from tests.live.support import announced
from tests.servers.base import Server, not_announced

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

EXAMPLES = list(examples())
OF_OAUTH = [example for example in EXAMPLES if "OAuth2(" in example.code]
EVERYWHERE = [example for example in EXAMPLES if example not in OF_OAUTH]


def able(server: Server, example: Example) -> None:
    """Skip an example that needs what this server does not announce."""
    for names in example.needs:
        if not announced(server).intersection(names):
            not_announced(server, " or ".join(names))
    if ("starttls" in example.code or "ssl_context" in example.code) and server.tls_port is None:
        not_announced(server, "TLS port")


def compiled(example: Example, code: str) -> types.CodeType:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    program: types.CodeType = compile(code, str(example.page), "exec", flags=flags, dont_inherit=True)
    return program


def uses(code: str, name: str) -> bool:
    """Whether the example takes that name as given."""
    return bool(re.search(rf"\b{name}\b", code)) and not re.search(rf"as {name}\b|^{name} = ", code, re.MULTILINE)


async def awaited(program: types.CodeType, names: dict[str, Any], code: str) -> None:
    async with await names["account"].connect_async() as client:
        names["client"] = client
        if uses(code, "inbox"):
            async with client.select("INBOX") as names["inbox"]:
                await eval(program, names)
        else:
            await eval(program, names)


def run(example: Example, server: Server) -> None:
    """Run it as the page says."""
    names: dict[str, Any] = {"__name__": "__main__", "account": account(server)}
    exec(compile(example.imports(), str(example.page), "exec", dont_inherit=True), names)
    program = compiled(example, example.program(server))
    if program.co_flags & inspect.CO_COROUTINE:
        asyncio.run(awaited(program, names, example.code))
        return
    with account(server).connect() as client:
        names["client"] = client
        if uses(example.code, "inbox"):
            with client.select("INBOX") as names["inbox"]:
                exec(program, names)
        else:
            exec(program, names)


@pytest.fixture
def prepared(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server with the mail of the pages; the working directory is empty but for its certificate and a message."""
    prepare(server)
    redirect(server, monkeypatch)
    monkeypatch.chdir(tmp_path)
    Path("big.eml").write_bytes(b"From: ada@example.org\nSubject: A big one\n\n" + b"hello\n" * 10_000)
    if server.cafile is not None:
        shutil.copy(server.cafile, "server.pem")
    return server


def check(example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    """What it printed is what its comments say."""
    printed = capsys.readouterr().out.splitlines()
    for said in example.said():
        assert said in printed


@pytest.mark.parametrize("example", EVERYWHERE, ids=lambda example: example.name)
def test_example(example: Example, prepared: Server, capsys: pytest.CaptureFixture[str]) -> None:
    able(prepared, example)
    with warnings.catch_warnings(), arriving(prepared) if ".idle(" in example.code else nullcontext():
        warnings.simplefilter("error")
        run(example, prepared)
    check(example, capsys)


class Granting:
    """A server that takes the token that the page renews, and refuses the one that it has stored."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def authenticate(self, conversation: Conversation, command: ReceivedCommand) -> None:
        """OAUTHBEARER, RFC 7628: the reason of a refusal is a challenge, which the client answers."""
        assert command.args.split() == [b"OAUTHBEARER"]
        conversation.send(b"+ \r\n")
        said = base64.b64decode(conversation.read_line()).decode()
        self.tokens.append(said.partition("Bearer ")[2].rstrip("\x01"))
        if self.tokens[-1].endswith("renewed"):
            conversation.ok(command)
        else:
            conversation.send(b"+ %s\r\n" % base64.b64encode(b'{"status":"invalid_token"}'))
            assert base64.b64decode(conversation.read_line()) == b"\x01"
            conversation.no(command, b"[AUTHENTICATIONFAILED] no")

    def status(self, conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* STATUS INBOX (MESSAGES 6)\r\n")


@pytest.mark.parametrize("example", OF_OAUTH, ids=lambda example: example.name)
def test_example_with_a_token(example: Example, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """None of the servers gives out tokens."""
    granting = Granting()
    handlers = {"AUTHENTICATE": granting.authenticate, "STATUS": granting.status}
    names: dict[str, Any] = {"__name__": "__main__"}
    with ScriptedServer(handlers=handlers, capabilities=b"IMAP4rev1 AUTH=OAUTHBEARER") as scripted:
        redirect(Server("scripted", scripted.host, scripted.port, None, None, {}, "/", None, None), monkeypatch)
        exec(example.imports(), names)
        exec(compiled(example, example.code), names)
    assert [token.partition(".")[2] for token in granting.tokens] == ["stored", "renewed"]
    check(example, capsys)


def test_there_is_something_to_run() -> None:
    assert len(EVERYWHERE) > 60
    assert OF_OAUTH
