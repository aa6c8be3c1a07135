"""Bodies of messages by the typed API, on real servers: downloaded, resumed, read at any place, appended."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from imapkit import BODY, AsyncClient, Client, q
from tests.live.support import filled, letter, logged_in, needing, place
from tests.servers.base import Server

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

NOISE = os.urandom(3_000_001)


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("noise", NOISE)
        made.writestr("small", b"hello")
    return file.getvalue()


ARCHIVE = archive()


def mail() -> bytes:
    message = EmailMessage()
    message["Subject"] = "Grüße"
    message["From"] = message["To"] = "a@example.org"
    message.set_content("Grüße, plain\n", charset="iso-8859-1", cte="quoted-printable")
    message.add_alternative("<p>Grüße</p>\n", subtype="html")
    message.add_attachment(ARCHIVE, "application", "zip", filename="noise.zip")
    return message.as_bytes(policy=SMTP)


MAIL = mail()


@contextmanager
def opened(server: Server, name: str) -> Iterator[tuple[Any, int, Any]]:
    """A mailbox with the message: its UID, and its structure."""
    with filled(server, name, MAIL) as (raw, folder):
        client = Client.over(raw)
        with client.select(folder, readonly=True) as box:
            [message] = box.fetch(box.search(q.all_), BODY)
            yield box, message.uid, message.body


def test_parts_are_read_decoded(server: Server) -> None:
    with opened(server, "parts") as (box, uid, body):
        assert body.text is not None
        assert box.read_text(uid, body.text).strip() == "Grüße, plain"
        assert box.read_text(uid, body.html.section).strip() == "<p>Grüße</p>"
        assert {part.filename: box.read_bytes(uid, part) for part in body.attachments} == {"noise.zip": ARCHIVE}
        assert box.message(uid)["subject"] == "Grüße"


@pytest.mark.parametrize("chunk", [1 << 18, None], ids=["pieces", "at once"])
def test_a_part_is_downloaded_and_resumed_in_every_face(server: Server, chunk: int | None, tmp_path: Path) -> None:
    path = tmp_path / "noise.zip"
    with opened(server, f"download-{chunk}") as (box, uid, body):
        [part] = body.attachments
        told: list[int] = []
        assert box.download(uid, part, path, chunk=chunk, progress=lambda done, total: told.append(done)) == len(ARCHIVE)
        assert path.read_bytes() == ARCHIVE
        assert told == sorted(told)
        path.write_bytes(ARCHIVE[:1_234_567])
        future = box.nowait.download(uid, part.section, path, chunk=chunk, resume=True)
        assert future.result(60) == len(ARCHIVE)
        assert path.read_bytes() == ARCHIVE
        raw, folder = box._link.raw, box.name
        box.close()

        async def again() -> int:
            async with AsyncClient.over(raw).select(folder, readonly=True) as other:
                done: int = await other.download(uid, part, path, chunk=chunk)
                return done

        assert asyncio.run(again()) == len(ARCHIVE)
        assert path.read_bytes() == ARCHIVE


def test_the_whole_message_in_pieces(server: Server, tmp_path: Path) -> None:
    with opened(server, "whole") as (box, uid, _):
        box.download(uid, "", tmp_path / "a", chunk=300_000, window=3)
        assert (tmp_path / "a").read_bytes() == box.read_bytes(uid)


def test_an_archive_is_read_at_its_places(server: Server) -> None:
    with opened(server, "open") as (box, uid, body):
        [part] = body.attachments
        with box.open(uid, part) as file, zipfile.ZipFile(file) as found:
            assert found.read("small") == b"hello"
            assert found.read("noise") == NOISE


def _email() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "appended"
    message.set_content("body\n" * 2000)
    return message


def _path(folder: Path) -> Path:
    path = folder / "a.eml"
    path.write_bytes(letter("appended", "body\r\n" * 200_000).replace(b"\r\n", b"\n"))
    return path


MESSAGES: dict[str, Callable[[Path], Any]] = {
    "EmailMessage": lambda folder: _email(),
    "bytes": lambda folder: letter("appended", "body\r\n" * 2000),
    "a path": _path,
    "a file": lambda folder: io.BytesIO(letter("appended", "body\r\n" * 2000)),
}


@pytest.mark.parametrize("make", MESSAGES.values(), ids=MESSAGES)
def test_a_message_is_appended_and_found_by_its_uid(server: Server, make: Callable[[Path], Any], tmp_path: Path) -> None:
    needing(server, "UIDPLUS")
    with logged_in(server) as raw:
        client, name = Client.over(raw), place(server, "appended")
        raw.create(name)
        told: list[tuple[int, int]] = []
        made = client.append(name, make(tmp_path), flags=["\\Seen"], progress=lambda *each: told.append(each))
        assert told[-1][0] == told[-1][1]
        with client.select(name) as box:
            assert made.uid is not None
            assert made.uidvalidity == box.uidvalidity
            assert box.message(made.uid)["subject"] == "appended"
            assert len(box.read_bytes(made.uid)) == told[-1][1]
