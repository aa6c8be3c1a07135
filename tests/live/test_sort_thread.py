"""SORT and THREAD, against real servers that have them: what is sorted is what was appended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from imapkit import IMAP4, q, sort
from imapkit.ext.sort_thread import Thread
from tests.live.support import Answers, announced, filled, letter, logged_in, needing, outcome, place
from tests.servers.base import Server
from tests.servers.quirks import Quirk

pytestmark = pytest.mark.live


@pytest.fixture
def sorter(server: Server) -> Server:
    """Each of the servers that sort."""
    return needing(server, "SORT", "THREAD=REFERENCES")


BY_DATE: list[tuple[Any, list[int]]] = [("SUBJECT", [3, 2, 1, 4]), ("REVERSE SUBJECT", [4, 1, 3, 2])]
"""The order of a server that has messages of one subject by date."""


def sorting(server: Server) -> list[tuple[Any, list[int]]]:
    """The keys that the server supports, and the order of the messages by them."""
    orders = {str(keys): (keys, order) for keys, order in SORTED}
    if Quirk.EQUAL_SUBJECTS_BY_DATE in server.quirks:
        orders.update({str(keys): (keys, order) for keys, order in BY_DATE})
    display = "SORT=DISPLAY" in announced(server)
    return [each for name, each in orders.items() if display or not name.startswith("DISPLAY")]


def mail(subject: str, sender: str, to: str, cc: str, date: str, size: int) -> bytes:
    """A message with whatever is sorted by."""
    fields = {"From": sender, "To": to, "Cc": cc, "Subject": subject, "Date": date}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"{head}\r\n{'x' * size}\r\n".encode()


CAFE = "=?utf-8?q?caf=C3=A9?="
# Arrival, and the message; the first one is to be removed, so that numbers and UIDs differ.
MESSAGES = [
    (9, letter("removed")),
    (2, mail("banana", "Zoe <d@example.com>", "Kim <q@example.com>", "c@example.com", "Fri, 5 Jan 2024 10:00:00 +0000", 400)),
    (4, mail("Re: apple", "Adam <c@example.com>", "Lea <p@example.com>", "b@example.com", "Mon, 1 Jan 2024 23:00:00 -0800", 100)),
    (1, mail("apple", "Eve <b@example.com>", "Max <s@example.com>", "", "Tue, 2 Jan 2024 06:00:00 +0000", 300)),
    (3, mail(CAFE, "a@example.com", "jim <r@example.com>", "d@example.com", "Thu, 4 Jan 2024 10:00:00 +0000", 200)),
]
SORTED: list[tuple[Any, list[int]]] = [
    ("ARRIVAL", [3, 1, 4, 2]),
    ("CC", [3, 2, 1, 4]),
    ("DATE", [3, 2, 4, 1]),
    ("FROM", [4, 3, 2, 1]),
    ("SIZE", [2, 4, 3, 1]),
    ("SUBJECT", [2, 3, 1, 4]),
    ("TO", [2, 1, 4, 3]),
    ("DISPLAYFROM", [4, 2, 3, 1]),
    ("DISPLAYTO", [4, 1, 2, 3]),
    ("REVERSE ARRIVAL", [2, 4, 1, 3]),
    ("REVERSE SUBJECT", [4, 1, 2, 3]),
    ("(SUBJECT DATE)", [3, 2, 1, 4]),
    (["REVERSE SUBJECT", "DATE"], [4, 1, 3, 2]),
    (("REVERSE", "SIZE"), [1, 3, 4, 2]),
]


@contextmanager
def assorted(server: Server, name: str) -> Iterator[IMAP4]:
    """A mailbox of four messages, with UIDs from 2 on."""
    with logged_in(server) as imap:
        box = place(server, f"sort-{name}")
        assert imap.create(box)[0] == "OK"
        for day, message in MESSAGES:
            assert imap.append(box, None, datetime(2024, 2, day, tzinfo=UTC), message)[0] == "OK"
        assert imap.select(box) == ("OK", [b"5"])
        imap.store(1, "+FLAGS.SILENT", r"\Deleted")
        assert imap.expunge() == ("OK", [b"1"])
        yield imap


def numbers(answer: tuple[str, Any]) -> list[int]:
    """The numbers of a SORT, as they come and parsed."""
    typ, data = answer
    assert typ == "OK"
    [parsed] = data.parsed()
    assert data == [" ".join(map(str, parsed)).encode()]
    return list(parsed)


def test_by_every_key(sorter: Server) -> None:
    with assorted(sorter, "every key") as imap:
        for keys, order in sorting(sorter):
            assert numbers(imap.sort(keys, "US-ASCII", "ALL")) == order, keys
            assert numbers(imap.sort(keys, None, "ALL")) == order, keys
            assert numbers(imap.uid("SORT", keys, None, "ALL")) == [number + 1 for number in order], keys


def test_of_what_is_searched_for(sorter: Server) -> None:
    with assorted(sorter, "searched") as imap:
        assert numbers(imap.sort("DATE", None, "SUBJECT", "apple")) == [3, 2]
        assert numbers(imap.sort("DATE", "UTF-8", 'SUBJECT "apple"', "NOT", "FROM", "Eve")) == [2]
        assert numbers(imap.sort("SIZE", None, "2:4")) == [2, 4, 3]
        assert numbers(imap.sort("SIZE", None, [1, 3])) == [3, 1]
        assert numbers(imap.sort("DATE", None, "UID", [2, 4])) == [3, 1]
        assert numbers(imap.uid("SORT", "DATE", None, "UID", "2,4")) == [4, 2]
        assert numbers(imap.uid("SORT", "(DATE)", "US-ASCII", "SUBJECT", "apple")) == [4, 3]


def test_keys_as_values(sorter: Server) -> None:
    with assorted(sorter, "values") as imap:
        assert numbers(imap.sort(sort.DATE, None, q.subject("apple"))) == [3, 2]
        assert numbers(imap.sort([-sort.DATE, sort.SUBJECT], None, q.subject("apple"))) == [2, 3]
        assert numbers(imap.sort(sort.DATE, None, q.subject("café") & ~q.deleted)) == [4]


@pytest.mark.parametrize("charset", [None, "UTF-8", "iso-8859-1"])
def test_text_that_is_not_ascii(sorter: Server, charset: str | None) -> None:
    with assorted(sorter, f"café {charset}") as imap:
        assert numbers(imap.sort("DATE", charset, "SUBJECT", "café")) == [4]
        assert numbers(imap.sort("DATE", charset, 'OR SUBJECT "CAFÉ" FROM zoe')) == [4, 1]
        assert numbers(imap.uid("SORT", "DATE", charset, "SUBJECT", "café")) == [5]
        assert imap.thread("REFERENCES", charset, "SUBJECT", "café")[1] == [b"(4)"]
        assert imap.uid("THREAD", "REFERENCES", charset, "SUBJECT", "café")[1] == [b"(5)"]


def test_nothing_is_found(sorter: Server) -> None:
    with assorted(sorter, "nothing") as imap:
        typ, data = imap.sort("DATE", None, "TEXT", "not in mailbox")
        assert (typ, data, data.parsed()) == ("OK", [b""], [()])
        typ, data = imap.thread("REFERENCES", None, "TEXT", "not in mailbox")
        assert typ == "OK"
        assert [thread for threads in data.parsed() for thread in threads] == []


def test_the_mod_sequence_is_passed_over(sorter: Server) -> None:
    needing(sorter, "CONDSTORE")
    with assorted(sorter, "modseq") as imap:
        typ, data = imap.sort("DATE", None, "MODSEQ", "1")
        assert typ == "OK"
        assert b"(MODSEQ " in data[0]
        assert data.parsed() == [(3, 2, 4, 1)]


def test_sorts_that_the_server_refuses(sorter: Server) -> None:
    with assorted(sorter, "refused") as imap:
        assert outcome(imap.sort, "NOSUCHKEY", None, "ALL")[0] in ("NO", "BAD")
        assert outcome(imap.thread, "NOSUCHWAY", None, "ALL")[0] in ("NO", "BAD")
        assert outcome(imap.sort, "DATE", None, "NOSUCHTHING")[0] in ("NO", "BAD")
        assert numbers(imap.sort("DATE", None, "ALL")) == [3, 2, 4, 1]


def reply(number: int, subject: str, *references: str) -> bytes:
    refers = f"References: {' '.join(f'<{name}@example.com>' for name in references)}\r\n" if references else ""
    date = f"Date: Mon, {number} Jan 2024 10:00:00 +0000\r\n"
    return letter(subject, more=f"Message-ID: <m{number}@example.com>\r\n{refers}{date}")


CORRESPONDENCE = [
    reply(1, "plan"),
    reply(2, "Re: plan", "m1"),
    reply(3, "Re: plan", "m1", "m2"),
    reply(4, "Re: plan", "m1"),
    reply(5, "other"),
    reply(6, "lost", "never"),
    reply(7, "found", "never"),
]


def one(*found: int, branches: tuple[Thread, ...] = ()) -> Thread:
    return Thread(found, branches)


BY_REFERENCES = (
    one(1, branches=(one(2, 3), one(4))),
    one(5),
    one(branches=(one(6), one(7))),
)
THREADED = {
    "ORDEREDSUBJECT": (one(1, branches=(one(2), one(3), one(4))), one(5), one(6), one(7)),
    "REFERENCES": BY_REFERENCES,
    "REFS": BY_REFERENCES,
}


def test_by_every_algorithm(sorter: Server) -> None:
    with filled(sorter, "threads", *CORRESPONDENCE) as (imap, _):
        algorithms = {name.removeprefix("THREAD=") for name in imap.capabilities if name.startswith("THREAD=")}
        assert {"ORDEREDSUBJECT", "REFERENCES"} <= algorithms <= set(THREADED)
        for algorithm in sorted(algorithms):
            threads = THREADED[algorithm]
            if algorithm == "ORDEREDSUBJECT" and Quirk.ORDEREDSUBJECT_IS_A_CHAIN in sorter.quirks:
                threads = (one(1, 2, 3, 4), *threads[1:])
            typ, data = imap.thread(algorithm, None, "ALL")
            assert typ == "OK"
            [found] = data.parsed()
            # Cyrus begins with the thread whose first message is missing, if it goes by the newest message (REFS).
            assert (set(found) if algorithm == "REFS" else found) == (set(threads) if algorithm == "REFS" else threads)
            assert len(found) == len(threads)
            assert imap.uid("THREAD", algorithm, "UTF-8", "ALL") == (typ, data)
            assert imap.uid("THREAD", algorithm, None, "ALL")[1].parsed() == [found]


def test_a_parent_that_was_not_found(sorter: Server) -> None:
    with filled(sorter, "orphans", *CORRESPONDENCE) as (imap, _):
        [(thread,)] = imap.thread("REFERENCES", None, "2:4")[1].parsed()
        assert (thread.root, sorted(thread.messages())) == (None, [2, 3, 4])
        assert set(thread.replies()) == {(2, None), (3, 2), (4, None)}


def test_many_at_once(sorter: Server) -> None:
    with assorted(sorter, "many") as imap:
        answers, keyed = Answers(), sorting(sorter) * 3
        for at, (keys, _) in enumerate(keyed):
            imap.sort(keys, None, "ALL", callback=answers, cb_arg=("sort", at))
            imap.fetch(at % 4 + 1, "UID", callback=answers, cb_arg=("fetch", at))
            imap.search(None, at % 4 + 1, callback=answers, cb_arg=("search", at))
        answers.wait(*((name, at) for at in range(len(keyed)) for name in ("sort", "fetch", "search")))
        for at, (_, order) in enumerate(keyed):
            assert numbers(answers.given["sort", at][0]) == order
            assert answers.given["search", at][0] == ("OK", [b"%d" % (at % 4 + 1)])
            assert answers.given["fetch", at][0][1] == [b"%d (UID %d)" % (at % 4 + 1, at % 4 + 2)]
