"""What a command sends and waits for: literals, AUTHENTICATE, IDLE; RFC 3501, 7888, 3516, 4959, 2177."""

from __future__ import annotations

from collections.abc import Callable
from types import GeneratorType

import pytest

from imapkit.core.contract.call import Call
from imapkit.core.engine.exchange import NON_SYNC_MAX, ONE_SEND
from imapkit.core.engine.outcome import check
from imapkit.core.engine.phases import DONE, IN_FLIGHT, LISTENING, SENDING
from imapkit.core.engine.request import Request
from imapkit.core.support.limits import Limits
from imapkit.core.wire.pieces import Late, Literal, Piece
from imapkit.errors import LimitExceeded, RemoteProtocolError
from tests.core.support import Driver
from tests.engine.commands import AUTH, IDLE, PUT


def put(*pieces: Piece) -> Call:
    """A command with these pieces behind its name."""
    return Call(PUT, (), [b"XPUT ", *pieces])


def auth(reply: Callable[[bytes], bytes | None], *more: bytes) -> Call:
    return Call(AUTH, (), [b" ".join((b"XAUTH PLAIN", *more))], reply=reply)


def idle() -> Call:
    return Call(IDLE, (), [b"XIDLE"])


def text(driver: Driver, request: Request) -> bytes:
    """What leaves, its tag replaced by "T"."""
    return driver.pump().replace(request.tag, b"T")


def answer(driver: Driver, request: Request) -> None:
    """Call the function that the command asks for, as its caller's thread does."""
    question = request.question
    assert question is not None
    value: bytes | None = None
    defect: Exception | None = None
    try:
        value = question.function(question.argument)
    except Exception as exc:
        defect = exc
    driver.engine.answer(request, value, defect, driver.now)


# literals


def test_a_literal_waits_for_its_continuation_and_leaves_with_the_rest_of_the_line() -> None:
    driver = Driver()
    request = driver.submit(put(b"(", Literal(b"one"), b") end"))
    assert text(driver, request) == b"T XPUT ({3}\r\n"
    assert (request.phase, request.awaits, request.sent) == (SENDING, "+", False)
    assert driver.engine.halted
    driver.feed(b"+ go\r\n")
    assert request.sent is False, "its last bytes lie ready"
    assert not driver.engine.halted
    assert text(driver, request) == b"one) end\r\n"
    assert (request.phase, request.sent, request.continuation) == (IN_FLIGHT, True, b"go")
    assert not driver.engine.halted
    driver.end(request)
    assert request.typ == "OK"


def test_each_of_several_literals_waits() -> None:
    driver = Driver()
    request = driver.submit(put(Literal(b"a"), b" ", Literal(b""), b" ", Literal(b"ccc")))
    assert text(driver, request) == b"T XPUT {1}\r\n"
    driver.feed(b"+\r\n")
    assert text(driver, request) == b"a {0}\r\n"
    driver.feed(b"+ \r\n")
    assert text(driver, request) == b" {3}\r\n"
    driver.feed(b"+ ok\r\n")
    assert text(driver, request) == b"ccc\r\n"


@pytest.mark.parametrize(
    ("capabilities", "size", "unasked"),
    [
        ([], 1, False),
        (["LITERAL+"], 1, True),
        (["LITERAL+"], NON_SYNC_MAX + 1, True),
        (["LITERAL-"], NON_SYNC_MAX, True),
        (["LITERAL-"], NON_SYNC_MAX + 1, False),
        (["IMAP4rev2"], NON_SYNC_MAX, True),
        (["IMAP4rev2"], NON_SYNC_MAX + 1, False),
        (["IMAP4rev2", "LITERAL+"], NON_SYNC_MAX + 1, True),
    ],
)
def test_a_literal_is_sent_without_plus_where_the_server_allows_it(capabilities: list[str], size: int, unasked: bool) -> None:
    driver = Driver(capabilities=capabilities)
    request = driver.submit(put(Literal(b"x" * size), b" end"))
    if unasked:
        assert text(driver, request) == b"T XPUT {%d+}\r\n%b end\r\n" % (size, b"x" * size)
        assert request.phase is IN_FLIGHT
    else:
        assert text(driver, request) == b"T XPUT {%d}\r\n" % size
        assert request.phase is SENDING


