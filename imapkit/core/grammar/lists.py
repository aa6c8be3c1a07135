"""Sets of messages, items and flags as arguments: RFC 3501 sections 6.3.10, 6.4.5, 6.4.6 and 9."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imapkit.core.grammar.strings import outside_quotes, raw
from imapkit.core.support.patterns import late_pattern
from imapkit.core.wire.numbers import sequence_set_text
from imapkit.errors import ArgumentError

__all__ = ["fetch_items", "flags", "sequence_set", "status_items", "store_item"]

_STORE_ITEM = late_pattern(r"[+-]?[A-Za-z][A-Za-z0-9.\-]*\Z")
_NOT_IN_FLAGS = late_pattern(r"[{}%*\x00-\x1f\x7f]|[^\x00-\x7f]")
#   The words in a section, as in "BODY[HEADER.FIELDS (DATE)]", are no items.
_SECTION = late_pattern(r"\[[^\]]*+\]?")


def sequence_set(value: Any) -> bytes:
    """``sequence-set``: "1", "1:4,7", "5:*", 7, or an iterable of numbers."""
    return sequence_set_text(value).encode("ascii")


def _listed(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        return "({})".format(" ".join(raw(item).decode("latin-1") for item in value))
    return value


def fetch_items(value: Any) -> bytes:
    """``"ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"``, RFC 3501 section 6.4.5.

    Text that names several items gets the parentheses if it lacks them. "FLAGS (CHANGEDSINCE 5)" names one, and a modifier.
    """
    items = raw(_listed(value))
    # Exchange answers "BAD Command Argument Error. 11" to an empty list, and no server answers anything useful.
    if not items.strip(b"() "):
        raise ArgumentError("no FETCH item is asked for")
    return b"(%b)" % items.strip(b" ") if isinstance(value, str) and _are_several(value) else items


def _are_several(text: str) -> bool:
    """Whether there is more than one FETCH item, and no parenthesis around them."""
    text = text.strip(" ")
    if " " not in text or text[0] == "(":
        return False
    items = depth = 0
    for word in _SECTION.sub("[]", text).split(" "):
        items += depth == 0 and word[:1] not in ("", "(")
        depth += word.count("(") - word.count(")")
    return items > 1


def status_items(value: Any) -> bytes:
    """``"(" status-att *(SP status-att) ")"``, RFC 3501 section 6.3.10; parentheses are added."""
    items = raw(_listed(value))
    if not items.strip(b"() "):
        raise ArgumentError("no STATUS item is asked for")
    return items if items.startswith(b"(") else b"(%b)" % items


def flags(value: Any) -> bytes:
    """``flag-list = "(" [flag *(SP flag)] ")"``; parentheses are added."""
    text = raw(_listed(value)).decode("latin-1").strip()
    if not (text.startswith("(") and text.endswith(")")):
        text = f"({text})"
    bad = _NOT_IN_FLAGS.search(outside_quotes(text[1:-1]))
    if bad:
        raise ArgumentError(f"{bad.group()!r} cannot be part of a flag: {text[:80]!r}")
    return text.encode("latin-1")


def store_item(value: Any) -> bytes:
    """``["+" / "-"] "FLAGS" [".SILENT"]``, or an extension's item, RFC 3501 section 6.4.6."""
    text = raw(value).decode("latin-1")
    if not _STORE_ITEM.match(text) and not (text.startswith("(") and ")" in text):
        raise ArgumentError(f"not a STORE item: {text[:40]!r}")
    return text.encode("latin-1")
