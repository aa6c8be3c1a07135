# Written by tools/typed_twin.py from the families' typed commands: do not edit it.
# A method stands here for a descriptor of the base class.
# pyright: reportIncompatibleVariableOverride=false
import ssl
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from email.message import EmailMessage
from os import PathLike
from types import TracebackType
from typing import BinaryIO, Generic, Self, TypeVar

from imapkit.client import IMAP4
from imapkit.core.contract.routes import Explained
from imapkit.core.contract.typed import Async, Blocking, Nowait, TypedCommands
from imapkit.core.grammar.flagset import Flags
from imapkit.ext.acl import ListRights, Rights
from imapkit.ext.acl.typed import AclSession
from imapkit.ext.annotation import Annotation, AnnotationSession
from imapkit.ext.compress import CompressSession
from imapkit.ext.enable import EnableSession
from imapkit.ext.esearch import EsearchSelected
from imapkit.ext.gmail import Gmail
from imapkit.ext.id import IdSession
from imapkit.ext.idle import IdleSelected
from imapkit.ext.move import MoveSelected
from imapkit.ext.namespace import Namespaces, NamespaceSession
from imapkit.ext.proxyauth import ProxyauthSession
from imapkit.ext.quota import Quota, QuotaSession
from imapkit.ext.rev1.bodystructure import BodyStructure
from imapkit.ext.rev1.listing import MailboxListing, MailboxStatus
from imapkit.ext.rev1.messages import Message
from imapkit.ext.rev1.typed_selected import Rev1Selected
from imapkit.ext.rev1.typed_session import Rev1Session
from imapkit.ext.rev1.typed_streams import Report
from imapkit.ext.sort_thread import SortThreadSelected, Thread
from imapkit.ext.starttls import StartTLSSession
from imapkit.ext.uidplus import UidplusSelected
from imapkit.ext.unselect import UnselectSession
from imapkit.plugin import (
    Appended,
    Copied,
    Item,
    MailboxEvent,
    Overflow,
    Progress,
    Reply,
    Role,
    SearchKey,
    SortKey,
    UIDSet,
    Which,
)

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
    def permanent_flags(self) -> Flags:
        r"""The flags that can be changed; r"\*" among them: new ones, too. RFC 3501 section 7.1."""
    def close(self) -> None:
        """Leave the mailbox. It sends nothing, and expunges nothing; the object can send no command from now on."""

class Client(_AnyClient[Blocking], _BlockingSession):
    """A connection to a server; its methods return when the server has answered."""
    def with_options(self, *, timeout: float | None = None) -> Self:
        """A copy whose calls each have ``timeout`` seconds, for all their commands together; None for no limit.

        A call that takes longer raises ``DeadlineExceeded`` (a ``TimeoutError``), and the connection goes on. The limit of a
        stream applies to each of its steps.
        """
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
    def with_options(self, *, timeout: float | None = None) -> Self:
        """A copy whose calls each have ``timeout`` seconds, for all their commands together; None for no limit.

        A call that takes longer raises ``DeadlineExceeded`` (a ``TimeoutError``), and the connection goes on. The limit of a
        stream applies to each of its steps.
        """
    @property
    def nowait(self) -> NowaitMailbox:
        """The same mailbox; each method returns a future at once."""
    def open(self, uid: int, part: BodyStructure | str = "") -> BinaryIO:
        """A part as a file to read, at any place: ``zipfile.ZipFile(box.open(7, "3")).namelist()``.

        Only the blocks that are read are fetched, the next one ahead. Base64 is decoded. A quoted-printable part, one whose lines
        are not all alike, and one of unknown size are fetched as a whole into a temporary file. Reading raises what commands
        raise: ``MailboxClosed`` once the mailbox was left. Raises ``NoAnswer`` if there is no such message or part.
        """
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

class NowaitClient(_AnyClient[Nowait], _NowaitSession):
    """A connection to a server; its methods return futures at once."""
    def with_options(self, *, timeout: float | None = None) -> Self:
        """A copy whose calls each have ``timeout`` seconds, for all their commands together; None for no limit.

        A call that takes longer raises ``DeadlineExceeded`` (a ``TimeoutError``), and the connection goes on. The limit of a
        stream applies to each of its steps.
        """

class NowaitMailbox(_AnyMailbox[Nowait], _NowaitSelected):
    """The selected mailbox; its methods return futures at once."""
    def with_options(self, *, timeout: float | None = None) -> Self:
        """A copy whose calls each have ``timeout`` seconds, for all their commands together; None for no limit.

        A call that takes longer raises ``DeadlineExceeded`` (a ``TimeoutError``), and the connection goes on. The limit of a
        stream applies to each of its steps.
        """

class AsyncClient(_AnyClient[Async], _AsyncSession):
    """A connection to a server for asyncio; its methods are awaited."""
    def with_options(self, *, timeout: float | None = None) -> Self:
        """A copy whose calls each have ``timeout`` seconds, for all their commands together; None for no limit.

        A call that takes longer raises ``DeadlineExceeded`` (a ``TimeoutError``), and the connection goes on. The limit of a
        stream applies to each of its steps.
        """
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
    def __await__(self) -> Generator[object, None, AsyncMailbox]: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

class AsyncMailbox(_AnyMailbox[Async], _AsyncSelected):
    """The selected mailbox for asyncio, until it is left; other threads and tasks wait for it."""
    def with_options(self, *, timeout: float | None = None) -> Self:
        """A copy whose calls each have ``timeout`` seconds, for all their commands together; None for no limit.

        A call that takes longer raises ``DeadlineExceeded`` (a ``TimeoutError``), and the connection goes on. The limit of a
        stream applies to each of its steps.
        """
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

