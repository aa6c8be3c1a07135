"""A thread is interrupted in the middle of a command, at every byte code of the core: its command has its own answer or none.

The connection goes on, or says at once why not; every callback is called once; no thread waits for ever, and none is left.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest

import imapkit
from imapkit import FLAGS, Client, ConnectionClosed, StateError, q
from imapkit.testing import Conversation, Handler, ReceivedCommand, ScriptedServer, answering
from tests.core.rig import connect, until, within
from tests.interrupting import Interrupted, interrupting
from tests.stress.server import Shuffler, body, messages, sum_of

GREETING = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\r\n"
MOST_ENDS = 0.75
"""The share of the points at which an interruption may end the connection; it is about a half, two thirds at most."""


@dataclass
class Told:
    """A callback; it counts its calls."""

    calls: int = 0
    owed: bool = False
    """The command was accepted: it must be called."""

    def __call__(self, answer: object) -> None:
        self.calls += 1


@dataclass
class Sweep:
    """One operation, interrupted at one point after the other, on as many connections as that takes."""

    server: ScriptedServer
    points: int = 0
    ends: int = 0
    told: list[Told] = field(default_factory=list)

    def begin(self) -> imapkit.IMAP4:
        """A client in a mailbox."""
        client = connect(self.server, families=["rev1", "idle"], timeout=60)
        client.select("box")
        return client

    def owe(self, future: Any) -> None:
        """A future that must be done in the end, and whose callback must be called."""
        self.told.append(told := Told())
        future.add_done_callback(told)
        told.owed = True

    def submit(self, method: Callable[..., Any], *args: Any) -> None:
        """Call a method with a callback."""
        self.told.append(told := Told())
        method(*args, callback=told)
        told.owed = True

    def run(self, prepare: Act, act: Act) -> None:
        """From the first point to the last."""
        client = self.begin()
        while where := self.interrupted(client, prepare, act):
            self.points += 1
            lease_is_free(client, where)
            if not goes_on(client, where):
                self.ends += 1
                client.logout()
                client = self.begin()
        client.logout()
        until(lambda: all(told.calls or not told.owed for told in self.told), "a callback is not called")
        assert all(told.calls <= 1 for told in self.told), "a callback is called twice"

    def interrupted(self, client: imapkit.IMAP4, prepare: Act, act: Act) -> str:
        """Interrupt this thread at the next point; where that was, "" behind the last one."""
        prepare(self, client)
        with interrupting(self.points) as point:
            try:
                act(self, client)
            except (Interrupted, imapkit.IMAP4.error):
                pass
        return point.where


Act = Callable[[Sweep, imapkit.IMAP4], object]


def lease_is_free(client: imapkit.IMAP4, where: str) -> None:
    """Another thread selects a mailbox; then this one does."""
    if "_lease" not in vars(client):
        return
    typed = Client.over(client).with_options(timeout=10)

    def select() -> None:
        try:
            typed.select("free").close()
        except ConnectionClosed:
            pass
        except BaseException as exc:
            failures.append(exc)

    failures: list[BaseException] = []
    thread = threading.Thread(target=select)
    thread.start()
    thread.join()
    select()
    assert not failures, (where, failures)


def goes_on(client: imapkit.IMAP4, where: str) -> bool:
    """A command of another thread is answered, or raises at once why it is not."""
    outcomes: list[Any] = []

    def ask() -> None:
        try:
            outcomes.append(client.noop(timeout=10)[0])
        except ConnectionClosed as exc:
            outcomes.append(str(exc))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    (outcome,) = outcomes or [f"no outcome after {where}"]
    if outcome != "OK":
        assert "interrupted" in outcome, (where, outcome)
        return False
    connection = client._live
    until(lambda: connection.engine.idle and connection._steps.role is None, f"something is left after {where}")
    return True


# what comes first


def nothing(sweep: Sweep, client: imapkit.IMAP4) -> None:
    """Come as the first."""


def after_a_callback(sweep: Sweep, client: imapkit.IMAP4) -> None:
    sweep.submit(client.noop)


def while_it_idles(sweep: Sweep, client: imapkit.IMAP4) -> None:
    sweep.submit(client.idle, 20)


def renewed(sweep: Sweep, client: imapkit.IMAP4) -> None:
    client.idle_refresh = 0.002


# what is interrupted


def noop(sweep: Sweep, client: imapkit.IMAP4) -> None:
    assert client.noop()[0] == "OK"


def noop_with_a_callback(sweep: Sweep, client: imapkit.IMAP4) -> None:
    sweep.submit(client.noop)


def noop_as_a_future(sweep: Sweep, client: imapkit.IMAP4) -> None:
    assert client.submit("NOOP").result(10)[0] == "OK"


def status(sweep: Sweep, client: imapkit.IMAP4) -> None:
    """Its answer says what was asked."""
    assert client.status("box7", "(MESSAGES)")[1][0].startswith(b"box7 ")


def idle(sweep: Sweep, client: imapkit.IMAP4) -> None:
    client.idle(0.01)


def append(sweep: Sweep, client: imapkit.IMAP4) -> None:
    client.append("box", None, None, b"xyz")


def append_by_the_courier_thread(sweep: Sweep, client: imapkit.IMAP4) -> None:
    client.append("box", None, None, b"x" * 300_000)


def append_from_a_source(sweep: Sweep, client: imapkit.IMAP4) -> None:
    client.append("box", None, None, imapkit.Source(3, iter([b"xyz"])))


def fetch_to(sweep: Sweep, client: imapkit.IMAP4) -> None:
    """What is written is the body that was asked for."""
    file = BytesIO()
    client.fetch_to(1005, "BODY[]", file)
    assert file.getvalue().startswith(body(1005, b"BODY[]")[:-12]), file.getvalue()


def fetch_to_with_a_callback(sweep: Sweep, client: imapkit.IMAP4) -> None:
    sweep.submit(client.fetch_to, 1005, "BODY[]", BytesIO())


def typed_status(sweep: Sweep, client: imapkit.IMAP4) -> None:
    """One command; its answer says what was asked."""
    assert Client.over(client).status("box7", "MESSAGES").messages == sum_of(b"box7")


def typed_futures(sweep: Sweep, client: imapkit.IMAP4) -> None:
    """A future of one command, and one of several."""
    nowait = Client.over(client).nowait
    one, several = nowait.status("box7", "MESSAGES"), nowait.delete_mailbox("box8")
    sweep.owe(one)
    sweep.owe(several)
    assert one.result(10).messages == sum_of(b"box7")
    several.result(10)


def typed_lease(sweep: Sweep, client: imapkit.IMAP4) -> None:
    """Several commands, in a mailbox that another thread may have afterwards."""
    with Client.over(client).select("other") as box:
        assert list(box.search(q.all_)) == [sum_of(b"ALL")]
        box.add_flags(box.search(q.all_), "\\Seen")


def typed_stream(sweep: Sweep, client: imapkit.IMAP4) -> None:
    """Chunks, of which the last is given up."""
    with Client.over(client).select("other") as box:
        seen = []
        for message in box.fetch(range(1, 8), FLAGS, chunk=2):
            seen.append(message.uid)
            assert message.flags == {f"in{message.uid}"}
            if len(seen) == 5:
                break
        assert seen == [1, 2, 3, 4, 5]


def while_others_wait(sweep: Sweep, client: imapkit.IMAP4) -> None:
    """Futures, whose answers the interrupted thread may read."""
    nowait = Client.over(client).nowait
    sweep.owe(nowait.status("box1", "MESSAGES"))
    sweep.owe(nowait.delete_mailbox("box2"))


def select(sweep: Sweep, client: imapkit.IMAP4) -> None:
    client.select("other")


def login(sweep: Sweep, client: imapkit.IMAP4) -> None:
    with pytest.raises(StateError):
        client.login("user", "password")


def with_sum(conversation: Conversation, command: ReceivedCommand) -> None:
    """STATUS and SEARCH with a checksum of what was asked."""
    words = command.args.split(b" ")
    status = b"* STATUS %b (MESSAGES %d)\r\n" % (words[0], sum_of(words[0]))
    conversation.ok(command, untagged=status if command.name == "STATUS" else b"* SEARCH %d\r\n" % sum_of(command.args))


def with_flags(conversation: Conversation, command: ReceivedCommand) -> None:
    """The messages, each with a flag that names it."""
    uids = messages(command.args.split(b" ")[0])
    conversation.ok(command, untagged=b"".join(b"* %d FETCH (UID %d FLAGS (in%d))\r\n" % (uid, uid, uid) for uid in uids))


TYPED: dict[str, Handler] = {
    "DELETE": answering(),
    "STATUS": with_sum,
    "UID FETCH": with_flags,
    "UID SEARCH": with_sum,
    "UID STORE": answering(),
}


@contextmanager
def sweeping() -> Iterator[Sweep]:
    """A sweep with its server."""
    with ScriptedServer(Shuffler(random.Random(1)), greeting=GREETING) as server, within(60):
        yield Sweep(server)


@contextmanager
def sweeping_typed() -> Iterator[Sweep]:
    """A sweep with a server for typed commands."""
    with ScriptedServer(handlers=TYPED, greeting=GREETING) as server, within(200):
        yield Sweep(server)


CASES: list[tuple[Act, Act]] = [
    (nothing, noop),
    (after_a_callback, noop),
    (nothing, noop_with_a_callback),
    (nothing, noop_as_a_future),
    (nothing, status),
    (nothing, append),
    (nothing, append_by_the_courier_thread),
    (nothing, append_from_a_source),
    (nothing, fetch_to),
    (nothing, fetch_to_with_a_callback),
    (nothing, idle),
    (renewed, idle),
    (while_it_idles, select),
    (while_it_idles, login),
    (nothing, login),
]
TYPED_CASES: list[tuple[Act, Act]] = [
    (nothing, typed_status),
    (while_others_wait, typed_status),
    (nothing, typed_futures),
    (nothing, typed_lease),
    (nothing, typed_stream),
]
CHEAP = {(nothing, noop), (nothing, noop_with_a_callback)}


@pytest.mark.parametrize(
    ("prepare", "act"),
    [
        pytest.param(*case, id=f"{case[0].__name__}-{case[1].__name__}", marks=[] if case in CHEAP else [pytest.mark.heavy])
        for case in CASES
    ],
)
def test_interrupted_anywhere(prepare: Act, act: Act) -> None:
    with sweeping() as sweep:
        sweep.run(prepare, act)
        print(f"{sweep.points} points, of which {sweep.ends} end the connection")
        assert sweep.points > 20
        assert sweep.ends <= MOST_ENDS * sweep.points


@pytest.mark.heavy
@pytest.mark.timeout(240)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
# (Python drops an exception within a finalizer: that of a stream, or of a mailbox.)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("prepare", "act"), TYPED_CASES, ids=[f"{case[0].__name__}-{case[1].__name__}" for case in TYPED_CASES])
def test_a_typed_call_is_interrupted_anywhere(prepare: Act, act: Act) -> None:
    """The selected mailbox is free afterwards, and every future is done."""
    with sweeping_typed() as sweep:
        sweep.run(prepare, act)
        print(f"{sweep.points} points, of which {sweep.ends} end the connection")
        assert sweep.points > 20
        assert sweep.ends <= MOST_ENDS * sweep.points


# the end


def shut_down(client: imapkit.IMAP4) -> None:
    client.shutdown()


def log_out(client: imapkit.IMAP4) -> None:
    client.logout()


@pytest.mark.heavy
@pytest.mark.parametrize("end", [shut_down, log_out], ids=lambda end: end.__name__)
def test_the_end_is_interrupted_anywhere(end: Callable[[imapkit.IMAP4], None]) -> None:
    """Called again it ends the connection; the callback of a command gets that once, and no thread is left."""
    with sweeping() as sweep:
        where = "the first"
        while where:
            client = sweep.begin()
            sweep.submit(client.idle, 20)
            with interrupting(sweep.points) as point:
                try:
                    end(client)
                except (Interrupted, imapkit.IMAP4.error):
                    pass
            where = point.where
            sweep.points += 1
            end(client)
            client._live._reader.thread.join(10)
            assert not client._live._reader.thread.is_alive(), where
            until(lambda: sweep.told[-1].calls, f"the callback is not called after {where}")
            with pytest.raises(imapkit.IMAP4.error):
                client.noop()
            client.logout()
        assert sweep.points > 20
        assert all(told.calls == 1 for told in sweep.told)
