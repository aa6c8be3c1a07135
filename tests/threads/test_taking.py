"""Bodies that go to a file or into a channel as they come: which thread writes, which errors, and no wait for the taker."""

from __future__ import annotations

import gc
import io
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import pytest

import imapkit
from imapkit import Channel, CommandTimeout, ConnectionClosed, DeadlineExceeded, NestedCommandError, StateError, error
from imapkit.core.contract.streamed import StreamedCall
from imapkit.core.wire.sinks import StreamedLiteral
from imapkit.errors import abort
from imapkit.testing import Answers, Conversation, ReceivedCommand
from tests.core.rig import MARGIN, at_rest, selected, until, within

BODY = bytes(range(256)) * 16_384
"""4 MiB."""
PIECE = 1 << 16


def fetched(body: bytes = BODY, *, before: bytes = b"UID 7 ", behind: bytes = b"") -> bytes:
    """An answer with a body."""
    return b"* 1 FETCH (%bBODY[] {%d}\r\n%b%b)\r\n" % (before, len(body), body, behind)


def bodies(*answers: bytes) -> dict[str, Any]:
    """A server that answers FETCH so."""

    def handler(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.ok(command, untagged=b"".join(answers))

    return {"FETCH": handler, "UID FETCH": handler}


class Held:
    """A FETCH that sends a part of a body, and the rest when the test says so."""

    def __init__(self, size: int, first: int) -> None:
        self.size, self.first = size, first
        self.go = threading.Event()

    def __call__(self, conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"* 1 FETCH (BODY[] {%d}\r\n" % self.size + b"x" * self.first)
        assert self.go.wait(20)
        conversation.send(b"y" * (self.size - self.first) + b")\r\n")
        conversation.ok(command)


class File:
    """A file that notes on which threads it is written, and does something at the ``at``-th write."""

    def __init__(self, *, at: int = 0, do: Callable[[], object] = int) -> None:
        self.data, self.at, self.do = bytearray(), at, do
        self.threads: set[threading.Thread] = set()
        self.largest = self.writes = 0

    def write(self, data: bytes) -> int:
        assert type(data) is bytes
        self.threads.add(threading.current_thread())
        self.largest = max(self.largest, len(data))
        self.writes += 1
        if self.writes == self.at:
            self.do()
        self.data += data
        return len(data)

    @property
    def thread(self) -> str:
        [thread] = self.threads
        return thread.name


def size_of(data: Any) -> int:
    """The size of the body that is left out of the data."""
    mark = data.responses[0].parts[1]
    assert isinstance(mark, StreamedLiteral)
    assert mark == b""
    return mark.size


# where it goes


@pytest.mark.parametrize("uid", [False, True], ids=["number", "UID"])
@pytest.mark.parametrize("rests", [False, True], ids=["the reader reads", "callers read"])
def test_the_caller_writes_what_the_reader_reads(uid: bool, rests: bool) -> None:
    with selected(bodies(fetched())) as (client, _), within(MARGIN):
        if rests:
            client.noop()
            client.noop()
            at_rest(client)
        file = File()
        typ, data = client.fetch_to(7 if uid else 1, "(UID BODY.PEEK[])", file, uid=uid)
        assert typ == "OK"
        assert file.data == BODY
        assert file.thread == threading.current_thread().name
        assert size_of(data) == len(BODY)
        assert data.parsed()[0].uid == 7
        assert data == [(b"1 (UID 7 BODY[] {%d}" % len(BODY), b""), b")"]
        assert client.fetch("1", "BODY[]")[1][0][1] == BODY


def test_with_a_callback_a_thread_writes() -> None:
    with selected(bodies(fetched())) as (client, _), within(MARGIN):
        file, answers = File(), Answers()
        client.fetch_to(1, "BODY.PEEK[]", file, callback=answers, cb_arg=5)
        (typ, data), cb_arg, failure = answers.next()
        assert (typ, cb_arg, failure) == ("OK", 5, None)
        assert size_of(data) == len(file.data) == len(BODY)
        assert file.data == BODY
        assert file.thread == "FETCH taker"


@pytest.mark.parametrize("uid", [False, True], ids=["number", "UID"])
def test_as_a_future(uid: bool) -> None:
    with selected(bodies(fetched())) as (client, _), within(MARGIN):
        file = File()
        typ, data = client.submit("FETCH", 7 if uid else 1, "BODY.PEEK[]", uid=uid, to=file).result(MARGIN)
        assert typ == "OK"
        assert size_of(data) == len(BODY)
        assert file.data == BODY
        assert file.thread.endswith("taker")


@pytest.mark.parametrize("how", ["future", "callback", "blocking"])
def test_the_program_takes_from_a_channel(how: str) -> None:
    with selected(bodies(fetched())) as (client, _), within(MARGIN):
        channel, answers = Channel(), Answers()
        if how == "future":
            future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
            assert b"".join(channel) == BODY
            assert size_of(future.result(MARGIN)[1]) == len(BODY)
        elif how == "callback":
            client.fetch_to(1, "BODY.PEEK[]", channel, callback=answers)
            assert b"".join(channel) == BODY
            assert answers.next()[2] is None
        else:
            taken: list[bytes] = []
            taker = threading.Thread(target=lambda: taken.extend(channel))
            taker.start()
            assert client.fetch_to(1, "BODY.PEEK[]", channel)[0] == "OK"
            taker.join()
            assert b"".join(taken) == BODY


def test_pieces_are_bounded() -> None:
    with selected(bodies(fetched(BODY * 8))) as (client, _), within(30):
        file = File()
        client.fetch_to(1, "BODY.PEEK[]", file)
        assert file.data == BODY * 8
        assert file.largest <= 1 << 20


def test_it_comes_before_all_of_it_has_come() -> None:
    held = Held(200_000, 100_000)
    with selected({"FETCH": held}) as (client, _), within(MARGIN):
        channel = Channel()
        future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
        came = b""
        while len(came) < 100_000:
            came += channel.read()
        assert not future.done()
        held.go.set()
        assert came + b"".join(channel) == b"x" * 100_000 + b"y" * 100_000


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b'* 1 FETCH (BODY[] "short")\r\n', b"short"),
        (b'* 1 FETCH (BODY[TEXT] "")\r\n', b""),
        (b"* 1 FETCH (BODY[9] NIL)\r\n", b""),
        (b"* 1 FETCH (FLAGS ())\r\n", b""),
        (b"* 1 FETCH (RFC822 {2}\r\nab)\r\n", b"ab"),
        (b"* 1 FETCH (BINARY[1]<0> ~{2}\r\na\0)\r\n", b"a\0"),
        (b"* 1 FETCH (BODY[HEADER.FIELDS (A B)] {2}\r\nab)\r\n", b"ab"),
        (b"* 1 FETCH (FLAGS (a) BODY[]{2}\r\nab UID 7)\r\n", b"ab"),
        (b'* 1 FETCH (ENVELOPE (NIL {3}\r\nsub NIL NIL NIL NIL NIL NIL NIL "x[] ") BODY[1] {2}\r\nab)\r\n', b"ab"),
        (b"* 1 FETCH (FLAGS ())\r\n* 1 FETCH (BODY[] {2}\r\nab)\r\n* 2 FETCH (FLAGS ())\r\n", b"ab"),
        (b"", b""),
    ],
)
@pytest.mark.parametrize("how", ["blocking", "callback", "future", "channel"])
def test_a_body_in_any_form(answer: bytes, body: bytes, how: str) -> None:
    with selected(bodies(answer)) as (client, _), within(MARGIN):
        file, channel, answers = File(), Channel(), Answers()
        if how == "blocking":
            client.fetch_to(1, "BODY.PEEK[]", file)
        elif how == "callback":
            client.fetch_to(1, "BODY.PEEK[]", file, callback=answers)
            assert answers.next()[2] is None
        elif how == "future":
            client.submit("FETCH", 1, "BODY.PEEK[]", to=file).result(MARGIN)
        else:
            client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
            file.data += b"".join(channel)
        assert file.data == body


