"""The family ``annotation``: ANNOTATEMORE, draft-daboo-imap-annotatemore-05, the predecessor of METADATA (RFC 5464).

Cyrus announces it if its ``annotation_enable_legacy_commands`` is on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, TypeVar, Unpack

from imapkit.errors import ArgumentError, ParseError
from imapkit.plugin import (
    CallOptions,
    Code,
    Command,
    Commands,
    Cursor,
    Defect,
    Family,
    Literal,
    MailboxName,
    OfMailbox,
    Piece,
    Reply,
    Response,
    Result,
    ServerString,
    State,
    Token,
    TypedCommands,
    Untagged,
    Wire,
    astring_or_nil,
    attempt,
    command,
    encode_text,
    hookimpl,
    is_about_mailbox,
    late_pattern,
    mailbox,
    mailbox_before,
    mailbox_key,
    mailbox_name,
    members,
    or_another_name,
    program,
    quoted_string,
    raw,
    record,
    unquote,
)

__all__ = ["Annotation", "AnnotationCommands", "AnnotationSession", "imapkit_family"]

F = TypeVar("F")

Name = str | bytes


class AnnotationCommands(Commands):
    """Commands of ANNOTATEMORE: notes on mailboxes, and, for the mailbox "", on the server.

    An *entry* has a path ("/comment") and *attributes*: "value.priv" is the user's own value, "value.shared" that of all users;
    "size.priv" and "size.shared" are their sizes in bytes.
    """

    def getannotation(self, mailbox: Name, entry: Any, attribute: Any, **options: Unpack[CallOptions]) -> Result:
        """Ask for annotations; draft-daboo-imap-annotatemore, "GETANNOTATION Command".

        Capability: ANNOTATEMORE; states: authenticated, selected. The data are the ANNOTATION responses; ``data.parsed()`` has a
        tuple of ``Annotation`` for each. With NO the data is its text. Raises ``ArgumentError`` without an entry or an attribute,
        and ``BadResponse`` if the server does not understand the command. ``mailbox``: may have the wildcards "*" and "%".
        ``entry`` and ``attribute``: a name, which may have wildcards too, an iterable of names, or text in ``"..."`` or
        ``(...)``, which is sent unchanged. "value" asks for "value.priv" and "value.shared".
        """
        return self._call("GETANNOTATION", mailbox, entry, attribute, **options)

    def setannotation(self, *args: Any, **options: Unpack[CallOptions]) -> Result:
        """Set or remove annotations: ``setannotation(mailbox, entry, attributes[, entry, attributes ...])``.

        draft-daboo-imap-annotatemore, "SETANNOTATION Command". Capability: ANNOTATEMORE; states: authenticated, selected. The
        data are the ANNOTATION responses, if the server sends any, else ``[None]``; with NO its text, which begins with
        ``[ANNOTATEMORE TOOBIG]`` if a value is too long. Raises ``ArgumentError`` for malformed entries or attributes, and
        ``BadResponse``. ``attributes``: a mapping such as ``{"value.priv": "mine", "value.shared": None}``, in which a value may
        have several lines and None removes one; an iterable of names and values in turn; or text, such as
        ``'("value.priv" "mine")'``, which is sent unchanged, as is an ``entry`` in ``"..."``. One text with all entries and
        attributes may also follow ``mailbox``.
        """
        return self._call("SETANNOTATION", *args, **options)


class AnnotationSession(TypedCommands[F]):
    """Read and write annotations; capability ANNOTATEMORE; states: authenticated, selected.

    Each method raises ``Missing``, and sends nothing, if the server has no ANNOTATEMORE, and ``NoResponse`` if it refuses.
    """

    @command
    async def annotation(
        self, mailbox: str | bytes, entry: str | Iterable[str], attribute: str | Iterable[str] = "value"
    ) -> tuple[Annotation, ...]:
        """The annotations of a mailbox, or, for "", of the server; draft-daboo-imap-annotatemore, "GETANNOTATION Command".

        ``entry`` and ``attribute``: names, which may have the wildcards "*" and "%"; "value" stands for "value.priv" and
        "value.shared". ``client.annotation("INBOX", "/comment")[0].text("value.priv")``
        """
        await self._require("ANNOTATEMORE", "annotation()")
        return await Wire("GETANNOTATION", mailbox, entry, attribute, parse=_annotations)

    @command
    async def set_annotation(self, mailbox: str | bytes, entry: str, attributes: Mapping[str, str | bytes | None]) -> None:
        """Set attributes of an entry; None removes one; draft-daboo-imap-annotatemore, "SETANNOTATION Command".

        ``client.set_annotation("INBOX", "/comment", {"value.priv": "mine"})``
        """
        await self._require("ANNOTATEMORE", "set_annotation()")
        await Wire("SETANNOTATION", mailbox, entry, attributes, parse=_nothing)


def _annotations(reply: Reply) -> tuple[Annotation, ...]:
    return tuple(each for found in reply.values("ANNOTATION") for each in found)


def _nothing(reply: Reply) -> None:
    """The result of a command that says no more than OK."""


# Responses


def annotation(cursor: Cursor) -> tuple[Annotation, ...]:
    """``annotate-data = "ANNOTATION" SP list-mailbox SP entry-list``.

    ``entry-list = entry-att *(SP entry-att) / "(" entry *(SP entry) ")"``, ``entry-att = entry SP "(" att-value *(SP att-value)
    ")"``: entries with their attributes, or, unasked, the names of changed entries. Both are read with and without parentheses.
    An entry that cannot be read becomes a ``Defect``.
    """
    name = cursor.name(_annotated(cursor))
    cursor.sp()
    is_open = cursor.try_(b"(")
    found: list[tuple[ServerString, dict[str, bytes | None] | None]] = []
    while not cursor.at_end():
        if is_open and cursor.try_(b")"):
            is_open = False
            continue
        cursor.spaces()
        found.extend(entry for entry in attempt(cursor, "ANNOTATION", _entry, values=2) if entry is not None)
    if is_open:
        cursor.tolerate("ANNOTATION: no ) at the end", b"")
    defects = tuple(cursor.defects)
    return tuple(Annotation(name, entry, attributes, defects) for entry, attributes in found)


def _annotated(cursor: Cursor) -> bytes:
    """``list-mailbox SP entry-list``."""
    return mailbox_before(cursor, _before_entries)


#   entry = string; its path begins with a slash. After an entry, a quoted attribute cannot be part of a name.
_ENTRY = late_pattern(rb'\(?+"?+/|(\(")', re.DOTALL)


def _before_entries(words: list[bytes]) -> int:
    """How many words the name has: all before the first entry; one if there is no entry."""
    for at, word in enumerate(words[1:], 1):
        if found := _ENTRY.match(word):
            return 1 if found.group(1) else at
    return 1


def annotatemore(cursor: Cursor) -> str:
    """``resp-text-code =/ "ANNOTATEMORE" SP ("TOOBIG" / "TOOMANY")``: a value is too long, or there are too many."""
    return cursor.keyword()


def _entry(cursor: Cursor) -> tuple[ServerString, dict[str, bytes | None] | None] | None:
    """``entry-att = entry SP "(" att-value *(SP att-value) ")"``, or ``entry`` alone; ``entry = string``; None if it is NIL."""
    entry = astring_or_nil(cursor, "ANNOTATION: an entry")
    cursor.spaces()
    attributes = _attributes(cursor) if cursor.try_(b"(") else None
    return None if entry is None else (ServerString(entry), attributes)


def _attributes(cursor: Cursor) -> dict[str, bytes | None]:
    """``att-value *(SP att-value) ")"``, ``att-value = attrib SP value``, ``attrib = string``, ``value = nstring``."""
    found: dict[str, bytes | None] = {}

    def attribute(cursor: Cursor) -> None:
        """``att-value = attrib SP value``."""
        start = cursor.mark()
        name = cursor.astring().decode("utf-8", "surrogateescape").lower()
        cursor.sp()
        value = cursor.nstring()
        if name in found:
            cursor.tolerate("ANNOTATION: an attribute twice", cursor.since(start))
        found.setdefault(name, value)

    list(members(cursor, "ANNOTATION attributes", attribute, values=2))
    return found


# Data


@record
class Annotation(OfMailbox):
    """One entry of an ANNOTATION response.

    ``name``, the mailbox's, and ``entry`` can be passed to every command; ``name`` is empty for an entry of the server.
    ``attributes`` has values by name in lower case, None for NIL. If ``attributes`` is None, the server has only reported that
    the entry changed.
    """

    name: MailboxName
    entry: ServerString
    attributes: Mapping[str, bytes | None] | None = field(hash=False)
    defects: tuple[Defect, ...] = ()

    @property
    def path(self) -> str:
        """The entry as text, such as "/vendor/cmu/cyrus-imapd/size"."""
        return self.entry.text

    def text(self, attribute: str) -> str | None:
        """The value of an attribute as text; None if it is missing."""
        value = (self.attributes or {}).get(attribute.lower())
        return None if value is None else value.decode("utf-8", "surrogateescape")


# Arguments and attribution


def strings(value: Any) -> Token:
    """``entries = entry-match / "(" entry-match *(SP entry-match) ")"``, ``entry-match = string``; ``attribs`` likewise.

    Cyrus refuses atoms for them.
    """
    if isinstance(value, str):
        return program(value) if _in_parentheses(value) else _string(value)
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview)):
        names = [_string(each) for each in value]
        if not names:
            raise ArgumentError("no name is given")
        return _list(names)
    return _string(value)


def entries_and_attributes(args: tuple[Any, ...]) -> Iterator[Token]:
    """``setentryatt = entry-att / "(" entry-att *(SP entry-att) ")"``, ``entry-att = entry SP attributes``."""
    if len(args) == 1:
        whole = program(args[0]) if isinstance(args[0], str) else (raw(args[0]),)
        if not (isinstance(whole[-1], bytes) and whole[-1].endswith(b")")):
            raise ArgumentError(f"not entries and attributes: {str(args[0])[:80]!r}")
        yield whole
        return
    if not args or len(args) % 2:
        raise ArgumentError("takes a mailbox, and attributes after each entry")
    tokens = [kind(value) for pair in zip(args[::2], args[1::2], strict=True) for kind, value in zip(_PAIR, pair, strict=True)]
    if len(tokens) > 2:
        yield _list(tokens)
    else:
        yield from tokens


def attributes(value: Any) -> Token:
    """``"(" att-value *(SP att-value) ")"``, ``att-value = attrib SP value``, ``attrib = string``, ``value = nstring``."""
    if isinstance(value, str):
        return program(value if _in_parentheses(value) else f"({value})")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return raw(value)
    if isinstance(value, Mapping):
        value = [word for pair in value.items() for word in pair]
    if not isinstance(value, Iterable):
        raise ArgumentError(f"attributes are a mapping, an iterable or text, not {type(value).__name__}")
    words = list(value)
    if not words or len(words) % 2:
        raise ArgumentError(f"not a value for each attribute: {words[:4]!r}")
    return _list([_value(word) if at % 2 else _string(word) for at, word in enumerate(words)])


def _in_parentheses(text: str) -> bool:
    return len(text) > 1 and text[0] == "(" and text[-1] == ")"


def _string(value: Any) -> Token:
    """``string``: text, with or without its quotes, is quoted; bytes are sent unchanged, except a ``ServerString``."""

    if isinstance(value, ServerString):
        return quoted_string(value)
    if not isinstance(value, str):
        return raw(value)
    inner = unquote(value)
    return quoted_string(value if inner is None else inner)


def _value(value: Any) -> Token:
    """``value = nstring``; every character is data, none is syntax."""
    if value is None:
        return b"NIL"
    if not isinstance(value, (str, bytes, bytearray, memoryview)):
        raise ArgumentError(f"a value is text, bytes or None, not {type(value).__name__}")
    encoded = encode_text(value, "utf-8") if isinstance(value, str) else memoryview(value).tobytes()
    if b"\0" in encoded:
        raise ArgumentError(f"NUL at byte {encoded.index(0)} of a value")
    return Literal(encoded) if b"\r" in encoded or b"\n" in encoded else quoted_string(encoded)


def _list(tokens: list[Token]) -> tuple[Piece, ...]:
    """``"(" ... ")"`` around tokens that are separated by spaces."""
    pieces: list[Piece] = [b"("]
    for at, token in enumerate(tokens):
        if at:
            pieces.append(b" ")
        pieces += token if type(token) is tuple else [token]  # type: ignore[arg-type, list-item]
    return (*pieces, b")")


_PAIR = (strings, attributes)


def about_one_mailbox(args: tuple[Any, ...], uid: bool) -> str | None:
    """The subject of a command, its mailbox; None if it has wildcards."""
    name = mailbox_name(args[0])
    return None if b"*" in name or b"%" in name else mailbox_key(name)


def is_about_one_mailbox(subject: str, response: Untagged) -> bool | str | None:
    """Whether an ANNOTATION response is about that mailbox.

    Servers send entries without values unasked. One with values may be the answer even if the server spells the name differently.
    """
    verdict = is_about_mailbox(subject, response, _annotated)
    return or_another_name(subject, verdict) if verdict is not False or response.once(_has_values) else False


def _has_values(response: Untagged) -> bool:
    cursor = Cursor(response.parts)
    try:
        _annotated(cursor)
        cursor.sp()
        cursor.try_(b"(")
        cursor.astring()
        cursor.spaces()
        return cursor.try_(b"(")
    except ParseError:
        return False


_ANSWERED: dict[str, Any] = {"result": ("ANNOTATION",), "subject": about_one_mailbox, "matches": is_about_one_mailbox}
COMMANDS = (
    Command("GETANNOTATION", State.LOGGED_IN, args=(mailbox, strings, strings), **_ANSWERED),
    Command("SETANNOTATION", State.LOGGED_IN, args=(mailbox,), rest=entries_and_attributes, **_ANSWERED),
)


@hookimpl
def imapkit_family() -> Family:
    """The family of ANNOTATEMORE: draft-daboo-imap-annotatemore."""
    return Family(
        name="annotation",
        mixin=AnnotationCommands,
        session=AnnotationSession,
        commands=COMMANDS,
        capabilities=("ANNOTATEMORE",),
        responses={"ANNOTATION": Response(annotation)},
        codes={"ANNOTATEMORE": Code(annotatemore)},
        requires=("rev1",),
        contract=2,
    )
