"""Old names of attributes and arguments go on working, with a warning that says what to write."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from imapkit import Limits
from imapkit.core.wire.response import Stray
from imapkit.plugin import Command, State
from imapkit.testing import Vector

OLD: Any = {"about": len, "stored_octets": 7, "answers_octets": 8}
VECTOR = Vector("rain", "weather", b"* X-WEATHER Bremen 14\r\n", {})
STRAY = Stray("", None, (b"Server Unavailable. 15",))


def command(**fields: Any) -> Command:
    return Command("XMINE", State.ANY, **fields)


@pytest.mark.parametrize(
    ("made", "read", "new", "value"),
    [
        (command(subject=len), lambda made: made.about, "Command.about is an old name: write subject", len),
        (Limits(), lambda made: made.stored_octets, "Limits.stored_octets is an old name: write stored_bytes", 32 << 20),
        (Limits(), lambda made: made.answers_octets, "Limits.answers_octets is an old name: write answers_bytes", 16 << 30),
        (VECTOR, lambda made: made.octets, "Vector.octets is an old name: write wire", VECTOR.wire),
        (STRAY, lambda made: made.odd, "Untagged.odd is an old name: write defect", "a line that is no IMAP response"),
    ],
    ids=["about", "stored_octets", "answers_octets", "octets", "odd"],
)
def test_an_attribute_is_read_by_its_old_name(made: Any, read: Callable[[Any], Any], new: str, value: Any) -> None:
    with pytest.warns(DeprecationWarning, match=f"^{new}$") as warned:
        assert read(made) == value
    assert warned[0].filename == __file__, "the warning names the line of the program"


@pytest.mark.parametrize("old", list(OLD))
@pytest.mark.parametrize("way", ["made", "replaced"])
def test_an_argument_is_given_by_its_old_name(old: str, way: str) -> None:
    start, new = (command(), "subject") if old == "about" else (Limits(stored_bytes=1, answers_bytes=1), old[:-6] + "bytes")
    make: Any = partial(replace, start) if way == "replaced" else command if old == "about" else Limits
    with pytest.warns(DeprecationWarning, match=f"{old} is an old name: write {new}$"):
        made = make(**{old: OLD[old]})
    assert getattr(made, new) == OLD[old]


def test_new_names_raise_no_warning_and_an_unknown_one_is_refused() -> None:
    assert replace(Limits(stored_bytes=5), answers_bytes=6) == Limits(answers_bytes=6, stored_bytes=5)
    with pytest.raises(TypeError, match="stored_bits"):
        Limits(stored_bits=1)  # type: ignore[call-arg]


def test_the_signature_has_the_new_names_alone() -> None:
    assert {"stored_bytes", "answers_bytes"} < inspect.signature(Limits).parameters.keys()
    assert not OLD.keys() & (inspect.signature(Limits).parameters.keys() | inspect.signature(Command).parameters.keys())
