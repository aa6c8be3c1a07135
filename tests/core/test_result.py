"""What a result says, read late: from its own responses, and from data in imaplib's shape alone."""

from __future__ import annotations

import copy
import pickle
import random
from typing import Any

import pytest

from imapkit.core.contract.command import Command
from imapkit.core.contract.extension import Code, Response
from imapkit.core.contract.family import Family
from imapkit.core.contract.result import Answer, parse, parse_shape
from imapkit.core.contract.session import State
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.grammar.names import mailbox
from imapkit.core.grammar.strings import atom
from imapkit.core.wire.data import Data, Defect, Parsed, StatusText
from imapkit.core.wire.pieces import Late, Literal, MailboxName
from imapkit.core.wire.response import Untagged
from imapkit.testing import Conversation, ReceivedCommand, at_once, load_only, selected
from tests.core.rig import connect, serving


def pair(cursor: Cursor) -> tuple[int | None, Any]:
    value = cursor.value()
    if cursor.peek():
        cursor.tolerate("more than one value", cursor.rest())
    return cursor.leading, value


def words(cursor: Cursor) -> list[bytes]:
    found = []
    while not cursor.at_end():
        cursor.spaces()
        found.append(cursor.astring())
    return found


def clumsy(cursor: Cursor) -> int:
    return {b"a": 1}[cursor.atom()]


FAMILY = Family(
    "probe",
    responses={
        "XPAIR": Response(pair, numbered=True),
        "XWORDS": Response(words),
        "XCLUMSY": Response(clumsy),
        "XMUTE": Response(),
    },
    codes={"XCODE": Code(Cursor.number), "XMARK": Code()},
)
REGISTRY = load_only(FAMILY)


def untagged(name: str, *parts: bytes, number: int | None = None) -> Untagged:
    return Untagged(name, number, parts)


SAMPLES = [
    untagged("XPAIR", b"(a 1)", number=5),
    untagged("XPAIR", b"(a {3}", b"x)(", b")", number=6),
    untagged("XPAIR", b"(a {0}", b"", b" b {2}", b"\r\n", b")", number=7),
    untagged("XPAIR", b"{3}", b"abc", b"", number=8),
    untagged("XWORDS", b"a {2}", b"b ", b""),
    untagged("XWORDS", b"a {2}", b"b ", b" {1}", b"c", b""),
    untagged("XWORDS", b""),
    untagged("XWORDS", b"1 2"),
    untagged("XWORDS", b"{1}", b"z", b" y"),
]


@pytest.mark.parametrize("seed", range(20))
def test_the_shape_is_enough(seed: int) -> None:
    """imaplib's data, without the responses it was made of, means the same."""
    chance = random.Random(seed)
    for name in ("XPAIR", "XWORDS"):
        responses = [each for each in SAMPLES if each.name == name]
        chance.shuffle(responses)
        whole = parse(responses, REGISTRY)
        assert len(whole) == len(responses)
        assert whole.defects == ()
        shape = [item for each in responses for item in each.data()]
        assert parse_shape(name.lower(), shape, REGISTRY) == whole
        assert parse_shape("OK", Answer.of(responses, REGISTRY), REGISTRY) == whole
        assert Answer.of(responses, REGISTRY).parsed() == whole


def test_a_bad_response_costs_no_other() -> None:
    responses = [untagged("XPAIR", b"(a"), untagged("XPAIR", b"b c"), untagged("XCLUMSY", b"z q"), untagged("XCLUMSY", b"a")]
    found = parse(responses, REGISTRY)
    assert found == [(None, b"b"), 1]
    assert found.defects == (
        Defect("XPAIR: expected value", b"(a"),
        Defect("more than one value", b" c"),
        Defect("XCLUMSY: KeyError: b'z'", b"z q"),
    )


def test_data_without_a_grammar_stays_as_it_is() -> None:
    mute, strange = untagged("XMUTE", b"1"), untagged("XOTHER", b"2")
    assert parse([mute, strange], REGISTRY) == [mute, strange]
    assert parse([mute], None) == [mute]
    assert parse_shape("XOTHER", [b"2", None], REGISTRY) == [b"2"]
    assert parse_shape("XMUTE", [b"1"], REGISTRY)[0].text == b"1"


@pytest.mark.parametrize("data", [None, [], [None]])
@pytest.mark.parametrize("typ", ["XPAIR", "XCODE", "OK", "XOTHER"])
def test_nothing(typ: str, data: Any) -> None:
    assert parse_shape(typ, data, REGISTRY) == []


def test_response_codes() -> None:
    found = parse_shape("XCODE", [b"17", b"x", b"18"], REGISTRY)
    assert found == [17, 18]
    assert found.defects == (Defect("XCODE: expected number", b"x"),)
    assert parse_shape("XMARK", [b"y"], REGISTRY) == [b"y"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"done", StatusText(None, None, None, b"done")),
        (b"[XCODE 17] done", StatusText("XCODE", b"17", 17, b"done")),
        (b"[xcode 17]", StatusText("XCODE", b"17", 17, b"")),
        (b"[XMARK] hi", StatusText("XMARK", None, b"", b"hi")),
        (b"[XOTHER a b] hi", StatusText("XOTHER", b"a b", None, b"hi")),
        (b"[", StatusText(None, None, None, b"[")),
    ],
)
def test_status_texts(text: bytes, status: StatusText) -> None:
    for typ in ("OK", "NO", "BAD", "BYE", "PREAUTH"):
        assert parse_shape(typ, [text], REGISTRY) == [status]
        assert parse([untagged(typ, text)], REGISTRY) == [status]


