"""COMPRESS=DEFLATE, RFC 4978: the layer alone, and between a client and a server that can inflate."""

from __future__ import annotations

import os
import random
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

import imapkit
from imapkit.errors import FamilyDisabledError, LimitExceeded, RemoteProtocolError
from imapkit.ext.compress import DeflateLayer
from imapkit.plugin import Command, Family, State
from imapkit.testing import LOCALHOST, Answers, ClientGone, Conversation, ScriptedServer, connect, selected, within

PEM = LOCALHOST.pem
FAMILIES = ["rev1", "compress"]
PREAUTH = b"* PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hi\r\n"


def deflated(*pieces: bytes, flush: int = zlib.Z_SYNC_FLUSH) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    return b"".join(packer.compress(piece) + packer.flush(flush) for piece in pieces)


# The layer


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 5_000_000])
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_all_output_of_one_read_is_returned(size: int, step: int) -> None:
    """All that one read inflates to is returned at once, in bounded pieces: imaplib2 held back all beyond 32 KiB."""
    data = (b"a" * 300 + os.urandom(3)) * (size // 303 + 1)
    data = data[:size]
    packed = deflated(data)
    if len(packed) // step > 100_000:
        packed = packed[:0]
        data = b""
    layer, out = DeflateLayer(), bytearray()
    for at in range(0, len(packed), step):
        for piece in layer.decode(packed[at : at + step]):
            assert 0 < len(piece) <= 65536
            out += piece
    assert bytes(out) == data


def test_both_ways() -> None:
    one, other = DeflateLayer(), DeflateLayer()
    chance = random.Random(4978)
    for _ in range(200):
        data = chance.randbytes(chance.choice((0, 1, 50))) + b"x" * chance.choice((0, 10, 100_000))
        assert b"".join(other.decode(one.encode(memoryview(data)))) == data


@pytest.mark.parametrize("rubbish", [b"* OK plain text\r\n", b"\xff" * 20, b"\x07"])
def test_invalid_data_is_refused(rubbish: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="cannot be inflated"):
        list(DeflateLayer().decode(rubbish))


def test_nothing_may_follow_the_end_of_the_stream() -> None:
    layer = DeflateLayer()
    packed = deflated(b"bye", flush=zlib.Z_FINISH)
    with pytest.raises(RemoteProtocolError, match="after the end of the compressed stream"):
        list(layer.decode(packed + b"* 1 EXISTS\r\n"))


# A client and a server


class Packed:
    """The server's side of a compressed conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.packer, self.unpacker = zlib.compressobj(9, wbits=-15), zlib.decompressobj(-15)
        self.text, self.raw = b"", b""

    def send(self, data: bytes, **options: Any) -> None:
        self.conversation.send(self.pack(data), **options)

    def pack(self, data: bytes) -> bytes:
        return self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH)

    def commands(self) -> Iterator[tuple[bytes, bytes]]:
        """Tag and name of each command received; LOGOUT is answered."""
        while True:
            while b"\r\n" not in self.text:
                self.take()
            line, _, self.text = self.text.partition(b"\r\n")
            tag, name = line.split()[:2]
            if name == b"LOGOUT":
                self.send(b"* BYE bye\r\n%b OK bye\r\n" % tag)
                return
            yield tag, name

    def take(self) -> None:
        """Inflate the next byte."""
        byte = self.conversation.read_literal(1)
        self.raw += byte
        self.text += self.unpacker.decompress(byte)

    def take_flush(self) -> None:
        """Inflate a flush, which holds no text."""
        while not self.raw.endswith(b"\0\0\xff\xff"):
            self.take()
        self.raw = b""


def accept(conversation: Conversation, with_ok: bytes = b"") -> Packed:
    command = conversation.read_command()
    assert (command.name, command.args) == ("COMPRESS", b"DEFLATE")
    packed = Packed(conversation)
    conversation.send(b"%b OK DEFLATE active\r\n%b" % (command.tag, packed.pack(with_ok) if with_ok else b""))
    return packed


def test_a_compressed_session() -> None:
    def script(conversation: Conversation) -> None:
        packed = accept(conversation, b"* 7 EXISTS\r\n* 8 EXI")
        packed.send(b"STS\r\n")
        for tag, name in packed.commands():
            packed.send(b"%b OK %b\r\n" % (tag, name), chunks=1)

    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, families=FAMILIES, login=False) as client:
        assert client.enable_compression() == ("OK", [b"DEFLATE active"])
        assert client.noop() == ("OK", [b"NOOP"])
        assert client.response("EXISTS")[1] == [b"7", b"8"]
        answers = Answers()
        for _ in range(50):
            client.noop(callback=answers)
        assert {answer[0][0] for answer in answers.take(50)} == {"OK"}


def test_one_read_that_inflates_to_megabytes() -> None:
    """600 folders with similar names, on which imaplib2 stalled."""
    listing = b"".join(b'* LIST (\\HasNoChildren) "/" "folder %b %d"\r\n' % (b"x" * 60, i) for i in range(20_000))

    def script(conversation: Conversation) -> None:
        packed = accept(conversation)
        for tag, name in packed.commands():
            packed.send((listing if name == b"LIST" else b"") + b"%b OK %b\r\n" % (tag, name))

    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, families=FAMILIES, login=False) as client:
        client.enable_compression()
        typ, data = client.list()
        assert (typ, len(data)) == ("OK", 20_000)
        assert data[-1].endswith(b' 19999"')


def test_a_bomb_meets_the_usual_limits() -> None:
    def script(conversation: Conversation) -> None:
        packed = accept(conversation)
        next(packed.commands())
        packed.send(b"* OK " + b"a" * 20_000_000)
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, families=FAMILIES, login=False) as client, within():
        client.enable_compression()
        with pytest.raises(LimitExceeded):
            client.noop()


def test_closing_does_not_wait_for_a_bomb_to_inflate() -> None:
    """A caller that closes the connection does not wait until all received data is inflated."""
    sent = threading.Event()

    def script(conversation: Conversation) -> None:
        packed = accept(conversation)
        next(packed.commands())
        packed.send(b"* 1 FETCH (BODY[] {%d}\r\n" % 40_000_000)
        sent.set()
        with suppress(ClientGone):
            packed.send(b"x" * 39_000_000)
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, families=FAMILIES, login=False) as client:
        client.enable_compression()
        answers = Answers()
        client.noop(callback=answers)
        assert sent.wait(10)
        with within():
            client._hang_up("enough")
        assert "enough" in str(answers.next())


def test_invalid_data_ends_the_connection() -> None:
    def script(conversation: Conversation) -> None:
        packed = accept(conversation)
        next(packed.commands())
        conversation.send(b"* OK not compressed\r\n")
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, families=FAMILIES, login=False) as client:
        client.enable_compression()
        with pytest.raises(RemoteProtocolError, match="cannot be inflated"):
            client.noop()


def test_on_top_of_tls() -> None:
    def script(conversation: Conversation) -> None:
        packed = accept(conversation, b"* 5 EXISTS\r\n")
        for tag, name in packed.commands():
            packed.send(b"* OK %b\r\n" % (b"z" * 100_000) + b"%b OK %b\r\n" % (tag, name))

    with (
        ScriptedServer(script, greeting=PREAUTH, tls=(PEM, None)) as server,
        connect(server, cls=imapkit.IMAP4_SSL, families=FAMILIES, ca_certs=PEM, login=False) as client,
    ):
        assert client.enable_compression()[0] == "OK"
        for _ in range(3):
            assert client.noop() == ("OK", [b"NOOP"])
        assert client.response("EXISTS")[1] == [b"5"]
        assert client.response("OK")[1][-1] == b"z" * 100_000


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_server_that_reads_on_only_after_more_data(secure: bool) -> None:
    """Cyrus, if its inflated data ends with a command: the client sends filler that does not change the stream."""

    def script(conversation: Conversation) -> None:
        packed = accept(conversation)
        commands = packed.commands()
        for first, _ in commands:
            packed.take_flush()
            second, _ = next(commands)
            packed.take_flush()
            packed.send(first + b" OK first\r\n")
            packed.take_flush()
            packed.send(second + b" OK second\r\n")

    tls: Any = {"cls": imapkit.IMAP4_SSL, "ca_certs": PEM} if secure else {}
    with (
        ScriptedServer(script, greeting=PREAUTH, tls=(PEM, None) if secure else None) as server,
        connect(server, families=FAMILIES, login=False, **tls) as client,
        within(),
    ):
        client.enable_compression()
        answers = Answers()
        for _ in range(2):
            client.noop(callback=answers)
            client.noop(callback=answers)
            assert [answer[0] for answer in answers.take(2)] == [("OK", [b"first"]), ("OK", [b"second"])]


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_a_server_that_refuses(typ: str) -> None:
    def refuse(conversation: Conversation, command: Any) -> None:
        conversation.send(b"%b %b [COMPRESSIONACTIVE] no\r\n" % (command.tag, typ.encode()))

    with selected({"COMPRESS": refuse}, families=FAMILIES) as (client, _):
        if typ == "NO":
            assert client.enable_compression() == ("NO", [b"[COMPRESSIONACTIVE] no"])
        else:
            with pytest.raises(imapkit.BadResponse):
                client.enable_compression()
        assert client.noop()[0] == "OK"


def test_without_the_family() -> None:
    with selected(families=["rev1"]) as (client, _):
        assert not hasattr(client, "enable_compression")
        with pytest.raises(FamilyDisabledError, match="'compress'"):
            client.enable_compression()


# Commands that end the layer

ENDING = Family("ending", commands=(Command("XEND", State.ANY, exclusive=True, ends_layers=("deflate",)),))


def plain_answers(conversation: Conversation) -> None:
    """Answer what comes in the clear, until LOGOUT or COMPRESS; then all through the layer."""
    while True:
        command = conversation.read_command()
        if command.name == "COMPRESS":
            packed = Packed(conversation)
            conversation.send(b"%b OK again\r\n" % command.tag)
            for tag, _ in packed.commands():
                packed.send(b"%b OK packed\r\n" % tag)
            return
        conversation.send(b"* BYE bye\r\n" * (command.name == "LOGOUT") + b"%b OK plain\r\n" % command.tag)
        if command.name == "LOGOUT":
            return


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FINISH])
@pytest.mark.parametrize("chunks", [None, 1])
def test_a_layer_ends_at_the_ok_of_a_command_and_can_be_switched_on_again(flush: int, chunks: int | None) -> None:
    """What follows the OK, at once or later, comes in the clear, and so does what the client sends; RFC 8437 section 3."""

    def script(conversation: Conversation) -> None:
        packed = accept(conversation)
        for tag, name in packed.commands():
            if name == b"NOOP":
                packed.send(b"%b OK packed\r\n" % tag)
                continue
            ok = packed.packer.compress(b"* 7 EXISTS\r\n%b OK ended\r\n" % tag) + packed.packer.flush(flush)
            conversation.send(ok + b"* 8 EXISTS\r\n", **({"chunks": chunks} if chunks else {}))
            break
        packed.take_flush()
        assert packed.text == b"", "nothing more came through the layer"
        plain_answers(conversation)

    families = [*FAMILIES, ENDING]
    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, families=families, login=False) as client:
        client.enable_compression()
        assert client.noop() == ("OK", [b"packed"])
        assert client._call("XEND") == ("OK", [b"ended"])
        assert len(client._live.layers) == 0
        assert client._live.layers.filler is None
        assert client.noop() == ("OK", [b"plain"])
        assert client.response("EXISTS")[1] == [b"7", b"8"]
        assert client.enable_compression() == ("OK", [b"again"])
        assert client.noop() == ("OK", [b"packed"])


def test_a_layer_stays_if_the_command_that_would_end_it_is_refused() -> None:
    def script(conversation: Conversation) -> None:
        packed = accept(conversation)
        for tag, name in packed.commands():
            packed.send(b"%b %b said\r\n" % (tag, b"NO" if name == b"XEND" else b"OK"))

    families = [*FAMILIES, ENDING]
    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, families=families, login=False) as client:
        client.enable_compression()
        assert client._call("XEND") == ("NO", [b"said"])
        assert client.noop() == ("OK", [b"said"])


def test_a_command_that_ends_a_layer_which_is_not_on_is_a_command_as_any_other() -> None:
    families = [*FAMILIES, ENDING]
    with ScriptedServer(plain_answers, greeting=PREAUTH) as server, connect(server, families=families, login=False) as client:
        assert client._call("XEND") == ("OK", [b"plain"])
        assert client.noop() == ("OK", [b"plain"])


def test_text_behind_the_ok_that_still_comes_through_the_ended_layer_ends_the_connection() -> None:
    def script(conversation: Conversation) -> None:
        packed = accept(conversation)
        tag, _ = next(packed.commands())
        packed.send(b"%b OK ended\r\n* 8 EXISTS\r\n" % tag)
        conversation.wait_closed()

    families = [*FAMILIES, ENDING]
    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, families=families, login=False) as client:
        client.enable_compression()
        with pytest.raises(RemoteProtocolError, match="after the OK to XEND"):
            client._call("XEND")
