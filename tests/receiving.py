"""The receiving half of a connection, without a socket and a thread: for tests of what servers send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from imapkit.core.contract.call import Call
from imapkit.core.engine.engine import Engine
from imapkit.core.engine.request import Request
from imapkit.core.grammar import encode
from imapkit.core.plugins.registry import Registry
from imapkit.core.support.limits import Limits
from imapkit.core.threads.courier import Courier
from imapkit.core.threads.intake import Intake
from imapkit.core.threads.steps import Steps
from imapkit.core.threads.trace import Trace
from imapkit.core.transport.base import Transport
from imapkit.core.transport.layers import Layers
from imapkit.errors import error

__all__ = ["Receiver"]


class _NoTransport:
    """What is beneath the layers: nothing is read, and nothing is polled."""

    ready = None

    def acknowledge(self) -> None:
        """There is nothing to acknowledge."""


class Receiver:
    """An engine, and what cuts responses for it. ``receive`` hands bytes in, ``ask`` has a command in flight."""

    def __init__(self, registry: Registry, limits: Limits) -> None:
        self.registry, self.engine = registry, Engine(registry, limits)
        self.layers, trace = Layers(cast("Transport", _NoTransport())), Trace()
        steps = Steps(self.engine, lambda: None)
        courier = Courier(steps, self.layers, trace, "", fail=self.engine.close, last_words=lambda: None)
        self._intake = Intake(steps, courier, self.layers, registry, trace, 60.0)

    def ask(self, name: str, *args: Any, uid: bool = False, reply: Callable[[bytes], bytes] | None = None) -> Request:
        """Have a command in flight: all of it is sent, up to what it waits for."""
        command = self.registry.commands[name]
        pieces = encode.encode(command.args, command.rest, args, name)
        request = Request(Call(command, args, pieces, uid=uid, reply=reply))
        self.engine.submit(request, 0.0)
        while self.engine.outgoing(0.0) is not None:
            pass
        assert request.tag, f"{name} waits for the commands before it"
        return request

    def receive(self, data: bytes) -> None:
        """Take ``data`` in; what is wrong with it ends the connection. Raises what is wrong with the library."""
        if self.engine.closed is None:
            try:
                self._intake.take_in(data)
            except error as problem:
                self.engine.close(problem)
        cause = self.engine.closed and self.engine.closed.__cause__
        if cause is not None and not isinstance(cause, error):
            raise cause
