"""``imapkit demo``: imapkit at work, against a server in this process, or read-only against a server of the user's."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import imapkit
from imapkit.cli._ask import Findings, threads_since
from imapkit.cli.target import Target, password

if TYPE_CHECKING:
    from imapkit.cli.corpus import Message
    from imapkit.cli.screen import Screen

__all__ = ["ROUND_TRIP", "embedded", "own_server", "read_only", "tour"]

ROUND_TRIP = 0.020
"""Seconds that the slow link takes for a command and its answer."""
MISSING = 2


def embedded() -> int:
    """Run the whole demo. Returns 0, 1 if a check failed, 2 if a needed package is not installed."""
    if _lacks("rich", "pymap"):
        return MISSING
    from imapkit.cli.corpus import corpus
    from imapkit.cli.screen import Screen

    return _verdict(tour(Screen(), corpus()))


def own_server(target: Target) -> int:
    """Run the read-only part against a server of the user's. Returns as ``embedded`` does."""
    if _lacks("rich"):
        return MISSING
    from imapkit.cli.screen import Screen

    return _verdict(read_only(Screen(), target, password(target)))


def tour(screen: Screen, mail: Mapping[str, Sequence[Message]]) -> Findings:
    """Put ``mail`` on a server in this process, use it as a mail client does, and check all answers."""
    from imapkit.cli import demo_steps, mailhost
    from imapkit.testing.proxy import DelayProxy

    findings, started, threads = Findings(), time.perf_counter(), set(threading.enumerate())
    with mailhost.running() as host, DelayProxy(host.host, host.port, 0.0) as proxy:
        for name, messages in mail.items():
            mailhost.deliver(host, host.user, name, messages)
        foreign = set(threading.enumerate())
        screen.step("Connect and log in")
        account = imapkit.Account(proxy.host, imapkit.Password(host.user, host.password), port=proxy.port, tls="none")
        with account.connect() as client:
            work = demo_steps.Tour(client, screen, mail, findings)
            work.run()
            proxy.round_trip = ROUND_TRIP
            work.compare(ROUND_TRIP)
            findings.check("connections", proxy.connections, 1)
            screen.say(f"Connections in use throughout: {proxy.connections}.")
            work.end(foreign)
    left = threads_since(threads)
    findings.check("threads at the end", left, [])
    _closing(screen, findings, left, time.perf_counter() - started)
    return findings


def read_only(screen: Screen, target: Target, secret: str) -> Findings:
    """Read from a server of the user's, with EXAMINE, STATUS, SEARCH and BODY.PEEK only."""
    from imapkit.cli import demo_reading

    findings, started, threads = Findings(), time.perf_counter(), set(threading.enumerate())
    with target.connect() as imap:
        demo_reading.look_around(imap, screen, findings, target.user or "", secret)
        screen.step("Log out")
        screen.say(f"LOGOUT: {imap.logout()[0]}")
    left = threads_since(threads)
    findings.check("threads at the end", left, [])
    _closing(screen, findings, left, time.perf_counter() - started)
    return findings


def _closing(screen: Screen, findings: Findings, left: Sequence[str], seconds: float) -> None:
    screen.say(f"Threads left: {', '.join(left)}." if left else "No thread is left.", "bold red" if left else "")
    for problem in findings.problems:
        screen.say(f"NOT AS EXPECTED: {problem}", "bold red")
    good = findings.checks - len(findings.problems)
    screen.say(f"{good} of {findings.checks} checks as expected, in {seconds:.1f} s.", "bold" if not findings.problems else "red")


def _verdict(findings: Findings) -> int:
    return 1 if findings.problems else 0


def _lacks(*modules: str) -> bool:
    """Return whether one of the modules is not installed, and print which."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        print(f"imapkit demo needs {' and '.join(missing)}: pip install 'imapkit[demo]'", file=sys.stderr)
    return bool(missing)
