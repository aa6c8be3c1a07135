"""The base of all client classes: a connection behind imaplib2's attributes, and ``_call`` for the families' methods.

No command is named here. The methods that send them come from the families' mixins.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable
from typing import Any, TextIO, TypeVar

from imapkit import errors
from imapkit.core.contract.session import Session
from imapkit.core.drivers.futures import Futures
from imapkit.core.plugins.registry import Registry
from imapkit.core.raw.attributes import Attributes
from imapkit.core.raw.oldnames import OldNames
from imapkit.core.raw.secure import Secured
from imapkit.core.support.limits import Limits, Timeouts
from imapkit.core.support.shown import shown
from imapkit.core.threads.connection import Connection
from imapkit.core.threads.trace import Trace
from imapkit.core.transport.base import Transport, within
from imapkit.core.transport.hooks import HookTransport
from imapkit.core.transport.layers import Layers
from imapkit.core.transport.opening import open_tcp, port_number
from imapkit.core.transport.sockets import over

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
        self._trace = Trace(int(debug or 0), 3 if debug_buf_lvl is None else debug_buf_lvl, _Weakly(self._emit))
        self.sock: Any = None
        self.read_fd: int | None = None
        self._layers: Layers | None = None
        self._first_session = Session(self._registry.enables, limits or Limits(), self._registry.implied)
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
        """The layers and the transport, with the methods that a subclass has overridden."""
        if self._is_hooked():
            if self._layers is None and self.sock is not None:
                self._layers = self._layered(over(self.sock))
            hooks: list[Callable[..., Any]] = [self.read, self.send, self.shutdown, self._fileno, self._pending, self._base]
            return self._with_first_layers(HookTransport(*map(_Weakly, hooks)))
        if self._layers is None:
            self._layers = self._layered(over(self.sock, _Weakly(self.shutdown)))
        return self._layers

    def _is_hooked(self) -> bool:
        """Whether a subclass overrides ``read`` or ``send``."""
        return type(self).read is not Client.read or type(self).send is not Client.send

    def _layered(self, transport: Transport) -> Layers:
        """See ``Secured._layered``."""
        # The first layers are above the subclass's ``read`` and ``send``: bytes must not go through them twice.
        return Layers(transport) if self._is_hooked() else self._with_first_layers(transport)

    def _with_first_layers(self, transport: Transport) -> Layers:
        layers = Layers(transport)
        for spec in self._registry.always_layers:
            layer = spec.factory(self._first_session, None)
            if layer is not None:
                layers.insert(layer, within(self._timeouts.connect), spec.order, always=True)
        return layers

    def _base(self) -> Transport | None:
        return self._layers.transport if self._layers is not None else None

    def _pending(self) -> int:
        """How many bytes ``read`` returns without waiting, from the layers or from a socket with a buffer of its own."""
        ours = self._layers.pending() if self._layers is not None else 0
        return ours or getattr(self.sock, "pending", int)()

    def _fileno(self) -> int:
        fileno: int = self.sock.fileno() if self.read_fd is None else self.read_fd
        return fileno

    def _give_up(self) -> None:
        """Close a connection that could not be set up."""
        if self._connection is not None:
            self._connection.close("could not be set up")
            return
        self.shutdown()
        if self._layers is not None:
            self._layers.transport.close()

    # what imaplib2 lets a subclass override

    def read(self, size: int) -> bytes:
        """At least one byte from the server, at most ``size``; b"" at the end."""
        assert self._layers is not None
        return self._layers.read(size)

    def send(self, data: bytes) -> None:
        """Send ``data`` to the server."""
        if self._send_old(data):
            return
        assert self._layers is not None
        self._layers.write(data, within(self._timeouts.progress))

    def shutdown(self) -> None:
        """Close the socket that ``open`` opened, in any state."""
        connection = self._connection
        if connection is not None and (connection.open or connection.polled):
            # The reader thread closes the socket.
            connection.shut_down(errors.ConnectionClosed("shut down"))
        elif self.sock is not None:
            self.sock.close()

    def socket(self) -> Any:
        """The socket of the connection."""
        return self.sock

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
        """Upper-case command methods. Raises an error that names the family if the method's family is absent."""
        known = self.__dict__.get("_registry")
        if known is not None and not name.startswith("_"):
            if name.isupper() and name.lower() in known.methods:
                return getattr(self, name.lower())
            absent = known.why_no_method(name.lower() if name.isupper() else name, type(self))
            if absent is not None:
                raise absent
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}, and no family has such a command")

    # Jedi, which many editors use for completion, does not resolve ``Self`` behind ``with``.
    def __enter__(self: _Client) -> _Client:
        """The client itself; the end of the ``with`` block logs out."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Log out, and end the connection and its threads. Raises no network error."""
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
            # No lock may be taken here: the collector may run on a thread that holds any lock. The reader thread sees the end.
            connection.drop()
            # (Last, because a filter may turn the warning into an exception.)
            warnings.warn(f"{self!r} was dropped without logout", ResourceWarning, stacklevel=2, source=self)


class _Weakly:
    """Calls a bound method without a reference to its object, so that an unused client is freed.

    (A ``WeakMethod`` takes 0.7 KiB more, on every idle connection.)
    """

    __slots__ = ("_function", "_object")

    def __init__(self, method: Callable[..., Any]) -> None:
        self._object, self._function = weakref.ref(method.__self__), method.__func__  # type: ignore[attr-defined]

    def __call__(self, *args: Any) -> Any:
        alive = self._object()
        return self._function(alive, *args) if alive is not None else None
