"""Each scheme of imapkit can be switched off: it is not used then, and the client does its work all the same."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from bench.__main__ import main
from bench.ablations import lines
from bench.clients.imapkit import Client
from bench.schemes import SCHEMES, switch_off
from bench.servers import Where, canned
from bench.worker import Run
from bench.works import WORKS

ROOT = Path(__file__).parents[2]
Sign = Callable[[FrameType, str, Any], bool]
_TRIES = 50


def calls(name: str) -> Sign:
    """A function of this qualified name is called."""
    return lambda frame, event, _: event == "call" and frame.f_code.co_qualname == name


def given(name: str, argument: str, suits: Callable[[Any], bool]) -> Sign:
    """It is called with such an argument."""
    called = calls(name)
    return lambda frame, event, told: called(frame, event, told) and suits(frame.f_locals[argument])


def uses(name: str, builtin: str) -> Sign:
    """It calls a function that is written in C."""
    return lambda frame, event, told: event == "c_call" and frame.f_code.co_qualname == name and told.__name__ == builtin


def by_caller(sign: Sign) -> Sign:
    """The same, on the main thread."""
    return lambda *seen: threading.get_ident() == threading.main_thread().ident and sign(*seen)


def holds_back(frame: FrameType) -> bool:
    """Whether this is where what may leave does not, as much is in flight."""
    flight = frame.f_locals["self"].flight if frame.f_code.co_qualname == "Outbound.next" else None
    return flight is not None and bool(flight.gate.ready) and 128 <= len(flight.pending) < 1000


SIGNS: dict[str, tuple[Sign, bool]] = {
    "inline": (by_caller(calls("Reader.read_once")), True),
    "pause": (uses("Reader._wait", "sleep"), True),
    "low": (lambda frame, event, told: event == "return" and told is None and holds_back(frame), True),
    "joined": (given("Courier._try", "out", lambda out: len(out.commands) > 1), True),
    "lone_lines": (calls("Outbound._lone_line"), True),
    "own_sends": (calls("Courier._try"), True),
    "batches": (given("Engine.receive", "batch", lambda batch: len(batch) > 1), True),
    "quickack": (uses("_Socket.acknowledge", "setsockopt"), True),
    "reads": (given("_PlainSocket.read", "size", lambda size: size > 1 << 16), True),
    "poll": (given("_PlainSocket.ready", "seconds", lambda seconds: seconds > 1000), True),
    "cut": (calls("Framer._cut"), True),
    "last_quote": (calls("is_surely_closed"), True),
    "runs": (calls("Framer.pop_run"), True),
    "literal_runs": (calls("Framer.pop_literals"), True),
    "plain_items": (calls("_plain_items"), True),
    "whole_envelopes": (calls("whole_envelope"), True),
    "usual_dates": (calls("_note_guess"), False),
    "whole_bodies": (calls("whole_body"), True),
}
"""What is seen while a scheme is used; or while it is not, with False."""
STARTS = {"late_patterns": "late_pattern", "lean": "lean_dataclass.<locals>.define", "scan": "_distributions"}
"""Functions of schemes that are used before there is a client."""
AT_THE_START = [name for name in SCHEMES if name not in SIGNS]
SIZES = {"noops_pipelined": 400, "big": 1_000_000, "flags": 3000}


@pytest.fixture(scope="module")
def where() -> Iterator[Where]:
    with canned() as where:
        yield where


def seen(sign: Sign, work: Callable[[], object]) -> bool:
    """Do the work, and say whether there was the sign, on any thread that it starts, too."""
    found: list[bool] = []

    def look(frame: FrameType, event: str, told: Any) -> None:
        if not found and sign(frame, event, told):
            found.append(True)

    threading.setprofile(look)
    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return bool(found)


def do(where: Where, name: str) -> None:
    """A little of the first work in which the scheme should show; what it comes to is checked."""
    # (Those that idle would stay.)
    work = WORKS["noops" if name == "poll" else SCHEMES[name].works[0]]
    size = SIZES.get(work.name, work.small)
    place = {"host": where.host, "port": where.port, "user": where.user, "password": where.password, "cafile": None}
    getattr(Client(), work.does)(Run(place | {"compress": False, "mailbox": f"{work.mailbox}-{size}", "size": size}))


@pytest.mark.parametrize("name", [name for name in SCHEMES if name not in AT_THE_START])
def test_a_scheme_is_not_used_once_it_is_switched_off(name: str, where: Where, monkeypatch: pytest.MonkeyPatch) -> None:
    sign, is_used = SIGNS[name]

    def once() -> bool:
        return seen(sign, lambda: do(where, name))

    def at_last() -> bool:
        # Whether answers come together is the machine's affair.
        return any(once() for _ in range(_TRIES))

    if is_used:
        assert at_last()
        switch_off(name, monkeypatch.setattr)
        assert not once()
    else:
        assert not once()
        switch_off(name, monkeypatch.setattr)
        assert at_last()


_START = """
import sys
called = set()
sys.setprofile(lambda frame, event, _: called.add(frame.f_code.co_qualname))
from bench.schemes import switch_off
for name in sys.argv[2:]:
    switch_off(name)
