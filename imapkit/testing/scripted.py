"""A scripted IMAP server in this process: for what only a hostile or odd server would do, over a real socket.

::

    def script(conversation: Conversation) -> None:
        command = conversation.read_command()
        assert command.name == "LOGIN"
        conversation.ok(command, untagged=b"* BYE not today\\r\\n")

    with ScriptedServer(script) as server:
        client = imapkit.IMAP4(server.host, server.port)

    with ScriptedServer(handlers={"NOOP": lambda conversation, command: conversation.reset()}) as server:
        ...                                        # CAPABILITY, LOGIN, SELECT, LOGOUT are answered as usual
    assert server.names == ["LOGIN", "NOOP"]       # exactly what the client sent
"""

from __future__ import annotations

import errno
import os
import re
import selectors
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar

from imapkit.testing.certificate import ServerCertificate
from imapkit.testing.deflated import DeflatedSocket

__all__ = ["ClientGone", "ClientSilent", "Conversation", "Handler", "ReceivedCommand", "Script", "ScriptedServer", "Tls"]

PATIENCE = 10.0
"""Seconds after which a read or a write that waits for the client fails, unless the server is told otherwise."""
CAPABILITIES = b"IMAP4rev1 LITERAL+"

_CHUNK = 1 << 16
_DRAINED = 64  # chunks; a client that never stops sending must not keep a connection from closing
_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: close() sends RST
_LITERAL = re.compile(rb"\{([0-9]+)(\+?)\}\r\n\Z")
_COMMAND = re.compile(rb"([^ ]+) ((?:UID )?[^ ]+)(?: (.*))?", re.DOTALL | re.IGNORECASE)
_FLAGS = rb"\Answered \Flagged \Deleted \Seen \Draft"

T = TypeVar("T")
Script = Callable[["Conversation"], None]
"""What a server does with one connection, in a thread of its own."""
Handler = Callable[["Conversation", "ReceivedCommand"], None]
"""What a server does with one command."""
Chunks = int | Sequence[int] | None
Tls = ssl.SSLContext | ServerCertificate | tuple[str | os.PathLike[str], str | os.PathLike[str] | None]
"""A server's context, ``LOCALHOST``, or the PEM files of a certificate and of its private key (None: in the same file)."""


class ClientGone(Exception):
    """The connection is over: the client closed or reset it, the script closed it, or the server is being closed.

    Ends a script silently.
    """


class ClientSilent(AssertionError):
    """The client did not do in time what the script waits for. Fails the test."""


@dataclass(frozen=True)
class ReceivedCommand:
    """One command as it came in.

    ``name`` is upper case, "UID FETCH" for the UID forms. ``args`` is what follows the name, without the last CRLF: a
    literal appears there as ``{n}`` or ``{n+}``, its octets are in ``literals``. ``raw`` is every octet. ``awaiting`` is
    the size of the synchronizing literal at which ``read_command(auto_continue=False)`` stopped, else None.
    """

    tag: bytes
    name: str
    args: bytes = b""
    literals: list[bytes] = field(default_factory=list)
    raw: bytes = b""
    awaiting: int | None = None


