"""IDLE against real servers: a client that idles gets the news of what another client does at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from imapkit import IMAP4
from tests.live.support import Answers, filled, letter, logged_in
from tests.servers.base import Server

pytestmark = pytest.mark.live


def accepted(imap: IMAP4, goes_on: Callable[[], bool]) -> None:
    """Return once the server has accepted IDLE: pymap sends no news of a change just before."""
    while not imap._live.engine.listens:
        assert goes_on()
        time.sleep(0)


class Idler:
    """A client that idles on a thread of its own; ``begun`` once the server has accepted it."""

    def __init__(self, imap: IMAP4, *args: Any) -> None:
        self.result: Any = None
        self._imap = imap
        self._thread = threading.Thread(target=self._work, args=args)
        self._thread.start()
        accepted(imap, lambda: self._thread.is_alive())

    def _work(self, *args: Any) -> None:
        self.result = self._imap.idle(*args)

    def join(self) -> Any:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.result


def test_new_mail_ends_it(server: Server) -> None:
    with filled(server, "idle-new", letter("one")) as (imap, box), logged_in(server) as other:
        for count in (2, 3, 4):
            idler = Idler(imap)
            other.append(box, None, None, letter(f"number {count}"))
            assert idler.join()[0] == "OK"
            # pymap sends the number again with each change.
            assert imap.response("EXISTS")[1][-1] == b"%d" % count
        assert imap.fetch(count, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0][1].strip() == b"Subject: number 4"


def test_flags_end_it(server: Server) -> None:
    with filled(server, "idle-flags", letter("one"), letter("two")) as (imap, box), logged_in(server) as other:
        other.select(box)
        idler = Idler(imap)
        other.store("2", "+FLAGS", r"(\Flagged)")
        assert idler.join()[0] == "OK"
        assert any(b"\\Flagged" in line for line in imap.response("FETCH")[1])


def test_an_expunge_ends_it(server: Server) -> None:
    with filled(server, "idle-expunge", letter("one"), letter("two")) as (imap, box), logged_in(server) as other:
        other.select(box)
        other.store("1", "+FLAGS.SILENT", r"(\Deleted)")
        imap.noop()
        imap.response("FETCH")
        idler = Idler(imap)
        assert other.expunge()[0] == "OK"
        assert idler.join()[0] == "OK"
        imap.noop()
        assert b"1" in imap.response("EXPUNGE")[1]


def test_a_command_of_another_thread_ends_it(server: Server) -> None:
    with filled(server, "idle-command", letter("one")) as (imap, _):
        for _ in range(5):
            idler = Idler(imap)
            assert imap.fetch("1", "(UID)")[0] == "OK"
            assert idler.join()[0] == "OK"
            assert imap.response("IDLE")[1] == [None]


def test_time_out_and_refresh(server: Server) -> None:
    with filled(server, "idle-time", letter("one")) as (imap, _):
        imap.idle_refresh = 0.05
        assert imap.idle(0.3)[0] == "OK"
        assert imap.response("IDLE")[1] == [b"TIMEOUT"]
        assert imap.noop()[0] == "OK"


def test_with_a_callback(server: Server) -> None:
    with filled(server, "idle-callback", letter("one")) as (imap, box), logged_in(server) as other:
        answers = Answers()
        imap.idle(callback=answers, cb_arg="first")
        accepted(imap, lambda: not answers.given)
        other.append(box, None, None, letter("two"))
        answers.wait("first")
        assert answers.given["first"][0][0] == "OK"
        imap.idle(callback=answers, cb_arg="second")
        assert imap.noop()[0] == "OK"
        answers.wait("second")
        assert answers.given["second"][1] is None


def test_fifty_fetches_while_idling(server: Server) -> None:
    """Each of them ends the IDLE that is on, and no news in between is lost."""
    letters = [letter(f"number {i}") for i in range(1, 6)]
    with filled(server, "idle-busy", *letters) as (imap, box), logged_in(server) as other:
        stop, found = threading.Event(), []

        def idle() -> None:
            while not stop.is_set():
                found.append(imap.idle(20)[0])

        idler = threading.Thread(target=idle)
        idler.start()
        try:
            for i in range(50):
                if i % 10 == 0:
                    other.append(box, None, None, letter("more"))
                number = i % 5 + 1
                typ, data = imap.fetch(str(number), "(BODY.PEEK[])")
                assert (typ, data[0][1]) == ("OK", letters[number - 1])
        finally:
            stop.set()
            imap.noop()
            idler.join(30)
        assert set(found) == {"OK"}
        assert imap.response("EXISTS")[1][-1] == b"10"
