"""Literals that are read from a source as they are sent: which thread reads, which errors, and no call that waits for it."""

from __future__ import annotations

import io
import shlex
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import imapkit
from imapkit import ConnectionClosed, DeadlineExceeded, NestedCommandError, ServerBye, Source
from imapkit.errors import CommandTimeout, RemoteProtocolError
from imapkit.testing import LOCALHOST, Answers, Conversation, ReceivedCommand, ScriptedServer, selected
from tests.core.rig import MARGIN, connect, until, within
from tests.threads.rig import answer, literal_size, scripted, swallow

SYNC = b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"
LINE = b"All work and no play makes a dull upload.\r\n"
LARGE = LINE * (3_000_000 // len(LINE))


class Reads:
    """A source's file: notes on which threads it is read, and does something at the ``at``-th read."""

    def __init__(self, data: bytes, *, at: int = 0, do: Any = None) -> None:
        self.file, self.at, self.do = io.BytesIO(data), at, do
        self.threads: set[str] = set()
        self.reads = 0

    def read(self, size: int) -> bytes:
        self.threads.add(threading.current_thread().name)
        self.reads += 1
        if self.reads == self.at:
            self.do()
        return self.file.read(size)


def keep(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command)


@pytest.fixture(params=["LITERAL+", "LITERAL-", "synchronizing", "COMPRESS", "TLS"])
def appending(request: pytest.FixtureRequest) -> Iterator[tuple[imapkit.IMAP4, ScriptedServer]]:
    """A client that may append, and its server, over each way."""
    way = request.param
    capabilities = {"LITERAL-": b"IMAP4rev1 LITERAL-", "synchronizing": b"IMAP4rev1"}.get(way, b"IMAP4rev1 LITERAL+")

    def compress(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command)
        conversation.start_compression()

    handlers = {"APPEND": keep, "COMPRESS": compress}
    options: dict[str, Any] = {"families": ["rev1", "compress"]}
    with ScriptedServer(handlers=handlers, capabilities=capabilities, tls=LOCALHOST if way == "TLS" else None) as server:
        if way == "TLS":
            options |= {"cls": imapkit.IMAP4_SSL, "ca_certs": LOCALHOST.pem}
        with connect(server, **options) as client, within(60):
            client.login("me", "secret")
            if way == "COMPRESS":
                client.enable_compression()
            yield client, server


def test_all_of_it_arrives_and_progress_is_reported(appending: tuple[imapkit.IMAP4, ScriptedServer]) -> None:
    client, server = appending
    told: list[tuple[int, int]] = []
    file = Reads(LARGE)
    source = Source(len(LARGE), file, lambda sent, size: told.append((sent, size)))
    assert client.append("box", None, None, source)[0] == "OK"
    assert client.append("box", None, None, Source(5, [b"small"]))[0] == "OK"
    assert [command.literals for command in server.commands if command.name == "APPEND"] == [[LARGE], [b"small"]]
    assert {name.rpartition(" ")[2] for name in file.threads} == {"courier"}
    assert told[-1] == (len(LARGE), len(LARGE))
    assert len(told) > 20
    assert [sent for sent, _ in told] == sorted({sent for sent, _ in told})


@pytest.mark.parametrize("how", ["path", "file", "stream", "bytes"])
def test_any_message_may_report_progress(how: str, tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(LARGE.replace(b"\r\n", b"\n"))
    told: list[int] = []
    with selected({"APPEND": keep}) as (client, server), path.open("rb") as file:
        message: Any = {"path": path, "file": file, "stream": Reads(path.read_bytes()), "bytes": path.read_bytes()}[how]
        assert client.append("box", r"\Seen", None, message, progress=lambda sent, size: told.append(sent))[0] == "OK"
        assert client.submit("APPEND", "box", r"(\Seen)", None, path).result(MARGIN)[0] == "OK"
        assert [command.literals for command in server.commands if command.name == "APPEND"] == [[LARGE]] * 2
        assert told[-1] == len(LARGE)


def test_over_pipes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = f"""
import re, sys
tell = lambda line: (sys.stdout.buffer.write(line), sys.stdout.buffer.flush())
tell({SYNC!r})
while line := sys.stdin.buffer.readline():
    tag = line.split()[0]
    if found := re.search(rb"{{(\\d+)}}", line):
        tell(b"+ go\\r\\n")
        open({str(out)!r}, "wb").write(sys.stdin.buffer.read(int(found[1])))
        sys.stdin.buffer.readline()
    tell(tag + b" OK done\\r\\n")
"""
    client = imapkit.IMAP4_stream(f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)}", timeout=20.0, families=["rev1"])
    with within(30):
        assert client.append("box", None, None, Source(len(LARGE), Reads(LARGE)))[0] == "OK"
        client._hang_up("enough")
    assert out.read_bytes() == LARGE


class Hooked(imapkit.IMAP4):
    """A subclass that sends by itself."""

    largest = 0

    def send(self, data: bytes) -> None:
        self.largest = max(self.largest, len(data))
        super().send(data)


def test_through_a_subclasss_send() -> None:
    with selected({"APPEND": keep}, cls=Hooked) as (client, server):
        assert client.append("box", None, None, Source(len(LARGE), Reads(LARGE)))[0] == "OK"
        assert server.commands[-1].literals == [LARGE]
        assert isinstance(client, Hooked)
        assert client.largest <= 1 << 18


# what goes wrong with the source


def half(conversation: Conversation) -> None:
    """Read what comes of an APPEND; it never ends."""
    line = conversation.read_line()
    if not line.endswith(b"+}"):
        conversation.send(b"+ go\r\n")
    conversation.wait_closed()


def too_few() -> Source:
    return Source(len(LARGE), iter([LARGE[:1_000_000]]))


def too_many() -> Source:
    return Source(len(LARGE), iter([LARGE, b"x"]))


def raises() -> Source:
    return Source(len(LARGE), Reads(LARGE, at=5, do=lambda: int("ten")))


def breaks() -> Source:
    def lost() -> None:
        raise BrokenPipeError(32, "the disk's, not the connection's")

    return Source(len(LARGE), Reads(LARGE, at=5, do=lost))


def cannot_be_opened() -> Source:
    return Source(len(LARGE), lambda: Path("/nowhere").open("rb"))


@pytest.mark.parametrize("greeting", [SYNC, None], ids=["synchronizing", "LITERAL+"])
@pytest.mark.parametrize(
    ("make", "words", "cause"),
    [
        (too_few, "APPEND: its source ended after 1000000 of", ValueError),
        (too_many, "APPEND: its source holds more than", ValueError),
        (raises, "APPEND: its source raised ValueError", ValueError),
        (breaks, "APPEND: its source raised BrokenPipeError", BrokenPipeError),
        (cannot_be_opened, "APPEND: its source raised FileNotFoundError", FileNotFoundError),
    ],
)
def test_a_source_that_fails_ends_the_connection(make: Any, words: str, cause: type[Exception], greeting: bytes | None) -> None:
    with scripted(half, **({} if greeting is None else {"greeting": greeting})) as client, within(MARGIN):
        answers = Answers()
        client.append("box", None, None, make(), callback=answers)
        kind, text = answers.next()[2]
        assert issubclass(kind, ConnectionClosed)
        assert words in text
        assert "half of the command has been sent" in text
        assert client.Terminate
    with scripted(half) as client, within(MARGIN):
        with pytest.raises(ConnectionClosed) as caught:
            client.append("box", None, None, make())
        assert caught.value.__cause__ is not None
        assert isinstance(caught.value.__cause__.__cause__, cause)


def test_the_server_never_has_all_bytes_of_a_source_that_holds_more() -> None:
    came: list[int] = []

    def script(conversation: Conversation) -> None:
        size = literal_size(conversation.read_line())
        try:
            conversation.read_literal(size)
        finally:
            came.append(size)
        raise AssertionError("all of it came")

    with scripted(script) as client, within(MARGIN), pytest.raises(ConnectionClosed):
        client.append("box", None, None, too_many())


def test_a_source_may_not_wait_for_a_command_of_its_own_connection() -> None:
    with scripted(half) as client, within(MARGIN):
        with pytest.raises(ConnectionClosed, match="NestedCommandError") as caught:
            client.append("box", None, None, Source(len(LARGE), Reads(LARGE, at=3, do=client.noop)))
        assert caught.value.__cause__ is not None
        assert isinstance(caught.value.__cause__.__cause__, NestedCommandError)


def test_a_progress_function_that_raises_is_logged_and_called_no_more(caplog: pytest.LogCaptureFixture) -> None:
    told: list[int] = []

    def progress(sent: int, size: int) -> None:
        told.append(sent)
        raise LookupError("the bar is gone")

    with selected({"APPEND": keep}) as (client, _):
        assert client.append("box", None, None, LARGE, progress=progress)[0] == "OK"
        assert client.noop()[0] == "OK"
    assert len(told) == 1
    assert "progress function of a source raised" in caplog.text


# what the server does


@pytest.mark.parametrize("typ", [b"NO", b"BAD"])
def test_a_source_refused_instead_of_a_plus_is_not_read(typ: bytes) -> None:
    def script(conversation: Conversation) -> None:
        tag = conversation.read_line().split()[0]
        conversation.send(tag + b" " + typ + b" too big\r\n")
        answer(conversation, conversation.read_line().split()[0])
        conversation.wait_closed()

    with scripted(script, greeting=SYNC) as client, within(MARGIN):
        file = Reads(LARGE)
        if typ == b"NO":
            assert client.append("box", None, None, Source(len(LARGE), file)) == ("NO", [b"too big"])
        else:
            with pytest.raises(imapkit.BadResponse):
                client.append("box", None, None, Source(len(LARGE), file))
        assert file.reads == 0
        assert client.noop()[0] == "OK"


def test_a_no_in_the_middle_lets_go_of_the_file_and_the_connection_goes_on() -> None:
    """The server reads as many bytes as were announced: the rest of them are blanks."""
    rest: list[bytes] = []
    closed = threading.Event()

    def script(conversation: Conversation) -> None:
        line = conversation.read_line()
        size = literal_size(line)
        conversation.read_literal(2_000_000)
        conversation.send(line.split()[0] + b" NO [OVERQUOTA] full\r\n")
        assert closed.wait(20)
        rest.append(conversation.read_literal(size - 2_000_000))
        assert conversation.read_line() == b""
        answer(conversation, conversation.read_line().split()[0])
        conversation.wait_closed()

    size = 40_000_000
    with scripted(script) as client, within(30):
        with io.BytesIO(b"x" * size) as file:
            told: list[int] = []
            source = Source(size, file, lambda sent, size: told.append(sent))
            assert client.append("box", None, None, source) == ("NO", [b"[OVERQUOTA] full"])
        closed.set()
        assert client.noop()[0] == "OK"
        assert told[-1] < size
        text, blanks = rest[0].rstrip(b" "), rest[0].count(b" ")
        assert text == b"x" * len(text)
        assert blanks >= size - told[-1] - 200_000
        assert len(text) + blanks == size - 2_000_000


def test_an_ok_in_the_middle_ends_the_connection() -> None:
    def script(conversation: Conversation) -> None:
        line = conversation.read_line()
        conversation.read_literal(1000)
        answer(conversation, line.split()[0])
        conversation.wait_closed()

    with scripted(script) as client, within(MARGIN), pytest.raises(RemoteProtocolError, match="before all of it was sent"):
        client.append("box", None, None, Source(40_000_000, iter([b"x" * 40_000_000])))


def test_a_server_that_goes_in_the_middle_says_why() -> None:
    def script(conversation: Conversation) -> None:
        conversation.read_line()
        conversation.read_literal(1000)
        conversation.send(b"* BYE full\r\n")
        conversation.close()

    with scripted(script) as client, within(MARGIN), pytest.raises((ServerBye, ConnectionClosed)):
        client.append("box", None, None, Source(40_000_000, iter([b"x" * 40_000_000])))


@pytest.mark.parametrize("greeting", [SYNC, None], ids=["no plus", "nothing is read"])
def test_a_server_that_takes_nothing_is_late(greeting: bytes | None) -> None:
    over = threading.Event()

    def script(conversation: Conversation) -> None:
        conversation.read_line()
        assert over.wait(20)

    options: dict[str, Any] = {} if greeting is None else {"greeting": greeting}
    with scripted(script, timeout=0.3, **options) as client:
        with within(0.3 + MARGIN), pytest.raises(CommandTimeout):
            client.append("box", None, None, Source(40_000_000, iter([b"x" * 40_000_000])))
        over.set()


@pytest.mark.parametrize("slow", ["the server", "the source"])
def test_bytes_that_leave_are_progress(slow: str) -> None:
    window, pieces = 0.4, 40

    def script(conversation: Conversation) -> None:
        answer(conversation, swallow(conversation, piece=100_000, pause=0.03 if slow == "the server" else 0.0))
        conversation.wait_closed()

    def give() -> Iterator[bytes]:
        for _ in range(pieces):
            if slow == "the source":
                threading.Event().wait(0.03)
            yield b"x" * 100_000

    with scripted(script, timeout=window) as client, within(30):
        assert client.append("box", None, None, Source(100_000 * pieces, give()))[0] == "OK"


# what is not waited for


def test_a_call_returns_while_its_source_waits_for_bytes() -> None:
    go, reads = threading.Event(), threading.Event()

    def stop() -> None:
        reads.set()
        assert go.wait(20)

    def script(conversation: Conversation) -> None:
        answer(conversation, swallow(conversation))
        for _ in range(1000):
            answer(conversation, conversation.read_line().split()[0])
        conversation.wait_closed()

    with scripted(script) as client:
        answers = Answers()
        with within(1.0):
            client.append("box", None, None, Source(len(LARGE), Reads(LARGE, at=2, do=stop)), callback=answers)
        assert reads.wait(10)
        with within(1.0):
            for _ in range(1000):
                client.noop(callback=answers)
        go.set()
        assert [answers.next()[2] for _ in range(1001)] == [None] * 1001


@pytest.mark.parametrize("how", ["cancel", "time-out", "interrupt"])
def test_a_source_given_up_half_sent_ends_the_connection(how: str) -> None:
    go, reads = threading.Event(), threading.Event()

    def stop() -> None:
        reads.set()
        assert go.wait(20)

    with scripted(half) as client:
        source = Source(len(LARGE), Reads(LARGE, at=3, do=stop))
        future = client.submit("APPEND", "box", None, None, source, timeout=0.2 if how == "time-out" else None)
        assert reads.wait(10)
        if how == "cancel":
            assert future.cancel()
        elif how == "time-out":
            assert isinstance(future.exception(MARGIN), (CommandTimeout, DeadlineExceeded))
        else:
            client.shutdown()
        until(lambda: client.Terminate, "the connection goes on")
        go.set()


def test_one_that_is_given_up_in_the_queue_is_never_read() -> None:
    go = threading.Event()

    def script(conversation: Conversation) -> None:
        tag = conversation.read_line().split()[0]
        assert go.wait(20)
        answer(conversation, tag)
        answer(conversation, conversation.read_line().split()[0])
        conversation.wait_closed()

    with scripted(script) as client, within(MARGIN):
        file = Reads(LARGE)
        first = client.submit("SELECT", "box")
        second = client.submit("APPEND", "box", None, None, Source(len(LARGE), file))
        assert second.cancel()
        go.set()
        assert first.result(MARGIN)[0] == "OK"
        assert client.noop()[0] == "OK"
        assert file.reads == 0
