"""What is fuzzed: every target takes any bytes, and raises only where the library is wrong.

``python -m tests.fuzz TARGET`` drives them by coverage, ``test_fuzz.py`` replays the inputs that are kept.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

from imapkit import ext
from imapkit.core.contract.result import parse, parse_shape
from imapkit.core.contract.session import State
from imapkit.core.engine.request import Request
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.support.limits import Limits
from imapkit.core.threads import intake
from imapkit.core.wire.fragment import CRLF
from imapkit.core.wire.response import Untagged, classify, response_code
from imapkit.errors import ParseError, ServerBye
from imapkit.ext.rev1.fetch import fetch, fetch_uid
from imapkit.testing import load_only
from imapkit.testing.meaning import frame
from tests.receiving import Receiver
from tests.security.flood import size_of

__all__ = ["LIMITS", "REGISTRY", "TARGETS", "Client", "framing", "grammar", "read_deeply", "session"]

REGISTRY = load_only(*ext.INDEX)
LIMITS = Limits(
    line=4000,
    literal=4000,
    response=8000,
    literals=20,
    nesting=20,
    answers=12,
    answers_bytes=5000,
    stored=50,
    stored_bytes=20_000,
)
"""So low that inputs of a fuzzer's size meet them."""
PARSERS = [response.parse for _, response in sorted(REGISTRY.responses.items()) if response.parse is not None]
DEEPEST = 40


def segments(data: bytes, size: int) -> Iterator[bytes]:
    """``data`` in pieces of ``size`` bytes."""
    return (data[at : at + size] for at in range(0, len(data), size))


def on_the_wire(parts: list[bytes]) -> bytes:
    """The bytes that a framed response was made of."""
    return b"".join(part if at % 2 else part + CRLF for at, part in enumerate(parts))


def framing(data: bytes) -> None:
    """The same bytes give the same responses in any segments; none is lost, none is made up."""
    whole = frame([data], LIMITS)
    for size in {1, 2 + sum(data[:2]) % 40}:
        assert frame(segments(data, size), LIMITS) == whole, f"in pieces of {size}"
    at = 0
    for part in (part for parts in whole if not isinstance(parts, str) for part in parts):
        # (Between them are line ends, blanks before a response, and empty lines that mean nothing.)
        at = data.index(part, at) + len(part)


def grammar(data: bytes) -> None:
    """Any response is read, or refused with ``ParseError`` and noted; and every value that was read can be used."""
    for parts in frame([data], LIMITS):
        if isinstance(parts, str):
            return
        response = classify(parts)
        if isinstance(response, Untagged):
            understand(response, len(data))
        understand_text(response.text)


def understand(response: Untagged, choice: int) -> None:
    """Read a response by its own grammar and by another's, and in every shape that it may have been given."""
    own = REGISTRY.responses.get(response.name)
    for rule in [PARSERS[choice % len(PARSERS)], *([own.parse] if own and own.parse else [])]:
        attempt(rule, Cursor(response.parts, response.number, REGISTRY.items, nesting=LIMITS.nesting))
    if response.name == "FETCH":
        data = attempt(fetch, Cursor(response.parts, 1, nesting=LIMITS.nesting))
        assert fetch_uid(response) == (data.items.get("UID") if data else None), "the UID found is the UID parsed"
    read_deeply(list(parse([response], REGISTRY)))
    for utf8 in (False, True):
        read_deeply(list(parse_shape(response.name, response.data(), REGISTRY, utf8=utf8)))


def understand_text(text: bytes) -> None:
    """Read the response code of a status response."""
    code = response_code(text)
    known = REGISTRY.codes.get(code.name) if code else None
    if code and known and known.parse:
        attempt(known.parse, Cursor((code.data or b"",), None, REGISTRY.items))
    read_deeply(list(parse_shape("OK", [text], REGISTRY)))


def attempt(rule: Callable[[Cursor], Any], cursor: Cursor) -> Any:
    """What a rule reads, all of it looked at; None if it refuses."""
    try:
        value = rule(cursor)
    except ParseError as problem:
        return str(problem) and None
    read_deeply(value)
    assert all(isinstance(defect.what, str) and isinstance(defect.raw, bytes) for defect in cursor.defects)
    return value


