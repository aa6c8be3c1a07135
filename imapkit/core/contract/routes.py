"""Several ways for one typed call, the best first: which one a server allows, and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from imapkit.core.contract.needs import Needed, as_needs
from imapkit.core.contract.session import Session
from imapkit.core.contract.slot import Slot
from imapkit.core.support.lean import lean_dataclass, record
from imapkit.errors import BadResponse, Missing

__all__ = ["Explained", "Route", "Routes", "by_route"]

T = TypeVar("T")
_REFUSED: Slot[frozenset[tuple[str, str]]] = Slot("routes.refused", frozenset)
"""The routes to which the server has answered BAD, each as ``(method, route)``."""


@lean_dataclass(frozen=True, slots=True)
class Route:
    """One way: its name, what it sends, for people, and the capabilities that it needs; None for none.

    ``untried``: a BAD to its first command means that the server does not know that command, although it has announced the
    capability; nothing was done, so the next route may be taken.
    """

    name: str
    sends: str
    needs: Needed | None = None
    untried: bool = True


@lean_dataclass(frozen=True, slots=True)
class Routes:
    """The ways of one method of a family's typed commands, the best first."""

    method: str
    routes: tuple[Route, ...]

    def best(self, session: Session) -> Route:
        """The first route that the server allows. Raises ``Missing`` if there is none."""
        for route in self.routes:
            if self.obstacle(route, session) is None:
                return route
        lacking = {str(as_needs(route.needs)): None for route in self.routes if route.needs is not None}
        needs = " or ".join(lacking)
        raise Missing(f"{self.method}() needs {needs}, and the server has none of it", command=self.method, needs=needs)

    def obstacle(self, route: Route, session: Session) -> str | None:
        """Why a route cannot be taken; None if it can."""
        if (self.method, route.name) in session.slot(_REFUSED):
            return "the server has answered BAD to it"
        if route.needs is None or as_needs(route.needs).holds(session):
            return None
        return f"the server has no {as_needs(route.needs)}"

    def explain(self, session: Session) -> Explained:
        """Which route is taken now, and why no better one."""
        obstacles: dict[str, str] = {}
        for route in self.routes:
            obstacle = self.obstacle(route, session)
            if obstacle is None:
                return Explained(self.method, route.name, route.sends, obstacles)
            obstacles[route.name] = obstacle
        return Explained(self.method, None, None, obstacles)


@record
class Explained:
    """How a typed call is carried out on this connection.

    ``route`` is the name of the way that is taken, and ``sends`` what that sends; both None if the call raises ``Missing``.
    ``obstacles`` has the better ways, each with why it is not taken.
    """

    method: str
    route: str | None
    sends: str | None
    obstacles: Mapping[str, str]

    def __str__(self) -> str:
        way = f"{self.method}(): {self.route}, which sends {self.sends}" if self.route else f"{self.method}(): no way"
        return "; ".join((way, *(f"not {name}, because {why}" for name, why in self.obstacles.items())))


async def by_route(routes: Routes, session: Session, ways: Mapping[str, Callable[[], Awaitable[T]]]) -> T:
    """Take the best route; ``ways`` has the function of each, by name. After a BAD that has done nothing take the next.

    Raises ``Missing``, or what the way that was taken raises.
    """
    while True:
        route = routes.best(session)
        try:
            return await ways[route.name]()
        except BadResponse:
            later = routes.routes[routes.routes.index(route) + 1 :]
            if not route.untried or all(routes.obstacle(other, session) for other in later):
                raise
            session.put(_REFUSED, session.slot(_REFUSED) | {(routes.method, route.name)})
