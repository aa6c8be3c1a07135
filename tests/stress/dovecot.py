"""Stress on a real Dovecot: several connections to one user's mailboxes, byte by byte now and then, and cut off at random."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import imapkit
from imapkit.testing import Fault, FaultProxy
from tests.servers.base import Server
from tests.stress.asks import Ask
from tests.stress.episode import ENDS, Episode, Setting

__all__ = ["Dovecot"]

USER = "u09"
BOXES = ("numbers", "letters")
MESSAGES = 20
COUNTED = {f"counted{count}": count for count in (1, 3, 5)}
OWN = [f"own{number}" for number in range(4)]
KEYWORDS = ["red", "green", "blue"]


def letter(box: str, number: int) -> bytes:
    """A message that says whose it is, with lines in it that look like responses."""
    text = f"Subject: word{number}x\r\n\r\n{box} {number}\r\n* {number} FETCH (FLAGS ())\r\nx OK no\r\n"
    return text.encode() * (1 + number % 3 * 20)


def ask_fetch(rng: random.Random) -> Ask:
    """Messages, by number or by UID, which are the same here."""
    low = rng.randint(1, MESSAGES - 3)
    numbers = rng.choice([[low], [low, low + 1, low + 2], [low, low + 3]])
    wanted = ",".join(map(str, numbers))

    def check(answer: Any) -> None:
        assert answer[0] == "OK"
        found = [part[1] for part in answer[1] if isinstance(part, tuple)]
        assert found in [[letter(box, number) for number in numbers] for box in BOXES], (wanted, found)

    uid = rng.random() < 0.5
    return Ask("uid", ("FETCH", wanted, "BODY.PEEK[]"), check) if uid else Ask("fetch", (wanted, "BODY.PEEK[]"), check)


def ask_store(rng: random.Random) -> Ask:
    """A keyword more or less."""
    number, sign, word = rng.randint(1, MESSAGES), rng.choice("+-"), rng.choice(KEYWORDS)

    def check(answer: Any) -> None:
        typ, data = answer
        assert typ == "OK"
        # Without a change there is no answer; and another connection's changes may be told with this one's.
        assert data == [None] or all(item.startswith(b"%d (" % number) and b"FLAGS" in item for item in data), (number, data)

    return Ask("uid", ("STORE", str(number), f"{sign}FLAGS", f"({word})"), check)


def ask_status(rng: random.Random) -> Ask:
    """How many messages there are in a mailbox that no worker changes."""
    name, count = rng.choice(list(COUNTED.items()))

    def check(answer: Any) -> None:
        (line,) = answer[1]
        assert line == b"%b (MESSAGES %d)" % (name.encode(), count)

    return Ask("status", (name, "(MESSAGES)"), check)


def ask_list(rng: random.Random) -> Ask:
    """One mailbox, by its name."""
    name = rng.choice([*COUNTED, *BOXES])

    def check(answer: Any) -> None:
        (line,) = answer[1]
        assert line.split()[-1].strip(b'"') == name.encode()

    return Ask("list", ("", name), check)


def ask_search(rng: random.Random) -> Ask:
    """The one message with that subject."""
    number = rng.randint(1, MESSAGES)

    def check(answer: Any) -> None:
        assert answer == ("OK", [b"%d" % number])

    by_number = ("search", (None, "SUBJECT", f"word{number}x"))
    return Ask(*rng.choice([by_number, ("uid", ("SEARCH", f"SUBJECT word{number}x"))]), check)


def ask_append(rng: random.Random) -> Ask:
    """A message for a mailbox that holds nothing but such; looked at in the end."""
    box = rng.choice(OWN)

    def check(answer: Any) -> None:
        assert answer[0] == "OK"
        assert b"APPENDUID" in answer[1][0]

    return Ask("append", (box, None, None, letter(box, rng.randrange(5))), check)


def ask_select(rng: random.Random) -> Ask:
    """The one mailbox or the other."""

    def check(answer: Any) -> None:
        assert answer == ("OK", [b"%d" % MESSAGES])

    return Ask("select", (rng.choice(BOXES),), check)


def ask_idle(rng: random.Random) -> Ask:
    """Wait for a moment."""

    def check(answer: Any) -> None:
        assert answer[0] == "OK"
        assert b"Idle completed" in answer[1][0]

    return Ask("idle", (rng.choice((0.0, 0.01)),), check)


ASKS: list[Callable[[random.Random], Ask]] = [
    *(ask_fetch, ask_fetch, ask_fetch, ask_fetch, ask_store, ask_store, ask_status, ask_list, ask_search, ask_append),
    *(ask_idle, ask_select),
]


class Dovecot:
    """The world of one run: a server with its mailboxes, and how a connection to it is played."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        with self._client(server.port) as imap:
            for box, count in [*((box, MESSAGES) for box in BOXES), *COUNTED.items(), *((box, 0) for box in OWN)]:
                assert imap.create(box)[0] == "OK"
                for number in range(1, count + 1):
                    assert imap.append(box, None, None, letter(box, number))[0] == "OK"

    def _client(self, port: int, identifier: str | None = None) -> imapkit.IMAP4:
        imap = imapkit.IMAP4(self._server.host, port, identifier=identifier, timeout=60)
        imap.login(USER, self._server.users[USER])
        return imap

    def play(self, rng: random.Random, setting: Setting) -> None:
        """Connection after connection until the time is over, one at least."""
        while True:
            self.one_connection(random.Random(rng.random()), setting)
            if time.monotonic() >= setting.until or setting.tally.wrong:
                return

    def one_connection(self, rng: random.Random, setting: Setting) -> None:
        """A client behind a proxy that cuts, fragments, or does nothing."""
        end = rng.choice([*ENDS, *([None] * 6)])
        kind: Any = rng.choice(["fragment", "drop", "reset", "half_close", "nothing"]) if end is None else "fragment"
        fault = None if kind == "nothing" else Fault(kind, rng.randrange(3000, 100_000), sent_by=rng.choice(("client", "server")))
        with FaultProxy(self._server.host, self._server.port, fault) as proxy:
            client = self._client(proxy.port)
            episode = Episode(client, lambda own, mark: own.choice(ASKS)(own), rng, setting)
            try:
                client.select(BOXES[0])
                episode.play([end] if end else [])
            finally:
                episode.hang_up()
            if len(episode.reasons) > 1:
                setting.tally.wrong.append(f"more than one reason: {sorted(episode.reasons)}")
            if end is None and kind in ("fragment", "nothing") and episode.reasons:
                setting.tally.wrong.append(f"it ended by itself: {episode.reasons}")
        setting.tally.ends[end or kind] += 1
        with self._lock:
            self._look_at_what_was_appended(setting)

    def _look_at_what_was_appended(self, setting: Setting) -> None:
        with self._client(self._server.port) as imap:
            for box in OWN:
                if imap.select(box)[1] == [b"0"]:
                    continue
                data = imap.fetch("1:*", "BODY.PEEK[]")[1]
                strangers = {part[1] for part in data if isinstance(part, tuple)} - {letter(box, number) for number in range(5)}
                if strangers:
                    setting.tally.wrong.append(f"in the mailbox {box}: {sorted(strangers)[:2]}")
                # What has been looked at is not looked at again; another connection may be adding to it.
                imap.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
                imap.close()
