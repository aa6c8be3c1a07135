"""Which commands may be in flight together, rule by rule: the gate and its lanes, without the rest of the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from imapkit.core.contract.call import Call
from imapkit.core.contract.command import Command
from imapkit.core.contract.enable import Numbering
from imapkit.core.contract.session import State
from imapkit.core.engine.gate import Gate
from imapkit.core.engine.lanes import Queued
from imapkit.core.wire.numbers import NumberSet
from imapkit.errors import StateError
from tests.core.support import Driver


class Queue:
    """A gate whose commands are named by a word."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.commands: dict[str, Queued] = {}
        self.flying: list[str] = []

    def add(self, word: str, *result: str, about: Any = None, **fields: Any) -> None:
        """Queue a command. By default it uses no sequence numbers and allows no EXPUNGE responses.

        ``awaits``: the responses that answer this call, in place of ``result``. ``writes``: the resources that it changes.
        """
        uid = isinstance(about, NumberSet) and about.uid
        awaits, writes = fields.pop("awaits", None), fields.pop("writes", ())
        command = Command(word, State.ANY, result=result, **{"expunges": False, "uid": True, **fields})
        call = Call(command, (), [b"X"], result=awaits, writes=writes)
        call.uid, call.about = uid, about
        self.commands[word] = Queued(call)
        self.gate.add(self.commands[word])

    def ready(self) -> str:
        """The words of those that may be sent now, in their order."""
        return " ".join(command.call.name for command in self.gate.ready if not command.withdrawn)

    def send(self, *words: str) -> None:
        """All of these leave."""
        for word in words:
            command = self.commands[word]
            assert command in self.gate.ready, f"{word} is not ready"
            self.gate.ready.remove(command)
            self.gate.sent(command)
            self.flying.append(word)

    def land(self, *words: str) -> None:
        """These are answered."""
        for word in words:
            self.flying.remove(word)
            self.gate.land(self.commands[word])

    def withdraw(self, *words: str) -> None:
        """These are not to be sent any more."""
        for word in words:
            self.gate.withdraw(self.commands[word])

    def finish(self) -> None:
        """Send and land what is left; every command gets its turn."""
        while self.flying or self.ready():
            self.send(*self.ready().split())
            self.land(*self.flying)
        assert self.gate.empty, "a command has not had its turn"


@pytest.fixture
def queue() -> Queue:
    return Queue()


def numbers(text: str, *, uid: bool = False) -> NumberSet:
    return NumberSet(text, uid=uid)


# exclusive commands


def test_commands_without_a_result_are_sent_together(queue: Queue) -> None:
    for word in "abc":
        queue.add(word)
    assert queue.ready() == "a b c"


def test_an_exclusive_command_waits_until_all_before_it_have_landed_and_holds_all_behind_it(queue: Queue) -> None:
    queue.add("a")
    queue.add("b")
    queue.add("only", exclusive=True)
    queue.add("c")
    queue.send("a", "b")
    queue.land("b")
    assert queue.ready() == ""
    queue.land("a")
    assert queue.ready() == "only"
    queue.send("only")
    assert queue.ready() == ""
    queue.land("only")
    assert queue.ready() == "c"
    queue.finish()


def test_exclusive_commands_follow_one_another(queue: Queue) -> None:
    for word in "abc":
        queue.add(word, exclusive=True)
    for word in "abc":
        assert queue.ready() == word
        queue.send(word)
        assert queue.ready() == ""
        queue.land(word)
    assert queue.gate.empty


def test_an_exclusive_command_behind_a_segment_that_has_landed_waits_for_the_one_before_that(queue: Queue) -> None:
    """Its own segment is empty, but an earlier one that was overtaken is still in flight."""
    queue.add("expunge", expunges=True)
    queue.add("slow")
    queue.add("numbers", seqnums=True)
    queue.send("expunge", "slow")
    queue.land("expunge")
    queue.send("numbers")
    queue.land("numbers")
    queue.add("only", exclusive=True)
    assert queue.ready() == ""
    queue.land("slow")
    assert queue.ready() == "only"
    queue.finish()


