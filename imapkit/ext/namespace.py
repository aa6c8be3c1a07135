"""The family ``namespace``: the prefixes of mailbox names, RFC 2342."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TypeVar, Unpack

from imapkit.errors import ParseError
from imapkit.plugin import (
    CallOptions,
    Command,
    Commands,
    Cursor,
    Defect,
    Family,
    MailboxName,
    Reply,
    Response,
    Result,
    State,
    TypedCommands,
    Wire,
    astring_or_nil,
    command,
    decode_bytes,
    ended,
    hookimpl,
    members,
    no_arguments,
    pass_over,
    record,
)

__all__ = ["Namespace", "NamespaceCommands", "NamespaceSession", "Namespaces", "imapkit_family"]

F = TypeVar("F")


class NamespaceCommands(Commands):
    """Ask for the prefixes of mailbox names."""

    def namespace(self, **options: Unpack[CallOptions]) -> Result:
        """Ask for the prefixes of the user's own mailboxes, other users' and shared ones; RFC 2342; capability NAMESPACE.

        Section 5. States: authenticated, selected. The data is the response as the server wrote it, such as
        ``b'(("" "/")) NIL (("Public Folders/" "/"))'``; ``data.parsed()`` has one ``Namespaces``, whose prefixes can be passed to
        ``list``. With NO the data is its text. Raises ``BadResponse`` if the server does not support the command, and ``abort``
        if it ends the connection instead, as Exchange 2003 does.
        """
        return self._call("NAMESPACE", **options)


class NamespaceSession(TypedCommands[F]):
    """Ask for the prefixes of mailbox names."""

    @command
    async def namespaces(self) -> Namespaces:
        """The prefixes of the user's own mailboxes, of other users' and of shared ones; RFC 2342 section 5; capability NAMESPACE.

        States: authenticated, selected. Raises ``Missing``, and sends nothing, if the server has no NAMESPACE.
        """
        await self._require("NAMESPACE", "namespaces()")
        return await Wire("NAMESPACE", parse=_found)


def _found(reply: Reply) -> Namespaces:
    found: list[Namespaces] = reply.values("NAMESPACE")
    return reply.one(found, "NAMESPACE")


# The response: RFC 2342 section 6


def namespace_response(cursor: Cursor) -> Namespaces:
    """``Namespace_Response = "*" SP "NAMESPACE" SP Namespace SP Namespace SP Namespace``; missing ones count as NIL."""
    if cursor.at_end():
        raise cursor.error("Namespace")
    personal, other, shared = (_namespaces(cursor, kind) for kind in ("personal", "other users'", "shared"))
    ended(cursor, "NAMESPACE: more after the end")
    return Namespaces(personal, other, shared, tuple(cursor.defects))


def _namespaces(cursor: Cursor, kind: str) -> tuple[Namespace, ...] | None:
    """``Namespace = nil / "(" 1*( "(" ... ")" ) ")"``; one that cannot be read becomes a ``Defect``, the others are read."""
    cursor.spaces()
    if cursor.at_end():
        cursor.tolerate(f"NAMESPACE: no {kind} namespaces", b"")
        return None
    if not cursor.try_(b"("):
        _nil(cursor, kind)
        return None
    return tuple(members(cursor, f"NAMESPACE: {kind}", _namespace))


def _nil(cursor: Cursor, kind: str) -> None:
    start = cursor.mark()
    try:
        if cursor.nstring() is None:
            return
    except ParseError:
        pass_over(cursor)
    cursor.tolerate(f"NAMESPACE: {kind}: expected ( or NIL", cursor.since(start))


def _namespace(cursor: Cursor) -> Namespace:
    """``"(" string SP (<"> QUOTED_CHAR <"> / nil) *(Namespace_Response_Extension) ")"``.

    An extension that cannot be read becomes a ``Defect``.
    """
    cursor.expect(b"(")
    prefix = cursor.name(astring_or_nil(cursor, "NAMESPACE: a prefix") or b"")
    cursor.sp()
    delimiter = cursor.nstring() or None
    extensions: dict[bytes, tuple[bytes, ...]] = {}

    def extension(cursor: Cursor) -> None:
        """``Namespace_Response_Extension = SP string SP "(" string *(SP string) ")"``."""
        start = cursor.mark()
        name = cursor.astring()
        cursor.sp()
        cursor.expect(b"(")
        values: list[bytes] = []
        while not cursor.try_(b")"):
            cursor.spaces()
            values.append(cursor.astring())
        if name in extensions:
            cursor.tolerate("NAMESPACE: an extension twice", cursor.since(start))
        extensions.setdefault(name, tuple(values))

    list(members(cursor, "NAMESPACE: an extension", extension, values=2))
    return Namespace(prefix, delimiter, extensions)


# Data


@record
class Namespace:
    """The prefix of some mailbox names, and the delimiter of their levels.

    ``prefix`` can be passed to every command: ``imap.list(namespace.prefix, "%")``. ``extensions`` by name:
    ``{b"TRANSLATION": (b"Andere Ben&APw-tzer/",)}`` (RFC 5255 section 3.4).
    """

    prefix: MailboxName
    raw_delimiter: bytes | None
    extensions: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict, hash=False)

    @property
    def delimiter(self) -> str | None:
        """What separates the levels of the names; None if they have no levels."""
        return None if self.raw_delimiter is None else decode_bytes(self.raw_delimiter)

    @property
    def mailbox(self) -> str:
        """The prefix as text, from modified UTF-7 (RFC 3501 section 5.1.3) or UTF-8 (RFC 6855 section 3)."""
        return self.prefix.text


@record
class Namespaces:
    """The namespaces of the user's own mailboxes, of other users' and of shared ones; None without namespaces of a kind.

    ``defects`` has what could not be read.
    """

    personal: tuple[Namespace, ...] | None
    other: tuple[Namespace, ...] | None
    shared: tuple[Namespace, ...] | None
    defects: tuple[Defect, ...] = ()


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 2342."""
    return Family(
        name="namespace",
        mixin=NamespaceCommands,
        session=NamespaceSession,
        commands=(Command("NAMESPACE", State.LOGGED_IN, rest=no_arguments, result=("NAMESPACE",)),),
        capabilities=("NAMESPACE",),
        responses={"NAMESPACE": Response(namespace_response)},
        requires=("rev1",),
        contract=2,
    )
