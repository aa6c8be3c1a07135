"""How imapkit reads bytes from a server, as plain Python values in the form of vectors."""

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
from imapkit.core.wire.uidset import UIDSet
from imapkit.errors import ParseError, RemoteProtocolError

__all__ = ["Meaning", "frame", "meaning", "of_data", "of_untagged", "plain"]

Meaning = dict[str, Any]
"""One response as read: the keys are those of a vector, and ``why`` for an error; ``text`` and ``tag`` are bytes."""


def frame(chunks: Iterable[bytes], limits: Limits | None = None, tag: bytes = b"") -> list[list[bytes] | str]:
    """Stage 1: the responses in a stream that arrives in ``chunks``; last the name of the error that ends it, if there is one.

    ``tag``: that of the command in flight, if there is one. A response that is incomplete at the end of the stream is returned as
    far as it has arrived.
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
    """Stages 2 and 3: the kind and name of a response, and its value by the grammar of its family.

    ``parts``: a response from ``frame``. Raises what a parser raises, except ``ParseError``.
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
    """The meaning of an untagged response."""
    found: Meaning = {"kind": "untagged", "name": response.name}
    if response.number is not None:
        found["number"] = response.number
    known = registry.responses.get(response.name)
    if known is None or known.parse is None:
        return found | of_text(response.text, registry)
    return found | of_data(known.parse, Cursor(response.parts, response.number, registry.items, utf8=response.utf8))


def of_text(text: bytes, registry: Registry) -> Meaning:
    """The meaning of a status response's text: its response code, parsed if a family declares it."""
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
    """The value that a parser returns for a response's or a code's data, or its error."""
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
    """A parsed value as Python literals: records become dictionaries, dates ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    if isinstance(value, UIDSet):
        return str(value)
    if is_dataclass(value):
        compared = [field.name for field in fields(value) if field.compare and field.name != "defects"]
        return {name: plain(getattr(value, name)) for name in compared}
    return {key: plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value
