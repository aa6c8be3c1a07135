"""Input, by the engine alone: responses in, answers and state out; no socket, no thread."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest

from imapkit.core.contract.call import Call
from imapkit.core.contract.session import Session, State
from imapkit.core.engine.engine import Engine
from imapkit.core.engine.outcome import check
from imapkit.core.engine.phases import DONE
from imapkit.core.support.limits import Limits
from imapkit.core.wire.pieces import Literal
from imapkit.errors import ArgumentError, ConnectionClosed, RemoteProtocolError, ServerBye, StateError, readonly
from tests.core.support import Driver, call, probe_registry

FETCH = probe_registry.commands["XFETCH"]


@pytest.fixture
def driver() -> Driver:
    return Driver()


# tags


def test_tags_have_a_prefix_that_cannot_be_guessed_and_never_repeat() -> None:
    prefixes = {Engine(probe_registry).flight.tag_prefix for _ in range(50)}
    assert len(prefixes) == 50
    assert all(len(prefix) == 6 and prefix.isalpha() and prefix.isupper() for prefix in prefixes)
    driver = Driver()
    tags = []
    for _ in range(100):
        request = driver.send("XPING")
        tags.append(request.tag)
        driver.end(request)
    assert len(set(tags)) == 100
    assert all(tag.startswith(driver.engine.flight.tag_prefix) for tag in tags)


@pytest.mark.parametrize("tag", [b"A1", b"XXXXXX1", b"a.b"])
def test_a_tag_that_was_not_sent_is_fatal(driver: Driver, tag: bytes) -> None:
    driver.send("XPING")
    with pytest.raises(RemoteProtocolError, match="not sent"):
        driver.feed(b"%b OK done\r\n" % tag)


def test_a_tag_is_answered_once(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.end(request)
    with pytest.raises(RemoteProtocolError, match="not sent"):
        driver.end(request)


def test_the_next_tag_cannot_be_answered_in_advance(driver: Driver) -> None:
    request = driver.send("XPING")
    number = int(request.tag[6:])
    with pytest.raises(RemoteProtocolError, match="not sent"):
        driver.feed(b"%b%d OK done\r\n" % (driver.engine.flight.tag_prefix, number + 1))


def test_ok_before_it_was_all_sent_is_fatal(driver: Driver) -> None:
    request = driver.send("XPUT", "a", b"x")
    assert not request.sent
    with pytest.raises(RemoteProtocolError, match="before all of it was sent"):
        driver.end(request)
    assert not request.complete


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_a_refusal_before_it_was_all_sent_is_an_answer(driver: Driver, typ: str) -> None:
    request = driver.send("XPUT", "a", b"x")
    assert not request.sent
    driver.end(request, typ)
    assert request.typ == typ
    assert driver.told() == [request]


# registering


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("XFETCH", State.AUTH),
        ("XFETCH", State.NONAUTH),
        ("XLIST", State.NONAUTH),
        ("XENTER", State.SELECTED),
        ("XPING", State.LOGOUT),
    ],
)
def test_the_wrong_state_is_refused_and_takes_no_tag(name: str, state: State) -> None:
    driver = Driver(state)
    args = ("1", "FLAGS") if name == "XFETCH" else ()
    with pytest.raises(StateError, match=f"{name} illegal in state {state.name}"):
        driver.send(name, *args)
    [request] = driver.told()
    assert (request.tag, request.phase) == (b"", DONE)
    assert driver.engine.idle
    assert driver.engine.flight.sent == 0


def test_before_may_refuse(driver: Driver) -> None:
    with pytest.raises(LookupError, match="own mistake"):
        driver.send("XBADBEFORE")
    assert not driver.engine.in_flight


def test_read_only_news_refuse_one_command(driver: Driver) -> None:
    driver.engine.session.readonly_news = "changed"
    with pytest.raises(readonly, match="changed"):
        driver.send("XPING")
    driver.end(driver.send("XPING"))


def test_a_command_may_empty_the_store(driver: Driver) -> None:
    driver.feed(b"* 3 EXISTS\r\n")
    request = driver.send("XOPEN", "box")
    assert driver.engine.store.runs() == []
    driver.feed(b"* 5 EXISTS\r\n")
    driver.end(request)
    driver.end(driver.send("XPING"))
    assert driver.engine.store.runs() == [["EXISTS", [b"5"]]], "the next command leaves it alone"
    assert driver.engine.session.mailbox == "box"


@pytest.mark.parametrize("end", ["given up", "late", "refused", "the connection ends"])
def test_a_command_that_is_not_sent_empties_nothing(driver: Driver, end: str) -> None:
    driver.feed(b"* 3 EXISTS\r\n")
    before = driver.send("XPING")
    request = driver.submit("XOPEN", "box", limit=5.0)
    if end == "given up":
        driver.engine.abandon(request, driver.now)
    elif end == "late":
        request.hard = False
        driver.tick(6.0)
    elif end == "refused":
        driver.engine.session.enter(State.NONAUTH)
    else:
        driver.engine.close(ConnectionClosed("enough"))
    driver.end(before)
    driver.pump()
    assert request.released
    assert not request.tag
    assert driver.engine.store.runs() == [["EXISTS", [b"3"]]]


def test_a_command_that_refuses_itself_empties_nothing_then_or_later(driver: Driver) -> None:
    def refuse(session: Session, args: tuple[Any, ...]) -> None:
        session.flush = True
        raise StateError("not now")

    driver.feed(b"* 3 EXISTS\r\n")
    refused = replace(call("XOPEN", "box").command, before=refuse)
    with pytest.raises(StateError, match="not now"):
        driver.send(Call(refused, ("box",), [b"XOPEN box"]))
    driver.end(driver.send("XPING"))
    assert driver.engine.store.runs() == [["EXISTS", [b"3"]]]


@pytest.mark.parametrize("whole", [True, False])
def test_a_command_without_an_answer_gives_back_what_it_has_emptied(driver: Driver, whole: bool) -> None:
    """Interrupted as it is half sent, or unanswered at the end: the client cannot say that another mailbox is selected."""
    driver.feed(b"* 3 EXISTS\r\n")
    wanted = call("XOPEN", "box")
    request = driver.send(wanted if whole else Call(wanted.command, ("box",), [b"XOPEN ", Literal(b"box")]))
    assert request.sent is whole
    driver.feed(b"* 5 EXISTS\r\n")
    if whole:
        driver.engine.close(ConnectionClosed("enough"))
    else:
        driver.engine.abandon(request, driver.now)
    assert driver.engine.closed is not None
    assert driver.engine.store.runs() == [["EXISTS", [b"3", b"5"]]]


def test_arguments_are_refused_before_there_is_a_request() -> None:
    with pytest.raises(ArgumentError):
        call("XENTER", "me\r\n", "x")


# attribution


def test_each_gets_its_own_by_number(driver: Driver) -> None:
    one, two = driver.send("XFETCH", "1", "FLAGS"), driver.send("XFETCH", "2:4", "FLAGS")
    driver.feed(b"* 3 FETCH (FLAGS (a))\r\n* 1 FETCH (FLAGS (b))\r\n* 2 FETCH (FLAGS (c))\r\n")
    assert driver.data(one) == [b"1 (FLAGS (b))"]
    assert driver.data(two) == [b"3 (FLAGS (a))", b"2 (FLAGS (c))"]


def test_unasked_responses_are_kept_in_the_store(driver: Driver) -> None:
    request = driver.send("XFETCH", "1", "FLAGS")
    driver.feed(b"* 9 FETCH (FLAGS ())\r\n* 1 FETCH (FLAGS ())\r\n* 5 EXISTS\r\n* 2 EXPUNGE\r\n* OK Still here\r\n")
    driver.end(request)
    assert driver.data(request) == [b"1 (FLAGS ())"]
    assert driver.engine.store.runs() == [
        ["FETCH", [b"9 (FLAGS ())"]],
        ["EXISTS", [b"5"]],
        ["EXPUNGE", [b"2"]],
        ["OK", [b"Still here"]],
    ]


def test_data_of_a_command_that_is_done_is_not_its_own_any_more(driver: Driver) -> None:
    request = driver.send("XFETCH", "1", "FLAGS")
    driver.end(request)
    driver.feed(b"* 1 FETCH (FLAGS ())\r\n")
    assert driver.data(request) == []
    assert driver.engine.store.take("FETCH") == [b"1 (FLAGS ())"]


def test_data_of_a_command_that_is_not_all_sent_is_not_its_own_yet(driver: Driver) -> None:
    request = driver.send(Call(FETCH, ("1",), [b"XFETCH 1 ", Literal(b"FLAGS")]))
    driver.feed(b"* 1 FETCH (FLAGS (old))\r\n+ go\r\n")
    assert driver.pump() == b"FLAGS\r\n"
    driver.feed(b"* 1 FETCH (FLAGS (new))\r\n")
    assert driver.data(request) == [b"1 (FLAGS (new))"]
    assert driver.engine.store.take("FETCH") == [b"1 (FLAGS (old))"]


def test_by_uid(driver: Driver) -> None:
    one, two = driver.send("XFETCH", "7", "FLAGS", uid=True), driver.send("XFETCH", "8", "FLAGS", uid=True)
    driver.feed(b"* 2 FETCH (UID 8)\r\n* 1 FETCH (UID 7)\r\n* 3 FETCH (FLAGS ())\r\n")
    assert driver.data(one) == [b"1 (UID 7)"]
    assert driver.data(two) == [b"2 (UID 8)"]
    assert driver.engine.store.take("FETCH") == [b"3 (FLAGS ())"]


def test_by_mailbox(driver: Driver) -> None:
    requests = {name: driver.send("XSTATUS", name) for name in "abc"}
    for name in "cab":
        driver.feed(b"* STATUS %b (MESSAGES 1)\r\n" % name.encode())
    assert {name: driver.data(request) for name, request in requests.items()} == {
        name: [name.encode() + b" (MESSAGES 1)"] for name in "abc"
    }


def test_perhaps_is_better_than_no_and_worse_than_yes(driver: Driver) -> None:
    request = driver.send("XFETCH", "5:*", "FLAGS")
    driver.feed(b"* 4 FETCH (FLAGS ())\r\n")
    assert driver.data(request) == [b"4 (FLAGS ())"], "5:* is 4:5 in a mailbox of 4 (RFC 3501 section 9)"


def test_a_literal_comes_in_imaplibs_shape(driver: Driver) -> None:
    request = driver.send("XFETCH", "1", "BODY[]")
    driver.feed(b"* 1 FETCH (BODY[] {5}\r\n* 2 F FLAGS ())\r\n")
    assert driver.data(request) == [(b"1 (BODY[] {5}", b"* 2 F"), b" FLAGS ())"]


def test_random_orders(rng: random.Random) -> None:
    for _ in range(30):
        driver = Driver()
        numbers = list(range(1, 21))
        rng.shuffle(numbers)
        requests = {number: driver.send("XFETCH", str(number), "FLAGS") for number in numbers}
        lines = [b"* %d FETCH (FLAGS (k%d))\r\n" % (number, number) for number in numbers]
        lines += [b"* %d FETCH (FLAGS (new))\r\n" % number for number in range(21, 30)]
        rng.shuffle(lines)
        driver.feed(b"".join(lines))
        rng.shuffle(numbers)
        for number in numbers:
            driver.end(requests[number])
            assert driver.data(requests[number]) == [b"%d (FLAGS (k%d))" % (number, number)]
        assert len(driver.engine.store.take("FETCH")) == 9


# continuations


@pytest.mark.parametrize(
    "line", [b"* 5 EXISTS\r\n", b"* OK hello\r\n", b"* NO careful\r\n", b"* BAD you\r\n", b"* 1 FETCH (UID 1)\r\n"]
)
def test_only_plus_or_its_own_tag_settles_a_continuation(driver: Driver, line: bytes) -> None:
    other = driver.send("XFETCH", "1", "FLAGS")
    request = driver.send("XPUT", "a", b"x")
    driver.feed(line)
    driver.end(other)
    assert request.awaits == "+"
    assert driver.take() is None
    assert not request.complete
    driver.feed(b"+ go\r\n")
    assert request.continuation == b"go"
    assert driver.pump() == b"x\r\n"


def test_a_plus_that_no_command_waits_for_changes_nothing(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.feed(b"+ what?\r\n+\r\n")
    driver.end(request)
    assert request.typ == "OK"


# response codes and states


def test_a_code_is_stored_under_its_own_name(driver: Driver) -> None:
    driver.feed(b"* OK [UIDVALIDITY 7] valid\r\n* NO [ALERT] disk full\r\n")
    request = driver.send("XPING")
    driver.end(request, "NO", "[TRYCREATE] no such mailbox")
    store = driver.engine.store
    assert store.take("UIDVALIDITY") == [b"7"]
    assert store.take("ALERT") == [b""]
    assert store.take("TRYCREATE") == [b""]
    assert store.take("OK") == [b"[UIDVALIDITY 7] valid"]


def test_capabilities_from_a_response_and_from_a_code(driver: Driver) -> None:
    session = driver.engine.session
    driver.feed(b"* CAPABILITY IMAP4rev1 XA\r\n")
    assert session.capabilities == ("IMAP4REV1", "XA")
    driver.end(driver.send("XPING"), "OK", "[CAPABILITY IMAP4rev1 XB] done")
    assert session.capabilities == ("IMAP4REV1", "XB")


def test_text_that_is_no_code(driver: Driver) -> None:
    driver.feed(b"* OK CAPABILITY X\r\n* OK see [CAPABILITY X]\r\n* OK [\r\n* OK []\r\n")
    assert driver.engine.session.capabilities is None


@pytest.mark.parametrize(("typ", "state"), [("OK", State.AUTH), ("NO", State.NONAUTH), ("BAD", State.NONAUTH)])
def test_done_changes_the_state_as_the_tagged_response_comes(typ: str, state: State) -> None:
    driver = Driver(State.NONAUTH)
    driver.end(driver.send("XENTER", "me", "secret"), typ)
    assert driver.engine.session.state is state


# greetings


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (b"* OK hi\r\n", State.NONAUTH),
        (b"* PREAUTH hi\r\n", State.AUTH),
        (b"* ok hi\r\n", State.NONAUTH),
        (b"* OK\r\n", State.NONAUTH),
    ],
)
def test_greetings(line: bytes, state: State) -> None:
    driver = Driver(greet=False)
    driver.feed(line)
    assert driver.engine.session.state is state
    assert driver.engine.welcome is not None
    assert driver.engine.welcome.lower().split() == line.lower().split()


@pytest.mark.parametrize("kind", [b"OK", b"PREAUTH"])
def test_capabilities_in_the_greeting(kind: bytes) -> None:
    driver = Driver(greet=False)
    driver.feed(b"* %b [CAPABILITY IMAP4rev1 XA] hi\r\n" % kind)
    assert driver.engine.session.capabilities == ("IMAP4REV1", "XA")
    assert driver.engine.store.take("CAPABILITY") == [b"IMAP4rev1 XA"]


@pytest.mark.parametrize("line", [b"* NO hi\r\n", b"* BAD hi\r\n", b"* 1 EXISTS\r\n", b"* HELLO\r\n"])
def test_no_greeting(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="unrecognised server welcome"):
        Driver(greet=False).feed(line)


def test_bye_instead_of_a_greeting_is_the_reason() -> None:
    with pytest.raises(ServerBye, match="too many of you"):
        Driver(greet=False).feed(b"* BYE too many of you\r\n")


# the end


def test_bye_is_the_end(driver: Driver) -> None:
    driver.send("XPING")
    with pytest.raises(ServerBye, match="going down"):
        driver.feed(b"* BYE going down\r\n")


def test_bye_is_the_answer_to_a_command_that_ends_the_session(driver: Driver) -> None:
    request = driver.send("XBYE")
    driver.feed(b"* BYE bye\r\n")
    driver.end(request)
    assert request.typ == "OK"


def test_close_fails_every_command_once_with_a_copy_of_the_reason(driver: Driver) -> None:
    flying = [driver.send("XPING") for _ in range(100)]
    writer, waiting = driver.send("XPUT", "a", b"x"), driver.send("XPING")
    assert waiting.tag == b""
    reason = ConnectionClosed("gone")
    driver.engine.close(reason)
    driver.engine.close(ConnectionClosed("again"))
    assert driver.engine.closed is reason
    assert driver.told() == [*flying, writer, waiting]
    assert driver.engine.session.state is State.SELECTED
    raised = []
    for request in [*flying, writer, waiting]:
        with pytest.raises(ConnectionClosed, match=r"\Agone\Z") as caught:
            check(request, driver.engine)
        raised.append(caught.value)
    assert len(set(map(id, raised))) == len(raised)
    assert all(exc.__cause__ is reason for exc in raised)


def test_an_answer_that_came_is_not_taken_back(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.end(request)
    driver.engine.close(ConnectionClosed("gone"))
    check(request, driver.engine)
    assert request.typ == "OK"


# plugins that go wrong


def test_an_error_of_done_reaches_its_caller(driver: Driver) -> None:
    request = driver.send("XBADDONE")
    driver.end(request)
    with pytest.raises(LookupError, match="own mistake"):
        check(request, driver.engine)


def test_an_error_of_matches_reaches_its_caller_and_the_data_is_kept(driver: Driver) -> None:
    request = driver.send("XBADMATCH")
    driver.feed(b"* XBAD 1\r\n")
    driver.end(request)
    assert driver.engine.store.take("XBAD") == [b"1"]
    with pytest.raises(LookupError, match="own mistake"):
        check(request, driver.engine)


def test_an_error_of_apply_ends_no_command(driver: Driver) -> None:
    request = driver.send("XPING")
    driver.feed(b"* XBROKEN 1\r\n* OK [XBROKEN 2] hm\r\n")
    driver.end(request)
    check(request, driver.engine)
    assert driver.engine.store.take("XBROKEN") == [b"1", b"2"]


# malformed lines


@pytest.mark.parametrize(
    "line", [b"* XUNKNOWN (a b)\r\n", b"*\r\n", b"* \r\n", b"\r\n", b"* 5 XWHAT\r\n", b"* OK\r\n", b"* (x)\r\n"]
)
def test_an_unknown_line_is_kept(driver: Driver, line: bytes) -> None:
    request = driver.send("XPING")
    driver.feed(line)
    driver.end(request)
    assert request.typ == "OK"
    assert len(driver.engine.store.runs()) == 1


@pytest.mark.parametrize("form", ["{} OK", "{} ok done", "{}  OK done", "{} OK see {{5}}", "{} OK [X] y", "{} Ok  "])
def test_tagged_lines_of_all_kinds(driver: Driver, form: str) -> None:
    request = driver.send("XPING")
    driver.feed(form.format(request.tag.decode()).encode() + b"\r\n")
    assert request.typ == "OK"


def test_the_store_is_bounded() -> None:
    driver = Driver(limits=Limits(stored=10))
    driver.feed(b"* 1 EXPUNGE\r\n" * 1000)
    assert driver.engine.store.take("EXPUNGE") == [b"1"] * 10
    assert driver.engine.store.dropped == 990


def test_literals_are_pieces_of_the_call() -> None:
    assert call("XPUT", "a", b"x\n").pieces == [b"XPUT a ", Literal(b"x\r\n")]


def test_segmentation_does_not_matter(driver: Driver) -> None:
    stream = b"* 1 FETCH (BODY[] {3}\r\nabc)\r\n* 2 EXISTS\r\n"
    for size in range(1, len(stream) + 1):
        request = driver.send("XFETCH", "1", "BODY[]")
        for start in itertools.count(0, size):
            if start >= len(stream):
                break
            driver.feed(stream[start : start + size])
        driver.end(request)
        assert driver.data(request) == [(b"1 (BODY[] {3}", b"abc"), b")"]
    assert driver.engine.store.take("EXISTS") == [b"2"] * len(stream)
