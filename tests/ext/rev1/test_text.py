"""Decoded text of messages: dates, encoded words, parameters. Decoding never raises."""

from __future__ import annotations

import encodings
import random
import time
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from imapkit.ext.rev1.dates import parse_date
from imapkit.plugin import decode_bytes, decode_parameters, decode_words


def at(hours: float, *when: int) -> datetime:
    year, month, day, *rest = when
    return datetime(year, month, day, *rest, tzinfo=timezone(timedelta(hours=hours)))  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("sent", "date"),
    [
        # RFC 5322, appendix A
        (b"Fri, 21 Nov 1997 09:55:06 -0600", at(-6, 1997, 11, 21, 9, 55, 6)),
        (b"Tue, 1 Jul 2003 10:52:37 +0200", at(2, 2003, 7, 1, 10, 52, 37)),
        (
            b"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)",
            at(-3.5, 1969, 2, 13, 23, 32),
        ),
        (b"21 Nov 97 09:55:06 GMT", at(0, 1997, 11, 21, 9, 55, 6)),
        (b"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", at(-6, 1997, 11, 21, 9, 55, 6)),
        # section 4.3
        (b"1 Jan 49 00:00 UT", at(0, 2049, 1, 1)),
        (b"1 Jan 50 00:00 Z", at(0, 1950, 1, 1)),
        (b"1 Jan 104 00:00 A", at(0, 2004, 1, 1)),
        (b"1 Jan 2004 00:00 EST", at(-5, 2004, 1, 1)),
        (b"1 Jan 2004 00:00 edt", at(-4, 2004, 1, 1)),
        (b"1 Jan 2004 00:00 CST", at(-6, 2004, 1, 1)),
        (b"1 Jan 2004 00:00 CDT", at(-5, 2004, 1, 1)),
        (b"1 Jan 2004 00:00 MST", at(-7, 2004, 1, 1)),
        (b"1 Jan 2004 00:00 MDT", at(-6, 2004, 1, 1)),
        (b"1 Jan 2004 00:00 PST", at(-8, 2004, 1, 1)),
        (b"1 Jan 2004 00:00 PDT", at(-7, 2004, 1, 1)),
        (b"1 Jan 2004 00:00 CEST", at(0, 2004, 1, 1)),
        # without a zone: UTC
        (b"1 Jan 2004 00:00:01 -0000", at(0, 2004, 1, 1, 0, 0, 1)),
        (b"1 Jan 2004 00:00:01", at(0, 2004, 1, 1, 0, 0, 1)),
        # not in the standard
        (b"Thursday, 1 January 2004 1:02:03.456 +0100", at(1, 2004, 1, 1, 1, 2, 3)),
        (b"Thu 1-Jan-2004, 01:02 GMT+0100 (x (y))", at(1, 2004, 1, 1, 1, 2)),
        (b"Thu, 1 (a (b\\)c) d) Jan (())2004 01:02 (e) +0100 (x", at(1, 2004, 1, 1, 1, 2)),
        (b"1 Jan 2004 01:02 +01:30", at(1.5, 2004, 1, 1, 1, 2)),
        (b"31 Dec 2016 23:59:60 +0000", at(0, 2016, 12, 31, 23, 59, 59)),
    ],
)
def test_dates(sent: bytes, date: datetime) -> None:
    found = parse_date(sent)
    assert found is not None
    assert (found, found.utcoffset()) == (date, date.utcoffset())


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"yesterday",
        b"Mon, 24 May 20 21 09:47:50 +0000",
        b"1 Jux 2004 00:00",
        b"31 Feb 2004 00:00",
        b"1 Jan 2004",
        b"1 Jan 2004 24:00",
        b"1 Jan 2004 00:61",
        b"1 Jan 2004 00:00:61",
        b"1 Jan 2004 00:00 +2400",
        b"2004-01-01T00:00:00Z",
        b"\xff\x00",
    ],
)
def test_no_dates(sent: bytes) -> None:
    assert parse_date(sent) is None


def test_dates_agree_with_the_standard_library() -> None:
    chance = random.Random(5322)
    zones = ["+0000", "-0700", "+0530", "GMT", "EST", "-1130 (x)"]
    for _ in range(300):
        when = datetime(1970, 1, 1) + timedelta(seconds=chance.randrange(4_000_000_000))
        sent = f"{when:%a, %d %b %Y %H:%M:%S} {chance.choice(zones)}"
        expected = parsedate_to_datetime(sent)
        found = parse_date(sent.encode())
        assert found is not None
        assert (found, found.utcoffset()) == (expected, expected.utcoffset())


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        # RFC 2047, section 8
        (b"(=?ISO-8859-1?Q?a?=)", "(a)"),
        (b"(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a?=  \r\n =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        (
            b"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
            "If you can read this you understand the example.",
        ),
        (b"=?US-ASCII*EN?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"),
        # characters cut in two
        (b"=?utf-8?B?w6k=?= =?UTF-8?Q?=C3?= =?utf-8?q?=A9?=", "\u00e9\u00e9"),
        (b"=?utf-8?Q?=C3?= x =?utf-8?Q?=A9?=", "\ufffd x \ufffd"),
        # 8-bit, folded, broken
        (b"caf\xc3\xa9 \xff", "caf\u00e9 \ufffd"),
        (b"caf\xc3\xa9 =?utf-8?Q?=C3=A9?= \xff", "caf\u00e9 \u00e9 \ufffd"),
        (b"a\r\n b\n\tc", "a b\tc"),
        (b" =?utf-8?Q?a?= ", " a "),
        (b"=?utf-8?B?w6k?=", "\u00e9"),
        (b"=?utf-8?B?a?= =?utf-8?Q?b?=", "=?utf-8?B?a?= b"),
        (b"=?utf-8?Q?a b?=", "a b"),
        (b"=?utf-8?X?a?=", "=?utf-8?X?a?="),
        (b"=?utf-8?Q?a", "=?utf-8?Q?a"),
        (b"=?utf-8?Q??=", ""),
        (b"=?", "=?"),
        (b"", ""),
        # unknown charsets
        (b"=?x-unknown?Q?a=C3=A9=FF?=", "a\u00e9\ufffd"),
        (b"=?us-ascii?Q?a=E9?=", "a\ufffd"),
        (b"=?unicode_escape?Q?=5Cz?=", "\\z"),
        (b"=?hex?Q?41?= =?rot13?Q?a?= =?undefined?Q?a?= =?idna?Q?a?= =?\xff?Q?a?=", "41aaaa"),
    ],
)
def test_encoded_words(raw: bytes, text: str) -> None:
    assert decode_words(raw) == text


