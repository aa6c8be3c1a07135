"""Servers that break the standard: one sends forbidden lines at random moments, one stops for ever."""

from __future__ import annotations

from random import Random

from imapkit.core.engine.request import Request
from imapkit.core.wire.response import Tagged
from imapkit.errors import ConnectionClosed, error
from tests.engine.episode import Asked, Episode

__all__ = ["DeadServerEpisode", "HostileEpisode"]


class HostileEpisode(Episode):
    """The server breaks in with answers, continuations and tags that are not due."""

    window = 50.0

    def __init__(self, rng: Random, size: int) -> None:
        super().__init__(rng, size)
        self.server.strict = False
        self._forged = False
        """The server has called a command over that it goes on to answer: the next one may be given what it says then."""

    def _serve(self) -> None:
        if self.rng.random() < 0.05:
            self.server.to_client += self._nonsense() + b"\r\n"
        super()._serve()

    def _answer(self, tag: bytes, rng: Random) -> tuple[list[bytes], bytes]:
        # A client that has followed an early "+" sends lines that are no commands.
        return super()._answer(tag, rng) if tag in self.by_tag else ([], b" BAD what")

    def _nonsense(self) -> bytes:
        rng, flight = self.rng, self.engine.flight
        tag = flight.tag_prefix + b"%d" % rng.randrange(1, flight.sent + 3)
        if self.engine.outbound.owner is not None and rng.random() < 0.5:
            tag = self.engine.outbound.owner.tag
        if rng.random() < 0.7:
            return rng.choice((b"+ early", b"* 5 EXPUNGE", b"* STATUS box1 unasked", b"* 3 FETCH (unasked)", b"* OK [ALERT] x"))
        nonsense = rng.choice((tag + b" OK forged", tag + b" NO forged", b"zzz OK forged", b"* BYE gone"))
        self._forged = self._forged or nonsense.startswith(tag)
        return nonsense

    def _check_answer(self, request: Asked) -> None:
        if not self._forged:
            super()._check_answer(request)

    def _take(self, batch: list[object]) -> None:
        unsent = [request for request in self.engine.flight.pending.values() if self._is_unsent(request)]
        try:
            super()._take(batch)
        finally:
            for request in unsent:
                assert request.typ != "OK", ("OK before all of it was sent", request)

    def _is_unsent(self, request: Request) -> bool:
        """Whether bytes of the command itself have not been taken."""
        call = request.call
        goes_on = request.exchange is not None and call.reply is None and call.command.interrupt is None
        return goes_on or any(out.order == request.order and out.completes is request for out in self.engine.outbound.out)

    def _feed(self, *, all_of_it: bool = False) -> None:
        try:
            super()._feed(all_of_it=all_of_it)
        except error as exc:
            self.engine.close(exc)
            self._deliver()

    def _check_complete(self, request: Asked, count: int) -> None:
        """The tagged line of a hostile server need not end an answer."""

    def _landed(self, response: Tagged) -> None:
        # A command is in flight until the engine has received its tagged line.
        self.flying = [request for request in self.flying if request.tag != response.tag]


class DeadServerEpisode(Episode):
    """The server stops at a random moment, and perhaps nothing can be sent any more; every command ends within the window."""

    window = 50.0
    hard = 0.3

    def __init__(self, rng: Random, size: int) -> None:
        self._lives = rng.randrange(60)
        super().__init__(rng, size)

    def _serve(self) -> None:
        self._lives -= 1
        if self._lives > 0:
            super()._serve()
        elif self.rng.random() < 0.01:
            self.engine.send_failed(ConnectionClosed("nothing can be sent"), self.now)

    def _check_the_end(self) -> None:
        super()._check_the_end()
        late = self.last_told - self.last_moved
        assert late <= self.window + 10, ("noticed late", late)
