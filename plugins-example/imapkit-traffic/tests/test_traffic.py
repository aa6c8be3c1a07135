"""The counts are those of the bytes on the wire."""

from __future__ import annotations

import zlib

import imapkit_traffic
from imapkit_traffic import Traffic, TrafficCommands, total

from imapkit.testing import ClientFactory, Conversation, ServerCertificate, ServerFactory, check_family, load_only

FAMILIES = ["rev1", "starttls", "compress", imapkit_traffic]
GREETING = b"* OK [CAPABILITY IMAP4rev1 LITERAL+ STARTTLS COMPRESS=DEFLATE] ready\r\n"
NEWS = b"* OK nothing new\r\n" * 1000


def chatter(conversation: Conversation) -> None:
    """A server with a long answer to NOOP."""
    conversation.serve({"NOOP": lambda conversation, command: conversation.ok(command, untagged=NEWS)})


def test_every_byte_is_counted(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    before = total()
    server = imap_server(chatter, greeting=GREETING)
    imap = imap_client(server, families=FAMILIES, login=False)
    counted = imap.family(TrafficCommands).traffic
    assert counted() == Traffic(sent=0, received=len(GREETING))
    imap.noop()
    [noop] = server.commands
    answer = NEWS + noop.tag + b" OK done\r\n"
    assert counted() == Traffic(len(noop.raw), len(GREETING) + len(answer))
    imap.logout()
    assert counted().sent == sum(len(command.raw) for command in server.commands)
    assert total() - before == counted()


def test_each_connection_has_its_own_count(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    server = imap_server(chatter, greeting=GREETING)
    busy, lazy = (imap_client(server, families=FAMILIES, login=False) for _ in range(2))
    before = total()
    busy.noop()
    assert lazy.family(TrafficCommands).traffic() == Traffic(0, len(GREETING))
    assert total() - before == busy.family(TrafficCommands).traffic() - Traffic(0, len(GREETING))


def test_tls_from_the_start_counts_with_its_handshake(
    imap_server: ServerFactory, imap_client: ClientFactory, imap_tls: ServerCertificate
) -> None:
    server = imap_server(chatter, greeting=GREETING, tls=imap_tls)
    imap = imap_client(server, families=FAMILIES, login=False)
    traffic = imap.family(TrafficCommands).traffic()
    assert traffic.sent > 200  # the server has received no command yet
    assert traffic.received > len(GREETING) + 500
    imap.noop()
    assert (imap.family(TrafficCommands).traffic() - traffic).received > len(NEWS)


def test_starttls(imap_server: ServerFactory, imap_client: ClientFactory, imap_tls: ServerCertificate) -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        conversation.start_tls()
        chatter(conversation)

    server = imap_server(script, greeting=GREETING, tls=imap_tls, implicit_tls=False)
    imap = imap_client(server, families=FAMILIES, login=False)
    imap.starttls()
    imap.noop()
    plain = sum(len(command.raw) for command in server.commands)
    assert imap.family(TrafficCommands).traffic().sent > plain + 200  # the handshake, and the overhead of each TLS record


def test_compressed_data_is_counted_after_compression(imap_server: ServerFactory, imap_client: ClientFactory) -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        deflate, inflate, line = zlib.compressobj(wbits=-15), zlib.decompressobj(-15), b""
        while not line.endswith(b"\r\n"):
            line += inflate.decompress(conversation.read_literal(1))
        answer = NEWS + line.split()[0] + b" OK done\r\n"
        conversation.send(deflate.compress(answer) + deflate.flush(zlib.Z_SYNC_FLUSH))

    imap = imap_client(imap_server(script, greeting=GREETING), families=FAMILIES, login=False)
    imap.enable_compression()
    before = imap.family(TrafficCommands).traffic()
    assert imap.noop() == ("OK", [b"done"])
    assert 0 < (imap.family(TrafficCommands).traffic() - before).received < len(NEWS) // 50


def test_the_declaration() -> None:
    registry = load_only(imapkit_traffic)
    assert [spec.order for spec in registry.always_layers] == [0]
    assert registry.methods == {"traffic": "traffic"}


def test_alone_and_absent() -> None:
    check_family(imapkit_traffic)
