"""The family ``idle``: IDLE, RFC 2177."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar, Unpack, cast

from imapkit.errors import ArgumentError
from imapkit.plugin import (
    Arrivals,
    Begin,
    CallbackOptions,
    CallOptions,
    Command,
    Commands,
    Done,
    Family,
    Flight,
    Listening,
    MailboxEvent,
    Overflow,
    Result,
    SelectedCommands,
    State,
    Untagged,
    Wire,
    hookimpl,
    no_arguments,
    stream,
)

__all__ = ["IdleCommands", "IdleSelected", "imapkit_family"]

F = TypeVar("F")

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
        _check_patience(timeout)
        patience = LONGEST if timeout is None else timeout
        # ``options`` cannot have ``timeout``: it is a parameter of this method.
        given = cast("CallOptions", options)
        return self._call_with(given, "IDLE", patience=patience, renew=self.idle_refresh, finish=self._idled)

    def _idled(self, request: Done) -> Result:
        if request.interrupted_by == "patience":
            self._keep("IDLE", b"TIMEOUT")
        return self._result(request)


class IdleSelected(SelectedCommands[F]):
    """Wait for changes that the server reports."""

    @stream
    async def idle(self, timeout: float | None = None) -> AsyncIterator[MailboxEvent | Overflow]:  # noqa: ASYNC109
        """What the server reports of the mailbox, as it comes: ``Exists``, ``Expunged``, ``FlagsChanged``, ``Recent``; RFC 2177.

        ``for event in inbox.idle(timeout=600)``. It ends after ``timeout`` seconds; None stands for no end. The client ends
        IDLE when the program leaves the loop. Events are in order, and none is lost while the program works on one; if they come
        too fast, an ``Overflow`` says how many are missing. Any other command on the connection ends IDLE, which then begins
        again; what the server reports meanwhile is an event, too. The client renews IDLE every 9 minutes. A time-out of
        ``with_options`` does not apply. The future has a list, once ``timeout`` is over. Capability IDLE. Raises ``Missing``, and
        sends nothing, if the server has no IDLE, and ``MailboxClosed`` once the mailbox was left.
        """
        _check_patience(timeout)
        await self._require("IDLE", "idle()")
        arrivals = self._arrivals(MailboxEvent)
        end = None if timeout is None else time.monotonic() + timeout
        listens: Flight[None] | None = None
        try:
            while True:
                for event in _taken(arrivals, self._box.name):
                    yield event
                if listens is not None and listens.over:
                    await listens
                    listens = None
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return
                if listens is None:
                    listens = await Begin(_idle(left))
                await arrivals.next_during(listens)
        finally:
            arrivals.close()
            if listens is not None:
                listens.drop()


def _taken(arrivals: Arrivals, mailbox: str | bytes) -> Iterator[Any]:
    """The events that are there, but for those of a mailbox that was selected before."""
    while (event := arrivals.take()) is not None:
        if isinstance(event, Overflow) or event.mailbox == mailbox:
            yield event


def _idle(patience: float | None) -> Wire[None]:
    return Wire("IDLE", parse=_nothing, listening=Listening(patience, IdleCommands.idle_refresh))


def _nothing(reply: object) -> None:
    """The result of a command that says no more than OK."""


def _check_patience(seconds: float | None) -> None:
    if seconds is not None and (not isinstance(seconds, (int, float)) or not seconds >= 0):
        raise ArgumentError(f"not a time to wait: {seconds!r}")


def is_news(response: Untagged) -> bool:
    """Whether a response reports a change: "* OK Still here" (Dovecot, every two minutes) does not."""
    return response.name not in ("OK", "")


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 2177."""
    return Family(
        name="idle",
        mixin=IdleCommands,
        selected=IdleSelected,
        commands=(Command("IDLE", State.LOGGED_IN, rest=no_arguments, exclusive=True, interrupt=b"DONE", news=is_news),),
        capabilities=("IDLE",),
        requires=("rev1",),
        contract=2,
    )
