"""Literals that a sink takes: in any segments, with nothing kept, and no limit on their size."""

from __future__ import annotations

import pytest

from imapkit.core.support.limits import Limits
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.response import Untagged, classify
from imapkit.core.wire.sinks import StreamedLiteral
from imapkit.errors import LimitExceeded

DATA = b'* 1 FETCH (UID 7 ENVELOPE ("x" {3}\r\nabc) BODY[] {12}\r\n* 2 OK {5}\r\n FLAGS (\\Seen))\r\n* 2 EXISTS\r\n'


class Taken:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""
        self.ends = 0

    def write(self, data: memoryview) -> None:
        assert data, "nothing to take"
        assert not self.ends
        self.data += data

    def end(self) -> None:
        self.ends += 1


class Claims:
    """Claims bodies, and notes what it was asked."""

    def __init__(self) -> None:
        self.sinks: list[Taken] = []
        self.asked: list[tuple[list[bytes], int]] = []

    def __call__(self, parts: list[bytes], size: int) -> Taken | None:
        self.asked.append((list(parts), size))
        if not parts[-1].endswith(b"}") or b"BODY[" not in parts[-1]:
            return None
        self.sinks.append(Taken())
        return self.sinks[-1]


def frame(*chunks: bytes, claims: Claims | None, limits: Limits | None = None) -> list[list[bytes]]:
    framer, found = Framer(limits), []
    framer.claim = claims
    for chunk in chunks:
        framer.push(chunk)
        while (parts := framer.pop()) is not None:
            found.append(parts)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 13, 50, len(DATA)])
def test_a_claimed_literal_goes_to_its_sink_in_any_segments(size: int) -> None:
    claims = Claims()
    chunks = [DATA[at : at + size] for at in range(0, len(DATA), size)]
    response, exists = frame(*chunks, claims=claims)
    assert exists == [b"* 2 EXISTS"]
    [sink] = claims.sinks
    assert (sink.data, sink.ends) == (b"* 2 OK {5}\r\n", 1)
    assert response == [b'* 1 FETCH (UID 7 ENVELOPE ("x" {3}', b"abc", b") BODY[] {12}", b"", b" FLAGS (\\Seen))"]
    mark = response[3]
    assert isinstance(mark, StreamedLiteral)
    assert mark.size == 12
    untagged = classify(response)
    assert isinstance(untagged, Untagged)
    assert untagged.memory < 500
    assert [(len(parts), announced) for parts, announced in claims.asked] == [(1, 3), (3, 12)]


def test_without_a_claim_it_is_kept() -> None:
    [response, _] = frame(DATA, claims=None)
    assert response[3] == b"* 2 OK {5}\r\n"


def test_an_empty_one_ends_without_a_byte() -> None:
    claims = Claims()
    [response] = frame(b"* 1 FETCH (BODY[] {0}\r\n)\r\n", claims=claims)
    assert response == [b"* 1 FETCH (BODY[] {0}", b"", b")"]
    assert [(sink.data, sink.ends) for sink in claims.sinks] == [(b"", 1)]


def test_no_limit_holds_for_the_size_of_one_that_is_claimed() -> None:
    claims, limits = Claims(), Limits(literal=10, response=60)
    data = b"* 1 FETCH (BODY[] {1000}\r\n" + b"x" * 1000 + b" BODY[1] {1000}\r\n" + b"y" * 1000 + b")\r\n"
    assert len(frame(data, claims=claims, limits=limits)) == 1
    assert [len(sink.data) for sink in claims.sinks] == [1000, 1000]
    with pytest.raises(LimitExceeded, match="literal"):
        frame(data, claims=None, limits=limits)
    with pytest.raises(LimitExceeded, match="literal"):
        frame(b"* 1 FETCH (BODY[] {1}\r\nx X {1000}\r\n", claims=claims, limits=limits)


def test_how_many_there_may_be_holds_for_them_too() -> None:
    data = b"* 1 FETCH (" + b" BODY[] {0}\r\n" * 4 + b")\r\n"
    with pytest.raises(LimitExceeded, match="literals"):
        frame(data, claims=Claims(), limits=Limits(literals=3))


def test_a_claim_may_come_between_two_responses() -> None:
    framer, claims = Framer(), Claims()
    framer.push(DATA + DATA)
    assert framer.pop() is not None
    framer.claim = claims
    framer.pop()
    response = framer.pop()
    assert response is not None
    assert response[3] == b""
    assert len(claims.sinks) == 1
