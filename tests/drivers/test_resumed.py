"""A download that goes on where it was: by the bytes that the file has."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from imapkit.errors import ArgumentError
from tests.drivers.mails import UID, Mails, encoded, serving
from tests.drivers.test_typed_streams import CHUNK, DATA, TEXT, WAYS, mail, whole


@WAYS
@pytest.mark.parametrize("there", [0, 1, 56, 57, 12_345, len(DATA) - 1, len(DATA)])
def test_an_encoded_part_goes_on_where_it_was(there: int, chunk: int | None, tmp_path: Path) -> None:
    path, mails = tmp_path / "a", mail()
    path.write_bytes(DATA[:there])
    with serving(mails) as (box, _):
        assert box.download(UID, "2", path, chunk=chunk, resume=True) == len(DATA)
    assert path.read_bytes() == DATA
    starts = [int(items.split(b"<")[1].split(b".")[0]) for items in mails.asked if b"<" in items]
    if there > 1000:
        assert starts[2] >= there * 4 // 3 - 500, "little comes twice"


@WAYS
@pytest.mark.parametrize("form", [Mails.literal, whole])
@pytest.mark.parametrize("there", [0, 1, 12_345, len(DATA)])
def test_a_plain_part_goes_on_where_it_was(there: int, chunk: int | None, form: Callable[..., bytes], tmp_path: Path) -> None:
    path, mails = tmp_path / "a", mail(DATA, b"8BIT", form=form)
    path.write_bytes(DATA[:there])
    with serving(mails) as (box, _):
        assert box.download(UID, "2", path, chunk=chunk, resume=True) == len(DATA)
    assert path.read_bytes() == DATA


@pytest.mark.parametrize(
    ("text", "there"),
    [
        (encoded(DATA[:50_001], 76) + encoded(DATA[50_001:], 60), DATA[:80_000]),
        (TEXT, b"another file"),
        (TEXT, DATA[:50_000] + b"x"),
        (TEXT, DATA * 2),
        (TEXT.replace(b"\r\n", b""), DATA[:50_000]),
    ],
    ids=["uneven lines", "another file", "another end", "too much", "no lines"],
)
def test_what_cannot_be_resumed_begins_again(text: bytes, there: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(there)
    with serving(mail(text)) as (box, _):
        assert box.download(UID, "2", path, chunk=CHUNK, resume=True) == len(DATA)
    assert path.read_bytes() == DATA


def test_a_file_of_the_programs_cannot_be_resumed() -> None:
    with serving(mail()) as (box, _), pytest.raises(ArgumentError):
        box.download(UID, "2", io.BytesIO(), resume=True)
