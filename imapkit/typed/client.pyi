# Written by tools/typed_twin.py from the families' typed commands: do not edit it.
# A method stands here for a descriptor of the base class.
# pyright: reportIncompatibleVariableOverride=false
from collections.abc import Sequence
from imapkit.ext.esearch import EsearchSelected
from imapkit.ext.move import MoveSelected
from imapkit.ext.rev1.listing import MailboxStatus
from imapkit.ext.rev1.typed_session import Rev1Session
from imapkit.ext.uidplus import UidplusSelected
from imapkit.ext.unselect import UnselectSession
from imapkit.plugin import Copied, Reply, Role, SearchKey, UIDSet, Which
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from imapkit.client import IMAP4
from imapkit.core.contract.routes import Explained
from imapkit.core.contract.typed import Async, Blocking, Nowait, TypedCommands

__all__ = ["AsyncClient", "AsyncMailbox", "Client", "Mailbox", "NowaitClient", "NowaitMailbox"]

_F = TypeVar("_F")

class _AnyClient(TypedCommands[_F], Generic[_F]):
    @property
    def raw(self) -> IMAP4:
        """The same connection with the methods of imaplib2."""
    @property
    def capabilities(self) -> frozenset[str]:
        """What the server announces, in upper case."""
    def explain(self, method: str) -> Explained:
        """How a typed call is carried out on this connection, and why not in a better way.

        ``client.explain("move")``. Raises ``ArgumentError`` for a method that has one way only.
        """

class _AnyMailbox(TypedCommands[_F], Generic[_F]):
    @property
    def name(self) -> str | bytes:
        """The name of the mailbox."""
    @property
    def exists(self) -> int:
        """How many messages there are now, as far as the server has said."""
    @property
    def readonly(self) -> bool:
        """Whether nothing can be changed."""
    @property
    def uidvalidity(self) -> int | None:
        """UIDVALIDITY, RFC 3501 section 2.3.1.1: UIDs are valid while it stays the same; None if the server did not send it."""
    @property
    def uidnext(self) -> int | None:
        """UIDNEXT at the time of the selection, RFC 3501 section 2.3.1.1; None if the server did not send it."""
    @property
    def permanent_flags(self) -> tuple[bytes, ...]:
        r"""The flags that can be changed; r"\*" among them: new ones, too. RFC 3501 section 7.1."""
    def close(self) -> None:
        """Leave the mailbox. It sends nothing, and expunges nothing; the object can send no command from now on."""

class Client(_AnyClient[Blocking], _BlockingSession):
    """A connection to a server; its methods return when the server has answered."""
    @classmethod
    def over(cls, raw: IMAP4) -> Self:
        """A typed client over a connection that a program has: both can be used."""
    @property
    def nowait(self) -> NowaitClient:
        """The same connection; each method returns a future at once."""
    @property
    def asynchronous(self) -> AsyncClient:
        """The same connection for asyncio; each method is awaited."""
    def select(self, mailbox: str | bytes | Role = "INBOX", *, readonly: bool = False) -> Mailbox:
        """Select a mailbox; RFC 3501 section 6.3.1; states: authenticated, selected. Raises ``NoResponse``.

        Other threads and tasks that call ``select`` wait until the mailbox is left: first come, first served. The same thread
        gets ``MailboxBusy``. Leaving it sends nothing; the next SELECT ends the selection, and expunges nothing.
        """
    def close(self) -> None:
        """Log out, and end the connection and its threads. Raises no network error."""
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

class Mailbox(_AnyMailbox[Blocking], _BlockingSelected):
    """The selected mailbox, until it is left; other threads and tasks wait for it."""
    @property
    def nowait(self) -> NowaitMailbox:
        """The same mailbox; each method returns a future at once."""
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

class NowaitClient(_AnyClient[Nowait], _NowaitSession):
    """A connection to a server; its methods return futures at once."""

class NowaitMailbox(_AnyMailbox[Nowait], _NowaitSelected):
    """The selected mailbox; its methods return futures at once."""

class AsyncClient(_AnyClient[Async], _AsyncSession):
    """A connection to a server for asyncio; its methods are awaited."""
    @classmethod
    def over(cls, raw: IMAP4) -> Self:
        """A typed client over a connection that a program has: both can be used."""
    def select(self, mailbox: str | bytes | Role = "INBOX", *, readonly: bool = False) -> _Opening:
        """Select a mailbox: ``async with client.select("INBOX") as inbox``; otherwise as ``Client.select``."""
    async def close(self) -> None:
        """Log out, and end the connection and its threads. Raises no network error."""
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

