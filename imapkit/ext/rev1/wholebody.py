"""Read a well-formed BODY or BODYSTRUCTURE, a part at a time, by the patterns of ``whole.py``.

The open parts are on a stack, the outermost first. At the first deviation from the grammar it stops, and ``body.py`` reads the
whole.
"""

from __future__ import annotations

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
from imapkit.ext.rev1.envelope import Envelope, whole_envelope
from imapkit.ext.rev1.whole import NUMBER, PLAIN, PLAIN_NSTRING, STRING, ungrouped
from imapkit.plugin import Cursor, late_pattern, unescape

__all__ = ["whole_body"]

_Groups = tuple[Any, ...]

#   body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
_PAIR = rb"%b %b" % (STRING, STRING)
_PARAMETERS = rb"(?:NIL|\((%b(?: %b)*+)\))" % (ungrouped(_PAIR), ungrouped(_PAIR))
#   body-fld-dsp = "(" string SP body-fld-param ")" / nil
_DISPOSITION = rb"(?:NIL|\(%b %b\))" % (PLAIN, _PARAMETERS)
#   body-fld-lang = nstring / "(" string *(SP string) ")"
_LANGUAGE = rb"(?:NIL|(%b|\(%b(?: %b)*+\)))" % ((ungrouped(PLAIN),) * 3)
#   [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc]]]
_END = rb"(?: %b(?: %b(?: %b)?)?)?" % (_DISPOSITION, _LANGUAGE, PLAIN_NSTRING)
#   [SP body-ext-1part], body-ext-1part = body-fld-md5 [SP body-fld-dsp ...]
_EXTENSION = rb"(?: %b%b)?" % (PLAIN_NSTRING, _END)
#   body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
_FIELDS = rb"%b %b %b %b %b" % (_PARAMETERS, PLAIN_NSTRING, PLAIN_NSTRING, PLAIN_NSTRING, NUMBER)
#   The end of a multipart: SP media-subtype [SP body-fld-param [SP body-fld-dsp ...]]; of a message: SP body-fld-lines ...
_ENDS = rb" (?:%b(?: %b%b)?|%b%b)\)" % (PLAIN, _PARAMETERS, _END, NUMBER, _EXTENSION)
#   Before a part: the "(" of each multipart that begins with it; several servers put a SP between parts.
_BEGINS = rb" *+((?:\((?=\())*+)"
#   body-type-1part, with the body-fld-lines of body-type-text or without; and the ends of all parts that end with it.
_SINGLE = rb"%b\(%b %b %b(?: %b)?%b\)((?:%b)*+)" % (_BEGINS, PLAIN, PLAIN, _FIELDS, NUMBER, _EXTENSION, ungrouped(_ENDS))
#   body-type-msg = media-message SP body-fields SP envelope SP body SP body-fld-lines: up to its envelope.
_TYPE = rb'"([Mm][Ee][Ss][Ss][Aa][Gg][Ee])" "([Rr][Ff][Cc]822|[Gg][Ll][Oo][Bb][Aa][Ll])"'
_MESSAGE = rb"%b\(%b %b (?=\()" % (_BEGINS, _TYPE, _FIELDS)

_WHOLE, _HEAD, _SPACE = late_pattern(_SINGLE), late_pattern(_MESSAGE), late_pattern(b" ")
_EACH_END, _EACH_PAIR, _EACH_STRING = late_pattern(_ENDS), late_pattern(_PAIR), late_pattern(PLAIN)

_LISTS = 3
"""How deep lists are nested in one part, its own counted, without those of parts in it."""
_LINES, _ENDS_AT = 8, 14
"""The places of the number of lines, and of the ends of enclosing parts, among the groups of a part."""
_OF_MULTIPART = 6
"""How many groups the end of a multipart has; those of a message's end follow."""


def whole_body(cursor: Cursor, deepest: int, most: int) -> BodyStructure | None:
    """A well-formed body of at most ``most`` parts, nested less than ``deepest``; else None, and the cursor has not moved."""
    start = cursor.mark()
    found = _body(cursor, deepest, most) if cursor.nesting >= deepest + _LISTS else None
    if found is None:
        cursor.reset(start)
    return found


def _body(cursor: Cursor, deepest: int, most: int) -> BodyStructure | None:
    pending = [_Open("")]
    while True:
        single = cursor.match(_WHOLE)
        start = single or cursor.match(_HEAD)
        if start is None:
            return None
        groups = start.groups()
        # Checked before the parts are made: the deeper a part, the longer the name of its section.
        most -= len(groups[0]) + 1
        if len(pending) + len(groups[0]) >= deepest or most < 0:
            return None
        for _ in groups[0]:
            pending.append(pending[-1].multipart())
        if not (_take_message(cursor, pending, groups) if single is None else _take_single(pending, groups)):
            return None
        if len(pending) == 1:
            return pending[0].children[0]


