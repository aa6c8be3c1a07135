"""What all clients share: a connection behind imaplib2's attributes, and ``_call`` for the families' methods.

No command is named here. The methods that send them come from the families' mixins.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TextIO, TypeVar, Unpack

from imapkit import errors
from imapkit.core.contract.call import Call
from imapkit.core.contract.calls import check_options, hide_secret, make_call
from imapkit.core.contract.command import Done
from imapkit.core.contract.commands import CallOptions, Result
from imapkit.core.contract.result import Answer
from imapkit.core.contract.session import Session
from imapkit.core.drivers.futures import Futures
from imapkit.core.engine import outcome
from imapkit.core.engine.request import Request
from imapkit.core.plugins.registry import Registry
from imapkit.core.raw.attributes import Attributes
from imapkit.core.raw.oldnames import OldNames
from imapkit.core.raw.secure import Secured
from imapkit.core.support.limits import Limits, Timeouts
from imapkit.core.support.secrets import plain
from imapkit.core.support.shown import shown
from imapkit.core.threads.connection import Connection
from imapkit.core.threads.trace import Trace
from imapkit.core.transport.base import Transport, within
from imapkit.core.transport.hooks import HookTransport
from imapkit.core.transport.layers import Layers
from imapkit.core.transport.opening import open_tcp, port_number
from imapkit.core.transport.sockets import over
from imapkit.core.wire.data import Data
from imapkit.core.wire.pieces import has_literal

__all__ = ["Client"]

_Mixin = TypeVar("_Mixin")
_Client = TypeVar("_Client", bound="Client")
_VERSIONS = ("IMAP4REV1", "IMAP4REV2", "IMAP4")


class Client(Attributes, OldNames, Futures, Secured):
    """The connection, its threads and its state, as every client class has them.

    Every public method may be called from any thread. Blocking commands of several threads run in parallel as far as
    RFC 3501 section 5.5 allows.
    """

    error = errors.error
    abort = errors.abort
    readonly = errors.readonly
    compressor: Any = None
    decompressor: Any = None
    _default_port = 143

    def __init__(
        self,
        host: str | None,
        port: int | str | None,
        *,
        debug: int | None = None,
        debug_file: TextIO | None = None,
        identifier: str | None = None,
        timeout: float | None = None,
        debug_buf_lvl: int | None = None,
        ssl_context: Any = None,
        registry: Registry,
        limits: Limits | None = None,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self._registry = registry
        self._timeouts = Timeouts.within(timeout)
        self._logout_timeout = self._timeouts.logout
        self._ssl_context = ssl_context
        self.debug_file = debug_file or sys.stderr
        self._trace = Trace(int(debug or 0), 3 if debug_buf_lvl is None else debug_buf_lvl, _weakly(self._emit))
        self.sock: Any = None
        self.read_fd: int | None = None
        self._layers: Layers | None = None
        self._first_session = Session(self._registry.enables, limits or Limits())
        self._connection: Connection | None = None
        self.host, self.port = "", self._default_port
        try:
            self.open(host, None if port is None else port_number(port))
            self._connect(identifier, limits)
        except BaseException:
            self._give_up()
            raise

    # opening

    def open(self, host: str | None = None, port: int | None = None) -> None:
        """Connect to ``host`` (default: this machine) and ``port``; for a subclass to override.

        Sets ``sock`` and ``read_fd``, which ``read``, ``send``, ``shutdown`` and ``socket`` use. Raises ``ConnectError``.
        """
        self.host, self.port = host or "", self._default_port if port is None else port_number(port)
        self.sock = self.open_socket()
        self.read_fd = self.sock.fileno()

    def open_socket(self) -> Any:
        """Return a connected socket; for a subclass to override (tunnels, SOCKS). Raises ``ConnectError``."""
        return open_tcp(self.host, self.port, self._timeouts.connect)

    def _connect(self, identifier: str | None, limits: Limits | None) -> None:
        self.identifier = f"{name} " if (name := self.host if identifier is None else identifier) else ""
        self._trace.name = self.identifier.strip() or "imapkit"
        self._connection = Connection(
            self._transport(),
            self._registry,
            limits=limits,
            timeouts=self._timeouts,
            trace=self._trace,
            name=self._trace.name,
            session=self._first_session,
        )
        self.welcome: bytes = self._greeted(self._connection)
        self._trace.log(1, f"connected to {self.host} on port {self.port}")
        known = self._known_capabilities()
        self.PROTOCOL_VERSION = next((version for version in _VERSIONS if version in known), "")
        if not self.PROTOCOL_VERSION:
            raise errors.error(f"server not IMAP4 compliant: it announces {shown(' '.join(known), 200) or 'no capabilities'}")

    def _transport(self) -> Layers:
        """The octets' way, with whatever of it a subclass has overridden."""
        if self._is_hooked():
            if self._layers is None and self.sock is not None:
                self._layers = self._layered(over(self.sock))
            hooks: list[Callable[..., Any]] = [self.read, self.send, self.shutdown, self._fileno, self._pending, self._base]
            return self._with_first_layers(HookTransport(*map(_weakly, hooks)))
        if self._layers is None:
            self._layers = self._layered(over(self.sock, _weakly(self.shutdown)))
        return self._layers

    def _is_hooked(self) -> bool:
        """Whether a subclass reads or sends by itself."""
        return type(self).read is not Client.read or type(self).send is not Client.send

    def _layered(self, transport: Transport) -> Layers:
        """See ``Secured._layered``."""
        # Above what a subclass reads and sends there are layers of their own: nothing must go through the first ones twice.
        return Layers(transport) if self._is_hooked() else self._with_first_layers(transport)

    def _with_first_layers(self, transport: Transport) -> Layers:
        layers = Layers(transport)
        for spec in self._registry.always_layers:
            layer = spec.factory(self._first_session, None)
            if layer is not None:
                layers.push(layer, within(self._timeouts.connect))
        return layers

    def _base(self) -> Transport | None:
        return self._layers.transport if self._layers is not None else None

    def _pending(self) -> int:
        """Octets that ``read`` returns without waiting, whether through our layers or a socket with a buffer of its own."""
        ours = self._layers.pending() if self._layers is not None else 0
        return ours or getattr(self.sock, "pending", int)()

    def _fileno(self) -> int:
        fileno: int = self.sock.fileno() if self.read_fd is None else self.read_fd
        return fileno

    def _give_up(self) -> None:
        """Undo a half-made connection."""
        if self._connection is not None:
            self._connection.close("could not be set up")
            return
        self.shutdown()
        if self._layers is not None:
            self._layers.transport.close()

    # what imaplib2 lets a subclass override

    def read(self, size: int) -> bytes:
        """At least one octet from the server, at most ``size``; b"" at the end."""
        assert self._layers is not None
        return self._layers.read(size)

    def send(self, data: bytes) -> None:
        """Send ``data`` to the server."""
        if self._send_old(data):
            return
        assert self._layers is not None
        self._layers.write(data, within(self._timeouts.progress))

    def shutdown(self) -> None:
        """Close the socket that ``open`` opened, whatever state it is in."""
        connection = self._connection
        if connection is not None and (connection.open or connection.polled):
            # The reader closes the socket itself.
            connection.shut_down(errors.ConnectionClosed("shut down"))
        elif self.sock is not None:
            self.sock.close()

    def socket(self) -> Any:
        """The socket of the connection."""
        return self.sock

    # what the families' methods use

    @property
    def _session(self) -> Session:
        return self._live.engine.session

    @property
    def _live(self) -> Connection:
        if self._connection is None:
            raise errors.ConnectionClosed("not connected")
        return self._connection

    def _call(self, command: str, /, *args: Any, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """See ``Commands._call``."""
        return self._run(options, command, args, uid)

    def _call_with(
        self,
        options: CallOptions,
        name: str,
        /,
        *args: Any,
        uid: bool = False,
        finish: Callable[[Done], Result] | None = None,
        reply: Callable[[bytes], bytes | None] | None = None,
        layer: Any = None,
        patience: float | None = None,
        renew: float | None = None,
        generic: bool = False,
        force: bool = False,
    ) -> Result:
        """See ``Commands._call_with``."""
        if generic:
            # Here, so that no frame of imapkit's holds a secret in the clear.
            args = hide_secret(self._registry.commands, name, args)
        return self._run(options, name, args, uid, finish, reply, layer, patience, renew, generic, force)

    def _run(
        self,
        options: CallOptions,
        name: str,
        args: tuple[Any, ...],
        uid: bool = False,
        finish: Callable[[Done], Result] | None = None,
        reply: Callable[[bytes], bytes | None] | None = None,
        layer: Any = None,
        patience: float | None = None,
        renew: float | None = None,
        generic: bool = False,
        force: bool = False,
    ) -> Result:
        callback = timeout = None
        if options:
            check_options(name, options)
            callback, timeout = options.get("callback"), options.get("timeout")
        call = self._encode(name, args, uid, reply, layer, generic, force)
        connection, made = self._connection or self._live, finish or self._result
        if callback is None:
            request = connection.perform(call, timeout, patience, renew)
            return self._finished(made, request) if self._strict else made(request)
        cb_arg, finished = options.get("cb_arg"), partial(self._finished, made)

        def done(request: Request) -> None:
            outcome.hand_over(request, connection.engine, finished, callback, cb_arg)

        connection.submit(call, done, timeout=timeout, patience=patience, renew=renew)
        return (None, None)  # type: ignore[return-value]

    def _encode(
        self,
        name: str,
        args: tuple[Any, ...],
        uid: bool = False,
        reply: Any = None,
        layer: Any = None,
        generic: bool = False,
        force: bool = False,
    ) -> Call:
        """Encode the whole command (``make_call``): whatever is wrong with it is found before anything is sent."""
        session = (self._connection or self._live).engine.session
        call = make_call(self._registry.commands, session, name, args, uid, reply, layer, generic, force)
        asks = call.line is None and session.capabilities is None and has_literal(plain(call.pieces))
        if asks and call.command.states & session.state:
            # What the server can do must be known before a literal is sent to it, if the command may be sent now.
            self._known_capabilities()
        return call

    def _result(self, request: Done, *, names: tuple[str, ...] | None = None) -> Result:
        """See ``Commands._result``."""
        assert isinstance(request, Request)
        if request.typ == "BAD":
            self._trace.dump()
        assert self._connection is not None
        return outcome.result(request, self._connection.engine, names)

    def _finished(self, finish: Callable[[Done], Result], request: Request) -> Result:
        """What a command returns, or in a strict client the error for a NO."""
        result = finish(request)
        if type(result[1]) is Data:
            # A family has made it.
            result = self._readable(result)
        if self._strict and request.typ == "NO" and not request.call.command.ends:
            raise outcome.refusal(errors.CommandNo, request, self._live.engine)
        return result

    def _deliver(self, result: tuple[str, list[Any]], **options: Unpack[CallOptions]) -> Result:
        """See ``Commands._deliver``."""
        check_options(result[0], options)
        callback = options.get("callback")
        made = self._readable(result)
        if callback is None:
            return made
        self._live.call_back(partial(callback, (made, options.get("cb_arg"), None)))
        return (None, None)  # type: ignore[return-value]

    def _readable(self, result: tuple[str, list[Any]]) -> Result:
        """A result with data that the families of this client read."""
        typ, data = result
        name = data.name if isinstance(data, Data) and data.name else typ
        return typ, Answer(data, (), self._registry, name, self._names_are_utf8, self._live.engine.defects)

    def _keep(self, name: str, data: bytes) -> None:
        """See ``Commands._keep``."""
        self._live.engine.store.add(name, [data], len(data))

    def _take(self, name: str) -> list[Any]:
        """See ``Commands._take``."""
        return self._live.engine.store.take(name)

    def _take_all(self) -> Iterator[tuple[str, list[Any]]]:
        """See ``Commands._take_all``."""
        while (run := self._live.engine.store.take_run()) is not None:
            yield run

    def _known_capabilities(self) -> tuple[str, ...]:
        """See ``Commands._known_capabilities``."""
        ask = getattr(self, "capability", None)
        if self._session.capabilities is None and ask is not None and self._live.open:
            # A server that refuses to say so has announced nothing, and the command that wants to know can be sent all the same.
            with contextlib.suppress(errors.CommandNo):
                ask()
        return self._session.capabilities or ()

    def _hang_up(self, reason: str) -> None:
        """See ``Commands._hang_up``."""
        self._live.close(reason)

    # families

    def family(self, mixin: type[_Mixin]) -> _Mixin:
        """This client, typed as the mixin of a family that it has. Raises ``FamilyDisabledError``."""
        if not isinstance(self, mixin) or not self._registry.has_mixin(mixin):
            raise self._registry.why_no_mixin(mixin)
        return self

    def __getattr__(self, name: str) -> Any:
        """Upper-case command methods, and a clear word for those whose family is absent."""
        known = self.__dict__.get("_registry")
        if known is not None and not name.startswith("_"):
            if name.isupper() and name.lower() in known.methods:
                return getattr(self, name.lower())
            absent = known.why_no_method(name.lower() if name.isupper() else name, type(self))
            if absent is not None:
                raise absent
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}, and no command of that name is known")

    # Jedi, with which many editors complete, does not know what ``Self`` is behind ``with``.
    def __enter__(self: _Client) -> _Client:
        """The client itself; the end of the ``with`` block logs out."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Log out, and end the connection and its threads; no error of the network is raised."""
        try:
            logout = getattr(self, "logout", None)
            if logout is not None and self._live.open:
                logout()
        except (errors.error, OSError):
            pass
        finally:
            self._hang_up("logout")

    def __repr__(self) -> str:
        connection = self.__dict__.get("_connection")
        state = connection.state.name if connection else "not connected"
        return f"<{type(self).__name__} {self.__dict__.get('host', '')!r} {state}>"

    def __del__(self) -> None:
        connection = self.__dict__.get("_connection")
        if connection is not None and connection.open:
            # No lock may be taken here: the collector can run on any thread, whatever that holds. The reader sees the end.
            connection.drop()
            # (Last, for it may be an error.)
            warnings.warn(f"{self!r} was dropped without logout", ResourceWarning, stacklevel=2, source=self)


def _weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    """A bound method that does not keep its object alive: a client that nobody holds must go, threads and all."""
    weak = weakref.WeakMethod(method)

    def call(*args: Any) -> Any:
        bound = weak()
        return bound(*args) if bound is not None else None

    return call