class _Opening(AbstractAsyncContextManager[AsyncMailbox, None]):
    def __await__(self) -> Generator[Any, Any, AsyncMailbox]: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

class AsyncMailbox(_AnyMailbox[Async], _AsyncSelected):
    """The selected mailbox for asyncio, until it is left; other threads and tasks wait for it."""
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

class _BlockingSession(Rev1Session[Blocking], UnselectSession[Blocking]):
    def noop(self) -> None:
        """Give the server the occasion to report changes; RFC 3501 section 6.1.2; any state."""
    def status(self, mailbox: str | bytes, *items: str) -> MailboxStatus:
        """The status of a mailbox, which need not be selected; RFC 3501 section 6.3.10; states: authenticated, selected.

        ``items``: such as "UNSEEN"; without them MESSAGES, UNSEEN, UIDNEXT and UIDVALIDITY. Raises ``NoResponse``.
        """
    def run(self, name: str, *args: Any, result: Sequence[str] = (), uid: bool = False) -> Reply:
        """Send a command that has no method; RFC 3501 section 6.5.1. ``result``: the untagged responses that answer it.

        ``client.run("XFOO", "x y", result=["XFOO"]).responses("XFOO")``
        """
    def unselect(self) -> None:
        r"""Have the server close the selected mailbox; messages with \Deleted stay; RFC 3691; capability UNSELECT.

        To leave a mailbox with ``close()`` or at the end of a ``with`` block sends nothing; a mailbox that is to be deleted
        or renamed should be closed at the server, too. Without UNSELECT the mailbox is opened by EXAMINE, and then closed,
        which expunges nothing (RFC 3501 section 6.4.2). Without a selected mailbox nothing is sent. Raises ``NoResponse``.
        """

class _BlockingSelected(EsearchSelected[Blocking], MoveSelected[Blocking], UidplusSelected[Blocking]):
    def count(self, key: SearchKey = ...) -> int:
        """How many messages match; RFC 4731 section 3.1; capability ESEARCH, else the list of all is counted here."""
    def lowest(self, key: SearchKey = ...) -> int | None:
        """The lowest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    def highest(self, key: SearchKey = ...) -> int | None:
        """The highest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    def move(self, which: Which, to: str | bytes | Role) -> Copied:
        """Move messages to another mailbox, or to the one that has a role; RFC 6851; capability MOVE, else UIDPLUS.

        Returns the new UIDs. Without MOVE the messages are copied, and the originals are deleted once all of them have been
        copied; ``client.explain("move")`` says which way is taken. A plain EXPUNGE is never sent: without MOVE and UIDPLUS
        ``Missing`` is raised, and nothing is sent. Raises ``NoResponse`` if the server refuses, after which some of the messages
        may have been moved.
        """
    def delete(self, which: Which) -> UIDSet:
        r"""Delete these messages for good, and no others; RFC 4315 section 2.1; capability UIDPLUS.

        Returns their UIDs. It sets \Deleted, and sends UID EXPUNGE: a plain EXPUNGE, which would also remove what other programs
        have marked, is never sent. To move messages to the trash, ``move(which, Role.TRASH)``. Raises ``Missing`` before
        anything is sent if the server has no UIDPLUS, ``NoResponse`` if it refuses.
        """

class _NowaitSession(Rev1Session[Nowait], UnselectSession[Nowait]):
    def noop(self) -> Future[None]:
        """Give the server the occasion to report changes; RFC 3501 section 6.1.2; any state."""
    def status(self, mailbox: str | bytes, *items: str) -> Future[MailboxStatus]:
        """The status of a mailbox, which need not be selected; RFC 3501 section 6.3.10; states: authenticated, selected.

        ``items``: such as "UNSEEN"; without them MESSAGES, UNSEEN, UIDNEXT and UIDVALIDITY. Raises ``NoResponse``.
        """
    def run(self, name: str, *args: Any, result: Sequence[str] = (), uid: bool = False) -> Future[Reply]:
        """Send a command that has no method; RFC 3501 section 6.5.1. ``result``: the untagged responses that answer it.

        ``client.run("XFOO", "x y", result=["XFOO"]).responses("XFOO")``
        """
    def unselect(self) -> Future[None]:
        r"""Have the server close the selected mailbox; messages with \Deleted stay; RFC 3691; capability UNSELECT.

        To leave a mailbox with ``close()`` or at the end of a ``with`` block sends nothing; a mailbox that is to be deleted
        or renamed should be closed at the server, too. Without UNSELECT the mailbox is opened by EXAMINE, and then closed,
        which expunges nothing (RFC 3501 section 6.4.2). Without a selected mailbox nothing is sent. Raises ``NoResponse``.
        """

