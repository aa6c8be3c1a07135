"""Whoever is interrupted, wherever that is: the connection goes on, or says at once why not; nobody waits in vain."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

import imapkit
from imapkit import ConnectionClosed, StateError
from imapkit.testing import ScriptedServer
from tests.core.rig import connect, until, within
from tests.interrupting import Interrupted, interrupting
from tests.stress.server import Shuffler

GREETING = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\r\n"
Act = Callable[[imapkit.IMAP4], Any]


def ready(server: ScriptedServer) -> imapkit.IMAP4:
    client = connect(server, families=["rev1", "idle"], timeout=60)
    client.select("box")
    return client


def nothing(client: imapkit.IMAP4) -> None:
    """Come as the first."""


def after_a_callback(client: imapkit.IMAP4) -> None:
    client.noop(callback=lambda answer: None)


def while_it_idles(client: imapkit.IMAP4) -> None:
    client.idle(20, callback=lambda answer: None)


def renewed(client: imapkit.IMAP4) -> None:
    client.idle_refresh = 0.002


def idle(client: imapkit.IMAP4) -> None:
    client.idle(0.01)


def append(client: imapkit.IMAP4) -> None:
    client.append("box", None, None, b"xyz")


def select(client: imapkit.IMAP4) -> None:
    client.select("other")


def login(client: imapkit.IMAP4) -> None:
    with pytest.raises(StateError):
        client.login("user", "password")


def look_whether_it_goes_on(client: imapkit.IMAP4, where: str) -> bool:
    """Another thread comes now: it is answered, or learns at once why it is not."""
    outcomes: list[Any] = []

    def ask() -> None:
        try:
            outcomes.append(client.noop(timeout=10)[0])
        except ConnectionClosed as exc:
            outcomes.append(str(exc))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    (outcome,) = outcomes or [f"no outcome after {where}"]
    if outcome != "OK":
        assert "interrupted" in outcome, (where, outcome)
        return False
    protocol, gate = client._live.protocol, client._live.protocol.gate
    until(lambda: not (gate.writer or gate._waiting or gate._flying or protocol.pending), f"something is left after {where}")
    return True


def interrupted(client: imapkit.IMAP4, at: int, prepare: Act, act: Act) -> str:
    """Have this thread interrupted there; returns where it was."""
    prepare(client)
    with interrupting(at) as point:
        try:
            act(client)
        except (Interrupted, imapkit.IMAP4.error):
            pass
    return point.where


def interrupted_everywhere(prepare: Act, act: Act) -> int:
    """At one point after the other, up to the end; returns how many there were."""
    with ScriptedServer(Shuffler(random.Random(1)), greeting=GREETING) as server, within(60):
        client, at = ready(server), 0
        while where := interrupted(client, at, prepare, act):
            at += 1
            if not look_whether_it_goes_on(client, where):
                client.logout()
                client = ready(server)
        client.logout()
        return at


def test_a_command_that_is_interrupted_anywhere() -> None:
    assert interrupted_everywhere(nothing, lambda client: client.noop()) > 20


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("prepare", "act"),
    [
        (after_a_callback, lambda client: client.noop()),
        (nothing, lambda client: client.noop(callback=lambda answer: None)),
        (nothing, append),
        (nothing, idle),
        (renewed, idle),
        (while_it_idles, select),
        (while_it_idles, login),
        (nothing, login),
    ],
)
def test_interrupted_anywhere(prepare: Act, act: Act) -> None:
    assert interrupted_everywhere(prepare, act) > 20
