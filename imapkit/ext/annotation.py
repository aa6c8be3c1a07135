"""The family ``annotation``: ANNOTATEMORE, draft-daboo-imap-annotatemore-05; servers now have METADATA (RFC 5464) beside it.

Cyrus announces it where its ``annotation_enable_legacy_commands`` is on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Unpack

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
    Response,
    Result,
    ServerString,
    State,
    Token,
    Untagged,
    astring_or_nil,
    attempt,
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

__all__ = ["Annotation", "AnnotationCommands", "imapkit_family"]

Name = str | bytes


class AnnotationCommands(Commands):
    """Commands of ANNOTATEMORE: notes on mailboxes, and, for the mailbox "", on the server.

    An *entry* has a path ("/comment"); its value is found in an *attribute*: "value.priv" is one's own, "value.shared" is
    everybody's, "size.priv" and "size.shared" count octets.
    """

    def getannotation(self, mailbox: Name, entry: Any, attribute: Any, **options: Unpack[CallOptions]) -> Result:
        """Ask for annotations; draft-daboo-imap-annotatemore, "GETANNOTATION Command".

        Capability: ANNOTATEMORE; states: authenticated, selected. ``mailbox``: may have the wildcards "*" and "%". ``entry`` and
        ``attribute``: a name, which may have wildcards too, an iterable of names, or text between ``"..."`` or ``(...)``, which
        passes as it is. "value" asks for "value.priv" and "value.shared". The data are the ANNOTATION responses;
        ``data.parsed()`` has a tuple of ``Annotation`` for each. With NO the data is its text. Raises ``ArgumentError`` if
        nothing is asked for, and ``BadResponse`` for what the server does not understand.
        """
        return self._call("GETANNOTATION", mailbox, entry, attribute, **options)

    def setannotation(self, *args: Any, **options: Unpack[CallOptions]) -> Result:
        """Set or remove annotations: ``setannotation(mailbox, entry, attributes[, entry, attributes ...])``.

        draft-daboo-imap-annotatemore, "SETANNOTATION Command".
        Capability: ANNOTATEMORE; states: authenticated, selected. ``attributes``: a mapping such as
        ``{"value.priv": "mine", "value.shared": None}``, where octets and text may have more lines than one and None removes a
        value; names and values by turns in an iterable; or text, such as ``'("value.priv" "mine")'``, which passes as it is, as
        does ``entry`` between ``"..."``. Behind ``mailbox`` there may also be just one text that says it all. The data are the
        ANNOTATION responses, if the server sends any, else ``[None]``; with NO its text, ``[ANNOTATEMORE TOOBIG]`` before it
        where a value is too long. Raises ``ArgumentError`` for what are no entries and attributes, and ``BadResponse``.
        """
        return self._call("SETANNOTATION", *args, **options)


# Responses


def annotation(cursor: Cursor) -> tuple[Annotation, ...]:
    """``annotate-data = "ANNOTATION" SP list-mailbox SP entry-list``.

    ``entry-list = entry-att *(SP entry-att) / "(" entry *(SP entry) ")"``, ``entry-att = entry SP "(" att-value *(SP att-value)
    ")"``: entries with their attributes, or, unasked, the names of those that have changed. Either is read in parentheses and
    without. An entry that cannot be read becomes a ``Defect``.
    """
    name = cursor.name(_annotated(cursor))
    cursor.sp()
    whole = cursor.try_(b"(")
    found: list[tuple[ServerString, dict[str, bytes | None] | None]] = []
    while not cursor.at_end():
        if whole and cursor.try_(b")"):
            whole = False
            continue
        cursor.spaces()
        found.extend(entry for entry in attempt(cursor, "ANNOTATION", _entry, values=2) if entry is not None)
    if whole:
        cursor.tolerate("ANNOTATION: no ) at the end", b"")
    defects = tuple(cursor.defects)
    return tuple(Annotation(name, entry, attributes, defects) for entry, attributes in found)


def _annotated(cursor: Cursor) -> bytes:
    """``list-mailbox SP entry-list``."""
    return mailbox_before(cursor, _before_entries)


#   entry = string; its path begins with a slash. Of what stands behind an entry, a quoted attribute cannot be part of a name.
_ENTRY = late_pattern(rb'\(?+"?+/|(\(")', re.DOTALL)


def _before_entries(words: list[bytes]) -> int:
    """The name ends before the first entry; it is one word where there is none."""
    for at, word in enumerate(words[1:], 1):
        if found := _ENTRY.match(word):
            return 1 if found.group(1) else at
    return 1


def annotatemore(cursor: Cursor) -> str:
    """``resp-text-code =/ "ANNOTATEMORE" SP ("TOOBIG" / "TOOMANY")``: a value is too long, or there are too many."""
    return cursor.keyword()


def _entry(cursor: Cursor) -> tuple[ServerString, dict[str, bytes | None] | None] | None:
    """``entry-att = entry SP "(" att-value *(SP att-value) ")"``, or ``entry`` alone; ``entry = string``; None if that is NIL."""
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

    ``name`` is the mailbox's and can be passed to every command, as can ``entry``; it is empty for the server's own.
    ``attributes`` is by name in lower case, a missing value is None; where it is None as a whole, the server only told that the
    entry has changed.
    """

    name: MailboxName
    entry: ServerString
    attributes: Mapping[str, bytes | None] | None = field(hash=False)
    defects: tuple[Defect, ...] = ()

    @property
    def path(self) -> str:
        """The entry, readable: slashes between its parts, as in "/vendor/cmu/cyrus-imapd/size"."""
        return self.entry.text

    def text(self, attribute: str) -> str | None:
        """The value of an attribute, readable; None if it is missing."""
        value = (self.attributes or {}).get(attribute.lower())
        return None if value is None else value.decode("utf-8", "surrogateescape")


