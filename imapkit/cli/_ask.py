"""Shared by the demo's steps: the data of results, commands from several threads, and the results of checks."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import imapkit
from imapkit.core.contract.commands import Result
from imapkit.core.wire.data import Data

__all__ = [
    "THREADS",
    "Findings",
    "by_callbacks",
    "content",
    "fetched",
    "in_threads",
    "numbers",
    "parsed",
    "threads_since",
]

THREADS = 8
PATIENCE = 120.0
"""Seconds to wait for a callback; each command has a shorter deadline of its own."""

Item = TypeVar("Item")
Value = TypeVar("Value")
Fetch = Callable[..., Result]


@dataclass
class Findings:
    """The number of checks, and a line for each that failed."""

    checks: int = 0
    problems: list[str] = field(default_factory=list)

    def check(self, what: str, found: object, expected: object) -> bool:
        """Return whether ``found`` equals ``expected``; count the check, and keep a line if it failed."""
        self.checks += 1
        if found != expected:
            self.problems.append(f"{what}: {found!r:.200} instead of {expected!r:.200}")
        return found == expected


def parsed(result: Result) -> list[Any]:
    """The parsed responses of a command. Raises ``imapkit.error`` unless the server answered OK."""
    typ, data = result
    if typ != "OK":
        raise imapkit.error(f"the server answered {typ}: {data!r:.300}")
    return data.parsed() if isinstance(data, Data) else []


def numbers(result: Result) -> list[int]:
    """The message numbers that a SEARCH found."""
    return [number for response in parsed(result) for number in response]


def fetched(result: Result) -> Mapping[str, Any]:
    """The items of the one FETCH response with a body section; the server may add others, such as changed flags."""
    found: list[Mapping[str, Any]] = [response.items for response in parsed(result) if any(map(_is_body, response.items))]
    if len(found) != 1:
        raise imapkit.error(f"{len(found)} responses with a body section to a FETCH of one message: {result[1]!r:.300}")
    return found[0]


def content(result: Result) -> bytes:
    """The body section in the answer to a FETCH of one message; the server chooses how it spells the name."""
    value = next(value for key, value in fetched(result).items() if _is_body(key))
    return bytes(value or b"")


def _is_body(key: str) -> bool:
    return key.startswith("BODY[")


def in_threads(work: Callable[[Item], Value], items: Iterable[Item], threads: int = THREADS) -> list[Value]:
    """Do ``work`` on all ``items`` on several threads; return the values in the order of the items."""
    with ThreadPoolExecutor(threads, "demo") as pool:
        return list(pool.map(work, items))


def by_callbacks(fetch: Fetch, messages: Collection[int], item: str) -> list[Result]:
    """Send a FETCH for each message without waiting, and collect the answers by callbacks. Raises ``imapkit.error``."""
    answers: queue.SimpleQueue[tuple[Any, Any, Any]] = queue.SimpleQueue()
    for message in messages:
        fetch(message, item, callback=answers.put, cb_arg=message)
    results: dict[int, Result] = {}
    for _ in messages:
        result, message, failure = answers.get(timeout=PATIENCE)
        if failure is not None:
            raise imapkit.error(f"{failure[0].__name__}: {failure[1]}")
        results[message] = result
    return [results[message] for message in messages]


def threads_since(before: Collection[threading.Thread], patience: float = 2.0) -> list[str]:
    """The names of the threads that are not in ``before`` and do not end within ``patience`` seconds."""
    deadline = time.monotonic() + patience
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread.name for thread in left if thread.is_alive()]
