"""The message commands of the base family, against real servers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from imapkit import IMAP4, Internaldate2Time, ParseFlags, UIDSet, q
from tests.live.support import Answers, filled, letter, logged_in, outcome, place, syntax_error, uids_before
from tests.servers.base import Server
from tests.servers.quirks import Quirk

pytestmark = pytest.mark.live

MOMENT = datetime(2024, 2, 29, 12, 30, 45, tzinfo=UTC)


def flags_of(imap: IMAP4, number: int) -> set[bytes]:
    """The flags of a message, without \\Recent, which is the server's own."""
    return {bytes(flag) for flag in ParseFlags(imap.fetch(number, "FLAGS")[1][0])} - {b"\\Recent"}


def found(answer: tuple[str, list[Any]]) -> list[int]:
    """The numbers that a search returns."""
    typ, data = answer
    assert typ == "OK"
    return [int(number) for number in (data[0] or b"").split()]


def test_append_with_flags_and_date(server: Server) -> None:
    with filled(server, "dated") as (imap, box):
        typ, data = imap.append(box, r"\Seen \Flagged", MOMENT.timestamp(), letter("flagged"))
        assert typ == "OK"
        assert isinstance(data[0], bytes)
        assert imap.append(box, [r"\Draft"], '"29-Feb-2024 12:30:45 +0000"', letter("draft"))[0] == "OK"
        assert imap.append(box, r"(\Answered)", MOMENT, letter("answered"))[0] == "OK"
        assert imap.select(box) == ("OK", [b"3"])
        assert flags_of(imap, 1) == {b"\\Seen", b"\\Flagged"}
        assert flags_of(imap, 2) == {b"\\Draft"}
        assert flags_of(imap, 3) == {b"\\Answered"}
        for (answer,) in (imap.fetch(number, "INTERNALDATE")[1] for number in (1, 2, 3)):
            when = Internaldate2Time(answer)
            assert when is not None
            assert datetime.fromtimestamp(datetime(*when[:6]).astimezone().timestamp(), UTC) == MOMENT


BODIES = [
    b"\r\n",
    b"Subject: x\r\n\r\nno end",
    b"Subject: brace\r\n\r\n{5}\r\n* 1 EXPUNGE\r\nA1 OK\r\n) {3+}\r\n",
    b"Subject: 8bit\r\n\r\n" + bytes(range(128, 256)) + b"\r\n",
    b"Subject: long\r\n\r\n" + b"x" * 990 + b"\r\n" + b"0123456789abcdef" * 20000 + b"\r\n",
]


@pytest.mark.parametrize("body", BODIES, ids=["empty", "no end", "looks like protocol", "8 bit", "long"])
def test_an_appended_message_comes_back(server: Server, body: bytes) -> None:
    name = f"back{BODIES.index(body)}"
    if Quirk.APPEND_WANTS_A_HEADER in server.quirks and body in (b"\r\n", BODIES[1]):
        body = b"Subject: x\r\n" + body
    with filled(server, name, body) as (imap, _):
        typ, data = imap.fetch("1", "(BODY.PEEK[])")
        assert typ == "OK"
        if Quirk.APPEND_ENDS_THE_LAST_LINE in server.quirks and not body.endswith(b"\r\n"):
            body += b"\r\n"
        assert data[0][0].startswith(b"1 (BODY[] {%d" % len(body))
        assert data[0][1] == body
        assert data[1] == b")"


def test_line_ends_become_crlf(server: Server) -> None:
    with filled(server, "ends", b"Subject: x\n\none\ntwo\r\n") as (imap, _):
        assert imap.fetch(1, "BODY.PEEK[]")[1][0][1] == b"Subject: x\r\n\r\none\r\ntwo\r\n"


def test_fetch_items(server: Server) -> None:
    with filled(server, "items", letter("first"), letter("second", "other body")) as (imap, _):
        base = uids_before(server)
        typ, data = imap.fetch("1:*", "(UID FLAGS RFC822.SIZE ENVELOPE)")
        assert typ == "OK"
        assert len(data) == 2
        one, two = data.parsed()
        assert (one.number, two.number) == (1, 2)
        assert (one.uid, two.uid) == (base + 1, base + 2)
        assert one.size == len(letter("first"))
        assert two.envelope.subject == "second"
        assert (one.defects, two.defects) == ((), ())
        assert imap.fetch(2, "BODY.PEEK[TEXT]")[1][0][1] == b"other body\r\n"
        header = imap.fetch([2], ["BODY.PEEK[HEADER.FIELDS (SUBJECT)]"])[1][0][1]
        assert header.strip() == b"Subject: second"
        assert imap.fetch(2, "BODY.PEEK[]<0.4>")[1][0][1] == b"From"
        assert imap.fetch("1,2", "ALL")[0] == "OK"


