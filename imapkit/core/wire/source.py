"""A string that is read as it is sent: a file, or an iterable, whose size is known before; RFC 3501 section 4.3."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Any, Protocol, TypeAlias

from imapkit.errors import ArgumentError

__all__ = ["PIECE", "Content", "Progress", "Readable", "Source", "is_file"]

PIECE = 1 << 17
"""The most bytes that are read, and sent, at a time."""


class Readable(Protocol):
    """A binary file, as far as a source needs it."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; b"" at the end."""
        ...


Content: TypeAlias = "bytes | Readable | Iterable[bytes] | Callable[[], Readable | Iterable[bytes]]"
"""What a source is read from: bytes, a binary file, pieces, or a function that opens one of the latter."""
Progress: TypeAlias = Callable[[int, int], object]
"""Called as ``progress(sent, size)``: how many bytes have been sent by now, and how many there are."""


class Source:
    """A literal that is read piece by piece as it is sent, so that it is never in memory as a whole.

    ``size`` is the number of bytes. ``content`` is what they are read from: a binary file, from where it stands now (if it can
    seek, that place is found again each time the source is sent); an iterable of bytes; or a function that opens one of these,
    called when the server is ready for the bytes. What the function opens is closed, too; an open file is left open.

    The courier thread reads, at most 128 KiB at a time: not the caller, nor the thread that receives. It may wait for its
    bytes; other commands of the connection wait with it, since half a command has been sent, and if nothing comes for
    ``Timeouts.progress`` the connection ends. It may not issue a blocking command on the same connection
    (``NestedCommandError``). ``progress(sent, size)`` is called on that thread behind each piece; what it raises is logged, and
    it is not called again.

    A source with too few or too many bytes, or one that raises, ends the connection with ``ConnectionClosed``: half a command
    cannot be taken back. Its last piece is not sent, so that no server takes what it got for the whole. What can be seen at once
    (pieces in a list, a file that can seek) raises ``ArgumentError`` here, and nothing is sent. When the server refuses the
    command half way, the source is read no further, and blanks are sent in place of the rest of what was announced.

    ``binary``: sent as a literal8 (RFC 3516 section 4.4). ``ascii``: known to hold no byte above 127.
    """

    __slots__ = ("__weakref__", "_content", "_spent", "_start", "ascii", "binary", "progress", "size")

    def __init__(
        self, size: int, content: Content, progress: Progress | None = None, *, binary: bool = False, ascii: bool = False
    ) -> None:
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ArgumentError(f"the size of a source is a number of bytes, not {size!r:.40}")
        if isinstance(content, (bytes, bytearray, memoryview)):
            content = (bytes(content),)
        if isinstance(content, io.TextIOBase):
            raise ArgumentError("a source reads bytes: open the file in binary mode")
        if not (callable(content) or hasattr(content, "read") or hasattr(content, "__iter__")):
            raise ArgumentError(f"a source is read from a file, pieces, or a function, not from {type(content).__name__}")
        self.size, self.progress, self.binary, self.ascii = size, progress, binary, ascii
        self._content: Any = content
        self._start: int | None = None
        self._spent: list[bool] = []
        """Not empty once what can be read once only has been read; the literal8 form shares it."""
        there = self._bytes_there()
        if there is not None and there != size:
            raise ArgumentError(f"the source holds {there} bytes, not {size}")

    def _bytes_there(self) -> int | None:
        """How many bytes there are, where that can be seen without reading."""
        content = self._content
        if isinstance(content, (list, tuple)):
            return sum(map(len, content))
        if not hasattr(content, "read") or not getattr(content, "seekable", bool)():
            return None
        self._start = here = content.tell()
        end = content.seek(0, io.SEEK_END)
        content.seek(here)
        return max(0, int(end) - int(here))

    def as_literal8(self) -> Source:
        """The same source, sent as a literal8."""
        twin: Source = object.__new__(Source)
        for name in Source.__slots__[1:]:
            setattr(twin, name, getattr(self, name))
        twin.binary = True
        return twin

    def pieces(self) -> Generator[bytes | memoryview, None, None]:
        """The bytes, ``PIECE`` at most at a time. Raises ``ValueError`` if they are not ``size``, and what reading raises.

        The last piece comes when the end has been seen.
        """
        left, held = self.size, None
        with contextlib.ExitStack() as stack:
            for piece in self._read(stack):
                left -= len(piece)
                if left < 0:
                    raise ValueError(f"its source holds more than {self.size} bytes")
                if held is not None:
                    yield held
                held = piece
            if left:
                raise ValueError(f"its source ended after {self.size - left} of {self.size} bytes")
            if held is not None:
                yield held

    def _read(self, stack: contextlib.ExitStack) -> Iterator[bytes | memoryview]:
        content = self._opened(stack)
        found: Iterable[Any] = iter(partial(content.read, PIECE), b"") if hasattr(content, "read") else content
        for piece in found:
            yield from _cut(piece)

    def _opened(self, stack: contextlib.ExitStack) -> Any:
        """What is read now, from its beginning; ``stack`` closes it if it is the source's own. Raises ``ValueError``."""
        content = self._content
        if callable(content):
            opened: Any = content()
            if hasattr(opened, "close"):
                stack.callback(opened.close)
            return opened
        if self._start is not None:
            content.seek(self._start)
        elif not isinstance(content, (list, tuple)):
            if self._spent:
                raise ValueError("its source has been read before, and can be read once only")
            self._spent.append(True)
        return content

    def __repr__(self) -> str:
        return f"<Source of {self.size} bytes>"


def _cut(piece: Any) -> Iterator[bytes | memoryview]:
    """What a source gave, in pieces that may be sent at once. Raises ``TypeError``."""
    if not isinstance(piece, bytes):
        if not isinstance(piece, (bytearray, memoryview)):
            raise TypeError(f"its source gave {type(piece).__name__} instead of bytes")
        # It may be filled anew before it has been sent.
        piece = bytes(piece)
    if len(piece) <= PIECE:
        if piece:
            yield piece
        return
    view = memoryview(piece)
    for at in range(0, len(view), PIECE):
        yield view[at : at + PIECE]


def is_file(value: Any) -> bool:
    """Whether an argument is a file, or a path to one."""
    return hasattr(value, "read") or hasattr(value, "__fspath__")
