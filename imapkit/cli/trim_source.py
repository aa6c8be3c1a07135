"""Read requirements and imports from the syntax trees of Python sources, and edit them, without importing any.

The sources may be hostile: every exception of Python's parser becomes a ValueError.
"""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import ParamSpec, TypeVar

__all__ = ["imported", "requires", "without"]


P = ParamSpec("P")
R = TypeVar("R")


def _refusing(read: Callable[P, R]) -> Callable[P, R]:
    """``read`` as a function that raises only ValueError for a source that Python cannot parse."""

    @functools.wraps(read)
    def refusing(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with warnings.catch_warnings():
                # A warning would print part of the source on the terminal.
                warnings.simplefilter("ignore")
                return read(*args, **kwargs)
        except (RecursionError, MemoryError):
            raise ValueError("its expressions are nested too deeply") from None
        except SyntaxError as exc:
            raise ValueError(str(exc)) from exc

    return refusing


@_refusing
def requires(source: str) -> tuple[str, ...]:
    """The value of ``Family(requires=...)`` in a family's module. Raises ValueError unless it is a literal."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Family":
            for keyword in node.keywords:
                if keyword.arg == "requires":
                    found.extend(_names(keyword.value))
    return tuple(dict.fromkeys(found))


def _names(node: ast.expr) -> Iterator[str]:
    if not isinstance(node, (ast.Tuple, ast.List)):
        raise ValueError(f"line {node.lineno}: requires= is not a literal tuple of names")
    for item in node.elts:
        if not (isinstance(item, ast.Constant) and isinstance(item.value, str)):
            raise ValueError(f"line {item.lineno}: requires= holds a value that is no name")
        yield item.value


@_refusing
def imported(source: str, module: str, *, package: bool) -> list[tuple[int, str]]:
    """The line and the name of every module that the imports outside of functions may refer to. Raises ValueError.

    Imports in functions are late on purpose, and fail only when the function runs.
    """
    base = module if package else module.rpartition(".")[0]
    found: list[tuple[int, str]] = []
    for node in _outside_of_functions(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, base)
            found.append((node.lineno, origin))
            found += [(node.lineno, f"{origin}.{alias.name}") for alias in node.names]
    return sorted(found)


def _outside_of_functions(tree: ast.Module) -> Iterator[ast.AST]:
    pending: list[ast.AST] = [tree]
    while pending:
        for child in ast.iter_child_nodes(pending.pop()):
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                yield child
                pending.append(child)


def _origin(node: ast.ImportFrom, base: str) -> str:
    parts = base.split(".")
    above = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
    return ".".join(part for part in (above, node.module) if part)


@_refusing
def without(source: str, gone: Collection[str]) -> str:
    """The source without the imports of modules ``gone`` in its ``if TYPE_CHECKING:`` blocks.

    Raises ValueError if the imported names are used elsewhere. Classes in such blocks lose the bases that were imported from
    there, and the methods with types from there.
    """
    blocks = [node for node in ast.parse(source).body if isinstance(node, ast.If) and _is_type_checking(node.test)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom) and node.module in gone]
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    if not names:
        return source
    lines = source.splitlines(keepends=True)
    edits: list[tuple[ast.stmt, str]] = [(node, "") for node in imports]
    edits += [(node, _header(node, names)) for block in blocks for node in _classes(block.body, names)]
    edits += [(node, "") for block in blocks for node in _methods(block.body, names)]
    for node, instead in sorted(edits, key=lambda edit: edit[0].lineno, reverse=True):
        end = node.body[0].lineno - 1 if isinstance(node, ast.ClassDef) else node.end_lineno
        lines[_first(node) - 1 : end] = [instead]
    text = "".join(lines)
    _check(text, names)
    return text


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _classes(body: Iterable[ast.stmt], names: Collection[str]) -> Iterator[ast.ClassDef]:
    for node in body:
        if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id in names for base in node.bases):
            yield node


def _methods(body: Iterable[ast.stmt], names: Collection[str]) -> Iterator[ast.FunctionDef]:
    """The methods of classes that have one of ``names`` among the types of their arguments and results."""
    for node in body:
        for member in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(member, ast.FunctionDef):
                types = [member.args, *([member.returns] if member.returns is not None else [])]
                used = (part for kind in types for part in ast.walk(kind))
                if any(isinstance(part, ast.Name) and part.id in names for part in used):
                    yield member


def _first(node: ast.stmt) -> int:
    """The first line of a statement, or of its decorators."""
    decorators = node.decorator_list if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _header(node: ast.ClassDef, names: Collection[str]) -> str:
    indent = " " * node.col_offset
    kept = [base for base in node.bases if not (isinstance(base, ast.Name) and base.id in names)]
    listed = "".join(f"{indent}    {ast.unparse(each)},\n" for each in (*kept, *node.keywords))
    return f"{indent}class {node.name}(\n{listed}{indent}):\n"


def _check(text: str, names: Collection[str]) -> None:
    try:
        used = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name) and node.id in names]
    except SyntaxError as exc:
        raise ValueError(f"nothing is left of a block at line {exc.lineno}") from exc
    if used:
        raise ValueError(f"line {used[0].lineno} needs {used[0].id}")
