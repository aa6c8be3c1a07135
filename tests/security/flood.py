"""Clients without a socket, in every state, and what a hostile server sends to them: for tests of work and memory."""

from __future__ import annotations

import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterator

from imapkit import ext
from imapkit.core.contract.session import State
from imapkit.core.support.limits import Limits
from imapkit.errors import error
from imapkit.ext.compress import DeflateLayer
from imapkit.testing import load_only
from tests.receiving import Receiver

__all__ = ["SHAPES", "STATES", "Flooded", "deflated", "size_of"]

REGISTRY = load_only(*ext.INDEX)
GREETING = b"* OK hello\r\n"
READ = 1 << 16


def _none(client: Receiver) -> None:
    """Nothing is in flight."""


def _fetching(client: Receiver) -> None:
    client.engine.session.enter(State.SELECTED)
    client.ask("FETCH", "1:*", "(BODY[])")


def _busy(client: Receiver) -> None:
    client.engine.session.enter(State.SELECTED)
    client.ask("FETCH", "1:3", "(FLAGS)")
    client.ask("STATUS", "INBOX", "(MESSAGES)")
    client.ask("LIST", '""', "*")
    client.ask("SEARCH", "ALL", uid=True)


def _idling(client: Receiver) -> None:
    client.engine.session.enter(State.SELECTED)
    client.ask("IDLE")
    client.receive(b"+ idling\r\n")


def _authenticating(client: Receiver) -> None:
    """The exchange waits for a challenge, and has sent secrets."""
    client.ask("AUTHENTICATE", "CRAM-MD5", reply=lambda challenge: b"")
    client.engine.secrets.begin(b"correct horse battery staple")
    for number in range(20):
        client.engine.secrets.add_response(b"Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ%02d" % number)


def _entered(state: State) -> Callable[[Receiver], None]:
    return lambda client: client.engine.session.enter(state)


STATES: dict[str, tuple[bytes, Callable[[Receiver], None]]] = {
    "greeting": (b"", _none),
    "not authenticated": (GREETING, _none),
    "authenticated": (GREETING, _entered(State.AUTH)),
    "selected": (GREETING, _entered(State.SELECTED)),
    "fetching": (GREETING, _fetching),
    "busy": (GREETING, _busy),
    "idling": (GREETING, _idling),
    "authenticating": (GREETING, _authenticating),
    "in a literal": (GREETING + b"* 1 FETCH (BODY[] {3000}\r\n", _fetching),
    "in a string": (GREETING + b'* 1 FETCH (ENVELOPE ("\r\n', _fetching),
    "in a list": (GREETING + b"* 1 FETCH (BODY[] {1}\r\nx\r\n", _fetching),
}
"""What has come before, and what is in flight then."""


