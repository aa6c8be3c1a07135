"""The family ``gmail``: the raw methods, and the typed commands, items and keys, against a server with X-GM-EXT-1."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import FLAGS, IMAP4, ArgumentError, AsyncClient, Client, FamilyDisabledError, Missing, NoResponse, UIDSet, q
from imapkit.ext import gmail
from imapkit.ext.gmail import LABELS, MSGID, THRID, Gmail
from imapkit.testing import (
    ClientFactory,
    Conversation,
    ReceivedCommand,
    ScriptedServer,
    ServerFactory,
    check_family,
    load_only,
    refusing,
    selected,
    within,
    written,
)

CAPABILITIES = b"IMAP4rev1 LITERAL+ X-GM-EXT-1"
FETCHED = b'* 1 FETCH (UID 9 X-GM-MSGID 12784 X-GM-THRID 12668 X-GM-LABELS ("\\\\Inbox" Gr&APYA3w-e "To do"))\r\n'


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
def imap(server: ScriptedServer, imap_client: ClientFactory) -> IMAP4:
    return imap_client(server, families=["rev1", "gmail"], select="INBOX")


def sent(server: ScriptedServer) -> bytes:
    """The last command, without its tag."""
    return server.commands[-1].raw.partition(b" ")[2].removesuffix(b"\r\n")


def test_numbers_and_labels(server: ScriptedServer, imap: IMAP4) -> None:
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
    imap = imap_client(server, families=["rev1", "gmail"], select="INBOX")
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
def test_labels_are_quoted_as_needed(server: ScriptedServer, imap: IMAP4, labels: Any, written: bytes) -> None:
    imap.x_gm_set_labels(1, labels)
    assert sent(server) == b"STORE 1 X-GM-LABELS " + written
    imap.store("1", "-X-GM-LABELS.SILENT", labels)
    assert sent(server) == b"STORE 1 -X-GM-LABELS.SILENT " + written


def test_labels_added_and_removed(server: ScriptedServer, imap: IMAP4) -> None:
    [message] = imap.x_gm_add_labels([1, 3], "done")[1].parsed()
    assert sent(server) == b"STORE 1,3 +X-GM-LABELS (done)"
    assert MSGID.of(message) == 12784
    imap.x_gm_remove_labels("1:*", ["done"], uid=True, silent=True)
    assert sent(server) == b"UID STORE 1:* -X-GM-LABELS.SILENT (done)"


@pytest.mark.parametrize("labels", ["a\r\nX1 LOGOUT", ["a", "b\0"], [7.5], "(a\r\nb)", "\udc80"])
def test_labels_that_cannot_be_sent(server: ScriptedServer, imap: IMAP4, labels: Any) -> None:
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
def test_gmails_own_search(server: ScriptedServer, imap: IMAP4, query: str, written: bytes) -> None:
    assert imap.x_gm_search(query) == ("OK", [b"2 3"])
    assert sent(server) == written
    imap.x_gm_search(query, "UNSEEN", uid=True)
    assert sent(server) == b"UID " + written + b" UNSEEN"


def test_search_supports_the_keys(server: ScriptedServer, imap: IMAP4) -> None:
    # "to" is a search key of RFC 3501; here it is the operand of X-GM-RAW.
    imap.search(None, "X-GM-RAW", "to me", "X-GM-LABELS", "To do", "X-GM-THRID", 12668, "SEEN")
    assert sent(server) == b'SEARCH X-GM-RAW "to me" X-GM-LABELS "To do" X-GM-THRID 12668 SEEN'
    imap.uid("SEARCH", "NOT X-GM-RAW", "all of größe")
    assert sent(server) == b"UID SEARCH CHARSET UTF-8 NOT X-GM-RAW {14+}\r\nall of gr\xc3\xb6\xc3\x9fe"
    with pytest.raises(ArgumentError):
        imap.search(None, "X-GM-MSGID", "abc")


def test_alone_and_absent() -> None:
    check_family("gmail")


# Typed

FAMILIES = ["rev1", "gmail"]
FOUND = answer(b"* SEARCH 2 9\r\n")
DONE = answer(b"")


@contextmanager
def typed(capabilities: bytes = CAPABILITIES, **handlers: Any) -> Iterator[tuple[Client, ScriptedServer]]:
    named = {name.replace("_", " "): handler for name, handler in handlers.items()}
    named = {"UID STORE": DONE, "UID SEARCH": FOUND, "UID FETCH": answer(FETCHED), **named}
    with selected(named, families=FAMILIES, capabilities=capabilities) as (raw, server), within(30):
        yield Client.over(raw), server


def test_items() -> None:
    with typed() as (client, server), client.select("INBOX") as inbox:
        [message] = inbox.fetch(9, MSGID, THRID, LABELS)
        assert server.commands[-1].args == b"9 (UID X-GM-MSGID X-GM-THRID X-GM-LABELS)"
        assert (message[MSGID], message[THRID]) == (12784, 12668)
        assert [label.text for label in message[gmail.LABELS]] == ["\\Inbox", "Größe", "To do"]
        assert message.get(FLAGS) is None


@pytest.mark.parametrize(
    ("key", "written"),
    [
        (gmail.query("has:attachment larger:5M") & q.unseen, b'X-GM-RAW "has:attachment larger:5M" UNSEEN'),
        (gmail.query('say "so"') | gmail.msgid(12784), b'OR X-GM-RAW "say \\"so\\"" X-GM-MSGID 12784'),
        (gmail.query("größe"), b"CHARSET UTF-8 X-GM-RAW {7+}\r\ngr\xc3\xb6\xc3\x9fe"),
        (~gmail.labelled("To do"), b'NOT X-GM-LABELS "To do"'),
        (gmail.labelled(r"\Starred") & gmail.thrid(12668), rb"X-GM-LABELS \Starred X-GM-THRID 12668"),
        (gmail.labelled("Größe"), b'X-GM-LABELS "Gr&APYA3w-e"'),
        (gmail.labelled("Größe") & q.text("ß"), b'CHARSET UTF-8 X-GM-LABELS "Gr&APYA3w-e" TEXT {2+}\r\n\xc3\x9f'),
    ],
)
def test_keys(key: Any, written: bytes) -> None:
    with typed() as (client, server), client.select("INBOX") as inbox:
        assert inbox.search(key) == UIDSet("2,9")
        assert sent(server) == b"UID SEARCH " + written


def test_a_label_of_a_message_is_a_key() -> None:
    with typed() as (client, server), client.select("INBOX") as inbox:
        [message] = inbox.fetch(9, LABELS)
        for label in message[LABELS]:
            inbox.search(gmail.labelled(label))
        assert [command.args for command in server.commands[-3:]] == [
            rb"X-GM-LABELS \Inbox",
            b'X-GM-LABELS "Gr&APYA3w-e"',
            b'X-GM-LABELS "To do"',
        ]


@pytest.mark.together
def test_a_label_is_utf8_once_that_is_on() -> None:
    handlers = {"ENABLE": answer(b"* ENABLED UTF8=ACCEPT\r\n"), "UID SEARCH": FOUND}
    capabilities = CAPABILITIES + b" ENABLE UTF8=ACCEPT"
    with selected(handlers, families=[*FAMILIES, "enable"], capabilities=capabilities, select=None) as (raw, server):
        raw.enable("UTF8=ACCEPT")
        with Client.over(raw).select("INBOX") as inbox:
            inbox.search(gmail.labelled("Größe"))
        assert server.commands[-1].args == 'X-GM-LABELS "Größe"'.encode()


@pytest.mark.parametrize("value", [-1, 1 << 64, True, "7", 7.0, None])
def test_numbers_that_are_none(value: Any) -> None:
    for key in (gmail.msgid, gmail.thrid):
        with pytest.raises(ArgumentError):
            key(value)


@pytest.mark.parametrize("label", ["a\r\nX1 LOGOUT", "a\0", "\udc80", "{5}"])
def test_a_key_cannot_inject_a_command(label: str) -> None:
    try:
        key = gmail.labelled(label)
    except ArgumentError:
        return
    [sent] = written(load_only(*FAMILIES), "SEARCH", key)
    assert sent == b'SEARCH X-GM-LABELS "%b"' % label.encode()


def test_what_is_no_label_is_no_key() -> None:
    for wrong in (7, b"raw", None):
        with pytest.raises(TypeError):
            gmail.labelled(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            gmail.query(wrong)  # type: ignore[arg-type]


def test_labels_are_added_removed_and_set() -> None:
    with typed() as (client, server), client.select("INBOX") as inbox:
        assert inbox.add_labels([2, 9], "To do", r"\Starred", "Größe") == UIDSet("2,9")
        assert sent(server) == rb'UID STORE 2,9 +X-GM-LABELS.SILENT ("To do" \Starred "Gr&APYA3w-e")'
        inbox.remove_labels(9, "done", silent=False)
        assert sent(server) == b"UID STORE 9 -X-GM-LABELS (done)"
        assert inbox.set_labels(gmail.query("in:unread")) == UIDSet("2,9")
        assert sent(server) == b"UID STORE 2,9 X-GM-LABELS.SILENT ()"
        [message] = inbox.fetch(9, LABELS)
        inbox.set_labels(9, *message[LABELS])
        assert sent(server) == b'UID STORE 9 X-GM-LABELS.SILENT (\\Inbox Gr&APYA3w-e "To do")'


def test_a_view_in_the_three_faces() -> None:
    with typed() as (client, server), client.select("INBOX") as inbox:
        assert Gmail(inbox).add_labels(9, "todo") == UIDSet("9")
        assert Gmail(inbox.nowait).remove_labels(9, "todo").result(10) == UIDSet("9")
    with typed() as (client, server):

        async def work() -> UIDSet:
            async with AsyncClient.over(client.raw).select("INBOX") as inbox:
                return await Gmail(inbox).set_labels(gmail.query("x"), "todo")

        assert asyncio.run(work()) == UIDSet("2,9")
        assert sent(server) == b"UID STORE 2,9 X-GM-LABELS.SILENT (todo)"


def test_nothing_is_sent_for_no_message_or_without_the_capability() -> None:
    with typed() as (client, server), client.select("INBOX") as inbox:
        assert not inbox.add_labels(UIDSet(), "todo")
        with pytest.raises(ArgumentError, match="no label"):
            inbox.add_labels(9)
        for label in ("a\r\nb", 7.5, "\udc80"):
            with pytest.raises(ArgumentError):
                inbox.add_labels(9, label)  # type: ignore[arg-type]
        assert "UID STORE" not in server.names
    with typed(b"IMAP4rev1") as (client, server), client.select("INBOX") as inbox:
        for call in (lambda: inbox.set_labels(9, "todo"), lambda: list(inbox.fetch(9, LABELS))):
            with pytest.raises(Missing, match="X-GM-EXT-1"):
                call()
        assert not {"UID STORE", "UID FETCH"} & set(server.names)


def test_a_long_set_is_split() -> None:
    with typed() as (client, server), client.select("INBOX") as inbox:
        inbox.add_labels(range(1, 20_000, 2), "todo")
        assert server.names.count("UID STORE") > 1


def test_a_server_that_refuses() -> None:
    refused = pytest.raises(NoResponse, match="not yours")
    with typed(UID_STORE=refusing(b"not yours")) as (client, _), client.select("INBOX") as inbox, refused:
        inbox.add_labels(9, "todo")


def test_a_view_needs_the_family() -> None:
    lacking = pytest.raises(FamilyDisabledError, match="gmail")
    with selected({}, families=["rev1"]) as (raw, _), Client.over(raw).select("INBOX") as inbox, lacking:
        Gmail(inbox)
