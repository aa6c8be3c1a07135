"""The reader thread of a connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from imapkit.core.threads.steps import reason_for

if TYPE_CHECKING:
    from imapkit.core.threads.courier import Courier
    from imapkit.core.threads.intake import Intake
    from imapkit.core.threads.steps import Steps
    from imapkit.core.transport.layers import Layers
    from imapkit.errors import error

__all__ = ["Reader", "Resting"]

_READ, _LARGE_READ, _LITERAL_READ = 1 << 16, 1 << 18, 1 << 20
"""Memory for more than 128 KiB is mapped and unmapped for each read, which costs more than a short answer does."""
_LONG = 1e6
_SILENCE, _LONGEST_SILENCE = 0.25, 8.0
_LOOK = 1.0
"""Seconds after which the reader thread looks whether an answer is owed, where it can send filler to a silent server."""
_MANY, _PAUSE = 32, 0.0005
"""With ``_MANY`` commands in flight the reader waits ``_PAUSE`` seconds before a read, so that answers come together."""


class Resting(Protocol):
    """A strategy by which the reader thread leaves the reading to callers for a while."""

    def begin(self) -> None:
        """The reader thread begins to read."""

    def rest(self) -> None:
        """The reader thread has read, and may rest."""


class Reader:
    """Reads until the end of the connection; ``fail`` ends it."""

    def __init__(
        self, steps: Steps, courier: Courier, intake: Intake, layers: Layers, fail: Callable[[error], None], name: str
    ) -> None:
        self._steps, self._courier, self._intake, self._layers, self._fail = steps, courier, intake, layers, fail
        self._engine = steps.engine
        self.size = _READ
        self.ident = 0
        """The ident of the thread that reads, which must not wait for an answer; or 0."""
        self.inline: Resting | None = None
        self.thread = threading.Thread(target=self._serve, name=f"{name} reader", daemon=True)

    def _serve(self) -> None:
        inline = self.inline
        try:
            self._intake.take_left()
            if inline is not None:
                inline.begin()
            self.ident = threading.get_ident()
            while self._engine.closed is None:
                self._steps.served = 0
                self._wait()
                self.read_once()
                if inline is not None:
                    inline.rest()
        except BaseException as exc:
            # SystemExit, too: a plugin's function, or a subclass's read, may raise anything.
            self._fail(reason_for(exc))
        finally:
            self.ident = 0
            self._layers.transport.close()

    def read_once(self) -> None:
        """Read once, and take in what has come. An error ends the connection."""
        try:
            data = self._receive()
            if data:
                self._intake.take_in(data)
                if len(data) >= _READ or self.size != _READ:
                    self.size = self._next_size(len(data))
            else:
                reason = self._intake.end()
                self._intake.take_torn()
                self._fail(reason)
        except Exception as exc:
            self._fail(reason_for(exc))

    def _receive(self) -> bytes:
        """The received bytes; b"" at the end."""
        try:
            return self._layers.transport.read(self.size)
        except OSError:
            self._intake.take_torn()
            raise

    def _next_size(self, read: int) -> int:
        """The size of the next read, after one of ``read`` bytes."""
        if read < _READ:
            return _READ
        return _LITERAL_READ if self._intake.missing > _LARGE_READ else _LARGE_READ

    def begin_small(self) -> None:
        """Begin with small reads: the caller waits for a short answer."""
        self.size = _READ

    def _wait(self) -> None:
        """Wait before a read: without a buffer while no answer is owed; with filler to a silent server while one is."""
        ready = self._layers.transport.ready
        if self.size == _READ and self._engine.in_flight >= _MANY:
            time.sleep(_PAUSE)
        if ready is None:
            return
        if self._layers.filler is not None:
            self._break_silence(ready)
        elif not self._engine.owed:
            ready(_LONG)

    def _break_silence(self, ready: Callable[[float], bool]) -> None:
        """Wait until bytes have come; send filler meanwhile, each time after a longer silence."""
        silence = _SILENCE
        while not ready(silence if self._engine.owed else _LOOK):
            if self._engine.owed:
                self._courier.send_filler()
                silence = min(2 * silence, _LONGEST_SILENCE)
            else:
                silence = _SILENCE
