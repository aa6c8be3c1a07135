"""The episodes that the tests play: random ones of every kind, with a mistake in the engine or without."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Protocol

from imapkit.core.engine import attribution, gate, lanes, resources
from tests.engine.answers import AnswerEpisode
from tests.engine.episode import Episode
from tests.engine.hostile import DeadServerEpisode, HostileEpisode
from tests.engine.queue import QueueEpisode
from tests.engine.seeded import Mistake, seeded
from tests.engine.torn import TornEpisode

__all__ = ["KINDS", "episodes", "found_after"]


class Kind(Protocol):
    """A kind of episode."""

    __name__: str

    def __call__(self, rng: Random, size: int, /) -> QueueEpisode | AnswerEpisode | Episode: ...


KINDS: tuple[Kind, ...] = (Episode, HostileEpisode, DeadServerEpisode, QueueEpisode, AnswerEpisode, TornEpisode)


def episodes(kind: Kind, first: int = 0) -> Iterator[tuple[int, QueueEpisode | AnswerEpisode | Episode]]:
    """Episodes without end, with the seed that brings each back."""
    for seed in count(first):
        rng = Random(seed)
        yield seed, kind(rng, rng.choice((4, 8, 25)))


def found_after(mistake: Mistake, most: int) -> int | None:
    """After how many episodes one fails with the mistake in the engine; None if none of ``most`` does."""
    kinds: tuple[Kind, ...] = (Episode, HostileEpisode, DeadServerEpisode, AnswerEpisode, TornEpisode)
    if mistake.module in (gate, lanes, resources):
        kinds = (QueueEpisode,)
    elif mistake.module is attribution:
        kinds = (AnswerEpisode,)
    elif mistake.shown_by:
        kinds = tuple(kind for kind in kinds if kind.__name__ == mistake.shown_by)
    with seeded(mistake):
        for played in range(most):
            seed, kind = played // len(kinds), kinds[played % len(kinds)]
            rng = Random(seed)
            try:
                kind(rng, rng.choice((4, 8, 25))).run()
            except Exception:
                return played + 1
    return None