def test_the_uid_may_come_behind_the_body_while_others_are_in_flight() -> None:
    """The body must go to its file all the same: such a command is in flight alone among its like."""

    def handler(conversation: Conversation, command: ReceivedCommand) -> None:
        number = int(command.args.split()[0])
        conversation.ok(command, untagged=b"* 1 FETCH (BODY[] {3}\r\n%03d UID %d)\r\n" % (number, number))

    with selected({"UID FETCH": handler}) as (client, _), within(MARGIN):
        files = [File() for _ in range(20)]
        futures = []
        for number, file in enumerate(files, 1):
            futures.append(client.submit("FETCH", number, "BODY.PEEK[]", uid=True, to=file))
            futures.append(client.submit("FETCH", 100 + number, "BODY.PEEK[]", uid=True))
        assert [future.result(MARGIN)[0] for future in futures] == ["OK"] * 40
        assert [size_of(future.result()[1]) for future in futures[::2]] == [3] * 20
        assert [file.data for file in files] == [b"%03d" % number for number in range(1, 21)]


def test_a_body_behind_another_literal_goes_to_the_file() -> None:
    """Responses of one literal each are taken in together, but for those of a command whose body goes to a file."""
    answer = b"* 1 FETCH (X-NOTE {2}\r\nno)\r\n" * 3 + fetched(b"ab", before=b"") + fetched(b"cd", before=b"X-NOTE {1}\r\nx ")
    with selected(bodies(answer[: answer.rindex(b"* 1")])) as (client, _), within(MARGIN):
        file = File()
        data: Any = client.fetch_to(1, "(X-NOTE BODY.PEEK[])", file)[1]
        assert [type(response.parts[1]) for response in data.responses] == [bytes] * 3 + [StreamedLiteral]
        assert file.data == b"ab"


