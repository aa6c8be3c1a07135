"""A server with one message, of which it serves sections and ranges as RFC 3501 section 6.4.5 says, or in a way of its own."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from imapkit import Client
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer, selected, within

__all__ = ["UID", "Mails", "encoded", "serving", "structure"]

UID = 7
_ITEM = re.compile(rb"BODY\.PEEK\[([^\]]*)\](?:<(\d+)\.(\d+)>)?")


def encoded(data: bytes, width: int = 76, end: bytes = b"\r\n") -> bytes:
    """Base64 in lines."""
    text = base64.b64encode(data)
    return b"".join(text[at : at + width] + end for at in range(0, len(text), width))


def structure(size: int, encoding: bytes = b"BASE64", charset: bytes = b"utf-8") -> bytes:
    """A text, and an attachment of this size."""
    text = b'("TEXT" "PLAIN" ("CHARSET" "%b") NIL NIL "QUOTED-PRINTABLE" 20 1 NIL NIL NIL NIL)' % charset
    attachment = b'("APPLICATION" "X" ("NAME" "a.bin") NIL NIL "%b" %d NIL ("ATTACHMENT" NIL) NIL NIL)' % (encoding, size)
    return b'(%b%b "MIXED" NIL NIL NIL NIL)' % (text, attachment)


class Mails:
    """Answers UID FETCH for message 7 by its ``sections``; ``form`` writes one item and its value."""

    def __init__(self, sections: Mapping[bytes, bytes], body: bytes = b"", form: Callable[..., bytes] | None = None) -> None:
        self.sections, self.body = sections, body
        self.form = form or self.literal
        self.asked: list[bytes] = []

    @staticmethod
    def literal(name: bytes, start: bytes | None, size: bytes | None, data: bytes) -> bytes:
        """``BODY[2]<0> {n}``: the range of ``data``."""
        if start is None or size is None:
            return b"BODY[%b] {%d}\r\n%b" % (name, len(data), data)
        data = data[int(start) : int(start) + int(size)]
        return b"BODY[%b]<%b> {%d}\r\n%b" % (name, start, len(data), data)

    def __call__(self, conversation: Conversation, command: ReceivedCommand) -> None:
        uid, items = command.args.split(b" ", 1)
        self.asked.append(items)
        if int(uid) != UID:
            conversation.ok(command)
            return
        found = [self.form(name, start, size, self.sections[name]) for name, start, size in self._wanted(items)]
        if b"BODYSTRUCTURE" in items:
            found.insert(0, b"BODYSTRUCTURE " + self.body)
        conversation.send(b"* 3 FETCH (UID %d %b)\r\n" % (UID, b" ".join(found)) if found else b"")
        conversation.ok(command)

    @staticmethod
    def _wanted(items: bytes) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
        for found in _ITEM.finditer(items):
            yield found[1].upper(), found[2], found[3]


@contextmanager
def serving(mails: Handler, **others: Any) -> Iterator[tuple[Any, ScriptedServer]]:
    """A mailbox that is selected."""
    with selected({"UID FETCH": mails, **others}, families=["rev1"]) as (raw, server), within(30):
        yield Client.over(raw).select("a"), server
