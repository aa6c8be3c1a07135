"""What Python sources say of their public names, for ``make_reference``: signatures, docstrings, fields. Nothing is imported."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

__all__ = ["Entry", "entries", "entry", "exported", "forget", "module_doc"]

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Entry:
    """A public name: how it reads in code, what its docstring says; its fields, and its own public names."""

    name: str
    code: str
    doc: str
    fields: tuple[str, ...] = ()
    inner: tuple[Entry, ...] = ()


def module_doc(module: str) -> str:
    """A module's docstring."""
    return ast.get_docstring(_tree(module)) or ""


def exported(module: str) -> list[str]:
    """The names in the ``__all__`` of a module, in its order."""
    return _all(module)


def entries(module: str) -> Iterator[Entry]:
    """The entries of a module's ``__all__``, in its order."""
    for name in _all(module):
        yield entry(module, name)


def entry(module: str, name: str, without: Collection[str] = ()) -> Entry:
    """A public name of a module, or a method (``Class.name``) of one; ``without``: bases that a class is described without."""
    cls, _, method = name.partition(".")
    home = _home(module, cls)
    found = _entry(cls, home, _definitions(home))
    if method:
        return next(inner for inner in found.inner if inner.name == method)
    inherited = tuple(_inherited(home, {*_all(module), *without}, found.inner))
    fields = found.fields or tuple(_constructor(home, {*_all(module), *without}))
    return replace(found, fields=fields, inner=(*found.inner, *inherited))


def _constructor(home: str, shown: Collection[str]) -> Iterator[str]:
    """The fields, or the arguments, that a class has from a base that the page does not show for itself."""
    for node, _ in _definitions(home):
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            name = ast.unparse(base)
            there = _home(home.partition(":")[0], name)
            if name not in shown and list(_definitions(there)):
                for field in _entry(name, there, _definitions(there)).fields:
                    own = home.partition(":")[2]
                    yield field.replace(f"{name}(", f"{own}(").replace("[Self]", f"[{own}]")


def _inherited(home: str, shown: Collection[str], own: Iterable[Entry]) -> Iterator[Entry]:
    """What a class has from bases that the page does not show for themselves."""
    known = {entry.name for entry in own}
    for node, _ in _definitions(home):
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            name = ast.unparse(base)
            there = _home(home.partition(":")[0], name)
            if name not in shown and list(_definitions(there)):
                inner = _entry(name, there, _definitions(there)).inner
                yield from (entry for entry in inner if entry.name not in known)
                yield from _inherited(there, shown, [*own, *inner])


# Sources


def _path(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_path(module).read_text(encoding="utf-8"))


def forget() -> None:
    """Let go of the sources that were read."""
    _tree.cache_clear()
    _imported.cache_clear()


def _all(module: str) -> list[str]:
    for node in _tree(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    raise ValueError(f"{module} has no __all__")


def _home(module: str, name: str) -> str:
    """The module in which a name is defined, and which this one, or one between, imports it from; its name there may differ."""
    there = _imported(module).get(name)
    if there is None:
        return f"{module}:{name}"
    source, _, inner = there.partition(":")
    return _home(source, inner) if _path(source).is_relative_to(ROOT / "imapkit") else there


@functools.cache
def _imported(module: str) -> dict[str, str]:
    """The homes of the names that a module imports from others."""
    found: dict[str, str] = {}
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found.setdefault(alias.asname or alias.name, f"{node.module}:{alias.name}")
    return found


def _definitions(home: str) -> Iterator[tuple[ast.stmt, ast.stmt | None]]:
    """The statements that define a name, each with the one behind it, which may be its docstring; none, if it is another's."""
    module, _, name = home.partition(":")
    if not _path(module).is_relative_to(ROOT / "imapkit") or not _path(module).exists():
        return
    body = _tree(module).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if name in _defined(node) and not _is_overload(node):
            yield node, after


def _defined(node: ast.stmt | ast.AST) -> list[str]:
    if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return [node.target.id] if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else []


def _is_overload(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(ast.unparse(one) == "overload" for one in node.decorator_list)


def _entry(name: str, home: str, found: Iterable[tuple[ast.stmt, ast.stmt | None]]) -> Entry:
    for node, after in found:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return _function(node, name)
        if isinstance(node, ast.ClassDef):
            return _class(node, name)
        return Entry(name, ast.unparse(node), _string(after))
    raise ValueError(f"{home} is not defined there")


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> Entry:
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    returns = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    doc = ast.get_docstring(node) or ""
    if "property" in decorators:
        return Entry(name, name + returns.replace(" -> ", ": "), doc)
    arguments = re.sub(r"^(self|cls)(, /)?(, |$)", "", ast.unparse(node.args))
    return Entry(name, f"{name}({arguments}){returns}", doc)


def _class(node: ast.ClassDef, name: str) -> Entry:
    bases = ", ".join(base for base in map(ast.unparse, node.bases) if not base.startswith("_"))
    inner: list[Entry] = []
    fields: list[str] = []
    doc = ast.get_docstring(node) or ""
    for member, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if _is_shown(member, name):
                inner.append(_function(member, member.name))
            elif member.name == "__init__":
                fields.append(_function(member, name).code.removesuffix(" -> None"))
                inner += _attributes(member, doc)
        for field in () if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)) else _defined(member):
            if not field.startswith("_"):
                fields.append(ast.unparse(member))
                if said := _string(after):
                    inner.append(Entry(field, field, said))
    return Entry(name, f"class {name}({bases})" if bases else f"class {name}", doc, tuple(fields), tuple(inner))


def _is_shown(member: ast.FunctionDef | ast.AsyncFunctionDef, cls: str) -> bool:
    """``Commands._call`` and its like are for the mixins of families; an overload or a setter shows nothing new."""
    setter = any(ast.unparse(decorator).endswith(".setter") for decorator in member.decorator_list)
    return not (setter or _is_overload(member) or member.name.startswith("__" if cls == "Commands" else "_"))


def _attributes(member: ast.FunctionDef | ast.AsyncFunctionDef, doc: str) -> Iterator[Entry]:
    """What ``__init__`` sets, and says something of."""
    for node, after in zip(member.body, [*member.body[1:], None], strict=True):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Attribute) and not target.attr.startswith("_") and (said := _string(after)):
            kind = f": {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
            yield Entry(target.attr, target.attr + kind, said)


def _string(node: ast.stmt | None) -> str:
    """The docstring of what stands before it."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return inspect.cleandoc(node.value.value)
    return ""