def test_a_withdrawn_exclusive_command_lets_those_behind_it_pass_at_once(queue: Queue) -> None:
    queue.add("a")
    queue.add("only", exclusive=True)
    queue.add("b")
    queue.send("a")
    assert queue.ready() == ""
    queue.withdraw("only")
    assert queue.ready() == "b"
    queue.finish()


def test_an_exclusive_command_that_is_ready_may_be_withdrawn(queue: Queue) -> None:
    queue.add("only", exclusive=True)
    queue.add("b")
    assert queue.ready() == "only"
    queue.withdraw("only")
    assert queue.ready() == "b"
    queue.finish()


# sequence numbers and EXPUNGE (RFC 3501 section 5.5)


def test_sequence_numbers_wait_until_commands_that_may_bring_expunge_have_landed(queue: Queue) -> None:
    queue.add("expunge", expunges=True)
    queue.add("numbers", seqnums=True)
    queue.send("expunge")
    assert queue.ready() == ""
    queue.land("expunge")
    assert queue.ready() == "numbers"
    queue.finish()


def test_a_command_that_may_bring_expunge_waits_until_sequence_numbers_have_been_sent_and_no_longer(queue: Queue) -> None:
    queue.add("numbers", seqnums=True)
    queue.add("expunge", expunges=True)
    assert queue.ready() == "numbers"
    queue.send("numbers")
    assert queue.ready() == "expunge", "the server answers in terms of what the client knew"
    queue.finish()


def test_commands_that_may_bring_expunge_are_sent_together(queue: Queue) -> None:
    queue.add("a", expunges=True)
    queue.add("b", expunges=True)
    assert queue.ready() == "a b"


def test_commands_with_sequence_numbers_are_sent_together(queue: Queue) -> None:
    queue.add("a", seqnums=True)
    queue.add("b", seqnums=True)
    assert queue.ready() == "a b"


def test_commands_that_do_both_follow_one_another(queue: Queue) -> None:
    for word in "abc":
        queue.add(word, seqnums=True, expunges=True)
    for word in "abc":
        assert queue.ready() == word
        queue.send(word)
        assert queue.ready() == ""
        queue.land(word)
    assert queue.gate.empty


def test_no_command_overtakes_one_whose_segment_has_not_been_opened(queue: Queue) -> None:
    queue.add("expunge", expunges=True)
    queue.add("numbers", seqnums=True)
    queue.add("other")
    queue.send("expunge")
    assert queue.ready() == "", "other stays behind numbers"
    queue.land("expunge")
    assert queue.ready() == "numbers other"
    queue.finish()


def test_a_segment_that_has_been_sent_lets_the_next_one_in(queue: Queue) -> None:
    queue.add("expunge", "A", expunges=True)
    queue.add("slow", "A")
    queue.add("numbers", seqnums=True)
    queue.send("expunge")
    queue.land("expunge")
    assert queue.ready() == "slow"
    queue.send("slow")
    assert queue.ready() == "numbers", "as soon as slow was sent"
    queue.finish()


def test_a_withdrawn_command_holds_nothing(queue: Queue) -> None:
    queue.add("barrier", "A")
    queue.add("numbers", "A", seqnums=True)
    queue.add("expunge", expunges=True)
    queue.send("barrier")
    assert queue.ready() == "", "numbers waits in its lane, and expunge for numbers"
    queue.withdraw("numbers")
    assert queue.ready() == "expunge"
    queue.finish()


def test_a_withdrawn_command_in_the_middle_of_those_held_does_not_hold_a_later_one(queue: Queue) -> None:
    queue.add("barrier", "A")
    queue.add("numbers", "A", seqnums=True)
    queue.add("expunge", expunges=True)
    queue.withdraw("expunge")
    queue.add("both", seqnums=True, expunges=True)
    queue.send("barrier")
    queue.land("barrier")
    queue.send("numbers")
    assert queue.ready() == "both"
    queue.finish()


# lanes: commands that await responses of the same name


