"""Clients of the base family alone against a scripted server: what the core's tests share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import imapkit
from imapkit import testing
from imapkit.testing import Answers, Handler, ScriptedServer, answering, within

__all__ = ["LIMIT", "MARGIN", "PLAIN", "Answers", "answer_all", "at_rest", "connect", "selected", "serving", "until", "within"]

LIMIT = 0.1
"""The time-out of clients whose server does not answer."""
MARGIN = 2.0
"""What a busy machine may add."""
PLAIN = b"IMAP4rev1"

answer_all = answering()


def connect(server: Any, cls: Any = imapkit.IMAP4, **options: Any) -> imapkit.IMAP4:
    """A client that is not logged in."""
    options = {"families": ["rev1"], "ssl_context": None, **options}
    client: imapkit.IMAP4 = testing.connect(server, cls=cls, login=False, **options)
    return client


def at_rest(client: imapkit.IMAP4) -> None:
    """Wait until the reader thread rests, so that the next caller reads."""
    inline = client._live._inline
    until(lambda: inline._resting and not inline._right, "the reader thread does not rest")


def until(holds: Callable[[], object], otherwise: str) -> None:
    """Ask until something holds that has no event to wait for; fails if it does not before long."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, otherwise
        time.sleep(0)


@contextmanager
def serving(handlers: Mapping[str, Handler] | None = None, **options: Any) -> Iterator[ScriptedServer]:
    """A server with these handlers beside the usual ones."""
    with ScriptedServer(handlers=handlers, **options) as server:
        yield server


@contextmanager
def selected(handlers: Mapping[str, Handler] | None = None, **options: Any) -> Iterator[tuple[imapkit.IMAP4, ScriptedServer]]:
    """A client in the selected state, and its server; logged out at the end."""
    with testing.selected(handlers, **{"families": ["rev1"], **options}) as pair:
        yield pair
