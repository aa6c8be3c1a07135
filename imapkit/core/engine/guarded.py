"""Calls the functions of plugins: an exception reaches the caller of the plugin's own command, and the reader thread goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imapkit.core.contract.extension import Code, Response
    from imapkit.core.contract.session import Session
    from imapkit.core.contract.tables import Tables
    from imapkit.core.engine.defects import DefectLog
    from imapkit.core.engine.request import Request

__all__ = ["Guarded", "holds", "judged"]


class Guarded:
    """Calls functions of the families of one connection."""

    def __init__(self, session: Session, tables: Tables, defects: DefectLog) -> None:
        self._session, self._tables, self._defects = session, tables, defects

    def ask(self, owner: Request | None, function: Callable[..., Any], *args: Any) -> Any:
        """What a function returns; False if it raises. The caller of ``owner`` gets the exception."""
        try:
            return function(*args)
        except Exception as exc:
            self._blame(owner, exc, args[-1])
            return False

    def change(self, owner: Request | None, known: Response | Code, apply: Callable[..., Any], came: Any) -> None:
        """Call a function that changes the session. An exception fails a command of the same family only."""
        try:
            apply(self._session, came)
        except Exception as exc:
            own = owner is not None and self._tables.are_of_one_family(owner.call.command, known)
            self._blame(owner if own else None, exc, came)

    def _blame(self, owner: Request | None, exc: Exception, came: Any) -> None:
        """Keep an exception for the caller of ``owner``, or note it as a defect."""
        if owner is not None:
            owner.defect = owner.defect or exc
            return
        raw = getattr(came, "text", came)
        self._defects.add(f"the family's function raised {exc!r}", raw if isinstance(raw, bytes) else b"")


def holds(function: Callable[..., Any], *args: Any) -> bool:
    """The truth of what a plugin's function returns; ``bool`` itself may raise, so ``Guarded.ask`` calls this."""
    return bool(function(*args))


def judged(request: Request, function: Callable[..., Any], *args: Any) -> Any:
    """Ask a plugin's function about part of a response; False if it raises: it is asked again about the whole response."""
    try:
        return function(*args)
    except Exception:
        return False
