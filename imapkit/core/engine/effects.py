"""What the engine leaves for its caller to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request
    from imapkit.core.engine.upload import Upload
    from imapkit.errors import error

__all__ = ["Effects", "Out"]


class Out(NamedTuple):
    """Bytes that leave next. Its taker sends them, or reports ``Engine.send_failed``."""

    data: bytes
    order: int
    """The order of the command whose progress it is."""
    completes: Request | None = None
    """The command whose last bytes these are, where it is not a single line."""
    secret: bool = False
    commands: Sequence[Request] = ()
    """The commands that begin with it, for the trace."""
    answers: bool = False
    """It answers a challenge."""
    source: Upload | None = None
    """What is read and sent instead of ``data``, which is empty then."""


class Effects:
    """What is to be done now. It is kept until ``Engine.delivered``, so that an interrupted delivery is done again."""

    __slots__ = ("asks", "closed", "done", "due", "greeted", "switch")

    def __init__(self) -> None:
        self.due = False
        """Whether there is anything to be done; set last."""
        self.done: list[Request] = []
        """Their waiters are to be told; each command once, but for a delivery that is repeated."""
        self.asks: list[Request] = []
        """They have a question, or have been accepted and have a nearer moment at which to look."""
        self.switch: Request | None = None
        """It switches a layer on: nothing behind its answer has been taken in."""
        self.greeted = False
        self.closed: error | None = None

    def tell(self, request: Request) -> None:
        """A command is over for its waiter."""
        self.done.append(request)
        self.due = True

    def ask(self, request: Request) -> None:
        """A command has a question, or a nearer moment at which to look."""
        self.asks.append(request)
        self.due = True

    def clear(self) -> None:
        """All of it has been done."""
        if self.asks:
            self.asks = []
        self.done = []
        self.switch = self.closed = None
        self.greeted = self.due = False
