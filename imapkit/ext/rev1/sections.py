"""Which part of a message an item of FETCH holds: RFC 3501 section 6.4.5.

A server may spell a section differently from the request: Exchange and others send the names of header fields in another order,
in upper case, in quotes, or with other spaces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from imapkit.plugin import late_pattern

__all__ = ["find_section"]

_OLD_NAMES = {"": "RFC822", "HEADER": "RFC822.HEADER", "TEXT": "RFC822.TEXT"}

_KEY = late_pattern(r"BODY\[(.*)\](<[\d.]*+>)?+", re.IGNORECASE | re.DOTALL)
#   section-msgtext = "HEADER.FIELDS" [".NOT"] SP header-list / ...
_HEADER_FIELDS = late_pattern(r" *+([\d.]*+HEADER\.FIELDS(?:\.NOT)?+) *+\((.*)\) *+", re.IGNORECASE | re.DOTALL)
_NAME = late_pattern(r'"((?:[^"\\]++|\\.)*+)(?:"|\\?\Z)|([^ "]++)', re.DOTALL)
_ESCAPE = late_pattern(r'\\(["\\])')

Section = tuple[str, frozenset[str]]


def find_section(items: Mapping[str, Any], section: str) -> bytes | None:
    """The bytes of a section, else of the old item that stands for it, else of its first partial item; None without any."""
    found = items.get(f"BODY[{section}]")
    if isinstance(found, bytes):
        return found
    wanted, part = _section(section), None
    for key, value in items.items():
        match = _KEY.fullmatch(key)
        if match is None or not (value is None or isinstance(value, bytes)) or _section(match[1]) != wanted:
            continue
        if match[2] is None:
            return value
        part = value if part is None else part
    old = None if wanted[1] else items.get(_OLD_NAMES.get(wanted[0], ""))
    return old if isinstance(old, bytes) else part


def _section(text: str) -> Section:
    """A section for comparison, in upper case: its text without the header fields, and the set of those."""
    found = _HEADER_FIELDS.fullmatch(text)
    if found is None:
        return text.strip(" ").upper(), frozenset()
    names = (_ESCAPE.sub(r"\1", name[1]) if name[2] is None else name[2] for name in _NAME.finditer(found[2]))
    return found[1].upper(), frozenset(name.upper() for name in names)
