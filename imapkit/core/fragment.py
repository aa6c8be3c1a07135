"""Stage 1, framing: octets into responses of lines and literals, RFC 3501 sections 2.2 and 4.3.

Framing never depends on understanding. A response comes out as a list ``[line]`` or
``[line, literal, line, ..., line]``; lines have lost their CRLF and keep their ``{n}``. Every bound of
``Limits`` is checked here, before anything of the announced size is allocated.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from imapkit.core.limits import Limits
from imapkit.errors import LimitExceeded, RemoteProtocolError

__all__ = ["Framer"]

CRLF = b"\r\n"
_GROUPS = re.Match.groups

#   literal = "{" number ["+"] "}" CRLF *CHAR8; a literal8 has "~" before it (RFC 3516).
#   It stands after SP or "(", or after the section of a FETCH item. Some servers send "{4+}", which only clients may.
_ANNOUNCEMENT = re.compile(rb"(?<![^ (\[\]>~])\{([-+.]?\d[^{}\s]*+|)\}\Z")
_SIZE = re.compile(rb"(\d{1,20})\+?\Z")
#   A status response holds text, in which nothing is a literal. Exchange and home.pl send a code with no status before.
_STATUS = re.compile(
    rb"(?:\* *+(?:\d++ ++)?|(?!\+)[^\s(){%*\"\\]++ ++)(?:OK|NO|BAD|BYE|PREAUTH)(?: ++|\Z)|\* *+(?=\[)", re.IGNORECASE
)
_QUOTED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
#   A string that is not closed counts up to the end: else each quote in it would be tried anew.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKETS = re.compile(rb'[()]|"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


class Framer:
    """Cuts a stream of octets into responses; belongs to one thread and needs no lock.

    ``push`` gives it what was received, ``pop`` takes the next complete response out, until None.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._data = b""
        self._at = 0
        self._lines: list[bytes] = []  # cut ahead, the next one last
        self._slowly = 0  # up to here no line is cut ahead
        self._short = min(self.limits.line, self.limits.response, self.limits.nesting)
        # Lines that are short together, with a literal below both of these, cannot be over any limit.
        self._most = min(self.limits.literal, self.limits.response - self._short)
        self._line = bytearray()
        self._parts: list[bytes] = []
        self._size = self._depth = self._counted = self._brackets = 0
        self._literal = io.BytesIO()
        self.missing = 0
        """Octets of the present literal that have not arrived yet."""
        self._in_literal = False

    def push(self, data: bytes) -> None:
        """Add what was received; everything before it must have been popped."""
        self._data = data if self._at == len(self._data) else self._data[self._at :] + data
        self._slowly = max(0, self._slowly - self._at)
        self._at = 0

    def pop(self) -> list[bytes] | None:
        """The next complete response, or None when more octets are needed. Raises ``RemoteProtocolError``."""
        if self._lines or self._cut():
            return [self._lines.pop()]
        while self._at < len(self._data) or (self._in_literal and not self.missing):
            if self._in_literal:
                self._take_literal()
                continue
            line = self._take_line()
            if line is None:
                return None
            self._add(line)
            size = self._announced(line)
            if size is None:
                return self._finish()
            self._open_literal(size)
        return None

    @property
    def ahead(self) -> int:
        """How many responses of one line are ready to be popped."""
        return len(self._lines)

    def pop_run(self, matcher: Callable[[bytes], re.Match[bytes] | None]) -> list[tuple[bytes, ...]]:
        """Pop the responses that are ready as far as ``matcher`` matches them: the groups of each."""
        found = list(map(_GROUPS, iter(map(matcher, reversed(self._lines)).__next__, None)))
        if found:
            del self._lines[-len(found) :]
        return found

    def pop_literals(self, matcher: Callable[[bytes, int], re.Match[bytes] | None]) -> list[tuple[bytes, ...]]:
        """Pop the responses of one literal each that are there as a whole, and within every limit without counting.

        ``matcher`` matches a line that announces a literal (and none that ``pop`` does not take for one) with its end; its groups
        are number, text and size. Returns number, text, literal and the text after it, of each.
        """
        found: list[tuple[bytes, ...]] = []
        if self._lines or self._line or self._parts or self._at < self._slowly:
            return found
        data, at, short, most = self._data, self._at, self._short, self._most
        while (match := matcher(data, at)) is not None:
            number, text, announced = match.groups()
            start, size = match.end(), int(announced)
            end = start + size
            cut = data.find(CRLF, end, end + max(0, short - (start - at)))
            if cut < 0 or size > most or data[cut - 1] == 125:
                # Not all there, or too much for this way; or another literal follows.
                break
            found.append((number, text, data[start:end], data[end:cut]))
            at = cut + 2
        self._at = at
        return found

    def take_rest(self) -> bytes:
        """Take out what has been pushed and not been popped; for the layer that is switched on at this point."""
        cut = b"".join(line + CRLF for line in reversed(self._lines))
        rest = cut + bytes(self._line) + self._data[self._at :]
        self._lines.clear()
        self._line.clear()
        self._data, self._at, self._slowly = b"", 0, 0
        return rest

    @property
    def unfinished(self) -> bytes:
        """The beginning of a response whose end has not arrived: what an error message may show."""
        return b" ".join(bytes(part[:200]) for part in (*self._parts[:10], self._line))[:200]

    def _finish(self) -> list[bytes]:
        parts, self._parts = self._parts, []
        self._size = self._depth = self._counted = self._brackets = 0
        return parts

    def _cut(self) -> bool:
        """Cut what is there into lines, in one pass, as far as each is a response of its own; whether there is any.

        That ends where a literal may be announced, and at a line that may be over a limit: those take the long way.
        """
        data, at = self._data, self._at
        if at == len(data) or at < self._slowly or self._line or self._parts:
            return False
        announced = data.find(b"}\r\n", at)
        end = data.rfind(CRLF, at, len(data) if announced < 0 else announced)
        if end < 0:
            return False
        lines = data[at:end].split(CRLF)
        self._at = end + 2
        if end - at > self._short and max(map(len, lines)) > self._short:
            doubtful = [i for i, line in enumerate(lines) if self._is_doubtful(line)]
            if doubtful:
                # All up to the last of them take the long way: cutting anew behind each would take the time of a square.
                self._slowly = at + _octets(lines[: doubtful[-1] + 1])
                self._at = at + _octets(lines[: doubtful[0]])
                del lines[doubtful[0] :]
        lines.reverse()
        self._lines = lines
        return bool(lines)

    def _is_doubtful(self, line: bytes) -> bool:
        limits = self.limits
        return len(line) > min(limits.line, limits.response) or line.count(b"(") > limits.nesting

    def _take_line(self) -> bytes | None:
        data, at, held = self._data, self._at, self._line
        if held and held[-1] == 13 and data[at] == 10:
            self._at = at + 1
            return self._release(held[:-1])
        cut = data.find(CRLF, at)
        end = len(data) if cut < 0 else cut
        size = len(held) + end - at - (cut < 0 and data[-1] == 13)
        if size > self.limits.line:
            raise self._exceeded("line", size)
        if cut < 0:
            held += memoryview(data)[at:]
            self._at = end
            return None
        self._at = cut + 2
        if not held:
            return data[at:cut]
        held += memoryview(data)[at:cut]
        return self._release(held)

    def _release(self, line: bytearray) -> bytes:
        whole = bytes(line)
        self._line.clear()
        return whole

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > self.limits.response:
            raise self._exceeded("response", self._size)
        self._brackets += part.count(b"(")
        if self._brackets > self.limits.nesting:
            self._check_nesting()

    def _check_nesting(self) -> None:
        """Count exactly; in each line once, and only if there could be too many."""
        for line in self._parts[self._counted :: 2]:
            for match in _BRACKETS.finditer(line):
                bracket = match.group()
                self._depth = max(0, self._depth + (bracket == b"(") - (bracket == b")"))
                if self._depth > self.limits.nesting:
                    raise self._exceeded("nesting", self._depth)
        self._counted = len(self._parts) + 1

    def _announced(self, line: bytes) -> int | None:
        """The size of the literal that ``line`` announces, None if it announces none."""
        if not line.endswith(b"}"):
            return None
        found = _ANNOUNCEMENT.match(line, line.rfind(b"{"))
        if found is None or not self._literal_may_follow(line):
            return None
        size = _SIZE.match(found.group(1))
        if size is None:
            raise RemoteProtocolError(f"malformed literal size at the end of {line[-80:]!r}")
        return int(size.group(1))

    def _literal_may_follow(self, line: bytes) -> bool:
        """Whether the grammar allows a string at the end of ``line``: not in response text, not inside quotes."""
        first = self._parts[0]
        status = _STATUS.match(first)
        if status and not _inside_code_list(first[status.end() :] if line is first else line, first=line is first):
            return False
        return (status is not None or first.startswith(b"*")) and not _ends_inside_quotes(line)

    def _open_literal(self, size: int) -> None:
        if size > self.limits.literal:
            raise self._exceeded("literal", size)
        if self._size + size > self.limits.response:
            raise self._exceeded("response", self._size + size)
        if len(self._parts) // 2 >= self.limits.literals:
            raise self._exceeded("literals", len(self._parts) // 2 + 1)
        self.missing, self._in_literal = size, True

    def _take_literal(self) -> None:
        at, size = self._at, self.missing
        if len(self._data) - at >= size and not self._literal.tell():
            # All of it is there.
            self._at, self.missing = at + size, 0
            self._end_literal(self._data[at : at + size])
            return
        take = min(size, len(self._data) - at)
        self._literal.write(memoryview(self._data)[at : at + take])
        self._at = at + take
        self.missing -= take
        if not self.missing:
            # BytesIO hands over its buffer here; it is never copied a second time.
            literal, self._literal = self._literal.getvalue(), io.BytesIO()
            self._end_literal(literal)

    def _end_literal(self, literal: bytes) -> None:
        self._in_literal = False
        self._size += len(literal)
        self._parts.append(literal)

    def _exceeded(self, what: str, size: int) -> LimitExceeded:
        limit = getattr(self.limits, what)
        return LimitExceeded(f"the server sent a {what} of {size}, over the limit of {limit} (Limits.{what})")


def _octets(lines: list[bytes]) -> int:
    """What lines take up, with their ends."""
    return sum(map(len, lines)) + 2 * len(lines)


def _inside_code_list(text: bytes, *, first: bool) -> bool:
    """Whether ``text`` ends inside the parentheses of a response code that is still open.

    Only there does a status response allow a string: ``"BADCHARSET" [SP "(" astring *(SP astring) ")" ]``.
    """
    bare = _STRING.sub(b"", text)
    if b"]" in bare:
        return False
    return not first or (bare.startswith(b"[") and bare.count(b"(") > bare.count(b")"))


def _ends_inside_quotes(line: bytes) -> bool:
    at = line.find(b'"')
    while at >= 0:
        closed = _QUOTED.match(line, at)
        if closed is None:
            return True
        at = line.find(b'"', closed.end())
    return False
