"""Work per byte and memory are bounded in every state, whatever a server sends.

Work is the processor's time of the thread that takes in what has come, and its measure is what a short well-formed response takes
in the same run: so the machine's speed does not matter, and what others do on it hardly does. A bound that is not held is tried
again, the measure with it.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType

import pytest

from imapkit.core.support.limits import Limits
from tests.security.flood import READ, REGISTRY, SHAPES, STATES, Flooded, deflated

pytestmark = pytest.mark.heavy

BYTE, LINE = 4, 120
"""As how many bytes of a short response a byte may count, and each line besides."""
READING = 60
"""And each read: those of one byte."""
INFLATED = 0.25
"""And each byte to which compressed data may come (``Limits.inflation``)."""
UNCOUNTED = 4 * (BYTE + LINE)
"""And each byte of compressed data: lines are counted only beyond four times its size."""
SIZE, TRIES = 8000, 4
LIMITS = Limits(inflation=1 << 20)


def spent(run: Callable[[], object]) -> float:
    """The processor's time that it takes, on this thread."""
    # The collector's share grows with what is alive in the whole process.
    gc.disable()
    try:
        started = time.thread_time()
        run()
        return time.thread_time() - started
    finally:
        gc.enable()


def measure() -> float:
    """Seconds for each byte of short well-formed responses."""
    data = b"* 3 EXISTS\r\n" * 1000
    return min(spent(lambda: Flooded("selected", LIMITS).feed(data)) for _ in range(3)) / len(data)


def assert_bounded(
    state: str, data: bytes, allowed: Callable[[int], float], *, size: int = READ, compressed: bool = False
) -> None:
    """To take ``data`` in takes no longer than as many bytes of short responses as are ``allowed`` for those taken."""
    found = []
    for _ in range(TRIES):
        client = Flooded(state, LIMITS, compressed=compressed)
        taken: list[int] = []
        seconds = spent(lambda client=client, taken=taken: taken.append(client.feed(data, size)))  # type: ignore[misc]
        found.append(seconds / (allowed(taken[0]) * UNIT[0]))
        if found[-1] <= 1:
            return
        UNIT[0] = max(UNIT[0], measure())
    pytest.fail(f"{state}, {data[:60]!r}: {min(found):.1f} times what is allowed")


UNIT: list[float] = [0.0]


@pytest.fixture(autouse=True)
def _unit() -> None:
    UNIT[0] = measure()


@pytest.mark.parametrize("state", STATES)
def test_bytes_received_times_a_bound(state: str) -> None:
    for make in SHAPES.values():
        data = make(SIZE)
        assert_bounded(state, data, lambda taken, data=data: BYTE * taken + LINE * data.count(b"\n", 0, taken) + LINE)  # type: ignore[misc]


@pytest.mark.parametrize("state", ["selected", "fetching", "in a string"])
def test_reads_of_one_byte(state: str) -> None:
    for make in SHAPES.values():
        assert_bounded(state, make(SIZE // 4), lambda taken: (READING + LINE) * taken, size=1)


def test_fourfold_is_four_times_as_much() -> None:
    """What is taken of a larger flood is bounded as that of a small one: nothing is multiplied."""
    for make in SHAPES.values():
        data = make(8 * SIZE)
        assert_bounded("busy", data, lambda taken, data=data: BYTE * taken + LINE * data.count(b"\n", 0, taken) + LINE)  # type: ignore[misc]


def allowed_compressed(taken: int) -> float:
    return INFLATED * (100 * taken + LIMITS.inflation) + UNCOUNTED * taken


@pytest.mark.parametrize("state", ["selected", "fetching", "authenticating"])
def test_compressed_bytes_times_a_bound(state: str) -> None:
    """A kilobyte can stand for half a million lines."""
    for make in SHAPES.values():
        assert_bounded(state, deflated(make(1 << 20)), allowed_compressed, compressed=True)


BLOCKS = {
    "stored blocks of no bytes": b"\0\0\0\xff\xff" * SIZE,
    "stored blocks of one byte": b"\0\1\0\xfe\xffx" * SIZE,
    "fixed blocks of no bytes": sum(1 << 10 * i + 1 for i in range(SIZE)).to_bytes(SIZE * 10 // 8, "little"),
    "flushes": b"".join(deflated(b"") for _ in range(SIZE)),
    "a bomb": deflated(b"* X " + bytes(1 << 24)),
    "a bomb of lines": deflated(b"\r\n" * (1 << 22)),
    "a bomb of stars": deflated(b"*\r\n" * (1 << 22)),
}


@pytest.mark.parametrize("blocks", BLOCKS)
def test_blocks_of_compressed_data(blocks: str) -> None:
    assert_bounded("selected", BLOCKS[blocks], allowed_compressed, compressed=True)


# memory

SMALL = Limits(
    line=20_000,
    literal=20_000,
    response=40_000,
    literals=200,
    inflation=100_000,
    answers_bytes=100_000,
    stored_bytes=100_000,
    defects=10,
)
HELD = 2 * SMALL.stored_bytes + 3 * SMALL.response + 200 * SMALL.literals + 10_000 * SMALL.defects + 250_000
"""Bytes: what is stored, a response that has not ended, defects, the names of capabilities, and the client itself."""
FLOOD = 120_000
_NOT_HELD = (type, ModuleType, FunctionType)


def held(client: Flooded) -> int:
    """Bytes of all that a client holds, but for what all clients have in common."""
    seen, todo, size = {id(each) for each in everything(REGISTRY)}, [client], 0
    while todo:
        value = todo.pop()
        if id(value) not in seen and not isinstance(value, _NOT_HELD):
            seen.add(id(value))
            size += sys.getsizeof(value)
            todo += gc.get_referents(value)
    return size


def everything(*roots: object) -> Iterator[object]:
    """All that can be reached from them, by way of what belongs to a client."""
    seen, todo = set[int](), list(roots)
    while todo:
        value = todo.pop()
        if id(value) not in seen and not isinstance(value, _NOT_HELD):
            seen.add(id(value))
            yield value
            todo += gc.get_referents(value)


@pytest.mark.parametrize(("state", "collecting"), [("selected", 0), ("fetching", 1)])
def test_memory_is_bounded_by_the_limits(state: str, collecting: int) -> None:
    for name, make in SHAPES.items():
        client = Flooded(state, SMALL)
        client.feed(make(FLOOD), 4096)
        assert held(client) <= HELD + collecting * 2 * SMALL.answers_bytes, name


def left_over(state: str, data: bytes) -> int:
    """Bytes that are still held once a client that has taken ``data`` in is gone."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    client = Flooded(state, LIMITS)
    client.feed(data)
    assert tracemalloc.get_traced_memory()[0] - before > 5000
    del client
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before


@pytest.mark.parametrize("state", ["not authenticated", "busy", "authenticating"])
def test_nothing_that_was_sent_outlives_its_connection(state: str) -> None:
    tracemalloc.start()
    try:
        for name, make in SHAPES.items():
            data = make(4 * SIZE)
            # What Python keeps once for objects of some kind is not meant; each time the names are others.
            others = (data.replace(b"* N", b"* %c" % letter).replace(b"[C", b"[%c" % letter) for letter in b"MOPQR")
            left: list[int] = []
            while not left or (left[-1] > 5000 and len(left) < 5):
                left.append(left_over(state, next(others)))
            assert left[-1] <= 5000, f"{name}: {left} bytes"
    finally:
        tracemalloc.stop()
