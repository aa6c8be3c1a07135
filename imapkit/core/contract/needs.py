"""What a command, an item or an option needs of the server: capabilities, as one value that can be asked.

``Needs("UIDPLUS")``; ``Needs("LITERAL+") | Needs("LITERAL-")``; ``Needs("BINARY") & Needs("UIDPLUS")``. Where one name is enough,
its text is, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from imapkit.core.contract.session import Session
from imapkit.errors import Missing

__all__ = ["Needed", "Needs", "as_needs", "require"]


class Needs:
    """A condition on a server's capabilities; it does not change.

    ``Needs(name)`` holds if the server has announced the name, in any case, or one that implies it, or has switched it on
    (``Session.has``). A name without "=" holds for every announced value of it, too: ``Needs("APPENDLIMIT")`` for
    "APPENDLIMIT=1000". With ``*`` at its end it holds for any ending: ``Needs("QUOTA=RES-*")``. ``Needs(name, enabled=True)``
    holds only after ENABLE (RFC 5161). ``a & b`` and ``a | b`` are conditions again, and so is ``a & "NAME"``.
    """

    __slots__ = ("_holds", "_shown", "names")

    def __init__(self, name: str, *, enabled: bool = False) -> None:
        if not isinstance(name, str) or name.split() != [name]:
            raise TypeError(f"Needs({name!r}): a capability is one word; write Needs(...) & Needs(...) for several")
        upper = name.upper()
        self.names: tuple[str, ...] = (upper,)
        """The capabilities that it is about, in upper case."""
        self._shown = f"{upper} enabled" if enabled else upper
        self._holds: Callable[[Session], bool] = (
            (lambda session: upper in session.enabled) if enabled else (lambda session: _has(session, upper))
        )

    def holds(self, session: Session) -> bool:
        """Whether the server is known to have what is needed."""
        return self._holds(session)

    def __and__(self, other: Needed) -> Needs:
        one, two = self, as_needs(other)
        return _combined(one, two, "and", lambda session: one.holds(session) and two.holds(session))

    def __or__(self, other: Needed) -> Needs:
        one, two = self, as_needs(other)
        return _combined(one, two, "or", lambda session: one.holds(session) or two.holds(session))

    __rand__, __ror__ = __and__, __or__

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"<Needs {self._shown}>"

    def __eq__(self, other: object) -> bool:
        return self._shown == other._shown if isinstance(other, Needs) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._shown)

    def __bool__(self) -> bool:
        raise TypeError("whether Needs hold depends on the server: ask holds(session), and combine them by & and |")


Needed: TypeAlias = "Needs | str"
"""A condition, or the name of the one capability that it is about."""


def as_needs(needs: Needed) -> Needs:
    """The condition; for the name of one capability, too."""
    return needs if isinstance(needs, Needs) else Needs(needs)


def require(session: Session, needs: Needed | None, command: str, what: str = "") -> None:
    """Raise ``Missing`` unless the server has what is needed; None and "" stand for nothing.

    ``command`` names the command, ``what`` the part of it that needs the capability, if it is not the whole.
    """
    if needs is None or needs == "":
        return
    wanted = as_needs(needs)
    if not wanted.holds(session):
        has = tuple(name for name in wanted.names if _has(session, name))
        of_it = f"of it the server has only {', '.join(has)}" if has else "which the server does not announce"
        why = "and the server's capabilities are not known" if session.capabilities is None else of_it
        message = f"{command}: {what} needs {wanted}, {why}" if what else f"{command} needs {wanted}, {why}"
        raise Missing(message, command=command, needs=str(wanted), has=has, what=what)


def _has(session: Session, name: str) -> bool:
    if name.endswith("*"):
        return any(session.has(known) for known in session.capabilities or () if known.startswith(name[:-1]))
    return session.has(name) or ("=" not in name and bool(session.values(name)))


def _combined(one: Needs, two: Needs, word: str, holds: Callable[[Session], bool]) -> Needs:
    made = object.__new__(Needs)
    made.names = tuple(dict.fromkeys((*one.names, *two.names)))
    made._shown = f"{_nested(one)} {word} {_nested(two)}"
    made._holds = holds
    return made


def _nested(needs: Needs) -> str:
    return f"({needs})" if len(needs.names) > 1 else str(needs)