@pytest.mark.parametrize(
    ("capabilities", "announced"),
    [
        ([], b"~{3}\r\n"),
        (["BINARY"], b"~{3}\r\n"),
        (["LITERAL+"], b"~{3}\r\n"),
        (["LITERAL+", "BINARY"], b"~{3+}\r\nx\0y"),
        (["LITERAL-", "BINARY"], b"~{3+}\r\nx\0y"),
        (["IMAP4rev2"], b"~{3}\r\n"),
    ],
)
def test_a_literal8_is_sent_without_plus_only_to_a_server_that_announces_it(capabilities: list[str], announced: bytes) -> None:
    driver = Driver(capabilities=capabilities)
    request = driver.submit(put(Literal(b"x\0y", binary=True)))
    assert text(driver, request).removesuffix(b"\r\n") == b"T XPUT " + announced.removesuffix(b"\r\n")


def test_capabilities_count_as_they_are_when_the_command_is_sent() -> None:
    driver = Driver()
    first = driver.send("XOPEN", "box")
    request = driver.submit(put(Literal(b"x")))
    driver.feed(b"* CAPABILITY IMAP4rev1 LITERAL+\r\n")
    driver.end(first)
    assert text(driver, request) == b"T XPUT {1+}\r\nx\r\n"


@pytest.mark.parametrize("enabled", [False, True])
def test_a_late_piece_gets_its_form_as_it_is_sent(enabled: bool) -> None:
    driver = Driver()
    driver.engine.session.utf8 = enabled
    request = driver.submit(put(Late(off=(b"off ", Literal(b"12")), on=(b"on",)), b" end"))
    if enabled:
        assert text(driver, request) == b"T XPUT on end\r\n"
    else:
        assert text(driver, request) == b"T XPUT off {2}\r\n"
        driver.feed(b"+\r\n")
        assert text(driver, request) == b"12 end\r\n"


@pytest.mark.parametrize("capabilities", [[], ["LITERAL+"]])
def test_a_large_literal_is_not_copied_into_a_line(capabilities: list[str]) -> None:
    driver = Driver(capabilities=capabilities)
    data = b"x" * (ONE_SEND + 1)
    request = driver.submit(put(Literal(data), b" end"))
    begun = driver.take()
    assert begun is not None
    if not capabilities:
        assert driver.take() is None
        driver.feed(b"+ go\r\n")
    assert driver.take() is data
    assert request.sent is False
    assert driver.take() == b" end\r\n"
    assert request.sent
    assert driver.take() is None


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_a_literal_that_is_refused_is_not_sent_and_the_next_command_is(typ: str) -> None:
    driver = Driver()
    request = driver.send(put(Literal(b"xyz"), b" end"))
    behind = driver.submit("XPING")
    assert driver.take() is None
    driver.end(request, typ)
    assert request.typ == typ
    assert text(driver, behind) == b"T XPING\r\n"
    driver.feed(b"+ late\r\n")
    assert driver.take() is None


def test_announced_bytes_leave_though_the_server_has_refused_them() -> None:
    """A literal that goes unasked was announced with its size: the server reads it, RFC 7888 section 4."""
    driver = Driver(capabilities=["LITERAL+"])
    data = b"x" * (ONE_SEND + 1)
    request = driver.submit(put(Literal(data), b" end"))
    behind = driver.submit("XPING")
    driver.take()
    driver.end(request, "NO")
    assert driver.take() is data
    assert driver.take() == b" end\r\n"
    assert text(driver, behind) == b"T XPING\r\n"


def test_a_continuation_that_comes_before_the_announcement_was_taken_settles_nothing() -> None:
    driver = Driver()
    request = driver.submit(put(Literal(b"xyz")))
    first = driver.submit("XPING")
    driver.feed(b"+ early\r\n")
    assert text(driver, request) == b"T XPUT {3}\r\n"
    assert driver.take() is None
    driver.feed(b"+ go\r\n")
    assert driver.pump() == b"xyz\r\n%b XPING\r\n" % first.tag
    assert [defect.what for defect in driver.engine.defects.all()] == ["a continuation request that no command waits for"]


def test_commands_whose_literals_need_no_plus_leave_together_with_their_neighbours() -> None:
    driver = Driver(capabilities=["LITERAL+"])
    requests = [driver.submit("XPING"), driver.submit(put(Literal(b"abc"))), driver.submit("XPING")]
    expected = b"%b XPING\r\n%b XPUT {3+}\r\nabc\r\n%b XPING\r\n"
    assert driver.take() == expected % tuple(request.tag for request in requests)
    assert all(request.phase is IN_FLIGHT for request in requests)