def _take_message(cursor: Cursor, pending: list[_Open], groups: _Groups) -> bool:
    """Read a message's envelope; False if it is malformed."""
    envelope = whole_envelope(cursor)
    if envelope is None or cursor.match(_SPACE) is None:
        return False
    pending.append(_Message(pending[-1].next(), groups, envelope))
    return True


def _take_single(pending: list[_Open], groups: _Groups) -> bool:
    """Put a part in its place, then each part that ends with it; False if one of them is malformed."""
    part = _single(pending[-1].next(), groups)
    if part is None:
        return False
    pending[-1].children.append(part)
    for end in _EACH_END.finditer(groups[-1]) if groups[-1] else ():
        ended = pending.pop().part(end.groups())
        if ended is None:
            return False
        pending[-1].children.append(ended)
    return True


def _single(section: str, groups: _Groups) -> BasicPart | None:
    """A part without parts in it; None if it is malformed."""
    kind, lines = groups[1].lower(), groups[_LINES]
    if kind == b"text":
        return None if lines is None else TextPart(*_fields(section, groups), int(lines))
    if lines is not None or (kind == b"message" and groups[2].lower() == b"rfc822"):
        return None
    return BasicPart(*_fields(section, groups))


def _fields(section: str, groups: _Groups) -> BasicFields:
    """The fields of ``BasicPart``, which every part but a multipart has."""
    _begins, kind, subtype, parameters, ident, description, encoding, size = groups[:_LINES]
    md5, disposition, more, language, location = groups[_LINES + 1 : _ENDS_AT]
    return (
        section,
        kind,
        subtype,
        _pairs(parameters) if parameters else (),
        Disposition(disposition, _pairs(more)) if disposition is not None else None,
        _language(language) if language else (),
        location,
        (),
        ident,
        description,
        encoding,
        int(size),
        md5,
    )


def _language(sent: bytes) -> tuple[bytes, ...]:
    return tuple(_EACH_STRING.findall(sent))


def _pairs(sent: bytes | None) -> Pairs:
    if sent is None:
        return ()
    pairs = _EACH_PAIR.findall(sent)
    return tuple([(unescape(name), unescape(value)) for name, value in pairs] if b"\\" in sent else pairs)


class _Open:
    """An open part, which holds the parts read so far; their sections begin with ``prefix``. This class is the outermost."""

    __slots__ = ("children", "prefix")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.children: list[BodyStructure] = []

    def next(self) -> str:
        """The section of the next part in this one."""
        return f"{self.prefix}{len(self.children) + 1}"

    def multipart(self) -> _Multi:
        """A multipart that is a whole message: its parts have the numbers of the message's parts (RFC 3501 section 6.4.5)."""
        return _Multi(f"{self.prefix}TEXT", self.prefix)

    def part(self, end: _Groups) -> BodyStructure | None:
        """The finished part; None if it is malformed, or if no part is open."""
        return None


class _Multi(_Open):
    """A multipart."""

    __slots__ = ("section",)

    def __init__(self, section: str, prefix: str) -> None:
        self.section, self.prefix, self.children = section, prefix, []

    def multipart(self) -> _Multi:
        """A multipart in this one."""
        section = self.next()
        return _Multi(section, f"{section}.")

    def part(self, end: _Groups) -> MultiPart | None:
        """The finished part; None if ``end`` is that of a message."""
        subtype, parameters, disposition, more, language, location = end[:_OF_MULTIPART]
        if subtype is None:
            return None
        return MultiPart(
            self.section,
            b"multipart",
            subtype,
            _pairs(parameters) if parameters else (),
            Disposition(disposition, _pairs(more)) if disposition is not None else None,
            _language(language) if language else (),
            location,
            (),
            tuple(self.children),
        )


class _Message(_Open):
    """A message in the message."""

    __slots__ = ("envelope", "groups", "section")

    def __init__(self, section: str, groups: _Groups, envelope: Envelope) -> None:
        self.section, self.groups, self.envelope = section, groups, envelope
        super().__init__(f"{section}.")

    def part(self, end: _Groups) -> MessagePart | None:
        """The finished part; None if ``end`` is that of a multipart, or if it does not have exactly one body."""

        lines = end[_OF_MULTIPART]
        if lines is None or len(self.children) != 1:
            return None
        fields = _fields(self.section, self.groups + end[_OF_MULTIPART:])
        return MessagePart(*fields, self.envelope, self.children[0], int(lines))