def test_several_literals_in_one_response(server: Server) -> None:
    with filled(server, "literals", letter("one"), letter("two", "2")) as (imap, _):
        typ, data = imap.fetch("1:2", "(BODY.PEEK[HEADER] BODY.PEEK[TEXT])")
        assert typ == "OK"
        assert [item[1] for item in data if isinstance(item, tuple)] == [
            letter("one")[:-7],
            b"hello\r\n",
            letter("two", "2")[:-3],
            b"2\r\n",
        ]


def test_fetch_sets_seen_and_peek_does_not(server: Server) -> None:
    with filled(server, "seen", letter("one")) as (imap, _):
        imap.fetch(1, "BODY.PEEK[]")
        assert flags_of(imap, 1) == set()
        imap.fetch(1, "BODY[]")
        assert flags_of(imap, 1) == {b"\\Seen"}


MESSAGES = [
    letter("hello world"),
    letter("goodbye", 'the body says (hello) and "quoted" back\\slash'),
    letter("=?utf-8?q?caf=C3=A9?=", "café", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"),
]
PROGRAMS: list[tuple[tuple[Any, ...], list[int]]] = [
    (("ALL",), [1, 2, 3]),
    (("UNSEEN", "SINCE 1-Jan-2020"), [1, 2, 3]),
    (("UNSEEN SINCE 1-Jan-2020",), [1, 2, 3]),
    (("SUBJECT", "hello world"), [1]),
    (("SUBJECT", '"hello world"'), [1]),
    (('SUBJECT "hello world"',), [1]),
    (("NOT", "SUBJECT", "hello world"), [2, 3]),
    (("OR", "SUBJECT", "hello world", "SUBJECT", "goodbye"), [1, 2]),
    (("BODY", '"(hello)"'), [2]),
    (("BODY", "ack\\sla"), [2]),
    (("HEADER", "Subject", "hello world"), [1]),
    (("2:3", "NOT", "SUBJECT", "goodbye"), [3]),
    (("FROM", "ann@example.com", "TO", "bob"), [1, 2, 3]),
    (("SUBJECT", "café"), [3]),
    (("SUBJECT", b"goodbye"), [2]),
    (("SUBJECT", "nothing like it"), []),
    (("(OR SUBJECT goodbye SUBJECT hello)", "UNSEEN"), [1, 2]),
]


def test_search_programs(server: Server) -> None:
    with filled(server, "searched", *MESSAGES) as (imap, _):
        got = {criteria: found(imap.search(None, *criteria)) for criteria, _ in PROGRAMS}
        assert got == dict(PROGRAMS)
        assert found(imap.search("UTF-8", "SUBJECT", "café")) == [3]
        assert found(imap.search("US-ASCII", "SUBJECT", "hello world")) == [1]


def test_search_keys(server: Server) -> None:
    """Keys as values find what the same programs as text find."""
    with filled(server, "keys", *MESSAGES) as (imap, _):
        assert found(imap.search(None, q.subject("café"))) == [3]
        assert found(imap.search(None, q.subject("hello world") | q.subject("café"))) == [1, 3]
        assert found(imap.search(None, q.all_ & ~(q.subject("café") | q.seen))) == [
            number for number in found(imap.search(None, "UNSEEN")) if number != 3
        ]
        assert found(imap.search(None, q.larger(0) & q.header("Subject") & q.since(date(1990, 1, 1)))) == found(
            imap.search(None, "ALL")
        )
        assert found(imap.search(None, q.uid([]))) == []
        uids = UIDSet(found(imap.search(None, q.all_, uid=True)))
        assert found(imap.search(None, q.uid(uids.newest(2)), uid=True)) == list(uids)[-2:]
        assert imap.fetch(uids.oldest(1), "FLAGS", uid=True)[0] == "OK"


def test_search_in_an_unknown_charset(server: Server) -> None:
    with filled(server, "charset", letter("one")) as (imap, _):
        typ, _ = outcome(imap.search, "X-UNKNOWN", "SUBJECT", "one")
        quirks = {Quirk.UNKNOWN_CHARSET_IS_BAD: "BAD", Quirk.UNKNOWN_CHARSET_IS_SEARCHED: "OK"}
        assert [typ] == ([told for quirk, told in quirks.items() if quirk in server.quirks] or ["NO"])
        assert imap.noop()[0] == "OK"


def test_store(server: Server) -> None:
    with filled(server, "stored", letter("one"), letter("two")) as (imap, _):
        typ, data = imap.store("1", "+FLAGS", r"\Deleted \Seen")
        assert typ == "OK"
        assert len(data) == 1
        assert b"\\Deleted" in data[0]
        assert flags_of(imap, 1) == {b"\\Deleted", b"\\Seen"}
        assert imap.store("1", "-FLAGS", [r"\Deleted"])[0] == "OK"
        assert flags_of(imap, 1) == {b"\\Seen"}
        assert imap.store("1:2", "FLAGS", r"(\Flagged)")[0] == "OK"
        assert flags_of(imap, 1) == flags_of(imap, 2) == {b"\\Flagged"}
        assert imap.store("1:2", "FLAGS.SILENT", "()")[0] == "OK"
        assert flags_of(imap, 1) == flags_of(imap, 2) == set()


def test_copy(server: Server) -> None:
    with filled(server, "source", letter("one"), letter("two"), letter("three")) as (imap, _):
        target = place(server, "tar get")
        assert imap.copy("1,3", target)[0] == "NO"
        assert imap.create(target)[0] == "OK"
        assert imap.copy("1,3", target)[0] == "OK"
        assert imap.select(target) == ("OK", [b"2"])
        assert [imap.fetch(number, "BODY.PEEK[]")[1][0][1] for number in (1, 2)] == [letter("one"), letter("three")]


def test_expunge_and_close(server: Server) -> None:
    with filled(server, "expunged", *(letter(str(number)) for number in range(6))) as (imap, box):
        imap.store("2,4", "+FLAGS.SILENT", r"\Deleted")
        assert imap.check()[0] == "OK"
        typ, data = imap.expunge()
        assert typ == "OK"
        assert data in ([b"2", b"3"], [b"4", b"2"])
        assert imap.expunge() == ("OK", [None])
        assert found(imap.search(None, "ALL")) == [1, 2, 3, 4]
        imap.store("1", "+FLAGS.SILENT", r"\Deleted")
        assert imap.close()[0] == "OK"
        assert (imap.state, imap.mailbox) == ("AUTH", None)
        with pytest.raises(IMAP4.error, match="No mailbox selected"):
            imap.close()
        assert imap.select(box) == ("OK", [b"3"])
        assert found(imap.uid("SEARCH", "ALL")) == [uids_before(server) + uid for uid in (3, 5, 6)]


def test_uid_commands(server: Server) -> None:
    with filled(server, "uids", *(letter(f"number {number}") for number in range(1, 5))) as (imap, box):
        base = uids_before(server)
        imap.store(1, "+FLAGS.SILENT", r"\Deleted")
        imap.expunge()
        assert found(imap.uid("SEARCH", "SUBJECT", "number 3")) == [base + 3]
        assert found(imap.search(None, "SUBJECT", "number 3")) == [2]
        typ, data = imap.uid("FETCH", base + 3, "(BODY.PEEK[])")
        assert typ == "OK"
        assert data[0][1] == letter("number 3")
        assert b"UID %d" % (base + 3) in data[0][0] + data[1]
        assert imap.uid("fetch", base + 1, "FLAGS") == ("OK", [None])
        typ, data = imap.uid("STORE", [base + 2, base + 3], "+FLAGS", r"\Flagged")
        assert typ == "OK"
        assert len(data) == 2
        target = place(server, "uid target")
        imap.create(target)
        assert imap.uid("COPY", f"{base + 2}:{base + 4}", target)[0] == "OK"
        assert imap.status(target, "(MESSAGES)")[1][0].endswith(b"(MESSAGES 3)")
        assert imap.mailbox == box


def test_partial_is_no_command_any_more(server: Server) -> None:
    with filled(server, "partial", letter("one")) as (imap, _):
        assert outcome(imap.partial, "1", "BODY[]", 1, 4)[0] == syntax_error(server)
        assert imap.noop()[0] == "OK"


def test_messages_that_are_not_there(server: Server) -> None:
    with filled(server, "absent", letter("one")) as (imap, _):
        typ, data = outcome(imap.fetch, "7", "FLAGS")
        # RFC 3501 leaves it open.
        assert typ in ("OK", "NO", "BAD")
        assert (data == [None]) == (typ == "OK")
        assert imap.fetch("1", "FLAGS")[0] == "OK"


def test_arguments_that_are_wrong_reach_no_server(server: Server) -> None:
    with filled(server, "wrong", letter("one")) as (imap, _):
        wrong: list[Any] = ["", "0", "x", "1;2", "1 2", "1:2:3", 0, -1, []]
        for numbers in wrong:
            with pytest.raises(IMAP4.error):
                imap.fetch(numbers, "FLAGS")
        with pytest.raises(IMAP4.error):
            imap.fetch("1", "FLAGS\r\nX LOGOUT")
        assert outcome(imap.store, "1", "FLAGGED", r"\Seen")[0] == syntax_error(server)
        assert imap.fetch("1", "FLAGS")[0] == "OK"


def test_news_of_another_client(server: Server) -> None:
    with filled(server, "news", letter("one")) as (imap, box):
        imap.recent()
        with logged_in(server) as other:
            assert other.append(box, None, None, letter("two"))[0] == "OK"
        assert imap.noop()[0] == "OK"
        assert imap.response("EXISTS")[1][-1] == b"2"
        assert imap.response("EXISTS") == ("EXISTS", [None])
        typ, data = imap.recent()
        assert typ == "OK"
        assert data[-1] is None or data[-1].isdigit()


def test_response_codes(server: Server) -> None:
    with filled(server, "codes") as (imap, box):
        assert int(imap.response("UIDVALIDITY")[1][-1]) > 0
        assert imap.append(box, None, None, letter("one"))[0] == "OK"
        [appended] = imap.parse(*imap.response("APPENDUID"))
        assert appended.uidvalidity > 0
        assert list(appended.uids) == [uids_before(server) + 1]
        # The server need not know the new message in the selected mailbox before it has sent EXISTS.
        assert imap.noop()[0] == "OK"
        [copied] = imap.parse(*imap.uid("COPY", str(appended.uids), box))
        assert list(copied.value.pairs()) == [(uids_before(server) + 1, uids_before(server) + 2)]
        assert imap.append(place(server, "no such"), None, None, letter("two"))[0] == "NO"
        assert imap.response("TRYCREATE")[1] != [None]
        assert imap.response("TRYCREATE")[1] == [None]


def test_callbacks(server: Server) -> None:
    answers = Answers()
    with filled(server, "callbacks", *(letter(f"number {number}") for number in range(1, 4))) as (imap, box):
        in_order: list[tuple[Any, ...]] = [
            (imap.fetch, "1", "(BODY.PEEK[])"),
            (imap.search, None, "SUBJECT", "number 2"),
            (imap.store, "2", "+FLAGS", r"\Deleted"),
            (imap.copy, "1", box),
            (imap.check,),
            (imap.uid, "FETCH", uids_before(server) + 3, "FLAGS"),
            (imap.expunge,),
            (imap.recent,),
            (imap.close,),
        ]
        for number, (command, *arguments) in enumerate(in_order):
            assert command(*arguments, callback=answers, cb_arg=number) == (None, None)
        answers.wait(*range(len(in_order)))
        assert {number: failure for number, (_, failure) in answers.given.items() if failure} == {}
        results = [answers.given[number][0] for number in range(len(in_order))]
        assert [typ for typ, _ in results] == ["OK"] * len(in_order)
        assert results[0][1][0][1] == letter("number 1")
        assert results[1][1] == [b"2"]
        assert b"\\Deleted" in results[2][1][0]
        assert results[6][1] == [b"2"]
        assert imap.state == "AUTH"


def test_a_callback_may_issue_commands(server: Server) -> None:
    answers = Answers()
    with filled(server, "nested", letter("one")) as (imap, _):

        def fetch(answer: tuple[Any, Any, Any]) -> None:
            for number in answer[0][1][0].split():
                answers((imap.fetch(number.decode(), "(BODY.PEEK[])"), "body", None))

        imap.search(None, "ALL", callback=fetch)
        answers.wait("body")
        assert answers.given["body"][0][1][0][1] == letter("one")
