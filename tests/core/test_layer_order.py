"""Layers have their order, whichever is switched on first: COMPRESS and later STARTTLS, RFC 4978 section 3."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Unpack

import pytest

import imapkit
from imapkit.core.transport.layers import Layers
from imapkit.core.transport.sockets import SocketTransport
from imapkit.errors import CommandTimeout, NoResponse, RemoteProtocolError
from imapkit.plugin import TLS_ORDER, CallOptions, Command, Commands, Family, LayerSpec, Result, State
from imapkit.testing import LOCALHOST, Conversation, ScriptedServer, answering
from tests.core.rig import LIMIT, MARGIN, Answers, connect, within
from tests.core.test_facade import Channelled, Opened, Watching
from tests.core.test_layers import Chopping, Chopping2, QuietLayer, xor

GREETING = b"* OK [CAPABILITY IMAP4rev1 LITERAL+ STARTTLS COMPRESS=DEFLATE] hi\r\n"
FAMILIES = ["rev1", "starttls", "compress"]
CHOPPED = Family("chopped", layers={"chopped": LayerSpec(lambda session, options: Chopping(options), always=True)})
BODY = b"x" * 300_000 + bytes(range(256)) * 1000


def compressing(conversation: Conversation) -> None:
    conversation.ok(conversation.expect("COMPRESS", b"DEFLATE"))
    conversation.start_compression()


def serving(after: Callable[[Conversation], None], **options: Any) -> ScriptedServer:
    """A server that compresses at the first command, and has a certificate."""

    def script(conversation: Conversation) -> None:
        compressing(conversation)
        after(conversation)

    return ScriptedServer(script, greeting=GREETING, tls=LOCALHOST, implicit_tls=False, **options)


def secured(conversation: Conversation) -> None:
    conversation.ok(conversation.expect("STARTTLS"))
    conversation.start_tls()
    fetch = b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\n" % (len(BODY), BODY)
    conversation.serve({"FETCH": answering(fetch), "APPEND": answering()})


def test_the_end_of_the_flush_may_come_after_its_text() -> None:
    """All text of a flush is there some bytes before its end, and those may come in another segment."""

    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.expect("COMPRESS", b"DEFLATE"))
        conversation.start_compression(single=True)
        conversation.ok(conversation.expect("STARTTLS"))
        conversation.pause(0.05)
        conversation.start_tls()
        conversation.serve()

    with (
        ScriptedServer(script, greeting=GREETING, tls=LOCALHOST, implicit_tls=False) as server,
        connect(server, families=FAMILIES) as client,
    ):
        client.enable_compression()
        assert client.starttls(ssl_context=LOCALHOST.client_context())[0] == "OK"
        assert client.login("me", "secret")[0] == "OK"


#   Empty blocks with fixed codes, ten bits each (RFC 1951 section 3.2.6): they mean nothing, and none of them is a flush.
EMPTY = int("".join(reversed("0100000000" * 4)), 2).to_bytes(5, "little")


#   The beginning of a block with codes of its own (section 3.2.7), which are to be read from what comes after the handshake. It
#   ends as a flush does.
BEGUN = b"\x04\xe0\x01\0\0\xff\xff"


@pytest.mark.parametrize(
    ("more", "again"),
    [(b"", b""), (b"", EMPTY * 1000), (BEGUN, b"")],
    ids=["silent", "goes on for ever", "begins a block"],
)
def test_a_server_that_does_not_end_its_flush_is_late(more: bytes, again: bytes) -> None:
    def unfinished(conversation: Conversation) -> None:
        command = conversation.expect("STARTTLS")
        conversation._sock = conversation._sock.carrier
        text = b"%b OK go\r\n" % command.tag
        size = len(text).to_bytes(2, "little")
        conversation.send(b"\0" + size + bytes(255 - byte for byte in size) + text + more)
        while again:
            conversation.send(again)
        conversation.wait_closed()

    with serving(unfinished) as server, connect(server, families=FAMILIES, timeout=LIMIT) as client:
        client.enable_compression()
        with within(LIMIT + MARGIN), pytest.raises(CommandTimeout):
            client.starttls(ssl_context=LOCALHOST.client_context())
    assert not shook_hands(server)


def test_the_wait_for_the_end_of_a_flush_ends_though_bytes_keep_coming() -> None:
    class Never(Named):
        def settled(self) -> bool:
            return False

    here, there = socket.socketpair()
    with here, there:
        there.send(b"x" * 1000)
        layers = Layers(SocketTransport(here))
        layers.insert(Never(b""), lambda: 0.0, 50)
        with pytest.raises(CommandTimeout):
            layers.settle(0, b"", lambda: 0.0)


def shook_hands(server: ScriptedServer) -> bool:
    """Whether a client has begun TLS (RFC 8446 section 5.1), for a server that did not take it for that."""
    return any(isinstance(each, bytes) and each.startswith(b"\x16\x03") for each in server.received)


@pytest.mark.parametrize("families", [FAMILIES, [*FAMILIES, CHOPPED]], ids=["alone", "above a layer that is always on"])
@pytest.mark.parametrize("cls", [imapkit.IMAP4, Watching, Opened, Channelled], ids=lambda cls: cls.__name__)
def test_tls_goes_beneath_deflate(cls: Any, families: list[Any]) -> None:
    with serving(secured) as server, connect(server, cls, families=families) as client:
        assert client.enable_compression()[0] == "OK"
        assert client.starttls(ssl_context=LOCALHOST.client_context())[0] == "OK"
        assert client.sock.getpeercert()
        assert client.login("me", "secret")[0] == "OK"
        assert client.select()[0] == "OK"
        for _ in range(3):
            assert client.append("INBOX", None, None, BODY)[0] == "OK"
            assert client.fetch("1", "BODY[]")[1][0][1] == BODY
        answers = Answers()
        for _ in range(50):
            client.noop(callback=answers)
        assert {answer[0][0] for answer in answers.take(50)} == {"OK"}


def test_a_refusal_leaves_all_as_it_was() -> None:
    def refuse(conversation: Conversation) -> None:
        conversation.no(conversation.expect("STARTTLS"), b"not now\r\n* 7 EXISTS")
        conversation.serve()

    with serving(refuse) as server, connect(server, families=FAMILIES) as client:
        client.enable_compression()
        with pytest.raises(NoResponse):
            client.starttls()
        assert client.noop()[0] == "OK"
        assert client.response("EXISTS")[1] == [b"7"]


def deflated(*pieces: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return b"".join(packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces)


INJECTED = {
    "in the clear": b"* CAPABILITY IMAP4rev1\r\n",
    "compressed": deflated(b"* CAPABILITY IMAP4rev1\r\n"),
    "compressed, half a line": deflated(b"* CAPA"),
    "a block that means nothing": b"\0\0\0\xff\xff",
    "the beginning of a block, to change what comes after the handshake": b"\0\x10\0\xef\xff",
    "one byte": b"\0",
}


@pytest.mark.parametrize("families", [FAMILIES, [*FAMILIES, CHOPPED]], ids=["alone", "above a layer that is always on"])
@pytest.mark.parametrize("injected", INJECTED.values(), ids=INJECTED)
@pytest.mark.parametrize("cls", [imapkit.IMAP4, Watching])
def test_nothing_that_came_with_the_ok_survives(cls: Any, injected: bytes, families: list[Any]) -> None:
    """What DEFLATE has taken in and not given out counts, too."""

    def inject(conversation: Conversation) -> None:
        command = conversation.expect("STARTTLS")
        packer: Any = conversation._sock._packer
        ok = packer.compress(b"%b OK go\r\n" % command.tag) + packer.flush(zlib.Z_SYNC_FLUSH)
        conversation._sock.carrier.sendall(ok + injected)
        conversation.wait_closed()

    with serving(inject) as server, within(MARGIN):
        client = connect(server, cls, families=families)
        client.enable_compression()
        with pytest.raises(RemoteProtocolError, match=r"bytes after the OK to STARTTLS: response injection"):
            client.starttls(ssl_context=LOCALHOST.client_context())
        assert client.Terminate
        client.logout()
    assert not shook_hands(server)


def test_no_filler_is_sent_while_the_server_agrees_and_later_it_goes_through_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server takes whatever comes behind its OK for TLS."""
    monkeypatch.setattr("imapkit.core.threads.reader._SILENCE", 0.01)
    monkeypatch.setattr("imapkit.core.threads.reader._LOOK", 0.01)
    monkeypatch.setattr("imapkit.core.threads.inline._POLL", 0.01)

    def slow(conversation: Conversation) -> None:
        command = conversation.expect("STARTTLS")
        conversation.pause(0.2)
        conversation.ok(command)
        conversation.start_tls()
        while (command := conversation.read_command()).name != "LOGOUT":
            conversation.pause(0.2)
            conversation.ok(command, untagged=b"* CAPABILITY IMAP4rev1\r\n" if command.name == "CAPABILITY" else b"")
        conversation.ok(command, untagged=b"* BYE bye\r\n")

    with serving(slow) as server, connect(server, families=FAMILIES) as client, within(10 * MARGIN):
        client.enable_compression()
        assert client.starttls(ssl_context=LOCALHOST.client_context())[0] == "OK"
        assert client.noop()[0] == "OK"


