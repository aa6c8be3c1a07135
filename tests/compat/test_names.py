"""imaplib2's module-level names beside ours: the same for many inputs, but for the listed differences."""

from __future__ import annotations

import importlib
import random
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import imapkit
from imapkit import compat

SetZone = Callable[[str], None]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _theirs() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is older than what it is run with
        return importlib.import_module("imaplib2.imaplib2")


theirs = _theirs()


@pytest.fixture
def set_zone() -> Iterator[SetZone]:
    with pytest.MonkeyPatch.context() as patch:

        def apply(name: str) -> None:
            patch.setenv("TZ", name)
            time.tzset()

        yield apply
    time.tzset()


def moments(seed: str) -> Iterator[datetime]:
    rng = random.Random(seed)
    for _ in range(300):
        offset = timezone(rng.choice((1, -1)) * timedelta(minutes=rng.randrange(14 * 60)))
        yield datetime(1971, 1, 1, tzinfo=offset) + timedelta(seconds=rng.randrange(2**31))


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_internaldate2time(zone: str, set_zone: SetZone) -> None:
    set_zone(zone)
    for moment in moments(zone):
        quoted = compat.Time2Internaldate(moment)
        for line in (f"1 (INTERNALDATE {quoted} UID 5)", f"* 3 FETCH (FLAGS () INTERNALDATE {quoted})"):
            assert compat.Internaldate2Time(line.encode()) == theirs.Internaldate2Time(line.encode())
    for resp in (b"", b"1 (UID 5)", b'INTERNALDATE "', b"INTERNALDATE NIL", b'1 (INTERNALDATE "1-Jan-2026 00:00:00 +0000")'):
        assert compat.Internaldate2Time(resp) is theirs.Internaldate2Time(resp) is None


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns", "Europe/Berlin"])
def test_time2internaldate(zone: str, set_zone: SetZone) -> None:
    set_zone(zone)
    for moment in moments(zone):
        quoted = theirs.Time2Internaldate(moment)
        assert compat.Time2Internaldate(moment) == quoted == theirs.Time2Internaldate(quoted)
        assert compat.Time2Internaldate(quoted) == quoted
    wrongs: list[Any] = [datetime(2026, 1, 1), None, b"x", [1], "01-Jan-2026 00:00:00 +0000"]
    for wrong in wrongs:
        for function in (compat.Time2Internaldate, theirs.Time2Internaldate):
            with pytest.raises(ValueError):
                function(wrong)


def test_a_number_is_a_time(set_zone: SetZone) -> None:
    set_zone("Europe/Berlin")
    for value in (1767225600, 1767225600.5, time.localtime(1767225600), tuple(time.localtime(1767225600))):
        assert compat.Time2Internaldate(value) == '"01-Jan-2026 01:00:00 +0100"'
    with pytest.raises(UnboundLocalError):
        theirs.Time2Internaldate(1767225600)


def test_dates_that_do_not_exist() -> None:
    for date in ("01-Xyz-2026 00:00:00 +0000", "31-Feb-2026 00:00:00 +0000", "00-Jan-0000 00:00:00 +0000"):
        assert compat.Internaldate2Time(f'INTERNALDATE "{date}"'.encode()) is None
    with pytest.raises(KeyError):
        theirs.Internaldate2Time(b'INTERNALDATE "01-Xyz-2026 00:00:00 +0000"')
    assert theirs.Internaldate2Time(b'INTERNALDATE "31-Feb-2026 00:00:00 +0000"') is not None


def test_text_is_read_too() -> None:
    line = '1 (internaldate "05-Jan-2026 09:08:07 +0000" flags (\\Seen a))'
    assert compat.Internaldate2Time(line) == time.localtime(1767604087)
    assert compat.ParseFlags(line) == (b"\\Seen", b"a")
    with pytest.raises(TypeError):
        theirs.ParseFlags(line)
    assert theirs.ParseFlags(line.encode()) == ()


def test_parseflags() -> None:
    rng = random.Random(2)
    for _ in range(1000):
        pieces = rng.choices([b"FLAGS (", b"\\Seen", b"$a", b" ", b")", b"UID 4", b"X-GM-LABELS ", b"]"], k=rng.randrange(14))
        resp = b"".join(pieces)
        if resp.count(b"FLAGS (") < 2:
            assert compat.ParseFlags(resp) == theirs.ParseFlags(resp), resp


