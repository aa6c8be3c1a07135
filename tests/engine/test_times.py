"""When a command is late: progress, deadlines, and the window in which the server must make some."""

from __future__ import annotations

import random
from functools import partial
from math import inf

import pytest

from imapkit.core.contract.call import Call
from imapkit.core.engine.flight import SHARED
from imapkit.core.engine.outcome import check
from imapkit.core.engine.phases import DONE
from imapkit.core.engine.request import Request
from imapkit.core.engine.times import Moments, Progress
from imapkit.core.wire.pieces import Literal
from imapkit.errors import CommandTimeout, ConnectionClosed, DeadlineExceeded
from tests.core.support import Driver, call
from tests.engine.commands import AUTH, IDLE, PUT

WINDOW = 10.0


@pytest.fixture
def driver() -> Driver:
    return Driver(window=WINDOW)


def row(number: int, size: int) -> bytes:
    """A FETCH response whose text has ``size`` bytes."""
    text = b"(X " + b"x" * (size - 4) + b")"
    assert len(text) == size
    return b"* %d FETCH %b\r\n" % (number, text)


# Progress


def test_progress_of_a_command_is_progress_of_those_behind_it() -> None:
    progress = Progress()
    assert progress.of(1) == -inf
    progress.restart(1, 5.0)
    progress.note(3, 7.0, oldest=lambda: 1)
    assert [progress.of(order) for order in (0, 1, 2, 3, 4)] == [-inf, 5.0, 5.0, 7.0, 7.0]
    progress.note(2, 8.0, oldest=lambda: 1)
    assert [progress.of(order) for order in (1, 2, 3, 4)] == [5.0, 8.0, 8.0, 8.0]
    progress.restart(9, 9.0)
    assert [progress.of(order) for order in (8, 9)] == [-inf, 9.0]


def test_progress_is_what_a_list_of_all_events_says(rng: random.Random) -> None:
    for _ in range(50):
        progress, events = Progress(), [(1, 0.0)]
        progress.restart(1, 0.0)
        for moment in sorted(rng.randrange(1, 20) for _ in range(40)):
            events.append((rng.randrange(1, 12), float(moment)))
            progress.note(*events[-1], oldest=lambda: 1)
            for order in range(1, 13):
                assert progress.of(order) == max(when for done, when in events if done <= order)


def test_progress_forgets_what_no_command_in_flight_can_ask_for() -> None:
    progress = Progress()
    progress.restart(1, 0.0)
    for order in range(1, 20_000):
        progress.note(order, float(order), oldest=partial(max, 1, order - 5))
    assert len(progress._orders) <= 1100
    assert [progress.of(19_999 - back) for back in (0, 5)] == [19_999.0, 19_994.0]


# Moments


def test_commands_are_looked_at_the_nearest_first_and_not_once_they_are_over() -> None:
    moments, requests = Moments(), [Request(call("XPING")) for _ in range(5)]
    for moment, request in zip((3.0, 1.0, 2.0, inf, 1.0), requests, strict=True):
        moments.add(moment, request, lambda: 5)
    assert len(moments) == 4, "an infinite moment is none"
    requests[1].phase = DONE
    assert moments.nearest() == 1.0
    requests[4].abandoned = True
    assert moments.nearest() == 2.0
    assert list(moments.due(2.5)) == [requests[2]]
    assert list(moments.due(2.5)) == []
    assert moments.nearest() == 3.0
    moments.clear()
    assert moments.nearest() == inf


def test_commands_that_are_over_are_not_kept() -> None:
    moments = Moments()
    for _ in range(5000):
        request = Request(call("XPING"))
        moments.add(1e9, request, lambda: 3)
        request.phase = DONE
    assert len(moments) <= 64 + 4 * 3 + 1


# the window


def test_a_server_that_does_nothing_for_the_whole_window_ends_the_connection(driver: Driver) -> None:
    one, two = driver.send("XPING"), driver.send("XPING")
    assert driver.engine.deadline() == WINDOW
    driver.tick(WINDOW - 0.01)
    assert driver.engine.closed is None
    driver.tick(WINDOW)
    assert isinstance(driver.engine.closed, CommandTimeout)
    assert driver.told() == [one, two]
    with pytest.raises(CommandTimeout, match="XPING => no answer in time"):
        check(two, driver.engine)


