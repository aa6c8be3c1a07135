from __future__ import annotations

import random
import threading
import time
from functools import partial
from math import inf
from typing import Any

import pytest

from imapkit.core.gate import Gate, _clash
from imapkit.core.request import Request
from imapkit.errors import ConnectionClosed
from tests.core.support import call


def make(name: str, *args: Any, uid: bool = False) -> Request:
    return Request(call(name, *args, uid=uid), timeout=None, window=60)


def fetch(numbers: str, *, uid: bool = False) -> Request:
    return make("XFETCH", numbers, "FLAGS", uid=uid)


def status(name: str) -> Request:
    return make("XSTATUS", name)


def goes(gate: Gate, request: Request) -> bool:
    """Whether the request gets the turn at once; it gives it back then, and is in flight."""
    if gate.enter(request) is not None:
        return False
    gate.leave(request)
    return True


PING, LIST, SEARCH = partial(make, "XPING"), partial(make, "XLIST"), partial(make, "XSEARCH")
EXPUNGE, OPEN = partial(make, "XEXPUNGE"), partial(make, "XOPEN")


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (PING(), PING(), True),
        (fetch("1"), fetch("2"), True),
        (fetch("1:3"), fetch("4:6"), True),
        (fetch("1:3"), fetch("3"), False),
        (fetch("1:*"), fetch("1"), False),
        (fetch("5"), fetch("5", uid=True), False),
        (fetch("5", uid=True), fetch("6", uid=True), True),
        (status("a"), status("b"), True),
        (status("a"), status("a"), False),
        (status("a"), fetch("1"), False),  # STATUS may bring EXPUNGE, and "1" would be another message then
        (fetch("1"), SEARCH(), True),
        (LIST(), LIST(), False),
        (SEARCH(), SEARCH(), False),
        (LIST(), status("a"), True),
        (EXPUNGE(), fetch("1"), False),
        (EXPUNGE(), SEARCH(), False),
        (EXPUNGE(), LIST(), True),
        (OPEN(), PING(), False),
        (fetch("7", uid=True), SEARCH(), False),  # UID commands may bring EXPUNGE
    ],
    ids=lambda value: repr(value.call) if isinstance(value, Request) else value,
)
def test_what_may_be_in_flight_together(one: Request, other: Request, together: bool) -> None:
    for first, second in ((one, other), (other, one)):
        gate = Gate()
        assert goes(gate, first)
        # RFC 3501 section 5.5 forbids sequence numbers after what may expunge; before it they are safe.
        latch = gate.enter(second)
        safe_order = first.call.seqnums and second.call.expunges and not _clash_but_for_expunges(first, second)
        assert (latch is None) == (together or safe_order)
        gate.close(ConnectionClosed("gone"))
    assert _clash(one.call, other.call) == (not together)


def _clash_but_for_expunges(one: Request, other: Request) -> bool:
    common = set(one.call.command.result) & set(other.call.command.result)
    return bool(common) or one.call.command.exclusive or other.call.command.exclusive


def test_the_writer_holds_everybody_back() -> None:
    gate = Gate()
    first, second = make("XPING"), make("XPING")
    assert gate.enter(first) is None
    assert gate.writer is first
    latch = gate.enter(second)
    assert latch is not None
    assert latch.locked()
    gate.leave(first)
    assert gate.writer is second
    assert not latch.locked()
    gate.leave(first)
    assert gate.writer is second, "only its own writer gives a turn back"


def test_an_exclusive_command_waits_for_an_empty_pipeline_and_holds_back_the_rest() -> None:
    gate = Gate()
    flying, opener, later = make("XPING"), make("XOPEN", "a"), make("XPING")
    assert goes(gate, flying)
    assert gate.enter(opener) is not None
    assert gate.enter(later) is not None
    gate.land(flying)
    assert gate.writer is opener
    gate.leave(opener)
    assert gate.writer is None
    gate.land(opener)
    assert gate.writer is later


def test_who_does_not_clash_overtakes_and_who_does_keeps_its_place() -> None:
    gate = Gate()
    first, second, third, other = fetch("1"), fetch("1"), fetch("1"), fetch("2")
    assert goes(gate, first)
    assert gate.enter(second) is not None
    assert gate.enter(third) is not None
    assert gate.enter(other) is None
    gate.leave(other)
    gate.land(first)
    assert gate.writer is second
    gate.leave(second)
    gate.land(second)
    assert gate.writer is third


def test_withdraw_lets_the_next_one_out() -> None:
    gate = Gate()
    flying, opener, later = make("XPING"), make("XOPEN", "a"), make("XPING")
    assert goes(gate, flying)
    gate.enter(opener)
    gate.enter(later)
    assert gate.withdraw(opener)
    assert not gate.withdraw(opener)
    assert gate.writer is later
    assert not gate.withdraw(later), "it has been given the turn"


