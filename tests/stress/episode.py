"""One connection, many threads that do all there is to do, and one of many ends; with a record of how it went."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import imapkit
from tests.stress.asks import Ask
from tests.stress.locks import Locks
from tests.stress.watchdog import Watchdog

__all__ = ["ENDS", "PATIENCE", "Episode", "Setting", "Tally"]

PATIENCE = 30.0
SLEEP = 0.01

Choose = Callable[[random.Random, str], Ask]


@dataclass
class Tally:
    """What has been done, and what went wrong."""

    commands: int = 0
    callbacks: int = 0
    segments: int = 0
    episodes: int = 0
    threads: int = 0
    idles: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """Answers that were somebody else's, and whatever else must not be."""

    def __str__(self) -> str:
        ends = ", ".join(f"{name} {count}" for name, count in sorted(self.ends.items()))
        return (
            f"{self.episodes} connections, {self.threads} threads, {self.commands} commands ({self.callbacks} with callbacks, "
            f"{self.idles} IDLE), {self.segments} segments; ends: {ends}; wrong: {len(self.wrong)}"
        )


@dataclass(frozen=True)
class Setting:
    """What all connections of a run share."""

    tally: Tally
    dog: Watchdog
    locks: Locks
    until: float
    """When no further connection is begun (monotonic time)."""
    threads: int
    rounds: int
    """The commands of each thread."""


class Episode:
    """The setting's number of threads at work on one client."""

    def __init__(self, client: imapkit.IMAP4, choose: Choose, rng: random.Random, setting: Setting) -> None:
        self.client, self.choose, self.setting = client, choose, setting
        self.tally, self.dog, self.locks = setting.tally, setting.dog, setting.locks
        self.rng = rng
        self.reasons: set[str] = set()
        self._lock = threading.Lock()
        self._owed: Counter[str] = Counter()
        self._settled = threading.Condition()
        self._number = 0

    def play(self, end: str | None) -> None:
        """Let them work; ``end``: what one of them does to the connection in the middle (one of ``ENDS``)."""
        threads, rounds = self.setting.threads, self.setting.rounds
        deed = (self.rng.randrange(threads), self.rng.randrange(rounds), end) if end else None
        workers = []
        for at in range(threads):
            task = (at, random.Random(self.rng.random()), deed)
            workers.append(threading.Thread(target=self._work, args=task, name=f"worker {at}", daemon=True))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(PATIENCE * 2)
        self._complain(*(f"{worker.name} never ended" for worker in workers if worker.is_alive()))
        self._settle()
        with self._lock:
            self.tally.episodes += 1
            self.tally.threads += threads

    def _work(self, at: int, rng: random.Random, deed: tuple[int, int, str] | None) -> None:
        for turn in range(self.setting.rounds):
            if deed is not None and deed[:2] == (at, turn):
                ENDS[deed[2]](self)
            if not self._one(rng, f"t{at}-{turn}"):
                return
            self.dog.alive()

    def _one(self, rng: random.Random, mark: str) -> bool:
        """One command; False once the connection is of no further use."""
        ask = self.choose(rng, mark)
        self._count(ask)
        try:
            if rng.random() < 0.6:
                ask.blocking(self.client)
            else:
                self._with_callback(ask, rng)
        except imapkit.IMAP4.error as exc:
            return self._failed(exc)
        except BaseException as exc:
            self._complain(f"{ask.method}{ask.args}: {exc!r}")
        return True

    def _count(self, ask: Ask) -> None:
        with self._lock:
            self.tally.commands += 1
            self.tally.idles += ask.method == "idle"

    def _failed(self, exc: BaseException) -> bool:
        """It ended: that must have a reason, and all must have the same."""
        if isinstance(exc, imapkit.IMAP4.abort):
            with self._lock:
                self.reasons.add(f"{type(exc).__name__}: {exc}")
            return False
        if isinstance(exc, imapkit.StateError) and self.client.state == "LOGOUT":
            return False
        self._complain(repr(exc))
        return True

    # callbacks

    def _with_callback(self, ask: Ask, rng: random.Random, depth: int = 0) -> None:
        with self._lock:
            self._number += 1
            token = f"callback {self._number}"
            self._owed[token] += 1
            self.tally.callbacks += 1
        manner = rng.choice(["plain", "blocks", "raises", "asks", "asks with a callback"])

        def called(answer: tuple[Any, Any, Any]) -> None:
            try:
                self._called(ask, token, answer)
                if manner == "blocks":
                    time.sleep(rng.random() * SLEEP)
                elif manner == "asks" and answer[0]:
                    self._one(rng, f"{token.replace(' ', '-')}-{depth}")
                elif manner == "asks with a callback" and answer[0] and depth < 3:
                    more = self.choose(rng, f"{token.replace(' ', '-')}-{depth}")
                    self._count(more)
                    self._with_callback(more, rng, depth + 1)
            except imapkit.IMAP4.error as exc:
                self._failed(exc)
            except BaseException as exc:
                self._complain(f"in a callback of {ask.method}{ask.args}: {exc!r}")
            if manner == "raises":
                raise RuntimeError("a callback's own mistake")

        try:
            ask.send(self.client, callback=called, cb_arg=token)
        except BaseException:
            with self._lock:
                del self._owed[token]
            raise

    def _called(self, ask: Ask, token: str, answer: tuple[Any, Any, Any]) -> None:
        result, cb_arg, failure = answer
        name = threading.current_thread().name
        if name.endswith("reader") or self.locks.held:
            self._complain(f"a callback on {name} with {[lock.site for lock in self.locks.held]} held")
        with self._lock:
            self._owed[token] -= 1
            owed = self._owed[token]
            if not owed:
                del self._owed[token]
        if owed or cb_arg != token:
            self._complain(f"{token} was called with {cb_arg!r}, {1 - owed} times")
        with self._settled:
            self._settled.notify_all()
        self.dog.alive()
        if result is not None:
            ask.judge(result)
        elif issubclass(failure[0], imapkit.BadResponse):
            assert any(f"BAD [{refusal}]" in failure[1] for refusal in ask.refusals), (ask, failure)
        elif issubclass(failure[0], imapkit.IMAP4.abort):
            with self._lock:
                self.reasons.add(f"{failure[0].__name__}: {failure[1]}")
        else:
            self._complain(f"{ask.method}{ask.args}: {failure}")

    def _settle(self) -> None:
        """Every callback is called, once, however it ended."""
        with self._settled:
            done = self._settled.wait_for(lambda: not self._owed, PATIENCE)
        if not done:
            self._complain(f"callbacks that were never called: {list(self._owed)[:5]}")

    def _complain(self, *what: str) -> None:
        with self._lock:
            self.tally.wrong += what


# what a client does to its connection


def _logout(episode: Episode) -> None:
    episode.client.logout()


def _logout_in_callback(episode: Episode) -> None:
    done = threading.Event()

    def called(answer: Any) -> None:
        episode.client.logout()
        done.set()

    try:
        episode.client.noop(callback=called)
    except imapkit.IMAP4.error:
        return
    if not done.wait(PATIENCE):
        episode._complain("logout in a callback does not end")


def _two_logouts(episode: Episode) -> None:
    threads = [threading.Thread(target=episode.client.logout, name=f"logout {at}", daemon=True) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        if thread.is_alive():
            episode._complain("two logouts at once do not end")


def _shutdown(episode: Episode) -> None:
    episode.client.shutdown()


ENDS: dict[str, Callable[[Episode], None]] = {
    "logout": _logout,
    "logout in a callback": _logout_in_callback,
    "two logouts": _two_logouts,
    "shutdown": _shutdown,
}
