"""The server's side of COMPRESS=DEFLATE, RFC 4978: a socket whose octets are deflated both ways."""

from __future__ import annotations

import socket
import zlib
from typing import Any

__all__ = ["DeflatedSocket"]

_RAW = -15  # no header and no checksum, RFC 4978 section 3


class DeflatedSocket:
    """Wraps a non-blocking socket, and can do what a ``Conversation`` needs of one; ``single``: octets leave one by one.

    A ``send`` that would block goes on with what is left when it is called again, which must be with the same data.
    """

    def __init__(self, sock: socket.socket, single: bool) -> None:
        self.carrier: Any = sock
        """The socket that carries what is deflated: TLS may be put on it."""
        self._single = single
        self._packer, self._unpacker = zlib.compressobj(wbits=_RAW), zlib.decompressobj(_RAW)
        self._packed = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.carrier, name)

    def recv(self, size: int) -> bytes:
        """What up to ``size`` octets from the client mean; b"" at the end. Raises as ``socket.recv``, and ``zlib.error``."""
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
