"""What transports share: the protocol, deadlines for writes, and functions that wait for a descriptor."""

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
    "READING",
    "SLICE",
    "WRITING",
    "Deadline",
    "Plain",
    "Poll",
    "Transport",
    "Wakeable",
    "new_poll",
    "readable",
    "wait",
    "wait_writable",
    "within",
    "would_block",
]

SLICE = 1 << 18
"""The most bytes that are encoded, or handed to a socket of OpenSSL's, at once."""

LONGEST_WAIT = 1e6
"""Seconds, about eleven days: ``poll`` takes milliseconds in 32 bits."""

READING = int(getattr(select, "POLLIN", 1))
"""For ``Poll.register``: a read returns at once, with bytes, with the end, or with an error."""

WRITING = int(getattr(select, "POLLOUT", 4))
"""For ``Poll.register``: the system takes bytes at once, or a write raises at once."""

Deadline = Callable[[], float]
"""Returns the moment at which a write is too late (monotonic time); it may move while bytes are sent."""


def within(seconds: float) -> Deadline:
    """The fixed deadline ``seconds`` from now."""
    end = time.monotonic() + seconds
    return lambda: end


class Transport(Protocol):
    """Receives and sends bytes. One thread reads, one at a time writes; any thread may call ``interrupt``, which ends both."""

    @property
    def read(self) -> Callable[[int], bytes]:
        """``read(size)``: at least one byte, at most about ``size``; b"" at the end."""
        ...

    @property
    def ready(self) -> Callable[[float], bool] | None:
        """``ready(seconds)``: whether there is something to read within that time. None: only ``read`` can wait."""
        ...

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``. Raises ``CommandTimeout`` at the deadline."""

    @property
    def try_write(self) -> Callable[[bytes | memoryview], int] | None:
        """``try_write(data)``: send without waiting; returns how many bytes were taken. None: only ``write`` can send."""
        ...

    def wait_writable(self, seconds: float) -> bool:
        """Wait until bytes can be sent, for ``seconds`` at most; returns whether they can."""
        ...

    def unsent(self) -> int:
        """Bytes that the system has taken and the server has not acknowledged; 0 where the system has no such count."""
        ...

    @property
    def on_close(self) -> Callable[[], object] | None:
        """A function that ``close`` calls, or None."""
        ...

    def acknowledge(self) -> None:
        """Acknowledge the received bytes at once, where the system would delay that until it has data to send."""

    def interrupt(self) -> None:
        """Make the threads that read or write return."""

    def close(self) -> None:
        """Release the resources. No thread reads or writes any more."""

    def leave(self) -> None:
        """In a child of ``fork``: close the child's descriptors; the parent's connection goes on."""


class Poll(Protocol):
    """Waits for descriptors: what is used of ``select.poll``."""

    def register(self, fd: int, event: int, /) -> None:
        """Add ``fd``, to wait until it is ready for ``event``: ``READING`` or ``WRITING``."""

    def poll(self, milliseconds: float | None = None, /) -> list[tuple[int, int]]:
        """Wait, without limit if that is None; returns each descriptor that is ready, with its event."""
        ...


class _Selecting:
    """A ``Poll`` for systems without ``select.poll``. It holds no descriptor between two waits, so nothing must be closed."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}

    def register(self, fd: int, event: int, /) -> None:
        """See ``Poll.register``."""
        self._events[fd] = event

    def poll(self, milliseconds: float | None = None, /) -> list[tuple[int, int]]:
        """See ``Poll.poll``."""
        import selectors

        with selectors.DefaultSelector() as selector:
            try:
                for fd, event in self._events.items():
                    selector.register(fd, selectors.EVENT_READ if event == READING else selectors.EVENT_WRITE)
                found = selector.select(None if milliseconds is None else milliseconds / 1000)
            except OSError:
                # A descriptor is closed. As with ``select.poll`` that ends the wait, and its next use raises.
                return list(self._events.items())
        return [(key.fd, self._events[key.fd]) for key, _ in found]


def new_poll() -> Poll:
    """A ``select.poll``, or what replaces it where the system has none."""
    return select.poll() if hasattr(select, "poll") else _Selecting()


def wait(fd: int, event: int, rest: float) -> bool:
    """Whether ``fd`` is ready for ``event`` (``READING`` or ``WRITING``) within ``rest`` seconds. Raises ``ConnectionClosed``."""
    if fd < 0:
        raise ConnectionClosed("the connection was closed meanwhile")
    poll = new_poll()
    poll.register(fd, event)
    while rest > LONGEST_WAIT:
        if poll.poll(LONGEST_WAIT * 1000):
            return True
        rest -= LONGEST_WAIT
    return bool(poll.poll(max(0.0, rest * 1000)))


def wait_writable(fd: int, deadline: Deadline) -> None:
    """Wait until ``fd`` can be written. Raises ``CommandTimeout`` at the deadline."""
    while (rest := deadline() - time.monotonic()) > 0:
        if wait(fd, WRITING, rest):
            return
    raise CommandTimeout("the server does not take what is sent to it")


def readable(fd: int, wake: int) -> bool:
    """Wait until ``fd`` or ``wake`` can be read; returns False if ``wake`` can."""
    poll = new_poll()
    poll.register(fd, READING)
    poll.register(wake, READING)
    return all(ready != wake for ready, _ in poll.poll())


def would_block(exc: OSError) -> bool:
    """Whether ``exc`` says that a socket, or an SSL socket, would block; ``ssl`` is not imported for it."""
    ssl = sys.modules.get("ssl")
    return isinstance(exc, BlockingIOError if ssl is None else (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError))


class Plain:
    """Defaults for a transport whose ``write`` waits until all is taken."""

    def wait_writable(self, seconds: float) -> bool:
        """True: ``write`` waits by itself."""
        return True

    def unsent(self) -> int:
        """0: the system has no such count."""
        return 0

    def leave(self) -> None:
        """Nothing to close: the end of the process does it."""

    def acknowledge(self) -> None:
        """Nothing to do: the system acknowledges."""


class Wakeable(Plain):
    """A transport whose reader polls; a socket pair wakes it."""

    ready = None

    def __init__(self, on_close: Callable[[], object]) -> None:
        self.on_close: Callable[[], object] | None = on_close
        self._wake, self._waker = socket.socketpair()

    def interrupt(self) -> None:
        """Wake the reader."""
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def close(self) -> None:
        """Close the socket pair, and call ``on_close``."""
        self._wake.close()
        self._waker.close()
        # A subclass's shutdown may raise anything if the connection has ended already.
        with contextlib.suppress(Exception):
            if self.on_close is not None:
                self.on_close()