# Arguments, and whose answer is whose


def strings(value: Any) -> Token:
    """``entries = entry-match / "(" entry-match *(SP entry-match) ")"``, ``entry-match = string``; ``attribs`` likewise.

    Cyrus takes no atoms for them.
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
        raise ArgumentError("takes a mailbox, and attributes behind each entry")
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
    """``string``: quoted text, quoted anew; octets as they are, unless they came from a server."""
    if isinstance(value, ServerString):
        return quoted_string(value)
    if not isinstance(value, str):
        return raw(value)
    inner = unquote(value)
    return quoted_string(value if inner is None else inner)


def _value(value: Any) -> Token:
    """``value = nstring``, just as it is given: nothing in it is syntax."""
    if value is None:
        return b"NIL"
    if not isinstance(value, (str, bytes, bytearray, memoryview)):
        raise ArgumentError(f"a value is text, octets or None, not {type(value).__name__}")
    octets = encode_text(value, "utf-8") if isinstance(value, str) else memoryview(value).tobytes()
    if b"\0" in octets:
        raise ArgumentError(f"NUL at byte {octets.index(0)} of a value")
    return Literal(octets) if b"\r" in octets or b"\n" in octets else quoted_string(octets)


def _list(tokens: list[Token]) -> tuple[Piece, ...]:
    """``"(" ... ")"`` around tokens, a space between two."""
    pieces: list[Piece] = [b"("]
    for at, token in enumerate(tokens):
        if at:
            pieces.append(b" ")
        pieces += token if type(token) is tuple else [token]  # type: ignore[arg-type, list-item]
    return (*pieces, b")")


_PAIR = (strings, attributes)


def about_one_mailbox(args: tuple[Any, ...], uid: bool) -> str | None:
    """The mailbox that a command is about; None if it names several by wildcards."""
    name = mailbox_name(args[0])
    return None if b"*" in name or b"%" in name else mailbox_key(name)


def is_about_one_mailbox(about: str, response: Untagged) -> bool | str | None:
    """Whether an ANNOTATION response is about that mailbox.

    Names alone come unasked. One with values never does: it is perhaps the answer even if the server calls the mailbox otherwise.
    """
    verdict = is_about_mailbox(about, response, _annotated)
    return or_another_name(about, verdict) if verdict is not False or response.once(_has_values) else False


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


_ANSWERED: dict[str, Any] = {"result": ("ANNOTATION",), "about": about_one_mailbox, "matches": is_about_one_mailbox}
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
        commands=COMMANDS,
        capabilities=("ANNOTATEMORE",),
        responses={"ANNOTATION": Response(annotation)},
        codes={"ANNOTATEMORE": Code(annotatemore)},
        requires=("rev1",),
    )
