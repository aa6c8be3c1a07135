"""What every family should hold: what it puts on the wire, what it refuses, and that it can be left out."""

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
"""Arguments that would end the command: whatever a method takes as text must raise ``ArgumentError`` for them."""


def written(source: Family | Registry, name: str, *args: Any, uid: bool = False) -> list[Piece]:
    """What a command puts on the wire, without tag and CRLF: octets, with each ``Literal`` in its place.

    ``source``: the command's family; or a registry (``load_only``), with what other families add to the command.
    Raises ``ArgumentError`` as the command does, ``KeyError`` for a command that is not there.
    """
    if isinstance(source, Registry):
        command = source.commands[name]
    else:
        command = {command.name: command for command in source.commands}[name]
    return encode(command.args, command.rest, args, f"UID {name}" if uid else name)


def check_family(family: Any, *others: Any) -> None:
    """Check that a family works alone with ``others`` (default: "rev1", the base), and that without it its methods are not there.

    A method that it replaces is there again, as one of ``others`` has it. Each is a name or a module, as ``load_only`` takes it.
    Raises ``AssertionError``, or what a client raises.
    """
    others = others or ("rev1",)
    base, own = load_only(*others), load_only(*others, family)
    (plugin,) = (plugin for plugin in own.plugins if plugin.name not in {other.name for other in base.plugins})
    methods = [name for name, home in own.methods.items() if home == plugin.name]
    with selected(families=[*others, family]) as (client, _):
        for name in methods:
            assert hasattr(client, name), f"{plugin}: {name} is not there"
            if callable(found := getattr(client, name)):
                assert getattr(client, name.upper()) == found, f"{plugin}: {name.upper()} is not {name}"
    with selected(families=others) as (client, _):
        for name in methods:
            if name in base.methods:
                assert hasattr(client, name), f"{plugin}: {name} is not there without it, as {base.methods[name]!r} has it"
                continue
            _check_absence(client, name, plugin.name, named=plugin.name in registry(others).absent)


def _check_absence(client: Any, name: str, family: str, *, named: bool) -> None:
    for spelling in (name, name.upper()):
        try:
            getattr(client, spelling)
        except AttributeError as error:
            said = family in str(error) if isinstance(error, FamilyDisabledError) else not named
        else:
            raise AssertionError(f"{spelling} is there without its family, {family}")
        assert said, f"the error for {spelling} does not name its family, {family}"
