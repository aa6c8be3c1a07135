"""Exchanges: what a command sends and waits for, as generators that do no I/O.

An exchange yields one of

- ``Send``: bytes to be sent. The exchange goes on at once; its bytes are sent in order.
- ``CONTINUE``: the exchange waits for the server's "+", and gets the text behind it.
- ``Ask``: a thread of the program calls a function, and the exchange gets what it returns.
- ``LISTEN``: the command listens (IDLE); the exchange gets the reason to end it.

An exchange ends when it has yielded the whole command. The engine closes it when the server answers the command early.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from imapkit.core.engine.phases import Tagged
from imapkit.core.engine.upload import Upload
from imapkit.core.support.secrets import plain as plain_pieces
from imapkit.core.wire.pieces import Late, Literal, Piece
from imapkit.core.wire.source import Source

if TYPE_CHECKING:
    from imapkit.core.contract.call import Call
    from imapkit.core.contract.session import Session

__all__ = [
    "CONTINUE",
    "LISTEN",
    "Ask",
    "Continue",
    "Exchange",
    "Listen",
    "Send",
    "conversation",
    "exchange_of",
    "plain",
    "whole",
]

ONE_SEND = 1 << 18
"""Literals up to this many bytes are sent together with the line around them."""
NON_SYNC_MAX = 4096
"""Bytes of the largest non-synchronizing literal under LITERAL-, RFC 7888 section 5."""


class Send:
    """Bytes to be sent, or a source. ``complete``: they are the last of the command, and the server may say OK from then on."""

    __slots__ = ("answers", "complete", "data", "secret", "source")

    def __init__(
        self,
        data: bytes,
        *,
        complete: bool = False,
        secret: bool = False,
        answers: bool = False,
        source: Upload | None = None,
    ) -> None:
        self.data, self.complete, self.secret, self.answers, self.source = data, complete, secret, answers, source


class Continue:
    """The type of ``CONTINUE``."""

    __slots__ = ()


class Listen:
    """The type of ``LISTEN``."""

    __slots__ = ()


class Ask:
    """A function of the program, and its argument."""

    __slots__ = ("argument", "function")

    def __init__(self, function: Callable[[bytes], bytes | None], argument: bytes) -> None:
        self.function, self.argument = function, argument


CONTINUE: Final = Continue()
LISTEN: Final = Listen()

Step: TypeAlias = Send | Continue | Ask | Listen
Exchange: TypeAlias = Generator[Step, Any, None]


def exchange_of(request: Tagged, session: Session) -> Exchange:
    """The exchange of a command that is not a single line."""
    call = request.call
    if call.command.interrupt is not None:
        return listening(request, session)
    return plain(request, session) if call.reply is None else conversation(request, session)


def plain(request: Tagged, session: Session) -> Exchange:
    """Send text and literals, RFC 3501 section 4.3 and RFC 7888."""
    out = bytearray(request.tag + b" ")
    for piece in settled(plain_pieces(request.call.pieces), session):
        if isinstance(piece, bytes):
            out += piece
            continue
        out += announcement(piece, session)
        if not is_non_sync(piece, session):
            yield Send(bytes(out))
            yield CONTINUE
            out.clear()
        if isinstance(piece, Source):
            if out:
                yield Send(bytes(out))
            yield Send(b"", source=Upload(piece, request))
            out.clear()
        elif len(piece.data) <= ONE_SEND:
            out += piece.data
        else:
            if out:
                yield Send(bytes(out))
            yield Send(piece.data)
            out.clear()
    out += b"\r\n"
    yield Send(bytes(out), complete=True, secret=request.call.command.secret)


def conversation(request: Tagged, session: Session) -> Exchange:
    """Send a command and answer its challenges (AUTHENTICATE), RFC 3501 section 6.2.2."""
    yield from plain(request, session)
    reply = request.call.reply
    assert reply is not None
    while True:
        challenge = yield CONTINUE
        answer = yield Ask(reply, challenge)
        yield Send(answer + b"\r\n", secret=request.call.command.secret, answers=True)


def listening(request: Tagged, session: Session) -> Exchange:
    """Send a command that listens until the client sends the line that ends it (IDLE), RFC 2177."""
    yield from plain(request, session)
    yield CONTINUE
    yield LISTEN
    interrupt = request.call.command.interrupt
    assert interrupt is not None
    yield Send(interrupt + b"\r\n")


def settled(pieces: Iterable[Piece], session: Session) -> Iterator[bytes | Literal | Source]:
    """The pieces, each ``Late`` one in the form for the present session."""
    for piece in pieces:
        if isinstance(piece, Late):
            yield from piece.on if session.utf8 else piece.off
        else:
            yield piece


def is_non_sync(literal: Literal | Source, session: Session) -> bool:
    """Whether a literal may follow its announcement without waiting for "+"; RFC 7888."""
    has = session.has
    if not (has("LITERAL+") or (literal.size <= NON_SYNC_MAX and (has("LITERAL-") or has("IMAP4REV2")))):
        return False
    # RFC 7888 section 6: "~{n+}" needs BINARY; a server without it takes the lines of the literal for commands.
    return not literal.binary or has("BINARY")


def announcement(literal: Literal | Source, session: Session) -> bytes:
    """``"{" number ["+"] "}" CRLF``, with "~" before it for a literal8 (RFC 3516)."""
    sign = b"+" if is_non_sync(literal, session) else b""
    return b"%b{%d%b}\r\n" % (b"~" if literal.binary else b"", literal.size, sign)


def whole(call: Call, session: Session) -> bytes | None:
    """A command without its tag, as bytes; None if it must wait for the server somewhere, or if it is large."""
    if call.line is not None:
        return call.line
    if call.reply is not None or call.command.interrupt is not None:
        return None
    out: list[bytes] = []
    size = 0
    for piece in settled(plain_pieces(call.pieces), session):
        if isinstance(piece, bytes):
            out.append(piece)
            continue
        size += piece.size
        if size > ONE_SEND or isinstance(piece, Source) or not is_non_sync(piece, session):
            return None
        out += announcement(piece, session), piece.data
    return b"".join(out)