def test_forged_flags() -> None:
    line = b'1 (FLAGS (\\Seen) ENVELOPE ("d" "FLAGS (\\\\Deleted)" NIL))'
    assert compat.ParseFlags(line) == (b"\\Seen",)
    assert theirs.ParseFlags(line) == (b"\\\\Deleted",)


def test_offsets_with_seconds() -> None:
    moment = datetime(1900, 1, 1, tzinfo=timezone(timedelta(minutes=19, seconds=32)))
    assert theirs.Time2Internaldate(moment).endswith(' +001932"')
    assert compat.Time2Internaldate(moment).endswith(' +0019"')


def test_int2ap() -> None:
    rng = random.Random(3)
    for number in [0, 1, 15, 16, -1, 3.99, 2**64, *(rng.randrange(-(2**80), 2**80) for _ in range(500))]:
        assert compat.Int2AP(number) == theirs.Int2AP(number)


def test_the_patterns() -> None:
    line = b'* 1 FETCH (UID 7 INTERNALDATE "17-Jul-1996 02:44:25 -0700" FLAGS (\\Seen))'
    for ours, other in ((compat.InternalDate, theirs.InternalDate), (compat.FLAGS_cre, theirs.FLAGS_cre)):
        mine, his = ours.match(line), other.match(line)
        assert mine is not None
        assert mine.groupdict() == his.groupdict()
        assert ours.match(b"* 1 FETCH (UID 7)") is other.match(b"* 1 FETCH (UID 7)") is None


SAME = [
    "CMD_VAL_ASYNC", "CMD_VAL_STATES", "NONAUTH", "AUTH", "SELECTED", "LOGOUT", "CRLF", "DFLT_DEBUG_BUF_LVL", "IDLE_TIMEOUT",
    "IDLE_TIMEOUT_RESPONSE", "IMAP4_PORT", "IMAP4_SSL_PORT", "Mon2num", "MonthNames", "READ_POLL_TIMEOUT", "READ_SIZE",
    "TLS_COMPAT", "TLS_NO_SSL", "TLS_SECURE", "UID_direct", "__version__", "__release__", "__revision__",
]  # fmt: skip


def test_constants() -> None:
    assert {name: getattr(compat, name) for name in SAME} == {name: getattr(theirs, name) for name in SAME}


def test_every_public_name_of_imaplib2_is_there() -> None:
    for name in theirs.__all__:
        assert hasattr(imapkit, name), name
    assert set(theirs.AllowedVersions) < set(compat.AllowedVersions)
    assert compat.version() == theirs.version()
    assert compat.version(True) == compat.version(use_tuple=True) == theirs.version(use_tuple=True)


# Where it is valid: RFC 2177, RFC 4978 and RFC 2971 say more than imaplib2 does; exclusive: only what changes the state.
MORE_STATES = {"COMPRESS", "IDLE"}
FEWER_STATES = {"ID", "LOGOUT"}
IN_PARALLEL = {"APPEND", "SUBSCRIBE", "UNSUBSCRIBE"}
ALONE = {"DELETEACL"}


def test_commands() -> None:
    ours = imapkit.Commands
    assert set(theirs.Commands) - {"UID"} <= set(ours)
    assert "UID" not in ours
    for name, (states, parallel) in theirs.Commands.items():
        if name == "UID":
            continue
        mine, in_parallel = ours[name]
        if name in MORE_STATES:
            assert set(mine) > set(states)
        elif name in FEWER_STATES:
            assert set(mine) == set(states) - {"LOGOUT"}
        else:
            assert set(mine) == set(states), name
        assert in_parallel == ((parallel or name in IN_PARALLEL) and name not in ALONE), name
    ours["XNEW"] = (("AUTH",), True)
    assert (ours["XNEW"], "XNEW" in ours) == ((("AUTH",), True), True)
    del ours["XNEW"]
    assert "XNEW" not in ours
    with pytest.raises(KeyError):
        del ours["NOOP"]


def test_months() -> None:
    assert compat.MonthNames == [None, *MONTHS]
    assert datetime(2026, 5, 1, tzinfo=UTC).month == compat.Mon2num[b"May"]
