"""What families declare for others to use: steps at changes of state, and what to do about certain servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from imapkit.core.contract.needs import Needed, as_needs
from imapkit.core.contract.session import Session
from imapkit.core.support.lean import lean_dataclass

__all__ = ["Moment", "Quirk", "StateStep"]

Moment: TypeAlias = Literal["greeting", "tls", "login"]
"""When a step is due: after the greeting, when TLS is on, after the login."""


@lean_dataclass(frozen=True, slots=True)
class StateStep:
    """What a family does at a change of state; the client runs the steps of all families in their order.

    ``at``
        after which change it is due: "greeting", "tls" or "login".
    ``run``
        ``run(client)``, on the thread that opens the connection.
    ``order``
        its place among the steps of that moment: the lowest comes first. Of two with one order the families' ``requires`` decide.
    ``replay``
        whether a connection that is opened again runs it again.
    """

    at: Moment
    run: Callable[[Any], object]
    order: float = 50
    replay: bool = True


@lean_dataclass(frozen=True, slots=True)
class Quirk:
    """What to do about servers that are known to differ from what they announce.

    It is for a server for which all that is said here holds, and something must be said: ``greeting`` is part of the greeting's
    text, each value of ``id`` part of what the server says about itself under that key (RFC 2971), in any case;
    ``capabilities`` is a condition on what it announces.

    ``name``
        for people: "Exchange 2016".
    ``hides``
        the capabilities that the server announces and that do not work: ``Session.has`` is False for them.
    ``limits``
        upper bounds, by name: ``{"connections": 15}``.
    ``prefers``
        names of ways to do something that work better with it.
    """

    name: str
    greeting: str = ""
    id: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    capabilities: Needed | None = None
    hides: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    prefers: tuple[str, ...] = ()

    def fits(self, session: Session, greeting: bytes, told: Mapping[str, str] | None = None) -> bool:
        """Whether the server is one of these: by its greeting, its capabilities, and its answer to ID (None: not known)."""
        said = {key.lower(): value.lower() for key, value in (told or {}).items()}
        return (
            self.greeting.lower() in greeting.decode("utf-8", "replace").lower()
            and all(value.lower() in said.get(key.lower(), "") for key, value in self.id.items())
            and (self.capabilities is None or as_needs(self.capabilities).holds(session))
        )
