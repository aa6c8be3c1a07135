"""The corpus of the fuzzer, replayed, without atheris."""

from __future__ import annotations

import pytest

from imapkit.core.threads import intake
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.response import Untagged
from imapkit.errors import ParseError
from tests.fuzz import corpus, targets
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("name", TARGETS)
def test_the_kept_inputs_pass(name: str) -> None:
    inputs = [*corpus.kept(name), *corpus.vectors()]
    assert len(inputs) > 300
    for data in inputs:
        try:
            TARGETS[name](data)
        except Exception as problem:
            problem.add_note(f"{name}: {data!r}")
            raise


def test_the_corpus_is_for_the_targets_that_there_are() -> None:
    assert {path.stem for path in corpus.PLACE.glob("*.txt")} == set(TARGETS)


def test_the_inputs_chosen_are_those_that_go_new_ways() -> None:
    chosen = corpus.minimised(targets.framing, [b"* OK\r\n", b"* NO\r\n", b"* OK {1}\r\n", b"* 1 FETCH (X {1}\r\nx)\r\n"])
    assert chosen[0] == b"* NO\r\n"
    assert b"* OK\r\n" not in chosen
    assert b"* 1 FETCH (X {1}\r\nx)\r\n" in chosen


# that a target can fail


def test_a_lost_byte_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    take = Framer._take_line

    def lossy(self: Framer) -> bytes | None:
        line = take(self)
        return line and line.replace(b"x", b"")

    targets.framing(b"* OK axb\r\n")
    monkeypatch.setattr(Framer, "_take_line", lossy)
    with pytest.raises(AssertionError):
        targets.framing(b"* OK axb\r\n")


@pytest.mark.parametrize("name", ["grammar", "session"])
def test_an_error_of_another_kind_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr(*{"grammar": (targets, "parse"), "session": (intake, "classify")}[name], wrong)
    with pytest.raises(KeyError):
        TARGETS[name](b"* 1 FETCH (UID 3)\r\n")


def test_a_refusal_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: object) -> None:
        raise ParseError("something else")

    monkeypatch.setattr(targets, "PARSERS", [refuses])
    targets.understand(Untagged("X", None, (b"x",)), 0)
