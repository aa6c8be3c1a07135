"""The family ``move``: which way is taken, what is sent, and what is never sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from imapkit import BadResponse, Client, Copied, Missing, NoResponse, UIDSet
from imapkit.testing import Handler, ScriptedServer, answering, crossed, refusing, rejecting, selected, within

FAMILIES = ["rev1", "move"]
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


def test_without_move_and_uidplus_nothing_is_sent() -> None:
    with serving({}, b"IDLE") as (client, server), client.select("a") as box:
        before = list(server.names)
        with pytest.raises(Missing, match="UIDPLUS"):
            box.move(2, "b")
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
        assert server.names == before


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


def test_text_is_no_set_of_messages() -> None:
    with serving({}, b"MOVE UIDPLUS") as (client, _), client.select("a") as box, pytest.raises(TypeError, match="UIDSet"):
        box.move("1:5", "b")  # type: ignore[arg-type]


def test_the_raw_face_has_move() -> None:
    with selected({"MOVE": MOVED}, families=FAMILIES, capabilities=b"IMAP4rev1 MOVE") as (raw, _):
        assert raw.move("1:2", "b")[0] == "OK"
        assert raw.response("COPYUID")[1] == [b"38 4,2 9:10"]
