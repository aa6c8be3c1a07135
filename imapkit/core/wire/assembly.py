"""One response in the making: which lines and literals belong to it; RFC 3501 sections 2.2 and 4.3.

The rules, which ``docs/threats.md`` explains: a status response, a tagged one and "+" are text; anything else is data. In data, a
line that ends inside a string goes on with the next one. What may or may not announce a literal goes on up to a tagged response.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from imapkit.core.support.limits import Limits
from imapkit.core.wire.quoting import INSIDE, OPENS, STRING, is_open_after, is_surely_closed
from imapkit.core.wire.sinks import Claim, Sink, StreamedLiteral
from imapkit.errors import LimitExceeded, RemoteProtocolError

__all__ = ["DONE", "MORE", "Assembly", "first_word", "is_text", "without_blanks"]

DONE, MORE = -1, -2
"""The response is complete; the next line may belong to it."""

#   literal = "{" number ["+"] "}" CRLF *CHAR8; a literal8 has "~" before it (RFC 3516).
#   It stands after SP or "(", or after the section of a FETCH item. Some servers send "{4+}", which only clients may.
_ANNOUNCEMENT = re.compile(rb"(?<![^ (\[\]>~])\{(?:(\d{1,20})\+?|[-+.]?\d[^{}\s]*+|)\}\Z")
#   What could be meant as one, wherever it stands.
_MAYBE = re.compile(rb"\{[ \t]*+[-+.]?\d[^{}\"]*+\}[ \t\0]*+\Z")
_WORD = re.compile(rb"(?<=[^ \t,()\"\[\]>~])\{\d++\+?\}\Z")
_BLANKS = b" \t\0"
_AT_THE_END = frozenset(b"} \t\0")
#   A status response holds text. Exchange and home.pl send a code with no status before it.
_STATUS = re.compile(
    rb"(?:\* *+(?:\d++ ++)?|(?!\+)[^\s(){%*\"\\]++ ++)(?:OK|NO|BAD|BYE|PREAUTH)(?: ++|\Z)|\* *+(?=\[)", re.IGNORECASE
)
#   Only one code has strings: "BADCHARSET" [SP "(" astring *(SP astring) ")" ].
_ASTRINGS = rb"(?: *+(?:%b|[^\s()\[\]{\"\\]++))*+ *+\Z" % STRING
_CHARSETS = re.compile(rb"\[BADCHARSET ++\(" + _ASTRINGS, re.IGNORECASE | re.DOTALL)
_MORE_CHARSETS = re.compile(_ASTRINGS, re.DOTALL)
#   A string that is not closed counts up to the end: else each quote in it would be tried anew.
_BRACKETS = re.compile(rb'[()]|%b%b"?' % (OPENS, INSIDE), re.DOTALL)
_SHOWN = 5000


def is_text(line: bytes) -> bool:
    """Whether a response that begins with ``line`` is text, in which there are neither strings nor literals."""
    return not line.startswith(b"*") or _STATUS.match(line) is not None


def without_blanks(line: bytes) -> bytes:
    """A response's first line without the blanks and NULs that some servers put before it."""
    return line.lstrip(_BLANKS)


def first_word(line: bytes) -> bytes:
    """What would be the tag of a response that begins with ``line``."""
    return without_blanks(line).partition(b" ")[0].rstrip(b"\r")


