"""A part of a message as a file that can be read and sought, so that a program reads what it needs of a large one.

Bytes are fetched in blocks, and the next block is on its way while one is read. A base64 part is decoded: where a byte is in the
encoded text follows from the length of its lines. A part whose lines differ, or that is quoted-printable, is fetched as a whole
into a temporary file when its size or its bytes are first asked for.
"""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Awaitable
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, TypeVar

from imapkit.core.contract.wires import Begin, Flight
from imapkit.core.drivers.blocking import run
from imapkit.core.drivers.link import deadline_of
from imapkit.errors import NoAnswer
from imapkit.ext.rev1.lines import Lines
from imapkit.ext.rev1.messages import SIZE
from imapkit.ext.rev1.pieces import Piece, range_wire
from imapkit.ext.rev1.typed_streams import LOOK

__all__ = ["open_part"]

T = TypeVar("T")
_BLOCK = 1 << 17
"""About how many bytes a block has."""
_KEPT = 8
"""How many blocks are kept."""
_IN_MEMORY = 1 << 20
"""Bytes of a part fetched as a whole that are kept in memory; more of them go into a temporary file."""


class _Uneven(Exception):
    """The lines of the part differ, or its size is not known."""


class _Blocks:
    """The blocks of a part, by their numbers; ``sent``: how many bytes each takes as it is sent, ``holds``: decoded."""

    def __init__(self, box: Any, uid: int, part: Any, size: int, lines: Lines | None) -> None:
        self._box, self._uid, self._part, self._lines = box, uid, part, lines
        count = _BLOCK if lines is None else max(1, _BLOCK // lines.step)
        self.sent, self.holds = (count, count) if lines is None else (count * lines.step, count * lines.each)
        self._last = max(0, size - 1) // self.sent
        self._rest = size - self._last * self.sent
        """How many bytes the last block takes."""
        self._known: OrderedDict[int, bytes] = OrderedDict()
        self._ahead: tuple[int, Flight[Piece | None]] | None = None
        self._before = -2
        """The block that was read last: when they are read in order, the next one is asked for."""
        self.size = self._last * self.holds + len(self.read(self._last))

    def read(self, number: int) -> bytes:
        """A block. Raises ``_Uneven``."""
        data = self._known.get(number)
        if data is None:
            data = self._known[number] = self._decoded(number, self._fetched(number))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(number)
        return data

    def _fetched(self, number: int) -> bytes:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] != number:
            ahead[1].drop()
            ahead = None
        flight = self._asked(number) if ahead is None else ahead[1]
        if number == self._before + 1 and number < self._last:
            self._ahead = (number + 1, self._asked(number + 1))
        self._before = number
        piece = _run(self._box, _await(flight))
        if piece is None:
            raise NoAnswer(f"the server sent nothing of BODY[{self._part.section}]: is there a message {self._uid}?")
        if not piece.ranged:
            raise _Uneven
        return piece.data

    def _asked(self, number: int) -> Flight[Piece | None]:
        wire = range_wire(self._uid, self._part.section, number * self.sent, self.sent)
        flight: Flight[Piece | None] = _run(self._box, _await(Begin(wire)))
        return flight

    def _decoded(self, number: int, data: bytes) -> bytes:
        if len(data) != (self.sent if number < self._last else self._rest):
            # The server has not said the true size, or gives less at a time.
            raise _Uneven
        if self._lines is not None and not self._lines.fit(data):
            raise _Uneven
        decoded: bytes = self._part.decode(data)
        if number < self._last and len(decoded) != self.holds:
            raise _Uneven
        return decoded

    def drop(self) -> None:
        """Give up what is on its way."""
        if self._ahead is not None:
            self._ahead[1].drop()
            self._ahead = None


class _PartFile(io.RawIOBase):
    """Reads by blocks; where that is not possible, from a temporary file that holds the whole part."""

    def __init__(self, box: Any, uid: int, given: Any, part: Any) -> None:
        self._box, self._uid, self._given, self._part = box, uid, given, part
        self.name = f"{uid}[{part.section}]"
        self._at = 0
        self._spool: Any = None
        self._blocks: _Blocks | None = None
        try:
            self._blocks = self._made()
        except _Uneven:
            self._fetch_all()

    def _made(self) -> _Blocks:
        """The blocks. Raises ``_Uneven``."""
        part, size = self._part, self._part.size
        if part.section == "" and size is None:
            size = _run(self._box, self._box._within()._one(self._uid, SIZE)).size
        if size is None:
            raise _Uneven
        if part.is_plain or not size:
            return _Blocks(self._box, self._uid, part, size, None)
        lines = None
        if part.is_base64:
            lines = Lines.of(_run(self._box, self._box._within()._range(self._uid, part.section, 0, LOOK)))
        if lines is None:
            raise _Uneven
        return _Blocks(self._box, self._uid, part, size, lines)

    def _fetch_all(self) -> None:
        if self._blocks is not None:
            self._blocks.drop()
            self._blocks = None
        self._spool = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (``close`` closes it)
        self._box.download(self._uid, self._given, self._spool)

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; 0 at the end."""
        self._check()
        view = memoryview(buffer).cast("B")
        data = self._piece(len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _piece(self, size: int) -> bytes:
        if self._blocks is not None:
            try:
                return self._of_blocks(self._blocks, size)
            except _Uneven:
                self._fetch_all()
        self._spool.seek(self._at)
        data: bytes = self._spool.read(size)
        return data

    def _of_blocks(self, blocks: _Blocks, size: int) -> bytes:
        if self._at >= blocks.size or not size:
            return b""
        number, start = divmod(self._at, blocks.holds)
        return blocks.read(number)[start : start + size]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; past the end, too."""
        self._check()
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size() if whence == os.SEEK_END else 0}[whence]
        if start + offset < 0:
            raise ValueError(f"negative seek position {start + offset}")
        self._at = start + offset
        return self._at

    def _size(self) -> int:
        if self._blocks is not None:
            return self._blocks.size
        return int(self._spool.seek(0, os.SEEK_END))

    def _check(self) -> None:
        if self.closed:
            raise ValueError("read of a closed file")

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """Give up what is on its way."""
        if not self.closed:
            if self._blocks is not None:
                self._blocks.drop()
            if self._spool is not None:
                self._spool.close()
        super().close()


async def _await(step: Awaitable[T]) -> T:
    return await step


def _run(box: Any, work: Awaitable[T]) -> T:
    made: T = run(box, work, deadline_of(box))
    return made


def open_part(box: Any, uid: int, part: Any) -> BinaryIO:
    """The file; see ``Mailbox.open``."""
    found = _run(box, box._within()._part(uid, part))
    return io.BufferedReader(_PartFile(box, uid, part, found), _BLOCK)
