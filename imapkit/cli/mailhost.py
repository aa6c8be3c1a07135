"""A complete IMAP server in a thread of this process, for the demo and for the live tests.

The server is `pymap <https://pypi.org/project/pymap/>`_, pure Python, with its mail in memory. It listens on a free port of the
loopback interface. At the end of the ``with`` block its mail, thread and sockets are gone::

    with mailhost.running() as host:
        mailhost.deliver(host, host.user, "INBOX", corpus()["INBOX"])
        imapkit.IMAP4(host.host, host.port).login(host.user, host.password)
"""

from __future__ import annotations

import base64
import imaplib
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from imapkit.cli.corpus import Message
from imapkit.core.wire import mutf7

if TYPE_CHECKING:
    from imapkit.cli._pymap import PymapServer

DEFAULT_USERS: Mapping[str, str] = MappingProxyType({"demouser": "demopass"})
MAX_APPEND = 256 * 2**20
TIMEOUT = 30.0


@dataclass(frozen=True)
class MailHost:
    """A running server: its address and its users.

    ``user`` and ``password`` are the first of ``users``, a mapping of names to passwords. ``certfile`` is the PEM file of a
    server that requires STARTTLS before login, else None. With ``preauth`` every connection starts authenticated, as ``user``.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    users: Mapping[str, str] = field(repr=False)
    certfile: str | None = None
    preauth: bool = False


@contextmanager
def running(
    users: Mapping[str, str] | None = None,
    *,
    preauth: bool = False,
    tls: tuple[str, str] | None = None,
    demo_data: bool = False,
    max_append: int = MAX_APPEND,
) -> Iterator[MailHost]:
    """Run a private server for the time of a ``with`` block. At the end it sends BYE to every client and ends its thread.

    Raises ImportError if pymap is not installed, ValueError for an empty ``users``, and the error that keeps the server from
    starting, such as OSError for a missing certificate file.

    ``users`` maps names to passwords (default: one user, ``demouser``); each has mailboxes of their own. ``preauth``: the
    greeting is ``* PREAUTH``, for the first user (RFC 9051 section 7.1.4). ``tls`` is ``(certificate file, key file)``, both PEM:
    the server offers STARTTLS, and refuses LOGIN before it (RFC 9051 section 6.2.1). ``demo_data``: the first user has pymap's
    own sample mailboxes. ``max_append`` is the largest message in bytes, announced as APPENDLIMIT (RFC 7889).
    """
    users = dict(DEFAULT_USERS if users is None else users)
    if not users:
        raise ValueError("a mail host needs a user")
    server = _backend()(users, preauth=preauth, tls=tls, demo_data=demo_data, max_append=max_append)
    user, password = next(iter(users.items()))
    port = server.start()
    try:
        yield MailHost("127.0.0.1", port, user, password, MappingProxyType(users), tls[0] if tls else None, preauth)
    finally:
        server.stop()


def deliver(host: MailHost, user: str, mailbox: str, messages: Iterable[Message]) -> None:
    """Put messages into a user's mailbox, which is created if needed, with their flags and internal dates.

    Raises KeyError for an unknown user, ValueError for another user than that of a PREAUTH host, and RuntimeError with the
    server's answer if it refuses. ``mailbox`` is the name as text, ``"Archive/2026"`` or ``"Reçus"``.

    It uses a socket of its own (APPEND, RFC 9051 section 6.3.12, with LITERAL+, RFC 7888) and no code of imapkit's client, which
    is what is tested or shown later.
    """
    password = host.users[user]
    if host.preauth and user != host.user:
        raise ValueError(f"this host serves {host.user!r} only: it greets with PREAUTH")
    name = _mailbox(mailbox)
    with _Delivery(host) as delivery:
        if not host.preauth:
            delivery.login(user, password)
        if mailbox.upper() != "INBOX":
            delivery.command(b"CREATE " + name, allowed=b"[ALREADYEXISTS]")
        for message in messages:
            delivery.append(name, message)
        delivery.command(b"LOGOUT")


def _backend() -> type[PymapServer]:
    """Import pymap, which only the extra ``demo`` installs."""
    try:
        from imapkit.cli._pymap import PymapServer
    except ModuleNotFoundError as missing:
        raise ImportError(f"the mail host needs pymap ({missing}): pip install 'imapkit[demo]'") from missing
    return PymapServer


class _Delivery:
    """A connection to a MailHost that logs in and appends; one command at a time, each in one send."""

    def __init__(self, host: MailHost) -> None:
        self._socket = socket.create_connection((host.host, host.port), TIMEOUT)
        try:
            self._lines = self._socket.makefile("rb")
            self._line()
            if host.certfile is not None:
                self._start_tls(host.certfile)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> _Delivery:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def login(self, user: str, password: str) -> None:
        """Send AUTHENTICATE PLAIN, whose BASE64 can hold any user name and password."""
        secret = base64.b64encode(f"\0{user}\0{password}".encode())
        self.command(b"AUTHENTICATE PLAIN\r\n" + secret)

    def append(self, mailbox: bytes, message: Message) -> None:
        """Send APPEND as one LITERAL+ command."""
        date = imaplib.Time2Internaldate(message.date)
        head = f" ({message.flags}) {date} {{{len(message.content)}+}}\r\n"
        self.command(b"APPEND " + mailbox + head.encode("ascii") + message.content)

    def command(self, line: bytes, allowed: bytes | None = None) -> None:
        """Send a command and wait for its tagged response. Raises RuntimeError unless that is OK, or has the ``allowed`` code."""
        self._socket.sendall(b"D " + line + b"\r\n")
        while not (answer := self._line()).startswith(b"D "):
            pass
        if not answer.startswith(b"D OK") and (allowed is None or allowed not in answer):
            raise RuntimeError(f"the mail host refused {line.split()[0].decode()}: {answer.decode(errors='replace')}")

    def _line(self) -> bytes:
        line = self._lines.readline()
        if not line:
            raise RuntimeError("the mail host closed the connection")
        return line

    def _start_tls(self, certfile: str) -> None:
        self.command(b"STARTTLS")
        context = ssl.create_default_context(cafile=certfile)
        context.check_hostname = False  # the certificate itself is trusted, whatever name it has
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        self._lines.close()
        self._socket = context.wrap_socket(self._socket)
        self._lines = self._socket.makefile("rb")


def _mailbox(name: str) -> bytes:
    """A mailbox name as a quoted string (RFC 3501 section 5.1.3)."""
    return b'"' + mutf7.encode(name).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
