"""What a command returns, and how it is understood when somebody asks: late, on that caller's thread, and totally.

A response, or an item of one, that does not follow its grammar becomes a ``Defect``; it never costs the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from imapkit.core.cursor import Cursor, Defect
from imapkit.core.record import record
from imapkit.core.response import Untagged, one_line, response_code, split_code
from imapkit.errors import ParseError

if TYPE_CHECKING:
    from imapkit.core.registry import Registry

__all__ = ["Data", "Parsed", "StatusText", "parse", "parse_shape"]

_NUMBERED = re.compile(rb"(\d{1,20})(?: (.*))?\Z", re.DOTALL)
_CONDITIONS = frozenset(("OK", "NO", "BAD", "BYE", "PREAUTH"))


class Parsed(list[Any]):
    """What responses say, a value for each that could be read at all; and ``defects``: what was wrong with them, or left out."""

    def __init__(self, values: Iterable[Any] = (), defects: Iterable[Defect] = ()) -> None:
        super().__init__(values)
        self.defects = tuple(defects)


class Data(list[Any]):
    """The data of a result, in imaplib's shape; ``parsed()`` reads it by the families' grammar."""

    def __init__(self, items: Iterable[Any] = (), responses: Iterable[Untagged] = (), registry: Registry | None = None) -> None:
        super().__init__(items)
        self.responses = tuple(responses)
        """The untagged responses that the data comes from."""
        self._registry = registry

    @classmethod
    def of(cls, responses: Iterable[Untagged], registry: Registry) -> Data:
        """The data of untagged responses; ``[None]`` if there are none."""
        found = tuple(responses)
        return cls([item for response in found for item in response.data()] or [None], found, registry)

    def parsed(self) -> Parsed:
        """What the responses say."""
        return parse(self.responses, self._registry)


@record
class StatusText:
    """``resp-text = ["[" resp-text-code "]" SP] text``, RFC 3501 section 7.1.

    ``code`` in upper case, ``data`` as the server sent it, ``value`` by the grammar of the code's family; each None where there
    is none. ``text`` is for people.
    """

    code: str | None
    data: bytes | None
    value: Any
    text: bytes


def parse(responses: Iterable[Untagged], registry: Registry | None) -> Parsed:
    """What responses say, by the grammar of their families; a response that no family knows stays as it is."""
    defects: list[Defect] = []
    return Parsed(_values(responses, registry, defects), defects)


def parse_shape(typ: str, data: Any, registry: Registry) -> Parsed:
    """What data in imaplib's shape says. ``typ``: the name of a response or of a response code, or "OK", "NO", "BAD".

    A result's own data is read by the names of its responses; with "OK" and the like, plain data is the text of a status
    response. What no family knows stays as it is.
    """
    name = typ.upper()
    if isinstance(data, Data) and data.responses:
        return parse(data.responses, registry)
    shaped = [item for item in data or () if item is not None]
    response = registry.responses.get(name)
    if response is not None:
        return parse(_responses(name, shaped, response.numbered), registry)
    defects: list[Defect] = []
    if name in registry.codes:
        return Parsed(_codes(name, shaped, registry, defects), defects)
    if name in _CONDITIONS:
        return Parsed([_status(text, registry, defects) for text in map(_text, shaped)], defects)
    return Parsed(shaped)


def _values(responses: Iterable[Untagged], registry: Registry | None, defects: list[Defect]) -> Iterator[Any]:
    tables = registry.responses if registry is not None else {}
    for response in responses:
        known = tables.get(response.name)
        if registry is not None and response.name in _CONDITIONS:
            yield _status(response.text, registry, defects)
        elif registry is None or known is None or known.parse is None:
            yield response
        else:
            cursor = Cursor(response.parts, response.number, registry.items)
            yield from _read(response.name, known.parse, cursor, defects)


def _read(name: str, rule: Any, cursor: Cursor, defects: list[Defect]) -> Iterator[Any]:
    """The value, if there is one; what was wrong goes to ``defects``."""
    start = cursor.mark()
    try:
        value = rule(cursor)
    except Exception as problem:
        # Whatever it is: what a server sent must not cost the responses beside it.
        why = f"expected {problem.expected}" if isinstance(problem, ParseError) else f"{type(problem).__name__}: {problem}"
        cursor.reset(start)
        defects += [*cursor.defects, Defect(f"{name}: {why}", cursor.rest())]
        return
    defects += cursor.defects
    yield value


def _codes(name: str, shaped: list[Any], registry: Registry, defects: list[Defect]) -> Iterator[Any]:
    rule = registry.codes[name].parse
    for data in map(_text, shaped):
        if rule is None:
            yield data
        else:
            yield from _read(name, rule, Cursor((data,), None, registry.items), defects)


def _status(text: bytes, registry: Registry, defects: list[Defect]) -> StatusText:
    code = response_code(text)
    if code is None:
        return StatusText(None, None, None, text)
    known = code.name in registry.codes
    values = list(_codes(code.name, [code.data or b""], registry, defects)) if known else []
    return StatusText(code.name, code.data, values[0] if values else None, split_code(text))


def _text(item: Any) -> bytes:
    return one_line((*item, b"")) if isinstance(item, tuple) else bytes(item)


def _responses(name: str, shaped: list[Any], numbered: bool) -> Iterator[Untagged]:
    """The responses that imaplib's shape was made of: what follows a literal begins with a space or a closing parenthesis."""
    parts: list[bytes] = []
    for item in shaped:
        first, literal = item if isinstance(item, tuple) else (bytes(item), None)
        goes_on = len(parts) % 2 == 0 and first[:1] in (b" ", b")", b"]")
        if parts and not goes_on:
            yield _response(name, parts, numbered)
            parts = []
        parts.append(bytes(first))
        if literal is not None:
            parts.append(bytes(literal))
    if parts:
        yield _response(name, parts, numbered)


def _response(name: str, parts: list[bytes], numbered: bool) -> Untagged:
    if len(parts) % 2 == 0:
        parts.append(b"")
    number = _NUMBERED.match(parts[0]) if numbered else None
    if number is None:
        return Untagged(name, None, tuple(parts))
    return Untagged(name, int(number.group(1)), (number.group(2) or b"", *parts[1:]))
