"""Arguments into what goes over the wire; RFC 3501 sections 4 and 9.

Nothing reaches the wire but through ``encode``. A command names the kind of each argument (``Command.args``): a function that
takes the caller's value and returns a token, or raises ``ArgumentError``.

Bytes pass as they are. Text between ``'...'`` becomes the bytes between the quotes before its kind sees it, unless the kind is
``verbatim``. Other text passes as it is between ``"..."`` or ``(...)``; else it is quoted if it holds what an atom may not,
and becomes a literal if it is 8-bit or long. CR, LF and NUL are refused everywhere but in a literal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from imapkit.core.grammar.kinds import is_optional, keeps_quotes, takes_none
from imapkit.core.grammar.strings import ascii_bytes, general
from imapkit.core.wire.pieces import FORBIDDEN, Piece, Token, check_end, check_piece, joined
from imapkit.errors import ArgumentError

__all__ = ["as_it_is", "encode", "no_arguments", "parenthesized", "quotes_removed", "written"]


def as_it_is(value: Any) -> Any:
    """``value``; of text between single quotes, what stands between them, as bytes: every kind sends bytes as they are.

    Raises ``ArgumentError`` for what is not ASCII there, and for what cannot be sent in a command line.
    """
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == "'":
        return ascii_bytes(value[1:-1], "text between single quotes")
    return value


def quotes_removed(kinds: Sequence[Any], args: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    """The arguments of the command called ``name``, each ``as_it_is`` unless its kind is ``verbatim``."""
    for value in args:
        if isinstance(value, str) and value[:1] == "'":
            return tuple([_as_it_is(kinds, i, value, name) for i, value in enumerate(args)])
    return args


def _as_it_is(kinds: Sequence[Any], i: int, value: Any, name: str) -> Any:
    try:
        return value if i < len(kinds) and keeps_quotes(kinds[i]) else as_it_is(value)
    except ArgumentError as exc:
        raise ArgumentError(f"{name}: argument {i + 1}: {exc}") from None


def parenthesized(tokens: Iterable[Token]) -> tuple[Piece, ...]:
    """``"(" [token *(SP token)] ")"``."""
    return (b"(", *joined(list(tokens)), b")")


def no_arguments(args: tuple[Any, ...]) -> tuple[()]:
    """The ``rest`` of a command that takes none."""
    if args:
        raise ArgumentError(f"takes no arguments, not {len(args)}")
    return ()


class Additions(Protocol):
    """What options of other families add to a command: ``core.contract.option`` makes it."""

    @property
    def before(self) -> Mapping[int, Sequence[Token]]: ...

    @property
    def inside(self) -> Mapping[int, Sequence[Token]]: ...

    @property
    def behind(self) -> Sequence[Token]: ...


def encode(kinds: Sequence[Any], rest: Any, args: tuple[Any, ...], name: str, additions: Additions | None = None) -> list[Piece]:
    """The pieces of a whole command: its name and its arguments, ready but for the tag and the form of literals."""
    if not args and not kinds and rest in (None, no_arguments) and additions is None:
        return [name.encode("ascii")]
    tokens: list[Token] = [name.encode("ascii")]
    if not kinds and rest is None:
        kinds = (general,) * len(args)
    if len(args) < len(kinds) or (rest is None and len(args) > len(kinds)):
        raise ArgumentError(f"{name} takes {len(kinds)} arguments, not {len(args)}")
    args = quotes_removed(kinds, args, name)
    for i, (kind, value) in enumerate(zip(kinds, args, strict=False)):
        if additions is not None:
            tokens += additions.before.get(i, ())
        if value is not None or takes_none(kind):
            token = written(kind, value, name, i)
            tokens.append(token if additions is None else _with_more(token, additions.inside.get(i, ())))
        elif not is_optional(kind):
            raise ArgumentError(f"{name}: argument {i + 1}: it is None, and cannot be left out")
    if additions is not None:
        tokens += additions.before.get(len(kinds), ())
    if rest is not None:
        tokens += _rest(rest, args[len(kinds) :], name, len(kinds))
    if additions is not None:
        tokens += additions.behind
    return _checked(joined(tokens), name)


def _with_more(token: Token, more: Sequence[Token]) -> Token:
    """A list in parentheses with more at its end."""
    if not more:
        return token
    if not isinstance(token, bytes) or token[-1:] != b")":
        raise ArgumentError(f"no option can be added to {token!r:.80}, which is no list")
    return (token[:-1], b" ", *joined(list(more)), b")")


def written(kind: Any, value: Any, name: str, i: int) -> Token:
    """One argument of the command ``name``, the ``i``-th one, as its kind writes it. Raises ``ArgumentError``."""
    try:
        token: Token = kind(value)
    except ArgumentError as exc:
        raise ArgumentError(f"{name}: argument {i + 1}: {exc}") from None
    return token


def _rest(rest: Any, args: tuple[Any, ...], name: str, before: int) -> list[Token]:
    missing = [i for i, value in enumerate(args) if value is None]
    if missing and not is_optional(rest):
        raise ArgumentError(f"{name}: argument {before + missing[0] + 1}: it is None, and cannot be left out")
    try:
        return list(rest(args))
    except ArgumentError as exc:
        raise ArgumentError(f"{name}: {exc}") from None


def _checked(pieces: list[Piece], name: str) -> list[Piece]:
    """The pieces. Raises ``ArgumentError`` if they are not one command: a family's own kinds are not trusted."""
    for piece in pieces:
        if type(piece) is not bytes or FORBIDDEN.search(piece):
            check_piece(piece, name)
    check_end(pieces[-1], name)
    return pieces
