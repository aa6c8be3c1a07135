"""Debug output, with imaplib2's levels and buffer.

Level 1 shows commands and state changes, level 4 the bytes sent and received. Up to ``buffer_level`` the last 20 lines are kept,
and printed after an error; with a ``level`` above it lines are printed at once. Secrets (``imapkit.core.support.secrets``) and
literals are never shown. The logger "imapkit" of ``logging`` gets every line at any level: at DEBUG, level 0 at WARNING.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from imapkit.core.support.log import has_listeners, logger
from imapkit.core.support.shown import shown

__all__ = ["Trace"]

_KEPT = 20
"""Lines that are kept, to be printed after an error."""


class Trace:
    """Passes lines to ``emit(text, thread name, seconds since the epoch)``, and to the logger."""

    def __init__(self, level: int = 0, buffer_level: int = 3, emit: Callable[[str, str, float], None] | None = None) -> None:
        self.level, self.buffer_level = level, buffer_level
        self.emit = emit
        self.name = ""
        """The name of the connection in the log."""
        self._lock = threading.RLock()
        self._kept: list[tuple[str, str, float]] = []

    def wants(self, level: int) -> bool:
        """Whether a line of this level is printed, kept or logged."""
        return level <= self.level or ("logging" in sys.modules and has_listeners())

    def log(self, level: int, text: str) -> None:
        """Print, keep or log ``text``, as the levels say. It may quote the server; control characters are escaped."""
        text = shown(text)
        try:
            if not level:
                logger().warning("%s: %s", self.name, text)
            elif has_listeners():
                logger().debug("%s: %s", self.name, text)
        except Exception:
            # An exception in the program's handler or filter must not end the connection.
            pass
        if level > self.level:
            return
        line = (text, threading.current_thread().name, time.time())
        with self._lock:
            if level <= 1 or self.level > self.buffer_level:
                self._emit(line)
            if level != 0:
                self._kept.append(line)
                del self._kept[:-_KEPT]

    def dump(self) -> None:
        """Print the last lines, and forget them."""
        if not self.level:
            return
        with self._lock:
            lines = list(self._kept)
            self._kept.clear()
            self._emit((f"last {len(lines)} log messages:", threading.current_thread().name, time.time()))
            for line in lines:
                self._emit(line)

    def _emit(self, line: tuple[str, str, float]) -> None:
        if self.emit is None:
            return
        try:
            self.emit(*line)
        except Exception:
            # An exception of the debug file must not end the connection.
            self.emit = None
