"""Whether what a hook returned is a family that this imapkit can use: the types of its fields, its name, its contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imapkit.core.contract.command import Command
from imapkit.core.contract.extension import Code, LayerSpec, Response
from imapkit.core.contract.family import CONTRACT, Family
from imapkit.core.contract.session import State
from imapkit.core.support.patterns import late_pattern

__all__ = ["contract_is_unknown", "is_name", "mistakes"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ATOM = re.compile(r"[!#$&'+-\[^-z|-~]+")
_LINE = late_pattern(rb"[^\r\n\0]+")
_LISTS = {"commands": Command, "capabilities": str, "enables": str, "requires": str, "replaces": str}
_TABLES: Mapping[str, Any] = {"responses": Response, "codes": Code, "layers": LayerSpec, "partly": str}


def is_name(name: str) -> bool:
    """Whether a family can have this name: one that IMAPKIT_PLUGINS and IMAPKIT_DISABLE can list."""
    return _NAME.fullmatch(name) is not None


def contract_is_unknown(family: Family) -> bool:
    """Whether the family needs a contract that this imapkit does not have."""
    return type(family.contract) is not int or not 1 <= family.contract <= CONTRACT


def mistakes(family: Family) -> Iterator[str]:
    """What is wrong with a declaration, whatever else is installed; the usual ones are a missing comma and a list of letters."""
    if not isinstance(family.name, str) or not is_name(family.name):
        yield f"name={family.name!r} is no name: letters, digits, and _ - . inside"
    if family.mixin is not None and not isinstance(family.mixin, type):
        yield f"mixin={family.mixin!r} is no class"
    for field, kind in _LISTS.items():
        yield from _wrong_list(field, getattr(family, field), kind)
    for field, kind in _TABLES.items():
        yield from _wrong_table(field, getattr(family, field), kind)
    yield from _wrong_pairs("items", family.items, callable, "no function")
    yield from _wrong_pairs("operands", family.operands, _are_kinds, "no tuple of kinds")
    for command in family.commands if isinstance(family.commands, (tuple, list)) else ():
        if isinstance(command, Command):
            yield from _wrong_command(command)


def _wrong_list(field: str, value: Any, kind: type) -> Iterator[str]:
    if isinstance(value, kind):
        yield f"{field}= is one {kind.__name__} and not a tuple of them: a comma is missing before the )"
    elif not isinstance(value, (tuple, list)):
        yield f"{field}= is no tuple but {type(value).__name__}"
    else:
        yield from (f"{field}= holds {item!r}, which is no {kind.__name__}" for item in value if not isinstance(item, kind))


def _wrong_table(field: str, value: Any, kind: type) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{field}= is no mapping but {type(value).__name__}"
        return
    for name, item in value.items():
        if not isinstance(name, str):
            yield f"{field}= has the key {name!r}, which is no str"
        if not isinstance(item, kind):
            yield f"{field}= has under {name!r} a {type(item).__name__} and no {kind.__name__}"


def _wrong_pairs(field: str, value: Any, fits: Callable[[Any], bool], instead: str) -> Iterator[str]:
    """Of a table by pairs of names."""
    if not isinstance(value, Mapping):
        yield f"{field}= is no mapping but {type(value).__name__}"
        return
    first = "RESPONSE" if field == "items" else "COMMAND"
    for key, item in value.items():
        if not (isinstance(key, tuple) and len(key) == 2 and all(isinstance(part, str) for part in key)):
            yield f'{field}= has the key {key!r}, which is no pair like ("{first}", "{"ITEM" if field == "items" else "WORD"}")'
        if not fits(item):
            yield f"{field}= has under {key!r} a {type(item).__name__} and {instead}"


def _are_kinds(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(map(callable, value))


def _wrong_command(command: Command) -> Iterator[str]:
    if not isinstance(command.name, str) or not command.name:
        yield f"a command has the name {command.name!r}, which is no str"
    elif not _ATOM.fullmatch(command.name):
        yield f"a command has the name {command.name!r}, which is no atom (RFC 3501 section 9)"
    if command.interrupt is not None and not _LINE.fullmatch(command.interrupt):
        yield f"command {command.name}: interrupt={command.interrupt!r} is no line without its line end"
    if not isinstance(command.states, State):
        yield f"command {command.name}: states= is a {type(command.states).__name__} and no State"
    if not isinstance(command.args, (tuple, list)):
        yield f"command {command.name}: args= is no tuple: a comma is missing before the )"
    yield from (f"command {command.name}: {error}" for error in _wrong_list("result", command.result, str))
