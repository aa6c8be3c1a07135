"""A server that costs nearly nothing, so that the client is measured: ``python -m bench.canned``.

It has no mail: the name of the selected mailbox gives the answer of FETCH ("flags-50000": 50,000 rows of flags), and
every answer is made in advance. It prints its ports as one line of JSON, and ends with its standard input.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import threading
import time
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from bench.payloads import payload, rows, text

__all__ = ["now"]

CAPABILITIES = b"IMAP4rev1 LITERAL+ IDLE UIDPLUS ENABLE ID NAMESPACE COMPRESS=DEFLATE"
_CHUNK = 1 << 16
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\Z")
_MAILBOX = re.compile(rb'"?([a-z]+)-(\d+)"?\Z')
_RANGE = re.compile(rb"(\d+):(\d+) ")
_PIECE = re.compile(rb"BODY(?:\.PEEK)?\[\]<(\d+)\.(\d+)>")
_NEWS_AFTER = 0.003
"""Seconds after which there is news in IDLE; an answer to "+" and what the client does with it must be over."""


def now() -> int:
    """Microseconds of the clock that all processes of this machine share, in 31 bits: a message count can carry them."""
    return time.monotonic_ns() // 1000 % (1 << 31)


@lru_cache(maxsize=64)
def _deflated(data: bytes) -> bytes:
    # Made again for each answer, so that it may come anywhere in a stream.
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH)


class _Session:
    """One connection; the commands of one chunk are answered in one piece."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer, self._at = b"", 0
        self._out: list[bytes] = []
        self._inflate: Any = None
        self._kind, self._size = "none", 0
        self._rows: list[bytes] = []
        self._stamped = self._held = False
        self._over = False

    def run(self) -> None:
        self._send(b"* OK [CAPABILITY %b] ready\r\n" % CAPABILITIES)
        while not self._over and (line := self._line()) is not None:
            self._command(line)
        self._flush()

    def _read(self) -> bool:
        self._flush()
        data = self._sock.recv(_CHUNK)
        if self._inflate is not None:
            data = self._inflate.decompress(data) if data else b""
        self._buffer, self._at = self._buffer[self._at :] + data, 0
        return bool(data)

    def _line(self) -> bytes | None:
        while (end := self._buffer.find(b"\r\n", self._at)) < 0:
            if not self._read():
                return None
        line = self._buffer[self._at : end]
        self._at = end + 2
        return line

    def _skip(self, size: int) -> None:
        while len(self._buffer) - self._at < size:
            # Bytes that are passed over are neither kept nor copied.
            size -= len(self._buffer) - self._at
            self._at = len(self._buffer)
            if not self._read():
                return
        self._at += size

    def _send(self, data: bytes) -> None:
        self._out.append(data)
        if self._held:
            self._flush()

    def _flush(self) -> None:
        for data in [b"".join(self._out)] if len(self._out) > 1 and sum(map(len, self._out)) < _CHUNK else self._out:
            self._sock.sendall(data if self._inflate is None else _deflated(data))
        self._out = []

    def _command(self, line: bytes) -> None:
        tag, _, rest = line.partition(b" ")
        name, _, args = rest.partition(b" ")
        name = name.upper()
        if name == b"UID":
            name, _, args = args.partition(b" ")
            name = b"UID" + name.upper()
        while found := _LITERAL.search(line):
            if not found[2]:
                self._send(b"+ go\r\n")
            self._skip(int(found[1]))
            line = self._line() or b""
        action = _ACTIONS.get(name)
        if action is not None:
            action(self, tag, args)
        stamp = b" %d" % now() if self._stamped else b""
        self._send(b"%b OK done%b\r\n" % (tag, stamp))
        if name == b"COMPRESS":
            self._flush()
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)

    def _select(self, tag: bytes, args: bytes) -> None:
        found = _MAILBOX.match(args)
        self._kind, self._size = (found[1].decode(), int(found[2])) if found else ("none", 0)
        self._stamped = self._kind == "stamped"
        if self._kind == "held":
            self._hold()
        # Made now, and not while a client is timed.
        answer, self._rows = payload(self._kind, self._size), rows(self._kind, self._size)
        if self._inflate is not None and len(answer) >= _CHUNK:
            _deflated(answer)
        count = 1 if self._kind == "big" else self._size
        self._send(b"* %d EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 1] ok\r\n" % count)

    def _hold(self) -> None:
        """Write as a server does that neither gathers its answers nor sets TCP_NODELAY, and announces no LITERAL+."""
        self._held = True
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        self._send(b"* CAPABILITY IMAP4rev1\r\n")

    def _fetch(self, tag: bytes, args: bytes) -> None:
        if self._rows:
            # (One range; whatever else is asked for is all of them.)
            asked = _RANGE.match(args)
            first, last = (int(asked[1]), int(asked[2])) if asked else (1, self._size)
            self._send(b"".join(self._rows[first - 1 : last]))
            return
        piece = _PIECE.search(args) if self._kind == "big" else None
        if piece:
            start = int(piece[1])
            data = text(self._size)[start : start + int(piece[2])]
            self._send(b"* 1 FETCH (UID 1 RFC822.SIZE %d BODY[]<%d> {%d}\r\n%b)\r\n" % (self._size, start, len(data), data))
            return
        self._send(payload(self._kind, self._size) or b"* %b FETCH (FLAGS (\\Seen))\r\n" % args.partition(b" ")[0])

    def _search(self, tag: bytes, args: bytes) -> None:
        self._send(b"* SEARCH" + b"".join(b" %d" % i for i in range(1, self._size + 1)) + b"\r\n")

    def _noop(self, tag: bytes, args: bytes) -> None:
        if self._kind == "news":
            self._send(payload("news", self._size))

    def _idle(self, tag: bytes, args: bytes) -> None:
        self._send(b"+ idling\r\n")
        self._flush()
        if self._kind == "stamped":
            time.sleep(_NEWS_AFTER)
            self._send(b"* %d EXISTS\r\n" % now())
        self._line()

    def _login(self, tag: bytes, args: bytes) -> None:
        self._send(b"* CAPABILITY %b\r\n" % CAPABILITIES)

    def _namespace(self, tag: bytes, args: bytes) -> None:
        self._send(b'* NAMESPACE (("" "/")) NIL NIL\r\n')

    def _id(self, tag: bytes, args: bytes) -> None:
        self._send(b"* ID NIL\r\n")

    def _list(self, tag: bytes, args: bytes) -> None:
        one = b'* LIST () "/" "%b-%d"\r\n' % (self._kind.encode(), self._size)
        self._send(payload("names", self._size) if self._kind == "names" else one)

    def _status(self, tag: bytes, args: bytes) -> None:
        self._send(b"* STATUS %b (MESSAGES 231 UNSEEN 4 UIDNEXT 44292 UIDVALIDITY 1)\r\n" % args.rpartition(b" (")[0])

    def _logout(self, tag: bytes, args: bytes) -> None:
        self._send(b"* BYE\r\n")
        self._over = True


