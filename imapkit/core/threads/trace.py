"""What the client did, for debugging: levels and buffer as in imaplib2.

Level 1 shows commands and state changes, 4 what is sent and received. Lines up to ``buffer_level`` are kept, the last 20,
and printed when something goes wrong; with a ``level`` above it they are printed as they come. What a secret command
sends is never shown (``imapkit.core.support.secrets``), nor what is in a literal. The logger "imapkit" of ``logging`` gets every
line, whatever the level here: at DEBUG, level 0 at WARNING.
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
"""Lines that are kept to be shown when something goes wrong."""


class Trace:
    """Passes lines on to ``emit(text, thread name, seconds since the epoch)``."""

    def __init__(self, level: int = 0, buffer_level: int = 3, emit: Callable[[str, str, float], None] | None = None) -> None:
        self.level, self.buffer_level = level, buffer_level
        self.emit = emit
        self.name = ""
        """What the connection is called, in the log."""
        self._lock = threading.RLock()
        self._kept: list[tuple[str, str, float]] = []

    def wants(self, level: int) -> bool:
        """Whether a line of this level goes anywhere."""
        return level <= self.level or ("logging" in sys.modules and has_listeners())

    def log(self, level: int, text: str) -> None:
        """Note ``text``, if the debug level or the logger asks for it; it may quote the server, and is one line."""
        text = shown(text)
        try:
            if not level:
                logger().warning("%s: %s", self.name, text)
            elif has_listeners():
                logger().debug("%s: %s", self.name, text)
        except Exception:
            # A handler or filter of the program's that breaks must not break the connection.
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
            # A broken debug file must not break the connection.
            self.emit = None
