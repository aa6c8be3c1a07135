"""The plugin contract: what a command family is, and how it announces itself.

A family is one module (or package) that offers a ``Family`` through the hook ``imapkit_family`` and is found by an
entry point of the group ``imapkit``::

    @hookimpl
    def imapkit_family() -> Family:
        return Family(name="hello", mixin=HelloCommands, commands=(Command("XHELLO", State.LOGGED_IN),))

A family imports this module, ``imapkit.core.api`` and ``imapkit.errors``, and nothing else of imapkit.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar

import pluggy

from imapkit.core.lean import lean_dataclass

if TYPE_CHECKING:
    from imapkit.core.cursor import Cursor
    from imapkit.core.response import Run, Untagged
    from imapkit.core.session import Session
    from imapkit.core.wire import Token

__all__ = [
    "CONTRACT",
    "TLS_ORDER",
    "Code",
    "Command",
    "Done",
    "Family",
    "Item",
    "Kind",
    "Layer",
    "LayerSpec",
    "Operands",
    "Response",
    "Specs",
    "State",
    "hookimpl",
    "hookspec",
]

GROUP = "imapkit"
"""The entry-point group, and pluggy's project name."""

CONTRACT = 1
"""The version of this contract. It grows when a family may say something that an older imapkit would not understand."""

hookspec = pluggy.HookspecMarker(GROUP)
"""Marks the hook that imapkit calls, in ``Specs``; no family needs it."""
hookimpl = pluggy.HookimplMarker(GROUP)
"""Marks a family's function ``imapkit_family`` as the hook that imapkit calls."""


class State(enum.Flag):
    """The states of a connection, RFC 3501 section 3; LOGGED_IN is AUTH or SELECTED, ANY all but LOGOUT."""

    NONAUTH = enum.auto()
    AUTH = enum.auto()
    SELECTED = enum.auto()
    LOGOUT = enum.auto()
    LOGGED_IN = AUTH | SELECTED
    ANY = NONAUTH | AUTH | SELECTED


class Kind(Protocol):
    """How one argument is written: takes what the caller gave, returns a token, or raises ``ArgumentError``."""

    def __call__(self, value: Any, /) -> Token: ...


Operands: TypeAlias = Mapping[str, tuple[Kind, ...]]
"""The kinds of what follows each word that families have added to the arguments of a command: see ``Command.words``."""


