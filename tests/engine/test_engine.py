"""The engine as a whole: giving up, the end, layers, LOGOUT, the bound of commands in flight, what is released."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import State
from imapkit.core.engine.engine import LAST_WORDS
from imapkit.core.engine.outbound import TOGETHER
from imapkit.core.engine.outcome import check
from imapkit.core.engine.phases import DONE, IN_FLIGHT, LISTENING, ORPHANED, PHASES, QUEUED, SENDING, SWITCHING, Phase
from imapkit.core.engine.request import Request
from imapkit.core.support.secrets import Secret, plain
from imapkit.core.wire.pieces import Literal
from imapkit.errors import ConnectionClosed, DeadlineExceeded, RemoteProtocolError, ServerBye, StateError
from tests.core.support import Driver, call
from tests.engine.commands import AUTH, IDLE, PUT, UNZIP, ZIP

SECRET = replace(AUTH, secret=True)
TLS = replace(ZIP, tail="reject")


@pytest.fixture
def driver() -> Driver:
    return Driver()


def in_phase(driver: Driver, phase: Phase) -> Request:
    """A command that is in this phase."""
    if phase is QUEUED:
        driver.send("XLIST")
        return driver.submit("XLIST")
    if phase is SENDING:
        return driver.send(Call(PUT, (), [b"XPUT ", Literal(b"xyz")]))
    if phase is LISTENING:
        request = driver.send(Call(IDLE, (), [b"XIDLE"]))
        driver.feed(b"+ idling\r\n")
        return request
    request = driver.send(Call(ZIP, (), [b"XZIP"]) if phase is SWITCHING else call("XLIST"))
    if phase is SWITCHING:
        driver.end(request)
    elif phase is ORPHANED:
        driver.engine.abandon(request, driver.now)
    elif phase is DONE:
        driver.end(request)
    assert request.phase is phase
    return request


# phases


def test_every_phase_leads_to_the_end_and_none_leads_away_from_it() -> None:
    assert DONE.after == {}
    for phase in PHASES:
        reached = {phase}
        while len(reached) < len(reached := reached | {after for each in reached for after in each.after.values()}):
            pass
        assert DONE in reached
        assert phase is DONE or phase.after["fail"] is DONE


def test_a_transition_that_is_not_in_the_table_is_a_mistake() -> None:
    request = Request(call("XPING"))
    with pytest.raises(KeyError):
        request.move("answer")


# giving up


def test_a_queued_command_that_is_given_up_is_never_sent(driver: Driver) -> None:
    request = in_phase(driver, QUEUED)
    driver.engine.abandon(request, driver.now)
    assert (request.phase, driver.told()) == (DONE, [request])
    with pytest.raises(ConnectionClosed, match="XLIST was given up before it was sent"):
        check(request, driver.engine)
    assert driver.engine.queued == 0
    assert driver.pump() == b""


def test_a_queued_command_that_is_ready_and_given_up_is_never_sent(driver: Driver) -> None:
    request, behind = driver.submit("XLIST"), driver.submit("XLIST")
    driver.engine.abandon(request, driver.now)
    assert driver.pump() == behind.tag + b' XLIST "" *\r\n'
    assert request.tag == b""


def test_a_command_that_is_given_up_half_sent_ends_the_connection(driver: Driver) -> None:
    request, behind = in_phase(driver, SENDING), driver.submit("XPING")
    driver.engine.abandon(request, driver.now)
    assert driver.engine.closed is not None
    assert driver.told() == [request, behind]
    with pytest.raises(ConnectionClosed, match="XPUT was"):
        check(behind, driver.engine)


def test_a_command_whose_last_bytes_lie_ready_ends_the_connection_and_one_whose_bytes_were_taken_does_not(driver: Driver) -> None:
    request = in_phase(driver, SENDING)
    driver.feed(b"+ go\r\n")
    assert driver.pump() == b"xyz\r\n"
    driver.engine.abandon(request, driver.now)
    assert (request.phase, driver.engine.closed) == (ORPHANED, None)
    other = in_phase(driver, SENDING)
    driver.feed(b"+ go\r\n")
    driver.engine.abandon(other, driver.now)
    assert driver.engine.closed is not None


def test_a_command_in_flight_that_is_given_up_keeps_its_place_until_its_answer_comes(driver: Driver) -> None:
    request, behind = driver.send("XLIST"), driver.send("XLIST")
    driver.feed(b'* LIST () "/" before\r\n')
    driver.engine.abandon(request, driver.now)
    assert (request.phase, driver.told()) == (ORPHANED, [request])
    with pytest.raises(ConnectionClosed, match="XLIST was given up"):
        check(request, driver.engine)
    assert behind.tag == b"", "the answer of the orphan might be taken for its own"
    driver.feed(b'* LIST () "/" after\r\n')
    assert driver.data(request) == [b'() "/" before'], "an orphan collects nothing"
    driver.end(request)
    assert driver.told() == [], "its waiter was notified when it was given up"
    assert driver.pump() == behind.tag + b' XLIST "" *\r\n'
    assert driver.engine.store.take("LIST") == []


def test_an_orphan_that_is_refused_gives_back_what_it_had(driver: Driver) -> None:
    request = driver.send("XLIST")
    driver.feed(b'* LIST () "/" before\r\n')
    driver.engine.abandon(request, driver.now)
    driver.end(request, "NO")
    assert driver.engine.store.take("LIST") == [b'() "/" before']
    assert driver.engine.idle


def test_a_command_that_listens_is_ended_when_it_is_given_up(driver: Driver) -> None:
    request, behind = in_phase(driver, LISTENING), None
    driver.engine.abandon(request, driver.now)
    assert driver.told() == [request]
    assert driver.pump() == b"DONE\r\n"
    behind = driver.submit("XPING")
    assert driver.pump() == b""
    driver.end(request)
    assert driver.pump() == behind.tag + b" XPING\r\n"
    assert driver.told() == []


def test_a_command_that_is_given_up_before_the_server_lets_it_listen_is_ended_then(driver: Driver) -> None:
    request = driver.send(Call(IDLE, (), [b"XIDLE"]))
    driver.engine.abandon(request, driver.now)
    assert driver.engine.closed is None
    assert driver.pump() == b""
    driver.feed(b"+ idling\r\n")
    assert driver.pump() == b"DONE\r\n"
    driver.end(request)
    assert driver.engine.idle


def test_a_command_whose_layer_is_being_set_up_cannot_be_given_up(driver: Driver) -> None:
    request = in_phase(driver, SWITCHING)
    driver.engine.abandon(request, driver.now)
    assert (request.phase, driver.told()) == (SWITCHING, [])
    driver.engine.switched(request, driver.now)
    check(request, driver.engine)
    assert driver.told() == [request]


def test_an_orphan_may_switch_a_layer_on(driver: Driver) -> None:
    request = driver.send(Call(ZIP, (), [b"XZIP"]))
    driver.engine.abandon(request, driver.now)
    assert driver.told() == [request]
    assert driver.feed(request.tag + b" OK on\r\n") == [request]
    driver.engine.switched(request, driver.now)
    assert driver.told() == []
    assert driver.engine.idle


@pytest.mark.parametrize("phase", [DONE, ORPHANED])
def test_giving_up_twice_or_too_late_is_nothing(driver: Driver, phase: Phase) -> None:
    request = in_phase(driver, phase)
    driver.told()
    driver.engine.abandon(request, driver.now)
    assert (request.phase, driver.told(), driver.engine.closed) == (phase, [], None)


def test_the_reason_for_giving_up_is_what_the_caller_gets(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.engine.abandon(request, driver.now, DeadlineExceeded("my deadline"))
    with pytest.raises(DeadlineExceeded, match="my deadline"):
        check(request, driver.engine)


# the end


@pytest.mark.parametrize("phase", PHASES)
def test_close_ends_a_command_in_every_phase_once(driver: Driver, phase: Phase) -> None:
    request = in_phase(driver, phase)
    already = driver.told()
    for reason in ("gone", "again"):
        driver.engine.close(ConnectionClosed(reason))
    assert request.phase is DONE
    assert [*already, *driver.told()].count(request) == 1
    assert driver.engine.idle
    assert not driver.engine.halted
    assert (driver.take(), driver.engine.queued + driver.engine.in_flight) == (None, driver.engine.queued)
    if phase is DONE:
        check(request, driver.engine)
    else:
        with pytest.raises(ConnectionClosed, match="given up" if phase is ORPHANED else r"\Agone\Z"):
            check(request, driver.engine)
    driver.feed(request.tag + b" OK late\r\n* 5 EXISTS\r\n")
    assert driver.told() == []


def test_nothing_is_kept_of_commands_once_the_connection_has_ended(driver: Driver) -> None:
    engine, flight = driver.engine, driver.engine.flight
    listing = driver.send("XLIST", limit=100.0)
    driver.end(listing)
    driver.send("XLIST", limit=100.0)
    driver.submit("XPING", limit=100.0)
    engine.close(ConnectionClosed("gone"))
    assert engine.sole_owner("LIST") is None
    assert (len(flight.moments), len(flight.gate.ready), len(flight.live), len(flight.pending)) == (0, 0, 0, 0)
    assert flight.attribution.empty
    assert not engine.has_ready


@pytest.mark.parametrize("wanted", [Call(IDLE, (), [b"XIDLE"]), Call(ZIP, (), [b"XZIP"])], ids=["listens", "layer"])
def test_neither_a_listener_nor_a_layer_is_awaited_once_the_connection_has_ended(driver: Driver, wanted: Call) -> None:
    driver.send(wanted)
    driver.feed(b"+ idling\r\n")
    driver.engine.close(ConnectionClosed("gone"))
    assert (driver.engine.listens, driver.engine.flight.layer_pending, driver.engine.flight.listener) == (False, False, None)


def test_close_while_bytes_lie_ready(driver: Driver) -> None:
    driver.submit(Call(PUT, (), [b"XPUT ", Literal(b"xyz")]))
    assert driver.take() is not None
    driver.feed(b"+ go\r\n")
    driver.engine.close(ConnectionClosed("gone"))
    assert driver.take() is None


def test_a_command_that_is_submitted_after_the_end_ends_at_once(driver: Driver) -> None:
    driver.engine.close(ConnectionClosed("gone"))
    driver.engine.delivered()
    request = driver.submit("XPING")
    assert driver.told() == [request]
    assert (driver.engine.idle, driver.engine.queued, driver.engine.has_ready) == (True, 0, False)
    with pytest.raises(ConnectionClosed, match="gone"):
        check(request, driver.engine)


def test_a_part_of_an_answer_is_kept_when_the_connection_ends(driver: Driver) -> None:
    request = driver.send("XLIST")
    driver.feed(b'* LIST () "/" one\r\n')
    driver.engine.close(ConnectionClosed("gone"))
    with pytest.raises(ConnectionClosed) as caught:
        check(request, driver.engine)
    assert caught.value.data == [b'() "/" one']
    assert driver.engine.store.take("LIST") == [b'() "/" one']


def test_frozen_begins_no_further_command(driver: Driver) -> None:
    driver.submit("XPING")
    driver.engine.frozen = True
    assert driver.take() is None


# nothing can be sent any more


def test_last_words_of_the_server_say_why_nothing_could_be_sent(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.engine.send_failed(ConnectionClosed("broken pipe"), driver.now)
    assert driver.engine.closed is None
    assert driver.engine.deadline() == LAST_WORDS
    with pytest.raises(ServerBye, match="maintenance"):
        driver.feed(b"* BYE maintenance\r\n")
    assert not request.complete


def test_without_last_words_the_connection_ends_after_a_moment(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.engine.send_failed(ConnectionClosed("broken pipe"), driver.now)
    driver.engine.send_failed(ConnectionClosed("again"), driver.now + 0.5)
    assert driver.submit("XPING").tag == b""
    assert driver.take() is None, "nothing further is sent"
    driver.tick(LAST_WORDS / 2)
    assert driver.engine.closed is None
    driver.tick(LAST_WORDS)
    with pytest.raises(ConnectionClosed, match="broken pipe"):
        check(request, driver.engine)


def test_an_answer_among_the_last_words_counts(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.engine.send_failed(ConnectionClosed("broken pipe"), driver.now)
    driver.end(request)
    driver.tick(LAST_WORDS)
    check(request, driver.engine)


# BYE and LOGOUT


def test_bye_is_the_end_unless_a_command_that_ends_the_session_is_in_flight(driver: Driver) -> None:
    with pytest.raises(ServerBye, match="going"):
        driver.feed(b"* BYE going\r\n")
    other = Driver()
    request = other.send("XBYE")
    other.feed(b"* BYE going\r\n")
    other.end(request)
    check(request, other.engine)
    assert other.engine.session.state is State.LOGOUT


def test_a_tagged_bye_is_the_end(driver: Driver) -> None:
    request = driver.send("XPING")
    with pytest.raises(ServerBye, match="bye"):
        driver.end(request, "BYE", "bye")


def test_commands_queued_behind_the_end_of_the_session_are_not_sent(driver: Driver) -> None:
    request, waiting = driver.send("XBYE"), [driver.submit("XPING"), driver.submit("XBYE")]
    driver.end(request)
    assert driver.told() == [*waiting, request]
    assert driver.pump() == b""
    for each in waiting:
        with pytest.raises(ConnectionClosed, match="was not sent: the session has ended"):
            check(each, driver.engine)
    late = driver.submit("XPING")
    driver.pump()
    with pytest.raises(StateError, match="illegal in state LOGOUT"):
        check(late, driver.engine)


def test_a_refused_end_of_the_session_is_none(driver: Driver) -> None:
    request, waiting = driver.send("XBYE"), driver.submit("XPING")
    driver.end(request, "NO")
    assert driver.pump() == waiting.tag + b" XPING\r\n"


# layers


@pytest.mark.parametrize("command", [ZIP, UNZIP], ids=["on", "off"])
def test_a_layer_is_switched_on_or_off_before_anything_behind_the_ok_is_taken_in(driver: Driver, command: Command) -> None:
    request, behind = driver.send(Call(command, (), [b"XZIP"])), driver.submit("XPING")
    assert driver.engine.switching is command
    assert driver.engine.flight.layer_pending
    assert driver.feed(request.tag + b" OK on\r\n") == [request]
    assert (request.phase, driver.engine.effects.done) == (SWITCHING, [])
    assert driver.take() is None
    with pytest.raises(RemoteProtocolError, match="sent more after an OK"):
        driver.feed(b"* 5 EXISTS\r\n")
    driver.engine.delivered()
    driver.engine.switched(request, driver.now)
    assert not driver.engine.flight.layer_pending
    assert driver.told() == [request]
    assert driver.pump() == behind.tag + b" XPING\r\n"


@pytest.mark.parametrize("command", [ZIP, UNZIP], ids=["on", "off"])
def test_a_refused_layer_is_not_switched_on_or_off(driver: Driver, command: Command) -> None:
    request = driver.send(Call(command, (), [b"XZIP"]))
    assert driver.feed(request.tag + b" NO off\r\n") == [None]
    assert (request.phase, driver.engine.flight.layer_pending) == (DONE, False)


def test_a_layer_that_protects_makes_what_was_said_before_it_worthless(driver: Driver) -> None:
    driver.feed(b"* CAPABILITY IMAP4rev1 XFORGED\r\n* 5 EXISTS\r\n")
    request = driver.send(Call(TLS, (), [b"XTLS"]))
    driver.end(request)
    assert driver.engine.session.capabilities is not None
    driver.engine.switched(request, driver.now)
    assert driver.engine.session.capabilities is None
    assert driver.engine.session.secure
    assert driver.engine.store.runs() == []


def test_switching_a_layer_on_after_the_end_is_nothing(driver: Driver) -> None:
    request = in_phase(driver, SWITCHING)
    driver.engine.close(ConnectionClosed("gone"))
    driver.engine.switched(request, driver.now)
    with pytest.raises(ConnectionClosed, match="gone"):
        check(request, driver.engine)


# OK before all is sent


def test_ok_is_fatal_until_the_last_bytes_have_been_taken(driver: Driver) -> None:
    request = in_phase(driver, SENDING)
    driver.feed(b"+ go\r\n")
    with pytest.raises(RemoteProtocolError, match="OK to XPUT before all of it was sent"):
        driver.end(request)
    assert driver.pump() == b"xyz\r\n"
    driver.end(request)
    check(request, driver.engine)


def test_ok_to_a_challenge_is_legal_once_the_command_line_has_been_sent(driver: Driver) -> None:
    request = driver.send(Call(AUTH, (), [b"XAUTH"], reply=lambda challenge: b"r"))
    assert request.sent
    driver.end(request)
    assert request.typ == "OK"


# secrets


def test_a_secret_is_dropped_once_it_has_been_handed_out() -> None:
    driver = Driver(State.NONAUTH)
    request = driver.submit("XENTER", "me", "pass-word")
    assert isinstance(request.call.pieces, Secret)
    out = driver.engine.outgoing(driver.now)
    assert out is not None
    assert b"pass-word" in out.data
    assert out.secret
    assert plain(request.call.pieces) == []
    assert driver.engine.has_secret_in_flight
    driver.end(request, "NO", "pass-word is wrong")
    assert b"pass-word" not in request.text
    assert not driver.engine.has_secret_in_flight


@pytest.mark.parametrize("refused", [False, True])
def test_a_secret_that_is_a_literal_is_dropped_once_all_is_sent_or_refused(refused: bool) -> None:
    driver = Driver(State.ANY)
    request = driver.send(Call(SECRET, ("me", "pass-word"), [b"XAUTH me ", Literal(b"pass-word")]))
    assert plain(request.call.pieces) != []
    if refused:
        driver.end(request, "NO")
    else:
        driver.feed(b"+ go\r\n")
        out = driver.engine.outgoing(driver.now)
        assert out is not None
        assert (out.data, out.secret) == (b"pass-word\r\n", True)
    assert plain(request.call.pieces) == []


def test_a_secret_leaves_alone_so_that_the_trace_can_hide_it() -> None:
    driver = Driver(State.NONAUTH)
    first, secret = driver.submit("XPING"), driver.submit("XENTER", "me", "pass-word")
    out = driver.engine.outgoing(driver.now)
    assert out is not None
    assert (out.data, out.secret) == (first.tag + b" XPING\r\n", False)
    driver.end(first)
    out = driver.engine.outgoing(driver.now)
    assert out is not None
    assert out.data.startswith(secret.tag)
    assert out.secret


def test_an_answer_to_a_challenge_is_hidden_from_then_on() -> None:
    driver = Driver()
    request = driver.send(Call(SECRET, (), [b"XAUTH"], reply=lambda challenge: b"c2VjcmV0LXJlc3BvbnNl"))
    driver.feed(b"+ \r\n")
    driver.engine.answer(request, b"c2VjcmV0LXJlc3BvbnNl", None, driver.now)
    out = driver.engine.outgoing(driver.now)
    assert out is not None
    assert (out.secret, out.answers) == (True, True)
    assert b"c2VjcmV0LXJlc3BvbnNl" not in driver.engine.secrets.hide(b"the server says c2VjcmV0LXJlc3BvbnNl")


def test_no_secret_leaves_without_the_tls_that_was_asked_for() -> None:
    driver = Driver(State.NONAUTH)
    driver.engine.session.awaits_tls = True
    with pytest.raises(StateError, match="would send a secret without TLS"):
        driver.send("XENTER", "me", "pass-word")
    assert driver.pump() == b""


# the bound of what is in flight


def test_no_more_than_the_bound_is_in_flight_and_what_is_queued_leaves_together() -> None:
    driver = Driver(high=10, low=4)
    requests = [driver.submit("XPING") for _ in range(30)]
    assert driver.pump().count(b"\r\n") == 10
    for request in requests[:6]:
        driver.end(request)
        assert driver.take() is None, "while as many as the lower bound are in flight"
    driver.end(requests[6])
    assert driver.engine.in_flight == 3
    out = driver.take()
    assert out is not None
    assert out.count(b"\r\n") == 7, "in one piece"


def test_commands_leave_in_the_order_in_which_they_were_submitted() -> None:
    driver = Driver()
    requests = [driver.submit("XPING") for _ in range(100)]
    driver.pump()
    assert all(one.order < other.order for one, other in pairwise(requests))
    assert list(driver.engine.flight.pending.values()) == requests


def test_the_bytes_that_leave_together_are_bounded() -> None:
    driver = Driver(high=100_000, low=100_000)
    for _ in range(20_000):
        driver.submit("XPING")
    sizes = []
    while (data := driver.take()) is not None:
        sizes.append(len(data))
    assert max(sizes) < TOGETHER + 50
    assert sum(size < TOGETHER for size in sizes) == 1, "all but the last are as large as that"


# what the engine says of itself


def test_the_properties_of_the_engine(driver: Driver) -> None:
    engine = driver.engine
    assert (engine.idle, engine.owed, engine.listens, engine.in_flight, engine.queued) == (True, False, False, 0, 0)
    request = in_phase(driver, LISTENING)
    assert (engine.idle, engine.owed, engine.listens, engine.in_flight) == (False, False, True, 1)
    waiting = driver.submit("XPING")
    assert (engine.listens, engine.queued) == (False, 1)
    driver.pump()
    driver.end(request)
    assert waiting.phase is QUEUED
    driver.pump()
    assert waiting.phase is IN_FLIGHT
    assert engine.is_in_flight(waiting.tag)


def test_the_engine_says_whether_there_is_something_to_send_without_giving_it(driver: Driver) -> None:
    engine = driver.engine
    assert not engine.has_ready
    request = driver.submit(Call(PUT, (), [b"XPUT ", Literal(b"xyz")]))
    assert engine.has_ready
    driver.pump()
    assert not engine.has_ready
    driver.feed(b"+ go\r\n")
    assert engine.has_ready
    driver.pump()
    driver.end(request)
    assert not engine.has_ready


def test_effects_stay_until_they_have_been_delivered(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.end(request)
    assert driver.engine.effects.due
    assert driver.engine.effects.done == driver.engine.effects.done == [request]
    driver.engine.delivered()
    assert (driver.engine.effects.due, driver.engine.effects.done) == (False, [])


def test_the_last_alert_is_part_of_the_reason(driver: Driver) -> None:
    driver.feed(b"* OK [ALERT] disk on fire\r\n")
    reason = ConnectionClosed("gone")
    driver.engine.add_alert(reason)
    assert str(reason) == "gone (the server's last ALERT: disk on fire)"


def test_the_trace_gets_each_command_that_leaves(driver: Driver) -> None:
    one, two = driver.submit("XPING"), driver.submit(Call(PUT, (), [b"XPUT ", Literal(b"xyz")]))
    outs = []
    while (out := driver.engine.outgoing(driver.now)) is not None:
        outs.append(out)
    assert [request for out in outs for request in out.commands] == [one, two]
    assert b"".join(out.data for out in outs) == b"%b XPING\r\n%b XPUT {3}\r\n" % (one.tag, two.tag)
