"""A command family as a whole, and the hook by which a plugin offers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

import pluggy

from imapkit.core.contract.command import Command
from imapkit.core.contract.events import Event
from imapkit.core.contract.extension import Code, LayerSpec, Response
from imapkit.core.contract.option import Option
from imapkit.core.contract.points import Quirk, StateStep
from imapkit.core.contract.routes import Routes
from imapkit.core.contract.session import Session
from imapkit.core.grammar.cursor import Cursor
from imapkit.core.grammar.kinds import Kind
from imapkit.core.support.lean import lean_dataclass

__all__ = ["CONTRACT", "GROUP", "Family", "Specs", "hookimpl", "hookspec"]


GROUP = "imapkit"
"""The entry-point group, and pluggy's project name."""
CONTRACT = 2
"""The version of this contract. It grows when a family may say something that an older imapkit would not understand."""
hookspec = pluggy.HookspecMarker(GROUP)
"""Marks the hook that imapkit calls, in ``Specs``; no family needs it."""
hookimpl = pluggy.HookimplMarker(GROUP)
"""Marks a family's function ``imapkit_family`` as the hook that imapkit calls."""


def _frozen() -> Mapping[Any, Any]:
    return MappingProxyType({})


@lean_dataclass(frozen=True, slots=True)
class Family:
    """All that a family brings.

    ``name``
        that of its entry point, and what it is switched off by.
    ``mixin``
        a class with its public methods, derived from ``imapkit.plugin.Commands``; every client derives from it.
    ``session``, ``selected``
        classes with its typed commands, derived from ``imapkit.plugin.TypedCommands``: those that need a connection only, and
        those that need a selected mailbox. "module:Class" is imported by the first typed client.
    ``commands``, ``responses``, ``codes``
        what it sends and understands; responses and response codes by name.
    ``capabilities``
        what servers announce for it, for listings (``imapkit doctor``), with ``*`` at the end for any ending: "QUOTA=RES-*".
    ``partly``
        capabilities of which it serves a part only, each with what that part is: ``{"X-MOVE": "the response is read"}``. One
        that some family has among its ``capabilities`` counts as served.
    ``implies``
        the capabilities that a server has with another, without announcing them: ``{"QRESYNC": ("CONDSTORE",)}``.
    ``enables``
        the capabilities that may be switched on (RFC 5161), because what changes with them is understood here. An ``Enable``
        says what changes: ``Enable("QRESYNC", implies=("CONDSTORE",))``.
    ``items``
        extends the grammar of another response: ``{("FETCH", "X-GM-LABELS"): parser}``. ``Item`` gives typed access to them.
    ``operands``
        extends the arguments of another command: ``{("SEARCH", "X-GM-RAW"): (astring,)}`` says what follows a search key, in
        SORT and THREAD, too, and ``()`` that nothing does; ``{("STORE", "X-GM-LABELS"): (labels,)}`` how the value of a STORE
        item is written, with or without "+" or "-" before the item and ".SILENT" behind it.
    ``extends``
        options for other families' commands: ``(Option("LIST", "return", "STATUS", (status_items,), "LIST-STATUS"),)``.
    ``routes``
        the ways of its typed calls that have several, each with what it needs: ``client.explain("move")`` shows them.
    ``guards``
        rules over other families' commands, by the command's name, or "*" for all: ``{"FETCH": rule}``. ``rule(session, name,
        args, uid)`` is called as ``Command.guard`` is, and may raise ``ArgumentError`` or ``Missing``.
    ``offers``
        what it adds to open registries, by their names: ``{"sasl": {"SCRAM-SHA-256": Scram}}``. The family that
        reads a registry says what stands in it.
    ``steps``
        what it does at changes of state (``StateStep``).
    ``quirks``
        what to do about certain servers (``Quirk``).
    ``layers``
        the layers between protocol and socket that it offers, by name.
    ``events``
        the events that it makes of what no command asked for: ``{"EXISTS": made, "[NOUPDATE]": made_of_code}``, by the name of
        the response, or of the response code in brackets. ``made(value, mailbox)`` returns the event, a value of a class of the
        family's own, or None; ``value`` is what the grammar of the response or code reads, ``mailbox`` what was selected. It runs
        on the callback thread. Several families may make events of one response.
    ``requires``
        the families that must be there.
    ``replaces``
        the claims that it takes over from another family: "command:QUOTA", "method:quota", "response:QUOTA", "code:ALERT",
        "item:FETCH.UID", "operand:SEARCH.X-GM-RAW", "layer:deflate", "session:quota", "selected:fetch",
        "option:LIST.RETURN.STATUS", "offer:sasl.SCRAM-SHA-256".
    ``contract``
        the version of the contract (``CONTRACT``) that it needs: an older imapkit refuses the family by
        name.
    """

    name: str
    mixin: type | None = None
    commands: tuple[Command, ...] = ()
    capabilities: tuple[str, ...] = ()
    enables: tuple[str, ...] = ()
    responses: Mapping[str, Response] = field(default_factory=_frozen)
    items: Mapping[tuple[str, str], Callable[[Cursor], Any]] = field(default_factory=_frozen)
    operands: Mapping[tuple[str, str], tuple[Kind, ...]] = field(default_factory=_frozen)
    codes: Mapping[str, Code] = field(default_factory=_frozen)
    layers: Mapping[str, LayerSpec] = field(default_factory=_frozen)
    requires: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    contract: int = 1
    partly: Mapping[str, str] = field(default_factory=_frozen)
    routes: tuple[Routes, ...] = ()
    session: type | str | None = None
    selected: type | str | None = None
    implies: Mapping[str, tuple[str, ...]] = field(default_factory=_frozen)
    extends: tuple[Option, ...] = ()
    guards: Mapping[str, Callable[[Session, str, tuple[Any, ...], bool], None]] = field(default_factory=_frozen)
    offers: Mapping[str, Mapping[str, Any]] = field(default_factory=_frozen)
    steps: tuple[StateStep, ...] = ()
    quirks: tuple[Quirk, ...] = ()
    events: Mapping[str, Event] = field(default_factory=_frozen)


class Specs:
    """The one hook. It is called once, at load time."""

    @hookspec
    def imapkit_family(self) -> Family:  # type: ignore[empty-body]
        """Return the family that this module offers."""