def test_commands_without_a_subject_follow_one_another_in_a_lane_and_others_pass(queue: Queue) -> None:
    queue.add("a1", "A")
    queue.add("a2", "A")
    queue.add("b", "B")
    queue.add("plain")
    assert queue.ready() == "a1 b plain"
    queue.send("a1")
    queue.land("a1")
    assert queue.ready() == "b plain a2"
    queue.finish()


def test_different_subjects_are_sent_together_and_equal_ones_follow_one_another(queue: Queue) -> None:
    for word, subject in (("x1", "x"), ("x2", "x"), ("y", "y"), ("x3", "x")):
        queue.add(word, "A", about=subject)
    assert queue.ready() == "x1 y"
    queue.send("x1")
    queue.land("x1")
    assert queue.ready() == "y x2"
    queue.withdraw("x3")
    queue.finish()


def test_a_parked_command_that_was_withdrawn_is_passed_over(queue: Queue) -> None:
    for word in ("x1", "x2", "x3"):
        queue.add(word, "A", about="x")
    queue.withdraw("x2")
    queue.send("x1")
    queue.land("x1")
    assert queue.ready() == "x3"
    queue.finish()


def test_a_subject_is_free_again_when_all_that_wanted_it_have_gone(queue: Queue) -> None:
    queue.add("x1", "A", about="x")
    queue.add("x2", "A", about="x")
    queue.withdraw("x2")
    queue.send("x1")
    queue.land("x1")
    queue.add("x3", "A", about="x")
    assert queue.ready() == "x3"
    queue.finish()


@pytest.mark.parametrize("subject", ["x", NumberSet("1")], ids=["a key", "numbers"])
def test_without_a_subject_a_command_waits_for_all_in_its_lane_and_none_passes_it(queue: Queue, subject: Any) -> None:
    queue.add("one", "A", about=subject)
    queue.add("any", "A")
    queue.add("other", "A", about="y" if subject == "x" else NumberSet("2"))
    assert queue.ready() == "one"
    queue.send("one")
    queue.land("one")
    assert queue.ready() == "any"
    queue.send("any")
    queue.land("any")
    assert queue.ready() == "other"
    queue.finish()


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("1", "2", True),
        ("1:3", "4:6", True),
        ("1:3", "3:6", False),
        ("1,5", "2:4", True),
        ("1,5", "4:6", False),
        ("2:4", "1,5", True),
        ("1:9", "5", False),
        ("5", "1:9", False),
        ("1:*", "1", False),
        ("5:*", "1", False),
        ("1", "5:*", False),
        ("*", "1", False),
        ("*", "*", False),
        ("$", "1", False),
        ("1", "$", False),
        ("4294967295", "1", True),
    ],
)
@pytest.mark.parametrize("uid", [False, True], ids=["numbers", "uids"])
def test_number_sets_are_sent_together_if_no_message_can_be_in_both(
    queue: Queue, first: str, second: str, together: bool, uid: bool
) -> None:
    queue.add("one", "A", about=numbers(first, uid=uid))
    queue.add("two", "A", about=numbers(second, uid=uid))
    assert queue.ready() == ("one two" if together else "one")
    queue.send("one")
    queue.land("one")
    assert queue.ready() == "two"
    queue.finish()


@pytest.mark.parametrize("uids_first", [False, True])
def test_message_numbers_and_uids_are_not_compared(queue: Queue, uids_first: bool) -> None:
    queue.add("one", "A", about=numbers("1", uid=uids_first))
    queue.add("two", "A", about=numbers("2", uid=not uids_first))
    assert queue.ready() == "one"
    queue.finish()


def test_behind_a_set_that_waits_later_ones_of_its_name_wait(queue: Queue) -> None:
    queue.add("one", "A", about=numbers("1:5"))
    queue.add("meets", "A", about=numbers("5:9"))
    queue.add("free", "A", about=numbers("20"))
    assert queue.ready() == "one"
    queue.send("one")
    queue.land("one")
    assert queue.ready() == "meets free"
    queue.finish()


KINDS: dict[str, Any] = {
    "text": "x",
    "a pair": ("x", "y"),
    "a number": 5,
    "a set": numbers("1"),
    "a set of UIDs": numbers("1", uid=True),
}


