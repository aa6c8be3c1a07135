"""Commands that a program chooses by name: known ones in a form that their kinds do not know are sent as given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from imapkit.core.contract.command import Command
from imapkit.core.grammar.encode import encode
from imapkit.core.grammar.keys import SearchKey, key_pieces
from imapkit.core.grammar.strings import program, raw
from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire.pieces import Literal, Piece, Token
from imapkit.core.wire.source import Source, is_file
from imapkit.errors import ArgumentError

__all__ = ["as_given", "is_extended"]

_NAME = late_pattern(r"[A-Z][A-Z0-9.\-]*+\Z")
_LIST = late_pattern(r"\(.*\)\Z")
_NAMED_LIST = late_pattern(r"[A-Z][A-Z0-9.\-]*+ \(")


def is_extended(command: Command, args: tuple[Any, ...], *, uid: bool) -> bool:
    """Whether the arguments are those of an extension of a command.

    There are more than its kinds, or fewer; or its kinds refuse, or would write otherwise, a list in parentheses or a name
    before one ("RETURN (COUNT)"). A mailbox name may look like these: quoted it is written as it should be.
    """
    if not (args and (command.args or command.rest)):
        return False
    if len(args) < len(command.args) or (command.rest is None and len(args) > len(command.args)):
        return True
    texts = [value for value in args if isinstance(value, str)]
    named = [value for value in texts if _NAMED_LIST.match(value)]
    lists = [value for value in texts if _LIST.match(value)]
    pairs = [f"{one} {two}" for one, two in pairwise(texts) if two in lists and _NAME.match(one)]
    if not (named or lists or pairs):
        return False
    # A stream can be read only once, when it is sent.
    args = tuple([b"" if is_file(value) else value for value in args])
    try:
        line = _line(encode(command.args, command.rest, args, command.name))
    except ArgumentError:
        return True
    whole = pairs if uid else [*pairs, *lists]
    return not (all(_stands_in(value, line, b" ") for value in whole) and all(_stands_in(value, line, b"") for value in named))


def _stands_in(value: str, line: bytes, edge: bytes) -> bool:
    return not value.isascii() or edge + value.encode("ascii") + edge in line + b" "


def _line(pieces: list[Piece]) -> bytes:
    """The command line itself, with CR for each literal."""
    return b"".join([piece if isinstance(piece, bytes) else b"\r" for piece in pieces])


def as_given(command: Command) -> Command:
    """The same command, whose arguments are all sent as given; it is exclusive, and awaits the same responses."""
    return replace(command, args=(), rest=_all_as_given, words=None, exclusive=True, subject=None, matches=None, matches_all=None)


def _all_as_given(args: tuple[Any, ...]) -> Iterator[Token]:
    return map(_one_as_given, args)


def _one_as_given(value: Any) -> Token:
    """Text and literals as they are, except quoted strings with 8-bit text, which become literals; ``""`` for an empty text."""
    if isinstance(value, (Literal, Source)):
        return value
    if isinstance(value, SearchKey):
        return key_pieces(value)
    if isinstance(value, str):
        return program(value) if value else b'""'
    return raw(value)