class _BlockingSession(
    Rev1Session[Blocking],
    AclSession[Blocking],
    AnnotationSession[Blocking],
    CompressSession[Blocking],
    EnableSession[Blocking],
    IdSession[Blocking],
    NamespaceSession[Blocking],
    ProxyauthSession[Blocking],
    QuotaSession[Blocking],
    StartTLSSession[Blocking],
    UnselectSession[Blocking],
):
    def noop(self) -> None:
        """Give the server the occasion to report changes; RFC 3501 section 6.1.2; any state."""
    def capability(self) -> frozenset[str]:
        """Ask for the server's capabilities, in upper case; RFC 3501 section 6.1.1; any state.

        ``client.capabilities`` has them without asking. Raises ``NoAnswer`` if the server says OK without them.
        """
    def mailboxes(
        self, pattern: str | bytes = "*", *, subscribed: bool = False, status: Sequence[str] = ()
    ) -> list[MailboxListing]:
        """The mailboxes whose names match, or those that are subscribed; RFC 3501 sections 6.3.8 and 6.3.9.

        ``for box in client.mailboxes("Lists/*"): print(box.mailbox, box.role)``. In ``pattern`` "*" matches any characters, "%"
        any but the hierarchy delimiter. The list also has names that cannot be selected (``MailboxListing.is_selectable``).

        ``status``: items as for ``status()``, such as ["UNSEEN"]: ``box.status.unseen``. With capability LIST-STATUS (RFC 5819)
        the server sends all at once, else each mailbox is asked, without a wait in between. ``box.status`` is None for a mailbox
        that cannot be selected, or of which the server does not tell. States: authenticated, selected. Raises ``NoResponse``.
        """
    def role(self, role: Role) -> MailboxListing | None:
        """The user's mailbox for drafts, for what was sent ...: ``client.role(Role.SENT)``; None if none is found.

        Of several mailboxes the first that can be selected. ``role_from`` of the result says how it was found: by its
        "attribute" in LIST (RFC 6154 section 2), by "xlist", which servers had before, or by its "name" in one of many
        languages, at the top of the user's own mailboxes only. Commands that take a mailbox for messages take a ``Role``, too.
        States: authenticated, selected.
        """
    def status(self, mailbox: str | bytes, *items: str) -> MailboxStatus:
        """The status of a mailbox, which need not be selected; RFC 3501 section 6.3.10; states: authenticated, selected.

        ``client.status("INBOX", "UNSEEN").unseen``. ``items``: such as "UNSEEN"; without them MESSAGES, UNSEEN, UIDNEXT and
        UIDVALIDITY. Raises ``NoResponse``.
        """
    def create(self, mailbox: str | bytes) -> None:
        """Create a mailbox; RFC 3501 section 6.3.3; states: authenticated, selected.

        Raises ``AlreadyExists`` if it is there and the server says so by a response code, otherwise another ``NoResponse``.
        """
    def delete_mailbox(self, mailbox: str | bytes) -> None:
        """Delete a mailbox with all its messages; RFC 3501 section 6.3.4; states: authenticated, selected.

        If it is the selected one, the server first leaves it, without an EXPUNGE. Raises ``NonExistent``,
        ``HasChildren``, another ``NoResponse``. To delete messages: ``Mailbox.delete``.
        """
    def rename(self, mailbox: str | bytes, to: str | bytes) -> None:
        """Rename a mailbox, with those below it; RFC 3501 section 6.3.5; states: authenticated, selected.

        If it is the selected one, the server first leaves it, without an EXPUNGE. To rename INBOX moves its
        messages. Raises ``NonExistent``, ``AlreadyExists``, another ``NoResponse``.
        """
    def subscribe(self, mailbox: str | bytes) -> None:
        """Subscribe to a mailbox; RFC 3501 section 6.3.6; states: authenticated, selected. Raises ``NoResponse``."""
    def unsubscribe(self, mailbox: str | bytes) -> None:
        """Unsubscribe from a mailbox; RFC 3501 section 6.3.7; otherwise as ``subscribe``."""
    def run(self, name: str, *args: object, result: Sequence[str] = (), uid: bool = False) -> Reply:
        """Send a command that has no method; RFC 3501 section 6.5.1. ``result``: the untagged responses that answer it.

        ``client.run("XFOO", "x y", result=["XFOO"]).responses("XFOO")``
        """
    def append(
        self,
        mailbox: str | bytes | Role,
        message: EmailMessage | bytes | PathLike[str] | BinaryIO,
        *,
        flags: Iterable[str] = (),
        date: datetime | None = None,
        progress: Progress | None = None,
    ) -> Appended:
        r"""Add a message to the end of a mailbox, or of the one that has a role; RFC 3501 section 6.3.11.

        ``client.append(Role.DRAFTS, Path("big.eml"), flags=["\\Draft"]).uid``; the UID is None if the server has no UIDPLUS
        (RFC 4315). A path, or a binary file from where it stands, is read once to count its bytes, and again as it is sent, so
        that it is never in memory; it must not change in between. A file that cannot seek is first copied into a temporary one.
        Line ends become CRLF. ``date``: an aware datetime for INTERNALDATE; without it the server takes the present time.

        ``progress(sent, size)`` is called as the bytes are sent, on the thread that sends them. States: authenticated, selected.
        Raises ``TryCreate`` if there is no such mailbox but it can be created, ``OverQuota``, another ``NoResponse``;
        ``Missing`` if no mailbox has the role; ``OSError`` before anything is sent if the file cannot be read.
        ``ConnectionClosed`` if it has changed: half a command cannot be taken back.
        """
    def acl(self, mailbox: str | bytes = "INBOX") -> Mapping[str, Rights]:
        """The access control list of a mailbox: the rights of each identifier; RFC 4314 section 3.3; right: a.

        ``"t" in client.acl("INBOX")["bob"]``
        """
    def my_rights(self, mailbox: str | bytes = "INBOX") -> Rights:
        """The user's own rights on a mailbox; RFC 4314 section 3.5; right: any of l, r, i, k, x, a."""
    def list_rights(self, mailbox: str | bytes, identifier: str | bytes) -> ListRights:
        """The rights that an identifier always has on a mailbox, and that it can be given; RFC 4314 section 3.4; right: a."""
    def set_acl(self, mailbox: str | bytes, identifier: str | bytes, rights: str | Rights | Iterable[str]) -> None:
        """Give rights on a mailbox to an identifier; RFC 4314 section 3.1; right: a.

        ``rights`` replace the present ones ("lrs"; "" for none), are added ("+w") or removed ("-w"). Raises ``BadResponse`` for
        rights that the server does not support.
        """
    def delete_acl(self, mailbox: str | bytes, identifier: str | bytes) -> None:
        """Remove an identifier from the access control list of a mailbox; RFC 4314 section 3.2; right: a."""
    def annotation(
        self, mailbox: str | bytes, entry: str | Iterable[str], attribute: str | Iterable[str] = "value"
    ) -> tuple[Annotation, ...]:
        """The annotations of a mailbox, or, for "", of the server; draft-daboo-imap-annotatemore, "GETANNOTATION Command".

        ``entry`` and ``attribute``: names, which may have the wildcards "*" and "%"; "value" stands for "value.priv" and
        "value.shared". ``client.annotation("INBOX", "/comment")[0].text("value.priv")``
        """
    def set_annotation(self, mailbox: str | bytes, entry: str, attributes: Mapping[str, str | bytes | None]) -> None:
        """Set attributes of an entry; None removes one; draft-daboo-imap-annotatemore, "SETANNOTATION Command".

        ``client.set_annotation("INBOX", "/comment", {"value.priv": "mine"})``
        """
    def compress(self) -> None:
        """Compress the connection from now on; RFC 4978 section 3; capability COMPRESS=DEFLATE; any state.

        An attacker who can add text next to a secret can learn about the secret from the compressed length (RFC 4978 section 6).
        Raises ``Missing``, and sends nothing, if the server cannot compress, and ``NoResponse`` if it compresses already.
        """
    def enable(self, *names: str) -> frozenset[str]:
        """Enable extensions, and return those that the server did enable; RFC 5161 section 3.1; capability ENABLE.

        State: authenticated. ``client.enable("UTF8=ACCEPT")``. The names are in upper case. The server leaves out what it does
        not support. Raises ``Missing``, and sends nothing, if the server has no ENABLE, and ``ArgumentError`` for an extension
        that no installed family supports.
        """
    def id(self, **fields: str | None) -> dict[str, str | None]:
        """Send the client's name and version, and return the server's fields; RFC 2971 section 3.1; capability ID; any state.

        ``client.id(name="mine", version="1.0")["name"]``. The server's fields are by name in lower case; None is NIL. Without
        ``fields`` NIL is sent. Raises ``Missing``, and sends nothing, if the server has no ID, and ``ArgumentError`` beyond the
        limits of RFC 2971 section 3.3: 30 fields, 30 bytes in a name, 1024 in a value.
        """
    def namespaces(self) -> Namespaces:
        """The prefixes of the user's own mailboxes, of other users' and of shared ones; RFC 2342 section 5; capability NAMESPACE.

        States: authenticated, selected. Raises ``Missing``, and sends nothing, if the server has no NAMESPACE.
        """
    def proxyauth(self, user: str | bytes) -> None:
        """Become ``user``, as an administrator may; no RFC (Netscape, Sun); capability PROXYAUTH; state: authenticated.

        Raises ``NoResponse`` if the server refuses; then nothing has changed. A selected mailbox must be closed first.
        """
    def quota(self, mailbox: str | bytes = "INBOX") -> tuple[Quota, ...]:
        """Usage and limits of the quota roots of a mailbox; RFC 9208 section 4.1.2; empty if it has none.

        ``client.quota("INBOX")[0].resource("STORAGE")``
        """
    def quota_root(self, root: str | bytes) -> Quota:
        """Usage and limits of a quota root, by its name (``Quota.name``); RFC 9208 section 4.1.1."""
    def set_quota(self, root: str | bytes, limits: Mapping[str, int]) -> tuple[Quota, ...]:
        """Set the limits of a quota root; RFC 9208 section 4.1.3: ``client.set_quota("", {"STORAGE": 512, "MESSAGE": 1000})``.

        Returns the quotas that the server then reports, perhaps none. STORAGE is in units of 1024 bytes, other resources are
        counted. The server removes limits that are not named.
        """
    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> None:
        """Put TLS on the connection; RFC 3501 section 6.2.1; capability STARTTLS; state: not authenticated.

        ``ssl_context``: in place of the client's own, or of the default one, which verifies the chain and the host name of the
        server's certificate. The client discards the capabilities that it received before TLS, and asks for them again. From the
        call on, until it has succeeded, commands that send a secret raise ``StateError``. Raises ``abort`` if TLS is on already;
        ``Missing``, and sends nothing, if the server has no STARTTLS; ``NoResponse`` if it refuses; ``TLSError`` if the handshake
        fails, which closes the connection.
        """
    def unselect(self) -> None:
        r"""Have the server close the selected mailbox; messages with \Deleted stay; RFC 3691; capability UNSELECT.

        To leave a mailbox with ``close()`` or at the end of a ``with`` block sends nothing; a mailbox that is to be deleted
        or renamed should be closed at the server, too. Without UNSELECT the mailbox is opened by EXAMINE, and then closed,
        which expunges nothing (RFC 3501 section 6.4.2). Without a selected mailbox nothing is sent. Raises ``NoResponse``.
        """

