"""No ``Any`` where a user of the typed calls looks: in the stub of the clients, and in all that their calls take and return."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import imapkit
from imapkit import compat
from tools import typed_twin

RAW = {"IMAP4", "IMAP4_SSL", "IMAP4_stream", "configure", "Channel", "Parsed", "Data", *compat.__all__}
"""The methods of imaplib2, and what they return: ``programs/raw.py`` and ``programs/parsed.py`` have those."""
AUTHORS = {"TypedCommands", "Cursor", "Command", "Option", "Chosen", "LayerSpec", "Done", "Reading", "Run", "Untagged", "Tables"}
"""What the authors of families see, not their users."""
PASSED = RAW | AUTHORS
ALLOWED = {
    # What an answer says has the type that the family of its name gives it.
    "Reply.args": "arguments of any command",
    "Reply.values()": "by the name of the response",
    "Reply.codes()": "by the name of the code",
    "StatusText.value": "by the name of the code",
    "NoResponse.value": "by the name of the code; classes below it have a type",
    "MailboxListing.extended": "by the name of the item; OLDNAME, CHILDINFO ... of any server",
    "MailboxStatus.items": "by the name of the item; Item.of() is the typed way",
    "BodyStructure.extensions": "what later RFCs may add",
    "Item.kind": "for the author of a family",
    "Item.made": "for the author of a family",
    "Item.parse": "for the author of a family",
    "Item.table()": "for the author of a family",
    "Message.__init__()": "for the author of a family",
    "_HasItems.items": "a protocol that MailboxStatus and FetchData match",
}
SPECIAL = {"__and__", "__call__", "__contains__", "__enter__", "__getitem__", "__init__", "__iter__", "__or__", "__sub__"}


def test_no_any() -> None:
    found = set(_found())
    assert found - set(ALLOWED) == set(), "Any, or say why not"
    assert set(ALLOWED) - found == set(), "is no Any"


def test_it_is_found() -> None:
    assert {where for where, text in _annotations(_Sample, "_Sample") if _has_any(text)} == {
        "_Sample.field", "_Sample.method()", "_Sample.shown", "_Sample.made()",
    }  # fmt: skip


class _Sample:
    field: list[Any]
    right: list[int]

    def method(self, *args: Any) -> None: ...
    def good(self, *args: int) -> None: ...
    @property
    def shown(self) -> dict[str, Any]:
        return {}

    @classmethod
    def made(cls) -> Any: ...
    def _private(self) -> Any: ...


def _found() -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    ahead = [*_stub(), *_public()]
    while ahead:
        where, text, module = ahead.pop()
        if _has_any(text):
            yield where
        for name in re.findall(r"[A-Za-z_]\w*", text):
            home = _names(module).get(name, module)
            if home.startswith("imapkit") and name not in PASSED and (home, name) not in seen:
                seen.add((home, name))
                ahead += _of(getattr(import_module(home), name, None), name)


def _has_any(text: str) -> bool:
    return re.search(r"\bAny\b", text) is not None


def _of(thing: Any, name: str) -> Iterator[tuple[str, str, str]]:
    """The annotations of a public name: where, what, and the module whose names it uses."""
    if isinstance(thing, type):
        for cls in thing.__mro__:
            # (What the stub says is looked at for itself.)
            if cls.__module__.startswith("imapkit") and cls.__module__ != "imapkit.typed.client" and cls.__name__ not in PASSED:
                yield from ((where, text, cls.__module__) for where, text in _annotations(cls, cls.__name__))
    elif isinstance(thing, FunctionType):
        yield from ((where, text, thing.__module__) for where, text in _of_function(thing, f"{name}()"))
    elif isinstance(thing, str):  # an alias
        yield name, thing, "imapkit"
    elif thing is not None and type(thing).__module__ in ("typing", "types"):
        yield name, str(thing).replace("typing.", ""), "imapkit"


def _annotations(cls: type, name: str) -> Iterator[tuple[str, str]]:
    for field, text in inspect.get_annotations(cls).items():
        if not field.startswith("_"):
            yield f"{name}.{field}", str(text)
    for member, value in vars(cls).items():
        if member.startswith("_") and (member not in SPECIAL or (member == "__init__" and hasattr(cls, "__dataclass_fields__"))):
            continue
        if isinstance(value, property):
            yield from _of_function(value.fget, f"{name}.{member}")
        else:
            function = getattr(value, "function", None) or getattr(value, "__func__", value)
            if isinstance(function, FunctionType):
                yield from _of_function(function, f"{name}.{member}()")


def _of_function(function: Any, where: str) -> Iterator[tuple[str, str]]:
    return ((where, str(text)) for text in inspect.get_annotations(function).values())


def _public() -> Iterator[tuple[str, str, str]]:
    """What ``import imapkit`` gives, but for the names of imaplib2."""
    for name in set(imapkit.__all__) - RAW:
        yield from _of(getattr(imapkit, name), name)


def _stub() -> Iterator[tuple[str, str, str]]:
    for node in ast.parse(typed_twin.TARGET.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    every = [*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs, each.args.vararg, each.args.kwarg]
                    for annotation in [each.returns, *(arg.annotation for arg in every if arg is not None)]:
                        if annotation is not None:
                            yield f"{node.name}.{each.name}()", ast.unparse(annotation), "client.pyi"


@cache
def _names(module: str) -> dict[str, str]:
    """The modules from which the names of a module come."""
    path = typed_twin.TARGET if module == "client.pyi" else Path(str(import_module(module).__file__))
    return {
        alias.asname or alias.name: node.module or ""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
