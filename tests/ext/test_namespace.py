"""NAMESPACE, RFC 2342."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit import BadResponse, StateError
from imapkit.errors import ArgumentError, FamilyDisabledError, ParseError, abort
from imapkit.ext.namespace import Namespace, Namespaces, imapkit_family, namespace_response
from imapkit.plugin import Cursor, MailboxName
from imapkit.testing import Answers, Conversation, Handler, ReceivedCommand, ScriptedServer, answering, connect, selected

FAMILIES = ["rev1", "namespace"]
THREE = b'(("" "/")) (("Users&AOk-/" "/")) NIL'


def saying(data: bytes) -> dict[str, Handler]:
    return {"NAMESPACE": lambda conversation, command: conversation.ok(command, untagged=b"* NAMESPACE %b\r\n" % data)}


def test_shape_and_records() -> None:
    with selected(saying(THREE), families=FAMILIES) as (client, server):
        typ, data = client.namespace()
        assert (typ, data) == ("OK", [THREE])
        assert server.commands[-1].args == b""
        [found] = data.parsed()
        assert found == Namespaces((Namespace(MailboxName(b""), b"/"),), (Namespace(MailboxName(b"Users&AOk-/"), b"/"),), None)
        assert found.other[0].mailbox == "Usersé/"
        assert len({found, data.parsed()[0]}) == 1


def test_it_is_valid_after_login() -> None:
    with ScriptedServer(handlers=saying(THREE)) as server, connect(server, families=FAMILIES, login=False) as client:
        with pytest.raises(StateError):
            client.namespace()
        assert "NAMESPACE" not in server.names
        client.login("me", "secret")
        assert client.namespace()[0] == "OK"


def test_callback() -> None:
    with selected(saying(THREE), families=FAMILIES) as (client, _):
        answers = Answers()
        assert client.namespace(callback=answers, cb_arg=1) == (None, None)  # type: ignore[comparison-overlap]
        assert answers.take(1) == [(("OK", [THREE]), 1, None)]


def test_refused() -> None:
    def bad(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.bad(command, b"unknown")

    with selected({"NAMESPACE": bad}, families=FAMILIES) as (client, _), pytest.raises(BadResponse, match="unknown"):
        client.namespace()


def test_a_server_that_hangs_up() -> None:
    handlers: dict[str, Handler] = {"NAMESPACE": lambda conversation, _: conversation.close()}
    with selected(handlers, families=FAMILIES) as (client, _), pytest.raises(abort):
        client.namespace()


@pytest.mark.parametrize("argument", ["x", "x\r\nA1 LOGOUT", b"\r\n", "\0"])
def test_it_takes_no_arguments(argument: Any) -> None:
    with selected(families=FAMILIES) as (client, server):
        with pytest.raises(ArgumentError, match="no arguments"):
            client.xatom("NAMESPACE", argument)
        assert server.names[-1] == "SELECT"


@pytest.mark.parametrize("name", [b"", b"&AOk-", b"&broken", b"\xc3\xa9", b"\xe9", b"R&D"])
def test_every_prefix_has_a_text(name: bytes) -> None:
    assert isinstance(Namespace(MailboxName(name), None).mailbox, str)


def test_a_delimiter_is_text() -> None:
    assert (Namespace(MailboxName(b""), b"/").delimiter, Namespace(MailboxName(b""), None).delimiter) == ("/", None)


def test_a_prefix_can_be_passed_back() -> None:
    shared = b'(("" "/")) NIL (("Public Folders/" "/"))'
    handlers = saying(shared) | {"LIST": answering()}
    with selected(handlers, families=FAMILIES) as (client, server):
        [found] = client.namespace()[1].parsed()
        client.list(found.personal[0].prefix, "%")
        assert server.commands[-1].args == b'"" %'
        client.list(found.shared[0].prefix, "%")
        assert server.commands[-1].args == b'"Public Folders/" %'


def test_defects_are_kept_with_the_record() -> None:
    found = namespace_response(Cursor((b'(("" "/" "X" 5)) NIL NIL',)))
    assert found.personal == (Namespace(MailboxName(b""), b"/"),)
    assert [defect.raw for defect in found.defects] == [b'"X" 5']


def test_a_prefix_in_utf_8() -> None:
    data = b'(("R&AOk-/" "/")) NIL NIL'
    assert namespace_response(Cursor((data,), utf8=True)).personal[0].mailbox == "R&AOk-/"  # type: ignore[index]
    assert namespace_response(Cursor((data,))).personal[0].mailbox == "Ré/"  # type: ignore[index]


@pytest.mark.parametrize(
    "text", [b"(" * 5000, b"((" * 2000 + b"))" * 2000, b"() () ()", b"x y z", b'((""))', b"NIL (5) (((", b") ) )"]
)
def test_random_input_is_survived(text: bytes) -> None:
    cursor = Cursor((text,))
    found = namespace_response(cursor)
    assert not any((found.personal, found.other, found.shared))
    assert cursor.defects or text == b"() () ()"


def test_an_empty_response_is_refused() -> None:
    with pytest.raises(ParseError):
        namespace_response(Cursor((b" ",)))


def test_without_the_family() -> None:
    with selected(families=["rev1"]) as (client, _):
        assert not hasattr(client, "namespace")
        with pytest.raises(FamilyDisabledError, match="'namespace'"):
            client.namespace()


def test_claims() -> None:
    family = imapkit_family()
    assert (family.name, family.capabilities, family.requires) == ("namespace", ("NAMESPACE",), ("rev1",))
