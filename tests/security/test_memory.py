"""What is counted as memory is what ``sys.getsizeof`` says of it, within a factor of two, whatever the shape of a response."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import imapkit
from imapkit.core.engine.store import Store
from imapkit.core.support.limits import Limits
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.response import LiteralRun, Run, Untagged, classify
from tests.security.flood import size_of

COUNT = 300
#   What is cached in a module stays for ever. Their keys: names that a family declares, the functions of families, whole minutes.
CACHED = {"literal_matcher", "run_matcher", "_reader", "_offset"}


def received(data: bytes) -> list[Untagged]:
    """The untagged responses in what has come."""
    framer, found = Framer(), list[Untagged]()
    framer.push(data)
    while (parts := framer.pop()) is not None:
        response = classify(parts)
        assert isinstance(response, Untagged)
        found.append(response)
    return found


SHAPES: dict[str, Callable[[int], bytes]] = {
    "empty": lambda i: b"\r\n",
    "a star": lambda i: b"*\r\n",
    "a name": lambda i: b"* N%d\r\n" % i,
    "a long name": lambda i: b"* N%d%b x\r\n" % (i, b"n" * 3000),
    "a number": lambda i: b"* %d EXISTS\r\n" % (i + 1000),
    "a row": lambda i: b"* %d FETCH (FLAGS (\\Seen))\r\n" % (i + 1000),
    "a body": lambda i: b"* %d FETCH (BODY[] {2000}\r\n%02000d)\r\n" % (i + 1000, i),
    "a small body": lambda i: b"* %d FETCH (BODY[] {4}\r\n%04d)\r\n" % (i + 1000, i),
    "literals of no bytes": lambda i: b"* X%b\r\n" % (b" {0}\r\n" * 50),
    "literals of one byte": lambda i: b"* X%b\r\n" % (b" {1}\r\nx" * 50),
    "literals of two bytes": lambda i: b"* X%b\r\n" % (b"({2}\r\nxy)" * 50),
    "parentheses": lambda i: b"* X %d%b\r\n" % (i, b"(" * 500),
    "a line": lambda i: b"* X %d%b\r\n" % (i, b"x" * 5000),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_response_is_counted_as_what_it_is(shape: str) -> None:
    for response in received(b"".join(map(SHAPES[shape], range(COUNT)))):
        assert response.memory / 2 <= size_of(response) + 8 <= response.memory * 2


@pytest.mark.parametrize("shape", SHAPES)
def test_stored_responses_are_counted_as_their_memory(shape: str) -> None:
    store = Store()
    for response in received(b"".join(map(SHAPES[shape], range(COUNT)))):
        store.add(response.name, response, response.memory)
    assert store._entries is not None
    assert store._memory / 2 <= size_of(store._entries) <= store._memory * 2


@pytest.mark.parametrize("shape", SHAPES)
def test_a_limit_on_what_is_stored_is_a_limit_on_memory(shape: str) -> None:
    store = Store(Limits(stored_bytes=20_000))
    for response in received(b"".join(map(SHAPES[shape], range(COUNT)))):
        store.add(response.name, response, response.memory)
        assert size_of(store._entries) <= 2 * 20_000 + 1000


ROWS = [(b"%d" % i, b"(FLAGS (\\Seen) UID %d)" % i) for i in range(1000, 1000 + COUNT)]
BODIES = [(b"%d" % i, b"(UID %d BODY[] {5}" % i, b"%05d" % i, b")") for i in range(1000, 1000 + COUNT)]


@pytest.mark.parametrize("run", [Run("FETCH", list(ROWS)), LiteralRun("FETCH", list(BODIES))], ids=["rows", "bodies"])
def test_a_run_is_counted_as_what_it_is(run: Run) -> None:
    assert run.memory / 2 <= size_of(run.rows) <= run.memory * 2
    assert run.memory == sum(response.memory for response in run), "taken in together or one by one"


def test_no_cache_of_a_module_holds_what_a_server_sent() -> None:
    package = Path(imapkit.__file__).parent
    sources = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in ("testing", "cli")]
    found = [
        re.findall(r"^ *@(?:functools\.)?(?:lru_)?cache\b.*\n *def (\w+)", path.read_text("utf-8"), re.MULTILINE)
        for path in sources
    ]
    assert {name for names in found for name in names} == CACHED
