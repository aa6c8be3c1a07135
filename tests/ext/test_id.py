"""ID, RFC 2971: bytes on the wire, refused arguments, responses."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from imapkit import BadResponse
from imapkit.errors import ArgumentError, FamilyDisabledError
from imapkit.ext.id import Identity, id_response, imapkit_family
from imapkit.plugin import Cursor
from imapkit.testing import (
    Answers,
    Conversation,
    Handler,
    ReceivedCommand,
    ScriptedServer,
    answering,
    connect,
    selected,
    within,
)

FAMILIES = ["rev1", "id"]
CYRUS = b'("name" "Cyrus" "version" "1.5" "os" "sunos")'


def saying(data: bytes) -> dict[str, Handler]:
    return {"ID": lambda conversation, command: conversation.ok(command, untagged=b"* ID %b\r\n" % data)}


# On the wire


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ((), b"NIL"),
        ((None,), b"NIL"),
        (("",), b"NIL"),
        ((b"",), b"NIL"),
        (("NIL",), b"NIL"),
        (({},), b"NIL"),
        (('("name" "x")',), b'("name" "x")'),
        ((b'("name" "x")',), b'("name" "x")'),
        (({"name": "x", "version": None},), b'("name" "x" "version" NIL)'),
        ((OrderedDict([(b"os", b"a b"), ("version", 3)]),), b'("os" "a b" "version" "3")'),
        (("name", "x"), b'("name" "x")'),
        (("name", "NIL", "version", None), b'("name" "NIL" "version" NIL)'),
        (("name", ""), b'("name" "")'),
        (("name", '"x"'), rb'("name" "\"x\"")'),
        (("name", "a\\b)"), rb'("name" "a\\b)")'),
        ((["name", "x"],), b'("name" "x")'),
        ((iter(["name", "x"]),), b'("name" "x")'),
    ],
)
def test_arguments(given: tuple[Any, ...], wire: bytes) -> None:
    with selected(saying(b"NIL"), families=FAMILIES) as (client, server):
        assert client.id(*given) == ("OK", [b"NIL"])
        assert server.commands[-1].args == wire


def test_defects_are_kept_with_the_record() -> None:
    found = id_response(Cursor((b'("name" "x" "os")',)))
    assert found is not None
    assert [defect.raw for defect in found.defects] == [b'"os"']


@pytest.mark.parametrize("given", [("vendor", "café"), ({"vendor": "café".encode()},), ('("vendor" "café")',)])
def test_8_bit_text_becomes_a_literal(given: tuple[Any, ...]) -> None:
    with selected(saying(b"NIL"), families=FAMILIES, capabilities=b"IMAP4rev1") as (client, server):
        assert client.id(*given)[0] == "OK"
        assert server.commands[-1].literals == ["café".encode()]
        assert server.commands[-1].args == b'("vendor" {5})'


def test_the_largest_allowed_arguments() -> None:
    pairs = {f"{number:030}": "x" * 1024 for number in range(30)}
    with selected(saying(b"NIL"), families=FAMILIES) as (client, server):
        assert client.id(pairs)[0] == "OK"
        assert server.commands[-1].literals == [b"x" * 1024] * 30


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("name", "x", "version"), "without a value"),
        (({str(number): "" for number in range(31)},), "at most 30"),
        (("x" * 31, ""), "30 bytes, not 31"),
        (("é" * 16, ""), "30 bytes, not 32"),
        (("name", "x" * 1025), "1024 bytes, not 1025"),
        (("name", "a", "Name", "b"), "twice"),
        (("name", "a", b"NAME", "b"), "twice"),
        ((None, "x"), "a field must be text"),
        (("name", 1.5), "the value of 'name' must be text"),
        (("name", True), "must be text"),
        (([("name", "x")],), "without a value"),
        ((5,), "takes fields and values"),
        (("name", "\ud800"), "cannot be written"),
    ],
)
def test_arguments_that_are_refused(given: tuple[Any, ...], why: str) -> None:
    with selected(families=FAMILIES) as (client, server):
        with pytest.raises(ArgumentError, match=why):
            client.id(*given)
        assert server.names[-1] == "SELECT"


@pytest.mark.parametrize("evil", ["\r", "\n", "\0", 'x")\r\nA1 LOGOUT'])
def test_no_second_command_can_be_smuggled_in(evil: str) -> None:
    encoded = evil.encode()
    given: list[tuple[Any, ...]] = [
        (evil,),
        (encoded,),
        (f'("name" "{evil}")',),
        ({evil: "x"},),
        ({"name": evil},),
        (evil, "x"),
        ("name", evil),
        (encoded, "x"),
        ("name", encoded),
        ("name", "é" + evil),
        ("name", "x" * 1005 + evil),
    ]
    with selected(families=FAMILIES) as (client, server):
        for arguments in given:
            with pytest.raises(ArgumentError):
                client.id(*arguments)
        assert server.names[-1] == "SELECT"


@pytest.mark.parametrize("announces", ['("name" {3}', "{10}", '("name" {3+}'])
def test_text_that_would_announce_a_literal_is_refused(announces: str) -> None:
    with selected(families=FAMILIES) as (client, _), pytest.raises(ArgumentError):
        client.id(announces)


# States and results


def test_any_state() -> None:
    with ScriptedServer(handlers=saying(CYRUS)) as server, connect(server, families=FAMILIES, login=False) as client:
        for prepare in (lambda: None, lambda: client.login("me", "secret"), client.select):
            prepare()
            assert client.id() == ("OK", [CYRUS])
        assert client.state == "SELECTED"


def test_parsed() -> None:
    with selected(saying(CYRUS), families=FAMILIES) as (client, _):
        [identity] = client.id()[1].parsed()
        assert identity == Identity({b"name": b"Cyrus", b"version": b"1.5", b"os": b"sunos"})
    with selected(saying(b"NIL"), families=FAMILIES) as (client, _):
        assert client.id()[1].parsed() == [None]


def test_decoded() -> None:
    identity = Identity({b"Name": "é".encode(), b"os": None, b"vendor": b"\xe9"})
    assert identity.text() == {"name": "é", "os": None, "vendor": "\udce9"}
    assert (identity.get("NAME"), identity.get("os"), identity.get("version")) == ("é", None, None)
    assert len({identity, Identity(dict(identity.fields))}) == 1


@pytest.mark.parametrize("text", [b"(" * 20000, b"() x", b'("a" "b" c', b'("a"', b"(((", b"( NIL NIL )", b'("a" 5 6 "b")'])
def test_random_input_is_survived(text: bytes) -> None:
    cursor = Cursor((text,))
    assert isinstance(id_response(cursor), Identity)
    assert cursor.defects or text == b"( NIL NIL )"


@pytest.mark.heavy
def test_many_fields_are_read_in_linear_time() -> None:
    count = 100_000
    cursor = Cursor((b"(%b)" % b" ".join(b'"%d" NIL' % number for number in range(count)),))
    with within(5.0):
        identity = id_response(cursor)
    assert identity is not None
    assert len(identity.fields) == count


def test_a_server_that_sends_nil() -> None:
    with selected({"ID": answering()}, families=FAMILIES) as (client, _):
        assert client.id("name", "x") == ("OK", [None])


def test_a_literal_in_the_response() -> None:
    with selected(saying(b'("name" {3}\r\na"b)'), families=FAMILIES) as (client, _):
        typ, data = client.id()
        assert (typ, data) == ("OK", [(b'("name" {3}', b'a"b'), b")"])
        assert data.parsed() == [Identity({b"name": b'a"b'})]


def test_refused() -> None:
    def bad(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.bad(command, b"unknown")

    with selected({"ID": bad}, families=FAMILIES) as (client, _), pytest.raises(BadResponse, match="unknown"):
        client.id()


def test_callback() -> None:
    with selected(saying(CYRUS), families=FAMILIES) as (client, _):
        answers = Answers()
        assert client.id("name", "x", callback=answers, cb_arg="who") == (None, None)  # type: ignore[comparison-overlap]
        assert answers.take(1) == [(("OK", [CYRUS]), "who", None)]


def test_through_xatom() -> None:
    with selected(saying(CYRUS), families=FAMILIES) as (client, server):
        assert client.xatom("id", '("name" "x")')[0] == "OK"
        assert server.commands[-1].args == b'("name" "x")'


# The family


def test_without_the_family() -> None:
    with selected(families=["rev1"]) as (client, _):
        assert not hasattr(client, "id")
        with pytest.raises(FamilyDisabledError, match="'id'"):
            client.id()


def test_claims() -> None:
    family = imapkit_family()
    assert (family.name, family.capabilities, family.requires) == ("id", ("ID",), ("rev1",))