# AUTHENTICATE


def test_challenges_are_answered_by_the_callers_function() -> None:
    driver = Driver()
    asked: list[bytes] = []

    def reply(challenge: bytes) -> bytes:
        asked.append(challenge)
        return b"answer%d" % len(asked)

    request = driver.submit(auth(reply))
    assert text(driver, request) == b"T XAUTH PLAIN\r\n"
    for number, challenge in enumerate((b"", b"second"), 1):
        driver.feed(b"+ " + challenge + b"\r\n")
        assert driver.take() is None, "the caller's thread has not answered"
        assert driver.engine.effects.asks == [request]
        driver.engine.delivered()
        answer(driver, request)
        assert request.question is None
        assert driver.pump() == b"answer%d\r\n" % number
    driver.end(request)
    check(request, driver.engine)
    assert (request.phase, request.typ, asked) == (DONE, "OK", [b"", b"second"])


def test_an_initial_response_needs_no_challenge() -> None:
    driver = Driver()
    request = driver.submit(auth(lambda challenge: b"never", b"="))
    assert text(driver, request) == b"T XAUTH PLAIN =\r\n"
    driver.end(request)
    assert request.typ == "OK"


def test_none_cancels_with_a_star() -> None:
    driver = Driver()
    request = driver.send(auth(lambda challenge: None))
    driver.feed(b"+ challenge\r\n")
    answer(driver, request)
    assert driver.pump() == b"*\r\n"
    driver.end(request, "BAD", "cancelled")
    check(request, driver.engine)
    assert request.typ == "BAD"


def test_an_error_of_the_function_cancels_and_reaches_the_caller_once_the_server_has_said_so() -> None:
    driver = Driver()

    def reply(challenge: bytes) -> bytes:
        raise LookupError("no token")

    request = driver.send(auth(reply))
    driver.feed(b"+ challenge\r\n")
    answer(driver, request)
    assert driver.pump() == b"*\r\n"
    assert not request.complete
    driver.end(request, "BAD", "cancelled")
    with pytest.raises(LookupError, match="no token"):
        check(request, driver.engine)
    assert driver.engine.closed is None


@pytest.mark.parametrize("bad", [b"a\r\nb", b"a\nb", b"\r"])
def test_an_answer_with_a_line_end_cancels(bad: bytes) -> None:
    driver = Driver()
    request = driver.send(auth(lambda challenge: bad))
    driver.feed(b"+ challenge\r\n")
    answer(driver, request)
    assert driver.pump() == b"*\r\n"
    driver.end(request, "BAD")
    with pytest.raises(ValueError, match="CR or LF"):
        check(request, driver.engine)


def test_an_answer_to_no_question_is_not_sent() -> None:
    driver = Driver()
    request = driver.send(auth(lambda challenge: b"secret"))
    driver.engine.answer(request, b"early", None, driver.now)
    assert driver.take() is None
    driver.feed(b"+ challenge\r\n")
    answer(driver, request)
    assert driver.pump() == b"secret\r\n"
    driver.engine.answer(request, b"late", None, driver.now)
    assert driver.take() is None


def test_a_refusal_while_an_answer_lies_ready_ends_the_exchange() -> None:
    driver = Driver()
    request = driver.send(auth(lambda challenge: b"secret"))
    driver.feed(b"+ challenge\r\n")
    answer(driver, request)
    exchange = request.exchange
    assert isinstance(exchange, GeneratorType)
    driver.end(request, "NO")
    assert exchange.gi_frame is None, "and keeps no secret"
    behind = driver.submit("XPING")
    assert driver.take() == b"secret\r\n", "it had been announced to the thread that sends"
    assert text(driver, behind) == b"T XPING\r\n"


def test_the_server_may_refuse_while_the_function_runs() -> None:
    driver = Driver()
    request = driver.send(auth(lambda challenge: b"secret"))
    driver.feed(b"+ challenge\r\n")
    driver.end(request, "NO", "too slow")
    driver.engine.answer(request, b"secret", None, driver.now)
    assert driver.take() is None
    assert request.question is None
    behind = driver.submit("XPING")
    assert text(driver, behind) == b"T XPING\r\n"


