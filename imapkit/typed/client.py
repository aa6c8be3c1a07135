"""The typed clients and mailboxes. ``client.pyi`` says what type checkers and editors see.

The methods come from the families: ``Family.session`` for clients, ``Family.selected`` for mailboxes. A class is made for each
set of families when the first client of that set is made.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar
from weakref import WeakKeyDictionary

from imapkit.core.contract.routes import Explained, Routes
from imapkit.core.contract.typed import Async, Blocking, Nowait, TypedCommands
from imapkit.core.contract.wires import Reply, Wire
from imapkit.core.drivers.blocking import run
from imapkit.core.drivers.faces import ASYNC, BLOCKING, NOWAIT
from imapkit.core.drivers.lease import Lease, Turn
from imapkit.core.drivers.link import Link, deadline_of
from imapkit.core.grammar.flagset import Flags
from imapkit.errors import ArgumentError, MailboxClosed

if TYPE_CHECKING:
    from imapkit.client import IMAP4
    from imapkit.core.contract.session import Session
    from imapkit.core.plugins.registry import Registry

__all__ = ["AsyncClient", "AsyncMailbox", "Client", "Mailbox", "NowaitClient", "NowaitMailbox"]

F = TypeVar("F")


class _Box:
    """The selected mailbox, shared by its faces."""

    def __init__(self, session: Session, turn: Turn, name: str | bytes, said: dict[str, Any]) -> None:
        self._turn = turn
        self.name, self.said, self._session = name, said, session
        self._selection: int | None = session.selections
        """``Session.selections`` while this mailbox is selected; None once it was left."""
        if session.mailbox not in (None, name):
            # A SELECT of the raw client has been answered since: the count is that of its mailbox.
            self._selection = -1

    def check(self, name: str) -> int:
        """See ``Box.check``."""
        if self._selection is None:
            raise MailboxClosed(f"{self.name!r} was left: {name} was not sent")
        if self._selection != self._session.selections:
            raise MailboxClosed(f"{self.name!r} is no longer the selected mailbox: {name} was not sent")
        return self._selection

    def leave(self) -> None:
        """Let other threads and tasks select a mailbox. It sends nothing: the next SELECT ends the selection."""
        self._selection = None
        self._turn.leave()

    def __del__(self) -> None:
        # A program that was interrupted, or that drops its mailbox, would keep all others waiting.
        turn = getattr(self, "_turn", None)
        if turn is not None:
            turn.leave()


_composed: dict[type, WeakKeyDictionary[Registry, type]] = {}
_composing = threading.Lock()


def _with_families(cls: type, known: Registry, *, selected: bool) -> type:
    """``cls`` with the typed commands of the families in ``known``: those of a client, or of a ``selected`` mailbox."""
    mixins = known.selected_mixins if selected else known.session_mixins
    with _composing:
        kinds = _composed.setdefault(cls, WeakKeyDictionary())
        kind = kinds.get(known)
        if kind is None:
            missing = tuple(mixin for mixin in mixins if not issubclass(cls, mixin))
            names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
            kind = kinds[known] = type(cls.__name__, (cls, *missing), names)
        return kind


def _face(cls: type, other: TypedCommands[Any], face: Any, box: _Box | None = None) -> Any:
    """An object of another face, or the mailbox of a client."""
    link = other._link
    made: Any = object.__new__(_with_families(cls, link.raw._registry, selected=box is not None))
    made._link, made._face, made._timeout, made._box = link, face, other._timeout, box
    return made


class _Composed(TypedCommands[F]):
    """A class that gets the families' methods, also if a program derives from it: ``class MyBox(Mailbox, Gmail[Blocking])``."""

    def __init__(self, over: TypedCommands[F]) -> None:
        super().__init__(over)
        self.__class__ = _with_families(type(self), over._link.raw._registry, selected=over._box is not None)

    def _check_view(self, over: TypedCommands[Any]) -> None:
        if (over._box is None) != isinstance(self, _AnyClient):
            kind = "client" if isinstance(self, _AnyClient) else "mailbox"
            raise TypeError(f"{type(self).__qualname__} takes a typed {kind}, not {type(over).__name__}")
        for base in type(self).__mro__:
            if issubclass(base, TypedCommands) and not issubclass(base, _Composed) and base is not TypedCommands:
                over._link.check_view(base, over._box)


