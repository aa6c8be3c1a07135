"""The response codes that a command owns, and those that part an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import State
from imapkit.core.engine.gate import Gate
from imapkit.core.engine.lanes import Queued
from imapkit.core.engine.request import Request
from imapkit.core.wire.response import ResponseCode
from imapkit.plugin import Code, Family
from imapkit.testing.families import load_only
from tests.core.support import Driver, call, probe_registry

MAIL = load_only("rev1")
PARTED = load_only(
    Family(
        "parted",
        commands=(replace(probe_registry.commands["XABOUT"], name="XMOVE", codes=("HERE",)),),
        codes={"HERE": Code(boundary=True)},
    )
)


def move(subject: str = "", **fields: Any) -> Call:
    return Call(Command("XMOVE", State.ANY, codes=("COPYUID",), **fields), (subject,), [b"XMOVE"])


def names_it(about: str, code: ResponseCode) -> bool:
    return about.encode() in (code.data or b"")


def codes(request: Request) -> list[tuple[str, bytes | None]]:
    return [(code.name, code.data) for code in request.codes]


@pytest.fixture
def driver() -> Driver:
    return Driver()


def test_a_code_that_a_command_owns_belongs_to_its_answer_and_is_kept_as_before(driver: Driver) -> None:
    request = driver.send(move())
    driver.feed(b"* OK [COPYUID 1 2:3 4:5] moved\r\n* OK [UIDNEXT 6] news\r\n* NO [COPYUID 1 9 8] half\r\n")
    driver.end(request)
    assert codes(request) == [("COPYUID", b"1 2:3 4:5"), ("COPYUID", b"1 9 8")]
    assert driver.engine.store.take("COPYUID") == [b"1 2:3 4:5", b"1 9 8"]
    assert driver.engine.store.take("OK") == [b"[COPYUID 1 2:3 4:5] moved", b"[UIDNEXT 6] news"]


def test_a_code_belongs_to_no_command_that_has_not_been_sent_or_is_over(driver: Driver) -> None:
    request = driver.submit(move())
    driver.feed(b"* OK [COPYUID 1 2 3] early\r\n")
    driver.pump()
    driver.end(request)
    driver.feed(b"* OK [COPYUID 1 2 4] late\r\n")
    assert codes(request) == []


def test_the_code_of_a_tagged_response_is_none_of_these(driver: Driver) -> None:
    request = driver.send(move())
    driver.end(request, "OK", "[COPYUID 1 2 3] done")
    assert codes(request) == []
    assert request.text == b"[COPYUID 1 2 3] done"


def test_a_command_that_was_given_up_owns_its_codes_and_keeps_none(driver: Driver) -> None:
    orphan = driver.send(move())
    driver.engine.abandon(orphan, 0)
    after = driver.submit(move())
    driver.pump()
    driver.feed(b"* OK [COPYUID 1 2 3] the orphan's\r\n")
    driver.end(orphan)
    driver.pump()
    driver.feed(b"* OK [COPYUID 1 4 5] the next one's\r\n")
    assert (codes(orphan), codes(after)) == ([], [("COPYUID", b"1 4 5")])


def test_codes_count_as_memory_of_their_command_and_not_as_responses() -> None:
    driver = Driver(limits=imapkit.Limits(answers=1, answers_octets=1500))
    driver.send(move())
    driver.feed(b"* OK [COPYUID 1 2 3] moved\r\n" * 2)
    with pytest.raises(imapkit.LimitExceeded, match="more than 1500 bytes of memory"):
        driver.feed(b"* OK [COPYUID 1 2 3] moved\r\n" * 10)


def ready(*calls: Call) -> int:
    gate = Gate()
    for each in calls:
        gate.add(Queued(each))
    return len(gate.ready)


def test_commands_that_own_one_code_follow_one_another() -> None:
    assert ready(move(), move()) == 1


def test_commands_whose_codes_can_be_told_apart_overlap(driver: Driver) -> None:
    def one(about: str) -> Call:
        return move(about, about=lambda args, uid: args[0], matches_code=names_it)

    assert ready(one("a"), one("b")) == 2
    assert ready(one("a"), one("a")) == 1
    first, second = driver.send(one("a")), driver.send(one("b"))
    driver.feed(b"* OK [COPYUID b] moved\r\n* OK [COPYUID a] moved\r\n* OK [COPYUID c] moved\r\n")
    assert (codes(first), codes(second)) == ([("COPYUID", b"a")], [("COPYUID", b"b")])


def test_an_error_of_matches_code_fails_its_own_command(driver: Driver) -> None:
    def raises(about: object, code: object) -> bool:
        raise LookupError("a family's own mistake")

    request = driver.send(move("a", about=lambda args, uid: args[0], matches_code=raises))
    driver.feed(b"* OK [COPYUID a] moved\r\n")
    driver.end(request)
    assert isinstance(request.defect, LookupError)
    assert codes(request) == []


# what SELECT owns


def test_what_the_server_says_of_the_mailbox_belongs_to_select_and_is_kept_as_before() -> None:
    driver = Driver(State.AUTH, tables=MAIL)
    request = driver.send("SELECT", "INBOX")
    driver.feed(b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 9] next\r\n* OK [ALERT] the disk is full\r\n")
    driver.end(request)
    assert codes(request) == [("UIDVALIDITY", b"7"), ("UIDNEXT", b"9")]
    assert driver.engine.store.take("UIDVALIDITY") == [b"7"]
    assert driver.engine.session.exists == 3


def test_what_comes_before_closed_is_about_the_mailbox_before() -> None:
    driver = Driver(tables=MAIL)
    wanted = call("SELECT", "INBOX", tables=MAIL)
    request = driver.send(Call(wanted.command, wanted.args, wanted.pieces, result=("EXISTS", "VANISHED")))
    driver.feed(b"* VANISHED 1:3\r\n* 41 EXISTS\r\n* OK [HIGHESTMODSEQ 4] old\r\n")
    driver.feed(b"* OK [CLOSED] the old one\r\n* OK [HIGHESTMODSEQ 9] new\r\n* 5 EXISTS\r\n* VANISHED (EARLIER) 7\r\n")
    assert driver.engine.store.take("EXISTS") == [b"41"]
    assert driver.engine.store.take("VANISHED") == [b"1:3"]
    driver.end(request)
    assert driver.data(request) == [b"5", b"(EARLIER) 7"]
    assert codes(request) == [("CLOSED", None), ("HIGHESTMODSEQ", b"9")]
    assert driver.engine.session.exists == 5


def test_what_was_doubtful_before_the_boundary_is_no_answer() -> None:
    driver = Driver(tables=PARTED)
    request = driver.send(Call(PARTED.commands["XMOVE"], ("a",), [b"XMOVE"]))
    driver.feed(b"* ABOUT a=perhaps\r\n* OK [HERE] it begins\r\n")
    driver.end(request)
    assert driver.data(request) == []
    assert driver.engine.store.take("ABOUT") == [b"a=perhaps"]


def test_the_boundary_means_nothing_to_a_command_that_does_not_own_it() -> None:
    driver = Driver(tables=MAIL)
    request = driver.send("NOOP")
    driver.feed(b"* OK [CLOSED] left\r\n")
    driver.end(request)
    assert codes(request) == []
    assert driver.engine.session.state is State.AUTH


def test_of_several_counts_without_a_boundary_the_last_one_is_that_of_the_new_mailbox() -> None:
    driver = Driver(tables=MAIL)
    wanted = call("SELECT", "INBOX", tables=MAIL)
    request = driver.send(Call(wanted.command, wanted.args, wanted.pieces, result=("FLAGS", "EXISTS")))
    driver.feed(b"* 41 EXISTS\r\n* FLAGS (a)\r\n* 5 EXISTS\r\n* FLAGS (b)\r\n")
    driver.end(request)
    assert driver.data(request) == [b"(a)", b"5", b"(b)"]
    assert driver.engine.session.exists == 5
