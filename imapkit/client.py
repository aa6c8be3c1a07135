"""The client classes: the core with the families' mixins, combined when a client is made; typed for checkers.

``IMAP4`` connects over TCP, ``IMAP4_SSL`` over TLS, ``IMAP4_stream`` to a command's standard input and output.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TextIO, overload

from imapkit import ext
from imapkit.core.raw.facade import Client
from imapkit.core.raw.families import registry
from imapkit.core.raw.mixing import CommandFamilies, announce, compiled
from imapkit.core.raw.secure import IMAP4_PORT, IMAP4_SSL_PORT, TLS_COMPAT
from imapkit.core.support.limits import Limits
from imapkit.core.transport.pipes import PipeTransport, dispose, open_stream
from imapkit.errors import ConnectionClosed

if TYPE_CHECKING:
    import ssl

    from imapkit.core.wire.data import Parsed
    from imapkit.ext.acl import Acl, AclCommands, ListRights, MyRights
    from imapkit.ext.annotation import Annotation, AnnotationCommands
    from imapkit.ext.compress import CompressCommands
    from imapkit.ext.enable import EnableCommands
    from imapkit.ext.esearch import ESearch
    from imapkit.ext.gmail import GmailCommands
    from imapkit.ext.id import IdCommands, Identity
    from imapkit.ext.idle import IdleCommands
    from imapkit.ext.move import MoveCommands
    from imapkit.ext.namespace import NamespaceCommands, Namespaces
    from imapkit.ext.proxyauth import ProxyauthCommands
    from imapkit.ext.quota import Quota, QuotaCommands, QuotaRoot
    from imapkit.ext.rev1 import AppendUid, CopyUid, FetchData, MailboxListing, MailboxStatus, Rev1Commands
    from imapkit.ext.sort_thread import SortThreadCommands, Thread
    from imapkit.ext.starttls import StartTLSCommands
    from imapkit.ext.unselect import UnselectCommands


if TYPE_CHECKING:

    class _Preloaded(
        Rev1Commands,
        AclCommands,
        AnnotationCommands,
        CompressCommands,
        EnableCommands,
        GmailCommands,
        IdCommands,
        IdleCommands,
        MoveCommands,
        NamespaceCommands,
        ProxyauthCommands,
        QuotaCommands,
        SortThreadCommands,
        StartTLSCommands,
        UnselectCommands,
        Client,
    ):
        """The builtin families, as a type checker sees them; a test compares this with the compiled class."""

        @overload
        def parse(self, typ: Literal["ACL"], data: Any) -> Parsed[Acl]: ...

        @overload
        def parse(self, typ: Literal["ANNOTATION"], data: Any) -> Parsed[tuple[Annotation, ...]]: ...

        @overload
        def parse(self, typ: Literal["APPENDUID"], data: Any) -> Parsed[AppendUid]: ...

        @overload
        def parse(self, typ: Literal["COPYUID"], data: Any) -> Parsed[CopyUid]: ...

        @overload
        def parse(self, typ: Literal["CAPABILITY", "ENABLED"], data: Any) -> Parsed[tuple[str, ...]]: ...

        @overload
        def parse(
            self, typ: Literal["EXISTS", "EXPUNGE", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN"], data: Any
        ) -> Parsed[int]: ...

        @overload
        def parse(self, typ: Literal["ESEARCH"], data: Any) -> Parsed[ESearch]: ...

        @overload
        def parse(self, typ: Literal["FETCH"], data: Any) -> Parsed[FetchData]: ...

        @overload
        def parse(self, typ: Literal["FLAGS", "PERMANENTFLAGS"], data: Any) -> Parsed[tuple[bytes, ...]]: ...

        @overload
        def parse(self, typ: Literal["ID"], data: Any) -> Parsed[Identity | None]: ...

        @overload
        def parse(self, typ: Literal["LIST", "LSUB"], data: Any) -> Parsed[MailboxListing]: ...

        @overload
        def parse(self, typ: Literal["LISTRIGHTS"], data: Any) -> Parsed[ListRights]: ...

        @overload
        def parse(self, typ: Literal["MYRIGHTS"], data: Any) -> Parsed[MyRights]: ...

        @overload
        def parse(self, typ: Literal["NAMESPACE"], data: Any) -> Parsed[Namespaces]: ...

        @overload
        def parse(self, typ: Literal["QUOTA"], data: Any) -> Parsed[Quota]: ...

        @overload
        def parse(self, typ: Literal["QUOTAROOT"], data: Any) -> Parsed[QuotaRoot]: ...

        @overload
        def parse(self, typ: Literal["SEARCH", "SORT"], data: Any) -> Parsed[tuple[int, ...]]: ...

        @overload
        def parse(self, typ: Literal["STATUS"], data: Any) -> Parsed[MailboxStatus]: ...

        @overload
        def parse(self, typ: Literal["THREAD"], data: Any) -> Parsed[tuple[Thread, ...]]: ...

        @overload
        def parse(self, typ: str, data: Any) -> Parsed[Any]: ...

        def parse(self, typ: str, data: Any) -> Parsed[Any]:
            return super().parse(typ, data)

else:

    class _Preloaded(Client, CommandFamilies):
        """The base of all clients. The families' mixins follow it when a client is made (``compiled``)."""