class _NowaitSelected(EsearchSelected[Nowait], MoveSelected[Nowait], UidplusSelected[Nowait]):
    def count(self, key: SearchKey = ...) -> Future[int]:
        """How many messages match; RFC 4731 section 3.1; capability ESEARCH, else the list of all is counted here."""
    def lowest(self, key: SearchKey = ...) -> Future[int | None]:
        """The lowest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    def highest(self, key: SearchKey = ...) -> Future[int | None]:
        """The highest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    def move(self, which: Which, to: str | bytes | Role) -> Future[Copied]:
        """Move messages to another mailbox, or to the one that has a role; RFC 6851; capability MOVE, else UIDPLUS.

        Returns the new UIDs. Without MOVE the messages are copied, and the originals are deleted once all of them have been
        copied; ``client.explain("move")`` says which way is taken. A plain EXPUNGE is never sent: without MOVE and UIDPLUS
        ``Missing`` is raised, and nothing is sent. Raises ``NoResponse`` if the server refuses, after which some of the messages
        may have been moved.
        """
    def delete(self, which: Which) -> Future[UIDSet]:
        r"""Delete these messages for good, and no others; RFC 4315 section 2.1; capability UIDPLUS.

        Returns their UIDs. It sets \Deleted, and sends UID EXPUNGE: a plain EXPUNGE, which would also remove what other programs
        have marked, is never sent. To move messages to the trash, ``move(which, Role.TRASH)``. Raises ``Missing`` before
        anything is sent if the server has no UIDPLUS, ``NoResponse`` if it refuses.
        """

class _AsyncSession(Rev1Session[Async], UnselectSession[Async]):
    async def noop(self) -> None:
        """Give the server the occasion to report changes; RFC 3501 section 6.1.2; any state."""
    async def status(self, mailbox: str | bytes, *items: str) -> MailboxStatus:
        """The status of a mailbox, which need not be selected; RFC 3501 section 6.3.10; states: authenticated, selected.

        ``items``: such as "UNSEEN"; without them MESSAGES, UNSEEN, UIDNEXT and UIDVALIDITY. Raises ``NoResponse``.
        """
    async def run(self, name: str, *args: Any, result: Sequence[str] = (), uid: bool = False) -> Reply:
        """Send a command that has no method; RFC 3501 section 6.5.1. ``result``: the untagged responses that answer it.

        ``client.run("XFOO", "x y", result=["XFOO"]).responses("XFOO")``
        """
    async def unselect(self) -> None:
        r"""Have the server close the selected mailbox; messages with \Deleted stay; RFC 3691; capability UNSELECT.

        To leave a mailbox with ``close()`` or at the end of a ``with`` block sends nothing; a mailbox that is to be deleted
        or renamed should be closed at the server, too. Without UNSELECT the mailbox is opened by EXAMINE, and then closed,
        which expunges nothing (RFC 3501 section 6.4.2). Without a selected mailbox nothing is sent. Raises ``NoResponse``.
        """

class _AsyncSelected(EsearchSelected[Async], MoveSelected[Async], UidplusSelected[Async]):
    async def count(self, key: SearchKey = ...) -> int:
        """How many messages match; RFC 4731 section 3.1; capability ESEARCH, else the list of all is counted here."""
    async def lowest(self, key: SearchKey = ...) -> int | None:
        """The lowest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    async def highest(self, key: SearchKey = ...) -> int | None:
        """The highest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    async def move(self, which: Which, to: str | bytes | Role) -> Copied:
        """Move messages to another mailbox, or to the one that has a role; RFC 6851; capability MOVE, else UIDPLUS.

        Returns the new UIDs. Without MOVE the messages are copied, and the originals are deleted once all of them have been
        copied; ``client.explain("move")`` says which way is taken. A plain EXPUNGE is never sent: without MOVE and UIDPLUS
        ``Missing`` is raised, and nothing is sent. Raises ``NoResponse`` if the server refuses, after which some of the messages
        may have been moved.
        """
    async def delete(self, which: Which) -> UIDSet:
        r"""Delete these messages for good, and no others; RFC 4315 section 2.1; capability UIDPLUS.

        Returns their UIDs. It sets \Deleted, and sends UID EXPUNGE: a plain EXPUNGE, which would also remove what other programs
        have marked, is never sent. To move messages to the trash, ``move(which, Role.TRASH)``. Raises ``Missing`` before
        anything is sent if the server has no UIDPLUS, ``NoResponse`` if it refuses.
        """
