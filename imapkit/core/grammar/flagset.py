"""The flags of a message as a set of text; RFC 3501 section 2.3.2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

__all__ = ["Flags"]


class Flags(frozenset[str]):
    r"""The flags of a message, as text as they were sent; ``"\\Seen" in flags`` ignores case, as RFC 3501 section 2.3.2 wants.

    ``Flags(["\\Seen", "$Forwarded"])``; bytes are decoded. Everything else is a ``frozenset``'s, and distinguishes case.
    """

    __slots__ = ("_folded",)
    _folded: frozenset[str]

    def __new__(cls, flags: Iterable[str | bytes] = ()) -> Flags:
        """The set of these flags. Raises ``TypeError`` for one text, which is no list of flags, and for what is no text."""
        if isinstance(flags, (str, bytes, bytearray, memoryview)):
            raise TypeError("give an iterable of flags, not one text")
        made = super().__new__(cls, map(_text, flags))
        made._folded = frozenset(map(str.lower, made))
        return made

    @classmethod
    def from_wire(cls, flags: tuple[bytes, ...]) -> Flags:
        """The flags as a FETCH response has them. The same object for the same flags, as long as one is in use."""
        known = _KNOWN.get(flags)
        return known if known is not None else _KNOWN.setdefault(flags, cls(flags))

    if TYPE_CHECKING:
        # (mypy would take ``message.flags == {"\\Seen"}`` for a mistake: it knows only the builtin sets to be comparable.)
        def __eq__(self, other: object) -> bool: ...
        def __hash__(self) -> int: ...

    def __contains__(self, flag: object) -> bool:
        return isinstance(flag, (str, bytes)) and _text(flag).lower() in self._folded

    def __reduce__(self) -> tuple[Any, ...]:
        return Flags, (list(self),)


#   A mailbox of 100,000 messages has a few dozen combinations. Weak, so that nothing of a server outlives its messages.
_KNOWN: WeakValueDictionary[tuple[bytes, ...], Flags] = WeakValueDictionary()


def _text(flag: str | bytes) -> str:
    """A flag as text; bytes that are not UTF-8 become surrogates (PEP 383)."""
    if isinstance(flag, bytes):
        return flag.decode("utf-8", "surrogateescape")
    if not isinstance(flag, str):
        raise TypeError(f"a flag is text or bytes, not {type(flag).__name__}")
    return flag