class _BlockingSelected(
    Rev1Selected[Blocking],
    EsearchSelected[Blocking],
    Gmail[Blocking],
    IdleSelected[Blocking],
    MoveSelected[Blocking],
    SortThreadSelected[Blocking],
    UidplusSelected[Blocking],
):
    def search(self, key: SearchKey = ...) -> UIDSet:
        """The messages that a search key finds; RFC 3501 section 6.4.4; without a key, all messages.

        ``box.search(q.unseen & q.since(date(2026, 1, 1)) & q.text("Grüße"))``. Text of any script goes as UTF-8, or in a charset
        that the server names instead (BADCHARSET). Raises ``BadCharset`` if there is none, another ``NoResponse`` if the server
        refuses, ``TypeError`` for what is no key.
        """
    def fetch(self, which: Which, *items: Item[object], reverse: bool = False, chunk: int = 500) -> Iterator[Message]:
        r"""The messages with these items, one after the other, by UID; RFC 3501 section 6.4.5.

        ``for message in box.fetch(uids, ENVELOPE, FLAGS): print(message.uid, message.envelope.subject)``. The items are
        ``ENVELOPE``, ``FLAGS``, ``BODY``, ``SIZE``, ``DATE``, ``HEADER``, ``section(...)``, and those of other families; without
        any, only the UIDs. Nothing sets \Seen. A UID that is not there is left out.

        ``chunk`` messages are asked for at a time, and the next ones are on their way while the program looks at these: other
        commands can be sent in the loop, and ``break`` gives at most one chunk up. ``reverse``: the newest first. Raises
        ``Missing`` if an item needs a capability that the server lacks, ``NoResponse`` if the server refuses.
        """
    def add_flags(self, which: Which, *flags: str, silent: bool = True) -> UIDSet:
        r"""Add flags to messages; RFC 3501 section 6.4.6. Returns the UIDs of the messages, of which some may be gone by now.

        ``box.add_flags(q.from_("ada"), "\\Seen", "$Forwarded")``. ``silent=False`` has the server report the new flags. Raises
        ``ArgumentError`` for what is no flag; ``NoResponse`` if the server refuses, after which a part of a long set may have
        been changed.
        """
    def remove_flags(self, which: Which, *flags: str, silent: bool = True) -> UIDSet:
        """Remove flags from messages; RFC 3501 section 6.4.6; otherwise as ``add_flags``."""
    def set_flags(self, which: Which, *flags: str, silent: bool = True) -> UIDSet:
        r"""Give messages these flags, and no others but \Recent; RFC 3501 section 6.4.6; otherwise as ``add_flags``."""
    def copy(self, which: Which, to: str | bytes | Role) -> Copied:
        """Copy messages to the end of another mailbox, or of the one that has a role; RFC 3501 section 6.4.7.

        ``box.copy(uids, "Archive").uids`` has the UID of each copy, if the server has UIDPLUS (RFC 4315). Raises ``TryCreate`` if
        there is no such mailbox but it can be created, another ``NoResponse`` if the server refuses, after which a part of a long
        set may have been copied; ``Missing`` if no mailbox has the role.
        """
    def check(self) -> None:
        """Ask for a checkpoint of the mailbox; RFC 3501 section 6.4.1."""
    def download(
        self,
        uid: int,
        part: BodyStructure | str,
        to: PathLike[str] | BinaryIO,
        *,
        chunk: int | None = 1048576,
        window: int = 4,
        resume: bool = False,
        progress: Report | None = None,
    ) -> int:
        """Fetch a part into a file while it arrives, decoded; returns the bytes of the part; RFC 3501 section 6.4.5.

        ``box.download(uid, "2", Path("film.mp4"), resume=True)``. ``window`` pieces of ``chunk`` bytes are on their way at a
        time, so memory stays small, and other commands are answered in between. ``chunk=None``: the server sends all at once,
        which suits servers that build a message anew for each piece; other answers come behind it, and a file that accepts
        nothing for 10 seconds gets ``DeadlineExceeded``. Base64 and quoted-printable are decoded, as the structure
        of the message says; for a section given as text that is asked first.

        ``to``: a path, which is opened when the first bytes come; or a file open for writing bytes, which is not closed.
        ``resume``: a path whose file has a part of the bytes already: only the rest is fetched. If that cannot be found in an
        encoded part, all is fetched again. ``progress(done, total)``: the bytes that have come, still encoded, and all of them,
        or None. Files are written, and ``progress`` is called, by the caller's thread, or for a future or a task by a thread of
        their own: a slow file holds up no other command. What they raise ends the call.

        Raises ``NoAnswer`` if there is no such message or part, ``NoResponse`` if the server refuses. What has come until then
        is in the file.
        """
    def read_bytes(self, uid: int, part: BodyStructure | str = "") -> bytes:
        """A part as bytes, decoded: base64 and quoted-printable, as the structure of the message says; RFC 3501 section 6.4.5.

        ``files = {part.filename: box.read_bytes(uid, part) for part in message.body.attachments}``. All of it is in memory; for
        large parts there is ``download``. Raises ``NoAnswer`` if there is no such message or part, ``NoResponse``.
        """
    def read_text(self, uid: int, part: BodyStructure | str) -> str:
        """A part as text, decoded by its charset; what is no text in that charset becomes U+FFFD.

        ``box.read_text(uid, body.html or body.text or "1")``. Raises as ``read_bytes``.
        """
    def message(self, uid: int) -> EmailMessage:
        """The whole message, for the package ``email``. Raises ``NoAnswer`` if there is no such message, ``NoResponse``."""
    def count(self, key: SearchKey = ...) -> int:
        """How many messages match; RFC 4731 section 3.1; capability ESEARCH, else the list of all is counted here."""
    def lowest(self, key: SearchKey = ...) -> int | None:
        """The lowest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    def highest(self, key: SearchKey = ...) -> int | None:
        """The highest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    def add_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> UIDSet:
        r"""Add labels to messages; capability X-GM-EXT-1. Returns the UIDs of the messages, of which some may be gone by now.

        ``inbox.add_labels(gmail.query("has:attachment"), "To do", r"\Starred")``. Gmail makes a label that is not there.
        ``silent=False`` has the server report the new labels.
        """
    def remove_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> UIDSet:
        """Remove labels from messages; capability X-GM-EXT-1; otherwise as ``add_labels``."""
    def set_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> UIDSet:
        """Replace the labels of messages, but for that of the mailbox; capability X-GM-EXT-1; otherwise as ``add_labels``."""
    def idle(self, timeout: float | None = None) -> Iterator[MailboxEvent | Overflow]:
        """What the server reports of the mailbox, as it comes: ``Exists``, ``Expunged``, ``FlagsChanged``, ``Recent``; RFC 2177.

        ``for event in inbox.idle(timeout=600)``. It ends after ``timeout`` seconds; None stands for no end. The client ends
        IDLE when the program leaves the loop. Events are in order, and none is lost while the program works on one; if they come
        too fast, an ``Overflow`` says how many are missing. Any other command on the connection ends IDLE, which then begins
        again; what the server reports meanwhile is an event, too. The client renews IDLE every 9 minutes. A time-out of
        ``with_options`` does not apply. The future has a list, once ``timeout`` is over. Capability IDLE. Raises ``Missing``, and
        sends nothing, if the server has no IDLE, and ``MailboxClosed`` once the mailbox was left.
        """
    def move(self, which: Which, to: str | bytes | Role) -> Copied:
        """Move messages to another mailbox, or to the one that has a role; RFC 6851; capability MOVE, else UIDPLUS.

        Returns the new UIDs. Without MOVE the messages are copied, and the originals are deleted once all of them have been
        copied; ``client.explain("move")`` says which way is taken. A plain EXPUNGE is never sent: without MOVE and UIDPLUS
        ``Missing`` is raised, and nothing is sent. Raises ``NoResponse`` if the server refuses, after which some of the messages
        may have been moved.
        """
    def sort(self, key: SearchKey, *by: SortKey) -> list[int]:
        """The UIDs of the messages that a search key finds, sorted by the server; RFC 5256 section 3; capability SORT.

        ``box.sort(q.unseen, -sort.ARRIVAL, sort.SUBJECT)[:20]``; the keys are in ``imapkit.sort``, those that display names need
        SORT=DISPLAY (RFC 5957). Raises ``Missing``, ``NoResponse`` and ``TypeError`` as ``search`` and ``fetch`` do.
        """
    def thread(self, key: SearchKey = ..., algorithm: str = "REFERENCES") -> list[Thread]:
        """The messages that a search key finds, in threads of UIDs; RFC 5256 section 3; capability THREAD=REFERENCES, or another.

        ``for thread in box.thread(q.since(day)): print(thread.root, thread.messages())``. Raises as ``sort`` does.
        """
    def delete(self, which: Which) -> UIDSet:
        r"""Delete these messages for good, and no others; RFC 4315 section 2.1; capability UIDPLUS.

        Returns their UIDs. It sets \Deleted, and sends UID EXPUNGE: a plain EXPUNGE, which would also remove what other programs
        have marked, is never sent. To move messages to the trash, ``move(which, Role.TRASH)``. Raises ``Missing`` before
        anything is sent if the server has no UIDPLUS, ``NoResponse`` if it refuses.
        """

