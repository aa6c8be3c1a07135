"""What a command returns, and how it is read: late, on the thread of the caller that asks.

A response, or an item of one, that does not follow its grammar becomes a ``Defect``; the others are read all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol, Self, TypeAlias

from imapkit.core.contract.tables import Tables, no_tables
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.support.limits import Limits
from imapkit.core.support.shown import shown
from imapkit.core.wire.data import Data, Defect, Parsed, StatusText, each
from imapkit.core.wire.response import CodeData, ResponseCode, Run, Untagged, announcement, one_line, response_code, split_code
from imapkit.errors import CommandNo, ParseError

__all__ = ["Answer", "Families", "Log", "code_value", "note", "parse", "parse_shape", "read_copies_by", "status_text"]

Families: TypeAlias = Callable[[], Tables]
"""Returns the families' tables when something is to be read."""

_DEEPEST = 10
_NUMBERED = re.compile(rb"(\d{1,20})(?: (.*))?\Z", re.DOTALL)
_CONDITIONS = frozenset(("OK", "NO", "BAD", "BYE", "PREAUTH"))
_NESTING = Limits().nesting
"""For data without the limits of a connection."""


_of_copies: list[Families] = [no_tables]
"""The families by which copies are read."""


class Log(Protocol):
    """Where the defects of data are noted."""

    def extend(self, defects: Iterable[Defect], /) -> None:
        """Note these."""


class Answer(Data):
    """The data of a client, read by the families that the client has; a copy is read by the default families."""

    def __init__(
        self,
        items: Iterable[Any] = (),
        responses: Iterable[Untagged | Run] = (),
        tables: Tables | Families | None = None,
        name: str = "",
        utf8: bool = False,
        log: Log | None = None,
        text: bytes | None = None,
        refused: str = "",
        nesting: int = _NESTING,
    ) -> None:
        Data.__init__(self, items, responses, name, utf8)
        self._tables, self._log, self._text, self._refused, self._nesting = tables, log, text, refused, nesting
        self._noted: tuple[str, ...] = ()
        """The parts whose defects have been noted: "responses", "text"."""

    @classmethod
    def of(
        cls,
        responses: Iterable[Untagged | Run],
        tables: Tables,
        log: Log | None = None,
        text: bytes | None = None,
        nesting: int = _NESTING,
    ) -> Answer:
        """The data of untagged responses; ``[None]`` if there are none. What is wrong with them is noted in ``log``, too."""
        found = tuple(responses)
        items = [item for response in found for item in response.data()] or [None]
        return cls(items, found, tables, log=log, text=text, nesting=nesting)

    def status(self) -> StatusText | None:
        """See ``Data.status``."""
        if self._text is None:
            return None
        defects: list[Defect] = []
        said = status_text(self._text, self._known(), defects, self._nesting)
        self._note("text", defects, self._log)
        return said

    def check(self) -> Self:
        """See ``Data.check``."""
        if not self._refused:
            return self
        text = self._text or b""
        message = f"{self._refused}: NO {shown(text, 1000)}"
        came = Answer.of(self.sources, self._known(), self._log, nesting=self._nesting) if self.sources else None
        if came is not None:
            came._noted = self._noted
        raise CommandNo(message, typ="NO", text=text, command=self._refused).with_data(came)

    def _read(self) -> Parsed[Any]:
        found = parse_shape(self.name, self, self._known(), utf8=self.utf8, nesting=self._nesting)
        note(self, found.defects, self._log)
        return found

    def _known(self) -> Tables:
        tables = self._tables or _of_copies[0]
        return tables if isinstance(tables, Tables) else tables()

    def note(self, defects: Sequence[Defect], log: Log | None) -> None:
        """Note in ``log`` what was wrong with the data, unless that has been done."""
        self._note("responses" if self.sources or self._text is None else "text", defects, log)

    def _note(self, read: str, defects: Sequence[Defect], log: Log | None) -> None:
        if log is not None and defects and read not in self._noted:
            self._noted = (*self._noted, read)
            log.extend(defects)

    def note_alone(self, log: Log | None) -> None:
        """The same for a part of other data, which may have been parsed alone."""
        self.note(parse_shape(self.name, self, self._known(), utf8=self.utf8, nesting=self._nesting).defects, log)

    def __reduce__(self) -> tuple[Any, ...]:
        families = _of_copies[0]
        others = (families, self.name, self.utf8, None, self._text, self._refused, self._nesting)
        return type(self), (list(self), self.responses, *others)


