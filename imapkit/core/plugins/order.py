"""In which order classes of several families become the bases of one class."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence

from imapkit.core.plugins.claims import Claim, Plugin, listed, way_out
from imapkit.errors import PluginConflictError

__all__ = ["by_requires", "in_order"]


def in_order(
    plugins: tuple[Plugin, ...],
    classes: Mapping[str, type | None],
    table: str,
    claims: Mapping[str, Sequence[Claim]],
    winners: Mapping[str, Plugin],
) -> tuple[type, ...]:
    """The families' ``classes`` in the order in which one class derives from them.

    A replacing family's class stands before the replaced one's. ``table`` is that of the claims to their methods. Raises
    ``PluginConflictError`` if families replace each other's methods in a circle.
    """
    owners = {name: cls for name, cls in classes.items() if cls is not None}
    after: dict[str, set[str]] = {name: set() for name in owners}
    for name, cls in owners.items():
        for claim in claims[name]:
            if claim.table == table and winners[claim.key].name != name:
                after[winners[claim.key].name].add(name)
        for other, base in owners.items():
            if cls is not base and issubclass(cls, base):
                after[name].add(other)
    ranks = {name: rank for rank, name in enumerate(by_requires(plugins)) if name in owners}
    return tuple(dict.fromkeys(owners[name] for name in _ordered(ranks, after)))


def by_requires(plugins: tuple[Plugin, ...]) -> list[str]:
    """The families by name, but each after those that it requires."""
    requires = {plugin.name: sorted(plugin.family.requires) for plugin in plugins}
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in done:
            for needed in requires[name]:
                visit(needed)
            done[name] = None

    for name in requires:
        visit(name)
    return list(done)


def _ordered(ranks: Mapping[str, int], after: Mapping[str, set[str]]) -> list[str]:
    """The names by rank, but each before those in its ``after``."""
    blocked = Counter(name for later in after.values() for name in later)
    ready = [(rank, name) for name, rank in ranks.items() if not blocked[name]]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        _, name = heapq.heappop(ready)
        order.append(name)
        for later in after[name]:
            blocked[later] -= 1
            if not blocked[later]:
                heapq.heappush(ready, (ranks[later], later))
    if left := sorted(ranks.keys() - set(order)):
        text = f"the families {listed(map(repr, left))} replace each other's methods in a circle: no order suits all"
        raise PluginConflictError(f"{text}; {way_out(*left)}", families=left)
    return order
