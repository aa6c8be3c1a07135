"""The rules of RFC 3501 section 5.5 by brute force: which two commands must not be in flight together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imapkit.core.contract.call import Call
from imapkit.core.engine.lanes import Queued
from imapkit.core.wire.numbers import NumberSet

__all__ = ["TAGGED", "check_sent", "clash"]

TAGGED = frozenset(("TAGGED",))
"""The responses that name the tag of their command."""


def _alike(one: Any, other: Any) -> bool:
    """Whether answers about one and about the other might be taken for each other."""
    if one is None or other is None:
        return True
    if isinstance(one, NumberSet) and isinstance(other, NumberSet):
        return not one.isdisjoint(other)
    return type(one) is not type(other) or bool(one == other)


def _subject(call: Call, name: str) -> Any:
    """What a call asks for in responses of one name: nothing in one that its command does not await by itself."""
    known = name in call.command.result or (name.startswith("[") and call.command.matches_code is not None)
    return call.about if known else None


def clash(one: Call, other: Call) -> str:
    """Why two commands must not be in flight together, in whatever order; "" if they may."""
    if one.command.exclusive or other.command.exclusive:
        return "exclusive"
    if set(one.writes) & set(other.resources) or set(other.writes) & set(one.resources):
        return "a resource"
    if (one.seqnums and other.expunges) or (other.seqnums and one.expunges):
        return "sequence numbers beside EXPUNGE"
    if any(
        _alike(_subject(one, name), _subject(other, name)) for name in one.awaits if name in other.awaits and name not in TAGGED
    ):
        return "ambiguous"
    return ""


def check_sent(command: Queued, flying: Iterable[Queued], earlier: Iterable[Queued]) -> None:
    """``command`` begins to be sent: no command in flight and no earlier one in the queue may clash with it."""
    for other in flying:
        why = clash(command.call, other.call)
        # EXPUNGE may come behind numbers that have been sent: the server answers in terms of what the client knew.
        allowed = why.startswith("sequence") and not (command.call.seqnums and other.call.expunges)
        assert not why or allowed, (why, command, other)
    for other in earlier:
        assert not clash(command.call, other.call), ("overtakes", command, other)
