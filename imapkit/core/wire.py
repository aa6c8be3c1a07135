"""Arguments into what goes over the wire; RFC 3501 sections 4 and 9.

Nothing reaches the wire but through here. Each function takes what a caller gave and returns a token, or raises
``ArgumentError`` that says what was wrong; a command names the kind of each argument (``Command.args``).

Octets pass as they are. Text passes as it is between ``"..."`` or ``(...)``; between ``'...'`` it passes without those
quotes; else it is quoted if it holds what an atom may not, and becomes a literal if it is 8-bit or long.
CR, LF and NUL are refused everywhere but in a literal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from imapkit.core import mutf7
from imapkit.core.lean import lean_dataclass
from imapkit.core.numbers import sequence_set_text
from imapkit.core.patterns import late_pattern
from imapkit.core.response import quoted
from imapkit.errors import ArgumentError

__all__ = [
    "Late",
    "Literal",
    "MailboxName",
    "Piece",
    "ServerString",
    "Token",
    "UTF8MailboxName",
    "astring",
    "atom",
    "encode",
    "fetch_items",
    "flags",
    "general",
    "list_pattern",
    "mailbox",
    "message",
    "no_arguments",
    "number",
    "parenthesized",
    "program",
    "quoted_string",
    "raw",
    "sequence_set",
    "status_items",
    "store_item",
]

LONGEST_QUOTED = 1000
"""RFC 2683 section 3.2.1.5: a command line should stay within about 1000 octets; longer text becomes a literal."""

_FORBIDDEN = re.compile(rb"[\r\n\0]")
_NAMES = {13: "CR", 10: "LF", 0: "NUL"}
#   ASTRING-CHAR = ATOM-CHAR / "]"; atom-specials = "(" / ")" / "{" / SP / CTL / "%" / "*" / DQUOTE / "\" / "]"
_ASTRING = re.compile(r"[!#$&'+-\[\]-z|-~]+\Z")
_ATOM = re.compile(r"[!#$&'+-\[^-z|-~]+\Z")
_PATTERN = late_pattern(r"[!#-'*-\[\]-z|-~]+\Z")
_QUOTED = late_pattern(r'"(?:[^"\\]|\\["\\])*+"\Z')
_QUOTED_8BIT = late_pattern(r'("(?:[^"\\]|\\.)*+")')
_ANNOUNCES = late_pattern(rb"\{\d*[+-]?\}\Z")
_STORE_ITEM = late_pattern(r"[+-]?[A-Za-z][A-Za-z0-9.\-]*\Z")
_NOT_IN_FLAGS = late_pattern(r"[{}%*\x00-\x1f\x7f]|[^\x00-\x7f]")
#   It may hold "*", which an atom may not; nothing else looks like it.
_SEQUENCE_SET = late_pattern(r"[0-9*]+(?:[:,][0-9*]+)++\Z")
_LINE_END = late_pattern(rb"\r\n|\r|\n")


@lean_dataclass(frozen=True, slots=True)
class Literal:
    """A string sent as a literal, RFC 3501 section 4.3; ``binary``: as a literal8, RFC 3516 section 4.4."""

    data: bytes
    binary: bool = False

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


class ServerString(bytes):
    """A string exactly as a server gave it, such as an identifier: passed back to any command it is quoted as it needs."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The string, readable: UTF-8; octets that are not, as PEP 383 has them."""
        return self.decode("utf-8", "surrogateescape")


class Late(NamedTuple):
    """What is written in one of two ways, as UTF8=ACCEPT is off or on when it is sent (RFC 6855 sections 3 and 4)."""

    off: tuple[bytes | Literal, ...]
    on: tuple[bytes | Literal, ...]


Piece = bytes | Literal | Late
"""Octets of a command line, a literal, or what is written in one way or another as UTF8=ACCEPT is off or on."""
Token = Piece | tuple[Piece, ...]
"""What an argument becomes: pieces that follow one another with no space between."""


def check(data: bytes, what: str = "argument") -> bytes:
    """``data``, if it may stand in a command line. Raises ``ArgumentError``."""
    bad = _FORBIDDEN.search(data)
    if bad:
        raise ArgumentError(
            f"{_NAMES[data[bad.start()]]} at byte {bad.start()} of the {what}: it cannot be sent in a command line"
        )
    if _ANNOUNCES.search(data, max(0, len(data) - 30)):
        raise ArgumentError(f"the {what} ends in {data[-12:]!r}, which a server would read as the start of a literal")
    return data


def _octets(value: Any) -> bytes | None:
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else None


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ArgumentError(f"{what} must be text or octets, not {type(value).__name__}")


