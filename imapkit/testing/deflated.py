"""The server's side of COMPRESS=DEFLATE, RFC 4978: a socket that deflates and inflates."""

from __future__ import annotations

import socket
import zlib
from typing import Any

__all__ = ["DeflatedSocket"]

_RAW = -15  # no header and no checksum, RFC 4978 section 3


class DeflatedSocket:
    """Wraps a non-blocking socket for a ``Conversation``; ``single``: each byte is sent by a ``send`` of its own.

    After a ``send`` that would block, call it again with the same data; it sends the rest.
    """

    def __init__(self, sock: socket.socket, single: bool) -> None:
        self.carrier: Any = sock
        """The socket below the compression; STARTTLS replaces it by a TLS socket."""
        self._single = single
        self._packer, self._unpacker = zlib.compressobj(wbits=_RAW), zlib.decompressobj(_RAW)
        self._packed = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.carrier, name)

    def recv(self, size: int) -> bytes:
        """Receive up to ``size`` bytes, inflated; b"" at the end. Raises ``zlib.error``, and what ``socket.recv`` raises."""
        while data := self.carrier.recv(size):
            if text := self._unpacker.decompress(data):
                return text
        return b""

    def send(self, data: bytes | memoryview) -> int:
        """Send all of ``data``. Raises as ``socket.send``."""
        self._packed = self._packed or self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        while self._packed:
            self._packed = self._packed[self.carrier.send(self._packed[:1] if self._single else self._packed) :]
        return len(data)
