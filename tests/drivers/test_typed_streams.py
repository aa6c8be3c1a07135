"""Bodies of messages by the typed API: into files in pieces or at once, decoded, resumed; and servers with ways of their own."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imapkit import AsyncClient, Channel, ConnectionClosed, DeadlineExceeded, NoAnswer, NoResponse
from imapkit.errors import ArgumentError, error
from imapkit.testing import Conversation, ReceivedCommand, answering, refusing, selected, within
from tests.core.rig import until
from tests.drivers.mails import UID, Mails, encoded, serving, structure

DATA = os.urandom(100_000)
TEXT = encoded(DATA)
CHUNK = 10_000

Face = Callable[[Any, Callable[[Any], Any]], Any]


def mail(text: bytes = TEXT, encoding: bytes = b"BASE64", **options: Any) -> Mails:
    return Mails({b"2": text, b"1": b"=E4=\r\nb\r\n", b"TEXT": text}, structure(len(text), encoding, b"iso-8859-1"), **options)


def blocking(box: Any, call: Callable[[Any], Any]) -> Any:
    return call(box)


def nowait(box: Any, call: Callable[[Any], Any]) -> Any:
    return call(box.nowait).result(10)


def on_asyncio(box: Any, call: Callable[[Any], Any]) -> Any:
    async def run() -> Any:
        async with AsyncClient.over(box._link.raw).select("b") as other:
            return await call(other)

    box.close()
    return asyncio.run(run())


FACES = pytest.mark.parametrize("face", [blocking, nowait, on_asyncio])
WAYS = pytest.mark.parametrize("chunk", [CHUNK, None], ids=["pieces", "at once"])


@FACES
@WAYS
def test_a_part_is_decoded_into_a_file(face: Face, chunk: int | None, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = tmp_path / "a.bin"
    with serving(mail()) as (box, _):
        size = face(box, lambda it: it.download(UID, "2", path, chunk=chunk, progress=lambda *each: told.append(each)))
    assert size == len(DATA)
    assert path.read_bytes() == DATA
    assert told[-1] == (len(TEXT), len(TEXT))
    assert told == sorted(told)


@FACES
def test_bytes_text_and_message(face: Face) -> None:
    mails = Mails({b"1": b"=E4=\r\nb\r\n", b"": b"Subject: x\r\n\r\nbody"}, structure(9, charset=b"iso-8859-1"))
    with serving(mails) as (box, _):
        found = face(box, lambda it: it.read_text(UID, "1"))
    with serving(mails) as (box, _):
        read = face(box, lambda it: it.read_bytes(UID, "1"))
    with serving(mails) as (box, _):
        message = face(box, lambda it: it.message(UID))
    assert found == "äb\r\n"
    assert read == b"\xe4b\r\n"
    assert message["subject"] == "x"
    assert mails.asked == [b"(UID BODYSTRUCTURE BODY.PEEK[1])"] * 2 + [b"(UID BODY.PEEK[])"]


def test_nothing_is_asked_for_behind_the_size() -> None:
    mails = mail()
    with serving(mails) as (box, _):
        box.download(UID, "2", io.BytesIO(), chunk=CHUNK)
    starts = [int(items.split(b"<")[1].split(b".")[0]) for items in mails.asked if b"<" in items]
    assert starts == list(range(0, len(TEXT), CHUNK))


def test_a_section_without_a_known_size_ends_with_a_short_piece() -> None:
    file = io.BytesIO()
    with serving(mail()) as (box, _):
        assert box.download(UID, "text", file, chunk=CHUNK) == len(TEXT)
    assert file.getvalue() == TEXT, "it is no part, and is not decoded"


def test_an_empty_part_makes_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with serving(mail(b"")) as (box, _):
        assert box.download(UID, "2", path) == 0
        assert path.read_bytes() == b""
        path.unlink()
        assert box.download(UID, "2", path, chunk=None) == 0
        assert path.read_bytes() == b""


def test_the_structure_may_lie_about_the_size() -> None:
    for size in (len(TEXT) - CHUNK, len(TEXT) + 3 * CHUNK, 0):
        mails = mail()
        mails.body = structure(size)
        with serving(mails) as (box, _):
            file = io.BytesIO()
            box.download(UID, "2", file, chunk=CHUNK)
            if size >= len(TEXT):
                assert file.getvalue() == DATA
            else:
                assert DATA.startswith(file.getvalue())


# servers with a way of their own


def whole(name: bytes, start: bytes | None, size: bytes | None, data: bytes) -> bytes:
    return Mails.literal(name, None, None, data)


def whole_with_origin(name: bytes, start: bytes | None, size: bytes | None, data: bytes) -> bytes:
    return b"BODY[%b]<%b> {%d}\r\n%b" % (name, start or b"0", len(data), data)


def nameless(name: bytes, start: bytes | None, size: bytes | None, data: bytes) -> bytes:
    return Mails.literal(name, None, None, data[int(start or 0) :][: int(size or len(data))])


def with_length(name: bytes, start: bytes | None, size: bytes | None, data: bytes) -> bytes:
    return Mails.literal(name, start, size, data).replace(b"> {", b".%b> {" % (size or b""), 1)


def short(name: bytes, start: bytes | None, size: bytes | None, data: bytes) -> bytes:
    return Mails.literal(name, start, size and b"%d" % min(int(size), 3000), data)


@pytest.mark.parametrize(
    ("form", "most"), [(whole, 1), (whole_with_origin, 1), (nameless, 14), (with_length, 14), (short, 60)], ids=lambda x: getattr(x, "__name__", str(x))
)
def test_servers_that_answer_in_another_way(form: Callable[..., bytes], most: int) -> None:
    mails, file = mail(form=form), io.BytesIO()
    with serving(mails) as (box, _):
        assert box.download(UID, "2", file, chunk=CHUNK) == len(DATA)
    assert file.getvalue() == DATA
    assert len([items for items in mails.asked if b"<" in items]) <= most


def test_a_server_that_ceases_to_name_its_pieces_is_asked_one_by_one() -> None:
    def form(name: bytes, start: bytes | None, size: bytes | None, data: bytes) -> bytes:
        way = Mails.literal if start in (None, b"0") else nameless
        return way(name, start, size, data)

    mails, file = mail(form=form), io.BytesIO()
    with serving(mails) as (box, _):
        assert box.download(UID, "2", file, chunk=CHUNK) == len(DATA)
    assert file.getvalue() == DATA


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"* 3 FETCH (UID 7 BODY[TEXT] NIL)\r\n", b""),
        (b'* 3 FETCH (UID 7 BODY[TEXT] "ab")\r\n', b"ab"),
        (b"* 3 FETCH (BODY[TEXT] {2}\r\nab UID 7)\r\n", b"ab"),
        (b"* 3 FETCH (UID 7 BODY[TEXT] {2}\r\nab)\r\n", b"ab"),
        (b"* 3 FETCH (FLAGS (x) UID 7)\r\n* 3 FETCH (BODY[TEXT] {2}\r\nab UID 7)\r\n", b"ab"),
    ],
)
@WAYS
def test_forms_of_an_answer_in_any_segments(answer: bytes, expected: bytes, chunk: int | None) -> None:
    def serve(conversation: Conversation, command: ReceivedCommand) -> None:
        for at in range(len(answer)):
            conversation.send(answer[at : at + 1])
        conversation.ok(command)

    file = io.BytesIO()
    with serving(serve) as (box, _):
        assert box.download(UID, "TEXT", file, chunk=chunk) == len(expected)
    assert file.getvalue() == expected


@FACES
@WAYS
def test_no_and_nothing(face: Face, chunk: int | None, tmp_path: Path) -> None:
    path = tmp_path / "a"
    with serving(refusing()) as (box, _), pytest.raises(NoResponse):
        face(box, lambda it: it.download(UID, "TEXT", path, chunk=chunk))
    with serving(answering()) as (box, _), pytest.raises(NoAnswer):
        face(box, lambda it: it.download(UID, "TEXT", path, chunk=chunk))
    assert not path.exists(), "a file is made for what comes"


def test_a_message_that_is_not_there() -> None:
    with serving(mail()) as (box, _):
        for call in (box.read_bytes, box.read_text):
            with pytest.raises(NoAnswer, match="8"):
                call(8, "2")
        with pytest.raises(NoAnswer):
            box.download(8, "2", io.BytesIO())
        with pytest.raises(NoAnswer):
            box.message(8)
        with pytest.raises(ArgumentError):
            box.read_bytes(UID, "1] FLAGS")
        with pytest.raises(ArgumentError):
            box.download(UID, "2", io.BytesIO(), window=0)
        with pytest.raises(TypeError):
            box.read_bytes(UID, 2)


# the taker


class Broken(io.BytesIO):
    """A file that has no more room."""

    def write(self, data: Any) -> int:
        if self.tell() > 30_000:
            raise OSError(28, "No space left on device")
        return super().write(data)


@FACES
@WAYS
def test_an_error_of_the_file_ends_the_call_and_the_connection_goes_on(face: Face, chunk: int | None) -> None:
    with serving(mail()) as (box, _):
        raw = box._link.raw
        with pytest.raises(OSError, match="No space"):
            face(box, lambda it: it.download(UID, "2", Broken(), chunk=chunk))
        assert raw.noop()[0] == "OK"


@FACES
@WAYS
def test_so_does_an_error_of_the_progress_function(face: Face, chunk: int | None) -> None:
    def enough(done: int, total: int | None) -> None:
        raise LookupError(done)

    with serving(mail()) as (box, _):
        raw = box._link.raw
        with pytest.raises(LookupError):
            face(box, lambda it: it.download(UID, "2", io.BytesIO(), chunk=chunk, progress=enough))
        assert raw.noop()[0] == "OK"


class Stalled(io.BytesIO):
    """A file that accepts nothing until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.come, self.go = threading.Event(), threading.Event()
        self.threads: set[str] = set()

    def write(self, data: Any) -> int:
        self.threads.add(threading.current_thread().name)
        self.come.set()
        assert self.go.wait(10)
        return super().write(data)