class _NowaitSession(
    Rev1Session[Nowait],
    AclSession[Nowait],
    AnnotationSession[Nowait],
    CompressSession[Nowait],
    EnableSession[Nowait],
    IdSession[Nowait],
    NamespaceSession[Nowait],
    ProxyauthSession[Nowait],
    QuotaSession[Nowait],
    StartTLSSession[Nowait],
    UnselectSession[Nowait],
):
    def noop(self) -> Future[None]:
        """Give the server the occasion to report changes; RFC 3501 section 6.1.2; any state."""
    def capability(self) -> Future[frozenset[str]]:
        """Ask for the server's capabilities, in upper case; RFC 3501 section 6.1.1; any state.

        ``client.capabilities`` has them without asking. Raises ``NoAnswer`` if the server says OK without them.
        """
    def mailboxes(
        self, pattern: str | bytes = "*", *, subscribed: bool = False, status: Sequence[str] = ()
    ) -> Future[list[MailboxListing]]:
        """The mailboxes whose names match, or those that are subscribed; RFC 3501 sections 6.3.8 and 6.3.9.

        ``for box in client.mailboxes("Lists/*"): print(box.mailbox, box.role)``. In ``pattern`` "*" matches any characters, "%"
        any but the hierarchy delimiter. The list also has names that cannot be selected (``MailboxListing.is_selectable``).

        ``status``: items as for ``status()``, such as ["UNSEEN"]: ``box.status.unseen``. With capability LIST-STATUS (RFC 5819)
        the server sends all at once, else each mailbox is asked, without a wait in between. ``box.status`` is None for a mailbox
        that cannot be selected, or of which the server does not tell. States: authenticated, selected. Raises ``NoResponse``.
        """
    def role(self, role: Role) -> Future[MailboxListing | None]:
        """The user's mailbox for drafts, for what was sent ...: ``client.role(Role.SENT)``; None if none is found.

        Of several mailboxes the first that can be selected. ``role_from`` of the result says how it was found: by its
        "attribute" in LIST (RFC 6154 section 2), by "xlist", which servers had before, or by its "name" in one of many
        languages, at the top of the user's own mailboxes only. Commands that take a mailbox for messages take a ``Role``, too.
        States: authenticated, selected.
        """
    def status(self, mailbox: str | bytes, *items: str) -> Future[MailboxStatus]:
        """The status of a mailbox, which need not be selected; RFC 3501 section 6.3.10; states: authenticated, selected.

        ``client.status("INBOX", "UNSEEN").unseen``. ``items``: such as "UNSEEN"; without them MESSAGES, UNSEEN, UIDNEXT and
        UIDVALIDITY. Raises ``NoResponse``.
        """
    def create(self, mailbox: str | bytes) -> Future[None]:
        """Create a mailbox; RFC 3501 section 6.3.3; states: authenticated, selected.

        Raises ``AlreadyExists`` if it is there and the server says so by a response code, otherwise another ``NoResponse``.
        """
    def delete_mailbox(self, mailbox: str | bytes) -> Future[None]:
        """Delete a mailbox with all its messages; RFC 3501 section 6.3.4; states: authenticated, selected.

        If it is the selected one, the server first leaves it, without an EXPUNGE. Raises ``NonExistent``,
        ``HasChildren``, another ``NoResponse``. To delete messages: ``Mailbox.delete``.
        """
    def rename(self, mailbox: str | bytes, to: str | bytes) -> Future[None]:
        """Rename a mailbox, with those below it; RFC 3501 section 6.3.5; states: authenticated, selected.

        If it is the selected one, the server first leaves it, without an EXPUNGE. To rename INBOX moves its
        messages. Raises ``NonExistent``, ``AlreadyExists``, another ``NoResponse``.
        """
    def subscribe(self, mailbox: str | bytes) -> Future[None]:
        """Subscribe to a mailbox; RFC 3501 section 6.3.6; states: authenticated, selected. Raises ``NoResponse``."""
    def unsubscribe(self, mailbox: str | bytes) -> Future[None]:
        """Unsubscribe from a mailbox; RFC 3501 section 6.3.7; otherwise as ``subscribe``."""
    def run(self, name: str, *args: object, result: Sequence[str] = (), uid: bool = False) -> Future[Reply]:
        """Send a command that has no method; RFC 3501 section 6.5.1. ``result``: the untagged responses that answer it.

        ``client.run("XFOO", "x y", result=["XFOO"]).responses("XFOO")``
        """
    def append(
        self,
        mailbox: str | bytes | Role,
        message: EmailMessage | bytes | PathLike[str] | BinaryIO,
        *,
        flags: Iterable[str] = (),
        date: datetime | None = None,
        progress: Progress | None = None,
    ) -> Future[Appended]:
        r"""Add a message to the end of a mailbox, or of the one that has a role; RFC 3501 section 6.3.11.

        ``client.append(Role.DRAFTS, Path("big.eml"), flags=["\\Draft"]).uid``; the UID is None if the server has no UIDPLUS
        (RFC 4315). A path, or a binary file from where it stands, is read once to count its bytes, and again as it is sent, so
        that it is never in memory; it must not change in between. A file that cannot seek is first copied into a temporary one.
        Line ends become CRLF. ``date``: an aware datetime for INTERNALDATE; without it the server takes the present time.

        ``progress(sent, size)`` is called as the bytes are sent, on the thread that sends them. States: authenticated, selected.
        Raises ``TryCreate`` if there is no such mailbox but it can be created, ``OverQuota``, another ``NoResponse``;
        ``Missing`` if no mailbox has the role; ``OSError`` before anything is sent if the file cannot be read.
        ``ConnectionClosed`` if it has changed: half a command cannot be taken back.
        """
    def acl(self, mailbox: str | bytes = "INBOX") -> Future[Mapping[str, Rights]]:
        """The access control list of a mailbox: the rights of each identifier; RFC 4314 section 3.3; right: a.

        ``"t" in client.acl("INBOX")["bob"]``
        """
    def my_rights(self, mailbox: str | bytes = "INBOX") -> Future[Rights]:
        """The user's own rights on a mailbox; RFC 4314 section 3.5; right: any of l, r, i, k, x, a."""
    def list_rights(self, mailbox: str | bytes, identifier: str | bytes) -> Future[ListRights]:
        """The rights that an identifier always has on a mailbox, and that it can be given; RFC 4314 section 3.4; right: a."""
    def set_acl(self, mailbox: str | bytes, identifier: str | bytes, rights: str | Rights | Iterable[str]) -> Future[None]:
        """Give rights on a mailbox to an identifier; RFC 4314 section 3.1; right: a.

        ``rights`` replace the present ones ("lrs"; "" for none), are added ("+w") or removed ("-w"). Raises ``BadResponse`` for
        rights that the server does not support.
        """
    def delete_acl(self, mailbox: str | bytes, identifier: str | bytes) -> Future[None]:
        """Remove an identifier from the access control list of a mailbox; RFC 4314 section 3.2; right: a."""
    def annotation(
        self, mailbox: str | bytes, entry: str | Iterable[str], attribute: str | Iterable[str] = "value"
    ) -> Future[tuple[Annotation, ...]]:
        """The annotations of a mailbox, or, for "", of the server; draft-daboo-imap-annotatemore, "GETANNOTATION Command".

        ``entry`` and ``attribute``: names, which may have the wildcards "*" and "%"; "value" stands for "value.priv" and
        "value.shared". ``client.annotation("INBOX", "/comment")[0].text("value.priv")``
        """
    def set_annotation(self, mailbox: str | bytes, entry: str, attributes: Mapping[str, str | bytes | None]) -> Future[None]:
        """Set attributes of an entry; None removes one; draft-daboo-imap-annotatemore, "SETANNOTATION Command".

        ``client.set_annotation("INBOX", "/comment", {"value.priv": "mine"})``
        """
    def compress(self) -> Future[None]:
        """Compress the connection from now on; RFC 4978 section 3; capability COMPRESS=DEFLATE; any state.

        An attacker who can add text next to a secret can learn about the secret from the compressed length (RFC 4978 section 6).
        Raises ``Missing``, and sends nothing, if the server cannot compress, and ``NoResponse`` if it compresses already.
        """
    def enable(self, *names: str) -> Future[frozenset[str]]:
        """Enable extensions, and return those that the server did enable; RFC 5161 section 3.1; capability ENABLE.

        State: authenticated. ``client.enable("UTF8=ACCEPT")``. The names are in upper case. The server leaves out what it does
        not support. Raises ``Missing``, and sends nothing, if the server has no ENABLE, and ``ArgumentError`` for an extension
        that no installed family supports.
        """
    def id(self, **fields: str | None) -> Future[dict[str, str | None]]:
        """Send the client's name and version, and return the server's fields; RFC 2971 section 3.1; capability ID; any state.

        ``client.id(name="mine", version="1.0")["name"]``. The server's fields are by name in lower case; None is NIL. Without
        ``fields`` NIL is sent. Raises ``Missing``, and sends nothing, if the server has no ID, and ``ArgumentError`` beyond the
        limits of RFC 2971 section 3.3: 30 fields, 30 bytes in a name, 1024 in a value.
        """
    def namespaces(self) -> Future[Namespaces]:
        """The prefixes of the user's own mailboxes, of other users' and of shared ones; RFC 2342 section 5; capability NAMESPACE.

        States: authenticated, selected. Raises ``Missing``, and sends nothing, if the server has no NAMESPACE.
        """
    def proxyauth(self, user: str | bytes) -> Future[None]:
        """Become ``user``, as an administrator may; no RFC (Netscape, Sun); capability PROXYAUTH; state: authenticated.

        Raises ``NoResponse`` if the server refuses; then nothing has changed. A selected mailbox must be closed first.
        """
    def quota(self, mailbox: str | bytes = "INBOX") -> Future[tuple[Quota, ...]]:
        """Usage and limits of the quota roots of a mailbox; RFC 9208 section 4.1.2; empty if it has none.

        ``client.quota("INBOX")[0].resource("STORAGE")``
        """
    def quota_root(self, root: str | bytes) -> Future[Quota]:
        """Usage and limits of a quota root, by its name (``Quota.name``); RFC 9208 section 4.1.1."""
    def set_quota(self, root: str | bytes, limits: Mapping[str, int]) -> Future[tuple[Quota, ...]]:
        """Set the limits of a quota root; RFC 9208 section 4.1.3: ``client.set_quota("", {"STORAGE": 512, "MESSAGE": 1000})``.

        Returns the quotas that the server then reports, perhaps none. STORAGE is in units of 1024 bytes, other resources are
        counted. The server removes limits that are not named.
        """
    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Future[None]:
        """Put TLS on the connection; RFC 3501 section 6.2.1; capability STARTTLS; state: not authenticated.

        ``ssl_context``: in place of the client's own, or of the default one, which verifies the chain and the host name of the
        server's certificate. The client discards the capabilities that it received before TLS, and asks for them again. From the
        call on, until it has succeeded, commands that send a secret raise ``StateError``. Raises ``abort`` if TLS is on already;
        ``Missing``, and sends nothing, if the server has no STARTTLS; ``NoResponse`` if it refuses; ``TLSError`` if the handshake
        fails, which closes the connection.
        """
    def unselect(self) -> Future[None]:
        r"""Have the server close the selected mailbox; messages with \Deleted stay; RFC 3691; capability UNSELECT.

        To leave a mailbox with ``close()`` or at the end of a ``with`` block sends nothing; a mailbox that is to be deleted
        or renamed should be closed at the server, too. Without UNSELECT the mailbox is opened by EXAMINE, and then closed,
        which expunges nothing (RFC 3501 section 6.4.2). Without a selected mailbox nothing is sent. Raises ``NoResponse``.
        """

