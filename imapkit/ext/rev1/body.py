"""BODY and BODYSTRUCTURE: RFC 3501 sections 7.4.2 and 9.

``wholebody.py`` reads a well-formed body. Any other is read by ``Cursor.value`` and then taken apart with a stack of parts,
outermost first. Servers leave fields out and put others in their place: each deviation from the grammar becomes a ``Defect``,
and the other parts keep their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from imapkit.ext.rev1.bodystructure import (
    BasicFields,
    BasicPart,
    BodyStructure,
    Disposition,
    MessagePart,
    MultiPart,
    Pairs,
    TextPart,
)
from imapkit.ext.rev1.envelope import nstring, shown, to_envelope
from imapkit.ext.rev1.places import are_shifted, to_size
from imapkit.ext.rev1.wholebody import whole_body
from imapkit.plugin import Cursor, late_pattern

__all__ = ["DEEPEST", "DEEPEST_EXTENSION", "MOST", "body", "word_by_word"]

DEEPEST = 50
"""How many parts may be nested: Python compares, prints, copies and pickles records by recursion."""
DEEPEST_EXTENSION = 20
"""How deep the lists in extension data may be nested."""
MOST = 10_000
"""How many parts a body may have; Dovecot sends no more. Two bytes can become a part, which takes far more memory."""

_Text = bytes | None
_End = tuple[Disposition | None, tuple[bytes, ...], _Text, tuple[Any, ...]]

_PARAMETER = late_pattern(rb';\s*+([^=;\s]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)"|([^;\s]*+))', re.DOTALL)
_ESCAPE = late_pattern(rb"\\(.)", re.DOTALL)

_SIZE, _BASIC = 6, 7  # the place of the number of bytes; how many fields each part has that is no multipart


def body(cursor: Cursor) -> BodyStructure:
    """``body = "(" (body-type-1part / body-type-mpart) ")"``."""
    found = whole_body(cursor, DEEPEST, MOST)
    return word_by_word(cursor) if found is None else found


def word_by_word(cursor: Cursor) -> BodyStructure:
    """A body, well-formed or not; deviations are noted. Raises ``ParseError`` if there are no parentheses, or too many parts."""
    value = cursor.fields()
    if not isinstance(value, list) or not value:
        raise cursor.error("a body in parentheses")
    pending = [_whole(value, "", cursor)]
    count = 1
    while True:
        inside = pending[-1].inside()
        if inside is not None:
            count += 1
            if count > MOST:
                raise cursor.error(f"at most {MOST} parts")
            pending.append(inside)
            if len(pending) == DEEPEST:
                inside.leave_out()
            continue
        part = pending.pop().part()
        if not pending:
            return part
        pending[-1].children.append(part)


def _whole(value: list[Any], number: str, cursor: Cursor) -> _Single | _Multi:
    """The body of message ``number``: its part 1, or its parts if it is a multipart (RFC 3501 section 6.4.5)."""
    kind = _kind(value)
    return kind(value, f"{number}." if number else "", "TEXT" if kind is _Multi else "1", cursor)


def _kind(value: list[Any]) -> type[_Single | _Multi]:
    """``1*body`` begins a multipart; Gmail has sent some without parts, which begin with the subtype."""
    if not value or value[0] is None:
        return _Single
    if isinstance(value[0], list) or len(value) == 1:
        return _Multi
    return _Multi if isinstance(value[1], list) and not _lacks_subtype(value) else _Single


def _lacks_subtype(value: list[Any]) -> bool:
    """Whether the server seems to have left out the subtype, so that each later field is one place too early."""
    return len(value) >= _SIZE and not isinstance(value[1], bytes) and isinstance(value[_SIZE - 1], int)


class _Multi:
    """A multipart whose parts are being read.

    ``body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]``,
    ``body-ext-mpart = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]``.
    """

    __slots__ = ("children", "cursor", "prefix", "section", "value")

    def __init__(self, value: list[Any], before: str, last: str, cursor: Cursor) -> None:
        self.value, self.section, self.cursor = value, before + last, cursor
        self.prefix = before if last == "TEXT" else f"{self.section}."
        self.children: list[BodyStructure] = []

    def inside(self) -> _Single | _Multi | None:
        """The next part in this one; None after the last."""
        at = len(self.children)
        if at >= len(self.value) or not isinstance(self.value[at], list):
            return None
        return _kind(self.value[at])(self.value[at], self.prefix, str(at + 1), self.cursor)

    def leave_out(self) -> None:
        """Remove all parts in this one."""
        count = next((at for at, member in enumerate(self.value) if not isinstance(member, list)), len(self.value))
        del self.value[:count]

    def part(self) -> MultiPart:
        """The part, once all parts in it are read."""
        value, cursor, what = self.value, self.cursor, f"body {self.section}: "
        at = len(self.children)
        subtype = nstring(value[at], cursor, what + "subtype") if at < len(value) else None
        if not at or subtype is None:
            cursor.tolerate(what + ("no subtype" if at else "a multipart without parts"), shown(value))
        pairs = _parameters(value[at + 1], cursor, what) if at + 1 < len(value) else ()
        end = _end(value[at + 2 :], cursor, what)
        return MultiPart(self.section, b"multipart", subtype, pairs, *end, tuple(self.children))


class _Single:
    """A part that is no multipart, while it and perhaps a message in it are being read.

    ``body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]``.
    """

    __slots__ = ("children", "cursor", "section", "type", "value", "what")

    def __init__(self, value: list[Any], before: str, last: str, cursor: Cursor) -> None:
        self.value, self.section, self.cursor = value, before + last, cursor
        self.what = f"body {self.section}: "
        self.children: list[BodyStructure] = []
        sent = shown(value) if cursor.bare_quotes or are_shifted(value) else b""
        if sent and to_size(value):
            cursor.tolerate(self.what + "fields out of their places", sent)
        if len(value) < _BASIC or _lacks_subtype(value):
            self._complete()
        elif value[0] is None or value[1] is None:
            cursor.tolerate(self.what + "no type", shown(value))
        self.type = nstring(value[0], cursor, self.what + "type"), nstring(value[1], cursor, self.what + "subtype")

    def _complete(self) -> None:
        """Put NIL in the place of missing fields."""
        value, shift = self.value, _lacks_subtype(self.value)
        self.cursor.tolerate(self.what + ("no subtype" if shift else f"{len(value)} fields"), shown(value))
        if shift:
            value.insert(1, None)
        value.extend([None] * (_BASIC - len(value)))

    def inside(self) -> _Single | _Multi | None:
        """The message in this part, or None."""
        if self.children or not self._holds_message():
            return None
        inner = self.value[8]
        return _whole(inner, self.section, self.cursor) if isinstance(inner, list) and inner else None

    def leave_out(self) -> None:
        """Remove the message in this part."""
        if self._holds_message():
            self.value[8] = None

    def _is(self, kind: bytes, *subtypes: bytes) -> bool:
        return (self.type[0] or b"").lower() == kind and (not subtypes or (self.type[1] or b"").lower() in subtypes)

    def _holds_message(self) -> bool:
        """Whether envelope, body and number of lines are in their places."""
        value = self.value
        if len(value) < 9 or not self._is(b"message", b"rfc822", b"global"):
            return False
        return isinstance(value[7], list) or (
            value[7] is None and isinstance(value[8], list) and len(value) > 9 and isinstance(value[9], int)
        )

    def part(self) -> BasicPart:
        """The part, once a message in it is read."""
        if self._is(b"text"):
            return self._text()
        if self._is(b"message", b"rfc822") or self._holds_message():
            return self._message()
        return BasicPart(*self._fields(_BASIC))

    def _text(self) -> TextPart:
        """``body-type-text = media-text SP body-fields SP body-fld-lines``."""
        # A string in this place is the MD5 sum: the server has left out the number of lines.
        has_lines = len(self.value) == _BASIC or type(self.value[_BASIC]) is not bytes
        lines = self._number(_BASIC if has_lines else len(self.value), "lines")
        return TextPart(*self._fields(_BASIC + has_lines), lines)

    def _message(self) -> MessagePart:
        """``body-type-msg = media-message SP body-fields SP envelope SP body SP body-fld-lines``."""
        if not self._holds_message():
            self.cursor.tolerate(self.what + "a message without envelope and body", shown(self.value))
            return MessagePart(*self._fields(_BASIC), None, None, None)
        envelope = to_envelope(self.value[7], self.cursor) if self.value[7] else None
        inside = self.children[0] if self.children else None
        if envelope is None or inside is None:
            self.cursor.tolerate(self.what + "a message without envelope or body", shown(self.value))
        return MessagePart(*self._fields(_BASIC + 3), envelope, inside, self._number(_BASIC + 2, "lines"))

    def _fields(self, at: int) -> BasicFields:
        """The fields that every part has, in the order of ``BasicPart``; extension data begins at index ``at``.

        ``body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets``,
        ``body-ext-1part = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]``.
        """
        value, cursor, what = self.value, self.cursor, self.what
        pairs, ident, description, encoding = value[2:_SIZE]
        extension = self._extension(at)
        end = _end(extension[1:], cursor, what)
        return (
            self.section,
            self.type[0],
            self.type[1],
            _parameters(pairs, cursor, what),
            end[0],
            end[1],
            end[2],
            end[3],
            nstring(ident, cursor, what + "id"),
            nstring(description, cursor, what + "description"),
            nstring(encoding, cursor, what + "encoding"),
            self._number(_SIZE, "bytes"),
            nstring(extension[0], cursor, what + "MD5") if extension else None,
        )

    def _extension(self, at: int) -> list[Any]:
        """The extension data that begins at index ``at``, or next to it."""
        value = self.value
        if at < len(value) and isinstance(value[at], int):
            # A number of lines, although the part is no text.
            self.cursor.tolerate(self.what + "a number of lines", shown(value[at]))
            at += 1
        if at < len(value) and isinstance(value[at], list):
            self.cursor.tolerate(self.what + "no MD5", shown(value))
            return [None, *value[at:]]
        return value[at:]

    def _number(self, at: int, name: str) -> int | None:
        """``number``, or None and a defect: some servers send -1, and mail.ru has sent "9.3736e+06"."""
        found = self.value[at] if at < len(self.value) else None
        if isinstance(found, int):
            return found
        self.cursor.tolerate(f"{self.what}no number of {name}", shown(found))
        return None


# Fields


def _end(rest: list[Any], cursor: Cursor, what: str) -> _End:
    """``[SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]``."""
    if not rest:
        return None, (), None, ()
    disposition, language, location = [*rest, None, None][:3]
    return (
        _disposition(disposition, cursor, what),
        _language(language, cursor, what),
        nstring(location, cursor, what + "location"),
        _extensions(rest[3:], cursor, what) if len(rest) > 3 else (),
    )


def _parameters(value: Any, cursor: Cursor, what: str) -> Pairs:
    """``body-fld-param = "(" string SP string *(SP string SP string) ")" / nil``; mail.ru sends NIL for a value."""
    if not value:
        return ()
    if not isinstance(value, list) or len(value) % 2:
        cursor.tolerate(what + "parameters that are no pairs", shown(value))
        if not isinstance(value, list) or cursor.bare_quotes:
            return ()
    pairs: list[tuple[bytes, bytes | None]] = []
    for name, found in zip(value[::2], value[1::2], strict=False):
        if type(name) is not bytes or type(found) is not bytes:
            if not isinstance(name, bytes) or not isinstance(found, bytes):
                cursor.tolerate(what + "a parameter that is no pair of strings", shown([name, found]))
            name, found = nstring(name, cursor, what + "parameter"), nstring(found, cursor, what + "parameter")
        if name is not None:
            pairs.append((name, found))
    return tuple(pairs)


def _disposition(value: Any, cursor: Cursor, what: str) -> Disposition | None:
    """``body-fld-dsp = "(" string SP body-fld-param ")" / nil``; Exchange omits the parentheses."""
    if value is None:
        return None
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return Disposition(bytes(value[0]), _parameters(value[1] if len(value) > 1 else None, cursor, what))
    cursor.tolerate(what + "disposition", shown(value))
    return _from_header(value) if isinstance(value, bytes) else None


def _from_header(field: bytes) -> Disposition:
    """A disposition in the form of the header field, which pymap sends."""
    pairs = ((name, _ESCAPE.sub(rb"\1", quoted or plain)) for name, quoted, plain in _PARAMETER.findall(field))
    return Disposition(field.partition(b";")[0].strip(), tuple(pairs))


def _language(value: Any, cursor: Cursor, what: str) -> tuple[bytes, ...]:
    """``body-fld-lang = nstring / "(" string *(SP string) ")"``."""
    if value is None:
        return ()
    tags = value if isinstance(value, list) else [value]
    found = (nstring(tag, cursor, what + "language") for tag in tags)
    return tuple(tag for tag in found if tag is not None)


def _extensions(values: list[Any], cursor: Cursor, what: str) -> tuple[Any, ...]:
    """``*(SP body-extension)``, ``body-extension = nstring / number / "(" body-extension *(SP body-extension) ")"``."""
    pending: list[tuple[Iterator[Any], list[Any]]] = [(iter(values), [])]
    while True:
        ahead, done = pending[-1]
        for value in ahead:
            if isinstance(value, list) and len(pending) > DEEPEST_EXTENSION:
                cursor.tolerate(f"{what}extension data of more than {DEEPEST_EXTENSION} levels", shown(value))
            elif isinstance(value, list):
                pending.append((iter(value), []))
                break
            else:
                done.append(value)
        else:
            pending.pop()
            if not pending:
                return tuple(done)
            pending[-1][1].append(tuple(done))