class Assembly:
    """The parts of one response: text, or text, literal, text, ..., text. ``note`` gets what is wrong with it, and the bytes."""

    __slots__ = (
        "_bare",
        "_brackets",
        "_counted",
        "_depth",
        "_is_doubtful",
        "_is_lost",
        "_is_open",
        "_is_text",
        "_limits",
        "_note",
        "_parts",
        "_size",
        "_torn",
        "claim",
        "sink",
        "waits",
    )

    def __init__(self, limits: Limits, note: Callable[[str, bytes], None]) -> None:
        self._limits, self._note = limits, note
        self.claim: Claim | None = None
        """What says whether a literal that is announced has a sink; None: no command wants one."""
        self.sink: Sink | None = None
        """What takes the literal that has been announced last."""
        self._begin()

    def _begin(self) -> None:
        self._parts: list[bytes] = []
        self._torn = bytearray()
        """The lines before this one that belong to the same text, with their ends."""
        self._is_text = self._is_open = self._is_doubtful = self._is_lost = self._bare = self.waits = False
        # waits: whether the next line may belong to its last text.
        self._size = self._depth = self._counted = self._brackets = 0

    @property
    def shown(self) -> list[bytes]:
        """Its first parts: what an error message may show."""
        return [*self._parts[:10], *([bytes(self._torn[:2000])] if self._torn else [])]

    def goes_on(self, line: bytes) -> bool:
        """Whether ``line`` belongs to it, if it waits: behind an empty line that follows a literal, the list must go on."""
        return not self._bare or line.startswith((b")", b" "))

    def take(self) -> list[bytes]:
        """The parts of it; the next response begins."""
        if self._torn:
            text = bytes(self._torn).removesuffix(b"\n").removesuffix(b"\r")
            self._note("a response that does not end before the tagged response", text[:_SHOWN])
            self._parts.append(text)
        elif self._bare:
            self._parts.append(b"")
        parts = self._parts
        self._begin()
        return parts

    def add_literal(self, literal: bytes) -> None:
        """Add the literal that the last line has announced."""
        self._size += len(literal)
        self._parts.append(literal)

    def add_streamed(self, size: int) -> None:
        """The sink has taken the literal of so many bytes that the last line has announced."""
        self.sink = None
        self._parts.append(StreamedLiteral.of(size))

    def add_line(self, raw: bytes) -> int:
        """Add a line, without its LF: ``DONE``, ``MORE``, or the size of the literal that it announces."""
        line = raw[:-1]
        is_odd = raw[-1:] != b"\r" or line[-1:] == b"\r"
        if is_odd:
            line = raw.rstrip(b"\r")
        first = not (self._parts or self._torn)
        if first:
            if line < b"!":
                line = self._bared(line)
            self._is_text = line[:1] != b"*" or _STATUS.match(line) is not None
        if self._is_text:
            verdict = self._after_text(line, first)
        elif self._bare:
            self._bare = False
            self._note("an empty line after a literal", b"")
            verdict = self._after_data(line)
        elif not line and self._parts and not self._torn and self._open_brackets():
            self._bare = self.waits = True
            return MORE
        else:
            verdict = self._after_data(line)
        if verdict == MORE or (self._torn and len(self._torn) + len(line) > self._limits.line):
            self._keep(raw)
            return MORE
        if is_odd:
            self._note_end(raw)
        self._add_text(line)
        if verdict >= 0:
            self._check_literal(verdict)
        return verdict

    def _bared(self, line: bytes) -> bytes:
        bare = without_blanks(line)
        if bare != line and bare:
            self._note("blanks or NUL before a response", line[:_SHOWN])
        return bare

    def _note_end(self, raw: bytes) -> None:
        """Note a line end that is not CRLF."""
        without_cr = not raw.endswith(b"\r")
        self._note("a line that ends in LF without CR" if without_cr else "a line that ends in CR CR LF", raw[:_SHOWN])

    def _keep(self, raw: bytes) -> None:
        if self._is_lost:
            # What is in it cannot be told: it is counted, and dropped.
            self._size += len(raw) + 1
        else:
            self._torn += raw
            self._torn += b"\n"
        if len(self._torn) > self._limits.line:
            # No string is that long. A name must not end the connection: what follows is dropped up to the tagged response.
            self._is_doubtful = True
        self._is_lost, self.waits = self._is_doubtful, True
        size = self._size + len(self._torn)
        if size > self._limits.response:
            raise self.exceeded("response", size)

    def _add_text(self, line: bytes) -> None:
        if self._torn:
            line = b"".join((self._torn, line))
            self._torn, self._is_open = bytearray(), False
        self.waits = False
        self._parts.append(line)
        self._size += len(line)
        if self._size > self._limits.response:
            raise self.exceeded("response", self._size)
        self._brackets += line.count(b"(")
        if self._brackets > self._limits.nesting:
            self._open_brackets()

    def _check_literal(self, size: int) -> None:
        if len(self._parts) // 2 >= self._limits.literals:
            raise self.exceeded("literals", len(self._parts) // 2 + 1)
        if self.claim is not None:
            self.sink = self.claim(self._parts, size)
            if self.sink is not None:
                # It takes no memory.
                return
        if size > self._limits.literal:
            raise self.exceeded("literal", size)
        if self._size + size > self._limits.response:
            raise self.exceeded("response", self._size + size)

    def exceeded(self, what: str, size: int) -> LimitExceeded:
        """The error of a limit that has been met."""
        limit = getattr(self._limits, what)
        return LimitExceeded(f"the server sent a {what} of {size}, over the limit of {limit} (Limits.{what})")

    # what follows a line

    def _after_text(self, line: bytes, first: bool) -> int:
        """In a status response nothing is a literal but in the list of charsets."""
        if not line.endswith(b"}"):
            return DONE
        at = line.rfind(b"{")
        found = _ANNOUNCEMENT.match(line, at)
        at -= line[at - 1 : at] == b"~"
        if first:
            status = _STATUS.match(line)
            inside = status and _CHARSETS.match(line, status.end(), at)
        else:
            inside = _MORE_CHARSETS.match(line, 0, at)
        return self._sized(found, line) if found and inside else DONE

    def _after_data(self, line: bytes) -> int:
        if self._is_doubtful:
            return MORE
        if self._is_open or (b'"' in line and not is_surely_closed(line)):
            self._is_open = is_open_after(line, self._is_open)
        if not line or line[-1] not in _AT_THE_END:
            return MORE if self._is_open else DONE
        at = line.rfind(b"{")
        found = _ANNOUNCEMENT.match(line, at) if at >= 0 and not self._is_open else None
        if found is not None:
            return self._sized(found, line)
        if at >= 0 and self._is_doubt(line, at):
            self._is_doubtful = True
            return MORE
        return MORE if self._is_open else DONE

    def _sized(self, found: re.Match[bytes], line: bytes) -> int:
        digits = found.group(1)
        if digits is None:
            raise RemoteProtocolError(f"malformed literal size at the end of {line[-80:]!r}")
        return int(digits)

    def _is_doubt(self, line: bytes, at: int) -> bool:
        """Whether it cannot be told if ``line`` announces a literal: inside a string, or where the grammar has none.

        A word that ends in ``{5}`` is one, unless it stands in a list: names come without the quotes that they need.
        """
        if _MAYBE.match(line, at) is None:
            return False
        return self._is_open or _WORD.match(line, at) is None or self._open_brackets(line) > 0

    def _open_brackets(self, more: bytes = b"") -> int:
        """How many parentheses are open, strings apart: each text is counted once. ``more`` is looked at as well, not kept."""
        for text in self._parts[self._counted :: 2]:
            self._depth = self._count(text, self._depth)
        self._counted = len(self._parts) + len(self._parts) % 2
        return self._count(b"".join((self._torn, more)), self._depth) if more else self._depth

    def _count(self, text: bytes, depth: int) -> int:
        for match in _BRACKETS.finditer(text):
            bracket = match.group()
            depth = max(0, depth + (bracket == b"(") - (bracket == b")"))
            if depth > self._limits.nesting:
                raise self.exceeded("nesting", depth)
        return depth