def test_a_second_body_is_passed_over_and_raises() -> None:
    answer = b"* 1 FETCH (BODY[1] {2}\r\nab BODY[2] {1000000}\r\n" + b"c" * 1_000_000 + b")\r\n"
    with selected(bodies(answer)) as (client, _), within(MARGIN):
        file = File()
        with pytest.raises(error, match="more than one body"):
            client.fetch_to(1, "(BODY.PEEK[1] BODY.PEEK[2])", file)
        assert file.data == b"ab"
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize("name", ["NOOP", "X-UNKNOWN"])
def test_a_command_that_brings_no_body(name: str) -> None:
    with selected() as (client, server):
        with pytest.raises(imapkit.ArgumentError, match=f"{name}: no body in its answer"):
            client.submit(name, to=File())
        assert name not in server.names


@pytest.mark.parametrize("message", ["1:2", [1, 2], "1,5", "1:*", "$"])
def test_one_message_only(message: Any) -> None:
    with selected(bodies()) as (client, server):
        with pytest.raises(imapkit.ArgumentError, match="one message"):
            client.fetch_to(message, "BODY.PEEK[]", File())
        assert "FETCH" not in server.names
        for fine in ("*", 5, "5", [5], "'5'"):
            assert client.fetch_to(fine, "BODY.PEEK[]", File())[0] == "OK"


@pytest.mark.parametrize("to", [1, "path", b"x", object()], ids=lambda to: type(to).__name__)
def test_a_taker_must_be_a_file_or_a_channel(to: Any) -> None:
    with selected(bodies()) as (client, server):
        with pytest.raises(imapkit.ArgumentError, match="a binary file or a Channel"):
            client.fetch_to(1, "BODY.PEEK[]", to)
        with pytest.raises(imapkit.ArgumentError, match="a binary file or a Channel"):
            client.submit("FETCH", 1, "BODY.PEEK[]", to=to)
        assert "FETCH" not in server.names


