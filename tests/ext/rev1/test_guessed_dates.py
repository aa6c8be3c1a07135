"""Dates that do not follow RFC 5322: a guess is noted; nothing raises, and the time is linear."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest

from imapkit.ext.rev1 import envelope as envelopes
from imapkit.ext.rev1.dates import parse_date, read_date
from imapkit.ext.rev1.envelope import Envelope, envelope
from imapkit.plugin import Cursor
from imapkit.testing import within


def at(hours: float, *when: int) -> datetime:
    year, month, day, *rest = when
    return datetime(year, month, day, *rest, tzinfo=timezone(timedelta(hours=hours)))  # type: ignore[misc, arg-type]


GUESSED = [
    # the listed ones
    (b"Sat, 8 May 2010 16.03.09 +0200", at(2, 2010, 5, 8, 16, 3, 9)),
    (b"Sat, Apr 09 2005 10:00:00 -0400", at(-4, 2005, 4, 9, 10)),
    (b"Sat Apr 09 2005 10:00:00 GMT+0800 (China Standard Time)", at(8, 2005, 4, 9, 10)),
    (b"Sat May  8 16:03:09 2010", at(0, 2010, 5, 8, 16, 3, 9)),
    (b"Sat, 8 May 2010 1:5:9 +0000", at(0, 2010, 5, 8, 1, 5, 9)),
    (b"Sat, 8 May 2010 16:03:09 +100", at(1, 2010, 5, 8, 16, 3, 9)),
    # and variations of them
    (b"Sat, 8 May 2010 16.03", at(0, 2010, 5, 8, 16, 3)),
    (b"8 May 10 16.03.09 EST", at(-5, 2010, 5, 8, 16, 3, 9)),
    (b"Sat, 8 (the eighth) May 2010 16.03.09 (local) +0200", at(2, 2010, 5, 8, 16, 3, 9)),
    (b"Saturday, April 09, 2005 10:00 AM", at(0, 2005, 4, 9, 10)),
    (b"Sept. 9, 2005 10:00:00 +02:00", at(2, 2005, 9, 9, 10)),
    (b"Sat, Apr 09 2005 10:00:00.125 -0000", at(0, 2005, 4, 9, 10)),
    (b"Sat, Apr 09 2005 10:00:60 -0400", at(-4, 2005, 4, 9, 10, 0, 59)),
    (b"Sat May  8 16:03:09 PDT 2010", at(-7, 2010, 5, 8, 16, 3, 9)),
    (b"Sat May  8 16:03:09 GMT+0200 2010", at(2, 2010, 5, 8, 16, 3, 9)),
    (b"Sat May  8 16:03:09 2010 +0200", at(2, 2010, 5, 8, 16, 3, 9)),
    (b"Sat, 8 May 2010 16:03:09 UTC+2", at(2, 2010, 5, 8, 16, 3, 9)),
    (b"Sat, 8 May 2010 16:03:09 GMT-800", at(-8, 2010, 5, 8, 16, 3, 9)),
    (b"Sat, 8 May 2010 16:03:09 -100", at(-1, 2010, 5, 8, 16, 3, 9)),
    (b"1 Jan 0000 00:00", at(0, 2000, 1, 1)),
    (b"1 Jan 2004 00:00 --100", at(0, 2004, 1, 1)),
    (b"Saturday, 08-May-10 16.03.09 GMT", at(0, 2010, 5, 8, 16, 3, 9)),
]
CERTAIN = [
    b"Sat, 8 May 2010 16:03:09 +0200",
    b"8 May 2010 16:03:09 EST (x)",
    b"8 May 10 16:03 Z",
    b"Sat, 8 May 2010 16:03:09 -0000",
    b"Sat, 8 (x) May 2010 16:03:60 GMT",
]
NONE = [
    b"",
    b"d",
    b"yesterday",
    b"Mon, 24 May 20 21 09:47:50 +0000",
    b"Sat, Apr 31 2005 10:00:00",
    b"Sat, Apr 09 2005 25:00:00",
    b"Sat, Apr 09 2005 10:00:61",
    b"Sat, Apr 09 2005 10:00:00 +2400",
    b"Sat, Apr 09 2005 10:00:00 -9999",
    b"Sat, Apr 09 20050 10:00:00",
    b"05/08/2010 16:03:09",
]


def noted(date: bytes) -> tuple[Envelope, list[tuple[str, bytes]]]:
    cursor = Cursor((b'("%b" "s" NIL NIL NIL NIL NIL NIL NIL NIL)' % date,))
    return envelope(cursor), [(defect.what, defect.raw) for defect in cursor.defects]


@pytest.mark.parametrize(("sent", "date"), GUESSED)
def test_a_guessed_date_is_noted(sent: bytes, date: datetime) -> None:
    assert read_date(sent) == (date, True)
    found, defects = noted(sent)
    assert found.date is not None
    assert (found.raw_date, found.date, found.date.utcoffset()) == (sent, date, date.utcoffset())
    assert defects == [("envelope: a date that had to be guessed", sent)]


@pytest.mark.parametrize(("sent", "_date"), GUESSED[:6])
def test_it_is_noted_once_in_an_otherwise_malformed_envelope(sent: bytes, _date: datetime) -> None:
    cursor = Cursor((b'("%b" 5 NIL NIL NIL NIL NIL NIL NIL NIL)' % sent,))
    envelopes.word_by_word(cursor)
    assert [defect.raw for defect in cursor.defects if "guessed" in defect.what] == [sent]


@pytest.mark.parametrize("sent", CERTAIN)
def test_a_date_that_needs_no_guess_is_not_noted(sent: bytes) -> None:
    assert noted(sent)[1] == []
    assert noted(sent)[0].date is not None


@pytest.mark.parametrize("sent", NONE)
def test_a_value_that_is_no_date_is_none_and_not_noted(sent: bytes) -> None:
    found, defects = noted(sent)
    assert (found.date, defects) == (None, [])


def test_all_dates_that_the_standard_library_reads_are_read() -> None:
    chance = random.Random(5322)
    forms = [
        "%a, %d %b %Y %H.%M.%S",
        "%b %d %Y %H:%M:%S",
        "%B %d, %Y %H:%M",
        "%a %b %d %H:%M:%S %Y",
        "%d %b, %Y %H:%M:%S",
        "%b %d %y %H:%M",
    ]
    zones = ["", "+0000", "-0700", "+100", "GMT", "EST", "-0000", "XYZ"]
    for _ in range(500):
        when = datetime(1970, 1, 1) + timedelta(seconds=chance.randrange(4_000_000_000))
        sent = f"{when.strftime(chance.choice(forms))} {chance.choice(zones)}".strip()
        try:
            expected = parsedate_to_datetime(sent)
        except ValueError:
            continue
        assert parse_date(sent.encode()) == (expected if expected.tzinfo else expected.replace(tzinfo=UTC)), sent


@pytest.mark.parametrize("seed", range(10))
def test_nothing_raises(seed: int) -> None:
    chance = random.Random(seed)
    words = [
        b"Sat",
        b",",
        b" ",
        b"8",
        b"May",
        b"2010",
        b"16.03",
        b"16:03:09",
        b"+0200",
        b"(",
        b")",
        b"\\",
        b"GMT",
        b"-",
        b"\xb2",
        b"\xff",
        b":",
        b".",
    ]
    for _ in range(500):
        sent = b"".join(chance.choice(words) for _ in range(chance.randrange(12)))
        found, is_guess = read_date(sent)
        assert found is None or found.tzinfo is not None
        assert not is_guess or found is not None


@pytest.mark.parametrize("part", [b"1 ", b" ", b"(", b"()", b"\\(", b"May ", b"16.", b"+1", b"GMT", b":", b"9", b"Sat, "])
def test_hostile_dates_are_read_in_linear_time(part: bytes) -> None:
    with within(5.0):
        for sent in (part * 100_000, b"8 May 2010 16.03.09 " + part * 100_000, part * 100_000 + b"8 May 2010 16.03.09"):
            read_date(sent)
