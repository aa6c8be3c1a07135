"""Parts of messages as files that can be sought."""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from imapkit import MailboxClosed, NoAnswer
from tests.core.rig import until
from tests.drivers.mails import UID, Mails, encoded, serving, structure
from tests.drivers.test_typed_streams import nameless, short, whole, with_length

DATA = os.urandom(700_001)


def zipped() -> bytes:
    """An archive whose directory is far behind its first file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("large", DATA)
        archive.writestr("small", b"hello")
    return file.getvalue()


def mail(text: bytes, encoding: bytes = b"BASE64", **options: Any) -> Mails:
    return Mails({b"2": text, b"TEXT": text, b"": text}, structure(len(text), encoding), **options)


FORMS: dict[str, tuple[Callable[[bytes], bytes], bytes]] = {
    "base64": (encoded, b"BASE64"),
    "short lines": (lambda data: encoded(data, 60, b"\n"), b"base64"),
    "uneven lines": (lambda data: encoded(data[:300_000]) + encoded(data[300_000:], 60), b"BASE64"),
    "one line": (lambda data: encoded(data, 1 << 30), b"BASE64"),
    "lines behind": (lambda data: encoded(data) + b"\r\n\r\n", b"BASE64"),
    "plain": (bytes, b"8BIT"),
    "quoted-printable": (
        lambda data: b"".join(b"=%02X" % each + b"=\r\n" * (at % 20 == 19) for at, each in enumerate(data)),
        b"QUOTED-PRINTABLE",
    ),
}


@pytest.mark.parametrize(("encode", "encoding"), FORMS.values(), ids=FORMS)
def test_any_place_can_be_read(encode: Callable[[bytes], bytes], encoding: bytes, rng: random.Random) -> None:
    data = DATA[:400_003]
    with serving(mail(encode(data), encoding)) as (box, _), box.open(UID, "2") as file, io.BytesIO(data) as same:
        assert file.seek(0, os.SEEK_END) == len(data)
        for _ in range(30):
            place, size = rng.randrange(len(data) + 9), rng.choice((1, 100, 70_000))
            assert file.seek(place) == same.seek(place)
            assert file.read(size) == same.read(size)
            assert file.tell() == same.tell()
        file.seek(0)
        assert file.read() == data


def test_an_archive_is_read_without_its_large_file() -> None:
    mails = mail(encoded(zipped()))
    with serving(mails) as (box, _), zipfile.ZipFile(box.open(UID, "2")) as archive:
        assert archive.namelist() == ["large", "small"]
        assert archive.read("small") == b"hello"
        few = len(mails.asked)
        assert archive.read("large") == DATA
    assert few <= 4
    assert len(mails.asked) > few


def test_the_next_block_is_asked_for_while_one_is_read() -> None:
    mails = mail(DATA, b"8BIT")
    with serving(mails) as (box, _), box.open(UID, "2") as file:
        file.read(150_000)
        until(lambda: mails.asked[-1] == b"(UID BODY.PEEK[2]<262144.131072>)", "it is not asked for")


@pytest.mark.parametrize("form", [whole, nameless, with_length, short])
def test_servers_that_answer_in_another_way(form: Callable[..., bytes]) -> None:
    with serving(mail(encoded(DATA), form=form)) as (box, _), box.open(UID, "2") as file:
        file.seek(-10, os.SEEK_END)
        assert file.read() == DATA[-10:]


@pytest.mark.parametrize("lie", [-1, 1, -200_000, 200_000, -len(DATA)])
def test_a_size_that_is_not_true(lie: int) -> None:
    mails = mail(DATA, b"8BIT")
    mails.body = structure(len(DATA) + lie, b"8BIT")
    with serving(mails) as (box, _), box.open(UID, "2") as file:
        found = file.read()
        assert found == DATA or lie <= -200_000


def test_sections_that_are_no_part() -> None:
    with serving(mail(DATA)) as (box, _), box.open(UID, "TEXT") as file:
        assert file.read() == DATA


def test_an_empty_part() -> None:
    with serving(mail(b"")) as (box, _), box.open(UID, "2") as file:
        assert file.read() == b""


def test_what_is_not_there_and_what_was_left() -> None:
    with serving(mail(DATA, b"8BIT")) as (box, _):
        with pytest.raises(NoAnswer):
            box.open(8, "2")
        file = box.open(UID, "2")
        with pytest.raises(ValueError, match="negative"):
            file.seek(-1)
        file.read(10)
        box.close()
        with pytest.raises(MailboxClosed):
            file.read()
        file.close()
        with pytest.raises(ValueError, match="closed"):
            file.read()
