"""Several connections at once under stress, with the locks watched and a watchdog."""

from __future__ import annotations

import random
import sys
import threading
import time
import warnings
from collections.abc import Callable

from tests.stress.episode import PATIENCE, Setting, Tally
from tests.stress.locks import watched_locks
from tests.stress.scripted import scripted
from tests.stress.watchdog import Watchdog

__all__ = ["run"]

Play = Callable[[random.Random, Setting], None]


def run(*, seconds: float, seed: int, threads: int = 8, rounds: int = 30, connections: int = 2, play: Play = scripted) -> Tally:
    """Work for ``seconds``; failures are in the tally."""
    rng, tally, interval = random.Random(seed), Tally(), sys.getswitchinterval()
    with warnings.catch_warnings(), watched_locks("imapkit.core") as locks, Watchdog(PATIENCE, lambda: None) as dog:
        # Clients are dropped on purpose.
        warnings.simplefilter("ignore", ResourceWarning)
        setting = Setting(tally, dog, locks, time.monotonic() + seconds, threads, rounds)

        def one(own: random.Random) -> None:
            try:
                play(own, setting)
            except BaseException as exc:
                tally.wrong.append(f"{threading.current_thread().name}: {exc!r}")

        players = [
            threading.Thread(target=one, args=(random.Random(rng.random()),), name=f"player {at}", daemon=True)
            for at in range(connections)
        ]
        for player in players:
            player.start()
        for player in players:
            while player.is_alive() and not dog.seen:
                player.join(1)
    sys.setswitchinterval(interval)
    if dog.seen:
        tally.wrong.append(f"nothing goes on any more:\n{dog.seen}")
    tally.wrong += locks.problems()
    if not locks.taken:
        tally.wrong.append("no lock was ever taken: are they watched?")
    return tally