def read_copies_by(families: Families) -> None:
    """Have copies of data read by these families. A copy in another process calls the function there, by its name."""
    _of_copies[:] = [families]


def parse(responses: Iterable[Untagged], tables: Tables | None, nesting: int = _NESTING) -> Parsed[Any]:
    """The values of responses, by the grammar of their families; a response of no family stays as it is."""
    defects: list[Defect] = []
    return Parsed(_values(responses, tables, defects, nesting), defects)


def parse_shape(typ: str, data: Any, tables: Tables, *, utf8: bool = False, nesting: int = _NESTING) -> Parsed[Any]:
    """The values of data in imaplib's shape. ``typ``: the name of a response or of a response code, or "OK", "NO", "BAD".

    A result's own data is read by the names of its responses, or by the name that it carries; with "OK" and the like, plain data
    is the text of a status response. Data of no family stays as it is, and what is no data at all is a defect. ``utf8``: mailbox
    names are UTF-8 (RFC 6855), for data without that mark. ``nesting``: ``Limits.nesting``.
    """
    own = data.sources if isinstance(data, Data) else ()
    if not own and isinstance(data, list):
        # A copy of nested data (GETQUOTAROOT).
        own = tuple(source for item in data if isinstance(item, Data) for source in item.sources)
    if own:
        return parse(each(own), tables, nesting)
    defects: list[Defect] = []
    name = ((isinstance(data, Data) and data.name) or (typ if isinstance(typ, str) else "")).upper()
    shaped = _flat(name, data, defects)
    kinds = groupby(shaped, lambda item: isinstance(item, CodeData))
    found = [value for is_code, run in kinds for value in _meanings(name, list(run), is_code, tables, utf8, nesting, defects)]
    return Parsed(found, defects)


def note(data: Any, defects: Sequence[Defect], log: Log | None) -> None:
    """Note in ``log`` what was wrong with ``data``, once for each ``Data``, which may be parsed more than once."""
    if not defects or log is None:
        return
    parts = [item for item in data if isinstance(item, Answer)] if isinstance(data, list) else []
    for part in parts:
        # Data of several parts (GETQUOTAROOT).
        part.note_alone(log)
    if isinstance(data, Answer) and not parts:
        data.note(defects, log)
    elif not parts:
        log.extend(defects)


def _meanings(
    name: str, shaped: list[Any], is_code: bool, tables: Tables, utf8: bool, nesting: int, defects: list[Defect]
) -> Iterable[Any]:
    """The values of data of one name: of responses (unless ``is_code``), of response codes, or of status texts."""
    response = None if is_code else tables.responses.get(name)
    if response is not None:
        return _values(_responses(name, shaped, response.numbered, utf8), tables, defects, nesting)
    if name in tables.codes:
        return _codes(name, shaped, tables, defects, nesting)
    if name in _CONDITIONS:
        # Nested data (GETQUOTAROOT) repeats the one text that there is.
        return (status_text(text, tables, defects, nesting) for text in dict.fromkeys(map(_text, shaped)))
    return shaped


def _flat(name: str, data: Any, defects: list[Defect]) -> Iterator[Any]:
    """The bytes, and the pairs of bytes, in any shape; a pair that was written as a list (JSON) too."""
    pending = [iter((data,))]
    while pending:
        for item in pending[-1]:
            if item is None:
                continue
            if (single := _as_bytes(item)) is not None:
                yield single
            elif (pair := _pair(item)) is not None:
                yield pair
            elif isinstance(item, list) and len(pending) < _DEEPEST:
                pending.append(iter(item))
                break
            else:
                defects.append(Defect(f"{name}: neither bytes nor a pair of bytes", _shown(item)))
        else:
            pending.pop()


def _shown(item: Any) -> bytes:
    """The beginning of how an object shows itself; the name of its type where it cannot."""
    try:
        shown = repr(item)
    except Exception:
        # The caller's object may raise anything.
        shown = f"<{type(item).__name__}>"
    return shown[:80].encode("utf-8", "replace")


