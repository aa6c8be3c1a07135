"""imaplib2's module-level names; the standard library's imaplib is the oracle where the two agree."""

from __future__ import annotations

import calendar
import contextlib
import imaplib
import locale
import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

from imapkit import compat
from imapkit.compat import Int2AP, Internaldate2Time, ParseFlags, Time2Internaldate

SetZone = Callable[[str], None]
ZONES = [
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "XYZ+0:30",
    "XYZ-0:30",
]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
DATE_TIME = re.compile(
    rf'"(?: [0-9]|[0-9]{{2}})-(?:{"|".join(MONTHS)})-[0-9]{{4}}'
    r' [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}"'
)


@pytest.fixture
def set_zone() -> Iterator[SetZone]:
    with pytest.MonkeyPatch.context() as patch:

        def apply(name: str) -> None:
            patch.setenv("TZ", name)
            time.tzset()

        yield apply
    time.tzset()


def line(date: str) -> bytes:
    return f'* 1 FETCH (UID 7 INTERNALDATE "{date}" FLAGS (\\Seen))'.encode()


def epoch_of(resp: bytes | str) -> int | None:
    """Read a date back as seconds since the epoch, by the clock fields and the offset of the result."""
    local = Internaldate2Time(resp)
    return None if local is None else calendar.timegm(local) - local.tm_gmtoff


def moment_of(quoted: str) -> int:
    """Read what Time2Internaldate wrote by other means than the module's own."""
    assert DATE_TIME.fullmatch(quoted), quoted
    return round(datetime.strptime(quoted, '"%d-%b-%Y %H:%M:%S %z"').timestamp())


def by_imaplib(fields: tuple[Any, ...]) -> str:
    return imaplib.Time2Internaldate(fields)


# Internaldate2Time


@pytest.mark.parametrize(
    ("date", "epoch"),
    [
        ("01-Jan-1970 00:00:00 +0000", 0),
        ("17-Jul-1996 02:44:25 -0700", 837596665),
        (" 1-Jan-2000 11:30:00 +0000", 946726200),
        ("01-Jan-2000 00:00:00 -0030", 946686600),
        ("01-Jan-2000 00:00:00 +0545", 946664100),
        ("31-Dec-1969 23:59:59 +0000", -1),
        ("29-Feb-2024 12:00:00 +1400", 1709157600),
        ("31-Dec-2016 23:59:60 +0000", 1483228799),  # a leap second is taken as the one before
        ("01-jan-2000 00:00:00 +0000", 946684800),
        ("01-JAN-2000 00:00:00 +0000", 946684800),
    ],
)
def test_a_date_is_read(date: str, epoch: int) -> None:
    assert epoch_of(line(date)) == epoch
    assert epoch_of(line(date).decode()) == epoch
    assert epoch_of(f'{{caf\xe9}} \udce9 internaldate "{date}"') == epoch
    assert Internaldate2Time(bytearray(line(date))) == Internaldate2Time(memoryview(line(date))) == time.localtime(epoch)


@pytest.mark.parametrize(
    "date",
    [
        "00-Jan-0000 00:00:00 +0000",  # Domino
        "01-Jan-0000 00:00:00 +0000",
        "00-Jan-2000 00:00:00 +0000",
        " 0-Jan-2000 00:00:00 +0000",
        "31-Feb-2026 00:00:00 +0000",
        "29-Feb-2026 00:00:00 +0000",
        "32-Jan-2026 00:00:00 +0000",
        "01-Xyz-2026 00:00:00 +0000",
        "01-Jan-2026 24:00:00 +0000",
        "01-Jan-2026 00:60:00 +0000",
        "01-Jan-2026 00:00:61 +0000",
        "01-Jan-2026 00:00:00 --400",
        "01-Jan-2026 00:00:00 +2400",
        "01-Jan-2026 00:00:00 +0060",
        "01-Jan-2026 00:00:00 GMT",
        "01-Jan-2026 00:00:00",
        "01-Jan-26 00:00:00 +0000",
        "1-Jan-2026 00:00:00 +0000",
        "01-Jan-0001 00:00:00 +0100",  # before the first day of the calendar
        "31-Dec-9999 23:59:59 -0100",  # after the last
        "\u0661\u0661-Jan-2026 00:00:00 +0000",
        "",
    ],
)
def test_a_bad_date_is_none(date: str) -> None:
    assert Internaldate2Time(line(date)) is None
    assert Internaldate2Time(line(date).decode()) is None


