"""A part of a message in pieces: the ranges that are asked for, several at a time, and how they are found in the answers.

RFC 3501 section 6.4.5: ``BODY.PEEK[2]<0.1048576>``; the answer names the section and where the range begins, ``BODY[2]<0>``.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import NamedTuple

from imapkit.errors import NoAnswer
from imapkit.ext.rev1.fetch import part_name
from imapkit.plugin import Begin, Flight, Reply, Wire

__all__ = ["Piece", "Pieces", "piece_in", "range_wire"]


class Piece(NamedTuple):
    """The bytes of a range; ``ranged``: whether the server has said where it begins."""

    data: bytes
    ranged: bool


def piece_in(reply: Reply, uid: int, section: str, start: int) -> Piece | None:
    """The range of a section that begins at ``start``, or the section as a whole; None if the answer has neither."""
    name = f"BODY[{section.upper()}]"
    found: Piece | None = None
    for data in reply.values("FETCH"):
        if data.uid not in (None, uid):
            continue
        for key, value in data.items.items():
            if not (value is None or isinstance(value, bytes)):
                continue
            sent = part_name(key)
            if sent == f"{name}<{start}>":
                return Piece(value or b"", True)
            if sent == name:
                found = Piece(value or b"", False)
    return found


def range_wire(uid: int, section: str, start: int, size: int) -> Wire[Piece | None]:
    """Asks for ``size`` bytes of a section from ``start`` on."""
    items = f"(UID BODY.PEEK[{section}]<{start}.{size}>)"
    return Wire("FETCH", uid, items, uid=True, parse=partial(piece_in, uid=uid, section=section, start=start))


class Pieces:
    """The pieces of one part, in order, from ``start`` on; ``end`` is its size, if that is known.

    The first piece goes alone: some servers answer each with the whole part (QQ), or do not say which piece an answer is. Then
    ``window`` pieces are in flight at a time. Nothing is asked for behind ``end``, unless there turns out to be more.
    """

    def __init__(self, uid: int, section: str, chunk: int, window: int, *, start: int = 0, end: int | None = None) -> None:
        self._uid, self._section, self._chunk, self._window = uid, section, chunk, window
        self._at, self._end = start, end
        self._allowed = 1
        self._flights: deque[tuple[int, bool, Flight[Piece | None]]] = deque()
        """Where each begins, whether it was alone in flight, and the command."""
        self._over = False

    async def next(self) -> bytes:
        """The next bytes; b"" at the end. Raises ``NoAnswer`` if the server says OK and sends none, ``NoResponse``."""
        while not self._over:
            await self._ask()
            if not self._flights:
                break
            start, alone, flight = self._flights.popleft()
            piece = await flight
            if piece is not None:
                return await self._taken(piece, start)
            if alone:
                raise NoAnswer(f"the server said OK, and sent nothing of BODY[{self._section}]: is there a message {self._uid}?")
            # The answers cannot be told apart: from here on one by one.
            await self._alone(start)
        return b""

    async def _ask(self) -> None:
        while len(self._flights) < self._allowed and (self._end is None or self._at < self._end):
            start, self._at = self._at, self._at + self._chunk
            alone = self._allowed == 1
            self._flights.append((start, alone, await Begin(range_wire(self._uid, self._section, start, self._chunk))))

    async def _alone(self, at: int) -> None:
        # (Not dropped: while one is in flight, its answer could be taken for the next one's.)
        while self._flights:
            await self._flights.popleft()[2]
        self._at, self._allowed, self._window = at, 1, 1

    async def _taken(self, piece: Piece, start: int) -> bytes:
        data, size = piece.data, len(piece.data)
        if size > self._chunk:
            # The whole part.
            self._finish()
            return data[start:]
        if size < self._chunk:
            if self._end is None or not size or start + size >= self._end:
                self._finish()
            else:
                # The server gives less at a time than it is asked for.
                await self._alone(start + size)
        elif self._end is not None and start + size > self._end:
            # There is more than the server has said.
            self._end = None
        if piece.ranged:
            self._allowed = self._window
        else:
            self._allowed = self._window = 1
        return data

    def _finish(self) -> None:
        self._over = True
        self.drop()

    def drop(self) -> None:
        """Give up what is in flight."""
        while self._flights:
            self._flights.popleft()[2].drop()