def test_a_status_text_whose_code_is_bad() -> None:
    found = parse_shape("NO", [b"[XCODE x] hm"], REGISTRY)
    assert found == [StatusText("XCODE", b"x", None, b"hm")]
    assert found.defects == (Defect("XCODE: expected number", b"x"),)


def test_the_method() -> None:
    with serving(messages=3) as server, connect(server) as client:
        client.login("me", "secret")
        assert client.parse(*client.select()) == [3]
        assert client.parse(*client.response("UIDNEXT")) == [4]
        [noop] = client.parse(*client.noop())
        assert noop == StatusText(None, None, None, b"done")
        assert isinstance(client.parse("FETCH", [b"nonsense"]), Parsed)


def test_the_tagged_response_is_its_own_commands() -> None:
    command = Command("XDO", State.LOGGED_IN, args=(atom,), result=("XWORDS",))
    family = Family("probe", commands=(command,), responses={"XWORDS": Response(words)}, codes=FAMILY.codes, requires=("rev1",))

    def answer(conversation: Conversation, received: ReceivedCommand) -> None:
        conversation.ok(received, b"[XCODE %s] done" % received.args, b"* XWORDS %s\r\n" % received.args)

    def do(what: str) -> Data:
        return client._call("XDO", what)[1]

    with selected({"XDO": answer}, families=["rev1", family]) as (client, _):
        found = at_once(*(lambda n=n: do(n) for n in ("1", "2", "x")))
        assert [data.parsed() for data in found] == [[[b"1"]], [[b"2"]], [[b"x"]]]
        said = [data.status() for data in found]
        assert said == [StatusText("XCODE", each, value, b"done") for each, value in ((b"1", 1), (b"2", 2), (b"x", None))]
        assert Defect("XCODE: expected number", b"x") in client.defects
        assert client.noop()[1].status() == StatusText(None, None, None, b"done")
    kept = pickle.loads(pickle.dumps(found[0]))
    assert (kept, kept.status()) == (found[0], StatusText("XCODE", b"1", None, b"done"))


@pytest.mark.parametrize("typ", ["OK", "NO"])
def test_without_untagged_responses_too(typ: str) -> None:
    def answer(conversation: Conversation, received: ReceivedCommand) -> None:
        (conversation.ok if typ == "OK" else conversation.no)(received, b"[ALERT] hm")

    with selected({"NOOP": answer, "STATUS": answer}) as (client, _):
        for done, data in (client.noop(), client.status("INBOX", "MESSAGES")):
            assert (done, data.status()) == (typ, StatusText("ALERT", None, None, b"hm"))


def test_data_of_no_command_has_no_status() -> None:
    assert Answer([b"done"], (), REGISTRY, "OK").status() is None


def test_parsed_data_can_be_kept() -> None:
    found = parse([untagged("XWORDS", b"a b"), untagged("XPAIR", b"")], REGISTRY)
    copy = pickle.loads(pickle.dumps(found))
    assert (copy, copy.defects) == (found, found.defects)


# Whatever it is given


@pytest.mark.parametrize(
    ("typ", "data", "values"),
    [
        ("XCODE", ["17", bytearray(b"18"), memoryview(b"19")], [17, 18, 19]),
        ("XWORDS", [["a b", None], [b"c"]], [[b"a", b"b"], [b"c"]]),
        ("XWORDS", b"a b", [[b"a", b"b"]]),
        ("XWORDS", "a b", [[b"a", b"b"]]),
        ("XWORDS", [["a {1}", "x y"], b" z"], [[b"a", b"x y", b"z"]]),
        ("XPAIR", [("5 (a {1}", "x"), ")"], [(5, [b"a", b"x"])]),
        ("NO", [[b"no such root"], [b"no such root"]], [StatusText(None, None, None, b"no such root")]),
        ("OK", [], []),
        ("NO", ["the connection is closed"], [StatusText(None, None, None, b"the connection is closed")]),
    ],
)
def test_any_shape_will_do(typ: str, data: Any, values: list[Any]) -> None:
    found = parse_shape(typ, data, REGISTRY)
    assert found == values
    assert found.defects == ()


@pytest.mark.parametrize("typ", ["XPAIR", "XWORDS", "XCODE", "XMARK", "OK", "XOTHER"])
def test_nothing_that_is_given_makes_it_raise(typ: str) -> None:
    given: list[Any] = [
        5,
        [5],
        [(b"a", b"b", b"c")],
        [(b"a",)],
        [object()],
        [{}],
        [1.5, (1, 2)],
        ["\udcff", "\ud800"],
        [[[[[[[[[[[[[b"x"]]]]]]]]]]]]],
    ]
    for data in given:
        found = parse_shape(typ, data, REGISTRY)
        assert isinstance(found, Parsed)
        assert found or found.defects, data


