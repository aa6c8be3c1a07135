"""Deviations in the stream are noted where a program can see them: bounded, without secrets, for any thread."""

from __future__ import annotations

import pickle
import threading

import pytest

import imapkit
from imapkit.core.engine.defects import DefectLog
from imapkit.core.support.secrets import Hidden
from imapkit.core.wire.data import Defect
from imapkit.ext.rev1 import FetchData
from imapkit.testing import Conversation, ReceivedCommand
from tests.core.rig import connect, selected, serving
from tests.core.support import Driver


@pytest.mark.parametrize(
    ("line", "what", "raw"),
    [
        (b"[COPYUID 55 31 6]", "a response code with no status before it", b"[COPYUID 55 31 6]"),
        (b"* [COPYUID 123456 1 2]", "a response code with no status before it", b"[COPYUID 123456 1 2]"),
        (b"", "a response without a name", b""),
        (b"* (what is this", "a response without a name", b"(what is this"),
        (b"+ go on", "a continuation request that no command waits for", b"go on"),
        (b"* XBROKEN 5", "the family's function raised LookupError", b"5"),
        (b"* OK [XBROKEN data] x", "the family's function raised LookupError", b"data"),
        (b"DONE BAD what", "an answer to the end of a command that had ended", b"DONE what"),
    ],
)
def test_deviations_are_noted_as_they_arrive(line: bytes, what: str, raw: bytes) -> None:
    driver = Driver()
    driver.feed(line + b"\r\n")
    [defect] = driver.engine.defects.all()
    assert defect.what.startswith(what)
    assert defect.raw == raw


def test_well_formed_input_leaves_no_defect() -> None:
    lines = b"* 3 EXISTS\r\n* ok  [ALERT]  hm\r\n* BYE\r\n* LIST () NIL INBOX\r\n* SEARCH 1 2 \r\n* X (a)\r\n"
    driver = Driver()
    request = driver.send("XBYE")
    driver.feed(lines)
    driver.end(request)
    assert driver.engine.defects.all() == ()


def test_deviations_are_noted_when_they_are_parsed() -> None:
    malformed = b"* 1 FETCH (UID 0 FLAGS ())\r\n"
    with selected({"FETCH": lambda c, command: c.ok(command, b"[UIDVALIDITY 0] done", malformed)}) as (client, _):
        data = client.fetch("1", "(UID FLAGS)")[1]
        assert not client.defects
        assert data.parsed().defects == client.defects == (Defect("0 where a number starts at 1", b"0"),)
        assert data.status()
        assert len(client.defects) == 2
        client.parse(*client.response("UIDVALIDITY"))
        assert len(client.defects) == 3


def test_a_result_that_is_read_again_is_noted_once() -> None:
    malformed = b"* 1 FETCH (UID 0 FLAGS ())\r\n* 2 FETCH (UID 0 FLAGS ())\r\n"
    with selected({"FETCH": lambda c, command: c.ok(command, b"[UIDVALIDITY 0] done", malformed)}) as (client, _):
        typ, data = client.fetch("1:2", "(UID FLAGS)")
        for _ in range(3):
            assert len(data.parsed().defects) == len(data.parsed(FetchData).defects) == len(client.parse(typ, data).defects) == 2
        assert [defect.raw for defect in client.defects] == [b"0", b"0"], "one for each response"
        for _ in range(3):
            assert data.status()
        assert len(client.defects) == 3
        kept = pickle.loads(pickle.dumps(data))
        for _ in range(3):
            assert client.parse(typ, kept).defects
        assert len(client.defects) == 5, "a copy is other data"


@pytest.mark.parametrize("typ", ["OK", "NO"])
def test_a_text_that_is_read_in_two_ways_is_noted_once(typ: str) -> None:
    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b %b [UIDNEXT 0] hm\r\n" % (command.tag, typ.encode()))

    with selected({"STATUS": answer, "NOOP": answer}) as (client, _):
        data = (client.noop() if typ == "OK" else client.status("INBOX", "MESSAGES"))[1]
        for _ in range(2):
            assert data.status()
            assert data.parsed().defects
        assert len(client.defects) == 1


def test_a_row_before_a_refusal_is_noted_once() -> None:
    def answer(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.no(command, untagged=b"* 1 FETCH (UID 0 FLAGS ())\r\n")

    with selected({"FETCH": answer}) as (client, _):
        data = client.fetch("1", "(UID FLAGS)")[1]
        assert data.parsed().defects
        with pytest.raises(imapkit.CommandNo) as caught:
            data.check()
        assert caught.value.data.parsed().defects
        assert len(client.defects) == 1


def test_malformed_data_in_text_form() -> None:
    with selected({"NOOP": lambda c, command: c.ok(command, b"[UIDNEXT 0] x")}) as (client, _):
        client.noop()[1].parsed()
        assert [defect.raw for defect in client.defects] == [b"0"]
        client.response("UIDNEXT")[1].parsed()
        assert [defect.raw for defect in client.defects] == [b"0", b"0"]


def test_the_newest_are_kept_and_of_each_not_too_much() -> None:
    def noop(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"".join(b"* (%d %b\r\n" % (i, b"x" * 5000) for i in range(9)))

    with serving({"NOOP": noop}) as server, connect(server, limits=imapkit.Limits(defects=4)) as client:
        client.noop()
        assert [defect.raw[:2] for defect in client.defects] == [b"(5", b"(6", b"(7", b"(8"]
        assert {len(defect.raw) for defect in client.defects} == {4096}
    assert len(client.defects) == 4, "and they outlive the connection"


def test_secrets_are_hidden_even_where_they_are_cut() -> None:
    log = DefectLog(5, Hidden("hunter2-Canary"))
    log.add("what hunter2-Canary", b"x" * 4090 + b"hunter2-Canary")
    [defect] = log.all()
    assert defect == Defect("what ***", b"x" * 4090 + b"***")


def look_and_add(log: DefectLog) -> None:
    for _ in range(500):
        log.add("x", b"y")
        log.all()


def test_many_threads() -> None:
    log = DefectLog(1000, Hidden())
    threads = [threading.Thread(target=look_and_add, args=(log,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        log.all()
    for thread in threads:
        thread.join()
    assert len(log.all()) == 1000
