"""Bytes that the other side has acknowledged since the last look, and whose command they are."""

from __future__ import annotations

from typing import Any

import pytest

from imapkit.core.threads.uplink import Uplink


class Link:
    """A transport whose system holds ``held`` bytes."""

    def __init__(self) -> None:
        self.held = 0

    def unsent(self) -> int:
        """See ``Transport``."""
        return self.held


@pytest.fixture
def link() -> Link:
    return Link()


@pytest.fixture
def uplink(link: Link) -> Uplink:
    transport: Any = link
    return Uplink(transport)


def test_nothing_was_written(uplink: Uplink) -> None:
    assert [uplink.look(moment, 1.0) for moment in (0.0, 0.5, 1.0)] == [0, 0, 0]


def test_bytes_that_the_other_side_takes_are_progress_of_their_command(link: Link, uplink: Uplink) -> None:
    uplink.note(1000, 7)
    link.held = 1000
    assert uplink.look(0.5, 1.0) == 0
    link.held = 400
    assert uplink.look(1.0, 1.0) == 7
    assert uplink.look(1.5, 1.0) == 0, "no more since then"
    link.held = 0
    assert uplink.look(2.0, 1.0) == 7, "the last ones, too"
    assert uplink.look(2.5, 1.0) == 0


def test_bytes_that_are_only_held_are_none(link: Link, uplink: Uplink) -> None:
    for number in range(1, 5):
        uplink.note(100, number)
        link.held += 100
        assert uplink.look(number / 2, 1.0) == 0


def test_an_old_acknowledgement_is_no_progress_of_now(link: Link, uplink: Uplink) -> None:
    assert uplink.look(0.0, 1.0) == 0
    uplink.note(100, 1)
    uplink.note(100, 2)
    link.held = 100
    assert uplink.look(60.0, 1.0) == 0
    assert uplink.look(60.5, 1.0) == 0
    link.held = 0
    assert uplink.look(61.0, 1.0) == 2


def test_while_a_large_piece_is_on_its_way_it_is_progress_of_that(link: Link, uplink: Uplink) -> None:
    """Commands behind it lie in the system, too."""
    uplink.look(0.0, 1.0)
    uplink.begin_large(3)
    uplink.note(1_000_000, 3)
    link.held = 900_000
    assert uplink.look(0.5, 1.0) == 3, "not all of it has been taken yet"
    uplink.note(1_000_000, 3)
    uplink.end_large()
    uplink.note(20, 4)
    link.held = 500_020
    assert uplink.look(1.0, 1.0) == 3
    link.held = 10
    assert uplink.look(1.5, 1.0) == 3, "its end came with the rest"
    link.held = 0
    assert uplink.look(2.0, 1.0) == 4
