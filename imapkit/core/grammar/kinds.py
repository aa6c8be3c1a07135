"""Kinds of arguments, and the marks a kind may have: its argument may be None, its text keeps its single quotes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

from imapkit.core.wire.pieces import Token

__all__ = ["Kind", "Operands", "is_optional", "keeps_quotes", "nilable", "optional", "takes_none", "verbatim", "without_optional"]

_Kind = TypeVar("_Kind", bound=Callable[..., Any])


class Kind(Protocol):
    """How one argument is written: takes what the caller gave, returns a token, or raises ``ArgumentError``."""

    def __call__(self, value: Any, /) -> Token: ...


Operands: TypeAlias = Mapping[str, tuple[Kind, ...]]
"""The kinds of what follows each word that families have added to the arguments of a command: see ``Command.words``."""


class _Optional:
    """A kind whose argument may be None."""

    __slots__ = ("__wrapped__", "verbatim")

    def __init__(self, kind: Callable[..., Any]) -> None:
        self.__wrapped__ = kind
        self.verbatim = keeps_quotes(kind)

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self.__wrapped__(*args, **named)

    def __repr__(self) -> str:
        return f"optional({self.__wrapped__!r})"


def optional(kind: _Kind) -> _Kind:
    """The same kind, for an argument that may be None: ``Command(args=(mailbox, optional(flags), message))``.

    Such an argument is left out of the command if it is None; of any other kind, None raises ``ArgumentError``. An optional
    ``rest`` gets None like every other value, and decides what it means.
    """
    return _Optional(kind)  # type: ignore[return-value]


def is_optional(kind: Any) -> bool:
    """Whether an argument of this kind may be None."""
    while kind is not None and type(kind) is not _Optional:
        # The registry has bound the operands of other families to it.
        kind = getattr(kind, "func", None)
    return kind is not None


def without_optional(kind: Any) -> Any:
    """The kind that was given to ``optional``; any other is as it is."""
    while type(kind) is _Optional:
        kind = kind.__wrapped__
    return kind


def verbatim(kind: _Kind) -> _Kind:
    """Mark a kind whose text keeps single quotes around it: a password, a message. For a function: ``@verbatim``."""
    kind.verbatim = True  # type: ignore[attr-defined]
    return kind


def nilable(kind: _Kind) -> _Kind:
    """Mark a kind that writes None itself, as NIL, so that such an argument is not left out."""
    kind.nilable = True  # type: ignore[attr-defined]
    return kind


def takes_none(kind: Any) -> bool:
    """Whether a kind is ``nilable``."""
    return bool(getattr(kind, "nilable", False))


def keeps_quotes(kind: Any) -> bool:
    """Whether a kind is ``verbatim``."""
    return bool(getattr(kind, "verbatim", False))
