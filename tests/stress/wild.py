"""Careless commands: refused at once or in the queue, or with time-outs that are too short."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from imapkit import ArgumentError, StateError, errors
from tests.stress.asks import ASKS, Ask, says
from tests.stress.server import sum_of

__all__ = ["wild_ask"]

SELECTED = ("fetch", "fetch_to", "store", "search", "uid", "close")
"""Commands that are not valid once a thread has closed the mailbox."""
NO_DATE = "not a date"


def _never(answer: Any) -> None:
    raise AssertionError(f"this cannot be answered: {answer}")


def ask_what_is_refused(rng: random.Random, mark: str) -> Ask:
    """A command that cannot be sent: the error comes at once, or when its turn has come."""
    refused: list[tuple[str, tuple[Any, ...], type[errors.error]]] = [
        ("login", (mark, "secret"), StateError),
        ("authenticate", ("PLAIN", lambda challenge: b""), StateError),
        ("fetch", ("no numbers", mark), ArgumentError),
        ("status", (f"{mark}\r\n", "(MESSAGES)"), ArgumentError),
        ("append", (mark, None, NO_DATE, b"x"), ArgumentError),
        ("idle", (-1.0,), ArgumentError),
    ]
    method, args, error = rng.choice(refused)
    return Ask(method, args, _never, may_raise=(error, StateError))


def ask_close(rng: random.Random, mark: str) -> Ask:
    """Leave the mailbox, so that what others are about to send is refused."""
    return Ask("close", (), says(sum_of(b"")), (sum_of(b""),))


def ask_idle_long(rng: random.Random, mark: str) -> Ask:
    """IDLE until another command comes, or news."""
    return Ask("idle", (rng.choice((0.001, 0.1, 20.0)),), says(0), (0,))


def ask_compress(rng: random.Random, mark: str) -> Ask:
    """Switch the layer on, in the middle of everything; it can be done once."""
    expected = sum_of(b"DEFLATE")
    return Ask("enable_compression", (), says(expected), (expected,))


VARIOUS = [*ASKS * 2, *(ask_what_is_refused,) * 4, ask_close, ask_idle_long, ask_idle_long]


def wild_ask(rng: random.Random, mark: str) -> Ask:
    """One of them."""
    if mark.startswith("t") and rng.random() < 0.003:
        return ask_compress(rng, mark)
    ask = rng.choice(VARIOUS)(rng, mark)
    if ask.method in SELECTED:
        ask = replace(ask, may_raise=(*ask.may_raise, StateError))
    if ask.method != "idle" and rng.random() < 0.02:
        ask = replace(ask, options={"timeout": 10 ** rng.uniform(-4.0, -0.5)})
    if mark.startswith("t") and rng.random() < 0.01:
        ask = replace(ask, interrupted_at=rng.randrange(200))
    return ask
