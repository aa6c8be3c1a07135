"""The family against a server that supports X-GM-EXT-1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imapkit_gmail
import pytest
from imapkit_gmail import LABELS, MSGID, THRID, GmailCommands

from imapkit import IMAP4, ArgumentError, Client, Missing, UIDSet, q
from imapkit.testing import (
    ClientFactory,
    Conversation,
    ReceivedCommand,
    ScriptedServer,
    ServerFactory,
    Vector,
    check_family,
    check_vector,
    load_only,
    load_vectors,
)

CAPABILITIES = b"IMAP4rev1 LITERAL+ X-GM-EXT-1"
FETCHED = b'* 1 FETCH (UID 9 X-GM-MSGID 12784 X-GM-THRID 12668 X-GM-LABELS ("\\\\Inbox" Gr&APYA3w-e "To do"))\r\n'


class MyIMAP(IMAP4, GmailCommands):
    """A client class with the family's methods, for type checkers."""


def answer(untagged: bytes) -> Callable[[Conversation, ReceivedCommand], None]:
    return lambda conversation, command: conversation.ok(command, untagged=untagged)


HANDLERS = {
    f"{prefix}{name}": answer(untagged)
    for prefix in ("", "UID ")
    for name, untagged in {"FETCH": FETCHED, "STORE": FETCHED, "SEARCH": b"* SEARCH 2 3\r\n"}.items()
}


@pytest.fixture
def server(imap_server: ServerFactory) -> ScriptedServer:
    return imap_server(handlers=HANDLERS, capabilities=CAPABILITIES, messages=3)


@pytest.fixture
def imap(server: ScriptedServer, imap_client: ClientFactory) -> MyIMAP:
    return imap_client(server, cls=MyIMAP, families=["rev1", "sort_thread", imapkit_gmail], select="INBOX")


def sent(server: ScriptedServer) -> bytes:
    """The last command, without its tag."""
    return server.commands[-1].raw.partition(b" ")[2].removesuffix(b"\r\n")


def test_numbers_and_labels(server: ScriptedServer, imap: MyIMAP) -> None:
    typ, data = imap.x_gm_labels("1:*")
    assert typ == "OK"
    assert sent(server) == b"FETCH 1:* (UID X-GM-MSGID X-GM-THRID X-GM-LABELS)"
    [message] = data.parsed()
    assert (MSGID.of(message), THRID.of(message)) == (12784, 12668)
    labels = LABELS.of(message)
    assert labels is not None
    assert [label.text for label in labels] == ["\\Inbox", "Größe", "To do"]
    imap.x_gm_set_labels(9, labels, uid=True)
    assert sent(server) == b'UID STORE 9 X-GM-LABELS (\\Inbox Gr&APYA3w-e "To do")'


def test_missing_and_malformed_labels_are_none(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(handlers={"FETCH": answer(b"* 1 FETCH (FLAGS ())\r\n* 2 FETCH (X-GM-LABELS oops UID 2)\r\n")})
    imap = imap_client(server, families=["rev1", imapkit_gmail], select="INBOX")
    first, second = imap.fetch("1:2", "(X-GM-LABELS)")[1].parsed()
    assert (LABELS.of(first), LABELS.of(second)) == (None, None)
    assert (second.uid, len(second.defects)) == (2, 1)


@pytest.mark.parametrize(
    ("labels", "written"),
    [
        ("To do", b'("To do")'),
        (["To do", "done"], b'("To do" done)'),
        (r"\Inbox", rb"(\Inbox)"),
        ([rb"\Starred", "Größe"], rb'(\Starred "Gr&APYA3w-e")'),
        (('say "hi"', "back\\slash"), rb'("say \"hi\"" "back\\slash")'),
        ("100%", b'("100%")'),
        (r'(\Inbox "To do")', rb'(\Inbox "To do")'),
        ((), b"()"),
    ],
)
def test_labels_are_quoted_as_needed(server: ScriptedServer, imap: MyIMAP, labels: Any, written: bytes) -> None:
    imap.x_gm_set_labels(1, labels)
    assert sent(server) == b"STORE 1 X-GM-LABELS " + written
    imap.store("1", "-X-GM-LABELS.SILENT", labels)
    assert sent(server) == b"STORE 1 -X-GM-LABELS.SILENT " + written


def test_labels_added_and_removed(server: ScriptedServer, imap: MyIMAP) -> None:
    [message] = imap.x_gm_add_labels([1, 3], "done")[1].parsed()
    assert sent(server) == b"STORE 1,3 +X-GM-LABELS (done)"
    assert MSGID.of(message) == 12784
    imap.x_gm_remove_labels("1:*", ["done"], uid=True, silent=True)
    assert sent(server) == b"UID STORE 1:* -X-GM-LABELS.SILENT (done)"


@pytest.mark.parametrize("labels", ["a\r\nX1 LOGOUT", ["a", "b\0"], [7.5], "(a\r\nb)", "\udc80"])
def test_labels_that_cannot_be_sent(server: ScriptedServer, imap: MyIMAP, labels: Any) -> None:
    with pytest.raises(ArgumentError):
        imap.x_gm_add_labels(1, labels)
    assert server.names == ["LOGIN", "SELECT"]


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("has:attachment in:unread", b'SEARCH X-GM-RAW "has:attachment in:unread"'),
        ('"exact words" to me', rb'SEARCH X-GM-RAW "\"exact words\" to me"'),
        ("to:größe", b"SEARCH CHARSET UTF-8 X-GM-RAW {10+}\r\nto:gr\xc3\xb6\xc3\x9fe"),
    ],
)
def test_gmails_own_search(server: ScriptedServer, imap: MyIMAP, query: str, written: bytes) -> None:
    assert imap.x_gm_search(query) == ("OK", [b"2 3"])
    assert sent(server) == written
    imap.x_gm_search(query, "UNSEEN", uid=True)
    assert sent(server) == b"UID " + written + b" UNSEEN"