def test_a_charset_may_be_anything() -> None:
    assert decode_bytes(b"a", "a\0b") == "a"
    assert decode_bytes(b"a", "") == "a"
    assert decode_bytes(b"a", "..") == "a"


@pytest.mark.parametrize(
    ("charset", "encoded", "text"),
    [
        ("iso-8859-8-i", b"\xe0", "\u05d0"),
        ("ISO-8859-8-E", b"\xe0", "\u05d0"),
        ("windows-874", b"\xa1", "\u0e01"),
        ("cp-850", b"\x82", "\u00e9"),
        ("x-cp1251", b"\xe0", "\u0430"),
        ("x-windows-949", b"\xb0\xa1", "\uac00"),
        ("ks_c_5601-1987", b"\xb0\xa1", "\uac00"),
        ("x-sjis", b"\x82\xa0", "\u3042"),
        ("Windows-31J", b"\x82\xa0", "\u3042"),
        ("x-gbk", b"\xd6\xd0", "\u4e2d"),
        ("X-EUC-JP", b"\xa4\xa2", "\u3042"),
        ("utf8mb4", b"\xc3\xa9", "\u00e9"),
        ("ISO_8859-1:1987", b"\xe9", "\u00e9"),
        ("koi8-u", b"\xc1", "\u0430"),
        ("ansi_x3.4-1968", b"a\xe9", "a\ufffd"),
        ("x" * 100_000, b"\xc3\xa9", "\u00e9"),
    ],
)
def test_charsets_by_many_names(charset: str, encoded: bytes, text: str) -> None:
    assert decode_bytes(encoded, charset) == text


def test_names_of_charsets_are_not_cached() -> None:
    kept: Any = vars(encodings)["_cache"]
    decode_bytes(b"a", "utf-8")
    before = len(kept)
    decode_words(b" ".join(b"=?x%d?q?a?= =?utf%b8?q?a?=" % (number, b"-" * (number % 50)) for number in range(2000)))
    decode_parameters((b"a%d*" % number, b"y%d''%%41" % number) for number in range(2000))
    assert len(kept) == before


@pytest.mark.parametrize(
    ("pairs", "parameters"),
    [
        ((), {}),
        (((b"CHARSET", b"UTF-8"), (b"charset", b"x"), (b"a", None)), {"charset": "UTF-8"}),
        (((b"name", b"=?utf-8?Q?=C3=A9?="),), {"name": "\u00e9"}),
        # RFC 2231, sections 3 and 4
        (
            ((b"URL*0", b"ftp://"), (b"URL*1", b"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar")),
            {"url": "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"},
        ),
        (((b"title*", b"us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),), {"title": "This is ***fun***"}),
        (
            (
                (b"title*2", b"isn't it!"),
                (b"title*0*", b"us-ascii'en'This%20is%20even%20more%20"),
                (b"title*1*", b"%2A%2A%2Afun%2A%2A%2A%20"),
            ),
            {"title": "This is even more ***fun*** isn't it!"},
        ),
        # RFC 9051 section 7.5.2: decoded by the server
        (((b"foo*", b"caf\xc3\xa9"),), {"foo": "caf\u00e9"}),
        (((b"name", b"plain"), (b"name*", b"utf-8''caf%C3%A9")), {"name": "caf\u00e9"}),
        (
            ((b"a*", b"''%e9"), (b"b*", b"x-no'%C3%A9"), (b"c*", b"x-no''%C3%A9%"), (b"d*x", b"1"), (b"e*99999", b"2")),
            {"d*x": "1", "e*99999": "2", "a": "\ufffd", "b": "x-no'%C3%A9", "c": "\u00e9%"},
        ),
    ],
)
def test_parameters(pairs: tuple[tuple[bytes, bytes | None], ...], parameters: dict[str, str]) -> None:
    assert decode_parameters(pairs) == parameters


@pytest.mark.heavy
@pytest.mark.parametrize(
    "piece",
    [
        b" ",
        b"(",
        b"()",
        b"1",
        b"1 ",
        b"a",
        b"a ",
        b":",
        b"1:",
        b"=?",
        b"=?a?Q?",
        b"=?a?Q?b?=",
        b"=?a?Q?b?= ",
        b"\r\n ",
        b"?",
        b"=",
        b"%41",
        b"'",
    ],
)
def test_decoding_is_linear(piece: bytes) -> None:
    started = time.process_time()
    for raw in (piece * 40_000, b"1 Jan 2004 " + piece * 40_000, b"Mon" + piece * 40_000):
        parse_date(raw)
        decode_words(raw)
        decode_parameters([(b"a*", b"x'y'" + raw), (raw, raw)])
    assert time.process_time() - started < 3
