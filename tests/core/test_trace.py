from __future__ import annotations

import logging
import subprocess
import sys
import threading

import pytest

import imapkit
from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command
from imapkit.core.contract.session import State
from imapkit.core.threads.trace import Trace
from imapkit.core.wire.pieces import Late, Literal
from imapkit.testing import Conversation, ReceivedCommand
from tests.core.rig import connect, serving


class Lines(list[str]):
    def emit(self, text: str, thread: str, seconds: float) -> None:
        assert thread == threading.current_thread().name
        assert seconds > 1e9
        self.append(text)


def make(level: int, buffer_level: int = 3) -> tuple[Trace, Lines]:
    lines = Lines()
    return Trace(level, buffer_level, lines.emit), lines


def test_level_0_is_silent() -> None:
    trace, lines = make(0)
    trace.log(1, "a")
    trace.log(4, "b")
    trace.dump()
    assert lines == []


def test_up_to_the_buffer_level_lines_are_kept_back() -> None:
    trace, lines = make(3)
    trace.log(1, "a command")
    trace.log(2, "a detail")
    trace.log(4, "too much")
    assert lines == ["a command"]
    trace.dump()
    assert lines[1:] == ["last 2 log messages:", "a command", "a detail"]
    trace.dump()
    assert lines[-1] == "last 0 log messages:"


def test_above_it_they_are_shown_as_they_come() -> None:
    trace, lines = make(4)
    trace.log(4, "bytes")
    assert lines == ["bytes"]


def test_the_last_20_are_kept() -> None:
    trace, lines = make(3)
    for i in range(50):
        trace.log(2, str(i))
    trace.dump()
    assert lines == ["last 20 log messages:", *map(str, range(30, 50))]


def test_the_level_may_change() -> None:
    trace, lines = make(0)
    trace.level = 4
    trace.log(4, "now")
    assert lines == ["now"]


def test_a_broken_debug_file_breaks_nothing() -> None:
    calls = []

    def broken(text: str, thread: str, seconds: float) -> None:
        calls.append(text)
        raise OSError("disk full")

    trace = Trace(5, 3, broken)
    trace.log(1, "a")
    trace.log(1, "b")
    trace.dump()
    assert calls == ["a"]


def test_an_emit_may_log_itself() -> None:
    trace = Trace(1)
    seen: list[str] = []

    def emit(text: str, thread: str, seconds: float) -> None:
        seen.append(text)
        if len(seen) < 3:
            trace.log(1, "from inside")

    trace.emit = emit
    trace.log(1, "first")
    assert seen == ["first", "from inside", "from inside"]


@pytest.mark.parametrize(
    "piece", [b"hunter2", Literal(b"hunter2"), Late((b"hunter2",), (b"hunter2",))], ids=lambda p: type(p).__name__
)
def test_a_secret_command_shows_nothing_of_its_arguments(piece: bytes | Literal | Late) -> None:
    secret = Call(Command("XENTER", State.ANY, secret=True), ("me", "hunter2"), [b"XENTER me ", piece])
    assert repr(secret) == "XENTER '***'"
    assert "hunter2" not in repr(secret)


def test_another_command_shows_no_literal_and_not_too_much() -> None:
    shown = repr(Call(Command("XPUT", State.ANY), (), [b"XPUT a ", Literal(b"hunter2"), b" x" * 1000]))
    assert "hunter2" not in shown
    assert "<Literal of 7 bytes>" in shown
    assert len(shown) < 200


LATE = """
from imapkit.core.threads.trace import Trace
trace = Trace()
trace.log(1, "before a handler is added")
assert not trace.wants(1)
import logging, sys
logging.basicConfig(level="DEBUG", stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
assert trace.wants(1)
trace.log(1, "with a handler")
trace.log(0, "a warning")
"""
ALONE = """
import sys
from imapkit.core.threads.trace import Trace
Trace().log(1, "before a handler is added")
assert "logging" not in sys.modules
Trace().log(0, "a warning")
"""


def test_a_handler_that_is_added_late_gets_the_rest_and_warnings_need_none() -> None:
    late = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True, timeout=30)
    assert late.stdout.splitlines() == ["imapkit DEBUG : with a handler", "imapkit WARNING : a warning"]
    alone = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True, timeout=30)
    assert alone.stderr.splitlines() == [": a warning"]


def test_the_logger_gets_every_line(caplog: pytest.LogCaptureFixture) -> None:
    trace, lines = make(0)
    trace.name = "here"
    assert not trace.wants(4)
    with caplog.at_level(logging.DEBUG, "imapkit"):
        assert trace.wants(4)
        trace.log(4, "bytes")
        trace.log(0, "trouble")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "here: bytes"),
        ("WARNING", "here: trouble"),
    ]
    assert lines == ["trouble"]


def test_a_session_is_logged_without_its_secrets(caplog: pytest.LogCaptureFixture) -> None:
    def authenticate(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+\r\n")
        assert conversation.read_line() == b"AG1lAGh1bnRlcjI="
        conversation.ok(command)

    with caplog.at_level(logging.DEBUG, "imapkit"), serving({"AUTHENTICATE": authenticate}) as server:
        with connect(server, identifier="work") as client:
            client.login("me", "hunter2")
            client.noop()
        with connect(server) as client:
            client.authenticate("PLAIN", lambda challenge: "\0me\0hunter2")
    text = caplog.text
    assert "work: " in text
    assert "NOOP" in text
    assert "connection ends: " in text
    assert "hunter2" not in text
    assert "AG1lAGh1bnRlcjI" not in text


def test_the_last_actions_are_shown_with_an_error_and_without_its_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as server, connect(server, debug=3) as client:
        client.login("me", "hunter2")
        client.noop()
        with pytest.raises(imapkit.BadResponse):
            client.xatom("XWRONG")
        shown = capsys.readouterr().err
    assert "log messages:" in shown
    assert "NOOP" in shown
    assert "hunter2" not in shown


def test_a_server_that_repeats_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    def repeat(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* OK what is " + command.args + b"\r\n")
        conversation.bad(command, b"unknown command: " + command.args)

    def authenticate(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+\r\n")
        conversation.no(command, b"unknown: " + conversation.read_line())

    with (
        caplog.at_level(logging.DEBUG, "imapkit"),
        serving({"LOGIN": repeat, "AUTHENTICATE": authenticate}) as server,
        connect(server) as client,
    ):
        with pytest.raises(imapkit.BadResponse, match="me") as refused:
            client.login("me", "hunter2")
        with pytest.raises(imapkit.NoResponse) as denied:
            client.authenticate("PLAIN", lambda challenge: "\0me\0hunter2")
    for text in (str(refused.value), repr(refused.value.text), str(denied.value), caplog.text):
        assert "hunter2" not in text
        assert "AG1lAGh1bnRlcjI" not in text
        assert "***" in text


class Broken(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise LookupError("a handler's own mistake")


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING])
def test_a_handler_that_raises_breaks_nothing(level: int) -> None:
    handler, logger = Broken(), logging.getLogger("imapkit")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        with serving() as server, connect(server) as client:
            client.login("me", "secret")
            assert client.noop()[0] == "OK"
            client.noop(callback=lambda answer: 1 / 0)
            assert client.noop()[0] == "OK"
            assert client._live.open
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
