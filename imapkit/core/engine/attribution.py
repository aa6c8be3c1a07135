"""Attribution: finds the command whose answer an untagged response is; RFC 3501 section 5.5.

A response that is certainly the answer of a command goes to that command. A response that may be the answer of one command only
goes to that command. A response that may be the answer of several commands goes to the store. The caller of every method holds
the state lock.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from imapkit.core.wire.numbers import NumberSet
from imapkit.core.wire.response import ResponseCode, Untagged

if TYPE_CHECKING:
    from imapkit.core.engine.request import Request

__all__ = ["Attribution", "Finding", "Judge"]

Judge = Callable[..., Any]
"""``judge(request, function, ...)`` calls ``function(...)`` for a command, and returns False if that raises."""


Finding: TypeAlias = "tuple[Request | None, str, bool]"
"""The command that a response answers, or None; the text of a defect, or ""; whether it gives way to a certain answer."""

_NONE: Finding = (None, "", False)


class Attribution:
    """The commands in flight, by the names of the responses that they await."""

    def __init__(self) -> None:
        self._awaiting: dict[str, dict[Request, None]] = {}

    def expect(self, request: Request) -> None:
        """Add a command that is in flight: its answer may come from now on."""
        for name in request.call.awaits:
            self._awaiting.setdefault(name, {})[request] = None

    def forget(self, request: Request) -> None:
        """Remove a command that is over."""
        for name in request.call.awaits:
            awaiting = self._awaiting.get(name)
            if awaiting is not None:
                awaiting.pop(request, None)
                if not awaiting:
                    # (An empty dictionary that has been used takes 0.2 KiB, on every idle connection.)
                    del self._awaiting[name]

    def clear(self) -> None:
        """Remove all commands."""
        self._awaiting.clear()

    @property
    def empty(self) -> bool:
        """Whether no command awaits a response."""
        return not self._awaiting

    def sole(self, name: str) -> Request | None:
        """The only command that awaits responses of that name; None if several commands do, or if no command does."""
        awaiting = self._awaiting.get(name)
        return next(iter(awaiting)) if awaiting and len(awaiting) == 1 else None

    def find(self, response: Untagged, judge: Judge) -> Finding:
        """The command that a response answers, decided when the response arrives."""
        awaiting = self._awaiting.get(response.name)
        if not awaiting:
            return _NONE
        likely: list[Request] = []
        possible: list[tuple[Request, str]] = []
        for request in awaiting:
            if not request.sent:
                continue
            call = request.call
            if call.command.matches is None or call.about is None or response.name in call.added:
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

    def find_tagged(self, name: str, owner: Request | None, *, named: bool) -> Finding:
        """The command that a response of that name answers, which names the tag of ``owner``, or (not ``named``) no tag."""
        awaiting = self._awaiting.get(name, {})
        if named:
            return (owner, "", False) if owner is not None and owner in awaiting and owner.sent else _NONE
        sent = list(islice((request for request in awaiting if request.sent), 2))
        if len(sent) == 1:
            return sent[0], "", False
        return _only(name, sent, []) if sent else _NONE

    def find_code(self, code: ResponseCode, judge: Judge) -> Request | None:
        """The command that owns a response code of an untagged status response; None if there is none, or more than one."""
        likely: list[Request] = []
        for request in self._awaiting.get(f"[{code.name}]", ()):
            if not request.sent:
                continue
            call = request.call
            matches = call.command.matches_code
            verdict = True if matches is None or call.about is None else judge(request, matches, call.about, code)
            if verdict:
                return request
            if verdict is None:
                likely.append(request)
        return likely[0] if len(likely) == 1 else None


def _only(name: str, likely: list[Request], possible: list[tuple[Request, str]]) -> Finding:
    """The one command that a response may answer, where it certainly answers no command."""
    candidates = [(request, "") for request in likely] or possible
    if len(candidates) > 1:
        return None, f"{name}: it may answer more than one command in flight, and is kept for response()", False
    [(request, defect)] = candidates
    if isinstance(request.call.about, NumberSet):
        # Each message has an answer, and the client cannot compute which message "*" means.
        return request, defect, False
    return request, defect or f"{name}: probably not what {request.call.name} asked for", True
