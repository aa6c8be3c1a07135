"""Writes a body to a file while it arrives: a channel, and the thread that takes from it and writes.

The thread that reads the connection never writes to a file. A caller that waits writes itself. For a command with a callback, or
a future, another thread writes, which starts when the body begins to arrive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from imapkit.core.threads.channel import Channel, Flow
from imapkit.core.wire.sinks import StreamedLiteral
from imapkit.errors import ArgumentError, ConnectionClosed, error

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request, Waiter
    from imapkit.core.threads.worker import Job, Worker
    from imapkit.core.wire.response import Untagged
    from imapkit.core.wire.sinks import Streams

__all__ = ["Taking"]


class Taking:
    """Passes one body of one command to ``to``, a channel that the program takes from, or a file.

    The worker ``callbacks`` runs callbacks and completes futures. ``disclaim`` is called once, when the command is over.
    """

    def __init__(self, to: Any, streams: Streams | None, name: str, callbacks: Worker, disclaim: Callable[[], object]) -> None:
        if streams is None:
            raise ArgumentError(f"{name}: no body in its answer can go to a file")
        if not isinstance(to, Channel) and not callable(getattr(to, "write", None)):
            raise ArgumentError(f"{name}: to= is a binary file or a Channel, not {type(to).__name__}")
        self._file = None if isinstance(to, Channel) else to
        # No reference to the program's channel is kept, so that it is freed when the program drops it.
        self.channel = Channel() if self._file is not None else None
        self.flow: Flow = to.flow if self.channel is None else self.channel.flow
        if self.flow.used:
            raise ArgumentError(f"{name}: the channel has served another command")
        self.flow.used = True
        self._streams, self._name, self._callbacks = streams, name, callbacks
        self._disclaim: Callable[[], object] | None = disclaim
        self._threaded = self._begun = False
        self._turn = threading.Lock()
        """Acquired, without waiting, by the first that takes: the taker thread, or the job at the end of the command."""
        self._finish: Job | None = None
        self.failure: Exception | None = None
        """The exception for which the file does not hold the whole body."""

    def use_thread(self) -> None:
        """Have a thread write to the file, since no caller waits."""
        self._threaded = self.channel is not None

    def after_body(self, waiter: Waiter, worker: Worker) -> Waiter:
        """A waiter that calls ``waiter``, on the thread of ``worker``, once the body has been written, too."""
        self._callbacks = worker
        return _AfterBody(self, waiter)

    # on the thread that reads

    def choose(self, response: Untagged, size: int) -> Flow | None:
        """The sink for a literal of the command's answer, if it is the body; else None. Raises ``error`` for a second body."""
        if not self._streams.announces(response):
            return None
        if self._begun:
            raise error(f"{self._name}: more than one body has come; only the first was written")
        self._begun = True
        if self._threaded and self._turn.acquire(blocking=False):
            self._start()
        return self.flow

    def _start(self) -> None:
        thread = threading.Thread(target=self._take_and_post, name=f"{self._name} taker", daemon=True)
        try:
            thread.start()
        except RuntimeError as exc:
            self._turn.release()
            raise error(f"the thread that writes the body cannot be started: {exc}") from exc

    # under the state lock

    def over(self, request: Request, finish: Job | None = None) -> None:
        """Note the end of the command for the taker; the callback thread runs ``finish`` once all is written."""
        self._finish = finish
        self._let_go()
        self.flow.over(partial(self._last, request))
        if finish is None:
            return
        if not self._threaded:
            self._callbacks.put(finish)
        elif self._turn.acquire(blocking=False):
            self._callbacks.put(self._take_and_finish)

    def refused(self, exc: BaseException) -> None:
        """Note that ``exc`` has prevented the submission; the taker gets it."""
        self._let_go()
        self.flow.fail(exc if isinstance(exc, Exception) else error(f"the call was interrupted: {exc!r}"))

    def _let_go(self) -> None:
        disclaim, self._disclaim = self._disclaim, None
        if disclaim is not None:
            disclaim()

    # on the taker's thread

    def _last(self, request: Request) -> bytes | None:
        """The last bytes for the taker, or None. Raises the error of the command if its answer is not complete."""
        if request.aborted is not None:
            raise request.aborted.fresh()
        if request.defect is not None:
            raise request.defect
        if request.typ != "OK":
            return None
        responses = [response for piece in request.received for response in piece.responses()]
        if not self._begun:
            return next((value for value in map(self._streams.value, responses) if value is not None), None)
        if not any(type(part) is StreamedLiteral for response in responses for part in response.parts):
            raise ConnectionClosed(f"{self._name}: the bytes taken turned out to belong to another response")
        return None

    def take(self) -> None:
        """Write to the file until the command is over. Raises the error of the command, or of the file."""
        assert self.channel is not None
        for piece in self.channel:
            self._write(piece)

    def _take_all(self) -> None:
        try:
            self.take()
        except BaseException as exc:
            # (SystemExit, too: no caller is on this thread that could take it.)
            self.failure = exc if isinstance(exc, Exception) else error(f"{self._name}: writing its body raised {exc!r}")
            if not self.flow.ended:
                self.flow.leave()
                self.flow.wait_over()

    def _write(self, piece: bytes) -> None:
        written = self._file.write(piece)  # type: ignore[union-attr]
        while isinstance(written, int) and 0 <= written < len(piece):
            # An unbuffered file may write a part only.
            piece = piece[written:]
            written = self._file.write(piece)  # type: ignore[union-attr]

    def _take_and_post(self) -> None:
        self._take_all()
        if self._finish is not None:
            self._callbacks.post(self._finish)

    def _take_and_finish(self) -> None:
        self._take_all()
        if self._finish is not None:
            self._finish()

    def check(self) -> None:
        """Raise the error for which the file does not hold the whole body, if there is one."""
        if self.failure is not None:
            raise self.failure


class _AfterBody:
    """Calls a waiter once the body has been written, too; perhaps on the callback thread."""

    def __init__(self, taking: Taking, waiter: Waiter) -> None:
        self._taking, self._waiter = taking, waiter
        self.ask = waiter.ask

    def done(self, request: Request) -> None:
        """See ``Waiter.done``."""
        self._taking.over(request, partial(self._waiter.done, request))
        request.waiter = None
