"""A server that keeps to RFC 3501, with random choices where the standard leaves one."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from random import Random

__all__ = ["Answered", "LegalServer"]

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\Z")
LINE = b"lit\r\n"

Answered = Callable[[bytes, Random], tuple[list[bytes], bytes]]
"""Given a tag: the untagged lines that answer the command, and the condition of the tagged one."""

Talk = Generator[int, bytes, None]
"""An exchange: yields how many bytes it reads (0: a line), and gets them."""


class LegalServer:
    """Reads what the client sent, one step at a time, and writes into ``to_client``."""

    def __init__(self, rng: Random, answered: Answered) -> None:
        self.rng, self._answered = rng, answered
        self.to_server = bytearray()
        self.to_client = bytearray(b"* OK hello\r\n")
        self.impatience = rng.choice((0.05, 0.5))
        """How often it ends an IDLE by itself."""
        self._work: list[bytes] = []
        self._talk: Talk | None = None
        self._reads = 0
        self.idles = b""
        """The tag of the IDLE that goes on."""
        self.strict = True
        """Whether the client must keep to the standard, too; one that was led astray need not."""

    def step(self) -> None:
        """Read a command, answer one, or say something unasked."""
        rng = self.rng
        if self._talk is not None:
            self._go_on()
        elif (line := self._line()) is not None and (rng.random() < 0.7 or not self._work):
            self._command(line)
        elif self._work:
            self._answer_some()
        elif rng.random() < 0.2:
            self.to_client += rng.choice((b"* 99 EXISTS\r\n", b"* OK hi\r\n", b"* 77 FETCH (unasked)\r\n"))

    def _line(self) -> bytes | None:
        end = self.to_server.find(b"\r\n")
        return None if end < 0 else bytes(self.to_server[:end])

    def _go_on(self) -> None:
        if self.idles:
            self._while_idle()
            return
        size = self._reads
        if not size:
            line = self._line()
            if line is None:
                return
            size = len(line) + 2
        elif len(self.to_server) < size:
            return
        data = bytes(self.to_server[:size])
        del self.to_server[:size]
        self._advance(data)

    def _advance(self, data: bytes | None) -> None:
        talk = self._talk
        assert talk is not None
        try:
            self._reads = next(talk) if data is None else talk.send(data)
        except StopIteration:
            self._talk = None

    def _begin(self, talk: Talk) -> None:
        self._finish()
        self._talk = talk
        self._advance(None)

    def _command(self, line: bytes) -> None:
        del self.to_server[: len(line) + 2]
        if line == b"DONE":
            # The IDLE had ended by itself.
            self.to_client += b"DONE BAD what\r\n"
            return
        tag, _, rest = line.partition(b" ")
        literal = _LITERAL.search(rest)
        if literal:
            self._literal(tag, int(literal[1]), asked=not literal[2])
        elif rest == b"XIDLE":
            self._begin_idle(tag)
        elif rest == b"XAUTH":
            self._begin(self._challenge(tag))
        else:
            self._work.append(tag)

    def _literal(self, tag: bytes, size: int, *, asked: bool) -> None:
        refused = self.rng.random() < 0.2
        if asked or refused:
            self._finish()
        if refused:
            self.to_client += tag + b" NO too big\r\n"
        elif asked:
            self.to_client += b"+ go\r\n"
        if not (asked and refused):
            self._begin(self._take_literal(tag, size, refused))

    def _take_literal(self, tag: bytes, size: int, refused: bool) -> Talk:
        """Read a literal and what is behind it. One that came unasked is read even if it has been refused, RFC 7888 section 4."""
        data = (yield size) if size else b""
        # A source that is refused before it has been read is sent as blanks.
        assert not self.strict or data == LINE * (size // len(LINE)) or (refused and data == b" " * size), data
        rest = yield 0
        more = _LITERAL.search(rest.removesuffix(b"\r\n"))
        if more and refused:
            yield from self._take_literal(tag, int(more[1]), refused=True)
        elif more:
            if not more[2]:
                self.to_client += b"+ go\r\n"
            yield from self._take_literal(tag, int(more[1]), refused=False)
        elif not refused:
            assert not self.strict or rest == b"\r\n", rest
            self._work.append(tag)

    def _challenge(self, tag: bytes) -> Talk:
        rng = self.rng
        self.to_client += b"+ challenge\r\n"
        while True:
            line = yield 0
            if line == b"*\r\n":
                self.to_client += tag + b" NO cancelled\r\n"
                return
            if rng.random() < 0.3:
                self.to_client += tag + rng.choice((b" NO wrong\r\n", b" OK right\r\n"))
                return
            self.to_client += b"+ more\r\n"

    def _begin_idle(self, tag: bytes) -> None:
        self._finish()
        if self.rng.random() < 0.1:
            self.to_client += tag + b" NO not now\r\n"
            return
        self.to_client += b"+ idling\r\n"
        self.idles = tag
        self._begin(self._nothing())

    @staticmethod
    def _nothing() -> Talk:
        yield 0

    def _while_idle(self) -> None:
        rng = self.rng
        if self.to_server.startswith(b"DONE\r\n"):
            del self.to_server[:6]
            self._end_idle(rng.choice((b" OK done\r\n", b" OK done\r\n", b" NO bad\r\n")))
        elif not self.to_server and rng.random() < 0.2:
            self.to_client += rng.choice((b"* 3 EXISTS\r\n", b"* OK still here\r\n"))
        elif not self.to_server and rng.random() < self.impatience:
            self._end_idle(b" OK enough\r\n")

    def _end_idle(self, condition: bytes) -> None:
        self.to_client += self.idles + condition
        self.idles, self._talk = b"", None

    def _finish(self) -> None:
        """Answer what has been read, in any order: those in flight together may be answered so."""
        while self._work:
            self._answer_some()

    def _answer_some(self) -> None:
        """Answer one command, or several at once with their lines mixed."""
        rng, work = self.rng, self._work
        rng.shuffle(work)
        taken = [work.pop() for _ in range(rng.randrange(len(work)) + 1)]
        answers = [self._answered(tag, rng) for tag in taken]
        left = [[*lines, tag + condition] for tag, (lines, condition) in zip(taken, answers, strict=True)]
        while left:
            one = rng.choice(left)
            self.to_client += one.pop(0) + b"\r\n"
            if not one:
                left.remove(one)
