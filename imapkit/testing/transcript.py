"""Transcripts as scripts: write down both sides of a conversation, and a ``ScriptedServer`` plays the server's.

::

    with ScriptedServer(replay('''
        S: * OK [CAPABILITY IMAP4rev1 X-WEATHER] ready
        C: <tag> X-WEATHER "Bremen"
        S: * X-WEATHER "Bremen" (RAIN 14)
        S: <tag> OK done
    '''), greeting=b"") as server:
        client = imapkit.IMAP4(server.host, server.port)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from imapkit.testing.conversation import Conversation, Script
from imapkit.testing.peer import ClientGone

__all__ = ["replay"]

_LINE = re.compile(r"\s*([CS]):(?: (.*))?")
_TAG = re.compile(rb"<(tag[0-9]*)>")


@dataclass(frozen=True)
class _Line:
    """One line of a transcript, ``number`` counting from 1."""

    number: int
    client: bool
    text: bytes


def replay(transcript: str) -> Script:
    """Return the script that sends the lines ``S:`` and expects the lines ``C:``, in this order; then it closes.

    Raises ``ValueError`` for any other line, and for a tag that an ``S:`` line uses before a ``C:`` line. The script raises
    ``AssertionError`` if the client sends something else, or closes the connection before the last ``C:`` line.

    One space after the colon is dropped, each line ends with CRLF, and all else is on the wire byte for byte, in UTF-8: write a
    literal's bytes as lines. ``<tag>`` at the start of a ``C:`` line matches any tag; in an ``S:`` line it is the last tag that
    matched. ``<tag1>``, ``<tag2>`` are separate tags, for pipelined commands. Indentation, empty lines and lines that start with
    ``#`` are ignored. If the transcript starts with the greeting, use ``ScriptedServer(..., greeting=b"")``.
    """
    lines = [line for number, text in enumerate(transcript.split("\n"), 1) if (line := _parse(number, text))]
    _check_tags(lines)
    last = max((line.number for line in lines if line.client), default=0)

    def script(conversation: Conversation) -> None:
        tags: dict[bytes, bytes] = {}
        for line in lines:
            try:
                _play(conversation, line, tags)
            except ClientGone as exc:
                if line.number > last:
                    raise
                raise AssertionError(f"line {line.number}: the client closed the connection before {line.text!r}") from exc

    return script


def _parse(number: int, text: str) -> _Line | None:
    text = text.removesuffix("\r")
    if not text.strip() or text.lstrip().startswith("#"):
        return None
    found = _LINE.fullmatch(text)
    if not found:
        raise ValueError(f'line {number} of the transcript is neither "S: ..." nor "C: ...": {text!r}')
    return _Line(number, found[1] == "C", (found[2] or "").encode())


def _check_tags(lines: list[_Line]) -> None:
    taken: set[bytes] = set()
    for line in lines:
        if line.client:
            if found := _TAG.match(line.text):
                taken.add(found[1])
        elif unknown := set(_TAG.findall(line.text)) - taken:
            raise ValueError(f"line {line.number} of the transcript sends a tag that no earlier C: line has: {sorted(unknown)}")


def _play(conversation: Conversation, line: _Line, tags: dict[bytes, bytes]) -> None:
    if not line.client:
        conversation.send(_TAG.sub(lambda found: tags[found[1]], line.text) + b"\r\n")
        return
    sent = text = conversation.read_line()
    if found := _TAG.match(line.text):
        tags[found[1]], space, rest = text.partition(b" ")
        text = found[0] + space + rest
    assert text == line.text, f"line {line.number}: expected {line.text!r}, got {sent!r}"