def _ascii(text: str, what: str) -> bytes:
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
    """What stands between well-formed double quotes, or None if ``text`` is not so quoted."""
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if _QUOTED.match(text) else None


def raw(value: Any) -> bytes:
    """Octets or ASCII text, as they are."""
    octets = _octets(value)
    return check(octets) if octets is not None else _ascii(_text(value, "argument"), "argument")


def atom(value: Any) -> bytes:
    """``atom = 1*ATOM-CHAR``, RFC 3501 section 9: a name of a command, charset, mechanism."""
    octets = _octets(value)
    text = octets.decode("latin-1") if octets is not None else _text(value, "an atom")
    if not _ATOM.match(text):
        raise ArgumentError(f"not an atom: {text[:80]!r}")
    return text.encode("ascii")


def number(value: Any) -> bytes:
    """``number = 1*DIGIT``."""
    octets = _octets(value)
    text = octets.decode("latin-1") if octets is not None else _text(value, "a number")
    if not (text.isascii() and text.isdigit()):
        raise ArgumentError(f"not a number: {text[:40]!r}")
    return text.encode("ascii")


def astring(value: Any) -> Token:
    """``astring = 1*ASTRING-CHAR / string``: a user name, a mailbox name already encoded."""
    if isinstance(value, ServerString):
        return quoted_string(value)
    octets = _octets(value)
    if octets is not None:
        return check(octets)
    text = _text(value, "a string")
    inner = unquote(text)
    if inner is not None:
        return _string(inner, "string")
    if len(text) > 1 and text[0] == text[-1] == "'":
        return _ascii(text[1:-1], "string")
    if _ASTRING.match(text) and text.upper() != "NIL" and len(text) <= LONGEST_QUOTED:
        return text.encode("ascii")
    return _string(text, "string")


def quoted_string(value: Any) -> Token:
    """A string that is quoted whatever it holds: the password of a login."""
    octets = _octets(value)
    if octets is None:
        return _string(_text(value, "a password"), "password")
    if isinstance(value, ServerString) and _LINE_END.search(octets) and b"\0" not in octets:
        return Literal(octets)
    check(octets + b" ", "password")
    return quoted(octets) if octets.isascii() and len(octets) <= LONGEST_QUOTED else Literal(octets)


def general(value: Any) -> Token:
    """An argument of a command that does not say what its arguments are."""
    if isinstance(value, str) and len(value) > 1 and value[0] == "(" and value[-1] == ")":
        return program(value)
    if isinstance(value, str) and _SEQUENCE_SET.match(value):
        return value.encode("ascii")
    return astring(value)


def program(text: str, charset: str = "utf-8") -> tuple[Piece, ...]:
    """Text with a grammar of its own, as it is, but for quoted strings with 8-bit text: those become literals."""
    pieces: list[Piece] = []
    for i, part in enumerate(_QUOTED_8BIT.split(text)):
        if part.isascii():
            pieces.append(_forbid(part.encode("ascii")))
        elif i % 2:
            pieces.append(Literal(_forbid(encode_text(unquote(part) or part[1:-1], charset))))
        else:
            raise ArgumentError(f"8-bit text outside of quotes: {part[:80]!r}")
    if isinstance(pieces[-1], bytes):
        check(pieces[-1])
    return tuple(pieces)


def _forbid(data: bytes) -> bytes:
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


def _server_name(name: MailboxName) -> Token:
    check(name + b" ", "mailbox name")
    came = _as_it_came(name)
    was_utf8 = isinstance(name, UTF8MailboxName)
    try:
        # It may have come before UTF8=ACCEPT was on, or from another connection.
        other = mutf7.encode(name.text) if was_utf8 else name.text.encode("utf-8")
    except ValueError:
        return came
    if other == name:
        return came
    again = (_quoted_or_literal(other),)
    return Late(again, (came,)) if was_utf8 else Late((came,), again)


def _as_it_came(name: MailboxName) -> bytes | Literal:
    if not name.isascii() or len(name) > LONGEST_QUOTED:
        return Literal(bytes(name))
    return bytes(name) if _ASTRING.match(name.decode("ascii")) and name.upper() != b"NIL" else quoted(name)