@pytest.mark.parametrize("resp", [b"", "", b"* 1 FETCH (UID 7)", b"INTERNALDATE NIL", b'INTERNALDATE "', b"\xff\x00"])
def test_no_date_is_none(resp: bytes | str) -> None:
    assert Internaldate2Time(resp) is None


@pytest.mark.parametrize("resp", [None, 5, (b"header", b"literal"), [b""]])
def test_a_value_that_is_no_line_is_a_type_error(resp: Any) -> None:
    with pytest.raises(TypeError, match=type(resp).__name__):
        Internaldate2Time(resp)
    with pytest.raises(TypeError, match=type(resp).__name__):
        ParseFlags(resp)


def test_a_platform_without_that_local_time_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def localtime(seconds: float) -> time.struct_time:
        raise OSError(22, f"Invalid argument: {seconds}")

    monkeypatch.setattr(time, "localtime", localtime)
    assert Internaldate2Time(line("01-Jan-1960 00:00:00 +0000")) is None


@pytest.mark.parametrize("zone", ZONES)
def test_dates_read_as_imaplib_reads_them(zone: str, set_zone: SetZone) -> None:
    set_zone(zone)
    rng = random.Random(zone)
    for _ in range(300):
        moment = datetime(1970, 1, 2, tzinfo=UTC) + timedelta(seconds=rng.randrange(2**32))
        sign, hours, minutes = rng.choice("+-"), rng.randrange(15), rng.choice((0, 15, 30, 45))
        resp = line(moment.strftime(f"%d-%b-%Y %H:%M:%S {sign}{hours:02}{minutes:02}"))
        assert Internaldate2Time(resp) == imaplib.Internaldate2tuple(resp)


def test_the_fold_keeps_the_moment(set_zone: SetZone) -> None:
    set_zone("America/New_York")
    before = Internaldate2Time(line("01-Nov-2026 05:30:00 +0000"))
    after = Internaldate2Time(line("01-Nov-2026 06:30:00 +0000"))
    assert before is not None
    assert after is not None
    assert (before.tm_hour, before.tm_isdst) == (1, 1)
    assert (after.tm_hour, after.tm_isdst) == (1, 0)


# Time2Internaldate


@pytest.mark.parametrize("zone", ZONES)
def test_a_number_goes_out_in_local_time_and_back(zone: str, set_zone: SetZone) -> None:
    set_zone(zone)
    rng = random.Random(zone)
    for _ in range(300):
        seconds = rng.randrange(2**32)
        quoted = Time2Internaldate(seconds)
        assert quoted == imaplib.Time2Internaldate(seconds)
        assert moment_of(quoted) == seconds
        assert epoch_of(f"INTERNALDATE {quoted}") == seconds
        assert Time2Internaldate(seconds + 0.25) == quoted
        assert Time2Internaldate(quoted) == quoted


@pytest.mark.parametrize("zone", ZONES)
def test_every_kind_of_time_gives_the_same_text(zone: str, set_zone: SetZone) -> None:
    set_zone(zone)
    for seconds in (946684800, 1152921504, 1783036800, 1798761599):  # older: imaplib gives tuples today's offset
        quoted = imaplib.Time2Internaldate(seconds)
        local = time.localtime(seconds)
        assert Time2Internaldate(local) == quoted
        assert Time2Internaldate(tuple(local)) == quoted == by_imaplib(tuple(local))
        assert Time2Internaldate((*tuple(local)[:8], -1)) == quoted
        assert Time2Internaldate(time.struct_time(tuple(local))) == quoted  # no tm_gmtoff: imaplib raises TypeError
        assert Time2Internaldate(datetime.fromtimestamp(seconds).astimezone()) == quoted
        assert Time2Internaldate(time.gmtime(seconds)) == imaplib.Time2Internaldate(time.gmtime(seconds))
        assert Time2Internaldate(time.gmtime(seconds)).endswith(' +0000"')


