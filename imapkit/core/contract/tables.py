"""The frozen tables of what families bring to a connection; ``core.plugins`` builds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from imapkit.core.contract.command import Command
from imapkit.core.contract.enable import Enable
from imapkit.core.contract.events import Event
from imapkit.core.contract.extension import Code, LayerSpec, Response
from imapkit.core.contract.implied import Implied
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.support.lean import lean_dataclass

__all__ = ["Tables", "no_tables"]


@lean_dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Tables:
    """What the families bring to a connection; it does not change, and is read as plain dictionaries.

    ``commands``, ``responses``, ``items``, ``codes``, ``layers``
        what the families bring, by name; items by ``(response, item)``.
    ``always_layers``
        the layers that are on from the start, outermost first.
    ``implied``
        the capabilities that imply another, by that.
    ``enables``
        what may be enabled, by name: the families understand what changes with it.
    ``events``
        the functions that make events, by the name of the response, or of the response code in brackets.
    """

    commands: Mapping[str, Command]
    responses: Mapping[str, Response]
    items: Mapping[tuple[str, str], Callable[[Cursor], Any]]
    codes: Mapping[str, Code]
    layers: Mapping[str, LayerSpec]
    always_layers: tuple[LayerSpec, ...]
    enables: Mapping[str, Enable]
    implied: Implied
    events: Mapping[str, tuple[Event, ...]]

    def are_of_one_family(self, command: Command, known: Response | Code) -> bool:
        """Whether one family declares both the command and the response, or code; without families it is unknown: False."""
        return False


def no_tables() -> Tables:
    """The tables of no family at all."""
    nothing: Mapping[Any, Any] = MappingProxyType({})
    return Tables(nothing, nothing, nothing, nothing, nothing, (), nothing, nothing, nothing)