def test_land_is_once() -> None:
    gate = Gate()
    one, other = make("XLIST"), make("XLIST")
    assert goes(gate, one)
    gate.land(one)
    gate.land(one)
    assert goes(gate, other)
    assert not goes(gate, make("XLIST"))


def test_interruptible() -> None:
    gate = Gate()
    ping = make("XPING")
    assert goes(gate, ping)
    assert gate.interruptible() is None
    gate.land(ping)
    stay = make("XSTAY")
    assert goes(gate, stay)
    assert gate.interruptible() is stay
    stay.complete = True
    assert gate.interruptible() is None


def test_close_fails_who_waited() -> None:
    gate, reason = Gate(), ConnectionClosed("gone")
    assert gate.enter(make("XPING")) is None
    waiting = make("XPING")
    latch = gate.enter(waiting)
    gate.close(reason)
    assert waiting.aborted is reason
    assert latch is not None
    assert not latch.locked()
    assert not gate.waiting


def test_who_gets_the_turn_late_is_not_overdue() -> None:
    """It has waited longer than it may be silent, and its thread has not woken yet."""
    gate = Gate()
    first, second = make("XPING"), make("XPING")
    assert gate.enter(first) is None
    assert gate.enter(second) is not None
    second.progress -= 2 * second.window
    gate.leave(first)
    assert gate.writer is second
    assert gate.overdue(time.monotonic())[0] is None


@pytest.mark.parametrize("step", ["_fly", "_count", "_let_out"])
def test_whoever_is_interrupted_as_he_lets_another_one_out_sets_it_right(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    gate = Gate()
    leaving, waiting = make("XPUT", "a", b"x"), make("XOPEN")
    assert gate.enter(leaving) is None
    latch = gate.enter(waiting)
    assert latch is not None
    gate.land(leaving)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gate, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            gate.leave(leaving)
    gate.recount()
    assert gate.writer is waiting
    assert not latch.locked()
    assert not gate.waiting
    gate.leave(waiting)
    assert gate.enter(make("XPING")) is not None, "it flies alone"


def test_many_single_fetches_cost_the_same_each() -> None:
    gate = Gate()
    for number in range(1, 3001):
        assert goes(gate, fetch(str(number)))
    assert not goes(gate, fetch("1500"))


def _random_request(rng: random.Random) -> Request:
    kind = rng.randrange(8)
    low = rng.randint(1, 12)
    if kind <= 2:
        text = rng.choice([str(low), f"{low}:{low + rng.randint(0, 3)}", f"{low}:*", f"{low},{low + 2}"])
        return fetch(text, uid=kind == 2)
    names = ("XLIST", "XSEARCH", "XPING", "XEXPUNGE")
    return status(rng.choice("abc")) if kind == 3 else make(names[kind - 4])


def test_never_two_that_clash_and_everybody_gets_out(rng: random.Random) -> None:
    """The look-up of ``_free`` against the plain rule, over random traffic; nothing is starved."""
    gate = Gate()
    flying: list[Request] = []
    waiting: dict[Request, threading.Lock] = {}
    done = 0

    def admitted() -> None:
        while gate.writer is not None:
            writer = gate.writer
            waiting.pop(writer, None)
            common = [one for one in flying if set(one.call.command.result) & set(writer.call.command.result)]
            for one in flying:
                assert not (writer.call.seqnums and one.call.expunges)
                assert not any(request.call.command.exclusive for request in (one, writer))
            for one in common:
                assert not _clash(one.call, writer.call), (one.call, writer.call)
            flying.append(writer)
            gate.leave(writer)

    for _ in range(3000):
        if rng.random() < 0.5:
            request = _random_request(rng)
            latch = gate.enter(request)
            if latch is not None:
                waiting[request] = latch
        elif flying:
            gate.land(flying.pop(rng.randrange(len(flying))))
            done += 1
        admitted()
    while flying:
        gate.land(flying.pop(0))
        done += 1
        admitted()
    assert not waiting
    assert done > 500


def test_overdue_finds_who_is_late_or_when_the_first_will_be() -> None:
    gate = Gate()
    now = time.monotonic()
    assert gate.overdue(now) == (None, inf)
    soon, later = Request(call("XPING"), timeout=1, window=60), Request(call("XPING"), timeout=5, window=60)
    assert goes(gate, later)
    assert goes(gate, soon)
    late, earliest = gate.overdue(now)
    assert late is None
    assert earliest == soon.limit
    assert gate.overdue(now + 3)[0] is soon
    gate.land(soon)
    assert gate.overdue(now + 3) == (None, later.limit)


def test_what_is_answered_is_never_overdue() -> None:
    """Its deadline may be past while it is being taken out; a wait of a negative time must not come of it."""
    gate = Gate()
    request = Request(call("XPING"), timeout=1, window=60)
    assert goes(gate, request)
    request.complete = True
    assert gate.overdue(time.monotonic() + 3) == (None, inf)
