"""What all clients share: a connection behind imaplib2's attributes, and ``_call`` for the families' methods.

No command is named here. The methods that send them come from the families' mixins.
"""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TextIO, TypeVar, Unpack

from imapkit import errors
from imapkit.core import outcome, wire
from imapkit.core.api import CallOptions, Result
from imapkit.core.calls import check_options, hide_secret, make_call
from imapkit.core.cursor import Defect
from imapkit.core.engine.request import Request
from imapkit.core.futures import Futures
from imapkit.core.hooks import HookTransport
from imapkit.core.layers import Layers
from imapkit.core.limits import Limits, Timeouts
from imapkit.core.oldnames import OldNames
from imapkit.core.opening import open_tcp, port_number
from imapkit.core.plugins import registry
from imapkit.core.request import Call
from imapkit.core.result import Data, Parsed, note, parse_shape
from imapkit.core.secrets import plain
from imapkit.core.secure import Secured
from imapkit.core.session import Session
from imapkit.core.shown import shown
from imapkit.core.sockets import over
from imapkit.core.threads.connection import Connection
from imapkit.core.trace import Trace
from imapkit.core.transport import Transport, within
from imapkit.family import Done, State

__all__ = ["Client"]

_Mixin = TypeVar("_Mixin")
_Client = TypeVar("_Client", bound="Client")
_STATES = {state.name: state for state in State}
_VERSIONS = ("IMAP4REV1", "IMAP4REV2", "IMAP4")