@pytest.mark.parametrize(
    ("zone", "seconds", "quoted"),
    [
        ("America/St_Johns", 1767225600, '"31-Dec-2025 20:30:00 -0330"'),
        ("America/St_Johns", 1782864000, '"30-Jun-2026 21:30:00 -0230"'),
        ("XYZ+0:30", 0, '"31-Dec-1969 23:30:00 -0030"'),
        ("XYZ-0:30", 0, '"01-Jan-1970 00:30:00 +0030"'),
        ("America/New_York", 1772953199, '"08-Mar-2026 01:59:59 -0500"'),
        ("America/New_York", 1772953200, '"08-Mar-2026 03:00:00 -0400"'),
        ("America/New_York", 1793511000, '"01-Nov-2026 01:30:00 -0400"'),
        ("America/New_York", 1793514600, '"01-Nov-2026 01:30:00 -0500"'),
        ("Australia/Lord_Howe", 1767225600, '"01-Jan-2026 11:00:00 +1100"'),
        ("Australia/Lord_Howe", 1782864000, '"01-Jul-2026 10:30:00 +1030"'),
        ("Europe/London", 0, '"01-Jan-1970 01:00:00 +0100"'),  # standard time then, unlike today
        ("UTC", -0.5, '"31-Dec-1969 23:59:59 +0000"'),
        ("UTC", -62135596800, '"01-Jan-0001 00:00:00 +0000"'),
        ("UTC", 253402300799, '"31-Dec-9999 23:59:59 +0000"'),
    ],
)
def test_a_moment_in_a_zone(zone: str, seconds: float, quoted: str, set_zone: SetZone) -> None:
    set_zone(zone)
    assert Time2Internaldate(seconds) == quoted


@pytest.mark.parametrize(
    ("fields", "quoted"),
    [
        ((2026, 1, 5, 9, 8, 7, 0, 0, -1), '"05-Jan-2026 09:08:07 -0500"'),
        ((2026, 7, 5, 9, 8, 7, 0, 0, -1), '"05-Jul-2026 09:08:07 -0400"'),
        ((2026, 1, 5, 9, 8, 7, 0, 0, 1), '"05-Jan-2026 09:08:07 -0400"'),  # the flag is believed, as in imaplib
        ((2026, 11, 1, 1, 30, 0, 0, 0, 1), '"01-Nov-2026 01:30:00 -0400"'),
        ((2026, 11, 1, 1, 30, 0, 0, 0, 0), '"01-Nov-2026 01:30:00 -0500"'),
    ],
)
def test_a_local_tuple(fields: tuple[int, ...], quoted: str, set_zone: SetZone) -> None:
    set_zone("America/New_York")
    assert Time2Internaldate(fields) == quoted == by_imaplib(fields)


def test_a_tuple_follows_the_zone_of_its_own_year(set_zone: SetZone) -> None:
    set_zone("Europe/London")
    assert Time2Internaldate((1970, 1, 1, 1, 0, 0, 0, 0, -1)) == '"01-Jan-1970 01:00:00 +0100"'


def test_a_summer_time_flag_means_nothing_where_there_is_none(set_zone: SetZone) -> None:
    set_zone("Asia/Kolkata")
    fields = (2026, 1, 5, 9, 8, 7, 0, 0, 1)
    assert Time2Internaldate(fields) == '"05-Jan-2026 09:08:07 +0530"' == by_imaplib(fields)


def test_a_leap_second_in_a_tuple_rolls_over(set_zone: SetZone) -> None:
    set_zone("UTC")
    assert Time2Internaldate((2016, 12, 31, 23, 59, 60, 5, 366, 0)) == '"01-Jan-2017 00:00:00 +0000"'


@pytest.mark.parametrize(
    ("offset", "quoted"),
    [
        (timedelta(0), '"02-Mar-2026 03:04:05 +0000"'),
        (timedelta(hours=14), '"02-Mar-2026 03:04:05 +1400"'),
        (timedelta(minutes=-30), '"02-Mar-2026 03:04:05 -0030"'),
        (timedelta(minutes=-1), '"02-Mar-2026 03:04:05 -0001"'),
        (timedelta(hours=-3, minutes=-30), '"02-Mar-2026 03:04:05 -0330"'),
        (timedelta(minutes=19, seconds=32), '"02-Mar-2026 03:03:33 +0019"'),  # Amsterdam until 1937
        (timedelta(minutes=-44, seconds=-30), '"02-Mar-2026 03:04:35 -0044"'),  # Monrovia until 1972
        (timedelta(seconds=-30), '"02-Mar-2026 03:04:35 +0000"'),
        (timedelta(hours=23, minutes=59), '"02-Mar-2026 03:04:05 +2359"'),
    ],
)
def test_an_aware_datetime_keeps_its_own_zone_and_its_moment(offset: timedelta, quoted: str) -> None:
    moment = datetime(2026, 3, 2, 3, 4, 5, 999999, tzinfo=timezone(offset))
    assert Time2Internaldate(moment) == quoted
    assert moment_of(quoted) == moment.replace(microsecond=0).timestamp()
    if offset % timedelta(minutes=1) == timedelta(0):
        assert imaplib.Time2Internaldate(moment) == quoted


