"""ANNOTATEMORE: arguments, results, attribution."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.errors import ArgumentError, BadResponse, StateError
from imapkit.ext.annotation import Annotation, imapkit_family
from imapkit.plugin import Literal, MailboxName, ServerString, Untagged
from imapkit.testing import (
    INJECTIONS,
    Answers,
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

FAMILIES = ["rev1", "annotation"]
METHODS = ["getannotation", "setannotation"]
FAMILY = imapkit_family()
COMMANDS = {command.name: command for command in FAMILY.commands}
NOTE = b'* ANNOTATION INBOX "/comment" ("value.priv" "mine" "value.shared" NIL)\r\n'
DATA = b'INBOX "/comment" ("value.priv" "mine" "value.shared" NIL)'


# On the wire


@pytest.mark.parametrize(
    ("args", "written_"),
    [
        (("INBOX", "/comment", "value.priv"), b'INBOX "/comment" "value.priv"'),
        (("INBOX", '"/comment"', '"value.priv"'), b'INBOX "/comment" "value.priv"'),
        (("a b", ["/comment", '"/sort"'], ("value.priv",)), b'"a b" ("/comment" "/sort") ("value.priv")'),
        (("", '("/comment" "/sort")', '("value.priv")'), b'"" ("/comment" "/sort") ("value.priv")'),
        (('""', "*", "value"), b'"" "*" "value"'),
        (("INBOX.*", "/%", "*"), b'"INBOX.*" "/%" "*"'),
        ((b"INBOX", b'"/comment"', b'("value.priv")'), b'INBOX "/comment" ("value.priv")'),
        ((MailboxName(b"a b"), 'a"b', "x"), b'"a b" "a\\"b" "x"'),
        (("INBOX", ServerString(b'/a "b"'), "x"), b'INBOX "/a \\"b\\"" "x"'),
        (("INBOX", [ServerString(b"/a"), ServerString(b"'b'")], "x"), b'INBOX ("/a" "\'b\'") "x"'),
    ],
)
def test_getannotation_on_the_wire(args: tuple[Any, ...], written_: bytes) -> None:
    assert written(FAMILY, "GETANNOTATION", *args) == [b"GETANNOTATION " + written_]


@pytest.mark.parametrize(
    ("args", "written_"),
    [
        (("INBOX", "/comment", '("value.priv" "mine")'), [b'INBOX "/comment" ("value.priv" "mine")']),
        (("INBOX", '"/comment"', '"value.priv" "mine"'), [b'INBOX "/comment" ("value.priv" "mine")']),
        (("INBOX", b'"/comment"', b'("value.priv" NIL)'), [b'INBOX "/comment" ("value.priv" NIL)']),
        (("INBOX", "/comment", {"value.priv": "mine", "value.shared": None}),
         [b'INBOX "/comment" ("value.priv" "mine" "value.shared" NIL)']),
        (("INBOX", "/comment", ["value.priv", "mine", "value.shared", None]),
         [b'INBOX "/comment" ("value.priv" "mine" "value.shared" NIL)']),
        (("INBOX", "/comment", {"value.priv": '"a" (b)'}), [b'INBOX "/comment" ("value.priv" "\\"a\\" (b)")']),
        (("INBOX", "/comment", {"value.priv": b""}), [b'INBOX "/comment" ("value.priv" "")']),
        (("INBOX", "/a", {"value.priv": "1"}, "/b", '("value.priv" "2")'),
         [b'INBOX ("/a" ("value.priv" "1") "/b" ("value.priv" "2"))']),
        (("INBOX", '("/a" ("value.priv" "1") "/b" ("value.priv" "2"))'),
         [b'INBOX ("/a" ("value.priv" "1") "/b" ("value.priv" "2"))']),
        (("INBOX", '"/a" ("value.priv" "1")'), [b'INBOX "/a" ("value.priv" "1")']),
        (("INBOX", b'"/a" ("value.priv" "1")'), [b'INBOX "/a" ("value.priv" "1")']),
        (("INBOX", "/comment", {"value.priv": "schön"}),
         [b'INBOX "/comment" ("value.priv" ', Literal("schön".encode()), b")"]),
        (("INBOX", "/comment", {"value.priv": "one\r\ntwo", "value.shared": b"x"}),
         [b'INBOX "/comment" ("value.priv" ', Literal(b"one\r\ntwo"), b' "value.shared" "x")']),
        (("INBOX", "/comment", '("value.priv" "schön")'),
         [b'INBOX "/comment" ("value.priv" ', Literal("schön".encode()), b")"]),
        (("INBOX", ServerString(b"/\xff"), {"value.priv": "1"}), [b"INBOX ", Literal(b"/\xff"), b' ("value.priv" "1")']),
        (("INBOX", "/a", {"value.priv": "é"}, "/b", {"value.priv": "e"}),
         [b'INBOX ("/a" ("value.priv" ', Literal("é".encode()), b') "/b" ("value.priv" "e"))']),
    ],
)  # fmt: skip
def test_setannotation_on_the_wire(args: tuple[Any, ...], written_: list[Any]) -> None:
    first, *rest = written_
    assert written(FAMILY, "SETANNOTATION", *args) == [b"SETANNOTATION " + first, *rest]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("GETANNOTATION", ("INBOX", "/comment")),
        ("GETANNOTATION", ("INBOX", 7.5, "value")),
        ("GETANNOTATION", ("INBOX", ["/a", None], "value")),
        ("GETANNOTATION", ("INBOX", [], "value")),
        ("GETANNOTATION", ("INBOX", "/a", ())),
        ("GETANNOTATION", ("INBOX", ServerString(b"/a\0"), "value")),
        ("SETANNOTATION", ()),
        ("SETANNOTATION", ("INBOX",)),
        ("SETANNOTATION", ("INBOX", "/comment")),
        ("SETANNOTATION", ("INBOX", "/comment", None)),
        ("SETANNOTATION", ("INBOX", "/comment", {})),
        ("SETANNOTATION", ("INBOX", "/comment", ["value.priv"])),
        ("SETANNOTATION", ("INBOX", "/comment", 7)),
        ("SETANNOTATION", ("INBOX", "/comment", {"value.priv": 7})),
        ("SETANNOTATION", ("INBOX", "/comment", {"value.priv": "a\0b"})),
        ("SETANNOTATION", ("INBOX", "/comment", {"value.priv": b"a\0b"})),
        ("SETANNOTATION", ("INBOX", "/a", {"value.priv": "1"}, "/b")),
    ],
)
def test_refused(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(ArgumentError, match=name):
        written(FAMILY, name, *args)


@pytest.mark.parametrize("bad", INJECTIONS)
def test_arguments_that_would_inject_commands(bad: Any) -> None:
    with selected(families=FAMILIES) as (client, server):
        for three in ((bad, "/a", "v"), ("INBOX", bad, "v"), ("INBOX", "/a", bad), ("INBOX", [bad], "v"), ("INBOX", "/a", [bad])):
            with pytest.raises(ArgumentError):
                client.getannotation(*three)
        for args in (
            (bad, "/a", {"v": "1"}),
            ("INBOX", bad, {"v": "1"}),
            ("INBOX", "/a", bad),
            ("INBOX", "/a", {bad: "1"}),
            ("INBOX", "/a", [bad, "1"]),
            ("INBOX", "/a", {"v": "1"}, bad, {"v": "1"}),
            ("INBOX", bad),
        ):
            with pytest.raises(ArgumentError):
                client.setannotation(*args)
        assert server.names == ["LOGIN", "SELECT"]


def test_lines_of_a_value_are_not_commands() -> None:
    with selected({"SETANNOTATION": answering()}, families=FAMILIES) as (client, server):
        assert client.setannotation("INBOX", "/comment", {"value.priv": "one\r\nX1 LOGOUT"})[0] == "OK"
        assert server.names[-1] == "SETANNOTATION"
        assert server.commands[-1].literals == [b"one\r\nX1 LOGOUT"]


# Results


def test_getannotation() -> None:
    untagged = NOTE + b'* ANNOTATION INBOX "/sort" ("value.priv" {4}\r\ndate)\r\n'
    with selected({"GETANNOTATION": answering(untagged)}, families=FAMILIES) as (client, _):
        typ, data = client.getannotation("INBOX", ["/comment", "/sort"], "value")
        assert (typ, data) == ("OK", [DATA, (b'INBOX "/sort" ("value.priv" {4}', b"date"), b")"])
        inbox = MailboxName(b"INBOX")
        assert data.parsed() == [
            (Annotation(inbox, ServerString(b"/comment"), {"value.priv": b"mine", "value.shared": None}),),
            (Annotation(inbox, ServerString(b"/sort"), {"value.priv": b"date"}),),
        ]
        assert client.response("ANNOTATION") == ("ANNOTATION", [None])


def test_setannotation() -> None:
    with selected({"SETANNOTATION": answering()}, families=FAMILIES) as (client, _):
        assert client.setannotation("INBOX", "/comment", '("value.priv" "mine")') == ("OK", [None])
    with selected({"SETANNOTATION": answering(NOTE)}, families=FAMILIES) as (client, _):
        assert client.setannotation("INBOX", "/comment", '("value.priv" "mine")') == ("OK", [DATA])


def test_refusals() -> None:
    def too_big(conversation: Any, command: Any) -> None:
        conversation.no(command, b"[ANNOTATEMORE TOOBIG] no")

    with selected({"SETANNOTATION": too_big}, families=FAMILIES) as (client, _):
        assert client.setannotation("INBOX", "/a", {"value.priv": "1"}) == ("NO", [b"[ANNOTATEMORE TOOBIG] no"])
        assert client.response("ANNOTATEMORE") == ("ANNOTATEMORE", [b"TOOBIG"])
        with pytest.raises(BadResponse):
            client.getannotation("INBOX", "/a", "value")
    with selected({"GETANNOTATION": refusing()}, families=FAMILIES) as (client, _):
        assert client.getannotation("INBOX", "/a", "value") == ("NO", [b"not allowed"])


def test_callbacks() -> None:
    handlers = {"GETANNOTATION": answering(NOTE), "SETANNOTATION": refusing()}
    with selected(handlers, families=FAMILIES) as (client, _):
        answers = Answers()
        calls: Any = client
        assert calls.getannotation("INBOX", "/comment", "value", callback=answers, cb_arg=1) == (None, None)
        assert calls.setannotation("INBOX", "/a", {"value.priv": "1"}, callback=answers, cb_arg=2) == (None, None)
        assert sorted(answers.take(2), key=lambda answer: answer[1]) == [
            (("OK", [DATA]), 1, None),
            (("NO", [b"not allowed"]), 2, None),
        ]


def test_states() -> None:
    with ScriptedServer() as server, connect(server, families=FAMILIES, login=False) as client:
        with pytest.raises(StateError):
            client.getannotation("INBOX", "/a", "value")
        with pytest.raises(StateError):
            client.setannotation("INBOX", "/a", {"value.priv": "1"})


# Attribution


def test_two_mailboxes_at_the_same_time() -> None:
    handler = crossed({
        b'"a b" "/c" "v"': b'* ANNOTATION "a b" "/c" ("v" "1")\r\n',
        b'c "/c" "v"': b'* ANNOTATION c "/c" ("v" "2")\r\n',
    })  # fmt: skip
    with selected({"GETANNOTATION": handler}, families=FAMILIES) as (client, _):
        one, other = at_once(lambda: client.getannotation("a b", "/c", "v"), lambda: client.getannotation("c", "/c", "v"))
        assert one == ("OK", [b'"a b" "/c" ("v" "1")'])
        assert other == ("OK", [b'c "/c" ("v" "2")'])


def test_wildcards_follow_one_another() -> None:
    def answer(conversation: Any, command: Any) -> None:
        box = b"one" if command.args.startswith(b"one") else b"two"
        conversation.ok(command, untagged=b'* ANNOTATION %b "/c" ("v" "1")\r\n' % box)

    with selected({"GETANNOTATION": answer}, families=FAMILIES) as (client, _):
        for _ in range(5):
            one, other = at_once(lambda: client.getannotation("one", "/c", "v"), lambda: client.getannotation("*", "/c", "v"))
            assert one == ("OK", [b'one "/c" ("v" "1")'])
            assert other == ("OK", [b'two "/c" ("v" "1")'])


def test_unasked_changes() -> None:
    untagged = b'* ANNOTATION other ("/comment" "/sort")\r\n' + NOTE
    with selected({"GETANNOTATION": answering(untagged)}, families=FAMILIES) as (client, _):
        assert client.getannotation("INBOX", "/comment", "value") == ("OK", [DATA])
        assert client.response("ANNOTATION") == ("ANNOTATION", [b'other ("/comment" "/sort")'])


@pytest.mark.parametrize(
    ("asked", "answered", "verdict"),
    [
        ("inbox", (b'INBOX "/c" ("v" NIL)',), True),
        ('""', (b'"" "/c" ("v" NIL)',), True),
        ("", (b'"" "/c" ("v" NIL)',), True),
        ("Entwürfe", (b'"Entw&APw-rfe" "/c" ("v" NIL)',), True),
        ("Entwürfe", ('"Entwürfe" "/c" ("v" NIL)'.encode(),), True),
        ("a", (b"{1}", b"a", b' "/c" ("v" NIL)'), True),
        ("A", (b'a "/c" ("v" NIL)',), None),
        ("a", (b'b "/c" ("v" NIL)',), str),
        ("INBOX", (b'user.tester ("/c" ("v" NIL))',), None),
        ("a", (b'b ("/c" "/d")',), False),
        ("a", (b'b "/c"',), False),
        ("a", (b"b ",), False),
        ("a", (b'"a',), None),
    ],
)
def test_attribution(asked: Any, answered: tuple[bytes, ...], verdict: bool | type[str] | None) -> None:
    command = COMMANDS["GETANNOTATION"]
    assert command.subject is not None
    assert command.matches is not None
    subject = command.subject((asked, "/c", "v"), False)
    found = command.matches(subject, Untagged("ANNOTATION", None, answered))
    assert (str if isinstance(found, str) else found) is verdict, "a text is the reason for a defect"


def test_an_answer_with_another_mailbox_name_is_accepted() -> None:
    untagged = b'* ANNOTATION "user.tester" "/comment" ("value.priv" "x")\r\n'
    with selected({"GETANNOTATION": answering(untagged)}, families=FAMILIES) as (client, _):
        assert client.getannotation("INBOX", "/comment", "value") == ("OK", [untagged[13:-2]])


# Data


def test_entries_can_be_passed_back() -> None:
    untagged = b'* ANNOTATION INBOX "/a b" ("value.priv" "x")\r\n'
    with selected({"GETANNOTATION": answering(untagged)}, families=FAMILIES) as (client, server):
        [[note]] = client.getannotation("INBOX", "/a b", "value")[1].parsed()
        client.getannotation(note.name, note.entry, list(note.attributes))
        assert server.commands[-1].args == b'INBOX "/a b" ("value.priv")'


def test_entries_and_values_as_text() -> None:
    entry = ServerString(b"/comment")
    note = Annotation(MailboxName(b"Entw&APw-rfe"), entry, {"value.priv": "schön".encode(), "value.shared": None})
    assert (note.mailbox, note.path) == ("Entwürfe", "/comment")
    assert note.text("VALUE.priv") == "schön"
    assert note.text("value.shared") is None
    assert note.text("size.priv") is None
    assert Annotation(MailboxName(b""), ServerString(b"/x"), None).text("value.priv") is None


# The family


def test_works_with_only_the_base_family() -> None:
    check_family("annotation")
