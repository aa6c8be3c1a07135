"""Dataclasses that are cheap to define: ``__init__`` is compiled when it is first looked up, and the other methods are closures.

A program waits for the definition of all these classes at its first client, and makes objects of few of them. Equality, hash,
``repr`` and freezing need no compiling: they work in the same way for each class, by its fields.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

__all__ = ["lean_dataclass", "record", "warn_renamed"]

_Record = TypeVar("_Record", bound=type[Any])


def warn_renamed(kind: str, old: str, new: str) -> None:
    """Warn of the old name of an attribute of the class ``kind``: the warning names the line that called the caller."""
    import warnings

    warnings.warn(f"{kind}.{old} is an old name: write {new}", DeprecationWarning, stacklevel=3)


if TYPE_CHECKING:
    from dataclasses import dataclass as lean_dataclass
else:
    from dataclasses import MISSING, FrozenInstanceError, dataclass, fields, is_dataclass

    def lean_dataclass(**options: Any) -> Callable[[type], type]:
        """``dataclass`` with these options, for fields that are all arguments; ``eq`` brings ``__hash__``, too.

        ``_RENAMED`` in the class pairs old names of fields with the new ones: ``__init__`` takes the old ones with a warning.
        """
        eq, frozen = options.pop("eq", True), options.pop("frozen", False)

        def define(cls: type) -> type:
            late = frozen and not any(map(is_dataclass, cls.__bases__))
            made = dataclass(**options, init=False, eq=False, repr=False, frozen=frozen and not late)(cls)
            shown = [each.name for each in fields(made) if each.repr]
            methods = {"__init__": _Init(made, frozen), "__repr__": _representation(shown)}
            if eq:
                compared = [each.name for each in fields(made) if each.compare]
                hashed = [each.name for each in fields(made) if (each.compare if each.hash is None else each.hash)]
                methods |= _comparison(_values(compared), _values(hashed))
            if late:
                methods |= _freezing(made)
                # ``dataclass`` reads this: a class that derives from a frozen one must be frozen as well.
                made.__dataclass_params__.frozen = True
            for name, method in methods.items():
                if name not in cls.__dict__:
                    setattr(made, name, method)
            return made

        return define

    class _Factory:
        """Stands for a default that each object makes for itself, by ``default_factory``."""

        def __repr__(self) -> str:
            return "<factory>"

    _FACTORY = _Factory()

    class _Init:
        """``__init__`` of a class; the first look-up replaces it by the compiled one."""

        def __init__(self, cls: type, frozen: bool) -> None:
            self._cls, self._frozen = cls, frozen

        def __get__(self, instance: object, owner: type | None = None) -> Any:
            written = _written(self._cls, self._frozen)
            if renamed := getattr(self._cls, "_RENAMED", None):
                written = _takes_old_names(written, self._cls.__name__, dict(renamed))
            self._cls.__init__ = written
            return written if instance is None else written.__get__(instance)

    def _written(cls: type, frozen: bool) -> Callable[..., None]:
        """The ``__init__`` that ``dataclass`` would write."""
        scope: dict[str, Any] = {"_set": object.__setattr__, "_FACTORY": _FACTORY}
        parameters, lines = ["self"], []
        for each in fields(cls):
            name = value = each.name
            scope[f"_type_{name}"] = each.type
            parameter = f"{name}: _type_{name}"
            if each.default is not MISSING:
                scope[f"_default_{name}"] = each.default
                parameter += f" = _default_{name}"
            elif each.default_factory is not MISSING:
                scope[f"_default_{name}"] = each.default_factory
                parameter += " = _FACTORY"
                value = f"_default_{name}() if {name} is _FACTORY else {name}"
            parameters.append(parameter)
            lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
        if hasattr(cls, "__post_init__"):
            lines.append("self.__post_init__()")
        head = f"def make({', '.join(scope)}):\n def __init__({', '.join(parameters)}) -> None:\n  "
        text = head + "\n  ".join(lines or ["pass"]) + "\n return __init__"
        # Its types are names of the module of the class.
        there, made = getattr(sys.modules.get(cls.__module__), "__dict__", {}), {}
        exec(compile(text, "<lean_dataclass>", "exec", dont_inherit=True), there, made)
        init: Callable[..., None] = made["make"](**scope)
        init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
        return init

    def _takes_old_names(init: Callable[..., None], kind: str, renamed: dict[str, str]) -> Callable[..., None]:
        """``init`` that takes the old name of a field as well; it counts before the new one, which ``replace`` always gives."""

        def __init__(self: object, *args: Any, **values: Any) -> None:
            for old in renamed.keys() & values.keys():
                warn_renamed(kind, old, renamed[old])
                values[renamed[old]] = values.pop(old)
            init(self, *args, **values)

        __init__.__qualname__, __init__.__module__ = init.__qualname__, init.__module__
        __init__.__wrapped__ = init
        return __init__

    def _freezing(cls: type) -> dict[str, Callable[..., Any]]:
        names = frozenset(each.name for each in fields(cls))

        def set_attribute(self: object, name: str, value: object) -> None:
            if type(self) is cls or name in names:
                raise FrozenInstanceError(f"cannot assign to field {name!r}")
            super(cls, self).__setattr__(name, value)

        def delete_attribute(self: object, name: str) -> None:
            if type(self) is cls or name in names:
                raise FrozenInstanceError(f"cannot delete field {name!r}")
            super(cls, self).__delattr__(name)

        def set_state(self: object, state: Any) -> None:
            # A derived class with a ``__dict__`` has two parts: its dictionary, and its slots.
            for part in state if isinstance(state, tuple) else (state,):
                for name, value in (part or {}).items():
                    object.__setattr__(self, name, value)

        return {"__setattr__": set_attribute, "__delattr__": delete_attribute, "__setstate__": set_state}


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


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: _Record) -> _Record:
    """A dataclass with slots that type checkers treat as frozen.

    At run time it is not frozen: that would make it 2.5 times as slow to build, and a mailbox has many envelopes.
    """
    made: Any = lean_dataclass(slots=True)(cls)
    return made  # type: ignore[no-any-return]
