"""A scripted IMAP server in this process, over a real socket, for behaviour that real servers do not show on demand.

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

import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Self, TypedDict

from imapkit.testing.certificate import Tls, server_context
from imapkit.testing.conversation import Conversation, Handler, ReceivedCommand, Script, checked
from imapkit.testing.peer import ClientGone

__all__ = ["CAPABILITIES", "PATIENCE", "ScriptedServer", "ServerArguments"]

PATIENCE = 10.0
"""The default of ``patience``: seconds after which a read or a write that waits for the client fails."""
CAPABILITIES = b"IMAP4rev1 LITERAL+"


class ServerArguments(TypedDict, total=False):
    """The keyword arguments of ``ScriptedServer``."""

    handlers: Mapping[str, Handler] | None
    greeting: bytes | None
    capabilities: bytes
    messages: int
    tls: Tls | None
    implicit_tls: bool
    patience: float


class ScriptedServer:
    """Runs ``script`` for every connection, each on its own thread; or ``handlers``, see ``Conversation.serve``.

    Listens on a free port of the loopback interface (``.host``, ``.port``) from ``__enter__`` to ``__exit__``, which closes
    everything, joins all threads and raises the first exception of a script other than ``ClientGone``. A script that is still
    reading then receives what the client had sent, and after that ``ClientGone``.

    ``greeting`` is sent first (None: an OK that announces ``capabilities``; b"": nothing). ``messages`` is the number of messages
    in the default SELECT. ``tls`` is for TLS from the start, or with ``implicit_tls=False`` for ``Conversation.start_tls``.
    ``patience`` (seconds) bounds every wait for the client.
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
        chosen = checked(handlers or {})
        self.capabilities, self.messages, self.patience = capabilities, messages, patience
        self.tls = server_context(tls) if tls else None
        self.implicit_tls = implicit_tls and tls is not None
        self._greeting = b"* OK [CAPABILITY %s] ready\r\n" % capabilities if greeting is None else greeting
        self._script: Script = script or (lambda conversation: conversation.serve(chosen))
        self._received: list[ReceivedCommand | bytes] = []
        self._errors: list[BaseException] = []
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @property
    def received(self) -> list[ReceivedCommand | bytes]:
        """Everything received so far: commands, and all else as bytes; unread bytes are added when the connection is closed."""
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
        for thread in self._threads:  # the first one accepts, and may append others until it has ended
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
                except ConnectionError:  # the client closed it before it was accepted
                    continue
                else:
                    self._start(partial(self._converse, sock, len(self._threads) - 1))

    def _converse(self, sock: socket.socket, number: int) -> None:
        conversation = Conversation(self, sock, number, self._stopping, self._log)
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