class _AnyClient(_Composed[F]):
    """What the clients of all faces have."""

    @classmethod
    def _of(cls, raw: IMAP4, face: Any) -> Self:
        client: Self = object.__new__(_with_families(cls, raw._registry, selected=False))
        client._link, client._face = Link(raw), face
        return client

    @property
    def raw(self) -> IMAP4:
        """The same connection with the methods of imaplib2."""
        raw: IMAP4 = self._link.raw
        return raw

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server announces, in upper case."""
        return frozenset(self._session.capabilities or ())

    def explain(self, method: str) -> Explained:
        """How a typed call is carried out on this connection, and why not in a better way.

        ``client.explain("move")``. Raises ``ArgumentError`` for a method that has one way only.
        """
        known = self._link.raw._registry.routes
        if method not in known:
            raise ArgumentError(f"explain({method!r}): no call with several ways; those are {', '.join(sorted(known))}")
        routes: Routes = known[method]
        return routes.explain(self._session)

    @property
    def _lease(self) -> Lease:
        # (On the raw client, because several typed clients may be made over it.)
        raw = self._link.raw
        lease: Lease | None = vars(raw).get("_lease")
        if lease is not None:
            return lease
        made: Lease = vars(raw).setdefault("_lease", Lease())
        raw._live.at_end(made.end)
        return made

    def __repr__(self) -> str:
        raw = self._link.raw
        return f"<{type(self).__name__} {raw.host!r} {self._session.state.name}>"


class _AnyMailbox(_Composed[F]):
    """What the mailboxes of all faces have."""

    _box: _Box

    @property
    def name(self) -> str | bytes:
        """The name of the mailbox."""
        return self._box.name

    @property
    def exists(self) -> int:
        """How many messages there are now, as far as the server has said."""
        return self._session.exists or 0

    @property
    def readonly(self) -> bool:
        """Whether nothing can be changed."""
        return self._session.readonly

    @property
    def uidvalidity(self) -> int | None:
        """UIDVALIDITY, RFC 3501 section 2.3.1.1: UIDs are valid while it stays the same; None if the server did not send it."""
        value: int | None = self._box.said.get("UIDVALIDITY")
        return value

    @property
    def uidnext(self) -> int | None:
        """UIDNEXT at the time of the selection, RFC 3501 section 2.3.1.1; None if the server did not send it."""
        value: int | None = self._box.said.get("UIDNEXT")
        return value

    @property
    def permanent_flags(self) -> Flags:
        r"""The flags that can be changed; r"\*" among them: new ones, too. RFC 3501 section 7.1."""
        return Flags(self._box.said.get("PERMANENTFLAGS") or ())

    def close(self) -> None:
        """Leave the mailbox. It sends nothing, and expunges nothing; the object can send no command from now on."""
        self._box.leave()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._box.name!r}>"


async def _open(client: _AnyClient[Any], who: Any, mailbox: Any, readonly: bool) -> _Box:
    """Wait for the lease, and select the mailbox."""
    turn = client._lease.turn(who)
    try:
        # (Not in a child of ``fork``, where a thread of the parent may have it.)
        if client._link.raw._live.open:
            await turn
        name = await client._within()._mailbox_name(mailbox)
        said = await Wire("EXAMINE" if readonly else "SELECT", name, parse=Reply.codes)
        return _Box(client._session, turn, name, said)
    except BaseException:
        turn.leave()
        raise


class Client(_AnyClient[Blocking]):
    """A connection to a server; its methods return when the server has answered."""

    @classmethod
    def over(cls, raw: IMAP4) -> Self:
        """A typed client over a connection that a program has: both can be used."""
        return cls._of(raw, BLOCKING)

    @property
    def nowait(self) -> Any:
        """The same connection; each method returns a future at once."""
        return _face(NowaitClient, self, NOWAIT)

    @property
    def asynchronous(self) -> Any:
        """The same connection for asyncio; each method is awaited."""
        return _face(AsyncClient, self, ASYNC)

    def select(self, mailbox: Any = "INBOX", *, readonly: bool = False) -> Any:
        """Select a mailbox; see ``client.pyi``."""
        box = run(self, _open(self, threading.get_ident(), mailbox, readonly), deadline_of(self))
        return _face(Mailbox, self, BLOCKING, box)

    def close(self) -> None:
        """Log out, and end the connection and its threads. Raises no network error."""
        self.raw.__exit__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class Mailbox(_AnyMailbox[Blocking]):
    """The selected mailbox, until it is left; other threads and tasks wait for it."""

    @property
    def nowait(self) -> Any:
        """The same mailbox; each method returns a future at once."""
        return _face(NowaitMailbox, self, NOWAIT, self._box)

    def open(self, uid: int, part: Any = "") -> BinaryIO:
        """A part as a file to read; see ``client.pyi``."""
        from imapkit.typed.part import open_part

        return open_part(self, uid, part)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class NowaitClient(_AnyClient[Nowait]):
    """A connection to a server; its methods return futures at once."""


class NowaitMailbox(_AnyMailbox[Nowait]):
    """The selected mailbox; its methods return futures at once."""


class AsyncClient(_AnyClient[Async]):
    """A connection to a server for asyncio; its methods are awaited."""

    @classmethod
    def over(cls, raw: IMAP4) -> Self:
        """A typed client over a connection that a program has: both can be used."""
        return cls._of(raw, ASYNC)

    def select(self, mailbox: Any = "INBOX", *, readonly: bool = False) -> Any:
        """Select a mailbox; see ``client.pyi``."""
        return _Opening(self, mailbox, readonly)

    async def close(self) -> None:
        """Log out, and end the connection and its threads. Raises no network error."""
        import asyncio

        await asyncio.get_running_loop().run_in_executor(None, self.raw.__exit__)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


class _Opening:
    """What ``AsyncClient.select`` returns: ``await`` it, or ``async with`` it."""

    def __init__(self, client: AsyncClient, mailbox: Any, readonly: bool) -> None:
        self._client, self._mailbox, self._readonly = client, mailbox, readonly
        self._opened: Any = None

    async def _open(self) -> Any:
        import asyncio

        from imapkit.core.drivers.on_asyncio import run as run_async

        client = self._client
        work = _open(client, asyncio.current_task(), self._mailbox, self._readonly)
        return _face(AsyncMailbox, client, ASYNC, await run_async(client, work, deadline_of(client)))

    def __await__(self) -> Any:
        return self._open().__await__()

    async def __aenter__(self) -> Any:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(self, *exc_info: object) -> None:
        self._opened.close()


class AsyncMailbox(_AnyMailbox[Async]):
    """The selected mailbox for asyncio, until it is left; other threads and tasks wait for it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()
