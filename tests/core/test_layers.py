"""Commands that can be interrupted, and transport layers that a command switches on; by families made for these tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Unpack

import pytest

import imapkit
from imapkit.core.contract.command import Command
from imapkit.core.contract.commands import CallOptions, Commands, Result
from imapkit.core.contract.extension import LayerSpec
from imapkit.core.contract.family import Family
from imapkit.core.contract.session import State
from imapkit.errors import CommandTimeout, RemoteProtocolError
from imapkit.testing import LOCALHOST, Conversation, ReceivedCommand, ScriptedServer, answering
from tests.core.rig import LIMIT, MARGIN, Answers, connect, selected, serving, within
from tests.core.test_facade import KINDS

PREAUTH = b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"


# interruptible commands


class StayCommands(Commands):
    def xstay(self, **options: Any) -> Result:
        return self._call("XSTAY", **options)


STAY = Family("stay", StayCommands, commands=(Command("XSTAY", State.ANY, exclusive=True, interrupt=b"DONE", result=("XNEWS",)),))


def stay(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.send(b"* XNEWS 1\r\n+ staying\r\n* XNEWS 2\r\n")
    assert conversation.read_line() == b"DONE"
    conversation.ok(command, untagged=b"* XNEWS 3\r\n")


def xstay(client: Any, **options: Any) -> Any:
    return client.xstay(**options)


def test_another_command_interrupts() -> None:
    with selected({"XSTAY": stay}, families=["rev1", STAY]) as (client, server):
        answers = Answers()
        for turn in range(10):
            xstay(client, callback=answers, cb_arg=turn)
            assert client.noop()[0] == "OK"
            assert answers.next() == (("OK", [b"1", b"2", b"3"]), turn, None)
        assert server.received.count(b"DONE\r\n") == 10


def test_one_of_many_threads_interrupts_and_all_go_on() -> None:
    with selected({"XSTAY": stay}, families=["rev1", STAY]) as (client, server):
        answers = Answers()
        xstay(client, callback=answers)
        threads = [threading.Thread(target=client.noop) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers.next()[2] is None
        assert server.received.count(b"DONE\r\n") == 1
        assert server.names.count("NOOP") == 8


def test_an_interrupt_before_the_plus_waits_for_it() -> None:
    """A ``DONE`` that comes before the "+" would be taken for a command."""
    asked, go = threading.Event(), threading.Event()

    def slow(conversation: Conversation, command: ReceivedCommand) -> None:
        asked.set()
        go.wait(20)
        conversation.send(b"* 5 EXISTS\r\n* OK not yet\r\n+ staying\r\n")
        assert conversation.read_line() == b"DONE"
        conversation.ok(command)

    with selected({"XSTAY": slow}, families=["rev1", STAY]) as (client, server):
        results: list[Any] = []
        stayer = threading.Thread(target=lambda: results.append(xstay(client)))
        stayer.start()
        assert asked.wait(20)
        other = threading.Thread(target=lambda: results.append(client.noop()))
        other.start()
        while not client._live.engine.queued:
            assert other.is_alive()
        go.set()
        stayer.join()
        other.join()
        assert sorted(typ for typ, _ in results) == ["OK", "OK"]
        assert server.received.count(b"DONE\r\n") == 1


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_a_server_that_will_not_have_it(typ: str) -> None:
    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b %b no\r\n" % (command.tag, typ.encode()))

    with selected({"XSTAY": refuse}, families=["rev1", STAY]) as (client, server):
        if typ == "NO":
            assert xstay(client) == ("NO", [b"no"])
        else:
            with pytest.raises(imapkit.BadResponse):
                xstay(client)
        assert client.noop()[0] == "OK"
        assert b"DONE\r\n" not in server.received


def test_it_may_end_by_itself_at_the_moment_of_the_interrupt() -> None:
    def ends(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ staying\r\n")
        conversation.ok(command)
        # "DONE" may come or not: then it is read in the place of the next command.
        line = conversation.read_line()
        if line == b"DONE":
            line = conversation.read_line()
        tag, name = line.split()[:2]
        assert name == b"NOOP"
        conversation.send(tag + b" OK done\r\n")

    with selected({"XSTAY": ends}, families=["rev1", STAY]) as (client, _):
        for _ in range(10):
            answers = Answers()
            xstay(client, callback=answers)
            assert client.noop()[0] == "OK"
            assert answers.next()[2] is None


def test_it_is_patient_but_its_interrupt_is_not() -> None:
    def deaf(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ staying\r\n")
        assert conversation.read_line() == b"DONE"
        conversation.wait_closed()

    with selected({"XSTAY": deaf}, families=["rev1", STAY], timeout=LIMIT) as (client, _):
        answers = Answers()
        xstay(client, callback=answers)
        with pytest.raises(TimeoutError):
            answers.next(LIMIT * 1.5)  # it goes on, well after the time-out of other commands
        with within(2 * LIMIT + MARGIN), pytest.raises(imapkit.IMAP4.abort):
            client.noop()
        assert issubclass(answers.next()[2][0], CommandTimeout)


def test_its_waiting_caller_gets_the_timeout_too() -> None:
    """The same with only the waiting caller to keep the time."""
    staying = threading.Event()

    def deaf(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ staying\r\n")
        staying.set()
        assert conversation.read_line() == b"DONE"
        conversation.wait_closed()

    with selected({"XSTAY": deaf}, families=["rev1", STAY], timeout=LIMIT) as (client, _):
        raised: list[BaseException] = []

        def work() -> None:
            with pytest.raises(CommandTimeout) as caught:
                xstay(client)
            raised.append(caught.value)

        waiter = threading.Thread(target=work)
        waiter.start()
        assert staying.wait(20)
        with within(3 * LIMIT + MARGIN), pytest.raises(imapkit.IMAP4.abort):
            client.noop()
        waiter.join()
        assert len(raised) == 1


def test_its_own_timeout_counts() -> None:
    def deaf(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"+ staying\r\n")
        conversation.wait_closed()

    with selected({"XSTAY": deaf}, families=["rev1", STAY]) as (client, _):
        with within(LIMIT + MARGIN), pytest.raises(CommandTimeout):
            xstay(client, timeout=LIMIT)
        assert not client._live.open


def test_logout_interrupts_too() -> None:
    with serving({"XSTAY": stay}, greeting=PREAUTH) as server:
        client = connect(server, families=["rev1", STAY])
        answers = Answers()
        xstay(client, callback=answers)
        assert client.logout()[0] == "BYE"
        assert answers.next()[2] is None


# layers

KEY = 0x2A


def xor(data: bytes | memoryview, key: int = KEY) -> bytes:
    return bytes(byte ^ key for byte in data)


class XorLayer:
    """Sends its half of a key, gets the other, and then everything is changed by it."""

    def __init__(self, options: Any) -> None:
        self.key = 0
        self.farewell = b""
        self.fails = bool(options)

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        send(b"K")
        answer = receive()
        assert answer == b"k", answer
        self.key = KEY

    def encode(self, data: bytes | memoryview) -> bytes:
        return xor(data, self.key)

    def decode(self, data: bytes) -> Iterable[bytes]:
        if self.fails and data:
            raise LookupError("a layer's own mistake")
        for at in range(0, len(data), 5):
            yield xor(data[at : at + 5], self.key)

    def finish(self) -> bytes:
        return b"!"


class QuietLayer(XorLayer):
    """Has nothing to agree on: data may follow at once."""

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        self.key = KEY


class Chopping(QuietLayer):
    """Changes nothing, but comes in small pieces."""

    def encode(self, data: bytes | memoryview) -> bytes:
        return bytes(data)

    def decode(self, data: bytes) -> Iterable[bytes]:
        for at in range(0, len(data), 3):
            yield data[at : at + 3]


class Chopping2(QuietLayer):
    """Decodes into single bytes."""

    def decode(self, data: bytes) -> Iterable[bytes]:
        for byte in xor(data):
            yield bytes((byte,))


class XorCommands(Commands):
    def xxor(self, layer: Any = None, **options: Unpack[CallOptions]) -> Result:
        return self._call_with(options, "XXOR", layer=layer)


def xor_family(kind: type[XorLayer], tail: Literal["feed", "reject"]) -> Family:
    return Family(
        "xor",
        XorCommands,
        commands=(Command("XXOR", State.ANY, exclusive=True, layer="xor", tail=tail),),
        layers={"xor": LayerSpec(lambda session, options: kind(options))},
    )


TALKING, FEEDING = xor_family(XorLayer, "reject"), xor_family(QuietLayer, "feed")
REJECTING = xor_family(QuietLayer, "reject")


def switch(client: Any, **options: Any) -> Any:
    return client.xxor(**options)


def read_byte(conversation: Conversation) -> bytes:
    return xor(conversation.read_literal(1))


def read_line(conversation: Conversation, read: Callable[[Conversation], bytes] = read_byte) -> bytes:
    """A line that came through the layer."""
    line = b""
    while not line.endswith(b"\r\n"):
        line += read(conversation)
    return line


def read_hidden(conversation: Conversation) -> list[bytes]:
    """A command that came through the layer, as words."""
    return read_line(conversation).split()


def serve_hidden(conversation: Conversation, before: bytes = b"") -> None:
    """Answer everything through the layer."""
    while True:
        tag, name, *_ = read_hidden(conversation)
        if name == b"LOGOUT":
            before = b"* BYE bye\r\n"
        conversation.send(xor(before + tag + b" OK " + name + b"\r\n"))
        if name == b"LOGOUT":
            assert conversation.read_literal(1) == b"!", "what finish() returned"
            return


def test_a_layer_is_switched_on_with_its_command() -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        assert conversation.read_literal(1) == b"K"
        conversation.send(b"k")
        serve_hidden(conversation, b"* 7 EXISTS\r\n")

    with ScriptedServer(script, greeting=PREAUTH) as server:
        client = connect(server, families=["rev1", TALKING])
        assert switch(client) == ("OK", [b"done"])
        for _ in range(5):
            assert client.noop() == ("OK", [b"NOOP"])
        assert client.response("EXISTS")[1] == [b"7"] * 5
        answers = Answers()
        for _ in range(50):
            client.noop(callback=answers)
        assert {answer[0] for answer, _, _ in answers.take(50)} == {"OK"}
        client.logout()


def test_bytes_behind_the_ok_are_fed_to_the_layer() -> None:
    def script(conversation: Conversation) -> None:
        command = conversation.read_command()
        conversation.send(b"%b OK on\r\n" % command.tag + xor(b"* 7 EXISTS\r\n* 8 EX"))
        conversation.send(xor(b"ISTS\r\n"))
        serve_hidden(conversation)

    with ScriptedServer(script, greeting=PREAUTH) as server:
        client = connect(server, families=["rev1", FEEDING])
        assert switch(client)[0] == "OK"
        assert client.noop()[0] == "OK"
        assert client.response("EXISTS")[1] == [b"7", b"8"]
        client.logout()


@pytest.mark.parametrize("injected", [b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", b"x", b"\r\n", b"* 1 EXISTS\r\n* 2 EX"])
def test_bytes_behind_the_ok_are_an_injection(injected: bytes) -> None:
    def script(conversation: Conversation) -> None:
        command = conversation.read_command()
        conversation.send(b"%b OK on\r\n%b" % (command.tag, injected))
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server, within(MARGIN):
        client = connect(server, families=["rev1", REJECTING])
        with pytest.raises(RemoteProtocolError, match=f"{len(injected)} bytes after the OK to XXOR: response injection"):
            switch(client)
        assert client.response("EXISTS")[1] == [None]
        assert client._session.capabilities == ("IMAP4REV1",)
        client.logout()
    assert len(server.received) == 1, "nothing more was sent"


@pytest.mark.parametrize("typ", ["NO", "BAD"])
def test_a_layer_that_is_refused_is_not_there(typ: str) -> None:
    def refuse(conversation: Conversation, command: ReceivedCommand) -> None:
        conversation.send(b"%b %b no\r\n* 5 EXISTS\r\n" % (command.tag, typ.encode()))

    with selected({"XXOR": refuse}, families=["rev1", REJECTING]) as (client, _):
        if typ == "NO":
            assert switch(client)[0] == "NO"
        else:
            with pytest.raises(imapkit.BadResponse):
                switch(client)
        assert client.noop()[0] == "OK"
        assert list(client._live.layers) == []


def test_a_server_that_never_agrees() -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server:
        client = connect(server, families=["rev1", TALKING], timeout=LIMIT)
        with within(LIMIT + MARGIN), pytest.raises(CommandTimeout):
            switch(client)
        with within(MARGIN):
            client.logout()


def test_a_layer_that_cannot_agree_ends_the_connection() -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        conversation.read_literal(1)
        conversation.send(b"?")
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server:
        client = connect(server, families=["rev1", TALKING])
        with within(MARGIN), pytest.raises(RemoteProtocolError, match="internal error"):
            switch(client)
        client.logout()


def test_a_layer_that_raises_ends_the_connection() -> None:
    def script(conversation: Conversation) -> None:
        conversation.ok(conversation.read_command())
        read_hidden(conversation)
        conversation.send(b"anything")
        conversation.wait_closed()

    with ScriptedServer(script, greeting=PREAUTH) as server:
        client = connect(server, families=["rev1", FEEDING])
        assert switch(client, layer="fail")[0] == "OK"
        with within(MARGIN), pytest.raises(RemoteProtocolError, match="own mistake"):
            client.noop()
        client.logout()


def test_a_layer_that_is_always_there() -> None:
    family = Family("xor", layers={"xor": LayerSpec(lambda session, options: QuietLayer(options), always=True)})

    def script(conversation: Conversation) -> None:
        conversation.send(xor(PREAUTH))
        serve_hidden(conversation)

    with ScriptedServer(script, greeting=b"") as server:
        client = connect(server, families=["rev1", family])
        assert client.noop() == ("OK", [b"NOOP"])
        client.logout()


def test_a_layer_that_is_always_there_is_beneath_tls() -> None:
    """It sees what goes over the wire: the handshake of TLS from the start too."""
    seen: list[bytes] = []

    class Watching(QuietLayer):
        def encode(self, data: bytes | memoryview) -> bytes:
            seen.append(bytes(data))
            return bytes(data)

        def decode(self, data: bytes) -> Iterator[bytes]:
            seen.append(data)
            yield data

    family = Family("watch", layers={"watch": LayerSpec(lambda session, options: Watching(options), always=True)})
    with ScriptedServer(greeting=PREAUTH, tls=LOCALHOST.server_context()) as server:
        client = imapkit.IMAP4_SSL(server.host, server.port, ssl_context=LOCALHOST.client_context(), families=["rev1", family])
        client.noop()
        client.logout()
    assert b"".join(seen).startswith(b"\x16\x03")  # the record of a ClientHello
    assert not any(b"NOOP" in data or b"PREAUTH" in data for data in seen)


def test_bytes_left_in_the_outer_layer_go_through_the_new_one_too() -> None:
    """Two TLS records in one segment: the OK, and the first bytes of the layer that it switches on."""
    outer = Family("outer", layers={"outer": LayerSpec(lambda session, options: Chopping(options), always=True)})

    def script(conversation: Conversation) -> None:
        command = conversation.read_command()
        conversation.send(b"%b OK on\r\n" % command.tag + xor(b"* 7 EXISTS\r\n* 8 EXISTS\r\n"))
        serve_hidden(conversation)

    for family in (FEEDING, xor_family(Chopping2, "feed")):
        with ScriptedServer(script, greeting=PREAUTH) as server:
            client = connect(server, families=["rev1", family, outer])
            assert switch(client)[0] == "OK"
            assert client.noop()[0] == "OK"
            assert client.response("EXISTS")[1] == [b"7", b"8"]
            client._live.layers._layers[0].finish = lambda: b""  # type: ignore[method-assign]
            client.logout()


def test_options_of_commands_are_checked() -> None:
    assert set(CallOptions.__annotations__) == {"callback", "cb_arg", "timeout"}
    with selected() as (client, server):
        with pytest.raises(TypeError, match="unexpected keyword argument 'call_back'"):
            client.noop(call_back=print)  # type: ignore[call-arg]
        assert "NOOP" not in server.names


@pytest.mark.parametrize("cls", KINDS)
def test_a_layer_with_a_subclass_that_carries_the_bytes(cls: type[imapkit.IMAP4]) -> None:
    def script(conversation: Conversation) -> None:
        command = conversation.expect("COMPRESS", b"DEFLATE")
        conversation.ok(command)
        conversation.start_compression()
        conversation.send(b"* 5 EXISTS\r\n")
        conversation.serve({"NOOP": answering(b"* OK %b\r\n" % (b"z" * 100_000))})

    with ScriptedServer(script, greeting=PREAUTH) as server, connect(server, cls, families=["rev1", "compress"]) as client:
        assert client.enable_compression()[0] == "OK"
        for _ in range(3):
            assert client.noop() == ("OK", [b"done"])
        assert client.response("EXISTS")[1] == [b"5"]
