"""One connection, many threads that issue every kind of command, and one of many ends; with a record of the results."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import imapkit
from imapkit import errors
from tests.interrupting import Interrupted, interrupting
from tests.stress.asks import Ask
from tests.stress.locks import Locks
from tests.stress.watchdog import Watchdog, state_of

__all__ = ["ENDS", "PATIENCE", "Episode", "Setting", "Tally"]

PATIENCE = 30.0
SILENCE = 10.0
"""Seconds without anything done on a connection after which it hangs. No time-out is so short."""
SLEEP = 0.01
MOMENT = 0.4
"""The seconds that an episode takes, about."""

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
    refused: int = 0
    late: int = 0
    unsent: int = 0
    interrupted: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """Answers of other commands, and every other broken promise."""

    def __str__(self) -> str:
        ends = ", ".join(f"{name} {count}" for name, count in sorted(self.ends.items()))
        return (
            f"{self.episodes} connections, {self.threads} threads, {self.commands} commands ({self.callbacks} with callbacks, "
            f"{self.idles} IDLE, {self.refused} refused, {self.late} late in line, {self.unsent} queued at the end, "
            f"{self.interrupted} interrupted), {self.segments} segments; ends: {ends}; wrong: {len(self.wrong)}"
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


class Dropped(Exception):
    """The client has been dropped."""


class Episode:
    """The setting's number of threads at work on one client, which nothing but the episode holds."""

    def __init__(self, client: imapkit.IMAP4, choose: Choose, rng: random.Random, setting: Setting) -> None:
        self._client: imapkit.IMAP4 | None = client
        self.choose, self.setting = choose, setting
        self.tally, self.locks = setting.tally, setting.locks
        self.dog = Watchdog(SILENCE, self._stuck)
        self.rng = rng
        self.reasons: set[str] = set()
        self._lock = threading.Lock()
        self._owed: Counter[str] = Counter()
        self._asked: dict[str, Ask] = {}
        self._settled = threading.Condition()
        self._number = 0

    @property
    def client(self) -> imapkit.IMAP4:
        """The client. Raises ``Dropped``."""
        client = self._client
        if client is None:
            raise Dropped
        return client

    def drop(self) -> None:
        """Forget the client, as a program does that does not log out."""
        self._client = None

    def hang_up(self) -> None:
        """Log out, unless the client has been dropped."""
        client = self._client
        if client is not None:
            client.logout()

    def play(self, ends: Sequence[str] = ()) -> None:
        """Let them work; ``ends``: what is done to the connection meanwhile (of ``ENDS``), by one of them, or at any moment."""
        threads = [self._thread(f"worker {at}", self._work, at, self._own()) for at in range(self.setting.threads)]
        threads += [self._thread(f"end by {end}", self._end_it, self._own(), end) for end in ends]
        with self.dog:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE * 2)
            self._complain(*(f"{thread.name} never ended" for thread in threads if thread.is_alive()))
            self._settle()
        with self._lock:
            self.tally.episodes += 1
            self.tally.threads += len(threads)

    def _own(self) -> random.Random:
        return random.Random(self.rng.random())

    @staticmethod
    def _thread(name: str, does: Callable[..., object], *args: Any) -> threading.Thread:
        return threading.Thread(target=does, args=args, name=name, daemon=True)

    def _end_it(self, rng: random.Random, end: str) -> None:
        time.sleep(rng.random() * MOMENT)
        try:
            ENDS[end](self)
        except Dropped:
            pass
        except BaseException as exc:
            self._complain(f"{end}: {exc!r}")

    def _stuck(self) -> None:
        """Record it, and end the connection, so that every thread returns."""
        client = self._client
        owed = [(self._asked[token].method, self._asked[token].args) for token in self._owed]
        self._complain(f"nothing goes on any more: {client and state_of(client)}\nowed: {owed}\n{self.dog.seen}")
        if client is not None:
            client.shutdown()

    def _alive(self) -> None:
        self.dog.alive()
        self.setting.dog.alive()

    def _work(self, at: int, rng: random.Random) -> None:
        for turn in range(self.setting.rounds):
            if not self._one(rng, f"t{at}-{turn}"):
                return
            self._alive()

    def _one(self, rng: random.Random, mark: str) -> bool:
        """One command; False once the connection is of no further use."""
        ask = self.choose(rng, mark)
        if ask.interrupted_at is not None:
            return self._interrupted(ask, ask.interrupted_at)
        if rng.random() < 0.6:
            return self._attempt(ask, lambda: ask.blocking(self.client))
        return self._attempt(ask, lambda: self._with_callback(ask, rng))

    def _interrupted(self, ask: Ask, at: int) -> bool:
        try:
            with interrupting(at):
                return self._attempt(ask, lambda: ask.blocking(self.client))
        except Interrupted:
            with self._lock:
                self.tally.interrupted += 1
            return True

    def _attempt(self, ask: Ask, act: Callable[[], object]) -> bool:
        self._count(ask)
        try:
            act()
        except Dropped:
            return False
        except imapkit.IMAP4.error as exc:
            return self._failed(ask, exc)
        except Interrupted:
            raise
        except BaseException as exc:
            self._complain(f"{ask.method}{ask.args}: {exc!r}")
        return True

    def _count(self, ask: Ask) -> None:
        with self._lock:
            self.tally.commands += 1
            self.tally.idles += ask.method == "idle"

    def _failed(self, ask: Ask, exc: errors.error) -> bool:
        """It was refused, or the connection ended, with one reason for all."""
        if isinstance(exc, imapkit.IMAP4.abort):
            return self._aborted(type(exc), str(exc))
        client = self._client
        if isinstance(exc, imapkit.StateError) and (client is None or client.state == "LOGOUT"):
            return False
        with self._lock:
            self.tally.refused += 1
        if not isinstance(exc, ask.may_raise):
            self._complain(f"{ask.method}{ask.args}: {exc!r}")
        return True

    def _aborted(self, kind: type[errors.error], text: str) -> bool:
        """It has no answer; False if the connection has ended, which has one reason for all that was sent."""
        late = kind is imapkit.CommandTimeout and "waited too long" in text
        unsent = kind is imapkit.ConnectionClosed and text.endswith("was not sent: the session has ended")
        with self._lock:
            if late:
                self.tally.late += 1
            elif unsent:
                self.tally.unsent += 1
            else:
                self.reasons.add(f"{kind.__name__}: {text}")
        return late

    # callbacks

    def _with_callback(self, ask: Ask, rng: random.Random, depth: int = 0) -> None:
        with self._lock:
            self._number += 1
            token = f"callback {self._number}"
            self._owed[token] += 1
            self._asked[token] = ask
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
                    self._attempt(more, lambda: self._with_callback(more, rng, depth + 1))
            except BaseException as exc:
                self._complain(f"in a callback of {ask.method}{ask.args}: {exc!r}")
            if manner == "raises":
                raise RuntimeError("a callback's own mistake")

        try:
            ask.send(self.client, callback=called, cb_arg=token)
        except BaseException:
            with self._lock:
                del self._owed[token]
            with self._settled:
                self._settled.notify_all()
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
        self._alive()
        if result is not None:
            ask.judge(result)
        elif issubclass(failure[0], imapkit.BadResponse):
            assert any(f"BAD [{refusal}]" in failure[1] for refusal in ask.refusals), (ask, failure)
        elif issubclass(failure[0], imapkit.IMAP4.abort):
            self._aborted(*failure[:2])
        elif issubclass(failure[0], ask.may_raise):
            # It became illegal while it was queued.
            with self._lock:
                self.tally.refused += 1
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
    done, client = threading.Event(), episode.client

    def called(answer: Any) -> None:
        client.logout()
        done.set()

    try:
        client.noop(callback=called)
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


def _exit(episode: Episode) -> None:
    with episode.client:
        pass


ENDS: dict[str, Callable[[Episode], None]] = {
    "logout": _logout,
    "logout in a callback": _logout_in_callback,
    "two logouts": _two_logouts,
    "shutdown": _shutdown,
    "exit": _exit,
    "drop": Episode.drop,
}