import imapkit
print(imapkit.IMAP4.noop.__name__, sys.argv[1] in called)
"""


@pytest.mark.parametrize("name", AT_THE_START)
def test_a_scheme_of_the_start_is_not_used_once_it_is_switched_off(name: str) -> None:
    for switched, expected in (([], "noop True"), ([name], "noop False")):
        argv = [sys.executable, "-c", _START, STARTS[name], *switched]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=50)
        assert (done.stdout.strip(), done.stderr) == (expected, "")


def test_a_scheme_that_has_run_is_not_switched_off() -> None:
    with pytest.raises(RuntimeError, match="before imapkit is imported"):
        switch_off("lean")


def test_a_name_that_is_no_scheme_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--without", "nosuch"])
    assert "nosuch" in capsys.readouterr().err
    with pytest.raises(KeyError):
        switch_off("nosuch")


def test_the_schemes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"  {name} " in said and scheme.what in said for name, scheme in SCHEMES.items())


@pytest.mark.parametrize(
    ("without", "verdict"),
    [([20.0, 21.0], "0.51 | 0.50 | 0.67 | buys a tenth"), ([10.5, 11.0], "0.98 | 0.95 | 1.25 | **less than a tenth**"),
     ([10.5, 16.0], "0.79 | 0.95 | 0.75 | not clear")],
)  # fmt: skip
def test_a_scheme_is_judged_by_a_tenth(without: list[float], verdict: str) -> None:
    medians = sum(without) / 2
    row = {
        "imapkit": {"wall": 10.5, "cpu": 6.0, "rounds": [10.0, 11.0]},
        "imapkit without runs": {"wall": medians, "cpu": {20.5: 9.0, 10.75: 4.8, 13.25: 8.0}[medians], "rounds": without},
    }
    run = {"tables": {"canned, plain": {"flags": row}}, "sizes": {"canned, plain": {"flags": 500}}}
    *_, line = lines(run)
    shown = f"{medians:.4g} ms ({without[0]:g} to {without[1]:g})"
    assert line == f"| runs | canned, plain: FETCH of 500 rows of flags, raw | 10.5 ms (10 to 11) | {shown} | {verdict} |"


@pytest.mark.heavy
def test_imapkit_is_measured_with_a_scheme_and_without(tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    argv = ["--small", "--servers", "canned", "--layers", "plain", "--without", "all", "--json", str(kept)]
    done = subprocess.run([sys.executable, "-m", "bench", *argv], cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    table = json.loads(kept.read_text())["tables"]["canned, plain"]
    measured = {client.removeprefix("imapkit without ") for row in table.values() for client in row} - {"imapkit"}
    assert measured == set(SCHEMES)
    assert all(f"| {name} | canned, plain: " in done.stdout for name in SCHEMES)
