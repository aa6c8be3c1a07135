"""The base of a family's mixin, and what every method of a family takes and returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypedDict, Unpack

from imapkit.core.contract.command import Done
from imapkit.core.contract.session import Session
from imapkit.core.wire.data import Data
from imapkit.core.wire.sinks import Conduit, Writable

__all__ = ["CallOptions", "Callback", "CallbackOptions", "Commands", "Result"]

Result = tuple[str, Data]
"""``(type, [data, ...])``: "OK", "NO" or another name, and bytes or ``(header, literal)`` tuples,
or ``[None]``; ``data.parsed()`` reads them.

With a callback a command returns ``(None, None)`` as soon as it is sent.
"""

Callback = Callable[[tuple[Any, Any, Any]], object]
"""A function that is called with ``((type, data), cb_arg, None)``, or ``(None, cb_arg, (exception class, reason))``."""


class CallbackOptions(TypedDict, total=False):
    """How a result is wanted.

    ``callback``
        called on the callback thread with ``((type, data), cb_arg, None)``, or ``(None, cb_arg, (exception class, reason))``.
    ``cb_arg``
        handed to the callback as it is.
    """

    callback: Callback | None
    cb_arg: Any


class CallOptions(CallbackOptions, total=False):
    """The keywords that every command takes.

    ``timeout``
        seconds within which the command must be answered, its time in the queue included; else the connection is
        closed and ``abort`` raised.
    """

    timeout: float | None


class Commands:
    """The methods of the client that a family's methods call."""

    @property
    def _session(self) -> Session:
        """The state of the session."""
        raise NotImplementedError

    def _call(self, command: str, /, *args: Any, uid: bool = False, **options: Unpack[CallOptions]) -> Result:
        """Send a command and return its result; ``options`` are those that the method's caller gave.

        ``uid``: send it as ``UID NAME``; a command without ``Command.uid`` raises ``TypeError`` for it, as for any other keyword.
        Raises ``ArgumentError``, ``StateError`` (nothing was sent), ``BadResponse`` or ``abort``.
        """
        raise NotImplementedError

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
        """Send a command in a special way: ``self._call_with(options, "GETQUOTA", root, finish=self._checked)``.

        The keywords are the family's own. ``options``, what the method's caller gave, cannot hold one of them: another name than
        ``CallOptions`` has raises ``TypeError``. ``finish(request)`` makes the result of what came back (default: ``_result``),
        on the thread of the caller or of the callback, and may raise. ``reply(challenge)`` answers each continuation request;
        None cancels the exchange with "*". ``layer``: options for the layer that the command switches on. ``patience``: seconds
        after which the command is interrupted (``Command.interrupt``); ``renew``: seconds after which it is interrupted and sent
        again.
        ``generic``: the caller chose the command by its name, and may give arguments of an extension that its kinds do not know:
        these are sent as given. ``force``: without ``Command.guard``. ``to``: the file, or the channel, that takes the
        literal that ``Command.streams`` names; a ``StreamedLiteral`` stands in its place in the responses.
        ``results``: the responses that answer this call, in place of ``Command.result``, in upper case; see there.
        ``writes``: the resources that this call changes, such as "$" (see ``Command.reads``).
        """
        raise NotImplementedError

    def _result(self, request: Done, *, names: tuple[str, ...] | None = None) -> Result:
        """The usual result: the data of the command's untagged responses (of ``names`` only), else its text.

        Raises ``BadResponse`` for BAD.
        """
        raise NotImplementedError

    def _deliver(self, result: tuple[str, list[Any]], **options: Unpack[CallOptions]) -> Result:
        """Return a result that needed no command; with a callback, hand it to that."""
        raise NotImplementedError

    def _keep(self, name: str, data: bytes) -> None:
        """Add to the untagged responses that belong to no command: news of the client's own, for ``response(name)``."""
        raise NotImplementedError

    def _take(self, name: str) -> list[Any]:
        """Take the data of the untagged responses and response codes called ``name`` that belong to no command."""
        raise NotImplementedError

    def _take_all(self) -> Iterator[tuple[str, list[Any]]]:
        """Take every untagged response that belongs to no command, in order."""
        raise NotImplementedError

    def _known_capabilities(self) -> tuple[str, ...]:
        """The server's capabilities; sends CAPABILITY if they are not known."""
        raise NotImplementedError

    def _tls_is_on(self) -> bool:
        """Whether TLS protects the connection."""
        raise NotImplementedError

    def _use_tls(self, **settings: Any) -> Callable[[], None]:
        """Check how TLS is to be (``IMAP4_SSL`` has the settings' names), and return what puts it on the connection.

        That is for a layer's factory to call, once the server has agreed: then the settings become the client's own. Raises
        ``ArgumentError``, which for files that cannot be used is an ``OSError``, too.
        """
        raise NotImplementedError

    def _hang_up(self, reason: str) -> None:
        """Close the connection, wake the callers that wait, and wait until its threads have ended."""
        raise NotImplementedError
