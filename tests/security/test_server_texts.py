"""What a server sends forges no line in a log, in debug output or in an error, and sends nothing to the terminal."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import imapkit
from imapkit.core.support.shown import shown
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer
from tests.core.rig import connect

HOSTILE = {
    "LF": b"bye\nINFO:imapkit:all is well",
    "CR": b"bye\rINFO:imapkit:all is well",
    "ESC": b"bye\x1b[2J\x1b]0;owned\x07",
    "C1 CSI": "bye\x9b2J".encode(),
    "a bare C1 byte": b"bye\x9b2J",
    "NEL": "bye\x85INFO".encode(),
    "LS, PS": "bye\u2028INFO\u2029ERROR".encode(),
    "bidi": "bye\u202etxt.exe\u2066x".encode(),
    "NUL, BEL, DEL": b"bye\x00\x07\x7f\x08",
    "VT, FF, FS": b"bye\x0b\x0c\x1c\x1d\x1e",
    "a zero-width space": "b\u200bye".encode(),
}
WAYS: dict[str, bytes] = {
    "BYE": b"* BYE TEXT\r\n",
    "a tagged BYE": b"TAG BYE TEXT\r\n",
    "BAD": b"TAG BAD TEXT\r\n",
    "NO": b"TAG NO [ALERT] TEXT\r\n",
    "OK": b"TAG OK TEXT\r\n",
    "an untagged NO": b"* NO TEXT\r\nTAG OK done\r\n",
    "the name of a response": b"* TEXT (1 2)\r\nTAG OK done\r\n",
    "a numbered response": b"* 1 TEXT (1 2)\r\nTAG OK done\r\n",
    "a response code": b"* OK [TEXT] x\r\nTAG OK done\r\n",
    "a tag": b"TEXT OK done\r\nTAG OK done\r\n",
    "no response": b"TEXT\r\nTAG OK done\r\n",
    "a continuation": b"+ TEXT\r\nTAG OK done\r\n",
    "a size": b"* X {TEXT}\r\nTAG OK done\r\n",
    "half a line": b"* X TEXT",
    "a malformed item": b"* 1 FETCH (FLAGS (TEXT\r\nTAG OK done\r\n",
}


def texts(exc: BaseException | None) -> Iterator[str]:
    """All that an error says of itself, and those that it comes from."""
    while exc is not None:
        yield from (str(exc), repr(exc))
        yield from (str(arg) for arg in exc.args)
        exc = exc.__cause__ or exc.__context__


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_server_text_is_shown_on_one_line(way: str, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def tell(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(WAYS[way].replace(b"TAG", command.tag).replace(b"TEXT", HOSTILE[kind]))
        if not WAYS[way].endswith(b"\n"):
            conversation.close()

    told: list[str] = []
    errors: list[BaseException] = []

    def emit(line: str, thread: str, moment: float) -> None:
        told.append(line)

    handlers = dict.fromkeys(("NOOP", "LOGIN", "CAPABILITY"), tell)
    ways: list[Callable[[imapkit.IMAP4], Any]] = [lambda c: c.noop(), lambda c: c.login("me", "secret"), lambda c: c.capability()]
    with ScriptedServer(handlers=handlers, greeting=b"* OK [CAPABILITY IMAP4rev1] hi\r\n") as server:
        for send in ways:
            client = connect(server, debug=5, debug_file=io.StringIO())
            client._trace.emit = emit
            try:
                send(client)
            except imapkit.IMAP4.error as exc:
                errors.append(exc)
            client.parse("X", client.response("X")[1])
            told += [defect.what for defect in client.defects]
            client._print_log()
            client.logout()
    told += [record.getMessage() for record in caplog.records]
    told += [text for exc in errors for text in texts(exc)]
    assert [text for text in told if not text.isprintable()] == []
    for caught in errors:
        assert len("".join(traceback.format_exception_only(caught)).splitlines()) == 1


@pytest.mark.parametrize("start", [b"* BYE ", b"* NO ", b"220 ", b"", b"* OK ", b"* OK [CAPABILITY "])
def test_a_greeting_is_shown_on_one_line(start: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for text in HOSTILE.values():
        end = b"] hi\r\n" if b"[" in start else b""
        server = ScriptedServer(lambda c: c.close(), greeting=start + text.replace(b"\n", b"") + end)
        with server, pytest.raises(imapkit.IMAP4.error) as caught:
            connect(server).noop()
        assert [said for said in texts(caught.value) if not said.isprintable()] == []
    assert [record for record in caplog.records if not record.getMessage().isprintable()] == []


def test_a_refused_starttls_is_reported_on_one_line() -> None:
    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.no(command, HOSTILE["ESC"])

    with ScriptedServer(handlers={"STARTTLS": refuse}, capabilities=b"IMAP4rev1 STARTTLS") as server:
        client = connect(server, families=["rev1", "starttls"])
        with pytest.raises(imapkit.NoResponse) as caught:
            client.starttls()
        assert str(caught.value) == f"couldn't establish TLS session: {shown(HOSTILE['ESC'])}"
        assert caught.value.text == HOSTILE["ESC"], "the bytes are there as they came"
        client.logout()
