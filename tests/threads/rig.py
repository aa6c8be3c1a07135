"""A client without a login against a script, over a connection whose server takes little at once."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import imapkit
from imapkit.testing import Conversation, ScriptedServer
from tests.core.rig import connect, within

__all__ = ["GREETING", "answer", "literal_size", "scripted", "swallow"]

GREETING = b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+ IDLE] hi\r\n"
_BUFFER = 1 << 18


@contextmanager
def scripted(script: Callable[[Conversation], None], **options: Any) -> Iterator[imapkit.IMAP4]:
    """A client of a server whose system holds 256 KiB for it."""
    with ScriptedServer(script, greeting=options.pop("greeting", GREETING)) as server:
        server._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        client = connect(server, **{"families": ["rev1", "idle"], **options})
        with within(30):
            yield client
        client._hang_up("enough")


def literal_size(line: bytes) -> int:
    """The size of the literal that a line announces."""
    return int(line[line.rindex(b"{") + 1 :].rstrip(b"+}\r\n"))


def swallow(conversation: Conversation, *, piece: int = 1 << 20, pause: float = 0.0) -> bytes:
    """Read a command with a literal that comes without "+", ``piece`` bytes at a time; its tag."""
    line = conversation.read_line()
    rest = literal_size(line)
    while rest:
        rest -= len(conversation.read_literal(min(piece, rest)))
        if pause:
            conversation.pause(pause)
    assert conversation.read_line() == b""
    return line.split()[0]


def answer(conversation: Conversation, tag: bytes) -> None:
    """Say OK."""
    conversation.send(tag + b" OK done\r\n")
