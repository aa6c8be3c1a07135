"""A source that is being sent: the engine makes the ``Upload``, and the sending thread reads it."""

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
    """One source of one command, sent once. ``sent``: how many of its bytes have been sent."""

    __slots__ = ("_progress", "_request", "sent", "source")

    def __init__(self, source: Source, request: Tagged) -> None:
        self.source, self._request = source, request
        self.sent = 0
        self._progress = source.progress

    def pieces(self) -> Generator[bytes | memoryview, None, None]:
        """Its bytes. Raises ``ConnectionClosed`` if they are not as many as announced, or cannot be read.

        If the server answers the command meanwhile (NO: no room), the source is read no further: the program goes on, and may
        have closed the file. The server still expects the announced bytes, which it drops: blanks take the place of the rest.
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
                    raise ConnectionClosed(f"{name}: {_reason(exc)}; half of the command has been sent") from exc
                if piece is None or self._is_over:
                    return
                yield piece

    @property
    def _is_over(self) -> bool:
        return self._request.phase is DONE

    def _note(self, size: int) -> None:
        """Count ``size`` bytes as sent, and call the program's progress function."""
        self.sent += size
        report = self._progress
        if report is None or self._is_over:
            return
        try:
            report(self.sent, self.source.size)
        except Exception:
            self._progress = None
            logger().exception("the progress function of a source raised")


def _reason(exc: Exception) -> str:
    """The text of a source's error: its own if it is about the size, else the exception it raised."""
    text = str(exc)
    return text if text.startswith("its source") else f"its source raised {exc!r}"
