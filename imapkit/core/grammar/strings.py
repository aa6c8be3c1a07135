"""Strings, atoms and numbers as arguments, and text that has a grammar of its own; RFC 3501 sections 4 and 9."""

from __future__ import annotations

import re
from typing import Any

from imapkit.core.grammar.kinds import verbatim
from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire.pieces import Literal, Piece, ServerString, Token, check, exact_bytes
from imapkit.core.wire.response import quoted
from imapkit.core.wire.source import Source
from imapkit.errors import ArgumentError

__all__ = [
    "ASTRING",
    "LINE_END",
    "LONGEST_QUOTED",
    "ascii_bytes",
    "astring",
    "atom",
    "encode_text",
    "general",
    "number",
    "outside_quotes",
    "program",
    "quoted_string",
    "raw",
    "text_of",
    "unquote",
    "with_crlf",
]

LONGEST_QUOTED = 1000
"""RFC 2683 section 3.2.1.5: a command line should stay within about 1000 bytes; longer text becomes a literal."""

#   ASTRING-CHAR = ATOM-CHAR / "]"; atom-specials = "(" / ")" / "{" / SP / CTL / "%" / "*" / DQUOTE / "\" / "]"
ASTRING = re.compile(r"[!#$&'+-\[\]-z|-~]+\Z")
_ATOM = re.compile(r"[!#$&'+-\[^-z|-~]+\Z")
_QUOTED = late_pattern(r'"(?:[^"\\]|\\["\\])*+"\Z')
#   A string without its closing quote reaches to the end: no part of it is looked at twice.
_STRINGS = late_pattern(r'("(?:[^"\\]|\\.)*+(?:"|\\?\Z))', re.DOTALL)
_CLOSED = late_pattern(r'"(?:[^"\\]|\\.)*+"\Z', re.DOTALL)
#   It may hold "*", which an atom may not; nothing else looks like it.
_SEQUENCE_SET = late_pattern(r"[0-9*]+(?:[:,][0-9*]+)++\Z")
LINE_END = late_pattern(rb"\r\n|\r|\n")


def with_crlf(data: bytes) -> bytes:
    """The same text with every line end CRLF: a CR alone and an LF alone are line ends, too."""
    # (Ten times as fast as a pattern.)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data.replace(b"\n", b"\r\n")


def text_of(value: Any, what: str) -> str:
    """``value`` as text, a number too. Raises ``ArgumentError`` for any other type."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ArgumentError(f"{what} must be text or bytes, not {type(value).__name__}")


def ascii_bytes(text: str, what: str) -> bytes:
    """``text`` as it is. Raises ``ArgumentError`` if it is not ASCII, or cannot be sent in a command line."""
    try:
        return check(text.encode("ascii"), what)
    except UnicodeEncodeError as exc:
        raise ArgumentError(f"{what} must be ASCII: {text[exc.start]!r} at {exc.start}") from None


def _string(text: str, what: str) -> bytes | Literal:
    """``string = quoted / literal``: quoted where it can be."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise ArgumentError(f"{what} holds a lone surrogate at {exc.start}: it cannot be encoded") from None
    check(data + b" ", what)
    return quoted(data) if data.isascii() and len(data) <= LONGEST_QUOTED else Literal(data)


def unquote(text: str) -> str | None:
    """The text between well-formed double quotes; None if ``text`` is not quoted like that."""
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if _QUOTED.match(text) else None


def outside_quotes(text: str) -> str:
    """``text`` without its quoted strings; one without its closing quote is none."""
    return _STRINGS.sub(lambda found: "" if _CLOSED.match(found[0]) else found[0], text)


def raw(value: Any) -> bytes:
    """Bytes or ASCII text, as they are."""
    data = exact_bytes(value)
    return check(data) if data is not None else ascii_bytes(text_of(value, "argument"), "argument")


def atom(value: Any) -> bytes:
    """``atom = 1*ATOM-CHAR``, RFC 3501 section 9: a name of a command, charset, mechanism."""
    data = exact_bytes(value)
    text = data.decode("latin-1") if data is not None else text_of(value, "an atom")
    if not _ATOM.match(text):
        raise ArgumentError(f"not an atom: {text[:80]!r}")
    return text.encode("ascii")


def number(value: Any) -> bytes:
    """``number = 1*DIGIT``."""
    data = exact_bytes(value)
    text = data.decode("latin-1") if data is not None else text_of(value, "a number")
    if not (text.isascii() and text.isdigit()):
        raise ArgumentError(f"not a number: {text[:40]!r}")
    return text.encode("ascii")


def astring(value: Any) -> Token:
    """``astring = 1*ASTRING-CHAR / string``: a user name, a mailbox name already encoded."""
    if isinstance(value, ServerString):
        return quoted_string(value)
    data = exact_bytes(value)
    if data is not None:
        return check(data)
    text = text_of(value, "a string")
    inner = unquote(text)
    if inner is not None:
        return _string(inner, "string")
    if ASTRING.match(text) and text.upper() != "NIL" and len(text) <= LONGEST_QUOTED:
        return text.encode("ascii")
    return _string(text, "string")


@verbatim
def quoted_string(value: Any) -> Token:
    """A string that is always quoted, or a literal: the password of a login."""
    data = exact_bytes(value)
    if data is None:
        return _string(text_of(value, "a password"), "password")
    if isinstance(value, ServerString) and LINE_END.search(data) and b"\0" not in data:
        return Literal(data)
    check(data + b" ", "password")
    return quoted(data) if data.isascii() and len(data) <= LONGEST_QUOTED else Literal(data)


def general(value: Any) -> Token:
    """An argument of a command that does not say what its arguments are."""
    if isinstance(value, str) and len(value) > 1 and value[0] == "(" and value[-1] == ")":
        return program(value)
    if isinstance(value, str) and _SEQUENCE_SET.match(value):
        return value.encode("ascii")
    return value if isinstance(value, Source) else astring(value)


def program(text: str, charset: str = "utf-8") -> tuple[Piece, ...]:
    """Text with a grammar of its own, as it is, except quoted strings with 8-bit text: those become literals."""
    pieces: list[Piece] = []
    for i, part in enumerate(_STRINGS.split(text)):
        if not part and text:
            continue
        if part.isascii():
            pieces.append(_line_part(part.encode("ascii")))
        elif i % 2 and _CLOSED.match(part):
            pieces.append(Literal(_line_part(encode_text(unquote(part) or part[1:-1], charset))))
        else:
            raise ArgumentError(f"8-bit text outside of quotes: {part[:80]!r}")
    if isinstance(pieces[-1], bytes):
        check(pieces[-1])
    return tuple(pieces)


def _line_part(data: bytes) -> bytes:
    check(data + b" ")
    return data


def encode_text(text: str, charset: str) -> bytes:
    """``text`` in ``charset``. Raises ``ArgumentError``."""
    try:
        return text.encode(charset)
    except LookupError:
        raise ArgumentError(f"unknown charset: {charset[:40]!r}") from None
    except UnicodeEncodeError as exc:
        raise ArgumentError(f"{text[exc.start]!r} at {exc.start} cannot be written in {charset}") from None
