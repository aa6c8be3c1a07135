"""Stress on a ``Shuffler``: legal answers in any order and segmentation, and every end that a server or a client can make."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import imapkit
from imapkit.testing import LOCALHOST, Conversation, ScriptedServer
from tests.stress.asks import ASKS, Ask
from tests.stress.episode import ENDS, Episode, Setting, Tally
from tests.stress.server import FATES, Shuffler

__all__ = ["scripted"]

CAPABILITIES = [b"IMAP4rev1 IDLE", b"IMAP4rev1 IDLE LITERAL+", b"IMAP4rev1 IDLE LITERAL-"]
FAMILIES = ["rev1", "idle"]
NEWS = ("FETCH", "EXISTS", "EXPUNGE")
_numbers = itertools.count(1)


class Hooked(imapkit.IMAP4):
    """A client with a ``read`` and a ``send`` of its own, as imaplib2's users write them."""

    def read(self, size: int) -> bytes:
        return super().read(size)

    def send(self, data: bytes) -> None:
        super().send(data)


KINDS: list[type[imapkit.IMAP4]] = [imapkit.IMAP4, imapkit.IMAP4, imapkit.IMAP4_SSL, Hooked]


def any_ask(rng: random.Random, mark: str) -> Ask:
    """One of them."""
    return rng.choice(ASKS)(rng, mark)


def scripted(rng: random.Random, setting: Setting) -> None:
    """Connection after connection until the time is over, one at least."""
    while True:
        one_connection(random.Random(rng.random()), setting)
        if time.monotonic() >= setting.until or setting.tally.wrong:
            return


def one_connection(rng: random.Random, setting: Setting) -> None:
    """A client, its workers and its end: its own, the server's, or none before the work is done."""
    tally = setting.tally
    end: str | None = rng.choice([*ENDS, *([None] * 4)])
    fate: Callable[[Conversation], None] | None = rng.choice(FATES) if end is None and rng.random() < 0.6 else None
    shuffler = Shuffler(
        random.Random(rng.random()), odd=True, fate=fate, lifetime=rng.randrange(2, setting.threads * setting.rounds)
    )
    greeting = b"* PREAUTH [CAPABILITY %b] ready\r\n" % rng.choice(CAPABILITIES)
    name = f"stress{next(_numbers)}"
    kind = rng.choice(KINDS)
    tls = LOCALHOST.server_context() if kind is imapkit.IMAP4_SSL else None
    with ScriptedServer(shuffler, greeting=greeting, patience=60, tls=tls) as server:
        context = LOCALHOST.client_context() if tls else None
        client = kind(server.host, server.port, identifier=name, timeout=60, families=FAMILIES, ssl_context=context)
        try:
            episode = Episode(client, any_ask, rng, setting)
            select_first(client, episode)
            episode.play(end)
            judge(episode, shuffler, tally, end, fate)
        finally:
            client.logout()
    tally.segments += shuffler.segments
    tally.ends[end or str(getattr(fate, "__name__", "none"))] += 1
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith(f"{name} ")]
    if left:
        tally.wrong.append(f"threads left: {left}")


def select_first(client: imapkit.IMAP4, episode: Episode) -> None:
    """So that most commands are valid."""
    try:
        client.select("box0")
    except imapkit.IMAP4.abort as exc:
        episode.reasons.add(f"{type(exc).__name__}: {exc}")


def judge(episode: Episode, shuffler: Shuffler, tally: Tally, end: str | None, fate: Any) -> None:
    """After the work: one reason for all, or else all the news, in order, and nothing else."""
    if len(episode.reasons) > 1:
        tally.wrong.append(f"more than one reason: {sorted(episode.reasons)}")
    if end is not None or fate is not None:
        return
    if episode.reasons:
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