def _mailbox(value: Any, plain: re.Pattern[str]) -> Token:
    if isinstance(value, MailboxName):
        return _server_name(value)
    octets = _octets(value)
    if octets is not None:
        return check(octets, "mailbox name")
    text = _text(value, "a mailbox name")
    inner = unquote(text)
    if inner is None and len(text) > 1 and text[0] == text[-1] == "'":
        return _ascii(text[1:-1], "mailbox name")
    bare = inner is None and plain.match(text) is not None and text.upper() != "NIL"
    name = text if inner is None else inner
    check(name.encode("utf-8", "surrogatepass") + b" ", "mailbox name")
    encoded = mailbox_octets(name)
    octets = name.encode("utf-8")
    if encoded == octets:
        return encoded if bare else _quoted_or_literal(encoded)
    return Late((_quoted_or_literal(encoded),), (_quoted_or_literal(octets),))


def _quoted_or_literal(octets: bytes) -> bytes | Literal:
    return Literal(octets) if len(octets) > LONGEST_QUOTED else quoted(octets)


def mailbox_octets(name: str) -> bytes:
    """A mailbox name in modified UTF-7, RFC 3501 section 5.1.3; one that already is passes unchanged."""
    if name.isascii() and name.isprintable() and mutf7.is_valid(name.encode("ascii")):
        return name.encode("ascii")
    try:
        return mutf7.encode(name)
    except ValueError as exc:
        raise ArgumentError(f"bad mailbox name: {exc}") from None


def mailbox_name(value: Any) -> bytes:
    """The name that a mailbox argument, or a mailbox in a response, stands for: in modified UTF-7, without quotes."""
    if isinstance(value, MailboxName):
        return bytes(value)
    octets = _octets(value)
    text = octets.decode("latin-1") if octets is not None else _text(value, "a mailbox name")
    inner = unquote(text)
    if inner is None and octets is None and len(text) > 1 and text[0] == text[-1] == "'":
        inner = text[1:-1]
    name = text if inner is None else inner
    return name.encode("latin-1") if octets is not None else mailbox_octets(name)


def mailbox(value: Any) -> Token:
    """``mailbox = "INBOX" / astring``, RFC 3501 section 5.1: text in modified UTF-7 where it needs it."""
    return _mailbox(value, _ASTRING)


def list_pattern(value: Any) -> Token:
    """``list-mailbox = 1*list-char / string``: a mailbox name with the wildcards "*" and "%"."""
    return _mailbox(value, _PATTERN)


def sequence_set(value: Any) -> bytes:
    """``sequence-set``: "1", "1:4,7", "5:*", 7, or an iterable of numbers."""
    return sequence_set_text(value).encode("ascii")


