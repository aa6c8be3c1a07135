"""The owner of a response that names its subject in another form than the command did, or not at all."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace
from typing import Any

import pytest

import imapkit
from imapkit.core.contract.call import Call
from imapkit.core.contract.calls import make_call
from imapkit.core.contract.session import Session
from imapkit.core.engine import outcome
from imapkit.core.engine.attribution import Attribution
from imapkit.core.engine.request import Request
from imapkit.core.wire.response import Run, Untagged
from imapkit.errors import BadResponse, ConnectionClosed
from imapkit.ext.rev1 import arguments
from imapkit.ext.rev1.fetch import fetch_uid
from imapkit.plugin import NumberSet
from imapkit.testing import Conversation, ReceivedCommand, answering, at_once, crossed, refusing, rejecting
from tests.core.rig import selected
from tests.core.support import Driver, call, probe_registry
from tests.core.test_linear import assert_linear
from tests.engine.commands import IDLE

BODY = b"* 7 FETCH (BODY[] {4}\r\nmail)\r\n"
MAIL = [(b"7 (BODY[] {4}", b"mail"), b")"]


@pytest.fixture
def driver() -> Driver:
    return Driver()


def noted(driver: Driver) -> list[str]:
    return [defect.what for defect in driver.engine.defects.all()]


# by the engine alone


@pytest.mark.parametrize("verdict", ["perhaps", "else"])
def test_a_response_that_can_only_answer_one_command_is_its_answer(driver: Driver, verdict: str) -> None:
    one, other = driver.send("XABOUT", "a"), driver.send("XABOUT", "b")
    driver.feed(b"* ABOUT a=%b\r\n" % verdict.encode())
    driver.end(one)
    assert driver.data(one) == [b"a=" + verdict.encode()]
    driver.end(other)
    assert driver.data(other) == []
    assert driver.engine.store.take("ABOUT") == []
    assert len(noted(driver)) == 1, "the doubtful owner is noted"
    assert ("ABOUT: probably not what XABOUT asked for" if verdict == "perhaps" else "a and nothing else") in noted(driver)[0]


@pytest.mark.parametrize("better", [b"* ABOUT a=yes\r\n* ABOUT a=else x=no\r\n", b"* ABOUT a=else x=no\r\n* ABOUT a=yes\r\n"])
def test_it_gives_way_to_a_certain_answer_before_or_behind_it(driver: Driver, better: bytes) -> None:
    request = driver.send("XABOUT", "a")
    driver.feed(better)
    driver.end(request)
    assert driver.data(request) == [b"a=yes"]
    assert driver.engine.store.take("ABOUT") == [b"a=else x=no"], "as an unasked response"
    assert noted(driver) == []


def test_a_likely_subject_goes_before_one_that_is_only_possible(driver: Driver) -> None:
    one, other = driver.send("XABOUT", "a"), driver.send("XABOUT", "b")
    driver.feed(b"* ABOUT a=else b=perhaps\r\n")
    driver.end(one)
    driver.end(other)
    assert driver.data(one) == []
    assert driver.data(other) == [b"a=else b=perhaps"]


@pytest.mark.parametrize("verdict", [b"perhaps", b"else"])
def test_a_response_that_may_answer_several_commands_is_given_to_none_and_noted(driver: Driver, verdict: bytes) -> None:
    one, other = driver.send("XABOUT", "a"), driver.send("XABOUT", "b")
    driver.feed(b"* ABOUT a=%b b=%b\r\n" % (verdict, verdict))
    driver.end(one)
    driver.end(other)
    assert driver.data(one) == driver.data(other) == []
    assert len(driver.engine.store.take("ABOUT")) == 1
    assert noted(driver) == ["ABOUT: it may answer more than one command in flight, and is kept for response()"]


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_a_refused_command_has_no_doubtful_answer(driver: Driver, typ: str) -> None:
    request = driver.send("XABOUT", "a")
    driver.feed(b"* ABOUT a=else\r\n")
    driver.end(request, typ)
    assert driver.data(request) == []
    assert driver.engine.store.take("ABOUT") == [b"a=else"]
    assert noted(driver) == []


def test_a_doubtful_answer_has_come_all_the_same_when_the_connection_ends(driver: Driver) -> None:
    request = driver.send("XABOUT", "a")
    driver.feed(b"* ABOUT a=else\r\n* ABOUT a=yes\r\n")
    driver.engine.close(ConnectionClosed("gone"))
    assert [piece.data() for piece in request.came] == [[b"a=yes"], [b"a=else"]]
    assert driver.engine.store.take("ABOUT") == [b"a=yes", b"a=else"]


def test_a_doubtful_answer_is_counted_as_any_other() -> None:
    driver = Driver(limits=imapkit.Limits(answers=3))
    driver.send("XABOUT", "a")
    driver.feed(b"* ABOUT a=else\r\n" * 3)
    with pytest.raises(imapkit.LimitExceeded, match="more than 3 responses"):
        driver.feed(b"* ABOUT a=else\r\n")


def test_random_verdicts_lose_nothing_and_give_no_command_an_answer_that_is_certainly_anothers() -> None:
    rng = random.Random(3501)
    for _ in range(300):
        driver = Driver()
        requests = {name: driver.send("XABOUT", name) for name in "abc"[: rng.randint(1, 3)]}
        sent = []
        for _ in range(rng.randint(0, 4)):
            words = [f"{name}={rng.choice(['yes', 'perhaps', 'else', 'no'])}" for name in requests]
            sent.append(" ".join(words).encode())
            driver.feed(b"* ABOUT %b\r\n" % sent[-1])
        for request in requests.values():
            driver.end(request, rng.choice(["OK", "OK", "NO"]))
        given = {name: driver.data(request) for name, request in requests.items()}
        for name, rows in given.items():
            assert not any(f"{name}=no".encode() in row for row in rows)
        refused = [row for name, rows in given.items() if requests[name].typ == "NO" for row in rows]
        everywhere = [row for rows in given.values() for row in rows] + driver.engine.store.take("ABOUT")
        assert sorted(everywhere) == sorted(sent + refused)


# what one call alone awaits


def with_results(name: str, *args: Any, result: tuple[str, ...], uid: bool = False, **fields: Any) -> Call:
    """The call, of a command with other ``fields``, which awaits the responses of ``result``."""
    plain = call(name, *args, uid=uid)
    return Call(replace(plain.command, **fields), plain.args, plain.pieces, uid=uid, result=result)


def test_a_response_of_a_name_that_the_call_adds_is_its_answer_and_no_subject_is_compared(driver: Driver) -> None:
    request = driver.send(with_results("XFETCH", "5:9", "FLAGS", uid=True, result=("FETCH", "VANISHED")))
    driver.feed(b"* VANISHED (EARLIER) 41\r\n* 7 FETCH (UID 77)\r\n* 1 FETCH (UID 6)\r\n")
    driver.end(request)
    assert driver.data(request) == [b"(EARLIER) 41", b"1 (UID 6)"]
    assert driver.engine.store.take("FETCH") == [b"7 (UID 77)"], "its own names are compared as always"
    assert noted(driver) == []


def test_a_call_gets_none_of_the_responses_that_its_command_would_await(driver: Driver) -> None:
    request = driver.send(with_results("XFETCH", "5:9", "FLAGS", result=("UIDFETCH",)))
    driver.feed(b"* 6 FETCH (FLAGS ())\r\n* 6 UIDFETCH (FLAGS ())\r\n")
    driver.end(request)
    assert driver.data(request) == [b"6 (FLAGS ())"]
    assert driver.engine.store.take("FETCH") == [b"6 (FLAGS ())"]


def test_the_result_of_a_call_has_what_it_awaits(driver: Driver) -> None:
    request = driver.send(with_results("XPING", result=("LIST", "STATUS")))
    driver.feed(b"* LIST () NIL a\r\n* STATUS a (MESSAGES 1)\r\n")
    driver.end(request)
    assert outcome.result(request, driver.engine)[1] == [b"() NIL a", b"a (MESSAGES 1)"]


def test_a_call_that_awaits_nothing_has_the_text_for_its_result(driver: Driver) -> None:
    request = driver.send(with_results("XLIST", result=()))
    driver.feed(b"* LIST () NIL a\r\n")
    driver.end(request)
    assert outcome.result(request, driver.engine) == ("OK", [b"done"])
    assert driver.engine.store.take("LIST") == [b"() NIL a"]


def test_a_run_of_a_name_that_the_call_adds_is_taken_without_a_question(driver: Driver) -> None:
    def raises(about: Any, run: Run) -> bool:
        raise LookupError("asked about a response that is not its command's")

    request = driver.send(with_results("XFETCH", "5:9", "FLAGS", result=("FETCH", "ROW"), matches_all=raises))
    driver.engine.receive([Run("ROW", [(b"1", b"(a)"), (b"2", b"(b)")])], 0)
    driver.end(request)
    assert driver.data(request) == [b"1 (a)", b"2 (b)"]
    assert request.defect is None


def test_a_call_is_made_with_the_responses_that_it_awaits() -> None:
    commands, session = probe_registry.commands, Session()
    assert make_call(commands, session, "XPING", ()).result == ()
    made = make_call(commands, session, "XABOUT", ("a",), result=("ABOUT", "MORE"))
    assert (made.result, made.added, made.about) == (("ABOUT", "MORE"), ("MORE",), "a")
    assert make_call(commands, session, "XUNKNOWN", (), result=("ROW",)).result == ("ROW",)


# many responses at once


def test_many_responses_are_given_at_once_to_the_only_command_that_awaits_them_and_has_been_sent(driver: Driver) -> None:
    engine = driver.engine
    assert engine.sole_owner("FETCH") is None
    request = driver.submit("XFETCH", "1:9", "FLAGS")
    assert engine.sole_owner("FETCH") is None, "it has not been sent"
    driver.pump()
    assert engine.sole_owner("FETCH") is request
    assert engine.sole_owner("LIST") is None
    other = driver.send("XFETCH", "10", "FLAGS")
    assert engine.sole_owner("FETCH") is None
    driver.end(other)
    assert engine.sole_owner("FETCH") is request
    driver.end(request)
    assert engine.sole_owner("FETCH") is None


@pytest.mark.parametrize("name", ["OK", "NO", "BAD", "BYE", "CAPABILITY"])
def test_responses_that_mean_something_by_themselves_are_looked_at_one_by_one(driver: Driver, name: str) -> None:
    command = replace(probe_registry.commands["XPING"], result=(name,))
    driver.send(Call(command, (), [b"XPING"]))
    assert driver.engine.sole_owner(name) is None


def test_news_for_a_command_that_listens_are_looked_at_one_by_one(driver: Driver) -> None:
    driver.send(Call(replace(IDLE, result=("EXISTS",)), (), [b"XIDLE"]))
    assert driver.engine.sole_owner("EXISTS") is None


# a UID is read once a row


def test_a_uid_is_read_once_for_each_response_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Untagged] = []

    def counting(response: Untagged) -> int | None:
        read.append(response)
        return fetch_uid(response)

    monkeypatch.setattr("imapkit.ext.rev1.arguments.fetch_uid", counting)
    response = Untagged("FETCH", 1, (b'(ENVELOPE ("x") UID 500)',))
    verdicts = [arguments.is_about_messages(NumberSet(str(uid), uid=True), response) for uid in range(1, 501)]
    assert verdicts == [False] * 499 + [True]
    assert read == [response]
    response.drop()
    assert arguments.is_about_messages(NumberSet("500", uid=True), response) is True
    assert len(read) == 2, "and nothing is kept once it is known whose answer it is"


def test_values_read_of_a_response_are_forgotten_once_it_has_an_owner() -> None:
    attribution = Attribution()
    request = Request(call("XABOUT", "a"))
    attribution.expect(request)
    request.sent = True
    response = Untagged("ABOUT", None, (b"a=yes",))

    def judge(_: Request, matches: Any, about: Any, response: Untagged) -> Any:
        response.once(len)
        return matches(about, response)

    assert attribution.find(response, judge) == (request, "", False)
    assert response._found is None


def test_bytes_times_pending_commands_is_not_what_a_row_costs() -> None:
    """A row of n bytes, and n / 100 commands: that was quadratic."""

    def run(count: int) -> None:
        sets = [NumberSet(str(uid), uid=True) for uid in range(1, count // 100)]
        row = Untagged("FETCH", 1, (b"(ENVELOPE (" + b"NIL " * count + b"NIL) UID 4294967295)",))
        assert not any(arguments.is_about_messages(one, row) for one in sets)

    assert_linear(run)


# by real commands


@pytest.mark.parametrize(
    ("rows", "data"),
    [
        (BODY, MAIL),
        (b"* 7 FETCH (UID 0 BODY[] {4}\r\nmail)\r\n", [(b"7 (UID 0 BODY[] {4}", b"mail"), b")"]),
        (b"* 7 FETCH (ENVELOPE (NIL UID 9)\r\n", [b"7 (ENVELOPE (NIL UID 9)"]),
        (b"* 7 FETCH (BODY[TEXT] NIL UID)\r\n", [b"7 (BODY[TEXT] NIL UID)"]),
        (b"* 7 FETCH (UID 9 RFC822.SIZE 4)\r\n" + BODY, [b"7 (UID 9 RFC822.SIZE 4)", *MAIL]),
        (BODY * 40, MAIL * 40),
    ],
)
def test_a_row_without_a_uid_that_can_be_read_is_the_uid_commands(rows: bytes, data: list[Any]) -> None:
    with selected({"UID FETCH": answering(rows)}) as (client, _):
        assert client.uid("FETCH", "9", "(UID BODY[])") == ("OK", data)
        assert client.response("FETCH") == ("FETCH", [None])
        assert {defect.what for defect in client.defects} == {"FETCH: no UID can be read in the answer to a UID command"}


def test_store_by_uid_with_more_than_flags_and_no_uid() -> None:
    with selected({"UID STORE": answering(b"* 7 FETCH (FLAGS (a) RFC822.SIZE 4)\r\n")}) as (client, _):
        assert client.uid("STORE", "9", "+FLAGS", "a") == ("OK", [b"7 (FLAGS (a) RFC822.SIZE 4)"])
        assert len(client.defects) == 1


@pytest.mark.parametrize("items", [b"(FLAGS (\\Seen))", b"(MODSEQ (65402) FLAGS (\\Seen))"])
def test_flags_alone_without_a_uid_are_another_clients_news(items: bytes) -> None:
    with selected({"UID FETCH": answering(b"* 7 FETCH " + items + b"\r\n")}) as (client, _):
        assert client.uid("FETCH", "9", "BODY[]") == ("OK", [None])
        assert client.response("FETCH") == ("FETCH", [b"7 " + items])
        assert client.defects == ()


def test_a_row_without_a_uid_while_two_uid_commands_are_in_flight_is_neithers() -> None:
    row = b"* 9 FETCH (UID 19 RFC822.SIZE 1)\r\n"
    handler = crossed({b"17 (BODY[])": BODY, b"19 (BODY[])": row})
    with selected({"UID FETCH": handler}) as (client, _):
        one, other = at_once(lambda: client.uid("FETCH", 17, "(BODY[])"), lambda: client.uid("FETCH", 19, "(BODY[])"))
        assert (one, other) == (("OK", [None]), ("OK", [b"9 (UID 19 RFC822.SIZE 1)"]))
        assert client.response("FETCH") == ("FETCH", MAIL)
        assert [defect.what for defect in client.defects] == [
            "FETCH: it may answer more than one command in flight, and is kept for response()"
        ]


NAMES = [
    (r"INBOX\Sub", rb'"INBOX\Sub"'),
    ("Sub", b"INBOX.Sub"),
    ("INBOX.Sub", b"Sub"),
    ("Entw\u00fcrfe", '"Entwu\u0308rfe"'.encode()),
    ("Entwu\u0308rfe", b'"Entw&APw-rfe"'),
    ("foo", b"foo/"),
    ("foo", b'"foo'),
    ("My Folder", b"My Folder"),
    ("INBOX", b"user.tester"),
    ("one", b"quite-another"),
]


@pytest.mark.parametrize(("asked", "name"), NAMES)
def test_status_of_a_mailbox_whose_name_is_written_in_another_way(asked: str, name: bytes) -> None:
    with selected({"STATUS": answering(b"* STATUS " + name + b" (MESSAGES 3 MAILBOXID (F1))\r\n")}) as (client, _):
        assert client.status(asked, "(MESSAGES)") == ("OK", [name + b" (MESSAGES 3 MAILBOXID (F1))"])
        assert client.response("STATUS") == ("STATUS", [None])


@pytest.mark.parametrize(("asked", "name"), NAMES)
@pytest.mark.parametrize(
    ("command", "response", "behind", "families"),
    [
        ("getacl", b"ACL", b" me lr", "acl"),
        ("myrights", b"MYRIGHTS", b" lr", "acl"),
        ("getquota", b"QUOTA", b" (STORAGE 1 2)", "quota"),
    ],
)
def test_rights_and_quotas_likewise(asked: str, name: bytes, command: str, response: bytes, behind: bytes, families: str) -> None:
    handlers = {command.upper(): answering(b"* " + response + b" " + name + behind + b"\r\n")}
    with selected(handlers, families=["rev1", families]) as (client, _):
        assert getattr(client, command)(asked) == ("OK", [name + behind])
        assert client.response(response.decode()) == (response.decode(), [None])


@pytest.mark.parametrize(("asked", "name"), [pair for pair in NAMES if pair[1] not in (b'"foo', b"My Folder")])
def test_annotations_likewise(asked: str, name: bytes) -> None:
    answer = name + b' "/comment" ("value.shared" "x")'
    with selected({"GETANNOTATION": answering(b"* ANNOTATION " + answer + b"\r\n")}, families=["rev1", "annotation"]) as (
        client,
        _,
    ):
        assert client.getannotation(asked, "/comment", "value.shared") == ("OK", [answer])


def test_status_of_other_mailboxes_comes_unasked() -> None:
    """RFC 5465 section 5.6: NOTIFY."""
    untagged = b"* STATUS other (MESSAGES 1)\r\n* STATUS mine (MESSAGES 2)\r\n* STATUS third (MESSAGES 3)\r\n"
    with selected({"STATUS": answering(untagged)}) as (client, _):
        assert client.status("mine", "(MESSAGES)") == ("OK", [b"mine (MESSAGES 2)"])
        assert client.response("STATUS") == ("STATUS", [b"other (MESSAGES 1)", b"third (MESSAGES 3)"])
        assert client.defects == ()


def test_two_status_commands_and_a_name_that_is_neithers() -> None:
    def answer(conversation: Conversation, first: ReceivedCommand) -> None:
        second = conversation.read_command()
        conversation.send(b"* STATUS x (MESSAGES 1)\r\n* STATUS two (MESSAGES 2)\r\n")
        conversation.ok(first)
        conversation.ok(second)

    with selected({"STATUS": answer}) as (client, _):
        one, other = at_once(lambda: client.status("one", "(MESSAGES)"), lambda: client.status("two", "(MESSAGES)"))
        assert (one, other) == (("OK", [None]), ("OK", [b"two (MESSAGES 2)"]))
        assert client.response("STATUS") == ("STATUS", [b"x (MESSAGES 1)"])
        assert len(client.defects) == 1


# the state after a SELECT that fails (RFC 3501 section 6.3.1)


def test_after_no_to_select_no_mailbox_is_selected() -> None:
    with selected({"EXAMINE": refusing(b"no such mailbox")}) as (client, _):
        assert client.examine("other")[0] == "NO"
        assert (client.state, client.mailbox, client.is_readonly) == ("AUTH", None, False)
        with pytest.raises(imapkit.StateError):
            client.fetch("1", "FLAGS")


def test_after_bad_to_select_all_is_as_before() -> None:
    def reject(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.bad(command, b"what?", untagged=b"* 5 RECENT\r\n")

    def tell(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"* 3 EXPUNGE\r\n")

    with selected({"EXAMINE": reject, "NOOP": tell}) as (client, _):
        client.response("FLAGS")
        client.noop()
        with contextlib.suppress(BadResponse):
            client.examine("other")
        assert (client.state, client.mailbox, client.is_readonly) == ("SELECTED", "INBOX", False)
        assert client.response("EXPUNGE") == ("EXPUNGE", [b"3"]), "the numbers of a mailbox that is still selected have changed"
        assert client.response("RECENT")[1][-1] == b"5"


def test_a_mailbox_that_the_server_has_closed_is_closed_whatever_comes_then() -> None:
    """Dovecot, before a BAD to SELECT; RFC 9051 section 7.1."""
    handlers = {"EXAMINE": rejecting(), "SELECT": answering(b"* OK [CLOSED] left\r\n* 5 EXISTS\r\n")}
    with selected({**handlers, "NOOP": answering(b"* OK [CLOSED] left\r\n")}) as (client, _):
        client.noop()
        assert (client.state, client.mailbox) == ("AUTH", None)
        with contextlib.suppress(BadResponse):
            client.examine("other")
        assert client.state == "AUTH"
        assert client.select() == ("OK", [b"5"])
        assert (client.state, client.mailbox) == ("SELECTED", "INBOX")