# any layers


class Below(QuietLayer):
    """Goes beneath, and comes in pieces of five."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.key = 0x55

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        self.key = 0x55

    def finish(self) -> bytes:
        return b""


class Above(Chopping2):
    """Goes above, and decodes into single bytes."""

    def finish(self) -> bytes:
        return b""


class TwoCommands(Commands):
    def xbelow(self, **options: Unpack[CallOptions]) -> Result:
        return self._call("XBELOW", **options)

    def xabove(self, **options: Unpack[CallOptions]) -> Result:
        return self._call("XABOVE", **options)


TWO = Family(
    "two",
    TwoCommands,
    commands=tuple(Command(f"X{name}", State.ANY, exclusive=True, layer=name.lower()) for name in ("BELOW", "ABOVE")),
    layers={
        "below": LayerSpec(lambda session, options: Below(options), order=20),
        "above": LayerSpec(lambda session, options: Above(options), order=30),
    },
)
NEWS = b"* 7 EXISTS\r\n* 8 EXISTS\r\n"


def beneath(data: bytes) -> bytes:
    return xor(xor(data), 0x55)


@pytest.mark.parametrize("chunks", [1, 2, 3, 7, None])
@pytest.mark.parametrize("families", [["rev1", TWO], ["rev1", TWO, CHOPPED]], ids=["alone", "with one beneath both"])
def test_bytes_that_are_there_already_pass_the_new_layer_and_those_above_it(families: list[Any], chunks: int | None) -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.expect("XABOVE"))
        line = b"".join(iter(lambda: xor(conversation.read_literal(1)), b"\n"))
        tag = line.split()[0]
        conversation.send(xor(b"* 6 EXISTS\r\n%b OK on\r\n" % tag) + beneath(NEWS), chunks=chunks)
        while True:
            line = b"".join(iter(lambda: beneath(conversation.read_literal(1)), b"\n"))
            tag, name = line.split()
            bye = b"* BYE bye\r\n" if name == b"LOGOUT" else b""
            conversation.send(beneath(bye + tag + b" OK done\r\n"), chunks=chunks)

    client: Any
    with (
        ScriptedServer(script, greeting=GREETING.replace(b"OK", b"PREAUTH")) as server,
        connect(server, families=families) as client,
    ):
        assert client.xabove()[0] == "OK"
        assert client.xbelow()[0] == "OK"
        assert client.noop()[0] == "OK"
        assert client.response("EXISTS")[1] == [b"6", b"7", b"8"]


class Named(QuietLayer):
    """A layer that shows its name."""

    def __init__(self, name: bytes) -> None:
        super().__init__(None)
        self.name = name

    def encode(self, data: bytes | memoryview) -> bytes:
        return bytes(data) + self.name

    def decode(self, data: bytes) -> Iterable[bytes]:
        yield data + self.name


class Nothing:
    """A transport that is never used."""

    ready = None


def test_each_has_its_place() -> None:
    transport: Any = Nothing()
    layers = Layers(transport)
    for name, order, always in [
        (b"d", 50, False),
        (b"b", 60, True),
        (b"e", 50, False),
        (b"t", TLS_ORDER, False),
        (b"a", 0, True),
        (b"s", 30, False),
    ]:
        layers.insert(Named(name), lambda: 0.0, order, always=always)
        layers.take_decoded()
    assert bytes(layers.encode(b"")) == b"edstba"
    assert list(layers.decode(b"")) == [b"abtsde"]
    assert list(layers.decode(b"", 4)) == [b"de"]
    assert list(layers.decode(b"", 1, 3)) == [b"bt"]
    assert [layers.place(order) for order in (0, TLS_ORDER, 30, 50, 51)] == [2, 3, 4, 6, 6]


def test_bytes_a_layer_has_at_its_start_go_through_those_above_it() -> None:
    """The last record of a handshake may bring the first bytes that it protects."""

    class Full(Named):
        def decode(self, data: bytes) -> Iterator[bytes]:
            yield data or b"early "

    transport: Any = Nothing()
    layers = Layers(transport)
    layers.insert(Named(b"above"), lambda: 0.0, 50)
    layers.take_decoded()
    layers.insert(Full(b"below"), lambda: 0.0, TLS_ORDER)
    assert layers.take_decoded() == [b"early above"]
