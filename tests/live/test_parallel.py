"""One connection, many threads: each thread gets what it stored and asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from imapkit import IMAP4
from tests.live.support import letter, logged_in, place
from tests.servers.base import Server

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

THREADS = 16
MANY = 100
SOME = 25
"""With synchronizing literals: enough for every thread to wait for its turn among the others, many times."""


def own(thread: int, number: int) -> bytes:
    """A message that only this thread stores; sizes differ, and some text looks like a command."""
    filler = b"%d.%d {%d}\r\n" % (thread, number, number) * (1 + 37 * number % 101)
    return b"Subject: %d of %d\r\n\r\nX1 LOGOUT\r\n%s" % (number, thread, filler)


def deliver_all(imap: IMAP4, server: Server, kind: str, messages: int) -> list[str]:
    """Each thread fills a mailbox of its own; returns their names."""
    boxes = [place(server, f"{kind}{thread:02}") for thread in range(THREADS)]

    def deliver(thread: int) -> list[str]:
        imap.create(boxes[thread])
        return [imap.append(boxes[thread], None, None, own(thread, number))[0] for number in range(messages)]

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(deliver, range(THREADS))) == [["OK"] * messages] * THREADS
    return boxes


def check_all(imap: IMAP4, boxes: list[str], messages: int) -> None:
    """Every mailbox holds what its thread stored, in order, byte for byte."""
    for thread, box in enumerate(boxes):
        assert imap.examine(box) == ("OK", [str(messages).encode()])
        data = imap.fetch("1:*", "(BODY.PEEK[])")[1]
        assert [item[1] for item in data if isinstance(item, tuple)] == [own(thread, number) for number in range(messages)]


@pytest.mark.heavy
def test_16_threads_append_100_messages_each(dovecot: Server) -> None:
    with logged_in(dovecot, "u00") as imap:
        assert "LITERAL+" in imap.capabilities
        check_all(imap, deliver_all(imap, dovecot, "plus", MANY), MANY)


@pytest.mark.heavy
def test_the_same_with_synchronizing_literals(dovecot: Server) -> None:
    with logged_in(dovecot, "u01") as imap:
        session = imap._session
        session.capabilities = tuple(name for name in imap.capabilities if name != "LITERAL+")
        boxes = deliver_all(imap, dovecot, "sync", SOME)
        assert not session.has("LITERAL+")
        check_all(imap, boxes, SOME)


@pytest.mark.heavy
def test_uid_and_sequence_numbers_mixed(server: Server) -> None:
    """Every thread fetches all messages, by UID or number, and gets just what it asked for."""
    with logged_in(server, "u02") as imap:
        box = place(server, "mixed")
        imap.create(box)
        for number in range(1, 41):
            imap.append(box, None, None, own(0, number))
        imap.select(box)
        uids = [int(uid) for uid in imap.uid("SEARCH", "ALL")[1][0].split()]
        assert len(uids) == 40

        def read(thread: int) -> None:
            for number in range(1 + thread, 41):
                one = (
                    imap.fetch(number, "(UID BODY.PEEK[])") if thread % 2 else imap.uid("FETCH", uids[number - 1], "BODY.PEEK[]")
                )
                assert len(one[1]) == 2
                assert one[1][0][1] == own(0, number)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(read, range(8)))


def test_8_threads_ask_different_things(server: Server) -> None:
    with logged_in(server, "u03") as imap:
        boxes = [place(server, f"asked{number}") for number in range(4)]
        for count, box in enumerate(boxes):
            imap.create(box)
            for number in range(count + 4):
                assert imap.append(box, None, None, letter(f"word{number}x"))[0] == "OK"
        imap.select(boxes[3])

        def fetch(thread: int) -> None:
            for number in range(1, 8):
                data = imap.fetch(number, "(BODY.PEEK[])")[1]
                assert [item[1] for item in data if isinstance(item, tuple)] == [letter(f"word{number - 1}x")]

        def status(thread: int) -> None:
            for number, box in enumerate(boxes[:3]):
                ((answer,), wanted) = (imap.status(box, "(MESSAGES)")[1], b"(MESSAGES %d)" % (number + 4))
                assert answer.endswith(wanted)
                assert box.encode() in answer

        def listing(thread: int) -> None:
            for box in boxes:
                (answer,) = imap.list("", box)[1]
                assert box.encode() in answer

        def search(thread: int) -> None:
            for number in range(7):
                assert imap.search(None, "SUBJECT", f"word{number}x") == ("OK", [str(number + 1).encode()])

        kinds: list[Callable[[int], None]] = [fetch, status, listing, search]

        def work(thread: int) -> None:
            for turn in range(3):
                kinds[(thread + turn) % 4](thread)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        left = {name for name, _ in imap.untagged_responses}
        assert not left & {"STATUS", "LIST", "SEARCH"}