def _as_bytes(item: Any) -> bytes | None:
    if isinstance(item, str):
        try:
            return item.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return item.encode("utf-8", "replace")
    if isinstance(item, CodeData):
        return item
    return bytes(item) if isinstance(item, (bytes, bytearray, memoryview)) else None


def _pair(item: Any) -> tuple[bytes, bytes] | None:
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        return None
    first, second = map(_as_bytes, item)
    if first is None or second is None or (isinstance(item, list) and announcement(first) == len(first)):
        return None
    return first, second


def _values(responses: Iterable[Untagged], tables: Tables | None, defects: list[Defect], nesting: int) -> Iterator[Any]:
    known_responses = tables.responses if tables is not None else {}
    for response in responses:
        known = known_responses.get(response.name)
        if tables is not None and response.name in _CONDITIONS:
            yield status_text(response.text, tables, defects, nesting)
        elif tables is None or known is None or known.parse is None:
            yield response
        else:
            cursor = Cursor(response.parts, response.number, tables.items, nesting=nesting, utf8=response.utf8)
            yield from _read(response.name, known.parse, cursor, defects)


def _read(name: str, rule: Any, cursor: Cursor, defects: list[Defect]) -> tuple[Any, ...]:
    """The value alone, or nothing if it cannot be read; what was wrong is added to ``defects``."""
    start = cursor.mark()
    try:
        value = rule(cursor)
    except Exception as problem:
        # Any error: the other responses must be read all the same.
        why = f"expected {problem.expected}" if isinstance(problem, ParseError) else f"{type(problem).__name__}: {problem}"
        cursor.reset(start)
        defects += [*cursor.defects, Defect(f"{name}: {why}", cursor.rest())]
        return ()
    defects += cursor.defects
    return (value,)


def _codes(name: str, shaped: list[Any], tables: Tables, defects: list[Defect], nesting: int) -> Iterator[Any]:
    rule = tables.codes[name].parse
    for data in map(_text, shaped):
        if rule is None:
            yield data
        else:
            yield from _read(name, rule, Cursor((data,), None, tables.items, nesting=nesting), defects)


def status_text(text: bytes, tables: Tables, defects: list[Defect], nesting: int) -> StatusText:
    """What the text of a status response says; what cannot be read of its code is added to ``defects``."""
    code = response_code(text)
    if code is None:
        return StatusText(None, None, None, text)
    return StatusText(code.name, code.data, code_value(code, tables, defects, nesting), split_code(text))


def code_value(code: ResponseCode, tables: Tables, defects: list[Defect], nesting: int) -> Any:
    """The value of a response code by its family's grammar; None for one that no family reads, or that cannot be read."""
    known = code.name in tables.codes
    values = list(_codes(code.name, [code.data or b""], tables, defects, nesting)) if known else []
    return values[0] if values else None


def _text(item: Any) -> bytes:
    return one_line((*item, b"")) if isinstance(item, tuple) else bytes(item)


def _responses(name: str, shaped: list[Any], numbered: bool, utf8: bool) -> Iterator[Untagged]:
    """The responses that imaplib's shape was made of: what follows a literal begins with a space or a closing parenthesis."""
    parts: list[bytes] = []
    for item in shaped:
        first, literal = item if isinstance(item, tuple) else (bytes(item), None)
        goes_on = len(parts) % 2 == 0 and first[:1] in (b" ", b")", b"]")
        if parts and not goes_on:
            yield _response(name, parts, numbered, utf8)
            parts = []
        parts.append(bytes(first))
        if literal is not None:
            parts.append(bytes(literal))
    if parts:
        yield _response(name, parts, numbered, utf8)


def _response(name: str, parts: list[bytes], numbered: bool, utf8: bool) -> Untagged:
    if len(parts) % 2 == 0:
        parts.append(b"")
    number = _NUMBERED.match(parts[0]) if numbered else None
    if number is None:
        return Untagged(name, None, tuple(parts), utf8)
    return Untagged(name, int(number.group(1)), (number.group(2) or b"", *parts[1:]), utf8)
