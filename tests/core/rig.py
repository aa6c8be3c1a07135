"""Clients against a scripted server: what the tests over real sockets share."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import imapkit
from imapkit.testing.scripted import Conversation, Handler, ReceivedCommand, ScriptedServer

__all__ = ["LIMIT", "MARGIN", "PLAIN", "Answers", "answer_all", "connect", "selected", "serving", "within"]

LIMIT = 0.1
"""The time-out of clients whose server does not answer."""
MARGIN = 2.0
"""What a busy machine may add."""
PLAIN = b"IMAP4rev1"


def connect(server: Any, cls: Any = imapkit.IMAP4, *, timeout: float = 20.0, **options: Any) -> imapkit.IMAP4:
    """A client of the base family alone."""
    options.setdefault("families", ["rev1"])
    client: imapkit.IMAP4 = cls(server.host, server.port, timeout=timeout, **options)
    return client


@contextmanager
def serving(handlers: Mapping[str, Handler] | None = None, **options: Any) -> Iterator[ScriptedServer]:
    """A server with these handlers beside the usual ones."""
    with ScriptedServer(handlers=handlers, **options) as server:
        yield server


@contextmanager
def selected(handlers: Mapping[str, Handler] | None = None, **options: Any) -> Iterator[tuple[imapkit.IMAP4, ScriptedServer]]:
    """A client in the selected state, and its server; logged out at the end."""
    ours = {name: options.pop(name) for name in ("timeout", "families", "limits") if name in options}
    with serving(handlers, **options) as server, connect(server, **ours) as client:
        client.login("me", "secret")
        client.select()
        yield client, server


def answer_all(conversation: Conversation, command: ReceivedCommand) -> None:
    """A handler that says OK."""
    conversation.ok(command)


class Answers:
    """Collects what callbacks are called with."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[Any, Any, Any]] = queue.Queue()

    def __call__(self, answer: tuple[Any, Any, Any]) -> None:
        self._queue.put(answer)

    def next(self, timeout: float = 20.0) -> tuple[Any, Any, Any]:
        """The next one."""
        return self._queue.get(timeout=timeout)

    def take(self, count: int) -> list[tuple[Any, Any, Any]]:
        """The next ``count``, and there must be no more by now."""
        answers = [self.next() for _ in range(count)]
        assert self._queue.empty()
        return answers


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The body ends in time."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds, f"took {took:.2f} s instead of {seconds} at most"
