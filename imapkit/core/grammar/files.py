"""Files as messages: one pass counts the bytes once every line end is CRLF, a second one sends them.

The one place of the core that opens files, by paths that the program gives.
"""

from __future__ import annotations

import contextlib
import io
import weakref
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from imapkit.core.grammar.strings import with_crlf
from imapkit.core.wire.source import PIECE, Content, Progress, Source, is_file
from imapkit.errors import ArgumentError

__all__ = ["file_source"]

_IN_MEMORY = 1 << 20
"""Bytes of a stream that cannot seek that are kept in memory; more of them go into a temporary file."""


def file_source(value: Any, progress: Progress | None = None) -> Source:
    """A file, or the path of one, as a source whose line ends are CRLF: the message that ``append`` sends.

    The file is read once here, to count, and once more as it is sent: it must not change in between, and an open file must not be
    used. A stream that cannot seek is copied into a temporary file. Raises ``ArgumentError`` for anything but a binary file, and
    ``OSError``.
    """
    if hasattr(value, "__fspath__"):
        with open(value, "rb") as file:
            return _counted(file, partial(open, value, "rb"), progress)
    if not is_file(value) or isinstance(value, io.TextIOBase):
        raise ArgumentError(f"a file must be open for reading bytes: {value!r:.80}")
    if getattr(value, "seekable", bool)():
        return _counted(value, partial(_again, value, value.tell()), progress)
    return _spooled(value, progress)


class _Again:
    """The program's open file, from a place in it: it has no ``close``, so that it stays open."""

    def __init__(self, file: Any) -> None:
        self.read = file.read


def _again(file: Any, start: int) -> _Again:
    file.seek(start)
    return _Again(file)


def _counted(file: Any, content: Any, progress: Progress | None) -> Source:
    size, ends, ascii_only = 0, False, True
    for piece in _chunks(file):
        added = _bare_ends(piece)
        size += len(piece) + added
        ends = ends or bool(added)
        ascii_only = ascii_only and piece.isascii()
    return Source(size, partial(_opened_and_converted, content) if ends else content, progress, ascii=ascii_only)


def _spooled(stream: Any, progress: Progress | None) -> Source:
    from tempfile import SpooledTemporaryFile

    spool = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (closed when the source goes, or once it has been sent)
    size, ascii_only = 0, True
    try:
        for piece in _converted(_chunks(stream)):
            size += spool.write(piece)
            ascii_only = ascii_only and piece.isascii()
    except BaseException:
        spool.close()
        raise
    content: Content = partial(_again, spool, 0)
    source = Source(size, content, progress, ascii=ascii_only)
    weakref.finalize(source, spool.close)
    return source


def _chunks(file: Any) -> Iterator[bytes]:
    """The bytes of a file, in pieces that do not end between CR and LF. Raises ``ArgumentError`` for other types."""
    held = b""
    while chunk := file.read(PIECE):
        if not isinstance(chunk, bytes):
            raise ArgumentError(f"a file must give bytes, not {type(chunk).__name__}: open it in binary mode")
        chunk = held + chunk
        held = b"\r" if chunk.endswith(b"\r") else b""
        if piece := chunk.removesuffix(held):
            yield piece
    if held:
        yield held


def _bare_ends(piece: bytes) -> int:
    """How many line ends of a piece are a CR or LF alone: each grows by one byte."""
    ends = piece.count(b"\r\n")
    return piece.count(b"\n") + piece.count(b"\r") - 2 * ends


def _converted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces with every line end CRLF."""
    for piece in pieces:
        yield with_crlf(piece) if _bare_ends(piece) else piece


def _opened_and_converted(content: Any) -> Iterator[bytes]:
    file = content()
    with contextlib.closing(file) if hasattr(file, "close") else contextlib.nullcontext():
        yield from _converted(_chunks(file))
