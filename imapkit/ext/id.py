"""The family ``id``: the names of client and server, RFC 2971."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, TypeVar, Unpack

from imapkit.errors import ArgumentError, ParseError
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Cursor,
    Defect,
    Family,
    Piece,
    Reply,
    Response,
    Result,
    State,
    Token,
    TypedCommands,
    Wire,
    astring_or_nil,
    command,
    encode_text,
    ended,
    hookimpl,
    members,
    program,
    quoted_string,
    raw,
    record,
)

__all__ = ["IdCommands", "IdSession", "Identity", "imapkit_family"]

F = TypeVar("F")

MOST_PAIRS, LONGEST_FIELD, LONGEST_VALUE = 30, 30, 1024
"""RFC 2971 section 3.3: how many pairs may be sent, and the bytes of each."""


class IdCommands(Commands):
    """Send the client's name and version, and ask for the server's."""

    def id(self, *kv_pairs: Any, **options: Unpack[CallOptions]) -> Result:
        """Send the client's name and version, and ask for the server's; RFC 2971 section 3.1; capability ID; any state.

        The data is the server's list as it wrote it, ``b"NIL"``, or ``[None]`` if it sent none; parsed: ``Identity``, or None for
        NIL. With NO the data is its text. Raises ``BadResponse`` if the server does not support the command, and
        ``ArgumentError`` for a field without a value, for one given twice, and beyond the limits of RFC 2971 section 3.3: 30
        pairs, 30 bytes in a field, 1024 in a value.

        ``kv_pairs``: fields and their values in turn ("name", "mine", "version", "1.0"), or one mapping: text, bytes or an
        ``int``; a value may be None for NIL. Single quotes around them are sent too. A single text, such as '("name" "mine")',
        is sent unchanged, except for single quotes around it. Without arguments, or with one empty text, NIL is sent. Servers of
        NetEase (163.com, 126.com) refuse SELECT before they have received an ID with fields.
        """
        return self._call("ID", _one(kv_pairs), **options)


def _one(kv_pairs: tuple[Any, ...]) -> Any:
    """The arguments as one value, since an argument that is None would be left out."""
    only = kv_pairs[0] if len(kv_pairs) == 1 else kv_pairs
    return "NIL" if only is None or (isinstance(only, (str, bytes, bytearray, tuple)) and not only) else only


class IdSession(TypedCommands[F]):
    """Send the client's name and version, and ask for the server's."""

    @command
    async def id(self, /, **fields: str | None) -> dict[str, str | None]:
        """Send the client's name and version, and return the server's fields; RFC 2971 section 3.1; capability ID; any state.

        ``client.id(name="mine", version="1.0")["name"]``. The server's fields are by name in lower case; None is NIL. Without
        ``fields`` NIL is sent. Raises ``Missing``, and sends nothing, if the server has no ID, and ``ArgumentError`` beyond the
        limits of RFC 2971 section 3.3: 30 fields, 30 bytes in a name, 1024 in a value.
        """
        await self._require("ID", "id()")
        return await Wire("ID", fields, parse=_fields)


def _fields(reply: Reply) -> dict[str, str | None]:
    found: list[Identity | None] = reply.values("ID")
    return found[-1].text() if found and found[-1] is not None else {}


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
        encoded = _encoded(name, "a field", LONGEST_FIELD)
        if encoded.lower() in seen:
            raise ArgumentError(f"field {name!r} is given twice")
        seen.add(encoded.lower())
        pieces += (b" " if pieces else b"(", _string(encoded), b" ")
        pieces.append(b"NIL" if value is None else _string(_encoded(value, f"the value of {name!r}", LONGEST_VALUE)))
    return (*pieces, b")") if pieces else b"NIL"


def _encoded(value: Any, what: str, longest: int) -> bytes:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, (str, bytes, bytearray, memoryview)):
        raise ArgumentError(f"{what} must be text or bytes, not {type(value).__name__}")
    encoded = encode_text(value, "utf-8") if isinstance(value, str) else memoryview(value).tobytes()
    if len(encoded) > longest:
        raise ArgumentError(f"{what} may have {longest} bytes, not {len(encoded)}")
    if bad := _FORBIDDEN.search(encoded):
        raise ArgumentError(f"{bad.group()!r} at byte {bad.start()} of {what}: it cannot be sent in a command line")
    return encoded


def _string(encoded: bytes) -> Piece:
    made = quoted_string(encoded)
    assert not isinstance(made, tuple)
    return made


# The response


def id_response(cursor: Cursor) -> Identity | None:
    """``id_response ::= "ID" SPACE id_params_list``; None for NIL. An atom in place of a string is read and noted."""
    if cursor.peek() != b"(":
        if cursor.nstring() is not None:
            raise cursor.error("( or NIL")
        return None
    cursor.expect(b"(")
    # The keys are in lower case: names are not case-sensitive.
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
    """An ID response: ``fields`` as sent; their names are not case-sensitive (RFC 2971 section 3.3).

    ``defects`` has what could not be read.
    """

    fields: Mapping[bytes, bytes | None] = field(hash=False)
    defects: tuple[Defect, ...] = ()

    def get(self, name: str) -> str | None:
        """The value of a field as text; None if it is NIL or missing."""
        return self.text().get(name.lower())

    def text(self) -> dict[str, str | None]:
        """All fields as text, with names in lower case; bytes that are not UTF-8 become PEP 383 surrogates."""
        return {_decoded(name).lower(): None if value is None else _decoded(value) for name, value in self.fields.items()}


def _decoded(sent: bytes) -> str:
    return sent.decode("utf-8", "surrogateescape")


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 2971."""
    return Family(
        name="id",
        mixin=IdCommands,
        session=IdSession,
        commands=(Command("ID", State.ANY, args=(id_params,), result=("ID",)),),
        capabilities=("ID",),
        responses={"ID": Response(id_response)},
        requires=("rev1",),
        contract=2,
    )
