"""BODY and BODYSTRUCTURE that are as the grammar has them: read a part at a time, by the patterns of ``whole.py``.

The parts whose end has not come yet are on a stack, the outermost first. Whatever is odd ends it, and is for ``body.py``.
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
#   What ends a multipart: SP media-subtype [SP body-fld-param [SP body-fld-dsp ...]]; and a message: SP body-fld-lines ...
_ENDS = rb" (?:%b(?: %b%b)?|%b%b)\)" % (PLAIN, _PARAMETERS, _END, NUMBER, _EXTENSION)
#   Before a part: the "(" of each multipart that begins with it; several servers put a SP between parts.
_BEGINS = rb" *+((?:\((?=\())*+)"
#   body-type-1part, with the body-fld-lines of body-type-text or without; and the ends of what it is the last part of.
_SINGLE = rb"%b\(%b %b %b(?: %b)?%b\)((?:%b)*+)" % (_BEGINS, PLAIN, PLAIN, _FIELDS, NUMBER, _EXTENSION, ungrouped(_ENDS))
#   body-type-msg = media-message SP body-fields SP envelope SP body SP body-fld-lines: up to its envelope.
_TYPE = rb'"([Mm][Ee][Ss][Ss][Aa][Gg][Ee])" "([Rr][Ff][Cc]822|[Gg][Ll][Oo][Bb][Aa][Ll])"'
_MESSAGE = rb"%b\(%b %b (?=\()" % (_BEGINS, _TYPE, _FIELDS)

_WHOLE, _HEAD, _SPACE = late_pattern(_SINGLE), late_pattern(_MESSAGE), late_pattern(b" ")
_EACH_END, _EACH_PAIR, _EACH_STRING = late_pattern(_ENDS), late_pattern(_PAIR), late_pattern(PLAIN)

_LISTS = 3
"""How many are open at most in one part, its own among them, beside those of parts in it."""
_LINES, _ENDS_AT = 8, 14
"""Where the number of lines and what ends with it are among the groups of a part."""
_OF_MULTIPART = 6
"""How many groups the end of a multipart has; those of a message's come behind."""


def whole_body(cursor: Cursor, deepest: int, most: int) -> BodyStructure | None:
    """A body of at most so many parts, so deep; None for any that is not as the grammar has it: nothing is read then."""
    start = cursor.mark()
    found = _body(cursor, deepest, most) if cursor.nesting >= deepest + _LISTS else None
    if found is None:
        cursor.reset(start)
    return found


def _body(cursor: Cursor, deepest: int, most: int) -> BodyStructure | None:
    pending = [_Open("")]
    while True:
        single = cursor.match(_WHOLE)
        begun = single or cursor.match(_HEAD)
        if begun is None:
            return None
        groups = begun.groups()
        # Before they are made: the number of a section is as long as it is deep.
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
    """Read a message's envelope; False if it is odd."""
    envelope = whole_envelope(cursor)
    if envelope is None or cursor.match(_SPACE) is None:
        return False
    pending.append(_Message(pending[-1].next(), groups, envelope))
    return True


def _take_single(pending: list[_Open], groups: _Groups) -> bool:
    """Put a part in its place, and then whatever ends with it; False if one of them is odd."""
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
    """A part in which there is no other; None if it is odd."""
    kind, lines = groups[1].lower(), groups[_LINES]
    if kind == b"text":
        return None if lines is None else TextPart(*_fields(section, groups), int(lines))
    if lines is not None or (kind == b"message" and groups[2].lower() == b"rfc822"):
        return None
    return BasicPart(*_fields(section, groups))


def _fields(section: str, groups: _Groups) -> BasicFields:
    """The fields of ``BasicPart``, which every part but a multipart has."""
    _begins, kind, subtype, parameters, ident, description, encoding, octets = groups[:_LINES]
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
        int(octets),
        md5,
    )


def _language(octets: bytes) -> tuple[bytes, ...]:
    return tuple(_EACH_STRING.findall(octets))


def _pairs(octets: bytes | None) -> Pairs:
    if octets is None:
        return ()
    pairs = _EACH_PAIR.findall(octets)
    return tuple([(unescape(name), unescape(value)) for name, value in pairs] if b"\\" in octets else pairs)


class _Open:
    """What has parts that are being read: what they are called begins with ``prefix``; this one is around the outermost."""

    __slots__ = ("children", "prefix")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.children: list[BodyStructure] = []

    def next(self) -> str:
        """The section of the next part in it."""
        return f"{self.prefix}{len(self.children) + 1}"

    def multipart(self) -> _Multi:
        """A multipart that is a whole message: the parts in it are numbered as the message's (RFC 3501 section 6.4.5)."""
        return _Multi(f"{self.prefix}TEXT", self.prefix)

    def part(self, end: _Groups) -> BodyStructure | None:
        """The part, all in it being read; None if it is odd, or if there is nothing that could end."""
        return None


class _Multi(_Open):
    """A multipart."""

    __slots__ = ("section",)

    def __init__(self, section: str, prefix: str) -> None:
        self.section, self.prefix, self.children = section, prefix, []

    def multipart(self) -> _Multi:
        """A multipart in it."""
        section = self.next()
        return _Multi(section, f"{section}.")

    def part(self, end: _Groups) -> MultiPart | None:
        """The part, all in it being read; None if that is the end of a message."""
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
        """The part, all in it being read; None if that is the end of a multipart, or there is more than one body in it."""
        lines = end[_OF_MULTIPART]
        if lines is None or len(self.children) != 1:
            return None
        fields = _fields(self.section, self.groups + end[_OF_MULTIPART:])
        return MessagePart(*fields, self.envelope, self.children[0], int(lines))
