"""What a command is made of before it is sent: bytes of a command line, literals, and what has two forms; RFC 3501 section 4."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from imapkit.core.support.lean import lean_dataclass
from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire import mutf7
from imapkit.core.wire.source import Source
from imapkit.errors import ArgumentError

__all__ = [
    "Late",
    "Literal",
    "MailboxName",
    "OfMailbox",
    "Piece",
    "ServerString",
    "Token",
    "UTF8MailboxName",
    "check",
    "check_end",
    "check_piece",
    "exact_bytes",
    "has_literal",
    "joined",
    "line_size",
]

FORBIDDEN = re.compile(rb"[\r\n\0]")
_NAMES = {13: "CR", 10: "LF", 0: "NUL"}
_ANNOUNCES = late_pattern(rb"\{\d*[+-]?\}\Z")
_LONGEST_ANNOUNCEMENT = 30


@lean_dataclass(frozen=True, slots=True)
class Literal:
    """A string sent as a literal, RFC 3501 section 4.3; ``binary``: as a literal8, RFC 3516 section 4.4."""

    data: bytes
    binary: bool = False

    @property
    def size(self) -> int:
        """How many bytes it has, as ``Source.size``."""
        return len(self.data)

    def __repr__(self) -> str:
        return f"<Literal of {len(self.data)} octets>"


class MailboxName(bytes):
    """A mailbox name exactly as a server gave it: it can be passed back to any command, which quotes it as it needs.

    Where UTF8=ACCEPT is on and was not as it came (or the other way round), it goes in what is spoken there.
    """

    __slots__ = ()

    @property
    def text(self) -> str:
        """The name, readable: modified UTF-7 decoded (RFC 3501 section 5.1.3)."""
        return mutf7.decode(self)


class UTF8MailboxName(MailboxName):
    """A mailbox name that came while UTF8=ACCEPT was on: plain UTF-8, in which "&" means nothing (RFC 6855 section 3)."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The name, readable; octets that are not UTF-8 as PEP 383 has them."""
        return self.decode("utf-8", "surrogateescape")


class OfMailbox:
    """The base of records about a mailbox, whose first field is ``name``, as it was sent: it can be passed to every command."""

    __slots__ = ()
    name: MailboxName

    @property
    def mailbox(self) -> str:
        """The mailbox's name, readable: modified UTF-7 decoded (RFC 3501 section 5.1.3), or UTF-8 (RFC 6855 section 3)."""
        return self.name.text if isinstance(self.name, MailboxName) else mutf7.decode(self.name)


class ServerString(bytes):
    """A string exactly as a server gave it, such as an identifier: passed back to any command it is quoted as it needs."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The string, readable: UTF-8; octets that are not, as PEP 383 has them."""
        return self.decode("utf-8", "surrogateescape")


class Late(NamedTuple):
    """What is written in one of two ways, as UTF8=ACCEPT is off or on when it is sent (RFC 6855 sections 3 and 4)."""

    off: tuple[bytes | Literal | Source, ...]
    on: tuple[bytes | Literal | Source, ...]


Piece = bytes | Literal | Late | Source
"""Octets of a command line, a literal or its source, or what is written in one way or another as UTF8=ACCEPT is off or on."""
Token = Piece | tuple[Piece, ...]
"""What an argument becomes: pieces that follow one another with no space between."""


def exact_bytes(value: Any) -> bytes | None:
    """The bytes that ``value`` holds, whatever methods its class has; None if it holds none.

    A subclass of ``bytes`` may have methods that say something else than what would be sent.
    """
    if type(value) is bytes:
        return value
    if isinstance(value, memoryview):
        return value.tobytes()
    return b"".join((value,)) if isinstance(value, (bytes, bytearray)) else None


def check(data: bytes, what: str = "argument") -> bytes:
    """``data``, if it may stand in a command line. Raises ``ArgumentError``."""
    bad = FORBIDDEN.search(data)
    if bad:
        raise ArgumentError(
            f"{_NAMES[data[bad.start()]]} at byte {bad.start()} of the {what}: it cannot be sent in a command line"
        )
    if _ANNOUNCES.search(data, max(0, len(data) - _LONGEST_ANNOUNCEMENT)):
        raise ArgumentError(f"the {what} ends in {data[-12:]!r}, which a server would read as the start of a literal")
    return data


def check_piece(piece: Any, name: str) -> None:
    """Raise ``ArgumentError`` unless ``piece`` can stand in the command called ``name``.

    Only bytes, tuples, ``Literal``, ``Source`` and ``Late`` themselves pass: the methods of a subclass could show this check
    something else than what is sent.
    """
    if type(piece) is Late:
        for form in piece:
            if type(form) is not tuple:
                raise ArgumentError(f"{name}: a Late must hold two tuples, not {type(form).__name__}")
            for each in form:
                if type(each) is not Literal and type(each) is not bytes and type(each) is not Source:
                    raise ArgumentError(f"{name}: a Late must hold bytes, Literals and Sources, not {type(each).__name__}")
                check_piece(each, name)
    elif type(piece) is Literal:
        # A buffer that another thread changes meanwhile would not be as long as announced.
        if type(piece.data) is not bytes:
            raise ArgumentError(f"{name}: a literal's data must be bytes, not {type(piece.data).__name__}")
    elif type(piece) is bytes:
        check(piece + b" ", f"arguments of {name}")
    elif type(piece) is not Source:
        raise ArgumentError(f"{name}: an argument's kind returned {type(piece).__name__} instead of bytes, a Literal or a Source")


def check_end(piece: Piece, name: str) -> None:
    """Raise ``ArgumentError`` if the last piece of a command ends as the announcement of a literal does."""
    for form in piece if isinstance(piece, Late) else ((piece,),):
        last = form[-1] if form else b""
        if isinstance(last, bytes) and last[-1:] == b"}" and _ANNOUNCES.search(last, max(0, len(last) - _LONGEST_ANNOUNCEMENT)):
            raise ArgumentError(f"{name}: it ends in {last[-12:]!r}, which a server would read as the start of a literal")


def has_literal(pieces: Iterable[Piece]) -> bool:
    """Whether a literal is, or may be, among them."""
    return any(isinstance(piece, (Literal, Source)) or (isinstance(piece, Late) and has_literal(piece.off)) for piece in pieces)


def line_size(pieces: Iterable[Piece]) -> int:
    """How many bytes of a command are in its lines, and not in literals."""
    size = 0
    for piece in pieces:
        if isinstance(piece, Late):
            size += max(map(line_size, piece))
        elif isinstance(piece, bytes):
            size += len(piece)
    return size


def joined(tokens: list[Token]) -> list[Piece]:
    """One flat list, a space between two tokens, neighbouring bytes as one."""
    pieces: list[Piece] = []
    line: list[bytes] = []
    for i, token in enumerate(tokens):
        if i:
            line.append(b" ")
        # A Late is a tuple too, but one piece.
        several: tuple[Piece, ...] = token if type(token) is tuple else (token,)  # type: ignore[assignment]
        for piece in several:
            if isinstance(piece, bytes):
                line.append(piece)
                continue
            if line:
                pieces.append(b"".join(line))
                line = []
            pieces.append(piece)
    if line:
        pieces.append(b"".join(line))
    return pieces