__all__ = ["IMAP4", "IMAP4_SSL", "IMAP4_stream"]

for _methods in ext.INDEX.values():
    announce(_methods)


class IMAP4(_Preloaded):
    """An IMAP4 client over TCP: RFC 3501; every command is a method, ``callback`` and ``cb_arg`` make it asynchronous.

    ``host``, ``port``
        the server (default: this machine, port 143). The port may be the digits as text, or a service's name ("imap").
    ``debug``, ``debug_file``, ``debug_buf_lvl``
        the debug level (default 0), the file for its output (default: standard error), and the level up to which output is
        kept, and printed only after an error (default 3).
    ``identifier``
        the prefix of the threads' names (default: ``host``).
    ``timeout``
        seconds; the longest wait for the connection, the greeting, and progress of a command. Default: ``imapkit.Timeouts``;
        ``math.inf`` sets no limit.
    ``ssl_context``
        an ``ssl.SSLContext`` for STARTTLS.
    ``families``
        the command families of this client, by name or as modules (default: all that are installed and switched on).
    ``limits``
        upper bounds on what the server may send.
    ``strict``
        True: a command that the server answers with NO raises ``CommandNo`` instead of returning ``("NO", [text])``; a callback
        gets that as its error.

    Raises ``ConnectError`` (an ``OSError``), ``abort``, ``error``. ``logout()``, or the end of a ``with`` block, ends the
    connection and its threads.

    Attributes, besides the properties:

    ``welcome``
        the server's greeting, as bytes.
    ``PROTOCOL_VERSION``
        the first of ``AllowedVersions`` that the server announced.
    ``host``, ``port``, ``identifier``, ``debug_file``
        as given, or the default.
    ``error``, ``abort``, ``readonly``
        the exceptions ``imapkit.error``, ``imapkit.abort`` and ``imapkit.readonly``.
    ``sock``, ``read_fd``
        the socket and its number, which ``open`` sets; ``sock`` has ``getpeercert`` once TLS is on.
    ``keyfile``, ``certfile``, ``ca_certs``, ``cert_verify_cb``, ``ssl_version``, ``tls_level``
        the settings of TLS: see ``IMAP4_SSL`` and ``starttls``.
    ``compressor``, ``decompressor``
        not None once COMPRESS is on, as in imaplib2.
    """

    def __init__(
        self,
        host: str | None = None,
        port: int | str | None = None,
        debug: int | None = None,
        debug_file: TextIO | None = None,
        identifier: str | None = None,
        timeout: float | None = None,
        debug_buf_lvl: int | None = None,
        *,
        ssl_context: ssl.SSLContext | None = None,
        families: Iterable[Any] | None = None,
        limits: Limits | None = None,
        strict: bool = False,
    ) -> None:
        known = registry(families)
        self.__class__ = compiled(type(self), known)
        super().__init__(
            host,
            port,
            debug=debug,
            debug_file=debug_file,
            identifier=identifier,
            timeout=timeout,
            debug_buf_lvl=debug_buf_lvl,
            ssl_context=ssl_context,
            registry=known,
            limits=limits,
            strict=strict,
        )

    _default_port = IMAP4_PORT
    _has_families = True
    """This class and those derived from it have the families' methods: see ``CommandFamilies``."""