def test_search_supports_the_keys(server: ScriptedServer, imap: MyIMAP) -> None:
    # "to" is a search key of RFC 3501; here it is the operand of X-GM-RAW.
    imap.search(None, "X-GM-RAW", "to me", "X-GM-LABELS", "To do", "X-GM-THRID", 12668, "SEEN")
    assert sent(server) == b'SEARCH X-GM-RAW "to me" X-GM-LABELS "To do" X-GM-THRID 12668 SEEN'
    imap.uid("SEARCH", "NOT X-GM-RAW", "all of größe")
    assert sent(server) == b"UID SEARCH CHARSET UTF-8 NOT X-GM-RAW {14+}\r\nall of gr\xc3\xb6\xc3\x9fe"
    with pytest.raises(ArgumentError):
        imap.search(None, "X-GM-MSGID", "abc")


@pytest.mark.parametrize("vector", load_vectors(Path(__file__).with_name("gmail.toml")), ids=str)
def test_vector(vector: Vector) -> None:
    check_vector(vector, load_only("rev1", imapkit_gmail))


def test_alone_and_absent() -> None:
    check_family(imapkit_gmail)


# Typed


def test_labels_and_keys_typed(server: ScriptedServer, imap: MyIMAP) -> None:
    client = Client.over(imap)
    with client.select("INBOX") as box:
        assert box.search(imapkit_gmail.query("has:attachment") & q.unseen) == UIDSet("2:3")
        assert sent(server) == b'UID SEARCH X-GM-RAW "has:attachment" UNSEEN'
        (message,) = box.fetch(9, LABELS, THRID)
        assert sent(server) == b"UID FETCH 9 (UID X-GM-LABELS X-GM-THRID)"
        assert [label.text for label in message[LABELS]] == ["\\Inbox", "Größe", "To do"]
        assert message[THRID] == 12668
        assert imapkit_gmail.Gmail(box).add_labels([7, 8], "To do", r"\Important") == UIDSet("7:8")
        assert sent(server) == b'UID STORE 7:8 +X-GM-LABELS.SILENT ("To do" \\Important)'
        imapkit_gmail.Gmail(box.nowait).remove_labels(7, "To do").result(10)
        imapkit_gmail.Gmail(box).set_labels(7)
        assert sent(server) == b"UID STORE 7 X-GM-LABELS.SILENT ()"
        box.search(imapkit_gmail.labelled("To do") | imapkit_gmail.thread(12668))
        assert sent(server) == b'UID SEARCH OR X-GM-LABELS "To do" X-GM-THRID 12668'


def test_without_the_capability_nothing_is_sent(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    other = imap_server(handlers=HANDLERS, messages=3)
    client = Client.over(imap_client(other, cls=MyIMAP, families=["rev1", imapkit_gmail]))
    with client.select("INBOX") as box:
        with pytest.raises(Missing, match="X-GM-EXT-1"):
            imapkit_gmail.Gmail(box).add_labels(7, "x")
        with pytest.raises(Missing, match="X-GM-EXT-1"):
            list(box.fetch(7, LABELS))
        assert not {"UID STORE", "UID FETCH"} & set(other.names)
