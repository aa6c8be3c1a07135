"""What the engine leaves for its caller to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request
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
    commands: tuple[Request, ...] = ()
    """The commands that begin with it, if the trace wants to know."""
    answers: bool = False
    """It answers a challenge."""


class Effects:
    """What is to be done now. It is kept until ``Engine.delivered``, so that an interrupted delivery is done again."""

    __slots__ = ("asks", "closed", "done", "greeted", "switch")

    def __init__(self) -> None:
        self.done: list[Request] = []
        """Their waiters are to be told; each command once, but for a delivery that is repeated."""
        self.asks: list[Request] = []
        """They have a question, or have been accepted and have a nearer moment at which to look."""
        self.switch: Request | None = None
        """It switches a layer on: nothing behind its answer has been taken in."""
        self.greeted = False
        self.closed: error | None = None

    def __bool__(self) -> bool:
        return bool(self.done or self.asks or self.greeted or self.switch is not None or self.closed is not None)
