"""What a command returns, and how it is understood when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from imapkit.core.cursor import Cursor
from imapkit.core.response import Untagged

if TYPE_CHECKING:
    from imapkit.core.registry import Registry

__all__ = ["Data", "parse"]


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

    def parsed(self) -> list[Any]:
        """One value for each response. Raises ``ParseError`` for one that does not follow its grammar."""
        return [parse(response, self._registry) for response in self.responses]


def parse(response: Untagged, registry: Registry | None) -> Any:
    """What a response says, by the grammar of its family; the response itself if no family knows it."""
    known = registry.responses.get(response.name) if registry is not None else None
    if registry is None or known is None or known.parse is None:
        return response
    return known.parse(Cursor(response.parts, response.number, registry.items))