def test_a_local_mean_time_with_seconds_is_cut_to_minutes(set_zone: SetZone) -> None:
    set_zone("Africa/Monrovia")
    assert Time2Internaldate(0) == '"31-Dec-1969 23:16:00 -0044"'
    assert moment_of(Time2Internaldate(0)) == 0


def test_a_year_has_four_digits() -> None:
    assert Time2Internaldate(datetime(33, 4, 3, tzinfo=UTC)) == '"03-Apr-0033 00:00:00 +0000"'


class Clockless(tzinfo):
    """A zone without an offset."""

    def utcoffset(self, dt: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


NAIVE = datetime(2026, 1, 1)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (NAIVE, "must be aware"),
        (NAIVE.replace(tzinfo=Clockless()), "must be aware"),
        (NAIVE.date(), "known type: date"),
        (None, "known type: NoneType"),
        (b'"01-Jan-2026 00:00:00 +0000"', "known type: bytes"),
        ([2026, 1, 1, 0, 0, 0, 0, 0, -1], "known type: list"),
        ((2026, 1, 1), "9 integers"),
        ((), "9 integers"),
        ((2026, 1, 1, 0, 0, 0.5, 0, 0, -1), "9 integers"),
        ((2026, 13, 1, 0, 0, 0, 0, 0, -1), "month must be in 1..12"),
        ((2026, 2, 30, 0, 0, 0, 0, 0, -1), "day"),
        ((2026, 1, 1, 0, 0, 62, 0, 0, -1), r"second must be in 0\.\.61"),
        ((10**12, 1, 1, 0, 0, 0, 0, 0, -1), "year|range"),
        (float("nan"), "NaN"),
        (float("inf"), "out of range: inf"),
        (1e300, "range"),
        (10**400, "range"),
        (datetime.max.replace(tzinfo=timezone(timedelta(seconds=-30))), "out of range"),
        (datetime.min.replace(tzinfo=timezone(timedelta(seconds=30))), "out of range"),
    ],
)
def test_a_time_that_is_none_is_a_value_error(wrong: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Time2Internaldate(wrong)


@pytest.mark.parametrize(
    "quoted",
    ['"01-Jan-2026 00:00:00 +0000"', '" 1-Jan-2026 00:00:00 -0030"', '"01-jan-2026 00:00:00 +0000"'],
)
def test_a_quoted_date_time_passes_unchanged(quoted: str) -> None:
    assert Time2Internaldate(quoted) == quoted


@pytest.mark.parametrize(
    "quoted",
    [
        "",
        '"',
        '""',
        "01-Jan-2026 00:00:00 +0000",
        '"01-Jan-2026 00:00:00 +0000',
        '"01-Jan-2026 00:00:00 +0000"\n',
        '"01-Jan-2026 00:00:00 +0000"\r\n"',
        '\n"01-Jan-2026 00:00:00 +0000"',
        '"01-Jan-2026\r\n00:00:00 +0000"',
        '"x"\r\nA1 DELETE INBOX\r\n"',
        '"01-Jan-2026 00:00:00 +0000" (\\Seen) "',
        '"1-Jan-2026 00:00:00 +0000"',
        '"00-Jan-0000 00:00:00 +0000"',
        '"31-Feb-2026 00:00:00 +0000"',
        '"01-M\xe4r-2026 00:00:00 +0000"',
        '"\u0660\u0661-Jan-2026 00:00:00 +0000"',
        '"\uff101-Jan-2026 00:00:00 +0000"',
    ],
)
def test_a_malformed_string_is_a_value_error(quoted: str) -> None:
    with pytest.raises(ValueError, match="in double quotes") as caught:
        Time2Internaldate(quoted)
    assert not set("\r\n") & set(str(caught.value))


def installed_locales() -> list[str]:
    """The locales that this machine really has, of those whose month names differ and the two that are always there."""
    found = []
    before = locale.setlocale(locale.LC_TIME)
    for name in ("C", "POSIX", "C.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8", "ja_JP.UTF-8", "ar_SA.UTF-8"):
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_TIME, name)
            found.append(name)
    locale.setlocale(locale.LC_TIME, before)
    return found


