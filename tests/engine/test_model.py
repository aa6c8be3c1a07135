"""The model: random servers, commands, time-outs and layers against the engine alone; and the mistakes that it must find."""

from __future__ import annotations

from random import Random

import pytest

from tests.engine.play import KINDS, Kind, episodes, found_after
from tests.engine.seeded import MISTAKES, Mistake, seeded

EPISODES = 300
SEARCHED = 30_000


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_rule_holds(kind: Kind, rng: Random) -> None:
    first = rng.getrandbits(32)
    for seed, episode in episodes(kind, first):
        try:
            episode.run()
        except Exception as exc:
            raise AssertionError(f"{kind.__name__}, seed {seed}") from exc
        if seed == first + EPISODES:
            return


def test_every_mistake_can_be_made() -> None:
    """Its text is in the source, once."""
    for mistake in MISTAKES:
        with seeded(mistake):
            pass


@pytest.mark.heavy
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.rule)
def test_a_mistake_is_found(mistake: Mistake) -> None:
    assert found_after(mistake, SEARCHED) is not None
