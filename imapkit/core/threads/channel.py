"""Channels: pass the bytes of one literal from the thread that reads the connection to the taker, with a bound."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Self

from imapkit.errors import DeadlineExceeded

__all__ = ["MOST", "PATIENCE", "Channel", "Flow"]

MOST = 4 << 20
"""The most bytes that wait to be taken, beside those of one read."""
PATIENCE = 10.0
"""Seconds for which the reading thread waits for a taker that takes nothing."""


class Flow:
    """The end of a channel that the connection writes to. It holds no reference to the taker; one thread writes, one takes.

    Only ``wait`` and ``wait_over`` block: a signal handler, a finalizer and a step under the state lock may call the others.
    """

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        self.most, self.patience = most, patience
        self.items: queue.SimpleQueue[bytes | Callable[[], bytes | None]] = queue.SimpleQueue()
        """Bytes; at the end a function that returns the last bytes or None, or raises."""
        self.written = self.taken = 0
        self.used = False
        """Whether a command uses it."""
        self.gone = False
        """Whether taking has stopped: the taker has closed the channel, or was too slow."""
        self.ended = False
        """Whether the taker has taken the end of the command."""
        self.failure: Exception | None = None
        """The exception that the taker gets next, even if bytes wait to be taken."""
        self.room = threading.Lock()
        """A latch, open when bytes have been taken, or when taking has stopped."""
        self.room.acquire()

    # the connection's side

    def write(self, data: memoryview) -> None:
        """Pass bytes to the taker. Never waits."""
        if self.gone:
            if not self.items.empty():
                self.leave()
            return
        whole = data.obj
        # (Most often all received bytes belong to the literal, and need no copy.)
        self.items.put(whole if isinstance(whole, bytes) and len(whole) == len(data) else bytes(data))
        self.written += len(data)

    def end(self) -> None:
        """Do nothing: the literal has ended, and the taker waits for the end of the command."""

    @property
    def is_full(self) -> bool:
        """Whether the reading thread should wait, because ``most`` bytes wait to be taken."""
        return self.written - self.taken >= self.most and not self.gone

    def wait(self, seconds: float) -> None:
        """Wait until bytes have been taken, or taking has stopped; for ``seconds`` at most."""
        self.room.acquire(timeout=seconds)

    def give_up(self) -> None:
        """Stop a taker that is too slow: it gets ``DeadlineExceeded``, and the waiting bytes are dropped."""
        self.fail(
            DeadlineExceeded(f"nothing was taken for {self.patience:g} seconds: the rest is dropped, and the connection goes on")
        )

    def fail(self, exc: Exception) -> None:
        """Have ``exc`` raised to the taker at once; the waiting bytes are dropped."""
        self.failure = exc
        self.leave()
        # Wakes a taker that waits.
        self.items.put(b"")

    def over(self, last: Callable[[], bytes | None]) -> None:
        """Note the end of the command; the taker calls ``last()`` then."""
        self.items.put(last)
        self.wake()

    # the taker's side

    def leave(self) -> None:
        """Stop taking, and drop the waiting bytes."""
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
        """Wake the thread that writes."""
        try:
            self.room.release()
        except RuntimeError:
            pass


class Channel:
    """Takes the body that a command fetches, while it arrives: give it to ``fetch_to``, or to ``submit`` as ``to=``.

    One thread takes the bytes, by ``read`` or ``for piece in channel``, in order. They end when the command is over. At most
    ``most`` bytes wait to be taken, beside those of one read of the socket. When there are that many, the thread that reads the
    connection waits, and the answers of other commands wait with it. If no bytes are taken for ``patience`` seconds, the taker
    gets ``DeadlineExceeded``, the rest is dropped, and the connection goes on. The rest is dropped, too, when the taker closes
    the channel, leaves its ``with`` block, or deletes the channel. A channel serves one command.
    """

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        if most < 1 or not patience > 0:
            raise ValueError(f"a channel needs most >= 1 and patience > 0, not {most!r} and {patience!r}")
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
        """The next bytes written; b"" at the end, or when the caller is to look again."""
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
        """Take nothing more: the rest is dropped as it comes."""
        self._flow.leave()
        self._rest = memoryview(b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()

    def __del__(self) -> None:
        # No Python function is called here: an interruption would be raised inside ``__del__``, and lost.
        flow = self.__dict__.get("_flow")
        if flow is not None:
            flow.gone = True
            if flow.room.locked():
                with suppress(RuntimeError):
                    flow.room.release()