_ACTIONS: dict[bytes, Callable[[_Session, bytes, bytes], None]] = {
    b"CAPABILITY": _Session._login,
    b"EXAMINE": _Session._select,
    b"FETCH": _Session._fetch,
    b"ID": _Session._id,
    b"IDLE": _Session._idle,
    b"LIST": _Session._list,
    b"LOGIN": _Session._login,
    b"LOGOUT": _Session._logout,
    b"NAMESPACE": _Session._namespace,
    b"NOOP": _Session._noop,
    b"SELECT": _Session._select,
    b"STATUS": _Session._status,
    b"UIDFETCH": _Session._fetch,
    b"UIDSEARCH": _Session._search,
}


def _serve(sock: socket.socket, context: ssl.SSLContext | None) -> None:
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True)
        _Session(sock).run()
    except OSError:
        pass  # the client has gone
    finally:
        sock.close()


def _accept(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_serve, args=(sock, context), daemon=True).start()


def main(certificate: str, key: str) -> None:
    """Serve until the standard input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    threading.stack_size(1 << 18)
    ports = []
    for each in (None, context):
        listener = socket.create_server(("127.0.0.1", 0), backlog=600)
        ports.append(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, each), daemon=True).start()
    print(json.dumps({"port": ports[0], "tls_port": ports[1]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
