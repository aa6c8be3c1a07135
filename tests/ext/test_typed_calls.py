"""The typed commands of the families beside ``rev1``, each in the three faces: what is sent, and what is returned."""

from __future__ import annotations

import asyncio
import ssl
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from imapkit import ArgumentError, Client, Missing, NoAnswer, NoResponse, StateError, abort
from imapkit.ext.acl import ListRights, Rights
from imapkit.ext.annotation import Annotation
from imapkit.ext.namespace import Namespace, Namespaces
from imapkit.ext.quota import Quota, QuotaResource
from imapkit.plugin import MailboxName, ServerString
from imapkit.testing import (
    LOCALHOST,
    Conversation,
    Handler,
    ReceivedCommand,
    ScriptedServer,
    answering,
    connect,
    refusing,
    within,
)

MARGIN = 10.0
PEM = LOCALHOST.pem
CAPABILITIES = b"IMAP4rev1 ACL QUOTA ANNOTATEMORE NAMESPACE ID ENABLE UTF8=ACCEPT COMPRESS=DEFLATE PROXYAUTH IDLE"
Call = Callable[[Any], Any]


@contextmanager
def typed(handlers: Mapping[str, Handler], **options: Any) -> Iterator[tuple[Client, ScriptedServer]]:
    options = {"capabilities": CAPABILITIES, **options}
    with ScriptedServer(handlers=handlers, **options) as server, within(30), connect(server, families=None) as raw:
        yield Client.over(raw), server


def blocking(client: Client, call: Call) -> Any:
    return call(client)


def nowait(client: Client, call: Call) -> Any:
    return call(client.nowait).result(MARGIN)


def awaited(client: Client, call: Call) -> Any:
    async def work() -> Any:
        return await call(client.asynchronous)

    return asyncio.run(work())


FACES = pytest.mark.parametrize("face", [blocking, nowait, awaited])
INBOX = MailboxName(b"INBOX")
QUOTA = Quota(MailboxName(b""), (QuotaResource("STORAGE", 10, 512),))
QUOTA_SENT = b'* QUOTA "" (STORAGE 10 512)\r\n'
NAMESPACES = Namespaces((Namespace(MailboxName(b""), b"/"),), None, None)

CASES: dict[str, tuple[Call, bytes, bytes, Any]] = {
    "acl": (
        lambda client: client.acl("INBOX"),
        b"GETACL INBOX",
        b"* ACL INBOX bob lrt anyone l\r\n",
        {"bob": Rights(b"lrt"), "anyone": Rights(b"l")},
    ),
    "my_rights": (lambda client: client.my_rights(), b"MYRIGHTS INBOX", b"* MYRIGHTS INBOX lr\r\n", Rights(b"lr")),
    "list_rights": (
        lambda client: client.list_rights("INBOX", "bob"),
        b"LISTRIGHTS INBOX bob",
        b"* LISTRIGHTS INBOX bob l r\r\n",
        ListRights(INBOX, ServerString(b"bob"), Rights(b"l"), (Rights(b"r"),)),
    ),
    "set_acl": (lambda client: client.set_acl("INBOX", "bob", "+t"), b"SETACL INBOX bob +t", b"", None),
    "delete_acl": (lambda client: client.delete_acl("INBOX", "bob"), b"DELETEACL INBOX bob", b"", None),
    "quota": (lambda client: client.quota(), b"GETQUOTAROOT INBOX", b'* QUOTAROOT INBOX ""\r\n' + QUOTA_SENT, (QUOTA,)),
    "quota_root": (lambda client: client.quota_root(""), b'GETQUOTA ""', QUOTA_SENT, QUOTA),
    "set_quota": (
        lambda client: client.set_quota("", {"STORAGE": 512}),
        b'SETQUOTA "" (STORAGE 512)',
        QUOTA_SENT,
        (QUOTA,),
    ),
    "annotation": (
        lambda client: client.annotation("INBOX", "/comment"),
        b'GETANNOTATION INBOX "/comment" "value"',
        b'* ANNOTATION INBOX "/comment" ("value.priv" "mine")\r\n',
        (Annotation(INBOX, ServerString(b"/comment"), {"value.priv": b"mine"}),),
    ),
    "set_annotation": (
        lambda client: client.set_annotation("INBOX", "/comment", {"value.priv": None}),
        b'SETANNOTATION INBOX "/comment" ("value.priv" NIL)',
        b"",
        None,
    ),
    "namespaces": (lambda client: client.namespaces(), b"NAMESPACE", b'* NAMESPACE (("" "/")) NIL NIL\r\n', NAMESPACES),
    "id": (
        lambda client: client.id(name="mine", **{"support-url": None}),
        b'ID ("name" "mine" "support-url" NIL)',
        b'* ID ("Name" "theirs" "version" NIL)\r\n',
        {"name": "theirs", "version": None},
    ),
    "id without fields": (lambda client: client.id(), b"ID NIL", b"* ID NIL\r\n", {}),
    "enable": (
        lambda client: client.enable("utf8=accept"),
        b"ENABLE UTF8=ACCEPT",
        b"* ENABLED UTF8=ACCEPT\r\n",
        frozenset({"UTF8=ACCEPT"}),
    ),
    "enable nothing": (lambda client: client.enable("UTF8=ACCEPT"), b"ENABLE UTF8=ACCEPT", b"* ENABLED\r\n", frozenset()),
    "proxyauth": (lambda client: client.proxyauth("bob"), b"PROXYAUTH bob", b"", None),
}
ANNOUNCED = [name for name in CASES if " " not in name and name != "proxyauth"]


