"""Dataclasses that are cheap to define: of what ``dataclass`` writes and compiles for each class, only what must be.

A program waits for all of them at its first client. To be equal, hashed and shown is the same for each: by its fields.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["lean_dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass as lean_dataclass
else:
    from dataclasses import dataclass, fields

    def lean_dataclass(**options: Any) -> Callable[[type], type]:
        """``dataclass`` with these options; whatever is equal can be hashed."""
        eq = options.pop("eq", True)

        def define(cls: type) -> type:
            made = dataclass(**options, eq=False, repr=False)(cls)
            shown = [each.name for each in fields(made) if each.repr]
            methods = {"__repr__": _representation(shown)}
            if eq:
                compared = [each.name for each in fields(made) if each.compare]
                hashed = [each.name for each in fields(made) if (each.compare if each.hash is None else each.hash)]
                methods |= _comparison(_values(compared), _values(hashed))
            for name, method in methods.items():
                if name not in cls.__dict__:
                    setattr(made, name, method)
            return made

        return define


def _values(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _comparison(compared: Callable[[Any], Any], hashed: Callable[[Any], Any]) -> dict[str, Callable[..., Any]]:
    def is_equal(self: object, other: object) -> Any:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def hash_of(self: object) -> int:
        return hash(hashed(self))

    return {"__eq__": is_equal, "__hash__": hash_of}


def _representation(shown: list[str]) -> Callable[[Any], str]:
    def represented(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in shown])})"

    return represented