class Conversation:
    """One connection, seen from the server; belongs to the thread that runs its script.

    ``number`` counts the connections of the server from 0. Whatever waits for the client raises ``ClientSilent`` after
    the server's ``patience`` and ``ClientGone`` when the connection is over.
    """

    def __init__(self, server: ScriptedServer, sock: socket.socket, number: int) -> None:
        self.server = server
        self.number = number
        self._sock: Any = sock
        self._buffer = bytearray()
        self._closed = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read_command(self, *, auto_continue: bool = True) -> ReceivedCommand:
        """Read a command with its literals, answering each synchronizing one with "+ go".

        Without ``auto_continue`` the first of those is not answered: what came until then is returned, ``awaiting`` is its
        size, and ``no``, ``send`` and ``read_literal`` go on from there. Raises ``AssertionError`` for what is no command.
        """
        raw = line = self._line("a command")
        text, awaiting = line[:-2], None
        literals: list[bytes] = []
        while found := _LITERAL.search(line):
            if not found[2] and not auto_continue:
                awaiting = int(found[1])
                break
            if not found[2]:
                self.send(b"+ go\r\n")
            literals.append(self._exactly(int(found[1])))
            line = self._line("the rest of a command")
            raw, text = b"".join((raw, literals[-1], line)), text + line[:-2]
        return self._command(text, literals, raw, awaiting)

    def expect(self, name: str, args: bytes | None = None) -> ReceivedCommand:
        """Read the next command, which must be ``name``, with exactly these ``args`` unless they are None.

        Raises ``AssertionError`` for another.
        """
        command = self.read_command()
        assert command.name == name.upper(), f"expected {name}, got {command.raw!r}"
        assert args in (None, command.args), f"expected {name} with {args!r}, got {command.raw!r}"
        return command

    def wait_for(self, name: str, handlers: Mapping[str, Handler] | None = None) -> ReceivedCommand:
        """Answer commands as ``serve`` does, until ``name`` comes; return that one, unanswered."""
        known = _all_handlers(handlers)
        while (command := self.read_command()).name != name.upper():
            known.get(command.name, _unknown)(self, command)
        return command

    def pause(self, seconds: float) -> None:
        """Do nothing for so long. Raises ``ClientGone`` if the server is being closed meanwhile."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.server._stopping, selectors.EVENT_READ)
            if selector.select(seconds):
                raise ClientGone("the server is being closed")

    def read_line(self) -> bytes:
        """Read a line that is no command (``DONE``, an answer to a "+"), and return it without its CRLF."""
        line = self._line("a line")
        self.server._log(line)
        return line[:-2]

    def read_literal(self, size: int) -> bytes:
        """Read ``size`` octets."""
        octets = self._exactly(size)
        self.server._log(octets)
        return octets

    def send(self, data: bytes, *, chunks: Chunks = None) -> None:
        """Send ``data``: at once, in pieces of ``chunks`` octets, or in pieces of these sizes and then the rest.

        Each piece leaves in a ``send`` of its own, without Nagle's delay.
        """
        for piece in _pieces(data, chunks):
            rest, deadline = memoryview(piece), self._deadline()
            while rest:
                sent = self._attempt(partial(self._sock.send, rest), "room to write", deadline, writing=True)
                rest = rest[sent:]

    def ok(self, command: ReceivedCommand, text: bytes = b"done", untagged: bytes = b"", *, chunks: Chunks = None) -> None:
        """Complete ``command`` with OK; ``untagged``, whole lines with their CRLF, goes before it in the same ``send``.

        ``chunks`` as ``send`` has it.
        """
        self.send(b"%s%s OK %s\r\n" % (untagged, command.tag, text), chunks=chunks)

    def no(self, command: ReceivedCommand, text: bytes = b"failed", untagged: bytes = b"", *, chunks: Chunks = None) -> None:
        """Complete ``command`` with NO, as ``ok`` does."""
        self.send(b"%s%s NO %s\r\n" % (untagged, command.tag, text), chunks=chunks)

    def bad(self, command: ReceivedCommand, text: bytes = b"rejected", untagged: bytes = b"", *, chunks: Chunks = None) -> None:
        """Complete ``command`` with BAD, as ``ok`` does."""
        self.send(b"%s%s BAD %s\r\n" % (untagged, command.tag, text), chunks=chunks)

    def serve(self, handlers: Mapping[str, Handler] | None = None) -> None:
        """Answer commands until the client goes: by ``handlers`` first, then by the default ones, else with BAD."""
        known = _all_handlers(handlers)
        while True:
            command = self.read_command()
            known.get(command.name, _unknown)(self, command)

    def start_tls(self, tls: Tls | None = None) -> None:
        """Begin TLS as the server's side, with ``tls`` or else with what the server was given.

        For STARTTLS, call it after ``ok``. Raises ``AssertionError`` when the client already sent something in the clear,
        ``ClientGone`` when it refuses the certificate.
        """
        chosen = tls or self.server.tls
        if chosen is None:
            raise ValueError("no certificate: start_tls(tls=...) or ScriptedServer(tls=...)")
        assert not self._buffer, f"the client went on in the clear before TLS: {bytes(self._buffer)!r}"
        try:
            secured = _context(chosen).wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
        except OSError as exc:
            raise (ClientGone(str(exc)) if _is_gone(exc) else exc) from exc
        self._sock = secured
        self._attempt(secured.do_handshake, "the TLS handshake", self._deadline())

    def start_compression(self, *, single: bool = False) -> None:
        """Deflate and inflate from here on, RFC 4978; call it after ``ok``. What is recorded is what the octets mean.

        ``single``: each octet of the compressed stream leaves in a ``send`` of its own.
        Raises ``AssertionError`` when the client did not wait for that.
        """
        assert not self._buffer, f"the client went on before compression: {bytes(self._buffer)!r}"
        self._sock = DeflatedSocket(self._sock, single)

    def wait_closed(self, timeout: float | None = None) -> None:
        """Wait until the client has closed (or reset) the connection; ``ClientSilent`` after ``timeout`` seconds.

        What still comes meanwhile is only recorded. Leaving the server's ``with`` block does not cut this wait short.
        """
        if self._closed:
            raise ClientGone("closed by the script")
        with suppress(ClientGone):
            while True:
                self._fill("the client to close", self._deadline(timeout), stoppable=False)

    def close(self) -> None:
        """Close the connection in good order: what was sent arrives, and then the end of the stream."""
        if self._closed:
            return
        # Octets left unread would turn the end of the stream into a reset.
        with suppress(OSError, zlib.error):
            for _ in range(_DRAINED):
                if not (data := self._sock.recv(_CHUNK)):
                    break
                self._buffer += data
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        self._end()

    def half_close(self) -> None:
        """End the server's direction only: the client sees the end of the stream, and may go on sending. Not under TLS."""
        if isinstance(self._sock, ssl.SSLSocket):
            raise ValueError("TLS has no end of one direction only")
        self._attempt(partial(self._sock.shutdown, socket.SHUT_WR), "the end", self._deadline(), writing=True)

    def reset(self) -> None:
        """Close the connection with a RST."""
        if not self._closed:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._end()

    def _end(self) -> None:
        self._closed = True
        self._sock.close()
        if self._buffer:
            self.server._log(bytes(self._buffer))

    def _command(self, text: bytes, literals: list[bytes], raw: bytes, awaiting: int | None) -> ReceivedCommand:
        found = _COMMAND.fullmatch(text)
        if not found:
            self.server._log(raw)
            raise AssertionError(f"not a command: {raw!r}")
        command = ReceivedCommand(found[1], found[2].decode("latin-1").upper(), found[3] or b"", literals, raw, awaiting)
        self.server._log(command)
        return command

    def _line(self, what: str) -> bytes:
        deadline, start = self._deadline(), 0
        while (end := self._buffer.find(b"\r\n", start)) < 0:
            start = max(len(self._buffer) - 1, 0)
            self._fill(what, deadline)
        return self._take(end + 2)

    def _exactly(self, size: int) -> bytes:
        deadline = self._deadline()
        while len(self._buffer) < size:
            self._fill(f"a literal of {size} octets", deadline)
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _fill(self, what: str, deadline: float, *, stoppable: bool = True) -> None:
        data = self._attempt(lambda: self._sock.recv(_CHUNK), what, deadline, stoppable=stoppable)
        if not data:
            raise ClientGone(f"the client closed the connection instead of {what}")
        self._buffer += data

    def _deadline(self, timeout: float | None = None) -> float:
        return time.monotonic() + (self.server.patience if timeout is None else timeout)

    def _attempt(
        self, operation: Callable[[], T], what: str, deadline: float, *, writing: bool = False, stoppable: bool = True
    ) -> T:
        if self._closed:
            raise ClientGone("closed by the script")
        while True:
            try:
                return operation()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as exc:
                wants_write = isinstance(exc, ssl.SSLWantWriteError) or (writing and isinstance(exc, BlockingIOError))
            except OSError as exc:
                raise (ClientGone(str(exc)) if _is_gone(exc) else exc) from exc
            self._wait(selectors.EVENT_WRITE if wants_write else selectors.EVENT_READ, what, deadline, stoppable)

    def _wait(self, event: int, what: str, deadline: float, stoppable: bool) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, event)
            if stoppable:
                selector.register(self.server._stopping, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(max(deadline - time.monotonic(), 0))]
        if not ready:
            raise ClientSilent(f"waited in vain for {what}; unread so far: {bytes(self._buffer[-200:])!r}")
        if self._sock not in ready:
            raise ClientGone("the server is being closed")


