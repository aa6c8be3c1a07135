"""Flags as a set of text, and the roles of mailboxes."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import Any

import pytest

from imapkit import Flags, Role


def made(flags: Any) -> Any:
    """A set that may be compared with anything, for type checkers."""
    return Flags(flags)


def test_in_ignores_case() -> None:
    flags = made(["\\Seen", "$Forwarded"])
    assert "\\Seen" in flags
    assert "\\seen" in flags
    assert b"\\SEEN" in flags
    assert "$forwarded" in flags
    assert "\\Draft" not in flags
    assert 7 not in flags


def test_it_is_a_frozenset_of_text() -> None:
    flags = made([b"\\Seen", "a", "a"])
    assert flags == {"\\Seen", "a"}
    assert hash(flags) == hash(frozenset(flags))
    assert flags | {"b"} == {"\\Seen", "a", "b"}
    assert flags - {"a"} == {"\\Seen"}
    assert Flags() == frozenset()
    assert Flags(frozenset(flags)) == flags
    for twin in (copy.copy(flags), copy.deepcopy(flags), pickle.loads(pickle.dumps(flags))):
        assert twin == flags
        assert "\\SEEN" in twin


def test_bytes_that_are_no_utf8_are_kept() -> None:
    [flag] = Flags([b"caf\xe9"])
    assert flag.encode("utf-8", "surrogateescape") == b"caf\xe9"
    assert b"CAF\xe9" in made([b"caf\xe9"])
    assert made(["caf\u00e9".encode()]) == {"caf\u00e9"}


@pytest.mark.parametrize("value", ["\\Seen", b"\\Seen", [7], [None], 7])
def test_what_is_no_list_of_flags(value: Any) -> None:
    with pytest.raises(TypeError):
        Flags(value)


def test_the_same_flags_are_one_object_while_they_are_in_use() -> None:
    one = Flags.from_wire((b"\\Seen", b"x-in-use"))
    assert Flags.from_wire((b"\\Seen", b"x-in-use")) is one
    assert Flags.from_wire((b"x-in-use", b"\\Seen")) == one
    assert Flags.from_wire((b"\\SEEN", b"x-in-use")) is not one


def test_nothing_of_a_server_outlives_its_messages() -> None:
    class Sent(bytes):
        """Bytes whose life can be watched."""

    kept = Sent(b"x-a-secret")
    flags = Flags.from_wire((kept,))
    assert any((kept,) == held for held in gc.get_referrers(kept))
    del flags
    gc.collect()
    assert not any(isinstance(held, tuple) and held == (kept,) for held in gc.get_referrers(kept))


def test_roles() -> None:
    assert {role.name: role.value for role in Role} == {
        "ALL": "\\All",
        "ARCHIVE": "\\Archive",
        "DRAFTS": "\\Drafts",
        "FLAGGED": "\\Flagged",
        "JUNK": "\\Junk",
        "SENT": "\\Sent",
        "TRASH": "\\Trash",
        "IMPORTANT": "\\Important",
    }
    assert Role("\\sent") is Role("\\SENT") is Role.SENT
    others: list[Any] = ["\\Noselect", "Sent", "", 7]
    for other in others:
        with pytest.raises(ValueError, match="is not a valid Role"):
            Role(other)
