"""Messages appended by the typed API: from memory, files and streams, with the UID that the server gives them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from imapkit import Appended, ArgumentError, Client, Missing, OverQuota, Role
from imapkit.testing import Conversation, ReceivedCommand, answering, selected, within

MAIL = b"Subject: x\r\n\r\nbody\r\n"


class Unseekable(io.RawIOBase):
    """A pipe."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def email() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("body")
    return message


def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.eml"
    path.write_bytes(MAIL.replace(b"\r\n", b"\n"))
    return path


class Taking:
    """Takes what is appended."""

    def __init__(self) -> None:
        self.commands: list[ReceivedCommand] = []

    def __call__(self, conversation: Conversation, command: ReceivedCommand) -> None:
        self.commands.append(command)
        conversation.ok(command, b"[APPENDUID 5 9] done")


MESSAGES: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda tmp: MAIL,
    "bytes with LF": lambda tmp: MAIL.replace(b"\r\n", b"\n"),
    "a path": file,
    "a file": lambda tmp: io.BytesIO(b"before" + MAIL),
    "a pipe": lambda tmp: Unseekable(MAIL.replace(b"\r\n", b"\n")),
}


def blocking(client: Client, call: Callable[[Any], Any]) -> Any:
    return call(client)


def nowait(client: Client, call: Callable[[Any], Any]) -> Any:
    return call(client.nowait).result(10)


def on_asyncio(client: Client, call: Callable[[Any], Any]) -> Any:
    async def run() -> Any:
        return await call(client.asynchronous)

    return asyncio.run(run())


@pytest.mark.parametrize("face", [blocking, nowait, on_asyncio])
@pytest.mark.parametrize("make", MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize("tells", [False, True], ids=["silent", "progress"])
def test_a_message_is_appended(face: Callable[..., Any], make: Callable[[Path], Any], tells: bool, tmp_path: Path) -> None:
    taking, message, told = Taking(), make(tmp_path), []
    if isinstance(message, io.BytesIO):
        message.seek(6)
    progress = (lambda sent, size: told.append((sent, size))) if tells else None
    with selected({"APPEND": taking}, families=["rev1"]) as (raw, _), within(30):
        made = face(Client.over(raw), lambda it: it.append("a b", message, flags=["\\Seen", "x"], progress=progress))
    assert made == Appended(9, 5)
    [command] = taking.commands
    assert command.args.startswith(b'"a b" (\\Seen x) {')
    assert command.literals == [MAIL]
    assert told[-1:] == [(len(MAIL), len(MAIL))] * tells


def test_an_email_message_is_sent_with_crlf_and_within_the_line_length() -> None:
    message = email()
    message["To"] = ", ".join(f"someone-{number}@example.org" for number in range(20))
    taking = Taking()
    with selected({"APPEND": taking}, families=["rev1"]) as (raw, _), within(30):
        assert Client.over(raw).append("a", message, date=datetime(2026, 1, 2, 3, 4, tzinfo=UTC)).uid == 9
    [command] = taking.commands
    [sent] = command.literals
    assert command.args.startswith(b'a "02-Jan-2026 03:04:00 +0000" {')
    assert sent.count(b"\n") == sent.count(b"\r\n")
    assert max(map(len, sent.splitlines())) < 100
    assert sent.endswith(b"\r\n\r\nbody\r\n")


def test_by_role() -> None:
    listed = answering(b'* LIST (\\Drafts) "/" Entw&APw-rfe\r\n')
    taking = Taking()
    with selected({"APPEND": taking, "LIST": listed}, families=["rev1"]) as (raw, _), within(30):
        client = Client.over(raw)
        assert client.append(Role.DRAFTS, MAIL).uid == 9
        assert taking.commands[0].args.startswith(b"Entw&APw-rfe {")
        with pytest.raises(Missing):
            client.append(Role.ALL, MAIL)
    assert len(taking.commands) == 1


def test_what_the_server_does_not_say_is_none() -> None:
    with selected({"APPEND": answering()}, families=["rev1"]) as (raw, _), within(30):
        assert Client.over(raw).append("a", MAIL) == Appended(None, None)


def test_a_refused_message() -> None:
    def full(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.no(command, b"[OVERQUOTA] no room")

    with selected({"APPEND": full}, families=["rev1"]) as (raw, _), within(30):
        client = Client.over(raw)
        with pytest.raises(OverQuota):
            client.append("a", io.BytesIO(MAIL))
        client.noop()


@pytest.mark.parametrize("face", [blocking, nowait, on_asyncio])
def test_a_path_that_is_not_there_sends_nothing(face: Callable[..., Any], tmp_path: Path) -> None:
    with selected({"APPEND": answering()}, families=["rev1"]) as (raw, server), within(30):
        with pytest.raises(FileNotFoundError):
            face(Client.over(raw), lambda it: it.append("a", tmp_path / "none"))
        with pytest.raises(ArgumentError):
            face(Client.over(raw), lambda it: it.append("a", io.StringIO("text")))
        assert "APPEND" not in server.names