def _joined(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        return "({})".format(" ".join(raw(item).decode("latin-1") for item in value))
    return value


def fetch_items(value: Any) -> bytes:
    """``"ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"``, RFC 3501 section 6.4.5."""
    items = raw(_joined(value))
    # Exchange answers "BAD Command Argument Error. 11" to an empty list, and nobody answers anything useful.
    if not items.strip(b"() "):
        raise ArgumentError("no FETCH item is asked for")
    return items


def status_items(value: Any) -> bytes:
    """``"(" status-att *(SP status-att) ")"``, RFC 3501 section 6.3.10; parentheses are added."""
    items = raw(_joined(value))
    if not items.strip(b"() "):
        raise ArgumentError("no STATUS item is asked for")
    return items if items.startswith(b"(") else b"(%b)" % items


def flags(value: Any) -> bytes:
    """``flag-list = "(" [flag *(SP flag)] ")"``; parentheses are added."""
    text = raw(_joined(value)).decode("latin-1").strip()
    if not (text.startswith("(") and text.endswith(")")):
        text = f"({text})"
    bad = _NOT_IN_FLAGS.search(_QUOTED_8BIT.sub("", text[1:-1]))
    if bad:
        raise ArgumentError(f"{bad.group()!r} cannot be part of a flag: {text[:80]!r}")
    return text.encode("latin-1")


def store_item(value: Any) -> bytes:
    """``["+" / "-"] "FLAGS" [".SILENT"]``, or an extension's item, RFC 3501 section 6.4.6."""
    text = raw(value).decode("latin-1")
    if not _STORE_ITEM.match(text) and not (text.startswith("(") and ")" in text):
        raise ArgumentError(f"not a STORE item: {text[:40]!r}")
    return text.encode("latin-1")


def message(value: Any) -> Literal | Late:
    """A message to append, RFC 3501 section 6.3.11: octets (or ASCII text), every line end made CRLF.

    With 8-bit octets, ``append-data =/ "UTF8" SP "(" literal8 ")"`` once UTF8=ACCEPT is on: RFC 6855 section 4.
    """
    octets = _octets(value)
    if octets is None:
        if not isinstance(value, str):
            raise ArgumentError(f"a message must be octets or text, not {type(value).__name__}")
        try:
            octets = _text(value, "a message").encode("ascii")
        except UnicodeEncodeError as exc:
            raise ArgumentError(
                f"a message given as text must be ASCII ({exc.object[exc.start]!r} at {exc.start}): give octets"
            ) from None
    ends = octets.count(b"\r\n")
    if octets.count(b"\n") != ends or octets.count(b"\r") != ends:
        octets = _LINE_END.sub(b"\r\n", octets)
    plain = Literal(octets)
    return plain if octets.isascii() else Late((plain,), (b"UTF8 (", Literal(octets, binary=True), b")"))


def parenthesized(tokens: Iterable[Token]) -> tuple[Piece, ...]:
    """``"(" [token *(SP token)] ")"``."""
    return (b"(", *_join(list(tokens)), b")")


def no_arguments(args: tuple[Any, ...]) -> tuple[()]:
    """The ``rest`` of a command that takes none."""
    if args:
        raise ArgumentError(f"takes no arguments, not {len(args)}")
    return ()


def encode(kinds: Sequence[Any], rest: Any, args: tuple[Any, ...], name: str) -> list[Piece]:
    """The pieces of a whole command: its name and its arguments, ready but for the tag and the form of literals."""
    if not args and not kinds and rest in (None, no_arguments):
        return [name.encode("ascii")]
    tokens: list[Token] = [name.encode("ascii")]
    if not kinds and rest is None:
        kinds = (general,) * len(args)
    if len(args) < len(kinds) or (rest is None and len(args) > len(kinds)):
        raise ArgumentError(f"{name} takes {len(kinds)} arguments, not {len(args)}")
    for i, (kind, value) in enumerate(zip(kinds, args, strict=False)):
        if value is not None:
            tokens.append(_named(kind, value, f"{name}: argument {i + 1}"))
    if rest is not None:
        try:
            tokens += rest(tuple(value for value in args[len(kinds) :] if value is not None))
        except ArgumentError as exc:
            raise ArgumentError(f"{name}: {exc}") from None
    return _checked(_join(tokens), name)


def _checked(pieces: list[Piece], name: str) -> list[Piece]:
    """The pieces, if together they are one command whatever the kinds let through: a family's own kinds are not trusted."""
    for piece in pieces:
        if type(piece) is bytes and not _FORBIDDEN.search(piece):
            continue
        _check_piece(piece, name)
    last = pieces[-1]
    for form in last if isinstance(last, Late) else ((last,),):
        if (
            form
            and isinstance(form[-1], bytes)
            and form[-1][-1:] == b"}"
            and _ANNOUNCES.search(form[-1], max(0, len(form[-1]) - 30))
        ):
            raise ArgumentError(f"{name}: it ends in {form[-1][-12:]!r}, which a server would read as the start of a literal")
    return pieces


def _check_piece(piece: Any, name: str) -> None:
    if isinstance(piece, Late):
        for each in (*piece.off, *piece.on):
            _check_piece(each, name)
    elif isinstance(piece, Literal):
        # A buffer that somebody changes meanwhile would not be as long as announced.
        if type(piece.data) is not bytes:
            raise ArgumentError(f"{name}: a literal's data must be bytes, not {type(piece.data).__name__}")
    elif isinstance(piece, bytes):
        check(piece + b" ", f"arguments of {name}")
    else:
        raise ArgumentError(f"{name}: an argument's kind returned {type(piece).__name__} instead of octets or a Literal")


def has_literal(pieces: Iterable[Piece]) -> bool:
    """Whether a literal is, or may be, among them."""
    return any(isinstance(piece, Literal) or (isinstance(piece, Late) and has_literal(piece.off)) for piece in pieces)


def _named(kind: Any, value: Any, where: str) -> Token:
    try:
        token: Token = kind(value)
    except ArgumentError as exc:
        raise ArgumentError(f"{where}: {exc}") from None
    return token


def _join(tokens: list[Token]) -> list[Piece]:
    """One flat list, a space between two tokens, neighbouring octets as one."""
    pieces: list[Piece] = []
    octets: list[bytes] = []
    for i, token in enumerate(tokens):
        if i:
            octets.append(b" ")
        # A Late is a tuple too, but one piece.
        several: tuple[Piece, ...] = token if type(token) is tuple else (token,)  # type: ignore[assignment]
        for piece in several:
            if isinstance(piece, bytes):
                octets.append(piece)
                continue
            if octets:
                pieces.append(b"".join(octets))
                octets = []
            pieces.append(piece)
    if octets:
        pieces.append(b"".join(octets))
    return pieces
