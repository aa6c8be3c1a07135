"""Properties of all values: a written value is read back unchanged, and reading is total."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from imapkit.compat import Internaldate2Time, Time2Internaldate
from imapkit.core.contract.result import parse_shape
from imapkit.core.grammar import append, encode, lists, names, strings
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.wire import mutf7, pieces
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.numbers import NumberSet, sequence_set_text
from imapkit.core.wire.pieces import Late, Literal
from imapkit.core.wire.response import Untagged, quoted
from imapkit.errors import ArgumentError, RemoteProtocolError
from imapkit.ext.rev1.fetch import fetch
from imapkit.ext.rev1.uidplus import AppendUid, UidSet, appenduid
from imapkit.testing.meaning import frame
from tests.fuzz.targets import LIMITS, REGISTRY, attempt, on_the_wire, read_deeply

pytestmark = pytest.mark.heavy

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=40)
BYTES = st.binary(max_size=60)
RANDOM = st.randoms(use_true_random=False)
SMALL = 60


def sent(kind: Callable[[Any], Any], value: Any, *, utf8: bool = False) -> Cursor:
    """A cursor over an argument as the server frames it."""
    parts = [b""]
    for piece in encode.encode((kind,), None, (value,), "X"):
        for each in (piece.on if utf8 else piece.off) if isinstance(piece, Late) else (piece,):
            if isinstance(each, Literal):
                parts[-1] += b"{%d}" % len(each.data)
                parts += [each.data, b""]
            else:
                assert isinstance(each, bytes)
                parts[-1] += each
    return Cursor((parts[0].removeprefix(b"X "), *parts[1:]), utf8=utf8)


def is_quoted(text: str) -> bool:
    """Whether a caller has quoted it already."""
    return strings.unquote(text) is not None or (len(text) > 1 and text[0] == text[-1] == "'")


# arguments


UIDS = st.integers(1, 4294967295)


@given(st.lists(st.tuples(UIDS, UIDS), min_size=1, max_size=9))
def test_uids_are_read_as_they_were_written(ends: list[tuple[int, int]]) -> None:
    written = UidSet(tuple((min(pair), max(pair)) for pair in ends))
    backwards = ",".join(f"{last}:{first}" for first, last in written.ranges)
    for text in (str(written), backwards):
        cursor = Cursor((f"7 {text}".encode(),))
        assert appenduid(cursor) == AppendUid(7, written)
        assert not cursor.defects
    assert all(first in written and last in written for first, last in ends)
    assert written.count >= len(ends)


@given(TEXTS)
@example("NIL")
@example('"')
@example("{3}")
@example("a" * 2000)
def test_a_string_is_read_as_it_was_given(text: str) -> None:
    assert sent(strings.quoted_string, text).string() == text.encode()
    assume(not is_quoted(text))
    assert sent(strings.astring, text).astring() == text.encode()


@given(TEXTS)
def test_a_string_that_is_quoted_already_is_not_quoted_twice(text: str) -> None:
    assert sent(strings.astring, quoted(text.encode()).decode()).astring() == text.encode()


@given(BYTES)
def test_a_string_of_the_server_is_passed_back(data: bytes) -> None:
    assume(b"\0" not in data)
    assert sent(strings.astring, pieces.ServerString(data)).astring() == data
    assume(not {10, 13} & set(data) and data.upper() != b"INBOX")
    assert sent(names.mailbox, pieces.MailboxName(data)).mailbox() == data


@given(TEXTS, st.booleans())
@example("Entw\xfcrfe", True)
@example("~peter/mail/台北", False)
@example("INBOX", False)
def test_a_mailbox_is_named_as_it_was_given(name: str, utf8: bool) -> None:
    assume(not is_quoted(name) and "&" not in name)
    cursor = sent(names.mailbox, name, utf8=utf8)
    found = cursor.name(cursor.mailbox())
    assert found.text == ("INBOX" if name.upper() == "INBOX" else name)
    assert sent(names.mailbox, found, utf8=utf8).mailbox() == found, "and it can be passed back"


@given(st.lists(st.from_regex(r"\\?[A-Za-z$][A-Za-z0-9]{0,8}", fullmatch=True), max_size=6))
def test_flags_are_read_as_they_were_given(flags: list[str]) -> None:
    expected = tuple(flag.encode() for flag in flags)
    assert sent(lists.flags, flags).flag_list() == expected
    assert sent(lists.flags, " ".join(flags)).flag_list() == expected


@given(st.one_of(st.text(max_size=30), BYTES, st.integers(), st.none(), st.lists(st.text(max_size=5), max_size=3), st.floats()))
@pytest.mark.parametrize(
    "kind",
    [
        strings.astring,
        strings.atom,
        lists.fetch_items,
        lists.flags,
        strings.general,
        names.list_pattern,
        names.mailbox,
        append.message,
        strings.number,
        strings.quoted_string,
        strings.raw,
        lists.sequence_set,
        lists.status_items,
        lists.store_item,
    ],
    ids=lambda kind: kind.__name__,
)
def test_any_value_is_written_or_refused(kind: Callable[[Any], Any], value: Any) -> None:
    try:
        token = kind(value)
    except ArgumentError:
        return
    pieces = token if type(token) is tuple else (token,)
    for piece in pieces:
        for each in (*piece.off, *piece.on) if isinstance(piece, Late) else (piece,):
            assert isinstance(each, Literal) or (isinstance(each, bytes) and not {0, 10, 13} & set(each))


# sequence sets

ENDS = st.one_of(st.integers(1, SMALL), st.just("*"))
RANGES = st.lists(st.one_of(ENDS, st.tuples(ENDS, ENDS)), min_size=1, max_size=6)


def as_text(ranges: list[Any]) -> str:
    return ",".join(f"{each[0]}:{each[1]}" if isinstance(each, tuple) else str(each) for each in ranges)


def stands_for(ranges: list[Any], highest: int) -> set[int]:
    """The messages that a server takes a set for, whose mailbox has ``highest``."""
    found: set[int] = set()
    for each in ranges:
        low, high = sorted(highest if end == "*" else end for end in (each if isinstance(each, tuple) else (each, each)))
        found.update(range(low, high + 1))
    return found


@given(RANGES, st.integers(1, 2 * SMALL))
def test_a_sequence_set_may_hold_what_a_server_takes_it_for(ranges: list[Any], highest: int) -> None:
    numbers = NumberSet(sequence_set_text(as_text(ranges)))
    meant = stands_for(ranges, highest)
    for number in range(1, 2 * SMALL + 1):
        if number in meant:
            assert numbers.may_hold(number) is not False
        elif numbers.may_hold(number):
            assert numbers.open is not None, "nothing but * is uncertain"


@given(RANGES, RANGES, st.integers(1, 2 * SMALL))
def test_disjoint_sets_have_no_message_in_common(one: list[Any], other: list[Any], highest: int) -> None:
    apart = NumberSet(as_text(one)).isdisjoint(NumberSet(as_text(other)))
    assert apart == NumberSet(as_text(other)).isdisjoint(NumberSet(as_text(one)))
    common = stands_for(one, highest) & stands_for(other, highest)
    assert not (apart and common)
    if "*" not in as_text(one) + as_text(other):
        assert apart == (not common)


@given(st.lists(st.integers(1, 4294967295), min_size=1, max_size=50))
def test_a_set_is_made_of_the_numbers_given(numbers: list[int]) -> None:
    made = NumberSet(sequence_set_text(numbers))
    assert all(number in made for number in numbers)
    assert sum(end - start + 1 for start, end in zip(made.starts, made.ends, strict=True)) == len(set(numbers))


# mailbox names and dates


@given(TEXTS)
def test_modified_utf7_round_trip(name: str) -> None:
    assert mutf7.decode(mutf7.encode(name)) == name
    assert mutf7.is_canonical(mutf7.encode(name))


@given(st.one_of(BYTES, st.text("&-,+aAEOk/9 \xe9", max_size=20).map(str.encode)))
def test_any_bytes_are_a_name(raw: bytes) -> None:
    text = mutf7.decode(raw)
    if mutf7.is_canonical(raw):
        assert mutf7.is_valid(raw)
        assert mutf7.encode(text) == raw


ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 30), timezones=ZONES)


@given(TIMES)
def test_a_date_is_read_as_it_was_written(when: datetime) -> None:
    written = Time2Internaldate(when)
    assert Time2Internaldate(written) == written
    data = fetch(Cursor((b"(INTERNALDATE %b)" % written.encode(),), 1))
    assert data.items["INTERNALDATE"] == when.astimezone(UTC).replace(microsecond=0)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1), timezones=ZONES))
def test_a_date_is_the_same_in_local_time(when: datetime) -> None:
    local = Internaldate2Time(b"1 (INTERNALDATE %b)" % Time2Internaldate(when).encode())
    assert local is not None
    assert local.tm_gmtoff is not None
    assert calendar.timegm(local) - local.tm_gmtoff == int(when.replace(microsecond=0).timestamp())


# responses

LEAVES = st.one_of(st.none(), st.integers(0, 2**63 - 1), BYTES)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=5), max_leaves=12)


def serialised(value: Any, chance: Random) -> list[bytes]:
    """A value as some server may send it, framed: text, literal, text ..."""
    if value is None:
        return [chance.choice((b"NIL", b"nil"))]
    if isinstance(value, int):
        return [b"%d" % value]
    if isinstance(value, bytes):
        if not {0, 10, 13} & set(value) and chance.random() < 0.7:
            return [quoted(value)]
        return [b"{%d}" % len(value), value, b""]
    parts = [b"("]
    for at, item in enumerate(value):
        more = serialised(item, chance)
        parts[-1] += b" " * bool(at) + more[0]
        parts += more[1:]
    parts[-1] += b")"
    return parts


@given(VALUES, RANDOM)
def test_a_value_is_read_as_it_was_sent(value: Any, chance: Random) -> None:
    cursor = Cursor(serialised(value, chance))
    assert cursor.value() == value
    assert cursor.at_end()
    assert cursor.defects == []
    again = Cursor(serialised(value, chance))
    again.skip_value()
    assert again.at_end(), "what is passed over is what would be read"


ADDRESS = st.tuples(*[st.one_of(st.none(), BYTES)] * 4).map(list)
STRING = st.one_of(st.none(), BYTES)
ADDRESSES = st.one_of(st.none(), st.lists(ADDRESS, min_size=1, max_size=3))
ENVELOPES = st.tuples(STRING, STRING, *[ADDRESSES] * 6, STRING, STRING).map(list)


@given(ENVELOPES, RANDOM)
def test_an_envelope_is_read_as_it_was_sent(value: list[Any], chance: Random) -> None:
    parts = serialised(value, chance)
    parts[0] = b"(ENVELOPE " + parts[0]
    parts[-1] += b")"
    data = fetch(Cursor(parts, 1))
    found = data.envelope
    assert found is not None
    assert [found.raw_date, found.raw_subject, found.raw_in_reply_to, found.raw_message_id] == [*value[:2], *value[8:]]
    read = (found.from_, found.sender, found.reply_to, found.to, found.cc, found.bcc)
    for addresses, expected in zip(read, value[2:8], strict=True):
        shown = [[each.raw_name, each.raw_route, each.raw_mailbox, each.raw_host] for each in addresses]
        assert shown == (expected or [])
    read_deeply(data)


FETCHES = st.tuples(VALUES, RANDOM).map(lambda drawn: serialised([drawn[0], None], drawn[1]))
LINES = st.one_of(
    st.tuples(st.sampled_from((b"* OK x ", b"T1 NO x ", b"+ ")), TEXTS).map(lambda drawn: [drawn[0] + drawn[1].encode()]),
    FETCHES.map(lambda parts: [b"* 1 FETCH " + parts[0], *parts[1:]]),
)


@given(st.lists(LINES, max_size=6), RANDOM)
@example([[b"* OK x {5}"], [b"+ {5}"], [b"T1 NO x {5}"]], Random(1))
def test_however_the_bytes_arrive_the_responses_are_those_that_were_sent(responses: list[list[bytes]], chance: Random) -> None:
    stream = b"".join(map(on_the_wire, responses))
    cuts = sorted(chance.randint(0, len(stream)) for _ in range(chance.randint(0, 12)))
    chunks = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert frame(filter(None, chunks), LIMITS) == responses
    assert frame([stream], LIMITS) == responses


@given(BYTES)
def test_framing_raises_only_its_own_errors(data: bytes) -> None:
    framer = Framer()
    framer.push(data)
    try:
        while framer.pop() is not None:
            pass
    except RemoteProtocolError:
        pass
    assert len(framer.unfinished) <= 200


# totality

WORDS = st.sampled_from(
    [
        *b'( ) " \\ [ ] * % / "x" \\Seen NIL 1 (1) 4294967296 1:* {3} ~{2} INBOX &AOk-'.split(),
        *b"UID BODY[] ENVELOPE BODYSTRUCTURE STORAGE MESSAGES".split(),
        *(b" ", b"\xff", b"\0"),
    ]
)
TEXT = st.lists(st.one_of(WORDS, st.binary(max_size=3)), max_size=12).map(b"".join)
PARTS = st.tuples(TEXT, st.lists(st.tuples(BYTES, TEXT), max_size=3)).map(lambda drawn: (drawn[0], *sum(drawn[1], ())))
NAMES = sorted({*REGISTRY.responses, *REGISTRY.codes, "OK", "X-UNKNOWN"})
RULES: dict[str, Callable[[Cursor], Any]] = {
    **{name: response.parse for name, response in REGISTRY.responses.items() if response.parse},
    **{f"[{name}]": code.parse for name, code in REGISTRY.codes.items() if code.parse},
    **{" ".join(item): rule for item, rule in REGISTRY.items.items()},
}


@given(PARTS, st.one_of(st.none(), st.integers(0, 2**70)), st.booleans())
def test_every_parser_reads_or_refuses(parts: tuple[bytes, ...], number: int | None, utf8: bool) -> None:
    assert len(RULES) > 50
    for name, rule in RULES.items():
        try:
            attempt(rule, Cursor(parts, number, REGISTRY.items, nesting=20, utf8=utf8))
        except Exception as problem:
            problem.add_note(name)
            raise


@given(PARTS, st.booleans())
def test_data_in_any_shape_is_read(parts: tuple[bytes, ...], utf8: bool) -> None:
    for name in NAMES:
        shape = Untagged(name, None, parts).data()
        for data in (shape, list(parts), [None], parts[0], [list(parts)], None):
            read_deeply(list(parse_shape(name, data, REGISTRY, utf8=utf8)))