def _repeated(unit: bytes, before: bytes = b"", after: bytes = b"") -> Callable[[int], bytes]:
    return lambda size: before + unit * (1 + size // len(unit)) + after


def _numbered(before: bytes, after: bytes) -> Callable[[int], bytes]:
    """Lines of which each is another one."""
    return lambda size: b"".join(b"%b%d%b" % (before, i, after) for i in range(size // (len(before + after) + 4)))


SHAPES: dict[str, Callable[[int], bytes]] = {
    "empty lines": _repeated(b"\r\n"),
    "empty lines, LF alone": _repeated(b"\n"),
    "lines of one byte": _repeated(b"x\r\n"),
    "lines of NUL": _repeated(b"\0\r\n"),
    "stars": _repeated(b"*\r\n"),
    "stray lines": _repeated(b"* X\r\nServer Unavailable\r\n"),
    "a line without end": _repeated(b"y", b"* X "),
    "long lines": _repeated(b"* X " + b"y" * 2000 + b"\r\n"),
    "long names": lambda size: b"".join(b"* N%d%b\r\n" % (i, b"z" * 2000) for i in range(1 + size // 2000)),
    "names": _numbered(b"* N", b"\r\n"),
    "codes": _numbered(b"* OK [C", b"] x\r\n"),
    "long codes": lambda size: b"".join(b"* OK [C%d%b] x\r\n" % (i, b"z" * 2000) for i in range(1 + size // 2000)),
    "alerts": _repeated(b"* NO [ALERT] x\r\n"),
    "parentheses": _repeated(b"* 1 FETCH " + b"(" * 500 + b")" * 500 + b"\r\n"),
    "open parentheses": _repeated(b"(", b"* X "),
    "quotes": _repeated(b'"', b"* X "),
    "quotes and backslashes": _repeated(b'* X "\\\r\n'),
    "braces": _repeated(b"* X {1 }\r\n"),
    "a string of many lines": _repeated(b"\r\n", b'* X ("'),
    "tiny literals": _repeated(b" {0}\r\n", b"* X"),
    "tiny literals in a row": _repeated(b"({1}\r\nx)", b"* 1 FETCH ("),
    "bodies of no bytes": _repeated(b"* 1 FETCH (BODY[] {0}\r\n)\r\n"),
    "bodies": _repeated(b"* 1 FETCH (BODY[] {2000}\r\n" + b"b" * 2000 + b")\r\n"),
    "rows": _numbered(b"* ", b" FETCH (FLAGS (\\Seen))\r\n"),
    "rows of a list": _numbered(b'* LIST () "/" f', b"\r\n"),
    "statuses": _repeated(b"* STATUS INBOX (MESSAGES 1)\r\n"),
    "numbers": _repeated(b" 1234", b"* SEARCH"),
    "capabilities": _repeated(b" aa", b"* CAPABILITY", b"\r\n"),
    "capabilities in a code": _repeated(b"* OK [CAPABILITY aa bb cc dd] x\r\n"),
    "enabled": _repeated(b" aa", b"* ENABLED", b"\r\n"),
    "challenges": _repeated(b"+ \r\n"),
    "long challenges": _repeated(b"+ " + b"c" * 2000 + b"\r\n"),
    "tags that were not sent": _numbered(b"q", b" OK x\r\n"),
    "answers to the end of a command": _repeated(b"DONE BAD x\r\n"),
    "bytes of no kind": lambda size: bytes(i * i * 37 % 251 for i in range(size)),
}
"""What comes then: each makes about as many bytes as it is asked for."""


def deflated(data: bytes) -> bytes:
    """Compressed as far as it can be, in one piece."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


class Flooded(Receiver):
    """A client in one of the ``STATES``; with ``compressed`` behind COMPRESS."""

    def __init__(self, state: str, limits: Limits, *, compressed: bool = False) -> None:
        super().__init__(REGISTRY, limits)
        before, prepare = STATES[state]
        greeting, rest = before[: len(GREETING)], before[len(GREETING) :]
        self.feed(greeting)
        prepare(self)
        if compressed:
            self.layers.insert(DeflateLayer(limits.inflation), lambda: 0.0, 50)
            rest = deflated(rest) if rest else rest
        self.feed(rest)

    @property
    def ended(self) -> error | None:
        """Why the connection has ended."""
        return self.engine.closed

    def feed(self, data: bytes, size: int = READ) -> int:
        """Take the data in, in reads of at most ``size`` bytes; returns how many were taken before the connection ended."""
        taken = 0
        for piece in self._pieces(data, size):
            taken += len(piece)
            self.receive(piece)
            if self.engine.closed is not None:
                break
        return taken

    def _pieces(self, data: bytes, size: int) -> Iterator[bytes]:
        return (data[at : at + size] for at in range(0, len(data), size))


def size_of(value: object, seen: set[int] | None = None) -> int:
    """Bytes of an object and all that it holds; what it holds twice counts once."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, type):
        return 0
    seen.add(id(value))
    held = [getattr(value, name, None) for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
    if isinstance(value, (list, tuple, deque)):
        held += value
    return sys.getsizeof(value) + sum(size_of(each, seen) for each in held if each is not None)
