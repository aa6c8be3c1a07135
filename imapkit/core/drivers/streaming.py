"""Commands whose body goes to a file or channel while it arrives; for a client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from imapkit.core.contract.streamed import StreamedCall
from imapkit.core.engine import outcome
from imapkit.core.threads.waiters import open_latch

if TYPE_CHECKING:
    from imapkit.core.contract.call import Call
    from imapkit.core.contract.commands import CallOptions, Result
    from imapkit.core.engine.request import Request
    from imapkit.core.threads.connection import Connection
    from imapkit.core.threads.futures import CommandFuture
    from imapkit.core.threads.taking import Taking

__all__ = ["as_future", "streamed"]

Finish = Callable[["Request"], "Result"]


def streamed(connection: Connection, call: Call, to: Any, options: CallOptions, finish: Finish) -> Result:
    """The result of a command whose body goes to ``to``, once all of the body has been written.

    With a callback it returns at once, and the callback gets the result then.
    """
    taking = connection.taking(to, call.command.streams, call.name)
    call = StreamedCall(call, taking.choose)
    timeout, callback = options.get("timeout"), options.get("callback")
    if callback is None:
        return finish(_waited_for(connection, call, taking, timeout))
    taking.use_thread()
    finished = _finished(connection, taking, finish)
    hand_over = partial(outcome.hand_over, connection.engine, finished, callback, options.get("cb_arg"))

    def over(request: Request) -> None:
        taking.over(request, partial(hand_over, request))

    _submit(connection, call, taking, timeout, over)
    return (None, None)  # type: ignore[return-value]


def as_future(connection: Connection, call: Call, to: Any, timeout: float | None, finish: Finish) -> CommandFuture[Result]:
    """A future for the result of a command whose body goes to ``to``."""
    taking = connection.taking(to, call.command.streams, call.name)
    taking.use_thread()
    try:
        return connection.callers.submit_future(
            StreamedCall(call, taking.choose), _finished(connection, taking, finish), timeout=timeout, taking=taking
        )
    except BaseException as exc:
        taking.refused(exc)
        raise


def _finished(connection: Connection, taking: Taking, finish: Finish) -> Finish:
    """``finish``, after checks: an error of the command comes first, since it may be the cause of one of the file."""

    def finished(request: Request) -> Result:
        outcome.check(request, connection.engine)
        taking.check()
        return finish(request)

    return finished


def _submit(
    connection: Connection, call: Call, taking: Taking, timeout: float | None, over: Callable[[Request], object]
) -> Request:
    """Queue the command; ``over`` is called under the state lock. Raises the error of a command that is refused at once."""
    try:
        return connection.callers.submit(call, over, _nothing, timeout=timeout)
    except BaseException as exc:
        taking.refused(exc)
        raise


def _waited_for(connection: Connection, call: Call, taking: Taking, timeout: float | None) -> Request:
    """Send the command, and write its body to the file, or wait while another thread takes from the channel."""
    connection.callers.check_not_nested(call.name)
    latch = threading.Lock()
    latch.acquire()

    def over(request: Request) -> None:
        taking.over(request)
        open_latch(latch)

    request = _submit(connection, call, taking, timeout, over)
    try:
        if taking.channel is not None:
            taking.take()
        else:
            latch.acquire()
    except BaseException as exc:
        taking.flow.leave()
        if not request.released:
            connection.callers.give_up(request)
        elif isinstance(exc, Exception):
            # The error of the command is the cause, and has the responses that came.
            outcome.check(request, connection.engine)
        raise
    outcome.check(request, connection.engine)
    return request


def _nothing() -> None:
    """Do nothing: only a listening command (IDLE) is accepted, and no such command has a body."""
