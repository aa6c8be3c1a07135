"""Bytes of one literal on their way from the thread that reads the connection to the thread that takes them, bounded."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Self

from imapkit.errors import DeadlineExceeded

__all__ = ["MOST", "PATIENCE", "Channel", "Flow"]

MOST = 4 << 20
"""Bytes that wait to be taken, at most; beside them there is what one read has brought."""
PATIENCE = 10.0
"""Seconds for which the connection waits for a taker that takes nothing."""


class Flow:
    """The end of a channel that the connection writes to. It keeps no taker alive; one thread writes, one takes.

    There is no lock in it that one thread waits for as another one holds it: a signal handler, a finalizer and a step under the
    state lock may call everything but ``wait``.
    """

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        self.most, self.patience = most, patience
        self.items: queue.SimpleQueue[bytes | Callable[[], bytes | None]] = queue.SimpleQueue()
        """Bytes; at the end a function that returns what else there is, or None, or raises."""
        self.written = self.taken = 0
        self.used = False
        """A command has it."""
        self.gone = False
        """Nobody takes any more: the taker has closed the channel, or was too slow."""
        self.ended = False
        """The taker knows that the command is over."""
        self.failure: Exception | None = None
        """What the taker is told at once, whatever waits to be taken."""
        self.room = threading.Lock()
        """A latch: something has been taken, or nothing will be."""
        self.room.acquire()

    # the connection's side

    def write(self, data: memoryview) -> None:
        """Pass bytes on. Never waits."""
        if self.gone:
            if not self.items.empty():
                self.leave()
            return
        whole = data.obj
        # (Mostly all that has been received is of the literal, and is not copied.)
        self.items.put(whole if isinstance(whole, bytes) and len(whole) == len(data) else bytes(data))
        self.written += len(data)

    def end(self) -> None:
        """The literal has ended; what the taker waits for is the end of the command."""

    @property
    def is_full(self) -> bool:
        """Whether so much waits to be taken that the connection should wait."""
        return self.written - self.taken >= self.most and not self.gone

    def wait(self, seconds: float) -> None:
        """Wait until something has been taken, or nothing will be."""
        self.room.acquire(timeout=seconds)

    def give_up(self) -> None:
        """The taker is too slow: it is told so, and what waited for it is dropped."""
        self.fail(
            DeadlineExceeded(
                f"nothing was taken for {self.patience:g} seconds: the rest is passed over, and the connection goes on"
            )
        )

    def fail(self, exc: Exception) -> None:
        """Have the taker told at once that there is nothing more to take, and why."""
        self.failure = exc
        self.leave()
        # A taker that has just come must look again.
        self.items.put(b"")

    def over(self, last: Callable[[], bytes | None]) -> None:
        """The command is over; ``last()`` is what the taker is told then."""
        self.items.put(last)
        self.wake()

    # the taker's side

    def leave(self) -> None:
        """Nothing more is taken, and what waited to be is dropped."""
        self.gone = True
        last = None
        try:
            while True:
                item = self.items.get_nowait()
                last = last if isinstance(item, bytes) else item
        except queue.Empty:
            pass
        if last is not None:
            self.items.put(last)
        self.wake()

    def wait_over(self) -> None:
        """Wait for the end of the command."""
        while isinstance(self.items.get(), bytes):
            pass

    def wake(self) -> None:
        """Have the thread that writes look again."""
        try:
            self.room.release()
        except RuntimeError:
            pass


class Channel:
    """Takes the body that a command fetches, while it arrives: give it to ``fetch_to``, or to ``submit`` as ``to=``.

    One thread takes the bytes, by ``read`` or ``for piece in channel``, in order. They end when the command is over. At most
    ``most`` bytes wait to be taken, and what one read of the socket has brought. When there are that many, the thread that reads
    the connection waits, and with it everything else that the server has to say. It waits as long as something is taken; if
    nothing is for ``patience`` seconds, the taker gets ``DeadlineExceeded``, the rest is passed over, and the connection goes on.
    The rest is passed over, too, when the taker closes the channel, leaves its ``with`` block, or drops it. A channel serves one
    command.
    """

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        if most < 1 or not patience > 0:
            raise ValueError(f"a channel holds at least a byte and waits for a time, not {most!r} and {patience!r}")
        self._flow = Flow(most, patience)
        self._rest = memoryview(b"")

    @property
    def flow(self) -> Flow:
        """The end that the connection writes to."""
        return self._flow

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most ``size``, once there are some; b"" at the end.

        Raises what ended the command (``abort``, ``DeadlineExceeded``, ...) before its answer was complete, and
        ``DeadlineExceeded`` if the bytes were not taken in time.
        """
        if size == 0:
            return b""
        flow = self._flow
        while not self._rest:
            if flow.failure is not None:
                raise flow.failure
            if flow.gone:
                raise ValueError("read of a closed channel")
            if flow.ended:
                return b""
            self._rest = memoryview(self._next())
        whole = self._rest.obj
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        flow.taken += len(taken)
        flow.wake()
        return whole if isinstance(whole, bytes) and len(whole) == len(taken) else bytes(taken)

    def _next(self) -> bytes:
        """The next bytes that were written; b"" at the end, or if there may be none."""
        flow = self._flow
        item = flow.items.get()
        if isinstance(item, bytes):
            return item
        flow.ended = True
        try:
            last = item() or b""
        except Exception as exc:
            flow.failure = exc
            raise
        flow.written += len(last)
        return last

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, as they come."""
        return iter(self.read, b"")

    def close(self) -> None:
        """Take nothing more: the rest is passed over as it comes."""
        self._flow.leave()
        self._rest = memoryview(b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()

    def __del__(self) -> None:
        # No function of ours is called, so that an interruption is not raised, and lost, in here.
        flow = self.__dict__.get("_flow")
        if flow is not None:
            flow.gone = True
            if flow.room.locked():
                with suppress(RuntimeError):
                    flow.room.release()
