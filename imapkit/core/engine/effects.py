"""What the engine leaves for its caller to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request
    from imapkit.core.engine.upload import Upload
    from imapkit.errors import error

__all__ = ["Effects", "Out"]


class Out:
    """Bytes that leave next. Its taker sends them, or reports ``Engine.send_failed``."""

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
        """The bytes; the order of the command whose progress it is; whether a secret is among them."""
        self.completes = completes
        """The command whose last bytes these are, where it is not a single line."""
        self.commands = commands
        """The commands that begin with it, for the trace."""
        self.answers = answers
        """It answers a challenge."""
        self.source = source
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

    def ask(self, request: Request) -> None:
        """A command has a question, or a nearer moment at which to look."""
        self.asks.append(request)
        self.due = True

    def clear(self) -> None:
        """All of it has been done."""
        self.due = False
        if self.done:
            self.done = []
        if self.asks:
            self.asks = []
        self.switch = self.closed = None
        self.greeted = False
