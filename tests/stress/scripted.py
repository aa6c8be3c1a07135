"""Stress on a ``Shuffler``: legal answers in any order and segmentation, and every end that a server or a client can make."""

from __future__ import annotations

import gc
import itertools
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import imapkit
from imapkit.testing import LOCALHOST, Conversation, ScriptedServer
from tests.stress.asks import ASKS, Ask
from tests.stress.episode import ENDS, PATIENCE, Episode, Setting, Tally
from tests.stress.server import FATES, Shuffler
from tests.stress.watchdog import stacks
from tests.stress.wild import wild_ask

__all__ = ["scripted"]

CAPABILITIES = [b"IMAP4rev1 IDLE", b"IMAP4rev1 IDLE LITERAL+", b"IMAP4rev1 IDLE LITERAL-"]
FAMILIES = ["rev1", "idle", "compress"]
LATE = "no answer in time"
NEWS = ("FETCH", "EXISTS", "EXPUNGE")
_numbers = itertools.count(1)


class Hooked(imapkit.IMAP4):
    """A client with a ``read`` and a ``send`` of its own, as imaplib2's users write them."""

    def read(self, size: int) -> bytes:
        return super().read(size)

    def send(self, data: bytes) -> None:
        super().send(data)


class Own(imapkit.IMAP4):
    """A client that leaves nothing of reading and sending to the library."""

    def read(self, size: int) -> bytes:
        data: bytes = self.sock.recv(size)
        return data

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)


KINDS: list[type[imapkit.IMAP4]] = [imapkit.IMAP4, imapkit.IMAP4, imapkit.IMAP4_SSL, Hooked, Own]


def any_ask(rng: random.Random, mark: str) -> Ask:
    """One of them."""
    return rng.choice(ASKS)(rng, mark)


def scripted(rng: random.Random, setting: Setting) -> None:
    """Connection after connection until the time is over, one at least."""
    while True:
        # The more often threads take turns, the more is to be found.
        sys.setswitchinterval(rng.choice([0.005, 1e-5]))
        one_connection(random.Random(rng.random()), setting)
        if time.monotonic() >= setting.until or setting.tally.wrong:
            return


def one_connection(rng: random.Random, setting: Setting) -> None:
    """A client, its workers and its end: its own, the server's, or none before the work is done."""
    tally, wild = setting.tally, rng.random() < 0.6
    ends = rng.sample(list(ENDS), rng.choice([0, 0, 1, 1, 1 + wild]))
    fate: Callable[[Conversation], None] | None = rng.choice(FATES) if (wild or not ends) and rng.random() < 0.5 else None
    shuffler = Shuffler(
        random.Random(rng.random()),
        refuses=True,
        fate=fate,
        lifetime=rng.randrange(2, setting.threads * setting.rounds),
        lag=rng.choice([0.0, 0.02]) * wild,
    )
    greeting = b"* PREAUTH [CAPABILITY %b COMPRESS=DEFLATE] ready\r\n" % rng.choice(CAPABILITIES)
    name, kind = f"stress{next(_numbers)}", rng.choice(KINDS)
    tls = LOCALHOST.server_context() if kind is imapkit.IMAP4_SSL else None
    with ScriptedServer(shuffler, greeting=greeting, patience=60, tls=tls) as server:
        episode = Episode(connected(server, kind, name), wild_ask if wild else any_ask, rng, setting)
        if wild:
            episode.client.idle_refresh = rng.choice([0.003, 0.05, 300.0])
        try:
            select_first(episode)
            episode.play(ends)
            judge(episode, shuffler, tally, ends, fate, wild)
        finally:
            episode.hang_up()
    tally.segments += shuffler.segments
    tally.ends["+".join(ends) or str(getattr(fate, "__name__", "none"))] += 1
    left = threads_left(name)
    if left:
        tally.wrong.append(f"threads left after {ends}: {left}\n{stacks()}")


def connected(server: ScriptedServer, kind: type[imapkit.IMAP4], name: str) -> Any:
    """A client of that kind."""
    context = LOCALHOST.client_context() if server.tls else None
    return kind(server.host, server.port, identifier=name, timeout=60, families=FAMILIES, ssl_context=context)


def threads_left(name: str) -> list[str]:
    """The threads of a client that is gone. One that was dropped takes a moment to go."""
    end = time.monotonic() + PATIENCE
    while left := [thread.name for thread in threading.enumerate() if thread.name.startswith(f"{name} ")]:
        gc.collect()
        if time.monotonic() > end:
            break
        time.sleep(0.01)
    return left


def select_first(episode: Episode) -> None:
    """So that most commands are valid."""
    try:
        episode.client.select("box0")
    except imapkit.IMAP4.abort as exc:
        episode.reasons.add(f"{type(exc).__name__}: {exc}")


def judge(episode: Episode, shuffler: Shuffler, tally: Tally, ends: list[str], fate: Any, wild: bool) -> None:
    """After the work: one reason for all, or else all the news, in order, and nothing else."""
    if len(episode.reasons) > 1:
        tally.wrong.append(f"more than one reason: {sorted(episode.reasons)}")
    if ends or fate is not None:
        return
    if episode.reasons:
        if wild and all(LATE in reason or "interrupted" in reason for reason in episode.reasons):
            return
        tally.wrong.append(f"it ended by itself: {episode.reasons}")
        return
    episode.client.noop()
    kept = [(name, data) for name, run in episode.client.untagged_responses for data in run if name in NEWS]
    before, after = shuffler.news[: shuffler.since], shuffler.news[shuffler.since :]
    # What was told before SELECT came may be forgotten with it; or it came later, and an EXISTS was taken for its own.
    early, late = kept[: len(kept) - len(after)], kept[len(kept) - len(after) :]
    rest = iter(before)
    if late != after or not all(each in rest for each in early):
        lost, made_up = [each for each in after if each not in kept], [each for each in kept if each not in shuffler.news]
        tally.wrong.append(f"news: lost {lost[:9]}, made up {made_up[:9]}, {len(before)} + {len(after)} became {len(kept)}")