def test_without_a_command_in_flight_there_is_no_window(driver: Driver) -> None:
    assert driver.engine.deadline() == inf
    driver.tick(1e6)
    assert driver.engine.closed is None
    driver.send("XPING")
    assert driver.engine.deadline() == 1e6 + WINDOW


def test_the_window_begins_as_a_command_is_sent_not_as_it_is_queued(driver: Driver) -> None:
    driver.submit("XPING")
    driver.now = 6.0
    driver.pump()
    assert driver.engine.deadline() == 6.0 + WINDOW


@pytest.mark.parametrize("kind", ["written", "row", "literal", "tagged"])
def test_progress_begins_a_new_window(driver: Driver, kind: str) -> None:
    other, request = driver.send("XFETCH", "2", "X"), driver.send("XFETCH", "1", "X")
    assert request.sent
    driver.now = 6.0
    if kind == "written":
        driver.engine.written(other.order, driver.now)
        driver.engine.written(request.order, driver.now)
    elif kind == "row":
        driver.engine.written(other.order, driver.now)
        driver.feed(row(1, 10))
    elif kind == "literal":
        driver.engine.literal_progress(SHARED, driver.now)
    else:
        driver.end(other)
    assert driver.engine.deadline() == 6.0 + WINDOW


@pytest.mark.parametrize("line", [b"* 5 EXISTS\r\n", b"* OK still here\r\n", b"+ what?\r\n", b"* 9 FETCH (X)\r\n"])
def test_responses_that_belong_to_no_command_are_no_progress(driver: Driver, line: bytes) -> None:
    driver.send("XFETCH", "1", "X")
    driver.tick(6.0)
    driver.feed(line)
    assert driver.engine.deadline() == WINDOW


def test_an_earlier_command_that_makes_progress_keeps_one_behind_it_from_being_late(driver: Driver) -> None:
    first, behind = driver.send("XFETCH", "1", "X"), driver.send("XPING")
    for moment in range(6, 60, 6):
        driver.tick(float(moment))
        driver.feed(row(1, SHARED))
    driver.end(first)
    driver.end(behind)
    check(behind, driver.engine)
    assert driver.engine.closed is None


def test_progress_of_a_later_command_does_not_keep_an_earlier_one_from_being_late(driver: Driver) -> None:
    early, later = driver.send("XFETCH", "2", "X"), driver.send("XFETCH", "1", "X")
    for moment in (4.0, 8.0):
        driver.tick(moment)
        driver.feed(row(1, SHARED))
    assert later.received
    driver.tick(WINDOW)
    assert isinstance(driver.engine.closed, CommandTimeout)
    with pytest.raises(CommandTimeout):
        check(early, driver.engine)


def test_a_server_that_drips_less_than_1024_bytes_of_an_answer_a_window_keeps_no_command_behind_it_waiting(
    driver: Driver,
) -> None:
    driver.send("XFETCH", "1", "X")
    assert driver.send("XPING").sent
    for moment in range(1, 10):
        driver.tick(float(moment))
        driver.feed(row(1, 100))
        assert driver.engine.closed is None
    driver.tick(WINDOW)
    assert isinstance(driver.engine.closed, CommandTimeout)


def test_a_command_whose_own_answer_drips_is_not_late(driver: Driver) -> None:
    request = driver.send("XFETCH", "1", "X")
    for moment in range(6, 60, 6):
        driver.tick(float(moment))
        driver.feed(row(1, 10))
        assert driver.engine.closed is None
    driver.end(request)
    check(request, driver.engine)


