"""What imapkit makes of octets from a server, in plain Python values: as vectors write it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from imapkit.core.grammar.cursor import Cursor
from imapkit.core.plugins.registry import Registry
from imapkit.core.support.limits import Limits
from imapkit.core.wire.fragment import Framer
from imapkit.core.wire.response import Continuation, Tagged, Untagged, classify, response_code
from imapkit.errors import ParseError, RemoteProtocolError

__all__ = ["Meaning", "frame", "meaning", "of_data", "of_untagged", "plain"]

Meaning = dict[str, Any]
"""What one response comes to: the keys are those of a vector, and ``why`` of an error; ``text`` and ``tag`` are octets."""


def frame(chunks: Iterable[bytes], limits: Limits | None = None, tag: bytes = b"") -> list[list[bytes] | str]:
    """Stage 1: the responses in a stream that arrives in ``chunks``, and last the name of the error that ends it, if one does.

    ``tag`` is in flight, if there is one. A response that goes on at the end of the stream is taken as far as it has come.
    """
    framer, framed = Framer(limits, is_tagged=lambda line: bool(tag) and line.startswith(tag + b" ")), list[list[bytes] | str]()
    try:
        for chunk in chunks:
            framer.push(chunk)
            while (parts := framer.pop()) is not None:
                framed.append(parts)
        if (torn := framer.pop_torn()) is not None:
            framed.append(torn)
    except RemoteProtocolError as error:
        framed.append(type(error).__name__)
    return framed


def meaning(parts: list[bytes] | str, registry: Registry) -> Meaning:
    """Stages 2 and 3: whose response it is, and what it says by the grammar of its family.

    ``parts`` is what ``frame`` gives. Raises whatever a parser raises beside ``ParseError``.
    """
    if isinstance(parts, str):
        return {"error": parts}
    response = classify(parts)
    if isinstance(response, Continuation):
        return {"kind": "continuation", "text": response.text}
    if isinstance(response, Tagged):
        return {"kind": "tagged", "tag": response.tag, "typ": response.typ} | of_text(response.text, registry)
    return of_untagged(response, registry)


def of_untagged(response: Untagged, registry: Registry) -> Meaning:
    """What an untagged response says."""
    found: Meaning = {"kind": "untagged", "name": response.name}
    if response.number is not None:
        found["number"] = response.number
    known = registry.responses.get(response.name)
    if known is None or known.parse is None:
        return found | of_text(response.text, registry)
    return found | of_data(known.parse, Cursor(response.parts, response.number, registry.items, utf8=response.utf8))


def of_text(text: bytes, registry: Registry) -> Meaning:
    """What the text of a status response says: its response code, if a family knows it."""
    found: Meaning = {"text": text}
    code = response_code(text)
    if code is None:
        return found
    found["code"] = code.name
    known = registry.codes.get(code.name)
    if known is None or known.parse is None:
        return found
    return found | of_data(known.parse, Cursor((code.data or b"",), None, registry.items))


def of_data(parse: Callable[[Cursor], Any], cursor: Cursor) -> Meaning:
    """What a parser makes of a response's or a code's data."""
    try:
        value = parse(cursor)
    except ParseError as error:
        return {"error": "ParseError", "why": str(error)}
    found: Meaning = {"value": plain(value)}
    if cursor.defects:
        found["defects"] = [(defect.what, defect.raw) for defect in cursor.defects]
    if isinstance(mailbox := getattr(value, "mailbox", None), str):
        found["mailbox"] = mailbox
    return found


def plain(value: Any) -> Any:
    """A parsed value in Python literals: records become dictionaries, dates ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    if is_dataclass(value):
        compared = [field.name for field in fields(value) if field.compare and field.name != "defects"]
        return {name: plain(getattr(value, name)) for name in compared}
    return {key: plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value
