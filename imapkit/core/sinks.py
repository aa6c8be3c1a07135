"""What takes a literal as it comes, and what stands in a response in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias

from imapkit.core.numbers import LoneNumberSet, NumberSet
from imapkit.core.request import Call
from imapkit.core.response import Untagged

__all__ = ["Choose", "Claim", "Sink", "StreamedCall", "StreamedLiteral", "Streams", "Writable"]


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


class StreamedCall(Call):
    """A call with a sink for literals of its answer; ``sink`` chooses, on the thread that reads."""

    __slots__ = ("sink",)

    def __init__(self, call: Call, sink: Choose) -> None:
        # All that ``call`` is; nothing is encoded twice.
        for name in Call.__slots__:
            setattr(self, name, getattr(call, name))
        self.sink: Any = sink
        if self.uid and isinstance(self.about, NumberSet):
            # A server may say the UID behind the literal, and the literal must be known for the command's own before that.
            self.about = LoneNumberSet(self.about)