def test_a_challenge_before_the_last_answer_was_taken_settles_nothing() -> None:
    driver = Driver()
    request = driver.send(auth(lambda challenge: b"r:" + challenge))
    driver.feed(b"+ one\r\n")
    answer(driver, request)
    driver.feed(b"+ early\r\n")
    assert driver.pump() == b"r:one\r\n"
    assert request.awaits == "+"


def test_a_challenge_while_the_function_runs_settles_nothing() -> None:
    driver = Driver()
    request = driver.send(auth(lambda challenge: b"r:" + challenge))
    driver.feed(b"+ one\r\n")
    driver.feed(b"+ two\r\n")
    assert driver.take() is None
    answer(driver, request)
    assert driver.pump() == b"r:one\r\n"


def test_the_number_of_challenges_is_bounded() -> None:
    driver = Driver(limits=Limits(challenges=3))
    request = driver.send(auth(lambda challenge: b"r"))
    for _ in range(3):
        driver.feed(b"+ again\r\n")
        answer(driver, request)
        driver.pump()
    with pytest.raises(LimitExceeded, match="more than 3 continuation requests"):
        driver.feed(b"+ again\r\n")


def test_an_orphans_question_is_answered_with_a_star() -> None:
    driver = Driver()
    request = driver.send(auth(lambda challenge: b"secret"))
    driver.feed(b"+ challenge\r\n")
    driver.engine.abandon(request, driver.now)
    assert driver.told() == [request]
    assert driver.pump() == b"*\r\n"
    for _ in range(2):
        driver.feed(b"+ once more\r\n")
        assert driver.pump() == b"*\r\n", "and so is any further one"
    driver.end(request, "BAD")
    assert driver.engine.idle
    assert driver.engine.closed is None


# IDLE


def listening(driver: Driver, **fields: float) -> Request:
    request = driver.send(idle(), uid=False, **fields)
    driver.engine.delivered()
    driver.feed(b"+ idling\r\n")
    assert request.phase is LISTENING
    assert driver.engine.effects.asks == [request], "its caller has a nearer moment to wake at"
    driver.engine.delivered()
    return request


def test_news_ends_it() -> None:
    driver = Driver()
    request = listening(driver)
    driver.feed(b"* OK still here\r\n")
    assert driver.take() is None
    driver.feed(b"* 5 EXISTS\r\n")
    assert driver.pump() == b"DONE\r\n"
    driver.end(request)
    assert (request.typ, request.interrupted_by, request.news) == ("OK", "news", True)
    assert driver.told() == [request]


def test_news_before_the_continuation_ends_it_once_the_server_has_accepted_it() -> None:
    driver = Driver()
    request = driver.send(idle())
    driver.feed(b"* 5 EXISTS\r\n")
    assert driver.take() is None
    driver.feed(b"+ idling\r\n")
    assert driver.pump() == b"DONE\r\n"
    driver.end(request)
    assert request.interrupted_by == "news"


def test_another_command_interrupts_it_and_is_sent_once_it_has_ended() -> None:
    driver = Driver()
    request = listening(driver)
    behind = driver.submit("XPING")
    assert driver.pump() == b"DONE\r\n"
    assert driver.submit("XPING").tag == b""
    assert driver.pump() == b"", "one DONE is enough"
    driver.end(request)
    assert request.interrupted_by == "turn"
    assert driver.pump().startswith(behind.tag + b" XPING\r\n")


def test_a_command_that_waits_already_ends_it_as_soon_as_the_server_has_accepted_it() -> None:
    driver = Driver()
    request = driver.send(idle())
    driver.submit("XPING")
    assert driver.pump() == b"", "DONE may not be sent before the continuation, RFC 2177"
    driver.feed(b"+ idling\r\n")
    assert driver.pump() == b"DONE\r\n"
    driver.end(request)
    assert request.interrupted_by == "turn"


def test_its_patience_ends() -> None:
    driver = Driver()
    request = listening(driver, until=20.0)
    assert driver.engine.deadline() == 20.0
    driver.tick(20.0)
    assert driver.pump() == b"DONE\r\n"
    driver.end(request)
    assert request.interrupted_by == "patience"


