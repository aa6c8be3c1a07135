"""What a command returns, in imaplib's shape, and what is found when it is read.

``Data`` knows no family: the client's own data (``imapkit.core.contract.result.Answer``) is read by the families' grammar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, Self, TypeVar, overload

from imapkit.core.support.lean import lean_dataclass, record
from imapkit.core.wire.response import Run, Untagged

__all__ = ["Data", "Defect", "Parsed", "StatusText", "each"]

T = TypeVar("T")


@lean_dataclass(frozen=True, slots=True)
class Defect:
    """A place where a server did not follow the grammar, and what it sent there."""

    what: str
    raw: bytes


class Parsed(list[T], Generic[T]):
    """What responses say, a value for each that could be read at all; and ``defects``: what was wrong with them, or left out."""

    def __init__(self, values: Iterable[T] = (), defects: Iterable[Defect] = ()) -> None:
        super().__init__(values)
        self.defects = tuple(defects)


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


class Data(list[Any]):
    """The data of a result, in imaplib's shape; ``parsed()`` reads it by the families' grammar. It can be pickled and copied."""

    def __init__(
        self, items: Iterable[Any] = (), responses: Iterable[Untagged | Run] = (), name: str = "", utf8: bool = False
    ) -> None:
        list.__init__(self, items)
        self.sources = tuple(responses)
        """The untagged responses that it comes from, many of a name as one ``Run``."""
        self.name = name
        """Whose shape it is, if it comes from none that are there: "UIDVALIDITY", or "OK" for a status text."""
        self.utf8 = utf8
        """Whether UTF8=ACCEPT was on (RFC 6855); of ``responses`` each knows it of itself."""

    @property
    def responses(self) -> tuple[Untagged, ...]:
        """The untagged responses that the data comes from."""
        return tuple(each(self.sources))

    @overload
    def parsed(self) -> Parsed[Any]: ...

    @overload
    def parsed(self, kind: type[T]) -> Parsed[T]: ...

    def parsed(self, kind: type[Any] | None = None) -> Parsed[Any]:
        """What the responses say: a list with a value for each, as ``parse`` of the client has it, and its ``defects``.

        ``kind``: a record's class, such as ``FetchData``; the list has only values of that class, and type checkers know it.
        After a NO it holds the responses that came before it; if there were none, the ``StatusText`` of the refusal, and with
        ``kind`` nothing. Never raises for what a server sent. A copy is read by the families that are there by default.
        """
        found = self._read()
        return found if kind is None else Parsed((value for value in found if isinstance(value, kind)), found.defects)

    def status(self) -> StatusText | None:
        """What the command's tagged response said, its response code included; None if the data is no command's result.

        The code is of this command and no other, whereas ``response(code)`` has those of all that share the connection.
        """
        return None

    def check(self) -> Self:
        """This data, unless the server answered NO to the command: then it raises ``CommandNo``, with the response code."""
        return self

    def _read(self) -> Parsed[Any]:
        """What it says: without families, the responses as they are."""
        return Parsed(self.responses or self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), list(self), self.responses, {"name": self.name, "utf8": self.utf8})


def _remade(kind: type[Data], items: list[Any], responses: tuple[Untagged, ...], named: dict[str, Any]) -> Data:
    return kind(items, responses, **named)


def each(sources: Iterable[Untagged | Run]) -> Iterator[Untagged]:
    """The responses, those of a run made when it is their turn."""
    for source in sources:
        if isinstance(source, Run):
            yield from source
        else:
            yield source
