"""Sources: bytes that are read as they are sent, and files whose line ends become CRLF."""

from __future__ import annotations

import gc
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imapkit.core.grammar.append import message, message_source
from imapkit.core.grammar.files import file_source
from imapkit.core.wire.pieces import Late, Literal
from imapkit.core.wire.source import PIECE, Source
from imapkit.errors import ArgumentError

LARGE = bytes(range(256)) * (3 * PIECE // 256 + 7)


def read(source: Source) -> bytes:
    return b"".join(source.pieces())


class Opened(io.BytesIO):
    """A file that counts how often it is read, and cannot seek unless it may."""

    def __init__(self, data: bytes, *, seeks: bool = False) -> None:
        super().__init__(data)
        self.seeks, self.largest = seeks, 0

    def seekable(self) -> bool:
        return self.seeks

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size > 0, "read to the end"
        self.largest = max(self.largest, size)
        return super().read(size)


@pytest.mark.parametrize(
    "content",
    [
        LARGE,
        [LARGE],
        iter([LARGE[:1], b"", LARGE[1:]]),
        Opened(LARGE),
        Opened(LARGE, seeks=True),
        lambda: Opened(LARGE),
        lambda: iter([bytearray(LARGE)]),
    ],
    ids=["bytes", "list", "iterator", "stream", "file", "opens a file", "opens an iterator"],
)
def test_all_of_it_comes_in_pieces(content: Any) -> None:
    source = Source(len(LARGE), content)
    pieces = list(source.pieces())
    assert b"".join(pieces) == LARGE
    assert max(map(len, pieces)) <= PIECE
    if isinstance(content, Opened):
        assert content.largest <= PIECE
        assert not content.closed


def test_a_file_that_the_function_opens_is_closed_at_any_end() -> None:
    opened: list[Opened] = []

    def open_it() -> Opened:
        opened.append(Opened(LARGE))
        return opened[-1]

    source = Source(len(LARGE), open_it)
    assert read(source) == read(source) == LARGE
    half = source.pieces()
    next(half)
    half.close()
    assert [each.closed for each in opened] == [True] * 3


def test_a_file_is_read_from_where_it_stood_each_time_it_is_sent() -> None:
    file = io.BytesIO(b"head" + LARGE)
    file.seek(4)
    source = Source(len(LARGE), file)
    assert file.tell() == 4
    assert read(source) == read(source) == LARGE


def test_an_iterator_is_read_once_in_either_form() -> None:
    source = Source(2, iter([b"ab"]))
    assert read(source) == b"ab"
    with pytest.raises(ValueError, match="read before"):
        read(source.as_literal8())


def test_a_buffer_that_is_filled_again_may_be_given() -> None:
    def pieces() -> Iterator[bytes]:
        buffer = bytearray(2)
        for text in (b"ab", b"cd", b"ef"):
            buffer[:] = text
            yield buffer  # type: ignore[misc]

    assert read(Source(6, pieces())) == b"abcdef"


@pytest.mark.parametrize(("size", "words"), [(4, "more than 4 bytes"), (6, "ended after 5 of 6 bytes")])
@pytest.mark.parametrize("pieces", [[b"ab", b"cde"], [b"abcde"], [b"abcd", b"e"]], ids=len)
def test_another_size_than_was_said_is_found_before_the_last_piece(size: int, words: str, pieces: list[bytes]) -> None:
    came: list[bytes | memoryview] = []
    with pytest.raises(ValueError, match=words):
        came.extend(Source(size, iter(pieces)).pieces())
    assert sum(map(len, came)) < size


def test_nothing_is_a_size_too() -> None:
    assert read(Source(0, b"")) == b""
    with pytest.raises(ValueError, match="more than 0"):
        read(Source(0, iter([b"x"])))


@pytest.mark.parametrize(
    ("size", "content", "words"),
    [
        (3, b"ab", "holds 2 bytes, not 3"),
        (3, [b"ab"], "holds 2 bytes, not 3"),
        (3, io.BytesIO(b"ab"), "holds 2 bytes, not 3"),
        (-1, b"", "not -1"),
        (True, b"x", "not True"),
        ("1", b"x", "not '1'"),
        (1, io.StringIO("x"), "binary mode"),
        (1, 1, "not from int"),
        (1, None, "not from NoneType"),
    ],
)
def test_a_source_that_is_wrong_at_once_is_refused(size: Any, content: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        Source(size, content)


@pytest.mark.parametrize("piece", ["text", 1, None, [b"x"]], ids=lambda piece: type(piece).__name__)
def test_a_piece_must_be_bytes(piece: Any) -> None:
    with pytest.raises(TypeError, match=type(piece).__name__):
        read(Source(4, iter([piece])))


# files


ENDS = b"a\r\nb\nc\rd\r\r\n\n\ne\r"
CRLF = b"a\r\nb\r\nc\r\nd\r\n\r\n\r\n\r\ne\r\n"


@pytest.fixture(params=["path", "file", "stream"])
def filed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A function that makes a file of bytes: by its path, open, or one that cannot seek."""
    opened: list[Any] = []

    def make(data: bytes) -> Any:
        path = tmp_path / "message"
        path.write_bytes(data)
        if request.param == "path":
            return path
        if request.param == "file":
            opened.append(path.open("rb"))
        else:
            into, out = os.pipe()
            opened.append(os.fdopen(into, "rb"))

            def write() -> None:
                with os.fdopen(out, "wb") as pipe:
                    pipe.write(data)

            threading.Thread(target=write).start()
        return opened[-1]

    yield make
    for file in opened:
        file.close()


@pytest.mark.parametrize("data", [ENDS, CRLF, b"", b"\r", b"\n", b"x" * PIECE, b"x" * (PIECE - 1) + b"\r\n\r", LARGE * 4])
def test_line_ends_of_files_become_crlf(filed: Any, data: bytes) -> None:
    wanted = message(data)
    literal = wanted.off[0] if isinstance(wanted, Late) else wanted
    assert isinstance(literal, Literal)
    source = file_source(filed(data))
    assert source.size == len(literal.data)
    assert read(source) == literal.data
    assert source.ascii == data.isascii()


def test_an_open_file_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"head\nbody\n")
    file.seek(5)
    source = file_source(file)
    file.seek(0)
    assert read(source) == b"body\r\n"
    assert not file.closed


def test_the_copy_of_a_stream_goes_with_its_source() -> None:
    """Also if it has never been sent: else its ``ResourceWarning`` would fail this test."""
    source = file_source(Opened(LARGE * 10))
    assert source.size > 1 << 20
    del source
    gc.collect()


@pytest.mark.parametrize("file", [io.StringIO("text"), b"bytes", "text", 1], ids=lambda file: type(file).__name__)
def test_a_file_must_be_binary(file: Any) -> None:
    with pytest.raises(ArgumentError, match="reading bytes"):
        file_source(file)


def test_a_file_that_returns_text_is_refused() -> None:
    class TextFile:
        def read(self, size: int) -> str:
            return "text"

    with pytest.raises(ArgumentError, match="binary mode"):
        file_source(TextFile())


def test_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        message(tmp_path / "nowhere")


# as a message


def test_eight_bits_go_as_a_literal8_where_utf8_is_on() -> None:
    plain, eight = message(io.BytesIO(b"plain\n")), message(io.BytesIO(b"\xe4\n"))
    assert isinstance(plain, Source)
    assert isinstance(eight, Late)
    [off], (before, on, behind) = eight
    assert isinstance(off, Source)
    assert isinstance(on, Source)
    assert (off.binary, on.binary) == (False, True)
    assert (before, behind) == (b"UTF8 (", b")")
    assert read(off) == read(on) == b"\xe4\r\n"


def test_a_source_is_sent_as_it_is() -> None:
    known, unknown = Source(1, b"\n", ascii=True), Source(1, b"\n")
    assert message(known) is known
    late = message(unknown)
    assert isinstance(late, Late)
    assert late.off == (unknown,)


@pytest.mark.parametrize("value", [b"a\n", "a\n", io.BytesIO(b"a\n")], ids=lambda value: type(value).__name__)
def test_progress_of_any_message(value: Any) -> None:
    source = message_source(value, print)
    assert read(source) == b"a\r\n"
    assert source.progress is print


def test_a_source_has_its_own_progress() -> None:
    with pytest.raises(ArgumentError, match="of its own"):
        message_source(Source(0, b""), print)
