"""A body that is written as it arrives: into a file of the program's, or into one that is opened by its path."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

from imapkit.errors import ArgumentError

if TYPE_CHECKING:
    from imapkit.core.wire.sinks import Writable

__all__ = ["Target"]


class Target:
    """Where a body is written. A path is opened when its first bytes come, so nothing is made for a command that is refused.

    ``resume``: what a file has already is kept, and the rest is added to it. One thread uses it; any thread may call ``leave``.
    """

    def __init__(self, to: os.PathLike[str] | Writable, *, resume: bool = False) -> None:
        self._path = to if isinstance(to, os.PathLike) else None
        if self._path is None and not callable(getattr(to, "write", None)):
            raise ArgumentError(f"a body goes to a path or a file that is open for writing bytes, not to {type(to).__name__}")
        if resume and self._path is None:
            raise ArgumentError("only a file given by its path can be resumed, not one that the program has opened")
        self._file: Any = None if self._path is not None else to
        self.resumes = resume
        """Whether what the file has is kept."""
        self._busy, self._left = threading.Lock(), False

    def there(self) -> int:
        """How many bytes the file has, if it is to be resumed; else 0."""
        if not self.resumes or self._path is None:
            return 0
        try:
            return os.stat(self._path).st_size
        except FileNotFoundError:
            return 0

    def end_of(self, size: int) -> bytes:
        """The last ``size`` bytes that the file has."""
        assert self._path is not None
        with open(self._path, "rb") as file:
            file.seek(-size, os.SEEK_END)
            return file.read()

    def begin_again(self) -> None:
        """Keep nothing of what the file has."""
        self.resumes = False

    def write(self, data: bytes) -> None:
        """Write all of it. Raises what the file raises."""
        with self._busy:
            if self._left:
                raise ValueError("the body is not wanted any more")
            self._write_all(self._opened(), data)
        self._settle()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            assert self._path is not None
            # Without a buffer: the pieces are large, and to close it writes nothing.
            self._file = open(self._path, "ab" if self.resumes else "wb", buffering=0)  # noqa: SIM115 (``leave`` closes it)
        file: BinaryIO = self._file
        return file

    @staticmethod
    def _write_all(file: BinaryIO, data: bytes) -> None:
        while data:
            written = file.write(data)
            if not isinstance(written, int) or not 0 <= written < len(data):
                return
            data = data[written:]

    def end(self) -> None:
        """All has come: an empty body makes an empty file."""
        with self._busy:
            self._opened()
        self.leave()

    def leave(self) -> None:
        """Write nothing more; a file that was opened by its path is closed, perhaps by the thread that writes to it now."""
        self._left = True
        self._settle()

    def _settle(self) -> None:
        if self._left and self._path is not None and self._busy.acquire(blocking=False):
            try:
                if self._file is not None:
                    self._file.close()
            finally:
                self._busy.release()
