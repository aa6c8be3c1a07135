"""Effects: the actions that the engine leaves to its caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imapkit.core.contract.events import Unasked
    from imapkit.core.engine.request import Request
    from imapkit.core.engine.upload import Upload
    from imapkit.errors import error

__all__ = ["Effects", "Out"]


class Out:
    """Bytes to be sent next. The thread that takes them sends them, or calls ``Engine.send_failed``."""

    __slots__ = ("answers", "commands", "completes", "data", "order", "secret", "source")

    def __init__(
        self,
        data: bytes,
        order: int,
        completes: Request | None = None,
        secret: bool = False,
        commands: Sequence[Request] = (),
        answers: bool = False,
        source: Upload | None = None,
    ) -> None:
        self.data, self.order, self.secret = data, order, secret
        """The bytes; the order of their command, whose progress it is when they are sent; whether they hold a secret."""
        self.completes = completes
        """The command whose last bytes these are; None for commands that are sent whole."""
        self.commands = commands
        """The commands that begin in these bytes, for the trace."""
        self.answers = answers
        """Whether the bytes answer a challenge."""
        self.source = source
        """The source that is read and sent instead of ``data``, which is empty then."""


class Effects:
    """What the caller is to do now. It stays until ``Engine.delivered``, so that an interrupted delivery is repeated."""

    __slots__ = ("asks", "closed", "done", "due", "greeted", "switch", "unasked")

    def __init__(self) -> None:
        self.due = False
        """Whether there is anything to do; set last."""
        self.done: list[Request] = []
        """Commands whose waiters are to be called; each once, unless a delivery is repeated."""
        self.asks: list[Request] = []
        """Commands that have a question, or an earlier moment at which to look at them."""
        self.switch: Request | None = None
        """The command whose layer is to be switched on, or off; the engine has taken in nothing behind its answer."""
        self.greeted = False
        self.unasked: list[Unasked] = []
        """What no command asked for, in order, of the names that ``Engine.wanted`` has."""
        self.closed: error | None = None

    def ask(self, request: Request) -> None:
        """Add a command that has a question, or an earlier moment at which to look at it."""
        self.asks.append(request)
        self.due = True

    def clear(self) -> None:
        """Forget the effects: the caller has done them."""
        self.due = False
        if self.done:
            self.done = []
        if self.asks:
            self.asks = []
        if self.unasked:
            self.unasked = []
        self.switch = self.closed = None
        self.greeted = False