def test_drops_of_an_answer_add_up_to_progress_of_the_commands_behind_it(driver: Driver) -> None:
    driver.send("XFETCH", "1", "X")
    driver.send("XPING")
    for moment in range(3, 99, 3):
        driver.tick(float(moment))
        driver.feed(row(1, SHARED // 2))
    assert driver.engine.closed is None


def test_a_literal_that_drips_is_progress_of_its_own_command(driver: Driver) -> None:
    request = driver.send("XFETCH", "1", "X")
    for moment in range(6, 60, 6):
        driver.tick(float(moment))
        driver.engine.literal_progress(1, driver.now)
    assert driver.engine.closed is None
    driver.end(request)
    check(request, driver.engine)


def test_a_literal_that_drips_keeps_no_command_behind_it_waiting(driver: Driver) -> None:
    driver.send("XFETCH", "1", "X")
    assert driver.send("XPING").sent
    for moment in range(1, 10):
        driver.tick(float(moment))
        driver.engine.literal_progress(10, driver.now)
    assert driver.engine.closed is None
    driver.tick(WINDOW)
    assert isinstance(driver.engine.closed, CommandTimeout)


def test_a_command_that_is_sent_behind_one_that_drips_has_a_window_of_its_own(driver: Driver) -> None:
    driver.send("XFETCH", "1", "X")
    for moment in range(6, 60, 6):
        driver.tick(float(moment))
        driver.feed(row(1, 10))
    assert driver.send("XPING").sent
    assert driver.engine.deadline() == 54.0 + WINDOW
    driver.tick(58.0)
    driver.feed(row(1, 10))
    driver.tick(54.0 + WINDOW)
    assert isinstance(driver.engine.closed, CommandTimeout)


@pytest.mark.parametrize("how", ["submit", "abandon", "interrupt"])
def test_a_server_has_a_window_to_end_what_listens_once_that_is_asked_for(driver: Driver, how: str) -> None:
    request = driver.send(Call(IDLE, (), [b"XIDLE"]))
    driver.feed(b"+ idling\r\n")
    driver.now = 1000.0
    if how == "submit":
        driver.submit("XPING")
    elif how == "abandon":
        driver.engine.abandon(request, driver.now)
    else:
        driver.engine.interrupt(request, driver.now)
    assert driver.engine.deadline() == 1000.0 + WINDOW


def test_no_command_is_late_while_the_program_answers_a_challenge_and_its_answer_begins_a_window(driver: Driver) -> None:
    request = driver.send(Call(AUTH, (), [b"XAUTH"], reply=lambda challenge: b"r"))
    driver.tick(6.0)
    driver.feed(b"+ challenge\r\n")
    assert driver.engine.deadline() == inf
    driver.tick(1000.0)
    assert driver.engine.closed is None
    driver.now = 1001.0
    driver.engine.answer(request, b"r", None, driver.now)
    assert driver.engine.deadline() == 1001.0 + WINDOW
    assert driver.pump() == b"r\r\n"


def test_an_orphan_is_late_as_any_other_command(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.engine.abandon(request, driver.now)
    driver.tick(WINDOW)
    assert isinstance(driver.engine.closed, CommandTimeout)


def test_a_literal_that_leaves_piece_by_piece_is_progress(driver: Driver) -> None:
    request = driver.send(Call(PUT, (), [b"XPUT box ", Literal(b"x" * 10)]))
    for moment in range(6, 60, 6):
        driver.tick(float(moment))
        driver.engine.written(request.order, driver.now)
    assert driver.engine.closed is None


def test_a_continuation_is_progress(driver: Driver) -> None:
    driver.send(Call(PUT, (), [b"XPUT box ", Literal(b"x" * 10)]))
    driver.tick(6.0)
    driver.feed(b"+ go\r\n")
    assert driver.engine.deadline() == 6.0 + WINDOW


def test_a_renewed_command_begins_a_window(driver: Driver) -> None:
    request = driver.send(Call(IDLE, (), [b"XIDLE"]), renew=100.0)
    driver.feed(b"+ idling\r\n")
    driver.tick(100.0)
    assert driver.pump() == b"DONE\r\n"
    driver.now = 105.0
    driver.end(request)
    assert driver.pump() == request.tag + b" XIDLE\r\n"
    assert driver.engine.deadline() == 105.0 + WINDOW
    driver.tick(105.0 + WINDOW)
    assert isinstance(driver.engine.closed, CommandTimeout)


def test_a_server_that_never_lets_a_literal_go_on_is_late(driver: Driver) -> None:
    driver.send(Call(PUT, (), [b"XPUT box ", Literal(b"x" * 10)]))
    driver.tick(WINDOW)
    assert isinstance(driver.engine.closed, CommandTimeout)


def test_a_command_that_listens_is_never_late_and_is_once_it_is_to_end(driver: Driver) -> None:
    request = driver.send(Call(IDLE, (), [b"XIDLE"]))
    driver.feed(b"+ idling\r\n")
    assert driver.engine.deadline() == inf
    driver.tick(1000.0)
    assert driver.engine.closed is None
    driver.engine.interrupt(request, driver.now)
    assert driver.pump() == b"DONE\r\n"
    assert driver.engine.deadline() == 1000.0 + WINDOW
    driver.tick(1000.0 + WINDOW)
    assert isinstance(driver.engine.closed, CommandTimeout)


# limits of single commands


def test_a_queued_command_that_is_late_is_dropped_alone(driver: Driver) -> None:
    first = driver.send("XLIST")
    waiting = driver.submit("XLIST", limit=3.0)
    assert driver.engine.deadline() == 3.0
    driver.tick(3.0)
    assert driver.told() == [waiting]
    with pytest.raises(CommandTimeout, match="waited too long for the commands before it"):
        check(waiting, driver.engine)
    driver.end(first)
    assert driver.pump() == b"", "it is never sent"
    assert driver.engine.closed is None


def test_a_command_in_flight_that_is_late_ends_the_connection_if_its_limit_is_hard(driver: Driver) -> None:
    request, other = driver.send("XPING", limit=3.0), driver.send("XPING")
    driver.tick(3.0)
    assert isinstance(driver.engine.closed, CommandTimeout)
    assert driver.told() == [request, other]


def test_a_command_in_flight_that_is_late_is_given_up_if_its_limit_is_soft(driver: Driver) -> None:
    request, other = driver.send("XPING", limit=3.0, hard=False), driver.send("XPING")
    driver.tick(3.0)
    assert driver.told() == [request]
    with pytest.raises(DeadlineExceeded, match="no answer in time"):
        check(request, driver.engine)
    driver.end(request)
    driver.end(other)
    assert driver.told() == [other]
    assert driver.engine.idle
    assert driver.engine.closed is None


def test_a_soft_limit_that_passes_half_sent_ends_the_connection(driver: Driver) -> None:
    driver.send(Call(PUT, (), [b"XPUT box ", Literal(b"x" * 10)]), limit=3.0, hard=False)
    driver.tick(3.0)
    assert isinstance(driver.engine.closed, CommandTimeout)


def test_a_limit_that_has_passed_when_the_command_is_submitted_counts_at_the_next_look(driver: Driver) -> None:
    driver.now = 50.0
    request = driver.submit("XPING", limit=10.0)
    assert driver.engine.deadline() == 10.0
    driver.tick(50.0)
    assert driver.told() == [request]
    assert driver.pump() == b""


def test_patience_and_a_limit_are_both_looked_at(driver: Driver) -> None:
    request = driver.send(Call(IDLE, (), [b"XIDLE"]), until=5.0, limit=7.0)
    driver.feed(b"+ idling\r\n")
    driver.tick(5.0)
    assert driver.pump() == b"DONE\r\n"
    assert driver.engine.deadline() == 7.0
    driver.tick(7.0)
    assert isinstance(driver.engine.closed, CommandTimeout)
    assert driver.told() == [request]


def test_nothing_is_late_once_the_connection_has_ended(driver: Driver) -> None:
    driver.send("XPING", limit=3.0)
    driver.submit("XLIST", limit=4.0)
    driver.engine.close(reason := ConnectionClosed("gone"))
    assert driver.engine.deadline() == inf
    driver.tick(1e6)
    assert driver.engine.closed is reason