@WAYS
def test_a_stalled_file_holds_up_no_other_future(chunk: int | None) -> None:
    file = Stalled()
    with serving(mail()) as (box, _):
        future = box.nowait.download(UID, "2", file, chunk=chunk)
        assert file.come.wait(10)
        assert box.nowait.read_text(UID, "1").result(10) == "äb\r\n"
        assert not future.done()
        file.go.set()
        assert future.result(10) == len(DATA)
    assert not [name for name in file.threads if "reader" in name or "callback" in name], file.threads
    assert file.getvalue() == DATA


@WAYS
def test_a_future_that_is_cancelled_gives_its_commands_up(chunk: int | None, tmp_path: Path) -> None:
    held = threading.Event()
    mails = mail()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        if b"BODYSTRUCTURE" not in command.args:
            held.set()
            conversation.send(b"* 3 FETCH (UID 7 BODY[2]%b {9999}\r\nabcd" % (b"<0>" if chunk else b""))
            assert go.wait(10)
            conversation.send(b"x" * 9995 + b")\r\n")
            conversation.ok(command)
            return
        mails(conversation, command)

    go = threading.Event()
    with serving(slow) as (box, _):
        future = box.nowait.download(UID, "2", tmp_path / "a", chunk=chunk)
        assert held.wait(10)
        assert future.cancel()
        go.set()
        assert box._link.raw.noop()[0] == "OK"
    until(lambda: "imapkit taker" not in {thread.name for thread in threading.enumerate()}, "its thread stays")