@pytest.mark.parametrize("name", installed_locales())
def test_month_names_are_english_in_every_locale(name: str) -> None:
    before = locale.setlocale(locale.LC_TIME)
    locale.setlocale(locale.LC_TIME, name)
    try:
        written = [Time2Internaldate(datetime(2026, month, 9, tzinfo=UTC)) for month in range(1, 13)]
        read = [Internaldate2Time(f"INTERNALDATE {quoted}") for quoted in written]
    finally:
        locale.setlocale(locale.LC_TIME, before)
    assert [quoted[4:7] for quoted in written] == MONTHS
    assert read == [time.localtime(calendar.timegm((2026, month, 9, 0, 0, 0))) for month in range(1, 13)]


def test_nothing_asks_the_locale_whatever_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object) -> str:
        raise AssertionError(f"strftime follows LC_TIME: {args}")

    monkeypatch.setattr(time, "strftime", forbidden)  # datetime.strftime calls it too
    monkeypatch.setattr(calendar, "month_abbr", None)
    with pytest.raises(AssertionError, match="LC_TIME"):
        datetime(2026, 5, 1, tzinfo=UTC).strftime("%b")
    assert Time2Internaldate(datetime(2026, 5, 1, tzinfo=UTC)) == '"01-May-2026 00:00:00 +0000"'
    assert Time2Internaldate(time.gmtime(0)) == '"01-Jan-1970 00:00:00 +0000"'
    assert Internaldate2Time(line("01-Dec-2026 00:00:00 +0000")) == time.localtime(1796083200)


# ParseFlags


@pytest.mark.parametrize(
    ("resp", "flags"),
    [
        (b"* 1 FETCH (FLAGS (\\Seen \\Deleted) UID 4)", (b"\\Seen", b"\\Deleted")),
        (b"* FLAGS ($Forwarded \\Answered NonJunk)", (b"$Forwarded", b"\\Answered", b"NonJunk")),
        (b"* OK [PERMANENTFLAGS (\\Seen \\*)] Limited", (b"\\Seen", b"\\*")),
        (b"1 (FLAGS () UID 4)", ()),
        (b"1 (FLAGS (  \\Seen   a ) UID 4)", (b"\\Seen", b"a")),
        (b"1 (FLAGS (\\Seen caf\xc3\xa9))", (b"\\Seen", b"caf\xc3\xa9")),
        (b"1 (UID 4)", ()),
        (b"1 (FLAGS (\\Seen", ()),
        (b"1 (FLAGS NIL)", ()),
        (b"", ()),
    ],
)
def test_flags_are_parsed_as_imaplib_parses_them(resp: bytes, flags: tuple[bytes, ...]) -> None:
    assert ParseFlags(resp) == flags == imaplib.ParseFlags(resp)
    assert ParseFlags(resp.decode()) == ParseFlags(bytearray(resp)) == ParseFlags(memoryview(resp)) == flags
    assert ParseFlags(resp.lower()) == tuple(flag.lower() for flag in flags)


