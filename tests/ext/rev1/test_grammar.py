"""The base family's grammar, beyond the vectors: items of other families, dates, names, types."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import imapkit
from imapkit.errors import ParseError
from imapkit.ext.rev1.fetch import FETCH_ITEMS, FetchData, fetch, fetch_att, fetch_uid
from imapkit.ext.rev1.grammar import badcharset, capability, message_count, message_number
from imapkit.ext.rev1.listing import MailboxListing, MailboxStatus, mailbox_list, status
from imapkit.plugin import Cursor, Defect, Flags, MailboxName, Untagged, no_data, numbers_found, parse_date_time
from imapkit.testing import Conversation, ReceivedCommand, selected

# Items of other families


def test_another_family_reads_its_own_fetch_items() -> None:
    items = {
        ("FETCH", "X-GM-LABELS"): Cursor.flag_list,
        ("FETCH", "BINARY[]"): lambda cursor: ("binary", cursor.nstring()),
        ("STATUS", "X-GM-LABELS"): Cursor.atom,
    }
    parts = (b"(x-gm-labels (\\Inbox b) BINARY[1]<0> ~{1}", b"\0", b" UID 3)")
    assert fetch(Cursor(parts, 1, items)) == FetchData(
        1, {"X-GM-LABELS": (b"\\Inbox", b"b"), "BINARY[1]<0>": ("binary", b"\0"), "UID": 3}
    )


def test_an_item_of_the_base_can_be_replaced() -> None:
    data = fetch(Cursor((b"(UID 3)",), 1, {("FETCH", "UID"): lambda cursor: f"uid {cursor.number()}"}))
    assert data.items == {"UID": "uid 3"}


@pytest.mark.parametrize("error", [ParseError("a label"), ValueError("no label"), KeyError("label")])
def test_an_item_that_another_family_cannot_read_is_a_defect(error: Exception) -> None:
    """Whatever its parser raises, the other items are read."""

    def labels(cursor: Cursor) -> Any:
        cursor.expect(b"(")
        raise error

    data = fetch(Cursor((b'(X-GM-LABELS (a "b)" {1}', b")", b") UID 3)"), 1, {("FETCH", "X-GM-LABELS"): labels}))
    assert data.items == {"UID": 3}
    why = "expected a label" if isinstance(error, ParseError) else f"{type(error).__name__}: {error}"
    assert data.defects == (Defect(f"FETCH X-GM-LABELS: {why}", b'X-GM-LABELS (a "b)" {1}\r\n))'),)


def test_another_family_reads_its_own_status_items() -> None:
    items = {("STATUS", "MAILBOXID"): lambda cursor: cursor.value()[0]}
    cursor = Cursor((b'"a b" (messages 3 MAILBOXID (F2) APPENDLIMIT 5)',), None, items)
    assert status(cursor) == MailboxStatus(MailboxName(b"a b"), {"MESSAGES": 3, "MAILBOXID": b"F2", "APPENDLIMIT": 5})
    assert cursor.defects == []


def test_another_family_reads_its_own_list_items() -> None:
    items = {("LIST", "OLDNAME"): lambda cursor: cursor.value()[0]}
    cursor = Cursor((b'() "/" new ("OLDNAME" ("old") X (1))',), None, items)
    assert mailbox_list(cursor) == MailboxListing((), b"/", MailboxName(b"new"), {"OLDNAME": b"old", "X": [1]})


def test_the_base_claims_the_items_of_rfc_3501() -> None:
    assert set(FETCH_ITEMS) == {
        "BODY",
        "BODYSTRUCTURE",
        "BODY[]",
        "ENVELOPE",
        "FLAGS",
        "INTERNALDATE",
        "RFC822",
        "RFC822.HEADER",
        "RFC822.SIZE",
        "RFC822.TEXT",
        "UID",
    }


# Names of items


@pytest.mark.parametrize(
    ("parts", "key", "name"),
    [
        ((b"uid 5",), "UID", "UID"),
        ((b"body[] x",), "BODY[]", "BODY[]"),
        ((b"Body[1.2.text]<12> x",), "BODY[1.2.TEXT]<12>", "BODY[]"),
        ((b"BODY[TEXT]<0.100> x",), "BODY[TEXT]<0.100>", "BODY[]"),
        ((b"body[header.fields (Subject x-Y)] x",), "BODY[HEADER.FIELDS (Subject x-Y)]", "BODY[]"),
        ((b'BODY[HEADER.FIELDS ("a b" c)] x',), 'BODY[HEADER.FIELDS ("a b" c)]', "BODY[]"),
        ((b"BODY[HEADER.FIELDS ({3}", b'a"]', b")]<1> x"), 'BODY[HEADER.FIELDS ("a\\"]")]<1>', "BODY[]"),
        ((b"BINARY.SIZE[1] 5",), "BINARY.SIZE[1]", "BINARY.SIZE[]"),
        ((b"X-GM-MSGID 5",), "X-GM-MSGID", "X-GM-MSGID"),
    ],
)
def test_fetch_att(parts: tuple[bytes, ...], key: str, name: str) -> None:
    assert fetch_att(Cursor(parts)) == (key, name)


@pytest.mark.parametrize("text", [b"", b"5", b'"UID"', b"(", b"BODY[", b"BODY[(", b"BODY[X (a]", b"BODY[X (a"])
def test_invalid_item_names_are_refused(text: bytes) -> None:
    with pytest.raises(ParseError):
        fetch_att(Cursor((text,)))


def test_8_bit_names_survive() -> None:
    key, _ = fetch_att(Cursor((b"BODY[HEADER.FIELDS (\xff\xc3\xa9)] x",)))
    assert key.encode("utf-8", "surrogateescape") == b"BODY[HEADER.FIELDS (\xff\xc3\xa9)]"


# INTERNALDATE


def zone(hours: int, minutes: int = 0) -> timezone:
    return timezone(timedelta(hours=hours, minutes=minutes))


@pytest.mark.parametrize(
    ("sent", "date"),
    [
        (b"17-Jul-1996 02:44:25 -0700", datetime(1996, 7, 17, 2, 44, 25, tzinfo=zone(-7))),
        (b" 1-Jan-2026 00:00:00 +0000", datetime(2026, 1, 1, tzinfo=zone(0))),
        (b"1-jan-2026 00:00:00 +0000", datetime(2026, 1, 1, tzinfo=zone(0))),
        (b"29-FEB-2024 23:59:59 -0330", datetime(2024, 2, 29, 23, 59, 59, tzinfo=zone(-3, -30))),
        (b"31-Dec-2016 23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=zone(0))),
        (b"31-Dec-9999 23:59:59 +1400", datetime(9999, 12, 31, 23, 59, 59, tzinfo=zone(14))),
    ],
)
def test_date_time(sent: bytes, date: datetime) -> None:
    found = parse_date_time(sent)
    assert found == date
    assert found is not None
    assert found.utcoffset() == date.utcoffset()
    data = fetch(Cursor((b'(INTERNALDATE "%b" UID 1)' % sent,), 1))
    assert (data.items, data.defects) == ({"INTERNALDATE": date, "UID": 1}, ())


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"00-Jan-0000 00:00:00 +0000",
        b"30-Feb-2026 00:00:00 +0000",
        b"17-Jui-1996 02:44:25 -0700",
        b"17-Jul-1996 24:00:00 -0700",
        b"17-Jul-1996 02:44:25 --400",
        b"17-Jul-1996 02:44:25 +9900",
        b"17-Jul-1996 02:44:25 +0060",
        b"17-Jul-1996 02:44:25 GMT",
        b"17-Jul-1996 02:44:25",
        b"17-Jul-96 02:44:25 -0700",
        b"17-Jul-1996 02:44:25 -0700 x",
    ],
)
def test_no_date_time(sent: bytes) -> None:
    assert parse_date_time(sent) is None
    data = fetch(Cursor((b'(INTERNALDATE "%b" UID 1)' % sent,), 1))
    assert data.items == {"INTERNALDATE": None, "UID": 1}
    assert data.defects == (Defect("FETCH INTERNALDATE: no date-time", sent),)


def test_nil_is_no_date_time() -> None:
    assert fetch(Cursor((b"(INTERNALDATE NIL)",), 1)).defects == (Defect("FETCH INTERNALDATE: no date-time", b"NIL"),)


# The UID of a FETCH response


@pytest.mark.parametrize(
    ("parts", "uid"),
    [
        ((b"(UID 5 FLAGS ())",), 5),
        ((b"( uid  5 )",), 5),
        ((b"(UID 4294967295)",), 4294967295),
        ((b"(FLAGS (\\Seen) UID 5)",), 5),
        ((b"(MODSEQ (7) X-GM-MSGID 8 RFC822.SIZE 9 uid 5 FLAGS ())",), 5),
        ((b"(X UID 7 8 UID 5)",), 5),
        ((b"(X UID Y 8 UID 5)",), 5),
        ((b"(UID 5(UID 6))",), 5),
        ((b"(UID NIL UID 5)",), 5),
        ((b'(X "UID 7" UID 5)',), 5),
        ((b'(X "a\\" UID 7" UID 5)',), 5),
        ((b'(X (UID 7 "x)") UID 5)',), 5),
        ((b"(BODY[] {6}", b" UID 7", b" UID 5)"), 5),
        ((b"(BODY[] {7}", b" UID 7)", b")"), None),
        ((b"(X (UID {1}", b"7", b" UID 8) UID 5)"), 5),
        ((b"(BODY[HEADER.FIELDS (UID 7)] NIL UID 5)",), 5),
        ((b'(BODY[HEADER.FIELDS ("UID" 7)]<0> "UID 8" UID 5)',), 5),
        ((b"((ENVELOPE (NIL)) UID 5)",), 5),
        ((b"(FLAGS (UID) X-UID 7 UIDX 8)",), None),
        ((b"(FLAGS (UID 7))",), None),
        ((b"(FLAGS (UID 7)) UID 5)",), None),
        ((b"(UID)",), None),
        ((b"(UID NIL)",), None),
        ((b"(UID -5)",), None),
        ((b"(UID 5x)",), None),
        ((b"(UID (5))",), None),
        ((b'(X "UID 5',), None),
        ((b"UID 5",), None),
        ((b"(UID " + b"5" * 21 + b")",), None),
        ((b"(" * 5000 + b"UID 5",), 5),
        ((b"(X " + b"(" * 5000 + b") UID 5)",), None),
        ((b"",), None),
        ((b"()",), None),
    ],
)
def test_fetch_uid(parts: tuple[bytes, ...], uid: int | None) -> None:
    assert fetch_uid(Untagged("FETCH", 1, parts)) == uid


# The others


def test_list_and_status_have_the_name_as_text() -> None:
    assert MailboxListing((), b"/", MailboxName(b"Entw&APw-rfe")).mailbox == "Entwürfe"
    assert MailboxStatus(MailboxName(b"Entw&APw-rfe"), {}).mailbox == "Entwürfe"


def test_attributes_and_delimiters_are_text() -> None:
    found = mailbox_list(Cursor((b'(\\HasChildren \xff) "/" a',)))
    assert (found.attributes, found.delimiter) == ((r"\HasChildren", "\udcff"), "/")
    assert (found.raw_attributes, found.raw_delimiter) == ((rb"\HasChildren", b"\xff"), b"/")
    assert mailbox_list(Cursor((b"() NIL a",))).delimiter is None


def test_attributes_are_compared_without_case() -> None:
    listing = mailbox_list(Cursor((rb'(\Noselect \HasChildren) "/" a',)))
    assert listing.has(rb"\noselect")
    assert listing.has(r"\NOSELECT")
    assert not listing.has(rb"\Marked")
    assert not listing.has("Noselect")


def test_a_status_by_names() -> None:
    found = status(Cursor((b"a (messages 1 RECENT 2 UIDNEXT 3 UIDVALIDITY 4 UNSEEN -5 X 6)",)))
    assert (found.messages, found.recent, found.uidnext, found.uidvalidity, found.unseen) == (1, 2, 3, 4, None)
    assert found.defects == (Defect("STATUS UNSEEN: expected number", b"UNSEEN -5"),)


def test_defects_of_a_listing_are_kept_with_it() -> None:
    assert mailbox_list(Cursor((b'() "/" a b',))).defects == (Defect("a mailbox name without proper quotes", b"a b"),)


def test_a_fetch_by_names() -> None:
    sent = (
        b'(FLAGS (b) UID 3 INTERNALDATE " 1-Feb-2026 00:00:00 +0000" RFC822.SIZE 4 ENVELOPE (' + b" ".join([b"NIL"] * 10) + b")"
    )
    data = fetch(Cursor((sent + b' BODY ("a" "b" NIL NIL NIL "7bit" 5))',), 1))
    assert (data.raw_flags, data.flags, data.uid, data.size) == ((b"b",), Flags(["b"]), 3, 4)
    assert data.internaldate == datetime(2026, 2, 1, tzinfo=UTC)
    assert data.envelope is data.items["ENVELOPE"]
    assert data.structure is data.items["BODY"]
    more = fetch(Cursor((b'(BODY ("a" "b" NIL NIL NIL "7bit" 5) BODYSTRUCTURE ("a" "c" NIL NIL NIL "7bit" 5 NIL))',), 1))
    assert more.structure is more.items["BODYSTRUCTURE"]


def test_missing_items_of_a_fetch_are_none() -> None:
    for data in (FetchData(1, {}), FetchData(1, {key: ["replaced"] for key in [*FETCH_ITEMS, "BODY[]"]})):
        assert (data.flags, data.uid, data.size, data.internaldate) == (None, None, None, None)
        assert (data.envelope, data.structure, data.body()) == (None, None, None)


@pytest.mark.parametrize(
    ("item", "section", "content"),
    [
        (b"BODY[]", "", b"x"),
        (b"body[1.mime]", "1.MIME", b"x"),
        (b"BODY[1.2]<7>", "1.2", b"x"),
        (b'BODY[HEADER.FIELDS ("subject" X)]', "header.fields (Subject x)", b"x"),
        (b"RFC822", "", b"x"),
        (b"RFC822.HEADER", "header", b"x"),
        (b"RFC822.TEXT", "TEXT", b"x"),
        (b"BODY[1.2]", "1", None),
        (b"BODY[12]", "1", None),
        (b"BODY[1]", "", None),
    ],
)
def test_the_bytes_of_a_section(item: bytes, section: str, content: bytes | None) -> None:
    assert fetch(Cursor((b"(UID 1 %b {1}" % item, b"x", b")"), 1)).body(section) == content


def test_the_whole_section_is_preferred_to_a_partial_one() -> None:
    data = fetch(Cursor((b'(BODY[]<0> "a" RFC822 "b" BODY[] "c" BODY[1]<0> "d" BODY[1] NIL)',), 1))
    assert (data.body(), data.body("1")) == (b"c", None)


def test_results_are_values() -> None:
    one, other = (MailboxListing((), b"/", MailboxName(b"a")) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert hash(MailboxStatus(MailboxName(b"a"), {"X": 1})) == hash(MailboxStatus(MailboxName(b"a"), {"X": 2}))
    assert hash(FetchData(1, {})) == hash(FetchData(1, {"X": []}))
    with pytest.raises(AttributeError):
        one.text = b"b"  # type: ignore[attr-defined]


def test_a_long_search() -> None:
    numbers = tuple(range(1, 200_001))
    assert numbers_found(Cursor((b" ".join(b"%d" % number for number in numbers),))) == numbers


@pytest.mark.parametrize("text", [b"1,2", b"1 -2", b"1 (MODSEQ 2", b"1 (MODSEQ 2) 3", b"NIL", b"9" * 21])
def test_invalid_search_responses_are_refused(text: bytes) -> None:
    with pytest.raises(ParseError):
        numbers_found(Cursor((text,)))


def test_capabilities_beyond_ascii_are_read() -> None:
    assert capability(Cursor((b"IMAP4rev1 \xff +",))) == ("IMAP4REV1", "\\XFF+")


@pytest.mark.parametrize("text", [b"(", b"(a", b"(a) (b", b'("a)', b"((a))"])
def test_badcharset_stops_at_malformed_text(text: bytes) -> None:
    cursor = Cursor((text,))
    if text == b"(a) (b":
        assert badcharset(cursor) == (b"a",)
        assert cursor.rest() == b" (b"
    else:
        with pytest.raises(ParseError):
            badcharset(cursor)


def test_a_count_may_be_0_and_a_message_number_may_not() -> None:
    cursor = Cursor((), 0)
    assert message_count(cursor) == 0
    assert cursor.defects == []
    assert message_number(cursor) == 0
    assert cursor.defects == [Defect("message number 0", b"0")]
    for rule in (message_count, message_number, fetch):
        with pytest.raises(ParseError, match="a number before the name"):
            rule(Cursor((b"()",)))


def test_no_data() -> None:
    cursor = Cursor((b"  ",))
    no_data(cursor)
    assert cursor.defects == []


DEEPEST = 50
"""How deep the lists in a value without a grammar may be nested."""


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1, 999])
def test_the_depth_of_values_without_a_grammar_is_limited(depth: int) -> None:
    data = fetch(Cursor((b"(X-DEEP " + b"(" * depth + b")" * depth + b" UID 5)",), 1))
    assert (data.uid, "X-DEEP" in data.items, len(data.defects)) == (5, depth <= DEEPEST, depth > DEEPEST)
    assert copy.deepcopy(data) == data
    assert pickle.loads(pickle.dumps(data)) == data


DEEP = b"(" * 2000 + b")" * 2000


def test_a_deep_value_within_the_limits_is_skipped() -> None:
    """The items after a deeply nested one are read, by each way to the data."""
    rows = b"* 1 FETCH (X-DEEP %b UID 5 FLAGS (\\Seen))\r\n" % DEEP

    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(rows)
        conversation.no(command) if command.name == "FETCH" else conversation.ok(command)

    with selected({"UID FETCH": answer, "FETCH": answer}, limits=imapkit.Limits(nesting=3000)) as (client, _):
        data = client.fetch("5", "(X-DEEP FLAGS)", uid=True)[1]
        plain = list(data)
        refused = client.fetch("1", "(X-DEEP FLAGS)")[1]
        ways = [data.parsed(), client.parse("OK", data), client.parse("FETCH", plain), refused.parsed()]
        ways += [client.response("FETCH")[1].parsed(), pickle.loads(pickle.dumps(data)).parsed()]
        for found in ways:
            assert [(row.uid, row.raw_flags) for row in found] == [(5, (b"\\Seen",))]
        with pytest.raises(imapkit.CommandNo) as caught:
            refused.check()
        assert caught.value.data.parsed()[0].uid == 5


def test_attribution_finds_the_uid_after_a_deep_item() -> None:
    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* 1 FETCH (X-DEEP %b UID 6)\r\n" % DEEP)
        conversation.ok(command)

    with selected({"UID FETCH": answer}, limits=imapkit.Limits(nesting=3000)) as (client, _):
        assert client.fetch("5", "(X-DEEP)", uid=True)[1] == [None], "it is about another message"


def test_plain_data_is_parsed_within_the_limits_of_its_client() -> None:
    row = b"1 (X-DEEP %b UID 5)" % (b"(" * 30 + b")" * 30)
    with selected(limits=imapkit.Limits(nesting=20)) as (client, _):
        assert client.parse("FETCH", [row])[0].uid is None
        assert client.defects
