"""The family ``compress``: COMPRESS=DEFLATE, RFC 4978."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Unpack

from imapkit.errors import LimitExceeded, RemoteProtocolError
from imapkit.plugin import CallOptions, Code, Command, Commands, Family, LayerSpec, Result, State, atom, hookimpl, no_data

__all__ = ["CompressCommands", "DeflateLayer", "imapkit_family"]

_PIECE = 1 << 16
_USUAL = 100
"""To how many times its size compressed data may come for as long as it likes."""
_LINE = 200
"""As how many bytes a line counts beside its own: to read it takes more time than that, and rows of FETCH or LIST, which are
alike but for a number, come to no more than a hundred times their size with it."""
_FREE = 4
"""Up to how many times the size of the data lines do not count, so that nobody need look for them in a message."""
_FLUSHED = b"\0\0\xff\xff"
_RAW = -zlib.MAX_WBITS
"""RFC 4978 section 3: raw DEFLATE (RFC 1951), with neither header nor checksum."""


class CompressCommands(Commands):
    """Compression of all that goes over the connection."""

    def enable_compression(self, **options: Unpack[CallOptions]) -> Result:
        """Compress the connection from now on; RFC 4978 section 3; capability COMPRESS=DEFLATE; any state.

        Returns the text of the tagged response; NO if the server compresses already. Over TLS, which may be switched on later,
        bytes are compressed first and then encrypted. Mind that what an attacker can have sent
        beside a secret tells its length (RFC 4978 section 6).
        """
        return self._call("COMPRESS", "DEFLATE", **options)


class DeflateLayer:
    """Deflates what is sent, inflates what comes; each in one stream, from now to the end of the connection.

    ``most``: how many bytes may come out beyond a hundred times as many as went in (``Limits.inflation``). Lines count as more
    than their bytes: a kilobyte that inflates to half a million empty lines is a kilobyte of work for the server alone.
    """

    filler = b"\0\0\0\xff\xff"
    """An empty stored block, RFC 1951 section 3.2.4: ``encode`` ends at an octet's boundary, so it may follow at any time.

    Cyrus (3.6.1, and later ones still) inflates 4,102 octets at a time, and when these end with a command, it waits for more to
    come from the network before it looks at the rest: with nothing to wake it, until one side's time is over.
    """

    def __init__(self, most: int = 1 << 30) -> None:
        self._deflate = zlib.compressobj(wbits=_RAW)
        self._inflate = zlib.decompressobj(_RAW)
        self._most, self._excess = most, 0
        self._last = b""

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """There is nothing to agree on."""

    def encode(self, data: bytes | memoryview) -> bytes:
        """All of ``data``, ended so that the server can read all of it: RFC 4978 section 4."""
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` inflates to, in pieces of bounded size. Raises ``RemoteProtocolError`` or ``LimitExceeded``."""
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
            # A full piece may have more behind it, though every octet of the input is taken.
            if not data and len(piece) < _PIECE:
                return

    def settled(self) -> bool:
        """Whether a flush has come as a whole: it ends with an empty stored block, and another block may begin.

        (Only the first bytes of a block may have come, which change what all that follows means: so one more is tried out.)
        """
        try:
            return self._last == _FLUSHED and self._inflate.copy().decompress(b"\0\x01\0\xfe\xff!") == b"!"
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
        commands=(Command("COMPRESS", State.ANY, args=(atom,), exclusive=True, layer="deflate"),),
        capabilities=("COMPRESS=DEFLATE",),
        codes={"COMPRESSIONACTIVE": Code(no_data)},
        layers={"deflate": LayerSpec(lambda session, options: DeflateLayer(session.limits.inflation))},
        requires=("rev1",),
    )
