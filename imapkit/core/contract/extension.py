"""What a family brings beside commands: responses, response codes, items of other responses, and layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from imapkit.core.contract.session import Session
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.support.lean import lean_dataclass
from imapkit.core.wire.response import Untagged

__all__ = ["TLS_ORDER", "Code", "Item", "Layer", "LayerSpec", "Response"]


@lean_dataclass(frozen=True, slots=True)
class Response:
    """How an untagged response is understood.

    ``parse`` is pure and runs late, on the thread of whoever asks. ``apply(session, response)`` runs on the thread that reads, as
    the response comes, for changes of session state only; what it raises reaches the caller of a command of the same family that
    the response answers, else ``imap.defects``. ``numbered``: a number stands before its name ("* 3 EXISTS").
    """

    parse: Callable[[Cursor], Any] | None = None
    apply: Callable[[Session, Untagged], None] | None = None
    numbered: bool = False


@lean_dataclass(frozen=True, slots=True)
class Code:
    """How a response code's data is understood; ``parse`` and ``apply(session, data)`` as in ``Response``."""

    parse: Callable[[Cursor], Any] | None = None
    apply: Callable[[Session, bytes | None], None] | None = None


class Layer(Protocol):
    """A transformation of the octets between the protocol and the socket. One thread at a time encodes, and one decodes.

    It may have a method ``settled()``: whether the last frame it was given is whole, so that another layer may be put beneath it.
    All text of a DEFLATE flush is there some bytes before its end. Without the method every byte means something at once.

    It may have an attribute ``filler`` (``bytes``): what may be sent, as it is, between any two results of ``encode`` and tells
    the other side nothing. It is, now and then, while a server that owes answers is silent: one that has more of what it was
    sent than it has looked at looks again. The layers beneath encode it. (Not where the program reads the connection by
    itself, nor over pipes.)
    """

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """Agree with the other side, before the first ``encode``; ``receive`` returns b"" at the end of the stream."""
        ...

    def encode(self, data: bytes | memoryview) -> bytes:
        """What is to be sent for ``data``."""
        ...

    def decode(self, data: bytes) -> Iterable[bytes]:
        """What ``data``, just received, means: in pieces of bounded size.

        Called with nothing right after ``start``: for what came together with the last octets that ``start`` received.
        """
        ...

    def finish(self) -> bytes:
        """What is to be sent at the end, as far as it can be."""
        ...


TLS_ORDER = 10
"""``LayerSpec.order`` of TLS. A security layer of SASL has a higher one, and DEFLATE the default (RFC 4978 section 3)."""


@lean_dataclass(frozen=True, slots=True)
class LayerSpec:
    """A layer that a family offers.

    ``factory``
        ``factory(session, options)`` makes it, on the reader thread, before the greeting on that of the caller. One that returns
        None has put the layer in place itself (``Commands._use_tls``).
    ``order``
        its place, whatever the order in which layers are switched on: the layer with the lowest order is next to the socket, and
        sees what goes over the wire. Of two with one order the later one is above. With COMPRESS on, bytes are first compressed,
        and then encrypted by TLS (``TLS_ORDER``).
    ``always``
        it is on from the start, and beneath every layer that is switched on later, TLS from the start included.
    """

    factory: Callable[[Session, Any], Layer | None]
    order: int = 50
    always: bool = False


T = TypeVar("T")


class _HasItems(Protocol):
    @property
    def items(self) -> Mapping[str, Any]: ...


@lean_dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """An item that a family adds to another response: its grammar, and the typed way to its value.

    ``LABELS = Item("FETCH", "X-GM-LABELS", labels, tuple)`` is declared with ``items=Item.table(LABELS)``, and
    ``LABELS.of(message)`` is what ``labels`` made of it in that record (``FetchData``, ``MailboxStatus``).

    ``response``, ``name``
        of which response it is an item, and its name; both in upper case.
    ``parse``
        its grammar, as ``Response.parse`` has it.
    ``kind``
        the class of what ``parse`` returns.
    """

    response: str
    name: str
    parse: Callable[[Cursor], T]
    kind: type[Any]

    def of(self, record: _HasItems) -> T | None:
        """Its value in a record; None if the server did not send it, or if it was read by another grammar than this one."""
        value: T | None = record.items.get(self.name)
        return value if isinstance(value, self.kind) else None

    @staticmethod
    def table(*items: Item[Any]) -> Mapping[tuple[str, str], Callable[[Cursor], Any]]:
        """What ``Family.items`` is for these. Raises ``TypeError`` for a ``kind`` that is no class."""
        for item in items:
            if not isinstance(item.kind, type):
                raise TypeError(f"Item {item.name}: kind={item.kind!r} is no class: write tuple, not tuple[...]")
        return MappingProxyType({(item.response, item.name): item.parse for item in items})