@pytest.mark.parametrize("first", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("second", KINDS.values(), ids=KINDS)
def test_subjects_of_two_types_are_not_compared(queue: Queue, first: Any, second: Any) -> None:
    """Two families await one response, and each knows its own type only."""
    queue.add("first", "A", about=first)
    queue.add("second", "A", about=second)
    queue.add("other lane", "B", about=second)
    assert queue.ready() == "first other lane"
    queue.send("first")
    assert queue.ready() == "other lane"
    queue.land("first")
    assert queue.ready() == "other lane second"


def test_a_type_is_forgotten_with_its_last_command(queue: Queue) -> None:
    queue.add("a", "A", about="x")
    queue.add("b", "A", about="y")
    queue.add("c", "A", about=5)
    queue.add("d", "A", about=6)
    queue.send("a", "b")
    queue.land("a")
    assert queue.ready() == ""
    queue.land("b")
    assert queue.ready() == "c d"
    queue.finish()


def test_ranges_that_have_landed_are_free_again(queue: Queue) -> None:
    for round_ in range(3):
        for low in (7, 1, 4):
            queue.add(f"{round_}.{low}", "A", about=numbers(f"{low}:{low + 2},{low + 20}"))
        assert len(queue.ready().split()) == 3, round_
        queue.finish()


def test_a_withdrawn_command_at_the_head_of_the_tail_lets_the_next_one_pass_at_once(queue: Queue) -> None:
    queue.add("one", "A", about="x")
    queue.add("any", "A")
    queue.add("two", "A", about="y")
    queue.send("one")
    assert queue.ready() == ""
    queue.withdraw("any")
    assert queue.ready() == "two", "while one is still in flight"
    queue.finish()


def test_a_withdrawn_command_in_the_middle_of_the_tail_is_passed_over(queue: Queue) -> None:
    for word in ("one", "any", "another"):
        queue.add(word, "A")
    queue.add("two", "A", about="y")
    queue.withdraw("any")
    queue.send("one")
    queue.land("one")
    assert queue.ready() == "another"
    queue.finish()


def test_a_granted_command_that_is_withdrawn_leaves_its_lane(queue: Queue) -> None:
    queue.add("one", "A")
    queue.add("two", "A")
    queue.withdraw("one")
    assert queue.ready() == "two"
    queue.finish()


def test_a_command_of_two_lanes_needs_both(queue: Queue) -> None:
    queue.add("a", "A")
    queue.add("b", "B")
    queue.add("both", "A", "B")
    queue.send("a", "b")
    queue.land("a")
    assert queue.ready() == ""
    queue.land("b")
    assert queue.ready() == "both"
    queue.finish()


def test_a_command_that_holds_one_lane_and_waits_for_another_frees_the_first_when_withdrawn(queue: Queue) -> None:
    queue.add("b", "B")
    queue.add("both", "A", "B")
    queue.add("a", "A")
    queue.send("b")
    assert queue.ready() == "", "both has the lane A"
    queue.withdraw("both")
    assert queue.ready() == "a"
    queue.finish()


# what one call alone awaits


def test_calls_that_add_a_name_follow_one_another_whatever_they_ask_for(queue: Queue) -> None:
    queue.add("one", "A", about="x", awaits=("A", "B"))
    queue.add("two", "A", about="y", awaits=("A", "B"))
    queue.add("plain", "A", about="z")
    queue.add("other", "B", about="x")
    assert queue.ready() == "one plain"
    queue.send("one", "plain")
    queue.land("one")
    assert queue.ready() == "two"
    queue.send("two")
    queue.land("two")
    assert queue.ready() == "other"
    queue.finish()


def test_a_call_does_not_wait_for_names_of_its_command_that_it_does_not_await(queue: Queue) -> None:
    queue.add("one", "A", awaits=("B",))
    queue.add("two", "A")
    assert queue.ready() == "one two"
    queue.finish()


def test_a_call_with_an_added_name_frees_its_lanes_when_it_is_withdrawn(queue: Queue) -> None:
    queue.add("one", "A", about="x", awaits=("A", "B"))
    queue.add("two", "A", about="y", awaits=("B", "A"))
    queue.add("three", "B")
    queue.withdraw("two")
    queue.withdraw("one")
    assert queue.ready() == "three"
    queue.finish()


def test_a_name_that_a_call_awaits_twice_is_one_name(queue: Queue) -> None:
    queue.add("one", awaits=("A", "A"))
    assert queue.ready() == "one"
    queue.finish()


# sequence numbers that cannot be used


@pytest.mark.parametrize(
    ("numbering", "why"),
    [(Numbering.MOVING, "may change at any time now"), (Numbering.ABSENT, "the server does not use now")],
)
def test_a_command_with_sequence_numbers_is_refused_while_they_cannot_be_used(numbering: Numbering, why: str) -> None:
    driver = Driver()
    driver.engine.session.numbering = numbering
    request = driver.submit("XFETCH", "1", "FLAGS")
    assert driver.pump() == b""
    assert isinstance(request.defect, StateError)
    assert str(request.defect) == f"XFETCH names message sequence numbers, which {why}; nothing was sent: use UIDs"
    by_uid = driver.send("XFETCH", "1", "FLAGS", uid=True)
    assert by_uid.sent
    driver.end(by_uid)
    driver.engine.session.numbering = Numbering.STABLE
    assert driver.send("XFETCH", "1", "FLAGS").sent


def test_a_queued_command_with_sequence_numbers_is_refused_as_well_when_they_move_before_its_turn() -> None:
    driver = Driver()
    driver.send("XFETCH", "1", "FLAGS")
    queued = driver.submit("XFETCH", "1", "FLAGS")
    [first] = driver.engine.flight.pending.values()
    driver.engine.session.numbering = Numbering.MOVING
    driver.end(first)
    assert driver.pump() == b""
    assert isinstance(queued.defect, StateError)
    assert driver.engine.idle


def test_tls_makes_the_numbers_stable() -> None:
    driver = Driver()
    driver.engine.session.numbering = Numbering.MOVING
    driver.engine.distrust()
    assert driver.engine.session.numbering is Numbering.STABLE


# resources


def reads(*names: str) -> Callable[[tuple[Any, ...], bool], tuple[str, ...]]:
    return lambda args, uid: names


def test_readers_follow_the_last_writer_and_overlap(queue: Queue) -> None:
    queue.add("save", writes=("$",))
    queue.add("one", reads=reads("$"))
    queue.add("two", reads=reads("$"))
    queue.add("other")
    assert queue.ready() == "save other"
    queue.send("save", "other")
    assert queue.ready() == ""
    queue.land("save")
    assert queue.ready() == "one two"
    queue.finish()


def test_a_writer_follows_the_readers_before_it_and_no_reader_passes_it(queue: Queue) -> None:
    queue.add("one", reads=reads("$"))
    queue.add("save", writes=("$",))
    queue.add("two", reads=reads("$"))
    queue.add("context", writes=("x",))
    assert queue.ready() == "one context"
    queue.send("one")
    queue.land("one")
    assert queue.ready() == "context save"
    queue.finish()


def test_a_command_may_read_and_write_a_resource(queue: Queue) -> None:
    queue.add("one", reads=reads("$"), writes=("$",))
    queue.add("two", reads=reads("$"), writes=("$",))
    assert queue.ready() == "one"
    queue.finish()


def test_a_withdrawn_writer_lets_the_readers_behind_it_pass(queue: Queue) -> None:
    queue.add("one", reads=reads("$"))
    queue.add("save", writes=("$",))
    queue.add("two", reads=reads("$"))
    queue.withdraw("save")
    assert queue.ready() == "one two"
    queue.finish()


# counting


@pytest.mark.parametrize("end", [Queue.land, Queue.withdraw])
def test_queued_commands_are_counted(queue: Queue, end: Callable[[Queue, str], None]) -> None:
    assert queue.gate.empty
    queue.add("a", "A")
    queue.add("b", "A")
    assert queue.gate.queued == 2
    if end is Queue.land:
        queue.send("a")
        assert queue.gate.queued == 1
    end(queue, "a")
    assert queue.gate.queued == 1
    queue.finish()
    assert queue.gate.queued == queue.gate.live == 0
