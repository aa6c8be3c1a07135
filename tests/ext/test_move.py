"""The families ``move``, ``uidplus`` and ``unselect``: which way is taken, what is sent, and what is never sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from imapkit import BadResponse, Client, Copied, MailboxClosed, Missing, NoResponse, UIDSet
from imapkit.testing import Handler, ScriptedServer, answering, crossed, refusing, rejecting, selected, within

FAMILIES = ["rev1", "move", "uidplus", "unselect"]
MOVED = answering(b"* OK [COPYUID 38 4,2 9:10] moved\r\n* 3 EXPUNGE\r\n")
COPIED = answering(text=b"[COPYUID 38 2,4 9:10] copied")
DONE = answering()
WITHOUT_MOVE: Mapping[str, Handler] = {"UID COPY": COPIED, "UID STORE": DONE, "UID EXPUNGE": DONE}


@contextmanager
def serving(handlers: Mapping[str, Handler], capabilities: bytes) -> Iterator[tuple[Client, ScriptedServer]]:
    server = b"IMAP4rev1 " + capabilities
    with selected(handlers, families=FAMILIES, capabilities=server) as (raw, scripted), within(30):
        yield Client.over(raw), scripted


def test_move_is_one_command_where_the_server_has_it() -> None:
    with serving({"UID MOVE": MOVED}, b"MOVE UIDPLUS") as (client, server), client.select("a") as box:
        assert box.move(UIDSet("2,4"), "b") == Copied(38, {4: 9, 2: 10})
        assert server.names[-1] == "UID MOVE"
        assert client.explain("move").route == "MOVE"


def test_the_uids_may_stand_in_the_tagged_response_or_nowhere() -> None:
    with serving({"UID MOVE": COPIED}, b"MOVE") as (client, _), client.select("a") as box:
        assert box.move([2, 4], "b").uids == {2: 9, 4: 10}
    with serving({"UID MOVE": DONE}, b"MOVE") as (client, _), client.select("a") as box:
        assert box.move(7, "b") == Copied(None, None)


def test_without_move_the_originals_are_deleted_once_they_are_copied() -> None:
    with serving(WITHOUT_MOVE, b"UIDPLUS") as (client, server), client.select("a") as box:
        assert box.move(UIDSet("2,4"), "b").uids == {2: 9, 4: 10}
        assert server.names[-3:] == ["UID COPY", "UID STORE", "UID EXPUNGE"]
        assert "no MOVE" in str(client.explain("move"))


def test_a_copy_that_is_refused_deletes_nothing() -> None:
    with serving({**WITHOUT_MOVE, "UID COPY": refusing(b"[OVERQUOTA] full")}, b"UIDPLUS") as (client, server):
        with client.select("a") as box, pytest.raises(NoResponse):
            box.move(2, "b")
        assert server.names[-1] == "UID COPY"


@pytest.mark.parametrize("call", ["move", "delete"])
def test_without_move_and_uidplus_nothing_is_sent(call: str) -> None:
    with serving({}, b"IDLE") as (client, server), client.select("a") as box:
        before = list(server.names)
        with pytest.raises(Missing, match="UIDPLUS"):
            box.move(2, "b") if call == "move" else box.delete(2)
        assert server.names in (before, [*before, "CAPABILITY"])


def test_a_server_that_answers_bad_to_the_move_it_announces_is_not_asked_again() -> None:
    with serving({**WITHOUT_MOVE, "UID MOVE": rejecting()}, b"MOVE UIDPLUS") as (client, server), client.select("a") as box:
        for _ in range(2):
            assert box.move(UIDSet("2,4"), "b").uids == {2: 9, 4: 10}
        assert server.names.count("UID MOVE") == 1
        assert "BAD" in str(client.explain("move"))


def test_a_bad_without_another_way_is_raised() -> None:
    with serving({"UID MOVE": rejecting()}, b"MOVE") as (client, _), client.select("a") as box, pytest.raises(BadResponse):
        box.move(2, "b")


def test_an_empty_set_sends_nothing_and_is_no_error() -> None:
    with serving({}, b"MOVE UIDPLUS") as (client, server), client.select("a") as box:
        client.raw.capability()
        before = list(server.names)
        assert box.move(UIDSet(), "b") == Copied(None, {})
        assert box.delete(UIDSet()) == UIDSet()
        assert server.names == before


def test_delete_expunges_exactly_these() -> None:
    commands: list[bytes] = []

    def expunge(conversation, command) -> None:  # type: ignore[no-untyped-def]
        commands.append(command.args)
        conversation.ok(command)

    with serving({"UID STORE": DONE, "UID EXPUNGE": expunge}, b"UIDPLUS") as (client, server), client.select("a") as box:
        assert box.delete([3, 4, 9]) == UIDSet("3:4,9")
        assert commands == [b"3:4,9"]
        assert "EXPUNGE" not in server.names
        box.nowait.delete(5).result(10)

        async def again() -> None:
            async with client.asynchronous.select("b") as other:
                await other.delete(6)

        box.close()
        asyncio.run(again())
        assert commands == [b"3:4,9", b"5", b"6"]


def test_two_moves_overlap_and_each_gets_its_own_uids() -> None:
    answers = {
        b"2 b": b"* OK [COPYUID 1 2 20] x\r\n",
        b"3 b": b"* OK [COPYUID 1 3 30] x\r\n",
    }
    with serving({"UID MOVE": crossed(answers)}, b"MOVE") as (client, _), client.select("a") as box:
        two, three = box.nowait.move(2, "b"), box.nowait.move(3, "b")
        assert two.result(10).uids == {2: 20}
        assert three.result(10).uids == {3: 30}


def test_a_server_that_names_billions_of_uids_costs_no_time() -> None:
    handlers = {"UID MOVE": answering(b"* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n")}
    with serving(handlers, b"MOVE") as (client, _), client.select("a") as box:
        assert box.move(2, "b").uids is None


def test_a_long_set_is_split() -> None:
    with serving({"UID MOVE": DONE}, b"MOVE") as (client, server), client.select("a") as box:
        box.move(range(1, 20_000, 2), "b")
        assert server.names.count("UID MOVE") > 1


def test_unselect_closes_the_mailbox_at_the_server() -> None:
    with serving({"UNSELECT": DONE}, b"UNSELECT UIDPLUS") as (client, server):
        box = client.select("a")
        client.unselect()
        assert server.names[-1] == "UNSELECT"
        with pytest.raises(MailboxClosed):
            box.delete(1)
        box.close()
        client.unselect()
        assert server.names.count("UNSELECT") == 1


def test_without_unselect_the_mailbox_is_examined_and_closed() -> None:
    with serving({"CLOSE": DONE}, b"") as (client, server), client.select("a"):
        client.unselect()
        assert server.names[-2:] == ["EXAMINE", "CLOSE"]


def test_text_is_no_set_of_messages() -> None:
    with serving({}, b"MOVE UIDPLUS") as (client, _), client.select("a") as box, pytest.raises(TypeError, match="UIDSet"):
        box.move("1:5", "b")  # type: ignore[arg-type]


def test_the_raw_face_has_move_and_unselect() -> None:
    with selected({"MOVE": MOVED, "UNSELECT": DONE}, families=FAMILIES, capabilities=b"IMAP4rev1 MOVE UNSELECT") as (raw, _):
        assert raw.move("1:2", "b")[0] == "OK"
        assert raw.response("COPYUID")[1] == [b"38 4,2 9:10"]
        assert raw.unselect()[0] == "OK"
        assert raw.state == "AUTH"