def read_deeply(value: Any, depth: int = 0) -> None:
    """Read every property of a record, and of all that is in it."""
    if depth > DEEPEST:
        return
    if isinstance(value, (list, tuple, frozenset)):
        for item in value:
            read_deeply(item, depth + 1)
    elif isinstance(value, dict):
        read_deeply(list(value.items()), depth)
    elif is_dataclass(value):
        repr(value)
        assert value == value
        for name in dir(type(value)):
            if isinstance(getattr(type(value), name), property):
                getattr(value, name)
        for field in fields(value):
            read_deeply(getattr(value, field.name), depth + 1)


class Client(Receiver):
    """A client that has selected a mailbox; ``tag_prefix`` begins its tags. It looks for runs of any length."""

    def __init__(self, tag_prefix: bytes, limits: Limits = LIMITS) -> None:
        super().__init__(REGISTRY, limits)
        self.engine.flight.tag_prefix = tag_prefix
        self.receive(b"* OK hello\r\n")
        self.engine.store.clear()
        self.engine.session.enter(State.SELECTED)

    def receive(self, data: bytes) -> None:
        """Take ``data`` in; what is wrong with it ends the connection. Raises what is wrong with the library."""
        before, intake._RUN = intake._RUN, 1
        try:
            super().receive(data)
        finally:
            intake._RUN = before


CALLS, CHUNK = 60, 10
"""How many calls of functions a byte may take, and as how many bytes a read counts."""


PENDING: list[tuple[str, tuple[Any, ...], bool]] = [
    ("FETCH", ("1:3", "(FLAGS)"), False),
    ("FETCH", ("4,9", "BODY[]"), False),
    ("STATUS", ("INBOX", "(MESSAGES)"), False),
    ("LIST", ('""', "*"), False),
    ("SEARCH", ("ALL",), True),
    ("NOOP", (), False),
]
"""What is under way: the tags are T1, T2 ..."""


def session(data: bytes) -> None:
    """A client that waits for answers goes on, or ends with an error of imapkit's, whatever a server sends: the same
    whether responses come together, and are taken in together, or byte by byte.
    """
    for uid in (False, True):
        at_once = played([data], uid)
        assert played(segments(data, 1), uid) == at_once
        assert played(segments(data, 2 + sum(data[:2]) % 60), uid) == at_once


def played(chunks: Iterable[bytes], uid: bool) -> list[Any]:
    """What becomes of the commands, of what belongs to none, and of the connection; work per byte is bounded."""
    chunks = list(chunks)
    size = sum(map(len, chunks)) + CHUNK * len(chunks)
    found, calls = taken_in(chunks, uid)
    if calls > CALLS * size:
        # Patterns are compiled as they are first needed.
        found, calls = taken_in(chunks, uid)
    assert calls <= CALLS * size, f"{calls} calls for {size} bytes, {CHUNK} for each read among them"
    return found


def taken_in(chunks: Iterable[bytes], uid: bool) -> tuple[list[Any], int]:
    """What becomes of all that, and how many functions were called. ``uid``: FETCH is sent with UID."""
    client = Client(b"T")
    engine = client.engine
    requests = [client.ask(name, *args, uid=by_uid or (uid and name == "FETCH")) for name, args, by_uid in PENDING]
    assert [request.tag for request in requests] == [b"T%d" % number for number in range(1, 1 + len(PENDING))]
    with counted() as calls:
        for chunk in chunks:
            client.receive(chunk)
    ended = type(engine.closed).__name__
    answered = [(request.typ, request.text, answer(request)) if request.typ else None for request in requests]
    engine.close(ServerBye("the end"))
    for request in requests:
        assert request.complete
        assert request.defect is None, f"{request.call.name}: a family's function raised {request.defect!r}"
    assert engine.store._memory <= LIMITS.stored_bytes
    assert size_of(engine.store._entries) <= 2 * LIMITS.stored_bytes + 5000
    kept = engine.store.runs()
    assert len(kept) <= LIMITS.stored
    for name, shaped in kept:
        read_deeply(list(parse_shape(name, shaped, REGISTRY)))
    session = engine.session
    return [ended, answered, kept, session.state, session.exists, session.capabilities], calls[0]


@contextmanager
def counted() -> Iterator[list[int]]:
    """Counts the calls of functions meanwhile: a measure of work that does not depend on the machine."""
    calls, before = [0], sys.getprofile()

    def count(frame: object, event: str, arg: object) -> None:
        calls[0] += 1

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def answer(request: Request) -> list[Any]:
    """The data that a command has been given."""
    return [item for piece in request.received for item in piece.data()]


TARGETS: dict[str, Callable[[bytes], None]] = {"framing": framing, "grammar": grammar, "session": session}