class _NowaitSelected(
    Rev1Selected[Nowait],
    EsearchSelected[Nowait],
    Gmail[Nowait],
    IdleSelected[Nowait],
    MoveSelected[Nowait],
    SortThreadSelected[Nowait],
    UidplusSelected[Nowait],
):
    def search(self, key: SearchKey = ...) -> Future[UIDSet]:
        """The messages that a search key finds; RFC 3501 section 6.4.4; without a key, all messages.

        ``box.search(q.unseen & q.since(date(2026, 1, 1)) & q.text("Grüße"))``. Text of any script goes as UTF-8, or in a charset
        that the server names instead (BADCHARSET). Raises ``BadCharset`` if there is none, another ``NoResponse`` if the server
        refuses, ``TypeError`` for what is no key.
        """
    def fetch(self, which: Which, *items: Item[object], reverse: bool = False, chunk: int = 500) -> Future[list[Message]]:
        r"""The messages with these items, one after the other, by UID; RFC 3501 section 6.4.5.

        ``for message in box.fetch(uids, ENVELOPE, FLAGS): print(message.uid, message.envelope.subject)``. The items are
        ``ENVELOPE``, ``FLAGS``, ``BODY``, ``SIZE``, ``DATE``, ``HEADER``, ``section(...)``, and those of other families; without
        any, only the UIDs. Nothing sets \Seen. A UID that is not there is left out.

        ``chunk`` messages are asked for at a time, and the next ones are on their way while the program looks at these: other
        commands can be sent in the loop, and ``break`` gives at most one chunk up. ``reverse``: the newest first. Raises
        ``Missing`` if an item needs a capability that the server lacks, ``NoResponse`` if the server refuses.
        """
    def add_flags(self, which: Which, *flags: str, silent: bool = True) -> Future[UIDSet]:
        r"""Add flags to messages; RFC 3501 section 6.4.6. Returns the UIDs of the messages, of which some may be gone by now.

        ``box.add_flags(q.from_("ada"), "\\Seen", "$Forwarded")``. ``silent=False`` has the server report the new flags. Raises
        ``ArgumentError`` for what is no flag; ``NoResponse`` if the server refuses, after which a part of a long set may have
        been changed.
        """
    def remove_flags(self, which: Which, *flags: str, silent: bool = True) -> Future[UIDSet]:
        """Remove flags from messages; RFC 3501 section 6.4.6; otherwise as ``add_flags``."""
    def set_flags(self, which: Which, *flags: str, silent: bool = True) -> Future[UIDSet]:
        r"""Give messages these flags, and no others but \Recent; RFC 3501 section 6.4.6; otherwise as ``add_flags``."""
    def copy(self, which: Which, to: str | bytes | Role) -> Future[Copied]:
        """Copy messages to the end of another mailbox, or of the one that has a role; RFC 3501 section 6.4.7.

        ``box.copy(uids, "Archive").uids`` has the UID of each copy, if the server has UIDPLUS (RFC 4315). Raises ``TryCreate`` if
        there is no such mailbox but it can be created, another ``NoResponse`` if the server refuses, after which a part of a long
        set may have been copied; ``Missing`` if no mailbox has the role.
        """
    def check(self) -> Future[None]:
        """Ask for a checkpoint of the mailbox; RFC 3501 section 6.4.1."""
    def download(
        self,
        uid: int,
        part: BodyStructure | str,
        to: PathLike[str] | BinaryIO,
        *,
        chunk: int | None = 1048576,
        window: int = 4,
        resume: bool = False,
        progress: Report | None = None,
    ) -> Future[int]:
        """Fetch a part into a file while it arrives, decoded; returns the bytes of the part; RFC 3501 section 6.4.5.

        ``box.download(uid, "2", Path("film.mp4"), resume=True)``. ``window`` pieces of ``chunk`` bytes are on their way at a
        time, so memory stays small, and other commands are answered in between. ``chunk=None``: the server sends all at once,
        which suits servers that build a message anew for each piece; other answers come behind it, and a file that accepts
        nothing for 10 seconds gets ``DeadlineExceeded``. Base64 and quoted-printable are decoded, as the structure
        of the message says; for a section given as text that is asked first.

        ``to``: a path, which is opened when the first bytes come; or a file open for writing bytes, which is not closed.
        ``resume``: a path whose file has a part of the bytes already: only the rest is fetched. If that cannot be found in an
        encoded part, all is fetched again. ``progress(done, total)``: the bytes that have come, still encoded, and all of them,
        or None. Files are written, and ``progress`` is called, by the caller's thread, or for a future or a task by a thread of
        their own: a slow file holds up no other command. What they raise ends the call.

        Raises ``NoAnswer`` if there is no such message or part, ``NoResponse`` if the server refuses. What has come until then
        is in the file.
        """
    def read_bytes(self, uid: int, part: BodyStructure | str = "") -> Future[bytes]:
        """A part as bytes, decoded: base64 and quoted-printable, as the structure of the message says; RFC 3501 section 6.4.5.

        ``files = {part.filename: box.read_bytes(uid, part) for part in message.body.attachments}``. All of it is in memory; for
        large parts there is ``download``. Raises ``NoAnswer`` if there is no such message or part, ``NoResponse``.
        """
    def read_text(self, uid: int, part: BodyStructure | str) -> Future[str]:
        """A part as text, decoded by its charset; what is no text in that charset becomes U+FFFD.

        ``box.read_text(uid, body.html or body.text or "1")``. Raises as ``read_bytes``.
        """
    def message(self, uid: int) -> Future[EmailMessage]:
        """The whole message, for the package ``email``. Raises ``NoAnswer`` if there is no such message, ``NoResponse``."""
    def count(self, key: SearchKey = ...) -> Future[int]:
        """How many messages match; RFC 4731 section 3.1; capability ESEARCH, else the list of all is counted here."""
    def lowest(self, key: SearchKey = ...) -> Future[int | None]:
        """The lowest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    def highest(self, key: SearchKey = ...) -> Future[int | None]:
        """The highest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    def add_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> Future[UIDSet]:
        r"""Add labels to messages; capability X-GM-EXT-1. Returns the UIDs of the messages, of which some may be gone by now.

        ``inbox.add_labels(gmail.query("has:attachment"), "To do", r"\Starred")``. Gmail makes a label that is not there.
        ``silent=False`` has the server report the new labels.
        """
    def remove_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> Future[UIDSet]:
        """Remove labels from messages; capability X-GM-EXT-1; otherwise as ``add_labels``."""
    def set_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> Future[UIDSet]:
        """Replace the labels of messages, but for that of the mailbox; capability X-GM-EXT-1; otherwise as ``add_labels``."""
    def idle(self, timeout: float | None = None) -> Future[list[MailboxEvent | Overflow]]:
        """What the server reports of the mailbox, as it comes: ``Exists``, ``Expunged``, ``FlagsChanged``, ``Recent``; RFC 2177.

        ``for event in inbox.idle(timeout=600)``. It ends after ``timeout`` seconds; None stands for no end. The client ends
        IDLE when the program leaves the loop. Events are in order, and none is lost while the program works on one; if they come
        too fast, an ``Overflow`` says how many are missing. Any other command on the connection ends IDLE, which then begins
        again; what the server reports meanwhile is an event, too. The client renews IDLE every 9 minutes. A time-out of
        ``with_options`` does not apply. The future has a list, once ``timeout`` is over. Capability IDLE. Raises ``Missing``, and
        sends nothing, if the server has no IDLE, and ``MailboxClosed`` once the mailbox was left.
        """
    def move(self, which: Which, to: str | bytes | Role) -> Future[Copied]:
        """Move messages to another mailbox, or to the one that has a role; RFC 6851; capability MOVE, else UIDPLUS.

        Returns the new UIDs. Without MOVE the messages are copied, and the originals are deleted once all of them have been
        copied; ``client.explain("move")`` says which way is taken. A plain EXPUNGE is never sent: without MOVE and UIDPLUS
        ``Missing`` is raised, and nothing is sent. Raises ``NoResponse`` if the server refuses, after which some of the messages
        may have been moved.
        """
    def sort(self, key: SearchKey, *by: SortKey) -> Future[list[int]]:
        """The UIDs of the messages that a search key finds, sorted by the server; RFC 5256 section 3; capability SORT.

        ``box.sort(q.unseen, -sort.ARRIVAL, sort.SUBJECT)[:20]``; the keys are in ``imapkit.sort``, those that display names need
        SORT=DISPLAY (RFC 5957). Raises ``Missing``, ``NoResponse`` and ``TypeError`` as ``search`` and ``fetch`` do.
        """
    def thread(self, key: SearchKey = ..., algorithm: str = "REFERENCES") -> Future[list[Thread]]:
        """The messages that a search key finds, in threads of UIDs; RFC 5256 section 3; capability THREAD=REFERENCES, or another.

        ``for thread in box.thread(q.since(day)): print(thread.root, thread.messages())``. Raises as ``sort`` does.
        """
    def delete(self, which: Which) -> Future[UIDSet]:
        r"""Delete these messages for good, and no others; RFC 4315 section 2.1; capability UIDPLUS.

        Returns their UIDs. It sets \Deleted, and sends UID EXPUNGE: a plain EXPUNGE, which would also remove what other programs
        have marked, is never sent. To move messages to the trash, ``move(which, Role.TRASH)``. Raises ``Missing`` before
        anything is sent if the server has no UIDPLUS, ``NoResponse`` if it refuses.
        """