@FACES
@pytest.mark.parametrize("case", CASES)
def test_a_command_and_its_result(case: str, face: Callable[[Client, Call], Any]) -> None:
    call, sent, answer, result = CASES[case]
    name = sent.split()[0].decode()
    with typed({name: answering(answer)}) as (client, server):
        assert face(client, call) == result
        assert server.commands[-1].raw.endswith(b" " + sent + b"\r\n")


@pytest.mark.parametrize("case", ANNOUNCED)
def test_what_the_server_does_not_announce_is_not_sent(case: str) -> None:
    call, sent, _, _ = CASES[case]
    with typed({}, capabilities=b"IMAP4rev1") as (client, server):
        with pytest.raises(Missing):
            call(client)
        assert sent.split()[0].decode() not in server.names


@pytest.mark.parametrize("case", CASES)
def test_no_raises(case: str) -> None:
    call, sent, _, _ = CASES[case]
    with typed({sent.split()[0].decode(): refusing()}) as (client, _), pytest.raises(NoResponse):
        call(client)


@pytest.mark.parametrize("case", ["acl", "my_rights", "list_rights", "quota_root", "namespaces"])
def test_ok_without_the_response_is_an_error(case: str) -> None:
    call, sent, _, _ = CASES[case]
    with typed({sent.split()[0].decode(): answering()}) as (client, _), pytest.raises(NoAnswer):
        call(client)


def test_what_is_enabled_holds_for_the_session() -> None:
    with typed({"ENABLE": answering(b"* ENABLED UTF8=ACCEPT\r\n"), "CREATE": answering()}) as (client, server):
        client.enable("UTF8=ACCEPT")
        client.raw.create("Entw\u00fcrfe")
        assert server.commands[-1].args == '"Entw\u00fcrfe"'.encode()


def test_what_no_family_supports_is_not_enabled() -> None:
    with typed({}) as (client, server):
        with pytest.raises(ArgumentError, match="XFOO"):
            client.enable("XFOO")
        with pytest.raises(ArgumentError):
            client.enable()
        assert "ENABLE" not in server.names


def test_too_long_fields_are_not_sent() -> None:
    with typed({}) as (client, server):
        with pytest.raises(ArgumentError):
            client.id(name="x" * 1025)
        assert "ID" not in server.names


def deflating(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command)
    conversation.start_compression()


def securing(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command)
    conversation.start_tls()


@FACES
def test_a_compressed_connection(face: Callable[[Client, Call], Any]) -> None:
    with typed({"COMPRESS": deflating}) as (client, server):
        assert face(client, lambda client: client.compress()) is None
        client.noop()
        client.noop()
        assert server.names[-3:] == ["COMPRESS", "NOOP", "NOOP"]


@FACES
def test_starttls(face: Callable[[Client, Call], Any]) -> None:
    context = ssl.create_default_context(cafile=PEM)
    settings: Any = {"capabilities": b"IMAP4rev1 STARTTLS", "tls": (PEM, PEM), "implicit_tls": False}
    with (
        within(30),
        ScriptedServer(handlers={"STARTTLS": securing}, **settings) as server,
        connect(server, login=False, families=None, ssl_context=None) as raw,
    ):
        client = Client.over(raw)
        assert face(client, lambda client: client.starttls(context)) is None
        assert raw.sock.version() in ("TLSv1.2", "TLSv1.3")
        with pytest.raises(abort, match="already"):
            client.starttls()
        raw.login("user", "pass")


def test_a_secret_is_not_sent_after_starttls_that_the_server_lacks() -> None:
    with ScriptedServer(capabilities=b"IMAP4rev1") as server, connect(server, login=False, families=None) as raw:
        with pytest.raises(Missing):
            Client.over(raw).starttls()
        with pytest.raises(StateError):
            raw.login("user", "pass")


@FACES
def test_the_user_of_proxyauth_is_in_no_error_and_in_no_frame(face: Callable[[Client, Call], Any]) -> None:
    def echoing(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.no(command, b"no user Robert-Paulson")

    with typed({"PROXYAUTH": echoing}) as (client, _), pytest.raises(NoResponse) as refused:
        face(client, lambda client: client.proxyauth("Robert-Paulson"))
    assert "Robert-Paulson" not in str(refused.value)
    frames = [frame for frame, _ in traceback.walk_tb(refused.value.__traceback__)]
    assert not [frame for frame in frames if "Robert-Paulson" in repr(frame.f_locals)]