def test_a_channel_serves_one_command() -> None:
    with selected(bodies(fetched(b"ab"))) as (client, _), within(MARGIN):
        channel = Channel()
        client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
        assert b"".join(channel) == b"ab"
        with pytest.raises(imapkit.ArgumentError, match="another command"):
            client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)


def test_limits_are_not_for_what_is_streamed() -> None:
    limits = imapkit.Limits(literal=1000, response=2000, answers_bytes=2000)
    with selected(bodies(fetched()), limits=limits) as (client, _), within(MARGIN):
        file = File()
        assert client.fetch_to(1, "BODY.PEEK[]", file)[0] == "OK"
        assert file.data == BODY
        with pytest.raises(imapkit.LimitExceeded):
            client.fetch(1, "BODY.PEEK[]")


# what goes wrong with the taker


def full() -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("how", ["blocking", "callback", "future"])
def test_an_error_of_the_file_is_raised_and_the_connection_goes_on(how: str) -> None:
    with selected(bodies(fetched(BODY * 4))) as (client, _), within(30):
        file, answers = File(at=2, do=full), Answers()
        if how == "blocking":
            with pytest.raises(OSError, match="No space left"):
                client.fetch_to(1, "BODY.PEEK[]", file)
        elif how == "callback":
            client.fetch_to(1, "BODY.PEEK[]", file, callback=answers)
            kind, text = answers.next()[2]
            assert issubclass(kind, OSError)
            assert "No space left" in text
        else:
            failure = client.submit("FETCH", 1, "BODY.PEEK[]", to=file).exception(MARGIN)
            assert isinstance(failure, OSError)
        assert client.noop()[0] == "OK"
        assert client.fetch(1, "BODY[]")[1][0][1] == BODY * 4


def exits() -> None:
    raise SystemExit(3)


@pytest.mark.parametrize("how", ["callback", "future"])
def test_a_file_that_wants_to_exit_is_an_error_of_its_command(how: str) -> None:
    with selected(bodies(fetched(BODY * 4))) as (client, _), within(30):
        file, answers = File(at=2, do=exits), Answers()
        if how == "callback":
            client.fetch_to(1, "BODY.PEEK[]", file, callback=answers)
            kind, text = answers.next()[2]
            assert issubclass(kind, error)
        else:
            failure = client.submit("FETCH", 1, "BODY.PEEK[]", to=file).exception(MARGIN)
            assert isinstance(failure, error)
            text = str(failure)
        assert "SystemExit(3)" in text
        assert client.noop()[0] == "OK"


class Impatient(Channel):
    """A channel that holds little and does not wait for long."""

    def __init__(self) -> None:
        super().__init__(100_000, 0.3)


def test_only_the_command_of_a_slow_taker_fails() -> None:
    """The taker reads nothing: it gets the error, other commands get their answers, and none is late meanwhile."""
    with selected(bodies(fetched(BODY * 4)), timeout=0.2) as (client, _), within(30):
        channel, answers = Impatient(), Answers()
        future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
        client.noop(callback=answers)
        assert answers.next()[2] is None
        assert future.result(MARGIN)[0] == "OK"
        with pytest.raises(DeadlineExceeded, match="nothing was taken"):
            channel.read()
        assert client.noop()[0] == "OK"


def test_the_connection_waits_as_long_as_something_is_taken() -> None:
    held = Held(len(BODY), len(BODY))
    held.go.set()
    with selected({"FETCH": held}, timeout=0.2) as (client, _), within(30):
        channel = Impatient()
        future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
        size, pause = 0, threading.Event()
        for _ in range(12):
            pause.wait(0.1)
            size += len(channel.read(1000))
            assert not future.done()
        assert size + sum(map(len, channel)) == len(BODY)
        assert future.result(MARGIN)[0] == "OK"


