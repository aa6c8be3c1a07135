"""Commands as futures, for a client."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from imapkit.core.contract.calls import hide_secret
from imapkit.core.contract.commands import Commands, Result
from imapkit.core.engine import outcome

if TYPE_CHECKING:
    from concurrent.futures import Future

    from imapkit.core.contract.call import Call
    from imapkit.core.engine.request import Request
    from imapkit.core.plugins.registry import Registry
    from imapkit.core.threads.connection import Connection
    from imapkit.core.wire.sinks import Conduit, Writable

__all__ = ["Futures"]


class Futures(Commands):
    """The part of a client that returns futures."""

    _registry: Registry

    @property
    def _live(self) -> Connection:
        raise NotImplementedError

    def _encode(
        self, name: str, args: tuple[Any, ...], uid: bool = False, reply: Any = None, layer: Any = None, generic: bool = False
    ) -> Call:
        raise NotImplementedError

    def _finished(self, finish: Any, request: Any) -> Result:
        raise NotImplementedError

    def submit(
        self, name: str, *args: Any, uid: bool = False, timeout: float | None = None, to: Writable | Conduit | None = None
    ) -> Future[Result]:
        """Send a command as soon as it may be sent, and return its future result at once; RFC 3501 section 6.5.1; any state.

        The future's result is what ``xatom`` returns for the same arguments: ``imap.submit("FETCH", "1:*", "(FLAGS)")``,
        ``imap.submit("FETCH", "7:9", "(FLAGS)", uid=True)``. Its exception is what ``xatom`` raises; ``DeadlineExceeded`` if
        ``timeout`` seconds have passed, after which the connection goes on. ``cancel()`` gives the command up: if it waits in
        the queue, it is never sent; if it has been sent, its answer is dropped when it comes, and the server may have done what
        it asks for; if it is half sent, the connection ends. Raises ``ArgumentError`` for arguments that cannot be sent.

        ``to``: where the body goes that the answer brings, as ``fetch_to`` has it: ``imap.submit("FETCH", 7, "BODY.PEEK[]",
        uid=True, to=file)``. To a file a thread of the library's writes; the future has its result once all is written, or its
        exception if the file raises.
        """
        name = name.upper()
        args = hide_secret(self._registry.commands, name, args)
        call = self._encode(name, args, uid, generic=True)
        connection = self._live
        if to is not None:
            from imapkit.core.drivers.streaming import as_future

            return as_future(connection, call, to, timeout, partial(self._finished, self._result))

        def finish(request: Request) -> Result:
            outcome.check(request, connection.engine)
            return self._finished(self._result, request)

        return connection.callers.submit_future(call, finish, timeout=timeout)
