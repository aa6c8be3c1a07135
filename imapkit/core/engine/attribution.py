"""Whose answer an untagged response is: the one command in flight that it can belong to, or the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imapkit.errors import LimitExceeded

if TYPE_CHECKING:
    from imapkit.core.defects import DefectLog
    from imapkit.core.engine.flight import Flight
    from imapkit.core.engine.request import Request
    from imapkit.core.limits import Limits
    from imapkit.core.registry import Registry
    from imapkit.core.response import Run, Untagged

__all__ = ["CONDITIONS", "Attribution", "guarded"]

CONDITIONS = frozenset(("OK", "NO", "BAD"))


class Attribution:
    """Gives each response, as it comes, to the one command that it answers."""

    def __init__(self, flight: Flight, registry: Registry, limits: Limits, defects: DefectLog) -> None:
        self._flight, self._registry, self._limits, self._defects = flight, registry, limits, defects

    def owner(self, response: Untagged) -> Request | None:
        """The oldest command whose answer this is."""
        perhaps = None
        for request in self._flight.wanting.get(response.name, ()):
            if not request.sent:
                continue
            call = request.call
            if call.command.matches is None or call.about is None:
                return request
            verdict = guarded(request, self._defects, call.command.matches, call.about, response)
            if verdict:
                return request
            if verdict is None and perhaps is None:
                perhaps = request
        return perhaps

    def sole_owner(self, name: str) -> Request | None:
        """The only command whose answer a response of that name can be; None if there are more, or it changes the state too."""
        waiting = self._flight.wanting.get(name)
        if not waiting or len(waiting) > 1 or self._flight.listener is not None or name in CONDITIONS or name == "BYE":
            return None
        known = self._registry.responses.get(name)
        if known is not None and known.apply is not None:
            return None
        owner = next(iter(waiting))
        return owner if owner.sent else None

    def takes_run(self, run: Run) -> bool:
        """Give many responses to one command at once; False, and nothing done, unless it is plain that all are its answer."""
        owner = self.sole_owner(run.name)
        if owner is None:
            return False
        call = owner.call
        if call.about is not None and call.command.matches is not None:
            claims = call.command.matches_all
            if claims is None or not guarded(owner, self._defects, claims, call.about, run):
                return False
        self.collect(owner, run)
        return True

    def collect(self, owner: Request, piece: Untagged | Run) -> None:
        """Add a response to a command's answer. Raises ``LimitExceeded``."""
        size = piece.octets
        self._flight.note_answer(owner, size)
        if owner.abandoned:
            return
        owner.received.append(piece)
        owner.count += len(piece)
        owner.size += size
        limits = self._limits
        if owner.count > limits.answers:
            raise LimitExceeded(f"{owner.call.name} is answered by more than {limits.answers} responses (Limits.answers)")
        if owner.size > limits.answers_octets:
            raise LimitExceeded(
                f"{owner.call.name} is answered by more than {limits.answers_octets} octets (Limits.answers_octets)"
            )


def guarded(owner: Request | None, defects: DefectLog, function: Callable[..., Any], *args: Any) -> Any:
    """Call a plugin's function; what it raises reaches the caller whose command this is, and never the reader thread."""
    try:
        return function(*args)
    except Exception as exc:
        if owner is not None:
            owner.defect = owner.defect or exc
        else:
            raw = getattr(args[-1], "text", args[-1])
            defects.add(f"the family's function raised {exc!r}", raw if isinstance(raw, bytes) else b"")
        return False
