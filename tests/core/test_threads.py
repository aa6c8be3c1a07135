"""Many threads on one connection: everybody gets what belongs to him, and only that."""

from __future__ import annotations

import itertools
import random
import select
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest

import imapkit
from imapkit.testing.proxy import DelayProxy
from imapkit.testing.scripted import Conversation, ReceivedCommand, ScriptedServer
from tests.core.rig import PLAIN, Answers, answer_all, connect, selected, serving

THREADS = 8
NOTHING: list[Any] = [None]


class Shuffler:
    """A server that collects what is in flight, and answers it in any legal order and segmentation.

    What a command asks for is in its answer, so that a caller can tell whose data it got.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.fetched: list[bytes] = []
        self.exists: list[bytes] = []
        self.expunged: list[bytes] = []
        self.largest_batch = 0
        self._count = itertools.count(1)

    def __call__(self, conversation: Conversation) -> None:
        while True:
            batch = self._gather(conversation)
            self.largest_batch = max(self.largest_batch, len(batch))
            queues = [self._answer(command) for command in batch]
            if not {"SELECT", "NOOP", "LOGOUT"} & {command.name for command in batch}:
                queues.append(self._news(batch))
            stream = b"".join(self._merge(queues))
            cuts = sorted(self._rng.sample(range(1, len(stream)), min(len(stream) - 1, self._rng.randrange(6))))
            sizes = [after - before for before, after in itertools.pairwise([0, *cuts])]
            conversation.send(stream, chunks=sizes)
            if any(command.name == "LOGOUT" for command in batch):
                conversation.close()
                return

    @staticmethod
    def _gather(conversation: Conversation) -> list[ReceivedCommand]:
        batch = [conversation.read_command()]
        # However long this looks for more, the answers are right; the longer, the more there are to be mixed up.
        while b"\r\n" in conversation._buffer or select.select([conversation._sock], [], [], 0.001)[0]:
            batch.append(conversation.read_command())
        return batch

    def _merge(self, queues: list[list[bytes]]) -> list[bytes]:
        order = [at for at, queue in enumerate(queues) for _ in queue]
        self._rng.shuffle(order)
        iterators = [iter(queue) for queue in queues]
        return [next(iterators[at]) for at in order]

    def _answer(self, command: ReceivedCommand) -> list[bytes]:
        lines = list(answer_lines(command))
        self._rng.shuffle(lines)
        return [*lines, b"%b OK %b done\r\n" % (command.tag, command.name.encode())]

    def _news(self, batch: list[ReceivedCommand]) -> list[bytes]:
        lines = []
        for kind in self._rng.choices("FXEn", k=2):
            number = next(self._count)
            if kind == "F":
                self.fetched.append(b"9 (FLAGS (news%d))" % number)
                lines.append(b"* 9 FETCH (FLAGS (news%d))\r\n" % number)
            elif kind == "X":
                self.exists.append(b"%d" % number)
                lines.append(b"* %d EXISTS\r\n" % number)
            elif kind == "E" and not any(command.name in ("FETCH", "SEARCH") for command in batch):
                self.expunged.append(b"%d" % number)
                lines.append(b"* %d EXPUNGE\r\n" % number)
        return lines


def messages(text: bytes) -> list[int]:
    found: list[int] = []
    for part in text.split(b","):
        low, _, high = part.partition(b":")
        found += range(int(low), int(high or low) + 1)
    return found


def body(number: int, item: bytes) -> bytes:
    return b"* 9 FETCH (%d %b)\r\nx OK no\r\n" % (number, item)


def answer_lines(command: ReceivedCommand) -> list[bytes]:
    """The data for a command, with what it asked for in it."""
    words = command.args.split(b" ", 1)
    if command.name in ("FETCH", "UID FETCH"):
        uid = b"UID %d " if command.name.startswith("UID") else b""
        lines = []
        for number in messages(words[0]):
            octets = body(number, words[1])
            head = b"* %d FETCH (" % (number - 1000 if uid else number) + (uid % number if uid else b"")
            lines.append(head + b"%b {%d}\r\n%b)\r\n" % (words[1], len(octets), octets))
        return lines
    if command.name == "STATUS":
        return [b"* STATUS %b (MESSAGES %d)\r\n" % (words[0], zlib.crc32(words[0]))]
    if command.name == "LIST":
        return [b'* LIST (\\X%d) "/" %b\r\n' % (number, words[1]) for number in range(3)]
    if command.name == "SEARCH":
        return [b"* SEARCH %d\r\n" % zlib.crc32(command.args)]
    return [b"* BYE bye\r\n"] if command.name == "LOGOUT" else []


def expect_fetch(client: imapkit.IMAP4, rng: random.Random, mark: str, *, uid: bool = False) -> None:
    low = rng.randint(1010, 1060)
    numbers = rng.choice([f"{low}", f"{low}:{low + 3}", f"{low},{low + 5}"])
    item = f"BODY[HEADER.FIELDS ({mark})]"
    typ, data = client.uid("FETCH", numbers, item) if uid else client.fetch(numbers, item)
    assert typ == "OK"
    literals = {part[1] for part in data if isinstance(part, tuple)}
    wanted = messages(numbers.encode())
    assert literals == {body(number, item.encode()) for number in wanted}, (numbers, data)
    assert len(data) == 2 * len(wanted), data
    assert set(data[1::2]) == {b")"}


def expect_status(client: imapkit.IMAP4, rng: random.Random, mark: str) -> None:
    name = rng.choice([mark, "shared"])
    assert client.status(name, "(MESSAGES)") == ("OK", [b"%b (MESSAGES %d)" % (name.encode(), zlib.crc32(name.encode()))])


def expect_list(client: imapkit.IMAP4, rng: random.Random, mark: str) -> None:
    typ, data = client.list("", mark)
    assert typ == "OK"
    assert sorted(data) == [b'(\\X%d) "/" %b' % (number, mark.encode()) for number in range(3)]


def expect_search(client: imapkit.IMAP4, rng: random.Random, mark: str) -> None:
    assert client.search(None, "SUBJECT", mark) == ("OK", [b"%d" % zlib.crc32(b"SUBJECT " + mark.encode())])


EXPECTATIONS: list[Callable[[imapkit.IMAP4, random.Random, str], None]] = [
    expect_fetch,
    expect_fetch,
    lambda client, rng, mark: expect_fetch(client, rng, mark, uid=True),
    expect_status,
    expect_list,
    expect_search,
]


def run_all(work: Callable[[int], object], count: int = THREADS) -> None:
    """Run ``work(i)`` on so many threads at once; the first thing that goes wrong is raised here."""
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


def mixed(rng: random.Random, rounds: int) -> Shuffler:
    shuffler = Shuffler(random.Random(rng.random()))
    seeds = [rng.random() for _ in range(THREADS)]
    greeting = b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n"
    with ScriptedServer(shuffler, greeting=greeting, patience=60) as server, connect(server, timeout=60) as client:
        client.select()
        client.untagged_responses = []

        def work(at: int) -> None:
            own = random.Random(seeds[at])
            for turn in range(rounds):
                own.choice(EXPECTATIONS)(client, own, f"t{at}-{turn}")

        run_all(work)
        client.noop()  # what came after the last answer has come now
        assert client.response("FETCH")[1] == (shuffler.fetched or NOTHING)
        assert client.response("EXISTS")[1] == (shuffler.exists or NOTHING)
        assert client.response("EXPUNGE")[1] == (shuffler.expunged or NOTHING)
        assert client.untagged_responses == [], "everything else belonged to somebody"
    return shuffler


def test_everybody_gets_exactly_his_own(rng: random.Random) -> None:
    shuffler = mixed(rng, 25)
    assert shuffler.largest_batch > 1, "nothing was ever in flight together"
    assert shuffler.fetched
    assert shuffler.exists


@pytest.mark.heavy
@pytest.mark.timeout(240)
def test_everybody_gets_exactly_his_own_500_times(rng: random.Random) -> None:
    assert mixed(rng, 500).largest_batch > 2


def test_the_race_of_two_fetches(rng: random.Random) -> None:
    """``* 1 FETCH, A OK, * 2 FETCH, B OK`` in one segment: imaplib2 gives both to whoever looks first."""
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


def test_select_flies_alone() -> None:
    """Commands of other threads that come before or after a SELECT never overlap with it."""
    flying: list[str] = []

    def script(conversation: Conversation) -> None:
        while True:
            batch = Shuffler._gather(conversation)
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
    """The seconds that so many NOOPs with callbacks take."""
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
        assert server.commands[-1].args == b"1,2 FLAGS"
