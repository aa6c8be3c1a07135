"""Many threads on one connection: each gets its own answers, and only those."""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import imapkit
from imapkit.testing import Conversation, ReceivedCommand, ScriptedServer
from imapkit.testing.proxy import DelayProxy
from tests.core.rig import PLAIN, Answers, answer_all, connect, selected, serving
from tests.stress.asks import Ask, ask_fetch, ask_list, ask_search, ask_status
from tests.stress.server import Shuffler, answer_lines, body, gather

THREADS = 8
NOTHING: list[Any] = [None]


def run_all(work: Callable[[int], object], count: int = THREADS) -> None:
    """Run ``work(i)`` on ``count`` threads at once; the first error is raised here."""
    wrong: list[BaseException] = []

    def body_of(at: int) -> None:
        try:
            work(at)
        except BaseException as exc:
            wrong.append(exc)

    threads = [threading.Thread(target=body_of, args=(at,), name=f"worker {at}") for at in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]


def test_every_thread_gets_exactly_its_own_answers(rng: random.Random) -> None:
    """Without an end in the middle; ``tests/stress`` has those, and much more of it."""
    shuffler = Shuffler(random.Random(rng.random()))
    seeds = [rng.random() for _ in range(THREADS)]
    asks: list[Callable[..., Ask]] = [ask_fetch, partial(ask_fetch, uid=True), ask_status, ask_list, ask_search]
    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"
    with ScriptedServer(shuffler, greeting=greeting, patience=60) as server, connect(server, timeout=60) as client:
        client.select()
        client.untagged_responses = []

        def work(at: int) -> None:
            own = random.Random(seeds[at])
            for turn in range(25):
                own.choice(asks)(own, f"t{at}-{turn}").blocking(client)

        run_all(work)
        client.noop()  # what came after the last answer has come now
        for name in ("FETCH", "EXISTS", "EXPUNGE"):
            assert client.response(name)[1] == (shuffler.told(name) or NOTHING)
        assert client.untagged_responses == [], "every other response belonged to a command"
    assert shuffler.largest_batch > 1, "nothing was ever in flight together"
    assert shuffler.told("FETCH")
    assert shuffler.told("EXISTS")


