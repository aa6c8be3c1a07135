"""A source on its way: the engine makes it, and the thread that sends reads it."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from imapkit.core.engine.phases import DONE, Tagged
from imapkit.core.support.log import logger
from imapkit.core.wire.source import PIECE
from imapkit.errors import ConnectionClosed

if TYPE_CHECKING:
    from imapkit.core.wire.source import Source

__all__ = ["Upload"]

_BLANKS = memoryview(b" " * PIECE)


class Upload:
    """One source of one command; it is sent once. ``sent``: how many of its bytes have been."""

    __slots__ = ("_request", "_tells", "sent", "source")

    def __init__(self, source: Source, request: Tagged) -> None:
        self.source, self._request = source, request
        self.sent = 0
        self._tells = source.progress

    def pieces(self) -> Generator[bytes | memoryview, None, None]:
        """Its bytes. Raises ``ConnectionClosed`` if they are not what was announced, or cannot be read.

        If the server answers the command meanwhile (NO: no room), the source is read no further: its program goes on, and may
        have closed the file. The server has been told how many bytes come, and drops them: blanks take the place of the rest.
        """
        for piece in () if self._is_over else self._read():
            yield piece
            self._note(len(piece))
        while rest := self.source.size - self.sent:
            blanks = _BLANKS[: min(rest, PIECE)]
            yield blanks
            self.sent += len(blanks)

    def _read(self) -> Iterator[bytes | memoryview]:
        with contextlib.closing(self.source.pieces()) as pieces:
            while True:
                try:
                    piece = next(pieces, None)
                except Exception as exc:
                    if self._is_over:
                        return
                    name = self._request.call.name
                    raise ConnectionClosed(f"{name}: {_told(exc)}; half of the command has been sent") from exc
                if piece is None or self._is_over:
                    return
                yield piece

    @property
    def _is_over(self) -> bool:
        return self._request.phase is DONE

    def _note(self, size: int) -> None:
        """So many more bytes have been sent: tell the program."""
        self.sent += size
        tell = self._tells
        if tell is None or self._is_over:
            return
        try:
            tell(self.sent, self.source.size)
        except Exception:
            self._tells = None
            logger().exception("the progress function of a source raised")


def _told(exc: Exception) -> str:
    """What went wrong with a source: its own words if it is about its size, else what it raised."""
    text = str(exc)
    return text if text.startswith("its source") else f"its source raised {exc!r}"