class ServerArguments(TypedDict, total=False):
    """What ``ScriptedServer`` takes beside its script."""

    handlers: Mapping[str, Handler] | None
    greeting: bytes | None
    capabilities: bytes
    messages: int
    tls: Tls | None
    implicit_tls: bool
    patience: float


class ScriptedServer:
    """Runs ``script`` for every connection, each in a thread of its own; or ``handlers``, see ``Conversation.serve``.

    Listens on a free port of the loopback interface (``.host``, ``.port``) from ``__enter__`` to ``__exit__``, which
    closes everything, joins all threads and raises the first exception of a script other than ``ClientGone``. A script
    that still reads then gets what the client had sent, and after that ``ClientGone``.

    ``greeting`` is sent first (None: an OK that announces ``capabilities``; b"": nothing). ``messages`` is how many the
    default SELECT tells of. ``tls`` is for TLS from the start, or with ``implicit_tls=False`` for
    ``Conversation.start_tls``. ``patience`` (seconds) bounds every wait for the client.
    """

    host = "127.0.0.1"
    port: int

    def __init__(
        self,
        script: Script | None = None,
        *,
        handlers: Mapping[str, Handler] | None = None,
        greeting: bytes | None = None,
        capabilities: bytes = CAPABILITIES,
        messages: int = 0,
        tls: Tls | None = None,
        implicit_tls: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        if script and handlers:
            raise ValueError("a script or handlers, not both; a script may call conversation.serve(handlers)")
        chosen = _checked(handlers or {})
        self.capabilities, self.messages, self.patience = capabilities, messages, patience
        self.tls = _context(tls) if tls else None
        self.implicit_tls = implicit_tls and tls is not None
        self._greeting = b"* OK [CAPABILITY %s] ready\r\n" % capabilities if greeting is None else greeting
        self._script: Script = script or (lambda conversation: conversation.serve(chosen))
        self._received: list[ReceivedCommand | bytes] = []
        self._errors: list[BaseException] = []
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @property
    def received(self) -> list[ReceivedCommand | bytes]:
        """Everything received so far: commands, and as octets all the rest; what nobody read comes when it is closed."""
        with self._lock:
            return list(self._received)

    @property
    def commands(self) -> list[ReceivedCommand]:
        """The commands received so far, of all connections, in order."""
        return [item for item in self.received if isinstance(item, ReceivedCommand)]

    @property
    def names(self) -> list[str]:
        """The names of ``commands``."""
        return [command.name for command in self.commands]

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._stopping, self._stop = socket.socketpair()
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._stop.close()  # its other end is readable from now on, for every thread
        stuck = self._join()
        self._listener.close()
        self._stopping.close()
        if stuck:
            self._errors.append(TimeoutError(f"a script does not end: {stuck}"))
        if not self._errors:
            return
        if exc is not None and not isinstance(exc, Exception):  # an interrupt or pytest's own must not be replaced
            exc.add_note(f"a script failed too: {self._errors[0]!r}")
            return
        raise self._errors[0]

    def _join(self) -> list[str]:
        deadline = time.monotonic() + 2 * self.patience
        for thread in self._threads:  # the first one, which accepts, may still append others until it has ended
            thread.join(max(deadline - time.monotonic(), 0))
        return [thread.name for thread in self._threads if thread.is_alive()]

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"ScriptedServer-{self.port}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._stopping, selectors.EVENT_READ)
            while True:
                try:
                    sock, _ = self._listener.accept()
                except BlockingIOError:
                    if self._stopping in [key.fileobj for key, _ in selector.select()]:
                        return
                except ConnectionError:  # gone before it was accepted
                    continue
                else:
                    self._start(partial(self._converse, sock, len(self._threads) - 1))

    def _converse(self, sock: socket.socket, number: int) -> None:
        conversation = Conversation(self, sock, number)
        try:
            if self.implicit_tls:
                conversation.start_tls()
            conversation.send(self._greeting)
            self._script(conversation)
        except ClientGone:
            pass
        except BaseException as exc:  # raised again by __exit__
            with self._lock:
                self._errors.append(exc)
        finally:
            conversation.close()

    def _log(self, item: ReceivedCommand | bytes) -> None:
        with self._lock:
            self._received.append(item)


def _all_handlers(handlers: Mapping[str, Handler] | None) -> Mapping[str, Handler]:
    return {**_default_handlers(), **_checked(handlers or {})}


def _default_handlers() -> dict[str, Handler]:
    return {
        "CAPABILITY": _capability,
        "LOGIN": _done,
        "NOOP": _done,
        "SELECT": _select,
        "EXAMINE": _select,
        "LOGOUT": _logout,
    }


def _capability(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, untagged=b"* CAPABILITY %s\r\n" % conversation.server.capabilities)


def _done(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command)


def _select(conversation: Conversation, command: ReceivedCommand) -> None:
    count = conversation.server.messages
    writable = command.name == "SELECT"
    lines = [
        b"FLAGS (%s)" % _FLAGS,
        b"%d EXISTS" % count,
        b"0 RECENT",
        b"OK [PERMANENTFLAGS (%s)] flags" % (_FLAGS if writable else b""),
        b"OK [UIDVALIDITY 1] valid",
        b"OK [UIDNEXT %d] next" % (count + 1),
    ]
    untagged = b"".join(b"* %s\r\n" % line for line in lines)
    conversation.ok(command, b"[READ-WRITE] done" if writable else b"[READ-ONLY] done", untagged)


def _logout(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.ok(command, untagged=b"* BYE good day\r\n")
    conversation.close()


def _unknown(conversation: Conversation, command: ReceivedCommand) -> None:
    conversation.bad(command, b"no handler for %s" % command.name.encode("latin-1"))


def _checked(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    if wrong := [name for name in handlers if name != name.upper()]:
        raise ValueError(f"command names are upper case here: {wrong}")
    return handlers


def _context(tls: Tls) -> ssl.SSLContext:
    if isinstance(tls, ssl.SSLContext):
        return tls
    if isinstance(tls, ServerCertificate):
        return tls.server_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    return context


def _is_gone(exc: OSError) -> bool:
    if isinstance(exc, ssl.SSLError):  # an alert is how a client refuses a certificate
        return isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError) or "ALERT" in (exc.reason or "")
    return isinstance(exc, ConnectionError) or exc.errno == errno.ENOTCONN


def _pieces(data: bytes, chunks: Chunks) -> Iterator[bytes]:
    if isinstance(chunks, int):
        chunks = [chunks] * (len(data) // chunks) if chunks > 0 else [chunks]
    if any(size < 1 for size in chunks or ()):
        raise ValueError("a chunk has at least one octet")
    start = 0
    for size in chunks or ():
        yield data[start : start + size]
        start += size
    yield data[start:]