class _AsyncSession(
    Rev1Session[Async],
    AclSession[Async],
    AnnotationSession[Async],
    CompressSession[Async],
    EnableSession[Async],
    IdSession[Async],
    NamespaceSession[Async],
    ProxyauthSession[Async],
    QuotaSession[Async],
    StartTLSSession[Async],
    UnselectSession[Async],
):
    async def noop(self) -> None:
        """Give the server the occasion to report changes; RFC 3501 section 6.1.2; any state."""
    async def capability(self) -> frozenset[str]:
        """Ask for the server's capabilities, in upper case; RFC 3501 section 6.1.1; any state.

        ``client.capabilities`` has them without asking. Raises ``NoAnswer`` if the server says OK without them.
        """
    async def mailboxes(
        self, pattern: str | bytes = "*", *, subscribed: bool = False, status: Sequence[str] = ()
    ) -> list[MailboxListing]:
        """The mailboxes whose names match, or those that are subscribed; RFC 3501 sections 6.3.8 and 6.3.9.

        ``for box in client.mailboxes("Lists/*"): print(box.mailbox, box.role)``. In ``pattern`` "*" matches any characters, "%"
        any but the hierarchy delimiter. The list also has names that cannot be selected (``MailboxListing.is_selectable``).

        ``status``: items as for ``status()``, such as ["UNSEEN"]: ``box.status.unseen``. With capability LIST-STATUS (RFC 5819)
        the server sends all at once, else each mailbox is asked, without a wait in between. ``box.status`` is None for a mailbox
        that cannot be selected, or of which the server does not tell. States: authenticated, selected. Raises ``NoResponse``.
        """
    async def role(self, role: Role) -> MailboxListing | None:
        """The user's mailbox for drafts, for what was sent ...: ``client.role(Role.SENT)``; None if none is found.

        Of several mailboxes the first that can be selected. ``role_from`` of the result says how it was found: by its
        "attribute" in LIST (RFC 6154 section 2), by "xlist", which servers had before, or by its "name" in one of many
        languages, at the top of the user's own mailboxes only. Commands that take a mailbox for messages take a ``Role``, too.
        States: authenticated, selected.
        """
    async def status(self, mailbox: str | bytes, *items: str) -> MailboxStatus:
        """The status of a mailbox, which need not be selected; RFC 3501 section 6.3.10; states: authenticated, selected.

        ``client.status("INBOX", "UNSEEN").unseen``. ``items``: such as "UNSEEN"; without them MESSAGES, UNSEEN, UIDNEXT and
        UIDVALIDITY. Raises ``NoResponse``.
        """
    async def create(self, mailbox: str | bytes) -> None:
        """Create a mailbox; RFC 3501 section 6.3.3; states: authenticated, selected.

        Raises ``AlreadyExists`` if it is there and the server says so by a response code, otherwise another ``NoResponse``.
        """
    async def delete_mailbox(self, mailbox: str | bytes) -> None:
        """Delete a mailbox with all its messages; RFC 3501 section 6.3.4; states: authenticated, selected.

        If it is the selected one, the server first leaves it, without an EXPUNGE. Raises ``NonExistent``,
        ``HasChildren``, another ``NoResponse``. To delete messages: ``Mailbox.delete``.
        """
    async def rename(self, mailbox: str | bytes, to: str | bytes) -> None:
        """Rename a mailbox, with those below it; RFC 3501 section 6.3.5; states: authenticated, selected.

        If it is the selected one, the server first leaves it, without an EXPUNGE. To rename INBOX moves its
        messages. Raises ``NonExistent``, ``AlreadyExists``, another ``NoResponse``.
        """
    async def subscribe(self, mailbox: str | bytes) -> None:
        """Subscribe to a mailbox; RFC 3501 section 6.3.6; states: authenticated, selected. Raises ``NoResponse``."""
    async def unsubscribe(self, mailbox: str | bytes) -> None:
        """Unsubscribe from a mailbox; RFC 3501 section 6.3.7; otherwise as ``subscribe``."""
    async def run(self, name: str, *args: object, result: Sequence[str] = (), uid: bool = False) -> Reply:
        """Send a command that has no method; RFC 3501 section 6.5.1. ``result``: the untagged responses that answer it.

        ``client.run("XFOO", "x y", result=["XFOO"]).responses("XFOO")``
        """
    async def append(
        self,
        mailbox: str | bytes | Role,
        message: EmailMessage | bytes | PathLike[str] | BinaryIO,
        *,
        flags: Iterable[str] = (),
        date: datetime | None = None,
        progress: Progress | None = None,
    ) -> Appended:
        r"""Add a message to the end of a mailbox, or of the one that has a role; RFC 3501 section 6.3.11.

        ``client.append(Role.DRAFTS, Path("big.eml"), flags=["\\Draft"]).uid``; the UID is None if the server has no UIDPLUS
        (RFC 4315). A path, or a binary file from where it stands, is read once to count its bytes, and again as it is sent, so
        that it is never in memory; it must not change in between. A file that cannot seek is first copied into a temporary one.
        Line ends become CRLF. ``date``: an aware datetime for INTERNALDATE; without it the server takes the present time.

        ``progress(sent, size)`` is called as the bytes are sent, on the thread that sends them. States: authenticated, selected.
        Raises ``TryCreate`` if there is no such mailbox but it can be created, ``OverQuota``, another ``NoResponse``;
        ``Missing`` if no mailbox has the role; ``OSError`` before anything is sent if the file cannot be read.
        ``ConnectionClosed`` if it has changed: half a command cannot be taken back.
        """
    async def acl(self, mailbox: str | bytes = "INBOX") -> Mapping[str, Rights]:
        """The access control list of a mailbox: the rights of each identifier; RFC 4314 section 3.3; right: a.

        ``"t" in client.acl("INBOX")["bob"]``
        """
    async def my_rights(self, mailbox: str | bytes = "INBOX") -> Rights:
        """The user's own rights on a mailbox; RFC 4314 section 3.5; right: any of l, r, i, k, x, a."""
    async def list_rights(self, mailbox: str | bytes, identifier: str | bytes) -> ListRights:
        """The rights that an identifier always has on a mailbox, and that it can be given; RFC 4314 section 3.4; right: a."""
    async def set_acl(self, mailbox: str | bytes, identifier: str | bytes, rights: str | Rights | Iterable[str]) -> None:
        """Give rights on a mailbox to an identifier; RFC 4314 section 3.1; right: a.

        ``rights`` replace the present ones ("lrs"; "" for none), are added ("+w") or removed ("-w"). Raises ``BadResponse`` for
        rights that the server does not support.
        """
    async def delete_acl(self, mailbox: str | bytes, identifier: str | bytes) -> None:
        """Remove an identifier from the access control list of a mailbox; RFC 4314 section 3.2; right: a."""
    async def annotation(
        self, mailbox: str | bytes, entry: str | Iterable[str], attribute: str | Iterable[str] = "value"
    ) -> tuple[Annotation, ...]:
        """The annotations of a mailbox, or, for "", of the server; draft-daboo-imap-annotatemore, "GETANNOTATION Command".

        ``entry`` and ``attribute``: names, which may have the wildcards "*" and "%"; "value" stands for "value.priv" and
        "value.shared". ``client.annotation("INBOX", "/comment")[0].text("value.priv")``
        """
    async def set_annotation(self, mailbox: str | bytes, entry: str, attributes: Mapping[str, str | bytes | None]) -> None:
        """Set attributes of an entry; None removes one; draft-daboo-imap-annotatemore, "SETANNOTATION Command".

        ``client.set_annotation("INBOX", "/comment", {"value.priv": "mine"})``
        """
    async def compress(self) -> None:
        """Compress the connection from now on; RFC 4978 section 3; capability COMPRESS=DEFLATE; any state.

        An attacker who can add text next to a secret can learn about the secret from the compressed length (RFC 4978 section 6).
        Raises ``Missing``, and sends nothing, if the server cannot compress, and ``NoResponse`` if it compresses already.
        """
    async def enable(self, *names: str) -> frozenset[str]:
        """Enable extensions, and return those that the server did enable; RFC 5161 section 3.1; capability ENABLE.

        State: authenticated. ``client.enable("UTF8=ACCEPT")``. The names are in upper case. The server leaves out what it does
        not support. Raises ``Missing``, and sends nothing, if the server has no ENABLE, and ``ArgumentError`` for an extension
        that no installed family supports.
        """
    async def id(self, **fields: str | None) -> dict[str, str | None]:
        """Send the client's name and version, and return the server's fields; RFC 2971 section 3.1; capability ID; any state.

        ``client.id(name="mine", version="1.0")["name"]``. The server's fields are by name in lower case; None is NIL. Without
        ``fields`` NIL is sent. Raises ``Missing``, and sends nothing, if the server has no ID, and ``ArgumentError`` beyond the
        limits of RFC 2971 section 3.3: 30 fields, 30 bytes in a name, 1024 in a value.
        """
    async def namespaces(self) -> Namespaces:
        """The prefixes of the user's own mailboxes, of other users' and of shared ones; RFC 2342 section 5; capability NAMESPACE.

        States: authenticated, selected. Raises ``Missing``, and sends nothing, if the server has no NAMESPACE.
        """
    async def proxyauth(self, user: str | bytes) -> None:
        """Become ``user``, as an administrator may; no RFC (Netscape, Sun); capability PROXYAUTH; state: authenticated.

        Raises ``NoResponse`` if the server refuses; then nothing has changed. A selected mailbox must be closed first.
        """
    async def quota(self, mailbox: str | bytes = "INBOX") -> tuple[Quota, ...]:
        """Usage and limits of the quota roots of a mailbox; RFC 9208 section 4.1.2; empty if it has none.

        ``client.quota("INBOX")[0].resource("STORAGE")``
        """
    async def quota_root(self, root: str | bytes) -> Quota:
        """Usage and limits of a quota root, by its name (``Quota.name``); RFC 9208 section 4.1.1."""
    async def set_quota(self, root: str | bytes, limits: Mapping[str, int]) -> tuple[Quota, ...]:
        """Set the limits of a quota root; RFC 9208 section 4.1.3: ``client.set_quota("", {"STORAGE": 512, "MESSAGE": 1000})``.

        Returns the quotas that the server then reports, perhaps none. STORAGE is in units of 1024 bytes, other resources are
        counted. The server removes limits that are not named.
        """
    async def starttls(self, ssl_context: ssl.SSLContext | None = None) -> None:
        """Put TLS on the connection; RFC 3501 section 6.2.1; capability STARTTLS; state: not authenticated.

        ``ssl_context``: in place of the client's own, or of the default one, which verifies the chain and the host name of the
        server's certificate. The client discards the capabilities that it received before TLS, and asks for them again. From the
        call on, until it has succeeded, commands that send a secret raise ``StateError``. Raises ``abort`` if TLS is on already;
        ``Missing``, and sends nothing, if the server has no STARTTLS; ``NoResponse`` if it refuses; ``TLSError`` if the handshake
        fails, which closes the connection.
        """
    async def unselect(self) -> None:
        r"""Have the server close the selected mailbox; messages with \Deleted stay; RFC 3691; capability UNSELECT.

        To leave a mailbox with ``close()`` or at the end of a ``with`` block sends nothing; a mailbox that is to be deleted
        or renamed should be closed at the server, too. Without UNSELECT the mailbox is opened by EXAMINE, and then closed,
        which expunges nothing (RFC 3501 section 6.4.2). Without a selected mailbox nothing is sent. Raises ``NoResponse``.
        """

