"""What takes a literal as it comes, and what stands in a response in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

from imapkit.core.wire.response import Untagged

__all__ = ["Choose", "Claim", "Conduit", "Sink", "StreamedLiteral", "Streams", "Writable"]


class Sink(Protocol):
    """Takes the bytes of one literal, on the thread that reads the connection: it must not block.

    What it raises reaches the caller of the command, and the rest of the literal is passed over.
    """

    def write(self, data: memoryview, /) -> object:
        """Take some bytes."""

    def end(self) -> object:
        """That was all of the literal."""


class Writable(Protocol):
    """A binary file, as far as writing to it goes."""

    def write(self, data: bytes, /) -> object:
        """Write the bytes; a number less than theirs says that only so many have been written."""


class Conduit(Protocol):
    """Holds the bytes of a literal until another thread takes them: a ``Channel``."""

    @property
    def flow(self) -> Sink:
        """What the thread that reads the connection writes to."""
        ...


Choose: TypeAlias = Callable[[Untagged, int], "Sink | None"]
"""The sink for a literal of so many bytes, which the last part of a response has announced; None if it is to be kept as ever."""
Claim: TypeAlias = Callable[[list[bytes], int], "Sink | None"]
"""The same for the parts of a response that has begun, whosever it is."""


class StreamedLiteral(bytes):
    """Stands in a response where a literal stood that a sink has taken: no bytes; ``size`` is how many the literal had."""

    size = 0

    @classmethod
    def of(cls, size: int) -> StreamedLiteral:
        """The mark for a literal of so many bytes."""
        mark = cls()
        mark.size = size
        return mark


class Streams(NamedTuple):
    """Which literal of a command's answer can go to a file as it comes (``Command.streams``).

    ``announces(response)``: whether the last text of a response that has begun announces that literal; on the thread that reads.
    ``value(response)``: the bytes, where the server has sent them in another form, such as a quoted string; None if the response
    has none.
    """

    announces: Callable[[Untagged], bool]
    value: Callable[[Untagged], bytes | None]
