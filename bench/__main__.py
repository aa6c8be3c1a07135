"""The same work by imapkit, by imaplib and (if installed) by imaplib2, in one run: ratios, never bare times.

Each figure is the median of several rounds in which the clients take turns, so that a busy machine is as unfair to all.
"""

from __future__ import annotations

import imaplib
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import imapkit
from imapkit.cli.corpus import Message
from imapkit.cli.mailhost import MailHost, deliver, running

ROUNDS = 5
MESSAGE = b"Subject: bench\r\n\r\n" + b"All work and no play makes a dull benchmark.\r\n" * 100


def clients() -> dict[str, Any]:
    """The client classes to compare."""
    found: dict[str, Any] = {"imapkit": imapkit.IMAP4, "imaplib": imaplib.IMAP4}
    try:
        import imaplib2  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        pass
    else:
        found["imaplib2"] = imaplib2.IMAP4
    return found


def connect(host: MailHost, kind: Any) -> None:
    """Connect, log in, log out."""
    client = kind(host.host, host.port)
    client.login(host.user, host.password)
    client.logout()


def noops(client: Any) -> None:
    """Round trips, one after the other."""
    for _ in range(300):
        client.noop()


def fetches(client: Any) -> None:
    """Whole messages, one after the other."""
    for number in range(1, 101):
        client.fetch(str(number), "(BODY.PEEK[])")


def appends(client: Any) -> None:
    """Messages with literals, one after the other."""
    for _ in range(30):
        client.append("Bench", None, None, MESSAGE)


def measure(work: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The median seconds of each, the clients taking turns."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, run in work.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def report(title: str, seconds: Mapping[str, float]) -> None:
    """One line: every peer's time as a multiple of imapkit's."""
    own = seconds["imapkit"]
    peers = "  ".join(f"{name} x{value / own:.2f}" for name, value in seconds.items() if name != "imapkit")
    print(f"{title:<28} imapkit 1 ({own * 1000:.1f} ms here)  {peers}")


def main() -> int:
    """Run all; the figures are how many times as long as imapkit a peer takes."""
    with running() as host:
        deliver(host, host.user, "Bench", [Message(MESSAGE, "", datetime.now(UTC))] * 100)
        kinds = clients()
        report("connect, login, logout", measure({name: partial(connect, host, kind) for name, kind in kinds.items()}))
        open_clients = {name: kind(host.host, host.port) for name, kind in kinds.items()}
        for client in open_clients.values():
            client.login(host.user, host.password)
            client.select("Bench")
        for title, task in (("300 NOOP", noops), ("100 FETCH of 4.7 kB", fetches), ("30 APPEND", appends)):
            report(title, measure({name: partial(task, client) for name, client in open_clients.items()}))
        for client in open_clients.values():
            client.logout()
    return 0


if __name__ == "__main__":
    sys.exit(main())