@WAYS
def test_a_task_that_is_cancelled_gives_its_commands_up(chunk: int | None, tmp_path: Path) -> None:
    held, go, mails = threading.Event(), threading.Event(), mail()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        if b"BODYSTRUCTURE" in command.args:
            mails(conversation, command)
            return
        conversation.send(b"* 3 FETCH (UID 7 BODY[2]%b {9999}\r\nabcd" % (b"<0>" if chunk else b""))
        held.set()
        assert go.wait(10)
        conversation.send(b"x" * 9995 + b")\r\n")
        conversation.ok(command)

    async def run(raw: Any) -> None:
        async with AsyncClient.over(raw).select("b") as box:
            task = asyncio.ensure_future(box.download(UID, "2", tmp_path / "a", chunk=chunk))
            assert await asyncio.get_running_loop().run_in_executor(None, held.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go.set()
            await AsyncClient.over(raw).noop()

    with selected({"UID FETCH": slow}, families=["rev1"]) as (raw, _), within(30):
        asyncio.run(run(raw))


@WAYS
def test_a_late_answer_ends_the_call_and_the_connection_goes_on(chunk: int | None, tmp_path: Path) -> None:
    go = threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        assert go.wait(10)
        conversation.ok(command)

    with serving(slow) as (box, _):
        with pytest.raises(DeadlineExceeded):
            box.with_options(timeout=0.05).download(UID, "TEXT", tmp_path / "a", chunk=chunk)
        go.set()
        assert box._link.raw.noop()[0] == "OK"


@WAYS
def test_the_end_of_the_connection_ends_the_call(chunk: int | None, tmp_path: Path) -> None:
    mails = mail()

    def dies(conversation: Conversation, command: ReceivedCommand) -> None:
        if (mails.asked and len(mails.asked) > 1) or chunk is None:
            conversation.send(b"* 3 FETCH (UID 7 BODY[TEXT] {9999}\r\nabcd")
            conversation.close()
            return
        mails(conversation, command)

    path = tmp_path / "a"
    with serving(dies) as (box, _), pytest.raises(ConnectionClosed):
        box.download(UID, "TEXT", path, chunk=chunk)
    assert path.stat().st_size >= (4 if chunk is None else 2 * CHUNK), "what has come is there, to be resumed"


def test_a_second_body_is_refused() -> None:
    twice = answering(b"* 3 FETCH (UID 7 BODY[TEXT] {2}\r\nab BODY[TEXT] {2}\r\ncd)\r\n")
    with serving(twice) as (box, _), pytest.raises(error, match="more than one"):
        box.download(UID, "TEXT", io.BytesIO(), chunk=None)


@WAYS
def test_a_file_that_accepts_nothing_for_too_long(chunk: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, the thread that reads waits for it, but not for ever; in pieces it waits for nobody."""
    monkeypatch.setattr(Channel.__init__, "__defaults__", (1000, 0.05))
    file = Stalled()
    with serving(mail()) as (box, _):
        future = box.nowait.download(UID, "2", file, chunk=chunk)
        assert file.come.wait(10)
        assert box._link.raw.noop()[0] == "OK"
        file.go.set()
        if chunk is None:
            assert isinstance(future.exception(10), DeadlineExceeded)
        else:
            assert future.result(10) == len(DATA)
        assert box._link.raw.noop()[0] == "OK"
