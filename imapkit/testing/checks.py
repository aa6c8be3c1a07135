"""Checks for every family: the bytes on the wire, the refused arguments, and that a client works without it."""

from __future__ import annotations

from typing import Any

from imapkit.core.contract.family import Family
from imapkit.core.grammar.encode import encode
from imapkit.core.plugins.registry import Registry
from imapkit.core.raw.families import registry
from imapkit.core.wire.pieces import Piece
from imapkit.errors import FamilyDisabledError
from imapkit.testing.clients import selected
from imapkit.testing.families import load_only

__all__ = ["INJECTIONS", "check_family", "written"]

INJECTIONS = ("a\r\nX1 LOGOUT", "a\nb", "a\rb", "a\0b", b"a\r\nX1 LOGOUT", b"a\0b", '"a\r\nb"', "(a\r\nb)")
"""Arguments that would end the command: a method must raise ``ArgumentError`` for them wherever it takes text."""


def written(source: Family | Registry, name: str, *args: Any, uid: bool = False) -> list[Piece]:
    """The bytes of a command on the wire, without tag and CRLF, with each ``Literal`` in its place.

    Raises ``ArgumentError`` as the command does, and ``KeyError`` for an unknown command. ``source``: the command's family; or a
    registry (``load_only``), with what other families add to the command.
    """
    if isinstance(source, Registry):
        command = source.commands[name]
    else:
        command = {command.name: command for command in source.commands}[name]
    return encode(command.args, command.rest, args, f"UID {name}" if uid else name)


def check_family(family: Any, *others: Any) -> None:
    """Check that a family works with ``others`` alone (default: "rev1", the base), and that clients without it lack its methods.

    A client without it has the methods that it replaces from ``others``. Raises ``AssertionError``, or what a client raises. Each
    argument is a name or a module, as ``load_only`` takes it.
    """
    others = others or ("rev1",)
    base, own = load_only(*others), load_only(*others, family)
    (plugin,) = (plugin for plugin in own.plugins if plugin.name not in {other.name for other in base.plugins})
    methods = [name for name, home in own.methods.items() if home == plugin.name]
    with selected(families=[*others, family]) as (client, _):
        for name in methods:
            assert hasattr(client, name), f"{plugin}: the client has no {name}"
            if callable(found := getattr(client, name)):
                assert getattr(client, name.upper()) == found, f"{plugin}: {name.upper()} is not {name}"
    with selected(families=others) as (client, _):
        for name in methods:
            if name in base.methods:
                assert hasattr(client, name), f"{plugin}: a client without it has no {name}, which {base.methods[name]!r} offers"
                continue
            _check_absence(client, name, plugin.name, named=plugin.name in registry(others).absent)


def _check_absence(client: Any, name: str, family: str, *, named: bool) -> None:
    for spelling in (name, name.upper()):
        try:
            getattr(client, spelling)
        except AttributeError as error:
            is_named = family in str(error) if isinstance(error, FamilyDisabledError) else not named
        else:
            raise AssertionError(f"a client without the family {family} has {spelling}")
        assert is_named, f"the error for {spelling} does not name its family, {family}"
