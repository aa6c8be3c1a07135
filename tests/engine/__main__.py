"""The model for as long as you like: ``python -m tests.engine --seconds 600 [--seed N]``."""

from __future__ import annotations

import argparse
import time
from itertools import cycle
from random import SystemRandom

from tests.engine.play import KINDS, episodes


def main() -> None:
    """Play episodes of every kind in turn; the seed of one that fails is printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=SystemRandom().getrandbits(32), help="where to begin; by default anywhere")
    options = parser.parse_args()
    begun, played = time.perf_counter(), 0
    for kind in cycle([episodes(kind, options.seed) for kind in KINDS]):
        seed, episode = next(kind)
        try:
            episode.run()
        except BaseException:
            print(f"{type(episode).__name__}, seed {seed}")
            raise
        played += 1
        seconds = time.perf_counter() - begun
        if seconds > options.seconds:
            break
    print(f"{played} episodes, {played / seconds:.0f} a second, from seed {options.seed}")


if __name__ == "__main__":
    main()