class Client(OldNames, Futures, Secured):
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
        families: Iterable[Any] | None = None,
        limits: Limits | None = None,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self._registry = registry(None if families is None else tuple(families))
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
                layers.insert(layer, within(self._timeouts.connect), spec.order, always=True)
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
        return self._call_with(options, command, *args, uid=uid)

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
        check_options(name, options)
        callback, timeout = options.get("callback"), options.get("timeout")
        if generic:
            args = hide_secret(self._registry.commands, name, args)
        call = self._encode(name, args, uid, reply, layer, generic, force)
        connection, finished = self._live, partial(self._finished, finish or self._result)
        if callback is None:
            return finished(connection.wait(connection.submit(call, timeout=timeout, patience=patience, renew=renew)))
        cb_arg = options.get("cb_arg")

        def done(request: Request) -> None:
            outcome.hand_over(request, connection.engine, finished, callback, cb_arg)

        connection.submit(call, timeout=timeout, patience=patience, renew=renew, on_done=done)
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
        live = self._live
        session = live.engine.session
        call = make_call(self._registry.commands, session, name, args, uid, reply, layer, generic, force)
        asks = call.line is None and session.capabilities is None and wire.has_literal(plain(call.pieces))
        if asks and call.command.states & session.state:
            # What the server can do must be known before a literal is sent to it, if the command may be sent now.
            self._known_capabilities()
        return call

    def _result(self, request: Done, *, names: tuple[str, ...] | None = None) -> Result:
        """See ``Commands._result``."""
        assert isinstance(request, Request)
        if request.typ == "BAD":
            self._trace.dump()
        return outcome.result(request, self._live.engine, names)

    def _finished(self, finish: Callable[[Done], Result], request: Request) -> Result:
        """What a command returns, or in a strict client the error for a NO."""
        result = finish(request)
        if self._strict and request.typ == "NO" and not request.call.command.ends:
            raise outcome.refusal(errors.CommandNo, request, self._live.engine)
        return result

    def _deliver(self, result: tuple[str, list[Any]], **options: Unpack[CallOptions]) -> Result:
        """See ``Commands._deliver``."""
        check_options(result[0], options)
        callback = options.get("callback")
        data = result[1]
        name = data.name if isinstance(data, Data) and data.name else result[0]
        engine = self._live.engine
        known: dict[str, Any] = {"utf8": self._names_are_utf8, "log": engine.defects, "nesting": engine.limits.nesting}
        made = (result[0], Data(data, (), self._registry, name, **known))
        if callback is None:
            return made
        self._live.call_back(partial(callback, (made, options.get("cb_arg"), None)))
        return (None, None)  # type: ignore[return-value]

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

    def parse(self, typ: str, data: Any) -> Parsed[Any]:
        """What data in imaplib's shape says, in records: as a command returned it, or ``response(name)``; later than that, too.

        ``typ, data``: a result; or the name of a response ("FETCH", "LIST") or response code ("UIDVALIDITY"), and its data.
        Returns a list with a value for each response (``StatusText`` for a status text), and what was wrong in ``.defects``.
        Never raises for what a server sent. The families' modules have the records: ``imapkit.ext.rev1``, ``imapkit.ext.quota``.
        """
        limits = self._first_session.limits
        found = parse_shape(typ, data, self._registry, utf8=self._names_are_utf8, nesting=limits.nesting)
        note(data, found.defects, None if self._connection is None else self._connection.engine.defects)
        return found

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What was odd in what the server sent, the oldest first: what is odd as it comes, and what turned out so when read.

        Each ``Defect`` says ``what`` it was, and the octets (``raw``, at most 4096). The last ``Limits.defects`` are kept.
        """
        return self._live.engine.defects.all()

    @property
    def _names_are_utf8(self) -> bool:
        """Whether mailbox names are UTF-8 by now (RFC 6855); a response that is there knows it of itself."""
        return self._connection is not None and "UTF8=ACCEPT" in self._connection.engine.session.enabled

    # imaplib2's attributes

    @property
    def state(self) -> str:
        """ "NONAUTH", "AUTH", "SELECTED" or "LOGOUT", RFC 3501 section 3.

        To be set only after a command that no family knows has changed it.
        """
        return str(self._session.state.name)

    @state.setter
    def state(self, name: str) -> None:
        if name not in _STATES:
            raise errors.ArgumentError(f"no state of a connection: {name!r:.40}")
        self._live.enter(_STATES[name])

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What the server announces, in upper case; asked for when it is not known (after STARTTLS and login)."""
        return self._known_capabilities()

    @capabilities.setter
    def capabilities(self, names: Iterable[str]) -> None:
        self._session.set_capabilities(names)

    @property
    def literal(self) -> None:
        """Nothing: a literal is a command's argument here, not the connection's. Setting it raises ``ArgumentError``."""
        return None

    @literal.setter
    def literal(self, value: object) -> None:
        if value is not None:
            raise errors.ArgumentError("a literal belongs to one command: give the text, or octets, as an argument")

    @property
    def Terminate(self) -> bool:
        """Whether the connection has ended, for good."""
        return self._connection is None or not self._connection.open

    @property
    def mailbox(self) -> str | bytes | None:
        """The selected mailbox, as it was given."""
        return self._session.mailbox

    @property
    def is_readonly(self) -> bool:
        """Whether the selected mailbox is READ-ONLY."""
        return self._session.readonly

    @property
    def untagged_responses(self) -> list[list[Any]]:
        """A copy of the untagged responses that belong to no command: ``[[name, [data, ...]], ...]``; can only be emptied."""
        return self._live.engine.store.runs()

    @untagged_responses.setter
    def untagged_responses(self, value: object) -> None:
        if value:
            raise ValueError("untagged_responses can only be emptied")
        self._live.engine.store.clear()

    @property
    def debug(self) -> int:
        """The debug level; may be set at any time."""
        return self._trace.level

    @debug.setter
    def debug(self, level: int) -> None:
        self._trace.level = level

    @property
    def debug_buf_lvl(self) -> int:
        """The level up to which debug output is kept back; may be set at any time."""
        return self._trace.buffer_level

    @debug_buf_lvl.setter
    def debug_buf_lvl(self, level: int) -> None:
        self._trace.buffer_level = level

    def _get_untagged_response(self, name: str, leave: bool = False) -> list[Any] | None:
        store = self._live.engine.store
        return (store.peek(name) or None) if leave else store.take_first(name)

    def _mesg(self, s: str, tn: str | None = None, secs: float | None = None) -> None:
        """Write a line of debug output; for a subclass to override."""
        seconds = time.time() if secs is None else secs
        clock = time.strftime("%M:%S", time.localtime(seconds))
        self.debug_file.write(f"  {clock}.{int(seconds * 100) % 100:02} {tn or ''} {s}\n")
        self.debug_file.flush()

    def _emit(self, text: str, thread: str, seconds: float) -> None:
        # Looked up at each call: a program may have put another one in its place.
        self._mesg(text, thread, seconds)

    def _log(self, lvl: int, line: str) -> None:
        self._trace.log(lvl, line)

    def _print_log(self) -> None:
        self._trace.dump()

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