@pytest.mark.parametrize("how", ["close", "drop"])
def test_a_taker_that_closes_leaves_other_commands_as_they_are(how: str) -> None:
    held = Held(len(BODY) * 8, 100_000)
    with selected({"FETCH": held}) as (client, _), within(MARGIN):
        channel: Channel | None = Channel(most=100_000)
        assert channel is not None
        future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
        channel.read(10)
        if how == "close":
            channel.close()
        channel = None
        gc.collect()
        held.go.set()
        assert future.result(MARGIN)[0] == "OK"
        assert client.noop()[0] == "OK"


def test_a_command_on_the_takers_thread_is_fine_and_on_the_reading_thread_refused() -> None:
    with selected(bodies(fetched())) as (client, _), within(MARGIN):
        seen: list[str] = []
        file = File(at=2, do=lambda: seen.append(client.noop()[0]))
        assert client.fetch_to(1, "BODY.PEEK[]", file)[0] == "OK"
        assert seen == ["OK"]

        class Nests(Sink):
            def write(self, data: memoryview) -> None:
                client.noop()

        with pytest.raises(NestedCommandError):
            sunk(client, Nests())
        assert client.noop()[0] == "OK"


# sinks that are not channels: what other families bring


class Sink:
    """Takes bytes, and raises at the call that the test names."""

    def __init__(self, *, raises_in: str = "") -> None:
        self.data, self.ends, self.raises_in = bytearray(), 0, raises_in

    def write(self, data: memoryview) -> None:
        if self.raises_in == "write":
            raise LookupError("no place")
        self.data += data

    def end(self) -> None:
        self.ends += 1
        if self.raises_in == "end":
            raise LookupError("no end")


def sunk(client: imapkit.IMAP4, sink: Sink) -> Any:
    client._live._intake.claim_literals()
    call = StreamedCall(client._encode("FETCH", (1, "BODY.PEEK[]")), lambda response, size: sink)
    return client._live.callers.perform(call)


def test_a_sink_takes_all_and_its_end() -> None:
    with selected(bodies(fetched())) as (client, _), within(MARGIN):
        sink = Sink()
        assert sunk(client, sink).typ == "OK"
        assert sink.data == BODY
        assert sink.ends == 1


@pytest.mark.parametrize("where", ["write", "end"])
def test_only_the_command_of_a_sink_that_raises_fails(where: str) -> None:
    with selected(bodies(fetched())) as (client, _), within(MARGIN):
        with pytest.raises(LookupError, match=r"no place|no end"):
            sunk(client, Sink(raises_in=where))
        assert client.noop()[0] == "OK"


# what the server does


