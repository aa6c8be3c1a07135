"""QUOTA, RFC 9208: arguments, results, attribution."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from imapkit.errors import ArgumentError, BadResponse, StateError
from imapkit.ext.quota import Quota, QuotaResource, QuotaRoot, imapkit_family
from imapkit.plugin import Literal, MailboxName, Untagged
from imapkit.testing import (
    INJECTIONS,
    Answers,
    Conversation,
    ReceivedCommand,
    ScriptedServer,
    answering,
    at_once,
    check_family,
    connect,
    crossed,
    refusing,
    selected,
    written,
)

FAMILIES = ["rev1", "quota"]
FAMILY = imapkit_family()
COMMANDS = {command.name: command for command in FAMILY.commands}
QUOTA = b'* QUOTA "User quota" (STORAGE 10 512 MESSAGE 3 1000)\r\n'
DATA = b'"User quota" (STORAGE 10 512 MESSAGE 3 1000)'
PARSED = Quota(MailboxName(b"User quota"), (QuotaResource("STORAGE", 10, 512), QuotaResource("MESSAGE", 3, 1000)))


# On the wire


@pytest.mark.parametrize(
    ("name", "args", "pieces"),
    [
        ("GETQUOTA", ("User quota",), [b'GETQUOTA "User quota"']),
        ("GETQUOTA", ('"User quota"',), [b'GETQUOTA "User quota"']),
        ("GETQUOTA", ("",), [b'GETQUOTA ""']),
        ("GETQUOTA", ('""',), [b'GETQUOTA ""']),
        ("GETQUOTA", (b"#user/alice",), [b"GETQUOTA #user/alice"]),
        ("GETQUOTA", (MailboxName(b"User quota"),), [b'GETQUOTA "User quota"']),
        ("GETQUOTA", ("Größe",), [b"GETQUOTA ", Literal("Größe".encode())]),
        ("GETQUOTAROOT", ("Sent Items",), [b'GETQUOTAROOT "Sent Items"']),
        ("SETQUOTA", ('""', "(STORAGE 512)"), [b'SETQUOTA "" (STORAGE 512)']),
        ("SETQUOTA", ("user.bob", "STORAGE 512 MESSAGE  7"), [b"SETQUOTA user.bob (STORAGE 512 MESSAGE 7)"]),
        ("SETQUOTA", ("user.bob", b"(STORAGE 512)"), [b"SETQUOTA user.bob (STORAGE 512)"]),
        ("SETQUOTA", ("user.bob", {"STORAGE": 512, b"MESSAGE": "7"}), [b"SETQUOTA user.bob (STORAGE 512 MESSAGE 7)"]),
        ("SETQUOTA", ("user.bob", "()"), [b"SETQUOTA user.bob ()"]),
        ("SETQUOTA", ("user.bob", {}), [b"SETQUOTA user.bob ()"]),
    ],
)
def test_on_the_wire(name: str, args: tuple[Any, ...], pieces: list[Any]) -> None:
    assert written(FAMILY, name, *args) == pieces


@pytest.mark.parametrize(
    "limits",
    [
        "",
        "STORAGE",
        "(STORAGE)",
        "(STORAGE -1)",
        "(STORAGE 1) X",
        "(STORAGE 1) (MESSAGE 2)",
        "((STORAGE 1))",
        "(STORAGE 1",
        "STORAGE {5}",
        '("STORAGE" 1)',
        {"STORAGE": -1},
        {"STORAGE": None},
        {"STORAGE": True},
        {"STORAGE": "1 MESSAGE 2"},
        {"STO RAGE": 1},
        {"": 1},
        {"STORAGE": "1\r\nX1 LOGOUT"},
        {"STORAGE\r\nX1 LOGOUT (": 1},
        512,
        *INJECTIONS,
    ],
)
def test_limits_that_are_refused(limits: Any) -> None:
    with pytest.raises(ArgumentError, match="SETQUOTA"):
        written(FAMILY, "SETQUOTA", "user.bob", limits)


@pytest.mark.parametrize("bad", INJECTIONS[:6])
def test_names_that_would_inject_commands(bad: Any) -> None:
    with selected(families=FAMILIES) as (client, server):
        for ask in (client.getquota, client.getquotaroot, lambda root: client.setquota(root, "(STORAGE 1)")):
            with pytest.raises(ArgumentError, match=r"CR|LF|NUL"):
                ask(bad)
        assert server.names == ["LOGIN", "SELECT"]


# Results


def test_getquota() -> None:
    with selected({"GETQUOTA": answering(QUOTA)}, families=FAMILIES) as (client, server):
        typ, data = client.getquota("User quota")
        assert (typ, data) == ("OK", [DATA])
        assert data.parsed() == [PARSED]
        assert client.getquota(data.parsed()[0].name)[1] == [DATA]
        assert [command.args for command in server.commands[-2:]] == [b'"User quota"'] * 2
        assert client.response("QUOTA") == ("QUOTA", [None])


def test_getquotaroot_has_the_shape_of_imaplib2() -> None:
    untagged = b'* QUOTAROOT INBOX "User quota" ""\r\n' + QUOTA + b'* QUOTA "" (STORAGE 1 2)\r\n'
    with selected({"GETQUOTAROOT": answering(untagged)}, families=FAMILIES) as (client, _):
        typ, data = client.getquotaroot("INBOX")
        assert (typ, data) == ("OK", [[b'INBOX "User quota" ""'], [DATA, b'"" (STORAGE 1 2)']])
        roots, quotas = data
        assert roots.parsed() == [QuotaRoot(MailboxName(b"INBOX"), (MailboxName(b"User quota"), MailboxName(b"")))]
        assert [quota.root for quota in quotas.parsed()] == ["User quota", ""]
        assert data.parsed() == [*roots.parsed(), *quotas.parsed()]
        assert {name for name, _ in client.untagged_responses}.isdisjoint({"QUOTA", "QUOTAROOT"})


def test_getquotaroot_without_roots_or_refused() -> None:
    with selected({"GETQUOTAROOT": answering(b"* QUOTAROOT comp.mail.mime\r\n")}, families=FAMILIES) as (client, _):
        assert client.getquotaroot("comp.mail.mime") == ("OK", [[b"comp.mail.mime"], [None]])
    with selected({"GETQUOTAROOT": answering(b"")}, families=FAMILIES) as (client, _):
        assert client.getquotaroot("INBOX") == ("OK", [[None], [None]])
    with selected({"GETQUOTAROOT": refusing()}, families=FAMILIES) as (client, _):
        assert client.getquotaroot("INBOX") == ("NO", [[b"not allowed"], [b"not allowed"]])
    with selected(families=FAMILIES) as (client, _), pytest.raises(BadResponse):
        client.getquotaroot("INBOX")


def test_setquota() -> None:
    with selected({"SETQUOTA": answering(b"* QUOTA root (STORAGE 58 512)\r\n")}, families=FAMILIES) as (client, server):
        typ, data = client.setquota("root", {"STORAGE": 510})
        assert (typ, data) == ("OK", [b"root (STORAGE 58 512)"])
        assert data.parsed()[0].resource("storage").limit == 512
        assert server.commands[-1].args == b"root (STORAGE 510)"
    with selected({"SETQUOTA": answering(b"")}, families=FAMILIES) as (client, _):
        assert client.setquota("root", "(STORAGE 510)") == ("OK", [None])


def test_setquota_refused_by_cyrus() -> None:
    """Cyrus reads the limits that it has refused as another command."""

    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.no(command, b"Permission denied")
        conversation.send(b"* BAD Invalid tag\r\n")

    with selected({"SETQUOTA": refuse}, families=FAMILIES) as (client, _):
        assert client.setquota("root", "(STORAGE 1)") == ("NO", [b"Permission denied"])
        assert client.noop()[0] == "OK"


def test_status_items() -> None:
    untagged = b"* STATUS INBOX (MESSAGES 12 DELETED 4 DELETED-STORAGE 9223372036854775807)\r\n"
    with selected({"STATUS": answering(untagged)}, families=FAMILIES) as (client, _):
        (status,) = client.status("INBOX", "(MESSAGES DELETED DELETED-STORAGE)")[1].parsed()
        assert status.items == {"MESSAGES": 12, "DELETED": 4, "DELETED-STORAGE": 9223372036854775807}


def test_callbacks() -> None:
    handlers = {
        "GETQUOTA": answering(QUOTA),
        "GETQUOTAROOT": answering(b"* QUOTAROOT INBOX r\r\n" + QUOTA),
        "SETQUOTA": refusing(),
    }
    with selected(handlers, families=FAMILIES) as (client, _):
        answers = Answers()
        calls: Any = client
        assert calls.getquota("User quota", callback=answers, cb_arg=1) == (None, None)
        assert calls.getquotaroot("INBOX", callback=answers, cb_arg=2) == (None, None)
        assert calls.setquota("r", "(STORAGE 1)", callback=answers, cb_arg=3) == (None, None)
        assert sorted(answers.take(3), key=lambda answer: answer[1]) == [
            (("OK", [DATA]), 1, None),
            (("OK", [[b"INBOX r"], [DATA]]), 2, None),
            (("NO", [b"not allowed"]), 3, None),
        ]


def test_states() -> None:
    with ScriptedServer() as server, connect(server, families=FAMILIES, login=False) as client:
        with pytest.raises(StateError):
            client.getquota("")
        with pytest.raises(StateError):
            client.getquotaroot("INBOX")
        with pytest.raises(StateError):
            client.setquota("", "()")


# Attribution


def test_two_roots_at_the_same_time() -> None:
    handler = crossed({b'"a b"': b'* QUOTA "a b" (STORAGE 1 2)\r\n', b"c": b"* QUOTA c (STORAGE 3 4)\r\n"})
    with selected({"GETQUOTA": handler}, families=FAMILIES) as (client, _):
        one, other = at_once(lambda: client.getquota("a b"), lambda: client.getquota("c"))
        assert one == ("OK", [b'"a b" (STORAGE 1 2)'])
        assert other == ("OK", [b"c (STORAGE 3 4)"])


def test_a_root_and_all_roots_follow_one_another() -> None:
    handlers = {"GETQUOTA": answering(QUOTA), "GETQUOTAROOT": answering(b"* QUOTAROOT INBOX r\r\n* QUOTA r ()\r\n")}
    with selected(handlers, families=FAMILIES) as (client, _):
        for _ in range(5):
            one, other = at_once(lambda: client.getquota("User quota"), lambda: client.getquotaroot("INBOX"))
            assert one == ("OK", [DATA])
            assert other == ("OK", [[b"INBOX r"], [b"r ()"]])


def test_an_unasked_root() -> None:
    with selected({"GETQUOTA": answering(b"* QUOTA other (STORAGE 1 2)\r\n" + QUOTA)}, families=FAMILIES) as (client, _):
        assert client.getquota("User quota") == ("OK", [DATA])
        assert client.response("QUOTA") == ("QUOTA", [b"other (STORAGE 1 2)"])


@pytest.mark.parametrize(
    ("asked", "answered", "verdict"),
    [
        ("User quota", (b'"User quota" (STORAGE 1 2)',), True),
        (b'"User quota"', (b'"User quota" (STORAGE 1 2)',), True),
        ("a", (b'"a" (STORAGE 1 2)',), True),
        ('""', (b'"" ()',), True),
        ("Größe", (b"{7}", "Größe".encode(), b" ()"), True),
        (MailboxName(b"a b"), (b'"a b" ()',), True),
        ("User", (b"user ()",), None),
        ("a", (b"b ()",), str),
        ("a", (b'"a',), None),
        ("", (b"(STORAGE 1 2)",), None),
        ("", (b"NIL (STORAGE 1 2)",), True),
        ("NIL", (b'"NIL" (STORAGE 1 2)',), True),
        ("", (b'"ROOT" (STORAGE 1 2)',), str),
        ("user/alice", (b'"user.alice" (STORAGE 1 2)',), None),
        ("User quota", (b"User quota (STORAGE 1 2)",), True),
        (b'"a', (b"b ()",), str),
    ],
)
def test_attribution(asked: Any, answered: tuple[bytes, ...], verdict: bool | type[str] | None) -> None:
    command = COMMANDS["GETQUOTA"]
    assert command.subject is not None
    assert command.matches is not None
    found = command.matches(command.subject((asked,), False), Untagged("QUOTA", None, answered))
    assert (str if isinstance(found, str) else found) is verdict, "a text is the reason for a defect"


# Data


def test_a_resource_without_a_limit() -> None:
    assert PARSED.resource("MAILBOX") is None
    assert PARSED.resource("message") == QuotaResource("MESSAGE", 3, 1000)


def test_names_as_text() -> None:
    assert Quota(MailboxName(b"Entw&APw-rfe"), ()).root == "Entwürfe"
    assert QuotaRoot(MailboxName(b"Entw&APw-rfe"), ()).mailbox == "Entwürfe"


def test_a_response_that_must_be_the_answer() -> None:
    for asked, answered in (
        ("User quota", b"User quota (STORAGE 1 2)"),
        ("", b"(STORAGE 1 2)"),
        ("user/a", b"user.a (STORAGE 1 2)"),
    ):
        handler = answering(b"* QUOTA %b\r\n" % answered)
        with selected({"GETQUOTA": handler}, families=FAMILIES) as (client, _):
            assert client.getquota(asked) == ("OK", [answered])


@pytest.mark.parametrize("typ", ["OK", "NO"])
def test_getquotaroot_in_any_shape_has_the_same_records(typ: str) -> None:
    untagged = b'* QUOTAROOT INBOX "User quota"\r\n' + QUOTA
    handler = answering(untagged) if typ == "OK" else refusing()
    with selected({"GETQUOTAROOT": handler}, families=FAMILIES) as (client, _):
        answers = Answers()
        client.getquotaroot("INBOX", callback=answers)
        direct, called = client.getquotaroot("INBOX"), answers.next()[0]
        shapes: list[Any] = [direct[1], called[1], list(direct[1]), pickle.loads(pickle.dumps(direct[1]))]
        for data in shapes:
            found = client.parse(typ, data)
            assert [type(each).__name__ for each in found] == (["QuotaRoot", "Quota"] if typ == "OK" else ["StatusText"])
            assert found.defects == ()
        assert direct[1].parsed() == client.parse(*direct)
    with selected({"GETQUOTAROOT": answering(b"")}, families=FAMILIES) as (client, _):
        result = client.getquotaroot("INBOX")
        assert client.parse(*result) == client.parse("OK", [[None], [None]]) == result[1].parsed() == []


# The family


def test_works_with_only_the_base_family() -> None:
    check_family("quota")


def test_data_of_two_parts_is_noted_once() -> None:
    malformed = b"* QUOTAROOT INBOX NIL\r\n* QUOTA NIL (STORAGE 1 2)\r\n"
    families = ["rev1", "quota"]
    with selected({"GETQUOTAROOT": lambda c, command: c.ok(command, untagged=malformed)}, families=families) as (client, _):
        data: Any
        typ, data = client.getquotaroot("INBOX")
        assert len(data[0].parsed().defects) == len(data[1].parsed().defects) == 1
        for again in (data, list(data)):
            assert len(client.parse(typ, again).defects) == 2
        assert len(client.defects) == 2
