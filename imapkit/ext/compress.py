"""The family ``compress``: COMPRESS=DEFLATE, RFC 4978."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import TypeVar, Unpack

from imapkit.errors import LimitExceeded, RemoteProtocolError
from imapkit.plugin import (
    CallOptions,
    Code,
    Command,
    Commands,
    Family,
    LayerSpec,
    Reply,
    Result,
    State,
    TypedCommands,
    Wire,
    atom,
    command,
    hookimpl,
    no_data,
)

__all__ = ["CompressCommands", "CompressSession", "DeflateLayer", "imapkit_family"]

F = TypeVar("F")

_PIECE = 1 << 16
_USUAL = 100
"""A stream may inflate to this many times its size without end; ``Limits.inflation`` bounds what exceeds that."""
_LINE = 200
"""How many extra bytes each line counts, for the time that it takes to read. With them, rows of FETCH or LIST, which differ in a
number alone, still stay within a hundred times their size."""
_FREE = 4
"""Data that inflates to at most this many times its size is not searched for lines: messages do."""
_FLUSHED = b"\0\0\xff\xff"
_RAW = -zlib.MAX_WBITS
"""RFC 4978 section 3: raw DEFLATE (RFC 1951), with neither header nor checksum."""


class CompressCommands(Commands):
    """Compression of the connection."""

    def enable_compression(self, **options: Unpack[CallOptions]) -> Result:
        """Compress the connection from now on; RFC 4978 section 3; capability COMPRESS=DEFLATE; any state.

        Returns the text of the tagged response; NO if the connection is compressed already. With TLS, which may be switched on
        later, bytes are compressed first and then encrypted. An attacker who can add text next to a secret can learn about the
        secret from the compressed length (RFC 4978 section 6).
        """
        return self._call("COMPRESS", "DEFLATE", **options)


class CompressSession(TypedCommands[F]):
    """Compression of the connection."""

    @command
    async def compress(self) -> None:
        """Compress the connection from now on; RFC 4978 section 3; capability COMPRESS=DEFLATE; any state.

        An attacker who can add text next to a secret can learn about the secret from the compressed length (RFC 4978 section 6).
        Raises ``Missing``, and sends nothing, if the server cannot compress, and ``NoResponse`` if it compresses already.
        """
        await self._require("COMPRESS=DEFLATE", "compress()")
        await Wire("COMPRESS", "DEFLATE", parse=_nothing)


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""


class DeflateLayer:
    """Deflates sent data and inflates received data, each in one stream that lasts until the connection ends.

    ``most``: how many bytes a hundredfold inflation may be exceeded by (``Limits.inflation``). Each line counts more than its
    bytes: otherwise a server could make the client read half a million empty lines at the price of a kilobyte.
    """

    filler = b"\0\0\0\xff\xff"
    """An empty stored block, RFC 1951 section 3.2.4. ``encode`` ends at a byte boundary, so it may follow at any time.

    Cyrus (3.6.1 and later) inflates 4,102 bytes at a time. If they end with a command, Cyrus does not read the rest before more
    data arrives from the network: without this filler, one side would time out.
    """

    def __init__(self, most: int = 1 << 30) -> None:
        self._deflate = zlib.compressobj(wbits=_RAW)
        self._inflate = zlib.decompressobj(_RAW)
        self._most, self._excess = most, 0
        self._last = b""

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """Return at once: DEFLATE has no handshake."""

    def encode(self, data: bytes | memoryview) -> bytes:
        """``data`` deflated and flushed, so that the server can inflate all of it: RFC 4978 section 4."""
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """``data`` inflated, in pieces of bounded size. Raises ``RemoteProtocolError`` or ``LimitExceeded``."""
        self._last = data[-4:] if len(data) > 3 else (self._last + data)[-4:]
        self._excess = max(0, self._excess) - _USUAL * len(data)
        free = _FREE * len(data)
        while True:
            try:
                piece = self._inflate.decompress(data, _PIECE)
            except zlib.error as exc:
                raise RemoteProtocolError(f"compressed data from the server cannot be inflated: {exc}") from exc
            free -= len(piece)
            self._excess += len(piece) if free >= 0 else len(piece) + _LINE * piece.count(b"\n")
            if self._excess > self._most:
                raise LimitExceeded(f"compressed data inflates to more than {self._most} bytes (Limits.inflation)")
            if piece:
                yield piece
            if self._inflate.unused_data:
                raise RemoteProtocolError(f"data after the end of the compressed stream: {self._inflate.unused_data[:80]!r}")
            data = self._inflate.unconsumed_tail
            # After a full piece zlib may hold more output, even if it has taken all input.
            if not data and len(piece) < _PIECE:
                return

    def settled(self) -> bool:
        """Whether the data received so far ends with a complete flush: an empty stored block, after which a block may begin.

        The last bytes alone do not prove that, as they may be inside a block; so a copy of the state inflates another block.
        """
        try:
            return self._inflate.eof or (self._last == _FLUSHED and self._inflate.copy().decompress(b"\0\x01\0\xfe\xff!") == b"!")
        except zlib.error:
            return False

    def finish(self) -> bytes:
        """The end of the stream."""
        return self._deflate.flush(zlib.Z_FINISH)


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 4978."""
    return Family(
        name="compress",
        mixin=CompressCommands,
        session=CompressSession,
        commands=(Command("COMPRESS", State.ANY, args=(atom,), exclusive=True, layer="deflate"),),
        capabilities=("COMPRESS=DEFLATE",),
        codes={"COMPRESSIONACTIVE": Code(no_data)},
        layers={"deflate": LayerSpec(lambda session, options: DeflateLayer(session.limits.inflation))},
        requires=("rev1",),
        contract=2,
    )
