"""Reading one response from left to right: where the reader is, punctuation, words, numbers and strings; RFC 3501 section 9.

``Cursor`` reads flags, mailbox names and whole values beside these. Every regular expression is linear: what an alternative has
taken is never given back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self, TypeAlias

from imapkit.core.wire.data import Defect
from imapkit.core.wire.quoting import BARE_QUOTE, INSIDE, has_bare_quote, unescape
from imapkit.core.wire.response import announcement, one_line
from imapkit.errors import ParseError

__all__ = ["QUOTED", "Mark", "Reader", "reached", "surplus"]

Mark: TypeAlias = tuple[int, int]

#   ATOM-CHAR = <any CHAR except atom-specials>; 8-bit bytes pass: Proton bridge sends them without UTF8=ACCEPT.
_ATOM = re.compile(rb"[^\x00-\x20\x7f(){%*\"\\\]]++")
_ASTRING = re.compile(rb"[^\x00-\x20\x7f(){%*\"\\]++")
QUOTED = re.compile(rb'"(%b)"' % INSIDE, re.DOTALL)
_NIL = re.compile(rb"[Nn][Ii][Ll](?![^ ()\]])")
_NUMBER = re.compile(rb"\d{1,20}+(?![^ ()\]<>:,])")
_QUOTED_NUMBER = re.compile(rb'"(\d{1,20}+)"(?![^ ()\]<>:,])')
_NUMBERS = re.compile(rb" *+((?:\d{1,20}+(?!\d) *+)*+)")
_SPACES = re.compile(rb" *+")
#   A string that does not end reaches to the end, so that each byte is looked at once.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("|\\?\Z)', re.DOTALL)

_MOST_DEFECTS = 1000

_NO_ITEMS: Mapping[tuple[str, str], Callable[[Any], Any]] = MappingProxyType({})


def surplus(text: bytes) -> int:
    """How many more "(" than ")" stand in a text, outside quoted strings."""
    left = _STRING.sub(lambda string: b"" if string[1] == b'"' else string[0], text)
    return left.count(b"(") - left.count(b")")


class Reader:
    """The basic rules of ``Cursor``, from which those for flags, mailbox names and values are made; see there."""

    __slots__ = (
        "_at",
        "_end",
        "_index",
        "_parts",
        "_surplus",
        "_text",
        "bare_quotes",
        "defects",
        "items",
        "leading",
        "nesting",
        "utf8",
    )

    def __init__(
        self,
        parts: Sequence[bytes],
        number: int | None = None,
        items: Mapping[tuple[str, str], Callable[[Self], Any]] = _NO_ITEMS,
        *,
        nesting: int = 1000,
        utf8: bool = False,
    ) -> None:
        self._parts = parts or (b"",)
        self.leading = number
        """The message number, or count, before the response's name; None where there is none."""
        self.items = items
        self.nesting = nesting
        self.utf8 = utf8
        self._surplus: int | None = None
        self.defects: list[Defect] = []
        """The deviations that were tolerated so far."""
        self.bare_quotes = False  # after one, strings may have been cut or joined in the wrong place
        self._enter(0)
        self._at = self._past_spaces()

    # Where it is

    def mark(self) -> Mark:
        """The current place, for ``reset`` and ``since``."""
        return self._index, self._at

    def reset(self, mark: Mark) -> None:
        """Go back to where ``mark`` was taken."""
        self._enter(mark[0])
        self._at = mark[1]

    def since(self, mark: Mark) -> bytes:
        """The bytes read since ``mark``, as they were on the wire."""
        index, at = mark
        pieces: list[bytes] = []
        while index < self._index:
            pieces += (self._parts[index][at:], b"\r\n", self._parts[index + 1])
            index, at = index + 2, 0
        return b"".join((*pieces, self._text[at : self._at]))

    def rest(self) -> bytes:
        """Read all that is left, as it was on the wire."""
        mark = self.mark()
        self._enter(len(self._parts) - 1)
        self._at = self._end
        return self.since(mark)

    def ahead(self) -> bytes:
        """All that is left, as text with literals as quoted strings; it is not read."""
        return one_line((self._text[self._at :], *self._parts[self._index + 1 :]))

    @property
    def surplus(self) -> int:
        """How many more "(" than ")" the response has outside strings; counted once."""
        if self._surplus is None:
            self._surplus = sum(map(surplus, self._parts[::2]))
        return self._surplus

    def peek(self) -> bytes:
        """The next byte, ``{`` before a literal, empty at the end."""
        if self._at < self._end:
            return self._text[self._at : self._at + 1]
        return b"{" if self._literal_is_next() else b""

    def at_end(self) -> bool:
        """Whether nothing is left but spaces: iCloud, QQ and Yahoo leave some at the end of a line."""
        return self._index + 1 >= len(self._parts) and self._past_spaces() == self._end

    def error(self, expected: str) -> ParseError:
        """The error that says what was expected here."""
        return ParseError(expected, self._text, self._at)

    def tolerate(self, what: str, raw: bytes) -> None:
        """Note a defect; beyond a thousand in one response, only that there are more."""
        if len(self.defects) < _MOST_DEFECTS:
            self.defects.append(Defect(what, raw))
        elif len(self.defects) == _MOST_DEFECTS:
            self.defects.append(Defect("more than can be noted", b""))

    # Punctuation

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Read what ``pattern`` matches here, up to the next literal; it must run in linear time."""
        match = pattern.match(self._text, self._at, self._end)
        if match is not None:
            self._at = match.end()
        return match

    def spaces(self) -> None:
        """``*SP``."""
        self._at = self._past_spaces()

    def sp(self) -> None:
        """``SP``; several count as one, since Exchange 2010, DavMail and Outlook.com send them."""
        at = self._past_spaces()
        if at == self._at:
            raise self.error("SP")
        self._at = at

    def try_(self, token: bytes) -> bool:
        """Read ``token``, in upper or lower case, if it is next. Spaces may stand before a ``)``: QQ, Yandex."""
        start = self._past_spaces() if token == b")" else self._at
        stop = start + len(token)
        found = self._text[start:stop]
        if stop > self._end or (found != token and found.upper() != token.upper()):
            return False
        self._at = stop
        return True

    def expect(self, token: bytes) -> None:
        """Read ``token``, which must be next."""
        if not self.try_(token):
            raise self.error(token.decode("ascii", "backslashreplace"))

    # Words and numbers

    def atom(self) -> bytes:
        """``atom = 1*ATOM-CHAR``."""
        return self._must(_ATOM, "atom").group()

    def keyword(self) -> str:
        """An atom that names something: in upper case."""
        return self.atom().decode("utf-8", "backslashreplace").upper()

    def number(self) -> int:
        """``number = 1*DIGIT``, unsigned, 32 bits; a larger one is noted and kept."""
        return self._number(0xFFFFFFFF)

    def number64(self) -> int:
        """``number64 = 1*DIGIT``, unsigned, 63 bits (RFC 9051 section 9); a larger one is noted and kept."""
        return self._number(0x7FFFFFFFFFFFFFFF)

    def nz_number(self) -> int:
        """``nz-number = digit-nz *DIGIT``; several servers send UIDVALIDITY 0 and UIDNEXT 0, which is noted."""
        number = self.number()
        if not number:
            self.tolerate("0 where a number starts at 1", b"0")
        return number

    def numbers(self) -> tuple[int, ...]:
        """``[number *(SP number)]``, as many as there are; fast for long ones."""
        return tuple(map(int, self._must(_NUMBERS, "numbers").group(1).split()))

    # Strings

    def literal(self) -> bytes:
        """``literal = "{" number "}" CRLF *CHAR8``, or a ``literal8`` (RFC 3516)."""
        if not self._literal_is_next():
            raise self.error("literal")
        literal = self._parts[self._index + 1]
        self._enter(self._index + 2)
        return literal

    def quoted(self) -> bytes:
        r"""``quoted = DQUOTE *QUOTED-CHAR DQUOTE``, without its quotes and escapes.

        A backslash before anything but ``"`` and ``\`` stays. CR, LF and NUL, which may not be in it, are noted.
        """
        return self._unquote(self._must(QUOTED, "quoted string").group(1))

    def string(self) -> bytes:
        """``string = quoted / literal``."""
        return self.literal() if self._literal_is_next() else self._must_string()

    def nstring(self) -> bytes | None:
        """``nstring = string / nil``."""
        return None if self.match(_NIL) else self.string()

    def astring(self) -> bytes:
        """``astring = 1*ASTRING-CHAR / string``."""
        word = self.match(_ASTRING)
        if word is not None:
            return word.group()
        if self.peek() not in (b'"', b"{"):
            raise self.error("astring")
        return self.string()

    def unquoted_mailbox(self, length: int) -> bytes:
        """A mailbox name as it stands in the next ``length`` bytes, which is noted; quotes around it are left out."""
        stop = self._at + length
        raw = self._text[self._at : stop].strip(b" ")
        if not raw or stop > self._end:
            raise self.error("mailbox")
        self._at = stop
        self.tolerate("a mailbox name without proper quotes", raw)
        return unescape(raw[1:-1]) if len(raw) > 1 and raw[:1] == raw[-1:] == b'"' else raw

    # Inside

    def _enter(self, index: int) -> None:
        """Go to the start of a text part; its end is before the announcement of the literal that follows."""
        self._index, self._text, self._at = index, self._parts[index], 0
        self._end = len(self._text) if index + 1 >= len(self._parts) else announcement(self._text)

    def _literal_is_next(self) -> bool:
        return self._index + 1 < len(self._parts) and self._past_spaces() == self._end

    def _past_spaces(self) -> int:
        text, at, end = self._text, self._at, self._end
        if at < end and text[at] == 32:
            at += 1
            if at < end and text[at] == 32:
                return reached(_SPACES, text, at, end)
        return at

    def _must(self, pattern: re.Pattern[bytes], expected: str) -> re.Match[bytes]:
        match = self.match(pattern)
        if match is None:
            raise self.error(expected)
        return match

    def _must_string(self) -> bytes:
        return self._unquote(self._must(QUOTED, "string").group(1))

    def _unquote(self, inside: bytes) -> bytes:
        if has_bare_quote(inside):
            self.bare_quotes = True
            self.tolerate(BARE_QUOTE, inside)
        if b"\r" in inside or b"\n" in inside or b"\0" in inside:
            self.tolerate("CR, LF or NUL in a quoted string", inside)
        return unescape(inside)

    def _number(self, largest: int) -> int:
        found = self.match(_NUMBER)
        digits = self._quoted_number() if found is None else found.group()
        number = int(digits)
        if number > largest:
            self.tolerate("a number too large", digits)
        return number

    def _quoted_number(self) -> bytes:
        digits = self._must(_QUOTED_NUMBER, "number").group(1)
        self.tolerate("a number in quotes", digits)
        return digits


def reached(pattern: re.Pattern[bytes], text: bytes, at: int, end: int) -> int:
    """Where a pattern that matches everywhere stops."""
    match = pattern.match(text, at, end)
    return at if match is None else match.end()
