"""Stage 1, framing: bytes into responses of lines and literals, RFC 3501 sections 2.2 and 4.3.

Framing never depends on understanding. A response comes out as a list ``[line]`` or ``[line, literal, line, ..., line]``; lines
have lost their line ends and keep their ``{n}``; a line that goes on in the next ones, since a string in it does, keeps the ends
in it. Every bound of ``Limits`` is checked here, before anything of the announced size is allocated.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from imapkit.core.support.limits import Limits
from imapkit.core.wire.assembly import MORE, Assembly, is_text
from imapkit.core.wire.quoting import is_open_after, is_surely_closed
from imapkit.core.wire.sinks import Claim, Sink

__all__ = ["Framer"]

CRLF = b"\r\n"
_GROUPS = re.Match.groups
_USUAL = Limits()
_MAY_ANNOUNCE = re.compile(rb"\}[ \t\0\r]*+\n")
_NEVER_IN_A_REST = re.compile(rb"[\"{}\n]|\r\Z|\A\Z|[ \t\0]\Z")


def _never(_: bytes = b"") -> bool:
    return False


class Framer:
    """Cuts a stream of bytes into responses; belongs to one thread and needs no lock.

    ``push`` gives it what was received, ``pop`` takes the next complete response out, until None. ``is_tagged`` says whether a
    line begins with a tag that is in flight: the server, which alone knows it, begins a response there. ``is_over``: whether
    the connection has ended, which is asked between the parts of a response. ``claim``, which may be set at any time, is asked at
    each literal that is announced for a sink that takes it: then no byte of it is kept, nor counted.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        is_tagged: Callable[[bytes], bool] = _never,
        is_over: Callable[[], bool] = _never,
    ) -> None:
        self.limits = limits or _USUAL
        self._is_tagged, self._is_over = is_tagged, is_over
        self._data = b""
        self._at = 0
        self._lines: list[bytes] = []  # cut ahead, the next one last
        self.quotes = False
        """Whether there may be quotes in what was cut ahead."""
        self._slowly = 0  # up to here no line is cut ahead
        self._short = min(self.limits.line, self.limits.response, self.limits.nesting)
        # Lines that are short together, with a literal below both of these, cannot be over any limit.
        self._most = min(self.limits.literal, self.limits.response - self._short)
        self._line = bytearray()
        self._again: bytes | None = None
        """A line that was taken and belongs to the next response."""
        self.odd: list[tuple[str, bytes]] = []
        """What was wrong with what has been popped, and its bytes; the caller of ``pop`` takes it out."""
        self._response = Assembly(self.limits, self._note)
        self._has_begun = False
        """Whether a response has begun that is not complete."""
        self._literal = io.BytesIO()
        self.missing = 0
        """Bytes of the present literal that have not arrived yet."""
        self._in_literal = False
        self._size = 0
        """Of the present literal, if a sink takes it."""

    @property
    def claim(self) -> Claim | None:
        """``claim(parts, size)``: the sink for the literal that the last of ``parts`` announces, or None."""
        return self._response.claim

    @claim.setter
    def claim(self, claim: Claim | None) -> None:
        self._response.claim = claim

    def _note(self, what: str, raw: bytes) -> None:
        self.odd.append((what, raw))

    def push(self, data: bytes) -> None:
        """Add what was received; everything before it must have been popped."""
        self._data = data if self._at == len(self._data) else self._data[self._at :] + data
        self._slowly = max(0, self._slowly - self._at)
        self._at = 0

    def pop(self) -> list[bytes] | None:
        """The next complete response, or None when more bytes are needed. Raises ``RemoteProtocolError``."""
        if self._lines or (self._at < len(self._data) and not self._has_begun and self._cut()):
            line = self._lines[-1]
            if line >= b"!" and (not self.quotes or is_surely_closed(line) or is_text(line) or not is_open_after(line, False)):
                return [self._lines.pop()]
            self._put_back()
        while self._in_literal or self._at < len(self._data) or self._again is not None:
            if self._in_literal:
                if not self._take_literal() or self._is_over():
                    return None
                continue
            line_or_none = self._take_line()
            if line_or_none is None:
                return None
            found = self._add(line_or_none)
            if found is not None:
                return found
        return None

    def pop_torn(self) -> list[bytes] | None:
        """The response that waits for more lines, as far as it has come, once nothing more will come; None if there is none."""
        if not self._response.waits or self._line:
            return None
        self._has_begun = False
        return self._response.take()

    def _add(self, line: bytes) -> list[bytes] | None:
        """Add a line to the response that has begun; the parts of it, if it is complete."""
        response = self._response
        if self._has_begun and response.waits and (self._is_tagged(line) or not response.goes_on(line)):
            self._again = line
        else:
            follows = response.add_line(line)
            if follows >= 0:
                self.missing = self._size = follows
                self._in_literal = self._has_begun = True
                return None
            if follows == MORE:
                self._has_begun = True
                return None
        self._has_begun = False
        return response.take()

    @property
    def ahead(self) -> int:
        """How many responses of one line are ready to be popped."""
        return len(self._lines)

    def pop_run(self, matcher: Callable[[bytes], re.Match[bytes] | None]) -> list[tuple[bytes, ...]]:
        """Pop the responses that are ready as far as ``matcher`` matches them: the groups of each.

        Where there are ``quotes``, it must match no line at whose end a string may be open.
        """
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
        if self._lines or self._line or self._again is not None or self._has_begun or self._at < self._slowly:
            return found
        data, at, short, most = self._data, self._at, self._short, self._most
        while (match := matcher(data, at)) is not None:
            number, text, announced = match.groups()
            start, size = match.end(), int(announced)
            end = start + size
            cut = data.find(CRLF, end, end + max(0, short - (start - at)))
            if cut < 0 or size > most:
                # Not all there, or too much for this way.
                break
            rest = data[end:cut]
            if rest != b")" and _NEVER_IN_A_REST.search(rest):
                # It may go on.
                break
            found.append((number, text, data[start:end], rest))
            at = cut + 2
        self._at = at
        return found

    def take_rest(self) -> bytes:
        """Take out what has been pushed and not been popped; for the layer that is switched on at this point."""
        again = b"" if self._again is None else self._again + b"\n"
        cut = b"".join(line + CRLF for line in reversed(self._lines))
        rest = again + cut + bytes(self._line) + self._data[self._at :]
        self._lines.clear()
        self._line.clear()
        self._data, self._at, self._slowly, self._again = b"", 0, 0, None
        return rest

    @property
    def unfinished(self) -> bytes:
        """The beginning of a response whose end has not arrived: what an error message may show."""
        return b" ".join(bytes(part[:200]) for part in (*self._response.shown, self._line))[:200]

    def _cut(self) -> bool:
        """Cut what is there into lines, in one pass, as far as each may be a response of its own; whether there is any.

        That ends where a literal may be announced, and at a line that may be over a limit: those take the long way. So do all, if
        one of them does not end in CRLF.
        """
        data, at = self._data, self._at
        if at < self._slowly or self._line or self._again is not None:
            return False
        stop = data.find(b"}", at)
        if stop < 0 or not data.startswith(b"\r\n", stop + 1):
            announced = _MAY_ANNOUNCE.search(data, stop) if stop >= 0 else None
            stop = announced.start() if announced else len(data)
        end = data.rfind(CRLF, at, stop) + 2
        if end < 2:
            self._slowly = stop
            return False
        chunk = data[at:end]
        lines = chunk.splitlines()
        if len(lines) > 1 and not len(lines) == chunk.count(b"\n") == chunk.count(b"\r"):
            self._slowly = end
            return False
        self._at = end
        self.quotes = b'"' in chunk
        if end - at > self._short and max(map(len, lines)) > self._short:
            doubtful = [i for i, line in enumerate(lines) if self._is_doubtful(line)]
            if doubtful:
                # All up to the last of them take the long way: cutting anew behind each would take the time of a square.
                self._slowly = at + _size(lines[: doubtful[-1] + 1])
                self._at = at + _size(lines[: doubtful[0]])
                del lines[doubtful[0] :]
        lines.reverse()
        self._lines = lines
        return bool(lines)

    def _put_back(self) -> None:
        """Have what was cut ahead take the long way: a line of it goes on, or has something before it."""
        self._slowly = max(self._slowly, self._at)
        self._at -= _size(self._lines)
        self._lines = []

    def _is_doubtful(self, line: bytes) -> bool:
        limits = self.limits
        return len(line) > min(limits.line, limits.response) or line.count(b"(") > limits.nesting

    def _take_line(self) -> bytes | None:
        """The next line, without its LF; None if it has not arrived as a whole."""
        if self._again is not None:
            line, self._again = self._again, None
            return line
        data, at, held = self._data, self._at, self._line
        cut = data.find(b"\n", at)
        end = len(data) if cut < 0 else cut
        # A CR before the LF does not count, nor one that may be.
        last = data[end - 1] if end > at else held[-1] if held else 0
        size = len(held) + end - at - (last == 13)
        if size > self.limits.line:
            raise self._response.exceeded("line", size)
        if cut < 0:
            held += memoryview(data)[at:]
            self._at = end
            return None
        self._at = cut + 1
        if not held:
            return data[at:cut]
        held += memoryview(data)[at:cut]
        whole = bytes(held)
        held.clear()
        return whole

    def _take_literal(self) -> bool:
        """Take what has arrived of the present literal; whether it is complete."""
        at, size = self._at, self.missing
        sink = self._response.sink
        if sink is not None:
            return self._pass_on(sink)
        if len(self._data) - at >= size and not self._literal.tell():
            # All of it is there.
            self._at, self.missing = at + size, 0
            self._end_literal(self._data[at : at + size])
            return True
        take = min(size, len(self._data) - at)
        self._literal.write(memoryview(self._data)[at : at + take])
        self._at = at + take
        self.missing -= take
        if self.missing:
            return False
        # BytesIO hands over its buffer here; it is never copied a second time.
        literal, self._literal = self._literal.getvalue(), io.BytesIO()
        self._end_literal(literal)
        return True

    def _pass_on(self, sink: Sink) -> bool:
        """Give the sink what has arrived of the present literal; whether that was the rest."""
        at = self._at
        taken = min(self.missing, len(self._data) - at)
        self._at = at + taken
        self.missing -= taken
        if taken:
            sink.write(memoryview(self._data)[at : at + taken])
        if self.missing:
            return False
        sink.end()
        self._in_literal = False
        self._response.add_streamed(self._size)
        return True

    def _end_literal(self, literal: bytes) -> None:
        self._in_literal = False
        self._response.add_literal(literal)


def _size(lines: list[bytes]) -> int:
    """What lines take up, with their ends."""
    return sum(map(len, lines)) + 2 * len(lines)