def test_data_has_the_name_of_its_command() -> None:
    def status(conversation: Any, command: Any) -> None:
        conversation.no(command, b"[TRYCREATE] none")

    handlers: dict[str, Any] = {"NOOP": lambda c, command: c.ok(command, untagged=b"* 3 RECENT\r\n"), "STATUS": status}
    with serving(handlers, messages=3) as server, connect(server) as client:
        client.login("me", "secret")
        client.select()
        for name in ("UIDNEXT", "FLAGS", "UIDVALIDITY", "XNONE"):
            typ, data = client.response(name)
            assert data.parsed() == client.parse(typ, data), name
        typ, data = client.status("x", "(MESSAGES)")
        assert data.parsed() == client.parse(typ, data)
        assert data.parsed()[0].code == "TRYCREATE"
        client.noop()
        typ, data = client.recent()
        assert data.parsed() == client.parse(typ, data)
        assert data.parsed()[-1] == 3
        client.noop()
        client.response("RECENT")
        typ, data = client.recent()
        assert data.parsed() == client.parse(typ, data) == [3]
    for _ in range(2):
        typ, data = client.logout()
        [said] = client.parse(typ, data)
        assert data.parsed() == [said]
        assert said.text == (data[0].encode() if isinstance(data[0], str) else data[0])


def test_data_can_be_kept_and_copied() -> None:
    for data in (Answer.of(SAMPLES, REGISTRY), Answer([b"[ALERT] hi"], (), REGISTRY, "OK"), Answer([[b"a"], [None]])):
        for twin in (pickle.loads(pickle.dumps(data)), copy.deepcopy(data), copy.copy(data)):
            assert isinstance(twin, Data)
            assert twin == data
            assert [each.parts for each in twin.responses] == [each.parts for each in data.responses]
    kept = pickle.loads(pickle.dumps(Answer([b"[ALERT] hi"], (), REGISTRY, "OK")))
    assert kept.parsed() == [StatusText("ALERT", None, None, b"hi")]


# RFC 6855: names are UTF-8, and "&" means nothing


def boxed(cursor: Cursor) -> MailboxName:
    return cursor.name(cursor.astring())


def test_names_after_utf8_accept() -> None:
    known = load_only(Family("probe", responses={"XBOX": Response(boxed)}))
    sent = "R&AOk- é".encode()
    for utf8, text in ((False, "Ré é"), (True, "R&AOk- é")):
        response = Untagged("XBOX", None, (b'"%b"' % sent,), utf8)
        [name] = parse([response], known)
        assert (name, name.text) == (sent, text)
        written = mailbox(name)
        assert isinstance(written, Late)
        assert (written.on if utf8 else written.off) == (Literal(sent),)
        for data in (response.data(), Answer(response.data(), (), known, "XBOX", utf8)):
            assert parse_shape("XBOX", data, known, utf8=utf8)[0].text == text
        for kept in (Answer.of([response], known), Answer(response.data(), (), known, "XBOX", utf8)):
            assert kept.parsed()[0].text == text
            twin = copy.deepcopy(pickle.loads(pickle.dumps(kept)))
            assert (twin.utf8, [each.utf8 for each in twin.responses]) == (kept.utf8, [each.utf8 for each in kept.responses])


def test_names_are_read_as_the_session_writes_them() -> None:
    def enabled(conversation: Any, command: Any) -> None:
        conversation.ok(command, untagged=b"* ENABLED UTF8=ACCEPT\r\n")

    def noop(conversation: Any, command: Any) -> None:
        conversation.ok(command, untagged=b'* LIST () "/" "R&AOk-"\r\n')

    before = b'* LIST () "/" "S&AOk-"\r\n'
    handlers: dict[str, Any] = {"ENABLE": enabled, "NOOP": noop, "LIST": lambda c, command: c.ok(command, untagged=before)}
    with (
        serving(handlers, capabilities=b"IMAP4rev1 ENABLE UTF8=ACCEPT") as server,
        connect(server, families=["rev1", "enable"]) as client,
    ):
        client.login("me", "secret")
        typ, early = client.list()
        client.noop()
        assert client.parse("LIST", client.response("LIST")[1])[0].mailbox == "Ré"
        client.enable("UTF8=ACCEPT")
        client.noop()
        typ, data = client.response("LIST")
        assert client.parse(typ, list(data))[0].mailbox == data.parsed()[0].mailbox == "R&AOk-"
        # What came before has not changed.
        assert early.parsed()[0].mailbox == client.parse("OK", early)[0].mailbox == "Sé"


@pytest.mark.parametrize("typ", [None, 5, b"OK"])
def test_a_type_that_is_no_name(typ: Any) -> None:
    assert parse_shape(typ, None, REGISTRY) == []
    assert parse_shape(typ, [b"x"], REGISTRY) == [b"x"]