def test_patience_that_is_over_before_the_continuation_ends_it_then() -> None:
    driver = Driver()
    request = driver.send(idle(), until=2.0)
    driver.tick(2.0)
    assert driver.take() is None
    driver.feed(b"+ idling\r\n")
    assert driver.pump() == b"DONE\r\n"
    driver.end(request)
    assert request.interrupted_by == "patience"


def test_news_between_done_and_the_answer_count() -> None:
    driver = Driver()
    request = listening(driver, until=20.0)
    driver.tick(20.0)
    driver.pump()
    driver.feed(b"* 5 EXISTS\r\n")
    driver.end(request)
    assert (request.news, request.interrupted_by) == (True, "news")
    assert driver.pump() == b""


def test_it_is_renewed_with_a_new_tag_and_goes_on() -> None:
    driver = Driver()
    request = listening(driver, renew=60.0)
    first = request.tag
    for round_ in range(1, 4):
        driver.tick(60.0 * round_)
        assert driver.pump() == b"DONE\r\n"
        driver.end(request)
        assert driver.told() == []
        assert request.tag != first
        assert text(driver, request) == b"T XIDLE\r\n"
        driver.feed(b"+ idling\r\n")
        assert request.phase is LISTENING
        driver.engine.delivered()
    driver.feed(b"* 5 EXISTS\r\n")
    assert driver.pump() == b"DONE\r\n"
    with pytest.raises(RemoteProtocolError, match="not sent"):
        driver.feed(first + b" OK again\r\n")
    driver.end(request)
    assert (request.phase, request.interrupted_by) == (DONE, "news")
    assert driver.engine.idle


@pytest.mark.parametrize("reason", ["turn", "news", "patience", "abandoned"])
def test_any_other_reason_takes_the_place_of_a_renewal(reason: str) -> None:
    driver = Driver()
    request = listening(driver, renew=60.0, until=100.0)
    driver.tick(60.0)
    assert driver.pump() == b"DONE\r\n"
    if reason == "turn":
        driver.submit("XPING")
    elif reason == "news":
        driver.feed(b"* 5 EXISTS\r\n")
    elif reason == "patience":
        driver.tick(100.0)
    else:
        driver.engine.abandon(request, driver.now)
    driver.end(request)
    assert request.phase is DONE
    assert b"XIDLE" not in driver.pump()
    assert driver.engine.queued == 0


def test_a_renewal_that_the_server_refuses_ends_it() -> None:
    driver = Driver()
    request = listening(driver, renew=60.0)
    driver.tick(60.0)
    driver.pump()
    driver.end(request, "NO")
    assert (request.phase, request.typ) == (DONE, "NO")


def test_the_server_ends_it_by_itself() -> None:
    driver = Driver()
    request = listening(driver)
    driver.end(request, "OK", "enough")
    assert (request.phase, request.typ, request.interrupted_by) == (DONE, "OK", "")
    assert driver.take() is None
    behind = driver.submit("XPING")
    assert text(driver, behind) == b"T XPING\r\n"


@pytest.mark.parametrize("why", ["turn", "refresh"])
def test_the_server_ends_it_while_done_is_on_its_way(why: str) -> None:
    driver = Driver()
    request = listening(driver, renew=60.0)
    driver.tick(60.0) if why == "refresh" else driver.engine.interrupt(request, driver.now)
    driver.end(request, "OK", "enough")
    assert (request.phase, request.interrupted_by) == (DONE, "turn")
    assert driver.take() == b"DONE\r\n", "it had been announced to the thread that sends"
    driver.feed(b"DONE BAD what?\r\n")
    assert [defect.what for defect in driver.engine.defects.all()] == ["an answer to the end of a command that had ended"]
    behind = driver.submit("XPING")
    assert text(driver, behind) == b"T XPING\r\n"


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_the_server_refuses_it(typ: str) -> None:
    driver = Driver()
    request = driver.send(idle())
    driver.end(request, typ)
    assert (request.phase, request.typ) == (DONE, typ)
    behind = driver.submit("XPING")
    assert text(driver, behind) == b"T XPING\r\n"


def test_an_interrupt_before_it_is_sent_lets_it_end_at_once() -> None:
    driver = Driver()
    request = driver.submit(idle())
    driver.engine.interrupt(request, driver.now)
    assert text(driver, request) == b"T XIDLE\r\n"
    driver.feed(b"+ idling\r\n")
    assert driver.pump() == b"DONE\r\n"
    driver.end(request)
    assert driver.engine.idle
