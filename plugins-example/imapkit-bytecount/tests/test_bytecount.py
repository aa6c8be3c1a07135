"""What is counted is what went over the wire."""

from __future__ import annotations

import imapkit_bytecount
from imapkit_bytecount import total

from imapkit import IMAP4
from imapkit.testing import ScriptedServer, load_only

GREETING = b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n"


def test_every_octet_is_counted() -> None:
    before = total()
    with ScriptedServer(greeting=GREETING) as server:
        with IMAP4(server.host, server.port, families=["rev1", imapkit_bytecount]) as imap:
            imap.login("user", "password")
            between = total()
            imap.noop()
            after = total()
        (noop,) = [command for command in server.commands if command.name == "NOOP"]
        assert after.sent - between.sent == len(noop.raw)
        assert after.received - between.received == len(noop.tag + b" OK done\r\n")
    sent = sum(len(command.raw) for command in server.commands)
    assert total().sent - before.sent == sent
    assert total().received - before.received > len(GREETING)


def test_without_it_nothing_is_counted() -> None:
    before = total()
    with ScriptedServer() as server, IMAP4(server.host, server.port, families=["rev1"]) as imap:
        imap.noop()
    assert total() == before


def test_the_declaration() -> None:
    registry = load_only(imapkit_bytecount)
    assert [spec.order for spec in registry.always_layers] == [90]
    assert not registry.commands
    assert not registry.methods
