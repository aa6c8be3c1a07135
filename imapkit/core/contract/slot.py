"""A family's own state of a connection, and what resets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

__all__ = ["Reset", "Slot", "Slots"]

T = TypeVar("T")
Reset: TypeAlias = Literal["select", "login", "close"]
"""Until when a value is kept: until a mailbox is selected or left, until the user changes, until the connection ends."""
_ENDS: dict[str, tuple[str, ...]] = {"select": ("select",), "login": ("select", "login"), "close": ("select", "login", "close")}


class Slot(Generic[T]):
    """The place of one value in a session: ``SEEN = Slot("myfamily.seen", make=set, until="select")``, at module level.

    ``session.slot(SEEN)`` is the value, which ``make()`` has made when it was first asked for; ``session.put(SEEN, value)`` sets
    it. ``until`` says when it is forgotten: "select" at each change of the mailbox, "login" at each change of the user, "close"
    with the connection. When TLS begins, all are forgotten.
    """

    __slots__ = ("make", "name", "until")

    def __init__(self, name: str, make: Callable[[], T], until: Reset = "close") -> None:
        if until not in _ENDS:
            raise TypeError(f'Slot {name}: until={until!r} is none of "select", "login" and "close"')
        if not callable(make):
            raise TypeError(f"Slot {name}: make={make!r} is no function: write dict, or lambda: value")
        self.name, self.make, self.until = name, make, until

    def __repr__(self) -> str:
        return f"<Slot {self.name}, until {self.until}>"


class Slots:
    """The values of one session."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[Slot[Any], Any] = {}

    def get(self, slot: Slot[T]) -> T:
        """The value; a new one if there is none."""
        if slot not in self._values:
            # ``setdefault``: two threads may ask at once, and both must get one value.
            return cast(T, self._values.setdefault(slot, slot.make()))
        return cast(T, self._values[slot])

    def put(self, slot: Slot[T], value: T) -> None:
        """Set the value."""
        self._values[slot] = value

    def reset(self, event: Reset) -> None:
        """Forget what is kept until then only; "close" forgets all."""
        self._values = {slot: value for slot, value in self._values.items() if slot.until not in _ENDS[event]}
