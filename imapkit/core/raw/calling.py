"""The functions of a client that the families' methods use: they encode a command, send it and make its result."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Unpack

from imapkit import errors
from imapkit.core.contract.call import Call
from imapkit.core.contract.calls import check_options, hide_secret, make_call
from imapkit.core.contract.command import Done
from imapkit.core.contract.commands import CallOptions, Commands, Result
from imapkit.core.contract.option import Chosen
from imapkit.core.contract.result import Answer
from imapkit.core.contract.session import Session
from imapkit.core.engine import outcome
from imapkit.core.engine.request import Request
from imapkit.core.plugins.registry import Registry
from imapkit.core.support.secrets import plain
from imapkit.core.threads.connection import Connection
from imapkit.core.threads.trace import Trace
from imapkit.core.wire.data import Data
from imapkit.core.wire.pieces import has_literal
from imapkit.core.wire.sinks import Conduit, Writable

__all__ = ["Calling"]


class Calling(Commands):
    """The part of a client that sends commands for the families."""

    _registry: Registry
    _connection: Connection | None
    _trace: Trace
    _strict: bool
    _first_session: Session

    @property
    def _session(self) -> Session:
        return self._live.engine.session

    @property
    def _live(self) -> Connection:
        if self._connection is None:
            raise errors.ConnectionClosed("not connected")
        return self._connection

    @property
    def _names_are_utf8(self) -> bool:
        """Whether mailbox names are UTF-8 now (RFC 6855); a received response has its own flag for it."""
        return self._connection is not None and self._connection.engine.session.utf8

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
        to: Writable | Conduit | None = None,
        results: tuple[str, ...] | None = None,
        writes: tuple[str, ...] = (),
    ) -> Result:
        """See ``Commands._call_with``."""
        if generic:
            # Here, so that no further frame holds a secret in the clear.
            args = hide_secret(self._registry.commands, name, args)
        callback = timeout = None
        if options:
            check_options(name, options)
            callback, timeout = options.get("callback"), options.get("timeout")
        call = self._encode(name, args, uid, reply, layer, generic, force, results, writes)
        connection, made = self._live, finish or self._result
        if to is not None:
            # (Few programs need it.)
            from imapkit.core.drivers.streaming import streamed

            return streamed(connection, call, to, options, partial(self._finished, made))
        if callback is None:
            return self._finished(made, connection.callers.perform(call, timeout, patience, renew))
        # (No function of its own: its cells would be objects for the garbage collector, for each of thousands of commands.)
        done = partial(outcome.hand_over, connection.engine, partial(self._finished, made), callback, options.get("cb_arg"))
        connection.callers.submit(call, done, timeout=timeout, patience=patience, renew=renew)
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
        results: tuple[str, ...] | None = None,
        writes: tuple[str, ...] = (),
        additions: Sequence[Chosen] = (),
    ) -> Call:
        """Encode the whole command (``make_call``), so that its errors are raised before any byte is sent."""
        session = (self._connection or self._live).engine.session
        commands = self._registry.commands
        ask = self._known_capabilities
        call = make_call(commands, session, name, args, uid, reply, layer, generic, force, results, writes, additions, ask)
        asks = call.line is None and session.capabilities is None and has_literal(plain(call.pieces))
        if asks and call.command.states & session.state:
            # The capabilities decide how a literal is sent. They are requested only if the command may be sent in this state.
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
        """The result of a command. Raises ``CommandNo`` for NO in a strict client."""
        result = finish(request)
        if type(result[1]) is Data:
            # A family has made the data.
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
        """``result``, with data that the families of this client parse."""
        typ, data = result
        name = data.name if isinstance(data, Data) and data.name else typ
        engine, utf8 = self._live.engine, self._names_are_utf8
        return typ, Answer(data, (), self._registry, name, utf8, engine.defects, nesting=engine.limits.nesting)

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
            # A server that refuses CAPABILITY has announced nothing, and the command can still be sent.
            with contextlib.suppress(errors.CommandNo):
                ask()
        return self._session.capabilities or ()
