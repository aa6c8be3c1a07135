"""The data that a command returns, in imaplib's shape, and the values and defects that are read from it.

``Data`` uses no family's grammar; the client's own data (``imapkit.core.contract.result.Answer``) does.
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
    """The values of the responses that could be read; ``defects`` says what was wrong with them, or left out."""

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
        """The name of its shape, if it comes from no responses: "UIDVALIDITY", or "OK" for a status text."""
        self.utf8 = utf8
        """Whether UTF8=ACCEPT was on (RFC 6855); each of ``responses`` has its own ``utf8``."""

    @property
    def responses(self) -> tuple[Untagged, ...]:
        """The untagged responses that the data comes from."""
        return tuple(each(self.sources))

    @overload
    def parsed(self) -> Parsed[Any]: ...

    @overload
    def parsed(self, kind: type[T]) -> Parsed[T]: ...

    def parsed(self, kind: type[Any] | None = None) -> Parsed[Any]:
        """The values of the responses, as the client's ``parse`` returns them: a list with ``defects``.

        ``kind``: a record's class, such as ``FetchData``; the list then has only values of that class, for type checkers as well.
        After a NO it holds the responses that came before it; if there were none, the ``StatusText`` of the refusal, and with
        ``kind`` nothing. Never raises for what a server sent. A copy is read by the default families.
        """
        found = self._read()
        return found if kind is None else Parsed((value for value in found if isinstance(value, kind)), found.defects)

    def status(self) -> StatusText | None:
        """The text and response code of the command's tagged response; None if the data is no command's result.

        The code belongs to this command; ``response(code)`` has those of all commands of the connection.
        """
        return None

    def check(self) -> Self:
        """Return this data. Raises ``CommandNo``, with the response code, if the server answered NO to the command."""
        return self

    def _read(self) -> Parsed[Any]:
        """Its values: without families, the responses as they are."""
        return Parsed(self.responses or self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), list(self), self.responses, {"name": self.name, "utf8": self.utf8})


def _remade(kind: type[Data], items: list[Any], responses: tuple[Untagged, ...], named: dict[str, Any]) -> Data:
    return kind(items, responses, **named)


def each(sources: Iterable[Untagged | Run]) -> Iterator[Untagged]:
    """The responses one by one; those of a run are made as they are reached."""
    for source in sources:
        if isinstance(source, Run):
            yield from source
        else:
            yield source
