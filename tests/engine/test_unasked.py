"""What no command asked for, as the engine leaves it to the subscribers."""

from __future__ import annotations

import pytest

from imapkit.core.contract.events import Unasked
from imapkit.core.wire.response import ResponseCode, Run, Untagged
from tests.core.support import Driver

WANTED = frozenset(("EXISTS", "ABOUT", "FETCH", "[XNEWS]", "[XHERE]", "OK"))


@pytest.fixture
def driver() -> Driver:
    driver = Driver()
    driver.engine.wanted = WANTED
    driver.engine.session.select("box", readonly=False)
    return driver


def taken(driver: Driver) -> list[tuple[str, bytes | None]]:
    """What is left to the subscribers, since the last look."""
    unasked = driver.engine.effects.unasked
    driver.engine.delivered()
    return [(each.name, each.came.text if isinstance(each.came, Untagged) else each.came.data) for each in unasked]


def test_what_no_command_asked_for_is_left_in_order_and_kept_in_the_store_as_before(driver: Driver) -> None:
    request = driver.send("XFETCH", "1:3", "FLAGS")
    driver.feed(b"* 5 EXISTS\r\n* 2 FETCH (asked)\r\n* 9 FETCH (unasked)\r\n* NO [XNEWS 7] news\r\n* 6 EXISTS\r\n* 1 RECENT\r\n")
    driver.end(request)
    [first, *_] = driver.engine.effects.unasked
    assert isinstance(first, Unasked)
    assert (first.name, first.mailbox) == ("EXISTS", "box")
    assert driver.engine.effects.due
    assert taken(driver) == [("EXISTS", b""), ("FETCH", b"(unasked)"), ("[XNEWS]", b"7"), ("EXISTS", b"")]
    assert taken(driver) == []
    assert driver.engine.store.take("EXISTS") == [b"5", b"6"]


def test_nothing_is_left_while_there_is_no_subscriber(driver: Driver) -> None:
    driver.engine.wanted = frozenset()
    driver.feed(b"* 5 EXISTS\r\n")
    assert taken(driver) == []


def test_what_turns_out_not_to_be_the_answer_is_unasked(driver: Driver) -> None:
    """STATUS by NOTIFY, beside the answer to STATUS (RFC 5465)."""
    request = driver.send("XABOUT", "a")
    driver.feed(b"* ABOUT a=perhaps\r\n* ABOUT a=yes\r\n")
    assert taken(driver) == []
    driver.end(request)
    assert taken(driver) == [("ABOUT", b"a=perhaps")]


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_what_came_for_a_refused_command_was_asked_for(driver: Driver, typ: str) -> None:
    request = driver.send("XABOUT", "a")
    driver.feed(b"* ABOUT a=perhaps\r\n* ABOUT a=yes\r\n")
    driver.end(request, typ)
    assert taken(driver) == []


def test_each_response_of_a_run_is_unasked(driver: Driver) -> None:
    driver.engine.receive([Run("FETCH", [(b"1", b"(a)"), (b"2", b"(b)")])], 0)
    assert taken(driver) == [("FETCH", b"(a)"), ("FETCH", b"(b)")]


def test_an_unasked_response_says_how_much_memory_it_takes() -> None:
    assert Unasked("X", Untagged("X", None, (b"x" * 100,)), None).memory > 100
    assert Unasked("[X]", ResponseCode("X", b"x" * 100), None).memory == 100
    assert Unasked("[X]", ResponseCode("X", None), None).memory == 0
