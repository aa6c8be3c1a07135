"""The family ``idle``: IDLE, RFC 2177."""

from __future__ import annotations

from typing import Unpack, cast

from imapkit.errors import ArgumentError
from imapkit.plugin import (
    CallbackOptions,
    CallOptions,
    Command,
    Commands,
    Done,
    Family,
    Result,
    State,
    Untagged,
    hookimpl,
    no_arguments,
)

__all__ = ["IdleCommands", "imapkit_family"]

LONGEST = 29 * 60.0
"""Seconds. RFC 2177 section 3: a server may log out a client that has been idle for 30 minutes."""


class IdleCommands(Commands):
    """Wait for changes that the server reports."""

    idle_refresh: float = 9 * 60.0
    """Seconds after which IDLE is ended and sent again: NAT boxes drop a silent connection after 10 minutes or more, and Yandex
    and AOL close it sooner than RFC 2177 allows."""

    def idle(self, timeout: float | None = None, **options: Unpack[CallbackOptions]) -> Result:
        """Wait until the server reports a change; RFC 2177; capability IDLE; states: authenticated, selected.

        Returns the text of the tagged response when an untagged response other than OK has arrived, after ``timeout`` seconds
        (default: 29 minutes), or when any thread sends another command. ``response("EXISTS")`` and the like have the responses;
        ``response("IDLE")`` is ``("IDLE", [b"TIMEOUT"])`` after a time-out. Raises ``abort``, with the server's text, if the
        connection ends meanwhile.
        """
        patience = LONGEST if timeout is None else timeout
        if not isinstance(patience, (int, float)) or not patience >= 0:
            raise ArgumentError(f"not a time to wait: {timeout!r}")
        # ``options`` cannot have ``timeout``: it is a parameter of this method.
        given = cast("CallOptions", options)
        return self._call_with(given, "IDLE", patience=patience, renew=self.idle_refresh, finish=self._idled)

    def _idled(self, request: Done) -> Result:
        if request.interrupted_by == "patience":
            self._keep("IDLE", b"TIMEOUT")
        return self._result(request)


def is_news(response: Untagged) -> bool:
    """Whether a response reports a change: "* OK Still here" (Dovecot, every two minutes) does not."""
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
