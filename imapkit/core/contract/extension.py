"""The parts of a family beside its commands: responses, response codes, items of other responses, and layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from imapkit.core.contract.needs import Needed, as_needs
from imapkit.core.contract.session import Session
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.support.lean import lean_dataclass
from imapkit.core.wire.response import Untagged
from imapkit.errors import NoResponse

__all__ = ["TLS_ORDER", "Code", "Item", "Layer", "LayerSpec", "Response"]


@lean_dataclass(frozen=True, slots=True)
class Response:
    """How an untagged response is read.

    ``parse`` is pure and runs late, on the thread of the caller that asks. ``apply(session, response)`` runs on the thread that
    reads, as the response comes, for changes of session state only; what it raises reaches the caller of a command of the same
    family that the response answers, else ``imap.defects``. ``numbered``: a number stands before its name ("* 3 EXISTS").

    ``tag(response)`` reads the tag of the command that the response names as its own, as ``* ESEARCH (TAG "a1") ...`` does (RFC
    4466 section 2.6.2), or None. The response answers the command in flight with that tag, if that awaits it, and no other; one
    without a tag answers the only command in flight that awaits such responses. So commands that await them overlap. A call that
    awaits a response without ``tag``, too, such as SEARCH of a server that ignores RETURN, takes turns with others for that.
    """

    parse: Callable[[Cursor], Any] | None = None
    apply: Callable[[Session, Untagged], None] | None = None
    numbered: bool = False
    tag: Callable[[Untagged], bytes | None] | None = None


@lean_dataclass(frozen=True, slots=True)
class Code:
    """How a response code's data is read; ``parse`` and ``apply(session, data)`` as in ``Response``.

    ``boundary``: what came before it for a command that owns it (``Command.codes``) does not belong to that command's answer,
    and is kept for ``response(name)``: what a server sends before CLOSED is about the mailbox that was selected before, what it
    sends behind it about the new one (RFC 9051 section 7.1).
    ``raises`` is the class of the error for a typed command that is answered NO with this code: ``NoResponse``, or one that
    derives from it (``imapkit.refusals`` has those of the common codes). Its ``value`` is what ``parse`` has returned.
    """

    parse: Callable[[Cursor], Any] | None = None
    apply: Callable[[Session, bytes | None], None] | None = None
    boundary: bool = False
    raises: type[NoResponse] | None = None


class Layer(Protocol):
    """A transformation of the bytes between the protocol and the socket. One thread at a time encodes, and one decodes.

    It may have a method ``settled()``: whether the last frame has arrived whole, so that another layer may be put beneath it.
    (The text of a DEFLATE flush is complete some bytes before its end.) A layer without the method has no frames.

    It may have an attribute ``filler`` (``bytes``): what may be sent, as it is, between any two results of ``encode`` and has no
    meaning. The client sends it now and then while a server that owes answers is silent: a server that has left received bytes
    unread then reads on. The layers beneath encode it. (It is not sent where the program reads the connection itself, nor over
    pipes.)
    """

    def start(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """Agree with the other side, before the first ``encode``; ``receive`` returns b"" at the end of the stream."""
        ...

    def encode(self, data: bytes | memoryview) -> bytes:
        """The bytes to send for ``data``."""
        ...

    def decode(self, data: bytes) -> Iterable[bytes]:
        """The bytes that the received ``data`` stands for, in pieces of bounded size.

        Called with nothing right after ``start``: for what came together with the last bytes that ``start`` received.
        """
        ...

    def finish(self) -> bytes:
        """The bytes to send at the end; may be empty."""
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
        its place, which does not depend on when layers are switched on: the lowest order is next to the socket, and gets the
        bytes of the wire. Of two with one order the later one is above. With COMPRESS on, bytes are first compressed,
        and then encrypted by TLS (``TLS_ORDER``).
    ``always``
        it is on from the start, and beneath every layer that is switched on later, TLS from the start included.
    """

    factory: Callable[[Session, Any], Layer | None]
    order: int = 50
    always: bool = False


T_co = TypeVar("T_co", covariant=True)
G = TypeVar("G")


class _HasItems(Protocol):
    @property
    def items(self) -> Mapping[str, Any]: ...


@lean_dataclass(frozen=True, slots=True)
class Item(Generic[T_co]):
    """An item that a family adds to another response: its grammar, and the typed way to its value.

    ``LABELS = Item("FETCH", "X-GM-LABELS", labels, tuple)`` is declared with ``items=Item.table(LABELS)``, and
    ``LABELS.of(message)`` is what ``labels`` made of it in that record (``FetchData``, ``MailboxStatus``).

    ``response``, ``name``
        of which response it is an item, and its name; both in upper case.
    ``parse``
        its grammar, as ``Response.parse``.
    ``kind``
        the class of what ``parse`` returns.
    ``request``
        what asks for it, where that is not its name, with arguments: "PREVIEW (LAZY)", "BODY.PEEK[]". ``requested`` changes it.
    ``needs``
        the capabilities without which it cannot be asked for; None or "" for none.
    ``made``
        makes the users' value of what ``parse`` returned; None if that is the users' value.
    """

    response: str
    name: str
    parse: Callable[[Cursor], Any]
    kind: type[Any]
    request: str = ""
    needs: Needed | None = None
    made: Callable[[Any], T_co] | None = None

    if TYPE_CHECKING:

        @overload
        def __init__(
            self,
            response: str,
            name: str,
            parse: Callable[[Cursor], T_co],
            kind: type[Any],
            request: str = "",
            needs: Needed | None = None,
            made: None = None,
        ) -> None: ...

        @overload
        def __init__(
            self,
            response: str,
            name: str,
            parse: Callable[[Cursor], G],
            kind: type[Any],
            request: str = "",
            needs: Needed | None = None,
            *,
            made: Callable[[G], T_co],
        ) -> None: ...

        def __init__(self, *args: Any, **fields: Any) -> None: ...

    @property
    def asks(self) -> str:
        """What asks for it: ``request``, else its name."""
        return self.request or self.name

    def requested(self, request: str) -> Item[T_co]:
        """The same item, asked for in another way: ``PREVIEW.requested("PREVIEW (LAZY)")``."""
        made: Any = Item
        return made(self.response, self.name, self.parse, self.kind, request, self.needs, made=self.made)  # type: ignore[no-any-return]

    def of(self, record: _HasItems) -> T_co | None:
        """Its value in a record; None if the server did not send it, or if it was read by another grammar than this one."""
        value: Any = record.items.get(self.name)
        if not isinstance(value, self.kind):
            return None
        return self.made(value) if self.made is not None else value

    @staticmethod
    def table(*items: Item[object]) -> Mapping[tuple[str, str], Callable[[Cursor], Any]]:
        """The value of ``Family.items`` for these items. Raises ``TypeError`` for an item that is declared wrongly."""
        for item in items:
            if not isinstance(item.kind, type):
                raise TypeError(f"Item {item.name}: kind={item.kind!r} is no class: write tuple, not tuple[...]")
            if not isinstance(item.request, str) or not (
                (item.request.isascii() and item.request.isprintable()) or not item.request
            ):
                raise TypeError(f"Item {item.name}: request={item.request!r} is no text that can be sent: write what asks for it")
            if item.made is not None and not callable(item.made):
                raise TypeError(f"Item {item.name}: made={item.made!r} is no function: it is called as made(value)")
            if item.needs is not None and item.needs != "":
                as_needs(item.needs)
        return MappingProxyType({(item.response, item.name): item.parse for item in items})
