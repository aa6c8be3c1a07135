"""The time for each command is the same however many are queued: the gate, lanes, attribution and deadlines are linear."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import pytest

from imapkit.core.engine.request import Request
from imapkit.core.wire.response import Tagged, Untagged
from imapkit.errors import ConnectionClosed
from tests.core.support import Driver, call
from tests.core.test_linear import spent

pytestmark = pytest.mark.heavy

FEW, MANY = 2_000, 20_000
FACTOR = 2.0
"""Times as long as among few a command may take among many: caches and the collector's generations count, too."""
MOVED = 4.0
"""The same for disjoint ranges: each is put into a sorted list, and what stands behind it there is moved, 20,000 in 4 us."""
TOGETHER = 64
"""Responses that are taken in at once, as the reader thread does it."""

Make = Callable[[int], Request]

KINDS: dict[str, Make] = {
    "nothing": lambda number: Request(call("XPING")),
    "the same response": lambda number: Request(call("XLIST")),
    "sequence numbers and the same response": lambda number: Request(call("XSEARCH")),
    "one mailbox": lambda number: Request(call("XSTATUS", "box")),
    "a mailbox each": lambda number: Request(call("XSTATUS", f"box{number}")),
    "exclusive": lambda number: Request(call("XOPEN", "box")),
    "one range": lambda number: Request(call("XFETCH", "1:5", "FLAGS")),
    "disjoint ranges": lambda number: Request(call("XFETCH", f"{number * 10 + 1}:{number * 10 + 5}", "FLAGS")),
    "disjoint ranges from the highest down": lambda number: Request(
        call("XFETCH", f"{(MANY - number) * 10 + 1}:{(MANY - number) * 10 + 5}", "FLAGS")
    ),
    "ranges that each meet the next": lambda number: Request(call("XFETCH", f"{number + 1}:{number + 2}", "FLAGS")),
    "numbers and UIDs in turn": lambda number: Request(call("XFETCH", "1", "FLAGS", uid=number % 2 == 0)),
    "exclusive ones and others in turn": lambda number: Request(call("XOPEN", "box") if number % 2 else call("XPING")),
    "EXPUNGE and sequence numbers in turn": lambda number: Request(call("XEXPUNGE") if number % 2 else call("XSEARCH")),
}


def submit_all(driver: Driver, requests: list[Request]) -> None:
    for request in requests:
        driver.engine.submit(request, driver.now)


def in_batches(answers: Iterator[Tagged | Untagged]) -> Iterator[list[Tagged | Untagged]]:
    batch: list[Tagged | Untagged] = []
    for answer in answers:
        batch.append(answer)
        if len(batch) == TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def answer_all(driver: Driver, requests: list[Request]) -> None:
    """Send what may leave, and answer it, until nothing is left."""
    engine, left = driver.engine, deque(requests)
    while not engine.idle:
        while engine.outgoing(driver.now) is not None:
            pass
        for batch in in_batches(Tagged(tag, "OK", b"done") for tag in list(engine.flight.pending)):
            engine.receive(batch, driver.now)
            engine.delivered()
    while left:
        assert left.popleft().typ == "OK"


def withdraw_all(driver: Driver, requests: list[Request]) -> None:
    """Give all up, the first one last: only that one may be sent."""
    for request in reversed(requests):
        driver.engine.abandon(request, driver.now)
    driver.engine.delivered()
    assert driver.engine.idle
    assert driver.engine.flight.gate.empty


def flat(run: Callable[[int], Callable[[], object]], few: int = FEW, many: int = MANY, *, factor: float = FACTOR) -> None:
    """``run(count)`` prepares something for ``count`` commands; it takes no longer for each, the best of several tries."""
    least = {few: 9.0, many: 9.0}
    for _ in range(5):
        for count in (few, few, few, many):
            least[count] = min(least[count], spent(run(count)) / count)
        if least[many] <= factor * least[few]:
            return
    pytest.fail(f"{least[few] * 1e6:.1f} us each among {few}, {least[many] * 1e6:.1f} among {many}")


@pytest.mark.parametrize("kind", KINDS)
def test_each_command_takes_the_same_time_however_many_are_queued(kind: str) -> None:
    def run(count: int) -> Callable[[], object]:
        driver, requests = Driver(), [KINDS[kind](number) for number in range(count)]

        def play() -> None:
            submit_all(driver, requests)
            answer_all(driver, requests)

        return play

    flat(run, factor=MOVED if "disjoint" in kind else FACTOR)


@pytest.mark.parametrize("kind", KINDS)
def test_giving_up_a_command_takes_the_same_time_however_many_are_queued(kind: str) -> None:
    def run(count: int) -> Callable[[], object]:
        driver, requests = Driver(), [KINDS[kind](number) for number in range(count)]

        def play() -> None:
            submit_all(driver, requests)
            withdraw_all(driver, requests)

        return play

    flat(run, factor=MOVED if "disjoint" in kind else FACTOR)


def test_limits_of_many_commands_are_looked_at_in_linear_time() -> None:
    def run(count: int) -> Callable[[], object]:
        driver, requests = Driver(), [Request(call("XLIST")) for _ in range(count)]
        for number, request in enumerate(requests):
            request.limit = 1.0 + number % 97

        def play() -> None:
            submit_all(driver, requests)
            for moment in range(100):
                driver.tick(float(moment))
                driver.engine.deadline()
            assert driver.engine.idle

        return play

    flat(run)


def test_orphans_are_looked_at_no_more_than_others() -> None:
    def run(count: int) -> Callable[[], object]:
        driver, requests = Driver(high=count, low=count), [Request(call("XPING")) for _ in range(count)]
        submit_all(driver, requests)
        driver.pump()

        def play() -> None:
            for request in requests:
                driver.engine.abandon(request, driver.now)
                driver.engine.deadline()
            answer_all(driver, [])

        return play

    flat(run)


def test_an_answer_costs_by_what_is_in_flight_and_that_is_bounded() -> None:
    """A UID FETCH of each of many messages: every row is compared with the commands in flight, at most ``high`` of them."""

    def run(count: int) -> Callable[[], object]:
        driver = Driver(high=50, low=10)
        requests = [Request(call("XFETCH", str(number + 1), "FLAGS", uid=True)) for number in range(count)]

        def play() -> None:
            submit_all(driver, requests)
            done = 0
            while done < count:
                driver.pump()
                sent = list(driver.engine.flight.pending.values())
                done += len(sent)
                for request in sent:
                    row = Untagged("FETCH", 1, (b"(UID %s)" % request.args[0].encode(),))
                    driver.engine.receive([row, Tagged(request.tag, "OK", b"done")], driver.now)
                driver.engine.delivered()
            assert all(len(request.received) == 1 for request in requests)

        return play

    flat(run, 1_000, 5_000)


def test_the_connection_ends_in_linear_time() -> None:
    def run(count: int) -> Callable[[], object]:
        driver, requests = Driver(), [Request(call("XLIST")) for _ in range(count)]
        submit_all(driver, requests)
        driver.pump()

        def play() -> None:
            driver.engine.close(ConnectionClosed("gone"))
            assert len(driver.told()) == count

        return play

    flat(run)
