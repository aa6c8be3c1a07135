"""The family ``idle``: IDLE, RFC 2177."""

from __future__ import annotations

import time
from typing import Any, Unpack

from imapkit.core.api import CallbackOptions, Commands, Done, Result, Untagged, no_arguments
from imapkit.errors import ArgumentError, error
from imapkit.family import Command, Family, State, hookimpl

__all__ = ["IdleCommands", "imapkit_family"]

LONGEST = 29 * 60.0
"""Seconds. RFC 2177 section 3: a server may log a client out that has been idle for 30 minutes."""


class IdleCommands(Commands):
    """Waiting for news without asking for it."""

    idle_refresh: float = 9 * 60.0
    """Seconds after which IDLE is ended and begun anew: NAT boxes forget a silent connection after 10 minutes or more, and Yandex
    and AOL drop it sooner than RFC 2177 allows."""

    def idle(self, timeout: float | None = None, **options: Unpack[CallbackOptions]) -> Result:
        """Wait until the server reports a change; RFC 2177; capability IDLE; states: authenticated, selected.

        Ends when an untagged response other than OK has come, after ``timeout`` seconds (default: 29 minutes), or when another
        command is issued, from any thread. What has come is in ``response("EXISTS")`` and the like, and ``response("IDLE")``
        is ``("IDLE", [b"TIMEOUT"])`` if the time was over. Returns the text of the tagged response. Raises ``abort`` if the
        connection ends meanwhile, with what the server said.
        """
        stay = _Stay(self, LONGEST if timeout is None else timeout)
        if options.get("callback") is not None:
            return stay.begin(options)
        while True:
            result = stay.once()
            if not stay.again:
                return result


class _Stay:
    """One ``idle()``: IDLE commands that follow one another until something has ended it."""

    def __init__(self, client: IdleCommands, seconds: float) -> None:
        if not isinstance(seconds, (int, float)) or not seconds >= 0:
            raise ArgumentError(f"not a time to wait: {seconds!r}")
        self._client = client
        self._end = time.monotonic() + seconds
        self.again = False

    def once(self, **options: Any) -> Result:
        patience = max(0.0, min(self._client.idle_refresh, self._end - time.monotonic()))
        return self._client._call("IDLE", patience=patience, finish=self._finish, **options)

    def _finish(self, request: Done) -> Result:
        expired = request.interrupted_by == "patience" and request.typ == "OK"
        self.again = expired and time.monotonic() < self._end
        if expired and not self.again:
            self._client._keep("IDLE", b"TIMEOUT")
        return self._client._result(request)

    def begin(self, options: CallbackOptions) -> Result:
        """Go on from callback to callback, until the last one is the caller's."""
        last, arg = options["callback"], options.get("cb_arg")
        assert last is not None

        def step(outcome: tuple[Any, Any, Any]) -> None:
            if outcome[2] is None and self.again:
                try:
                    self.once(callback=step, cb_arg=arg)
                    return
                except error as exc:
                    outcome = (None, arg, (type(exc), str(exc)))
            last(outcome)

        return self.once(callback=step, cb_arg=arg)


def is_news(response: Untagged) -> bool:
    """Whether a response tells of a change: "* OK Still here" (Dovecot, every two minutes) does not."""
    return response.name not in ("OK", "")


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 2177."""
    return Family(
        name="idle",
        mixin=IdleCommands,
        commands=(Command("IDLE", State.LOGGED_IN, rest=no_arguments, exclusive=True, interrupt=b"DONE", news=is_news),),
        capabilities=("IDLE",),
        requires=("rev1",),
    )