class _AsyncSelected(
    Rev1Selected[Async],
    EsearchSelected[Async],
    Gmail[Async],
    IdleSelected[Async],
    MoveSelected[Async],
    SortThreadSelected[Async],
    UidplusSelected[Async],
):
    async def search(self, key: SearchKey = ...) -> UIDSet:
        """The messages that a search key finds; RFC 3501 section 6.4.4; without a key, all messages.

        ``box.search(q.unseen & q.since(date(2026, 1, 1)) & q.text("Grüße"))``. Text of any script goes as UTF-8, or in a charset
        that the server names instead (BADCHARSET). Raises ``BadCharset`` if there is none, another ``NoResponse`` if the server
        refuses, ``TypeError`` for what is no key.
        """
    def fetch(self, which: Which, *items: Item[object], reverse: bool = False, chunk: int = 500) -> AsyncIterator[Message]:
        r"""The messages with these items, one after the other, by UID; RFC 3501 section 6.4.5.

        ``for message in box.fetch(uids, ENVELOPE, FLAGS): print(message.uid, message.envelope.subject)``. The items are
        ``ENVELOPE``, ``FLAGS``, ``BODY``, ``SIZE``, ``DATE``, ``HEADER``, ``section(...)``, and those of other families; without
        any, only the UIDs. Nothing sets \Seen. A UID that is not there is left out.

        ``chunk`` messages are asked for at a time, and the next ones are on their way while the program looks at these: other
        commands can be sent in the loop, and ``break`` gives at most one chunk up. ``reverse``: the newest first. Raises
        ``Missing`` if an item needs a capability that the server lacks, ``NoResponse`` if the server refuses.
        """
    async def add_flags(self, which: Which, *flags: str, silent: bool = True) -> UIDSet:
        r"""Add flags to messages; RFC 3501 section 6.4.6. Returns the UIDs of the messages, of which some may be gone by now.

        ``box.add_flags(q.from_("ada"), "\\Seen", "$Forwarded")``. ``silent=False`` has the server report the new flags. Raises
        ``ArgumentError`` for what is no flag; ``NoResponse`` if the server refuses, after which a part of a long set may have
        been changed.
        """
    async def remove_flags(self, which: Which, *flags: str, silent: bool = True) -> UIDSet:
        """Remove flags from messages; RFC 3501 section 6.4.6; otherwise as ``add_flags``."""
    async def set_flags(self, which: Which, *flags: str, silent: bool = True) -> UIDSet:
        r"""Give messages these flags, and no others but \Recent; RFC 3501 section 6.4.6; otherwise as ``add_flags``."""
    async def copy(self, which: Which, to: str | bytes | Role) -> Copied:
        """Copy messages to the end of another mailbox, or of the one that has a role; RFC 3501 section 6.4.7.

        ``box.copy(uids, "Archive").uids`` has the UID of each copy, if the server has UIDPLUS (RFC 4315). Raises ``TryCreate`` if
        there is no such mailbox but it can be created, another ``NoResponse`` if the server refuses, after which a part of a long
        set may have been copied; ``Missing`` if no mailbox has the role.
        """
    async def check(self) -> None:
        """Ask for a checkpoint of the mailbox; RFC 3501 section 6.4.1."""
    async def download(
        self,
        uid: int,
        part: BodyStructure | str,
        to: PathLike[str] | BinaryIO,
        *,
        chunk: int | None = 1048576,
        window: int = 4,
        resume: bool = False,
        progress: Report | None = None,
    ) -> int:
        """Fetch a part into a file while it arrives, decoded; returns the bytes of the part; RFC 3501 section 6.4.5.

        ``box.download(uid, "2", Path("film.mp4"), resume=True)``. ``window`` pieces of ``chunk`` bytes are on their way at a
        time, so memory stays small, and other commands are answered in between. ``chunk=None``: the server sends all at once,
        which suits servers that build a message anew for each piece; other answers come behind it, and a file that accepts
        nothing for 10 seconds gets ``DeadlineExceeded``. Base64 and quoted-printable are decoded, as the structure
        of the message says; for a section given as text that is asked first.

        ``to``: a path, which is opened when the first bytes come; or a file open for writing bytes, which is not closed.
        ``resume``: a path whose file has a part of the bytes already: only the rest is fetched. If that cannot be found in an
        encoded part, all is fetched again. ``progress(done, total)``: the bytes that have come, still encoded, and all of them,
        or None. Files are written, and ``progress`` is called, by the caller's thread, or for a future or a task by a thread of
        their own: a slow file holds up no other command. What they raise ends the call.

        Raises ``NoAnswer`` if there is no such message or part, ``NoResponse`` if the server refuses. What has come until then
        is in the file.
        """
    async def read_bytes(self, uid: int, part: BodyStructure | str = "") -> bytes:
        """A part as bytes, decoded: base64 and quoted-printable, as the structure of the message says; RFC 3501 section 6.4.5.

        ``files = {part.filename: box.read_bytes(uid, part) for part in message.body.attachments}``. All of it is in memory; for
        large parts there is ``download``. Raises ``NoAnswer`` if there is no such message or part, ``NoResponse``.
        """
    async def read_text(self, uid: int, part: BodyStructure | str) -> str:
        """A part as text, decoded by its charset; what is no text in that charset becomes U+FFFD.

        ``box.read_text(uid, body.html or body.text or "1")``. Raises as ``read_bytes``.
        """
    async def message(self, uid: int) -> EmailMessage:
        """The whole message, for the package ``email``. Raises ``NoAnswer`` if there is no such message, ``NoResponse``."""
    async def count(self, key: SearchKey = ...) -> int:
        """How many messages match; RFC 4731 section 3.1; capability ESEARCH, else the list of all is counted here."""
    async def lowest(self, key: SearchKey = ...) -> int | None:
        """The lowest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    async def highest(self, key: SearchKey = ...) -> int | None:
        """The highest UID of those that match, None if none does; RFC 4731 section 3.1; capability ESEARCH, else as ``count``."""
    async def add_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> UIDSet:
        r"""Add labels to messages; capability X-GM-EXT-1. Returns the UIDs of the messages, of which some may be gone by now.

        ``inbox.add_labels(gmail.query("has:attachment"), "To do", r"\Starred")``. Gmail makes a label that is not there.
        ``silent=False`` has the server report the new labels.
        """
    async def remove_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> UIDSet:
        """Remove labels from messages; capability X-GM-EXT-1; otherwise as ``add_labels``."""
    async def set_labels(self, which: Which, *labels: str | bytes, silent: bool = True) -> UIDSet:
        """Replace the labels of messages, but for that of the mailbox; capability X-GM-EXT-1; otherwise as ``add_labels``."""
    def idle(self, timeout: float | None = None) -> AsyncIterator[MailboxEvent | Overflow]:
        """What the server reports of the mailbox, as it comes: ``Exists``, ``Expunged``, ``FlagsChanged``, ``Recent``; RFC 2177.

        ``for event in inbox.idle(timeout=600)``. It ends after ``timeout`` seconds; None stands for no end. The client ends
        IDLE when the program leaves the loop. Events are in order, and none is lost while the program works on one; if they come
        too fast, an ``Overflow`` says how many are missing. Any other command on the connection ends IDLE, which then begins
        again; what the server reports meanwhile is an event, too. The client renews IDLE every 9 minutes. A time-out of
        ``with_options`` does not apply. The future has a list, once ``timeout`` is over. Capability IDLE. Raises ``Missing``, and
        sends nothing, if the server has no IDLE, and ``MailboxClosed`` once the mailbox was left.
        """
    async def move(self, which: Which, to: str | bytes | Role) -> Copied:
        """Move messages to another mailbox, or to the one that has a role; RFC 6851; capability MOVE, else UIDPLUS.

        Returns the new UIDs. Without MOVE the messages are copied, and the originals are deleted once all of them have been
        copied; ``client.explain("move")`` says which way is taken. A plain EXPUNGE is never sent: without MOVE and UIDPLUS
        ``Missing`` is raised, and nothing is sent. Raises ``NoResponse`` if the server refuses, after which some of the messages
        may have been moved.
        """
    async def sort(self, key: SearchKey, *by: SortKey) -> list[int]:
        """The UIDs of the messages that a search key finds, sorted by the server; RFC 5256 section 3; capability SORT.

        ``box.sort(q.unseen, -sort.ARRIVAL, sort.SUBJECT)[:20]``; the keys are in ``imapkit.sort``, those that display names need
        SORT=DISPLAY (RFC 5957). Raises ``Missing``, ``NoResponse`` and ``TypeError`` as ``search`` and ``fetch`` do.
        """
    async def thread(self, key: SearchKey = ..., algorithm: str = "REFERENCES") -> list[Thread]:
        """The messages that a search key finds, in threads of UIDs; RFC 5256 section 3; capability THREAD=REFERENCES, or another.

        ``for thread in box.thread(q.since(day)): print(thread.root, thread.messages())``. Raises as ``sort`` does.
        """
    async def delete(self, which: Which) -> UIDSet:
        r"""Delete these messages for good, and no others; RFC 4315 section 2.1; capability UIDPLUS.

        Returns their UIDs. It sets \Deleted, and sends UID EXPUNGE: a plain EXPUNGE, which would also remove what other programs
        have marked, is never sent. To move messages to the trash, ``move(which, Role.TRASH)``. Raises ``Missing`` before
        anything is sent if the server has no UIDPLUS, ``NoResponse`` if it refuses.
        """