class Done(Protocol):
    """What a command has come to, as its ``done`` function sees it."""

    @property
    def typ(self) -> str:
        """ "OK", "NO" or "BAD"."""
        ...

    @property
    def text(self) -> bytes:
        """What stands behind that, a response code included."""
        ...

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments, as the mixin gave them to ``_call``."""
        ...

    @property
    def untagged(self) -> list[Untagged]:
        """The untagged responses that answer it, as they came."""
        ...

    @property
    def interrupted_by(self) -> str:
        """Why it was ended early: "turn" (another command), "news" or "patience"; "" if it was not."""
        ...


@lean_dataclass(frozen=True, slots=True)
class Command:
    """One command, for good: nothing here changes while a client runs.

    ``name`` and ``states``
        as on the wire, in upper case; where it is valid (RFC 3501 section 3).
    ``args``, ``rest``
        the kind of each argument in turn (``imapkit.core.api`` has them: ``mailbox``, ``sequence_set`` ...); each call gives a
        value for every kind. One that is None raises ``ArgumentError``, unless the kind is ``optional(kind)``: then it is left
        out. ``rest`` writes all further arguments together; ``optional(rest)`` gets those that are None, too. Without either,
        every argument is written by the general rule (``imapkit.core.api.general``). Of text between single quotes a kind gets
        what stands between them, as bytes, unless it is ``@verbatim``: for passwords and messages.
    ``words``
        the command (most often itself) to whose arguments other families may add words that may stand here: ``rest`` is called
        as ``rest(args, operands)``, and ``operands["X-GM-RAW"]`` is what follows that word (``Family.operands``).
    ``exclusive``
        waits until no other command is in flight and holds back those after it; for whatever changes the state.
    ``uid``
        may be sent as ``UID name`` (RFC 3501 section 6.4.8).
    ``result``
        the untagged responses that are returned to the caller.
    ``about``, ``matches``
        two commands that share a name in ``result`` are in flight together only if their answers can be told apart:
        ``about(args, uid)`` says what a command asks for (anything hashable, or a ``NumberSet``), and
        ``matches(about, response)`` whether a response is an answer to that: True, False, None for "perhaps", or a text for
        "only if it cannot be another command's", which says what is odd about it (``imap.defects`` then has that). What is
        perhaps the answer of one command in flight becomes its answer; of several, nobody's. Of a command about one thing
        (no ``NumberSet``) it gives way to what is certainly the answer. ``response.once(read)`` calls a function of the
        family's once for each response, however many commands in flight ask.
        Without ``about``, and where it returns None, such commands follow one another; so do two whose subjects are of different
        types, such as a name and a ``NumberSet``: neither family's ``matches`` knows the other's. What ``matches`` raises reaches
        the caller of its own command. ``matches_all(about, run)`` says of many responses at once whether all are (``run.texts``
        ends where a literal begins); False leaves it to ``matches``, one by one. It only saves time.
    ``seqnums``, ``expunges``
        ``seqnums``: names message sequence numbers (unless sent with UID). ``expunges``: EXPUNGE responses may come
        while it is in flight, as they may for all but FETCH, STORE and SEARCH. A ``seqnums`` command is not sent while an
        ``expunges`` command is in flight (RFC 3501 section 5.5).
    ``secret``
        its arguments never reach a log or an error's text, not even when the server repeats them: those that the mixin wraps
        (``imapkit.core.api.Secret``; the kinds get what is in it), or if it wraps none, all but the first. It is refused
        while TLS was asked for (``starttls``) and is not there.
    ``guard``
        ``guard(session, args)``, on the caller's thread before anything is sent: may raise ``ArgumentError`` for what the program
        must not ask for unless it insists (``force=True``, where a method has it).
    ``before``
        ``before(session, args)``, just before it is sent: may raise to refuse. ``done(session, request)``, at the tagged
        response, on the thread that reads: for changes of state only. Neither may block.
    ``interrupt``, ``news``
        ``interrupt``: the line that ends it early (IDLE's ``DONE``): when another command waits, when the call's ``patience``
        is over, or when a response has come of which ``news(response)`` says True.
    ``layer``, ``tail``
        the transport layer that is switched on at its tagged OK, and what becomes of octets already read by then: "feed"
        gives them to the layer, "reject" ends the connection (STARTTLS: response injection), and nothing that was said before
        counts: capabilities and untagged responses are forgotten.
    ``ends``
        the session ends with it: BYE is its answer, not a failure.
    """

    name: str
    states: State
    args: tuple[Kind, ...] = ()
    rest: Callable[..., Iterable[Token]] | None = None
    exclusive: bool = False
    uid: bool = False
    result: tuple[str, ...] = ()
    about: Callable[[tuple[Any, ...], bool], Any] | None = None
    matches: Callable[[Any, Untagged], bool | str | None] | None = None
    matches_all: Callable[[Any, Run], bool] | None = None
    seqnums: bool = False
    expunges: bool = True
    secret: bool = False
    before: Callable[[Session, tuple[Any, ...]], None] | None = None
    done: Callable[[Session, Done], None] | None = None
    interrupt: bytes | None = None
    news: Callable[[Untagged], bool] | None = None
    layer: str | None = None
    tail: Literal["feed", "reject"] = "feed"
    ends: bool = False
    words: str | None = None
    guard: Callable[[Session, tuple[Any, ...]], None] | None = None


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


def _frozen() -> Mapping[Any, Any]:
    return MappingProxyType({})


@lean_dataclass(frozen=True, slots=True)
class Family:
    """All that a family brings.

    ``name``
        that of its entry point, and what it is switched off by.
    ``mixin``
        a class with its public methods, derived from ``imapkit.core.api.Commands``; every client derives from it.
    ``commands``, ``responses``, ``codes``
        what it sends and understands; responses and response codes by name.
    ``capabilities``
        what servers announce for it, for listings (``imapkit doctor``), with ``*`` at the end for any ending: "QUOTA=RES-*".
    ``partly``
        capabilities of which it serves a part only, each with what that part is: ``{"X-MOVE": "the response is read"}``. One
        that some family has among its ``capabilities`` counts as served.
    ``enables``
        the capabilities that may be switched on (RFC 5161), because what changes with them is understood here.
    ``items``
        extends the grammar of another response: ``{("FETCH", "X-GM-LABELS"): parser}``. ``Item`` gives typed access to them.
    ``operands``
        extends the arguments of another command: ``{("SEARCH", "X-GM-RAW"): (astring,)}`` says what follows a search key, in
        SORT and THREAD, too; ``{("STORE", "X-GM-LABELS"): (labels,)}`` how the value of a STORE item is written, with or without
        "+" or "-" before the item and ".SILENT" behind it.
    ``layers``
        the layers between protocol and socket that it offers, by name.
    ``requires``
        the families that must be there.
    ``replaces``
        the claims that it takes over from another family: "command:QUOTA", "method:quota", "response:QUOTA", "code:ALERT",
        "item:FETCH.UID", "operand:SEARCH.X-GM-RAW", "layer:deflate".
    ``contract``
        the version of the contract (``CONTRACT``) that it needs: an imapkit that has not come so far refuses the family, and
        says so.
    """

    name: str
    mixin: type | None = None
    commands: tuple[Command, ...] = ()
    capabilities: tuple[str, ...] = ()
    enables: tuple[str, ...] = ()
    responses: Mapping[str, Response] = field(default_factory=_frozen)
    items: Mapping[tuple[str, str], Callable[[Cursor], Any]] = field(default_factory=_frozen)
    operands: Mapping[tuple[str, str], tuple[Kind, ...]] = field(default_factory=_frozen)
    codes: Mapping[str, Code] = field(default_factory=_frozen)
    layers: Mapping[str, LayerSpec] = field(default_factory=_frozen)
    requires: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    contract: int = 1
    partly: Mapping[str, str] = field(default_factory=_frozen)


class Specs:
    """The one hook. It is called once, at load time."""

    @hookspec
    def imapkit_family(self) -> Family:  # type: ignore[empty-body]
        """Return the family that this module offers."""
