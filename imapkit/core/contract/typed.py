"""Typed commands in three faces: a call blocks, returns a future, or is awaited. A family writes each command once.

``@command`` stands over ``def ... -> Wire[T]`` (one command) or ``async def ... -> T`` (several commands), ``@stream`` over an
asynchronous generator. The object on which the method is called says which face it has.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from imapkit.core.contract.needs import Needed, require
from imapkit.core.contract.routes import Routes, by_route
from imapkit.core.contract.wires import Offload
from imapkit.core.grammar.roles import Role
from imapkit.errors import FamilyDisabledError, Missing

if TYPE_CHECKING:
    from concurrent.futures import Future

    from imapkit.core.contract.session import Session
    from imapkit.core.contract.wires import Arrivals
    from imapkit.core.wire.sinks import Destination, Passage

__all__ = ["INNER", "Async", "Blocking", "Box", "Face", "Link", "Nowait", "TypedCommands", "command", "stream"]

S = TypeVar("S", contravariant=True)
P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F")

_COROUTINE = 0x80
"""``inspect.CO_COROUTINE``; that module is slow to load."""


class Blocking:
    """The face whose calls return their results."""


class Nowait:
    """The face whose calls return a future at once."""


class Async:
    """The face whose calls are awaited."""


class Link(Protocol):
    """What all faces of one connection share."""

    @property
    def session(self) -> Session:
        """The state of the session."""
        ...

    def check_view(self, commands: type, box: Box | None) -> None:
        """Raise for typed commands that no family of the client has, or that need a mailbox."""
        ...

    def offers(self, registry: str) -> Mapping[str, Any]:
        """What the families add to an open registry (``Family.offers``)."""
        ...

    def arrivals(self, *kinds: type) -> Arrivals:
        """What no command asks for, from now on, as events of these classes, and ``Overflow``."""
        ...

    def passage(self) -> Passage:
        """A channel for one literal of an answer."""
        ...

    def destination(self, to: Any, resume: bool) -> Destination:
        """A file, or the path of one, to which a body is written."""
        ...


class Box(Protocol):
    """The selected mailbox of an object, which all its faces share."""

    name: str

    def check(self, name: str) -> int:
        """``Session.selections`` while it is selected. Raises ``MailboxClosed`` if it has been left: ``name`` is not sent."""
        ...


class Face(Protocol):
    """How commands are carried out on one face: ``one`` command, ``several`` in a coroutine, or a ``stream`` of results."""

    def one(self, obj: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Carry out the ``Wire`` that ``function`` returns."""
        ...

    def several(self, obj: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Carry out what the coroutine of ``function`` awaits."""
        ...

    def stream(self, obj: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Carry out what the asynchronous generator of ``function`` awaits, and give its values."""
        ...


class _Inner:
    """The face inside a family's own coroutines: everything is awaited there, and the outer face carries it out."""

    def one(self, obj: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return function(obj, *args, **options)

    several = stream = one


INNER: Face = _Inner()


class TypedCommands(Generic[F]):
    """The base of a family's typed commands; also a view of them over an object of the same face: ``Gmail(inbox)``."""

    _typed_commands = True
    """What the loader knows such a class by."""
    _link: Any
    _face: Face
    _box: Any = None
    _timeout: float | None = None
    _inner: Self | None = None
    _over: TypedCommands[Any] | None = None
    """Of a view: the object that it is a view of."""

    def __init__(self, over: TypedCommands[F]) -> None:
        if not isinstance(over, TypedCommands):
            raise TypeError(f"{type(self).__qualname__} takes a typed client or mailbox, not {type(over).__name__}")
        self._check_view(over)
        self._link, self._face, self._box, self._timeout = over._link, over._face, over._box, over._timeout
        self._over = over

    def _check_view(self, over: TypedCommands[Any]) -> None:
        """Raise if this class cannot be a view of ``over``: ``FamilyDisabledError`` or ``TypeError``."""
        over._link.check_view(type(self), over._box)

    def with_options(self, *, timeout: float | None = None) -> Self:
        """A copy whose calls each have ``timeout`` seconds, for all their commands together; None for no limit.

        A call that takes longer raises ``DeadlineExceeded`` (a ``TimeoutError``), and the connection goes on. The limit of a
        stream applies to each of its steps.
        """
        twin = self._twin()
        twin._timeout = timeout
        return twin

    def _twin(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._inner = None
        return twin

    def _within(self) -> Self:
        """This object for the family's own coroutines, in which everything is awaited."""
        inner = self._inner
        if inner is None:
            inner = self._twin()
            inner._face = INNER
            self._inner = inner
        return inner

    async def _mailbox_name(self, mailbox: str | bytes | Role) -> str | bytes:
        """The name of a mailbox; for a role, that of the mailbox that has it. Raises ``Missing`` if there is none."""
        if not isinstance(mailbox, Role):
            return mailbox
        find = self._link.offers("roles").get("find")
        if find is None:
            raise FamilyDisabledError(f"no family that is there finds the mailbox for {mailbox!r}")
        listing = await find(self, mailbox)
        if listing is None:
            raise Missing(f"no mailbox of this user has the role {mailbox.value}", needs=mailbox.value)
        name: str | bytes = listing.name
        return name

    def _arrivals(self, *kinds: type) -> Arrivals:
        """What no command asks for, from now on, as events of these classes (``Family.events``), and ``Overflow``; close it."""
        arrivals: Arrivals = self._link.arrivals(*kinds)
        return arrivals

    async def _know_capabilities(self) -> None:
        if not self._link.knows_capabilities:
            await Offload(self._link.ask_capabilities)

    async def _require(self, needs: Needed, call: str) -> None:
        """Raise ``Missing`` unless the server has what a typed call needs."""
        await self._know_capabilities()
        require(self._session, needs, call)

    async def _way_of(self, routes: Routes) -> str:
        """The name of the best way. Raises ``Missing`` if the server allows none."""
        await self._know_capabilities()
        return routes.best(self._session).name

    async def _by_route(self, routes: Routes, **ways: Callable[[], Awaitable[T]]) -> T:
        """Take the best of several ways; see ``by_route``."""
        await self._know_capabilities()
        return await by_route(routes, self._session, ways)

    def _passage(self) -> Passage:
        """A channel for one literal of an answer (``Wire(sink=)``)."""
        passage: Passage = self._link.passage()
        return passage

    def _destination(self, to: Any, resume: bool) -> Destination:
        """A file, or the path of one, to which a body is written. Raises ``ArgumentError``."""
        destination: Destination = self._link.destination(to, resume)
        return destination

    @property
    def _session(self) -> Session:
        session: Session = self._link.session
        return session


class command(Generic[S, P, T]):
    """A typed command; see the module."""

    def __init__(self, function: Callable[Concatenate[S, P], Awaitable[T]]) -> None:
        self.function = self.__wrapped__ = function
        self.several = bool(function.__code__.co_flags & _COROUTINE)
        self.__doc__, self.__name__ = function.__doc__, function.__name__

    @overload
    def __get__(self, obj: None, owner: Any = ...) -> Self: ...
    @overload
    def __get__(self, obj: TypedCommands[Blocking], owner: Any = ...) -> Callable[P, T]: ...
    @overload
    def __get__(self, obj: TypedCommands[Nowait], owner: Any = ...) -> Callable[P, Future[T]]: ...
    # (``Coroutine[Any, Any, T]`` would make the result of ``asyncio.gather`` Any in mypy.)
    @overload
    def __get__(self, obj: TypedCommands[Async], owner: Any = ...) -> Callable[P, Coroutine[object, object, T]]: ...
    @overload
    def __get__(self, obj: TypedCommands[Any], owner: Any = ...) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, obj: TypedCommands[Any] | None, owner: Any = None) -> Any:
        if obj is None:
            return self
        face = obj._face
        return partial(face.several if self.several else face.one, obj, self.function)


class stream(Generic[S, P, T]):
    """Typed results, one after the other; see the module. The future of one has a list."""

    def __init__(self, function: Callable[Concatenate[S, P], AsyncIterator[T]]) -> None:
        self.function = self.__wrapped__ = function
        self.__doc__, self.__name__ = function.__doc__, function.__name__

    @overload
    def __get__(self, obj: None, owner: Any = ...) -> Self: ...
    @overload
    def __get__(self, obj: TypedCommands[Blocking], owner: Any = ...) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, obj: TypedCommands[Nowait], owner: Any = ...) -> Callable[P, Future[list[T]]]: ...
    @overload
    def __get__(self, obj: TypedCommands[Any], owner: Any = ...) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, obj: TypedCommands[Any] | None, owner: Any = None) -> Any:
        return self if obj is None else partial(obj._face.stream, obj, self.function)
