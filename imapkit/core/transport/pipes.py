"""The transport over two pipes, and the command at their other end."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from imapkit.core.transport.base import LONGEST_WAIT, READING, WRITING, Deadline, Wakeable, new_poll, readable
from imapkit.errors import CommandTimeout, ConnectionClosed

if TYPE_CHECKING:
    import subprocess

__all__ = ["PipeTransport", "dispose", "open_stream"]


class PipeTransport(Wakeable):
    """The two pipes of a child process: reads its output, writes its input."""

    def __init__(self, read_fd: int, write_fd: int, on_close: Callable[[], object]) -> None:
        super().__init__(on_close)
        self._in, self._out = read_fd, write_fd
        self._mutex = threading.Lock()
        """Held during a write, and while ``close`` begins: another file may get the descriptor of a closed pipe."""
        self._closed = False
        os.set_blocking(write_fd, False)

    def read(self, size: int) -> bytes:
        """Bytes that the command has written; b"" at the end."""
        return os.read(self._in, size) if readable(self._in, self._wake.fileno()) else b""

    def try_write(self, data: bytes | memoryview) -> int:
        """Send without waiting; returns how many bytes the pipe took. Raises ``ConnectionClosed``."""
        with self._mutex:
            if self._closed:
                raise ConnectionClosed("the connection was closed meanwhile")
            try:
                return os.write(self._out, data)
            except BlockingIOError:
                return 0

    def wait_writable(self, seconds: float) -> bool:
        """Wait until the pipe takes bytes, or the connection ends."""
        with self._mutex:
            if self._closed:
                return True
            poll = new_poll()
            poll.register(self._out, WRITING)
            poll.register(self._wake.fileno(), READING)
        return bool(poll.poll(1000 * min(seconds, LONGEST_WAIT)))

    def write(self, data: bytes | memoryview, deadline: Deadline) -> None:
        """Send all of ``data``. Raises ``CommandTimeout`` at the deadline, and ``ConnectionClosed``."""
        sent, view = 0, memoryview(data)
        while sent < len(view):
            taken = self.try_write(view[sent:])
            sent += taken
            rest = 0.0 if taken else max(deadline() - time.monotonic(), 0.0)
            if not taken and not self.wait_writable(rest) and rest <= LONGEST_WAIT:
                raise CommandTimeout("the server does not take what is sent to it")

    def close(self) -> None:
        """Close the pipes."""
        with self._mutex:
            self._closed = True
        super().close()


def open_stream(command: str) -> subprocess.Popen[bytes]:
    """Run ``command`` in a shell, with pipes for its input and output (Dovecot's imap refuses a socket)."""
    # The import takes some milliseconds, and few connections need it.
    import subprocess

    return subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def dispose(process: subprocess.Popen[bytes], patience: float = 1.0) -> None:
    """Close the pipes of a child process and wait for its end; terminate it if it does not end by itself."""
    import subprocess

    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    ends: tuple[Callable[[], object], ...] = (process.poll, process.terminate, process.kill)
    for end in ends:
        end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return