@pytest.mark.parametrize("seed", range(4))
def test_random_flag_lists_agree_with_imaplib(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(500):
        pieces = rng.choices([b"FLAGS (", b"\\Seen", b"$a", b" ", b")", b"UID 4", b"X-GM-LABELS ", b"]"], k=rng.randrange(14))
        resp = b"".join(pieces)
        if resp.count(b"FLAGS (") < 2:
            assert ParseFlags(resp) == imaplib.ParseFlags(resp), resp


@pytest.mark.parametrize(
    "subject",
    [b"FLAGS (\\\\Deleted)", b'\\"FLAGS (\\\\Deleted)', b'\\\\\\" FLAGS (x', b"FLAGS (", b")FLAGS ()("],
)
def test_a_quoted_string_cannot_forge_flags(subject: bytes) -> None:
    envelope = b'ENVELOPE ("d" "' + subject + b'" NIL)'
    assert ParseFlags(b"1 (" + envelope + b" FLAGS (\\Seen))") == (b"\\Seen",)
    assert ParseFlags(b"1 (FLAGS (\\Seen) " + envelope + b")") == (b"\\Seen",)
    assert ParseFlags(b"1 (" + envelope + b")") == ()


def test_an_open_quote_ends_with_its_line() -> None:
    assert ParseFlags(b'1 (X "open FLAGS (a)\r\n2 (FLAGS (\\Seen))') == (b"\\Seen",)


# Linear time


@pytest.mark.heavy
@pytest.mark.parametrize(
    "unit",
    [
        b"FLAGS (",
        b'"',
        b'\\"',
        b'"\\',
        b"(",
        b'INTERNALDATE "',
        b"INTERNALDATE ",
        b'FLAGS ("',
        b"x",
        b"\n",
        b'INTERNALDATE "01-Jan-',
    ],
)
def test_reading_takes_linear_time(unit: bytes) -> None:
    resp = unit * (1_000_000 // len(unit))
    started = time.perf_counter()
    assert Internaldate2Time(resp) is None
    assert ParseFlags(resp) == ()
    assert ParseFlags(b'"' + resp) == ()
    for pattern in (compat.InternalDate, compat.FLAGS_cre):
        assert pattern.match(resp) is None
        assert pattern.search(resp) is None
    assert time.perf_counter() - started < 3  # quadratic: minutes


# Int2AP, the patterns and the constants


def test_int2ap_is_imaplibs() -> None:
    rng = random.Random(0)
    numbers = [0, 1, 15, 16, -1, -255, 3.99, True, 2**64, *(rng.randrange(-(2**80), 2**80) for _ in range(500))]
    assert [Int2AP(number) for number in numbers] == [imaplib.Int2AP(number) for number in numbers]
    assert Int2AP(0) == b""
    assert Int2AP(0x0123456789ABCDEF) == b"BCDEFGHIJKLMNOP"


def test_the_patterns_have_imaplibs_groups() -> None:
    resp = line("17-Jul-1996 02:44:25 -0730")
    found = compat.InternalDate.match(resp)
    assert found is not None
    assert found.start() == 0
    expected = imaplib.InternalDate.match(resp)  # type: ignore[attr-defined]
    assert found.groupdict() == expected.groupdict()
    assert found.groups() == (b"17", b"Jul", b"1996", b"02", b"44", b"25", b"-", b"07", b"30")
    assert compat.Mon2num[found["mon"]] == 7
    twice = resp + b" " + line("01-Jan-2000 00:00:00 +0000")
    assert compat.InternalDate.match(twice)["year"] == b"2000"  # type: ignore[index]
    assert compat.InternalDate.search(b"\n" + resp)["year"] == b"1996"  # type: ignore[index]
    assert compat.InternalDate.match(b"\n" + resp) is None
    assert compat.FLAGS_cre.match(resp)["flags"] == b"\\Seen"  # type: ignore[index]


def test_months() -> None:
    assert compat.MonthNames == [
        None,
        *MONTHS,
    ]
    assert compat.Mon2num == imaplib.Mon2num  # type: ignore[attr-defined]


def test_the_version_is_a_str_and_a_function() -> None:
    assert compat.version == compat.version() == compat.version(use_tuple=False) == compat.__version__ == "3.06"
    assert compat.version(use_tuple=True) == compat.version(True) == (3, 6)
    assert (compat.__release__, compat.__revision__) == ("3", "06")
    assert isinstance(compat.version, str)


def test_the_constants_have_imaplib2s_values() -> None:
    assert (compat.IMAP4_PORT, compat.IMAP4_SSL_PORT) == (imaplib.IMAP4_PORT, imaplib.IMAP4_SSL_PORT)  # type: ignore[attr-defined]
    assert compat.CRLF == b"\r\n"
    assert (compat.TLS_SECURE, compat.TLS_NO_SSL, compat.TLS_COMPAT) == ("tls_secure", "tls_no_ssl", "tls_compat")
    assert (compat.IDLE_TIMEOUT, compat.IDLE_TIMEOUT_RESPONSE) == (1740, b"* IDLE TIMEOUT\r\n")
    assert (compat.READ_POLL_TIMEOUT, compat.READ_SIZE, compat.DFLT_DEBUG_BUF_LVL) == (30, 32768, 3)
    assert compat.UID_direct == ("SEARCH", "SORT", "THREAD")
    assert (compat.CMD_VAL_STATES, compat.CMD_VAL_ASYNC) == (0, 1)
    assert compat.AllowedVersions == ("IMAP4REV1", "IMAP4REV2", "IMAP4")
    assert [compat.NONAUTH, compat.AUTH, compat.SELECTED, compat.LOGOUT] == ["NONAUTH", "AUTH", "SELECTED", "LOGOUT"]


def test_internaldate2tuple_is_imaplibs_name_for_it() -> None:
    assert compat.Internaldate2tuple is compat.Internaldate2Time


def test_every_public_name_exists() -> None:
    assert [name for name in compat.__all__ if not hasattr(compat, name)] == []
