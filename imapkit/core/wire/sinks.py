"""Sinks, which take a literal as it comes, and the mark that replaces it in the response."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

from imapkit.core.wire.response import Untagged

__all__ = ["Choose", "Claim", "Conduit", "Destination", "Flowing", "Passage", "Sink", "StreamedLiteral", "Streams", "Writable"]


class Sink(Protocol):
    """Takes the bytes of one literal, on the thread that reads the connection: it must not block.

    What it raises reaches the caller of the command, and the rest of the literal is passed over.
    """

    def write(self, data: memoryview, /) -> object:
        """Take some bytes."""

    def end(self) -> object:
        """Called after the last byte of the literal."""


class Writable(Protocol):
    """A binary file, as far as writing to it goes."""

    def write(self, data: bytes, /) -> object:
        """Write the bytes; a returned number that is less than theirs is how many have been written."""


class Conduit(Protocol):
    """Holds the bytes of a literal until another thread takes them: a ``Channel``."""

    @property
    def flow(self) -> Sink:
        """The sink that the thread that reads the connection writes to."""
        ...


class Flowing(Sink, Protocol):
    """The sink of a ``Passage``."""

    def over(self, last: Callable[[], bytes | None], /) -> object:
        """Note that the command is over: the taker gets what ``last()`` returns, or raises, as the end."""


class Passage(Protocol):
    """A bounded passage for one literal, from the thread that reads the connection to the taker: a ``Channel``."""

    @property
    def flow(self) -> Flowing:
        """The sink that the thread that reads the connection writes to."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, once there are some; b"" at the end. Raises what ended the command."""
        ...

    def close(self) -> None:
        """Take nothing more."""
        ...


class Destination(Protocol):
    """Where a body is written, on the taker's thread: a file of the program's, or one that is opened by its path."""

    resumes: bool

    def there(self) -> int:
        """How many bytes the file has, if it is to be resumed; else 0."""
        ...

    def end_of(self, size: int, /) -> bytes:
        """The last ``size`` bytes that the file has."""
        ...

    def begin_again(self) -> None:
        """Keep nothing of what the file has."""
        ...

    def write(self, data: bytes, /) -> None:
        """Write all of it. Raises what the file raises."""
        ...

    def end(self) -> None:
        """All has come."""
        ...

    def leave(self) -> None:
        """Write nothing more; any thread may call it."""
        ...


Choose: TypeAlias = Callable[[Untagged, int], "Sink | None"]
"""Called as ``choose(response, size)``; returns the sink for the literal that the response's last part announces, or None."""
Claim: TypeAlias = Callable[[list[bytes], int], "Sink | None"]
"""Called as ``claim(parts, size)``: the same for the parts of a response that is not attributed yet."""


class StreamedLiteral(bytes):
    """Stands in a response for a literal that a sink has taken: it is empty, and ``size`` is the size of the literal."""

    size = 0

    @classmethod
    def of(cls, size: int) -> StreamedLiteral:
        """The mark for a literal of ``size`` bytes."""
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
