"""Responses that name the tag of the command that they answer, as ESEARCH does (RFC 4731)."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.core.contract.call import Call
from imapkit.core.engine.request import Request
from imapkit.plugin import Command, Family, Response, State
from imapkit.testing.families import load_only
from tests.core.support import Driver, call


@pytest.fixture
def driver() -> Driver:
    return Driver()


def say(driver: Driver, *rows: tuple[Request | bytes | None, bytes]) -> None:
    """``* ESEARCH``, with the tag of a request, any tag, or none."""
    for named, data in rows:
        tag = named.tag if isinstance(named, Request) else named
        driver.feed(b"* ESEARCH %b%b\r\n" % (b"" if tag is None else b'(TAG "%b") ' % tag, data))


def found(driver: Driver, *requests: Request) -> list[list[Any]]:
    """The ends of the data of each, after its tagged response."""
    for request in requests:
        driver.end(request)
    return [[item.rpartition(b" ")[2] for item in driver.data(request)] for request in requests]


def test_commands_whose_responses_name_their_tag_are_in_flight_together(driver: Driver) -> None:
    requests = [driver.send("XESEARCH") for _ in range(3)]
    assert all(request.sent for request in requests)
    say(driver, (requests[2], b"3"), (requests[0], b"1"), (requests[1], b"2"))
    assert found(driver, *requests) == [[b"1"], [b"2"], [b"3"]]
    assert driver.engine.store.take("ESEARCH") == []


def test_a_response_without_a_tag_answers_the_only_command_that_awaits_it(driver: Driver) -> None:
    request = driver.send("XESEARCH")
    say(driver, (None, b"1"))
    assert found(driver, request) == [[b"1"]]


def test_a_response_without_a_tag_answers_none_of_several(driver: Driver) -> None:
    one, other = driver.send("XESEARCH"), driver.send("XESEARCH")
    say(driver, (None, b"1"))
    assert found(driver, one, other) == [[], []]
    assert driver.engine.store.take("ESEARCH") == [b"1"]
    [defect] = driver.engine.defects.all()
    assert defect.what == "ESEARCH: it may answer more than one command in flight, and is kept for response()"


def test_a_response_that_names_another_tag_answers_no_command(driver: Driver) -> None:
    """As the UPDATE of an earlier search does, which is news (RFC 5267)."""
    over, request, ping = driver.send("XESEARCH"), driver.send("XESEARCH"), driver.send("XPING")
    driver.end(over)
    say(driver, (over, b"1"), (b"never", b"2"), (ping, b"3"))
    assert found(driver, request, ping) == [[], []]
    assert len(driver.engine.store.take("ESEARCH")) == 3
    assert driver.engine.defects.all() == ()


def test_a_command_that_was_given_up_gets_its_response_by_its_tag_all_the_same(driver: Driver) -> None:
    orphan, request = driver.send("XESEARCH"), driver.send("XESEARCH")
    driver.engine.abandon(orphan, 0)
    say(driver, (orphan, b"1"), (request, b"2"))
    assert found(driver, orphan, request) == [[], [b"2"]]
    assert driver.engine.store.take("ESEARCH") == []


def test_a_response_before_the_command_was_sent_is_kept(driver: Driver) -> None:
    driver.submit("XESEARCH")
    say(driver, (None, b"1"), (b"x", b"2"))
    assert len(driver.engine.store.take("ESEARCH")) == 2


def extended_search(*result: str) -> Call:
    """SEARCH RETURN (...), which awaits ESEARCH, and SEARCH of a server that ignores RETURN (RFC 4731 section 3.1)."""
    plain = call("XSEARCH")
    return Call(plain.command, plain.args, plain.pieces, result=result)


def test_a_search_that_awaits_both_kinds_of_answer_takes_turns_with_other_searches(driver: Driver) -> None:
    one, other = (driver.send(extended_search("ESEARCH", "SEARCH")) for _ in range(2))
    assert (one.sent, other.sent) == (True, False)
    driver.feed(b"* SEARCH 1 2\r\n")
    driver.end(one)
    driver.pump()
    say(driver, (other, b"3"))
    assert found(driver, other) == [[b"3"]]
    assert driver.data(one) == [b"1 2"]


def test_a_search_that_awaits_esearch_alone_overlaps_with_a_plain_one(driver: Driver) -> None:
    """That is for a server that has sent ESEARCH before."""
    extended, plain = driver.send(extended_search("ESEARCH")), driver.send("XSEARCH")
    assert extended.sent
    assert plain.sent
    driver.feed(b"* SEARCH 1 2\r\n")
    say(driver, (extended, b"3"))
    assert found(driver, extended) == [[b"3"]]
    assert driver.data(plain) == [b"1 2"]


def test_a_withdrawn_command_that_waits_for_a_lane_beside_the_tag_lets_the_next_one_in(driver: Driver) -> None:
    one = driver.send(extended_search("ESEARCH", "SEARCH"))
    two = driver.submit(extended_search("ESEARCH", "SEARCH"))
    three = driver.submit("XSEARCH")
    driver.engine.abandon(two, 0)
    driver.end(one)
    driver.pump()
    assert three.sent


def test_an_error_of_the_function_that_reads_the_tag_is_noted() -> None:
    def raises(response: object) -> bytes:
        raise LookupError("a family's own mistake")

    tables = load_only(
        Family("wrong", commands=(Command("XLOOK", State.ANY, result=("ROW",)),), responses={"ROW": Response(tag=raises)})
    )
    driver = Driver(tables=tables)
    request = driver.send("XLOOK")
    driver.feed(b"* ROW 1\r\n")
    driver.end(request)
    assert driver.data(request) == [b"1"], "it is the only one"
    assert [defect.what for defect in driver.engine.defects.all()] == [
        """the family's function raised LookupError("a family's own mistake")"""
    ]
