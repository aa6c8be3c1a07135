"""The gate alone: random commands are queued, sent, landed and withdrawn, in every order that the engine may choose."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import State
from imapkit.core.engine.gate import Gate
from imapkit.core.engine.lanes import Queued
from imapkit.core.wire.numbers import NumberSet
from tests.engine.rules import TAGGED, check_sent

__all__ = ["QueueEpisode"]


class Subject:
    """Any value that a family may choose: it is compared by its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subject) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return self.text


def _matches_code(about: object, code: object) -> bool:
    raise AssertionError("no code comes")


def _random_call(rng: Random, often: Sequence[float]) -> Call:
    exclusive, seqnums, expunges = often
    names = rng.choice(((), ("A",), ("A",), ("A",), ("B",), ("A", "B")))
    command = Command(
        "X",
        State.ANY,
        result=names,
        exclusive=rng.random() < exclusive,
        seqnums=rng.random() < seqnums,
        expunges=rng.random() < expunges,
        uid=True,
        codes=rng.choice(((), (), ("A",), ("B",))),
        reads=rng.choice((None, None, lambda args, uid: ("$",), lambda args, uid: ("$", "other"))),
        matches_code=rng.choice((None, _matches_code)),
    )
    uid = rng.random() < 0.3
    writes = rng.choice(((), (), ("$",), ("other",)))
    added = rng.choice(((), (), (), ("A",), ("TAGGED",)))
    call = Call(command, (), [b"X"], uid=uid, result=names + added if added or rng.random() < 0.1 else None, writes=writes)
    call.about = _subject(rng, uid)
    return call


def _subject(rng: Random, uid: bool) -> object:
    roll, low = rng.random(), rng.randrange(1, 9)
    if roll < 0.2:
        return None
    if roll < 0.5:
        return rng.choice((Subject, Subject, str))(rng.choice("xyz"))
    part = rng.choice((None, "[1]<0>", "[1]<9>"))
    return NumberSet(rng.choice((f"{low}", f"{low}:{low + 2}", f"{low},{low + 4}", f"{low}:*", "$")), uid=uid, part=part)


class QueueEpisode:
    """Runs once, with ``run``."""

    def __init__(self, rng: Random, size: int) -> None:
        self.rng, self.size = rng, size
        self.often = rng.choice((0.0, 0.1, 0.3)), rng.choice((0.1, 0.5)), rng.choice((0.1, 0.5))
        self.withdraws = rng.choice((0.05, 0.2))
        self.gate = Gate(TAGGED)
        self.waiting: list[Queued] = []
        """Submitted and not sent, in order."""
        self.flying: list[Queued] = []

    def run(self) -> bool:
        rng = self.rng
        added = 0
        while added < self.size or self.waiting or self.flying:
            roll = rng.random()
            if roll < 0.4 and added < self.size:
                self.waiting.append(Queued(_random_call(rng, self.often)))
                self.gate.add(self.waiting[-1])
                added += 1
            elif roll < 0.7 and self.gate.ready:
                self._send()
            elif roll < 0.7 + self.withdraws and self.waiting:
                self._withdraw(rng.choice(self.waiting))
            elif self.flying:
                self.gate.land(self.flying.pop(rng.randrange(len(self.flying))))
            assert self.flying or self._ready() or not self.waiting, ("nothing is let out", self.waiting)
        assert self.gate.empty
        assert self.gate.steps <= 4 * added + 4
        return False

    def _ready(self) -> bool:
        return any(not command.withdrawn for command in self.gate.ready)

    def _send(self) -> None:
        command = self.gate.ready.pop(0)
        if command.withdrawn:
            return
        check_sent(command, self.flying, self.waiting[: self.waiting.index(command)])
        self.waiting.remove(command)
        self.flying.append(command)
        self.gate.sent(command)

    def _withdraw(self, command: Queued) -> None:
        self.waiting.remove(command)
        self.gate.withdraw(command)