def test_the_race_of_two_fetches(rng: random.Random) -> None:
    """``* 1 FETCH, A OK, * 2 FETCH, B OK`` in one segment: imaplib2 gives both to the thread that looks first."""
    both = threading.Barrier(2)

    def script(conversation: Conversation) -> None:
        conversation.read_command()  # SELECT
        conversation.send(b"%b OK done\r\n" % conversation.server.commands[-1].tag)
        for _ in range(30):
            pair = [conversation.read_command() for _ in range(2)]
            conversation.send(b"".join(b"".join((*answer_lines(c), c.tag, b" OK done\r\n")) for c in pair))
        conversation.serve()

    with ScriptedServer(script, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server, connect(server) as client:
        client.select()

        def work(at: int) -> None:
            for turn in range(30):
                both.wait(20)
                typ, data = client.fetch(str(at + 1), f"X{turn}")
                assert (typ, data[0][1]) == ("OK", body(at + 1, b"X%d" % turn))
                assert len(data) == 2

        run_all(work, 2)


@pytest.mark.parametrize("capabilities", [PLAIN, b"IMAP4rev1 LITERAL+", b"IMAP4rev1 LITERAL-"], ids=bytes.decode)
def test_every_append_has_its_own_literal(capabilities: bytes) -> None:
    def append(conversation: Conversation, command: ReceivedCommand) -> None:
        mailbox = command.args.split()[0]
        assert [literal.split(b"|")[0] for literal in command.literals] == [mailbox]
        conversation.ok(command, b"%d" % zlib.crc32(command.literals[0]))

    with selected({"APPEND": append}, capabilities=capabilities) as (client, server):

        def work(at: int) -> None:
            for turn in range(20):
                message = b"box%d|%d|" % (at, turn) + b"x" * (5000 if turn % 5 == 0 else turn)
                typ, data = client.append(f"box{at}", None, None, message)
                assert (typ, data) == ("OK", [b"%d" % zlib.crc32(message)])

        run_all(work, 16)
        assert server.names.count("APPEND") == 320


def test_select_is_alone_in_flight() -> None:
    """Commands of other threads that come before or after a SELECT never overlap with it."""
    flying: list[str] = []

    def script(conversation: Conversation) -> None:
        while True:
            batch = gather(conversation)
            names = [command.name for command in batch]
            flying.extend(names)
            assert "SELECT" not in names or len(names) == 1, names
            for command in batch:
                conversation.ok(command, untagged=b"* BYE bye\r\n" if command.name == "LOGOUT" else b"")
            if "LOGOUT" in names:
                return

    with ScriptedServer(script, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server, connect(server) as client:
        run_all(lambda at: [client.select(f"box{at}") if turn % 4 == at % 4 else client.noop() for turn in range(12)])
    assert flying.count("SELECT") == THREADS * 3
    assert flying.count("NOOP") == THREADS * 9


def test_upper_case_methods_and_attributes_from_any_thread() -> None:
    with selected() as (client, server):

        def work(at: int) -> None:
            for _ in range(30):
                assert client.NOOP()[0] == "OK"
                assert client.state == "SELECTED"
                assert "IMAP4REV1" in client.capabilities
                assert isinstance(client.untagged_responses, list)

        run_all(work)
        assert server.names.count("NOOP") == 30 * THREADS


# pipelining


def noops(client: imapkit.IMAP4, count: int) -> float:
    """The seconds that ``count`` NOOPs with callbacks take."""
    answers = Answers()
    began = time.monotonic()
    for number in range(count):
        assert list(client.noop(callback=answers, cb_arg=number)) == [None, None]
    got = answers.take(count)
    took = time.monotonic() - began
    assert [(answer, number, error) for answer, number, error in got] == [
        (("OK", [b"done"]), number, None) for number in range(count)
    ], "in order, each once"
    return took


def test_callbacks_are_pipelined() -> None:
    round_trip = 0.02
    with (
        serving() as server,
        DelayProxy(server.host, server.port, round_trip=round_trip) as proxy,
        connect(server) as near,
        connect(proxy) as far,
    ):
        work = noops(near, 1000)
        took = noops(far, 1000)
    assert took < 10 * round_trip + 4 * work + 0.2, f"{took:.3f} s, without delay {work:.3f} s"
    assert took < 0.5 * 1000 * round_trip


def test_blocking_commands_of_many_threads_share_the_round_trips() -> None:
    round_trip = 0.02
    with serving() as server, DelayProxy(server.host, server.port, round_trip=round_trip) as proxy, connect(proxy) as client:
        began = time.monotonic()
        run_all(lambda at: [client.noop() for _ in range(10)], 16)
        took = time.monotonic() - began
    assert took < 0.5 * 160 * round_trip, "160 commands one after the other would take 160 round trips"


def test_a_writer_that_is_blocked_does_not_stop_the_reader() -> None:
    """The server answers before it takes the rest of a large literal: a client that only writes would never end."""
    size = 8 << 20

    def append(conversation: Conversation, command: ReceivedCommand) -> None:
        assert command.awaiting == size
        conversation.send(b"+ go\r\n")
        # More than any socket buffer, while the client still writes.
        conversation.send(b"* 1 FETCH (FLAGS (%b))\r\n" % (b"x" * 60000) * 100)
        assert conversation.read_literal(size) == b"m" * size
        assert conversation.read_line() == b""
        conversation.ok(command)

    def script(conversation: Conversation) -> None:
        command = conversation.read_command(auto_continue=False)
        append(conversation, command)
        conversation.serve()

    with ScriptedServer(script, greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n") as server, connect(server) as client:
        assert client.append("box", None, None, b"m" * size) == ("OK", [b"done"])
        assert len(client.response("FETCH")[1]) == 100


def test_a_command_takes_its_arguments_at_once() -> None:
    """What a caller does to its list afterwards changes nothing."""
    with selected({"FETCH": answer_all}) as (client, server):
        answers = Answers()
        numbers: list[Any] = [1, 2]
        client.fetch(numbers, "FLAGS", callback=answers)
        numbers.append(99)
        assert answers.next() == (("OK", [None]), None, None)
        assert server.commands[-1].args == b"1:2 FLAGS"
