"""The family against a server that supports X-ACME."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imapkit_acme
import pytest
from imapkit_acme import OWNER, Acme, AcmeCommands, AcmeSession, Answering, NotInTeam, owned_by, unowned

from imapkit import ArgumentError, AsyncClient, Client, Missing, NoAnswer, NoResponse, UIDSet, q
from imapkit.testing import (
    INJECTIONS,
    Conversation,
    Handler,
    ReceivedCommand,
    ScriptedServer,
    Vector,
    answering,
    check_family,
    check_vector,
    crossed,
    load_only,
    load_vectors,
    refusing,
    selected,
    within,
    written,
)

FAMILIES = ["rev1", "idle", imapkit_acme]
TEAM = b'* XACME-TEAM "help desk" (ada bob)\r\n'
FETCHED = b'* 1 FETCH (UID 4 XACME-OWNER "ada")\r\n* 2 FETCH (UID 7 XACME-OWNER NIL)\r\n* 3 FETCH (UID 9)\r\n'
LISTED = b'* LIST () "/" INBOX\r\n* LIST () "/" "help desk"\r\n' + TEAM
HANDLERS: Mapping[str, Handler] = {
    "XACME-TEAM": answering(TEAM),
    "UID XACME-ASSIGN": answering(),
    "UID SEARCH": answering(b"* SEARCH 4 7\r\n"),
    "UID FETCH": answering(FETCHED),
    "LIST": answering(LISTED),
}


@contextmanager
def serving(capabilities: bytes = b"X-ACME", **handlers: Handler) -> Iterator[tuple[Client, ScriptedServer]]:
    named = {**HANDLERS, **{name.replace("__", " ").replace("_", "-"): handler for name, handler in handlers.items()}}
    served = b"IMAP4rev1 IDLE " + capabilities
    with selected(named, families=FAMILIES, capabilities=served) as (raw, server), within(30):
        yield Client.over(raw), server


def test_the_command_in_the_three_faces() -> None:
    with serving() as (client, server):
        team: Callable[[str], tuple[str, ...]] = AcmeSession(client).team
        assert team("help desk") == ("ada", "bob")
        assert server.commands[-1].args == b'"help desk"'
        assert AcmeSession(client.nowait).team("help desk").result(10) == ("ada", "bob")

        async def work() -> tuple[str, ...]:
            return await AcmeSession(AsyncClient.over(client.raw)).team("help desk")

        assert asyncio.run(work()) == ("ada", "bob")
        assert server.names.count("XACME-TEAM") == 3


def test_two_calls_at_once_overlap_and_each_gets_its_own_answer() -> None:
    answers = {b"a": b"* XACME-TEAM a (ada)\r\n", b"b": b"* XACME-TEAM b (bob)\r\n"}
    with serving(XACME_TEAM=crossed(answers)) as (client, _):
        one, two = (AcmeSession(client.nowait).team(name) for name in "ab")
        assert (one.result(10), two.result(10)) == (("ada",), ("bob",))


def test_the_raw_method() -> None:
    with serving() as (client, _):
        typ, data = client.raw.family(AcmeCommands).xacme_team("help desk")
        assert (typ, [team.users for team in data.parsed()]) == ("OK", [("ada", "bob")])


def test_ok_without_an_answer_is_an_error() -> None:
    with serving(XACME_TEAM=answering()) as (client, _), pytest.raises(NoAnswer):
        AcmeSession(client).team()


def test_the_option_of_list() -> None:
    with serving() as (client, server):
        assert AcmeSession(client).teams("*") == {"help desk": ("ada", "bob")}
        assert server.commands[-1].args == b'"" * RETURN (XACME-TEAM)'


def test_the_item() -> None:
    with serving() as (client, server), client.select("INBOX") as inbox:
        messages = list(inbox.fetch([4, 7, 9], OWNER))
        assert server.commands[-1].args == b"4,7,9 (UID XACME-OWNER)"
        assert [message.get(OWNER) for message in messages] == ["ada", "", None]
        assert messages[0][OWNER].upper() == "ADA"


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        (unowned & q.unseen, b"XACME-UNOWNED UNSEEN"),
        (~unowned, b"XACME-OWNED"),
        (owned_by("ada") | owned_by("Bob the second"), b'OR XACME-OWNER "ada" XACME-OWNER "Bob the second"'),
    ],
)
def test_keys(key: Any, sent: bytes) -> None:
    with serving() as (client, server), client.select("INBOX") as inbox:
        assert inbox.search(key) == UIDSet("4,7")
        assert server.commands[-1].args == sent


def test_raw_searches_know_the_keys() -> None:
    with selected({"SEARCH": answering()}, families=FAMILIES) as (raw, server):
        raw.search(None, "XACME-OWNER", "to me", "XACME-UNOWNED", "SEEN")
        assert server.commands[-1].args == b'XACME-OWNER "to me" XACME-UNOWNED SEEN'


def test_messages_are_assigned() -> None:
    with serving() as (client, server), client.select("INBOX") as inbox:
        assert Acme(inbox).assign([4, 7], "ada") == UIDSet("4,7")
        assert server.commands[-1].args == b"4,7 ada"
        assert Acme(inbox).assign(unowned, "Bob the second") == UIDSet("4,7")
        assert server.commands[-1].args == b'4,7 "Bob the second"'
        Acme(inbox.nowait).assign(4, None).result(10)
        assert server.commands[-1].args == b"4 NIL"
        Acme(inbox).assign(4, "NIL")
        assert server.commands[-1].args == b'4 "NIL"'
        before = len(server.commands)
        assert not Acme(inbox).assign([], "ada")
        assert len(server.commands) == before


def test_what_no_means() -> None:
    refused = refusing(b'[XACME-NOTINTEAM "eve"] not here')
    with serving(UID__XACME_ASSIGN=refused) as (client, _), client.select("INBOX") as inbox:
        with pytest.raises(NotInTeam, match="not here") as caught:
            Acme(inbox).assign(4, "eve")
        assert (caught.value.code, caught.value.value) == ("XACME-NOTINTEAM", "eve")
        assert isinstance(caught.value, NoResponse)


def test_the_event() -> None:
    def idling(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ idling\r\n* XACME-ANSWERING 7 bob\r\n")
        conversation.read_line()
        conversation.ok(command)

    with serving(IDLE=idling) as (client, _), client.select("INBOX") as inbox:
        found = next(event for event in inbox.idle() if isinstance(event, Answering))
        assert found == Answering(7, "bob", "INBOX")


def test_nothing_is_sent_to_a_server_without_it() -> None:
    with serving(b"X-OTHER") as (client, server), client.select("INBOX") as inbox:
        calls: list[Callable[[], object]] = [
            lambda: AcmeSession(client).team(),
            lambda: AcmeSession(client).teams(),
            lambda: client.raw.family(AcmeCommands).xacme_team("INBOX"),
            lambda: Acme(inbox).assign(4, "ada"),
            lambda: list(inbox.fetch(4, OWNER)),
        ]
        for call in calls:
            with pytest.raises(Missing, match="X-ACME"):
                call()
        assert not set(HANDLERS) & set(server.names)


@pytest.mark.parametrize("bad", [*INJECTIONS, ""])
def test_an_argument_cannot_inject_a_command(bad: str | bytes) -> None:
    with pytest.raises(ArgumentError):
        written(load_only(*FAMILIES), "XACME-ASSIGN", 4, bad)


@pytest.mark.parametrize("vector", load_vectors(Path(__file__).with_name("acme.toml")), ids=str)
def test_vector(vector: Vector) -> None:
    check_vector(vector, load_only(*FAMILIES))


def test_alone_and_absent() -> None:
    check_family(imapkit_acme)
