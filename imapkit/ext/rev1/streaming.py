"""Find the literal of a FETCH response that is a body, for streaming to a file; RFC 3501 section 7.4.2."""

from __future__ import annotations

import re

from imapkit.errors import ParseError
from imapkit.ext.rev1.fetch import fetch
from imapkit.plugin import Cursor, Untagged, late_pattern

__all__ = ["announces_body", "announces_range", "body_value"]

#   A section that a literal follows: "BODY[1.TEXT]<0> {n}", "BINARY[2] ~{n}", "RFC822 {n}".
_BODY = late_pattern(
    rb"(?:(?:BODY|BINARY)\[[^\[\]\"]*+\] *+(?:<[\d.]*+>)?+|RFC822(?:\.HEADER|\.TEXT)?+) *+~?\{\d++\+?\}\Z", re.IGNORECASE
)
_RANGE = late_pattern(rb"> *+~?\{\d++\+?\}\Z")
_BODIES = ("BODY[", "BINARY[", "RFC822", "RFC822.HEADER", "RFC822.TEXT")


def announces_body(response: Untagged) -> bool:
    """Whether the last text of a response announces the literal of a body, and not of an envelope or another item."""
    return response.name == "FETCH" and _BODY.search(response.parts[-1]) is not None


def announces_range(response: Untagged) -> bool:
    """Whether the body that is announced is a range of a section, which names where it begins."""
    return _RANGE.search(response.parts[-1]) is not None


def body_value(response: Untagged) -> bytes | None:
    """The body in a FETCH response, in any form; None if there is none, or NIL."""
    if response.name != "FETCH":
        return None
    try:
        items = fetch(Cursor(response.parts, response.number, utf8=response.utf8)).items
    except ParseError:
        return None
    bodies = (value for key, value in items.items() if key in _BODIES or key.startswith(_BODIES[:2]))
    return next((value for value in bodies if isinstance(value, bytes)), None)