class IMAP4_SSL(IMAP4):
    """An IMAP4 client over TLS (RFC 8314 section 3.2), port 993 by default. See ``IMAP4`` for the other arguments.

    The server's certificate and host name are verified against the system's authorities.

    ``ca_certs``
        a PEM file with the authorities to trust instead.
    ``certfile``, ``keyfile``
        PEM files with this client's own certificate.
    ``cert_verify_cb``
        called with the certificate and the host after the chain and the host name are verified; returns an error text or None.
        The certificate is the value of ``getpeercert()``; if ``ssl_context`` verifies nothing, it is the DER bytes, and the
        callback alone decides.
    ``ssl_version``, ``tls_level``
        as in imaplib2; versions before TLS 1.2 are not offered (RFC 8996).
    ``ssl_context``
        an ``ssl.SSLContext`` to use instead of all these. ``imapkit.unverified_context()`` makes one that verifies nothing.

    Raises ``TLSError`` (an ``ssl.SSLError`` and ``OSError``) before anything is sent, and ``ArgumentError`` (also an ``OSError``)
    for a file that cannot be used.
    """

    _default_port = IMAP4_SSL_PORT

    def __init__(
        self,
        host: str | None = None,
        port: int | str | None = None,
        keyfile: str | None = None,
        certfile: str | None = None,
        ca_certs: str | None = None,
        cert_verify_cb: Callable[[Any, Any], Any] | None = None,
        ssl_version: str | None = "ssl23",
        debug: int | None = None,
        debug_file: TextIO | None = None,
        identifier: str | None = None,
        timeout: float | None = None,
        debug_buf_lvl: int | None = None,
        tls_level: str | None = TLS_COMPAT,
        *,
        ssl_context: ssl.SSLContext | None = None,
        families: Iterable[Any] | None = None,
        limits: Limits | None = None,
        strict: bool = False,
    ) -> None:
        self._set_tls(
            keyfile=keyfile,
            certfile=certfile,
            ca_certs=ca_certs,
            cert_verify_cb=cert_verify_cb,
            ssl_version=ssl_version,
            tls_level=tls_level,
        )
        super().__init__(
            host,
            port,
            debug,
            debug_file,
            identifier,
            timeout,
            debug_buf_lvl,
            ssl_context=ssl_context,
            families=families,
            limits=limits,
            strict=strict,
        )

    def open(self, host: str | None = None, port: int | None = None) -> None:
        """Connect, and do the TLS handshake; for a subclass to override."""
        super().open(host, port)
        self.ssl_wrap_socket()

    def ssl(self) -> Any:
        """The TLS socket, with ``getpeercert``, ``cipher`` and ``version``."""
        return self.sock


class IMAP4_stream(IMAP4):
    """An IMAP4 client over the standard input and output of a command.

    ``command``
        run by a shell. See ``IMAP4`` for the other arguments.

    The greeting of such a server is usually PREAUTH: the user is logged in already (RFC 3501 section 7.1.4).
    """

    def __init__(
        self,
        command: str,
        debug: int | None = None,
        debug_file: TextIO | None = None,
        identifier: str | None = None,
        timeout: float | None = None,
        debug_buf_lvl: int | None = None,
        *,
        families: Iterable[Any] | None = None,
        limits: Limits | None = None,
        strict: bool = False,
    ) -> None:
        self.command = command
        self.process: Any = None
        super().__init__(
            None,
            None,
            debug,
            debug_file,
            identifier or command,
            timeout,
            debug_buf_lvl,
            families=families,
            limits=limits,
            strict=strict,
        )

    def open(self, host: str | None = None, port: int | None = None) -> None:
        """Run the command; for a subclass to override."""
        self.host, self.port = self.command, None  # type: ignore[assignment]
        process = self.process = open_stream(self.command)
        self.readfile, self.writefile = process.stdout, process.stdin
        assert process.stdout is not None
        assert process.stdin is not None
        self.read_fd = process.stdout.fileno()
        # The layers must not refer to the client: when the program drops it, it must be collected and its command end.
        self._layers = self._layered(PipeTransport(self.read_fd, process.stdin.fileno(), functools.partial(dispose, process)))

    def shutdown(self) -> None:
        """Close the stream, and wait for the command to end."""
        if self._connection is not None and self._connection.open:
            self._connection.fail(ConnectionClosed("shut down"))
        elif self.process is not None:
            dispose(self.process)
