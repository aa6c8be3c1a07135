"""The family ``id``: who the client is, and who the server is: RFC 2971."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Unpack

from imapkit.errors import ArgumentError, ParseError
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Cursor,
    Defect,
    Family,
    Piece,
    Response,
    Result,
    State,
    Token,
    astring_or_nil,
    encode_text,
    ended,
    hookimpl,
    members,
    program,
    quoted_string,
    raw,
    record,
)

__all__ = ["IdCommands", "Identity", "imapkit_family"]

MOST_PAIRS, LONGEST_FIELD, LONGEST_VALUE = 30, 30, 1024
"""RFC 2971 section 3.3: how many pairs may be sent, and the octets of each."""


class IdCommands(Commands):
    """Telling who we are, and asking who the server is."""

    def id(self, *kv_pairs: Any, **options: Unpack[CallOptions]) -> Result:
        """Tell the server who the client is, and ask who the server is; RFC 2971 section 3.1; capability ID; any state.

        ``kv_pairs``: fields and their values in turn ("name", "mine", "version", "1.0"), or one mapping of them: text, octets or
        an ``int``; a value also None for NIL; single quotes around them are sent, too. One text alone, such as
        '("name" "mine")', is sent as it is, without single quotes around it. Nothing is told (NIL) if there are none, or
        if the one text is empty. Servers of NetEase (163.com, 126.com) refuse SELECT until they have been told.

        The data is the server's list as it wrote it, ``b"NIL"``, or ``[None]`` if it sent none; parsed: ``Identity``, or None for
        NIL. With NO the data is its text. Raises ``ArgumentError`` for a field without a value, for one given twice, and beyond
        the limits of RFC 2971 section 3.3: 30 pairs, 30 octets in a field, 1024 in a value; ``BadResponse`` where the command is
        not known.
        """
        return self._call("ID", _one(kv_pairs), **options)


def _one(kv_pairs: tuple[Any, ...]) -> Any:
    """The arguments as one: an argument that is None would be left out."""
    only = kv_pairs[0] if len(kv_pairs) == 1 else kv_pairs
    return "NIL" if only is None or (isinstance(only, (str, bytes, bytearray, tuple)) and not only) else only


# On the wire

_FORBIDDEN = re.compile(rb"[\r\n\0]")


def id_params(value: Any) -> Token:
    """``id_params_list ::= "(" #(string SPACE nstring) ")" / nil``, RFC 2971 section 4."""
    if isinstance(value, str):
        return program(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return raw(value)
    if isinstance(value, Mapping):
        return _list(list(value.items()))
    if not isinstance(value, Iterable):
        raise ArgumentError(f"takes fields and values, not {type(value).__name__}")
    flat = list(value)
    if len(flat) % 2:
        raise ArgumentError(f"a field without a value: {flat[-1]!r:.40}")
    return _list(list(zip(flat[::2], flat[1::2], strict=True)))


def _list(pairs: list[tuple[Any, Any]]) -> Token:
    if len(pairs) > MOST_PAIRS:
        raise ArgumentError(f"at most {MOST_PAIRS} fields may be sent, not {len(pairs)}")
    pieces: list[Piece] = []
    seen: set[bytes] = set()
    for name, value in pairs:
        octets = _octets(name, "a field", LONGEST_FIELD)
        if octets.lower() in seen:
            raise ArgumentError(f"field {name!r} is given twice")
        seen.add(octets.lower())
        pieces += (b" " if pieces else b"(", _string(octets), b" ")
        pieces.append(b"NIL" if value is None else _string(_octets(value, f"the value of {name!r}", LONGEST_VALUE)))
    return (*pieces, b")") if pieces else b"NIL"


def _octets(value: Any, what: str, longest: int) -> bytes:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, (str, bytes, bytearray, memoryview)):
        raise ArgumentError(f"{what} must be text or octets, not {type(value).__name__}")
    octets = encode_text(value, "utf-8") if isinstance(value, str) else memoryview(value).tobytes()
    if len(octets) > longest:
        raise ArgumentError(f"{what} may have {longest} octets, not {len(octets)}")
    if bad := _FORBIDDEN.search(octets):
        raise ArgumentError(f"{bad.group()!r} at byte {bad.start()} of {what}: it cannot be sent in a command line")
    return octets


def _string(octets: bytes) -> Piece:
    made = quoted_string(octets)
    assert not isinstance(made, tuple)
    return made


# The response


def id_response(cursor: Cursor) -> Identity | None:
    """``id_response ::= "ID" SPACE id_params_list``; what is no pair is a ``Defect``, and so is an atom, which is read."""
    if cursor.peek() != b"(":
        if cursor.nstring() is not None:
            raise cursor.error("( or NIL")
        return None
    cursor.expect(b"(")
    # By name in lower case: names are not case-sensitive.
    pairs: dict[bytes, tuple[bytes, bytes | None]] = {}

    def pair(cursor: Cursor) -> None:
        """``string SPACE nstring``."""
        start = cursor.mark()
        name = astring_or_nil(cursor, "ID: a field")
        cursor.sp()
        value = _value(cursor)
        if name is None:
            return
        if name.lower() in pairs:
            cursor.tolerate("ID: a field twice", cursor.since(start))
        pairs.setdefault(name.lower(), (name, value))

    list(members(cursor, "ID", pair, values=2))
    ended(cursor, "ID: more after the )")
    return Identity(dict(pairs.values()), tuple(cursor.defects))


def _value(cursor: Cursor) -> bytes | None:
    """``nstring``; an atom is noted, and its text is the value."""
    start = cursor.mark()
    try:
        return cursor.nstring()
    except ParseError:
        cursor.reset(start)
        atom = cursor.astring()
        cursor.tolerate("ID: a value without quotes", atom)
        return atom


# Data


@record
class Identity:
    """What a program says of itself: ``fields``, as they came. Their names are not case-sensitive, RFC 2971 section 3.3.

    What could not be read is in ``defects``.
    """

    fields: Mapping[bytes, bytes | None] = field(hash=False)
    defects: tuple[Defect, ...] = ()

    def get(self, name: str) -> str | None:
        """The value of a field, readable; None if it is NIL or not there."""
        return self.text().get(name.lower())

    def text(self) -> dict[str, str | None]:
        """All fields, readable, with their names in lower case; octets that are not UTF-8 as PEP 383 has them."""
        return {_decoded(name).lower(): None if value is None else _decoded(value) for name, value in self.fields.items()}


def _decoded(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 2971."""
    return Family(
        name="id",
        mixin=IdCommands,
        commands=(Command("ID", State.ANY, args=(id_params,), result=("ID",)),),
        capabilities=("ID",),
        responses={"ID": Response(id_response)},
        requires=("rev1",),
    )
