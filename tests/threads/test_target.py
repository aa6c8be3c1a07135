"""Where a body is written: paths that are opened late and closed by any thread, and files that take a part only."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import pytest

from imapkit.core.threads.target import Target
from imapkit.errors import ArgumentError


def test_a_path_is_opened_when_bytes_come(tmp_path: Path) -> None:
    path = tmp_path / "a"
    target = Target(path)
    assert target.there() == 0
    assert not path.exists()
    target.write(b"ab")
    target.write(b"cd")
    target.end()
    assert path.read_bytes() == b"abcd"
    Target(path).end()
    assert path.read_bytes() == b"", "what was there is not kept"


def test_what_is_there_is_kept_if_it_is_to_be(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert Target(path, resume=True).there() == 0
    path.write_bytes(b"abcd")
    target = Target(path, resume=True)
    assert target.there() == 4
    assert target.end_of(2) == b"cd"
    target.write(b"ef")
    target.end()
    assert path.read_bytes() == b"abcdef"
    target = Target(path, resume=True)
    target.begin_again()
    target.end()
    assert path.read_bytes() == b""


class Slow(io.RawIOBase):
    """Takes one byte at a time."""

    def __init__(self) -> None:
        self.taken = b""

    def write(self, data: Any) -> int:
        self.taken += bytes(data[:1])
        return 1


def test_a_file_that_takes_a_part_gets_the_rest_and_stays_open() -> None:
    file = Slow()
    target = Target(file)
    target.write(b"abc")
    target.end()
    assert file.taken == b"abc"
    assert not file.closed
    with pytest.raises(ValueError, match="not wanted"):
        target.write(b"d")


def test_a_file_is_closed_behind_the_write_that_is_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(tmp_path / "a")
    target.write(b"ab")
    come, go, file = threading.Event(), threading.Event(), target._opened()

    def stalled(opened: Any, data: bytes) -> None:
        come.set()
        assert go.wait(10)
        opened.write(data)

    monkeypatch.setattr(target, "_write_all", stalled)
    writer = threading.Thread(target=target.write, args=(b"cd",))
    writer.start()
    assert come.wait(10)
    target.leave()
    assert not file.closed, "its descriptor could be another file's by then"
    go.set()
    writer.join()
    assert file.closed
    assert (tmp_path / "a").read_bytes() == b"abcd"


def test_what_is_no_target() -> None:
    with pytest.raises(ArgumentError):
        Target("a name")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError):
        Target(io.BytesIO(), resume=True)