def cut(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(fetched()[: len(BODY) // 2])
    conversation.close()


@pytest.mark.parametrize("how", ["blocking", "callback", "future", "channel"])
def test_a_connection_that_ends_in_the_middle_is_an_error_for_the_taker(how: str) -> None:
    with selected({"FETCH": cut}) as (client, _), within(MARGIN):
        file, channel, answers = File(), Channel(), Answers()
        if how == "blocking":
            with pytest.raises(ConnectionClosed):
                client.fetch_to(1, "BODY.PEEK[]", file)
        elif how == "callback":
            client.fetch_to(1, "BODY.PEEK[]", file, callback=answers)
            assert issubclass(answers.next()[2][0], ConnectionClosed)
        elif how == "future":
            assert isinstance(client.submit("FETCH", 1, "BODY.PEEK[]", to=file).exception(MARGIN), ConnectionClosed)
        else:
            future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
            with pytest.raises(ConnectionClosed):
                file.data += b"".join(channel)
            assert isinstance(future.exception(MARGIN), ConnectionClosed)
        assert BODY.startswith(bytes(file.data))


@pytest.mark.parametrize("how", ["blocking", "callback", "future", "channel"])
def test_no_writes_nothing(how: str) -> None:
    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.no(command)

    with selected({"FETCH": refuse}) as (client, _), within(MARGIN):
        file, channel, answers = File(), Channel(), Answers()
        if how == "blocking":
            assert client.fetch_to(1, "BODY.PEEK[]", file)[0] == "NO"
        elif how == "callback":
            client.fetch_to(1, "BODY.PEEK[]", file, callback=answers)
            assert answers.next()[0][0] == "NO"
        elif how == "future":
            assert client.submit("FETCH", 1, "BODY.PEEK[]", to=file).result(MARGIN)[0] == "NO"
        else:
            future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
            assert b"".join(channel) == b""
            assert future.result(MARGIN)[0] == "NO"
        assert not file.writes


def test_an_illegal_state_ends_the_channel_too() -> None:
    with selected(bodies(), messages=0) as (client, _), within(MARGIN):
        client.state = "AUTH"
        options: list[Any] = [{}, {"callback": print}]
        for given in options:
            channel = Channel()
            with pytest.raises(StateError):
                client.fetch_to(1, "BODY.PEEK[]", channel, **given)
            with pytest.raises(StateError):
                channel.read()
        channel = Channel()
        future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
        with pytest.raises(StateError):
            channel.read()
        assert isinstance(future.exception(MARGIN), StateError)


def test_a_literal_that_stops_is_late() -> None:
    held = Held(len(BODY), 100_000)
    with selected({"FETCH": held}, timeout=0.3) as (client, _):
        with within(MARGIN), pytest.raises(CommandTimeout):
            client.fetch_to(1, "BODY.PEEK[]", File())
        held.go.set()


@pytest.mark.parametrize("how", ["cancel", "time-out"])
def test_a_future_that_is_given_up_takes_nothing_more_and_the_connection_goes_on(how: str) -> None:
    held = Held(len(BODY), 100_000)
    with selected({"FETCH": held}) as (client, _), within(MARGIN):
        channel, file = Channel(), File()
        future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel, timeout=0.3 if how == "time-out" else None)
        came = len(channel.read())
        if how == "cancel":
            assert future.cancel()
            with pytest.raises(CancelledError):
                future.result(MARGIN)
        else:
            assert isinstance(future.exception(MARGIN), DeadlineExceeded)
        with pytest.raises((DeadlineExceeded, abort)):
            came += sum(map(len, channel))
        assert came <= 100_000
        held.go.set()
        assert client.noop()[0] == "OK"
        assert client.fetch_to(1, "BODY.PEEK[]", file)[0] == "OK"
        assert len(file.data) == len(BODY)


def test_hanging_up_ends_the_wait_for_a_taker() -> None:
    with selected(bodies(fetched(BODY * 4))) as (client, _):
        channel = Channel(most=1000, patience=600)
        future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
        channel.read(1)
        until(lambda: channel.flow.is_full, "the channel is not full")
        with within(MARGIN):
            client._hang_up("enough")
            assert isinstance(future.exception(MARGIN), ConnectionClosed)
            with pytest.raises(ConnectionClosed):
                io.BytesIO().writelines(channel)


def test_no_function_is_asked_once_no_command_has_a_sink() -> None:
    """After a streamed body, later literals take the usual path; that of a given-up command is passed over first."""
    held = Held(len(BODY), 100_000)
    with selected({"FETCH": held}) as (client, _), within(MARGIN):
        framer = client._live._intake._framer
        assert framer.claim is None
        channel = Channel()
        future = client.submit("FETCH", 1, "BODY.PEEK[]", to=channel)
        channel.read(1)
        assert future.cancel()
        assert framer.claim is not None
        held.go.set()
        for _ in range(2):
            assert len(client.fetch("1", "BODY[]")[1][0][1]) == len(BODY)
        assert framer.claim is None
        assert client.fetch_to(1, "BODY.PEEK[]", File())[0] == "OK"
