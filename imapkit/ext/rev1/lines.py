"""Where a decoded byte of a base64 text is in the encoded one, if all lines have one length, as in nearly all messages."""

from __future__ import annotations

from typing import NamedTuple, Self

__all__ = ["Lines"]


class Lines(NamedTuple):
    """Lines of ``width`` characters, which with their line ends take ``step`` bytes."""

    width: int
    step: int

    @classmethod
    def of(cls, begin: bytes) -> Self | None:
        """The lines of a text that begins so; None if the first two are not alike."""
        end = begin.find(b"\n")
        if end < 0:
            return None
        width, step = len(begin[:end].removesuffix(b"\r")), end + 1
        made = cls(width, step)
        return made if width and not width % 4 and made.fit(begin[: step * 2]) else None

    @property
    def each(self) -> int:
        """How many decoded bytes a line holds."""
        return self.width // 4 * 3

    def fit(self, lines: bytes) -> bool:
        """Whether a text that begins with a line has such lines: all but the last, which may be shorter, or not whole."""
        step = self.step
        ends = lines[step - 1 :: step]
        return ends == b"\n" * len(ends) == b"\n" * lines[: len(ends) * step].count(b"\n") and b"=" not in lines[:-step]
