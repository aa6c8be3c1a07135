"""Client classes with the families' mixins behind them, compiled for each set of families when a client is made."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from imapkit.core.contract.commands import Commands
from imapkit.core.plugins.registry import Registry
from imapkit.core.raw.facade import Client
from imapkit.core.raw.families import registry

__all__ = ["CommandFamilies", "announce", "compiled"]


class CommandFamilies:
    """The methods of all command families: the last base of every client class, which help() shows them under."""


_compiling = threading.RLock()


class _Method:
    """Stands for a family's method where the family is not: before the families are loaded, or because it is absent.

    Asked of a client class, it loads the families. Which families there are is for the first client to say, not for an import.
    The classes below ``IMAP4`` have no methods of families: ``help()`` asks them all, and shows a method where it finds it last.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        if not getattr(owner, "_has_families", False):
            raise AttributeError(f"{owner.__name__!r} has no attribute {self._name!r}")
        known = registry() if instance is None else vars(instance).get("_registry") or registry()
        kind = compiled(owner, known)
        if kind is owner:
            raise known.why_no_method(self._name) or AttributeError(f"{owner.__name__!r} has no attribute {self._name!r}")
        found = getattr(kind, self._name)
        return found if instance is None or not hasattr(found, "__get__") else found.__get__(instance, owner)


def compiled(cls: type, known: Registry) -> type:
    """``cls`` with the mixins of ``known``: they come last, so that whatever ``cls`` itself says goes before them."""
    cls = vars(cls).get("_plain", cls)
    with _compiling:
        # Kept with the class, so that both can go together; and for as long as a client or the loader has the registry.
        kinds = vars(cls).get("_kinds")
        if kinds is None:
            kinds = cls._kinds = WeakKeyDictionary()  # type: ignore[attr-defined]
        if known not in kinds:
            kinds[known] = _mixed(cls, known)
        kind: type = kinds[known]
        return kind


def _mixed(cls: type, known: Registry) -> type:
    announce(known.methods)
    missing = tuple(mixin for mixin in known.mixins if not issubclass(cls, mixin))
    namespace = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__, "_plain": cls}
    return type(cls.__name__, (cls, *missing, CommandFamilies), namespace | dict(_corrected(cls, known)))


def _corrected(cls: type, known: Registry) -> Iterator[tuple[str, Any]]:
    """The methods that ``cls`` has from mixins among its own bases, and that are not there, or are another family's by now."""
    clients = [base for base in cls.__mro__ if issubclass(base, Client)]
    mixins = [base for base in cls.__mro__ if issubclass(base, Commands) and base not in (*clients, *Client.__mro__)]
    homes = {plugin.name: plugin.family.mixin for plugin in known.plugins}
    for name in dict.fromkeys(name for base in mixins for name in vars(base) if not name.startswith("_")):
        owner = next(base for base in cls.__mro__ if name in vars(base))
        home = homes.get(known.methods.get(name, ""))
        if owner in mixins and (home is None or not issubclass(home, owner)):
            yield name, _Method(name) if home is None else vars(home).get(name) or getattr(home, name)


def announce(methods: Iterable[str]) -> None:
    """Have client classes know that families have these methods, which are loaded when one is asked for."""
    for name in methods:
        if name not in vars(CommandFamilies):
            setattr(CommandFamilies, name, _Method(name))
