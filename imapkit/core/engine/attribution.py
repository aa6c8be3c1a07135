"""Whose answer an untagged response is: the commands in flight by the responses that they await; RFC 3501 section 5.5.

A response that is certainly the answer of a command goes to that command. One that is only perhaps an answer goes to the one
command whose answer it can be; where it can be that of several, to none of them. Every method needs the state lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from imapkit.core.wire.numbers import NumberSet
from imapkit.core.wire.response import Untagged

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request

__all__ = ["Attribution", "Finding"]

Judge = Callable[..., Any]
"""``judge(request, function, ...)`` calls ``function(...)`` for a command, and returns False if that raises."""


Finding: TypeAlias = "tuple[Request | None, str, bool]"
"""Whose answer a response is; what is to be noted about that, if anything is; whether it gives way to a certain answer."""

_NONE: Finding = (None, "", False)


class Attribution:
    """The commands in flight, by the names of the responses that they await."""

    def __init__(self) -> None:
        self._awaiting: dict[str, dict[Request, None]] = {}

    def expect(self, request: Request) -> None:
        """The command is in flight: from now on its answer may come."""
        for name in request.call.command.result:
            self._awaiting.setdefault(name, {})[request] = None

    def forget(self, request: Request) -> None:
        """The command is over."""
        for name in request.call.command.result:
            if name in self._awaiting:
                self._awaiting[name].pop(request, None)

    def clear(self) -> None:
        """All commands are over."""
        self._awaiting.clear()

    @property
    def empty(self) -> bool:
        """Whether no command awaits a response."""
        return not any(self._awaiting.values())

    def sole(self, name: str) -> Request | None:
        """The only command that awaits responses of that name; None if there are more, or none."""
        awaiting = self._awaiting.get(name)
        return next(iter(awaiting)) if awaiting and len(awaiting) == 1 else None

    def find(self, response: Untagged, judge: Judge) -> Finding:
        """Whose answer a response is, as it comes."""
        awaiting = self._awaiting.get(response.name)
        if not awaiting:
            return _NONE
        likely: list[Request] = []
        possible: list[tuple[Request, str]] = []
        for request in awaiting:
            if not request.sent:
                continue
            call = request.call
            if call.command.matches is None or call.about is None:
                return request, "", False
            verdict = judge(request, call.command.matches, call.about, response)
            if verdict is None:
                likely.append(request)
            elif isinstance(verdict, str):
                if verdict:
                    possible.append((request, verdict))
            elif verdict is True or (verdict is not False and judge(request, bool, verdict)):
                response.drop()
                return request, "", False
        response.drop()
        return _only(response.name, likely, possible) if likely or possible else _NONE


def _only(name: str, likely: list[Request], possible: list[tuple[Request, str]]) -> Finding:
    """The one command whose answer a response can be, where none is certain."""
    candidates = [(request, "") for request in likely] or possible
    if len(candidates) > 1:
        return None, f"{name}: it may answer more than one command in flight, and is given to none of them", False
    [(request, odd)] = candidates
    if isinstance(request.call.about, NumberSet):
        # There is an answer for each message, and what "*" stands for only the server knows.
        return request, odd, False
    return request, odd or f"{name}: not about what {request.call.name} asked for, as far as can be told", True
