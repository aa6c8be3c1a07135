"""Differences from imaplib2 that need no other library to be seen."""

from __future__ import annotations

import imaplib
import io
import threading
from typing import Any

import pytest

import imapkit
from imapkit import IMAP4
from imapkit.testing import ScriptedServer


def news(conversation: Any, command: Any) -> None:
    conversation.ok(command, untagged=b"* 3 EXISTS\r\n* OK [ALERT] mind\r\n* 4 EXISTS\r\n")


def test_responses_left_over_come_in_pairs_and_in_order() -> None:
    with ScriptedServer(handlers={"NOOP": news}) as server, IMAP4(server.host, server.port, timeout=10) as imap:
        for _ in imap.pop_untagged_responses():
            pass
        imap.noop()
        left = list(imap.pop_untagged_responses())
        assert [type(each) for each in left] == [tuple] * len(left)
        assert [(name, data) for name, data in left if name == "EXISTS"] == [("EXISTS", [b"3"]), ("EXISTS", [b"4"])]
        assert {name for name, _ in left} == {"EXISTS", "OK", "ALERT"}
        assert list(imap.pop_untagged_responses()) == []


def test_one_thread_a_connection_and_one_for_callbacks_that_come() -> None:
    before = set(threading.enumerate())
    called, idling = threading.Event(), threading.Event()

    def names() -> set[str]:
        return {each.name for each in set(threading.enumerate()) - before if each.name.startswith("mine")}

    def idle(conversation: Any, command: Any) -> None:
        conversation.send(b"+ idling\r\n")
        idling.set()
        assert conversation.read_line() == b"DONE"
        conversation.ok(command, b"done")

    with ScriptedServer(capabilities=b"IMAP4REV1 IDLE", handlers={"IDLE": idle}) as server:
        with IMAP4(server.host, server.port, identifier="mine", timeout=10) as imap:
            imap.login("user", "password")
            assert names() == {"mine reader"}
            imap.idle(callback=lambda answer: called.set())
            assert idling.wait(10)
            assert names() == {"mine reader"}
            imap.noop()
            assert called.wait(10)
            assert names() == {"mine reader", "mine callbacks"}
        assert names() == set()


KEPT = (
    "_quote", "_mesg", "_log", "_print_log", "_get_untagged_response", "compressor", "decompressor", "read_fd",
    "_command", "_command_complete", "_simple_command", "_untagged_response", "_get_response", "_get_line", "_new_tag",
    "_check_bye", "tagged_commands", "continuation_response",
)  # fmt: skip
GONE = ("_request_push", "_request_pop", "tagpre", "inq", "wrth", "start_compressing")


def test_private_names() -> None:
    with ScriptedServer() as server, IMAP4(server.host, server.port, timeout=10) as imap:
        assert [name for name in KEPT if not hasattr(imap, name)] == []
        assert [name for name in GONE if hasattr(imap, name)] == []


def test_names_of_imaplib_that_are_not_there() -> None:
    gone = ("readline", "print_log")
    assert [name for name in gone if not hasattr(imaplib.IMAP4, name)] == []
    assert hasattr(imaplib, "Debug")
    assert not hasattr(imapkit, "Debug")
    with ScriptedServer() as server, IMAP4(server.host, server.port, timeout=10) as imap:
        assert [name for name in (*gone, "file") if hasattr(imap, name)] == []


def test_the_third_argument_of_imaplib() -> None:
    with ScriptedServer() as server:
        with imaplib.IMAP4(server.host, server.port, 10) as theirs:
            assert theirs.debug == 0
        with IMAP4(server.host, server.port, 1, io.StringIO(), timeout=10) as imap:
            assert imap.debug == 1


def test_8_bit_text_goes_as_a_literal_without_the_attribute() -> None:
    searched: list[Any] = []

    def search(conversation: Any, command: Any) -> None:
        searched.append((command.args, command.literals))
        conversation.ok(command, untagged=b"* SEARCH 1\r\n")

    with (
        ScriptedServer(handlers={"SEARCH": search, "UID SEARCH": search}) as server,
        IMAP4(server.host, server.port, timeout=10) as imap,
    ):
        imap.login("me", "secret")
        imap.select()
        assert imap.search("UTF-8", "SUBJECT", "schön") == ("OK", [b"1"])
        assert imap.uid("SEARCH", "CHARSET", "UTF-8", "SUBJECT", "schön")[0] == "OK"
        with pytest.raises(imap.error, match="as an argument"):
            imap.literal = "schön".encode()
        imap.literal = None
    assert searched == [(b"CHARSET UTF-8 SUBJECT {6+}", ["schön".encode()])] * 2


def test_recent_and_expunge() -> None:
    def expunge(conversation: Any, command: Any) -> None:
        conversation.ok(command, untagged=b"* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n* 1 RECENT\r\n")

    handlers = {"EXPUNGE": expunge, "NOOP": lambda conversation, command: conversation.ok(command, untagged=b"* 5 RECENT\r\n")}
    with ScriptedServer(handlers=handlers) as server, IMAP4(server.host, server.port, timeout=10) as imap:
        imap.login("me", "secret")
        imap.select()
        imap.response("RECENT")
        assert imap.expunge() == ("OK", [b"2", b"2"])
        sent = len(server.names)
        assert imap.recent() == ("OK", [b"1"])
        assert len(server.names) == sent
        assert imap.recent() == ("OK", [b"5"])
        assert len(server.names) == sent + 1
        assert imap.response("RECENT") == ("RECENT", [None])
