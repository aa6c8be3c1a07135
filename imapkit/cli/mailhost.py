"""A whole IMAP server in a thread of this process, for the demo and for the live tests.

The server is `pymap <https://pypi.org/project/pymap/>`_, pure Python, with its mail in memory. It listens on a free
port of the loopback interface and is gone, mail and thread and sockets, when the ``with`` block ends::

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
    """A running server: where it listens and who may log in.

    ``user`` and ``password`` are the first of ``users``, a mapping of names to passwords. ``certfile`` is the PEM file
    of a server that wants STARTTLS before any login, else None. ``preauth`` tells that every connection starts out
    authenticated, as ``user``.
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
    """Run a private server for the time of a ``with`` block.

    ``users`` maps names to passwords (default: one user, ``demouser``); each has mailboxes of their own. ``preauth``
    greets with ``* PREAUTH``, as the first user (RFC 9051 section 7.1.4). ``tls`` is ``(certificate file, key file)``,
    both PEM: STARTTLS is offered, and LOGIN refused before it (RFC 9051 section 6.2.1). ``demo_data`` gives the first
    user pymap's own sample mailboxes. ``max_append`` is the largest message in bytes, announced as APPENDLIMIT
    (RFC 7889).

    At the end the server says BYE to whoever is connected, closes every socket and ends its thread.

    Raises ImportError where pymap is not installed, ValueError for an empty ``users``, and whatever kept the server
    from starting, such as OSError for a certificate file that is not there.
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
    """Put messages into a user's mailbox, which is created if need be, with their flags and internal dates.

    Speaks IMAP over a socket of its own (APPEND, RFC 9051 section 6.3.12, with LITERAL+, RFC 7888), so what is tested
    or shown later has no part in it. ``mailbox`` is the plain name, ``"Archive/2026"`` or ``"Reçus"``.

    Raises KeyError for a user whom the host does not know, ValueError for another user than the one a PREAUTH host
    serves, and RuntimeError with the server's answer if it refuses.
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
    """Import pymap, which only the extra ``demo`` brings."""
    try:
        from imapkit.cli._pymap import PymapServer
    except ModuleNotFoundError as missing:
        raise ImportError(f"the mail host needs pymap ({missing}): pip install 'imapkit[demo]'") from missing
    return PymapServer


class _Delivery:
    """A connection to a MailHost that can log in and append; one command at a time, each in one send."""

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
        """AUTHENTICATE PLAIN, whose BASE64 carries any user name and password."""
        secret = base64.b64encode(f"\0{user}\0{password}".encode())
        self.command(b"AUTHENTICATE PLAIN\r\n" + secret)

    def append(self, mailbox: bytes, message: Message) -> None:
        """APPEND as one LITERAL+ command."""
        date = imaplib.Time2Internaldate(message.date)
        head = f" ({message.flags}) {date} {{{len(message.content)}+}}\r\n"
        self.command(b"APPEND " + mailbox + head.encode("ascii") + message.content)

    def command(self, line: bytes, allowed: bytes | None = None) -> None:
        """Send a command and wait for its tagged response: RuntimeError unless OK, or NO with the ``allowed`` code."""
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
        context.check_hostname = False  # the certificate itself is known, whatever name it bears
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        self._lines.close()
        self._socket = context.wrap_socket(self._socket)
        self._lines = self._socket.makefile("rb")


def _mailbox(name: str) -> bytes:
    """A mailbox name as a quoted string (RFC 3501 section 5.1.3)."""
    return b'"' + mutf7.encode(name).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
