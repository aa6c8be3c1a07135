"""What every transport has: the protocol, deadlines for what is written, and ways to wait for a descriptor."""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import time
from collections.abc import Callable
from typing import Protocol

from imapkit.errors import CommandTimeout, ConnectionClosed

__all__ = [
    "LONGEST_WAIT",
    "SLICE",
    "Deadline",
    "Plain",
    "Transport",
    "Wakeable",
    "readable",
    "wait",
    "wait_writable",
    "within",
    "would_block",
]

SLICE = 1 << 18
"""The most bytes that are encoded, or handed to a socket of OpenSSL's, at once."""

LONGEST_WAIT = 1e6
"""Seconds, some eleven days: the system counts a longer wait in too few bits."""

Deadline = Callable[[], float]
"""Says when a write is too late (monotonic time); it may move as octets leave."""


def within(seconds: float) -> Deadline:
    """The deadline that lies ``seconds`` ahead, and does not move."""
    end = time.monotonic() + seconds
    return lambda: end


class Transport(Protocol):
    """Octets in and out. One thread reads, one at a time writes; ``interrupt`` ends both, from any thread."""

    @property
    def read(self) -> Callable[[int], bytes]:
        """``read(size)``: at least one octet, at most about ``size``; b"" at the end."""
        ...

    @property
    def ready(self) -> Callable[[float], bool] | None:
        """``ready(seconds)``: whether there is something to read within that time. None: ``read`` alone can wait for it."""
        ...

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``. Raises ``CommandTimeout`` when it is too late."""

    @property
    def try_write(self) -> Callable[[bytes | memoryview], int] | None:
        """``try_write(data)``: send what is taken at once; how many bytes that was. None: ``write`` alone can send."""
        ...

    def wait_writable(self, seconds: float) -> bool:
        """Wait until something can be sent, for so many seconds at most."""
        ...

    def unsent(self) -> int:
        """Bytes that the system has taken and the other side has not acknowledged; 0 where the system does not say."""
        ...

    @property
    def on_close(self) -> Callable[[], object] | None:
        """What ``close`` calls."""
        ...

    def acknowledge(self) -> None:
        """Tell the other side at once that all has come so far, where the system would wait for something to send with it."""

    def interrupt(self) -> None:
        """Make whoever reads or writes stop."""

    def close(self) -> None:
        """Give the resources back; nobody reads or writes any more."""

    def leave(self) -> None:
        """In a child of ``fork``: close what the child has of it; the parent goes on with the connection."""


def wait(fd: int, event: int, rest: float) -> bool:
    """Whether ``fd`` is ready for ``event`` (of ``select``) within ``rest`` seconds. Raises ``ConnectionClosed``."""
    if fd < 0:
        raise ConnectionClosed("the connection was closed meanwhile")
    poll = select.poll()
    poll.register(fd, event)
    while rest > LONGEST_WAIT:
        if poll.poll(LONGEST_WAIT * 1000):
            return True
        rest -= LONGEST_WAIT
    return bool(poll.poll(max(0.0, rest * 1000)))


def wait_writable(fd: int, deadline: Deadline) -> None:
    """Wait until ``fd`` can be written. Raises ``CommandTimeout`` when it is too late."""
    while (rest := deadline() - time.monotonic()) > 0:
        if wait(fd, select.POLLOUT, rest):
            return
    raise CommandTimeout("the server does not take what is sent to it")


def readable(fd: int, wake: int) -> bool:
    """Wait until ``fd`` can be read; False if ``wake`` could be first."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(wake, select.POLLIN)
    return all(ready != wake for ready, _ in poll.poll())


def would_block(exc: OSError) -> bool:
    """Whether an SSL socket only asks to be tried again; ``ssl`` is not imported for it."""
    ssl = sys.modules.get("ssl")
    return isinstance(exc, BlockingIOError if ssl is None else (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError))


class Plain:
    """Where nothing is held back, and a write waits until all is taken."""

    def wait_writable(self, seconds: float) -> bool:
        """``write`` waits by itself."""
        return True

    def unsent(self) -> int:
        """The system does not say."""
        return 0

    def leave(self) -> None:
        """Leave it to the end of the process."""

    def acknowledge(self) -> None:
        """Leave it to the system."""


class Wakeable(Plain):
    """A transport whose reader polls, and is woken over a socket of its own."""

    ready = None

    def __init__(self, on_close: Callable[[], object]) -> None:
        self.on_close: Callable[[], object] | None = on_close
        self._wake, self._waker = socket.socketpair()

    def interrupt(self) -> None:
        """Wake the reader."""
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def close(self) -> None:
        """Call the function that closes, once."""
        self._wake.close()
        self._waker.close()
        # A subclass's shutdown meets a connection that is gone already in ways of its own.
        with contextlib.suppress(Exception):
            if self.on_close is not None:
                self.on_close()
